"""What the model is trained on: dances in tokens with their songs and stages, and batches of windows of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.models.theatre.config import Config

Batch = dict[str, Tensor]
"""Named tensors; the first axis of each is the sample."""


@dataclass(frozen=True)
class Song:
    """Music (N, fold · MUSIC) of a performance, and stages designed for it and the dance: rows (N, style), targets (N, TARGET)."""

    music: np.ndarray
    styles: tuple[np.ndarray, ...]
    targets: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Performed:
    """A dance: rows (N, motion), joints (N · fold, 22, 3) m, its songs, and how often a token of it is drawn."""

    motion: np.ndarray
    joints: np.ndarray
    songs: tuple[Song, ...]
    weight: float


def write(path: Path, performances: Iterable[Performed]) -> None:
    """Keep performances in one safetensors file, whole or not at all."""
    tensors: dict[str, np.ndarray] = {}
    for number, one in enumerate(performances):
        tensors |= {f"{number}.motion": one.motion, f"{number}.joints": one.joints, f"{number}.weight": np.array(one.weight)}
        for k, song in enumerate(one.songs):
            tensors[f"{number}.{k}.music"] = song.music
            tensors |= {f"{number}.{k}.{d}.style": rows for d, rows in enumerate(song.styles)}
            tensors |= {f"{number}.{k}.{d}.target": rows for d, rows in enumerate(song.targets)}
    with atomic_path(path) as partial:
        save_file(tensors, partial)


def read(path: Path) -> list[Performed]:
    """What `write` kept."""
    with safe_open(path, "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file itself does not iterate)
    count = sum(name.endswith(".motion") for name in tensors)
    return [_performed(tensors, str(number)) for number in range(count)]


def _performed(tensors: dict[str, np.ndarray], number: str) -> Performed:
    songs: list[Song] = []
    while (name := f"{number}.{len(songs)}") + ".music" in tensors:
        songs.append(Song(tensors[f"{name}.music"], _designs(tensors, name, "style"), _designs(tensors, name, "target")))
    motion, joints, weight = (tensors[f"{number}.{field}"] for field in ("motion", "joints", "weight"))
    return Performed(motion, joints, tuple(songs), float(weight))


def _designs(tensors: dict[str, np.ndarray], name: str, field: str) -> tuple[np.ndarray, ...]:
    found: list[np.ndarray] = []
    while (key := f"{name}.{len(found)}.{field}") in tensors:
        found.append(tensors[key])
    return tuple(found)


@dataclass(frozen=True)
class Odds:
    """Chances, a sample: the dance is held, the stage is held, the music is hidden, the style to aim at is hidden."""

    dance_held: float = 0.35
    stage_held: float = 0.1
    no_music: float = 0.1
    no_target: float = 0.25


@dataclass(frozen=True)
class Draw:
    """Batches of windows: the batch of a step is a function of the seed and the step alone; ChoreiaError when no dance is long enough."""

    performed: list[Performed]
    config: Config
    seed: int
    odds: Odds = Odds()

    def __post_init__(self) -> None:
        if not any(len(one.motion) >= self.config.window for one in self.performed):
            long_s = self.config.window * self.config.sizes.fold / self.config.sizes.fps
            raise ChoreiaError(f"no dance with music lasts {long_s:.1f} s: prepare longer ones, or choose a variant with a shorter window")

    def __call__(self, batch: int, step: int) -> Batch:
        """What `EncoderObjective` and `Objective` take."""
        rng, window = np.random.default_rng((self.seed, batch, step)), self.config.window
        usable = [one for one in self.performed if len(one.motion) >= window]
        share = np.array([one.weight * (len(one.motion) - window + 1) for one in usable])
        parts = [self._part(usable[k], rng) for k in rng.choice(len(usable), batch, p=share / share.sum())]
        drawn = {name: torch.from_numpy(np.stack([part[name] for part in parts])) for name in parts[0]}
        return drawn | self._flags(batch, rng) | self._noise(batch, rng)

    def _part(self, one: Performed, rng: np.random.Generator) -> dict[str, np.ndarray]:
        start, fold = int(rng.integers(len(one.motion) - self.config.window + 1)), self.config.sizes.fold
        cut, frames = slice(start, start + self.config.window), slice(start * fold, (start + self.config.window) * fold)
        song = one.songs[rng.integers(len(one.songs))]
        design = int(rng.integers(len(song.styles)))
        named = {"motion": one.motion[cut], "joints": one.joints[frames], "music": song.music[cut]}
        return {name: np.asarray(value, np.float32) for name, value in (named | {
            "style": song.styles[design][cut], "target": song.targets[design][cut],
        }).items()}  # fmt: skip

    def _flags(self, batch: int, rng: np.random.Generator) -> dict[str, Tensor]:
        draw, odds = rng.random(batch), self.odds
        held = {"has_motion": draw < odds.dance_held, "has_style": (draw >= odds.dance_held) & (draw < odds.dance_held + odds.stage_held)}
        known = {"has_music": rng.random(batch) >= odds.no_music, "has_target": rng.random(batch) >= odds.no_target}
        return {name: torch.from_numpy(np.float32(flag)) for name, flag in (held | known).items()}

    def _noise(self, batch: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """Noise and diffusion times, spread over [0, 1) or over the steps 1, 2, … of a schedule that has steps, as shares of the last."""
        sizes, steps = self.config.sizes, self.config.train_times
        t = (rng.permutation(batch) + rng.random(batch)) / batch
        noise = rng.standard_normal((batch, self.config.window, sizes.motion + sizes.style), np.float32)
        return {"noise": torch.from_numpy(noise), "t": torch.from_numpy(np.float32((np.floor(t * steps) + 1) / steps if steps else t))}
