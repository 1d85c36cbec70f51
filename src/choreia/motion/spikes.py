"""Spikes in captured motion: a root or a joint that leaps out of its path and back within 60 ms, found and bridged.

Markers that are swapped or lost for an instant do this, and solvers that flip a joint by half a turn. No human joint leaves
its path by more than 0.35 rad and is back 60 ms later, so fast dancing is left alone.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from choreia.types import Motion

_OFF_M = 0.04  # a root spike leaves its path by at least this
_OFF_RAD = 0.35  # and a joint spike by this
_OUTLIER = 6.0  # the leaps out and back are this many times the usual step within 0.25 s
_LONGEST_S = 0.06
_AROUND_S = 0.25


def repair_spikes(motion: Motion) -> tuple[Motion, int]:
    """Replace frames in which the root or one joint leaps out of its path and back.

    A stretch of at most 60 ms (one frame at 30 fps) is a spike when all of it is more than 4 cm (root) or 0.35 rad (joint) off the
    straight way between its neighbours, these are less than half as far from one another, and the steps in and out are over six
    times the median step around. It is put on the cubic through two frames on either side.

    Returns:
        The repaired motion (the same object when nothing was found) and the number of repaired root or joint frames.
    """
    root, in_root = _repaired(np.asarray(motion.root, np.float64)[:, None], _OFF_M, motion.fps)
    # the distance of two unit quaternions is 2 sin(angle / 4)
    rotations, in_joints = _repaired(np.asarray(motion.rotations, np.float64), 2 * np.sin(_OFF_RAD / 4), motion.fps)
    count = int(in_root.sum() + in_joints.sum())
    if not count:
        return motion, 0
    new_root = np.where(in_root, root[:, 0], motion.root).astype(motion.root.dtype)
    new_rotations = np.where(in_joints[..., None], rotations, motion.rotations).astype(motion.rotations.dtype)
    return Motion(motion.skeleton, new_root, new_rotations, motion.fps), count


def _repaired(tracks: np.ndarray, limit: float, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Tracks (T, K, D) with their spikes bridged, shortest first, and where they were (T, K). D = 4 are quaternions."""
    tracks, found = tracks.copy(), np.zeros(tracks.shape[:2], dtype=bool)
    for length in range(1, min(int(_LONGEST_S * fps), len(tracks) - 4) + 1):
        for start, track in np.argwhere(_spikes(tracks, limit, length, fps)):
            inside = slice(start + 1, start + 1 + length)
            if not found[inside, track].any():
                tracks[inside, track] = _cubic(tracks[:, track], start, start + length + 1)
                found[inside, track] = True
    return tracks, found


def _spikes(tracks: np.ndarray, limit: float, length: int, fps: float) -> np.ndarray:
    """Whether frames i + 1 ... i + length of a track are a spike, (T - length - 1, K)."""
    step = _distance(tracks[1:], tracks[:-1])
    usual = ndimage.median_filter(step, size=(2 * round(_AROUND_S * fps) + 1, 1), mode="nearest")
    n = len(tracks) - length - 1
    before, after = tracks[:n], _aligned(tracks[length + 1 :], tracks[:n])
    gap = np.linalg.norm(after - before, axis=-1)
    shares = np.arange(1, length + 1) / (length + 1)
    off = np.min([_distance(tracks[k + 1 : k + 1 + n], before + share * (after - before)) for k, share in enumerate(shares)], axis=0)
    leap = np.minimum(step[:n], step[length : length + n])
    return (off > limit) & (gap < 0.5 * off) & (leap > np.maximum(_OUTLIER * usual[:n], limit / 2))


def _cubic(track: np.ndarray, first: int, last: int) -> np.ndarray:
    """Values strictly between two good frames of a (T, D) track, on the Hermite cubic with slopes from one more frame either side."""
    p0, p1 = track[first], _aligned(track[last], track[first])
    before = _aligned(track[max(first - 1, 0)], p0) if first else 2 * p0 - p1
    after = _aligned(track[last + 1], p1) if last + 1 < len(track) else 2 * p1 - p0
    span = last - first
    slope0 = ((p0 - before) * span + (p1 - p0) / span) / (span + 1)
    slope1 = ((after - p1) * span + (p1 - p0) / span) / (span + 1)
    s = (np.arange(1, span) / span)[:, None]
    values = (1 + 2 * s) * (1 - s) ** 2 * p0 + s**2 * (3 - 2 * s) * p1 + span * s * (1 - s) * ((1 - s) * slope0 - s * slope1)
    return values / np.linalg.norm(values, axis=-1, keepdims=True) if track.shape[-1] == 4 else values


def _aligned(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Quaternions with the sign that is nearer to the reference; anything else as it is."""
    if values.shape[-1] != 4:
        return values
    return np.where((values * reference).sum(-1, keepdims=True) < 0, -values, values)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(_aligned(a, b) - b, axis=-1)
