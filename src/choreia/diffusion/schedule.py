"""Noise schedules: x_t = alpha(t)·x0 + sigma(t)·noise with alpha² + sigma² = 1; t = 0 is clean, t = 1 is noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """`alpha` maps times in [0, 1] to the share of signal."""

    alpha: Callable[[Tensor], Tensor]

    def sigma(self, t: Tensor) -> Tensor:
        """Share of noise."""
        return (1 - self.alpha(t).square()).clamp(min=0).sqrt()

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t of x0 and noise (B, N, D) at times t (B,): Eq. 12 of DanceMeld applied t times."""
        return spread(self.alpha(t)) * x0 + spread(self.sigma(t)) * noise


def cosine() -> Schedule:
    """alpha = cos(pi t / 2), continuous (Nichol and Dhariwal 2021 without the offset)."""
    return Schedule(lambda t: torch.cos(t * (math.pi / 2)))


def linear(steps: int = 1000, first: float = 1e-4, last: float = 0.02) -> Schedule:
    """DDPM (Ho et al. 2020): beta linear from `first` to `last` over `steps`; t = k / steps is after k steps, interpolated between."""
    product = torch.cumprod(1 - torch.linspace(first, last, steps, dtype=torch.float64), 0).sqrt()
    table = torch.cat([torch.ones(1, dtype=torch.float64), product]).float()

    def alpha(t: Tensor) -> Tensor:
        place = (t * steps).clamp(0, steps)
        low = place.floor().long().clamp(max=steps - 1)
        nodes = table.to(t.device)
        return torch.lerp(nodes[low], nodes[low + 1], place - low)

    return Schedule(alpha)


SCHEDULES: dict[str, Callable[[], Schedule]] = {"cosine": cosine, "linear": linear}
"""Schedules by name."""


def sampling_times(steps: int) -> Tensor:
    """(steps + 1,) times from 1 to 0, evenly spaced."""
    return torch.linspace(1, 0, steps + 1)


def spread(value: Tensor) -> Tensor:
    """(B,) to (B, 1, 1), () stays."""
    return value.view(-1, 1, 1) if value.dim() else value
