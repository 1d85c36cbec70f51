"""Planted feet: contacts become fixed places on the floor, legs follow by analytic IK, and the body follows the legs.

A foot is rigid from ankle to toe. While both touch the floor it lies flat and still; while only the toe does, the heel may rise
about it; while only the ankle (heel) does, the toe may rise. What this changes is carried as a *correction* that is added to
the original path: known on contact frames and bridged between them by a curve that meets it in value and slope, so a
foot leaves and lands without a jump in speed. The root follows the mean correction of the standing feet, low-passed, and sinks
where a leg would be too short.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from choreia.motion.contacts import foot_contacts, tidy
from choreia.motion.ik import chain_pose, hinge_axis, two_bone
from choreia.motion.rotations import expmap_to_quaternion, matrix_to_quaternion, quaternion_to_expmap, quaternion_to_matrix
from choreia.motion.skeleton import ANKLE_HEIGHT_M, TOE_HEIGHT_M
from choreia.types import Motion

_FADE_S = 0.5  # longest time over which a correction fades or turns into the next
_SLOPE_S = 0.15  # and over which the speed it had in contact dies out
_DRIFT_M = 0.15  # a contact that wanders farther than this from its mean place is divided into several steps
_STEP_S = 0.2  # length of such a step
_STEP_LIFT = 0.25  # its height over its length
_FOLLOW_S = 0.2  # the root follows the standing feet with a Gaussian of this deviation
_SINK_S = 0.12  # the root begins to sink this long before it must
_SINK_LIMIT_M = 0.15
_STRETCH = (0.99, 0.996)  # share of its length that a standing leg may always use, and may use if it did before
_PACE_M_S = 0.45  # a foot that slides up to this fast is meant to stand
_CROSSING_S, _CROSSING_S_M = 0.1, 1.2  # least time from one place on the floor to another, and more for every metre


@dataclass(frozen=True)
class _Leg:
    """One leg before and after: world places (T, 3) and rotations (T, 3, 3), and where its foot is to be."""

    joints: tuple[int, int, int]  # hip, knee, ankle
    place: list[Tensor]  # of those
    world: list[Tensor]  # pelvis, hip, knee, ankle
    hinge: Tensor
    goal: np.ndarray  # (T, 3) of the ankle
    foot: Tensor  # (T, 3, 3) world rotation of the ankle joint
    stands: np.ndarray  # (T,) bool


def lock_feet(motion: Motion, contacts: np.ndarray | None = None) -> Motion:
    """Plant the feet on the floor y = 0 wherever they are in contact, without pops, floating, sinking or stretched legs.

    Args:
        motion: T frames on choreia-24 (or a skeleton with its leg joints and flat rest feet).
        contacts: (T, 4) bool in the order of `skeleton.FEET`; None finds them with `foot_contacts`.
    Returns:
        The motion with other leg rotations and a root moved by as much as the feet were.
    """
    marks = foot_contacts(motion, pace_m_s=_PACE_M_S) if contacts is None else tidy(np.asarray(contacts, bool), motion.fps)
    legs = [_planted(motion, side, marks[:, k], marks[:, k + 1]) for side, k in (("left", 0), ("right", 2))]
    shift = _follow(legs, motion.fps)
    shift[:, 1] -= _sink(legs, shift, motion.fps)
    rotations = np.array(motion.rotations)
    for leg in legs:
        rotations[:, leg.joints] = _solve(leg, torch.from_numpy(shift)).numpy()
    return Motion(motion.skeleton, (motion.root + shift).astype(motion.root.dtype), rotations, motion.fps)


def _planted(motion: Motion, side: str, ankle_on: np.ndarray, toe_on: np.ndarray) -> _Leg:
    hip, knee, ankle, toe = (motion.skeleton.index(f"{side}_{name}") for name in ("hip", "knee", "ankle", "foot"))
    place, world = chain_pose(motion, toe)
    bone = np.asarray(motion.skeleton.offsets[toe], np.float64)
    ankle_on, toe_on, lift = _divide(ankle_on, toe_on, place[-2].numpy(), place[-1].numpy(), motion.fps)
    foot = _flat_foot(world[-2], ankle_on & toe_on, bone, motion.fps)
    reach = (foot @ torch.from_numpy(bone)).numpy()
    goal = _toe_path(place[-1].numpy(), reach, ankle_on, toe_on, motion.fps) - reach
    goal[:, 1] += lift
    goal[:, 1] += np.maximum(np.maximum(TOE_HEIGHT_M - (goal + reach)[:, 1], ANKLE_HEIGHT_M - 0.01 - goal[:, 1]), 0)
    hinge = world[-4] @ hinge_axis(f"{side}_leg")
    return _Leg((hip, knee, ankle), place[-4:-1], world[-5:-1], hinge, goal, foot, ankle_on | toe_on)


def _divide(ankle_on: np.ndarray, toe_on: np.ndarray, ankle: np.ndarray, toe: np.ndarray, fps: float) -> tuple[np.ndarray, ...]:
    """Cut contacts that wander into pieces with a small step between; the contacts left, ankle and toe, and the steps' height (T,)."""
    steps = np.maximum(_small_steps(ankle, ankle_on, fps), _small_steps(toe, toe_on, fps))
    left = (steps == 0) & ~_crossings((ankle_on | toe_on) & (steps == 0), toe, fps)
    return ankle_on & left, toe_on & left, steps


def _small_steps(path: np.ndarray, on: np.ndarray, fps: float) -> np.ndarray:
    """Height (T,) of the steps that divide the runs in which a joint wanders too far from its mean place."""
    lift = np.zeros(len(path))
    half = max(1, round(_STEP_S * fps / 2))
    for start, stop in _runs(on):
        wander = np.linalg.norm((path[start:stop] - path[start:stop].mean(0))[:, [0, 2]], axis=1).max()
        pieces = max(1, min(int(np.ceil(wander / _DRIFT_M)), (stop - start) // (4 * half)))
        arc = _STEP_LIFT * 2 * wander / pieces * np.sin(np.pi * np.linspace(0, 1, 2 * half + 3)[1:-1]) ** 2
        for cut in np.linspace(start, stop, pieces + 1)[1:-1].astype(int):
            lift[cut - half : cut + half + 1] = arc
    return lift


def _crossings(on: np.ndarray, toe: np.ndarray, fps: float) -> np.ndarray:
    """Frames (T,) to take from contacts so that a foot has time to get from one place to the next."""
    taken, runs = np.zeros(len(on), dtype=bool), _runs(on)
    for (start, stop), (begin, end) in pairwise(runs):
        way = np.linalg.norm(np.median(toe[begin:end], axis=0) - np.median(toe[start:stop], axis=0))
        short = round((_CROSSING_S + _CROSSING_S_M * way) * fps) - (begin - stop) if way > 0.01 else 0
        taken[max(stop - max(short, 0) // 2, start + 2) : min(begin + max(short, 0) // 2, end - 2)] = True
    return taken


def _flat_foot(world: Tensor, flat: np.ndarray, bone: np.ndarray, fps: float) -> Tensor:
    """World rotations (T, 3, 3) of the ankle joint that are upright and still on every flat run, and bridged between."""
    if not flat.any():
        return world
    heading = world.numpy() @ bone
    delta = np.zeros((len(world), 3))
    for start, stop in _runs(flat):
        mean = heading[start:stop].mean(0)
        yaw = np.arctan2(mean[0], mean[2]) - np.arctan2(bone[0], bone[2])
        still = quaternion_to_matrix(torch.tensor([np.cos(yaw / 2), 0.0, np.sin(yaw / 2), 0.0], dtype=torch.float64))
        delta[start:stop] = quaternion_to_expmap(matrix_to_quaternion(still @ world[start:stop].mT)).numpy()
    turn = quaternion_to_matrix(expmap_to_quaternion(torch.from_numpy(_bridge(delta, flat, fps))))
    return turn @ world


def _toe_path(toe: np.ndarray, reach: np.ndarray, ankle_on: np.ndarray, toe_on: np.ndarray, fps: float) -> np.ndarray:
    """World path (T, 3) of the toe joint: fixed while it is down, turning about the heel while only that is, bridged between."""
    wanted = toe.copy()
    for start, stop in _runs(toe_on):
        x, _, z = np.median(toe[start:stop], axis=0)
        wanted[start:stop] = x, TOE_HEIGHT_M, z
    for start, stop in _runs(ankle_on & ~toe_on):
        wanted[start:stop] = _heel(wanted, reach, toe_on, start, stop) + reach[start:stop]
    on = ankle_on | toe_on
    return toe + _bridge(wanted - toe, on, fps)


def _heel(toe: np.ndarray, reach: np.ndarray, toe_on: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Where the ankle stands while only the heel is down: where the flat foot before or after has it, else its mean place."""
    anchors = [toe[k] - reach[k] for k in (start - 1, stop) if 0 <= k < len(toe) and toe_on[k]]
    if not anchors:
        mean = (toe - reach)[start:stop].mean(0)
        anchors = [np.array([mean[0], ANKLE_HEIGHT_M, mean[2]])]
    return np.linspace(anchors[0], anchors[-1], stop - start)


def _bridge(correction: np.ndarray, known: np.ndarray, fps: float) -> np.ndarray:
    """Fill a correction (T, D) between its known frames: value and slope are continuous, long gaps fade to zero and back."""
    if not known.any():
        return np.zeros_like(correction)
    frames = np.arange(len(known))
    left = np.maximum.accumulate(np.where(known, frames, -1))
    right = np.minimum.accumulate(np.where(known, frames, len(known))[::-1])[::-1]
    at_left, at_right = np.where(left < 0, right, left), np.where(right == len(known), left, right)
    fade = np.clip(at_right - at_left, 1, _FADE_S * fps)
    slope = np.clip(_slopes(correction, known), -1 / fps, 1 / fps)
    since, until = (frames - at_left).astype(float), (at_right - frames).astype(float)
    one_sided = (left < 0) | (right == len(known))
    value = _ease(1 - since / fade) * correction[at_left].T + _ease(1 - until / fade) * correction[at_right].T
    value = np.where(one_sided, correction[at_left].T, value)
    tail = np.minimum(_SLOPE_S * fps, fade)
    value = value + (_hump(since / tail) * tail * (left >= 0)) * slope[at_left].T
    value = value - (_hump(until / tail) * tail * (right < len(known))) * slope[at_right].T
    return np.where(known, correction.T, value).T


def _slopes(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Change per frame (T, D) of known values, from whichever neighbours are known."""
    step = np.diff(values, axis=0) * (known[1:] & known[:-1])[:, None]
    both = np.zeros_like(values)
    both[1:] += step
    both[:-1] += step
    count = np.zeros(len(values))
    count[1:] += known[1:] & known[:-1]
    count[:-1] += known[1:] & known[:-1]
    return both / np.maximum(count, 1)[:, None]


def _ease(share: np.ndarray) -> np.ndarray:
    x = np.clip(share, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def _hump(share: np.ndarray) -> np.ndarray:
    """Starts at 0 with slope 1 and returns to 0 with slope and curvature 0 at 1."""
    x = np.clip(share, 0, 1)
    return x * (1 - x) ** 3 * (1 + 3 * x)


def _follow(legs: list[_Leg], fps: float) -> np.ndarray:
    """Shift of the root (T, 3): the mean correction of the ankles that stand, smoothed; zero far from any contact."""
    weight = np.stack([leg.stands for leg in legs]).astype(float)
    moved = np.stack([leg.goal - leg.place[2].numpy() for leg in legs])
    total = ndimage.gaussian_filter1d((weight[:, :, None] * moved).sum(0), _FOLLOW_S * fps, axis=0, mode="nearest")
    amount = ndimage.gaussian_filter1d(weight.sum(0), _FOLLOW_S * fps, mode="nearest")
    return total / (amount + 0.02)[:, None]


def _sink(legs: list[_Leg], shift: np.ndarray, fps: float) -> np.ndarray:
    """How far the root must go down, (T,) metres, so that standing legs reach; rises and falls smoothly."""
    need = np.max([_too_short(leg, shift) for leg in legs], axis=0)
    half = max(1, round(_SINK_S * fps))
    held = ndimage.maximum_filter1d(np.minimum(need, _SINK_LIMIT_M), 2 * half + 1, mode="nearest")
    window = np.hanning(2 * half + 3)[1:-1]
    return ndimage.convolve1d(held, window / window.sum(), mode="nearest")


def _too_short(leg: _Leg, shift: np.ndarray) -> np.ndarray:
    hip, knee, ankle = (place.numpy() for place in leg.place)
    length = np.linalg.norm(knee - hip, axis=1) + np.linalg.norm(ankle - knee, axis=1)
    allowed = np.clip(np.linalg.norm(ankle - hip, axis=1), _STRETCH[0] * length, _STRETCH[1] * length)
    way = hip + shift - leg.goal
    upright = np.sqrt(np.maximum(allowed**2 - way[:, 0] ** 2 - way[:, 2] ** 2, 0))
    return np.where(leg.stands, np.maximum(way[:, 1] - upright, 0), 0)


def _solve(leg: _Leg, shift: Tensor) -> Tensor:
    """Local quaternions (T, 3, 4) of hip, knee and ankle that bring the ankle to its goal with the foot turned as wanted."""
    pelvis, hip, knee, _ = leg.world
    upper, middle, end = (place + shift for place in leg.place)
    hip_turn, knee_turn = two_bone(upper, middle, end, torch.from_numpy(leg.goal), leg.hinge)
    new_hip, new_knee = hip_turn @ hip, knee_turn @ knee
    local = torch.stack([pelvis.mT @ new_hip, new_hip.mT @ new_knee, new_knee.mT @ leg.foot], dim=1)
    return matrix_to_quaternion(local)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Half-open frame ranges in which the mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
