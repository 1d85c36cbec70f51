"""All conversions between samples, frames, beats and seconds. Nothing else in the package converts time.

Frame i of a track at `fps` stands at i / fps seconds; a track of `n` frames lasts n / fps seconds.
"""

from __future__ import annotations

import numpy as np


def frames_in(duration_s: float, fps: float) -> int:
    """Number of frames that last `duration_s`, rounded to the nearest frame, at least 1."""
    return max(1, round(duration_s * fps))


def frame_times(n: int, fps: float) -> np.ndarray:
    """Times in seconds of `n` frames, (n,) float64."""
    return np.arange(n) / fps


def to_frame(time_s: float, fps: float) -> int:
    """Index of the frame nearest to `time_s`."""
    return round(time_s * fps)


def resample(values: np.ndarray, fps: float, times_s: np.ndarray) -> np.ndarray:
    """Linear interpolation of a (T, ...) track at `fps` onto `times_s` (n,), ends held; returns (n, ...)."""
    position = np.clip(np.asarray(times_s) * fps, 0, len(values) - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    weight = (position - low).reshape(-1, *([1] * (values.ndim - 1)))
    return (values[low] * (1 - weight) + values[high] * weight).astype(values.dtype)


def beat_position(times_s: np.ndarray, beats_s: np.ndarray) -> np.ndarray:
    """Position of `times_s` in beats: 0 on the first beat, 1 on the second, fractions between.

    Extended before the first and after the last beat at the nearest beat interval. Needs two beats or more.
    """
    beats = np.asarray(beats_s, dtype=float)
    times = np.asarray(times_s, dtype=float)
    position = np.interp(times, beats, np.arange(len(beats)))
    before, after = times < beats[0], times > beats[-1]
    position[before] = (times[before] - beats[0]) / (beats[1] - beats[0])
    position[after] = len(beats) - 1 + (times[after] - beats[-1]) / (beats[-1] - beats[-2])
    return position


def beat_time(position: np.ndarray, beats_s: np.ndarray) -> np.ndarray:
    """Inverse of `beat_position`: seconds of positions given in beats."""
    beats = np.asarray(beats_s, dtype=float)
    place = np.asarray(position, dtype=float)
    times = np.interp(place, np.arange(len(beats)), beats)
    before, after = place < 0, place > len(beats) - 1
    times[before] = beats[0] + place[before] * (beats[1] - beats[0])
    times[after] = beats[-1] + (place[after] - len(beats) + 1) * (beats[-1] - beats[-2])
    return times


def first_rows(values: np.ndarray, count: int) -> np.ndarray:
    """The first `count` rows, the last one repeated where there are fewer."""
    return values[np.minimum(np.arange(count), len(values) - 1)]


def nearest(events_s: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The nearest of sorted `events_s` (m,), m at least 1, to each of `times_s` (n,); the earlier of two that are as near."""
    after = np.searchsorted(events_s, times_s)
    early, late = events_s[np.maximum(after - 1, 0)], events_s[np.minimum(after, len(events_s) - 1)]
    return np.where(np.abs(times_s - early) <= np.abs(late - times_s), early, late)
