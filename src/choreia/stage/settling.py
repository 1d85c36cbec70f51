"""From a track that a network made to a stage that an operator can run: what should stand still stands still, changes fall on bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.stage import cues, looks, style
from choreia.stage.style import from_vector, to_vector
from choreia.types import Music, Stage, Style

STILL = ("hue", "saturation", "contrast", "texture", "costume")
"""Fields that rest between two bounds; levels and beams move with the music."""

LEAST = 0.12
"""Distance of style vectors' still columns that is a change of scene; less is the same scene, told unsteadily."""

TREMBLING = 0.06
"""Changes of a level by less are none."""

DARKEST = 0.015
"""Levels below this are a network's noise around nothing."""


def bounds(music: Music) -> np.ndarray:
    """Where scenes may change: bars and sections, from 0 on, seconds; every 2 s where there are no bars."""
    grid = music.downbeats_s if len(music.downbeats_s) > 1 else np.arange(0, music.duration_s, 2.0)
    starts = [section.start_s for section in music.sections]
    inside = np.unique(np.round([0.0, *starts, *grid], 6))
    inside = inside[(inside >= 0) & (inside < music.duration_s)]
    return inside[np.concatenate([[True], np.diff(inside) > 0.2])]


def settled(track: Style, bounds_s: np.ndarray, fps: float = 30.0) -> tuple[Style, np.ndarray]:
    """A track whose still fields hold one value from one change of scene to the next, and which of the bounds (n,) are such changes.

    The value is the mean over a scene, on the colour circle for hues; a scene goes on while a bar differs from its mean by less than
    `LEAST`. Levels of next to nothing are nothing, and nothing strobes below 1 Hz.
    """
    vectors = to_vector(track)
    frames = [min(clock.to_frame(bound, fps), len(track)) for bound in bounds_s] + [len(track)]
    bars = [vectors[first:stop].mean(axis=0) if stop > first else None for first, stop in pairwise(frames)]
    starts = _scenes(bars)
    calm = vectors.copy()
    for first, last in zip(starts, [*starts[1:], len(bounds_s)], strict=True):
        rows = slice(frames[first], frames[last])
        calm[rows, _still()] = vectors[rows, _still()].mean(axis=0)
    rest = from_vector(calm)
    light = np.where(rest.light < DARKEST, 0, rest.light)
    changes = np.zeros(len(bounds_s), bool)
    changes[starts] = True
    return replace(rest, light=light, strobe_hz=np.where(rest.strobe_hz < 1, 0, rest.strobe_hz)), changes


def drawn(track: Style, music: Music, fps: float = 30.0) -> Style:
    """A track whose levels are read on half beats as an operator would play them: rests, straight fades and accents, no trembling."""
    beats = music.beats_s if music.has_beat else np.arange(0, music.duration_s, 0.5)
    grid = np.unique(np.concatenate([[0.0], beats, (beats[1:] + beats[:-1]) / 2]))
    found = cues.from_track(track, list(grid[(grid >= 0) & (grid < music.duration_s)]), fps=fps, reading=cues.Reading(TREMBLING))
    return replace(track, light=cues.to_track(found, len(track) / fps, fps).light) if found else track


def _still() -> np.ndarray:
    """Which columns of a style vector belong to `STILL`."""
    return np.array([name.split()[-1].split(".")[0] in STILL for name in style.VECTOR])


def _scenes(bars: Sequence[np.ndarray | None]) -> list[int]:
    """Indices of the bars (n,) in which another scene begins, the first among them."""
    still, starts, seen = _still(), [0], bars[0]
    count = 1
    for number, bar in enumerate(bars[1:], start=1):
        if bar is None or seen is None:
            continue
        if np.sqrt(np.mean((bar - seen / count)[still] ** 2)) > LEAST:
            starts, seen, count = [*starts, number], bar.copy(), 1
        else:
            seen, count = seen + bar, count + 1
    return starts


def staged(track: Style, music: Music, fps: float = 30.0) -> Stage:
    """The stage of a network's track: settled, levels drawn in straight lines, its scenes as slices named by the look that is nearest, and
    the cues that it amounts to."""
    where = bounds(music)
    calm, changes = settled(drawn(track, music, fps), where, fps)
    starts = where[changes]
    frames = [min(clock.to_frame(start, fps), len(calm) - 1) for start in starts] + [len(calm)]
    rows = [_middle(calm.rows(slice(first, max(stop, first + 1)))) for first, stop in pairwise(frames)]
    slices = style.join(rows)
    names = looks.nearest(slices)
    of_bound = np.clip(np.searchsorted(starts, where + 1e-6) - 1, 0, len(starts) - 1)
    found = cues.from_track(calm, list(where), [names[k] for k in of_bound], fps)
    return Stage(calm, starts, names, slices, found, fps)


def _middle(rows: Style) -> Style:
    """One row that stands for several: the mean of their vectors."""
    return from_vector(to_vector(rows).mean(axis=0, keepdims=True))
