"""How a dancer counts music: beats and bars in, counts and phrases out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.synth.moves import Style
from choreia.synth.moves.notation import Figure
from choreia.types import Section

_BEATLESS_S = 0.75  # pulse in seconds that a song without beats is danced to


@dataclass(frozen=True)
class Counting:
    """Counts of a dance: `times_s` (N,) of counts 0, 1, …; `bars` (B,): counts on which bars of the music begin, at `bars_s`.

    `metre`: counts in a dancer's bar, 3 or 4. `bars_in_phrase`: bars of the music. `end`: the count after the last.
    """

    times_s: np.ndarray
    bars: np.ndarray
    bars_s: np.ndarray
    metre: int
    bars_in_phrase: int
    end: int

    @property
    def count_s(self) -> float:
        """Typical length of a count, seconds."""
        return float(np.median(np.diff(self.times_s)))

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Counts, with fractions, at times in seconds."""
        return clock.beat_position(times_s, self.times_s)

    def seconds(self, counts: np.ndarray) -> np.ndarray:
        """Times of counts."""
        return clock.beat_time(counts, self.times_s)


@dataclass(frozen=True)
class Phrase:
    """`counts` counts from count `start`: phrase number `index` of the material called `label`.

    `asked`: figures that it has to be filled with, in turn, and whether each begins as written; empty: the choreographer's choice.
    """

    start: int
    counts: int
    label: str
    index: int
    asked: tuple[tuple[Figure, bool], ...] = ()


def pulse(beats: np.ndarray, downbeats: np.ndarray, duration_s: float | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Beats, downbeats and length in seconds to dance to; ChoreiaError for a length of zero or an unknown one."""
    if len(beats) < 2:
        if not duration_s:
            raise ChoreiaError("a dance without beats needs its length: give duration_s")
        beats, downbeats = np.arange(0, duration_s + 2 * _BEATLESS_S, _BEATLESS_S), np.empty(0)
    length_s = float(beats[-1] + (beats[-1] - beats[-2])) if duration_s is None else duration_s
    if length_s <= 0:
        raise ChoreiaError(f"cannot dance for {length_s:g} s: the length must be positive")
    return beats, downbeats if len(downbeats) else beats[::4], length_s


def counts_per_beat(beat_s: float, style: Style) -> float:
    """1, or 1/2 or 2 where the music is too fast or too slow for the style; a style in three never skips beats."""
    low, high = style.tempo
    bpm = 60 / beat_s
    ratios = (1.0, 2.0) if style.metre == 3 else (1.0, 0.5, 2.0)
    return min(ratios, key=lambda ratio: max(low / (bpm * ratio), bpm * ratio / high, 1.0))


def count_out(beats: np.ndarray, downbeats: np.ndarray, style: Style) -> Counting:
    """Count music for a style.

    Counts are beats, or two beats, or half beats. A style in three counts any other bar as slow, quick, quick: in four-four on beats 1, 3
    and 4, the way a box step is danced to a foxtrot, so that its first step still falls on the downbeat.
    """
    per_beat = counts_per_beat(float(np.median(np.diff(beats))), style)
    bars = np.unique(np.abs(beats[:, None] - downbeats[None]).argmin(axis=0)).astype(float)
    bar = float(np.median(np.diff(bars))) if len(bars) > 1 else 4.0
    in_threes = (bar * per_beat) % 3 == 0 and (bar * per_beat) % 4 != 0
    if style.metre == 3 and not in_threes:
        places = _slow_quick_quick(bars, bar, per_beat, len(beats))
    else:
        back = np.floor(bars[0] * per_beat)
        places = bars[0] + np.arange(-back, np.floor((len(beats) - bars[0]) * per_beat) + 2) / per_beat
    counts = np.unique(np.round(np.interp(bars, places, np.arange(len(places)))).astype(int))
    end = int(np.interp(len(beats), places, np.arange(len(places))) + 1e-6)
    times_s = clock.beat_time(places, beats)
    metre = 3 if style.metre == 3 or in_threes else 4
    return Counting(times_s, counts, times_s[counts], metre, round(2 / per_beat), end)


def _slow_quick_quick(bars: np.ndarray, bar: float, per_beat: float, beats: int) -> np.ndarray:
    """Places, in beats, of three counts in every bar, or in every half of a long one; the first lasts as long as the others together."""
    found: list[float] = []
    for head, tail in pairwise([*bars, *np.arange(bars[-1] + bar, beats + 2 * bar, bar)]):
        halves = max(1, round((tail - head) * per_beat / 4))
        group = (tail - head) / (halves if (tail - head) % halves == 0 else 1)
        inside = [0.0, group / 2, group * 3 / 4] if group < 3 or group % 4 == 0 else [0.0, np.ceil(group / 3), np.ceil(group * 2 / 3)]
        found += [first + place for first in np.arange(head, tail - 1e-6, group) for place in inside]
    return np.array(found)


def phrases(counting: Counting, sections: Sequence[Section]) -> list[Phrase]:
    """Phrases of two bars (8 counts in four-four, 6 in three-four) from the first downbeat to the last beat, anew with every section."""
    opening = {int(counting.bars[np.abs(counting.bars_s - s.start_s).argmin()]): s.label for s in sections}
    opening.setdefault(int(counting.bars[0]), sections[0].label if sections else "song")
    heads = sorted(opening)
    found = []
    for head, tail in pairwise([*heads, counting.end]):
        inside = counting.bars[(counting.bars >= head) & (counting.bars < tail)]
        edges = [*(int(b) for b in inside[:: counting.bars_in_phrase]), tail]
        found += [Phrase(a, b - a, opening[head], i) for i, (a, b) in enumerate(pairwise(edges)) if b > a]
    return found
