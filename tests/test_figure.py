"""Laws of the figure: a sound surface, weights that are a partition, limbs that follow their joints."""

import subprocess
import sys

import numpy as np
import pytest

from choreia.motion import figure, sculpt
from choreia.motion.bone_figure import bones
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.types import Skeleton


@pytest.fixture(scope="module")
def mesh():
    return figure.dancer()


def test_sphere_has_the_volume_area_and_normals_of_a_sphere():
    radius = 0.1
    vertices, normals, faces = sculpt.mesh(lambda p: np.linalg.norm(p, axis=1) - radius, (-0.12,) * 3, (0.12,) * 3, 0.01)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert np.allclose(np.linalg.norm(vertices, axis=1), radius, atol=1e-5)
    assert np.allclose(normals, vertices / radius, atol=1e-4)
    assert np.einsum("ij,ij->", a, np.cross(b, c)) / 6 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all(), "every edge of a closed surface has two faces"


def test_smooth_minimum_is_below_the_minimum_by_at_most_a_quarter_of_its_width():
    a, b = np.random.default_rng(0).normal(size=(2, 1000))
    gap = np.minimum(a, b) - sculpt.smooth_min(a, b, 0.4)
    assert gap.min() >= 0
    assert gap.max() <= 0.1 + 1e-12
    assert sculpt.smooth_min(np.zeros(1), np.zeros(1), 0.4)[0] == pytest.approx(-0.1)


def test_figure_is_a_standing_adult(mesh):
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert 0 <= low[1] < 0.01, "soles on the floor"
    assert 1.68 < high[1] < 1.78
    assert 1.6 < high[0] - low[0] < 1.85, "arm span about the height"
    assert mesh.root[1] == np.float32(STANDING_HEIGHT_M)
    assert 2_000 < len(mesh.vertices) < 8_000


def test_arrays_are_consistent(mesh):
    count = len(mesh.vertices)
    assert mesh.normals.shape == (count, 3)
    assert mesh.joints.shape == mesh.weights.shape == (count, 4)
    assert np.array_equal(np.unique(mesh.faces), np.arange(count)), "no stray vertices"
    assert (mesh.material[mesh.faces] == mesh.material[mesh.faces[:, :1]]).all()
    assert mesh.material.max() == len(figure.MATERIALS) - 1
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    assert mesh.openness.min() > 0 and mesh.openness.max() <= 1


def test_faces_wind_with_their_normals(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    agree = (flat * mesh.normals[mesh.faces].sum(axis=1)).sum(axis=1) > 0
    assert agree.mean() > 0.99


def test_weights_are_a_partition_of_unity(mesh):
    assert np.allclose(mesh.weights.sum(axis=1), 1, atol=1e-6)
    assert mesh.weights.min() >= 0
    assert (np.diff(mesh.weights, axis=1) <= 1e-6).all(), "strongest first"
    points = np.random.default_rng(1).uniform((-0.9, 0, -0.2), (0.9, 1.75, 0.25), (5000, 3))
    dense = figure.skin_weights(points)
    assert np.allclose(dense.sum(axis=1), 1)
    assert dense.min() >= 0


@pytest.mark.parametrize(
    ("joint", "place"),
    [
        ("left_elbow", (0.58, 1.39, 0)),
        ("right_elbow", (-0.58, 1.39, 0)),
        ("left_knee", (0.092, 0.25, 0)),
        ("head", (0, 1.65, 0.05)),
        ("right_hand", (-0.85, 1.38, 0)),
        ("left_shoulder", (0.34, 1.39, 0)),
        ("right_hip", (-0.092, 0.7, 0)),
        ("left_foot", (0.115, 0.02, 0.18)),
    ],
)
def test_middle_of_a_limb_follows_its_own_joint(joint, place):
    assert figure.skin_weights(np.array([place], float))[0, choreia24().index(joint)] > 0.95


def test_weights_are_mirror_images(mesh):
    from choreia.motion.skeleton import mirror_index

    points = mesh.vertices[::7].astype(float)
    there = figure.skin_weights(points * [-1, 1, 1])
    assert np.allclose(there, figure.skin_weights(points)[:, list(mirror_index(choreia24()))], atol=1e-9)


def test_same_bytes_in_another_process(mesh):
    code = (
        "import hashlib; from choreia.motion.figure import dancer; m = dancer(); "
        "print(hashlib.sha256(m.vertices.tobytes() + m.weights.tobytes()).hexdigest())"
    )
    import hashlib

    here = hashlib.sha256(mesh.vertices.tobytes() + mesh.weights.tobytes()).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert here == there


def test_bones_reach_from_joint_to_joint():
    skeleton = Skeleton(("a", "b", "c"), (-1, 0, 1), np.array([(0, 0, 0), (0, 1, 0), (0, 0, 2)], np.float32))
    mesh = bones(skeleton)
    for joint in figure.rest_positions(skeleton, np.zeros(3, np.float32)):
        assert np.linalg.norm(mesh.vertices - joint, axis=1).min() < 1e-6
    assert set(mesh.joints[:, 0]) == {0, 1}
