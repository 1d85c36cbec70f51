"""Laws of preparing data: shards are whole or absent, resumable to the same bytes, hashed, split by phrase; pairs stand on their beats."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from choreia import clock
from choreia.data import jobs, shards, splits
from choreia.data import prepare as prepare_module
from choreia.data.clean import Refusal, clean, without_leaps
from choreia.data.pairing import fit, pair
from choreia.data.prepare import prepare
from choreia.data.shards import Labels, Sample, read_manifest, read_samples, write_shard
from choreia.data.synthetic import synthesize
from choreia.data.takes import STYLES, read_index
from choreia.errors import ChoreiaError
from choreia.motion.io import bvh
from choreia.motion.skeleton import choreia24
from choreia.synth.choreographer import choreograph
from choreia.types import Motion

COLUMNS = ("path", "skeleton", "corpus", "subject", "take", "format", "true_fps", "seconds", "dance", "text", "source")
CACHE = Path(os.environ.get("CHOREIA_DATA", "/nonexistent"))


def dance(seconds=4.0, seed=1, style="hip-hop"):
    beats = np.arange(0, seconds, 0.5)
    return choreograph(beats, beats[::4], (), style, seed, fps=60, duration_s=seconds).motion


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Four takes as BVH files with wrong frame rates and an index that knows better; one is broken, one has a spike and a T-pose."""
    folder = tmp_path_factory.mktemp("source")
    rows = []
    for k, subject in enumerate(("05", "60", "61", "J")):
        motion = dance(seed=k)
        rotations = motion.rotations.copy()
        if subject == "05":
            rotations[100, 16] = [0, 1, 0, 0]
            rest = np.tile(np.array([1, 0, 0, 0], np.float32), (1, 24, 1))
            motion = Motion(motion.skeleton, motion.root[[0, *range(len(motion))]], np.concatenate([rest, rotations]), 60.0)
        path = folder / f"{subject}_05.bvh"
        bvh.write(path, Motion(motion.skeleton, motion.root, motion.rotations, 120.0))
        rows.append((path.name, "", "cmu", subject, "05", "bvh", "60", "6", "1", "dance", "made here"))
    (folder / "38_01.bvh").write_text("HIERARCHY\nnothing\n")
    rows.append(("38_01.bvh", "", "cmu", "38", "01", "bvh", "60", "6", "0", "walk", "made here"))
    with (folder / "INDEX.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder


@pytest.fixture(scope="module")
def prepared(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    return out, prepare(source, out, workers=1, seed=3, songs=1)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_kept_repaired_and_refused(prepared):
    _, report = prepared
    rows = {row.key: row for row in report.rows}
    assert rows["cmu-05_05"].dropped_frames == 1
    assert rows["cmu-05_05"].spikes >= 1
    assert rows["cmu-38_01"].refused
    assert [row.key for row in report.refused] == ["cmu-38_01"]
    assert all(abs(row.seconds - 4) < 0.05 for row in report.rows if not row.refused)


def test_samples_come_back_as_written(prepared):
    out, _ = prepared
    samples = {sample.labels.key: sample for sample in read_samples(out, verify=True)}
    assert set(samples) == {"cmu-05_05", "cmu-60_05", "cmu-61_05", "cmu-J_05"}
    one = samples["cmu-60_05"]
    assert one.labels.style == "salsa" and one.labels.dance and one.labels.split == "val" and one.labels.kind == "real"
    assert one.motion.fps == 30 and one.fine.fps == 60
    assert len(one.fine) == pytest.approx(2 * len(one.motion), abs=1)
    np.testing.assert_allclose(one.fine.root[::2][:90], one.motion.root[:90], atol=1e-6)
    assert one.contacts.shape == (len(one.motion), 4)
    assert len(one.music) == len(one.labels.music) == 1
    assert all(track.dance.shape == (len(one.motion), 24) for track in one.music)


def test_retargeting_in_the_pipeline_keeps_the_dance(prepared):
    out, _ = prepared
    found = next(s for s in read_samples(out) if s.labels.key == "cmu-61_05").motion
    truth = dance(seed=2)
    np.testing.assert_allclose(found.root, truth.root[::2], atol=0.03)
    np.testing.assert_allclose(found.rotations[:, 9:], truth.rotations[::2, 9:], atol=0.02)


def test_the_couple_stays_together(prepared):
    out, _ = prepared
    labels = {s.labels.key: s.labels for s in read_samples(out)}
    assert labels["cmu-60_05"].split == labels["cmu-61_05"].split
    assert labels["cmu-60_05"].phrase == labels["cmu-61_05"].phrase


def test_the_manifest_hashes_every_shard(prepared):
    out, report = prepared
    manifest = read_manifest(out)
    assert {entry["file"] for entry in manifest["shards"]} == set(report.shards) == {path.name for path in out.glob("*.tar")}
    for entry in manifest["shards"]:
        assert shards.sha256(out / entry["file"]) == entry["sha256"]
    assert "cmu-38_01" in (out / "report.md").read_text()
    assert len(json.loads((out / "report.json").read_text())) == 5


def test_no_pickle_inside(prepared):
    import tarfile

    out, _ = prepared
    for path in out.glob("*.tar"):
        with tarfile.open(path) as tar:
            assert all(name.endswith((".json", ".safetensors")) for name in tar.getnames())


def test_the_beats_of_a_pair_are_in_its_features(prepared):
    out, _ = prepared
    track = next(s for s in read_samples(out) if s.labels.key == "cmu-J_05").music[0]
    pulse = track.dance[:, 6]
    assert len(track.beats_s) >= 4
    frames = np.round(track.beats_s[track.beats_s < 3.9] * 30).astype(int)
    assert (pulse[frames] > 0.8).all()
    between = np.round((track.beats_s[:-1] + np.diff(track.beats_s) / 2) * 30).astype(int)
    assert (pulse[between[between < len(pulse)]] < 0.2).all()


def test_a_second_run_makes_nothing_anew_and_other_workers_make_the_same_bytes(source, prepared, tmp_path, monkeypatch):
    out, _ = prepared
    before = content(out)
    monkeypatch.setattr(prepare_module, "clean", lambda take: pytest.fail("made anew"))
    prepare(source, out, workers=1, seed=3, songs=1)
    assert content(out) == before


def test_interrupted_runs_end_with_the_same_bytes(source, prepared, tmp_path, monkeypatch):
    whole, _ = prepared
    out = tmp_path / "out"
    original = jobs.write_shard
    calls = []

    def power_cut(path, samples):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(path, samples)

    monkeypatch.setattr(jobs, "write_shard", power_cut)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, workers=1, seed=3, songs=1)
    assert not (out / "manifest.json").exists()
    with pytest.raises(ChoreiaError, match="manifest"):
        read_samples(out)
    monkeypatch.undo()
    prepare(source, out, workers=1, seed=3, songs=1)
    assert content(out) == content(whole)


def test_kill_9_leaves_nothing_under_a_final_name(source, prepared, tmp_path):
    whole, _ = prepared
    out = tmp_path / "killed"
    code = f"from choreia.data.prepare import prepare; prepare({str(source)!r}, {str(out)!r}, workers=1, seed=3, songs=1)"
    run = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    deadline = time.time() + 60
    while not list(out.glob("*.tar")) and run.poll() is None and time.time() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    for path in out.glob("[!.]*.tar"):
        assert path.read_bytes() == (whole / path.name).read_bytes()
    prepare(source, out, workers=1, seed=3, songs=1)
    assert content(out) == content(whole)


def test_a_damaged_shard_is_found_and_made_anew(source, prepared, tmp_path):
    whole, _ = prepared
    out = tmp_path / "damaged"
    out.mkdir()
    for name, held in content(whole).items():
        (out / name).write_bytes(held)
    shard = sorted(out.glob("*.tar"))[0]
    shard.write_bytes(shard.read_bytes()[:-2048] + bytes(2047) + b"x")
    with pytest.raises(ChoreiaError, match="hash"):
        read_samples(out, verify=True)
    prepare(source, out, workers=1, seed=3, songs=1)
    assert content(out) == content(whole)


def test_another_seed_is_other_music_and_the_same_dance(source, prepared, tmp_path):
    whole, _ = prepared
    prepare(source, tmp_path / "o", workers=1, seed=4, songs=1)
    for a, b in zip(read_samples(whole), read_samples(tmp_path / "o"), strict=True):
        np.testing.assert_array_equal(a.motion.rotations, b.motion.rotations)
        assert not np.array_equal(a.music[0].dance, b.music[0].dance)


@pytest.mark.parametrize("write", [None, "path,corpus\na,b\n"])
def test_a_folder_without_an_index_is_one_clear_line(tmp_path, write):
    if write:
        (tmp_path / "INDEX.csv").write_text(write)
    with pytest.raises(ChoreiaError, match=r"INDEX\.csv") as caught:
        prepare(tmp_path, tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_short_take_and_a_floating_one_are_refused(source, tmp_path):
    take = next(take for take in read_index(source) if take.subject == "J")
    high = dance(3.0)
    short = high.slice(0, 40)
    bvh.write(tmp_path / "short.bvh", short)
    up = Motion(high.skeleton, high.root + np.linspace(0, 30, len(high))[:, None].astype(np.float32), high.rotations, 60.0)
    bvh.write(tmp_path / "high.bvh", up)
    for name, why in (("short", "too short"), ("high", "not in the data")):
        result = clean(type(take)(**{**vars(take), "path": tmp_path / f"{name}.bvh"}))
        assert isinstance(result, Refusal)
        assert why in result.reason


def test_near_copies_share_a_phrase():
    for group in (("05_18", "05_19", "05_20"), ("49_10", "49_11", "49_13")):
        assert len({splits.phrase(take[:2], take, f"text {take}") for take in group}) == 1
        assert len({splits.split(take[:2], take) for take in group}) == 1
    for number in range(1, 16):
        pair_of = [(subject, f"{subject}_{number:02d}") for subject in ("60", "61")]
        assert len({splits.phrase(*who, "salsa") for who in pair_of}) == len({splits.split(*who) for who in pair_of}) == 1


def test_still_bodies_get_no_music_and_moving_ones_stand_on_their_beats():
    still = Motion(choreia24(), np.zeros((200, 3), np.float32), np.tile(np.array([1, 0, 0, 0], np.float32), (200, 24, 1)), 30.0)
    assert pair(still, "salsa", 2, 0, "still") == ((), ())
    moving = dance(8.0)
    moving = Motion(moving.skeleton, moving.root[::2], moving.rotations[::2], 30.0)
    genres, tracks = pair(moving, "salsa", 2, 0, "a")
    assert len(genres) == len(tracks) == 2
    np.testing.assert_array_equal(tracks[0].beats_s, tracks[1].beats_s)
    again = pair(moving, "salsa", 2, 0, "a")[1]
    np.testing.assert_array_equal(tracks[1].dance, again[1].dance)


def test_fit_cuts_and_holds():
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(fit(values, 2), values[:2])
    np.testing.assert_array_equal(fit(values, 5)[3:], values[[2, 2]])


def test_shards_of_equal_samples_are_equal_bytes(tmp_path):
    motion = dance(2.0)
    labels = Labels("a", "train", STYLES[0], True, "words", "here", "ours", "p", "synthetic", clock.frames_in(2, 30) / 30)
    sample = Sample(labels, motion, np.zeros((len(motion), 4)))
    assert write_shard(tmp_path / "a.tar", [sample]) == write_shard(tmp_path / "b.tar", [sample])
    found = next(iter(shards.read_shard(tmp_path / "a.tar")))
    assert found.labels == labels and found.fine is None and found.music == ()
    np.testing.assert_array_equal(found.motion.rotations, motion.rotations)
    twice = shards.mirrored(shards.mirrored(found))
    np.testing.assert_array_equal(twice.motion.rotations, found.motion.rotations)


@pytest.mark.skipif(not CACHE.is_dir(), reason="CHOREIA_DATA is not set")
def test_the_real_index_is_split_by_phrase_and_subject():
    takes = read_index(CACHE)
    assert len(takes) == 462
    sides = {}
    for take in takes:
        sides.setdefault(take.phrase, set()).add(take.split)
        assert take.style in STYLES
    assert all(len(side) == 1 for side in sides.values())
    test_styles = {take.style for take in takes if take.split == "test" and take.dance}
    assert {"salsa", "ballet", "contemporary", "indian", "party", "hip-hop"} <= test_styles
    assert {"60", "61", "05", "49", "94", "J"} <= {take.subject for take in takes if take.split == "test" and take.dance}


def test_synthetic_dances_carry_exact_labels(tmp_path):
    synthesize(tmp_path / "a", songs=2, seed=1, workers=1)
    synthesize(tmp_path / "b", songs=2, seed=1, workers=1)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    first, second = read_samples(tmp_path / "a", verify=True)
    assert first.labels.style != second.labels.style
    assert first.labels.kind == "synthetic" and first.labels.text
    assert first.music[0].dance.shape == (len(first.motion), 24)
    assert first.contacts.any(axis=1).mean() > 0.5


def test_frames_before_a_leap_of_the_pelvis_are_left_out_and_running_is_none():
    motion = choreograph(np.arange(0, 4, 0.5), np.empty(0), (), "tap", 0, fps=120).motion
    root = motion.root.copy()
    root[:2] += [3.0, 0.0, 1.0]
    kept = without_leaps(Motion(motion.skeleton, root, motion.rotations, motion.fps))
    assert len(kept) == len(motion) - 2 and np.array_equal(kept.root, motion.root[2:])
    running = motion.root + np.arange(len(motion))[:, None] * np.array([6.0 / 120, 0.0, 0.0])
    assert len(without_leaps(Motion(motion.skeleton, running, motion.rotations, motion.fps))) == len(motion)
