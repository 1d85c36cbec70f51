"""Representations: exact inverses, meaning of each slice on hand-made takes, invariances, and torch decoding with gradients."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from choreia.errors import ChoreiaError
from choreia.motion import representation as rep
from choreia.motion.kinematics import forward, positions
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.types import Motion, Skeleton

ENDS = [choreia24().index(name) for name in ("head", *(f"{s}_{p}" for s in ("left", "right") for p in ("foot", "wrist", "hand")))]


def as_wxyz(rotation):
    return rotation.as_quat()[..., [3, 0, 1, 2]]


def wild_take(frames=300, seed=0, fps=30.0):
    """Every joint and the root wander over all rotations, upside down included."""
    rng = np.random.default_rng(seed)
    q = np.cumsum(rng.normal(0, 0.3, (frames, 24, 4)), axis=0) + rng.normal(size=(24, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    root = np.cumsum(rng.normal(0, 0.03, (frames, 3)), axis=0) + np.array([3, 1, -2])
    return Motion(choreia24(), root.astype(np.float32), q.astype(np.float32), fps)


def upright_take(root, yaw, fps=30.0):
    q = np.zeros((len(yaw), 24, 4), np.float32)
    q[..., 0] = 1
    q[:, 0] = as_wxyz(Rotation.from_rotvec(np.outer(yaw, [0, 1, 0])))
    return Motion(choreia24(), np.asarray(root, np.float32), q, fps)


def contacts(motion, seed=3):
    return np.random.default_rng(seed).random((len(motion), 4)) > 0.5


def turned(motion, yaw, shift):
    """The same take danced elsewhere on the stage, facing elsewhere."""
    turn = Rotation.from_rotvec([0, yaw, 0])
    q = motion.rotations.copy()
    q[:, 0] = as_wxyz(turn * Rotation.from_quat(q[:, 0, [1, 2, 3, 0]]))
    return Motion(motion.skeleton, (turn.apply(motion.root) + np.array([shift[0], 0, shift[1]])).astype(np.float32), q, motion.fps)


def assert_same(a, b, joints=range(24)):
    joints = list(joints)
    assert a.fps == b.fps
    assert np.abs(positions(a) - positions(b))[:, joints].max() < 1e-4
    qa, qb = a.rotations[:, joints].astype(float), b.rotations[:, joints].astype(float)
    chord = np.minimum(np.linalg.norm(qa - qb, axis=-1), np.linalg.norm(qa + qb, axis=-1))
    assert np.rad2deg(2 * chord).max() < 0.01


@pytest.mark.parametrize("layout", [rep.Smpl6d147, rep.Edge151, rep.Heading152, rep.Hml263, rep.Expmap61, rep.Joints22, rep.H36m17])
def test_slices_are_named_and_cover_every_column_once(layout):
    columns = [k for part in layout.slices.values() for k in range(part.start, part.stop)]
    assert columns == list(range(layout.dim))
    assert layout.encode(wild_take(5)).shape == (5, layout.dim)
    assert layout.encode(wild_take(5)).dtype == np.float32


@pytest.mark.parametrize("frames", [1, 2, 300])
def test_absolute_layouts_come_back(frames):
    motion = wild_take(frames)
    assert_same(rep.Smpl6d147.decode(rep.Smpl6d147.encode(motion), 30.0), motion)
    labels = contacts(motion)
    values = rep.Edge151.encode(motion, labels)
    assert_same(rep.Edge151.decode(values, 30.0), motion)
    np.testing.assert_array_equal(values[:, rep.Edge151.slices["contacts"]], labels)


@pytest.mark.parametrize("frames", [1, 2, 1800])
def test_heading152_comes_back(frames):
    motion = wild_take(frames, fps=60.0)
    labels = contacts(motion)
    values = rep.Heading152.encode(motion, labels)
    assert_same(rep.Heading152.decode(values, 60.0, rep.Heading152.start(motion)), motion)
    np.testing.assert_array_equal(values[:, rep.Heading152.slices["contacts"]], labels)


def test_heading152_starts_at_the_origin_facing_forward():
    motion = wild_take(40)
    free = rep.Heading152.decode(rep.Heading152.encode(motion, contacts(motion)), 30.0)
    assert np.abs(free.root[0, [0, 2]]).max() == 0
    x, z, yaw = rep.Heading152.start(motion)
    back = turned(free, yaw, (0, 0))
    assert_same(Motion(back.skeleton, back.root + np.float32([x, 0, z]), back.rotations, 30.0), motion)


def test_heading152_does_not_know_where_on_the_stage():
    motion = wild_take(60)
    labels = contacts(motion)
    here, there = rep.Heading152.encode(motion, labels), rep.Heading152.encode(turned(motion, 2.5, (7, -4)), labels)
    np.testing.assert_allclose(here, there, atol=2e-4)


def test_heading152_columns_on_a_walk_in_a_circle():
    """One metre a second straight ahead while turning left by half a radian a second."""
    times = np.arange(60) / 30
    yaw = 0.3 + 0.5 * times
    step = np.stack([np.sin(yaw), 0 * yaw, np.cos(yaw)], axis=1) / 30
    root = np.cumsum(np.concatenate([[[0, 0.9, 0]], step[:-1]]), axis=0)
    values = rep.Heading152.encode(upright_take(root, yaw), np.zeros((60, 4)))
    at = rep.Heading152.slices
    np.testing.assert_allclose(values[:, at["height"]], 0.9, atol=1e-6)
    np.testing.assert_allclose(values[:, at["velocity"]], [[0, 1]] * 60, atol=1e-4)
    np.testing.assert_allclose(values[:, at["yaw_rate"]], 0.5, atol=1e-4)
    np.testing.assert_allclose(values[:, at["root_rotation"]], [[1, 0, 0, 0, 1, 0]] * 60, atol=1e-6)


@pytest.mark.parametrize("bend", np.deg2rad([-100, -45, 0, 45, 90, 120, 170]))
def test_heading_stays_while_the_dancer_bends(bend):
    bent = Rotation.from_rotvec([0, 0.7, 0]) * Rotation.from_rotvec([bend, 0, 0])
    assert rep.heading(torch.from_numpy(bent.as_matrix())) == pytest.approx(0.7, abs=1e-6)
    sideways = Rotation.from_rotvec([0, 0.7, 0]) * Rotation.from_rotvec([0, 0, bend])
    assert rep.heading(torch.from_numpy(sideways.as_matrix())) == pytest.approx(0.7, abs=1e-6)


def test_torch_decoding_is_the_same_and_carries_gradients():
    takes = [wild_take(20, seed) for seed in (0, 1)]
    values = torch.from_numpy(np.stack([rep.Heading152.encode(take, contacts(take)) for take in takes])).double().requires_grad_()
    root, matrices, labels = rep.Heading152.to_local(values, fps=30.0)
    assert (root.shape, matrices.shape, labels.shape) == ((2, 20, 3), (2, 20, 24, 3, 3), (2, 20, 4))
    place, _ = forward(choreia24(), root, matrices)
    for k in range(2):
        decoded = rep.Heading152.decode(values[k].detach().numpy(), 30.0)
        np.testing.assert_allclose(place[k].detach(), positions(decoded), atol=1e-5)
    place[:, -1].sum().backward()
    moved = values.grad.abs().sum((0, 1)) > 0
    assert moved[:4].all()
    assert not moved[148:].any()
    assert torch.isfinite(values.grad).all()


def test_hml263_comes_back_where_it_has_rotations():
    motion = wild_take(200)
    motion.rotations[:, ENDS] = [1, 0, 0, 0]
    labels = contacts(motion)
    values = rep.Hml263.encode(motion, labels)
    start = rep.Hml263.start(motion)
    assert_same(rep.Hml263.decode(values, 30.0, start), motion)
    np.testing.assert_allclose(rep.Hml263.joints(values, start), positions(motion)[:, :22], atol=1e-4)
    np.testing.assert_array_equal(values[:, rep.Hml263.slices["contacts"]], labels)


def test_hml263_positions_survive_turned_ends():
    motion = wild_take(50)
    back = rep.Hml263.decode(rep.Hml263.encode(motion, contacts(motion)), 30.0, rep.Hml263.start(motion))
    assert np.abs(positions(back) - positions(motion))[:, :22].max() < 1e-4


def recovered(values):
    """HumanML3D's recovery of root and joint positions from a row, written from its definition with scipy (facing turn = inverse yaw)."""
    facing = Rotation.from_rotvec(np.outer(2 * np.concatenate([[0], np.cumsum(values[:-1, 0])]), [0, 1, 0]))
    step = np.zeros((len(values), 3))
    step[1:, [0, 2]] = values[:-1, 1:3]
    root = np.cumsum(facing.inv().apply(step), axis=0)
    root[:, 1] = values[:, 3]
    local = values[:, 4:67].reshape(-1, 21, 3)
    place = np.stack([facing.inv().apply(local[:, j]) for j in range(21)], axis=1) + root[:, None] * [1, 0, 1]
    return np.concatenate([root[:, None], place], axis=1), facing


def test_hml263_reads_as_humanml3d_reads_it():
    motion = wild_take(60)
    _, _, yaw = rep.Hml263.start(motion)
    home = turned(motion, -yaw, (0, 0))
    home = Motion(home.skeleton, home.root - home.root[0] * np.float32([1, 0, 1]), home.rotations, 30.0)
    values = rep.Hml263.encode(home, contacts(home)).astype(float)
    expected = positions(home)[:, :22]
    place, facing = recovered(values)
    np.testing.assert_allclose(place, expected, atol=1e-4)
    moved = np.stack([facing[:-1].apply(expected[1:, j] - expected[:-1, j]) for j in range(22)], axis=1)
    np.testing.assert_allclose(values[:-1, 193:259].reshape(-1, 22, 3), moved, atol=1e-5)
    turns = values[:, 67:193].reshape(-1, 21, 6)
    for chain in ((0, 2, 5, 8, 11), (0, 3, 6, 9, 12, 15), (9, 13, 16, 18, 20)):
        world = facing.as_matrix()
        for before, joint in itertools.pairwise(chain):
            a, b = turns[:, joint - 1, :3], turns[:, joint - 1, 3:]
            world = world @ np.stack([a, b, np.cross(a, b)], axis=-1)
            bone = world @ choreia24().offsets[joint]
            np.testing.assert_allclose(bone, expected[:, joint] - expected[:, before], atol=1e-5)


def test_expmap61_values_come_back_and_so_do_takes_it_can_hold():
    motion = wild_take(200)
    start = rep.Heading152.start(motion)
    values = rep.Expmap61.encode(motion)
    held = rep.Expmap61.decode(values, 30.0, start)
    again = rep.Expmap61.encode(held)
    turns = [Rotation.from_rotvec(v[:, :57].reshape(-1, 3)) for v in (values, again)]
    assert (turns[0].inv() * turns[1]).magnitude().max() < 1e-4
    np.testing.assert_allclose(again[:, 57:], values[:, 57:], atol=1e-5)
    assert_same(rep.Expmap61.decode(again, 30.0, start), held)
    assert np.abs(held.root - motion.root).max() < 1e-4


def test_expmap61_has_motoricas_columns():
    motion = upright_take([[0, 0.9, 0], [0, 0.9, 0.1]], [0.0, 0.2])
    knee = choreia24().index("left_knee")
    motion.rotations[:, knee] = as_wxyz(Rotation.from_rotvec([0.5, 0, 0]))
    values = rep.Expmap61.encode(motion)[0]
    expected = np.zeros(61)
    expected[3 * 17], expected[57], expected[59], expected[60] = 0.5, 0.9, 0.1, 0.2
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_views_hold_positions():
    motion = wild_take(30)
    place = positions(motion)
    np.testing.assert_allclose(rep.Joints22.positions(rep.Joints22.encode(motion)), place[:, :22], atol=1e-6)
    seen = rep.H36m17.positions(rep.H36m17.encode(motion))
    assert seen.shape == (30, 17, 3)
    skeleton = choreia24()
    for k, (_, joint, offset) in enumerate(rep.H36M_JOINTS):
        if offset == (0, 0, 0):
            np.testing.assert_allclose(seen[:, k], place[:, skeleton.index(joint)], atol=1e-6)


def test_h36m_head_of_a_standing_figure():
    seen = rep.H36m17.positions(rep.H36m17.encode(upright_take([[0, STANDING_HEIGHT_M, 0]], [0.0])))[0]
    names = [name for name, _, _ in rep.H36M_JOINTS]
    assert seen[names.index("head_top"), 1] == pytest.approx(1.72, abs=0.02)
    assert seen[names.index("nose"), 2] > seen[names.index("thorax"), 2] + 0.08


def test_another_skeleton_is_refused():
    alien = Skeleton(("a",), (-1,), np.zeros((1, 3), np.float32))
    motion = Motion(alien, np.zeros((2, 3), np.float32), np.tile(np.float32([1, 0, 0, 0]), (2, 1, 1)), 30.0)
    with pytest.raises(ChoreiaError, match="retarget it first"):
        rep.Smpl6d147.encode(motion)
    with pytest.raises(ChoreiaError, match=r"shape \(frames, 152\)"):
        rep.Heading152.decode(np.zeros((3, 151)), 30.0)


def test_contacts_are_found_when_not_given():
    standing = upright_take(np.tile([0, STANDING_HEIGHT_M, 0], (30, 1)), np.zeros(30))
    assert rep.Heading152.encode(standing)[:, rep.Heading152.slices["contacts"]].mean() == 1
