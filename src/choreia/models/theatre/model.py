"""The musical-theatre model, ready to perform: movement and stage from music, a stage for a dance, a dance for a stage.

`perform` is the whole story: what is planned (`synth.lighting.plan`) and held -> conditions -> diffusion in windows -> movement and track.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreia import clock
from choreia.diffusion.constraints import inpaint, long_denoise
from choreia.diffusion.guidance import guided
from choreia.diffusion.samplers import ddim
from choreia.errors import ChoreiaError
from choreia.models.base import Weights, load_part
from choreia.models.theatre.config import TARGET, Config, Sizes
from choreia.models.theatre.denoiser import Denoiser
from choreia.models.theatre.given import Given, pack
from choreia.models.theatre.music import MusicEncoder, beat_pulse
from choreia.models.theatre.objective import Encoders, schedule_of
from choreia.models.theatre.rows import fold, music_rows, nearest_rows, style_of, style_rows
from choreia.models.theatre.space import Space
from choreia.motion.timing import resample
from choreia.nn.precision import quick, ready
from choreia.stage.settling import staged
from choreia.stage.style import to_vector
from choreia.synth.lighting import Wish, design
from choreia.types import Motion, Music, Stage, Style

MODEL, ENCODERS = "theatre", "theatre-encoders"

ANYTHING = Wish()
FPS = 30.0


@dataclass(frozen=True)
class Normal:
    """Mean and scale (style,) of rows of stages."""

    mean: Tensor
    std: Tensor

    def standard(self, rows: np.ndarray) -> np.ndarray:
        """Rows (N, style) standardised."""
        return (rows - self.mean.numpy()) / self.std.numpy()

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Inverse of `standard`."""
        return rows * self.std.numpy() + self.mean.numpy()

    def tensors(self) -> dict[str, Tensor]:
        """As weights have them."""
        return {"style_mean": self.mean, "style_std": self.std}

    @staticmethod
    def of(tensors: dict[str, Tensor], prefix: str = "") -> Normal:
        """Inverse of `tensors`."""
        return Normal(tensors[f"{prefix}style_mean"], tensors[f"{prefix}style_std"])


@dataclass(frozen=True)
class Shown:
    """What was generated: movement, a multiple of 8 frames, and the track of a stage as long, as the network gave it."""

    motion: Motion
    track: Style


class Generator:
    """The model with weights. Everything is in tokens of `sizes.fold` frames; N is even."""

    def __init__(self, weights: Weights, space: Space) -> None:
        if weights.header.get("space") != space.name:
            raise ChoreiaError(f"these weights move in the {weights.header.get('space')}, here are the {space.name}: train them again")
        self.config = Config.from_json(weights.header["config"])
        self.weights_sha256: str | None = weights.sha256
        self.space, self.normal = space, Normal.of(weights.tensors, "encoders.")
        self.encoders = load_encoders(weights, self.config.sizes, "encoders.")
        self._listener, self._denoiser = MusicEncoder(self.config.sizes), Denoiser(self.config)
        for part, prefix in ((self._listener, "listener."), (self._denoiser, "denoiser.")):
            load_part(part, weights.tensors, prefix)
        ready(self._denoiser)

    @torch.inference_mode()
    def show(self, music: Music, *, targets: np.ndarray | None = None, dance: Motion | None = None, held: Style | None = None,
             seed: int = 0) -> Shown:  # fmt: skip
        """Movement and stage for a song; either may be held.

        Args:
            music: the song; its frames at `fps`, rounded up to what the space holds, are the length of everything.
            targets: styles to aim at, (frames, TARGET) of `stage.style.to_vector`, at the frame rate of the stage.
            dance: at `fps` on choreia-24; what it lacks at its end is its last pose.
            held: a track, one row a frame.
            seed: of the noise.
        """
        sizes, frames = self.config.sizes, self.frames(music)
        condition = self.given(music, frames, targets, dance, held)
        known = torch.cat([condition.motion, condition.style], dim=-1)
        mask = torch.cat([condition.has_motion.expand_as(condition.motion), condition.has_style.expand_as(condition.style)], dim=-1)
        rows = self._sample(pack(condition), known, mask, seed)
        moved, stage = rows.split([sizes.motion, sizes.style], dim=-1)
        motion = self.space.decode(moved.numpy()) if dance is None else held_to(dance, frames)
        track = style_of(self.normal.plain(stage.numpy()), sizes.fold) if held is None else held
        return Shown(motion, track)

    def perform(self, music: Music, *, dance: Motion | None = None, wish: Wish = ANYTHING, seed: int = 0) -> tuple[Motion, Stage]:
        """Movement and stage for a song, or a stage for a `dance` to it: rules plan which look comes when, the network does the rest."""
        plan = design(music, dance, seed=seed, wish=wish)
        fps = self.config.sizes.fps
        targets = to_vector(plan.slices)[plan.slice_at(clock.frame_times(self.frames(music), fps))]
        shown = self.show(music, targets=targets, dance=None if dance is None else resample(dance, fps), seed=seed)
        times = clock.frame_times(clock.frames_in(music.duration_s, FPS), FPS)
        return resample(shown.motion, FPS).slice(0, len(times)), staged(shown.track.rows(nearest_rows(shown.track, fps, times)), music)

    def frames(self, music: Music) -> int:
        """Frames that cover a song."""
        return self.space.frames_for(int(np.ceil(music.duration_s * self.config.sizes.fps)))

    def given(self, music: Music, frames: int, targets: np.ndarray | None = None, dance: Motion | None = None,
              held: Style | None = None) -> Given:  # fmt: skip
        """Conditions of a batch of one; what is None is not there."""
        sizes = self.config.sizes
        count = frames // sizes.fold
        heard = fold(torch.from_numpy(music_rows(music, frames, sizes.fps)), sizes.fold)[None]

        def there(flag: bool) -> Tensor:
            return torch.full((1, count, 1), float(flag))

        motion, dancer = torch.zeros(1, count, sizes.motion), torch.zeros(1, count, sizes.width)
        if dance is not None:
            whole = held_to(dance, frames)
            motion, dancer = _batch(self.space.encode(whole)), self._in_windows(self.encoders.motion, _batch(self.space.seen(whole)))
        style = torch.zeros(1, count, sizes.style) if held is None else self._style(held, frames)
        aimed = None if targets is None else _batch(clock.first_rows(targets, frames)[sizes.fold // 2 :: sizes.fold])
        target = torch.zeros(1, count, TARGET) if aimed is None else aimed
        return Given(
            self._in_windows(self._listener, heard), beat_pulse(heard, sizes.fold).unflatten(1, (-1, sizes.fold)).amax(2)[..., None],
            there(self.config.hears), motion, dancer, there(dance is not None), style, there(held is not None),
            target, there(targets is not None and self.config.aims),
        )  # fmt: skip

    def _style(self, track: Style, frames: int) -> Tensor:
        """Rows (1, N, style) of a track, held at its end."""
        whole = track.rows(np.minimum(np.arange(frames), len(track) - 1))
        return _batch(self.normal.standard(style_rows(whole, self.config.sizes.fold)))

    def _in_windows(self, encode: torch.nn.Module, values: Tensor) -> Tensor:
        """An encoding of (1, N, C) or (1, N · fold, J, 3), in windows as long as those of training, blended where they overlap."""
        sizes, config = self.config.sizes, self.config
        shape = values.shape[2:]
        tokens = values.flatten(2) if values.dim() == 3 else fold(values.flatten(2), sizes.fold)

        def encoded(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
            inside = x if values.dim() == 3 else x.unflatten(-1, (sizes.fold, -1)).flatten(1, 2).unflatten(-1, shape)
            with quick():
                return encode(inside).float()

        return long_denoise(encoded, config.window, config.sampling.overlap)(tokens, torch.ones(1), tokens)

    def _sample(self, condition: Tensor, known: Tensor, mask: Tensor, seed: int) -> Tensor:
        """Rows (N, motion + style), with what is held as it is."""
        config, sampling = self.config, self.config.sampling
        noise = torch.randn(known.shape, generator=torch.Generator().manual_seed(seed)) * sampling.temperature
        clean = guided(lambda x, t, given: self._denoiser(x, t, given)[1], sampling.guidance)
        denoise = inpaint(long_denoise(clean, config.window, sampling.overlap), known, mask)
        steps = sampling.steps if config.diffuses else 1
        with quick():
            return ddim(denoise, noise * config.diffuses, condition, schedule_of(config), steps)[0]

    @torch.inference_mode()
    def latents(self, music: Music, motion: Motion, track: Style) -> dict[str, np.ndarray]:
        """What is common of "music", "motion" and "visual", (N, latent / 2) each, of a performance: the encoders of stage 2."""
        frames, sizes = self.frames(music), self.config.sizes
        heard = fold(torch.from_numpy(music_rows(music, frames, sizes.fps)), sizes.fold)[None]
        encoded = {
            "music": self._in_windows(self.encoders.music, heard),
            "motion": self._in_windows(self.encoders.motion, _batch(self.space.seen(held_to(motion, frames)))),
            "visual": self._in_windows(self.encoders.style, self._style(track, frames)),
        }
        return {name: z[0].numpy() for name, z in self.encoders.space(encoded).items()}


def load_encoders(weights: Weights, sizes: Sizes, prefix: str = "") -> Encoders:
    """The encoders of stages 1 and 2, as they were trained."""
    encoders = Encoders(sizes)
    own = {key: value for key, value in weights.tensors.items() if not key.endswith(("style_mean", "style_std"))}
    load_part(encoders, own, prefix)
    return encoders


def held_to(dance: Motion, frames: int) -> Motion:
    """A take cut, or held at its last pose, to `frames` frames."""
    return dance.slice(0, frames) if len(dance) >= frames else Motion(
        dance.skeleton, clock.first_rows(dance.root, frames), clock.first_rows(dance.rotations, frames), dance.fps
    )  # fmt: skip


def _batch(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))[None]
