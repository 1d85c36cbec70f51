"""Axioms of the rotation algebra, over random rotations, with scipy as the oracle."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from choreia.motion import euler
from choreia.motion import rotations as rot

component = st.floats(-1, 1, allow_nan=False).filter(lambda x: abs(x) > 1e-3 or x == 0)
vectors = st.tuples(component, component, component)
quaternions = st.tuples(component, component, component, component).filter(lambda q: sum(x * x for x in q) > 1e-2)
quick = settings(max_examples=25, derandomize=True, deadline=None)


def unit(q):
    q = torch.tensor(q, dtype=torch.float64)
    return q / q.norm()


def scipy_of(wxyz):
    return Rotation.from_quat(np.asarray(wxyz)[..., [1, 2, 3, 0]])


def same(a, b, atol=1e-9):
    """Equal as rotations: up to the sign of the quaternion."""
    return min((a - b).abs().max(), (a + b).abs().max()) < atol


@quick
@given(quaternions, quaternions, vectors)
def test_product_applies_the_second_first(p, q, v):
    p, q, v = unit(p), unit(q), torch.tensor(v, dtype=torch.float64)
    expected = (scipy_of(p) * scipy_of(q)).apply(v.numpy())
    torch.testing.assert_close(rot.rotate(rot.multiply(p, q), v), torch.from_numpy(expected))
    torch.testing.assert_close(rot.rotate(p, rot.rotate(q, v)), torch.from_numpy(expected))
    torch.testing.assert_close(rot.quaternion_to_matrix(p) @ rot.quaternion_to_matrix(q) @ v, torch.from_numpy(expected))


@quick
@given(quaternions, quaternions, quaternions)
def test_group_laws(p, q, r):
    p, q, r = unit(p), unit(q), unit(r)
    one = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(rot.multiply(rot.multiply(p, q), r), rot.multiply(p, rot.multiply(q, r)))
    torch.testing.assert_close(rot.multiply(p, rot.conjugate(p)), one)
    torch.testing.assert_close(rot.multiply(one, p), p)


@quick
@given(quaternions, vectors)
def test_rotation_keeps_lengths_and_handedness(q, v):
    q, v = unit(q), torch.tensor(v, dtype=torch.float64)
    matrix = rot.quaternion_to_matrix(q)
    torch.testing.assert_close(rot.rotate(q, v).norm(), v.norm())
    torch.testing.assert_close(torch.det(matrix), torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(3, dtype=torch.float64))


@quick
@given(quaternions)
def test_every_form_comes_back(q):
    q = unit(q)
    assert same(rot.matrix_to_quaternion(rot.quaternion_to_matrix(q)), q)
    assert same(rot.sixd_to_quaternion(rot.quaternion_to_sixd(q)), q)
    assert same(rot.expmap_to_quaternion(rot.quaternion_to_expmap(q)), q)
    assert rot.matrix_to_quaternion(rot.quaternion_to_matrix(q))[0] >= 0
    assert rot.quaternion_to_expmap(q).norm() <= np.pi + 1e-9
    np.testing.assert_allclose(rot.quaternion_to_matrix(q), scipy_of(q).as_matrix(), atol=1e-12)


def test_sixd_is_the_first_two_columns():
    matrix = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert rot.matrix_to_sixd(matrix).tolist() == [0, 1, 0, -1, 0, 0]
    torch.testing.assert_close(rot.sixd_to_matrix(torch.tensor([0.0, 3, 0, -2, 7, 0])), matrix)


@quick
@given(vectors, vectors)
def test_between_takes_one_direction_to_the_other_the_short_way(a, b):
    a, b = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    if a.norm() < 1e-2 or b.norm() < 1e-2:
        return
    turn = rot.between(a, b)
    torch.testing.assert_close(rot.rotate(turn, a / a.norm()), b / b.norm(), atol=1e-5, rtol=0)
    assert turn.norm() == pytest.approx(1)


@pytest.mark.parametrize("axis", [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 1.0, 1.0]])
def test_between_opposite_directions(axis):
    a = torch.tensor(axis, dtype=torch.float64)
    torch.testing.assert_close(rot.rotate(rot.between(a, -a), a), -a, atol=1e-9, rtol=0)


@quick
@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_moves_at_even_pace_along_the_shorter_arc(p, q, weight):
    p, q = unit(p), unit(q)
    middle = rot.slerp(p, q, torch.tensor(weight, dtype=torch.float64))
    whole = (scipy_of(p).inv() * scipy_of(q)).magnitude()
    if whole < np.pi - 1e-3:
        part = (scipy_of(p).inv() * scipy_of(middle)).magnitude()
        assert part == pytest.approx(weight * whole, abs=1e-6)
    assert same(rot.slerp(p, q, torch.tensor(0.0, dtype=torch.float64)), p, 1e-6)


def test_yaw_turns_forward_towards_the_left():
    turned = rot.rotate(rot.yaw(torch.tensor(np.pi / 2, dtype=torch.float64)), torch.tensor([0.0, 0, 1], dtype=torch.float64))
    torch.testing.assert_close(turned, torch.tensor([1.0, 0, 0], dtype=torch.float64))


def test_continuous_only_flips_signs_and_leaves_no_jump():
    rng = np.random.default_rng(0)
    path = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.2, (100, 3)), axis=0)).as_quat()[:, [3, 0, 1, 2]]
    flipped = torch.from_numpy(path * rng.choice([-1, 1], (100, 1)))
    smooth = rot.continuous(flipped)
    assert (smooth[1:] * smooth[:-1]).sum(-1).min() > 0
    torch.testing.assert_close(smooth.abs(), flipped.abs())


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_agree_with_scipy_and_come_back(order):
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (200, 3))
    q = euler.to_quaternion(order, angles)
    np.testing.assert_allclose(scipy_of(q).as_matrix(), Rotation.from_euler(order, angles).as_matrix(), atol=1e-12)
    again = euler.to_quaternion(order, euler.from_quaternion(order, q))
    np.testing.assert_allclose(scipy_of(again).as_matrix(), scipy_of(q).as_matrix(), atol=1e-9)


@pytest.mark.parametrize("order", ["X", "ZX", "ZXZ", "YYX", ""])
def test_any_sequence_of_axes(order):
    angles = np.random.default_rng(1).uniform(-np.pi, np.pi, (20, len(order)))
    expected = np.broadcast_to(np.eye(3), (20, 3, 3))
    for k, axis in enumerate(order):
        expected = expected @ Rotation.from_euler(axis, angles[:, k, None]).as_matrix()
    np.testing.assert_allclose(scipy_of(euler.to_quaternion(order, angles)).as_matrix(), expected, atol=1e-12)


@pytest.mark.parametrize("order", ["XYZ", "ZXY", "YZX"])
@pytest.mark.parametrize("off", [0.0, 1e-9, 1e-7, 1e-5])
def test_euler_angles_near_gimbal_lock_from_float32(order, off):
    q = euler.to_quaternion(order, np.array([[0.4, np.pi / 2 - off, -1.1], [0.4, off - np.pi / 2, -1.1]])).astype(np.float32)
    again = euler.to_quaternion(order, euler.from_quaternion(order, q))
    np.testing.assert_allclose(scipy_of(again).as_matrix(), scipy_of(q).as_matrix(), atol=1e-6)
