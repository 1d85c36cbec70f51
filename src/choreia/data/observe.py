"""A dancer as the detectors see one: joints at 30 Hz in the world and in the dancer's own frame, heading, trunk, feet on the floor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.contacts import REST_HEIGHTS_M, contacts_of, floor_of
from choreia.motion.energy import velocity
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import FEET, choreia24
from choreia.types import Motion

RATE_HZ = 30.0
"""Everything is seen at this rate, so that takes at any frame rate are described alike."""

SIDES = ("left", "right")
_JOINTS = choreia24()
_SMOOTH_S = 1 / 30  # deviation of the window that takes the noise off places
_HEADING_S = 0.1  # and off the heading
_UPRIGHT = 0.6  # cosine of the trunk to the vertical from which the hips tell where the dancer faces


@dataclass(frozen=True)
class Body:
    """Joints `places` (T, 24, 3) in metres at `RATE_HZ`, the floor at height 0."""

    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def at(self, joint: str) -> np.ndarray:
        """World places of a joint, (T, 3) m."""
        return self.places[:, _JOINTS.index(joint)]

    def own(self, joint: str) -> np.ndarray:
        """Places of a joint in the dancer's frame, (T, 3) m: to the left, above the floor, ahead of the pelvis."""
        return self.turned(self.at(joint) - self.at("pelvis") * [1, 0, 1])

    def turned(self, vectors: np.ndarray) -> np.ndarray:
        """World vectors (T, 3) as left, up and ahead of the dancer."""
        sine, cosine = np.sin(self.heading), np.cos(self.heading)
        x, y, z = vectors.T
        return np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=1)

    def speed(self, joint: str) -> np.ndarray:
        """Speed of a joint in the world, (T,) m/s."""
        return np.linalg.norm(velocity(self.at(joint), RATE_HZ), axis=1)

    def speed_about(self, joint: str) -> np.ndarray:
        """Speed of a joint relative to the pelvis, (T,) m/s."""
        return np.linalg.norm(velocity(self.at(joint) - self.at("pelvis"), RATE_HZ), axis=1)

    @cached_property
    def heading(self) -> np.ndarray:
        """Where the hips face, (T,) rad without jumps: 0 along +Z, rising to the dancer's left; held while the trunk is not upright."""
        across = self.at("left_hip") - self.at("right_hip")
        angle = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
        known = np.flatnonzero(self.upright > _UPRIGHT)
        if len(known):
            angle = np.interp(np.arange(len(self)), known, angle[known])
        return ndimage.gaussian_filter1d(angle, _HEADING_S * RATE_HZ, mode="nearest")

    @cached_property
    def upright(self) -> np.ndarray:
        """Cosine of the trunk to the vertical, (T,): 1 standing, 0 lying, -1 on the hands."""
        trunk = self.at("neck") - self.at("pelvis")
        return trunk[:, 1] / np.maximum(np.linalg.norm(trunk, axis=1), 1e-6)

    @cached_property
    def clearance(self) -> np.ndarray:
        """Height of each foot's lower joint above where it is on a flat foot, (T, 2) m, left and right."""
        heights = np.stack([self.at(joint)[:, 1] for joint in FEET], axis=1) - REST_HEIGHTS_M
        return heights.reshape(-1, 2, 2).min(axis=2)

    @cached_property
    def planted(self) -> np.ndarray:
        """Whether each foot stands on the floor with heel or ball, (T, 2) bool, left and right."""
        feet = np.stack([self.at(joint) for joint in FEET], axis=1)
        return np.logical_or.reduce(contacts_of(feet, RATE_HZ, floor_m=0.0).reshape(-1, 2, 2), axis=2)

    @cached_property
    def travel(self) -> np.ndarray:
        """Velocity of the pelvis over the floor in the dancer's frame, (T, 2) m/s: to the left, ahead."""
        smooth = ndimage.gaussian_filter1d(self.at("pelvis"), 0.15 * RATE_HZ, axis=0, mode="nearest")
        return self.turned(velocity(smooth, RATE_HZ))[:, [0, 2]]

    @cached_property
    def mean_speed(self) -> np.ndarray:
        """Mean speed of all joints, (T,) m/s."""
        return np.linalg.norm(velocity(self.places, RATE_HZ), axis=-1).mean(axis=1)


def observe(motion: Motion) -> Body:
    """See a motion on choreia-24; ChoreiaError for another skeleton."""
    if motion.skeleton.names != _JOINTS.names:
        raise ChoreiaError(f"the motion has {len(motion.skeleton.names)} joints that are not choreia-24's: retarget it first")
    places = positions(motion).astype(np.float64)
    seen = clock.resample(places, motion.fps, clock.frame_times(clock.frames_in(motion.duration_s, RATE_HZ), RATE_HZ))
    smooth = ndimage.gaussian_filter1d(seen, _SMOOTH_S * RATE_HZ, axis=0, mode="nearest")
    floor_m = floor_of(np.stack([smooth[:, _JOINTS.index(joint)] for joint in FEET], axis=1))
    return Body(smooth - [0, floor_m, 0])


def runs(mask: np.ndarray, shortest_s: float = 0.0, gap_s: float = 0.0) -> Iterator[tuple[int, int]]:
    """Stretches of True as frames [start, stop), gaps up to `gap_s` bridged, those under `shortest_s` left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    joined: list[list[int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and (start - joined[-1][1]) / RATE_HZ <= gap_s:
            joined[-1][1] = stop
        else:
            joined.append([start, stop])
    return ((start, stop) for start, stop in joined if (stop - start) / RATE_HZ >= shortest_s)


def sliding(values: np.ndarray, width_s: float, percentile: float) -> np.ndarray:
    """A percentile of (T,) values over the window of `width_s` around each frame, (T,)."""
    return ndimage.percentile_filter(values, percentile, size=max(1, round(width_s * RATE_HZ)), mode="nearest")
