"""Forward kinematics against a plain recursion in numpy and hand-worked poses; laws of motion of a rigid body."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from choreia.motion import kinematics
from choreia.motion.skeleton import FEET, STANDING_HEIGHT_M, choreia24, mirror_index
from choreia.types import Motion, Skeleton


def random_take(frames=7, seed=0):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(frames, 24, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return Motion(choreia24(), rng.normal(size=(frames, 3)).astype(np.float32), q.astype(np.float32), 30.0)


def by_recursion(motion):
    place = np.zeros((len(motion), 24, 3))
    for t in range(len(motion)):
        world = []
        for j, parent in enumerate(motion.skeleton.parents):
            own = Rotation.from_quat(motion.rotations[t, j, [1, 2, 3, 0]])
            world.append(own if parent < 0 else world[parent] * own)
            place[t, j] = motion.root[t] if parent < 0 else place[t, parent] + world[parent].apply(motion.skeleton.offsets[j])
    return place


def test_against_a_plain_recursion():
    motion = random_take()
    np.testing.assert_allclose(kinematics.positions(motion), by_recursion(motion), atol=1e-6)


def test_bent_elbow_by_hand():
    offsets = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    skeleton = Skeleton(("root", "upper", "lower", "tip"), (-1, 0, 1, 2), offsets)
    half = 0.5**0.5
    q = np.array([[[1, 0, 0, 0], [half, 0, 0, half], [half, 0, 0, -half], [1, 0, 0, 0]]], np.float32)
    place = kinematics.positions(Motion(skeleton, np.array([[5, 0, 0]], np.float32), q, 30.0))
    np.testing.assert_allclose(place[0], [[5, 0, 0], [5, 1, 0], [4, 1, 0], [4, 2, 0]], atol=1e-6)


def test_bones_keep_their_lengths():
    motion = random_take()
    place = kinematics.positions(motion)
    bones = place[:, 1:] - place[:, list(motion.skeleton.parents[1:])]
    expected = np.linalg.norm(motion.skeleton.offsets[1:], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), np.broadcast_to(expected, bones.shape[:2]), atol=1e-5)


def test_moving_the_root_moves_everything():
    motion = random_take()
    turn = Rotation.from_rotvec([0.3, -1.0, 0.5])
    q = motion.rotations.copy()
    q[:, 0] = (turn * Rotation.from_quat(q[:, 0, [1, 2, 3, 0]])).as_quat()[:, [3, 0, 1, 2]]
    moved = Motion(motion.skeleton, (turn.apply(motion.root) + np.array([1, 2, 3])).astype(np.float32), q, 30.0)
    expected = turn.apply(kinematics.positions(motion).reshape(-1, 3)).reshape(-1, 24, 3) + np.array([1, 2, 3])
    np.testing.assert_allclose(kinematics.positions(moved), expected, atol=1e-5)


def test_any_leading_shape_and_gradients():
    motion = random_take(6)
    root = torch.from_numpy(motion.root).double().reshape(2, 3, 3)
    matrices = kinematics.matrices(motion).reshape(2, 3, 24, 3, 3).requires_grad_()
    place, world = kinematics.forward(motion.skeleton, root, matrices)
    assert place.shape == (2, 3, 24, 3)
    assert world.shape == (2, 3, 24, 3, 3)
    np.testing.assert_allclose(place.detach().reshape(6, 24, 3), kinematics.positions(motion), atol=1e-6)
    place.sum().backward()
    assert torch.isfinite(matrices.grad).all()
    assert matrices.grad.abs().sum() > 0


def test_the_canonical_figure_stands_as_stated():
    skeleton = choreia24()
    still = Motion(skeleton, np.array([[0, STANDING_HEIGHT_M, 0]], np.float32), np.tile(np.float32([1, 0, 0, 0]), (1, 24, 1)), 30.0)
    place = kinematics.positions(still)[0]
    heights = {name: place[skeleton.index(name), 1] for name in skeleton.names}
    assert heights["left_ankle"] == pytest.approx(0.075, abs=1e-6)
    assert heights["left_foot"] == pytest.approx(0.020, abs=1e-6)
    assert 1.5 < heights["head"] < 1.6
    mirrored = place[list(mirror_index(skeleton))] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored, place, atol=1e-6)
    assert set(FEET) <= set(skeleton.names)


def test_levels_hold_every_joint_once_after_its_parent():
    skeleton = choreia24()
    levels = kinematics.depths(skeleton)
    assert sorted(j for level in levels for j in level) == list(range(24))
    at = {j: k for k, level in enumerate(levels) for j in level}
    assert all(at[j] == at[parent] + 1 for j, parent in enumerate(skeleton.parents) if parent >= 0)
