"""Lead melodies: a short rhythmic and melodic motif, answered, repeated and closed, fitted to the chords.

A phrase is four bars: motif, its answer, motif again, a close on a long chord tone (the period A A' A B of song writing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from choreia.synth.harmony import Chord, nearest_chord_degree


@dataclass(frozen=True)
class MelodyNote:
    """`beat` from the bar's start, `length` in beats, scale `degree` (0 = tonic; any integer)."""

    beat: float
    length: float
    degree: int


def rhythm(meter: int, density: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Places in a bar where notes start, in half beats (quarter beats when dense): the first beat likely, off-beats rarer."""
    grid = np.arange(0, meter, 0.5)
    weight = np.where(grid % 1 == 0, 0.45, 0.28) + 0.35 * density
    weight[0] = 0.75
    weight[-1] *= 0.5
    places = [float(place) for place, w in zip(grid, weight, strict=True) if rng.random() < w]
    if density > 0.5 and len(places) > 2 and rng.random() < 0.5:
        places.append(float(rng.choice(places[1:])) + 0.25)
    return tuple(sorted(set(places))) or (0.0, min(1.5, meter / 2))


def contour(count: int, rng: np.random.Generator) -> tuple[int, ...]:
    """A line of `count` scale steps: mostly stepwise, a leap now and then, turned back after it."""
    line, leap = [0], 0
    for _ in range(count - 1):
        step = (
            -int(np.sign(leap))
            if abs(leap) > 1
            else int(rng.choice([-2, -1, -1, 0, 1, 1, 2, 3, -3], p=[0.1, 0.2, 0.1, 0.12, 0.2, 0.1, 0.1, 0.05, 0.03]))
        )
        line.append(line[-1] + step)
        leap = step
    return tuple(line)


def _bar(places: Sequence[float], line: Sequence[int], base: int, chord: Chord, meter: int) -> tuple[MelodyNote, ...]:
    """One bar of melody; notes on whole beats are moved to chord tones."""
    notes = []
    ends = [*places[1:], float(meter)]
    for place, end, step in zip(places, ends, line, strict=False):
        degree = base + step
        if place % 1 == 0:
            degree = nearest_chord_degree(degree, chord)
        notes.append(MelodyNote(place, min(1.8, 0.92 * (end - place)), degree))
    return tuple(notes)


def phrase(chords: Sequence[Chord], meter: int, density: float, base: int, rng: np.random.Generator) -> tuple[tuple[MelodyNote, ...], ...]:
    """A melody over `chords`, one a bar: per bar its notes. `base` is the scale degree it circles round."""
    motif, answer = rhythm(meter, density, rng), rhythm(meter, density, rng)
    rising, falling = contour(len(motif), rng), contour(len(answer), rng)
    bars = []
    for index, chord in enumerate(chords):
        kind = index % 4
        if kind == 3:
            places = motif[: max(1, len(motif) // 2)]
            close = _bar(places, rising, base - (index // 4) % 2, chord, meter)
            held = nearest_chord_degree(close[-1].degree - 1, chord)
            bars.append((*close[:-1], MelodyNote(close[-1].beat, max(0.9, 0.8 * (meter - close[-1].beat)), held)))
        elif kind == 1:
            bars.append(_bar(answer, falling, base + 1, chord, meter))
        else:
            bars.append(_bar(motif, rising, base, chord, meter))
    return tuple(bars)
