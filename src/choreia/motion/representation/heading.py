"""`heading152`, the default model's own representation: everything relative to where the dancer faces, exactly invertible.

The heading is the twist of the pelvis about the vertical (swing-twist decomposition): unlike the direction in which the pelvis points, it
stays defined when the dancer bends over or lies down, and is undefined only exactly upside down. Whatever its value there, removing
and restoring it is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from choreia.motion.representation.layout import (
    contact_labels,
    held,
    named_slices,
    rows,
    running_sum,
    take,
    tensors,
    wrapped,
    yaw_matrix,
)
from choreia.motion.rotations import matrix_to_quaternion, matrix_to_sixd, sixd_to_matrix
from choreia.types import Motion

_CONTACTS, _REST = slice(148, 152), slice(4, 148)
_PIECE = 4096
"""Frames that are decoded at once, so that memory does not grow with the matrices of an hour."""


def heading(root_rotation: Tensor) -> Tensor:
    """Yaw (...) in radians of root rotations (..., 3, 3), in (-pi, pi]; 0 faces +Z, positive turns towards +X."""
    wxyz = matrix_to_quaternion(root_rotation)
    return wrapped(2 * torch.atan2(wxyz[..., 2], wxyz[..., 0]))


class Heading152:
    """Root height, planar velocity and yaw rate, heading-free rotations in 6D, foot contacts.

    Columns: `height` m; `velocity` m/s along the heading frame's +X (the dancer's left) and +Z (forward), from this frame to the next;
    `yaw_rate` rad/s to the next frame; `root_rotation` 6D with the heading removed; `joint_rotations` 23 local 6D; `contacts` in [0, 1]
    in the order of `skeleton.FEET`. The last frame repeats the velocities of the one before.
    """

    dim: ClassVar[int] = 152
    slices: ClassVar[dict[str, slice]] = named_slices(height=1, velocity=2, yaw_rate=1, root_rotation=6, joint_rotations=138, contacts=4)

    @staticmethod
    def encode(motion: Motion, contacts: np.ndarray | None = None) -> np.ndarray:
        """Values (T, 152) float32 of a take on choreia-24; `contacts` (T, 4) are found when not given."""
        root, matrices = tensors(motion)
        yaw = heading(matrices[:, 0])
        level = yaw_matrix(-yaw)
        velocity = held((level[:-1] @ root.diff(dim=0)[..., None])[:, [0, 2], 0]) * motion.fps
        rate = held(wrapped(yaw.diff())) * motion.fps
        upright = torch.cat([(level @ matrices[:, 0])[:, None], matrices[:, 1:]], dim=1)
        parts = [root[:, 1:2], velocity, rate[:, None], matrix_to_sixd(upright).flatten(1), contact_labels(motion, contacts)]
        return torch.cat(parts, dim=1).numpy().astype(np.float32)

    @staticmethod
    def start(motion: Motion) -> tuple[float, float, float]:
        """Where the take begins, as `decode` wants it: x and z in metres, yaw in radians."""
        root, matrices = tensors(motion.slice(0, 1))
        return float(root[0, 0]), float(root[0, 2]), float(heading(matrices[0, 0]))

    @staticmethod
    def decode(values: np.ndarray, fps: float, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Motion:
        """The take of values (T, 152) that begins at `start` = (x m, z m, yaw rad): the origin, facing +Z, unless told otherwise."""
        table, pieces = rows(values, Heading152.dim), []
        for first in range(0, len(table), _PIECE):
            piece = table[first : first + _PIECE + 1]
            root, matrices, _ = Heading152.to_local(piece, fps, start)
            pieces.append(take(root[:_PIECE], matrices[:_PIECE], fps))
            start = (float(root[-1, 0]), float(root[-1, 2]), start[2] + float(piece[:_PIECE, 3].sum()) / fps)
        root_m, turns = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("root", "rotations"))
        return Motion(pieces[0].skeleton, root_m, turns, float(fps))

    @staticmethod
    def decode_stream(parts: Iterable[np.ndarray], fps: float) -> Iterator[Motion]:
        """What `decode` gives for all `parts` (n, 152) together, a take for each."""
        start = (0.0, 0.0, 0.0)
        for part in parts:
            root, matrices, _ = Heading152.to_local(rows(np.concatenate([part, part[-1:]]), Heading152.dim), fps, start)
            yield take(root[:-1], matrices[:-1], fps)
            start = (float(root[-1, 0]), float(root[-1, 2]), start[2] + float(part[:, 3].sum()) / fps)

    @staticmethod
    def to_local(values: Tensor, fps: float = 30.0, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> tuple[Tensor, Tensor, Tensor]:
        """Differentiable decoding for losses on forward kinematics.

        Args:
            values: (..., T, 152), not normalised.
            fps: frames a second.
            start: x m, z m and yaw rad of the first frame.
        Returns:
            root (..., T, 3) m, local rotations (..., T, 24, 3, 3), contacts (..., T, 4) as they are.
        """
        x, z, first = start
        turn = yaw_matrix(first + running_sum(values[..., 3] / fps, -1))
        step = torch.stack([values[..., 1], torch.zeros_like(values[..., 1]), values[..., 2]], dim=-1) / fps
        path = running_sum((turn @ step.unsqueeze(-1)).squeeze(-1), -2)
        root = torch.stack([path[..., 0] + x, values[..., 0], path[..., 2] + z], dim=-1)
        matrices = sixd_to_matrix(values[..., _REST].unflatten(-1, (24, 6)))
        upright = (turn @ matrices[..., 0, :, :]).unsqueeze(-3)
        return root, torch.cat([upright, matrices[..., 1:, :, :]], dim=-3), values[..., _CONTACTS]
