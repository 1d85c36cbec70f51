"""Bundles: every file or none, nothing replaced unasked, provenance that names its files."""

import hashlib
import json

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.export.bundle import FORMATS, check_outputs, write_bundle
from choreia.motion import io, kinematics
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.types import Audio, Motion, Move, Performance, Script


def performance(frames=8):
    rotations = np.zeros((frames, 24, 4), np.float32)
    rotations[..., 0] = 1
    root = np.tile(np.float32([0, STANDING_HEIGHT_M, 0]), (frames, 1))
    root[:, 0] = np.linspace(0, 0.2, frames)
    audio = Audio(np.zeros((1, 22050), np.float32), 22050)
    script = Script("salsa", (Move(0.0, 0.2, "basic step"),))
    return Performance(audio, None, Motion(choreia24(), root, rotations, 30.0), script, {"seed": 3, "model": "test"})


def test_all_formats_are_written_and_read_back(tmp_path):
    done = []
    files = write_bundle(performance(), tmp_path / "out", FORMATS, stem="take", progress=lambda stage, share: done.append(stage))
    assert [path.name for path in files] == [f"take.{name}" for name in FORMATS]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in files)
    for name in ("bvh", "glb", "npz"):
        back = io.read(tmp_path / "out" / f"take.{name}")
        order = [back.skeleton.index(joint) for joint in choreia24().names]
        assert np.abs(kinematics.positions(back)[:, order] - kinematics.positions(performance().motion)).max() <= 1e-4
    assert "filming" in done


def test_provenance_names_hashes_and_words(tmp_path):
    write_bundle(performance(), tmp_path, ("json", "bvh", "npz"))
    told = json.loads((tmp_path / "dance.json").read_text())
    assert told["seed"] == 3
    assert told["motion"]["frames"] == 8
    assert told["script"]["moves"][0]["text"] == "basic step"
    assert set(told["files_sha256"]) == {"dance.bvh", "dance.npz"}
    for name, digest in told["files_sha256"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_existing_files_need_force(tmp_path):
    write_bundle(performance(), tmp_path, ("npz",))
    before = (tmp_path / "dance.npz").read_bytes()
    with pytest.raises(ChoreiaError, match="--force"):
        write_bundle(performance(4), tmp_path, ("bvh", "npz"))
    assert (tmp_path / "dance.npz").read_bytes() == before
    assert not (tmp_path / "dance.bvh").exists()
    write_bundle(performance(4), tmp_path, ("npz",), force=True)
    assert (tmp_path / "dance.npz").read_bytes() != before


@pytest.mark.parametrize("formats", [("fbx",), ("bvh", "xyz"), ()])
def test_unknown_formats_are_refused_with_the_list(tmp_path, formats):
    with pytest.raises(ChoreiaError, match="bvh, glb, npz"):
        check_outputs(tmp_path, formats, ["dance"], False)
    with pytest.raises(ChoreiaError, match="bvh, glb, npz"):
        write_bundle(performance(), tmp_path / "new", formats)
    assert not (tmp_path / "new").exists()


def test_a_failure_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ChoreiaError("the disk is full")

    monkeypatch.setattr("choreia.render.video.render", fail)
    with pytest.raises(ChoreiaError, match="full"):
        write_bundle(performance(), tmp_path / "new", ("bvh", "mp4", "json"))
    assert not list(tmp_path.iterdir())


def test_interruption_keeps_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "dance.bvh").write_text("old")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("choreia.render.video.render", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(performance(), tmp_path, ("bvh", "mp4"), force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["dance.bvh"]
    assert (tmp_path / "dance.bvh").read_text() == "old"


def test_folder_that_is_a_file_and_motion_that_is_missing(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ChoreiaError, match="is a file"):
        write_bundle(performance(), tmp_path / "file", ("bvh",))
    with pytest.raises(ChoreiaError):
        write_bundle(performance(), tmp_path / "file" / "below", ("bvh",))
    with pytest.raises(ChoreiaError, match="no motion"):
        write_bundle(Performance(), tmp_path, ("json",))


def test_same_performance_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_bundle(performance(), tmp_path / name, ("bvh", "glb", "npz", "json"))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
