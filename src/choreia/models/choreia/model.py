"""The default model, ready to dance: music, words and a memory in, any length out, a segment at a time.

`dance` is the whole story: `segments` (diffusion over latents, each segment with the tail of the one before) -> the tokenizer -> Motion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.diffusion.constraints import corrected, inpaint, varied
from choreia.diffusion.samplers import ddim
from choreia.errors import ChoreiaError
from choreia.models.base import Echo, Progress, Weights, load_part, read_weights, shipped
from choreia.models.choreia.config import Config, Sampling
from choreia.models.choreia.words import Words, captioned
from choreia.models.dancemeld.codec import Codec, join
from choreia.models.dancemeld.condition import fold_music
from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES
from choreia.models.lrcm.condition import Given, given, move_rows, segment
from choreia.models.lrcm.denoiser import bound, build_denoiser
from choreia.models.lrcm.predictions import schedule_of
from choreia.motion.representation import Heading152
from choreia.nn.precision import quick, ready
from choreia.types import Motion, Script

MODEL = "choreia"


@dataclass(frozen=True)
class Movement:
    """Values (4 N, 152) of `Heading152`, and the indices of the columns that a dance of N rows takes over from them."""

    values: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True)
class Kept:
    """A dance of N rows that is partly there already.

    rows: latents (N, width). weight: (N,), 1 where they stay, 0 where it is danced anew, between where that leans to them. amount: what is
    danced anew begins as these rows noised to this time of the diffusion; 1 is noise alone. movement: what it takes over at each step.
    """

    rows: np.ndarray
    weight: np.ndarray
    amount: float = 1.0
    movement: Movement | None = None


class Generator:
    """The model with weights. Latents are rows (N, width) float32, one for 4 frames, N even."""

    def __init__(self, weights: Weights, words: Words | None = None) -> None:
        self.config = Config.from_json(weights.header["config"])
        self.words = words or Words()
        if self.words.name != weights.header["words"]:
            raise ChoreiaError(f"these weights were trained with the words of {weights.header['words']}, here are {self.words.name}")
        self.weights_sha256: str | None = weights.sha256
        self.tokens_per_s = self.config.tokenizer.tokens_per_s
        self.codec = Codec(self.config.tokenizer, weights.tensors)
        self._denoiser = build_denoiser(self.config.lrcm)
        load_part(self._denoiser, weights.tensors, "denoiser.")
        ready(self._denoiser)
        self._mean, self._std = weights.tensors["latent_mean"], weights.tensors["latent_std"]

    def tokens_for(self, frames: int) -> int:
        """Rows of latents that cover `frames` frames: even."""
        return self.codec.tokens_for(frames)

    def seams_s(self, frames: int) -> np.ndarray:
        """Where segments meet inside a dance of `frames` frames, seconds."""
        settled, sampling = self.config.lrcm.window - self.config.sampling.soft, self.config.sampling
        return np.arange(settled, self.tokens_for(frames) - sampling.soft, settled - sampling.overlap) / self.tokens_per_s

    def dance(self, features: np.ndarray, script: Script, *, seed: int = 0, echo: Echo | None = None, sampling: Sampling | None = None,
              progress: Progress | None = None) -> Motion:  # fmt: skip
        """Movement at 30 fps for "dance" features (T, 24) and words, T frames rounded up to a multiple of 8."""
        wish = self.wish(features, script)
        parts = []
        for rows in self.segments(wish, seed, echo=echo, sampling=sampling):
            parts.append(rows)
            if progress:
                progress("dancing", min(1.0, sum(map(len, parts)) / wish.music.shape[1]))
        return Heading152.decode(self.codec.decode(np.concatenate(parts)), self.config.tokenizer.fps)

    def stream(self, features: np.ndarray, script: Script, *, seed: int = 0, echo: Echo | None = None,
               sampling: Sampling | None = None) -> Iterator[Motion]:  # fmt: skip
        """The take that `dance` gives, piece after piece as it is made, in memory that does not grow with what was danced."""
        latents = self.segments(self.wish(features, script), seed, echo=echo, sampling=sampling)
        return Heading152.decode_stream(self.codec.decode_stream(latents), self.config.tokenizer.fps)

    def wish(self, features: np.ndarray, script: Script) -> Given:
        """What a song and a script ask for, token by token: a batch of one, as long as the dance, without a memory."""
        if features.ndim != 2 or features.shape[1] != MUSIC_COLUMNS or not len(features):
            shape = f"{features.shape}, expected (frames, {MUSIC_COLUMNS})"
            raise ChoreiaError(f"music features have shape {shape}: use Music.features['dance']")
        count = self.tokens_for(len(features))
        frames = torch.arange(count * TOKEN_FRAMES).clamp(max=len(features) - 1)
        number, progress = move_rows(script.moves, count, self.tokens_per_s)
        vectors = np.concatenate([self.words.encode(captioned(script)), np.zeros((1, self.words.dim), np.float32)])
        return given(
            fold_music(torch.from_numpy(np.asarray(features, np.float32))[frames])[None],
            torch.from_numpy(self.words.encode([script.style])),
            torch.from_numpy(np.concatenate([vectors[number], progress], axis=1))[None],
            torch.from_numpy(np.float32(number >= 0))[None],
        )

    @torch.inference_mode()
    def segments(self, wish: Given, seed: int = 0, *, kept: Kept | None = None, echo: Echo | None = None,
                 sampling: Sampling | None = None) -> Iterator[np.ndarray]:  # fmt: skip
        """Latents (n, width) of a dance that follow one another, each part as soon as it stays.

        What is not kept is made a segment at a time, with the tail of what stays before it; a segment sees what is kept after it too.
        """
        sampling, lrcm = sampling or self.config.sampling, self.config.lrcm
        count, given = wish.music.shape[1], 0
        known, mask = self._canvas(kept, count)
        while given < count:
            free, stop = _gap(mask[:count])
            if free < count:
                start = max(0, free - sampling.overlap)
                memory = known[None, start - lrcm.tail : start] if start >= lrcm.tail else None
                leaning = _echoed(known, mask, free, echo, start, lrcm.window)
                rows = self._segment(segment(wish, start, lrcm.window, memory), *leaning, sampling, seed + 7919 * start, _from(kept, start))
                last = start + lrcm.window >= min(count, stop + sampling.overlap)
                settled = stop - start if last else min(stop - start, lrcm.window - sampling.soft)
                _hold(known[start:], mask[start:], rows, settled, sampling.soft)
                free = _gap(mask[:count])[0]
            yield (known[given:free] * self._std + self._mean).numpy()
            given = free

    def _canvas(self, kept: Kept | None, count: int) -> tuple[Tensor, Tensor]:
        """Standardised rows (count and a window more, width) that are known, and how firmly (count and a window more,)."""
        known, mask = torch.zeros(count + self.config.lrcm.window, len(self._mean)), torch.zeros(count + self.config.lrcm.window)
        if kept is not None:
            known[:count] = (torch.from_numpy(np.asarray(kept.rows, np.float32)) - self._mean) / self._std
            mask[:count] = torch.from_numpy(np.asarray(kept.weight, np.float32))
        return known, mask

    def _segment(self, wish: Given, known: Tensor, mask: Tensor, sampling: Sampling, seed: int, kept: Kept | None = None) -> Tensor:
        """Standardised rows (window, width) that lean to `known` rows by `mask` (window,), and to what is `kept` from the first on."""
        lrcm = self.config.lrcm
        noise = torch.randn(1, lrcm.window, len(self._mean), generator=torch.Generator().manual_seed(seed)) * sampling.temperature
        denoise = bound(self._denoiser, lrcm, wish, sampling.gamma, sampling.delta)
        if kept is not None and kept.movement is not None:
            denoise = corrected(denoise, partial(self._imposed, movement=kept.movement))
        if kept is not None and kept.amount < 1:
            denoise = varied(denoise, known[None], kept.amount)
        with quick():
            return ddim(inpaint(denoise, known[None], mask[None, :, None]), noise, noise, schedule_of(lrcm.diffusion), sampling.steps)[0]

    def _imposed(self, rows: Tensor, movement: Movement) -> Tensor:
        """Standardised rows (1, n, width) after a way through values, where those of the movement were put in; it is held past its end."""
        with torch.autocast("cpu", enabled=False):
            values = torch.from_numpy(self.codec.decode((rows[0] * self._std + self._mean).numpy()))
            frames = np.minimum(np.arange(len(values)), len(movement.values) - 1)
            values[:, movement.columns] = torch.from_numpy(movement.values[frames][:, movement.columns])
            latents = join(self.codec.tokenizer.latents(((values - self.codec.mean) / self.codec.std)[None]))
            return (latents - self._mean) / self._std


def _gap(mask: Tensor) -> tuple[int, int]:
    """The first rows [start, stop) that do not stay."""
    stays = torch.cat([mask >= 1, torch.tensor([True])])
    start = len(mask) if bool(stays.all()) else int((~stays).int().argmax())
    return start, start + int(stays[start:].int().argmax())


def _hold(known: Tensor, mask: Tensor, rows: Tensor, settled: int, soft: int) -> None:
    """Write rows that stay from now on, and `soft` more as a draft that counts less and less, but not over what is firmer."""
    known[:settled], mask[:settled] = rows[:settled], 1.0
    draft = slice(settled, min(settled + soft, len(rows)))
    weight = torch.linspace(1, 0, draft.stop - settled + 2)[1:-1]
    firmer = settled + torch.nonzero(weight > mask[draft])[:, 0]
    known[firmer], mask[firmer] = rows[firmer], weight[firmer - settled]


def _echoed(known: Tensor, mask: Tensor, free: int, echo: Echo | None, start: int, window: int) -> tuple[Tensor, Tensor]:
    """Rows (window, width) that a segment leans to and how much (window,): also to what returns from before row `free`, if not less."""
    rows, held = known[start : start + window].clone(), mask[start : start + window].clone()
    if echo is None:
        return rows, held
    source = torch.from_numpy(np.asarray(echo.source[start : start + window], np.float64)).round().long()
    weight = torch.from_numpy(np.asarray(echo.weight[start : start + window], np.float32)) * (source < free)
    drawn = torch.nonzero((weight >= held[: len(source)]) & (weight > 0) & (held[: len(source)] < 1))[:, 0]
    rows[drawn], held[drawn] = known[source[drawn]], weight[drawn]
    return rows, held


def _from(kept: Kept | None, start: int) -> Kept | None:
    """What is kept from row `start` on."""
    if kept is None or kept.movement is None:
        return kept
    return replace(kept, movement=replace(kept.movement, values=kept.movement.values[TOKEN_FRAMES * start :]))


def load(name: str = "small") -> Generator:
    """The generator with the weights called `name` that come with the package."""
    return Generator(shipped(f"choreia-{name}", MODEL))


def open_weights(path: Path) -> Generator:
    """The generator with weights that training wrote."""
    return Generator(read_weights(path, MODEL))
