"""Any humanoid figure to choreia-24 and back: limbs by direction, trunk by orientation, feet by their place on the floor.

Joints are matched by name, otherwise by the shape of the tree (`motion.joint_names`), and both figures are aligned in one reference pose
(`motion.calibration`). Sizes follow the legs: everything is scaled by the ratio of leg lengths, so a file's unit does not matter. Limbs
point where the source's point; feet stand where the source's stand, scaled, and as high above the floor (`motion.ik`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from choreia.motion import kinematics
from choreia.motion.calibration import OURS, SIDES, Calibration, calibrate, offset
from choreia.motion.ik import two_bone
from choreia.motion.joint_names import JointMap, match
from choreia.motion.rotations import between, continuous, matrix_to_quaternion, quaternion_to_matrix, slerp
from choreia.motion.skeleton import ANKLE_HEIGHT_M, TOE_HEIGHT_M
from choreia.types import Motion, Skeleton

_STANDING_M_S = 0.25  # a foot slower than this stands or hangs still
_STANDING_SHARE = 0.03  # least share of frames with a slow foot for the take to tell where its floor is
_FLOOR_SHARE = 0.3  # of the heights of standing feet, this share lies below the floor: noise, and heels that dip
_LEVEL_M = 0.004  # a floor that is off by less is left as it is
_AT_REST_RAD = 0.5  # a pose whose joints are all within this of the rest pose is the rest pose
_LEAP_RAD, _LEAP = 0.08, 2.5  # a step of the body between frames that is more than this, and this many times the usual, is a leap
_Z_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=float)  # z-up to y-up: x stays, z becomes y


@dataclass(frozen=True)
class _Figure:
    """A take in the world, Y up: places (T, J, 3), turns (T, J, 3, 3), float64."""

    places: Tensor
    turns: Tensor


def to_choreia24(motion: Motion, floor: bool = True) -> Motion:
    """The same dance on choreia-24.

    Args:
        motion: a take on any humanoid figure, any unit of length, Y or Z up.
        floor: put the standing feet on y = 0 where the take shows its floor, and no foot below it; otherwise heights are kept, scaled.
    Returns:
        T frames on choreia-24 at the same rate; the very same motion when it already is on choreia-24.
    Raises:
        ChoreiaError: the figure is not a humanoid.
    """
    if _is_ours(motion.skeleton):
        return motion
    source = _upright(motion)
    calibration = calibrate(motion.skeleton, source.places, source.turns)
    turns = _our_turns(source, calibration)
    hips = calibration.scale * _middle(source, calibration.joints, "hip")
    ankles, clearance = _ankle_goals(source, calibration, turns)
    lift = hips.new_tensor([0.0, ANKLE_HEIGHT_M - TOE_HEIGHT_M - calibration.ankle_above_toe_m, 0.0])
    lower = hips.new_tensor([0.0, _floor_error(ankles, clearance, motion.fps) if floor else 0.0, 0.0])
    raised = (lower[1] - clearance).clamp_min(0) if floor else torch.zeros_like(clearance)
    hip_middle = (offset("left_hip") + offset("right_hip")) / 2
    root = hips + lift - lower - turns["pelvis"] @ hip_middle
    for k, side in enumerate(SIDES):
        _plant(side, root, turns, ankles[side] - lower + raised[:, k, None] * hips.new_tensor([0.0, 1.0, 0.0]))
    return _from_world(OURS, root, torch.stack([turns[name] for name in OURS.names], dim=1), motion.fps)


def without_rest_frames(motion: Motion) -> Motion:
    """A take without the calibration pose that many files begin with.

    Frames are dropped when the take begins in its rest pose and leaves it faster than it moves afterwards: in one leap, or in the few
    frames that smoothing has made of the leap. A dancer who really starts in a T-pose keeps all frames.
    """
    wxyz = np.asarray(motion.rotations[: round(0.7 * motion.fps)], np.float64)
    if len(wxyz) < 0.6 * motion.fps or np.abs(wxyz[0, 1:, 0]).min() < np.cos(_AT_REST_RAD / 2):
        return motion
    dots = np.abs((wxyz[1:] * wxyz[:-1]).sum(-1)).clip(0, 1)
    step = (2 * np.arccos(dots)).max(axis=1)
    begin = max(1, round(0.1 * motion.fps))
    leaps = step[:begin] > max(_LEAP_RAD, _LEAP * float(np.median(step[begin:])))
    drop = begin if leaps.all() else int(leaps.argmin())
    return motion.slice(drop, len(motion))


def _is_ours(skeleton: Skeleton) -> bool:
    same_tree = skeleton.names == OURS.names and skeleton.parents == OURS.parents
    return same_tree and bool(np.allclose(skeleton.offsets[1:], OURS.offsets[1:], atol=1e-6))


def _upright(motion: Motion) -> _Figure:
    """World places and turns of all joints, turned to Y up when the take has Z up."""
    local = kinematics.matrices(motion)
    root = torch.from_numpy(np.asarray(motion.root, np.float64))
    places, turns = kinematics.forward(motion.skeleton, root, local)
    if not _has_z_up(motion.skeleton, places):
        return _Figure(places, turns)
    level = torch.from_numpy(_Z_UP)
    return _Figure(places @ level.mT, level @ turns)


def _has_z_up(skeleton: Skeleton, places: Tensor) -> bool:
    """Whether the trunk stands along z most of the time and hardly ever along y, and the feet keep to one height in z."""
    joints = match(skeleton)
    figure = _Figure(places, places)
    trunk = F.normalize(_middle(figure, joints, "shoulder") - _middle(figure, joints, "ankle"), dim=-1)
    lowest = torch.minimum(*(places[:, joints.place[f"{side}_ankle"]] for side in SIDES))
    steady = float(lowest[:, 2].std(unbiased=False)) <= float(lowest[:, 1].std(unbiased=False)) + 1e-6
    return float(trunk[:, 2].median()) > 0.7 and float(trunk[:, 1].abs().median()) < 0.5 and steady


def _middle(figure: _Figure, joints: JointMap, joint: str) -> Tensor:
    """Point (T, 3) between the left and the right joint."""
    return (figure.places[:, joints.place[f"left_{joint}"]] + figure.places[:, joints.place[f"right_{joint}"]]) / 2


# --------------------------------------------------------------------------------------------------------- orientations


def _our_turns(source: _Figure, calibration: Calibration) -> dict[str, Tensor]:
    """World orientations (T, 3, 3) of all our joints."""
    joints = calibration.joints
    turns = {name: source.turns[:, joints.turn[name]] @ turn for name, turn in calibration.turns.items()}
    turns |= _spine(source, calibration, turns)
    turns |= _neck(source, calibration, turns)
    for side in SIDES:
        turns.setdefault(f"{side}_collar", turns["spine3"])
        for upper, middle, end in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            for joint, child in ((upper, middle), (middle, end)):
                _aim(source, joints, turns, f"{side}_{joint}", f"{side}_{child}")
        turns.setdefault(f"{side}_wrist", turns[f"{side}_elbow"])
        turns.setdefault(f"{side}_foot", turns[f"{side}_ankle"])
        turns[f"{side}_hand"] = turns[f"{side}_wrist"]
    return turns


def _aim(source: _Figure, joints: JointMap, turns: dict[str, Tensor], joint: str, child: str) -> None:
    """Turn a bone the shortest way to where the source's points in every frame; nothing to do for rigid bones."""
    if child in joints.place:
        way = source.places[:, joints.place[child]] - source.places[:, joints.place[joint]]
        turns[joint] = quaternion_to_matrix(between(turns[joint] @ offset(child), way)) @ turns[joint]


def _spine(source: _Figure, calibration: Calibration, turns: dict[str, Tensor]) -> dict[str, Tensor]:
    """Orientations of spine1 and spine2: the source's spine, read at the same share of its length."""
    line = calibration.joints.spine
    knots = [turns["pelvis"], *(_as_trunk(source, calibration, joint) for joint in line)]
    points = calibration.places[[calibration.joints.place["pelvis"], *line]]
    at = _shares((points[1:] - points[:-1]).norm(dim=-1).numpy())
    ours = _shares(np.array([float(offset(name).norm()) for name in ("spine1", "spine2", "spine3")]))
    return {name: _read(knots, at, share) for name, share in zip(("spine1", "spine2"), ours[1:3], strict=True)}


def _shares(lengths: np.ndarray) -> np.ndarray:
    """Where the ends of consecutive bones lie on their chain, 0 to 1, (n + 1,)."""
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    return along / along[-1] if along[-1] > 1e-9 else np.linspace(0, 1, len(along))


def _read(knots: list[Tensor], at: np.ndarray, share: float) -> Tensor:
    """Orientation (T, 3, 3) at a share of a chain between the joints before and behind it."""
    after = int(np.clip(np.searchsorted(at, share - 1e-6), 1, len(knots) - 1)) if len(knots) > 1 else 0
    if not after:
        return knots[0]
    span = at[after] - at[after - 1]
    return _mix(knots[after - 1], knots[after], 1.0 if span < 1e-9 else (share - at[after - 1]) / span)


def _mix(a: Tensor, b: Tensor, weight: float) -> Tensor:
    if weight >= 1 - 1e-5:
        return b
    qa, qb = matrix_to_quaternion(a), matrix_to_quaternion(b)
    return quaternion_to_matrix(slerp(qa, qb, torch.full(qa.shape[:-1], weight, dtype=qa.dtype)))


def _as_trunk(source: _Figure, calibration: Calibration, joint: int) -> Tensor:
    """Orientation (T, 3, 3) of a joint of the trunk: its turn since the reference pose, where it was upright."""
    return source.turns[:, joint] @ calibration.upright(joint)


def _neck(source: _Figure, calibration: Calibration, turns: dict[str, Tensor]) -> dict[str, Tensor]:
    """Neck and head; a figure without them carries its head as its chest."""
    if "head" not in turns:
        return {"neck": turns["spine3"], "head": turns["spine3"]}
    line = calibration.joints.neck
    if not line:
        return {"neck": _mix(turns["spine3"], turns["head"], 0.5)}
    first, last = (_as_trunk(source, calibration, joint) for joint in (line[0], line[-1]))
    return {"neck": first if len(line) == 1 else _mix(first, last, 0.5)}


# ------------------------------------------------------------------------------------------------------------------ feet


def _ankle_goals(source: _Figure, calibration: Calibration, turns: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """Where our ankles belong (T, 3) so that our feet are as high above the floor as the source's; that height of both feet (T, 2)."""
    goals, clearances = {}, []
    for side in SIDES:
        ankle = calibration.scale * source.places[:, calibration.joints.place[f"{side}_ankle"]]
        heel = ankle[:, 1] - TOE_HEIGHT_M - calibration.ankle_above_toe_m
        dip = (turns[f"{side}_ankle"] @ offset(f"{side}_foot"))[:, 1] - offset(f"{side}_foot")[1]
        toe = heel + dip
        if f"{side}_foot" in calibration.joints.place:
            toe = calibration.scale * source.places[:, calibration.joints.place[f"{side}_foot"], 1] - TOE_HEIGHT_M
        clearance = torch.minimum(heel, toe)
        height = ANKLE_HEIGHT_M + clearance - dip.clamp_max(0)
        goals[side] = torch.stack([ankle[:, 0], height, ankle[:, 2]], dim=-1)
        clearances.append(clearance)
    return goals, torch.stack(clearances, dim=-1)


def _floor_error(ankles: dict[str, Tensor], clearance: Tensor, fps: float) -> float:
    """Height of the floor that the standing feet show; 0 when they do not show one or it is level already."""
    if len(clearance) < 3:
        return 0.0
    pace = torch.stack([torch.gradient(ankles[side], dim=0)[0].norm(dim=-1) * fps for side in SIDES], dim=-1)
    standing = clearance[pace < _STANDING_M_S]
    if len(standing) < _STANDING_SHARE * clearance.numel():
        return 0.0
    error = float(standing.quantile(_FLOOR_SHARE))
    return error if abs(error) > _LEVEL_M else 0.0


def _plant(side: str, root: Tensor, turns: dict[str, Tensor], goal: Tensor) -> None:
    """Bend a leg so that its ankle comes to `goal` (T, 3)."""
    hip, knee = f"{side}_hip", f"{side}_knee"
    upper = root + turns["pelvis"] @ offset(hip)
    middle = upper + turns[hip] @ offset(knee)
    end = middle + turns[knee] @ offset(f"{side}_ankle")
    hinge = turns[hip] @ upper.new_tensor([1.0, 0.0, 0.0])
    turn_upper, turn_middle = two_bone(upper, middle, end, goal, hinge)
    turns[hip], turns[knee] = turn_upper @ turns[hip], turn_middle @ turns[knee]


# ------------------------------------------------------------------------------------------------------------------ back


def to_skeleton(motion: Motion, target: Motion | Skeleton) -> Motion:
    """A dance on another figure.

    Args:
        motion: T frames on choreia-24, or on any figure, which then passes through choreia-24.
        target: the figure, as a skeleton, or as a take of it whose first frame says how joints that have no counterpart are held.
    Returns:
        T frames on the figure at the same rate, in its own unit of length, Y up, its feet as high above y = 0 as the dancer's. Every
        joint is taken to turn freely; hinges of robots are not kept.
    Raises:
        ChoreiaError: one of the figures is not a humanoid.
    """
    ours = to_choreia24(motion)
    held = target if isinstance(target, Motion) else _rest(target)
    if _is_ours(held.skeleton):
        return ours
    bind = _upright(held)
    calibration = calibrate(held.skeleton, bind.places, bind.turns)
    root = torch.from_numpy(np.asarray(ours.root, np.float64))
    places, turns = kinematics.forward(OURS, root, kinematics.matrices(ours))
    world = _their_turns(dict(zip(OURS.names, turns.unbind(1), strict=True)), calibration)
    fixed = kinematics.matrices(held)[0]
    figure = _pose(held.skeleton, fixed, world)
    start = _their_root(figure, places, calibration)
    figure = _Figure(figure.places + start[:, None], figure.turns)
    for side in SIDES:
        _plant_their(side, figure, world, places, turns, calibration)
    legs = _pose(held.skeleton, fixed, world)
    return _from_world(held.skeleton, start + legs.places[:, 0], legs.turns, ours.fps)


def _rest(skeleton: Skeleton) -> Motion:
    """One frame in the rest pose."""
    still = np.tile(np.array([1, 0, 0, 0], np.float32), (1, len(skeleton.names), 1))
    return Motion(skeleton, np.asarray(skeleton.offsets[:1], np.float32), still, 30.0)


def _their_turns(ours: dict[str, Tensor], calibration: Calibration) -> dict[int, Tensor]:
    """World orientations (T, 3, 3) of those of the figure's joints that have a counterpart."""
    joints = calibration.joints
    world = {joints.turn[name]: ours[name] @ turn.mT for name, turn in calibration.turns.items()}
    knots = [ours[name] for name in ("pelvis", "spine1", "spine2", "spine3")]
    at = _shares(np.array([float(offset(name).norm()) for name in ("spine1", "spine2", "spine3")]))
    points = calibration.places[[joints.place["pelvis"], *joints.spine]]
    shares = _shares((points[1:] - points[:-1]).norm(dim=-1).numpy())[1:]
    for joint, share in zip(joints.spine, shares, strict=True):
        world[joint] = _read(knots, at, share) @ calibration.upright(joint).mT
    for joint in joints.neck:
        world[joint] = ours["neck"] @ calibration.upright(joint).mT
    for joint in joints.above_pelvis:
        world[joint] = ours["pelvis"] @ calibration.upright(joint).mT
    return world


def _pose(skeleton: Skeleton, fixed: Tensor, world: dict[int, Tensor]) -> _Figure:
    """The figure with its root at 0: joints in `world` are turned so, the others are held as in `fixed` (J, 3, 3)."""
    offsets = torch.from_numpy(np.asarray(skeleton.offsets, np.float64))
    some = next(iter(world.values()))
    places = [torch.zeros_like(some[:, 0])]
    turns = [world.get(0, fixed[0].expand_as(some))]
    for joint, parent in list(enumerate(skeleton.parents))[1:]:
        places.append(places[parent] + turns[parent] @ offsets[joint])
        turns.append(world.get(joint, turns[parent] @ fixed[joint]))
    return _Figure(torch.stack(places, dim=1), torch.stack(turns, dim=1))


def _their_root(figure: _Figure, ours: Tensor, calibration: Calibration) -> Tensor:
    """Where the figure's root belongs (T, 3) so that the middle of its hips is where the dancer's is, in its own size."""
    hips = (ours[:, OURS.index("left_hip")] + ours[:, OURS.index("right_hip")]) / 2
    lift = hips.new_tensor([0.0, ANKLE_HEIGHT_M - TOE_HEIGHT_M - calibration.ankle_above_toe_m, 0.0])
    return (hips - lift) / calibration.scale - _middle(figure, calibration.joints, "hip")


def _plant_their(
    side: str, figure: _Figure, world: dict[int, Tensor], ours: Tensor, our_turns: Tensor, calibration: Calibration
) -> None:
    """Bend a leg of the figure so that its foot is as high above the floor as the dancer's, and where the dancer's is."""
    joints = calibration.joints
    hip, knee, ankle = (joints.place[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    foot, sole = ours[:, OURS.index(f"{side}_ankle")], ours[:, OURS.index(f"{side}_foot"), 1]
    clearance = torch.minimum(foot[:, 1] - ANKLE_HEIGHT_M, sole - TOE_HEIGHT_M)
    dip = (our_turns[:, OURS.index(f"{side}_ankle")] @ offset(f"{side}_foot"))[:, 1] - offset(f"{side}_foot")[1]
    if f"{side}_foot" in joints.place:
        toe = figure.places[:, joints.place[f"{side}_foot"], 1] - figure.places[:, ankle, 1]
        dip = calibration.scale * toe + calibration.ankle_above_toe_m
    height = TOE_HEIGHT_M + calibration.ankle_above_toe_m + clearance - dip.clamp_max(0)
    goal = torch.stack([foot[:, 0], height, foot[:, 2]], dim=-1) / calibration.scale
    hinge = our_turns[:, OURS.index(f"{side}_hip")] @ goal.new_tensor([1.0, 0.0, 0.0])
    upper, middle = two_bone(figure.places[:, hip], figure.places[:, knee], figure.places[:, ankle], goal, hinge)
    for turn, joint in ((upper, joints.turn[f"{side}_hip"]), (middle, joints.turn[f"{side}_knee"])):
        world[joint] = turn @ world[joint]


def _from_world(skeleton: Skeleton, root: Tensor, world: Tensor, fps: float) -> Motion:
    """A motion from the world orientations (T, J, 3, 3) of all joints."""
    above = world[:, [max(parent, 0) for parent in skeleton.parents]]
    local = above.mT @ world
    local[:, 0] = world[:, 0]
    rotations = continuous(matrix_to_quaternion(local))
    return Motion(skeleton, root.numpy().astype(np.float32), rotations.numpy().astype(np.float32), fps)
