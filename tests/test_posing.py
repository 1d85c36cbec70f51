"""Takes out of joint positions: positions come back, whatever the rotations were."""

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion.kinematics import positions
from choreia.motion.posing import posed, shortest_turn
from choreia.motion.rotations import matrix_to_quaternion
from choreia.motion.skeleton import choreia24
from choreia.types import Motion


def wild(frames: int, size: float, seed: int = 0) -> Motion:
    """A take with random rotations of about `size` radians."""
    rng = np.random.default_rng(seed)
    turns = torch.matrix_exp(_skew(torch.from_numpy(rng.normal(0, size, (frames, 24, 3)))))
    return Motion(choreia24(), rng.normal(0, 1, (frames, 3)).astype(np.float32), matrix_to_quaternion(turns).numpy(), 30.0)


def _skew(v):
    zero = torch.zeros_like(v[..., 0])
    x, y, z = v.unbind(-1)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_joints_of_our_own_proportions_come_back(size):
    take = wild(20, size)
    places = positions(take)[:, :22]
    assert np.abs(positions(posed(places, 30.0))[:, :22] - places).max() < 1e-5


def test_limbs_of_other_lengths_point_the_same_way():
    places = positions(wild(5, 0.5))[:, :22].astype(float)
    elbow, wrist = 18, 20
    places[:, wrist] = places[:, elbow] + 1.7 * (places[:, wrist] - places[:, elbow])
    made = positions(posed(places, 30.0))
    ours, theirs = made[:, wrist] - made[:, elbow], places[:, wrist] - places[:, elbow]
    cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosine.min() > 1 - 1e-6


def test_the_shortest_turn_turns_by_the_angle_between():
    rng = np.random.default_rng(1)
    a, b = (torch.from_numpy(rng.normal(size=(50, 3))) for _ in range(2))
    b[0] = -a[0]
    turn = shortest_turn(a, b)
    assert torch.allclose((turn @ a[..., None])[..., 0] / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True), atol=1e-9)
    trace = turn.diagonal(dim1=1, dim2=2).sum(1)
    angle = torch.acos(((trace - 1) / 2).clamp(-1, 1))
    between = torch.acos(torch.nn.functional.cosine_similarity(a, b).clamp(-1, 1))
    assert torch.allclose(angle, between, atol=1e-6) and torch.allclose(torch.det(turn), torch.ones(50, dtype=a.dtype))


@pytest.mark.parametrize("bad", [np.zeros((0, 22, 3)), np.zeros((2, 24, 3)), np.full((2, 22, 3), np.nan)])
def test_what_holds_no_joints_is_refused(bad):
    with pytest.raises(ChoreiaError, match="22, 3"):
        posed(bad, 30.0)
