"""Takes as SMPL pose vectors, in the layouts of AIST++ (`smpl_poses`, `smpl_trans`, `smpl_scaling`) and AMASS (`poses`, `trans`).

Rotations go over joint by joint onto choreia-24, which has SMPL's topology and our own proportions, so that no SMPL file is needed.
`trans` is taken as the place of the pelvis joint, as EDGE does; in SMPL proper the pelvis lies off it by a constant of the body shape,
about 0.24 m down, which `pelvis_offset_m` can state.

Sources: R. Li et al., "AI Choreographer" (AIST++), ICCV 2021; N. Mahmood et al., "AMASS", ICCV 2019.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion import rotations as rot
from choreia.motion.io import npz, safe_pickle
from choreia.motion.skeleton import choreia24
from choreia.types import Motion

AIST_FPS = 60.0
"""Frame rate of AIST++, whose files do not say it."""

RATES = ("mocap_framerate", "mocap_frame_rate", "fps")
"""Arrays that hold the frame rate of a file, if it says one."""

_HALF = float(np.sqrt(0.5))
_Z_UP_TO_Y_UP = (_HALF, -_HALF, 0.0, 0.0)


Offset = tuple[float, float, float]


def read(path: str | os.PathLike[str], fps: float | None = None, z_up: bool | None = None, pelvis_offset_m: Offset = (0, 0, 0)) -> Motion:
    """Read a SMPL take from `.pkl` or `.npz`.

    Args:
        path: the file.
        fps: frames a second; None takes the file's own rate, or 60 (AIST++) when it has none.
        z_up: whether the file's world has Z up; None: AMASS has, AIST++ has not.
        pelvis_offset_m: from `trans` to the pelvis joint in the rest pose of the file's body.
    Returns:
        The take on choreia-24. Hands of SMPL-H and SMPL-X files are left out.
    Raises:
        ChoreiaError: a file of another layout, damaged, or with anything but numpy arrays in its pickle.
    """
    source = Path(path)
    arrays = npz.load(source) if source.suffix.lower() == ".npz" else safe_pickle.read(source)
    return from_arrays(arrays, source, fps, z_up, pelvis_offset_m)


def from_arrays(
    arrays: dict[str, np.ndarray], source: Path, fps: float | None = None, z_up: bool | None = None, pelvis_offset_m: Offset = (0, 0, 0)
) -> Motion:
    """The take in the arrays of a file; see `read`."""
    amass = "poses" in arrays
    poses, trans = _poses(arrays, ("poses", "trans") if amass else ("smpl_poses", "smpl_trans"), source)
    scaling = positive(arrays, "smpl_scaling", source) if "smpl_scaling" in arrays else 1.0
    rate = fps or next((positive(arrays, name, source) for name in RATES if name in arrays), AIST_FPS)
    joints = 24 if poses.shape[1] == 72 else 22
    vectors = np.zeros((len(poses), 24, 3))
    vectors[:, :joints] = poses[:, : 3 * joints].reshape(-1, joints, 3)
    rotations = rot.expmap_to_quaternion(torch.from_numpy(vectors))
    root = torch.from_numpy(trans / scaling + np.asarray(pelvis_offset_m))
    if amass if z_up is None else z_up:
        turn = torch.tensor(_Z_UP_TO_Y_UP, dtype=torch.float64).expand(len(root), 4)
        rotations[:, 0], root = rot.multiply(turn, rotations[:, 0]), rot.rotate(turn, root)
    return Motion(choreia24(), root.numpy().astype(np.float32), rotations.numpy().astype(np.float32), rate)


def _poses(arrays: dict[str, np.ndarray], names: tuple[str, str], source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vectors (T, 66 or more) and translations (T, 3)."""
    poses, trans = (_numbers(arrays, name, source) for name in names)
    frames = len(poses) if poses.ndim else 1
    poses = poses.reshape(frames, -1)
    if poses.shape[1] % 3 or poses.shape[1] < 66 or trans.shape != (frames, 3):
        raise ChoreiaError(f"{source}: {names[0]} {poses.shape} and {names[1]} {trans.shape} are not frames of a SMPL body")
    return poses, trans


def positive(arrays: dict[str, np.ndarray], name: str, source: Path) -> float:
    """The first number of an array, which must be above 0."""
    value = float(_numbers(arrays, name, source).ravel()[0])
    if not 0 < value < 1e5:
        raise ChoreiaError(f"{source}: {name} must be above 0, not {value:g}")
    return value


def write(path: str | os.PathLike[str], motion: Motion, layout: str = "aist") -> None:
    """Write a take on choreia-24 as `.npz` or `.pkl` in `layout` "aist" (72 numbers, Y up) or "amass" (156 numbers, Z up, hands at rest).

    AIST++ files get an `fps` besides, because the take need not have 60. Rotation vectors are float32.
    """
    if motion.skeleton.names != choreia24().names:
        raise ChoreiaError("only takes on choreia-24 can be written as SMPL: retarget first (motion.retarget.to_choreia24)")
    if layout not in ("aist", "amass"):
        raise ChoreiaError(f"unknown SMPL layout {layout!r}: use aist or amass")
    arrays = _aist(motion) if layout == "aist" else _amass(motion)
    with atomic_path(path) as partial:
        if partial.suffix.lower() == ".npz":
            np.savez(partial, **arrays)  # type: ignore[arg-type]
        else:
            partial.write_bytes(pickle.dumps(arrays, protocol=4))


def _aist(motion: Motion) -> dict[str, np.ndarray]:
    vectors = rot.quaternion_to_expmap(torch.from_numpy(np.asarray(motion.rotations, np.float64))).numpy()
    return {
        "smpl_poses": vectors.reshape(len(motion), 72).astype(np.float32),
        "smpl_trans": motion.root.astype(np.float32),
        "smpl_scaling": np.ones(1, np.float32),
        "fps": np.array([motion.fps]),
    }


def _amass(motion: Motion) -> dict[str, np.ndarray]:
    rotations = torch.from_numpy(np.array(motion.rotations, np.float64))
    back = rot.conjugate(torch.tensor(_Z_UP_TO_Y_UP, dtype=torch.float64)).expand(len(motion), 4)
    rotations[:, 0] = rot.multiply(back, rotations[:, 0])
    poses = np.zeros((len(motion), 156), np.float32)
    poses[:, :66] = rot.quaternion_to_expmap(rotations[:, :22]).reshape(len(motion), 66).numpy()
    trans = rot.rotate(back, torch.from_numpy(np.asarray(motion.root, np.float64)))
    return {
        "poses": poses,
        "trans": trans.numpy().astype(np.float32),
        "mocap_framerate": np.array(motion.fps),
        "gender": np.array("neutral"),
        "betas": np.zeros(16),
    }


def _numbers(arrays: dict[str, np.ndarray], name: str, source: Path) -> np.ndarray:
    """An array of finite numbers."""
    if name not in arrays:
        held = ", ".join(arrays)[:100]
        raise ChoreiaError(f"{source}: no array {name!r}; neither an AIST++ nor an AMASS take (it holds {held})")
    values = np.asarray(arrays[name])
    if values.dtype.kind not in "fiu" or values.size == 0 or not np.isfinite(values).all():
        raise ChoreiaError(f"{source}: the array {name!r} does not hold finite numbers")
    return values.astype(np.float64)
