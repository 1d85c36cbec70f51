"""What a network may predict, converted: clean x0, noise eps, or velocity v = alpha·eps − sigma·x0 (Salimans and Ho 2022)."""

from __future__ import annotations

from torch import Tensor

from choreia.diffusion.schedule import Schedule, spread


def x0_to_eps(x: Tensor, x0: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Noise in x (B, N, D) when `x0` is clean."""
    return (x - spread(schedule.alpha(t)) * x0) / spread(schedule.sigma(t)).clamp(min=1e-6)


def eps_to_x0(x: Tensor, eps: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Clean part of x when `eps` is its noise."""
    return (x - spread(schedule.sigma(t)) * eps) / spread(schedule.alpha(t)).clamp(min=1e-6)


def v_to_x0(x: Tensor, v: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Clean part of x when `v` is its velocity."""
    return spread(schedule.alpha(t)) * x - spread(schedule.sigma(t)) * v


def x0_eps_to_v(x0: Tensor, eps: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Velocity of a clean part and its noise."""
    return spread(schedule.alpha(t)) * eps - spread(schedule.sigma(t)) * x0
