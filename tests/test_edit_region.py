"""Regions: times in every unit, parts of the body, frames; and one clear line for what cannot be edited."""

import numpy as np
import pytest

from choreia.edit.parts import PARTS, joints_of, read_parts
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.motion.skeleton import choreia24
from choreia.types import Features, Motion, Music, RhythmEvents, Section

SKELETON = choreia24()


def song(duration_s=32.0, bpm=120.0):
    """Beats from 0 s on, bars of 2 s, 8-counts of 4 s; verse, chorus, verse, chorus of 8 s each."""
    beats = np.arange(0, duration_s, 60 / bpm)
    parts = tuple(Section(8.0 * k, 8.0 * (k + 1), ("verse", "chorus")[k % 2], 1 + k // 2) for k in range(int(duration_s // 8)))
    level = Features(np.full((int(duration_s) + 1, 1), 0.5, np.float32), 1.0, ("level",))
    events = RhythmEvents(beats, beats[:0], beats[:0])
    return Music(duration_s, beats, beats[::4], beats[::8], np.full(len(beats), bpm), 4, parts, events, level)


def still(frames, fps=30.0):
    return Motion(SKELETON, np.zeros((frames, 3)), np.tile([1.0, 0, 0, 0], (frames, 24, 1)), fps)


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("bars 3-4", [(4, 8)]),
        ("1:8", [(0, 16)]),
        ("bars 1:8", [(0, 16)]),
        ("8-counts 2:3", [(4, 12)]),
        ("0:10-0:14", [(10, 14)]),
        ("12.5 s", [(12.5, 16.5)]),
        ("eight 3", [(8, 12)]),
        ("chorus 2", [(24, 32)]),
        ("chorus", [(8, 16), (24, 32)]),
        ("beats 1-4", [(0, 2)]),
        ("last 2 bars", [(28, 32)]),
        ("whole song", [(0, 32)]),
    ],
)
def test_times_are_read_in_every_unit(text, stretches):
    found = Region.read(text, song(), 32.0).stretches
    assert np.allclose(found, stretches)


def test_two_digits_behind_the_colon_are_a_clock():
    assert Region.read("0:04", None, 32.0).stretches[0][0] == 4.0
    assert Region.read("1:4", song(), 32.0).stretches == ((0.0, 8.0),)


def test_a_dance_shorter_than_its_song_ends_its_last_bars():
    assert np.allclose(Region.read("last 2 bars", song(), 20.0).stretches, [(16, 20)])
    assert np.allclose(Region.read("chorus", song(), 28.0).stretches, [(8, 16), (24, 28)])


def test_parts_make_up_the_body():
    everything = joints_of(("body", "root"), SKELETON)
    assert everything.all() and joints_of((), SKELETON).all()
    assert joints_of(("root",), SKELETON).tolist() == [name == "pelvis" for name in SKELETON.names]
    for whole, halves in {"body": ("upper", "lower"), "arms": ("left arm", "right arm"), "legs": ("left leg", "right leg")}.items():
        one, other = (joints_of((half,), SKELETON) for half in halves)
        assert not (one & other).any() and (one | other).tolist() == joints_of((whole,), SKELETON).tolist()
    assert set(PARTS["hands"]) < set(PARTS["arms"]) and set(PARTS["feet"]) < set(PARTS["legs"]) and set(PARTS["head"]) < set(PARTS["upper"])


def test_parts_are_read_as_people_write_them():
    assert read_parts("Arms, left_leg and head") == ("arms", "left leg", "head")
    assert read_parts("") == read_parts(()) == ("body", "root")
    assert Region.read("eight 1", song(), 32.0, "torso+head").parts == ("torso", "head")


def test_frames_round_to_the_nearest_and_touching_stretches_are_one():
    region = Region(((1.0, 2.0), (2.0, 2.51), (4.0, 5.0)))
    assert region.pieces(still(150)) == ((30, 60), (60, 75), (120, 150))
    assert region.frames(still(150)) == ((30, 75), (120, 150))
    assert Region(((1.0, 2.0),)).one(still(250, fps=50.0)) == (50, 100)


def test_eights_by_number_are_stretches_of_their_own():
    assert np.allclose(Region.of_eights([3, 2], song(), 32.0).stretches, [(4, 8), (8, 12)])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Region.read("eight 9", song(), 32.0), "past the end, the song has 8 8-counts"),
        (lambda: Region.read("0:20-0:40", song(), 32.0), "past the end"),
        (lambda: Region.read("bars 9-12", None, 32.0), "no beat"),
        (lambda: Region.read("bars 1-4, bars 3-6", song(), 32.0), "is not a time|twice"),
        (lambda: Region.read("eight 1 and 1", song(), 32.0), "twice"),
        (lambda: Region.read("0:10-0:10", song(), 32.0), "ends before it begins|no length"),
        (lambda: Region.read("later", song(), 32.0), "is not a time"),
        (lambda: Region.read("bridge", song(), 32.0), "no bridge"),
        (lambda: Region.read("eight 1", song(), 32.0, "tail"), "unknown part of the body 'tail'"),
        (lambda: Region.read("eight 1", song(), 32.0, "left lag"), "left leg"),
        (lambda: Region(()), "empty"),
        (lambda: Region(((2.0, 2.0),)), "empty"),
        (lambda: Region(((-1.0, 2.0),)), "0 s or later"),
        (lambda: Region(((1.0, float("inf")),)), "has an end"),
        (lambda: Region(((1.0, 4.0), (3.0, 6.0))), "twice"),
        (lambda: Region(((1.0, 9.0),)).frames(still(60)), "past the end of the dance at 0:02.0"),
        (lambda: Region(((1.0, 1.01),)).frames(still(60)), "shorter than a frame"),
        (lambda: Region(((0.0, 1.0), (1.5, 2.0))).one(still(60)), "one stretch"),
        (lambda: Region.of_eights([9], song(), 32.0), "no 8-count 9: the dance has 8"),
        (lambda: Region.of_eights([], song(), 32.0), "no 8-count is named"),
        (lambda: Region.of_eights([2, 2], song(), 32.0), "twice"),
    ],
)
def test_what_cannot_be_edited_is_said_in_one_line(make, says):
    with pytest.raises(ChoreiaError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
