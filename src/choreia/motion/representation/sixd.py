"""Root position and 24 rotations in 6D: DanceMeld's `smpl6d147` and, with foot contacts in front, EDGE's `edge151`.

Y is up and contacts stand in the order of `skeleton.FEET`; EDGE itself has Z up and lists both ankles before both toes.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from choreia.motion.representation.layout import contact_labels, named_slices, rows, take, tensors
from choreia.motion.rotations import matrix_to_sixd, sixd_to_matrix
from choreia.types import Motion


class Smpl6d147:
    """Columns: `root` position m; `rotations` 24 local 6D (SMPL's joint order)."""

    dim: ClassVar[int] = 147
    slices: ClassVar[dict[str, slice]] = named_slices(root=3, rotations=144)

    @staticmethod
    def encode(motion: Motion) -> np.ndarray:
        """Values (T, 147) float32 of a take on choreia-24."""
        root, matrices = tensors(motion)
        return torch.cat([root, matrix_to_sixd(matrices).flatten(1)], dim=1).numpy().astype(np.float32)

    @staticmethod
    def decode(values: np.ndarray, fps: float) -> Motion:
        """The take of values (T, 147)."""
        root, matrices = Smpl6d147.to_local(rows(values, Smpl6d147.dim))
        return take(root, matrices, fps)

    @staticmethod
    def to_local(values: Tensor) -> tuple[Tensor, Tensor]:
        """Differentiable: (..., 147) to root (..., 3) and local rotations (..., 24, 3, 3)."""
        return values[..., :3], sixd_to_matrix(values[..., 3:].unflatten(-1, (24, 6)))


class Edge151:
    """Columns: `contacts` in [0, 1]; `root` position m; `rotations` 24 local 6D."""

    dim: ClassVar[int] = 151
    slices: ClassVar[dict[str, slice]] = named_slices(contacts=4, root=3, rotations=144)

    @staticmethod
    def encode(motion: Motion, contacts: np.ndarray | None = None) -> np.ndarray:
        """Values (T, 151) float32 of a take on choreia-24; `contacts` (T, 4) are found when not given."""
        labels = contact_labels(motion, contacts).numpy().astype(np.float32)
        return np.concatenate([labels, Smpl6d147.encode(motion)], axis=1)

    @staticmethod
    def decode(values: np.ndarray, fps: float) -> Motion:
        """The take of values (T, 151)."""
        root, matrices, _ = Edge151.to_local(rows(values, Edge151.dim))
        return take(root, matrices, fps)

    @staticmethod
    def to_local(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Differentiable: (..., 151) to root (..., 3), local rotations (..., 24, 3, 3) and contacts (..., 4)."""
        return *Smpl6d147.to_local(values[..., 4:]), values[..., :4]
