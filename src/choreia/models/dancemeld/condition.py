"""What the prior hears: music folded to tokens, a flag that there is music, a style. All zeros means "nothing given"."""

from __future__ import annotations

import torch
from torch import Tensor

from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES

MUSIC_WIDTH = MUSIC_COLUMNS * TOKEN_FRAMES + 1
"""Columns of a token's music: its frames side by side, then the flag."""


def fold_music(features: Tensor) -> Tensor:
    """Music at frame rate (..., T, 24) to tokens (..., T / 4, 96): four frames side by side."""
    return features.unflatten(-2, (-1, TOKEN_FRAMES)).flatten(-2)


def one_hot_style(style: Tensor, styles: int) -> Tensor:
    """Style numbers (B,), -1 for none, to (B, styles)."""
    return (style[:, None] == torch.arange(styles, device=style.device)).float()


def condition(music: Tensor, style: Tensor) -> Tensor:
    """Folded music (B, N, 96), flagged as present, and styles (B, S) to the condition of the denoiser (B, N, 97 + S)."""
    flag = torch.ones_like(music[..., :1])
    return torch.cat([music, flag, style[:, None].expand(-1, music.shape[1], -1)], dim=-1)
