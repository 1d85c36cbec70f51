"""Classifier-free guidance (Ho and Salimans 2022), with one strength or with one for each of two conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from choreia.diffusion import Denoiser

Condition = TypeVar("Condition")


def guided(denoise: Denoiser, scale: float) -> Denoiser:
    """x0 = free + scale·(conditioned − free), both in one forward of twice the batch. The free condition is all zeros."""
    if scale == 1.0:
        return denoise

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        both = denoise(torch.cat([x, x]), torch.cat([t, t]), torch.cat([condition, torch.zeros_like(condition)]))
        conditioned, free = both.chunk(2)
        return torch.lerp(free, conditioned, scale)

    return wrapped


def guided_apart(denoise: Callable[[Tensor, Tensor, Condition], Tensor], branches: tuple[Condition, Condition, Condition],
                 stack: Callable[[Sequence[Condition]], Condition], first: float, second: float) -> Denoiser:  # fmt: skip
    """Two conditions with a strength each: x0 = free + first·(one − free) + second·(both − one), in one forward.

    Args:
        denoise: takes conditions of any kind.
        branches: what `free`, `one` (the first condition alone) and `both` are given, each for a whole batch.
        stack: joins conditions along the batch.
        first, second: strengths; both 1 is `both`, both 0 is `free`. A branch that does not count is not computed.

    Returns:
        A denoiser of batches of that size, whose own condition argument is not used.
    """
    counted = [(weight, branch) for weight, branch in zip((1 - first, first - second, second), branches, strict=True) if weight]
    weights, stacked, count = [weight for weight, _ in counted], stack([branch for _, branch in counted]), len(counted)

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        parts = denoise(x.repeat(count, 1, 1), t.repeat(count), stacked).chunk(count)
        return torch.stack([weight * part for weight, part in zip(weights, parts, strict=True)]).sum(0)

    return wrapped
