"""Splices against plain lists of frames, the tree of edits against the path that led there, and one line for every mistake."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia.edit.history import Song, Splice, Take, length_after, read_song, spliced
from choreia.errors import ChoreiaError
from choreia.types import Audio, Motion, Move, Music, Performance, RhythmEvents, Script, Skeleton
from choreia.types import Features as Track

BODY = Skeleton(("hips", "knee"), (-1, 0), np.array([[0, 0, 0], [0, -0.5, 0]], np.float32))


def rows(labels):
    """Rows that carry a label each, in their root and in a turn that no other label has."""
    label = np.array(labels, np.float64).reshape(-1)
    turn = np.stack([np.cos(label / 999), np.sin(label / 999), 0 * label, 0 * label], axis=-1)
    root, rotations = np.stack([label, -label, label / 3], axis=-1), np.stack([turn, turn[:, [0, 2, 3, 1]]], axis=1)
    return root.astype(np.float32), rotations.astype(np.float32)


def dance(labels):
    return Motion(BODY, *rows(labels), 30.0)


def put(start, stop, labels):
    return Splice(start, stop, *rows(labels))


def take(frames=10, **fields):
    return Take(Performance(motion=dance(range(frames)), provenance={"seed": 1}, **fields))


def bits(motion):
    return motion.root.tobytes(), motion.rotations.tobytes(), motion.root.dtype, motion.rotations.dtype


def other_music():
    none = np.zeros(0)
    energy = Track(np.zeros((60, 1), np.float32), 30.0, ("energy",))
    return Music(2.0, none, none, none, none, 4, (), RhythmEvents(none, none, none), energy)


# ---------------------------------------------------------------------------------------------------------------- splices


@st.composite
def cuts(draw):
    """Frames of a dance and edits of it that do not overlap, as (start, stop, new labels), in any order."""
    frames = draw(st.integers(2, 12))
    bounds = sorted(draw(st.lists(st.integers(0, frames - 1), max_size=6, unique=True)))
    edits = [(a, b, draw(st.lists(st.integers(100, 900), max_size=4))) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]
    return frames, draw(st.permutations(edits))


@settings(max_examples=80, deadline=None)
@given(cuts())
def test_splices_do_what_slices_of_a_list_do(case):
    frames, edits = case
    expected = list(range(frames))
    for start, stop, labels in sorted(edits, reverse=True):
        expected[start:stop] = labels
    after = spliced(dance(range(frames)), [put(*edit) for edit in edits])
    assert bits(after) == bits(dance(expected))
    assert length_after([put(*edit) for edit in edits], frames, 2) == len(expected)


def test_rows_go_in_before_a_frame_and_after_the_last():
    after = spliced(dance(range(3)), [put(3, 3, [9]), put(0, 0, [7, 8])])
    assert after.root[:, 0].tolist() == [7, 8, 0, 1, 2, 9]


def test_an_insertion_may_touch_what_is_replaced():
    after = spliced(dance(range(5)), [put(1, 3, [10]), put(1, 1, [11]), put(3, 3, [12])])
    assert after.root[:, 0].tolist() == [0, 11, 10, 12, 3, 4]


def test_kept_frames_keep_every_bit_beside_rows_of_another_number_type():
    motion = Motion(BODY, np.full((4, 3), np.nextafter(np.float32(0.1), 1)), dance(range(4)).rotations, 30.0)
    new_root, new_rotations = rows([5])
    edited = Take(Performance(motion=motion)).apply("pose", {}, [Splice(1, 2, new_root.astype(float), new_rotations.astype(float))])
    after = edited.performance.motion
    assert bits(after.slice(2, 4)) == bits(motion.slice(2, 4))
    assert bits(after.slice(0, 1)) == bits(motion.slice(0, 1))
    assert edited.revisions[0].splices[0].root.dtype == np.float32


@pytest.mark.parametrize(
    ("splices", "message"),
    [
        ([put(1, 4, [1]), put(3, 5, [2])], "frames 1 to 4 and frames 3 to 5 of one edit overlap"),
        ([put(2, 2, [1]), put(2, 2, [2])], "overlap"),
        ([put(1, 4, [1]), put(2, 2, [2])], "overlap"),
        ([put(8, 11, [1])], "past the end of the dance, at frame 10"),
        ([put(11, 11, [1])], "past the end"),
        ([put(0, 10, [])], "none of the 10 frames"),
        ([Splice(0, 1, np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, 3, 1)))], "3 joints do not fit a dance of 2"),
    ],
)
def test_splices_that_do_not_fit_are_refused_and_nothing_is_recorded(splices, message):
    before = take(10)
    with pytest.raises(ChoreiaError, match=message) as refused:
        before.apply("replace", {}, splices)
    assert "\n" not in str(refused.value)
    assert before.log() == take(10).log()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((0, 2, np.zeros((2, 2)), np.zeros((2, 2, 4))), "new rows are root"),
        ((0, 2, np.zeros((2, 3)), np.zeros((1, 2, 4))), "new rows are root"),
        ((0, 2, np.float64(1), np.zeros((1, 2, 4))), "new rows are root"),
        ((3, 2, *rows([1])), "begins at frame 0 or later"),
        ((-1, 2, *rows([1])), "begins at frame 0 or later"),
        ((2, 2, *rows([])), "at least one frame"),
        ((0, 1, np.full((1, 3), np.nan), rows([1])[1]), "not finite"),
        ((0, 1, rows([1])[0], np.full((1, 2, 4), np.inf)), "not finite"),
        ((0, 1, rows([1])[0], np.zeros((1, 2, 4))), "not unit quaternions"),
    ],
)
def test_a_splice_that_makes_no_sense_cannot_be_made(fields, message):
    with pytest.raises(ChoreiaError, match=message):
        Splice(*fields)


# ------------------------------------------------------------------------------------------------------------ undo and redo


def test_undo_and_redo_return_to_the_same_bits():
    first = take(10).apply("replace", {}, [put(2, 4, [50, 51, 52])])
    second = first.apply("delete", {}, [put(0, 3, [])])
    assert second.performance.motion.root[:, 0].tolist() == [51, 52, 4, 5, 6, 7, 8, 9]
    assert bits(second.undo().performance.motion) == bits(first.performance.motion)
    assert bits(second.undo().undo().performance.motion) == bits(dance(range(10)))
    assert bits(second.undo().undo().redo().redo().performance.motion) == bits(second.performance.motion)


def test_new_rows_are_the_takes_own():
    new = put(0, 1, [50])
    edited = take().apply("replace", {}, [new])
    new.root[:] = 0
    assert edited.performance.motion.root[0, 0] == 50


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["edit", "undo", "redo", "go"]), max_size=14), st.randoms(use_true_random=False))
def test_any_walk_through_the_tree_stands_where_a_plain_record_of_it_stands(steps, random):
    """The record: frames as lists, a parent and a last child for each state."""
    now, frames, parent, last, at = take(4), [list(range(4))], [None], {}, 0
    for step in steps:
        if step == "edit":
            start = random.randrange(len(frames[at]) + 1)
            frames.append([*frames[at][:start], 100 + len(frames), *frames[at][start:]])
            now = now.apply("insert", {"at": start}, [put(start, start, [frames[-1][start]])])
            parent.append(at)
            at = len(frames) - 1
        elif step == "go":
            at = random.randrange(len(frames))
            now = now.go(at)
        elif step == "undo" and parent[at] is not None:
            now, at = now.undo(), parent[at]
            continue
        elif step == "redo" and at in last:
            now, at = now.redo(), last[at]
        state = at
        while parent[state] is not None:
            last[parent[state]] = state
            state = parent[state]
        assert bits(now.performance.motion) == bits(dance(frames[at]))
    assert now.at == at
    assert list(now.frames) == [len(each) for each in frames]


def test_variants_stand_side_by_side():
    calm = take(4).apply("a", {}, [put(0, 1, [50])]).name("calm")
    both = calm.undo().apply("b", {}, [put(0, 1, [60])]).name(" wild  one ")
    assert both.go("calm").performance.motion.root[0, 0] == 50
    assert both.go("wild one").performance.motion.root[0, 0] == 60
    assert both.go("1").at == both.go(1).at == 1
    assert both.go("calm").undo().redo().at == 1
    assert both.go(0).name("calm").go("calm").at == 0


@pytest.mark.parametrize("where", ["loud", "3", "-1", "", 3, -1, "9" * 5000])
def test_there_is_no_going_where_nothing_is(where):
    with pytest.raises(ChoreiaError, match="a number from 0 to 2, 'calm'") as refused:
        take(4).apply("a", {}, [put(0, 1, [50])]).name("calm").apply("b", {}, [put(0, 1, [5])]).go(where)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("name", ["", "  ", "7", "x" * 81, "a\x07b"])
def test_names_that_could_not_be_said_again_are_refused(name):
    with pytest.raises(ChoreiaError, match="no name for a variant"):
        take().name(name)


def test_nothing_to_undo_or_redo():
    with pytest.raises(ChoreiaError, match="nothing to undo"):
        take().undo()
    with pytest.raises(ChoreiaError, match="nothing to redo"):
        take().redo()
    with pytest.raises(ChoreiaError, match="nothing to redo"):
        take().apply("a", {}, [put(0, 1, [5])]).redo()


def test_an_edit_changes_something():
    with pytest.raises(ChoreiaError, match="changes nothing"):
        take().apply("mirror", {})
    with pytest.raises(ChoreiaError, match="without its beats"):
        take().apply("retime", {}, [put(0, 1, [5])], song=Song("a.mp3", "0" * 64))


def test_a_performance_without_motion_takes_words_but_no_rows():
    words = Take(Performance()).apply("say", {}, script=Script("salsa"))
    assert words.performance.script == Script("salsa")
    with pytest.raises(ChoreiaError, match="no motion"):
        words.apply("replace", {}, [put(0, 1, [1])])


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, np.float32(1), object()])
def test_parameters_that_could_not_be_written_are_refused(value):
    with pytest.raises(ChoreiaError, match="parameters of mirror are not JSON"):
        take().apply("mirror", {"x": value}, [put(0, 1, [5])])


# ---------------------------------------------------------------------------------------------- words, music and what is told


def test_words_and_music_change_from_the_revision_on():
    song = Song("b.wav", hashlib.sha256(b"b").hexdigest(), 1.5, b"b")
    sound, music = Audio(np.zeros((1, 9), np.float32), 44100), other_music()
    start = Take(Performance(sound, other_music(), dance(range(4)), Script("jazz"), {"song": {"file": "a.wav"}, "music": {"meter": 3}}))
    heard = start.apply("retime", {}, music=music, song=song)
    said = heard.apply("say", {}, script=Script("jazz", (Move(0.0, 1.0, "turn"),)))
    silent = said.apply("retime", {}, music=music)
    assert said.performance.music is music
    assert said.performance.audio is None
    assert said.current_song is song
    assert said.performance.provenance["song"] == {"file": "b.wav", "sha256": song.sha256, "start_s": 1.5}
    assert "music" not in said.performance.provenance
    assert said.undo().performance.script == Script("jazz")
    assert silent.current_song is None
    assert "song" not in silent.performance.provenance
    assert said.go(0).performance is start.base
    assert said.go(0).current_song is start.song is None


def test_provenance_tells_every_edit_on_the_way_and_no_other():
    first = take().apply("mirror", {"where": ("bar 1", 2)}, [put(0, 1, [5])], seed=7)
    second = first.undo().apply("delete", {}, [put(0, 1, [])])
    told = [(edit["operation"], edit["parameters"], edit["seed"]) for edit in first.performance.provenance["edits"]]
    assert told == [("mirror", {"where": ["bar 1", 2]}, 7)]
    assert [edit["operation"] for edit in second.performance.provenance["edits"]] == ["delete"]
    again = Take(first.performance).apply("delete", {}, [put(0, 1, [])])
    assert [edit["operation"] for edit in again.performance.provenance["edits"]] == ["mirror", "delete"]
    assert first.performance.provenance["seed"] == 1
    assert take().performance.provenance == {"seed": 1}


def test_the_log_is_one_line_a_state():
    edited = take(4).apply("mirror", {"where": "bars\n1-2", "parts": "legs"}, [put(1, 3, [50])], seed=3).name("calm").apply(
        "path", {"points": list(range(500))}, [put(0, 1, [])])  # fmt: skip
    base, first, second = edited.undo().log()
    assert base == "    0  the dance as it was first made, 4 frames"
    assert first == ">   1  after 0: mirror where=bars 1-2 parts=legs, seed 3, replaces 1-3, 3 frames [calm]"
    assert second.startswith("    2  after 1: path points=[0, 1, ")
    assert second.endswith(" …, 2 frames")
    assert len(second) < 200


def test_the_log_cannot_write_over_the_terminal():
    hostile = Take(take(4).base, variants={"a\n\x1b[2J": 0}).apply("\x1b]0;x\x07", {}, [put(0, 1, [])])
    assert all(line.isprintable() for line in hostile.log())


# ------------------------------------------------------------------------------------------------------------------ songs


def test_a_song_is_read_whole_or_only_named(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"sound")
    song = read_song(tmp_path / "a.mp3", 2.0)
    assert (song.name, song.content, song.start_s) == ("a.mp3", b"sound", 2.0)
    assert song.sha256 == hashlib.sha256(b"sound").hexdigest()
    assert read_song(tmp_path / "a.mp3", inside=False).content is None
    with pytest.raises(ChoreiaError, match="cannot read"):
        read_song(tmp_path / "b.mp3")


@pytest.mark.parametrize("name", ["", "..", ".", "../a.mp3", "/etc/a", "a/b", "a\\b", "c:a.mp3"])
def test_a_songs_name_leads_nowhere(name):
    with pytest.raises(ChoreiaError, match="plain file name"):
        Song(name, "0" * 64)


def test_a_song_has_the_hash_that_it_says():
    with pytest.raises(ChoreiaError, match="do not have the SHA-256"):
        Song("a.mp3", "0" * 64, content=b"sound")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"at": 2}, "cannot stand at"),
        ({"variants": {"x": 5}}, "cannot stand at"),
        ({"ahead": {0: 2}}, "does again"),
        ({"ahead": {1: 1}}, "does again"),
        ({"revisions": "swapped"}, "count from 1"),
    ],
)
def test_a_tree_that_is_none_cannot_be_made(fields, message):
    edited = take().apply("a", {}, [put(0, 1, [5])])
    revisions = edited.revisions * 2 if "revisions" in fields else edited.revisions
    with pytest.raises(ChoreiaError, match=message):
        Take(edited.base, None, revisions, **{name: value for name, value in fields.items() if name != "revisions"})
