"""The trained DanceMeld, ready to dance: numpy in, numpy out, weights frozen.

`dance` is the whole story: music features -> `sample` (diffusion over latents, any length) -> `decode` (codes, then values) -> Motion.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.diffusion import Denoiser
from choreia.diffusion.constraints import echo as echoing
from choreia.diffusion.constraints import inpaint, long_denoise, window_starts
from choreia.diffusion.guidance import guided
from choreia.errors import ChoreiaError
from choreia.models.base import Echo, Progress, Weights, load_part, read_weights, shipped
from choreia.models.dancemeld.codec import Codec, Codes
from choreia.models.dancemeld.condition import condition, fold_music, one_hot_style
from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES, Config
from choreia.models.dancemeld.kinds import build_prior
from choreia.motion.representation import Heading152
from choreia.nn.precision import quick
from choreia.types import Motion

MODEL = "dancemeld"


class Generator:
    """DanceMeld with weights. Latents are (N, width) float32, one row for 4 frames, N even: h'_b, then h_t of the row's pair."""

    def __init__(self, weights: Weights) -> None:
        self.config = Config.from_json(weights.header["config"])
        self.styles: tuple[str, ...] = tuple(json.loads(weights.header["styles"]))
        self.weights_sha256: str | None = weights.sha256
        self.tokens_per_s = self.config.tokenizer.tokens_per_s
        self.codec = Codec(self.config.tokenizer, weights.tensors)
        self._prior = build_prior(self.config.tokenizer, len(self.styles), self.config.prior)
        load_part(self._prior, weights.tensors, "prior.")
        self._latent_mean, self._latent_std = weights.tensors["latent_mean"], weights.tensors["latent_std"]

    def tokens_for(self, frames: int) -> int:
        """Rows of latents that cover `frames` frames: even."""
        return self.codec.tokens_for(frames)

    def seams_s(self, frames: int) -> np.ndarray:
        """Where windows begin and end inside a dance of `frames` frames, seconds."""
        starts = window_starts(self.tokens_for(frames), self.config.prior.window, self.config.prior.overlap).numpy()
        return np.sort(np.concatenate([starts[1:], starts[:-1] + self.config.prior.window])) / self.tokens_per_s

    def dance(self, features: np.ndarray, *, style: str | None = None, seed: int = 0, echo: Echo | None = None,
              progress: Progress | None = None) -> Motion:  # fmt: skip
        """Movement at 30 fps for "dance" features (T, 24), T frames rounded up to a multiple of 8."""
        values = self.decode(self.sample(features, style, seed, echo=echo, progress=progress))
        return Heading152.decode(values, self.config.tokenizer.fps)

    @torch.inference_mode()
    def sample(self, features: np.ndarray, style: str | None = None, seed: int = 0, *, steps: int | None = None,
               guidance: float | None = None, known: np.ndarray | None = None, mask: np.ndarray | None = None, echo: Echo | None = None,
               temperature: float | None = None, progress: Progress | None = None) -> np.ndarray:  # fmt: skip
        """Latents (N, width) for the whole of "dance" features (T, 24) at once.

        Args:
            known: latents (N, width) of a take to keep where `mask` (N,) is 1 (bit for bit), to lean to where it is between 0 and 1.
            echo: rows that return to the material of other rows.
            steps, guidance, temperature: instead of the configuration's; temperature is the size of the noise to start from.
        """
        given = self._condition(features, style)
        count = given.shape[1]
        noise = torch.randn(1, count, self._latent_mean.shape[0], generator=torch.Generator().manual_seed(seed))
        noise = noise * (self.config.prior.temperature if temperature is None else temperature)
        keep = None if known is None or mask is None else (self._standard(known)[None], torch.from_numpy(np.float32(mask))[None, :, None])
        wrap = self._wrap(self.config.prior.guidance if guidance is None else guidance, keep, echo)
        report = None if progress is None else (lambda share: progress("dancing", share))
        with quick():
            drawn = self._prior.sample(noise, given, wrap, steps or self.config.prior.sample_steps, report)[0]
        latents = (drawn * self._latent_std + self._latent_mean).numpy()
        return latents if known is None or mask is None else np.where(mask[:, None] >= 1, known, latents)

    def encode(self, motion: Motion) -> np.ndarray:
        """Latents (N, width) of a take on choreia-24 at 30 fps."""
        return self.codec.encode(motion)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Values (T, dim) of latents (N, width)."""
        return self.codec.decode(latents)

    def codes(self, latents: np.ndarray) -> Codes:
        """Codes of latents (N, width)."""
        return self.codec.codes(latents)

    def _condition(self, features: np.ndarray, style: str | None) -> Tensor:
        if features.ndim != 2 or features.shape[1] != MUSIC_COLUMNS or not len(features):
            shape = f"{features.shape}, expected (frames, {MUSIC_COLUMNS})"
            raise ChoreiaError(f"music features have shape {shape}: use Music.features['dance']")
        if style is not None and style not in self.styles:
            raise ChoreiaError(f"unknown style {style!r}: choose one of {', '.join(self.styles)}")
        frames = self.tokens_for(len(features)) * TOKEN_FRAMES
        rows = torch.from_numpy(np.asarray(features, np.float32))[torch.arange(frames).clamp(max=len(features) - 1)]
        number = -1 if style is None else self.styles.index(style)
        return condition(fold_music(rows)[None], one_hot_style(torch.tensor([number]), len(self.styles)))

    def _wrap(self, guidance: float, keep: tuple[Tensor, Tensor] | None, echo: Echo | None) -> Callable[[Denoiser], Denoiser]:
        config = self.config.prior

        def wrap(denoise: Denoiser) -> Denoiser:
            whole = long_denoise(guided(denoise, guidance), config.window, config.overlap)
            if echo is not None:
                whole = echoing(whole, torch.from_numpy(np.asarray(echo.source)), torch.from_numpy(np.asarray(echo.weight)))
            return inpaint(whole, *keep) if keep else whole

        return wrap

    def _standard(self, latents: np.ndarray) -> Tensor:
        return (torch.from_numpy(np.asarray(latents, np.float32)) - self._latent_mean) / self._latent_std


def load(name: str = "small") -> Generator:
    """The generator with the weights called `name` that come with the package."""
    return Generator(shipped(f"dancemeld-{name}", MODEL))


def open_weights(path: Path) -> Generator:
    """The generator with weights that training wrote."""
    return Generator(read_weights(path, MODEL))
