"""The hierarchical VQ-VAE of DanceMeld, Eq. 1-3: bottom codes (poses, every 4 frames) and top codes (movements, every 8).

    h_b = E_b(x)            h_t = E_t(h_b)
    e_t = Q(h_t)            h'_b = Concat(D_t(e_t), h_b), brought to code width
    e_b = Q(h'_b)           x^ = D_b(Concat(up(e_t), e_b))
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from choreia.models.dancemeld.config import TokenizerConfig
from choreia.nn.conv import double, halve, stack
from choreia.tokenizers.quantize import Quantized, ResidualQuantizer


@dataclass(frozen=True)
class Latents:
    """Before quantisation: `bottom` h'_b (B, N, bottom_width) and `top` h_t (B, N / 2, top_width)."""

    bottom: Tensor
    top: Tensor


@dataclass(frozen=True)
class Reconstruction:
    """`values` (B, T, dim) and the codes that made them."""

    values: Tensor
    bottom: Quantized
    top: Quantized


class Tokenizer(nn.Module):
    """Normalised values (B, T, dim), T a multiple of 8, to latents and codes and back."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        width, bottom, top = config.width, config.bottom_width, config.top_width
        middle, coarse = config.middle_dilations, config.coarse_dilations
        self.encode_bottom = nn.Sequential(halve(config.dim, width), stack(width, middle), halve(width, width), stack(width, coarse))
        self.lead_in = nn.Conv1d(config.dim, bottom, 8, stride=4, padding=2) if config.shortcut else Silence()
        self._build_top(config)
        self.quantize_top = ResidualQuantizer(top, config.top_sizes)
        self.quantize_bottom = ResidualQuantizer(bottom, config.bottom_sizes)
        self.decode_bottom = nn.Sequential(
            nn.Conv1d(bottom + top, width, 3, padding=1), stack(width, coarse), double(width, width), stack(width, middle),
            double(width, config.fine_width), stack(config.fine_width, config.fine_dilations),
            nn.Conv1d(config.fine_width, config.dim, 3, padding=1),
        )  # fmt: skip
        self.lead_out = nn.ConvTranspose1d(bottom + top, config.dim, 8, stride=4, padding=2) if config.shortcut else Silence()

    def _build_top(self, config: TokenizerConfig) -> None:
        width, top = config.width, config.top_width
        self.encode_top: nn.Module = nn.Sequential(halve(width, width), stack(width, config.top_dilations), nn.Conv1d(width, top, 1))
        self.decode_top: nn.Module = nn.Sequential(
            nn.Conv1d(top, width, 3, padding=1), stack(width, config.top_dilations), double(width, width)
        )
        self.join = nn.Conv1d(2 * width, config.bottom_width, 1)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Reconstruction:
        """Encode, quantise with the first `keep[b]` bottom levels of sample b (all when None), decode."""
        features = self.encode_bottom(x.transpose(1, 2))
        top = self.quantize_top(_rows(self.encode_top(features)))
        bottom = self.quantize_bottom(_rows(self._lower(x, features, top.values)), keep)
        return Reconstruction(self.decode(bottom.values, top.values), bottom, top)

    def latents(self, x: Tensor) -> Latents:
        """What the prior models: h'_b and h_t of x (B, T, dim)."""
        features = self.encode_bottom(x.transpose(1, 2))
        top = _rows(self.encode_top(features))
        return Latents(_rows(self._lower(x, features, self.quantize_top(top).values)).float(), top.float())

    def codes(self, latents: Latents) -> tuple[Tensor, Tensor]:
        """Bottom codes (B, N, levels) and top codes (B, N / 2, levels) of latents."""
        return self.quantize_bottom(latents.bottom).codes, self.quantize_top(latents.top).codes

    def decode_latents(self, latents: Latents) -> Tensor:
        """Quantise, then decode to values (B, T, dim)."""
        return self.decode(self.quantize_bottom(latents.bottom).values, self.quantize_top(latents.top).values)

    def decode_codes(self, bottom: Tensor, top: Tensor) -> Tensor:
        """Values (B, T, dim) of codes."""
        return self.decode(self.quantize_bottom.lookup(bottom), self.quantize_top.lookup(top))

    def decode(self, bottom: Tensor, top: Tensor) -> Tensor:
        """D_b(Concat(up(e_t), e_b)): values (B, T, dim) of quantised vectors."""
        codes = torch.cat([repeat_pairs(top), bottom], dim=-1).transpose(1, 2)
        return (self.decode_bottom(codes) + self.lead_out(codes)).transpose(1, 2).float()

    def _lower(self, x: Tensor, features: Tensor, top: Tensor) -> Tensor:
        return self.join(self._joined(features, top)) + self.lead_in(x.transpose(1, 2))

    def _joined(self, features: Tensor, top: Tensor) -> Tensor:
        return torch.cat([self.decode_top(top.transpose(1, 2)), features], dim=1)


class SingleTokenizer(Tokenizer):
    """Ablation "Single VQ-VAE": the bottom level alone; top vectors have width 0 everywhere."""

    def _build_top(self, config: TokenizerConfig) -> None:
        self.encode_top, self.decode_top = _Nothing(), nn.Identity()
        self.join = nn.Conv1d(config.width, config.bottom_width, 1)

    def _joined(self, features: Tensor, top: Tensor) -> Tensor:
        return features


class Silence(nn.Module):
    """Stands where a linear path is left out: adds nothing."""

    def forward(self, x: Tensor) -> float:
        """Zero."""
        return 0.0


class _Nothing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :0, ::2]


def build_tokenizer(config: TokenizerConfig) -> Tokenizer:
    """The hierarchical tokenizer, or the single one when there is no top level."""
    return Tokenizer(config) if config.top_width else SingleTokenizer(config)


def repeat_pairs(top: Tensor) -> Tensor:
    """Each top vector twice: (B, N / 2, width) to (B, N, width)."""
    return top.repeat_interleave(2, dim=1)


def _rows(x: Tensor) -> Tensor:
    return x.transpose(1, 2)
