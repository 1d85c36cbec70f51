"""The canonical skeleton `choreia-24`: SMPL's topology and joint names, our own adult proportions (1.72 m), T-pose at rest.

Faces +Z with +Y up, so the dancer's left is +X. Other layouts are views of it (`motion.representation`).
"""

from __future__ import annotations

import numpy as np

from choreia.types import Skeleton

# name, parent, offset in metres from the parent in the rest pose
_JOINTS: tuple[tuple[str, str | None, tuple[float, float, float]], ...] = (
    ("pelvis", None, (0.0, 0.0, 0.0)),
    ("left_hip", "pelvis", (0.092, -0.055, 0.0)),
    ("right_hip", "pelvis", (-0.092, -0.055, 0.0)),
    ("spine1", "pelvis", (0.0, 0.105, -0.01)),
    ("left_knee", "left_hip", (0.0, -0.415, 0.0)),
    ("right_knee", "right_hip", (0.0, -0.415, 0.0)),
    ("spine2", "spine1", (0.0, 0.130, 0.0)),
    ("left_ankle", "left_knee", (0.0, -0.405, -0.01)),
    ("right_ankle", "right_knee", (0.0, -0.405, -0.01)),
    ("spine3", "spine2", (0.0, 0.060, 0.01)),
    ("left_foot", "left_ankle", (0.02, -0.055, 0.125)),
    ("right_foot", "right_ankle", (-0.02, -0.055, 0.125)),
    ("neck", "spine3", (0.0, 0.205, -0.015)),
    ("left_collar", "spine3", (0.075, 0.115, -0.01)),
    ("right_collar", "spine3", (-0.075, 0.115, -0.01)),
    ("head", "neck", (0.0, 0.095, 0.03)),
    ("left_shoulder", "left_collar", (0.105, 0.030, -0.01)),
    ("right_shoulder", "right_collar", (-0.105, 0.030, -0.01)),
    ("left_elbow", "left_shoulder", (0.270, 0.0, 0.0)),
    ("right_elbow", "right_shoulder", (-0.270, 0.0, 0.0)),
    ("left_wrist", "left_elbow", (0.255, 0.0, 0.0)),
    ("right_wrist", "right_elbow", (-0.255, 0.0, 0.0)),
    ("left_hand", "left_wrist", (0.085, 0.0, 0.0)),
    ("right_hand", "right_wrist", (-0.085, 0.0, 0.0)),
)

ANKLE_HEIGHT_M = 0.075
"""Height of the ankle joint above the floor when the dancer stands flat."""

TOE_HEIGHT_M = 0.020
"""Height of the ball-of-foot joint (`*_foot`) above the floor when the dancer stands flat."""

FEET = ("left_ankle", "left_foot", "right_ankle", "right_foot")
"""The four joints whose floor contacts are labelled, in this order everywhere."""


def choreia24() -> Skeleton:
    """The canonical 24-joint skeleton."""
    names = tuple(name for name, _, _ in _JOINTS)
    parents = tuple(-1 if parent is None else names.index(parent) for _, parent, _ in _JOINTS)
    return Skeleton(names, parents, np.array([offset for _, _, offset in _JOINTS], dtype=np.float32))


STANDING_HEIGHT_M = ANKLE_HEIGHT_M + 0.055 + 0.415 + 0.405
"""Height of the pelvis joint above the floor when the dancer stands with straight legs."""


def mirror_index(skeleton: Skeleton) -> tuple[int, ...]:
    """For every joint the index of its left-right counterpart (itself on the midline)."""
    swap = {"left": "right", "right": "left"}
    side = [name.split("_", 1) for name in skeleton.names]
    other = [f"{swap[part[0]]}_{part[1]}" if part[0] in swap else "_".join(part) for part in side]
    return tuple(skeleton.names.index(name) for name in other)
