"""From noise to a sample: functions of a denoiser, a start, a condition and a schedule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from choreia.diffusion import Denoiser
from choreia.diffusion.prediction import x0_to_eps
from choreia.diffusion.schedule import Schedule, sampling_times

Progress = Callable[[float], None]


def ddim(denoise: Denoiser, x: Tensor, condition: Tensor, schedule: Schedule, steps: int, eta: float = 0.0,
         generator: torch.Generator | None = None, progress: Progress | None = None) -> Tensor:  # fmt: skip
    """Song et al. 2021 (DDIM): from noise x (B, N, D) in `steps` steps; `eta` 0 draws no more noise, 1 is ancestral.

    Returns the clean prediction of the last step, so that what a constraint imposed there is returned bit for bit.
    """
    times = sampling_times(steps)
    x0 = x
    for k in range(steps):
        now, then = times[k].expand(len(x)), times[k + 1].expand(len(x))
        x0 = denoise(x, now, condition)
        if k + 1 < steps:
            x = _step(x, x0, now, then, schedule, eta, generator)
        if progress:
            progress((k + 1) / steps)
    return x0


def ddpm(denoise: Denoiser, x: Tensor, condition: Tensor, schedule: Schedule, steps: int,
         generator: torch.Generator | None = None) -> Tensor:  # fmt: skip
    """Ho et al. 2020: ancestral sampling, fresh noise at each of `steps` steps."""
    return ddim(denoise, x, condition, schedule, steps, eta=1.0, generator=generator)


def _step(x: Tensor, x0: Tensor, now: Tensor, then: Tensor, schedule: Schedule, eta: float, generator: torch.Generator | None) -> Tensor:
    alpha, sigma = schedule.alpha(then)[0], schedule.sigma(then)[0]
    eps = x0_to_eps(x, x0, now, schedule)
    if eta == 0:
        return alpha * x0 + sigma * eps
    ratio = schedule.alpha(now)[0] / alpha
    fresh = eta * sigma / schedule.sigma(now)[0] * (1 - ratio.square()).clamp(min=0).sqrt()
    noise = torch.randn(x.shape, generator=generator)
    return alpha * x0 + (sigma.square() - fresh.square()).clamp(min=0).sqrt() * eps + fresh * noise
