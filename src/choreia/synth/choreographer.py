"""A seeded choreographer: a song's beats and sections in, a whole dance and its words out.

Phrases are 8 counts (two bars; 6 counts in three-four) that begin on a downbeat. Each is built from the named figures of `synth.moves`; a
section's label and the phrase's place in it decide what is danced, so material that returns in the music returns in the dance. A script's
timed moves are danced where it has them, in the manner of the style whatever style they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.synth.asked import interleave, windows
from choreia.synth.counting import Counting, Phrase, count_out, phrases, pulse
from choreia.synth.moves import STYLES, Style
from choreia.synth.moves.body import pose
from choreia.synth.moves.fitting import cut, in_manner, in_metre, on_the_spot
from choreia.synth.moves.notation import Figure
from choreia.synth.moves.score import Grid, Placed, channels
from choreia.synth.repertoire import label, style_in
from choreia.types import Features, Motion, Move, Script, Section

STAGE_M = 1.7
"""How far from the centre of the stage, on either axis, a figure may take the dancer."""

_WAYS_RAD = (0.0, 0.75, -0.75, 1.5, -1.5)  # how far a travelling figure may be turned to stay on the stage,
_NEAR_RAD = 1.3  # but no further than this from where the dancer faces,
_BACK_RAD = 0.75  # and how far a phrase turns back to the front

REPEATED = 0.6
"""Share of phrases that repeat the figure they begin with."""


@dataclass(frozen=True)
class Dance:
    """A dance on choreia-24 and the words for it."""

    motion: Motion
    script: Script


def choreograph(
    beats_s: np.ndarray,
    downbeats_s: np.ndarray,
    sections: Sequence[Section],
    style: str | None,
    seed: int,
    fps: float = 30,
    energy: Features | None = None,
    duration_s: float | None = None,
    script: Script | None = None,
    cards: Sequence[Figure] = (),
) -> Dance:
    """Make a dance.

    Args:
        beats_s: (B,) seconds, rising. Fewer than two: danced to a slow pulse of its own.
        downbeats_s: (D,) seconds, each near a beat; empty: every fourth beat.
        sections: equal labels are danced alike; empty: one section.
        style: a key of `synth.moves.STYLES`; a style named in `script.style` goes before it. None: the script names it.
        seed: the same seed gives the same bytes.
        fps: frames a second.
        energy: first column in [0, 1]; scales the movement.
        duration_s: length of the dance; None: one beat after the last.
        script: its timed moves (words as in `repertoire.find`) are danced in their windows, each edge on the nearest count, repeated on
            alternating sides and cut on a count to fill them; the rest is the choreographer's.
        cards: figures dealt to the phrases that are the choreographer's, in order and from the first again when they run out.
    Raises:
        ChoreiaError: unknown style or figure, a move outside the dance, or a length of zero.
    """
    manner = _manner(style, script)
    beats, downbeats, length_s = pulse(np.asarray(beats_s, float), np.asarray(downbeats_s, float), duration_s)
    counting = count_out(beats, downbeats, manner)
    planned = plan(counting, sections, manner, length_s, script, cards, seed)
    placed = place(planned, _sizes(planned, counting, energy), manner, counting.metre, seed)
    times_s = clock.frame_times(clock.frames_in(length_s, fps), fps)
    grid = Grid(counting.at(times_s), times_s, counting.count_s)
    motion = pose(channels(placed, manner, grid, np.random.default_rng([seed, 1])), fps)
    return Dance(motion, Script(manner.text, _words(placed, counting, length_s)))


def plan(
    counting: Counting,
    sections: Sequence[Section],
    style: Style,
    length_s: float,
    script: Script | None = None,
    cards: Sequence[Figure] = (),
    seed: int = 0,
) -> list[Phrase]:
    """Phrases of the whole dance, those asked for by the script or dealt from `cards` with their figures."""
    asked = windows(script.moves, style.name, counting, length_s) if script else []
    planned = interleave(phrases(counting, sections), asked, 2 * counting.metre)
    return deal(planned, cards, counting.metre, seed) if cards else planned


def deal(planned: Sequence[Phrase], cards: Sequence[Figure], metre: int, seed: int) -> list[Phrase]:
    """Figures dealt in order to the phrases that nobody asked anything of: one a phrase, or two that share it where both fit."""
    rng = np.random.default_rng([seed, 2])
    dealt, k = [], 0
    for phrase in planned:
        if not phrase.asked:
            first, second = (cards[(k + i) % len(cards)] for i in (0, 1))
            shared = rng.random() > REPEATED and in_metre(first, metre).counts + in_metre(second, metre).counts <= phrase.counts
            k += 1 + shared
            phrase = replace(phrase, asked=tuple((figure, bool(rng.integers(2))) for figure in (first, second)[: 1 + shared]))
        dealt.append(phrase)
    return dealt


def place(planned: Sequence[Phrase], sizes: np.ndarray, style: Style, metre: int, seed: int) -> list[Placed]:
    """Choose figures for every phrase and walk them over the stage; `sizes` (len(planned),) scales the movement."""
    x, z, facing, away, now = 0.0, 0.0, 0.0, 0.0, 0.0
    placed: list[Placed] = []
    for item, size in zip(planned, sizes, strict=True):
        rng = np.random.default_rng([seed, crc32(item.label.encode()), item.index])
        reach, idle, syncopated = rng.uniform(0.86, 1.08), int(rng.integers(2)), rng.random() < 0.15
        away -= float(np.clip(away, -_BACK_RAD, _BACK_RAD))
        heading = facing + away + rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5)])
        start = item.start
        for figure, left_first in _fill(item, style, metre, seed, rng):
            step = Placed(figure, start, x, z, heading, float(size), float(reach * np.clip(size, 0.85, 1.08)), idle, left_first, syncopated)
            step, (x, z) = _on_stage(step, now)
            placed.append(step)
            turn = step.figure.turn if step.left_first else -step.figure.turn
            away, facing, now = away + step.heading - heading, facing + turn, step.heading + turn
            heading = now
            x, z = x - float(np.clip(0.25 * x, -0.12, 0.12)), z - float(np.clip(0.25 * z, -0.12, 0.12))
            start += figure.counts
    return placed


def _manner(style: str | None, script: Script | None) -> Style:
    """The style of the whole dance."""
    name = (style_in(script.style) if script else None) or style
    if name not in STYLES:
        raise ChoreiaError(f"unknown dance style {name!r}: use one of {', '.join(STYLES)}")
    return STYLES[name]


def _sizes(planned: Sequence[Phrase], counting: Counting, energy: Features | None) -> np.ndarray:
    """Size of movement of every phrase: larger where the music is, smaller where counts are short."""
    edges = counting.seconds(np.array([[p.start, p.start + p.counts] for p in planned]))
    count_s = (edges[:, 1] - edges[:, 0]) / np.array([p.counts for p in planned])
    pace = np.clip((count_s / 0.5) ** 0.5, 0.72, 1.12)
    if energy is None:
        return pace
    at = np.linspace(edges[:, 0], edges[:, 1], 16)
    level = np.interp(at, clock.frame_times(len(energy.values), energy.fps), energy.values[:, 0]).mean(axis=0)
    return pace * (0.72 + 0.5 * level)


def _fill(item: Phrase, style: Style, metre: int, seed: int, rng: np.random.Generator) -> list[tuple[Figure, bool]]:
    """Figures (and whether they begin as written) that fill a phrase, the last one cut where it does not fit."""
    turns = item.asked or _chosen(item, style, metre, seed, rng)
    chosen: list[tuple[Figure, bool]] = []
    room = item.counts
    while room:
        round_, k = divmod(len(chosen), len(turns))
        figure, left_first = turns[k]
        fitted = cut(_danced(figure, style, metre), room)
        chosen.append((fitted, left_first ^ bool(round_ % 2)))
        room -= fitted.counts
    return chosen


def _chosen(item: Phrase, style: Style, metre: int, seed: int, rng: np.random.Generator) -> tuple[tuple[Figure, bool], ...]:
    """Figures that take turns in a phrase that is the choreographer's: one leads, repeated on the other side or answered by others."""
    deck = np.random.default_rng([seed, crc32(item.label.encode())]).permutation(len(style.figures))
    lead = style.figures[deck[item.index % len(deck)]]
    side, repeat = bool(rng.integers(2)), rng.random() < REPEATED
    turns = [(lead, side)]
    room = item.counts - _danced(lead, style, metre).counts
    while room > 0 and not repeat:
        fits = [f for f in style.figures if _danced(f, style, metre).counts <= room]
        if not fits:
            break
        answer, side = fits[rng.integers(len(fits))], not side
        turns.append((answer, side))
        room -= _danced(answer, style, metre).counts
    return tuple(turns)


def _danced(figure: Figure, style: Style, metre: int) -> Figure:
    """A figure as the style dances it, in bars of `metre` counts."""
    return in_metre(figure if figure in style.figures else in_manner(figure, style.marks), metre)


def _on_stage(step: Placed, now: float) -> tuple[Placed, tuple[float, float]]:
    """The step as it is, else on the other side, else another way, else on the spot: whichever stays on the stage; and where it ends.

    `now` is where the dancer faces, rad: the other way is one that a first step can take.
    """
    spot = replace(step, figure=on_the_spot(step.figure))
    if step.figure.travel == (0.0, 0.0):
        return step, (step.x, step.z)
    for turned in (way for way in _WAYS_RAD if not way or abs(step.heading + way - now) < _NEAR_RAD):
        for left_first in (step.left_first, not step.left_first):
            tried = replace(step, left_first=left_first, heading=step.heading + turned)
            travel = tried.figure.travel if left_first else tried.figure.mirrored().travel
            end = tried.floor(tried.stride * travel[0], tried.stride * travel[1])
            if max(map(abs, end)) <= STAGE_M:
                return tried, end
    return spot, (step.x, step.z)


def _words(placed: Sequence[Placed], counting: Counting, length_s: float) -> tuple[Move, ...]:
    """Timed words of every figure that begins within the dance."""
    times = np.clip(counting.seconds(np.array([[p.start, p.start + p.figure.counts] for p in placed])), 0, length_s)
    return tuple(Move(float(a), float(b), label(p.figure, p.left_first)) for p, (a, b) in zip(placed, times, strict=True) if b > a)
