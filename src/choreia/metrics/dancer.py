"""What every corrected measure of a dancer begins with: one clock, and the size of the body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline

from choreia import clock
from choreia.metrics.base import About, Better, MotionMetric
from choreia.motion.skeleton import choreia24

RATE_HZ = 30.0
"""Frame rate of every corrected measure."""

_OUR_HEIGHT_M = 1.72


def at_rate(places: np.ndarray, fps: float) -> np.ndarray:
    """Positions (T, ...) at 30 Hz from frame 0 on: every k-th frame where that is exact, else from cubic splines. Jitter stays."""
    step = round(fps / RATE_HZ)
    if len(places) < 2 or abs(step * RATE_HZ - fps) < 1e-6:
        return places[:: max(1, step)]
    times_s = clock.frame_times(len(places), fps)
    count = int(times_s[-1] * RATE_HZ + 1e-6) + 1
    return CubicSpline(times_s, places, axis=0)(clock.frame_times(count, RATE_HZ))


def body_size(places: np.ndarray) -> float:
    """Size of a body beside choreia-24's: ratio of the summed median lengths of all bones of (T, 24, 3) m, whatever the pose."""
    skeleton = choreia24()
    bones = np.linalg.norm(places[:, 1:] - places[:, list(skeleton.parents[1:])], axis=-1)
    return max(float(np.median(bones, axis=0).sum() / np.linalg.norm(skeleton.offsets[1:], axis=-1).sum()), 1e-3)


def body_height_m(places: np.ndarray) -> float:
    """Height of a dancer of our own proportions and of this one's size."""
    return _OUR_HEIGHT_M * body_size(places)


def corrected(score: Callable[[np.ndarray, float], float], name: str, better: Better, unit: str, span: str, fooled_by: str,
              source: str = "choreia") -> MotionMetric:  # fmt: skip
    """Entry of one of our own scores of a take."""
    return MotionMetric(About(name, "corrected", better, unit, span, source, fooled_by), score)
