"""The trained in-betweener: frames of a take are made anew between what stays, which is not touched."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from choreia.errors import ChoreiaError
from choreia.models.base import WEIGHTS, Weights, load_part, shipped
from choreia.models.inbetween.config import FPS, LONGEST, Config
from choreia.models.inbetween.interpolation import Gap, bridge
from choreia.models.inbetween.network import JOINTS, Network, Stand, Window
from choreia.motion import rotations as rot
from choreia.motion.representation.layout import tensors
from choreia.types import Motion

MODEL = "inbetween"

FASTEST_M_S = 10.0
"""Nobody's pelvis goes faster between two kept frames; dancers leap at half of that."""


class Inbetweener:
    """The network with weights; `name` and `weights_sha256` say which."""

    def __init__(self, weights: Weights) -> None:
        self.config = Config.from_json(weights.header["config"])
        self.name, self.weights_sha256 = MODEL, weights.sha256
        self.network = Network(self.config)
        load_part(self.network, weights.tensors, "network.")

    @torch.inference_mode()
    def fill(self, motion: Motion, start: int, stop: int, joints: np.ndarray | None = None, root: bool = True) -> Motion:
        """The take with frames [start, stop) made anew; every other frame, joint and sign bit is as it was. The same every time.

        Args:
            motion: on choreia-24 at 30 fps; one kept frame is needed on each side, and 30 are looked at.
            start, stop: at most `LONGEST` frames.
            joints: (24,) bool, whose local rotations are made anew; None is all of them. The others are kept inside the gap too.
            root: whether its path is made anew.
        Raises:
            ChoreiaError: another skeleton or frame rate, a gap that is empty, too long, past the end or without a kept frame on both
                sides, or kept frames further apart than a dancer can go.
        """
        if abs(motion.fps - FPS) > 1e-3:
            raise ChoreiaError(
                f"in-betweens are made at {FPS:g} fps, the take has {motion.fps:g}: resample it first (motion.timing.resample)"
            )
        gap, free = checked(motion, start, stop), _free(joints, root)
        window = _window(motion, gap, free, self.config.context)
        stand = Stand.of(window)
        places, matrices = self.network(stand.seen(window))
        return _put(motion, gap, free, *stand.placed(places, rot.matrix_to_quaternion(matrices)))


def interpolated(motion: Motion, start: int, stop: int, reach: int, joints: np.ndarray | None = None, root: bool = True) -> Motion:
    """The take, of any frame rate, with frames [start, stop) bridged by `interpolation.bridge`; refused as `Inbetweener.fill` does."""
    gap, free = checked(motion, start, stop), _free(joints, root)
    window = _window(motion, gap, free, around=2)
    return _put(motion, gap, free, *bridge(window.root, window.turns, window.gap, reach))


def checked(motion: Motion, start: int, stop: int) -> Gap:
    """The gap [start, stop) of a take that can be filled; ChoreiaError says why it cannot."""
    where = f"frames {start} to {stop}"
    if not 0 <= start < stop <= len(motion):
        raise ChoreiaError(f"{where} are no stretch of a take of {len(motion)} frames: begin before the end, within the take")
    if start == 0 or stop == len(motion):
        side = "before" if start == 0 else "after"
        raise ChoreiaError(f"nothing is kept {side} {where}: in-betweens need a kept frame on both sides; extend the dance instead")
    if (stop - start) / motion.fps > LONGEST / FPS:
        raise ChoreiaError(
            f"{where} last {(stop - start) / motion.fps:.1f} s: in-betweens fill {LONGEST / FPS:g} s at most; regenerate them"
        )
    gap = Gap(start, stop)
    way_m, time_s = float(np.linalg.norm(motion.root[stop] - motion.root[start - 1])), gap.steps / motion.fps
    if way_m > FASTEST_M_S * time_s:
        raise ChoreiaError(f"the poses around {where} are {way_m:.1f} m apart, with {time_s:.2f} s to get there: leave more time")
    return gap


def _free(joints: np.ndarray | None, root: bool) -> np.ndarray:
    """(1 + 24,) bool: what is made anew of the root's path and the joints' rotations."""
    chosen = np.ones(JOINTS, bool) if joints is None else np.asarray(joints, bool)
    if chosen.shape != (JOINTS,) or not (chosen.any() or root):
        raise ChoreiaError(f"nothing to fill: free the root or some of the {JOINTS} joints, not {chosen.sum()} of {chosen.size}")
    return np.concatenate([[root], chosen])


def _window(motion: Motion, gap: Gap, free: np.ndarray, around: int) -> Window:
    """The gap with up to `around` kept frames on either side; ChoreiaError when the take is not on choreia-24."""
    first = max(0, gap.start - around)
    piece = motion.slice(first, gap.stop + around)
    root, _ = tensors(piece)
    turns = torch.from_numpy(np.asarray(piece.rotations, np.float32))
    return Window(root.float()[None], turns[None], torch.from_numpy(free).float()[None], Gap(gap.start - first, gap.stop - first))


def _put(motion: Motion, gap: Gap, free: np.ndarray, root: Tensor, turns: Tensor) -> Motion:
    """The take with root (1, frames, 3) and rotations (1, frames, 24, 4) where they are free; quaternions keep the sign they come from."""
    inside, joints = slice(gap.start, gap.stop), np.flatnonzero(free[1:])
    before = torch.from_numpy(np.asarray(motion.rotations[gap.start - 1], np.float32))
    signed = rot.continuous(torch.cat([before[None], turns[0]]))[1:].numpy()
    path, pose = motion.root.copy(), motion.rotations.copy()
    if free[0]:
        path[inside] = root[0].numpy()
    pose[inside, joints] = signed[:, joints]
    return replace(motion, root=path, rotations=pose)


def available(name: str = MODEL) -> bool:
    """Whether its weights come with this copy of the package."""
    return (WEIGHTS / f"{name}.safetensors").is_file()


def load(name: str = MODEL) -> Inbetweener:
    """The in-betweener that comes with the package, read once."""
    return _load(name)


@cache
def _load(name: str) -> Inbetweener:
    return Inbetweener(shipped(name, MODEL))
