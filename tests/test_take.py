"""The project file: what goes in comes out to the bit, the same bytes each time, whole or not at all."""

import dataclasses
import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as read_safetensors

from choreia.edit.history import Song, Splice, Take
from choreia.errors import ChoreiaError
from choreia.export import take as take_file
from choreia.export.take import load, save
from choreia.types import Audio, Features, Motion, Move, Music, Performance, RhythmEvents, Script, Section, Skeleton

SONG = Song("Tanz ♫.mp3", hashlib.sha256(b"not really sound").hexdigest(), 1.25, b"not really sound")


def rows(count, joints=3, seed=0, kind=np.float32):
    rng = np.random.default_rng(seed)
    turns = rng.normal(size=(count, joints, 4))
    return rng.normal(size=(count, 3)).astype(kind), (turns / np.linalg.norm(turns, axis=-1, keepdims=True)).astype(kind)


def motion(frames=12, seed=0, kind=np.float32):
    body = Skeleton(("hips", "Knie é", "foot"), (-1, 0, 1), np.array([[0, 0, 0], [0, -0.5, 0], [0, -0.4, 0.1]], kind))
    return Motion(body, *rows(frames, seed=seed, kind=kind), 29.97)


def music(beats=4, seed=0):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.3, 0.7, beats))
    sections = (Section(0.0, 1 / 3, "intro"), Section(1 / 3, np.float64(0.4), "chorus", 2))
    events = RhythmEvents(times, times[:0], rng.uniform(size=3))
    features = {name: Features(rng.normal(size=(12, 2)).astype(np.float32), 29.97, ("a", "b")) for name in ("dance", "x/y")}
    energy = Features(rng.uniform(size=(12, 1)).astype(np.float32), 30.0, ("energy",))
    return Music(np.float64(0.4004), times, times[::4], times[:0], times * 200, np.int64(4), sections, events, energy, features)


def performance(**fields):
    script = Script("salsa – λέξις", (Move(0.1, 1 / 3, "turn"), Move(0.35, 0.4, "dip")))
    told = {"seed": 3, "nested": [{"x": None, "y": [1.5, True]}], "song": {"file": "a.mp3"}}
    return Performance(**{"music": music(), "motion": motion(), "script": script, "provenance": told} | fields)


def edited():
    """Revisions 1 to 3 in a chain, 4 and 5 with other music and words beside it, standing at 2 after an undo."""
    calm = Take(performance(), SONG).apply("mirror", {"where": "bar 1"}, [Splice(2, 5, *rows(3, seed=1))], seed=7).name("calm")
    shorter = calm.apply("delete", {}, [Splice(0, 2, *rows(0))])
    chain = shorter.apply("insert", {}, [Splice(10, 10, *rows(2, seed=2)), Splice(0, 0, *rows(1))])
    wild = chain.go("calm").apply("retime", {"bpm": 99.5}, [Splice(11, 12, *rows(4, seed=3))], music=music(2, 5), song=SONG)
    return wild.name("wild ♥").apply("say", {}, script=Script("")).go(3).undo()


def same(one, other):
    """Equal in every field, every bit of every array, and every number type of an array."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dance.take"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# -------------------------------------------------------------------------------------------------------------- round trips


def test_a_take_comes_back_in_every_field_and_bit(path):
    save(edited(), path)
    assert same(load(path), edited())


@pytest.mark.parametrize(
    "what",
    [
        Performance(),
        performance(motion=motion(kind=np.float64)),
        performance(motion=motion(frames=1), music=music(beats=0), script=None),
        performance(audio=Audio(rows(9)[0].T, 44100), motion=None),
    ],
)
def test_any_subset_of_a_performance_is_a_take_without_edits(path, what):
    save(what, path)
    assert same(load(path), Take(what))


def test_kept_frames_keep_every_bit_through_edits_and_files(path):
    """Frames 5 to 9 of the base lie outside every splice on the way to revision 3, two frames earlier there and one later."""
    start = motion()
    save(edited(), path)
    back = load(path)
    for state, shift in ((0, 0), (1, 0), (2, -2), (3, -1)):
        found = back.go(state).performance.motion
        assert found.rotations[5 + shift : 10 + shift].tobytes() == start.rotations[5:10].tobytes()
        assert found.root[5 + shift : 10 + shift].tobytes() == start.root[5:10].tobytes()


def test_undo_and_redo_go_on_after_loading(path):
    save(edited(), path)
    back = load(path)
    assert (back.at, back.redo().at, back.undo().at, back.undo().redo().at) == (2, 3, 1, 2)
    assert back.log() == edited().log()
    assert same(back.redo().performance, edited().redo().performance)
    more = back.apply("delete", {}, [Splice(0, 1, *rows(0))])
    save(more, path)
    assert same(load(path), more)


def test_arrays_are_written_by_their_values_however_they_lie_in_memory(path):
    root, rotations = rows(24)
    strange = Motion(motion().skeleton, np.asfortranarray(root[::2]), rotations[::-2].astype(">f4"), 30.0)
    save(Performance(motion=strange), path)
    back = load(path).performance.motion
    np.testing.assert_array_equal(back.root, root[::2])
    np.testing.assert_array_equal(back.rotations, rotations[::-2])
    assert back.root.flags.writeable


def test_anyone_can_read_the_file(path):
    save(edited(), path)
    inside = members(path)
    page, arrays = json.loads(inside["take.json"]), read_safetensors(inside["arrays.safetensors"])
    assert (page["format"], page["version"]) == ("choreia-take", 1)
    np.testing.assert_array_equal(arrays["base/motion/rotations"], motion().rotations)
    np.testing.assert_array_equal(arrays["revisions/1/splices/0/root"], rows(3, seed=1)[0])
    assert page["base"]["script"]["moves"][0] == {"start_s": 0.1, "end_s": 1 / 3, "text": "turn"}


def test_the_song_is_inside_once_as_it_was(path):
    save(edited(), path)
    songs = {name: content for name, content in members(path).items() if name.startswith("songs/")}
    assert songs == {f"songs/{SONG.sha256}": b"not really sound"}


def test_a_song_that_is_only_named_keeps_its_hash(path):
    save(dataclasses.replace(edited(), song=dataclasses.replace(SONG, content=None)), path)
    back = load(path)
    assert back.song == Song(SONG.name, SONG.sha256, 1.25, None)
    assert back.go("wild ♥").current_song == SONG


def test_numbers_and_paths_of_libraries_are_told_as_plain_ones(path):
    save(performance(provenance={"n": np.int64(3), "x": np.array([0.5, 1]), "file": Path("a") / "b"}), path)
    assert load(path).base.provenance == {"n": 3, "x": [0.5, 1.0], "file": str(Path("a") / "b")}


# ------------------------------------------------------------------------------------------------------- the same bytes, whole


def test_the_same_take_gives_the_same_bytes(tmp_path):
    one, two, three = (tmp_path / name for name in ("a.take", "b.take", "c.take"))
    save(edited(), one)
    save(edited(), two)
    save(load(one), three)
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())


def nan_motion():
    root, rotations = rows(4)
    root[2, 1] = np.nan
    return Motion(motion().skeleton, root, rotations, 30.0)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (performance(motion=nan_motion()), "base/motion/root holds values that are not finite"),
        (performance(motion=dataclasses.replace(motion(), rotations=motion().rotations * 2)), "not unit quaternions"),
        (performance(motion=dataclasses.replace(motion(), root=motion().root[:3])), "has shape"),
        (performance(motion=motion(0)), "no frames"),
        (performance(motion=dataclasses.replace(motion(), fps=0.0)), "base/motion/fps is 0, not above 0"),
        (performance(provenance={"x": float("nan")}), "not JSON compliant"),
        (performance(provenance={"x": object()}), "a value of type object is not JSON"),
        (performance(music=dataclasses.replace(music(), beats_s=np.zeros((2, 2)))), "base/music/beats_s has shape"),
        (performance(music=dataclasses.replace(music(), duration_s=float("inf"))), "not JSON compliant"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved_and_the_old_file_stays(path, what, message):
    save(edited(), path)
    before = path.read_bytes()
    with pytest.raises(ChoreiaError, match=message) as refused:
        save(what, path)
    assert str(refused.value).startswith(f"cannot save {path}: ")
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_disk_that_fills_up_leaves_the_old_file_whole(path, monkeypatch):
    save(edited(), path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ChoreiaError, match="No space left"):
        save(performance(), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_take_that_is_too_large_to_load_is_not_saved(path, monkeypatch):
    monkeypatch.setattr(take_file, "LARGEST", 2000)
    with pytest.raises(ChoreiaError, match="larger than 1 GiB; leave the song"):
        save(edited(), path)
    assert not path.exists()


@pytest.mark.parametrize("place", ["missing/dance.take", "."])
def test_a_place_that_cannot_be_written(tmp_path, place):
    with pytest.raises(ChoreiaError, match="cannot write"):
        save(performance(), tmp_path / place)


def test_a_take_zipped_again_by_hand_is_read(path):
    save(edited(), path)
    inside = {"songs/": b""} | members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in inside.items():
            archive.writestr(name, member)
    assert same(load(path), edited())


def test_a_loaded_take_does_not_need_its_file(path):
    save(edited(), path)
    back = load(path)
    path.unlink()
    assert same(back.go("wild ♥").performance, edited().go("wild ♥").performance)
