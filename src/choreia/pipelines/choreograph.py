"""From analysed music to a finished take: the model moves, then the last mile (beat lock, stage, feet, entrance, ending)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.models import load
from choreia.models.base import Generator
from choreia.motion import beats, cleanup, staging
from choreia.motion.timing import beat_lock
from choreia.pipelines import plan
from choreia.synth.choreographer import STYLES, choreograph
from choreia.types import Motion, Move, Music, Script

FPS = 30.0
REPERTOIRE = {"salsa": 0.2, "party": 0.2, "hip-hop": 0.2, "contemporary": 0.13, "ballet": 0.14, "indian": 0.13}
"""What the model dances when it is not told: the styles of real takes, evened out."""

Progress = Callable[[str, float], None]


class Dancer(Protocol):
    """Whoever can dance: a trained model or the rule-based choreographer."""

    @property
    def name(self) -> str:
        """What `--model` calls it."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights, None where there are none."""

    @property
    def styles(self) -> tuple[str, ...]:
        """What `--style` may ask for."""

    def move(self, music: Music, style: str | None, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Raw movement for the whole of `music` at 30 fps, at least as long as the music."""

    def seams_s(self, duration_s: float) -> np.ndarray:
        """Where pieces of a dance of this length were joined, seconds; empty when it is made in one piece."""


@dataclass(frozen=True)
class ModelDancer:
    """A trained generator over the "dance" features; returning sections echo their first occurrence."""

    generator: Generator
    name: str = "dancemeld"

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use."""
        return self.generator.weights_sha256

    @property
    def styles(self) -> tuple[str, ...]:
        """Style names that the weights know."""
        return self.generator.styles

    def move(self, music: Music, style: str | None, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Sample latents over the whole song at once and decode them."""
        frames = clock.frames_in(music.duration_s, FPS)
        features = _to_length(music.features["dance"].values, frames)
        tokens = self.generator.tokens_for(frames)
        echo = plan.echoes(music, tokens, self.generator.tokens_per_s)
        style = style or str(np.random.default_rng(seed).choice(list(REPERTOIRE), p=list(REPERTOIRE.values())))
        motion = self.generator.dance(features, style=style, seed=seed, echo=echo, progress=progress)
        return motion.slice(0, frames), _script(style, music)

    def seams_s(self, duration_s: float) -> np.ndarray:
        """Where windows begin and end."""
        return self.generator.seams_s(clock.frames_in(duration_s, FPS))


@dataclass(frozen=True)
class RuleDancer:
    """The seeded choreographer: named moves laid on the counts, no learning."""

    name: str = "choreographer"
    weights_sha256: str | None = None
    styles: tuple[str, ...] = tuple(STYLES)

    def move(self, music: Music, style: str | None, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Choreograph by rule; beatless music gets an even pulse of 90 BPM."""
        grid = music.beats_s if music.has_beat else np.arange(0, music.duration_s + 1, 60 / 90)
        bars = music.downbeats_s if music.has_beat else grid[::4]
        chosen = style or self.styles[seed % len(self.styles)]
        dance = choreograph(grid, bars, music.sections, chosen, seed, fps=FPS, energy=music.energy, duration_s=music.duration_s)
        return dance.motion, dance.script

    def seams_s(self, duration_s: float) -> np.ndarray:
        """None: it is made in one piece."""
        return np.zeros(0)


DANCERS: dict[str, Callable[[], Dancer]] = {"dancemeld": lambda: ModelDancer(load("small")), "choreographer": RuleDancer}


def dancer(model: str, style: str | None = None) -> Dancer:
    """The dancer called `model`, checked to know `style`."""
    if model not in DANCERS:
        raise ChoreiaError(f"unknown model {model!r}: choose one of {', '.join(DANCERS)}")
    chosen = DANCERS[model]()
    if style is not None and style not in chosen.styles:
        raise ChoreiaError(f"unknown style {style!r} for {model}: choose one of {', '.join(chosen.styles)}")
    return chosen


def choreograph_song(who: Dancer, music: Music, *, style: str | None, seed: int, progress: Progress | None = None) -> tuple[Motion, Script]:
    """A finished take of exactly the music's length, with its script."""
    motion, script = who.move(music, style, seed, progress)
    return finish(motion, music), script


def finish(motion: Motion, music: Music) -> Motion:
    """The last mile, in order: frame rate, head, length, beat lock, rests, ending, entrance, stage, feet."""
    motion = cleanup.limit_head(cleanup.resample(motion, FPS))
    frames = clock.frames_in(music.duration_s, FPS)
    motion = cleanup.warp(motion, np.minimum(clock.frame_times(frames, FPS), motion.times()[-1]))
    if music.has_beat:
        motion = beat_lock(motion, beats.kinetic_beats(motion), music.beats_s)
    motion = staging.rest(motion, energy_at_frames(music))
    motion = staging.end(motion, plan.ending_s(music))
    motion = staging.enter(motion, plan.entrance_s(music))
    return cleanup.lock_feet(cleanup.stay_on_stage(motion))


def energy_at_frames(music: Music) -> np.ndarray:
    """Energy of the music at every frame of its dance, (T,)."""
    return _to_length(music.energy.values, clock.frames_in(music.duration_s, FPS))[:, 0]


def _to_length(values: np.ndarray, frames: int) -> np.ndarray:
    """First `frames` rows, the last one repeated where there are fewer."""
    return values[np.minimum(np.arange(frames), len(values) - 1)]


def _script(style: str, music: Music) -> Script:
    """The global style, and one entry an 8-count that names its section."""
    bounds = [*music.eights_s, music.duration_s]
    moves = [Move(float(a), float(b), _section_at(music, (a + b) / 2)) for a, b in pairwise(bounds) if b > a]
    return Script(style, tuple(moves))


def _section_at(music: Music, time_s: float) -> str:
    return next((f"{s.label} {s.occurrence}" for s in music.sections if s.start_s <= time_s < s.end_s), "")
