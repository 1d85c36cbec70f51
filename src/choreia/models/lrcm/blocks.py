"""The residual block of LRCM (Eq. 13-16), the text feature C_t, and the Motion Temporal Mamba Module (Eq. 19-24)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.lrcm.condition import Given
from choreia.models.lrcm.config import DenoiserConfig
from choreia.nn.conformer import Conformer, CrossConformer, gated
from choreia.nn.mamba import BidirectionalMamba
from choreia.nn.positions import sinusoid


class Words(nn.Module):
    """C_t (B, N, words): global and local text, each through a bottleneck, side by side, projected."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.style = nn.Linear(config.style + 1, config.bottleneck)
        self.moves = nn.Linear(config.moves + 1, config.bottleneck)
        self.join = nn.Linear(2 * config.bottleneck, config.words)

    def forward(self, given: Given) -> Tensor:
        """One row a token; the global text is in all of them."""
        style = F.silu(self.style(flagged(given.style, given.has_style)))[:, None]
        moves = F.silu(self.moves(flagged(given.moves, given.has_moves)))
        return self.join(torch.cat([style.expand_as(moves), moves], dim=-1))


def flagged(values: Tensor, there: Tensor) -> Tensor:
    """Values (..., W), zeros where the flag (...) is 0, with the flag as a last column: (..., W + 1)."""
    there = there[..., None].to(values.dtype)
    return torch.cat([torch.where(there > 0, values, 0.0), there], dim=-1)


class Block(nn.Module):
    """Audio-latent Conformers, text-latent cross-Conformers, gated tanh unit: to the next latents and what goes to the skip sum."""

    def __init__(self, config: DenoiserConfig, dilation: int) -> None:
        super().__init__()
        width, sizes = config.width, (config.heads, config.inner, dilation, config.dropout)
        self.step = nn.Linear(config.clock, width)
        self.music = nn.Linear(config.music + 1, width)
        self.hear = nn.ModuleList(Conformer(width, *sizes) for _ in range(config.layers))
        self.read = nn.ModuleList(CrossConformer(width, config.words, *sizes) for _ in range(config.layers))
        self.expand = nn.Linear(width, 2 * width)
        self.share = nn.Linear(width, 2 * width)
        for layer in (self.expand, self.share):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor, clock: Tensor, music: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, N, width), clock (B, 1, clock), music (B, N, music + 1), words (B, N, words) to X_n' and h_skip, both like x."""
        h, heard = x + self.step(clock), self.music(music)
        for hear in self.hear:
            h = hear(h, heard)
        for read in self.read:
            h = read(h, words)
        change, skip = self.share(gated(self.expand(h))).chunk(2, dim=-1)
        return (x + change) / math.sqrt(2), skip


class MemoryModule(nn.Module):
    """MTMM: what the tail of the segment before adds to X_n' and h_skip. It starts as nothing, and is nothing where there is no memory."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.past, self.present = ConvolutionMlp(config.dim, width), ConvolutionMlp(width, width)
        self.norm_in, self.norm_out, self.norm_own, self.norm_join = (nn.LayerNorm(width) for _ in range(4))
        self.scan = BidirectionalMamba(width, config.states, config.expand)
        self.share = nn.Linear(width // 2, 2 * width)
        nn.init.zeros_(self.share.weight)
        nn.init.zeros_(self.share.bias)

    def forward(self, x: Tensor, skip: Tensor, memory: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """x and skip (B, N, width), memory (B, T_m, dim), there (B,) to the new x and skip."""
        tokens = torch.cat([self.past(memory), self.present(x)], dim=1)
        places = sinusoid(torch.arange(tokens.shape[1], device=x.device) - memory.shape[1], x.shape[-1])
        heard = self.norm_out(self.scan(self.norm_in(tokens + places)))[:, memory.shape[1] :]
        made = self.share(gated(self.norm_join(x + self.norm_own(heard))))
        change, more = torch.where(there[:, None, None] > 0, made, 0.0).chunk(2, dim=-1)
        return x + change, skip + more


class ConvolutionMlp(nn.Module):
    """A convolution of three taps, GELU, a linear layer: (B, N, inside) to (B, N, width)."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.spread = nn.Conv1d(inside, width, 3, padding=1)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Project."""
        return self.mix(F.gelu(self.spread(x.transpose(1, 2))).transpose(1, 2).contiguous())
