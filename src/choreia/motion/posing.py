"""A take out of joint positions: the rotations of choreia-24 whose limbs point as the joints say, with no twist of their own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from choreia.errors import ChoreiaError
from choreia.motion.representation.humanml import fit_rotation
from choreia.motion.representation.layout import SKELETON, take
from choreia.types import Motion

JOINTS = 22
"""The hands, which come last, go on in the line of their forearms."""


def posed(places_m: np.ndarray, fps: float) -> Motion:
    """The take whose joints lie in the directions of `places_m` (T, 22, 3), world positions of choreia-24's joints but the hands.

    Limb lengths are our skeleton's. A joint with several limbs takes the rotation that fits them best (Kabsch 1976), one with a single limb
    the shortest turn from its parent's pose. ChoreiaError for another shape or positions that are not finite.
    """
    if places_m.ndim != 3 or places_m.shape[1:] != (JOINTS, 3) or not len(places_m) or not np.isfinite(places_m).all():
        raise ChoreiaError(f"joint positions have shape {places_m.shape}: give (frames, 22, 3) finite metres")
    places, offsets = torch.from_numpy(np.asarray(places_m, np.float64)), torch.from_numpy(np.asarray(SKELETON.offsets, np.float64))
    world: list[Tensor] = []
    for joint, parent in enumerate(SKELETON.parents):
        before = world[parent] if parent >= 0 else torch.eye(3, dtype=torch.float64).expand(len(places), 3, 3)
        limbs = [k for k, above in enumerate(SKELETON.parents[:JOINTS]) if above == joint]
        world.append(_turned(before, offsets[limbs], places[:, limbs] - places[:, joint : joint + 1]) if limbs else before)
    local = [world[k] if parent < 0 else world[parent].mT @ world[k] for k, parent in enumerate(SKELETON.parents)]
    return take(places[:, 0], torch.stack(local, dim=1), fps)


def _turned(before: Tensor, rest: Tensor, seen: Tensor) -> Tensor:
    """Rotations (T, 3, 3) that bring limbs `rest` (K, 3) onto `seen` (T, K, 3): all of them as well as can be, or one with the least turn
    from `before` (T, 3, 3)."""
    if len(rest) > 1:
        lengths = rest.norm(dim=1, keepdim=True)
        return fit_rotation(rest, seen * lengths / seen.norm(dim=2, keepdim=True).clamp(min=1e-9))
    return shortest_turn((before @ rest[0]), seen[:, 0]) @ before


def shortest_turn(start: Tensor, end: Tensor) -> Tensor:
    """Rotations (T, 3, 3) by the shortest way from directions `start` to `end` (T, 3); opposite ones turn about any axis across."""
    a, b = (v / v.norm(dim=1, keepdim=True).clamp(min=1e-9) for v in (start, end))
    # The product of two half turns, about the first direction and about the one half-way, is the turn between them.
    middle = a + b
    across = torch.linalg.cross(a, torch.eye(3, dtype=a.dtype)[a.abs().argmin(dim=1)])
    middle = torch.where(middle.norm(dim=1, keepdim=True) > 1e-6, middle, across)
    return _half_turn(middle / middle.norm(dim=1, keepdim=True)) @ _half_turn(a)


def _half_turn(axis: Tensor) -> Tensor:
    """Rotations by pi about unit axes (T, 3)."""
    return 2 * axis[:, :, None] * axis[:, None, :] - torch.eye(3, dtype=axis.dtype)
