"""A real take on its way to choreia-24: read, freed of its T-pose and its spikes, retargeted, its feet planted, on two clocks, judged.

Nothing is passed over in silence: what was repaired is counted, what is unusable is refused with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from choreia.data.takes import Take
from choreia.errors import ChoreiaError
from choreia.motion.cleanup import foot_contacts, limit_head, lock_feet, repair_spikes, resample
from choreia.motion.io import amc, bvh, g1
from choreia.motion.kinematics import positions
from choreia.motion.retarget import to_choreia24, without_rest_frames
from choreia.motion.rotations import expmap_to_quaternion, multiply
from choreia.types import Motion

FPS = 30
FINE_FPS = 60

_SHORTEST_S = 1.0
_FLOATING_M = 0.25  # a body whose lowest joint is higher is in the air
_FLIGHT_S = 1.0  # the highest jump of a human lasts less
_FASTEST_M_S = 9.0  # a pelvis that is faster, and far faster than usual, was put elsewhere


@dataclass(frozen=True)
class CleanTake:
    """A usable take: `motion` at 30 fps and `fine` at 60 fps on choreia-24, contacts (T, 4) bool at 30 fps, and what was repaired."""

    take: Take
    motion: Motion
    fine: Motion
    contacts: np.ndarray
    dropped_frames: int
    spikes: int


@dataclass(frozen=True)
class Refusal:
    """A take that is left out, and why."""

    take: Take
    reason: str


def clean(take: Take) -> CleanTake | Refusal:
    """Read and clean one take."""
    try:
        raw = read(take)
        began = without_rest_frames(raw) if take.path.suffix.lower() == ".bvh" else raw
        whole = without_leaps(to_choreia24(began))
        ours, spikes = repair_spikes(limit_head(_lift_head(whole, take.head_lift_rad)))
    except ChoreiaError as error:
        return Refusal(take, str(error).replace(str(take.path), take.path.name))
    reason = _unusable(ours)
    if reason:
        return Refusal(take, reason)
    fine = lock_feet(resample(ours, FINE_FPS))
    motion = resample(fine, FPS)
    return CleanTake(take, motion, fine, foot_contacts(motion, floor_m=0.0), len(raw) - len(ours), spikes)


def read(take: Take) -> Motion:
    """The take as captured, at its true frame rate."""
    suffix = take.path.suffix.lower()
    if suffix == ".amc":
        return amc.read(take.path, take.skeleton, fps=take.fps, end_sites=True)
    motion = g1.read(take.path, fps=take.fps) if suffix == ".csv" else bvh.read(take.path, end_sites=True)
    return Motion(motion.skeleton, motion.root, motion.rotations, take.fps)


def without_leaps(motion: Motion) -> Motion:
    """The longest stretch in which the pelvis is nowhere from one frame to the next: some takes begin or end with a calibration pose."""
    speed = np.linalg.norm(np.diff(motion.root, axis=0), axis=1) * motion.fps
    leaps = speed > max(_FASTEST_M_S, 5 * float(np.median(speed))) if len(speed) else np.zeros(0, bool)
    edges = [0, *(np.flatnonzero(leaps) + 1), len(motion)]
    start, stop = max(pairwise(edges), key=lambda piece: piece[1] - piece[0])
    return motion.slice(int(start), int(stop))


def _lift_head(motion: Motion, angle: float) -> Motion:
    """The head turned up by `angle` radians about its own left axis in all frames."""
    if not angle:
        return motion
    head = motion.skeleton.index("head")
    nod = expmap_to_quaternion(torch.tensor([-angle, 0.0, 0.0]))
    rotations = motion.rotations.copy()
    rotations[:, head] = multiply(torch.from_numpy(rotations[:, head]), nod.expand(len(motion), 4)).numpy()
    return Motion(motion.skeleton, motion.root, rotations, motion.fps)


def _unusable(motion: Motion) -> str:
    """Why a motion is of no use, empty when it is."""
    if motion.duration_s < _SHORTEST_S:
        return f"too short: {motion.duration_s:.2f} s, at least {_SHORTEST_S:g} s are needed"
    if not (np.isfinite(motion.root).all() and np.isfinite(motion.rotations).all()):
        return "not finite after retargeting"
    flight = _longest(positions(motion)[:, :, 1].min(axis=1) > _FLOATING_M) / motion.fps
    if flight > _FLIGHT_S:
        return f"stands or hangs for {flight:.1f} s on something that is not in the data"
    return ""


def _longest(mask: np.ndarray) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
