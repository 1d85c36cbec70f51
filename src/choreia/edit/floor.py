"""Where material stands on the floor: one turn about the vertical and one shift carry it on from another place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage

from choreia.errors import ChoreiaError
from choreia.motion import rotations as rot
from choreia.motion.contacts import foot_contacts, foot_positions
from choreia.motion.footlock import lock_feet
from choreia.motion.representation.heading import heading
from choreia.types import Motion

FASTEST_M_S = 5.0
"""A dancer is not asked to get from place to place faster than this."""

FASTEST_TURN_RAD_S = 4 * np.pi

LOOK_S = 2.0
"""How much of a take on either side of a seam is looked at."""

_FOOT_WEIGHT = 4.0  # of each foot that stands on both sides of a seam, against the pelvis
_EVEN = 0.3  # share of a bend that is spread evenly; the rest goes where the feet move
_SMOOTH_S = 0.25
_SLIGHT = 0.03  # m and rad: a bend that feet need not be planted again for


@dataclass(frozen=True)
class Placing:
    """A turn about +Y in radians, positive from +Z to +X, and then a shift (3,) in metres that has no height."""

    turn_rad: float
    shift: np.ndarray

    def move(self, motion: Motion) -> Motion:
        """The motion there; local rotations but the root's stay bit for bit."""
        if not self.turn_rad and not self.shift.any():
            return motion
        root = turned(np.asarray(motion.root, np.float64), self.turn_rad) + self.shift
        rotations = np.array(motion.rotations)
        rotations[:, 0] = facing(motion.rotations[:, 0], np.full(len(motion), self.turn_rad))
        return replace(motion, root=root.astype(motion.root.dtype), rotations=rotations)


def turned(places: np.ndarray, angle_rad: float | np.ndarray) -> np.ndarray:
    """Places (..., 3) turned about +Y by angles that broadcast against (...)."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = np.moveaxis(places, -1, 0)
    return np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1)


def facing(wxyz: np.ndarray, angle_rad: np.ndarray) -> np.ndarray:
    """World rotations (n, 4) turned about +Y by (n,) radians."""
    return rot.multiply(rot.yaw(torch.from_numpy(angle_rad)), torch.from_numpy(np.asarray(wxyz, np.float64))).numpy()


def headings(motion: Motion) -> np.ndarray:
    """Heading of the pelvis in every frame, (T,) radians in (-pi, pi]; 0 faces +Z."""
    return heading(rot.quaternion_to_matrix(torch.from_numpy(np.asarray(motion.rotations[:, 0], np.float64)))).numpy()


def backwards(motion: Motion) -> Motion:
    """The motion from its last frame to its first."""
    return replace(motion, root=motion.root[::-1].copy(), rotations=motion.rotations[::-1].copy())


def next_frame(motion: Motion) -> Motion:
    """One frame beyond the end, at the pace of the last two."""
    if len(motion) < 2:
        return motion
    last, before = (torch.from_numpy(np.asarray(motion.rotations[k], np.float64)) for k in (-1, -2))
    rotations = rot.multiply(rot.multiply(last, rot.conjugate(before)), last).numpy()[None]
    root = 2 * np.asarray(motion.root[-1:], np.float64) - motion.root[-2:-1]
    return replace(motion, root=root, rotations=rotations)


def frame_before(motion: Motion) -> Motion:
    """One frame before the beginning, at the pace of the first two."""
    return next_frame(backwards(motion.slice(0, 2)))


def look(motion: Motion, end: bool) -> Motion:
    """The last, or first, `LOOK_S` of a motion."""
    count = round(LOOK_S * motion.fps)
    return motion.slice(max(len(motion) - count, 0), len(motion)) if end else motion.slice(0, count)


def standing(motion: Motion) -> np.ndarray:
    """Whether each foot, left and right, stands on the floor, (T, 2) bool."""
    marks = foot_contacts(motion)
    return np.stack([marks[:, :2].any(axis=1), marks[:, 2:].any(axis=1)], axis=1)


def going_on(new: Motion, before: Motion) -> Placing:
    """How `new` is placed to go on where `before` ends: it faces as the last frame does, and feet that stand on both sides stay."""
    last, ghost = before.slice(len(before) - 1, len(before)), frame_before(new)
    turn = float(headings(last)[0] - headings(ghost)[0])
    stays = standing(look(before, end=True))[-1] & standing(look(new, end=False))[0]
    weights = np.array([1.0, *np.repeat(_FOOT_WEIGHT / 2 * stays, 2)])
    here, there = (np.concatenate([pose.root, foot_positions(pose)[0]]).astype(np.float64) for pose in (last, ghost))
    shift = weights @ (here - turned(there, turn)) / weights.sum()
    return Placing(turn, shift * [1, 0, 1])


def leading_to(new: Motion, after: Motion) -> Placing:
    """How `new` is placed to end where `after` begins."""
    return going_on(backwards(new), backwards(after))


def bent_to(new: Motion, after: Motion) -> Motion:
    """`new`, its path and heading bent so that it ends where `after` begins; it goes out of its way mostly while feet move.

    Feet that stood are planted again, unless next to nothing was missing.

    Raises:
        ChoreiaError: there is not the time to get there.
    """
    end = leading_to(new, after)
    turn = float(np.arctan2(np.sin(end.turn_rad), np.cos(end.turn_rad)))
    root = np.asarray(new.root, np.float64)
    missing = turned(root[-1], end.turn_rad) + end.shift - root[-1]
    _check("the new material ends", missing, turn, len(new) / new.fps)
    share = share_of_way(new)
    angle = turn * share
    steps = turned(np.diff(root, axis=0), (angle[1:] + angle[:-1]) / 2)
    path = root[0] + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    path += share[:, None] * (root[-1] + missing - path[-1])
    rotations = np.array(new.rotations)
    rotations[:, 0] = facing(new.rotations[:, 0], angle)
    bent = replace(new, root=path.astype(new.root.dtype), rotations=rotations)
    return bent if max(np.abs(missing).max(), abs(turn)) < _SLIGHT else lock_feet(bent, foot_contacts(new))


def check_reach(before: Motion, after: Motion, frames: int) -> None:
    """ChoreiaError unless a dancer gets from the end of `before` to the beginning of `after` in the `frames` between."""
    way = np.asarray(after.root[0], np.float64) - before.root[-1]
    turn = headings(after.slice(0, 1))[0] - headings(before.slice(len(before) - 1, len(before)))[0]
    _check("the dance goes on", way, float(np.arctan2(np.sin(turn), np.cos(turn))), (frames + 1) / before.fps)


def _check(what: str, way: np.ndarray, turn_rad: float, time_s: float) -> None:
    far_m = float(np.hypot(way[0], way[2]))
    if far_m > FASTEST_M_S * time_s:
        raise ChoreiaError(f"{what} {far_m:.1f} m away, too far for {time_s:.2f} s: choose a longer region or a nearer place")
    if abs(turn_rad) > FASTEST_TURN_RAD_S * time_s:
        raise ChoreiaError(f"{what} {np.degrees(abs(turn_rad)):.0f} degrees turned, too far for {time_s:.2f} s: choose a longer region")


def share_of_way(motion: Motion) -> np.ndarray:
    """The share of a way that is gone, (T,): it rises smoothly from 0 to 1, faster where feet move."""
    feet = foot_positions(motion)
    pace = np.zeros(len(motion))
    pace[1:] = np.linalg.norm(np.diff(feet, axis=0), axis=-1).mean(axis=1)
    pace = ndimage.gaussian_filter1d(pace, _SMOOTH_S * motion.fps, mode="nearest")
    gone = np.cumsum(_EVEN * pace.mean() + 1e-6 + (1 - _EVEN) * pace)
    x = np.append(0, gone)[:-1] / 2 + gone / 2
    x /= gone[-1]
    return x**3 * (10 - 15 * x + 6 * x**2)
