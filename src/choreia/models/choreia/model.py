"""The default model, ready to dance: music, words and a memory in, any length out, a segment at a time.

`dance` is the whole story: `segments` (diffusion over latents, each segment with the tail of the one before) -> the tokenizer -> Motion.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.diffusion.constraints import inpaint
from choreia.diffusion.samplers import ddim
from choreia.errors import ChoreiaError
from choreia.models.base import Echo, Progress, Weights, load_part, read_weights, shipped
from choreia.models.choreia.config import Config, Sampling
from choreia.models.choreia.words import Words, captioned
from choreia.models.dancemeld.codec import Codec
from choreia.models.dancemeld.condition import fold_music
from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES
from choreia.models.lrcm.condition import Given, given, move_rows, segment
from choreia.models.lrcm.denoiser import bound, build_denoiser
from choreia.models.lrcm.predictions import schedule_of
from choreia.motion.representation import Heading152
from choreia.nn.precision import quick, ready
from choreia.types import Motion, Script

MODEL = "choreia"


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
    def segments(self, wish: Given, seed: int = 0, *, echo: Echo | None = None, sampling: Sampling | None = None) -> Iterator[np.ndarray]:
        """New latents (n, width) of one segment after another, each made with the tail of what was danced before."""
        sampling = sampling or self.config.sampling
        count, window, tail = wish.music.shape[1], self.config.lrcm.window, self.config.lrcm.tail
        danced, draft = torch.zeros(0, len(self._mean)), torch.zeros(0, len(self._mean))
        while len(danced) < count:
            start = max(0, len(danced) - sampling.overlap)
            known, mask = _echoed(danced, echo, start, window)
            _hold(known, mask, danced[start:], draft)
            memory = danced[None, start - tail : start] if start >= tail else None
            rows = self._segment(segment(wish, start, window, memory), known, mask, sampling, seed + 7919 * start)
            settled = count - start if start + window >= count else window - sampling.soft
            new, draft = rows[len(danced) - start : settled], rows[settled:]
            danced = torch.cat([danced, new])
            yield (new * self._std + self._mean).numpy()

    def _segment(self, wish: Given, known: Tensor, mask: Tensor, sampling: Sampling, seed: int) -> Tensor:
        """Standardised rows (window, width) that lean to `known` rows by `mask` (window,)."""
        lrcm = self.config.lrcm
        noise = torch.randn(1, lrcm.window, len(self._mean), generator=torch.Generator().manual_seed(seed)) * sampling.temperature
        denoise = bound(self._denoiser, lrcm, wish, sampling.gamma, sampling.delta)
        with quick():
            return ddim(inpaint(denoise, known[None], mask[None, :, None]), noise, noise, schedule_of(lrcm.diffusion), sampling.steps)[0]


def _hold(known: Tensor, mask: Tensor, danced: Tensor, draft: Tensor) -> None:
    """Write what stays, and then the draft, which counts less and less, to the beginning of what is known, but not over firmer echoes."""
    stays = len(danced)
    known[:stays], mask[:stays] = danced, 1.0
    weight = torch.linspace(1, 0, len(draft) + 2)[1:-1]
    firmer = torch.nonzero(weight > mask[stays : stays + len(draft)])[:, 0]
    known[stays + firmer], mask[stays + firmer] = draft[firmer], weight[firmer]


def _echoed(danced: Tensor, echo: Echo | None, start: int, window: int) -> tuple[Tensor, Tensor]:
    """Rows (window, width) that a segment leans to and how much (window,): what was danced where its material first came."""
    known, mask = torch.zeros(window, danced.shape[1]), torch.zeros(window)
    if echo is None:
        return known, mask
    source = torch.from_numpy(np.asarray(echo.source[start : start + window], np.float64)).round().long()
    there = source < len(danced)
    known[: len(source)][there] = danced[source[there]]
    mask[: len(source)] = torch.from_numpy(np.asarray(echo.weight[start : start + window], np.float32)) * there
    return known, mask


def load(name: str = "small") -> Generator:
    """The generator with the weights called `name` that come with the package."""
    return Generator(shipped(f"choreia-{name}", MODEL))


def open_weights(path: Path) -> Generator:
    """The generator with weights that training wrote."""
    return Generator(read_weights(path, MODEL))
