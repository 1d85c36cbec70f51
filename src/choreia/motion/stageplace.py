"""Keep a dancer on the stage and, on average, facing the audience, by corrections too slow to be seen.

The stage is a rectangle about the origin, the audience on +Z. Heading first: the whole path is bent by a slow turn (at most
0.3 rad/s), which feet hardly notice. Then place: of all shifts that change by at most 0.25 m/s, the one nearest to a constant that
keeps the path inside; when none does (someone walks straight off) the speed is doubled until one does.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from choreia import clock
from choreia.motion.ik import chain_pose
from choreia.motion.rotations import multiply, yaw
from choreia.types import Motion

KNOT_S = 0.5
AVERAGE_S = 4.0  # deviation of the Gaussian that averages headings
TOLERATED_RAD = 0.6  # an average heading this far from the audience is left alone
TURN_RAD_S = 0.3
SHIFT_M_S = 0.25
_SMOOTH_S = 0.7


def stay_on_stage(
    motion: Motion, width_m: float = 8.0, depth_m: float = 6.0, margin_m: float = 0.8, face_audience: bool = True
) -> Motion:
    """The same dance within a stage; to be followed by `cleanup.lock_feet`.

    Args:
        motion: T frames.
        width_m, depth_m: the stage along x and z, centred on the origin.
        margin_m: how far inside its edge the root stays, so that arms and legs do too.
        face_audience: whether to turn a dancer slowly who on average over some seconds looks elsewhere than to +Z.
    """
    turned = _facing(motion) if face_audience else motion
    root = np.array(turned.root, np.float64)
    for axis, size in ((0, width_m), (2, depth_m)):
        root[:, axis] += _shift(root[:, axis], max(size / 2 - margin_m, 0.1), motion.fps)
    return Motion(turned.skeleton, root.astype(motion.root.dtype), turned.rotations, motion.fps)


def _facing(motion: Motion) -> Motion:
    turn = _slow_turn(motion)
    if not turn.any():
        return motion
    root = np.asarray(motion.root, np.float64)
    step, middle = np.diff(root, axis=0), (turn[1:] + turn[:-1]) / 2
    cos, sin = np.cos(middle), np.sin(middle)
    bent = np.stack([cos * step[:, 0] + sin * step[:, 2], step[:, 1], cos * step[:, 2] - sin * step[:, 0]], axis=1)
    rotations = np.array(motion.rotations)
    rotations[:, 0] = multiply(yaw(torch.from_numpy(turn)), torch.from_numpy(np.asarray(motion.rotations[:, 0], np.float64))).numpy()
    path = root[0] + np.concatenate([np.zeros((1, 3)), np.cumsum(bent, axis=0)])
    return Motion(motion.skeleton, path.astype(motion.root.dtype), rotations, motion.fps)


def _slow_turn(motion: Motion) -> np.ndarray:
    """Turn about +Y (T,) in radians that brings the averaged heading back to within the tolerated angle of +Z."""
    _, world = chain_pose(motion, 0)
    forward = world[0][:, [0, 2], 2].numpy()
    forward /= np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), 0.1)
    average = ndimage.gaussian_filter1d(forward, AVERAGE_S * motion.fps, axis=0, mode="nearest")
    heading = np.unwrap(np.arctan2(average[:, 0], average[:, 1]))
    heading -= 2 * np.pi * np.round(heading[0] / (2 * np.pi))
    wanted = np.clip(heading, -TOLERATED_RAD, TOLERATED_RAD) - heading
    knots = _knots(len(motion), motion.fps)
    slow = [wanted[0]]
    for value in clock.resample(wanted, motion.fps, knots)[1:]:
        slow.append(slow[-1] + float(np.clip(value - slow[-1], -TURN_RAD_S * KNOT_S, TURN_RAD_S * KNOT_S)))
    return _to_frames(knots, np.array(slow), len(motion), motion.fps)


def _shift(path: np.ndarray, limit_m: float, fps: float) -> np.ndarray:
    """Shift (T,) that keeps a coordinate within +-limit_m and changes as slowly as it can."""
    low, high = path.min(), path.max()
    steady = np.clip(0, -limit_m - low, limit_m - high) if high - low <= 2 * limit_m else -(low + high) / 2
    if high - low <= 2 * limit_m:
        return np.full(len(path), steady)
    knots = _knots(len(path), fps)
    width = 2 * round(2 * _SMOOTH_S * fps) + 1
    least = -limit_m - clock.resample(ndimage.minimum_filter1d(path, width, mode="nearest"), fps, knots)
    most = limit_m - clock.resample(ndimage.maximum_filter1d(path, width, mode="nearest"), fps, knots)
    apart = np.abs(knots[:, None] - knots[None, :])
    pace = SHIFT_M_S
    while pace < 4 and ((least - pace * apart).max(axis=1) > (most + pace * apart).min(axis=1)).any():
        pace *= 2
    floor, ceiling = (least - pace * apart).max(axis=1), (most + pace * apart).min(axis=1)
    inside = np.where(floor <= ceiling, np.clip(steady, floor, ceiling), (floor + ceiling) / 2)
    return _to_frames(knots, inside, len(path), fps)


def _knots(n: int, fps: float) -> np.ndarray:
    """Times in seconds from the first to the last of `n` frames, about half a second apart, two at least."""
    last = (n - 1) / fps
    return np.linspace(0, max(last, 1e-6), max(2, int(np.ceil(last / KNOT_S)) + 1))


def _to_frames(knots: np.ndarray, values: np.ndarray, n: int, fps: float) -> np.ndarray:
    smooth = PchipInterpolator(knots, values)(clock.frame_times(n, fps))
    return ndimage.gaussian_filter1d(smooth, _SMOOTH_S * fps, mode="nearest")
