"""Forward kinematics in torch, differentiable, over any leading shape."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from choreia.motion.rotations import quaternion_to_matrix
from choreia.types import Motion, Skeleton

PIECE_FRAMES = 4096
"""Frames whose rotations are held as matrices at once."""


def depths(skeleton: Skeleton) -> list[list[int]]:
    """Joint indices grouped by distance from the root, root first: each level can be computed at once."""
    level: list[int] = []
    for parent in skeleton.parents:
        level.append(0 if parent < 0 else level[parent] + 1)
    return [[j for j, d in enumerate(level) if d == depth] for depth in range(max(level) + 1)]


def forward(skeleton: Skeleton, root: Tensor, matrices: Tensor) -> tuple[Tensor, Tensor]:
    """World positions and world rotations of all joints.

    Args:
        skeleton: J joints.
        root: (..., 3) world position of the root joint, metres.
        matrices: (..., J, 3, 3) local rotations.
    Returns:
        positions (..., J, 3) and rotations (..., J, 3, 3), both in the world.
    """
    offsets = torch.as_tensor(skeleton.offsets, dtype=root.dtype, device=root.device)
    position: list[Tensor] = [root] * len(skeleton.names)
    world: list[Tensor] = [matrices[..., 0, :, :]] * len(skeleton.names)
    for level in depths(skeleton)[1:]:
        above = [skeleton.parents[j] for j in level]
        turn = torch.stack([world[p] for p in above], dim=-3)
        place = torch.stack([position[p] for p in above], dim=-2)
        moved = place + (turn @ offsets[level].unsqueeze(-1)).squeeze(-1)
        turned = turn @ matrices[..., level, :, :]
        for k, j in enumerate(level):
            position[j], world[j] = moved[..., k, :], turned[..., k, :, :]
    return torch.stack(position, dim=-2), torch.stack(world, dim=-3)


def positions(motion: Motion) -> np.ndarray:
    """World joint positions of a take, (T, J, 3) float32 metres; a piece at a time, so that a long take needs little memory beside them."""
    places = np.empty((len(motion), len(motion.skeleton.names), 3), np.float32)
    for start in range(0, len(motion), PIECE_FRAMES):
        piece = motion.slice(start, start + PIECE_FRAMES)
        root = torch.from_numpy(np.asarray(piece.root, np.float64))
        places[start : start + len(piece)] = forward(piece.skeleton, root, matrices(piece))[0]
    return places


def matrices(motion: Motion) -> Tensor:
    """Local rotation matrices of a take, (T, J, 3, 3) float64."""
    return quaternion_to_matrix(torch.from_numpy(np.asarray(motion.rotations, np.float64)))
