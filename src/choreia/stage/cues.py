"""Cues and tracks: what a list of cues does to the stage over time, and the list of cues that a track amounts to.

A cue starts from where the stage stands at its time, also in the middle of another's fade. Levels that rise take its fade-in, levels that
fall its fade-out, in straight lines; hue and contrast go the short way round; a strobe switches at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.stage import style
from choreia.types import STYLE_RANGES, Cue, Style

ROUND = {name: np.isinf(np.array(ranges)[:, 1]) for name, ranges in STYLE_RANGES.items()}
"""Which columns of every field are angles of a circle."""


def _progress(since_s: np.ndarray, fade_s: float) -> np.ndarray:
    """How much of a fade is done, in [0, 1]."""
    return np.clip(since_s / fade_s, 0, 1) if fade_s > 0 else (since_s >= 0).astype(float)


def _difference(name: str, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """`end` minus `start` of columns of field `name`, circles the short way."""
    change = end.astype(float) - start
    return np.where(ROUND[name] if change.ndim > 1 else ROUND[name][0], (change + np.pi) % (2 * np.pi) - np.pi, change)


def _fade(start: Style, cue: Cue, times_s: np.ndarray) -> Style:
    """The stage at `times_s` (n,), not before the cue, that stood at the row `start` when the cue came."""
    since = np.asarray(times_s, float) - cue.time_s
    rise, fall = _progress(since, cue.fade_in_s), _progress(since, cue.fade_out_s)
    found = {}
    for name in STYLE_RANGES:
        first = getattr(start, name)
        change = _difference(name, first, getattr(cue.state, name))
        part = rise if first.ndim == 1 else rise[:, None]
        if name == "light":
            part = np.where(change > 0, rise[:, None], fall[:, None])
        # The state itself where the fade is done, so that a rest holds the very numbers of its cue.
        found[name] = np.where(part >= 1, getattr(cue.state, name), first + change * part)
    return Style(**{**found, "strobe_hz": np.repeat(cue.state.strobe_hz, len(since))})


def dark(row: Style) -> Style:
    """The same row with no zone lit and no strobe."""
    return replace(row, light=np.zeros_like(row.light), strobe_hz=np.zeros_like(row.strobe_hz))


def to_track(cues: Sequence[Cue], duration_s: float, fps: float = 30.0) -> Style:
    """What cues, sorted by time and at least one, do on the stage: Style at `fps` for `duration_s`. It is dark until the first of them."""
    times = clock.frame_times(clock.frames_in(duration_s, fps), fps)
    starts = np.searchsorted(times, np.array([cue.time_s for cue in cues]) - 1e-9)
    row = dark(cues[0].state)
    parts = [style.repeat(row, starts[0])]
    for number, (cue, start) in enumerate(zip(cues, starts, strict=True)):
        last = number + 1 == len(cues)
        parts.append(_fade(row, cue, times[start : None if last else starts[number + 1]]))
        row = row if last else _fade(row, cue, np.array([cues[number + 1].time_s]))
    return style.join(parts)


@dataclass(frozen=True)
class Reading:
    """How finely `from_track` reads: changes of any column, over its range, below `tolerance` are no cue; `rest_part` is the part at the
    end of every slice over which the track is averaged for the state it rests at."""

    tolerance: float = 0.02
    rest_part: float = 0.25


def _mean(rows: Style) -> Style:
    """One row: the mean of the rows, angles on their circle; the rows' own number where all are the same."""
    found = {}
    for name in STYLE_RANGES:
        value = getattr(rows, name)
        offset = _difference(name, value[:1], value).mean(axis=0, keepdims=True)
        found[name] = value[:1] + offset
    return Style(**found)


def _scaled(start: Style, end: Style) -> np.ndarray:
    """Change of every column over its range (angles over pi), rows broadcast, (T, columns)."""
    parts = []
    for name, ranges in STYLE_RANGES.items():
        change = _difference(name, getattr(start, name), getattr(end, name))
        low, high = np.array(ranges).T
        parts.append(change.reshape(len(change), -1) / np.where(np.isinf(high), np.pi, high - np.where(np.isinf(low), 0, low)))
    return np.concatenate(parts, axis=1)


LIGHTS = slice(3, 3 + len(STYLE_RANGES["light"]))
"""Columns of `light` among those of `_scaled`."""


def _fade_s(change: np.ndarray, left: np.ndarray, fps: float, tolerance: float) -> float:
    """Seconds of the straight fade with the same area as what is `left` (T, n) to go of `change` (n,); 0 when nothing moves.

    A straight fade of F seconds leaves an area of F / 2; trapezoids over frames are exact when F is a whole number of frames.
    """
    moving = np.abs(change) > tolerance
    if not moving.any():
        return 0.0
    part = np.clip(left[:, moving] / change[moving], 0, 1)
    area = part.sum(axis=0) - (part[0] + part[-1]) / 2
    # A change within one frame is a snap that the track shows one frame on at the latest.
    return float(2 * np.median(area) / fps) if part[0].max() > 0 else 0.0


def _read(before: Style, rows: Style, goal: Style, time_s: float, fps: float, tolerance: float) -> Cue | None:
    """The cue that takes the row `before` to `goal` through `rows` from `time_s` on; None when hardly anything changes."""
    change = _scaled(before, goal)[0]
    if np.abs(change).max() <= tolerance:
        return None
    left = _scaled(rows, style.repeat(goal, len(rows)))
    lights = np.zeros(len(change), bool)
    lights[LIGHTS] = True
    falls = lights & (change < 0)
    rise_s, fall_s = (_fade_s(change[pick], left[:, pick], fps, tolerance) for pick in (~falls, falls))
    return Cue(time_s, rise_s, fall_s, goal)


def _peak(before: Style, rows: Style, goal: Style, tolerance: float) -> int | None:
    """The last frame where levels overshoot both their ends most, None when they do not."""
    over = (rows.light - np.maximum(before.light, goal.light)).max(axis=1)
    return int(np.flatnonzero(over >= over.max() - 1e-4)[-1]) if over.max() > tolerance else None


def from_track(
    track: Style, bounds_s: Sequence[float], looks: Sequence[str] = (), fps: float = 30.0, reading: Reading | None = None
) -> tuple[Cue, ...]:
    """The cues that a track amounts to when they may only come at `bounds_s` (sorted, the first 0): bars, beats or sections.

    Between two bounds the track goes from where it was to where it rests in the last quarter. A level that overshoots both on the way is an
    accent: two cues, up to the peak and from there to rest. `looks` (one a slice) names the cues. Slices that change nothing have no cue.
    """
    options = reading or Reading()
    frames = [min(clock.to_frame(bound, fps), len(track)) for bound in bounds_s] + [len(track)]
    before, cues = dark(track.rows(slice(0, 1))), []
    for number, (first, stop) in enumerate(pairwise(frames)):
        if stop <= first:
            continue
        rows = track.rows(slice(first, stop))
        goal = _mean(rows.rows(slice(-max(1, int(len(rows) * options.rest_part)), None)))
        found = _slice_cues(before, rows, goal, first / fps, fps, options.tolerance)
        cues += [replace(cue, look=looks[number] if looks else "") for cue in found]
        before = found[-1].state if found else before
    return tuple(cues)


def _slice_cues(before: Style, rows: Style, goal: Style, time_s: float, fps: float, tolerance: float) -> list[Cue]:
    """The cues of one slice: none, one, or the two of an accent."""
    peak = _peak(before, rows, goal, tolerance)
    if peak is None:
        cue = _read(before, rows, goal, time_s, fps, tolerance)
        return [cue] if cue else []
    top = rows.rows(slice(peak, peak + 1))
    up = _read(before, rows.rows(slice(0, peak + 1)), top, time_s, fps, tolerance)
    down = _read(top, rows.rows(slice(peak, None)), goal, time_s + peak / fps, fps, tolerance)
    return [cue for cue in (up, down) if cue]
