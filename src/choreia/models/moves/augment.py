"""What a decoded dance may differ by from the choreographer's own, done to windows (B, N, DIM); and windows that show no figure."""

from __future__ import annotations

import numpy as np

from choreia.models.moves.features import PLACES, mirrored

_REACH, _BODY = (0.6, 1.2), (0.93, 1.07)  # size of movement about its mean, and of the dancer
_SOFT, _SOFTENED = 0.33, 0.6  # weight of each neighbour in smoothing, at most, and share of windows that are smoothed
_SWAY_M, _SHAKE_M = 0.035, 0.012  # noise that goes with the count, and of every sample, at most
_KNOT = 8  # samples between knots of the slow noise
_MIXED, _HELD = 0.6, 0.85  # how windows without a figure come about: cumulative shares, the rest is muddled
_PIECE = 4


def augmented(windows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows to either side, larger or smaller, smoother, and with slow and fast noise, (B, N, DIM) float32."""
    count, samples, dim = windows.shape

    def each(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (count, 1, 1)).astype(np.float32)

    turned = np.where(each(0, 1) < 0.5, mirrored(windows), windows)
    mean = turned.mean(axis=1, keepdims=True)
    sized = mean + (turned - mean) * each(*_REACH)
    sized[..., PLACES] *= each(*_BODY)
    soft = _smoothed(sized, each(0, _SOFT) * (each(0, 1) < _SOFTENED))
    sway = _between(rng.normal(size=(count, samples // _KNOT + 1, dim)).astype(np.float32), samples)
    return soft + sway * each(0, _SWAY_M) + rng.normal(size=windows.shape).astype(np.float32) * each(0, _SHAKE_M)


def _smoothed(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Every sample with its neighbours, each by `weight` (B, 1, 1), twice."""
    for _ in range(2):
        wide = np.pad(windows, ((0, 0), (1, 1), (0, 0)), mode="edge")
        windows = (1 - 2 * weight) * windows + weight * (wide[:, :-2] + wide[:, 2:])
    return windows


def _between(knots: np.ndarray, samples: int) -> np.ndarray:
    """Straight lines between knots (B, K, DIM) that stand every `_KNOT` samples, (B, samples, DIM)."""
    low, part = divmod(np.arange(samples), _KNOT)
    share = (part / _KNOT).astype(np.float32)[None, :, None]
    return knots[:, low] * (1 - share) + knots[:, np.minimum(low + 1, knots.shape[1] - 1)] * share


def nothing(three: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A window (N, DIM) that shows none of three figures' windows: their mixture, a held pose of one, or one's moments muddled."""
    kind, first = rng.random(), three[0]
    if kind < _MIXED:
        shares = rng.dirichlet((4.0, 4.0, 4.0)).astype(np.float32)
        return shares[0] * first + shares[1] * three[1][::-1] + shares[2] * three[2]
    if kind < _HELD:
        pose = first.mean(axis=0) if rng.random() < 0.5 else first[rng.integers(len(first))]
        return np.repeat(pose[None], len(first), axis=0)
    pieces = rng.permutation(len(first) // _PIECE)[:, None] * _PIECE + np.arange(_PIECE)
    return first[pieces.reshape(-1)]
