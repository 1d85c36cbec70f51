"""Kinetic and geometric motion features for distances between sets, the same for any frame rate, place, heading and body size.

The published extractors (`choreia.metrics.fairmotion`) count in frames of a fixed rate, measure every dancer against one SMPL body and
divide only one of two terms by the frame time. Here a take is first read on one clock, velocities are true, and every length is in
body heights of the dancer's own skeleton.
Geometric features: the 32 relational features of Müller, Röder and Clausen (2005) as chosen by fairmotion, averaged over time.
"""

from __future__ import annotations

import numpy as np

from choreia.metrics.base import validate_joints
from choreia.metrics.dancer import RATE_HZ, at_rate, body_height_m
from choreia.metrics.fairmotion import PLACES, UP

STEP = 2
"""Velocities are central differences over ± this many frames at 30 Hz: ± 1/15 s."""

SPAN_S = STEP / RATE_HZ

_SIDES = (("r", "l"), ("l", "r"))


def kinetic(joints: np.ndarray, fps: float) -> np.ndarray:
    """Per joint: root mean square horizontal speed and vertical speed (body heights a second) and mean acceleration (heights/s²).

    Joints (T, 24, 3) m. Returns (72,) float64: 24 horizontal, 24 vertical, 24 accelerations; zeros for takes under 1/6 s.
    """
    places = at_rate(validate_joints(joints, fps), fps)
    places = places / body_height_m(places)
    velocity = _velocity(places)
    horizontal = np.sqrt(np.mean(velocity[..., 0] ** 2 + velocity[..., 2] ** 2, axis=0))
    vertical = np.sqrt(np.mean(velocity[..., UP] ** 2, axis=0))
    return np.concatenate([horizontal, vertical, np.linalg.norm(_acceleration(places), axis=-1).mean(axis=0)])


def geometric(joints: np.ndarray, fps: float) -> np.ndarray:
    """Share of time for which each of the 32 relational features holds, (32,) in [0, 1]. Joints (T, 24, 3) m."""
    return np.array([track.mean() for track in _Pose(at_rate(validate_joints(joints, fps), fps)).features()])


def _velocity(places: np.ndarray) -> np.ndarray:
    """(T - 4, ...) per second; zeros for a take too short to have one."""
    if len(places) <= 2 * STEP:
        return np.zeros_like(places[:1])
    return (places[2 * STEP :] - places[: -2 * STEP]) / (2 * SPAN_S)


def _acceleration(places: np.ndarray) -> np.ndarray:
    """(T - 4, ...) per second squared; zeros for a take too short to have one."""
    if len(places) <= 2 * STEP:
        return np.zeros_like(places[:1])
    return (places[2 * STEP :] - 2 * places[STEP:-STEP] + places[: -2 * STEP]) / SPAN_S**2


class _Pose:
    """Joint places by short name, with the dancer's own humerus length, shoulder and hip widths (m)."""

    def __init__(self, places: np.ndarray) -> None:
        self.at = {short: places[:, index] for short, index in PLACES.items()}
        self.floor_m = np.percentile(places[..., UP].min(axis=1), 5)
        self.humerus = _length(self.at["lelbow"] - self.at["lshoulder"]).mean()
        self.shoulders = _length(self.at["lshoulder"] - self.at["rshoulder"]).mean()
        self.hips = _length(self.at["lhip"] - self.at["rhip"]).mean()

    def features(self) -> list[np.ndarray]:
        """The 32 boolean tracks; those of velocity are four frames shorter."""
        return [*self._arms(), *self._legs(), *self._trunk()]

    def _arms(self) -> list[np.ndarray]:
        h = self.humerus
        return [
            *[self._moves_forward(f"{s}wrist", 1.8 * h) for s, _ in _SIDES],
            *[self._beyond("chest", "neck", "neck", f"{s}wrist", 0.2 * h) for s, _ in _SIDES],
            *[self._moves("belly", "chest", "chest", f"{s}wrist", 1.8 * h) for s, _ in _SIDES],
            *[self._angle(f"{s}elbow", f"{s}shoulder", f"{s}elbow", f"{s}wrist", 0, 110) for s, _ in _SIDES],
            self._beyond("lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * self.shoulders),
            self._moves("lwrist", "rwrist", "rwrist", "lwrist", 1.4 * h),
            *[self._moves(f"{s}wrist", "root", "root", f"{s}wrist", 1.4 * h) for s, _ in _SIDES],
            *[self._fast(f"{s}wrist", 2.5 * h) for s, _ in _SIDES],
            *[self._angle("neck", "root", f"{s}shoulder", f"{s}elbow", 25, 180) for s, _ in _SIDES],
            *[self._height(f"{s}wrist") < 1.2 * h for s, _ in _SIDES],
        ]

    def _legs(self) -> list[np.ndarray]:
        h = self.humerus
        return [
            *[self._steps_forward(s, o, 0.38 * h) for s, o in _SIDES],
            *[self._height(f"{s}ankle") > 1.2 * h for s, _ in _SIDES],
            self._beyond("lhip", "rhip", "lankle", "rankle", 2.1 * self.hips),
            *[self._angle(f"{s}knee", f"{s}hip", f"{s}knee", f"{s}ankle", 0, 110) for s, _ in _SIDES],
            *[self._fast(f"{s}ankle", 2.5 * h) for s, _ in _SIDES],
            *[self._angle("neck", "root", f"{s}hip", f"{s}knee", 50, 180) for s, _ in _SIDES],
        ]

    def _trunk(self) -> list[np.ndarray]:
        spine = _unit(self.at["neck"] - self.at["root"])
        lean = np.degrees(np.arccos(np.clip(spine[:, UP], -1, 1)))
        frontal = _unit(np.cross(self.at["neck"] - self.at["rankle"], self.at["lankle"] - self.at["rankle"]))
        return [
            np.sum(frontal * (self.at["root"] - self.at["rankle"]), axis=-1) > 0.5 * self.humerus,
            (lean > 70) & (lean < 110),
            self._fast("root", 2.3 * self.humerus),
        ]

    def _height(self, joint: str) -> np.ndarray:
        return self.at[joint][:, UP] - self.floor_m

    def _fast(self, joint: str, threshold: float) -> np.ndarray:
        return _length(_velocity(self.at[joint])) > threshold

    def _angle(self, a0: str, a1: str, b0: str, b1: str, low: float, high: float) -> np.ndarray:
        cosine = np.sum(_unit(self.at[a1] - self.at[a0]) * _unit(self.at[b1] - self.at[b0]), axis=-1)
        degrees = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        return (degrees > low) & (degrees < high)

    def _beyond(self, a: str, b: str, origin: str, joint: str, threshold: float) -> np.ndarray:
        """Seen from the origin, the joint lies far in the direction from a to b."""
        return np.sum(_unit(self.at[b] - self.at[a]) * (self.at[joint] - self.at[origin]), axis=-1) > threshold

    def _moves(self, a: str, b: str, origin: str, joint: str, threshold: float) -> np.ndarray:
        """Seen from the origin, the joint moves in the direction from a to b."""
        return self._moves_along(_unit(self.at[b] - self.at[a]), origin, joint, threshold)

    def _moves_forward(self, joint: str, threshold: float) -> np.ndarray:
        """Seen from the neck, the joint moves out of the front of the plane through neck and hips."""
        normal = np.cross(self.at["rhip"] - self.at["neck"], self.at["lhip"] - self.at["neck"])
        return self._moves_along(_unit(normal), "neck", joint, threshold)

    def _moves_along(self, direction: np.ndarray, origin: str, joint: str, threshold: float) -> np.ndarray:
        velocity = _velocity(self.at[joint] - self.at[origin])
        trim = (len(direction) - len(velocity)) // 2
        return np.sum(direction[trim : trim + len(velocity)] * velocity, axis=-1) > threshold

    def _steps_forward(self, side: str, other: str, threshold: float) -> np.ndarray:
        """The ankle lies before the plane through the other leg: root, hip and toes."""
        root, forward = self.at["root"], 1 if side == "r" else -1
        normal = forward * _unit(np.cross(self.at[f"{other}toes"] - root, self.at[f"{other}hip"] - root))
        return np.sum(normal * (self.at[f"{side}ankle"] - root), axis=-1) > threshold


def _length(vector: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vector, axis=-1)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(_length(vector)[..., None], 1e-9)
