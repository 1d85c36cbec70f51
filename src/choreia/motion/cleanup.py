"""Everything that is done to a take before it is used or shipped, under one name.

Feet: `foot_contacts`, `foot_slide` (`motion.contacts`), `lock_feet` (`motion.footlock`). Clock: `resample`, `warp`, `beat_lock`
(`motion.timing`). Spikes: `repair_spikes` (`motion.spikes`). Stage: `stay_on_stage` (`motion.stageplace`). Here: the mirror image, the
best loop, and heads kept on necks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.distance import cdist

from choreia.errors import ChoreiaError
from choreia.motion import rotations as rot
from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.footlock import lock_feet
from choreia.motion.ik import chain_pose
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import mirror_index
from choreia.motion.spikes import repair_spikes
from choreia.motion.stageplace import stay_on_stage
from choreia.motion.timing import beat_lock, resample, warp
from choreia.types import Motion, Skeleton

__all__ = [
    "beat_lock",
    "find_loop",
    "foot_contacts",
    "foot_slide",
    "limit_head",
    "lock_feet",
    "mirror",
    "repair_spikes",
    "resample",
    "stay_on_stage",
    "warp",
]


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


def find_loop(motion: Motion, shortest_s: float = 2.0, longest_s: float | None = None) -> tuple[int, int]:
    """The stretch that repeats with the least visible seam: frames [start, stop) whose frame `stop` looks and moves like `start`.

    Poses are compared in the dancer's own place and heading (joint positions in metres plus 0.1 s times their velocities), on at
    most 400 candidate frames; among seams of equal quality the longer loop wins.

    Args:
        motion: the take, at least `shortest_s` long.
        shortest_s, longest_s: bounds on the loop's length; None is the whole take.
    Raises:
        ChoreiaError: when the take is shorter than the shortest loop.
    """
    longest = motion.duration_s if longest_s is None else longest_s
    if motion.duration_s <= shortest_s + 1 / motion.fps:
        raise ChoreiaError(f"no loop of {shortest_s} s in a take of {motion.duration_s:.2f} s: ask for a shorter one")
    places = _own_frame(motion)
    state = np.concatenate([places, 0.1 * np.gradient(places, 1 / motion.fps, axis=0)], axis=1)
    kept = np.unique(np.linspace(0, len(motion) - 1, min(len(motion), 400)).astype(int))
    gap = cdist(state[kept], state[kept]) / np.sqrt(state.shape[1])
    length = (kept[None, :] - kept[:, None]) / motion.fps
    cost = np.where((length >= shortest_s) & (length <= max(longest, shortest_s + 1 / motion.fps)), gap - 1e-4 * length, np.inf)
    start, stop = np.unravel_index(int(cost.argmin()), cost.shape)
    return int(kept[start]), int(kept[stop])


def _own_frame(motion: Motion) -> np.ndarray:
    """Joint positions (T, 3 J) with the root's place on the floor and its heading taken away."""
    places = positions(motion).astype(np.float64)
    _, world = chain_pose(motion, 0)
    forward = world[0][:, :, 2].numpy()
    yaw = np.arctan2(forward[:, 0], forward[:, 2])
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x, z = (places[..., k] - places[:, :1, k] for k in (0, 2))
    return np.stack([cos * x - sin * z, places[..., 1], sin * x + cos * z], axis=-1).reshape(len(places), -1)


def limit_head(motion: Motion, free_deg: float = 60.0, far_deg: float = 85.0) -> Motion:
    """Heads that turn further than necks allow come back: untouched up to `free_deg` from rest, neutral from `far_deg` on, eased between.

    Mislabelled markers flip whole takes of capture data (CMU 60_06: 172 degrees), and what learns from them inherits it.
    """
    joint = motion.skeleton.index("head")
    head = torch.from_numpy(np.asarray(motion.rotations[:, joint], np.float32))
    turn = rot.quaternion_to_expmap(head)
    angle = torch.rad2deg(turn.norm(dim=-1))
    excess = ((angle - free_deg) / (far_deg - free_deg)).clamp(0, 1)
    if not excess.any():
        return motion
    rotations = motion.rotations.copy()
    rotations[:, joint] = rot.expmap_to_quaternion(turn * (1 - excess * excess * (3 - 2 * excess))[:, None]).numpy()
    return replace(motion, rotations=rotations)
