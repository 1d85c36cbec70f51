"""Laws of phrases: lengths exact, what is before untouched, what is after moved as one, cuts that keep the counts."""

from itertools import pairwise

import numpy as np
import pytest

from choreia.edit import phrases
from choreia.edit.floor import Placing, headings
from choreia.edit.history import spliced
from choreia.edit.parts import joints_of
from choreia.edit.phrases import CUT_S
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.metrics.physics import seam_jerk_ratio
from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.timing import resample
from choreia.synth.choreographer import choreograph
from choreia.types import Motion, Skeleton

FPS = 30.0
SEAM = round(1.2 * FPS) + 1  # rows: a cut moved by 0.2 s and a fade of a second


def dance(style, seed=1, seconds=16.0):
    beats = np.arange(0.0, seconds, 0.5)
    return choreograph(beats, beats[::4], (), style, seed=seed, duration_s=seconds).motion


@pytest.fixture(scope="module")
def hiphop():
    return dance("hip-hop")


@pytest.fixture(scope="module")
def salsa():
    return dance("salsa", seed=2)


def region(*stretches, parts=("body", "root")):
    return Region(stretches, parts)


def unchanged(edited, motion, frames):
    """The first frames of both are the same bytes."""
    one, other = edited.slice(0, frames), motion.slice(0, frames)
    return one.root.tobytes() == other.root.tobytes() and one.rotations.tobytes() == other.rotations.tobytes()


def moved_as_one(there, here):
    """Local rotations are the same bytes, and one turn and level shift takes the root of `here` to that of `there`."""
    turn = float(headings(there)[0] - headings(here)[0])
    shift = there.root[0] - Placing(turn, np.zeros(3)).move(here).root[0]
    image = Placing(turn, shift.astype(float)).move(here)
    poses = np.abs((image.rotations[:, 0] * there.rotations[:, 0]).sum(-1)).min()
    same = np.ascontiguousarray(there.rotations[:, 1:]).tobytes() == np.ascontiguousarray(here.rotations[:, 1:]).tobytes()
    return same and abs(shift[1]) < 1e-6 and np.abs(image.root - there.root).max() < 1e-4 and poses > 1 - 1e-6


def test_an_insertion_keeps_both_sides_and_lasts_as_long_as_the_phrase(hiphop, salsa):
    phrase = salsa.slice(60, 180)
    edited = spliced(hiphop, phrases.insert(hiphop, 8.0, phrase))
    assert len(edited) == len(hiphop) + 120
    early = 240 - round(CUT_S * FPS)
    assert unchanged(edited, hiphop, early)
    assert moved_as_one(edited.slice(240 + 120 + SEAM, len(edited)), hiphop.slice(240 + SEAM, len(hiphop)))
    assert np.array_equal(edited.rotations[290:310, 1:], phrase.rotations[50:70, 1:])


def test_what_is_inserted_before_the_dance_leads_to_it(hiphop, salsa):
    edited = spliced(hiphop, phrases.insert(hiphop, 0.0, salsa.slice(60, 180)))
    assert len(edited) == len(hiphop) + 120 and unchanged(edited.slice(120, 480), hiphop, 360)
    steps = np.linalg.norm(np.diff(edited.root[100:140], axis=0), axis=1) * FPS
    assert steps.max() < 2


@pytest.mark.parametrize(("stretches", "frames"), [([(4, 8)], 120), ([(4, 6), (10, 13)], 150), ([(0, 4)], 120), ([(12, 16)], 120)])
def test_a_deletion_takes_out_its_frames(hiphop, stretches, frames):
    edited = spliced(hiphop, phrases.delete(hiphop, region(*stretches)))
    assert len(edited) == len(hiphop) - frames
    first, last = stretches[0][0] * 30, stretches[-1][1] * 30
    assert unchanged(edited, hiphop, max(first - round(CUT_S * FPS), 0))
    rest = len(hiphop) - last - SEAM
    if rest > 0:
        assert moved_as_one(edited.slice(len(edited) - rest, len(edited)), hiphop.slice(len(hiphop) - rest, len(hiphop)))


@pytest.mark.parametrize("times", [1, 2])
def test_a_repeat_dances_the_phrase_again(hiphop, times):
    edited = spliced(hiphop, phrases.repeat(hiphop, region((4, 8)), times))
    assert len(edited) == len(hiphop) + 120 * times and unchanged(edited, hiphop, 240 - round(CUT_S * FPS))
    again = edited.slice(240 + 120 * (times - 1), len(edited))
    assert moved_as_one(again.slice(SEAM, len(again)), hiphop.slice(120 + SEAM, len(hiphop)))


def test_another_order_keeps_the_length_and_what_lies_outside(hiphop):
    edited = spliced(hiphop, phrases.reorder(hiphop, region((2, 4), (4, 6), (8, 10)), (3, 1, 2)))
    assert len(edited) == len(hiphop) and unchanged(edited, hiphop, 60 - round(CUT_S * FPS))
    assert moved_as_one(edited.slice(300 + SEAM, 480), hiphop.slice(300 + SEAM, 480))
    assert np.array_equal(edited.rotations[88:92, 1:], hiphop.rotations[268:272, 1:])  # the middle of the third stretch, now first


def test_two_dances_join_where_the_first_ends(hiphop, salsa):
    edited = spliced(hiphop, phrases.join(hiphop, resample(salsa, 60)))
    assert len(edited) == 960 and unchanged(edited, hiphop, 480)
    assert moved_as_one(edited.slice(480 + SEAM, 960), resample(resample(salsa, 60), 30).slice(SEAM, 480))
    assert np.linalg.norm(np.diff(edited.root[470:500], axis=0), axis=1).max() * FPS < 2


def test_a_phrase_of_another_length_is_retimed_to_fill(hiphop, salsa):
    short, same = (spliced(hiphop, phrases.replace(hiphop, region((4, 8)), salsa.slice(60, 60 + n))) for n in (90, 120))
    for edited in (short, same):
        assert len(edited) == 480 and unchanged(edited, hiphop, 120) and edited.root[240:].tobytes() == hiphop.root[240:].tobytes()
    upper = joints_of(("upper",), hiphop.skeleton)  # legs are planted again where the path is bent
    assert np.array_equal(same.rotations[178:182, upper], salsa.rotations[118:122, upper])
    assert np.allclose(short.rotations[180, upper], salsa.rotations[105, upper], atol=1e-6)  # 60 of 120 is 45 of 90


def test_only_the_parts_of_a_region_are_replaced(hiphop, salsa):
    arms = region((4, 8), parts=("arms",))
    edited, held = spliced(hiphop, phrases.replace(hiphop, arms, salsa.slice(60, 180))), arms.joints(hiphop.skeleton)
    assert np.array_equal(edited.rotations[:, ~held], hiphop.rotations[:, ~held]) and edited.root.tobytes() == hiphop.root.tobytes()
    assert np.array_equal(edited.rotations[178:182, held], salsa.rotations[118:122, held])


def test_seams_are_smooth_and_feet_planted(hiphop, salsa):
    edited = spliced(hiphop, phrases.insert(hiphop, 8.0, salsa.slice(60, 180)))
    smooth = [seam_jerk_ratio(edited.slice(k - 75, k + 75), np.array([2.5])) for k in (240, 360)]
    assert max(smooth) <= 1.2
    slides = [foot_slide(take, foot_contacts(take)) for take in (edited, hiphop, salsa)]
    shares = [float((slide > 0.01).mean()) for slide in slides]
    assert shares[0] <= max(shares[1:]) + 0.005


def test_a_cut_goes_where_both_sides_fit(hiphop):
    """A dance whose 4 s are danced again 3 frames late: the cut that repeats them moves to where the poses agree."""
    early = phrases.chain([phrases.Piece(hiphop, 0, 240), phrases.Piece(hiphop, 117, 480)])
    assert len(early) == 240 + 363
    jumps = [np.abs(np.diff(take.rotations[:, 1:], axis=0)).max(axis=(1, 2)).max() for take in (early, hiphop)]
    assert jumps[0] <= 1.5 * jumps[1]


def test_pieces_that_follow_one_another_have_no_seam(hiphop):
    cuts = [0, 100, 101, 333, 480]
    again = phrases.chain([phrases.Piece(hiphop, a, b, kept=bool(a)) for a, b in pairwise(cuts)])
    assert again.root.tobytes() == hiphop.root.tobytes() and again.rotations.tobytes() == hiphop.rotations.tobytes()


def test_the_difference_is_the_rows_between_what_is_the_same(hiphop):
    rotations = hiphop.rotations.copy()
    rotations[200:203, 4] = rotations[100, 4]
    other = Motion(hiphop.skeleton, hiphop.root, rotations, FPS)
    (splice,) = phrases.difference(hiphop, other)
    assert (splice.start, splice.stop, len(splice)) == (200, 203, 3)
    longer = spliced(hiphop, phrases.difference(hiphop, hiphop.slice(0, 333)))
    assert len(longer) == 333 and unchanged(longer, hiphop, 333)


def tiny(motion):
    return Skeleton(motion.skeleton.names, motion.skeleton.parents, motion.skeleton.offsets * np.float32(0.5))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda a, b: phrases.insert(a, 17.0, b), "the dance lasts from 0 to 16.00 s"),
        (lambda a, b: phrases.insert(a, float("nan"), b), "cannot insert at nan s"),
        (lambda a, b: phrases.insert(a, 1.0, b.slice(0, 0)), "the phrase is empty"),
        (lambda a, b: phrases.insert(a, 1.0, Motion(tiny(b), b.root, b.rotations, FPS)), "another skeleton: retarget"),
        (lambda a, b: phrases.delete(a, region((0, 16))), "leaves nothing"),
        (lambda a, b: phrases.delete(a, region((4, 8), parts=("arms",))), "arms alone cannot be deleted"),
        (lambda a, b: phrases.delete(a, region((12, 18))), "past the end of the dance"),
        (lambda a, b: phrases.repeat(a, region((4, 8)), 0), "cannot repeat 0 times"),
        (lambda a, b: phrases.repeat(a, region((4, 8), (9, 10))), "one stretch"),
        (lambda a, b: phrases.reorder(a, region((0, 4), (4, 8)), (1, 3)), "does not name each of the 2 stretches once"),
        (lambda a, b: phrases.reorder(a, region((0, 4), (4, 8)), (1, 2)), "changes nothing"),
        (lambda a, b: phrases.replace(a, region((0, 1)), b.slice(0, 90)), "cannot fill 1.0 s"),
        (lambda a, b: phrases.replace(a, region((0, 8)), b.slice(0, 90)), "cannot fill 8.0 s"),
    ],
)
def test_bad_input_is_said_in_one_line(hiphop, salsa, make, says):
    with pytest.raises(ChoreiaError, match=says) as raised:
        make(hiphop, salsa)
    assert "\n" not in str(raised.value)
