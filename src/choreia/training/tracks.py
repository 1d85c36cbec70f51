"""Training material in memory, and windows of it: the batch of a step is a function of the seed and the step alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreia.errors import ChoreiaError


@dataclass(frozen=True)
class Track:
    """One take: `values` (T, D) float32, `music` (T, C) float32 or None, style number (-1: none), how often a frame of it is drawn."""

    name: str
    values: np.ndarray
    music: np.ndarray | None
    style: int
    weight: float = 1.0


@dataclass(frozen=True)
class Windows:
    """Windows of `length` frames out of `tracks` that are long enough, starting on multiples of `grid`."""

    tracks: tuple[Track, ...]
    length: int
    seed: int
    grid: int = 1
    silent_columns: int = 24

    def __post_init__(self) -> None:
        if not any(len(track.values) >= self.length for track in self.tracks):
            raise ChoreiaError(f"no take has {self.length} frames: prepare longer takes or train with a shorter window")

    def draw(self, step: int, batch: int) -> tuple[dict[str, Tensor], np.random.Generator]:
        """Sample `batch` windows: values, music (zeros where there is none), has_music, style; and the step's generator for more draws."""
        rng = np.random.default_rng((self.seed, step))
        usable = [track for track in self.tracks if len(track.values) >= self.length]
        share = np.array([track.weight * (len(track.values) - self.length + self.grid) for track in usable])
        picked = [usable[k] for k in rng.choice(len(usable), batch, p=share / share.sum())]
        starts = [int(rng.integers(0, (len(t.values) - self.length) // self.grid + 1)) * self.grid for t in picked]
        cuts = [slice(start, start + self.length) for start in starts]
        silence = np.zeros((self.length, self._music_columns()), np.float32)
        music = [silence if t.music is None else t.music[cut] for t, cut in zip(picked, cuts, strict=True)]
        return {
            "values": torch.from_numpy(np.stack([t.values[cut] for t, cut in zip(picked, cuts, strict=True)])),
            "music": torch.from_numpy(np.stack(music)),
            "has_music": torch.tensor([float(t.music is not None) for t in picked]),
            "style": torch.tensor([t.style for t in picked]),
        }, rng

    def _music_columns(self) -> int:
        return next((t.music.shape[1] for t in self.tracks if t.music is not None), self.silent_columns)
