"""Where the beats fall: a steady tempo, a tempo curve, rubato, or beats given from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from choreia.errors import ChoreiaError

TempoCurve = Callable[[float], float] | Sequence[tuple[float, float]]
CLOSEST_S = 0.1
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0


def curve_bpm(curve: TempoCurve, times_s: np.ndarray) -> np.ndarray:
    """Tempo at `times_s` (n,) of a function of seconds or of (time_s, bpm) points, linear between and held outside them."""
    if callable(curve):
        bpm = np.array([float(curve(float(t))) for t in times_s])
    else:
        points = np.array(sorted(curve), float).reshape(-1, 2)
        if not len(points):
            raise ChoreiaError("tempo curve: it has no points; give at least one (time_s, bpm)")
        bpm = np.interp(times_s, points[:, 0], points[:, 1])
    if not np.all((bpm >= SLOWEST_BPM) & (bpm <= FASTEST_BPM)):
        raise ChoreiaError(f"tempo curve: it leaves {SLOWEST_BPM:.0f}-{FASTEST_BPM:.0f} BPM; keep every value inside")
    return bpm


def _rubato(times_s: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """A breathing factor on the tempo, (n,): slow waves of 5 to 17 s, up to about +-25 % at `amount` 1."""
    waves = sum(np.sin(2 * np.pi * (times_s / period + rng.uniform())) for period in rng.uniform(5, 17, 3))
    return np.exp(amount * 0.1 * np.asarray(waves))


def grid(duration_s: float, curve: TempoCurve, rubato: float, first_s: float, rng: np.random.Generator) -> np.ndarray:
    """Beats in [`first_s`, `duration_s`): the tempo is integrated and every whole number of beats is marked. (B,) seconds."""
    times = np.arange(0, duration_s - first_s + 0.02, 0.01)
    bpm = curve_bpm(curve, times + first_s)
    if rubato:
        bpm = bpm * _rubato(times, rubato, rng)
    phase = np.concatenate(([0.0], np.cumsum((bpm[1:] + bpm[:-1]) * 0.5 * 0.01 / 60)))
    beats = first_s + np.interp(np.arange(int(phase[-1]) + 1), phase, times)
    return beats[beats < duration_s]


def given(beats_s: Sequence[float] | np.ndarray, duration_s: float) -> tuple[np.ndarray, int]:
    """Beats from outside, continued at the edge intervals so that they span [0, `duration_s`); and the index of the first given one.

    Raises ChoreiaError unless they are at least two finite, increasing times inside the piece, 0.1 s or more apart.
    """
    beats = np.asarray(beats_s, float).reshape(-1)
    if len(beats) < 2 or not np.isfinite(beats).all() or np.diff(beats).min() < CLOSEST_S - 1e-9 or beats[0] < 0 or beats[-1] > duration_s:
        raise ChoreiaError(f"beats: give at least 2 increasing times between 0 and {duration_s:.1f} s, 0.1 s or more apart")
    before = np.arange(beats[0] - (beats[1] - beats[0]), -1e-9, -(beats[1] - beats[0]))[::-1]
    last = beats[-1] - beats[-2]
    after = np.arange(beats[-1] + last, duration_s, last)
    return np.concatenate((before, beats, after)), len(before)
