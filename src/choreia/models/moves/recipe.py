"""How the judges are trained and measured: on dances of the choreographer that no model is trained on, with exact labels.

A training dance is a script of figures, twelve counts each (nine in three), half of them the style's own and half any style's in its
manner, to beats of a drifting tempo. Its seeds, scripts, beats and tempi are drawn for the judges alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from choreia.models.base import read_weights, write_weights
from choreia.models.moves.augment import augmented, nothing
from choreia.models.moves.config import VARIANTS, Config, Fit
from choreia.models.moves.features import PER_COUNT, Take, see
from choreia.models.moves.model import MODEL, STYLE_WINDOW, Judge, Net, figures
from choreia.synth.choreographer import choreograph
from choreia.synth.counting import count_out
from choreia.synth.moves import STYLES
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.types import Features, Motion, Move, Script

_SEEDS = 1_618_033
"""Sets the judges' dances apart from those that models are trained on."""
HELD_OUT = 1_000_000
"""Number of the first dance that measures the judges; training counts from 0."""

_TEMPI_BPM = (72.0, 144.0)
_DRIFT = 0.03
_OTHER_METRE = 0.15  # share of dances to music in the other metre, three or four
_EARLY = 2  # samples by which a window may begin before its figure, or end after it: a quarter of a count


@dataclass(frozen=True)
class Slot:
    """Counts [start, end) in which a figure, "style/figure", is danced."""

    figure: str
    start: int
    end: int


@dataclass(frozen=True)
class Danced:
    """A dance of the choreographer: its style, counts 0, 1, … at `counts_s` (C,), and what is danced when."""

    style: str
    motion: Motion
    counts_s: np.ndarray
    slots: tuple[Slot, ...]


def dance(number: int, styles: tuple[str, ...], seconds: float) -> Danced:
    """Dance `number`; styles take turns."""
    rng = np.random.default_rng((_SEEDS, number))
    style = STYLES[styles[number % len(styles)]]
    beats = _beats(rng, seconds)
    downbeats = beats[int(rng.integers(2)) :: style.metre if rng.random() > _OTHER_METRE else 7 - style.metre]
    counting = count_out(beats, downbeats, style)
    long = 3 * counting.metre
    starts = range(int(counting.bars[0]), counting.end - long, long)
    slots = tuple(Slot(name, start, start + long) for start, name in zip(starts, _deck(rng, style.name, styles), strict=False))
    edges = counting.seconds(np.array([[slot.start, slot.end] for slot in slots])).tolist()
    script = Script(style.name, tuple(Move(start_s, end_s, slot.figure) for slot, (start_s, end_s) in zip(slots, edges, strict=True)))
    seed, length_s = int(rng.integers(2**31)), float(beats[-1])
    made = choreograph(beats, downbeats, (), style.name, seed, energy=_energy(rng, length_s), duration_s=length_s, script=script)
    return Danced(style.name, made.motion, counting.times_s, slots)


def _beats(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Beats at a tempo that comes and goes a little."""
    beat_s = 60 / rng.uniform(*_TEMPI_BPM)
    wave = np.sin(np.arange(int(seconds / beat_s)) * rng.uniform(0.02, 0.2) + rng.uniform(0, 2 * np.pi))
    return np.cumsum(beat_s * (1 + _DRIFT * wave)) - beat_s / 2


def _deck(rng: np.random.Generator, style: str, styles: tuple[str, ...]) -> list[str]:
    """Figures to dance: the style's own and anyone's in turn."""
    everyone = figures(styles)
    own = np.resize(figures((style,)), len(everyone))
    return list(map(str, chain.from_iterable(zip(rng.permutation(own), rng.permutation(everyone), strict=True))))


def _energy(rng: np.random.Generator, seconds: float) -> Features:
    """Energy of the music that comes and goes, two values a second."""
    wave = np.sin(np.arange(int(2 * seconds) + 2) * rng.uniform(0.05, 0.4))
    level = np.clip(rng.uniform(0.2, 0.9) + 0.25 * wave, 0, 1)
    return Features(level[:, None].astype(np.float32), 2.0, ("energy",))


# --------------------------------------------------------------------------------------------------------------- training


@dataclass(frozen=True)
class Draw:
    """Windows to train on: the batch of a step is a function of the seed and the step alone.

    `takes`: dances as they are seen; `slots`: for every figure, (take, first sample, end) of where it is danced; `style`: (takes,).
    """

    takes: tuple[Take, ...]
    slots: tuple[tuple[tuple[int, int, int], ...], ...]
    style: np.ndarray
    fit: Fit

    def figures(self, step: int) -> Batch:
        """Windows of counts with the number of their figure, or the number after the last for none."""
        rng = np.random.default_rng((self.fit.seed, 1, step))
        length = PER_COUNT * self.fit.counts[step % len(self.fit.counts)]
        labels = rng.integers(len(self.slots), size=self.fit.batch)
        labels[rng.random(self.fit.batch) < self.fit.none] = len(self.slots)
        made = [self._window(k, length, rng) if k < len(self.slots) else self._nothing(length, rng) for k in labels]
        return _batch(np.stack(made), labels, rng)

    def styles(self, step: int) -> Batch:
        """Windows of seconds with the number of the dance's style."""
        rng = np.random.default_rng((self.fit.seed, 2, step))
        chosen = rng.integers(len(self.takes), size=self.fit.batch)
        made = [_cut(self.takes[k].by_second, 0, len(self.takes[k].by_second), STYLE_WINDOW, rng) for k in chosen]
        return _batch(np.stack(made), self.style[chosen], rng)

    def _window(self, figure: int, length: int, rng: np.random.Generator) -> np.ndarray:
        take, start, end = self.slots[figure][rng.integers(len(self.slots[figure]))]
        return _cut(self.takes[take].by_count, start - _EARLY, end + _EARLY, length, rng)

    def _nothing(self, length: int, rng: np.random.Generator) -> np.ndarray:
        return nothing([self._window(k, length, rng) for k in rng.permutation(len(self.slots))[:3]], rng)


def _cut(values: np.ndarray, start: int, end: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """A random window of [start, end), moved to lie within `values`."""
    first = int(np.clip(rng.integers(start, end - length + 1), 0, len(values) - length))
    return values[first : first + length]


def _batch(made: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Batch:
    return {"windows": torch.from_numpy(augmented(made, rng)), "labels": torch.from_numpy(labels)}


def draw(config: Config, fit: Fit) -> Draw:
    """Dances to train on."""
    names = figures(config.styles)
    takes, places = [], [list[tuple[int, int, int]]() for _ in names]
    for number in range(fit.dances):
        danced = dance(number, config.styles, fit.seconds)
        takes.append(see(danced.motion, danced.counts_s))
        for slot in danced.slots:
            places[names.index(slot.figure)].append((number, slot.start * PER_COUNT, slot.end * PER_COUNT))
    return Draw(tuple(takes), tuple(map(tuple, places)), np.arange(fit.dances) % len(config.styles), fit)


def train_judge(path: Path, config: Config, fit: Fit) -> Path:
    """Train both judges from nothing and write them to `path`; about two and a half minutes of one core for the "small" variant."""
    given = draw(config, fit)
    tensors = _trained("figure", given.figures, [take.by_count for take in given.takes], len(given.slots) + 1, config, fit)
    tensors |= _trained("style", given.styles, [take.by_second for take in given.takes], len(config.styles), config, fit)
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json()})
    return path


def _trained(name: str, batches: Callable[[int], Batch], seen: list[np.ndarray], classes: int, config: Config, fit: Fit) -> dict:
    """Averaged weights of one judge, their names below `name`."""
    values = np.concatenate([take[::PER_COUNT] for take in seen])
    torch.manual_seed(fit.seed)
    net = Net(config, classes, torch.from_numpy(values.mean(0)), torch.from_numpy(np.maximum(values.std(0), 0.02)))
    phase = Phase(name, fit.steps, batches, fit.lr, weight_decay=fit.weight_decay, warmup=fit.warmup, ema=fit.ema)
    with tempfile.TemporaryDirectory() as folder:
        average = train(net, [phase], Settings(Path(folder), fit.seed, bf16=False))
    return {f"{name}.{key}": value.cpu() for key, value in average.items()}


def open_judge(folder: Path | None = None, variant: str = "small") -> Judge:
    """The judges of `folder` (None: the user's cache), trained there first when they are missing or the choreographer has changed."""
    return Judge(read_weights(kept_judge(folder, variant), MODEL))


def kept_judge(folder: Path | None = None, variant: str = "small") -> Path:
    """Where the weights of the judges lie; they are there when this returns."""
    config, fit = VARIANTS[variant]
    path = (folder or _cache()) / f"moves-{_fingerprint(config, fit)[:16]}.safetensors"
    return path if path.is_file() else train_judge(path, config, fit)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "choreia"


def _fingerprint(config: Config, fit: Fit) -> str:
    """Changes when the judges would: with their sizes, with any figure, and with how the choreographer moves."""
    digest = hashlib.sha256(repr((config, fit, [STYLES[name] for name in config.styles])).encode())
    for number in range(len(config.styles)):
        digest.update(np.round(dance(number, config.styles, 12.0).motion.rotations, 3).tobytes())
    return digest.hexdigest()
