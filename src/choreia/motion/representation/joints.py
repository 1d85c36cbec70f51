"""Views of a take as joint positions: the 22 joints of HumanML3D, and the 17 of Human3.6M that image-based estimators give.

A view holds no rotations; its inverse gives back the positions.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from choreia.motion.kinematics import forward
from choreia.motion.representation.layout import SKELETON, named_slices, rows, tensors
from choreia.types import Motion

H36M_JOINTS: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("hip", "pelvis", (0, 0, 0)),
    ("right_hip", "right_hip", (0, 0, 0)),
    ("right_knee", "right_knee", (0, 0, 0)),
    ("right_ankle", "right_ankle", (0, 0, 0)),
    ("left_hip", "left_hip", (0, 0, 0)),
    ("left_knee", "left_knee", (0, 0, 0)),
    ("left_ankle", "left_ankle", (0, 0, 0)),
    ("spine", "spine2", (0, 0, 0)),
    ("thorax", "neck", (0, 0, 0)),
    ("nose", "head", (0, 0.045, 0.095)),
    ("head_top", "head", (0, 0.175, 0)),
    ("left_shoulder", "left_shoulder", (0, 0, 0)),
    ("left_elbow", "left_elbow", (0, 0, 0)),
    ("left_wrist", "left_wrist", (0, 0, 0)),
    ("right_shoulder", "right_shoulder", (0, 0, 0)),
    ("right_elbow", "right_elbow", (0, 0, 0)),
    ("right_wrist", "right_wrist", (0, 0, 0)),
)
"""Human3.6M's joints in the order of VideoPose3D and MotionBERT: name, joint of choreia-24, offset in metres in that joint's frame."""


class Joints22:
    """Columns: `positions`, the world positions in metres of the first 22 joints of choreia-24 (all but the hands)."""

    dim: ClassVar[int] = 66
    slices: ClassVar[dict[str, slice]] = named_slices(positions=66)

    @staticmethod
    def encode(motion: Motion) -> np.ndarray:
        """Values (T, 66) float32 of a take on choreia-24."""
        place, _ = forward(SKELETON, *tensors(motion))
        return place[:, :22].flatten(1).numpy().astype(np.float32)

    @staticmethod
    def positions(values: np.ndarray) -> np.ndarray:
        """World positions (T, 22, 3) in metres of values (T, 66)."""
        return rows(values, Joints22.dim).unflatten(1, (22, 3)).numpy().astype(np.float32)


class H36m17:
    """Columns: `positions`, the world positions in metres of Human3.6M's 17 joints (`H36M_JOINTS`)."""

    dim: ClassVar[int] = 51
    slices: ClassVar[dict[str, slice]] = named_slices(positions=51)

    @staticmethod
    def encode(motion: Motion) -> np.ndarray:
        """Values (T, 51) float32 of a take on choreia-24."""
        place, world = forward(SKELETON, *tensors(motion))
        chosen = [SKELETON.index(joint) for _, joint, _ in H36M_JOINTS]
        offsets = torch.tensor([offset for _, _, offset in H36M_JOINTS], dtype=place.dtype)
        moved = place[:, chosen] + (world[:, chosen] @ offsets[..., None])[..., 0]
        return moved.flatten(1).numpy().astype(np.float32)

    @staticmethod
    def positions(values: np.ndarray) -> np.ndarray:
        """World positions (T, 17, 3) in metres of values (T, 51)."""
        return rows(values, H36m17.dim).unflatten(1, (17, 3)).numpy().astype(np.float32)
