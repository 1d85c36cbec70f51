"""What the representations share: named slices, the check of the skeleton, tensors in and takes out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from choreia.errors import ChoreiaError
from choreia.motion.rotations import matrix_to_quaternion, quaternion_to_matrix
from choreia.motion.skeleton import choreia24
from choreia.types import Motion

SKELETON = choreia24()


def named_slices(**widths: int) -> dict[str, slice]:
    """Consecutive slices of the given widths, by name."""
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


def tensors(motion: Motion) -> tuple[Tensor, Tensor]:
    """Root (T, 3) and local rotation matrices (T, 24, 3, 3) in float64; ChoreiaError when the take is not on choreia-24."""
    body = motion.skeleton
    if body.names != SKELETON.names or not np.allclose(body.offsets, SKELETON.offsets, atol=1e-3):
        raise ChoreiaError("the take is not on choreia-24: retarget it first (motion.retarget.to_choreia24)")
    rotations = torch.from_numpy(np.asarray(motion.rotations, np.float64))
    return torch.from_numpy(np.asarray(motion.root, np.float64)), quaternion_to_matrix(rotations)


def rows(values: np.ndarray, dim: int) -> Tensor:
    """Values (T, dim) as a float64 tensor; ChoreiaError for another shape."""
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ChoreiaError(f"expected values of shape (frames, {dim}), got {array.shape}")
    return torch.from_numpy(array)


def take(root: Tensor, matrices: Tensor, fps: float) -> Motion:
    """The take on choreia-24 with root (T, 3) and local rotations (T, 24, 3, 3)."""
    rotations = matrix_to_quaternion(matrices)
    return Motion(SKELETON, root.numpy().astype(np.float32), rotations.numpy().astype(np.float32), float(fps))


def contact_labels(motion: Motion, contacts: np.ndarray | None) -> Tensor:
    """Given contacts (T, 4), or those that `motion.cleanup.foot_contacts` finds, as float64."""
    if contacts is None:
        from choreia.motion.cleanup import foot_contacts

        contacts = foot_contacts(motion)
    return torch.from_numpy(np.asarray(contacts, np.float64))


def held(steps: Tensor) -> Tensor:
    """Steps (T - 1, ...) from frame to frame as T rows: the last row repeats the one before, and a single row stands still."""
    return torch.cat([steps, steps[-1:] if len(steps) else steps.new_zeros(1, *steps.shape[1:])])


def running_sum(steps: Tensor, dim: int) -> Tensor:
    """Sum of `held` steps from 0 on: the last step leads beyond the end and is left out."""
    total = steps.cumsum(dim)
    return torch.cat([torch.zeros_like(total.narrow(dim, 0, 1)), total.narrow(dim, 0, total.shape[dim] - 1)], dim=dim)


def yaw_matrix(angle: Tensor) -> Tensor:
    """Turns (..., 3, 3) about +Y by `angle` (...) radians; positive turns +Z towards +X."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, zero, s, zero, one, zero, -s, zero, c], dim=-1).unflatten(-1, (3, 3))


def wrapped(angle: Tensor) -> Tensor:
    """Angles brought into [-pi, pi]."""
    return torch.atan2(angle.sin(), angle.cos())
