"""Laws of seams: kept frames to the bit, smooth joins, feet that step, and fades against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.edit.fades import SLOPE_S, ease, places_over, turns_over
from choreia.edit.floor import Placing, going_on, headings, turned
from choreia.edit.history import spliced
from choreia.edit.parts import joints_of
from choreia.edit.seams import blend_in, put_in
from choreia.errors import ChoreiaError
from choreia.metrics.physics import seam_jerk_ratio
from choreia.motion.contacts import foot_contacts, foot_positions, foot_slide
from choreia.motion.ik import reach
from choreia.motion.kinematics import positions
from choreia.motion.rotations import expmap_to_quaternion
from choreia.motion.skeleton import ANKLE_HEIGHT_M, STANDING_HEIGHT_M, choreia24
from choreia.synth.choreographer import choreograph
from choreia.types import Motion

FPS = 30.0


def dance(style, seed=1, seconds=16.0):
    beats = np.arange(0.3, seconds, 0.5)
    return choreograph(beats, beats[::4], (), style, seed=seed, duration_s=seconds).motion


@pytest.fixture(scope="module")
def hiphop():
    return dance("hip-hop")


@pytest.fixture(scope="module")
def salsa():
    return dance("salsa", seed=2)


def standing(frames, apart_m=0.2, forward_m=0.0):
    """Soft knees, feet flat, so far apart, the left one so far before the right."""
    root = np.tile([0, STANDING_HEIGHT_M - 0.06, 0], (frames, 1))
    still = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (frames, 24, 1)), FPS)
    for side, sign in (("left", 1), ("right", -1)):
        still = reach(still, f"{side}_leg", np.tile([sign * apart_m / 2, ANKLE_HEIGHT_M, sign * forward_m / 2], (frames, 1)))
    return still


def same(one, other):
    return one.root.tobytes() == other.root.tobytes() and one.rotations.tobytes() == other.rotations.tobytes()


def test_a_common_pace_goes_on_and_an_offset_dies_out():
    """Two walks of one pace, 0.4 m apart: the offset is 0.4 m times the share that is left, at that pace."""
    steps = 0.03 * np.arange(-2, 40)[:, None] * np.array([1.0, 0.0, 0.0])
    weight = ease((np.arange(40) + 1) / 21)
    found = places_over(steps[:2] + np.array([0, 0, 0.4]), steps[2:], weight, FPS)
    assert np.allclose(found[:, 0], steps[2:, 0], atol=1e-3) and np.allclose(found[:, 2], 0.4 * (1 - weight), atol=1e-9)
    assert np.array_equal(found[20:], steps[22:])


def test_a_pace_that_is_not_taken_up_dies_out():
    """From 1 m/s into stillness at the same place: the first step is 1 m/s, the way out and back is that of the quintic hump."""
    kept, new = np.array([[-1 / FPS, 0, 0], [0, 0, 0]]), np.zeros((60, 3))
    found = places_over(kept, new, np.zeros(60), FPS)[:, 0]
    assert found[0] == pytest.approx(1 / FPS)
    assert 0.1 * SLOPE_S < found.max() < 0.25 * SLOPE_S and abs(found[round(SLOPE_S * FPS) :]).max() < 1e-9


def test_turns_about_one_axis_go_over_as_places_do():
    """Angles about Y, over more than a half turn, against the same numbers as places."""
    angles = 0.25 * np.arange(30) + 1.9
    before = np.array([0.0, 0.1])
    axis = np.array([0.0, 1.0, 0.0])

    def quaternions(values):
        return expmap_to_quaternion(torch.from_numpy(values[:, None, None] * axis)).numpy()

    weight = ease((np.arange(30) + 1) / 22)
    found = turns_over(quaternions(before), quaternions(angles), weight, FPS)[:, 0]
    wanted = places_over(before[:, None] * axis, angles[:, None] * axis, weight, FPS)[:, 1]
    assert np.abs(np.abs((found * quaternions(wanted)[:, 0]).sum(-1)) - 1).max() < 1e-6


def test_kept_frames_stay_to_the_bit_and_the_length_is_that_of_the_rows(hiphop, salsa):
    for frames in (12, 37, 120):
        splice = put_in(hiphop, 150, 240, salsa.slice(60, 60 + frames))
        assert len(splice) == frames and splice.root.dtype == hiphop.root.dtype
        edited = spliced(hiphop, [splice])
        assert len(edited) == len(hiphop) - 90 + frames
        assert same(edited.slice(0, 150), hiphop.slice(0, 150))
        assert same(edited.slice(150 + frames, len(edited)), hiphop.slice(240, len(hiphop)))


def test_the_same_edit_gives_the_same_bytes(hiphop, salsa):
    one, other = (put_in(hiphop, 150, 240, salsa.slice(60, 150)) for _ in range(2))
    assert one.root.tobytes() == other.root.tobytes() and one.rotations.tobytes() == other.rotations.tobytes()


@pytest.mark.parametrize("parts", [("arms",), ("left arm", "head"), ("legs",), ("upper",), ("lower", "root"), ("root",)])
def test_other_joints_and_the_root_stay_to_the_bit(hiphop, salsa, parts):
    joints = joints_of(parts, hiphop.skeleton)
    splice = put_in(hiphop, 150, 240, salsa.slice(60, 150), joints)
    kept = hiphop.slice(150, 240)
    assert np.ascontiguousarray(splice.rotations[:, ~joints]).tobytes() == np.ascontiguousarray(kept.rotations[:, ~joints]).tobytes()
    assert (splice.root.tobytes() == kept.root.tobytes()) == ("root" not in parts)
    assert (splice.rotations[:, joints] != kept.rotations[:, joints]).any()


def test_a_part_comes_from_the_new_material(hiphop, salsa):
    joints = joints_of(("left arm",), hiphop.skeleton)
    splice = put_in(hiphop, 150, 300, salsa.slice(60, 210), joints)
    middle = slice(60, 90)
    assert np.allclose(splice.rotations[middle][:, joints], salsa.rotations[60:210][middle][:, joints], atol=1e-6)


def test_what_is_put_back_in_its_own_place_stays_nearly_as_it_was(hiphop):
    back = spliced(hiphop, [put_in(hiphop, 150, 240, hiphop.slice(150, 240))])
    apart = np.linalg.norm(positions(back) - positions(hiphop), axis=-1)
    assert apart.max() < 0.1 and apart.mean() < 0.005 and apart[165:225].max() < 0.005


def test_where_new_material_stands_is_of_no_account(hiphop, salsa):
    phrase = salsa.slice(60, 150)
    elsewhere = Placing(2.0, np.array([3.0, 0.0, -1.0])).move(phrase)
    one, other = (spliced(hiphop, [put_in(hiphop, 150, 240, new)]) for new in (phrase, elsewhere))
    assert np.linalg.norm(positions(one) - positions(other), axis=-1).max() < 1e-3


def test_placing_turns_and_shifts_as_worked_by_hand():
    assert np.allclose(turned(np.array([0.0, 1.0, 2.0]), np.pi / 2), [2, 1, 0])
    still = standing(4)
    there = Placing(np.pi / 2, np.array([1.0, 0, 0])).move(still)
    assert np.allclose(headings(there), np.pi / 2) and there.rotations[:, 1:].tobytes() == still.rotations[:, 1:].tobytes()
    back = going_on(there, still).move(there)
    assert np.abs(positions(back) - positions(still)).max() < 1e-6


@pytest.mark.parametrize(("into", "start"), [("hip-hop", 120), ("hip-hop", 200), ("salsa", 165), ("salsa", 260)])
def test_seams_are_no_rougher_than_what_is_around_them_or_was_there(hiphop, salsa, into, start):
    motion, other = (hiphop, salsa) if into == "hip-hop" else (salsa, hiphop)
    edited = spliced(motion, [put_in(motion, start, start + 100, other.slice(230, 330))])
    for seam in (start, start + 100):
        was, now = (seam_jerk_ratio(take.slice(seam - 75, seam + 75), np.array([75 / FPS])) for take in (motion, edited))
        assert now <= 1.2 * max(was, 1)


def test_feet_stay_planted(hiphop, salsa):
    edited = spliced(hiphop, [put_in(hiphop, 200, 300, salsa.slice(230, 330))])

    def sliding(motion):
        slides = foot_slide(motion, foot_contacts(motion))
        return (slides > 0.01).mean()

    assert sliding(edited.slice(140, 360)) <= max(sliding(hiphop), sliding(salsa)) + 0.01
    assert foot_positions(edited)[:, :, 1].min() > min(foot_positions(motion)[:, :, 1].min() for motion in (hiphop, salsa)) - 0.015


def test_standing_feet_step_one_after_the_other_to_where_they_stand_next():
    """From feet 0.2 m apart to 0.5 m apart in a long step: on the floor they rest, over it they rise, and one of them always stands."""
    before, new = standing(60), standing(90, apart_m=0.4, forward_m=0.3)
    joined = spliced(before, [replace_end(before, blend_in(new, before, None))])
    ankles = foot_positions(joined)[:, [0, 2]]
    pace = np.linalg.norm(np.diff(ankles, axis=0), axis=-1) * FPS
    low = ankles[1:, :, 1] < ANKLE_HEIGHT_M + 0.005
    assert (ankles[:, :, 1].max(axis=0) > ANKLE_HEIGHT_M + 0.04).all()
    assert pace[low].max() < 0.25 and low.any(axis=1).all()
    assert np.linalg.norm(ankles[-1, 0] - ankles[-1, 1]) == pytest.approx(0.5, abs=0.02)


def replace_end(motion, rows):
    from choreia.edit.history import Splice

    return Splice(len(motion), len(motion), rows.root, rows.rotations)


def test_the_path_is_bent_to_arrive_where_the_dance_goes_on(salsa):
    away = replace(salsa, root=salsa.root + np.where(np.arange(len(salsa)) >= 300, 1.0, 0.0)[:, None] * np.array([1.0, 0, 0.5]))
    edited = spliced(away, [put_in(away, 150, 300, salsa.slice(150, 300))])
    steps = np.linalg.norm(np.diff(edited.root, axis=0), axis=1) * FPS
    assert steps[145:305].max() < 2.5
    assert same(edited.slice(300, len(edited)), away.slice(300, len(away)))


@pytest.mark.parametrize("frames", [1, 2])
def test_two_poses_too_far_apart_for_the_time_are_refused(salsa, frames):
    far = replace(salsa, root=salsa.root + np.where(np.arange(len(salsa)) >= 152, 3.0, 0.0)[:, None] * np.array([1.0, 0, 0]))
    with pytest.raises(ChoreiaError, match=r"the dance goes on (2|3)\.\d m away, too far for 0\.\d+ s") as raised:
        put_in(far, 150, 152, salsa.slice(10, 10 + frames))
    assert "\n" not in str(raised.value)


def test_nothing_and_parts_of_another_length_are_refused(hiphop, salsa):
    with pytest.raises(ChoreiaError, match="nothing to put in"):
        put_in(hiphop, 10, 20, salsa.slice(0, 0))
    with pytest.raises(ChoreiaError, match="only the whole body may change its length"):
        put_in(hiphop, 10, 20, salsa.slice(0, 11), joints_of(("arms",), hiphop.skeleton))
