"""Analytic two-bone inverse kinematics: put a wrist or an ankle where it should be, for all frames at once.

The limb is three joints: upper (hip, shoulder), middle (knee, elbow), end (ankle, wrist). The law of cosines gives the bend; the
bend plane is carried along by the shortest turn of the line from the upper joint to the end, so a knee keeps pointing
where it pointed. The end keeps its orientation in the world: a foot that stood flat still does.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from choreia.errors import ChoreiaError
from choreia.motion.rotations import between, matrix_to_quaternion, quaternion_to_matrix, rotate
from choreia.types import Motion, Skeleton

LIMBS: dict[str, tuple[str, str, str]] = {
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
}
"""Upper, middle and end joint of every limb, by the names of choreia-24."""

_HINGES = {"left_leg": (1.0, 0.0, 0.0), "right_leg": (1.0, 0.0, 0.0), "left_arm": (0.0, -1.0, 0.0), "right_arm": (0.0, 1.0, 0.0)}
_SOFT = 0.997  # share of the limb's length from which a farther target is approached exponentially and never snaps the joint straight
_STRAIGHT = 0.05  # sine of the bend below which the bend plane is noise and the anatomical hinge takes over


def reach(motion: Motion, limb: str, target: np.ndarray, weight: np.ndarray | None = None) -> Motion:
    """Move the end of a limb to a world position; every other joint keeps its place, the end its world orientation.

    Args:
        motion: T frames on a skeleton that has the limb's three joints by the names of choreia-24.
        limb: "left_leg", "right_leg", "left_arm" or "right_arm".
        target: (T, 3) world position of the ankle or wrist, metres. Beyond reach: the limb stretches smoothly towards it.
        weight: (T,) in [0, 1], how far to go from the present position to the target; None is 1. Frames of weight 0 are untouched.
    Returns:
        The motion with the three joints' rotations replaced.
    """
    upper, middle, end = limb_joints(motion.skeleton, limb)
    place, world = chain_pose(motion, end)
    share = torch.ones(len(motion), dtype=torch.float64) if weight is None else torch.from_numpy(np.asarray(weight, np.float64))
    goal = place[-1] + share[:, None] * (torch.from_numpy(np.asarray(target, np.float64)) - place[-1])
    hinge = world[-3] @ hinge_axis(limb)
    upper_turn, middle_turn = two_bone(place[-3], place[-2], place[-1], goal, hinge)
    new_upper, new_middle = upper_turn @ world[-3], middle_turn @ world[-2]
    solved = torch.stack([world[-4].mT @ new_upper, new_upper.mT @ new_middle, new_middle.mT @ world[-1]], dim=1)
    rotations = np.array(motion.rotations)
    moved = (share > 0).numpy()
    rotations[np.ix_(moved, np.array([upper, middle, end]))] = matrix_to_quaternion(solved).numpy()[moved]
    return Motion(motion.skeleton, motion.root, rotations, motion.fps)


def limb_joints(skeleton: Skeleton, limb: str) -> tuple[int, int, int]:
    """Indices of a limb's upper, middle and end joint; ChoreiaError when the limb or one of its joints is unknown."""
    if limb not in LIMBS:
        raise ChoreiaError(f"unknown limb {limb!r}: use one of {', '.join(LIMBS)}")
    missing = [name for name in LIMBS[limb] if name not in skeleton.names]
    if missing:
        raise ChoreiaError(f"the skeleton has no joint {missing[0]!r}: retarget the motion to choreia-24 first")
    upper, middle, end = (skeleton.index(name) for name in LIMBS[limb])
    return upper, middle, end


def hinge_axis(limb: str) -> Tensor:
    """Axis (3,) in the upper joint's own frame about which a limb of choreia-24 bends: knees forward, elbows forward."""
    return torch.tensor(_HINGES[limb], dtype=torch.float64)


def chain_pose(motion: Motion, joint: int) -> tuple[list[Tensor], list[Tensor]]:
    """World positions (T, 3) and rotations (T, 3, 3), float64, of the joints from the root down to `joint`."""
    chain = [joint]
    while motion.skeleton.parents[chain[0]] >= 0:
        chain.insert(0, motion.skeleton.parents[chain[0]])
    local = quaternion_to_matrix(torch.from_numpy(np.asarray(motion.rotations[:, chain], np.float64)))
    offsets = torch.from_numpy(np.asarray(motion.skeleton.offsets, np.float64))
    place, world = [torch.from_numpy(np.asarray(motion.root, np.float64))], [local[:, 0]]
    for k, link in enumerate(chain[1:], start=1):
        place.append(place[-1] + world[-1] @ offsets[link])
        world.append(world[-1] @ local[:, k])
    return place, world


def two_bone(upper: Tensor, middle: Tensor, end: Tensor, goal: Tensor, hinge: Tensor) -> tuple[Tensor, Tensor]:
    """World turns of the two bones that bring `end` to `goal`.

    Args:
        upper, middle, end: (T, 3) present world positions of the three joints.
        goal: (T, 3) wanted position of the end.
        hinge: (T, 3) world axis about which the limb bends when it is too straight to tell.
    Returns:
        (T, 3, 3) each: to be multiplied from the left to the world rotations of the upper and of the middle joint.
    """
    thigh, shin, line, way = middle - upper, end - middle, end - upper, goal - upper
    long, short = thigh.norm(dim=-1), shin.norm(dim=-1)
    present = line.norm(dim=-1)
    distance = _within_reach(way.norm(dim=-1), present, long, short)
    a, b, u, v = (F.normalize(x, dim=-1) for x in (thigh, shin, line, way))
    normal = _bend_normal(a, b, u, hinge, change=_bend(distance, long, short) - _bend(present, long, short))
    new_normal = rotate(between(u, v), normal)
    along = (long**2 + distance**2 - short**2) / (2 * distance)
    across = (long**2 - along**2).clamp_min(0).sqrt()
    new_thigh = along[:, None] * v + across[:, None] * torch.cross(v, new_normal, dim=-1)
    new_shin = distance[:, None] * v - new_thigh
    return _turn(a, normal, new_thigh, new_normal), _turn(b, normal, new_shin, new_normal)


def _within_reach(distance: Tensor, present: Tensor, long: Tensor, short: Tensor) -> Tensor:
    """The distance itself while it is well inside the limb's reach; beyond, an exponential approach to the straight limb.

    The present distance maps to itself, however straight the limb is, so that a target which is already met changes nothing.
    """
    span = long + short
    correction = (present - _soften(present, span)) * torch.exp(-(((distance - present) / (0.001 * span)) ** 2))
    reachable = torch.minimum(_soften(distance, span) + correction, span)
    return torch.maximum(reachable, (long - short).abs() + 1e-3 * span)


def _soften(distance: Tensor, span: Tensor) -> Tensor:
    start, room = _SOFT * span, (1 - _SOFT) * span
    return torch.minimum(distance, start) + room * (1 - torch.exp(-(distance - start).clamp_min(0) / room))


def _bend(distance: Tensor, long: Tensor, short: Tensor) -> Tensor:
    """Bend of the middle joint in radians, 0 when straight."""
    cosine = (distance**2 - long**2 - short**2) / (2 * long * short)
    return torch.acos(cosine.clamp(-1, 1))


def _bend_normal(a: Tensor, b: Tensor, u: Tensor, hinge: Tensor, change: Tensor) -> Tensor:
    """Unit normal of the plane the limb bends in; a nearly straight limb that must bend or stretch leans to the anatomical hinge."""
    cross = torch.cross(a, b, dim=-1)
    across = F.normalize(hinge - (hinge * u).sum(-1, keepdim=True) * u, dim=-1)
    doubt = torch.exp(-((cross.norm(dim=-1) / _STRAIGHT) ** 2)) * (1 - torch.exp(-((change / _STRAIGHT) ** 2)))
    return F.normalize(cross + (_STRAIGHT * doubt + 1e-9)[:, None] * across, dim=-1)


def _turn(bone: Tensor, normal: Tensor, new_bone: Tensor, new_normal: Tensor) -> Tensor:
    """Rotation that takes a bone and its bend normal to new ones."""
    return _frame(new_bone, new_normal) @ _frame(bone, normal).mT


def _frame(bone: Tensor, normal: Tensor) -> Tensor:
    """Right-handed orthonormal frame (T, 3, 3), columns: bone, normal without its part along the bone, their cross product."""
    first = F.normalize(bone, dim=-1)
    second = F.normalize(normal - (normal * first).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.cross(first, second, dim=-1)], dim=-1)
