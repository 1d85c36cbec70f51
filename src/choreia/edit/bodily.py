"""Edits of how a phrase is danced and where: the other side, more or less energy or range, along a path on the floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from choreia.edit.floor import facing, headings, share_of_way
from choreia.edit.history import Splice
from choreia.edit.region import Region
from choreia.edit.seams import put_in
from choreia.edit.steps import planted
from choreia.errors import ChoreiaError
from choreia.motion import cleanup
from choreia.motion import rotations as rot
from choreia.motion.contacts import foot_contacts
from choreia.types import Motion

MOST = 2.0
"""Energy and range are multiplied by at most this."""

FASTEST_PATH_M_S = 2.5
"""A dancer follows a path at most this fast on average."""

_ENERGY_S, _RANGE_S = 0.25, 1.5  # deviation of the Gaussian that leaves what accents, and what gestures, are added to
_PATH_S = 1.0  # and of that which leaves the way over the floor
_HINGES = {"left_knee": (0, 1), "right_knee": (0, 1), "left_elbow": (1, -1), "right_elbow": (1, 1)}
"""Axis and sign of the rotation vector that bend these joints of choreia-24; none bends backwards."""


def mirror(motion: Motion, region: Region) -> tuple[Splice, ...]:
    """The region danced to the other side; the whole dance is reflected in the middle of the stage, exactly.

    A part of the body does what its counterpart did.
    """
    return tuple(_put(motion, start, stop, cleanup.mirror(motion.slice(start, stop)), region) for start, stop in region.frames(motion))


def energy(motion: Motion, region: Region, factor: float) -> tuple[Splice, ...]:
    """Accents `factor` times as large: what is faster than about half a second, in the joints, in bounce and in sway.

    Below 1 the dance gets softer, at 0 only its flow is left. ChoreiaError: a factor outside [0, 2].
    """
    return _amplified(motion, region, factor, _ENERGY_S, "energy")


def movement_range(motion: Motion, region: Region, factor: float) -> tuple[Splice, ...]:
    """Gestures `factor` times as large about the pose that is held over some seconds. ChoreiaError: a factor outside [0, 2]."""
    return _amplified(motion, region, factor, _RANGE_S, "range")


def follow(motion: Motion, region: Region, path_m: np.ndarray, along: bool = False) -> tuple[Splice, ...]:
    """The region danced along a path on the floor, from where the dancer stands and back to where the dance goes on.

    Args:
        motion: the dance.
        region: one stretch, with the root.
        path_m: (P, 2), P at least 1, x and z in metres that are passed in order, the last at the end when no dance follows.
        along: whether the dancer is turned to face along the path instead of as danced.
    Raises:
        ChoreiaError: no points, points that are not numbers, a path that is too long for the time, or a region without the root.
    """
    start, stop = region.one(motion)
    if not region.joints(motion.skeleton)[0]:
        raise ChoreiaError("to follow a path the dancer must travel: add the part root to the region")
    rows = motion.slice(start, stop)
    points = _points(motion, start, stop, path_m)
    way_m = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    if way_m > FASTEST_PATH_M_S * rows.duration_s:
        raise ChoreiaError(f"a path of {way_m:.1f} m is too long for {rows.duration_s:.1f} s: choose a longer region or nearer points")
    walked = _walked(rows, points, along)
    return (_put(motion, start, stop, planted(walked, foot_contacts(rows), region.joints(motion.skeleton)), region),)


def _put(motion: Motion, start: int, stop: int, rows: Motion, region: Region) -> Splice:
    return put_in(motion, start, stop, replace(rows, skeleton=motion.skeleton), region.joints(motion.skeleton))


def _amplified(motion: Motion, region: Region, factor: float, slow_s: float, what: str) -> tuple[Splice, ...]:
    if not 0 <= factor <= MOST:
        raise ChoreiaError(f"cannot multiply {what} by {factor:g}: give a number from 0 to {MOST:g}")
    joints = region.joints(motion.skeleton)
    splices = []
    for start, stop in region.frames(motion):
        margin = round(3 * slow_s * motion.fps)
        first, last = max(start - margin, 0), min(stop + margin, len(motion))
        scaled = _scaled(motion.slice(first, last), joints, factor, slow_s).slice(start - first, stop - first)
        rows = motion.slice(start, stop)
        splices.append(_put(motion, start, stop, planted(scaled, foot_contacts(rows), joints), region))
    return tuple(splices)


def _scaled(motion: Motion, joints: np.ndarray, factor: float, slow_s: float) -> Motion:
    """Poses whose distance from their own slow course is multiplied; the heading and the way over the floor are left as they are."""
    level = np.array(motion.rotations, np.float64)
    turn = headings(motion)
    level[:, 0] = facing(level[:, 0], -turn)
    moving = rot.continuous(torch.from_numpy(level[:, joints]))
    slow = torch.nn.functional.normalize(torch.from_numpy(_slow(moving.numpy(), slow_s * motion.fps)), dim=-1)
    apart = rot.multiply(moving, rot.conjugate(slow))
    vector = factor * rot.quaternion_to_expmap(torch.where(apart[..., :1] < 0, -apart, apart))
    level[:, joints] = rot.multiply(rot.expmap_to_quaternion(vector), slow).numpy()
    level = _within_hinges(level, motion)
    if joints[0]:
        level[:, 0] = facing(level[:, 0], turn)
    rotations = np.where(joints[:, None], level, motion.rotations)
    root = np.array(motion.root, np.float64)
    if joints[0]:
        calm = _slow(root, slow_s * motion.fps)
        root = calm + factor * (root - calm)
    return replace(motion, root=root.astype(motion.root.dtype), rotations=rotations.astype(motion.rotations.dtype))


def _within_hinges(rotations: np.ndarray, original: Motion) -> np.ndarray:
    """Rotations (T, J, 4) whose knees and elbows bend no further back than straight, or than they did."""
    found = rotations.copy()
    for name, (axis, sign) in _HINGES.items():
        if name in original.skeleton.names:
            joint = original.skeleton.index(name)
            vector, was = (_turns(wxyz[:, joint]) for wxyz in (rotations, original.rotations))
            least = torch.clamp(sign * was[:, axis], max=0)
            vector[:, axis] = sign * torch.maximum(sign * vector[:, axis], least)
            found[:, joint] = rot.expmap_to_quaternion(vector).numpy()
    return found


def _turns(wxyz: np.ndarray) -> torch.Tensor:
    """Rotation vectors (T, 3) of rotations (T, 4) by the shorter way."""
    return rot.quaternion_to_expmap(torch.from_numpy(np.where(wxyz[:, :1] < 0, -wxyz, wxyz).astype(np.float64)))


def _slow(values: np.ndarray, deviation: float) -> np.ndarray:
    return ndimage.gaussian_filter1d(np.asarray(values, np.float64), deviation, axis=0, mode="nearest")


def _points(motion: Motion, start: int, stop: int, path_m: np.ndarray) -> np.ndarray:
    """Places (P, 2) on the floor that are passed, those of the kept frames on either side included."""
    asked = np.asarray(path_m, np.float64)
    if asked.ndim != 2 or asked.shape[1:] != (2,) or not len(asked) or not np.isfinite(asked).all():
        raise ChoreiaError("a floor path is one or more points x, z in metres, all of them numbers")
    before = motion.root[max(start - 1, 0) : start, [0, 2]]
    points = np.concatenate([before, asked, motion.root[stop : stop + 1, [0, 2]]])
    if len(points) == 1:
        points = np.concatenate([motion.root[:1, [0, 2]], points])
    return points


def _walked(rows: Motion, points: np.ndarray, along: bool) -> Motion:
    """Rows whose way over the floor is the path; what they sway about their own way is added to it."""
    course = _course(points, share_of_way(rows))
    root = np.array(rows.root, np.float64)
    sway = root[:, [0, 2]] - _slow(root[:, [0, 2]], _PATH_S * rows.fps)
    root[:, [0, 2]] = _slow(course, 0.2 * rows.fps) + sway - np.linspace(sway[0], sway[-1], len(sway))
    rotations = np.array(rows.rotations)
    if along:
        pace = np.gradient(_slow(course, 0.2 * rows.fps), axis=0)
        way = np.unwrap(np.arctan2(pace[:, 0], pace[:, 1]))
        faced = _slow(np.unwrap(headings(rows)), _PATH_S * rows.fps)
        turn = way - faced
        turn -= 2 * np.pi * np.round(np.median(turn) / (2 * np.pi))
        rotations[:, 0] = facing(rows.rotations[:, 0], _eased(turn, rows.fps))
    return replace(rows, root=root.astype(rows.root.dtype), rotations=rotations)


def _course(points: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Places (T, 2) at shares (T,) of the length of a smooth curve through points (P, 2)."""
    reached = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    distinct = np.append(True, np.diff(reached) > 1e-6)
    if distinct.sum() < 2:
        return np.repeat(points[:1], len(share), axis=0)
    return PchipInterpolator(reached[distinct], points[distinct])(share * reached[-1])


def _eased(turn: np.ndarray, fps: float) -> np.ndarray:
    """A turn (T,) that begins and ends at 0 within a second, or half the time."""
    count = np.arange(len(turn))
    near = np.minimum(count, count[::-1]) / max(min(fps, len(turn) / 2), 1)
    x = np.clip(near, 0, 1)
    return turn * x**3 * (10 - 15 * x + 6 * x**2)
