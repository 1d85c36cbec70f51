"""Scoring of beats and the training targets of the beat network."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from choreia.metrics import beats_music
from choreia.metrics.beats_music import Labelled
from choreia.models.beats import corpus, recipe
from choreia.models.beats.corpus import Piece
from choreia.types import Audio


def test_held_out_pieces_do_not_depend_on_order():
    names = [Path(f"{i}.mid") for i in range(50)]
    chosen = beats_music.held_out(names, 10)
    assert len(set(chosen)) == 10
    assert chosen == beats_music.held_out(names[::-1], 10)
    assert set(chosen) <= set(beats_music.held_out(names, 20))


def test_f_measure_of_the_truth_is_one_and_of_the_off_beat_zero():
    pytest.importorskip("mir_eval")
    beats_s = np.arange(0, 30, 0.5)
    assert beats_music.f_measure(beats_s, beats_s + 0.06) == 1.0
    assert beats_music.f_measure(beats_s, beats_s + 0.25) == 0.0
    assert beats_music.f_measure(beats_s, beats_s[::2]) == pytest.approx(2 / 3, abs=0.02)
    assert beats_music.f_measure(np.zeros(0), np.zeros(0)) == 1.0
    assert beats_music.f_measure(np.zeros(0), beats_s) == 0.0


def test_beats_outside_the_sound_are_not_asked_for():
    sound = np.zeros((1, 8000), np.float32)
    sound[0, 2000:5000] = 0.5
    song = beats_music.sounding(Labelled("a", Audio(sound, 1000), np.arange(8.0), np.arange(0, 8.0, 4)))
    assert np.array_equal(song.beats_s, [2, 3, 4, 5])
    assert np.array_equal(song.downbeats_s, [4])


def test_targets_stand_on_the_beats():
    assert np.array_equal(recipe.target(np.array([0.2, 4.6, 99.0]), 8), [1, 0.5, 0, 0, 0.5, 1, 0.5, 0])


def test_a_crop_keeps_sound_and_targets_together():
    beats_s = np.arange(0.5, 40, 0.5)
    bands = np.full((2400, 80), -4.0, np.float16)
    bands[np.round(beats_s * 60).astype(int)] = 3.0
    rng = np.random.default_rng(0)
    for _ in range(5):
        sound, targets = recipe.crop(Piece("a", bands, beats_s, beats_s[::4]), 600, rng)
        assert sound.shape == (600, 80) and targets.shape == (600, 2)
        loud = sound.mean(axis=1)
        on = targets[:, 0] == 1
        assert loud[on].mean() > loud[targets[:, 0] == 0].mean() + 2


def test_beatless_sound_is_seeded():
    for seed in range(3):
        first, again = (corpus.beatless_sound(seed, 2.0).samples for _ in range(2))
        assert np.array_equal(first, again)
        assert 0.2 < np.abs(first).max() <= 0.31


@pytest.fixture
def one_thread():
    """Tiny batches are quicker on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_training_is_seeded_and_learns(tmp_path, one_thread):
    beats_s = np.arange(0.2, 20, 0.5)
    bands = np.full((1200, 80), -4.0, np.float16)
    bands[np.round(beats_s * 60).astype(int)] = 2.0
    pieces = [Piece(f"{i}", bands, beats_s, beats_s[::4]) for i in range(3)]
    brief = recipe.Recipe(steps=25, batch=2, crop=300)
    losses = recipe.train(pieces, tmp_path / "a.safetensors", brief)
    assert losses == recipe.train(pieces, tmp_path / "b.safetensors", brief)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:3])


@pytest.mark.skipif("CHOREIA_DATA" not in os.environ, reason="needs the unpacked data")
def test_no_held_out_piece_is_trained_on():
    data = Path(os.environ["CHOREIA_DATA"])
    for pieces, n in ((beats_music.groove_pieces(data), 60), (beats_music.freedoom_pieces(data), 40)):
        kept = beats_music.held_out(pieces, n)
        assert len(kept) == n
        assert not set(corpus._for_training(pieces, n)) & set(kept)
