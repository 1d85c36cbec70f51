"""Pan and tilt of a moving head from where it hangs and where it looks.

In the frame of its base (hanging: X across, Y up, Z to the front) a head at pan p and tilt t, both 0 in the middle of their ranges, looks
along (sin p sin t, -cos t, cos p sin t): straight down at tilt 0, to the front at tilt 90 degrees. The same direction is reached by
(p + 180 degrees, -t) and by whole turns of pan as far as the range goes; which of them comes when is chosen once for the whole take.
"""

from __future__ import annotations

import numpy as np

from choreia.stage.rig import Fixture

BLIND_SPOT_RAD = 0.02
"""Nearer to the pan axis than this, pan has no meaning and keeps its place."""


def base_rotation(rotation_deg: tuple[float, ...]) -> np.ndarray:
    """Rotation matrix (3, 3) from the base to the world: about z, then x, then y."""
    x, y, z = np.deg2rad(rotation_deg)
    cx, cy, cz, sx, sy, sz = np.cos(x), np.cos(y), np.cos(z), np.sin(x), np.sin(y), np.sin(z)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def pan_tilt(lamp: Fixture, directions: np.ndarray) -> np.ndarray:
    """Pan in (-pi, pi] and tilt in [0, pi], (T, 2) rad, along world `directions` (T, 3); pan is held where it is undefined."""
    local = directions @ base_rotation(lamp.rotation_deg)
    local = local / np.maximum(np.linalg.norm(local, axis=1, keepdims=True), 1e-9)
    pan, tilt = np.arctan2(local[:, 0], local[:, 2]), np.arccos(np.clip(-local[:, 1], -1, 1))
    known = np.flatnonzero(np.sin(tilt) > np.sin(BLIND_SPOT_RAD))
    if not len(known):
        return np.stack([np.zeros(len(pan)), tilt], axis=1)
    last = known[np.clip(np.searchsorted(known, np.arange(len(pan)), side="right") - 1, 0, None)]
    return np.stack([pan[last], tilt], axis=1)


def looks_along(lamp: Fixture, angles: np.ndarray) -> np.ndarray:
    """World directions (T, 3), of length 1, at pan and tilt `angles` (T, 2): the inverse of `pan_tilt`."""
    pan, tilt = np.asarray(angles, float).T
    local = np.stack([np.sin(pan) * np.sin(tilt), -np.cos(tilt), np.cos(pan) * np.sin(tilt)], axis=1)
    return local @ base_rotation(lamp.rotation_deg).T


def half_ranges(lamp: Fixture) -> np.ndarray:
    """Half the range of pan and of tilt, (2,) rad."""
    return np.array([max(abs(one.start), abs(one.end)) for _, one in lamp.profile.axes])


def speeds(lamp: Fixture) -> np.ndarray:
    """Highest speed of pan and of tilt, (2,) rad/s."""
    return np.deg2rad([lamp.pan_deg_s, lamp.tilt_deg_s])


def shortest_path(angles: np.ndarray, half: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """The poses (T, 2) that look along `angles` (T, 2) and take the head the least time in all, within half ranges and at speeds (2,).

    Every frame has the pose itself, its flip and whole turns of both; a shortest path through them (dynamic programming) avoids flips and
    ends of the range that a choice frame by frame runs into. A pose out of every range is brought to its nearest end.
    """
    turns = 2 * np.pi * np.arange(-2, 3)
    pan = np.concatenate([angles[:, :1] + turns, angles[:, :1] + np.pi + turns], axis=1)
    tilt = np.repeat(np.stack([angles[:, 1], -angles[:, 1]], axis=1), len(turns), axis=1)
    poses = np.stack([pan, tilt], axis=2)
    reached = np.clip(poses, -half, half)
    missed = np.abs(poses - reached).sum(axis=2) * 1e3 + 1e-3 * np.abs(reached[..., 0]) / np.pi * (np.arange(len(poses)) == 0)[:, None]
    cost, came_from = missed[0], []
    for before, here, extra in zip(reached[:-1], reached[1:], missed[1:], strict=True):
        total = cost[:, None] + (np.abs(here[None] - before[:, None]) / speed).max(axis=2)
        came_from.append(total.argmin(axis=0))
        cost = total.min(axis=0) + extra
    best = [int(cost.argmin())]
    for origin in reversed(came_from):
        best.append(int(origin[best[-1]]))
    return reached[np.arange(len(reached)), best[::-1]]


def limit_speed(poses: np.ndarray, speed: np.ndarray, fps: float) -> np.ndarray:
    """The poses (T, 2) that a head reaches when it runs after `poses` at no more than `speed` (2,) rad/s; it starts on the first."""
    step = speed / fps
    reached = [poses[0]]
    for goal in poses[1:]:
        reached.append(reached[-1] + np.clip(goal - reached[-1], -step, step))
    return np.array(reached)


def aim(lamp: Fixture, targets_m: np.ndarray, fps: float) -> np.ndarray:
    """Pan and tilt (T, 2) rad of a head that follows `targets_m` (T, 3): in range, by the shortest path, no faster than it can."""
    angles = pan_tilt(lamp, np.asarray(targets_m, float) - np.array(lamp.position_m))
    return limit_speed(shortest_path(angles, half_ranges(lamp), speeds(lamp)), speeds(lamp), fps)
