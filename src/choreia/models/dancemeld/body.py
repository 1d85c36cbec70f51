"""From the numbers of a representation to a body in metres, differentiably: what the auxiliary losses look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from choreia.motion.kinematics import forward
from choreia.motion.representation import Heading152, Smpl6d147
from choreia.motion.skeleton import FEET, choreia24

_SKELETON = choreia24()
_FEET = [_SKELETON.index(name) for name in FEET]
SEGMENT_FRAMES = 32
"""Velocities of heading152 are integrated over this many frames at a time, so that drift far away does not hide the pose."""


@dataclass(frozen=True)
class Body:
    """Joints in the world (B, T, 24, 3) m; `root` (B, T, 3) m."""

    joints: Tensor
    root: Tensor

    @property
    def relative(self) -> Tensor:
        """Joints as seen from the pelvis, (B, T, 24, 3)."""
        return self.joints - self.root.unsqueeze(-2)

    @property
    def feet(self) -> Tensor:
        """Ankles and toes in the order of `FEET`, (B, T, 4, 3)."""
        return self.joints[..., _FEET, :]


@dataclass(frozen=True)
class Form:
    """A representation: values (B, T, dim) of a known rate to a body, whose first axis may be segments instead of samples."""

    dim: int
    body: Callable[[Tensor, float], Body]


def _heading_body(values: Tensor, fps: float) -> Body:
    segments = values.reshape(-1, min(SEGMENT_FRAMES, values.shape[1]), values.shape[-1])
    root, matrices, _ = Heading152.to_local(segments, fps)
    return Body(forward(_SKELETON, root, matrices)[0], root)


def _smpl_body(values: Tensor, fps: float) -> Body:
    root, matrices = Smpl6d147.to_local(values)
    return Body(forward(_SKELETON, root, matrices)[0], root)


def level_joints(values: Tensor) -> Tensor:
    """Joints of heading152 values (..., 152) seen from the pelvis in the dancer's own heading, (..., 24, 3) m: no drift at all."""
    still = torch.cat([values[..., :1], torch.zeros_like(values[..., 1:4]), values[..., 4:]], dim=-1)
    root, matrices, _ = Heading152.to_local(still)
    return forward(_SKELETON, torch.zeros_like(root), matrices)[0]


FORMS: dict[str, Form] = {
    "heading152": Form(Heading152.dim, _heading_body),
    "smpl6d147": Form(Smpl6d147.dim, _smpl_body),
}
"""Representations that a tokenizer may have, by name."""
