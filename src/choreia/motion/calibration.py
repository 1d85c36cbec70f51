"""How a foreign figure stands to ours: which constant turn makes each of its joints speak choreia-24.

In a reference pose (the rest pose when it stands like a person, otherwise the most upright frame of the take) both figures are posed
alike: trunk upright, limbs along the same directions, feet flat. The turn between a joint there and ours is then kept for all frames,
so T-pose, A-pose and arbitrary rest poses come out the same, and twist comes from the figure's own joints and not from noisy planes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from choreia.errors import ChoreiaError
from choreia.motion.joint_names import JointMap, match, rest_positions
from choreia.motion.rotations import between, quaternion_to_matrix
from choreia.motion.skeleton import choreia24
from choreia.types import Skeleton

OURS = choreia24()
SIDES = ("left", "right")
LEG_M = float(np.linalg.norm(OURS.offsets[OURS.index("left_knee")]) + np.linalg.norm(OURS.offsets[OURS.index("left_ankle")]))
LIMBS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
_HINGES = {"hip": (1.0, 0.0, 0.0), "left_shoulder": (0.0, -1.0, 0.0), "right_shoulder": (0.0, 1.0, 0.0)}
_UPRIGHT = 0.85  # least cosine between a leg and straight down in a pose that counts as standing
_STRAIGHT = 0.93  # least share of the leg's length between hip and ankle there
_BENT = 0.35  # sine of a bend from which the plane of a limb is trusted
_ODD_RAD = 0.5  # a hinge that is off by more than this in the rest pose is turned to where the limb really bends


@dataclass(frozen=True)
class Calibration:
    """What `retarget` needs to know of a figure.

    joints: the map of joints. turns: for each of our joints that the figure has, the (3, 3) turn with ours = figure's @ turn.
    scale: our leg length over the figure's. ankle_above_toe_m: height of the ankle over the toe on a flat foot, our scale.
    places (J, 3), orientations (J, 3, 3): the figure's joints in the reference pose, which stands upright and looks along
    the third column of facing (3, 3); its first is left, its second up.
    """

    joints: JointMap
    turns: dict[str, Tensor]
    scale: float
    ankle_above_toe_m: float
    places: Tensor
    orientations: Tensor
    facing: Tensor

    def upright(self, joint: int) -> Tensor:
        """The turn (3, 3) of a joint of the figure's trunk with ours = figure's @ turn: ours stands upright in the reference pose."""
        return self.orientations[joint].mT @ self.facing


def offset(name: str) -> Tensor:
    """Our rest offset (3,) of a joint from its parent, float64 metres."""
    return torch.from_numpy(OURS.offsets[OURS.index(name)].astype(np.float64))


def calibrate(skeleton: Skeleton, places: Tensor, turns: Tensor) -> Calibration:
    """Compare a figure with ours.

    Args:
        skeleton: any humanoid.
        places, turns: (T, J, 3) and (T, J, 3, 3), a take of it in the world with Y up.
    """
    joints = match(skeleton)
    leg = _leg_length(joints, places)
    if not leg > 1e-9:
        raise ChoreiaError("the figure's legs have no length: its joints all lie on one point, so it cannot be retargeted")
    scale = LEG_M / leg
    reference, orientation, facing = _reference(skeleton, joints, places, turns)
    bound = _pose_ours(joints, reference, facing)
    constant = {name: orientation[joints.turn[name]].mT @ bound[name] for name in bound}
    constant = _straighten_hinges(joints, places, turns, constant)
    return Calibration(joints, constant, scale, _ankle_above_toe(joints, reference, facing, scale), reference, orientation, facing)


def _leg_length(joints: JointMap, places: Tensor) -> float:
    chains = [[places[:, joints.place[f"{side}_{joint}"]] for joint in LIMBS[0]] for side in SIDES]
    return float(np.mean([(a - b).norm(dim=-1).median() + (b - c).norm(dim=-1).median() for a, b, c in chains]))


def _reference(skeleton: Skeleton, joints: JointMap, places: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places (J, 3), orientations (J, 3, 3) and facing (3, 3) of the reference pose."""
    rest = torch.from_numpy(rest_positions(skeleton))
    up = _trunk_up(joints, rest)
    if _stands(joints, rest[None], up[None])[0] > 0:
        return rest, torch.eye(3, dtype=rest.dtype).expand(len(rest), 3, 3), _facing(joints, rest, _snap(up))
    world_up = torch.tensor([0.0, 1.0, 0.0], dtype=places.dtype).expand(len(places), 3)
    best = int((_stands(joints, places, world_up) - _uneven(joints, places)).argmax())
    return places[best], turns[best], _facing(joints, places[best], world_up[0])


def _trunk_up(joints: JointMap, places: Tensor) -> Tensor:
    """Unit direction (..., 3) from between the hips to between the shoulders of poses (..., J, 3)."""
    left, right = (places[..., joints.place[f"{side}_shoulder"], :] - places[..., joints.place[f"{side}_hip"], :] for side in SIDES)
    return F.normalize(left + right, dim=-1)


def _snap(direction: Tensor) -> Tensor:
    """The coordinate axis within 30 degrees of a direction (3,), otherwise the direction."""
    axis = F.one_hot(direction.abs().argmax(), 3).to(direction.dtype) * direction.sum().sign()
    axis = axis * torch.sign((axis * direction).sum())
    return axis if float((axis * direction).sum()) > 0.86 else direction


def _facing(joints: JointMap, places: Tensor, up: Tensor) -> Tensor:
    """Frame (3, 3) of a standing figure, columns left, up, forward."""
    across = places[joints.place["left_hip"]] - places[joints.place["right_hip"]]
    left = F.normalize(across - (across * up).sum() * up, dim=-1)
    return torch.stack([left, up, torch.cross(left, up, dim=-1)], dim=-1)


def _stands(joints: JointMap, places: Tensor, up: Tensor) -> Tensor:
    """How well (T,) poses (T, J, 3) stand with straight legs, trunk and legs along `up` (T, 3); above 0 is good enough for a reference."""
    margins = []
    for side in SIDES:
        hip, knee, ankle = (places[:, joints.place[f"{side}_{joint}"]] for joint in LIMBS[0])
        length = (hip - knee).norm(dim=-1) + (knee - ankle).norm(dim=-1)
        way = hip - ankle
        margins.append((way * up).sum(-1) / way.norm(dim=-1).clamp_min(1e-9) - _UPRIGHT)
        margins.append(way.norm(dim=-1) / length.clamp_min(1e-9) - _STRAIGHT)
    margins.append((_trunk_up(joints, places) * up).sum(-1) - _UPRIGHT)
    return torch.stack(margins).min(0).values


def _uneven(joints: JointMap, places: Tensor) -> Tensor:
    """Differences in height (T,) between the two ankles and between the two toes, as shares of the legs: 0 on both feet."""
    total = torch.zeros_like(places[:, 0, 0])
    for joint in ("ankle", "foot"):
        if f"left_{joint}" in joints.place and f"right_{joint}" in joints.place:
            total = total + (places[:, joints.place[f"left_{joint}"], 1] - places[:, joints.place[f"right_{joint}"], 1]).abs()
    return total / _leg_length(joints, places)


def _pose_ours(joints: JointMap, places: Tensor, facing: Tensor) -> dict[str, Tensor]:
    """World orientations (3, 3) of our joints when our figure takes the reference pose: trunk upright, limbs along, feet flat."""
    pose: dict[str, Tensor] = {}
    for name in ("pelvis", "spine3", "head", "left_collar", "right_collar"):
        if name in joints.turn:
            pose[name] = facing
    for side in SIDES:
        for upper, middle, end in LIMBS:
            pose |= _pose_limb(joints, places, facing, [f"{side}_{joint}" for joint in (upper, middle, end)])
        pose |= _pose_foot(joints, places, facing, side)
        if f"{side}_wrist" in joints.place:
            forearm = pose[f"{side}_elbow"]
            pose[f"{side}_wrist"] = _point(joints, places, forearm, f"{side}_wrist", f"{side}_hand")
    return pose


def _pose_limb(joints: JointMap, places: Tensor, facing: Tensor, names: list[str]) -> dict[str, Tensor]:
    upper, middle, end = names
    first = _point(joints, places, facing, upper, middle)
    return {upper: first, middle: _point(joints, places, first, middle, end)}


def _point(joints: JointMap, places: Tensor, turn: Tensor, joint: str, child: str) -> Tensor:
    """`turn` (3, 3), turned the shortest way so that our bone from `joint` to `child` lies along the figure's."""
    if child not in joints.place:
        return turn
    way = places[joints.place[child]] - places[joints.place[joint]]
    if float(way.norm()) < 1e-9:
        return turn
    return quaternion_to_matrix(between(turn @ offset(child), way)) @ turn


def _pose_foot(joints: JointMap, places: Tensor, facing: Tensor, side: str) -> dict[str, Tensor]:
    """A flat foot that points where the figure's does."""
    ankle, toe = f"{side}_ankle", f"{side}_foot"
    flat = facing
    if toe in joints.place:
        way = facing.mT @ (places[joints.place[toe]] - places[joints.place[ankle]])
        ours = offset(toe)
        if float(way[[0, 2]].norm()) > 0.3 * float(way.norm()):
            flat = facing @ _about_up(torch.atan2(way[0], way[2]) - torch.atan2(ours[0], ours[2]))
    return {name: flat for name in (ankle, toe) if name in joints.turn}


def _about_up(angle: Tensor) -> Tensor:
    """Turn (3, 3) about the second axis that takes the third towards the first."""
    c, s, zero, one = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([torch.stack([c, zero, s]), torch.stack([zero, one, zero]), torch.stack([-s, zero, c])])


def _ankle_above_toe(joints: JointMap, places: Tensor, facing: Tensor, scale: float) -> float:
    """Height of the ankle over the toe in the reference pose, metres of ours; our own where the figure has no toes."""
    if any(f"{side}_foot" not in joints.place for side in SIDES):
        return -float(offset("left_foot")[1])
    rises = [((places[joints.place[f"{side}_ankle"]] - places[joints.place[f"{side}_foot"]]) * facing[:, 1]).sum() for side in SIDES]
    return scale * float(torch.stack(rises).mean())


def _straighten_hinges(joints: JointMap, places: Tensor, turns: Tensor, constant: dict[str, Tensor]) -> dict[str, Tensor]:
    """Where the rest pose lies about which way a knee or an elbow bends, believe the take."""
    fixed = dict(constant)
    for side in SIDES:
        for limb in LIMBS:
            names = [f"{side}_{joint}" for joint in limb]
            if names[2] in joints.place:
                angle = _hinge_error(joints, places, turns, constant, names)
                for name in names[:2]:
                    fixed[name] = constant[name] @ _about(offset(names[1] if name == names[0] else names[2]), angle)
    return fixed


def _hinge_error(joints: JointMap, places: Tensor, turns: Tensor, constant: dict[str, Tensor], names: list[str]) -> float:
    """Angle about the upper bone between our hinge and the axis that the limb bends about, 0 when it is small or unknown."""
    upper, middle, end = (places[:, joints.place[name]] for name in names)
    normal = torch.cross(F.normalize(middle - upper, dim=-1), F.normalize(end - middle, dim=-1), dim=-1)
    bent = normal.norm(dim=-1) > _BENT
    if int(bent.sum()) < 10:
        return 0.0
    ours = turns[bent][:, joints.turn[names[0]]] @ constant[names[0]]
    axis = F.normalize((ours.mT @ normal[bent].unsqueeze(-1)).squeeze(-1).sum(0), dim=-1)
    bone = F.normalize(offset(names[1]), dim=-1)
    hinge = torch.tensor(_HINGES.get(names[0], _HINGES["hip"]), dtype=axis.dtype)
    across = torch.cross(bone, hinge, dim=-1)
    angle = float(torch.atan2((axis * across).sum(), (axis * hinge).sum()))
    return angle if abs(angle) > _ODD_RAD else 0.0


def _about(axis: Tensor, angle: float) -> Tensor:
    """Turn (3, 3) by `angle` radians about `axis`."""
    half = torch.tensor(angle / 2, dtype=axis.dtype)
    return quaternion_to_matrix(torch.cat([torch.cos(half)[None], torch.sin(half) * F.normalize(axis, dim=-1)]))
