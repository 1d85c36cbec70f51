"""Losses on movement, in metres and seconds, that more than one paper may use. All take (B, T, ...) and return a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def position(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared distance of joints (B, T, J, 3), m²: DanceMeld Eq. 5."""
    return (predicted - target).square().sum(-1).mean()


def velocity(predicted: Tensor, target: Tensor, fps: float) -> Tensor:
    """Mean squared difference of joint velocities, (m/s)²: DanceMeld Eq. 6 on FK positions, per second instead of per frame."""
    return position(difference(predicted, fps), difference(target, fps))


def acceleration(predicted: Tensor, target: Tensor, fps: float) -> Tensor:
    """Mean squared difference of joint accelerations, (m/s²)²: DanceMeld Eq. 7."""
    return velocity(difference(predicted, fps), difference(target, fps), fps)


def contact(predicted_feet: Tensor, in_contact: Tensor, fps: float) -> Tensor:
    """Mean squared speed of feet (B, T, 4, 3) m where `in_contact` (B, T, 4) in [0, 1] says that they stand, (m/s)²: DanceMeld Eq. 8."""
    return (difference(predicted_feet, fps) * in_contact[:, :-1, :, None]).square().sum(-1).mean()


def standing(feet: Tensor, fps: float, slower_than_mps: float = 0.3) -> Tensor:
    """Contact labels (B, T, 4) of feet (B, T, 4, 3): 1 where the foot moves less than `slower_than_mps` to the next frame."""
    speed = difference(feet, fps).norm(dim=-1)
    return (torch.cat([speed, speed[:, -1:]], dim=1) < slower_than_mps).to(feet.dtype)


def alignment(top: Tensor, music: Tensor, has_music: Tensor) -> Tensor:
    """Mean squared distance of top codes and reduced music (B, N, width) where `has_music` (B,) is 1: DanceMeld Eq. 10."""
    return ((top - music).square() * has_music[:, None, None]).sum() / max(1, top.numel())


def difference(values: Tensor, fps: float) -> Tensor:
    """Forward difference over time times `fps`: (B, T, ...) to (B, T - 1, ...)."""
    return (values[:, 1:] - values[:, :-1]) * fps


def pattern(predicted: Tensor, target: Tensor, order: int, floor: float = 1e-4) -> Tensor:
    """How differently two movements (B, T, D) change: derivatives of `order`, each frame's scaled to length 1, squared distance; 0 to 4.

    LRCM Eq. 17 with order 1 (velocity), 2 (acceleration), 3 (jerk). Derivatives shorter than `floor` are not scaled up to 1.
    """
    made, true = (F.normalize(values.diff(n=order, dim=1), dim=-1, eps=floor) for values in (predicted, target))
    return (made - true).square().sum(-1).mean()
