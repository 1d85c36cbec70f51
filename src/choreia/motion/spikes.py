"""Spikes in captured motion: a root or a joint that leaps faster than a body can, found and bridged.

Markers that are swapped or lost for an instant do this, and solvers that flip a joint by half a turn. Two kinds:
*excursions* leap out of the path and back, *jumps* leap and stay. Both are judged by what happens just before and after: fast
dancing gathers speed and loses it over several frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from choreia.types import Motion

_OUTLIER = 4.0  # a leap is this many times the median step within 0.25 s on either side
_AROUND_S = 0.25
_EXCURSION_S = 0.06  # longest excursion
_FLIP_S = 0.35  # longest excursion of flips
_JUMP_S = 0.05  # a jump is over in this time
_EASE_S = 0.08  # and is spread over this time before and after


@dataclass(frozen=True)
class _Limits:
    """Distances between frames that no body covers; the distance of two unit quaternions is 2 sin(angle / 4)."""

    off: float  # out of the path and back within 60 ms
    flip: float  # in one frame
    jump: float  # in 50 ms, from rest to rest
    jump_pace: float  # per second, on the way


_ROOT = _Limits(off=0.04, flip=np.inf, jump=0.05, jump_pace=2.5)
_JOINT = _Limits(off=2 * np.sin(0.35 / 4), flip=2 * np.sin(1.2 / 4), jump=2 * np.sin(0.6 / 4), jump_pace=15 / 2)
_Span = tuple[int, int]  # last good frame, next good frame


def repair_spikes(motion: Motion) -> tuple[Motion, int]:
    """Bridge the frames in which the root or a joint leaps as no body can.

    Excursions: up to 60 ms (one frame at 30 fps) at least 4 cm (root) or 0.35 rad (joint) off the way between the frames before and
    after, which are nearer to one another. Jumps: 5 cm or 0.6 rad from rest to rest in 50 ms, spread over 0.08 s before and after.
    Flips: a joint that leaps out and back by over 1.2 rad within 0.35 s. Every leap must be four times the median step around.
    The whole pose is bridged, by cubics through two frames on either side (a solver that jumps moves several joints against one
    another); a flip concerns its joint alone.

    Returns:
        The repaired motion (the same object when nothing was found) and the number of bridges.
    """
    if len(motion) < 3:
        return motion, 0
    root, rotations = np.array(motion.root, np.float64)[:, None], np.array(motion.rotations, np.float64)
    count, bridged = 0, np.zeros(rotations.shape[:2], dtype=bool)
    for find in (_excursions, _jumps):
        spans = _apart(find(root, _ROOT, motion.fps) + find(rotations, _JOINT, motion.fps))
        for first, last in spans:
            root[first + 1 : last] = _cubic(root, first, last)
            rotations[first + 1 : last] = _cubic(rotations, first, last)
            bridged[first + 1 : last] = True
        count += len(spans)
    for first, last, joint in _flips(rotations, motion.fps):
        rotations[first + 1 : last, joint] = _cubic(rotations[:, joint], first, last)
        bridged[first + 1 : last, joint] = True
        count += 1
    if not count:
        return motion, 0
    new_root = np.where(np.all(bridged, axis=1, keepdims=True), root[:, 0], motion.root).astype(motion.root.dtype)
    new_rotations = np.where(bridged[..., None], rotations, motion.rotations).astype(motion.rotations.dtype)
    return Motion(motion.skeleton, new_root, new_rotations, motion.fps), count


def _apart(spans: list[_Span]) -> list[_Span]:
    """Spans in order, with those merged that share a bridged frame."""
    merged: list[_Span] = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1] - 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _excursions(tracks: np.ndarray, limits: _Limits, fps: float) -> list[_Span]:
    """Short leaps out of the path of (T, K, D) tracks and back."""
    step = _distance(tracks[1:], tracks[:-1])
    leaps = step > np.maximum(_OUTLIER * _usual(step, fps), limits.off / 2)
    return [(a, b) for length in range(1, int(_EXCURSION_S * fps) + 1) for a, b, _ in _out_and_back(tracks, leaps, length, limits.off)]


def _flips(rotations: np.ndarray, fps: float) -> list[tuple[int, int, int]]:
    """Longer leaps of single joints by a large angle and back: span and joint, shortest first, none inside another."""
    step = _distance(rotations[1:], rotations[:-1])
    leaps = step > np.maximum(_OUTLIER * _usual(step, fps), _JOINT.flip)
    found: list[tuple[int, int, int]] = []
    for length in range(1, int(_FLIP_S * fps) + 1):
        for first, last, joint in _out_and_back(rotations, leaps, length, _JOINT.off):
            if not any(j == joint and a < last and first < b for a, b, j in found):
                found.append((first, last, joint))
    return found


def _out_and_back(tracks: np.ndarray, leaps: np.ndarray, length: int, off_limit: float) -> Iterator[tuple[int, int, int]]:
    """(last good frame, next good frame, track) of stretches of `length` frames between two leaps that stay off the straight way."""
    for first, track in np.argwhere(leaps[: max(0, len(leaps) - length)] & leaps[length:]):
        path = tracks[first : first + length + 2, track]
        straight = path[0] + np.linspace(0, 1, length + 2)[:, None] * (_aligned(path[-1], path[0]) - path[0])
        off = _distance(path, straight)[1:-1].min()
        if off > off_limit and _distance(path[-1], path[0]) < 0.5 * off:
            yield int(first), int(first) + length + 1, int(track)


def _jumps(tracks: np.ndarray, limits: _Limits, fps: float) -> list[_Span]:
    """The spans over which leaps from one path to another are spread."""
    step = _distance(tracks[1:], tracks[:-1])
    quiet, margin = _OUTLIER * _usual(step, fps), max(1, round(_EASE_S * fps))
    padded = np.pad(step, ((1, 1), (0, 0)), mode="edge")
    spans = []
    for length in range(1, min(max(1, int(_JUMP_S * fps)), len(step)) + 1):
        n = len(step) - length + 1
        pace = _distance(tracks[length:], tracks[:-length]) / length
        rest = np.maximum(padded[:n], padded[length + 1 : length + 1 + n]) < pace / 3
        found = rest & (pace * length > limits.jump) & (pace > np.maximum(quiet[:n], limits.jump_pace / fps))
        firsts = np.flatnonzero(found.any(axis=1))
        spans += [(max(0, int(k) - margin), min(len(tracks) - 1, int(k) + length + margin)) for k in firsts]
    return spans


def _usual(step: np.ndarray, fps: float) -> np.ndarray:
    return ndimage.median_filter(step, size=(2 * round(_AROUND_S * fps) + 1, 1), mode="nearest")


def _cubic(track: np.ndarray, first: int, last: int) -> np.ndarray:
    """Values strictly between two good frames of a (T, ..., D) track, on the Hermite cubic with slopes from one more frame either side."""
    p0, p1 = track[first], _aligned(track[last], track[first])
    before = _aligned(track[first - 1], p0) if first else 2 * p0 - p1
    after = _aligned(track[last + 1], p1) if last + 1 < len(track) else 2 * p1 - p0
    span = last - first
    slope0 = ((p0 - before) * span + (p1 - p0) / span) / (span + 1)
    slope1 = ((after - p1) * span + (p1 - p0) / span) / (span + 1)
    s = (np.arange(1, span) / span).reshape(-1, *([1] * p0.ndim))
    values = (1 + 2 * s) * (1 - s) ** 2 * p0 + s**2 * (3 - 2 * s) * p1 + span * s * (1 - s) * ((1 - s) * slope0 - s * slope1)
    return values / np.linalg.norm(values, axis=-1, keepdims=True) if track.shape[-1] == 4 else values


def _aligned(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Quaternions with the sign that is nearer to the reference; anything else as it is."""
    if values.shape[-1] != 4:
        return values
    return np.where((values * reference).sum(-1, keepdims=True) < 0, -values, values)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(_aligned(a, b) - b, axis=-1)
