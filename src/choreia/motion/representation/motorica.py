"""61 numbers a frame, as LDA and LRCM model the Motorica dance data: 19 joints as rotation vectors, and where the root goes.

S. Alexanderson et al., "Listen, Denoise, Action!", SIGGRAPH 2023. Motorica's joints and ours, in the order of the columns:
Hips pelvis, Spine spine1, Spine1 spine2·spine3, Neck neck, Head head, then for each side (right first) Shoulder collar, Arm shoulder,
ForeArm elbow, Hand wrist, and again for each side UpLeg hip, Leg knee, Foot ankle. Toes and hands have no column.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from choreia.motion.representation.heading import heading
from choreia.motion.representation.layout import (
    SKELETON,
    held,
    named_slices,
    rows,
    running_sum,
    take,
    tensors,
    wrapped,
    yaw_matrix,
)
from choreia.motion.rotations import expmap_to_quaternion, matrix_to_quaternion, quaternion_to_expmap, quaternion_to_matrix
from choreia.types import Motion

JOINTS: tuple[str, ...] = (
    *("pelvis", "spine1", "spine3", "neck", "head"),
    *(f"{side}_{part}" for side in ("right", "left") for part in ("collar", "shoulder", "elbow", "wrist")),
    *(f"{side}_{part}" for side in ("right", "left") for part in ("hip", "knee", "ankle")),
)
"""The 19 joints of choreia-24 in the order of Motorica's columns; `spine3` stands for spine2 and spine3 together."""

_COLUMNS = [SKELETON.index(name) for name in JOINTS]
_CHEST = JOINTS.index("spine3")
_MIDDLE, _UPPER = SKELETON.index("spine2"), SKELETON.index("spine3")


class Expmap61:
    """Rotation vectors of 19 joints and the steps of the root.

    Columns: `rotations` 19 rotation vectors in radians, the pelvis's with the heading removed; `height` m; `velocity` along the heading
    frame's +X and +Z, m a frame; `yaw_step` rad a frame, both to the next frame.

    Values decode to a take and encode again to the same values. A take comes back exactly where its toes and hands are straight and
    spine2 turns as spine3 does; the chest and all above it keep their orientation in any case.
    """

    dim: ClassVar[int] = 61
    slices: ClassVar[dict[str, slice]] = named_slices(rotations=57, height=1, velocity=2, yaw_step=1)

    @staticmethod
    def encode(motion: Motion) -> np.ndarray:
        """Values (T, 61) float32 of a take on choreia-24."""
        root, matrices = tensors(motion)
        yaw = heading(matrices[:, 0])
        level = yaw_matrix(-yaw)
        chosen = matrices[:, _COLUMNS].clone()
        chosen[:, 0] = level @ matrices[:, 0]
        chosen[:, _CHEST] = matrices[:, _MIDDLE] @ matrices[:, _UPPER]
        vectors = quaternion_to_expmap(matrix_to_quaternion(chosen)).flatten(1)
        velocity = held((level[:-1] @ root.diff(dim=0)[..., None])[:, [0, 2], 0])
        step = held(wrapped(yaw.diff()))[:, None]
        return torch.cat([vectors, root[:, 1:2], velocity, step], dim=1).numpy().astype(np.float32)

    @staticmethod
    def decode(values: np.ndarray, fps: float = 30.0, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Motion:
        """The take of values (T, 61) that begins at `start` = (x m, z m, yaw rad): the origin, facing +Z, unless told otherwise."""
        data = rows(values, Expmap61.dim)
        vectors = data[:, :57].unflatten(1, (19, 3))
        turn = yaw_matrix(start[2] + running_sum(data[:, 60], 0))
        step = torch.stack([data[:, 58], torch.zeros(len(data), dtype=data.dtype), data[:, 59]], dim=-1)
        path = running_sum((turn @ step[..., None])[..., 0], 0)
        root = torch.stack([path[:, 0] + start[0], data[:, 57], path[:, 2] + start[1]], dim=-1)
        matrices = torch.eye(3, dtype=data.dtype).expand(len(data), 24, 3, 3).clone()
        matrices[:, _COLUMNS] = quaternion_to_matrix(expmap_to_quaternion(vectors))
        matrices[:, 0] = turn @ matrices[:, 0]
        matrices[:, [_MIDDLE, _UPPER]] = quaternion_to_matrix(expmap_to_quaternion(vectors[:, _CHEST] / 2))[:, None]
        return take(root, matrices, fps)
