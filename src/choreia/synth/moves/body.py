"""From dance channels to a skeleton: pelvis over its support, spine, head, arms by reach, legs planted on the floor.

All frames at once; limbs are solved with `motion.ik.two_bone` in the frame of the chest or the pelvis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import correlate1d, minimum_filter1d
from torch import Tensor

from choreia.motion import rotations as rot
from choreia.motion.ik import two_bone
from choreia.motion.skeleton import ANKLE_HEIGHT_M, STANDING_HEIGHT_M, TOE_HEIGHT_M, choreia24
from choreia.types import Motion

_SKELETON = choreia24()
_J = {name: i for i, name in enumerate(_SKELETON.names)}
_OFFSET = torch.from_numpy(_SKELETON.offsets.astype(np.float64))
_LEG_M = 0.82 * 0.987  # the knee never locks
_FOLDED_M = 0.33  # from hip to ankle when the knee is fully bent
_HEEL = torch.tensor([0.0, -ANKLE_HEIGHT_M, -0.045], dtype=torch.float64)  # from the ankle
_EASE_S = 0.05  # how far ahead the body gives way to a leg at its full length
_SIGN = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True)
class Channels:
    """What the body does at every frame.

    `body`: channel name -> (T,). `hands`: side -> (T, 6), a `notation.Hand`. `feet`: side -> (T, 5) ball x, z, height, yaw, pitch.
    `support` (T, 2): where the weight rests on the floor, x and z. `heading` (T,) rad. `crouch` (T,): how much lower than standing, m.
    """

    body: dict[str, np.ndarray]
    hands: dict[str, np.ndarray]
    feet: dict[str, np.ndarray]
    support: np.ndarray
    heading: np.ndarray
    crouch: np.ndarray


def pose(channels: Channels, fps: float) -> Motion:
    """Solve the skeleton for every frame."""
    c = {name: torch.from_numpy(values) for name, values in channels.body.items()}
    heading = torch.from_numpy(channels.heading)
    feet = {side: _ankle(torch.from_numpy(channels.feet[side]), side) for side in _SIGN}
    pelvis = _about("y", heading + c["hip_yaw"]) @ _about("z", c["hip_roll"]) @ _about("x", c["hip_pitch"])
    root = _root(channels, c, heading, pelvis, feet, fps)
    local = torch.eye(3, dtype=torch.float64).repeat(len(heading), len(_J), 1, 1)
    local[:, 0] = pelvis
    _spine(local, c)
    for side in _SIGN:
        _arm(local, side, torch.from_numpy(channels.hands[side]), c[f"shrug_{side}"])
        _leg(local, side, root, feet[side], torch.from_numpy(channels.feet[side]), heading + c["hip_yaw"], c["knees"])
    wxyz = rot.continuous(rot.matrix_to_quaternion(local)).numpy().astype(np.float32)
    return Motion(_SKELETON, root.numpy().astype(np.float32), wxyz, fps)


def ball_of(ankle_x: float, ankle_z: float, yaw: float, side: str) -> tuple[float, float]:
    """Where the ball of a flat foot rests on the floor when its ankle stands at (x, z)."""
    out, ahead = float(_OFFSET[_J[f"{side}_foot"], 0]), float(_OFFSET[_J[f"{side}_foot"], 2])
    return ankle_x + out * np.cos(yaw) + ahead * np.sin(yaw), ankle_z + ahead * np.cos(yaw) - out * np.sin(yaw)


def _about(axis: str, angle: Tensor) -> Tensor:
    """Rotation matrices (T, 3, 3) about a coordinate axis."""
    vector = torch.zeros(len(angle), 3, dtype=torch.float64)
    vector[:, "xyz".index(axis)] = angle
    return rot.quaternion_to_matrix(rot.expmap_to_quaternion(vector))


def _ankle(foot: Tensor, side: str) -> tuple[Tensor, Tensor]:
    """World place (T, 3) of the ankle and world rotation of the foot: it rolls over the ball when the heel is up, over the heel else."""
    flat, pitch = _about("y", foot[:, 3]), foot[:, 4]
    turned = flat @ _about("x", pitch)
    to_ball = _OFFSET[_J[f"{side}_foot"]]
    ball = torch.stack([foot[:, 0], TOE_HEIGHT_M + foot[:, 2], foot[:, 1]], dim=-1)
    over_ball = ball - turned @ to_ball
    over_heel = ball + flat @ (_HEEL - to_ball) - turned @ _HEEL
    return torch.where((pitch > 0)[:, None], over_ball, over_heel), turned


def _root(
    channels: Channels, c: dict[str, Tensor], heading: Tensor, pelvis: Tensor, feet: dict[str, tuple[Tensor, Tensor]], fps: float
) -> Tensor:
    """Pelvis (T, 3): over the support, and never higher than its legs can reach."""
    off = _about("y", heading) @ torch.stack([c["sway"], torch.zeros_like(heading), c["surge"]], dim=-1)[..., None]
    support = torch.from_numpy(channels.support)
    x, z = support[:, 0] + off[:, 0, 0], support[:, 1] + off[:, 2, 0]
    reach = []
    for side, (ankle, _) in feet.items():
        hip = pelvis @ _OFFSET[_J[f"{side}_hip"]]
        across = (ankle[:, 0] - x - hip[:, 0]) ** 2 + (ankle[:, 2] - z - hip[:, 2]) ** 2
        reach.append(ankle[:, 1] - hip[:, 1] + _soft_root(_LEG_M**2 - across))
    upright = STANDING_HEIGHT_M - torch.from_numpy(channels.crouch) - c["dip"]
    return torch.stack([x, _least(upright, _below(_least(*reach), fps)), z], dim=-1)


def _least(*heights: Tensor) -> Tensor:
    """Smooth minimum of heights (T,), m."""
    return -torch.logsumexp(-90 * torch.stack(heights), dim=0) / 90


def _below(height: Tensor, fps: float) -> Tensor:
    """A smooth curve (T,) that is nowhere above `height`: a foot that leaves the floor does not let the body jump."""
    side = max(1, round(_EASE_S * fps))
    kernel = np.hanning(2 * side + 3)[1:-1]
    lowest = minimum_filter1d(height.numpy(), 2 * side + 1, mode="nearest")
    return torch.from_numpy(correlate1d(lowest, kernel / kernel.sum(), mode="nearest"))


def _soft_root(square: Tensor) -> Tensor:
    """Square root that runs out smoothly near and below zero."""
    return torch.nn.functional.softplus(square, beta=25).sqrt()


def _no_nearer(goal: Tensor, least_m: float) -> Tensor:
    """Goals (T, 3) with those nearer than `least_m` to the origin moved out smoothly."""
    length = goal.norm(dim=-1, keepdim=True)
    return goal * (least_m + torch.nn.functional.softplus(length - least_m, beta=40)) / length


def _spine(local: Tensor, c: dict[str, Tensor]) -> None:
    """Bend, lean and twist shared by three vertebrae; the chest stays level over the hips; the head keeps looking where it looked."""
    side = c["side"] + 0.85 * c["hip_roll"]
    third = _about("y", c["twist"] / 3) @ _about("z", -side / 3)
    pop = c["chest"]
    still = torch.zeros_like(pop)
    for name, share, slid in (("spine1", 0.9, -c["ribs"]), ("spine2", -0.5, still), ("spine3", -0.8, c["ribs"])):
        local[:, _J[name]] = third @ _about("z", slid) @ _about("x", c["bend"] / 3 + share * pop)
    yaw = c["look"] - 0.65 * (c["twist"] + c["hip_yaw"])
    pitch = c["nod"] - 0.6 * (c["bend"] + c["hip_pitch"]) + 0.4 * pop
    lean = c["tilt"] - 0.55 * c["side"]
    half = _about("y", yaw / 2) @ _about("z", -lean / 2) @ _about("x", pitch / 2)
    local[:, _J["neck"]] = half
    local[:, _J["head"]] = half


def _arm(local: Tensor, side: str, hand: Tensor, shrug: Tensor) -> None:
    """Shoulder, elbow and wrist that bring the wrist to its place in the frame of the chest; the collar bone follows a high hand.

    Forearm and hand share the roll."""
    sign = _SIGN[side]
    lift = shrug + 0.32 * torch.sigmoid((hand[:, 1] - 0.15) * 9)
    collar = _about("z", sign * lift)
    goal = hand[:, :3] * torch.tensor([sign, 1.0, 1.0], dtype=torch.float64)
    lowered = hand[:, 3] + 0.5 * torch.sigmoid((hand[:, 1] + 0.2) * 12)
    swivel = _about("x", -lowered)
    upper, fore = _OFFSET[_J[f"{side}_elbow"]], _OFFSET[_J[f"{side}_wrist"]]
    hinge = swivel @ torch.tensor([0.0, -sign, 0.0], dtype=torch.float64)
    rest = torch.zeros_like(goal)
    upper_turn, fore_turn = two_bone(rest, rest + upper, rest + upper + fore, goal, hinge)
    half_roll = _about("x", -hand[:, 5] / 2)
    shoulder, elbow = upper_turn @ swivel, fore_turn @ swivel @ half_roll
    local[:, _J[f"{side}_collar"]] = collar
    local[:, _J[f"{side}_shoulder"]] = collar.mT @ shoulder
    local[:, _J[f"{side}_elbow"]] = shoulder.mT @ elbow
    local[:, _J[f"{side}_wrist"]] = half_roll @ _about("y", -sign * hand[:, 4])


def _leg(local: Tensor, side: str, root: Tensor, ankle: tuple[Tensor, Tensor], foot: Tensor, facing: Tensor, knees: Tensor) -> None:
    """Hip, knee and ankle that stand the foot where it stands; the knee points between pelvis and toes."""
    pelvis = local[:, 0]
    hip = root + pelvis @ _OFFSET[_J[f"{side}_hip"]]
    goal = _no_nearer((pelvis.mT @ (ankle[0] - hip)[..., None])[..., 0], _FOLDED_M)
    turned_out = _about("y", 0.75 * torch.sin(foot[:, 3] - facing) + _SIGN[side] * (knees + 0.08))
    shin = turned_out @ _OFFSET[_J[f"{side}_knee"]]
    end = shin + turned_out @ _OFFSET[_J[f"{side}_ankle"]]
    thigh_turn, shin_turn = two_bone(torch.zeros_like(goal), shin, end, goal, turned_out[..., 0])
    thigh, lower = thigh_turn @ turned_out, shin_turn @ turned_out
    local[:, _J[f"{side}_hip"]] = thigh
    local[:, _J[f"{side}_knee"]] = thigh.mT @ lower
    local[:, _J[f"{side}_ankle"]] = (pelvis @ lower).mT @ ankle[1]
    grounded = torch.sigmoid((0.05 - foot[:, 2]) * 120)
    local[:, _J[f"{side}_foot"]] = _about("x", -foot[:, 4].clamp_min(0) * grounded)
