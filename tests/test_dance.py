"""Laws of the main job, on the weights that come with the package: length, sameness, difference, stage, feet, odd music."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics.physics import planted_percent
from choreia.motion import io
from choreia.motion.kinematics import positions
from choreia.music import files
from choreia.music.analyze import analyze
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dance import dance
from choreia.pipelines.dancers import dancer
from choreia.synth.composer import compose
from choreia.types import Audio


@pytest.fixture(scope="module")
def song_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    files.write(path, compose(3, 14.3, genre="funk").audio)
    return path


@pytest.fixture(scope="module", params=["dancemeld", "choreographer"])
def taken(request):
    """A dance and the song it is for."""
    song = compose(5, 40.0, genre="pop")
    motion, script = choreograph_song(dancer(request.param), analyze(song.audio), seed=1)
    return motion, script, song


def test_the_dance_is_exactly_as_long_as_the_song(taken):
    motion, _, _ = taken
    assert len(motion) == 1200 and motion.fps == 30


def test_the_dancer_stays_on_stage_and_above_the_floor(taken):
    motion, _, _ = taken
    place = positions(motion)
    assert np.abs(place[:, 0, 0]).max() <= 4 and np.abs(place[:, 0, 2]).max() <= 3
    assert place[..., 1].min() > -0.02
    assert np.linalg.norm(motion.rotations, axis=-1) == pytest.approx(1, abs=1e-4)


def test_feet_are_planted(taken):
    assert planted_percent([taken[0]]) >= 98.5


def test_the_dance_moves_and_ends_still(taken):
    motion, _, _ = taken
    speed = np.linalg.norm(np.diff(positions(motion), axis=0), axis=-1).mean(axis=1) * 30
    assert speed[60:-90].mean() > 0.1
    assert speed[-3:].mean() < 0.1


def test_the_script_names_sections_on_the_counts(taken):
    _, script, song = taken
    assert script.moves and script.style
    assert all(move.end_s > move.start_s >= 0 for move in script.moves)
    assert script.moves[-1].end_s <= song.audio.duration_s + 1


def test_same_seed_same_bytes_in_another_process(song_path, tmp_path):
    dance(song_path, tmp_path / "here", seed=4, formats=("bvh", "npz"))
    command = [sys.executable, "-m", "choreia", "dance", song_path, "-o", tmp_path / "there", "--seed", "4", "--formats", "bvh,npz"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for name in ("dance.bvh", "dance.npz"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_takes_differ_and_say_how_they_were_made(song_path, tmp_path):
    dance(song_path, tmp_path, takes=2, seed=7, formats=("npz", "json"))
    first, second = (positions(io.read(tmp_path / name)) for name in ("dance.npz", "dance_2.npz"))
    assert np.abs(first - second).mean() > 0.05
    note = json.loads((tmp_path / "dance_2.json").read_text())
    assert note["seed"] == 8 and len(note["song"]["sha256"]) == 64 and len(note["weights_sha256"]) == 64


def test_every_format_is_written_and_read_back(song_path, tmp_path):
    dance(song_path, tmp_path, seconds=3.0, start_s=2.0, formats=("bvh", "glb", "npz", "mp4", "json"))
    reference = io.read(tmp_path / "dance.npz")
    assert len(reference) == 90
    for name in ("dance.bvh", "dance.glb"):
        again = io.read(tmp_path / name)
        order = [again.skeleton.index(joint) for joint in reference.skeleton.names]
        assert np.abs(positions(again)[:, order] - positions(reference)).max() < 1e-4
    assert (tmp_path / "dance.mp4").stat().st_size > 10_000


@pytest.mark.parametrize("sound", ["silence", "noise", "one second"])
def test_odd_music_is_danced_to_honestly(sound):
    rate = 22050
    rng = np.random.default_rng(0)
    samples = {"silence": np.zeros(6 * rate), "noise": 0.1 * rng.normal(size=6 * rate), "one second": 0.1 * rng.normal(size=rate)}[sound]
    music = analyze(Audio(samples[None].astype(np.float32), rate))
    motion, _ = choreograph_song(dancer("dancemeld"), music, seed=0)
    assert not music.has_beat
    assert len(motion) == round(len(samples) / rate * 30) and np.isfinite(positions(motion)).all()


def test_silence_is_stood_through():
    music = analyze(Audio(np.zeros((1, 8 * 22050), np.float32), 22050))
    motion, _ = choreograph_song(dancer("dancemeld"), music, seed=0)
    speed = np.linalg.norm(np.diff(positions(motion), axis=0), axis=-1).mean(axis=1) * 30
    assert speed.mean() < 0.05


def test_unknown_style_names_the_known_ones():
    with pytest.raises(ChoreiaError, match="salsa"):
        dancer("dancemeld", "moonwalk")
