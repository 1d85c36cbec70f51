"""Feet at a seam: they go from where they are to where the new material has them, by a small step where they stand on both sides.

They are led in space: rotations of the leg that fade by themselves drag a foot over the floor, and through it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from choreia.edit.fades import ease, places_over, turns_over
from choreia.edit.floor import look, standing
from choreia.motion import rotations as rot
from choreia.motion.footlock import lock_feet
from choreia.motion.ik import LIMBS, chain_pose, hinge_axis, reach, two_bone
from choreia.types import Motion

SIDES = ("left", "right")

_CREEP_M = 0.03  # a standing foot may be off by this without a step of its own: it is put right when it next leaves the floor,
_HOLD_S = 1.0  # when it does within this time,
_CREEP_S = 0.5  # or gets there in this time or more
_STEP_S, _STEP_S_M = 0.2, 0.8  # least time of a step, and more for every metre
_STEP_FADE = 0.7  # and of the time in which the pose fades
_LIFT_M, _LIFT = 0.05, 0.1  # height of a step, and more for every metre
_FOOT_M = 0.14  # from ankle to toe
_UP = 0.15  # share of a step's time in which the foot only rises, and only sinks
_LAND_S = 0.1  # a foot that stands within this time of the seam stands from the seam on


@dataclass(frozen=True)
class _Foot:
    """World places (T, 3) and rotations (T, 1, 4) wxyz of an ankle."""

    place: np.ndarray
    turn: np.ndarray


@dataclass(frozen=True)
class _Step:
    """A foot takes `steps` frames from frame `begin` on, and is lifted by `lift_m`."""

    begin: int
    steps: int
    lift_m: float = 0.0


def stepped(faded: Motion, new: Motion, before: Motion, fade: int, joints: np.ndarray) -> Motion:
    """`faded` with its feet on their way from the end of `before` to where `new` has them.

    Args:
        faded: T frames, `new` whose pose fades in over `fade` frames.
        new: the same frames, placed but not faded.
        before: what is kept before.
        joints: (J,) bool, legs that are not wholly among them are left alone.
    """
    was, stands = standing(look(before, end=True))[-1], standing(look(new, end=False))
    wait = 0
    for k, side in enumerate(SIDES):
        leg = [new.skeleton.index(name) for name in LIMBS[f"{side}_leg"]]
        if joints[leg].all():
            paced = 1 if was[k] else min(2, len(before))
            here, there = _foot(before.slice(len(before) - paced, len(before)), leg[2]), _foot(new, leg[2])
            step = _step(here, there, bool(was[k]), stands[:, k], fade, wait, new.fps)
            wait += step.steps if was[k] and step.lift_m else 0
            faded = _led(faded, side, here, there, step, fade)
    return faded


def _step(here: _Foot, there: _Foot, was: bool, stands: np.ndarray, fade: int, wait: int, fps: float) -> _Step:
    """How a foot that stood before, or not, gets to one that `stands` (n,) or not; standing feet wait for one another."""
    down, up, down_again = _changes(stands)
    way_m = _way_m(here, there)
    steps = round((_STEP_S + _STEP_S_M * way_m) * fps)
    lift_m = _LIFT_M + _LIFT * way_m if way_m > _CREEP_M else 0.0
    if down > _LAND_S * fps:
        return _Step(0, min(fade, max(down, steps)), lift_m if was and down < steps else 0.0)
    if was and not lift_m:
        swing = min(max(down_again - up, steps), round(_HOLD_S * fps))
        return _Step(up, swing) if up < _HOLD_S * fps else _Step(0, max(fade, round(_CREEP_S * fps)))
    return _Step(wait if was else 0, max(steps, round(_STEP_FADE * fade)), lift_m)


def _way_m(here: _Foot, there: _Foot) -> float:
    """How far over the floor an ankle, or by turning a toe, is from where it has to be."""
    turn_rad = 2 * np.arccos(np.clip(np.abs((here.turn[-1] * there.turn[0]).sum()), 0, 1))
    return max(float(np.linalg.norm((there.place[0] - here.place[-1])[[0, 2]])), _FOOT_M * float(turn_rad))


def _changes(stands: np.ndarray) -> tuple[int, int, int]:
    """Frames at which a foot is first down, then up, then down again; the number of frames where it never is."""
    down = int(np.argmax(np.append(stands, True)))
    up = down + int(np.argmax(np.append(~stands[down:], True)))
    return down, up, up + int(np.argmax(np.append(stands[up:], True)))


def _led(motion: Motion, side: str, here: _Foot, there: _Foot, step: _Step, fade: int) -> Motion:
    """The motion, whose pose fades in over `fade` frames, with one foot going over from where it is to `there`."""
    count = min(max(step.begin + step.steps, fade), len(motion))
    along = np.clip((np.arange(count) + 1 - step.begin) / (step.steps + 1), 0, 1)
    weight = ease((along - _UP) / (1 - 2 * _UP)) if step.lift_m else ease(along)
    place = places_over(here.place, there.place[:count], weight, motion.fps)
    turn = turns_over(here.turn, there.turn[:count], weight, motion.fps)[:, 0]
    place[:, 1] = np.maximum(place[:, 1], np.minimum(here.place[-1, 1], there.place[:count, 1]))
    place[:, 1] += 16 * step.lift_m * (along * (1 - along)) ** 2
    rotations = np.array(motion.rotations)
    rotations[:count] = _solved(motion.slice(0, count), side, place, turn)
    return replace(motion, rotations=rotations)


def _solved(motion: Motion, side: str, ankle: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Rotations (T, J, 4) whose leg brings its ankle to world places (T, 3) and rotations (T, 4)."""
    leg = [motion.skeleton.index(name) for name in LIMBS[f"{side}_leg"]]
    place, world = chain_pose(motion, leg[2])
    hip_turn, knee_turn = two_bone(place[-3], place[-2], place[-1], torch.from_numpy(ankle), world[-3] @ hinge_axis(f"{side}_leg"))
    hip, knee = hip_turn @ world[-3], knee_turn @ world[-2]
    foot = rot.quaternion_to_matrix(torch.from_numpy(turn))
    local = torch.stack([world[-4].mT @ hip, hip.mT @ knee, knee.mT @ foot], dim=1)
    rotations = np.array(motion.rotations)
    rotations[:, leg] = rot.matrix_to_quaternion(local).numpy()
    return rotations


def _foot(motion: Motion, ankle: int) -> _Foot:
    place, world = chain_pose(motion, ankle)
    return _Foot(place[-1].numpy(), rot.matrix_to_quaternion(world[-1]).numpy()[:, None])


def planted(motion: Motion, contacts: np.ndarray, joints: np.ndarray) -> Motion:
    """The motion with its feet on the floor wherever `contacts` (T, 4) say; joints (J,) bool that are not to be changed are not.

    With the root among them as `footlock.lock_feet`, else by the legs alone, as far as they reach; without the legs nothing is done.
    """
    legs = {f"{side}_leg": [motion.skeleton.index(name) for name in LIMBS[f"{side}_leg"]] for side in SIDES}
    free = [limb for limb, leg in legs.items() if joints[leg].all()]
    locked = lock_feet(motion, contacts) if free else motion
    if len(free) == len(SIDES) and joints[0]:
        return locked
    for limb in free:
        motion = reach(motion, limb, chain_pose(locked, legs[limb][2])[0][-1].numpy())
    return motion
