"""Where a token stands: rotary positions (Su et al. 2021, RoFormer) and sinusoidal embeddings of a scalar (Vaswani et al. 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sinusoid(value: Tensor, width: int, longest: float = 10_000.0) -> Tensor:
    """Embed scalars (B,) as (B, width): cosines then sines at geometrically spaced frequencies."""
    rates = torch.exp(-math.log(longest) * torch.arange(width // 2, device=value.device) / (width // 2))
    angle = value.float()[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


def rotary_angles(length: int, width: int, device: torch.device) -> Tensor:
    """Angles (length, width / 2) by which the pairs of a head of `width` turn at each position."""
    rates = 10_000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    return torch.arange(length, device=device)[:, None] * rates


def rotate_pairs(x: Tensor, angles: Tensor) -> Tensor:
    """Turn the pairs (i, i + width / 2) of x (..., length, width) by `angles` (length, width / 2)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
