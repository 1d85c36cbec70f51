"""Kinetic and geometric motion features for Fréchet distances, in SI units, for any frame rate and body size.

The published extractors (fairmotion, and its copies) divide only one term by the frame time, hard-code 1/60 or 1/120 s and one
SMPL body. Here velocities are true m/s and lengths are taken from the dancer's own skeleton, so that 30 and 60 fps agree.
Geometric features: the 32 relational features of Müller, Röder and Clausen (2005) as chosen by fairmotion, averaged over time.
"""

from __future__ import annotations

import numpy as np

from choreia.motion.kinematics import positions
from choreia.types import Motion

UP = 1

_NAMES = {
    "root": "pelvis", "belly": "spine1", "chest": "spine3", "neck": "neck",
    "lhip": "left_hip", "rhip": "right_hip", "lknee": "left_knee", "rknee": "right_knee",
    "lankle": "left_ankle", "rankle": "right_ankle", "ltoes": "left_foot", "rtoes": "right_foot",
    "lshoulder": "left_shoulder", "rshoulder": "right_shoulder", "lelbow": "left_elbow", "relbow": "right_elbow",
    "lwrist": "left_wrist", "rwrist": "right_wrist",
}  # fmt: skip


def kinetic(motion: Motion) -> np.ndarray:
    """Per joint: root of mean horizontal kinetic energy, of mean vertical kinetic energy (m/s) and mean acceleration (m/s²).

    Velocities are central differences over ±1/15 s, so that the result does not depend on the frame rate. Returns (3 J,) float64.
    """
    place = positions(motion).astype(np.float64)
    step = max(1, round(motion.fps / 15))
    if len(place) <= 2 * step:
        return np.zeros(3 * place.shape[1])
    span_s = step / motion.fps
    velocity = (place[2 * step :] - place[: -2 * step]) / (2 * span_s)
    acceleration = (place[2 * step :] - 2 * place[step:-step] + place[: -2 * step]) / span_s**2
    horizontal = np.sqrt(np.mean(velocity[..., 0] ** 2 + velocity[..., 2] ** 2, axis=0))
    vertical = np.sqrt(np.mean(velocity[..., UP] ** 2, axis=0))
    return np.concatenate([horizontal, vertical, np.linalg.norm(acceleration, axis=-1).mean(axis=0)])


def geometric(motion: Motion) -> np.ndarray:
    """Share of time for which each of the 32 relational features holds, (32,) in [0, 1]."""
    return np.stack(_Pose(motion).features()).mean(axis=1)


class _Pose:
    """Joint positions by short name, with the dancer's own humerus length, shoulder and hip widths (m)."""

    def __init__(self, motion: Motion) -> None:
        place = positions(motion).astype(np.float64)
        self.at = {short: place[:, motion.skeleton.index(name)] for short, name in _NAMES.items()}
        self.fps = motion.fps
        self.floor = place[..., UP].min()
        self.up = np.array([0.0, 1.0, 0.0])
        self.humerus = _length(self.at["lelbow"] - self.at["lshoulder"]).mean()
        self.shoulders = _length(self.at["lshoulder"] - self.at["rshoulder"]).mean()
        self.hips = _length(self.at["lhip"] - self.at["rhip"]).mean()

    def features(self) -> list[np.ndarray]:
        """The 32 boolean tracks, each (T,)."""
        return [*self._arms(), *self._legs(), *self._trunk()]

    def _arms(self) -> list[np.ndarray]:
        h = self.humerus
        both = [("r", "l"), ("l", "r")]
        return [
            *[self._moves_along_normal("neck", f"{s}hip", f"{o}hip", f"{s}wrist", 1.8 * h) for s, o in both],
            *[self._beyond("chest", "neck", "neck", f"{s}wrist", 0.2 * h) for s, _ in both],
            *[self._moves_towards("belly", "chest", f"{s}wrist", 1.8 * h) for s, _ in both],
            *[self._angle(f"{s}elbow", f"{s}shoulder", f"{s}elbow", f"{s}wrist", 0, 110) for s, _ in both],
            self._beyond("lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * self.shoulders),
            self._moves_towards("lwrist", "rwrist", "rwrist", 1.4 * h),
            *[self._moves_towards(f"{s}wrist", "root", f"{s}wrist", 1.4 * h, relative_to="root") for s, _ in both],
            *[self._fast(f"{s}wrist", 2.5 * h) for s, _ in both],
            *[self._angle("neck", "root", f"{s}shoulder", f"{s}elbow", 25, 180) for s, _ in both],
            *[self._height(f"{s}wrist") < 1.2 * h for s, _ in both],
        ]

    def _legs(self) -> list[np.ndarray]:
        h = self.humerus
        both = [("r", "l"), ("l", "r")]
        return [
            *[self._above_plane("root", f"{o}hip", f"{o}toes", f"{s}ankle", 0.38 * h) for s, o in both],
            *[self._height(f"{s}ankle") > 1.2 * h for s, _ in both],
            self._beyond("lhip", "rhip", "lankle", "rankle", 2.1 * self.hips),
            *[self._angle(f"{s}knee", f"{s}hip", f"{s}knee", f"{s}ankle", 0, 110) for s, _ in both],
            *[self._fast(f"{s}ankle", 2.5 * h) for s, _ in both],
            *[self._angle("neck", "root", f"{s}hip", f"{s}knee", 50, 180) for s, _ in both],
        ]

    def _trunk(self) -> list[np.ndarray]:
        spine = self.at["neck"] - self.at["root"]
        lean = np.degrees(np.arccos(np.clip(spine @ self.up / _length(spine), -1, 1)))
        return [
            self._above_plane("rankle", "neck", "lankle", "root", 0.5 * self.humerus),
            (lean > 70) & (lean < 110),
            self._fast("root", 2.3 * self.humerus),
        ]

    def _height(self, joint: str) -> np.ndarray:
        return self.at[joint][:, UP] - self.floor

    def _velocity(self, track: np.ndarray) -> np.ndarray:
        return np.gradient(track, axis=0) * self.fps if len(track) > 1 else np.zeros_like(track)

    def _fast(self, joint: str, threshold: float) -> np.ndarray:
        return _length(self._velocity(self.at[joint])) > threshold

    def _angle(self, a0: str, a1: str, b0: str, b1: str, low: float, high: float) -> np.ndarray:
        a, b = self.at[a1] - self.at[a0], self.at[b1] - self.at[b0]
        cosine = np.sum(a * b, axis=-1) / np.maximum(_length(a) * _length(b), 1e-9)
        degrees = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        return (degrees > low) & (degrees < high)

    def _beyond(self, n0: str, n1: str, origin: str, joint: str, threshold: float) -> np.ndarray:
        normal = _unit(self.at[n1] - self.at[n0])
        return np.sum(normal * (self.at[joint] - self.at[origin]), axis=-1) > threshold

    def _above_plane(self, a: str, b: str, c: str, joint: str, threshold: float) -> np.ndarray:
        normal = _unit(np.cross(self.at[b] - self.at[a], self.at[c] - self.at[a]))
        return np.sum(normal * (self.at[joint] - self.at[a]), axis=-1) > threshold

    def _moves_towards(self, a: str, b: str, joint: str, threshold: float, relative_to: str | None = None) -> np.ndarray:
        direction = _unit(self.at[b] - self.at[a])
        velocity = self._velocity(self.at[joint] - self.at[relative_to or a])
        return np.sum(direction * velocity, axis=-1) > threshold

    def _moves_along_normal(self, a: str, b: str, c: str, joint: str, threshold: float) -> np.ndarray:
        normal = _unit(np.cross(self.at[b] - self.at[a], self.at[c] - self.at[a]))
        return np.sum(normal * self._velocity(self.at[joint] - self.at[a]), axis=-1) > threshold


def _length(vector: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vector, axis=-1)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(_length(vector)[..., None], 1e-9)
