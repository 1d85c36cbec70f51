"""Convolution, then attention: to the sequence itself, or to another one on the same clock (after Gulati et al. 2020, Conformer)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.nn.attention import SelfAttention
from choreia.nn.positions import rotary_angles, rotate_pairs


class ConvolutionPair(nn.Module):
    """Two convolutions of three taps over time with GELU between, (B, N, width) to the same shape through `inner` channels."""

    def __init__(self, width: int, inner: int, dilation: int = 1) -> None:
        super().__init__()
        self.spread = nn.Conv1d(width, inner, 3, padding=dilation, dilation=dilation)
        self.gather = nn.Conv1d(inner, width, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Sees 2 · dilation tokens to either side."""
        return self.gather(F.gelu(self.spread(x.transpose(1, 2)))).transpose(1, 2).contiguous()  # linear layers copy weights otherwise


class CrossAttention(nn.Module):
    """Multi-head attention of x to `given`; both have positions on one clock, from which rotary attention sees how far apart they are."""

    def __init__(self, width: int, given: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.tell = nn.Linear(given, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """x (B, N, width), given (B, M, given) to (B, N, width)."""
        q = self._by_head(self.ask(x))
        k, v = (self._by_head(part) for part in self.tell(given).chunk(2, dim=-1))
        angles = rotary_angles(max(q.shape[2], k.shape[2]), q.shape[3], x.device)
        q, k = rotate_pairs(q, angles[: q.shape[2]]), rotate_pairs(k, angles[: k.shape[2]])
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def _by_head(self, x: Tensor) -> Tensor:
        """(B, N, width) to (B, heads, N, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Conformer(nn.Module):
    """LN(x ⊕ Attention(Convolution(given ⊕ x))): x and `given` are added, so they have the same shape."""

    def __init__(self, width: int, heads: int, inner: int, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolve = ConvolutionPair(width, inner, dilation)
        self.attend = SelfAttention(width, heads)
        self.drop = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """(B, N, width) to the same shape."""
        return self.norm(x + kept(x, self.drop) * self.attend(self.convolve(x + given)))


class CrossConformer(nn.Module):
    """LN(x ⊕ CrossAttention(Convolution(x), Convolution(given)))."""

    def __init__(self, width: int, given: int, heads: int, inner: int, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolve = ConvolutionPair(width, inner, dilation)
        self.convolve_given = ConvolutionPair(given, inner * given // width, dilation)
        self.attend = CrossAttention(width, given, heads)
        self.drop = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """x (B, N, width), given (B, M, given) to (B, N, width)."""
        return self.norm(x + kept(x, self.drop) * self.attend(self.convolve(x), self.convolve_given(given)))


def kept(x: Tensor, drop: nn.Dropout) -> Tensor:
    """What drop-out leaves of the channels of x (B, N, W), as (B, 1, W): a channel is silent for a whole sequence, quicker to draw."""
    return drop(torch.ones(len(x), 1, x.shape[-1], device=x.device, dtype=x.dtype))


def gated(x: Tensor) -> Tensor:
    """Gated tanh unit: the first half of the columns gates the second, tanh(second) ⊙ sigmoid(first)."""
    gate, signal = x.chunk(2, dim=-1)
    return torch.tanh(signal) * torch.sigmoid(gate)
