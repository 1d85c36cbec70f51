"""Editing from the command line: what changes, what stays to the bit, one line for every mistake, and an animator's own file."""

import inspect
import json
import re
import sys

import numpy as np
import pytest

from choreia import cli
from choreia.edit import region as regions
from choreia.errors import ChoreiaError
from choreia.export.take import load, save
from choreia.motion import io
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.motion.timing import resample
from choreia.music import files
from choreia.pipelines import edit as pipeline
from choreia.pipelines.edit_operations import OPERATIONS
from choreia.synth.choreographer import choreograph
from choreia.types import Audio, Features, Motion, Music, Performance, RhythmEvents, Section, Skeleton

FRAMES = 240
BEATS = np.arange(0.0, 8.0, 0.5)


def music():
    none, level = np.zeros(0), Features(np.ones((FRAMES, 1), np.float32), 30.0, ("energy",))
    parts = (Section(0.0, 4.0, "verse"), Section(4.0, 8.0, "chorus"))
    tempo = np.full(len(BEATS), 120.0)
    return Music(8.0, BEATS, BEATS[::4], BEATS[::8], tempo, 4, parts, RhythmEvents(BEATS, none, none), level, {"dance": level})


@pytest.fixture(scope="module")
def motion():
    return choreograph(BEATS, BEATS[::4], (), "hip-hop", seed=1, duration_s=8.0).motion


@pytest.fixture
def path(tmp_path, motion):
    """A take of 8 s at 120 BPM: bars 1 to 4 of 60 frames each."""
    save(Performance(music=music(), motion=motion), tmp_path / "dance.take")
    return tmp_path / "dance.take"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `choreia edit` in this process; returns (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["choreia", "edit", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


def done(result):
    """The JSON report of a run that went well."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def refused(result, *words):
    """Exit code 2, one line on stderr that holds every word."""
    code, out, err = result
    assert (code, out) == (2, "") and err.count("\n") == 1 and err.startswith("choreia: "), err
    assert all(word in err for word in words), err


def bits(motion, frames=slice(None)):
    return motion.root[frames].tobytes(), motion.rotations[frames].tobytes()


def now(path):
    return load(path).performance.motion


# ------------------------------------------------------------------------------------------------------------- operations


@pytest.mark.parametrize(
    ("words", "start", "stop", "length"),
    [
        (("mirror", "--bars", "2:3"), 60, 180, FRAMES),
        (("mirror", "--eights", "2"), 120, 240, FRAMES),
        (("mirror", "--seconds", "2:3.5"), 60, 105, FRAMES),
        (("mirror", "--at", "chorus", "--parts", "left arm"), 120, 240, FRAMES),
        (("replace", "--bars", "2:2", "--from", "bars 4-4"), 60, 120, FRAMES),
        (("energy", "1.5", "--bars", "2:3"), 60, 180, FRAMES),
        (("range", "0.5", "--bars", "2:3", "--parts", "arms"), 60, 180, FRAMES),
        (("follow", "--path", "-0.5,0 0.2,0.5", "--bars", "2:3", "--along"), 60, 180, FRAMES),
        (("between", "--bars", "2:2"), 60, 120, FRAMES),
        (("between", "--seconds", "2:3", "--parts", "arms"), 60, 90, FRAMES),
        (("vary", "--bars", "3:4", "--like", "bars 1-2", "--amount", "0"), 120, 240, FRAMES),
        (("restyle", "salsa", "--keep", "top", "--bars", "2:3"), 60, 180, FRAMES),
        (("insert", "--at", "bar 3", "--from", "bars 1-1"), 60, None, FRAMES + 60),
        (("delete", "--bars", "2:2"), 54, None, FRAMES - 60),
        (("repeat", "--bars", "3:4", "--times", "2"), 180, None, FRAMES + 240),
        (("reorder", "2,1", "--eights", "1,2"), 0, None, FRAMES),
        (("tempo", "100", "--bars", "3:3"), 120, None, FRAMES + 12),
    ],
)
def test_an_operation_changes_what_it_names_and_nothing_else_to_the_bit(run, path, motion, words, start, stop, length):
    report = done(run(path, *words, "--json"))
    edited = now(path)
    assert len(edited) == report["frames"] == length and report["frames_before"] == FRAMES
    assert bits(edited, slice(0, start)) == bits(motion, slice(0, start))
    assert stop is None or bits(edited, slice(stop, None)) == bits(motion, slice(stop, None))
    assert bits(edited) != bits(motion)
    assert report["operation"] == words[0] and report["revision"] == 1
    assert all(start <= change["from"] <= change["to"] <= (stop or FRAMES) for change in report["changed"])
    assert all(start / 30 <= seam_s <= (stop or length) / 30 + 1e-3 for seam_s in report["seams_s"])


def test_what_a_tempo_moves_in_time_keeps_its_bits(run, path, motion):
    done(run(path, "tempo", "100", "--bars", "3:3", "--json"))
    assert bits(now(path), slice(192, None)) == bits(motion, slice(180, None))


def test_another_dance_joins_or_takes_a_place_and_its_file_is_told_by_its_hash(run, path, motion, tmp_path):
    io.write(tmp_path / "other.npz", motion.slice(0, 90))
    assert done(run(path, "join", tmp_path / "other.npz", "--from", "1 s - 3 s", "--json"))["frames"] == FRAMES + 60
    done(run(path, "replace", "--bars", "2:3", "--by", tmp_path / "other.npz", "--json"))
    revision = load(path).revisions[1]
    assert re.fullmatch("[0-9a-f]{16}", revision.parameters["files"][str(tmp_path / "other.npz")])
    io.write(tmp_path / "other.npz", motion.slice(5, 95))
    before = path.read_bytes()
    refused(run(path, "again", "2"), "other.npz", "not the file")
    assert path.read_bytes() == before


def test_a_new_song_brings_its_beats_its_length_and_its_bytes(run, path, tmp_path):
    rate = 22050
    samples = np.zeros(6 * rate, np.float32)
    for beat in range(12):
        samples[beat * rate // 2 : beat * rate // 2 + 400] += 0.5 * np.random.default_rng(0).normal(size=400).astype(np.float32)
    files.write(tmp_path / "click.wav", Audio(samples[None], rate))
    assert done(run(path, "song", tmp_path / "click.wav", "--json"))["frames"] == 180
    take = load(path)
    assert take.performance.music.duration_s == pytest.approx(6, abs=0.01)
    assert take.current_song.content == (tmp_path / "click.wav").read_bytes()
    assert take.undo().performance.music.duration_s == 8


def test_locks_and_what_is_danced_anew_reach_the_editor_as_they_were_said(run, path, monkeypatch):
    from choreia.edit import bodily, regenerate

    heard = {}

    def lock(motion, music, script, region, *, seed, within=None):
        heard.update(region=region, seed=seed, within=within)
        return bodily.mirror(motion, within)

    monkeypatch.setattr(regenerate, "lock", lock)
    done(run(path, "lock", "--bars", "1:2", "--parts", "legs", "--regenerate", "bars", "1:3", "--seed", "4", "--json"))
    assert heard["region"] == regions.Region(((0.0, 4.0),), ("legs",))
    assert (heard["within"], heard["seed"]) == (regions.Region(((0.0, 6.0),)), 4)
    assert load(path).revisions[0].parameters == {"at": "bars 1:2", "parts": "legs", "regenerate": "bars 1:3"}
    assert load(path).revisions[0].seed == 4
    done(run(path, "lock", "--bars", "1:2", "--regenerate", "--json"))
    assert heard["within"] == regions.Region(((0.0, 8.0),))


def test_a_prompt_is_laid_on_the_stretch_it_is_for(run, path, monkeypatch):
    from choreia.edit import bodily, regenerate

    heard = {}

    def anew(motion, music, script, region, *, seed, asked=None):
        heard["asked"] = asked
        return bodily.mirror(motion, region)

    monkeypatch.setattr(regenerate, "regenerate", anew)
    report = done(run(path, "regenerate", "--bars", "3:4", "--prompt", "arm wave, then xyzzy", "--json"))
    assert any("xyzzy" in warning for warning in report["warnings"])
    moves = heard["asked"].moves
    assert (moves[0].start_s, moves[-1].end_s) == (4.0, 8.0) and moves[0].text.startswith("arm wave")
    done(run(path, "regenerate", "--bars", "3:4", "--json"))
    assert heard["asked"] is None


def test_a_dance_that_begins_earlier_puts_its_song_off(run, path, monkeypatch):
    from choreia.edit import regenerate
    from choreia.edit.history import Splice

    def extend(motion, music, script, *, before_s, after_s, seed):
        return tuple(Splice(at, at, motion.root[:n], motion.rotations[:n]) for at, n in ((0, round(before_s * 30)), (FRAMES, 15)))

    monkeypatch.setattr(regenerate, "extend", extend)
    done(run(path, "extend", "--before", "1", "--after", "0.5", "--json"))
    later = load(path).performance.music
    np.testing.assert_allclose(later.beats_s, BEATS + 1)
    assert (later.sections[0].start_s, later.sections[1].start_s, later.duration_s) == (0, 5, 9)
    assert len(later.features["dance"].values) == FRAMES + 30
    done(run(path, "mirror", "--bars", "1:1", "--json"))
    assert [(s.start, s.stop) for s in load(path).revisions[1].splices] == [(30, 90)]


# ---------------------------------------------------------------------------------------------------------------- history


def test_undo_redo_go_and_names_lead_to_the_same_bits(run, path, motion):
    done(run(path, "mirror", "--bars", "2:2", "--json"))
    one = bits(now(path))
    done(run(path, "delete", "--bars", "4:4", "--json"))
    two = bits(now(path))
    run(path, "name", "short")
    run(path, "undo")
    assert bits(now(path)) == one
    run(path, "undo")
    assert bits(now(path)) == bits(motion)
    run(path, "redo")
    assert bits(now(path)) == one
    run(path, "go", "short")
    assert bits(now(path)) == two
    run(path, "go", "0")
    assert bits(now(path)) == bits(motion)
    lines = done(run(path, "log", "--json"))["log"]
    assert lines[0].startswith(">") and "mirror" in lines[1] and lines[2].endswith("[short]")


@pytest.mark.parametrize("words", [("mirror", "--bars", "2:3"), ("reorder", "2,1", "--eights", "1,2"), ("energy", "0.4")])
def test_an_edit_done_again_from_its_record_gives_the_same_bits(run, path, words):
    done(run(path, *words, "--json"))
    first = bits(now(path))
    take = pipeline.again(load(path).undo(), 1)
    assert bits(take.performance.motion) == first
    assert take.revisions[1].parameters == take.revisions[0].parameters


def test_the_edited_take_may_go_elsewhere(run, path, tmp_path):
    before = path.read_bytes()
    done(run(path, "mirror", "-o", tmp_path / "new.take", "--json"))
    assert path.read_bytes() == before and len(load(tmp_path / "new.take").revisions) == 1
    refused(run(path, "delete", "--bars", "1:1", "-o", tmp_path / "new.take"), "new.take exists")
    assert len(load(tmp_path / "new.take").revisions) == 1


@pytest.mark.parametrize(
    ("operation", "parameters", "said"),
    [
        ("regenerate", {"seed": 10**30}, "seed"),
        ("regenerate", {"seed": -1}, "seed"),
        ("energy", {"factor": "a"}, "no float"),
        ("mirror", {"at": ["bars 1-2"]}, "no str"),
    ],
)
def test_a_record_of_the_wrong_kind_is_refused(path, operation, parameters, said):
    with pytest.raises(ChoreiaError, match=said):
        pipeline.do(load(path), operation, **parameters)


def test_python_does_what_the_command_line_does(run, path):
    in_python = pipeline.do(load(path), "mirror", at="bars 2:3", parts="arms")
    run(path, "mirror", "--bars", "2:3", "--parts", "arms")
    assert bits(in_python.performance.motion) == bits(now(path))
    assert in_python.revisions[0].parameters == load(path).revisions[0].parameters
    with pytest.raises(ChoreiaError, match="unknown operation 'miror': use mirror"):
        pipeline.do(load(path), "miror")
    with pytest.raises(ChoreiaError, match="mirror: got an unexpected"):
        pipeline.do(load(path), "mirror", when="bar 1")


# --------------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mirror", "--at", "bars 1-2 and 2-3"), "twice"),
        (("mirror", "--seconds", "3:3"), "before it begins"),
        (("mirror", "--bars", "3:2"), "bars 3-2"),
        (("mirror", "--bars", "9:12"), "past the end"),
        (("mirror", "--at", "0:30-0:40"), "past the end"),
        (("mirror", "--eights", "2,7"), "no 8-count 7"),
        (("mirror", "--parts", "tail"), "unknown part of the body 'tail'"),
        (("mirror", "--at", "soon"), "'soon' is not a time"),
        (("mirror", "--bars", "1:2", "--eights", "1"), "both say when"),
        (("delete",), "leaves nothing"),
        (("reorder", "1,1", "--eights", "1,2"), "each of the 2 stretches once"),
        (("reorder", "b,a", "--eights", "1,2"), "not a list of numbers"),
        (("repeat", "--times", "0"), "1 or more"),
        (("energy", "7"), "from 0 to 2"),
        (("tempo", "500"), "0.5 to 2"),
        (("follow", "--path", "1;2"), "not a path"),
        (("follow", "--path", "60,0 -60,0", "--bars", "1:1"), "too long"),
        (("insert", "--at", "bar 2"), "--from"),
        (("replace", "--by", "nowhere.bvh"), "nowhere.bvh"),
        (("song", "nowhere.mp3"), "nowhere.mp3"),
        (("lock", "--bars", "1:2"), "--regenerate"),
        (("go", "wild"), "no variant or revision 'wild'"),
        (("undo",), "nothing to undo"),
        (("redo",), "nothing to redo"),
        (("again", "1"), "no edit 1"),
        (("name", "7"), "no name"),
        (("new", "walk.bvh"), "exists"),
        (("partner", "upside-down", "-o", "p.take"), "mirrored, beside, canon"),
        (("partner", "mirrored", "--gap", "0.1", "-o", "p.take"), "collide"),
        (("export", "--formats", "docx"), "docx"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_the_file_keeps_every_byte(run, path, monkeypatch, words, said):
    monkeypatch.chdir(path.parent)
    before = path.read_bytes()
    refused(run(path, *words), said)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_places_that_nobody_can_reach_in_time_are_one_line(run, tmp_path, motion):
    """Two frames between poses 3 m apart."""
    root = motion.root.copy()
    root[120:, 0] += 3
    leap = Motion(motion.skeleton, root, motion.rotations, 30.0)
    save(Performance(music=music(), motion=leap), tmp_path / "leap.take")
    before = (tmp_path / "leap.take").read_bytes()
    refused(run(tmp_path / "leap.take", "mirror", "--seconds", "3.97:4.03"), " m")
    assert (tmp_path / "leap.take").read_bytes() == before


@pytest.mark.parametrize("damage", ["newer", "short", "not a take"])
@pytest.mark.parametrize("words", [("mirror",), ("undo",), ("export", "-o", "out"), ("log",)])
def test_a_newer_or_damaged_file_is_said_to_be_and_loses_nothing(run, path, monkeypatch, damage, words):
    monkeypatch.chdir(path.parent)
    content = path.read_bytes()
    if damage == "newer":
        monkeypatch.setattr("choreia.export.take.VERSION", 0)
    path.write_bytes({"newer": content, "short": content[: len(content) // 2], "not a take": b"BVH"}[damage])
    before = path.read_bytes()
    refused(run(path, *words), {"newer": "newer Choreia", "short": "damaged", "not a take": "not a take"}[damage])
    assert path.read_bytes() == before and [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_without_a_song_counts_are_refused_and_seconds_are_not(run, tmp_path, motion):
    save(Performance(motion=motion), tmp_path / "still.take")
    refused(run(tmp_path / "still.take", "tempo", "100"), "no song")
    refused(run(tmp_path / "still.take", "mirror", "--eights", "1,2"), "no song")
    assert done(run(tmp_path / "still.take", "mirror", "--seconds", "2:4", "--json"))["changed"] == [{"from": 60, "to": 120, "frames": 60}]


# -------------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_an_example_that_its_help_shows_and_its_options_know(run, operation):
    code, out, _ = run("dance.take", operation, "--help")
    assert code == 0
    examples = re.findall(rf"choreia edit dance\.take {operation}[^\n]*", out)
    assert examples
    known = set(re.findall(r"--[a-z]+", out.partition("Options:")[2]))
    assert all(set(re.findall(r"--[a-z]+", example)) <= known for example in examples)


def test_the_help_names_every_operation(run):
    code, out, _ = run("--help")
    names = (*OPERATIONS, "undo", "redo", "go", "name", "again", "log", "new", "export", "partner")
    assert code == 0 and all(f"\n  {name} " in out for name in names)


def test_every_operation_takes_a_performance_and_plain_values():
    for operation in OPERATIONS.values():
        parameters = list(inspect.signature(operation).parameters.values())
        assert parameters[0].name == "now"
        assert {inspect.get_annotations(operation)[p.name].__origin__ for p in parameters[1:]} <= {str, int, float, bool}


# ----------------------------------------------------------------------------------------------------- an animator's own file

NAMES = (
    "Hips LeftUpLeg RightUpLeg Spine LeftLeg RightLeg Spine1 LeftFoot RightFoot Spine2 LeftToeBase RightToeBase Neck LeftShoulder "
    "RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand LeftThumb RightThumb"
)


@pytest.fixture(scope="module")
def theirs(motion):
    """The dance on a figure of other names and 1.2 times the size, whose thumbs wave, at 60 frames a second."""
    ours = resample(motion, 60.0)
    offsets, rotations = ours.skeleton.offsets * 1.2, ours.rotations.copy()
    waving = 0.5 * np.sin(np.arange(len(ours)) / 7)
    rotations[:, 22:] = np.stack([np.cos(waving), np.sin(waving), 0 * waving, 0 * waving], axis=-1)[:, None]
    return Motion(Skeleton(tuple(NAMES.split()), ours.skeleton.parents, offsets), ours.root * 1.2, rotations, 60.0)


@pytest.fixture
def own(run, theirs, tmp_path):
    """Their file, with a line that only they would write, and the take that was made of it."""
    io.write(tmp_path / "own.bvh", theirs, order="YXZ")
    text = (tmp_path / "own.bvh").read_text().replace("Frame Time: 0.016666667", "Frame Time:   0.0166667")
    (tmp_path / "own.bvh").write_text(text)
    done(run(tmp_path / "own.take", "new", tmp_path / "own.bvh", "--json"))
    return tmp_path / "own.bvh", tmp_path / "own.take"


def test_an_imported_file_comes_back_byte_for_byte(run, own, tmp_path):
    source, take = own
    assert load(take).performance.motion.skeleton.names == choreia24().names and len(load(take).performance.motion) == FRAMES
    done(run(take, "export", "-o", tmp_path, "--formats", "bvh,json", "--json"))
    assert (tmp_path / "dance.bvh").read_bytes() == source.read_bytes()
    told = json.loads((tmp_path / "dance.json").read_text())["original"]
    assert told["file"] == "own.bvh" and "content" not in told


def test_lines_of_frames_that_no_edit_touched_stay_and_the_new_ones_join_smoothly(run, own, theirs, tmp_path):
    source, take = own
    done(run(take, "energy", "1.3", "--seconds", "2:4", "--json"))
    done(run(take, "export", "-o", tmp_path, "--formats", "bvh", "--json"))
    was, lines = (path.read_bytes().splitlines() for path in (source, tmp_path / "dance.bvh"))
    head = was.index(b"Frame Time:   0.0166667") + 1
    assert lines[:head] == was[:head] and len(lines) == len(was)
    changed = [k for k in range(480) if lines[head + k] != was[head + k]]
    assert min(changed) >= 2 * 58 + 1 and max(changed) < 4 * 60
    back = io.read(tmp_path / "dance.bvh")
    order = [back.skeleton.index(name) for name in theirs.skeleton.names]
    there, usual = positions(back)[:, order], positions(theirs)
    assert np.linalg.norm(np.diff(there[110:250], axis=0), axis=-1).max() < 1.5 * np.linalg.norm(np.diff(usual, axis=0), axis=-1).max()
    np.testing.assert_allclose(there[150:200].mean(axis=0), usual[150:200].mean(axis=0), atol=0.15)


def test_what_is_cut_shortens_their_file_by_as_much_and_keeps_the_rest(run, own, tmp_path):
    source, take = own
    done(run(take, "delete", "--seconds", "4:5", "--json"))
    done(run(take, "export", "-o", tmp_path, "--formats", "bvh,npz", "--json"))
    back, was = io.read(tmp_path / "dance.npz"), io.read(source)
    assert len(back) == 420 and back.fps == pytest.approx(60, abs=0.01)
    assert bits(back, slice(0, 220)) == bits(was, slice(0, 220))
    np.testing.assert_allclose(positions(io.read(tmp_path / "dance.bvh")), positions(back), atol=1e-5)
    for number in (380, 400, 419):
        assert np.abs((back.rotations[number, 1:] * was.rotations[number + 60, 1:]).sum(axis=-1)) == pytest.approx(1, abs=1e-4)


def test_a_file_with_z_up_is_edited_as_the_same_with_y_up(run, theirs, tmp_path):
    """A quarter turn about X takes (x, y, z) to (x, -z, y), before the edit and after it."""
    a, b, c, d = np.moveaxis(theirs.rotations[:, 0], -1, 0)
    wxyz = theirs.rotations.copy()
    wxyz[:, 0] = np.stack([a - b, a + b, c - d, c + d], axis=-1) * 0.5**0.5
    lying = Motion(theirs.skeleton, theirs.root[:, [0, 2, 1]] * np.float32([1, -1, 1]), wxyz, 60.0)
    found = {}
    for up, motion in (("y", theirs), ("z", lying)):
        io.write(tmp_path / f"{up}.npz", motion)
        done(run(tmp_path / f"{up}.take", "new", tmp_path / f"{up}.npz", "--json"))
        done(run(tmp_path / f"{up}.take", "range", "0.7", "--seconds", "2:4", "--json"))
        done(run(tmp_path / f"{up}.take", "export", "-o", tmp_path / up, "--formats", "npz", "--json"))
        found[up] = positions(io.read(tmp_path / up / "dance.npz"))
    assert np.abs(found["y"] - positions(theirs)).max() > 0.05
    np.testing.assert_allclose(found["z"], found["y"][..., [0, 2, 1]] * [1, -1, 1], atol=5e-3)


def test_with_ours_it_is_written_as_it_is_edited(run, own, tmp_path):
    _, take = own
    done(run(take, "export", "-o", tmp_path, "--formats", "npz", "--ours", "--json"))
    assert bits(io.read(tmp_path / "dance.npz")) == bits(now(take))


@pytest.mark.parametrize(("name", "content"), [("bad.bvh", b"HIERARCHY\nROOT"), ("bad.xyz", b"?"), ("gone.bvh", None)])
def test_what_cannot_be_imported_leaves_no_take(run, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused(run(tmp_path / "new.take", "new", tmp_path / name), name)
    assert not (tmp_path / "new.take").exists()


# ---------------------------------------------------------------------------------------------------------------- partners


def test_a_mirrored_partner_is_a_take_beside(run, path, motion):
    before = path.read_bytes()
    done(run(path, "partner", "mirrored", "--gap", "2", "-o", path.parent / "partner.take", "--json"))
    other = now(path.parent / "partner.take")
    assert path.read_bytes() == before and len(other) == FRAMES
    middle = (motion.root[:, 0] + other.root[:, 0]) / 2
    np.testing.assert_allclose(middle, motion.root[:, 0].max() + 1, atol=1e-4)
    np.testing.assert_allclose(other.root[:, 1:], motion.root[:, 1:], atol=1e-5)
    assert load(path.parent / "partner.take").performance.music.duration_s == 8


def test_a_partner_beside_is_the_same_dance_shifted(run, path, motion):
    done(run(path, "partner", "beside", "--x", "-1", "--z", "1", "-o", path.parent / "p.npz", "--json"))
    other = io.read(path.parent / "p.npz")
    np.testing.assert_allclose(other.root - motion.root, np.tile([-1, 0, 1], (FRAMES, 1)), atol=1e-6)
    assert other.rotations.tobytes() == motion.rotations.tobytes()
    refused(run(path, "partner", "beside", "-o", path.parent / "p.npz"), "--force")


def test_a_take_is_not_written_under_another_kind_of_name(run, path, tmp_path):
    before = path.read_bytes()
    refused(run(path, "mirror", "-o", tmp_path / "dance.bvh"), "dance.bvh", ".take")
    assert path.read_bytes() == before and not (tmp_path / "dance.bvh").exists()


def test_a_link_to_a_take_stays_a_link(run, path, motion, tmp_path):
    (tmp_path / "link.take").symlink_to(path)
    done(run(tmp_path / "link.take", "mirror", "--json"))
    assert (tmp_path / "link.take").is_symlink() and bits(now(path)) != bits(motion)
