"""Optimisers and the course of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Adan(torch.optim.Optimizer):
    """Adaptive Nesterov momentum (Xie et al. 2022, algorithm 1), without restarts; betas as 1 − the paper's."""

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
                 eps: float = 1e-8, weight_decay: float = 0.0) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _adan_update(parameter, parameter.grad, self.state[parameter], group)


def _adan_update(parameter: Tensor, gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    if not state:
        state.update({name: torch.zeros_like(parameter) for name in ("m", "v", "n")}, step=torch.zeros(()), last=gradient.clone())
    b1, b2, b3 = group["betas"]
    state["step"] += 1
    step, change = state["step"].item(), gradient - state["last"]
    state["m"].lerp_(gradient, 1 - b1)
    state["v"].lerp_(change, 1 - b2)
    state["n"].lerp_((gradient + b2 * change).square(), 1 - b3)
    state["last"].copy_(gradient)
    size = (state["n"] / (1 - b3**step)).sqrt() + group["eps"]
    move = (state["m"] / (1 - b1**step) + b2 * state["v"] / (1 - b2**step)) / size
    parameter.sub_(group["lr"] * move).div_(1 + group["lr"] * group["weight_decay"])


OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": lambda params, lr, weight_decay: torch.optim.AdamW(params, lr, betas=(0.9, 0.99), weight_decay=weight_decay),
    "adam": lambda params, lr, weight_decay: torch.optim.Adam(params, lr, weight_decay=weight_decay),
    "adan": lambda params, lr, weight_decay: Adan(params, lr, weight_decay=weight_decay),
}
"""Optimisers by name: (parameters, lr, weight_decay)."""


def warm_cosine(progress: float, step: int, warmup: int, floor: float = 0.02) -> float:
    """Share of the learning rate: linear over `warmup` steps, then half a cosine down to `floor` as `progress` goes from 0 to 1."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    return rise * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
