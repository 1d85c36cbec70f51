"""What LRCM is trained on: takes in tokens, and batches of segments with the tokens before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreia.errors import ChoreiaError
from choreia.models.lrcm.config import Config, Stage
from choreia.text.encode import Encoder


@dataclass(frozen=True)
class Danced:
    """A take in tokens: normalised rows (N, D), music (N, D_a) or None, how its style may be said, its moves with how each may be said,
    and which move (N,), -1 for none, is danced with what progress (N, P); P is 0 where the model is not told. `weight`: how often a token
    of it is drawn."""

    rows: np.ndarray
    music: np.ndarray | None
    styles: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...]
    number: np.ndarray
    progress: np.ndarray
    weight: float


@dataclass(frozen=True)
class Draw:
    """Batches of segments with the tokens before them: the batch of a step is a function of the seed and the step alone.

    `grid`: tokens of which a segment's start is a multiple. ChoreiaError when no take is as long as a segment.
    """

    takes: list[Danced]
    words: Encoder
    config: Config
    seed: int
    grid: int = 1

    def __post_init__(self) -> None:
        if not any(len(take.rows) >= self.config.window for take in self.takes):
            long_s = self.config.window / self.config.tokens_per_s
            raise ChoreiaError(
                f"no take to train on is {long_s:.1f} s long: prepare longer ones, or choose a variant with shorter segments"
            )

    def __call__(self, stage: Stage, step: int) -> dict[str, Tensor]:
        """What `Objective` takes: x (B, N, D), noise, t, the conditions; memory where the stage hears it."""
        rng, window = np.random.default_rng((self.seed, len(stage.hears), step)), self.config.window
        usable = [take for take in self.takes if len(take.rows) >= window]
        share = np.array([take.weight * (len(take.rows) - window + self.grid) for take in usable])
        picked = [usable[k] for k in rng.choice(len(usable), stage.batch, p=share / share.sum())]
        starts = [self.grid * int(rng.integers((len(take.rows) - window) // self.grid + 1)) for take in picked]
        parts = [self._part(take, start, rng) for take, start in zip(picked, starts, strict=True)]
        batch = {name: torch.from_numpy(np.stack([part[name] for part in parts])) for name in parts[0]}
        noise = torch.from_numpy(rng.standard_normal(batch["x"].shape, np.float32))
        return {**batch, "noise": noise, "t": torch.from_numpy(np.float32(self._times(stage.batch, rng)))}

    def _times(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Diffusion times (count,) spread over [0, 1), or over the steps 1, 2, … of a schedule that has steps, as shares of the last."""
        t, steps = (rng.permutation(count) + rng.random(count)) / count, self.config.diffusion.train_times
        return (np.floor(t * steps) + 1) / steps if steps else t

    def _part(self, take: Danced, start: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One segment. A window that starts less than a memory from the start of a take has no memory: so do songs begin."""
        window, tail = self.config.window, self.config.tail
        cut, before = slice(start, start + window), slice(start - tail, start)
        remembered = start >= tail
        silence = np.zeros((window, self.config.denoiser.music), np.float32)
        memory = take.rows[before] if remembered else np.zeros((tail, take.rows.shape[1]), np.float32)
        return {
            "x": take.rows[cut], "memory": memory, "has_memory": np.float32(remembered),
            "music": silence if take.music is None else take.music[cut], "has_music": np.float32(take.music is not None),
            "style": self.words.encode([str(rng.choice(take.styles))])[0], "has_style": np.float32(1),
            "moves": self._moves(take, cut, rng), "has_moves": np.float32(take.number[cut] >= 0),
        }  # fmt: skip

    def _moves(self, take: Danced, cut: slice, rng: np.random.Generator) -> np.ndarray:
        """Vectors of the moves of a segment (N, words + P), each said one way throughout."""
        number, progress = take.number[cut], take.progress[cut]
        rows = np.zeros((len(number), self.words.dim + progress.shape[1]), np.float32)
        rows[:, self.words.dim :] = progress
        for k in np.unique(number[number >= 0]):
            rows[number == k, : self.words.dim] = self.words.encode([str(rng.choice(take.captions[k]))])[0]
        return rows


def too_short(config: Config) -> ChoreiaError:
    """What is raised where no take is as long as a segment."""
    long_s = config.window / config.tokens_per_s
    return ChoreiaError(f"no take to train on is {long_s:.1f} s long: prepare longer ones, or choose a variant with shorter segments")
