"""Cross-modal scheduling (paper 4.3, Eq. 7) and the denoiser that it steers: coarse movement from the beats, then movement and stage."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.theatre.config import TARGET, Config, Sizes
from choreia.models.theatre.given import Given, unpack
from choreia.nn.attention import SteeredBlock, normed
from choreia.nn.conv import Residual
from choreia.nn.positions import rotary_angles, rotate_pairs, sinusoid


class Scheduling(nn.Module):
    """softmax(Q Kᵀ / √d) V of Eq. 7: music asks, movement and stage answer; heads joined by a linear layer into what steers a slice."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.tell = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(2))
        self.join = nn.Linear(width, width)

    def forward(self, music: Tensor, motion: Tensor, style: Tensor) -> Tensor:
        """Three (B, N, width) to (B, N, width)."""
        told = [tell(part).chunk(2, dim=-1) for tell, part in zip(self.tell, (motion, style), strict=True)]
        angles = rotary_angles(music.shape[1], music.shape[2] // self.heads, music.device)
        k = torch.cat([rotate_pairs(self._by_head(key), angles) for key, _ in told], dim=2)
        v = torch.cat([self._by_head(value) for _, value in told], dim=2)
        mixed = F.scaled_dot_product_attention(rotate_pairs(self._by_head(self.ask(music)), angles), k, v)
        return self.join(mixed.transpose(1, 2).flatten(2))

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Concatenation(nn.Module):
    """What stands in for scheduling without attention: the three of a time slice side by side, through one layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.join = nn.Linear(3 * width, width)

    def forward(self, music: Tensor, motion: Tensor, style: Tensor) -> Tensor:
        """Three (B, N, width) to (B, N, width)."""
        return self.join(torch.cat([music, motion, style], dim=-1))


class ConvolvedBlock(nn.Module):
    """A dilated convolution that the condition is added to, as in the WaveNets of Music2Dance (Zhuang et al. 2020)."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.convolve, self.steer = Residual(width, dilation), nn.Linear(width, width)

    def forward(self, x: Tensor, steering: Tensor) -> Tensor:
        """x and steering (B, N, width) to (B, N, width)."""
        return self.convolve((x + self.steer(steering)).transpose(1, 2)).transpose(1, 2)


def blocks(config: Config, count: int) -> nn.ModuleList:
    """`count` blocks of the kind that the variant has."""
    sizes = config.sizes
    if config.convolves:
        return nn.ModuleList(ConvolvedBlock(sizes.width, 2**k) for k in range(2 * count))
    return nn.ModuleList(SteeredBlock(sizes.width, sizes.heads, sizes.dropout) for _ in range(count))


class Controls(nn.Module):
    """Movement and stage as they are now, or as they are held, and the style to aim at: what scheduling attends to."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.motion = nn.Linear(sizes.motion + 1, sizes.width)
        self.dancer = nn.Linear(sizes.width, sizes.width)
        self.style = nn.Linear(sizes.style + 1, sizes.width)
        self.target = nn.Linear(TARGET + 1, sizes.width)

    def forward(self, motion: Tensor, style: Tensor, given: Given) -> tuple[Tensor, Tensor]:
        """Two (B, N, width)."""
        moved = self.motion(torch.cat([motion, given.has_motion], dim=-1)) + self.dancer(given.dancer)
        shown = self.style(torch.cat([style, given.has_style], dim=-1)) + self.target(torch.cat([given.target, given.has_target], dim=-1))
        return moved, shown


class Denoiser(nn.Module):
    """Noisy rows (B, N, motion + style) to clean ones, twice: movement coarsely, then movement and stage."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.sizes = sizes = config.sizes
        self.clock = nn.Sequential(nn.Linear(sizes.width, sizes.width), nn.SiLU(), nn.Linear(sizes.width, sizes.width))
        self.listen = nn.Linear(sizes.width + 2, sizes.width)
        self.controls = Controls(sizes)
        self.schedule = Scheduling(sizes.width, sizes.heads) if config.attends else Concatenation(sizes.width)
        self.coarse, self.refine = blocks(config, sizes.coarse), blocks(config, sizes.refine)
        self.coarse_motion = nn.Linear(sizes.width, sizes.motion)
        self.inject = nn.Linear(sizes.motion, sizes.width)
        self.emphasis = nn.Parameter(torch.zeros(sizes.width))
        self.leave = nn.Linear(sizes.width, sizes.motion + sizes.style)
        for layer in (self.coarse_motion, self.leave):
            nn.init.zeros_(layer.weight)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """x, t (B,) in [0, 1] and packed conditions (B, N, C) to movement (B, N, motion) and all rows, clean, as float32."""
        given = unpack(condition, self.sizes)
        motion, style = self._held(x, given)
        clock = self.clock(sinusoid(t * 1000, self.sizes.width))[:, None]
        music = self.listen(torch.cat([given.music, given.beat, given.has_music], dim=-1))
        moved, shown = self.controls(motion, style, given)
        steering = clock + music + self.schedule(music, moved, shown)
        h = moved
        for block in self.coarse:
            h = block(h, steering)
        coarse = self.coarse_motion(normed(h))
        h = (h + shown + self.inject(coarse)) * (1 + self.emphasis * given.beat)
        for block in self.refine:
            h = block(h, steering)
        return coarse.float(), self.leave(normed(h)).float()

    def _held(self, x: Tensor, given: Given) -> tuple[Tensor, Tensor]:
        """Movement and stage of noisy rows, clean where they are held."""
        motion, style = x.split([self.sizes.motion, self.sizes.style], dim=-1)
        return torch.lerp(motion, given.motion, given.has_motion), torch.lerp(style, given.style, given.has_style)
