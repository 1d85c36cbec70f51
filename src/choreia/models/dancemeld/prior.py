"""The diffusion prior of DanceMeld (3.4): a Transformer that predicts the clean latents h from noisy ones, the music and a style."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.diffusion import Denoiser
from choreia.diffusion.samplers import Progress, ddim
from choreia.diffusion.schedule import SCHEDULES, Schedule
from choreia.models.dancemeld.condition import MUSIC_WIDTH
from choreia.models.dancemeld.config import PriorConfig, TokenizerConfig
from choreia.nn.attention import SteeredBlock, normed
from choreia.nn.positions import sinusoid

Wrap = Callable[[Denoiser], Denoiser]


class Denoise(nn.Module):
    """G(h^(t), t, h_m) of Eq. 13. The condition (music, style, more) is added to the tokens; time steers the norms."""

    def __init__(self, latent: int, condition: int, config: PriorConfig) -> None:
        super().__init__()
        self.width = config.width
        self.enter = nn.Linear(latent, config.width)
        self.hear = Hear(MUSIC_WIDTH, config.width)
        self.given = nn.Linear(condition - MUSIC_WIDTH, config.width)
        self.clock = nn.Sequential(nn.Linear(config.width, config.width), nn.SiLU(), nn.Linear(config.width, config.width))
        self.blocks = nn.ModuleList(SteeredBlock(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.leave = nn.Linear(config.width, latent)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Noisy x (B, N, latent), t (B,), condition (B, N, C) to clean x."""
        heard = self.hear(condition[..., :MUSIC_WIDTH]) + self.given(condition[..., MUSIC_WIDTH:])
        steering = self.clock(sinusoid(t * 1000, self.width))[:, None]
        tokens = self.enter(x) + heard
        for block in self.blocks:
            tokens = block(tokens, steering)
        return self.leave(normed(tokens)).float()


class Hear(nn.Module):
    """The small music encoder: two convolutions over tokens, so that each knows its neighbours (B, N, inside) -> (B, N, width)."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(inside, width, 3, padding=1), nn.GELU(), nn.Conv1d(width, width, 3, padding=1))

    def forward(self, music: Tensor) -> Tensor:
        """Encode folded music."""
        return self.layers(music.transpose(1, 2)).transpose(1, 2)


class JointPrior(nn.Module):
    """p(h'_b, h_t | h_m) by one diffusion over h = Concat(h'_b, up(h_t)), standardised."""

    def __init__(self, tokenizer: TokenizerConfig, styles: int, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule: Schedule = SCHEDULES[config.schedule]()
        self.latent, self.bottom = tokenizer.latent_width, tokenizer.bottom_width
        self._build(MUSIC_WIDTH + styles)

    def _build(self, condition: int) -> None:
        self.denoise = Denoise(self.latent, condition, self.config)

    def losses(self, batch: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Eq. 13 for h and noise (B, N, latent) at times t (B,), and the same on differences between neighbouring tokens."""
        return _losses(self.denoise, self.schedule, batch["h"], batch["t"], batch["noise"], condition)

    def sample(self, noise: Tensor, condition: Tensor, wrap: Wrap, steps: int, progress: Progress | None = None) -> Tensor:
        """Standardised latents from noise (1, N, latent); `wrap` adds guidance and constraints to the network."""
        return ddim(wrap(self.denoise), noise, condition, self.schedule, steps, progress=progress)


class CascadePrior(JointPrior):
    """Ablation "Prior-B+T": p(h_t | h_m), then p(h'_b | h_t, h_m)."""

    def _build(self, condition: int) -> None:
        top = self.latent - self.bottom
        self.denoise_top = Denoise(top, condition, self.config)
        self.denoise_bottom = Denoise(self.bottom, condition + top, self.config)

    def losses(self, batch: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Both networks' losses, the second one given the true top latents."""
        t, widths = batch["t"], [self.bottom, self.latent - self.bottom]
        bottom, top = batch["h"].split(widths, dim=-1)
        noise_b, noise_t = batch["noise"].split(widths, dim=-1)
        first = _losses(self.denoise_top, self.schedule, top, t, noise_t, condition)
        second = _losses(self.denoise_bottom, self.schedule, bottom, t, noise_b, torch.cat([condition, top], dim=-1))
        return {name: first[name] + second[name] for name in first}

    def sample(self, noise: Tensor, condition: Tensor, wrap: Wrap, steps: int, progress: Progress | None = None) -> Tensor:
        """Top first, then bottom. Constraints must be over the width of each, so only guidance and windows are meant here."""
        noise_b, noise_t = noise.split([self.bottom, self.latent - self.bottom], dim=-1)
        top = ddim(wrap(self.denoise_top), noise_t, condition, self.schedule, steps)
        bottom = ddim(wrap(self.denoise_bottom), noise_b, torch.cat([condition, top], dim=-1), self.schedule, steps, progress=progress)
        return torch.cat([bottom, top], dim=-1)


def _losses(denoise: nn.Module, schedule: Schedule, h: Tensor, t: Tensor, noise: Tensor, condition: Tensor) -> dict[str, Tensor]:
    predicted = denoise(schedule.add_noise(h, noise, t), t, condition)
    return {"x0": F.mse_loss(predicted, h), "velocity": F.mse_loss(predicted.diff(dim=1), h.diff(dim=1))}
