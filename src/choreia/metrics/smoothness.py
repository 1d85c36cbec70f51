"""How smooth a movement is: acceleration and its variance, jerk, and leaps that no body makes.

A derivative taken from frame to frame depends on the frame rate. The corrected measures first bring a take to 30 frames a second
(`at_rate`), so that every difference spans 1/30 s. Smoothness alone is no merit, since a frozen dancer is the smoothest: every measure
here is read beside the same measure of real dance.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from choreia.metrics.base import About, Metric, MotionMetric, SetMetric, validate_joints, validate_sets
from choreia.metrics.dancer import RATE_HZ, at_rate, corrected

_SPIKE_M = 0.08  # off the way between neighbours 1/30 s away: an acceleration of 144 m/s^2
_SPIKE_OUTLIER = 4.0  # times the median of the joint within 0.25 s
_AROUND_S = 0.25


def acceleration(joints: np.ndarray, fps: float) -> np.ndarray:
    """Second differences over 1/30 s as accelerations (n, 24, 3) m/s^2, at 30 Hz; empty for takes under three frames."""
    return np.diff(at_rate(validate_joints(joints, fps), fps), n=2, axis=0) * RATE_HZ**2


def danceba_jitter(joints: np.ndarray, fps: float) -> float:
    """Jitter as Danceba's fork measures it: mean over frames and joints of |third difference| * fps^3, m/s^3; lower is better.

    Source: vtan05/Danceba_fork utils/jitter.py, 30 fps written in, 22 joints (both hands are left out here too). The mean over
    nothing, under four frames, is NaN. A frozen take scores 0, the best; takes at another rate than 30 fps are off by the cube.
    """
    third = np.diff(validate_joints(joints, fps)[:, :22], n=3, axis=0) * fps**3
    return float(np.linalg.norm(third, axis=-1).mean()) if len(third) else float("nan")


def theatre_smoothness(joints: np.ndarray, fps: float) -> float:
    """MS, "mean of second-order trajectory differences": mean over frames and joints of |p[t+1] - 2 p[t] + p[t-1]|, m a frame^2.

    The musical-theatre paper gives these words and no code; 120 fps is its capture rate. Grows with the square of the frame time, so
    numbers at two frame rates cannot be compared. A frozen take scores 0, the smoothest. NaN under three frames.
    """
    second = np.diff(validate_joints(joints, fps), n=2, axis=0)
    return float(np.linalg.norm(second, axis=-1).mean()) if len(second) else float("nan")


def theatre_variance(joints: np.ndarray, fps: float) -> float:
    """VoA, "acceleration variance", (m/s^2)^2: variance over frames of every joint's |acceleration|, mean over joints.

    The musical-theatre paper gives these two words and no code: that the norm varies, and the unit, are our reading. Frame-to-frame
    second differences: white noise of the joints weighs with the fourth power of the frame rate. NaN under three frames.
    """
    second = np.diff(validate_joints(joints, fps), n=2, axis=0) * fps**2
    return float(np.linalg.norm(second, axis=-1).var(axis=0).mean()) if len(second) else float("nan")


def smoothness_row(joints: np.ndarray, fps: float) -> np.ndarray:
    """Features of the bounded score: the take's `mean_acceleration`, (1,) m/s^2."""
    return np.array([mean_acceleration(joints, fps)])


def bounded_smoothness(made: np.ndarray, reference: np.ndarray) -> float:
    """MS as a score in (0, 1], 1 / (1 + mean |a| / mean |a| of the reference), of `smoothness_row`s (N, 1) and (M, 1).

    Real dance scores 0.5 against itself and a frozen dancer 1, so that 0.5 is the aim. Against a still reference: 1 for still, else 0.
    """
    rows, real = validate_sets(made, reference, fewest=1)
    total = real.mean() + rows.mean()
    return float(real.mean() / total) if total > 0 else 1.0


def mean_acceleration(joints: np.ndarray, fps: float) -> float:
    """Mean over frames and joints of |acceleration| over 1/30 s, m/s^2; 0 under three frames."""
    size = np.linalg.norm(acceleration(joints, fps), axis=-1)
    return float(size.mean()) if size.size else 0.0


def acceleration_variance(joints: np.ndarray, fps: float) -> float:
    """Variance over time of the acceleration vector over 1/30 s, mean over joints, (m/s^2)^2: the sum of its three components'
    variances, so that a change of direction counts. 0 under three frames."""
    change = acceleration(joints, fps)
    return float(change.var(axis=0).sum(axis=-1).mean()) if len(change) else 0.0


def mean_jerk(joints: np.ndarray, fps: float) -> float:
    """Mean over frames and joints of the jerk, third differences over 1/30 s, m/s^3; 0 under four frames."""
    size = _jerk(joints, fps)
    return float(size.mean()) if size.size else 0.0


def top_jerk(joints: np.ndarray, fps: float) -> float:
    """99th percentile over frames and joints of the jerk, m/s^3: what a mean over a calm take hides; 0 under four frames."""
    size = _jerk(joints, fps)
    return float(np.percentile(size, 99)) if size.size else 0.0


def spikes_per_minute(joints: np.ndarray, fps: float) -> float:
    """Frames in which a joint leaps as no body can, a minute.

    A joint leaps when it is over 8 cm off the middle of its places 1/30 s before and after (144 m/s^2, beyond a fast dancer's hand),
    and four times as far as its median within 0.25 s.
    """
    off = np.linalg.norm(acceleration(joints, fps), axis=-1) / (2 * RATE_HZ**2)
    if not len(off):
        return 0.0
    usual = ndimage.median_filter(off, size=(2 * round(_AROUND_S * RATE_HZ) + 1, 1), mode="nearest")
    leaps = (off > np.maximum(_SPIKE_M, _SPIKE_OUTLIER * usual)).any(axis=1)
    return float(60 * RATE_HZ * leaps.mean())


def _jerk(joints: np.ndarray, fps: float) -> np.ndarray:
    """(n, 24) m/s^3."""
    return np.linalg.norm(np.diff(at_rate(validate_joints(joints, fps), fps), n=3, axis=0), axis=-1) * RATE_HZ**3


_THEATRE = "our reading of the musical-theatre paper, table 1, which has no code; named theatre-1"
_SAME_MEAN = "noise on a timid dance may give the same mean"
_THIRD = "third differences over 1/30 s"

METRICS: tuple[Metric, ...] = (
    MotionMetric(
        About("jitter", "danceba", "lower", "m/s^3", "[0, inf)", "vtan05/Danceba_fork utils/jitter.py", "a frozen dancer scores best", 30),
        danceba_jitter,
    ),
    MotionMetric(
        About("MS", "theatre", "lower", "m/frame^2", "[0, inf)", _THEATRE, "a frozen dancer scores best", 120), theatre_smoothness
    ),
    MotionMetric(About("VoA", "theatre", "lower", "(m/s^2)^2", "[0, inf)", _THEATRE, "a frozen dancer scores best", 120), theatre_variance),
    SetMetric(
        About("MS bounded", "theatre", "higher", "1", "(0, 1]", _THEATRE, "a frozen dancer scores 1, real dance 0.5"),
        smoothness_row,
        bounded_smoothness,
        extractor="mean acceleration over 1/30 s",
        fewest=1,
    ),
    corrected(mean_acceleration, "acceleration", "reference", "m/s^2", "[0, inf)", _SAME_MEAN, "MS over a fixed 1/30 s"),
    corrected(
        acceleration_variance, "VoA", "reference", "(m/s^2)^2", "[0, inf)", "a few spikes weigh like vigour", "vector variance over 1/30 s"
    ),
    corrected(mean_jerk, "jerk", "reference", "m/s^3", "[0, inf)", _SAME_MEAN, _THIRD),
    corrected(top_jerk, "jerk p99", "reference", "m/s^3", "[0, inf)", "smoothing away every accent lowers it", _THIRD),
    corrected(
        spikes_per_minute, "spikes", "lower", "1/min", "[0, 1800]", "dense noise is no outlier: see jerk", "choreia, after motion.spikes"
    ),
)
