"""The music encoder (paper 3.2, 4.1, Eq. 1): convolutions at three scales over spectrogram and time, a Transformer that sees relative
positions, timbre and rhythm in their own codes, and a gate between them in every time slice."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.theatre.config import MEL, RHYTHM, Sizes
from choreia.models.theatre.rows import RHYTHM_NAMES, unfold
from choreia.nn.attention import FeedForward, SelfAttention, normed

KERNELS = (3, 5, 7)
EVENTS = ("none", "strong", "offbeat", "subdivision")
"""What a token is called by the beat detector of stage 1."""


class Parallel(nn.Module):
    """Convolutions beside one another, one for each of `KERNELS`, Eq. 1."""

    def __init__(self, scales: Iterable[nn.Module]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(scales)

    def forward(self, x: Tensor) -> Tensor:
        """Channels of all scales, (B, channels, ...)."""
        return F.gelu(torch.cat([scale(x) for scale in self.scales], dim=1))


class Spectral(nn.Module):
    """A spectrogram (B, T, MEL) as tokens (B, N, width): band gradients, timbre and harmony at three scales, then coarser twice."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        wide, slow = 3 * sizes.channels, 2 if sizes.fold % 2 == 0 else 1
        self.scales = Parallel(nn.Conv2d(1, sizes.channels, size, (1, 2), padding=size // 2) for size in KERNELS)
        self.coarser = nn.Conv2d(wide, 2 * wide, 3, stride=(slow, 4), padding=1)
        self.coarsest = nn.Conv2d(2 * wide, 2 * wide, 3, stride=(sizes.fold // slow, 2), padding=1)
        self.leave = nn.Linear(2 * wide * (MEL // 16), sizes.width)

    def forward(self, mel: Tensor) -> Tensor:
        """Encode."""
        x = F.gelu(self.coarsest(F.gelu(self.coarser(self.scales(mel[:, None])))))
        return self.leave(x.permute(0, 2, 1, 3).flatten(2))


class Temporal(nn.Module):
    """Rhythm events (B, T, RHYTHM) as tokens (B, N, width)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        narrow = sizes.width // 4
        self.scales = Parallel(nn.Conv1d(RHYTHM, narrow, size, padding=size // 2) for size in KERNELS)
        self.leave = nn.Conv1d(3 * narrow, sizes.width, sizes.fold, stride=sizes.fold)

    def forward(self, rhythm: Tensor) -> Tensor:
        """Encode."""
        return self.leave(self.scales(rhythm.transpose(1, 2))).transpose(1, 2)


class Layer(nn.Module):
    """A Transformer layer whose attention sees how far apart tokens are, not where they stand."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads)
        self.feed_forward = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to the same shape."""
        x = x + self.attention(normed(x))
        return x + self.feed_forward(normed(x))


def per_beat(h: Tensor, number: Tensor) -> Tensor:
    """The mean of h (B, N, width) over the tokens of its beat, `number` (B, N), at every token."""
    same = (number[:, :, None] == number[:, None, :]).to(h.dtype)
    return same @ h / same.sum(dim=2, keepdim=True)


class MusicEncoder(nn.Module):
    """Music (B, N, fold · MUSIC) to its meaning in every time slice, (B, N, width)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fold = sizes.fold
        self.spectral, self.temporal = Spectral(sizes), Temporal(sizes)
        self.layers = nn.Sequential(*(Layer(sizes.width, sizes.heads) for _ in range(sizes.listening)))
        self.timbre = nn.Linear(sizes.width, sizes.timbre)
        self.rhythm = nn.Linear(sizes.width, sizes.timbre)
        self.gate = nn.Linear(2 * sizes.timbre, sizes.timbre)
        self.leave = nn.Linear(sizes.width + sizes.timbre, sizes.width)
        self.events = nn.Linear(sizes.width, len(EVENTS))
        self.amplitude = nn.Linear(sizes.width, sizes.fold)

    def forward(self, music: Tensor) -> Tensor:
        """Encode."""
        frames = unfold(music, self.fold)
        spectral = self.spectral(frames[..., :MEL])
        h = self.layers(spectral + self.temporal(frames[..., MEL : MEL + RHYTHM]))
        timbre, rhythm = self.timbre(spectral), self.rhythm(per_beat(h, frames[:, :: self.fold, -1]))
        gate = torch.sigmoid(self.gate(torch.cat([timbre, rhythm], dim=-1)))
        return normed(self.leave(torch.cat([h, gate * timbre + (1 - gate) * rhythm], dim=-1)))

    def expected(self, encoded: Tensor) -> Tensor:
        """How much a dancer moves by the rhythm, â(t) of Eq. 5, at every frame, (B, N · fold) m/s."""
        return F.softplus(self.amplitude(encoded)).flatten(1)


def beat_pulse(music: Tensor, fold: int) -> Tensor:
    """How much of a beat every frame of folded music (B, N, fold · MUSIC) is, (B, N · fold) in [0, 1]."""
    return unfold(music, fold)[..., MEL + RHYTHM_NAMES.index("beat_pulse")]


def event_class(music: Tensor, fold: int) -> Tensor:
    """Index in `EVENTS` of every token, (B, N): the first that has a pulse in it."""
    rhythm = unfold(music, fold)[..., MEL : MEL + RHYTHM]
    names = ("beat_pulse", "offbeat", "subdivision")
    pulses = torch.stack([rhythm[..., RHYTHM_NAMES.index(name)] for name in names], -1).unflatten(1, (-1, fold)).amax(2) > 0.5
    return torch.where(pulses.any(-1), pulses.int().argmax(-1) + 1, torch.zeros_like(pulses[..., 0], dtype=torch.long))
