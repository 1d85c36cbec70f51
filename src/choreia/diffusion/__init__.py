"""Schedules, predictions, samplers, guidance and constraints as plain functions.

A denoiser is a function (x (B, N, D), t (B,) in [0, 1], condition (B, N, C)) -> clean x (B, N, D). Guidance and constraints take one
and return one; a sampler takes one and returns a sample.
"""

from collections.abc import Callable

from torch import Tensor

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
