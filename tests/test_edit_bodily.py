"""Laws of mirror, energy, range and floor paths."""

import numpy as np
import pytest

from choreia.edit import bodily
from choreia.edit.floor import headings
from choreia.edit.history import spliced
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.motion import cleanup
from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.energy import joint_speed
from choreia.motion.kinematics import positions
from choreia.motion.rotations import quaternion_to_expmap
from choreia.synth.choreographer import choreograph

FPS = 30.0
WHOLE, MIDDLE = Region(((0.0, 12.0),)), Region(((4.0, 8.0),))


@pytest.fixture(scope="module")
def hiphop():
    beats = np.arange(0.0, 12.0, 0.5)
    return choreograph(beats, beats[::4], (), "hip-hop", seed=1, duration_s=12.0).motion


def outside_is_kept(edited, motion, start=120, stop=240):
    return all(
        np.concatenate([take[:start], take[stop:]]).tobytes() == np.concatenate([was[:start], was[stop:]]).tobytes()
        for take, was in ((edited.root, motion.root), (edited.rotations, motion.rotations))
    )


def test_the_mirror_image_of_a_whole_dance_is_exact_and_undoes_itself(hiphop):
    image = spliced(hiphop, bodily.mirror(hiphop, WHOLE))
    reflected = cleanup.mirror(hiphop)
    assert image.root.tobytes() == reflected.root.tobytes() and image.rotations.tobytes() == reflected.rotations.tobytes()
    again = spliced(image, bodily.mirror(image, WHOLE))
    assert again.rotations.tobytes() == hiphop.rotations.tobytes()


def test_a_mirrored_phrase_is_danced_to_the_other_side_between_kept_frames(hiphop):
    edited = spliced(hiphop, bodily.mirror(hiphop, MIDDLE))
    assert outside_is_kept(edited, hiphop)
    left, right = (hiphop.skeleton.index(f"{side}_elbow") for side in ("left", "right"))
    flip = np.array([1, 1, -1, -1])
    assert np.allclose(edited.rotations[170:190, left], hiphop.rotations[170:190, right] * flip, atol=1e-6)


def test_one_arm_mirrored_does_what_the_other_does(hiphop):
    edited = spliced(hiphop, bodily.mirror(hiphop, Region(((4.0, 8.0),), ("left arm",))))
    left, right = (hiphop.skeleton.index(f"{side}_shoulder") for side in ("left", "right"))
    assert np.allclose(edited.rotations[170:190, left], hiphop.rotations[170:190, right] * [1, 1, -1, -1], atol=1e-6)
    assert np.array_equal(edited.rotations[:, right], hiphop.rotations[:, right])


@pytest.mark.parametrize("change", [bodily.energy, bodily.movement_range])
def test_a_factor_of_one_changes_next_to_nothing_above_the_feet(hiphop, change):
    edited = spliced(hiphop, change(hiphop, MIDDLE, 1.0))
    wrist = hiphop.skeleton.index("left_wrist")
    assert np.linalg.norm(positions(edited)[:, wrist] - positions(hiphop)[:, wrist], axis=-1).mean() < 0.01
    assert outside_is_kept(edited, hiphop)


def test_energy_and_range_grow_and_shrink_with_the_factor(hiphop):
    arms = Region(((4.0, 8.0),), ("arms",))
    hands = [hiphop.skeleton.index(f"{side}_wrist") for side in ("left", "right")]
    for change in (bodily.energy, bodily.movement_range):
        speeds = [joint_speed(spliced(hiphop, change(hiphop, arms, factor)))[135:225][:, hands].mean() for factor in (0.4, 1.0, 1.6)]
        assert speeds[0] < 0.85 * speeds[1] and speeds[2] > 1.15 * speeds[1]


def test_energy_leaves_the_slow_course_and_range_the_mean_pose(hiphop):
    """A shoulder that swings slowly keeps its swing at energy 0; at range 0 the arm stands still in the middle of a long region."""
    arm, shoulder = Region(((1.0, 11.0),), ("left arm",)), hiphop.skeleton.index("left_shoulder")

    def swing(motion):
        return np.ptp(motion.rotations[90:270, shoulder], axis=0).max()

    calm, still = (spliced(hiphop, change(hiphop, arm, 0.0)) for change in (bodily.energy, bodily.movement_range))
    assert swing(still) < 0.6 * swing(hiphop) and swing(still) < swing(calm) <= swing(hiphop) + 0.05


def test_knees_and_elbows_do_not_bend_backwards(hiphop):
    edited = spliced(hiphop, bodily.movement_range(hiphop, Region(((4.0, 8.0),), ("arms",)), 2.0))
    for name, axis, sign in (("left_elbow", 1, -1), ("right_elbow", 1, 1)):
        joint = hiphop.skeleton.index(name)
        bends = [sign * quaternion_to_expmap(torch_of(take.rotations[:, joint]))[:, axis].numpy() for take in (edited, hiphop)]
        assert bends[0].min() >= min(bends[1].min(), 0) - 0.02


def torch_of(wxyz):
    import torch

    return torch.from_numpy(np.where(wxyz[:, :1] < 0, -wxyz, wxyz).astype(float))


@pytest.mark.parametrize("factor", [0.5, 1.7])
def test_feet_stay_planted_when_the_body_does_more_or_less(hiphop, factor):
    edited = spliced(hiphop, bodily.energy(hiphop, MIDDLE, factor))
    shares = [float((foot_slide(take, foot_contacts(take)) > 0.01).mean()) for take in (edited, hiphop)]
    assert shares[0] <= shares[1] + 0.01


@pytest.mark.parametrize("along", [False, True])
def test_a_path_is_followed_from_and_to_where_the_dance_is(hiphop, along):
    corners = hiphop.root[120, [0, 2]] + np.array([[1.0, 0.0], [1.0, 1.0]])
    edited = spliced(hiphop, bodily.follow(hiphop, Region(((4.0, 10.0),)), corners, along))
    assert outside_is_kept(edited, hiphop, 120, 300)
    for corner in corners:
        assert np.linalg.norm(edited.root[120:300, [0, 2]] - corner, axis=1).min() < 0.25
    assert (np.linalg.norm(np.diff(edited.root, axis=0), axis=1) * FPS).max() < 4


def test_a_dancer_who_goes_along_faces_the_way(hiphop):
    """Eight seconds straight on towards +X: in the middle the mean heading is that of +X, a quarter turn."""
    goal = hiphop.root[120, [0, 2]] + np.array([[4.0, 0.0]])
    motion = hiphop.slice(0, 330)
    edited = spliced(motion, bodily.follow(motion, Region(((4.0, 11.0),)), goal, along=True))
    middle = headings(edited)[190:270]
    assert abs(np.arctan2(np.sin(middle).mean(), np.cos(middle).mean()) - np.pi / 2) < 0.5
    assert np.linalg.norm(edited.root[-1, [0, 2]] - goal[0]) < 0.2


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda m: bodily.energy(m, MIDDLE, 2.5), "cannot multiply energy by 2.5"),
        (lambda m: bodily.movement_range(m, MIDDLE, -1), "cannot multiply range by -1"),
        (lambda m: bodily.energy(m, MIDDLE, float("nan")), "cannot multiply energy by nan"),
        (lambda m: bodily.follow(m, MIDDLE, np.zeros((0, 2))), "one or more points"),
        (lambda m: bodily.follow(m, MIDDLE, np.array([[np.nan, 0.0]])), "one or more points"),
        (lambda m: bodily.follow(m, MIDDLE, np.zeros(2)), "one or more points"),
        (lambda m: bodily.follow(m, MIDDLE, np.array([[30.0, 0.0]])), "too long for 4.0 s"),
        (lambda m: bodily.follow(m, Region(((4.0, 8.0),), ("legs",)), np.zeros((1, 2))), "add the part root"),
        (lambda m: bodily.mirror(m, Region(((4.0, 28.0),))), "past the end of the dance"),
    ],
)
def test_bad_input_is_said_in_one_line(hiphop, make, says):
    with pytest.raises(ChoreiaError, match=says) as raised:
        make(hiphop)
    assert "\n" not in str(raised.value)
