"""Laws of retargeting: identity, hidden truth re-expressed on foreign figures, floor, sides, back and forth."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion import rotations as rot
from choreia.motion.joint_names import match, side_and_word
from choreia.motion.kinematics import positions
from choreia.motion.retarget import to_choreia24, to_skeleton, without_rest_frames
from choreia.motion.skeleton import ANKLE_HEIGHT_M, TOE_HEIGHT_M, choreia24
from choreia.types import Motion, Skeleton

OURS = choreia24()
CACHE = Path(os.environ.get("CHOREIA_DATA", "/nonexistent")) / "motion"

MIXAMO_NAMES = (
    "Hips LeftUpLeg RightUpLeg Spine LeftLeg RightLeg Spine1 LeftFoot RightFoot Spine2 LeftToeBase RightToeBase Neck LeftShoulder "
    "RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand LeftHandMiddle1 RightHandMiddle1"
)
MIXAMO = dict(zip(OURS.names, MIXAMO_NAMES.split(), strict=True))
SWINGING = ("spine1", "spine2", "spine3", "neck", "head", "left_shoulder", "right_shoulder", "left_wrist", "right_wrist", "left_collar")


def turn(axis, degrees):
    return rot.expmap_to_quaternion(torch.tensor(axis, dtype=torch.float64) * np.deg2rad(degrees))


def dance(frames=60, seed=0):
    """A smooth dance on choreia-24: flat feet, knees bent by hinges, arms and trunk swinging, the body turning and travelling."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / 30
    wxyz = np.tile([1.0, 0, 0, 0], (frames, 24, 1))
    for name in SWINGING:
        swing = 0.35 * np.sin(2 * np.pi * (t[:, None] * rng.uniform(0.4, 1.2, 3) + rng.uniform(0, 1, 3)))
        wxyz[:, OURS.index(name)] = rot.expmap_to_quaternion(torch.from_numpy(swing)).numpy()
    bend = 0.5 + 0.3 * np.sin(2 * np.pi * t)
    for side, sign in (("left", -1), ("right", 1)):
        elbow = np.zeros((frames, 3))
        elbow[:, 1] = sign * (0.8 + 0.5 * np.sin(2 * np.pi * t))
        wxyz[:, OURS.index(f"{side}_elbow")] = rot.expmap_to_quaternion(torch.from_numpy(elbow)).numpy()
        for joint, share in (("hip", -0.5), ("knee", 1.0), ("ankle", -0.5)):
            pitch = np.zeros((frames, 3))
            pitch[:, 0] = share * bend
            wxyz[:, OURS.index(f"{side}_{joint}")] = rot.expmap_to_quaternion(torch.from_numpy(pitch)).numpy()
    yaw = torch.from_numpy(0.8 * np.sin(np.pi * t))
    wxyz[:, 0] = rot.yaw(yaw).numpy()
    root = np.stack([0.3 * np.sin(t), np.ones_like(t), 0.2 * t], axis=1)
    lowest = positions(Motion(OURS, root, wxyz, 30))[:, OURS.index("left_foot"), 1] - TOE_HEIGHT_M
    root[:, 1] -= lowest
    return Motion(OURS, root.astype(np.float32), wxyz.astype(np.float32), 30.0)


def re_expressed(motion, rest, scale=1.0, names=None, tip=(1.0, 0, 0, 0)):
    """The same movement on a figure of other names and size whose rest pose has joints turned by `rest` (name to wxyz); exact, by algebra.

    `tip` turns the world, as for a file with Z up.
    """
    tip = torch.tensor(tip, dtype=torch.float64)
    bind = [torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)] * 24
    for j, parent in enumerate(OURS.parents):
        own = rest.get(OURS.names[j], bind[0] * 0 + torch.tensor([1.0, 0, 0, 0], dtype=torch.float64))
        bind[j] = own if parent < 0 else rot.multiply(bind[parent], own)
    offsets = OURS.offsets.astype(np.float64).copy()
    world = [None] * 24
    local = torch.from_numpy(motion.rotations.astype(np.float64))
    out = torch.empty_like(local)
    for j, parent in enumerate(OURS.parents):
        world[j] = local[:, j] if parent < 0 else rot.multiply(world[parent], local[:, j])
        theirs = rot.multiply(world[j], rot.conjugate(bind[j]).expand_as(world[j]))
        if parent < 0:
            out[:, j] = rot.multiply(tip.expand_as(theirs), theirs)
        else:
            offsets[j] = rot.rotate(bind[parent], torch.from_numpy(offsets[j])).numpy()
            above = rot.multiply(world[parent], rot.conjugate(bind[parent]).expand_as(world[parent]))
            out[:, j] = rot.multiply(rot.conjugate(above), theirs)
    root = rot.rotate(tip.expand(len(motion), 4), torch.from_numpy(motion.root.astype(np.float64))).numpy() * scale
    figure = Skeleton(tuple((names or {}).get(name, name) for name in OURS.names), OURS.parents, (offsets * scale).astype(np.float32))
    return Motion(figure, root.astype(np.float32), out.numpy().astype(np.float32), motion.fps)


A_POSE = {"left_shoulder": turn((0, 0, 1), -45), "right_shoulder": turn((0, 0, 1), 45), "left_elbow": turn((0, -1, 0), 20)}
HANGING = {"left_shoulder": turn((0, 0, 1), -90), "right_shoulder": turn((0, 0, 1), 90)}
CROUCHED = {f"{side}_{joint}": turn((1, 0, 0), bend) for side in ("left", "right") for joint, bend in (("hip", -80), ("knee", 90))}


def farthest(a, b):
    return float(np.linalg.norm(positions(a) - positions(b), axis=-1).max())


def test_choreia24_is_left_alone():
    motion = dance()
    assert to_choreia24(motion) is motion


def test_the_oracle_is_right():
    motion = dance()
    assert farthest(motion, re_expressed(motion, A_POSE)) < 1e-5


@pytest.mark.parametrize("rest", [{}, A_POSE, HANGING], ids=["t-pose", "a-pose", "hanging"])
@pytest.mark.parametrize("scale", [0.01, 1.0, 2.54])
def test_hidden_truth_is_found_again(rest, scale):
    motion = dance()
    found = to_choreia24(re_expressed(motion, rest, scale, MIXAMO))
    assert found.skeleton.names == OURS.names
    assert farthest(found, motion) < 1e-3


def test_an_arbitrary_rest_pose_is_replaced_by_an_upright_frame():
    motion = dance()
    standing = dance(1)
    standing = Motion(OURS, np.array([[0, 0.95, 0]], np.float32), np.tile(np.array([1, 0, 0, 0], np.float32), (1, 24, 1)), 30.0)
    whole = Motion(OURS, np.concatenate([motion.root, standing.root]), np.concatenate([motion.rotations, standing.rotations]), 30.0)
    found = to_choreia24(re_expressed(whole, CROUCHED, 0.9, MIXAMO))
    assert farthest(found, whole) < 2e-3


def test_z_up_files_stand_up():
    motion = dance()
    tipped = re_expressed(motion, {}, 1.0, MIXAMO, tip=(np.sqrt(0.5), np.sqrt(0.5), 0, 0))
    assert np.ptp(positions(tipped)[:, :, 2]) > 1.2
    assert farthest(to_choreia24(tipped), motion) < 1e-3


def test_a_figure_without_head_and_toes_keeps_its_limbs():
    motion = dance()
    foreign = re_expressed(motion, A_POSE, 1.0, MIXAMO)
    gone = ("Head", "LeftToeBase", "RightToeBase", "LeftHandMiddle1", "RightHandMiddle1")
    kept = [j for j, name in enumerate(foreign.skeleton.names) if name not in gone]
    parents = tuple(kept.index(foreign.skeleton.parents[j]) if j else -1 for j in kept)
    figure = Skeleton(tuple(foreign.skeleton.names[j] for j in kept), parents, foreign.skeleton.offsets[kept])
    found = to_choreia24(Motion(figure, foreign.root, foreign.rotations[:, kept], 30.0))
    limbs = [OURS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "foot", "elbow", "wrist")]
    assert np.abs(positions(found)[:, limbs] - positions(motion)[:, limbs]).max() < 2e-3


def test_names_that_say_nothing_are_read_from_the_tree():
    motion = dance()
    numbered = {name: f"bone_{j:02d}" for j, name in enumerate(OURS.names)}
    assert farthest(to_choreia24(re_expressed(motion, {}, 1.3, numbered)), motion) < 1e-3


def test_standing_feet_come_to_the_floor():
    motion = dance(120)
    for shift in (-0.4, 0.0, 0.7):
        lifted = Motion(OURS, motion.root + np.array([0, shift, 0], np.float32), motion.rotations, 30.0)
        feet = positions(to_choreia24(re_expressed(lifted, A_POSE, 1.1, MIXAMO)))
        clearance = np.minimum(feet[:, [7, 8], 1] - ANKLE_HEIGHT_M, feet[:, [10, 11], 1] - TOE_HEIGHT_M).min(axis=1)
        assert clearance.min() > -1e-3
        assert np.median(clearance) < 0.005


def test_a_flight_keeps_its_height():
    motion = dance(20)
    leap = Motion(OURS, motion.root + np.linspace(0.3, 1.5, 20)[:, None].astype(np.float32), motion.rotations, 30.0)
    assert farthest(to_choreia24(re_expressed(leap, A_POSE, 1.0, MIXAMO)), leap) < 1e-3


def test_planted_feet_of_another_build_do_not_slide():
    motion = dance(60)
    still = Motion(OURS, np.tile([[0, 0.9, 0]], (60, 1)).astype(np.float32), motion.rotations, 30.0)
    foreign = re_expressed(still, {}, 1.0, MIXAMO)
    offsets = foreign.skeleton.offsets.copy()
    wide = [MIXAMO[name] for name in ("left_hip", "right_hip")]
    for name in wide:
        offsets[foreign.skeleton.index(name), 0] *= 1.3
    figure = Skeleton(foreign.skeleton.names, foreign.skeleton.parents, offsets)
    source = Motion(figure, foreign.root, foreign.rotations, 30.0)
    theirs = positions(source)[:, figure.index("LeftFoot")]
    ours = positions(to_choreia24(source, floor=False))[:, OURS.index("left_ankle")]
    np.testing.assert_allclose(np.diff(ours[:, [0, 2]], axis=0), np.diff(theirs[:, [0, 2]], axis=0), atol=2e-3)


@pytest.mark.parametrize("rest", [{}, A_POSE, HANGING], ids=["t-pose", "a-pose", "hanging"])
def test_there_and_back(rest):
    motion = dance()
    target = re_expressed(dance(1), rest, 0.8, MIXAMO)
    there = to_skeleton(motion, target.skeleton)
    assert there.skeleton is target.skeleton
    truth = re_expressed(motion, rest, 0.8, MIXAMO)
    assert farthest(there, truth) < 2e-3
    assert farthest(to_choreia24(there), motion) < 2e-3


def test_back_to_ourselves_is_ourselves():
    motion = dance()
    assert to_skeleton(motion, OURS) is motion


def test_not_a_humanoid_is_one_clear_line():
    snake = Skeleton(("a", "b", "c"), (-1, 0, 1), np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0]], np.float32))
    with pytest.raises(ChoreiaError, match="no left hip") as caught:
        to_choreia24(Motion(snake, np.zeros((2, 3), np.float32), np.tile([1.0, 0, 0, 0], (2, 3, 1)), 30.0))
    assert "\n" not in str(caught.value)


def test_rest_frame_is_dropped_and_a_dancer_in_t_pose_is_not():
    motion = dance(90)
    rest = np.tile(np.array([1, 0, 0, 0], np.float32), (1, 24, 1))
    flagged = Motion(OURS, np.concatenate([motion.root[:1], motion.root]), np.concatenate([rest, motion.rotations]), 30.0)
    assert len(without_rest_frames(flagged)) == 90
    assert len(without_rest_frames(motion)) == 90
    quiet = Motion(OURS, motion.root, np.repeat(rest, 90, axis=0), 30.0)
    assert len(without_rest_frames(quiet)) == 90


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mixamorig:LeftUpLeg", ("left", "upleg")),
        ("CC_Base_R_Thigh", ("right", "thigh")),
        ("lfemur", ("left", "femur")),
        ("rShldr", ("right", "shldr")),
        ("thigh.L", ("left", "thigh")),
        ("upperarm_r", ("right", "upperarm")),
        ("J_Bip_L_UpperArm", ("left", "upperarm")),
        ("left_hip_pitch_joint", ("left", "hippitch")),
        ("Hips", ("", "hips")),
        ("lowerback", ("", "lowerback")),
    ],
)
def test_names_are_cut(name, expected):
    assert side_and_word(name) == expected


FAMILIES = {
    "ue": "pelvis thigh_l thigh_r spine_01 calf_l calf_r spine_02 foot_l foot_r spine_03 ball_l ball_r neck_01 clavicle_l clavicle_r head "
    "upperarm_l upperarm_r lowerarm_l lowerarm_r hand_l hand_r middle_01_l middle_01_r",
    "vrm": "hips leftUpperLeg rightUpperLeg spine leftLowerLeg rightLowerLeg chest leftFoot rightFoot upperChest leftToes rightToes neck "
    "leftShoulder rightShoulder head leftUpperArm rightUpperArm leftLowerArm rightLowerArm leftHand rightHand leftMiddleProximal "
    "rightMiddleProximal",
    "vroid": "J_Bip_C_Hips J_Bip_L_UpperLeg J_Bip_R_UpperLeg J_Bip_C_Spine J_Bip_L_LowerLeg J_Bip_R_LowerLeg J_Bip_C_Chest J_Bip_L_Foot "
    "J_Bip_R_Foot J_Bip_C_UpperChest J_Bip_L_ToeBase J_Bip_R_ToeBase J_Bip_C_Neck J_Bip_L_Shoulder J_Bip_R_Shoulder J_Bip_C_Head "
    "J_Bip_L_UpperArm J_Bip_R_UpperArm J_Bip_L_LowerArm J_Bip_R_LowerArm J_Bip_L_Hand J_Bip_R_Hand J_Bip_L_Middle1 J_Bip_R_Middle1",
    "rokoko": "Hips LeftThigh RightThigh Spine1 LeftShin RightShin Spine2 LeftFoot RightFoot Spine3 LeftToe RightToe Neck LeftShoulder "
    "RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand LeftFinger3Metacarpal RightFinger3Metacarpal",
    "daz": "hip lThigh rThigh abdomen lShin rShin abdomen2 lFoot rFoot chest lToe rToe neck lCollar rCollar head lShldr rShldr lForeArm "
    "rForeArm lHand rHand lMid1 rMid1",
    "cc_base": "CC_Base_Hip CC_Base_L_Thigh CC_Base_R_Thigh CC_Base_Waist CC_Base_L_Calf CC_Base_R_Calf CC_Base_Spine01 CC_Base_L_Foot "
    "CC_Base_R_Foot CC_Base_Spine02 CC_Base_L_ToeBase CC_Base_R_ToeBase CC_Base_NeckTwist01 CC_Base_L_Clavicle CC_Base_R_Clavicle "
    "CC_Base_Head CC_Base_L_Upperarm CC_Base_R_Upperarm CC_Base_L_Forearm CC_Base_R_Forearm CC_Base_L_Hand CC_Base_R_Hand "
    "CC_Base_L_Mid1 CC_Base_R_Mid1",
    "smpl": " ".join(OURS.names),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_names(family):
    names = FAMILIES[family].split()
    joints = match(Skeleton(tuple(names), OURS.parents, OURS.offsets))
    spine = ("spine1", "spine2", "spine3")
    for ours, j in zip(OURS.names, range(24), strict=True):
        if ours not in ("spine1", "spine2", "neck") and not (family == "rokoko" and ours.endswith("_hand")):
            assert joints.place[ours] == j, (ours, names[j])
    assert joints.spine == tuple(OURS.index(name) for name in spine)
    assert joints.neck == (OURS.index("neck"),)


@pytest.mark.skipif(not CACHE.is_dir(), reason="CHOREIA_DATA is not set")
def test_every_kind_of_bvh_comes_out_as_a_dancer():
    from choreia.motion.io import bvh

    for path in sorted((CACHE / "bvh_variety").glob("*.bvh")):
        ours = to_choreia24(without_rest_frames(bvh.read(path)))
        place = positions(ours)
        assert np.isfinite(place).all()
        thigh, shin = (place[:, [b, b + 1]] - place[:, [a, a + 1]] for a, b in ((1, 4), (4, 7)))
        facing = np.cross(place[:, 1] - place[:, 2], [0, 1, 0])[:, None]
        forward = ((thigh - shin) * facing).sum(-1)
        bent = np.linalg.norm(np.cross(thigh, shin), axis=-1) > 0.1
        assert (forward[bent] > 0).mean() > 0.8 if bent.sum() > 20 else True, path.name
        clearance = np.minimum(place[:, [7, 8], 1] - ANKLE_HEIGHT_M, place[:, [10, 11], 1] - TOE_HEIGHT_M).min(axis=1)
        assert clearance.min() > -0.01, path.name
