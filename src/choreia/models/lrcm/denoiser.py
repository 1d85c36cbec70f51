"""The denoiser of LRCM: noisy rows, diffusion time and what is given, to what it predicts; and its way into samplers, guided."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.diffusion import Denoiser as PlainDenoiser
from choreia.diffusion.guidance import guided_apart
from choreia.models.lrcm.blocks import Block, MemoryModule, Words, flagged
from choreia.models.lrcm.condition import Given, branches, hidden, stack
from choreia.models.lrcm.config import MODALITIES, Config, DenoiserConfig
from choreia.models.lrcm.predictions import PREDICTIONS, schedule_of
from choreia.nn.positions import sinusoid

Remember = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

TIME_COLUMNS = 128
"""Of the first embedding of diffusion time, as in DiffWave."""


class Denoiser(nn.Module):
    """ê(x; c_a, c_t; n): a stack of residual blocks whose skips are summed; `memories` False leaves the memory modules out, `strengths`
    True lets it be told how strongly to follow music and words."""

    def __init__(self, config: DenoiserConfig, memories: bool = True, strengths: bool = False) -> None:
        super().__init__()
        self.enter = nn.Linear(config.dim, config.width)
        self.clock = nn.Sequential(nn.Linear(TIME_COLUMNS, config.clock), nn.SiLU(), nn.Linear(config.clock, config.clock), nn.SiLU())
        self.strengths = Strengths(config.clock) if strengths else None
        self.words = Words(config)
        self.blocks = nn.ModuleList(Block(config, config.dilations[k % len(config.dilations)]) for k in range(config.blocks))
        self.memories = nn.ModuleList(MemoryModule(config) for _ in range(config.blocks if memories else 0))
        self.merge = nn.Linear(config.width, config.width)
        self.leave = nn.Linear(config.width, config.dim)
        for layer in (self.enter, self.merge):
            nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, t: Tensor, given: Given) -> Tensor:
        """Noisy x (B, N, dim), t (B,) in [0, 1] to the prediction (B, N, dim) float32."""
        clock = self.clock(sinusoid(t * 1000, TIME_COLUMNS))[:, None]
        if self.strengths is not None and given.strengths is not None:
            clock = clock + self.strengths(given.strengths)[:, None]
        music = flagged(given.music, given.has_music[:, None].expand(given.music.shape[:2]))
        words = self.words(given)
        h, total = F.relu(self.enter(x)), torch.zeros((), device=x.device)
        for block, remember in zip(self.blocks, self._memory_steps(given), strict=True):
            h, skip = remember(*block(h, clock, music, words))
            total = total + skip
        return self.leave(F.relu(self.merge(total / math.sqrt(len(self.blocks))))).float()

    def _memory_steps(self, given: Given) -> list[Remember]:
        """What follows each block: its memory module bound to the memory, or nothing where there is none."""
        if given.memory is None or not len(self.memories):
            return [_as_it_is] * len(self.blocks)
        return [partial(module, memory=given.memory, there=given.has_memory) for module in self.memories]


class Strengths(nn.Module):
    """How strongly music and words are followed, (B, 2), as something to add to the embedding of time, (B, clock); at first nothing."""

    def __init__(self, clock: int) -> None:
        super().__init__()
        self.spread, self.join = nn.Linear(2, clock), nn.Linear(clock, clock)
        nn.init.zeros_(self.join.weight)
        nn.init.zeros_(self.join.bias)

    def forward(self, strengths: Tensor) -> Tensor:
        """Embed."""
        return self.join(F.silu(self.spread(strengths)))


def _as_it_is(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return x, skip


def build_denoiser(config: Config) -> Denoiser:
    """The network of a variant; without memory modules when no stage hears the memory."""
    return Denoiser(config.denoiser, memories="memory" in config.hears, strengths=config.guides_itself)


def bound(network: Denoiser, config: Config, given: Given, gamma: float, delta: float) -> PlainDenoiser:
    """A denoiser to clean rows, as samplers and constraints want it, of what is `given` to B segments.

    Music counts `gamma`, words count `delta` (Eq. 5, with words after music: p(c_a | x)^γ p(c_t | x, c_a)^δ); 1 and 1 is as conditioned,
    0 and 0 is free, all in one forward: of three branches, or of one where the network guides itself. What the variant never heard is
    hidden. The condition that a sampler passes is not used.
    """
    known = hidden(given, [name for name in MODALITIES if name not in config.hears])
    clean, schedule = PREDICTIONS[config.diffusion.predicts].clean, schedule_of(config.diffusion)

    def denoise(x: Tensor, t: Tensor, condition: Given) -> Tensor:
        return clean(x, network(x, t, condition), t, schedule)

    if config.guides_itself:
        known = known if gamma or delta else hidden(known, ("music", "style", "moves"))
        told = replace(known, strengths=torch.tensor([[gamma, delta]], dtype=torch.float32).expand(len(known.music), 2))
        return lambda x, t, condition: denoise(x, t, told)
    return guided_apart(denoise, branches(known), stack, gamma, delta)
