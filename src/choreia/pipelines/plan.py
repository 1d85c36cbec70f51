"""What a whole song asks of a dance: where material returns, where the dancer enters and ends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.types import Move, Music, Section


@dataclass(frozen=True)
class Echo:
    """Material that returns: token i is drawn towards token `source[i]` (fractional) with `weight[i]` in [0, 1]; both (N,)."""

    source: np.ndarray
    weight: np.ndarray


def echoes(music: Music, tokens: int, tokens_per_s: float, strength: float = 0.9, counts_free: int = 8) -> Echo:
    """Later occurrences of a section echo the first one beat by beat; their last `counts_free` beats are free to vary."""
    source = np.arange(tokens, dtype=float)
    weight = np.zeros(tokens)
    if not music.has_beat:
        return Echo(source, weight)
    times = source / tokens_per_s
    for section, first in _returns(music.sections):
        inside = np.flatnonzero((times >= section.start_s) & (times < section.end_s))
        place = clock.beat_position(times[inside], music.beats_s)
        counts = place - clock.beat_position(np.array([section.start_s]), music.beats_s)
        origin = clock.beat_time(counts + clock.beat_position(np.array([first.start_s]), music.beats_s), music.beats_s)
        left = min(_counts(first, music), _counts(section, music)) - counts_free - counts
        ramp = np.clip(counts / 2 + 0.25, 0, 1) * np.clip(left / 2, 0, 1)
        usable = origin < first.end_s
        source[inside[usable]] = origin[usable] * tokens_per_s
        weight[inside[usable]] = strength * ramp[usable]
    return Echo(source, weight)


def _returns(sections: tuple[Section, ...]) -> list[tuple[Section, Section]]:
    first: dict[str, Section] = {}
    pairs = []
    for section in sections:
        if section.label in first:
            pairs.append((section, first[section.label]))
        else:
            first[section.label] = section
    return pairs


def _counts(section: Section, music: Music) -> float:
    start, stop = clock.beat_position(np.array([section.start_s, section.end_s]), music.beats_s)
    return float(stop - start)


def section_words(music: Music) -> tuple[Move, ...]:
    """One entry an 8-count that names its section."""
    bounds = [*music.eights_s, music.duration_s]
    return tuple(Move(float(a), float(b), _section_at(music, (a + b) / 2)) for a, b in pairwise(bounds) if b > a)


def _section_at(music: Music, time_s: float) -> str:
    return next((f"{s.label} {s.occurrence}" for s in music.sections if s.start_s <= time_s < s.end_s), "")


def entrance_s(music: Music) -> float:
    """How long the dancer takes to come out of the stance: one beat or so, at most 1.2 s and a quarter of the song."""
    beat_s = float(np.median(np.diff(music.beats_s))) if music.has_beat else 0.8
    return min(1.2, 2 * beat_s, music.duration_s / 4)


def ending_s(music: Music, hold_s: float = 1.0) -> float:
    """When the last movement runs out: on the last beat that leaves a third of `hold_s`, at most `hold_s` before the end."""
    latest = music.duration_s - hold_s / 3
    beats = music.beats_s[music.beats_s <= latest]
    last = float(beats[-1]) if len(beats) else 0.0
    return max(last, music.duration_s - hold_s)
