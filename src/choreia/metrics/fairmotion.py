"""Kinetic and geometric motion features as published, with their constants and their bug.

Read at: facebookresearch/fairmotion `fairmotion/tasks/clustering/features/{kinetic,manual,utils}.py`; google/aistplusplus_api
`aist_plusplus/features/{manual,utils}.py` (one stored version with the bug, one repaired); lisiyao21/Bailando
`utils/{features/utils,metrics_new}.py`; google-research/mint `tools/{calculate_scores,calculate_fid_scores}.py`; li-ronghui/LODGE
`metric/metrics_finedance.py`. Our own implementation of their formulas, over whole takes at once; the results agree with their loops.

The bug: `v1 = p[i] - p[i-1] / frame_time` divides only one of two terms, so that "acceleration" is 3600 times the distance from the
origin. Bailando repaired it after its issue #46 (August 2023), aistplusplus_api in its later version, fairmotion never (pull request #87).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choreia.metrics.base import JOINTS

UP = 1
WINDOW = 2

_NAMES = {
    "root": "pelvis", "belly": "spine1", "chest": "spine3", "neck": "neck",
    "lhip": "left_hip", "rhip": "right_hip", "lknee": "left_knee", "rknee": "right_knee",
    "lankle": "left_ankle", "rankle": "right_ankle", "ltoes": "left_foot", "rtoes": "right_foot",
    "lshoulder": "left_shoulder", "rshoulder": "right_shoulder", "lelbow": "left_elbow", "relbow": "right_elbow",
    "lwrist": "left_wrist", "rwrist": "right_wrist",
}  # fmt: skip
PLACES = {short: JOINTS.index(name) for short, name in _NAMES.items()}
"""Index of each joint that the geometric features name, by fairmotion's name for it."""

HUMERUS_M = float(np.linalg.norm(np.subtract([0.199113488, 0.236807942, -0.0180702247], [0.454445392, 0.221158922, -0.0410167128])))
SHOULDERS_M = float(np.linalg.norm(np.subtract([0.199113488, 0.236807942, -0.0180702247], [-0.191692337, 0.236928746, -0.0123055102])))
HIPS_M = float(np.linalg.norm(np.subtract([0.0564076714, -0.323069185, 0.0109197125], [-0.0624834076, -0.331302464, 0.0150412619])))
"""Lengths of the one SMPL body (male, mean shape) against which every dancer is measured."""


@dataclass(frozen=True)
class Kinetic:
    """Per joint: mean squared horizontal and vertical velocity, and mean norm of acceleration, each over a window of five frames.

    Y up; in the order joint by joint, rounded to float32 as the source does. Units are m²/s², m²/s² and m/s² where the take really is at
    1 / `frame_time_s` and `parenthesis_bug` is off. Under three frames the source divides by zero: NaN.
    """

    frame_time_s: float = 1 / 60
    parenthesis_bug: bool = True

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Features (3 J,) of places (T, J, 3)."""
        if len(places) < 3:
            return np.full(3 * places.shape[1], np.nan)
        velocity = _window_mean(np.diff(places, axis=0)) / self.frame_time_s
        horizontal = (velocity[..., 0] ** 2 + velocity[..., 2] ** 2).mean(axis=0)
        vertical = (velocity[..., UP] ** 2).mean(axis=0)
        energy = np.linalg.norm(self._acceleration(places), axis=-1).mean(axis=0)
        return np.stack([horizontal, vertical, energy], axis=1).ravel().astype(np.float32).astype(np.float64)

    def _acceleration(self, places: np.ndarray) -> np.ndarray:
        """Windowed acceleration at frames 1 to T - 1, (T - 1, J, 3); the last frame's window is cut at both ends."""
        before, here, after = places[:-2], places[1:-1], places[2:]
        old = here - before / self.frame_time_s if self.parenthesis_bug else (here - before) / self.frame_time_s
        each = ((after - here) / self.frame_time_s - old) / self.frame_time_s
        return _window_mean(each, extra=1)


def _window_mean(values: np.ndarray, extra: int = 0) -> np.ndarray:
    """Mean of (n, ...) over i - 2 to i + 2, cut at the ends, for i from 0 to n - 1 + `extra`."""
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    centre = np.arange(len(values) + extra)
    low, high = np.maximum(centre - WINDOW, 0), np.minimum(centre + WINDOW + 1, len(values))
    return (total[high] - total[low]) / (high - low).reshape(-1, *[1] * (values.ndim - 1))


def geometric(places: np.ndarray, frame_time_s: float = 1 / 120) -> np.ndarray:
    """Share of frames after the first in which each of 32 relational features holds, (32,); "manual" features in the source.

    Places (T, J ≥ 22, 3) in metres, Y up. Velocities use 1/120 s whatever the frame rate, so that at 60 Hz they are twice too high.
    Kept from the source: `move` ignores its fourth joint, and the normals of mirrored planes point opposite ways. One frame: NaN.
    """
    if len(places) < 2:
        return np.full(32, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        tracks = _Relations(places, frame_time_s).tracks()
    return np.stack(tracks).mean(axis=1).astype(np.float32).astype(np.float64)


class _Relations:
    """The five kinds of relation between named joints, each a boolean track (T - 1,) from the second frame on."""

    def __init__(self, places: np.ndarray, frame_time_s: float) -> None:
        self.at = {name: places[1:, index] for name, index in PLACES.items()}
        self.step = {name: np.diff(places[:, index], axis=0) / frame_time_s for name, index in PLACES.items()}
        self.lowest = places[1:, :, UP].min(axis=1)

    def tracks(self) -> list[np.ndarray]:
        """All 32, in the order of the source."""
        h, sw, hw = HUMERUS_M, SHOULDERS_M, HIPS_M
        return [
            self.moves_along_normal("neck", "rhip", "lhip", "rwrist", 1.8 * h),
            self.moves_along_normal("neck", "lhip", "rhip", "lwrist", 1.8 * h),
            self.beyond("chest", "neck", "neck", "rwrist", 0.2 * h),
            self.beyond("chest", "neck", "neck", "lwrist", 0.2 * h),
            self.moves("belly", "chest", "chest", 1.8 * h),
            self.moves("belly", "chest", "chest", 1.8 * h),
            self.angle("relbow", "rshoulder", "relbow", "rwrist", 0, 110),
            self.angle("lelbow", "lshoulder", "lelbow", "lwrist", 0, 110),
            self.beyond("lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * sw),
            self.moves("lwrist", "rwrist", "rwrist", 1.4 * h),
            self.moves("rwrist", "root", "lwrist", 1.4 * h),
            self.moves("lwrist", "root", "rwrist", 1.4 * h),
            self.fast("rwrist", 2.5 * h),
            self.fast("lwrist", 2.5 * h),
            self.before_plane("root", "lhip", "ltoes", "rankle", 0.38 * h),
            self.before_plane("root", "rhip", "rtoes", "lankle", 0.38 * h),
            self.height("rankle") > 1.2 * h,
            self.height("lankle") > 1.2 * h,
            self.beyond("lhip", "rhip", "lankle", "rankle", 2.1 * hw),
            self.angle("rknee", "rhip", "rknee", "rankle", 0, 110),
            self.angle("lknee", "lhip", "lknee", "lankle", 0, 110),
            self.fast("rankle", 2.5 * h),
            self.fast("lankle", 2.5 * h),
            self.angle("neck", "root", "rshoulder", "relbow", 25, 180),
            self.angle("neck", "root", "lshoulder", "lelbow", 25, 180),
            self.angle("neck", "root", "rhip", "rknee", 50, 180),
            self.angle("neck", "root", "lhip", "lknee", 50, 180),
            self.before_plane("rankle", "neck", "lankle", "root", 0.5 * h),
            self.upright_angle("neck", "root", 70, 110),
            -self.height("rwrist") > -1.2 * h,
            -self.height("lwrist") > -1.2 * h,
            self.fast("root", 2.3 * h),
        ]

    def moves(self, a: str, b: str, joint: str, threshold: float) -> np.ndarray:
        """The joint moves, as seen from a, in the direction from a to b."""
        return _along(self.step[joint] - self.step[a], self.at[b] - self.at[a]) > threshold

    def moves_along_normal(self, a: str, b: str, c: str, joint: str, threshold: float) -> np.ndarray:
        """The joint moves, as seen from a, along the normal (c - a) × (b - a)."""
        return _along(self.step[joint] - self.step[a], self._normal(a, b, c)) > threshold

    def before_plane(self, a: str, b: str, c: str, joint: str, threshold: float) -> np.ndarray:
        """The joint lies off the plane through a, b, c, on the side of its normal."""
        return _along(self.at[joint] - self.at[a], self._normal(a, b, c)) > threshold

    def beyond(self, a: str, b: str, origin: str, joint: str, threshold: float) -> np.ndarray:
        """Seen from the origin, the joint lies far in the direction from a to b."""
        return _along(self.at[joint] - self.at[origin], self.at[b] - self.at[a]) > threshold

    def angle(self, a0: str, a1: str, b0: str, b1: str, low: float, high: float) -> np.ndarray:
        """The angle between a0 → a1 and b0 → b1 lies inside (low, high) degrees."""
        return _inside(self.at[a1] - self.at[a0], self.at[b1] - self.at[b0], low, high)

    def upright_angle(self, a: str, b: str, low: float, high: float) -> np.ndarray:
        """The angle between a → b and up lies inside (low, high) degrees."""
        return _inside(self.at[b] - self.at[a], np.array([0.0, 1.0, 0.0]), low, high)

    def fast(self, joint: str, threshold: float) -> np.ndarray:
        """The joint's speed, m/s, is above the threshold."""
        return np.linalg.norm(self.step[joint], axis=-1) > threshold

    def height(self, joint: str) -> np.ndarray:
        """Height, m, above the lowest joint of the same frame."""
        return self.at[joint][:, UP] - self.lowest

    def _normal(self, a: str, b: str, c: str) -> np.ndarray:
        return np.cross(self.at[c] - self.at[a], self.at[b] - self.at[a])


def _along(vector: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return np.sum(vector * direction, axis=-1) / np.linalg.norm(direction, axis=-1)


def _inside(a: np.ndarray, b: np.ndarray, low: float, high: float) -> np.ndarray:
    cosine = np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    degrees = np.degrees(np.arccos(cosine))
    return (degrees > low) & (degrees < high)


def from_first_root(joints: np.ndarray) -> np.ndarray:
    """Bailando's preparation: the first 1200 frames (20 s at 60 Hz), less the root of frame 0."""
    return joints[:1200] - joints[0, 0]


def from_first_root_of_22(joints: np.ndarray) -> np.ndarray:
    """Danceba's preparation: Bailando's, without the hands."""
    return from_first_root(joints)[:, :22]


def standing_along_z(joints: np.ndarray) -> np.ndarray:
    """POPDG's takes: Z up, for features that take Y for up, so that a step to the back is a leap. Its shift by (0, -5, 1) m is left out."""
    return np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], axis=-1)


def from_every_root(joints: np.ndarray) -> np.ndarray:
    """Lodge's preparation: the first 1024 frames and 22 joints, less the root of frame 0, then 21 joints less the root of every frame.

    The root itself keeps its travel, so that features which name it mix the world with the body's own frame.
    """
    places = joints[:1024, :22] - joints[0, 0]
    return np.concatenate([places[:, :1], places[:, 1:] - places[:, :1]], axis=1)
