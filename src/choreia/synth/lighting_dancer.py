"""What a lighting designer sees of a dancer: how much moves, where, which way, the hits, the stillness. All at the track's 30 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from choreia import clock
from choreia.motion.energy import joint_speed, kinetic_energy, velocity
from choreia.stage import safety
from choreia.types import Motion

HIT_GAP_S = 0.3
"""Hits nearer than this are one, so that a light for each stays under the flash limit beside the beats."""
LEAST_HIT = 0.12
"""Smallest hit that light answers, in parts of the dance's large ones."""
STILL, STILL_S = 0.12, 0.8
"""A dancer is still when the share of movement stays below `STILL` for this long."""
LEAST_SPEED = 0.25
"""Square root of kinetic energy per kg that full movement has at the least, so that breathing does not pass for dance."""
REACH_M = 2.0
"""A dancer this far off the middle is at a side."""


@dataclass(frozen=True)
class Dancer:
    """A dance as light sees it, rows at 30 Hz.

    activity (T,) in [0, 1]: movement, by the square root of kinetic energy over its own large values. moving (T,)
    bool: faster than safety lets anyone be in the dark, or soon or just before. lean (T,) in [-1, 1]: where the
    dancer is and goes, left (+X) positive. centre (T,) in [0, 1]: how near the middle. still (T,) in [0, 1]: 1 in rest.
    hits_s (n,), sizes (n,) in (0, 1]: sharp stops, sorted by time,
    with the lean of each in hit_leans (n,).
    """

    activity: np.ndarray
    moving: np.ndarray
    lean: np.ndarray
    centre: np.ndarray
    still: np.ndarray
    hits_s: np.ndarray
    sizes: np.ndarray
    hit_leans: np.ndarray


def watch(motion: Motion, times_s: np.ndarray) -> Dancer:
    """The dancer at `times_s` (T,), ends held; a dance shorter than that ends in stillness."""
    speed = np.sqrt(kinetic_energy(motion).sum(axis=1))
    top = max(float(np.percentile(speed, 95)), LEAST_SPEED)
    hits_s, sizes = hits(speed / top, motion.fps)
    place = ndimage.gaussian_filter1d(motion.root[:, 0].astype(float), 0.3 * motion.fps, mode="nearest")
    going = np.tanh(place / REACH_M + velocity(place, motion.fps))
    activity = np.where(times_s < motion.duration_s, clock.resample(np.clip(speed / top, 0, 1), motion.fps, times_s), 0)
    fastest = clock.resample(joint_speed(motion).max(axis=1), motion.fps, times_s)
    off = np.abs(clock.resample(place, motion.fps, times_s))
    fps = 1 / max(float(times_s[1] - times_s[0]), 1e-6) if len(times_s) > 1 else 30.0
    inside = hits_s < times_s[-1]
    lean, centre = clock.resample(going, motion.fps, times_s), np.exp(-((off / REACH_M) ** 2))
    moving = (fastest > safety.MOVING_M_S) & (times_s < motion.duration_s)
    moving = ndimage.binary_dilation(moving, np.ones(max(1, round(fps / 2)), bool))
    return Dancer(
        activity, moving, lean, centre, _still(activity, fps), hits_s[inside], sizes[inside], np.interp(hits_s[inside], times_s, lean)
    )


def hits(speed: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) in seconds and sizes (n,) in (0, 1] of the sharp stops of a speed curve (T,) scaled to about 1: where it falls fastest.

    A size is the deceleration over the 95th percentile of the stops' own; small ones are left out, of near ones the larger stays.
    """
    if len(speed) < 5:
        return np.zeros(0), np.zeros(0)
    smooth = ndimage.gaussian_filter1d(speed, max(0.035 * fps, 0.5), mode="nearest")
    brake = np.maximum(-velocity(smooth, fps), 0)
    frames, _ = signal.find_peaks(brake, distance=max(1, round(HIT_GAP_S * fps)), height=0.5)
    if not len(frames):
        return np.zeros(0), np.zeros(0)
    sizes = np.minimum(brake[frames] / max(float(np.percentile(brake[frames], 95)), 2.0), 1)
    kept = sizes >= LEAST_HIT
    return frames[kept] / fps, sizes[kept]


def _still(activity: np.ndarray, fps: float) -> np.ndarray:
    """How still, (T,) in [0, 1]: rest of `STILL_S` or longer, eased over half a second."""
    calm = ndimage.gaussian_filter1d(activity, 0.1 * fps, mode="nearest") < STILL
    held = ndimage.binary_opening(calm, np.ones(max(1, round(STILL_S * fps)), bool))
    return ndimage.uniform_filter1d(held.astype(float), max(1, round(0.5 * fps)), mode="nearest")
