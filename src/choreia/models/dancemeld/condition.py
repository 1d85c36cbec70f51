"""What the prior hears: music folded to tokens, a flag that there is music, a style. All zeros means "nothing given"."""

from __future__ import annotations

import torch
from torch import Tensor

from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES

MUSIC_WIDTH = MUSIC_COLUMNS * TOKEN_FRAMES + 1
"""Columns of a token's music: its frames side by side, then the flag."""


def fold_music(features: Tensor) -> Tensor:
    """Music at frame rate (B, T, 24) to tokens (B, T / 4, 97)."""
    folded = features.reshape(features.shape[0], -1, MUSIC_WIDTH - 1)
    return torch.cat([folded, torch.ones_like(folded[..., :1])], dim=-1)


def one_hot_style(style: Tensor, styles: int) -> Tensor:
    """Style numbers (B,), -1 for none, to (B, styles)."""
    return (style[:, None] == torch.arange(styles, device=style.device)).float()


def condition(music: Tensor, style: Tensor) -> Tensor:
    """Tokens of music (B, N, 97) and styles (B, S) to the condition of the denoiser (B, N, 97 + S)."""
    return torch.cat([music, style[:, None].expand(-1, music.shape[1], -1)], dim=-1)
