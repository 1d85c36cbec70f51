"""LRCM in the paper's own form, ready to dance: ancestral sampling of poses, segment after segment, each with the tail of the last.

`dance` is the whole story: `wish` (music and words, frame by frame) -> `segments` -> `Poses.motion`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.diffusion.samplers import ddpm
from choreia.errors import ChoreiaError
from choreia.models.base import Progress, Weights, load_part, read_weights
from choreia.models.lrcm.condition import Given, given, hidden, move_rows, segment
from choreia.models.lrcm.config import Config, Diffusion
from choreia.models.lrcm.denoiser import bound, build_denoiser
from choreia.models.lrcm.poses import Poses, music_rows
from choreia.models.lrcm.predictions import schedule_of
from choreia.models.lrcm.words import Scaled
from choreia.nn.precision import quick
from choreia.text.encode import Encoder
from choreia.types import Motion, Script

MODEL = "lrcm"


class Generator:
    """The model with weights; `words` is the encoder that they were trained with, ChoreiaError for another."""

    def __init__(self, weights: Weights, words: Encoder) -> None:
        if words.name != weights.header["words"]:
            raise ChoreiaError(f"these weights were trained with the words of {weights.header['words']}, here are {words.name}")
        self.config = Config.from_json(weights.header["config"])
        self.weights_sha256 = weights.sha256
        self._words = Scaled(words)
        self._denoiser = build_denoiser(self.config)
        load_part(self._denoiser, weights.tensors, "denoiser.")
        self._poses = Poses(**{name: weights.tensors[name] for name in Poses.__dataclass_fields__})

    def dance(self, features: np.ndarray, script: Script, *, seed: int = 0, sampling: Diffusion | None = None,
              progress: Progress | None = None) -> Motion:  # fmt: skip
        """Movement at 30 fps, T frames, for "dance" features (T, 24) and words.

        Of `sampling` only `sample_steps`, `gamma` and `delta` count; None is as the variant says.
        """
        parts = []
        for rows in self.segments(self.wish(features, script), seed, sampling):
            parts.append(rows)
            if progress:
                progress("dancing", sum(map(len, parts)) / len(features))
        return self._poses.motion(np.concatenate(parts), self.config.tokens_per_s)

    def wish(self, features: np.ndarray, script: Script) -> Given:
        """What a song and a script ask for, frame by frame, as one segment; an empty style is not heard."""
        music = music_rows(features)
        number, _ = move_rows(script.moves, len(music), self.config.tokens_per_s)
        texts = self._words.encode([script.style, *(move.text for move in script.moves)])
        style, moves = torch.from_numpy(texts[:1]), torch.from_numpy(np.concatenate([texts[1:], np.zeros_like(texts[:1])]))
        whole = given(torch.from_numpy(music)[None], style, moves[number][None], torch.from_numpy(np.float32(number >= 0))[None])
        return whole if script.style else hidden(whole, ["style"])

    @torch.inference_mode()
    def segments(self, wish: Given, seed: int = 0, sampling: Diffusion | None = None) -> Iterator[np.ndarray]:
        """Standardised rows (n, 61) of one segment after another; the last is cut where the wish ends."""
        window, tail, count = self.config.window, self.config.tail, wish.music.shape[1]
        noise, memory = torch.Generator().manual_seed(seed), None
        for start in range(0, count, window):
            rows = self._segment(segment(wish, start, window, memory), noise, sampling or self.config.diffusion)
            memory = rows[:, -tail:]
            yield rows[0, : count - start].numpy()

    def _segment(self, wish: Given, noise: torch.Generator, sampling: Diffusion) -> Tensor:
        """Standardised rows (1, window, 61)."""
        start = torch.randn(1, self.config.window, self.config.denoiser.dim, generator=noise)
        denoise = self._poses.bounded(bound(self._denoiser, self.config, wish, sampling.gamma, sampling.delta))
        with quick():
            return ddpm(denoise, start, start, schedule_of(self.config.diffusion), sampling.sample_steps, noise)


def open_weights(path: Path, words: Encoder) -> Generator:
    """The generator with weights that training wrote."""
    return Generator(read_weights(path, MODEL), words)
