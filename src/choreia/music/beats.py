"""Beats and bars: the network says how much each frame looks like a beat, dynamic programming finds the grid that explains it.

The search is the bar-pointer model of Krebs, Böck & Widmer (ISMIR 2015) over whole beat intervals: a state is (frame of a beat,
interval before it), so one step is a maximum over interval changes. Bars are found the same way over (metre, place in the bar).
Music without a beat gets an empty grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from choreia.music import beatnet
from choreia.music.spectrum import FAST_FPS, Spectra

SHORTEST, LONGEST = 16, 66
TEMPO_COST = 60.0
PRIOR = 0.8
PREFERRED_BPM = 104.0
FREE_CHANGE = 0.025
FLOOR = 0.005
METERS = {4: 0.0, 3: -3.0, 5: -8.0, 6: -8.0, 7: -8.0}
SLIP_COST = 10.0
DOWN_RATE = 0.25
DOWN_FLOOR = 0.02
LEAST_CONFIDENCE = 0.05
SHORTEST_SONG_S = 2.0
SILENCE_POWER = 1e-8
NOTHING = np.zeros(0)


@dataclass(frozen=True)
class Grid:
    """Beats (B,) and the downbeats among them (D,), seconds; beats in a bar. Both empty where there is no beat."""

    beats_s: np.ndarray
    downbeats_s: np.ndarray
    meter: int = 4


def activation(spectra: Spectra) -> np.ndarray:
    """(2T, 2) in [0, 1] at 60 fps: how much each frame looks like a beat, and like a downbeat; 0 throughout silence."""
    if spectra.power.max() < SILENCE_POWER:
        return np.zeros((len(spectra.beats), 2), np.float32)
    return beatnet.listen(spectra.beats)


def track(likeness: np.ndarray) -> Grid:
    """The grid of beats and bars in an activation (n, 2) at 60 fps."""
    frames = beat_frames(likeness[:, 0])
    if frames[-1] - frames[0] < SHORTEST_SONG_S * FAST_FPS or likeness[frames, 0].mean() < LEAST_CONFIDENCE:
        return Grid(NOTHING, NOTHING)
    return bars(refine(frames, likeness[:, 0]) / FAST_FPS, likeness)


def beat_frames(likeness: np.ndarray) -> np.ndarray:
    """Frames of the best path of beats through an activation (n,) at 60 fps, (B,) int; tempo is free to drift and, at a price, to jump."""
    intervals = np.arange(SHORTEST, LONGEST + 1)
    change, prior = _interval_costs(intervals)
    on = np.log(np.maximum(likeness, FLOOR))
    off = np.concatenate([[0.0], np.cumsum(np.log(1 - np.minimum(likeness, 1 - FLOOR)))])
    n, k = len(likeness), len(intervals)
    departing = np.full((n + LONGEST, k), -np.inf)
    came_from = np.zeros((n + LONGEST, k), np.uint8)
    arrived = np.zeros((n, k))
    columns = np.arange(k)
    for t in range(n):
        rows = t - intervals + LONGEST
        score = departing[rows, columns] + off[max(t - 1, 0)] + prior
        score = np.maximum(score, off[t] if t < LONGEST else -np.inf) + on[t]
        arrived[t] = score
        options = score[:, None] - change
        best = options.argmax(axis=0)
        came_from[t + LONGEST] = best
        departing[t + LONGEST] = options[best, columns] - off[min(t + 2, n)]
    return _trace(arrived + (off[n] - off[np.minimum(np.arange(n) + 2, n)])[:, None], came_from, intervals)


def _interval_costs(intervals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost (from, to) of a change of interval, and the mild preference (to,) for tempi that dancers count."""
    ratio = np.abs(np.log(intervals[:, None] / intervals[None]))
    quantum = 1.0 / intervals[:, None]
    change = TEMPO_COST * np.maximum(0, ratio - np.maximum(FREE_CHANGE, quantum)) + 2.0 * ratio / np.maximum(FREE_CHANGE, quantum) * 0.1
    prior = -PRIOR * (np.log2(60 * FAST_FPS / intervals / PREFERRED_BPM) / 0.6) ** 2
    return change, prior


def _trace(final: np.ndarray, came_from: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Follow the best path back from its last beat."""
    tail = max(0, len(final) - 2 * LONGEST)
    t, k = divmod(int(final[tail:].argmax()), final.shape[1])
    t += tail
    path = [t]
    while t - intervals[k] >= 0:
        t -= int(intervals[k])
        k = int(came_from[t + LONGEST, k])
        path.append(t)
    return np.array(path[::-1])


def refine(frames: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Beats moved to the highest point near them, between frames by a parabola, (B,) float frames."""
    near = np.clip(frames[:, None] + np.arange(-1, 2), 0, len(likeness) - 1)
    left, middle, right = likeness[near].T
    bend = left - 2 * middle + right
    shift = np.where(bend < -1e-6, 0.5 * (left - right) / np.minimum(bend, -1e-6), 0.0)
    return frames + np.clip(shift, -0.5, 0.5)


def bars(beats_s: np.ndarray, likeness: np.ndarray) -> Grid:
    """Choose metre and downbeats for given beats, from an activation (n, 2) at 60 fps: how much more than a beat each beat looks."""
    frames = np.clip(np.round(beats_s * FAST_FPS).astype(int), 0, len(likeness) - 1)
    beat, one = maximum_filter1d(likeness, 7, axis=0)[frames].T
    down = np.clip(one / np.maximum(np.maximum(one, beat), 1e-3), DOWN_FLOOR, 1 - DOWN_FLOOR)
    meter_of = np.concatenate([np.full(m, m) for m in METERS])
    place_of = np.concatenate([np.arange(m) for m in METERS])
    score = np.where(place_of == 0, np.log(down / DOWN_RATE)[:, None], np.log((1 - down) / (1 - DOWN_RATE))[:, None])
    path = _bar_path(score, meter_of, place_of)
    is_down = place_of[path] == 0
    return Grid(beats_s, beats_s[is_down], int(np.bincount(meter_of[path]).argmax()))


def _bar_path(score: np.ndarray, meter_of: np.ndarray, place_of: np.ndarray) -> np.ndarray:
    """Best sequence of (metre, place) states, (B,) int, for scores (B, states)."""
    follows = (meter_of[:, None] == meter_of[None]) & (place_of[None] == (place_of[:, None] + 1) % meter_of[:, None])
    to_one, at_end = place_of[None] == 0, place_of[:, None] == meter_of[:, None] - 1
    jump = np.where(to_one, np.where(at_end, SLIP_COST, 1.5 * SLIP_COST), np.inf)
    cost = np.where(follows, 0.0, jump)
    total = score[0] + np.array([METERS[int(m)] for m in meter_of])
    back = np.zeros(score.shape, int)
    for b in range(1, len(score)):
        options = total[:, None] - cost
        back[b] = options.argmax(axis=0)
        total = options.max(axis=0) + score[b]
    path = [int(total.argmax())]
    for b in range(len(score) - 1, 0, -1):
        path.append(int(back[b, path[-1]]))
    return np.array(path[::-1])


def local_tempo(beats_s: np.ndarray) -> np.ndarray:
    """Tempo at each beat in BPM, (B,): median of the five nearest intervals; empty with fewer than two beats."""
    if len(beats_s) < 2:
        return NOTHING
    interval = np.diff(beats_s)
    around = np.pad(interval, (2, 3), mode="edge")
    return 60 / np.median(np.lib.stride_tricks.sliding_window_view(around, 5)[: len(beats_s)], axis=1)


def meter_of(beats_s: np.ndarray, downbeats_s: np.ndarray) -> int:
    """Beats in a bar: the commonest number of beats from one downbeat to the next; 4 with fewer than two downbeats."""
    if len(downbeats_s) < 2:
        return 4
    return int(np.bincount(np.diff(np.searchsorted(beats_s, downbeats_s - 0.02))).argmax())


def onsets(spectra: Spectra) -> np.ndarray:
    """Onset times in seconds, (n,): peaks of the mean rise over mel bands."""
    rise = np.maximum(0, np.diff(spectra.beats, axis=0, prepend=spectra.beats[:1])).mean(axis=1)
    height = uniform_filter1d(rise, 61) * 1.5 + 0.02
    found = np.flatnonzero((rise == maximum_filter1d(rise, 7)) & (rise > height))
    return found / FAST_FPS
