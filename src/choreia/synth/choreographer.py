"""A seeded choreographer: a song's beats and sections in, a whole dance and its words out.

Phrases are 8 counts (two bars) that begin on a downbeat. Each is built from the named figures of `synth.moves`; a section's label
and the phrase's place in it decide what is danced, so material that returns in the music returns in the dance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zlib import crc32

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.synth.moves import STYLES, Style
from choreia.synth.moves.body import pose
from choreia.synth.moves.notation import Figure
from choreia.synth.moves.score import Grid, Placed, channels
from choreia.types import Features, Motion, Move, Script, Section

STAGE_M = 1.7
"""How far from the centre of the stage, on either axis, a figure may take the dancer."""

_BEATLESS_S = 0.75  # pulse in seconds that a song without beats is danced to


@dataclass(frozen=True)
class Dance:
    """A dance on choreia-24 and the words for it."""

    motion: Motion
    script: Script


@dataclass(frozen=True)
class Phrase:
    """`counts` counts from count `start`: phrase number `index` of the material called `label`."""

    start: float
    counts: int
    label: str
    index: int


def choreograph(
    beats_s: np.ndarray,
    downbeats_s: np.ndarray,
    sections: Sequence[Section],
    style: str,
    seed: int,
    fps: float = 30,
    energy: Features | None = None,
    duration_s: float | None = None,
) -> Dance:
    """Make a dance.

    Args:
        beats_s: (B,) seconds, rising. Fewer than two: danced to a slow pulse of its own.
        downbeats_s: (D,) seconds, each near a beat; empty: every fourth beat.
        sections: equal labels are danced alike; empty: one section.
        style: a key of `synth.moves.STYLES`.
        seed: the same seed gives the same bytes.
        fps: frames a second.
        energy: first column in [0, 1]; scales the movement.
        duration_s: length of the dance; None: one beat after the last.
    Raises:
        ChoreiaError: unknown style, or a length of zero.
    """
    if style not in STYLES:
        raise ChoreiaError(f"unknown dance style {style!r}: use one of {', '.join(STYLES)}")
    manner = STYLES[style]
    beats, downbeats, length_s = _pulse(np.asarray(beats_s, float), np.asarray(downbeats_s, float), duration_s)
    per_beat = counts_per_beat(float(np.median(np.diff(beats))), manner)
    phrases = phrase(beats, downbeats, sections, per_beat)
    sizes = _sizes(phrases, beats, per_beat, energy)
    placed = place(phrases, sizes, manner, seed)
    times_s = clock.frame_times(clock.frames_in(length_s, fps), fps)
    grid = Grid(clock.beat_position(times_s, beats) * per_beat, times_s, float(np.median(np.diff(beats))) / per_beat)
    motion = pose(channels(placed, manner, grid, np.random.default_rng([seed, 1])), fps)
    return Dance(motion, Script(manner.text, _words(placed, beats, per_beat, length_s)))


def counts_per_beat(beat_s: float, style: Style) -> float:
    """1, or 1/2 or 2 where the music is too fast or too slow for the style."""
    low, high = style.tempo
    bpm = 60 / beat_s
    return min((1.0, 0.5, 2.0), key=lambda ratio: max(low / (bpm * ratio), bpm * ratio / high, 1.0))


def phrase(beats: np.ndarray, downbeats: np.ndarray, sections: Sequence[Section], per_beat: float) -> list[Phrase]:
    """Phrases of two bars (8 counts in four-four) from the first downbeat to the last beat, begun anew with every section."""
    bars = np.unique(np.abs(beats[:, None] - downbeats[None]).argmin(axis=0))
    starts = [s.start_s for s in sections]
    opening = {int(bars[np.abs(beats[bars] - start).argmin()]): s.label for start, s in zip(starts, sections, strict=True)}
    opening.setdefault(int(bars[0]), sections[0].label if sections else "song")
    heads = sorted(opening)
    found = []
    for head, tail in pairwise([*heads, len(beats)]):
        edges = [*bars[(bars >= head) & (bars < tail)][:: round(2 / per_beat)], tail]
        counts = [int((b - a) * per_beat) for a, b in pairwise(edges)]
        found += [Phrase(a * per_beat, n, opening[head], i) for i, (a, n) in enumerate(zip(edges[:-1], counts, strict=True)) if n]
    return found


def place(phrases: Sequence[Phrase], sizes: np.ndarray, style: Style, seed: int) -> list[Placed]:
    """Choose figures for every phrase and walk them over the stage; `sizes` (len(phrases),) scales the movement."""
    x, z, heading, facing = 0.0, 0.0, 0.0, 0.0
    placed: list[Placed] = []
    for item, size in zip(phrases, sizes, strict=True):
        rng = np.random.default_rng([seed, crc32(item.label.encode()), item.index])
        reach, idle, syncopated = rng.uniform(0.86, 1.08), int(rng.integers(2)), rng.random() < 0.15
        turned = facing + rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5)])
        start = item.start
        for figure, left_first in _fill(item, style, seed, rng):
            heading = turned
            step = Placed(figure, start, x, z, heading, float(size), float(reach * np.clip(size, 0.85, 1.08)), idle, left_first, syncopated)
            step, (x, z) = _on_stage(step)
            placed.append(step)
            turn = step.figure.turn if step.left_first else -step.figure.turn
            turned, facing = turned + turn, facing + turn
            x, z = x - float(np.clip(0.25 * x, -0.12, 0.12)), z - float(np.clip(0.25 * z, -0.12, 0.12))
            start += figure.counts
    return placed


def _pulse(beats: np.ndarray, downbeats: np.ndarray, duration_s: float | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Beats, downbeats and length to dance to."""
    if len(beats) < 2:
        if not duration_s:
            raise ChoreiaError("a dance without beats needs its length: give duration_s")
        beats, downbeats = np.arange(0, duration_s + 2 * _BEATLESS_S, _BEATLESS_S), np.empty(0)
    length_s = float(beats[-1] + (beats[-1] - beats[-2])) if duration_s is None else duration_s
    if length_s <= 0:
        raise ChoreiaError(f"cannot dance for {length_s:g} s: the length must be positive")
    return beats, downbeats if len(downbeats) else beats[::4], length_s


def _sizes(phrases: Sequence[Phrase], beats: np.ndarray, per_beat: float, energy: Features | None) -> np.ndarray:
    """Size of movement of every phrase: larger where the music is, smaller where counts are short."""
    edges = clock.beat_time(np.array([[p.start, p.start + p.counts] for p in phrases]) / per_beat, beats)
    count_s = (edges[:, 1] - edges[:, 0]) / np.array([p.counts for p in phrases])
    pace = np.clip((count_s / 0.5) ** 0.5, 0.72, 1.12)
    if energy is None:
        return pace
    at = np.linspace(edges[:, 0], edges[:, 1], 16)
    level = np.interp(at, clock.frame_times(len(energy.values), energy.fps), energy.values[:, 0]).mean(axis=0)
    return pace * (0.72 + 0.5 * level)


def _fill(item: Phrase, style: Style, seed: int, rng: np.random.Generator) -> list[tuple[Figure, bool]]:
    """Figures (and whether they begin as written) that fill a phrase: one leads, repeated on the other side or answered by others."""
    deck = np.random.default_rng([seed, crc32(item.label.encode())]).permutation(len(style.figures))
    lead = style.figures[deck[item.index % len(deck)]]
    side, repeat = bool(rng.integers(2)), rng.random() < 0.6
    chosen: list[tuple[Figure, bool]] = []
    room = item.counts
    while room:
        fits = [f for f in style.figures if f.counts <= room and f.counts < 8]
        figure = lead if lead.counts <= room and (repeat or not chosen) else fits[rng.integers(len(fits))] if fits else None
        if figure is None:
            break
        chosen.append((figure, side))
        side, room = not side, room - figure.counts
    return chosen


def _on_stage(step: Placed) -> tuple[Placed, tuple[float, float]]:
    """The step as it is, else on the other side, else on the spot: whichever stays on the stage; and where it ends."""
    spot = replace(step, figure=replace(step.figure, travel=(0.0, 0.0)))
    for tried in (step, replace(step, left_first=not step.left_first)):
        travel = tried.figure.travel if tried.left_first else tried.figure.mirrored().travel
        end = tried.floor(tried.stride * travel[0], tried.stride * travel[1])
        if max(map(abs, end)) <= STAGE_M:
            return tried, end
    return spot, (step.x, step.z)


def _words(placed: Sequence[Placed], beats: np.ndarray, per_beat: float, length_s: float) -> tuple[Move, ...]:
    """Timed words of every figure that begins within the dance."""
    counts = np.array([[p.start, p.start + p.figure.counts] for p in placed])
    times = np.clip(clock.beat_time(counts / per_beat, beats), 0, length_s)
    return tuple(
        Move(float(a), float(b), f"{p.figure.name}{'' if p.left_first else ' (other side)'}: {p.figure.text}")
        for p, (a, b) in zip(placed, times, strict=True)
        if b > a
    )
