"""Self-attention with rotary positions, and a Transformer block whose norms are steered by a vector (adaLN-zero, Peebles and Xie 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.nn.positions import rotary_angles, rotate_pairs


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself; distance is what it sees of position, so any length works."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to the same shape."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        angles = rotary_angles(length, width // self.heads, x.device)
        mixed = F.scaled_dot_product_attention(rotate_pairs(q, angles), rotate_pairs(k, angles), v)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    """Two linear layers with GELU between."""

    def __init__(self, width: int, factor: int = 4) -> None:
        super().__init__()
        self.inner = nn.Linear(width, factor * width)
        self.outer = nn.Linear(factor * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return self.outer(F.gelu(self.inner(x)))


class SteeredBlock(nn.Module):
    """Attention then feed-forward; a steering vector shifts, scales and gates both. Starts as the identity.

    Drop-out silences channels of the two updates for a whole sequence at a time.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads)
        self.feed_forward = FeedForward(width)
        self.steer = nn.Linear(width, 6 * width)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, x: Tensor, steering: Tensor) -> Tensor:
        """x (B, N, width), steering (B, 1 or N, width)."""
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = self.steer(F.silu(steering)).chunk(6, dim=-1)
        kept = self.drop(torch.ones(2, len(x), 1, x.shape[-1], device=x.device))
        x = x + gate_a * kept[0] * self.attention(normed(x) * (1 + scale_a) + shift_a)
        return x + gate_f * kept[1] * self.feed_forward(normed(x) * (1 + scale_f) + shift_f)


def normed(x: Tensor) -> Tensor:
    """Layer norm without weights."""
    return F.layer_norm(x, x.shape[-1:])
