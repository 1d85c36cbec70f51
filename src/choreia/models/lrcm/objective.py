"""What LRCM minimises, stage by stage (Eq. 4, 17, 18): a module whose forward takes a batch and returns named losses."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia import losses
from choreia.diffusion.prediction import x0_to_eps
from choreia.models.lrcm.condition import Given, branches, hidden, stack
from choreia.models.lrcm.config import MODALITIES, Config, Odds, Stage
from choreia.models.lrcm.denoiser import build_denoiser
from choreia.models.lrcm.predictions import PREDICTIONS, schedule_of

ORDERS = {"vel": 1, "acc": 2, "jerk": 3}
"""The derivative losses of Eq. 18 and their orders."""

STRONGEST = (4.0, 6.0)
"""Strengths of music and words that a network which guides itself has learnt from, at most."""

VISITED = 0.5
"""Chance that it learns from what its own sampling comes through instead of from noisy data."""


class Objective(nn.Module):
    """The denoiser in training. Call `begin(stage)` before each stage of `config.stages`; it is in the first one when built.

    Batch: x (B, N, dim) clean normalised rows, noise like x, t (B,) in [0, 1], and the fields of `condition.Given` by name. A batch of a
    stage that does not hear the memory may leave `memory` and `has_memory` out. Disturbances are drawn as drop-out is, in training alone.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.denoiser = build_denoiser(config)
        self.prediction, self.schedule = PREDICTIONS[config.diffusion.predicts], schedule_of(config.diffusion)
        self.begin(config.stages[0])

    def begin(self, stage: Stage) -> None:
        """Hear what the stage hears; let only those parameters move that it trains."""
        self.deaf_to = [name for name in MODALITIES if name not in stage.hears]
        self._teacher = [deepcopy(self.denoiser).eval().requires_grad_(False)] if stage.distils else []  # in a list: no part of the state
        for name, parameter in self.denoiser.named_parameters():
            parameter.requires_grad_(name.startswith(stage.trains))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. 18: "diff", "vel", "acc", "jerk" and their weighted sum "loss"; "loss" alone while it distils."""
        x0, noise, t = batch["x"], batch["noise"], batch["t"]
        given = self._heard(batch)
        given = disturbed(given, self.config.odds) if self.training else given
        x = self.schedule.add_noise(x0, noise, t)
        if self._teacher:
            return self._distil(x, t, noise, given)
        predicted = self.denoiser(x, t, given)
        clean = self.prediction.clean(x, predicted, t, self.schedule)
        named = {name: losses.pattern(clean, x0, order) for name, order in ORDERS.items()}
        weighted = sum((getattr(self.config.losses, name) * value for name, value in named.items()), torch.zeros((), device=x0.device))
        diff = F.mse_loss(predicted, self.prediction.target(x0, noise, t, self.schedule))
        return {"loss": diff + weighted, "diff": diff, **named}

    def _distil(self, x: Tensor, t: Tensor, noise: Tensor, given: Given) -> dict[str, Tensor]:
        """Distance to what the network before this stage says, guided by strengths drawn for each sample."""
        strengths = torch.rand(len(x), 2, device=x.device) * torch.tensor(STRONGEST, device=x.device)
        told = replace(given, strengths=strengths)
        x = torch.where((torch.rand(len(x), device=x.device) < VISITED)[:, None, None], self.visited(noise, t, told), x)
        with torch.no_grad():
            free, one, both = self._teacher[0].to(x.device)(x.repeat(3, 1, 1), t.repeat(3), stack(branches(given))).chunk(3)
            gamma, delta = strengths[:, :1, None], strengths[:, 1:, None]
            guided = free + gamma * (one - free) + delta * (both - one)
        return {"loss": F.mse_loss(self.denoiser(x, t, told), guided)}

    @torch.no_grad()
    def visited(self, noise: Tensor, t: Tensor, given: Given) -> Tensor:
        """Where two steps of its own sampling lead from `noise` (B, N, dim), at times t (B,): strong guidance leads away from data."""
        x, now = noise, torch.ones_like(t)
        for then in ((1 + t) / 2, t):
            clean = self.prediction.clean(x, self.denoiser(x, now, given), now, self.schedule)
            x, now = self.schedule.add_noise(clean, x0_to_eps(x, clean, now, self.schedule), then), then
        return x

    def _heard(self, batch: dict[str, Tensor]) -> Given:
        fields = {name: batch[name] for name in ("music", "has_music", "style", "has_style", "moves", "has_moves")}
        deaf = "memory" in self.deaf_to
        memory, there = (None, torch.zeros_like(batch["t"])) if deaf else (batch["memory"], batch["has_memory"])
        return hidden(Given(**fields, memory=memory, has_memory=there), self.deaf_to)


def disturbed(given: Given, odds: Odds) -> Given:
    """`given` with some samples' modalities replaced by noise and some hidden, by torch's random state (see `Odds`)."""
    count, device = len(given.music), given.music.device
    noisy = replace(given, **{name: _or_noise(getattr(given, name), odds.noise) for name in MODALITIES if getattr(given, name) is not None})
    draw = torch.rand(count, device=device)
    everything, words = draw < odds.everything, draw < odds.everything + odds.words
    music = everything | (draw >= odds.everything + odds.words) & (draw < odds.everything + odds.words + odds.music)
    moves, memory = words | (torch.rand(count, device=device) < odds.moves), torch.rand(count, device=device) < odds.memory
    return replace(
        noisy,
        has_music=given.has_music * ~music,
        has_style=given.has_style * ~words,
        has_moves=given.has_moves * ~moves[:, None],
        has_memory=given.has_memory * ~memory,
    )


def _or_noise(values: Tensor, chance: float) -> Tensor:
    """Values (B, ...), a sample with `chance` replaced by noise as large as the batch's values are on average."""
    replaced = torch.rand(len(values), device=values.device) < chance
    size = values.square().mean().sqrt()
    return torch.where(replaced.view(-1, *[1] * (values.dim() - 1)), size * torch.randn_like(values), values)
