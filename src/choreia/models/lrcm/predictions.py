"""What the network may predict: the target it is trained on, and the clean rows that a prediction means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from choreia.diffusion.prediction import eps_to_x0, v_to_x0, x0_eps_to_v
from choreia.diffusion.schedule import Schedule, cosine, linear
from choreia.models.lrcm.config import Diffusion


@dataclass(frozen=True)
class Prediction:
    """`target(x0, noise, t, schedule)` and `clean(x, predicted, t, schedule)`, rows (B, N, D), t (B,)."""

    target: Callable[[Tensor, Tensor, Tensor, Schedule], Tensor]
    clean: Callable[[Tensor, Tensor, Tensor, Schedule], Tensor]


PREDICTIONS: dict[str, Prediction] = {
    "x0": Prediction(lambda x0, noise, t, schedule: x0, lambda x, predicted, t, schedule: predicted),
    "eps": Prediction(lambda x0, noise, t, schedule: noise, eps_to_x0),
    "v": Prediction(x0_eps_to_v, v_to_x0),
}
"""Predictions by name."""


def schedule_of(config: Diffusion) -> Schedule:
    """The linear schedule of the paper where betas are given, the cosine where not."""
    return cosine() if config.betas is None else linear(config.train_times, *config.betas)
