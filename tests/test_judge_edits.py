"""What the table of edits measures."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.edit.history import Take
from choreia.edit.region import Region
from choreia.pipelines import judge_edits
from choreia.pipelines.judge_edits import EDITS, edited, edits, kept, row
from choreia.synth.choreographer import choreograph
from choreia.types import Features, Motion, Music, Performance, RhythmEvents


@pytest.fixture(scope="module")
def motion() -> Motion:
    beats_s = 0.5 * np.arange(97)
    return choreograph(beats_s, beats_s[::4], (), "hip-hop", 1, duration_s=48.0).motion


@pytest.fixture(scope="module")
def take(motion):
    beats_s, none, level = 0.5 * np.arange(97), np.zeros(0), Features(np.ones((1440, 1), np.float32), 30.0, ("energy",))
    tempo = np.full(len(beats_s), 120.0)
    music = Music(48.0, beats_s, beats_s[::4], beats_s[::8], tempo, 4, (), RhythmEvents(beats_s, none, none), level, {"dance": level})
    return Take(Performance(music=music, motion=motion))


@pytest.mark.parametrize(("frame", "joint", "stays"), [(59, 5, False), (60, 5, True), (89, 5, True), (90, 5, False), (70, 16, False)])
def test_one_bit_outside_the_region_is_seen(motion, frame, joint, stays):
    rotations = np.array(motion.rotations)
    rotations[frame, joint] *= -1  # the same rotation, other bits
    legs = Region(((2.0, 3.0),), ("legs",))
    assert kept(motion, replace(motion, rotations=rotations), legs) == stays


def test_the_root_belongs_to_its_part(motion):
    root = np.array(motion.root)
    root[70, 0] += 1e-6
    moved = replace(motion, root=root)
    assert not kept(motion, moved, Region(((2.0, 3.0),), ("arms",)))
    assert kept(motion, moved, Region(((2.0, 3.0),)))


def test_an_edit_is_measured_where_it_is(take):
    found = edited(take, "mirror", {}, 9)
    assert found.kept and found.seconds > 0 and found.seam_jerk > 0
    assert found.slide_before == edited(take, "range", {"factor": 1.3}, 9).slide_before


def test_every_row_is_an_edit_of_the_dance(take, monkeypatch):
    monkeypatch.setattr(judge_edits, "EDITS", {name: EDITS[name] for name in ("bars 1-8 instead", "larger")})
    monkeypatch.setattr(judge_edits, "compose", lambda *a, **k: type("Song", (), {"audio": None}))
    monkeypatch.setattr(judge_edits, "analyze", lambda audio: take.performance.music)
    monkeypatch.setattr(judge_edits, "dancer", lambda name: None)
    monkeypatch.setattr(judge_edits, "choreograph_song", lambda who, music, seed: (take.performance.motion, None))
    rows = edits((9, 12), seconds=48.0)
    assert [line[""] for line in rows] == ["bars 1-8 instead", "larger"]
    assert all(line["kept to the bit"] == "2 of 2" and line["edits"] == 2 for line in rows)


def test_a_row_averages_and_keeps_the_first_apart():
    one, two, three = (judge_edits.Edited(s, s < 3, 1.0, 2.0, 0.1, 0.2) for s in (5.0, 1.0, 2.0))
    line = row("x", [one, two, three])
    assert (line["first, s"], line["then, s"], line["kept to the bit"]) == (5.0, 1.5, "2 of 3")
