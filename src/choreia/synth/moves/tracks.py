"""Curves through keys: sparse keys on counts in, smooth values on frames out.

A part waits on its key, drifts a little towards the next (animators' moving hold; a negative drift is anticipation), then covers
the rest within the last `attack` counts, overshoots on the count and settles after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEAST_HOLD = 0.12  # counts between a key and the setting out below which there is no hold


@dataclass(frozen=True)
class Dynamics:
    """How a body moves between keys: `attack` counts, `drift` and `overshoot` as shares of the way, `stop` in [0, 1] at keys."""

    attack: float
    drift: float
    overshoot: float
    stop: float


def expand(counts: np.ndarray, values: np.ndarray, attack: np.ndarray, how: Dynamics) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add setting-out keys and overshoot to keys on counts.

    Args:
        counts: (N,) rising.
        values: (N,).
        attack: (N,) counts before each key at which its part sets out.
        how: the manner.
    Returns:
        counts, values and stop of all keys, (M,) each.
    """
    rise = np.diff(values, prepend=values[:1])
    poised = values + how.overshoot * rise
    gap = np.diff(counts)
    leave = counts[1:] - np.minimum(attack[1:], gap)
    held = leave - counts[:-1] > _LEAST_HOLD
    settle = values[:-1] + how.drift * rise[1:]
    order = np.argsort(np.concatenate([counts, leave[held]]), kind="stable")
    stop = np.concatenate([np.full(len(counts), how.stop), np.zeros(held.sum())])[order]
    return np.concatenate([counts, leave[held]])[order], np.concatenate([poised, settle[held]])[order], stop


def sample(counts: np.ndarray, values: np.ndarray, stop: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Cubic Hermite curve through keys (N,) at counts `at` (T,); monotone between keys (Fritsch-Butland), held beyond the ends.

    `stop` (N,) in [0, 1] takes speed away at keys; 1 comes to rest on each.
    """
    if len(counts) == 1:
        return np.full(len(at), values[0])
    width = np.diff(counts)
    slope = _slopes(width, np.diff(values) / width) * (1 - stop)
    at = np.clip(at, counts[0], counts[-1])
    k = np.clip(np.searchsorted(counts, at, side="right") - 1, 0, len(width) - 1)
    u = (at - counts[k]) / width[k]
    blend = u * u * (3 - 2 * u)
    bow = width[k] * u * (1 - u) * ((1 - u) * slope[k] - u * slope[k + 1])
    return values[k] + blend * (values[k + 1] - values[k]) + bow


def _slopes(width: np.ndarray, secant: np.ndarray) -> np.ndarray:
    """Slopes at keys: weighted harmonic mean of the neighbouring secants, 0 at extremes and at both ends."""
    before, after = secant[:-1], secant[1:]
    wa, wb = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    same = before * after > 0
    inner = np.zeros(len(before))
    inner[same] = (wa + wb)[same] / (wa[same] / before[same] + wb[same] / after[same])
    return np.concatenate([[0.0], inner, [0.0]])


def wander(times_s: np.ndarray, columns: int, rng: np.random.Generator, low_hz: float = 0.12, high_hz: float = 1.4) -> np.ndarray:
    """Smooth noise (T, columns) of unit variance, pink from `low_hz` to `high_hz`: a body is never quite still."""
    hz = np.geomspace(low_hz, high_hz, 7) * rng.uniform(0.8, 1.25, (columns, 7))
    phase = rng.uniform(0, 2 * np.pi, (columns, 7))
    waves = np.sin(2 * np.pi * times_s[:, None, None] * hz + phase)
    share = hz**-0.5
    return (waves * share).sum(-1) / np.sqrt((share**2).sum(-1) / 2)
