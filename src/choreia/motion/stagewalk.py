"""`stageplace.stay_on_stage` for a dance that is still being made: what is known of the path is the past and some seconds ahead.

Every half second the walk is planned anew: a slow turn towards the audience (at most 0.3 rad/s) and a slow shift (at most 0.25 m/s, doubled
until it suffices) that keeps the path ahead inside. The dancer follows the plan as a critically damped spring, so that nothing jerks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from choreia.motion import rotations as rot
from choreia.motion.pieces import Pieces, held_back
from choreia.motion.representation.heading import heading
from choreia.motion.stageplace import AVERAGE_S, KNOT_S, SHIFT_M_S, TOLERATED_RAD, TURN_RAD_S
from choreia.types import Motion

AHEAD_S = 2.5
_FOLLOW_HZ = 4.0  # angular frequency of the spring
_FASTEST_M_S = 4.0


def walk_on_stage(pieces: Pieces, width_m: float = 8.0, depth_m: float = 6.0, margin_m: float = 0.8) -> Iterator[Motion]:
    """The same dance within a stage as `stageplace.stay_on_stage` has it, as soon as 2.5 s more are known; to be followed by the feet."""
    walker: Walker | None = None
    for seen, ready in held_back(pieces, AHEAD_S):
        walker = walker or Walker(seen.fps, np.maximum(np.array([width_m, depth_m]) / 2 - margin_m, 0.1))
        yield walker.walk(seen, ready)


class Walker:
    """Where the dancer is and how fast the plan is being followed. `limits_m` (2,): how far from the origin the root may be, x and z."""

    def __init__(self, fps: float, limits_m: np.ndarray) -> None:
        self._fps, self._limits, self._reach = fps, limits_m, round(AHEAD_S * fps)
        self._plan = np.zeros(3)  # turn, shift in x, shift in z: what is aimed for,
        self._now, self._speed = np.zeros(3), np.zeros(3)  # and where the spring is
        self._last: np.ndarray | None = None  # root of the newest frame that was walked, as it was given (x, z)
        self._place = np.zeros(2)  # and as it was turned
        self._facing = np.zeros((0, 2))
        self._frame = 0

    def walk(self, seen: Motion, ready: int) -> Motion:
        """The first `ready` frames of what is `seen`, walked."""
        path = np.asarray(seen.root, np.float64)[:, [0, 2]]
        yaw = heading(rot.quaternion_to_matrix(torch.from_numpy(np.asarray(seen.rotations[:, 0], np.float64)))).numpy()
        facing = np.stack([np.sin(yaw), np.cos(yaw)], axis=1)
        if self._last is None:
            self._last = self._place = path[0]
            self._begin(path[: self._reach], facing[: self._reach])
        walked = np.array([self._step(path[k:], facing[k:]) for k in range(ready)])
        root, rotations = np.array(seen.root[:ready]), np.array(seen.rotations[:ready])
        root[:, [0, 2]] = walked[:, 1:]
        turns = rot.yaw(torch.from_numpy(walked[:, 0])).to(torch.from_numpy(rotations).dtype)
        rotations[:, 0] = rot.multiply(turns, torch.from_numpy(rotations[:, 0])).numpy()
        return Motion(seen.skeleton, root, rotations, seen.fps)

    def _begin(self, path: np.ndarray, facing: np.ndarray) -> None:
        """The take begins facing the audience as far as the first seconds do, with the path ahead in the middle."""
        turn = -self._heading(facing)
        middle = path[0] + (path - path[0]) @ _turning(turn)
        self._plan = self._now = np.array([turn, *(-(middle.min(0) + middle.max(0)) / 2)])

    def _step(self, path: np.ndarray, facing: np.ndarray) -> np.ndarray:
        """Turn, x and z of the next frame, the first of those ahead."""
        if self._frame % round(KNOT_S * self._fps) == 0:
            self._aim(path[: self._reach], facing[: self._reach])
        self._place = self._place + (path[0] - self._last) @ _turning(self._now[0])
        self._last, self._frame = path[0], self._frame + 1
        self._facing = np.concatenate([self._facing[-round(2 * AVERAGE_S * self._fps) :], facing[:1]])
        self._speed = self._speed + _FOLLOW_HZ * (_FOLLOW_HZ * (self._plan - self._now) - 2 * self._speed) / self._fps
        self._now = self._now + self._speed / self._fps
        return np.array([self._now[0], *(self._place + self._now[1:])])

    def _aim(self, path: np.ndarray, facing: np.ndarray) -> None:
        wanted = self._heading(facing)
        wanted = np.clip(wanted, -TOLERATED_RAD, TOLERATED_RAD) - wanted
        turn = self._plan[0] + np.clip(wanted - self._plan[0], -TURN_RAD_S * KNOT_S, TURN_RAD_S * KNOT_S)
        ahead = self._place + (path - self._last) @ _turning(self._now[0])
        shifts = [self._shift(ahead[:, axis], limit, self._plan[1 + axis]) for axis, limit in enumerate(self._limits)]
        self._plan = np.array([turn, *shifts])

    def _heading(self, facing: np.ndarray) -> float:
        """Averaged heading about now, radians, on the turn of the circle that is nearest to undoing the present turn."""
        around = np.concatenate([self._facing, facing])
        apart_s = (np.arange(len(around)) - len(self._facing)) / self._fps
        mean = np.exp(-0.5 * (apart_s / AVERAGE_S) ** 2) @ around
        angle = np.arctan2(mean[0], mean[1])
        return float(angle + 2 * np.pi * np.round((-self._plan[0] - angle) / (2 * np.pi)))

    def _shift(self, ahead: np.ndarray, limit_m: float, now_m: float) -> float:
        """The shift nearest to the present one that keeps a coordinate (n,) ahead inside at the least pace; the spring lags."""
        apart_s, pace = np.maximum(np.arange(len(ahead)) / self._fps - 2 / _FOLLOW_HZ, 0), SHIFT_M_S
        while pace < _FASTEST_M_S:
            low, high = (-limit_m - ahead - pace * apart_s).max(), (limit_m - ahead + pace * apart_s).min()
            if low <= high and low - pace * KNOT_S <= now_m <= high + pace * KNOT_S:
                return float(np.clip(now_m, low, high))
            pace *= 2
        return float(np.clip((low + high) / 2, now_m - pace * KNOT_S, now_m + pace * KNOT_S))


def _turning(angle: float) -> np.ndarray:
    """Matrix (2, 2) that turns rows (x, z) about +Y."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
