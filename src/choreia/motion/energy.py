"""How much a body moves: joint speeds, jerk, and kinetic energy with the masses of human segments.

Segment masses are shares of body mass, mean of women and men in de Leva, "Adjustments to Zatsiorsky-Seluyanov's segment inertia
parameters", J. Biomechanics 29 (1996), table 4. A segment's mass is put at the middle of its two joints.
"""

from __future__ import annotations

import numpy as np

from choreia.motion.kinematics import positions
from choreia.types import Motion

PARTS = ("torso", "head", "left_arm", "right_arm", "left_leg", "right_leg")
"""Body parts of `kinetic_energy`, in the order of its columns."""

# part, joint at either end, share of body mass; limbs once for each side
_TRUNK = (("torso", "pelvis", "neck", 0.430), ("head", "neck", "head", 0.068))
_LIMBS = (
    ("arm", "shoulder", "elbow", 0.026),
    ("arm", "elbow", "wrist", 0.015),
    ("arm", "wrist", "hand", 0.006),
    ("leg", "hip", "knee", 0.145),
    ("leg", "knee", "ankle", 0.046),
    ("leg", "ankle", "foot", 0.013),
)
SEGMENTS = _TRUNK + tuple((f"{s}_{part}", f"{s}_{a}", f"{s}_{b}", share) for s in ("left", "right") for part, a, b, share in _LIMBS)
"""Segments of the body: part, the two joints, share of body mass."""


def joint_speed(motion: Motion) -> np.ndarray:
    """Speed of every joint in the world, (T, J) m/s, by central differences."""
    return np.linalg.norm(velocity(positions(motion).astype(np.float64), motion.fps), axis=-1)


def mean_speed(motion: Motion) -> np.ndarray:
    """Mean speed over the joints, (T,) m/s: the plain kinetic curve of the beat metrics."""
    return joint_speed(motion).mean(axis=1)


def jerk(motion: Motion) -> np.ndarray:
    """Norm of the third derivative of every joint's position, (T, J) m/s^3; zeros for takes under four frames."""
    place = positions(motion).astype(np.float64)
    if len(place) < 4:
        return np.zeros(place.shape[:2])
    third = np.linalg.norm(np.diff(place, n=3, axis=0), axis=-1) * motion.fps**3
    return np.pad(third, ((1, 2), (0, 0)), mode="edge")


def kinetic_energy(motion: Motion) -> np.ndarray:
    """Kinetic energy per kilogram of body mass by body part, (T, 6) J/kg in the order of `PARTS`; choreia-24 joint names."""
    place, index = positions(motion).astype(np.float64), motion.skeleton.index
    energy = np.zeros((len(place), len(PARTS)))
    for part, a, b, share in SEGMENTS:
        middle = (place[:, index(a)] + place[:, index(b)]) / 2
        energy[:, PARTS.index(part)] += 0.5 * share * (velocity(middle, motion.fps) ** 2).sum(-1)
    return energy


def velocity(places: np.ndarray, fps: float) -> np.ndarray:
    """Time derivative of (T, ...) positions in m/s: central differences, one-sided at the ends; zeros for a single frame."""
    return np.gradient(places, 1 / fps, axis=0) if len(places) > 1 else np.zeros_like(places)
