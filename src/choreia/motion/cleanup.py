"""Everything that is done to a take before it is used or shipped, under one name.

Feet: `foot_contacts`, `foot_slide` (`motion.contacts`), `lock_feet` (`motion.footlock`). Clock: `resample`, `warp` (`motion.timing`).
Spikes: `repair_spikes` (`motion.spikes`). Here: the mirror image and the best loop.
"""

from __future__ import annotations

import numpy as np

from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.footlock import lock_feet
from choreia.motion.skeleton import mirror_index
from choreia.motion.spikes import repair_spikes
from choreia.motion.timing import resample, warp
from choreia.types import Motion, Skeleton

__all__ = ["foot_contacts", "foot_slide", "lock_feet", "mirror", "repair_spikes", "resample", "warp"]


def mirror(motion: Motion) -> Motion:
    """Left and right exchanged (reflection in the plane x = 0); applied twice it gives back the same bytes.

    Needs a skeleton whose joint names pair up as left_* and right_*.
    """
    other = list(mirror_index(motion.skeleton))
    flip = np.array([-1, 1, 1], dtype=motion.root.dtype)
    turn = np.array([1, 1, -1, -1], dtype=motion.rotations.dtype)
    offsets = motion.skeleton.offsets[other] * np.array([-1, 1, 1], dtype=motion.skeleton.offsets.dtype)
    skeleton = Skeleton(motion.skeleton.names, motion.skeleton.parents, offsets)
    same = np.array_equal(offsets, motion.skeleton.offsets)
    return Motion(motion.skeleton if same else skeleton, motion.root * flip, motion.rotations[:, other] * turn, motion.fps)
