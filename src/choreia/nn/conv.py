"""Convolutions over time on (B, channels, T). T must divide by the strides; every output frame keeps its place in time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """x + Conv1(GELU(Conv3 dilated(GELU(norm x)))): sees `dilation` frames to either side."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = ChannelNorm(width)
        self.spread = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        for parameter in self.mix.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same shape."""
        return x + self.mix(F.gelu(self.spread(F.gelu(self.norm(x)))))


class ChannelNorm(nn.Module):
    """A gain and bias a channel; no statistics over time, so that a frame depends on its neighbourhood alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Root-mean-square over channels at each frame, then gain and bias; (B, width, T)."""
        scale = torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-6).to(x.dtype)
        return x * scale * self.gain[:, None] + self.bias[:, None]


def stack(width: int, dilations: tuple[int, ...]) -> nn.Sequential:
    """One residual block for each dilation."""
    return nn.Sequential(*(Residual(width, d) for d in dilations))


def halve(inside: int, outside: int) -> nn.Conv1d:
    """(B, inside, T) to (B, outside, T / 2)."""
    return nn.Conv1d(inside, outside, 4, stride=2, padding=1)


def double(inside: int, outside: int) -> nn.ConvTranspose1d:
    """(B, inside, T) to (B, outside, 2 T)."""
    return nn.ConvTranspose1d(inside, outside, 4, stride=2, padding=1)
