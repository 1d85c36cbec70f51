"""Classifier-free guidance (Ho and Salimans 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from choreia.diffusion import Denoiser


def guided(denoise: Denoiser, scale: float) -> Denoiser:
    """x0 = free + scale·(conditioned − free), both in one forward of twice the batch. The free condition is all zeros."""
    if scale == 1.0:
        return denoise

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        both = denoise(torch.cat([x, x]), torch.cat([t, t]), torch.cat([condition, torch.zeros_like(condition)]))
        conditioned, free = both.chunk(2)
        return torch.lerp(free, conditioned, scale)

    return wrapped
