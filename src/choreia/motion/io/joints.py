"""Takes as bare joint positions, as generators leave them: read for measuring, not for animation, since they hold no rotations.

| file | layout | rate, world | source |
|---|---|---|---|
| `.pkl` | `full_pose` (T, 24, 3) | 30 fps, Z up | EDGE, `test.py --save_motions` |
| `.pkl.npy` | `pred_position` (T, 72) | 60 fps, Y up | Bailando, `write2pkl` |
| `.npy` | (T, 139) or (T, 319): 4 contacts, place, first two rows of 22 or 52 rotation matrices | 30 fps, Y up | Lodge |
| `.npy` | (T, 263) | 20 fps, Y up | HumanML3D |
| `.npy`, `.npz` | (T, 24, 3), (T, 22, 3) or flat; `.npz` as `joints`, with `fps` | as stated | |

The order is SMPL's. 22 joints get hands in the line of the forearm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.motion.io import npz, safe_pickle, smpl
from choreia.motion.kinematics import forward
from choreia.motion.representation import Hml263
from choreia.motion.rotations import sixd_to_matrix
from choreia.motion.skeleton import choreia24

_SKELETON = choreia24()
_Z_UP_TO_Y_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
_HAND = 1 / 3  # of the forearm
_FARTHEST = 1e5

SUFFIXES = (".npy", ".npz", ".pkl")
"""Of files that may hold joint positions."""

UNSAID = "read at {:g} frames a second, which the files do not say"
"""A note on a frame rate that was assumed."""

OUR_BODY = "posed on our own body, SMPL's is not at hand"
"""A note on takes that hold angles without a body."""


@dataclass(frozen=True)
class Joints:
    """World positions (T, 24, 3) in metres, Y up, in SMPL's order, at `fps`; `notes` says what had to be assumed."""

    places: np.ndarray
    fps: float
    notes: tuple[str, ...] = ()


def read(path: Path, fps: float | None = None) -> Joints | None:
    """Joint positions of a `.npy`, `.npz` or `.pkl` in one of the layouts above; see `from_arrays`."""
    return from_arrays(load(path), path, fps)


def load(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npy`, `.npz` or `.pkl` by name; a plain `.npy` is called ""."""
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return npz.load(path)
    return safe_pickle.read(path) if suffix == ".pkl" else npz.load_one(path)


def from_arrays(arrays: dict[str, np.ndarray], path: Path, fps: float | None = None) -> Joints | None:
    """Joint positions in the arrays of a file; None when they are in none of the layouts above.

    Args:
        arrays: by name.
        path: the file, for error messages.
        fps: the rate of files that do not say theirs; None takes the rate of their source.
    Raises:
        ChoreiaError: damaged, or of a known layout without a rate while `fps` is not given.
    """
    found = next(((name, layout) for name, layout in _LAYOUTS.items() if name in arrays), None)
    if found is None:
        return None
    name, layout = found
    values = arrays[name]
    if values.dtype.kind not in "fiu" or values.ndim < 2 or values.size == 0 or not np.isfinite(values).all():
        raise ChoreiaError(f"{path}: {name or 'the array'} {values.shape} holds no frames of finite numbers; repair the take")
    if np.abs(values).max() > _FARTHEST:
        raise ChoreiaError(f"{path}: places of {np.abs(values).max():.0e} lie on no stage, in metres or centimetres; repair the take")
    joints = layout(values.reshape(len(values), -1).astype(np.float64), path)
    if "fps" in arrays:
        return Joints(joints.places, smpl.positive(arrays, "fps", path), joints.notes)
    if not (rate := fps or joints.fps):
        raise ChoreiaError(f"{path} does not say its frame rate: give it with --fps")
    return Joints(joints.places, rate, (*joints.notes, UNSAID.format(rate)))


def _plain(flat: np.ndarray, path: Path, fps: float = 0.0) -> Joints:
    """Rows of a `.npy`, told apart by their width; 0 fps: unknown."""
    width = flat.shape[1]
    if width in (139, 319):
        return _lodge(flat)
    if width == Hml263.dim:
        return _with_hands(Hml263.joints(flat), 20.0)
    if width == 66:
        return _with_hands(flat.reshape(-1, 22, 3), fps)
    if width == 72:
        return Joints(flat.reshape(-1, 24, 3), fps)
    raise ChoreiaError(f"{path}: rows of {width} numbers are no known layout; use 24 or 22 joints, 263 (HumanML3D) or 139 (Lodge)")


def _bailando(flat: np.ndarray, path: Path) -> Joints:
    return _plain(flat, path, fps=60.0)


def _edge(flat: np.ndarray, path: Path) -> Joints:
    joints = _plain(flat, path, fps=30.0)
    return Joints(joints.places @ _Z_UP_TO_Y_UP.T, 30.0, ("turned from Z up to Y up", *joints.notes))


def _lodge(flat: np.ndarray) -> Joints:
    """Posed on choreia-24, since the body model of the source is not at hand."""
    matrices = torch.eye(3, dtype=torch.float64).repeat(len(flat), 24, 1, 1)
    rows = torch.from_numpy(flat[:, 7 : 7 + 22 * 6].reshape(-1, 22, 2, 3))
    matrices[:, :22] = sixd_to_matrix(rows.flatten(2)).mT
    places, _ = forward(_SKELETON, torch.from_numpy(flat[:, 4:7]), matrices)
    return Joints(places.numpy(), 30.0, (OUR_BODY,))


def _with_hands(places: np.ndarray, fps: float) -> Joints:
    wrists, elbows = places[:, 20:22], places[:, 18:20]
    hands = wrists + _HAND * (wrists - elbows)
    return Joints(np.concatenate([places, hands], axis=1), fps, ("hands put in the line of the forearm",))


_LAYOUTS: dict[str, Callable[[np.ndarray, Path], Joints]] = {
    "full_pose": _edge, "pred_position": _bailando, "joints": _plain, "": _plain,
}  # fmt: skip
