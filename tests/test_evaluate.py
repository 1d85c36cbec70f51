"""The evaluator is not fooled: dances on their own songs stand out, swapped songs do not, a frozen figure scores nothing."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics.dances import Danced, Reference, Song, clips, measure, measure_danced
from choreia.pipelines.bench import EdgeSizeDenoiser, edge_size_s
from choreia.pipelines.evaluate import evaluate, table
from choreia.synth.choreographer import choreograph
from choreia.types import Motion

STYLES = ("hip-hop", "krump", "jazz", "tap")


@pytest.fixture(scope="module")
def danced() -> tuple[list[Danced], list[Song]]:
    songs = [Song(f"{bpm}", np.arange(0.3, 24, 60 / bpm), 24.0) for bpm in (83, 97, 111, 127, 139, 151)]
    dances = [
        Danced(choreograph(song.beats_s, song.beats_s[::4], (), STYLES[k % 4], k, duration_s=24).motion, k, np.zeros(0))
        for k, song in enumerate(songs)
    ]
    return dances, songs


def test_own_songs_stand_out_and_swapped_ones_do_not(danced):
    dances, songs = danced
    reference = Reference.of([d.motion for d in dances])
    own = measure_danced("own", dances, songs, reference)
    swapped = measure_danced("swapped", [replace(d, song=(d.song + 1) % len(songs)) for d in dances], songs, reference)
    assert own.precision_z > 2 and own.recall_z > 2
    assert swapped.precision_z < 2 and swapped.recall_z < 2
    assert own.fid_k == pytest.approx(0, abs=1e-6) and own.planted_percent > 98


def test_a_frozen_figure_is_far_from_dance_and_meets_no_beat(danced):
    dances, songs = danced
    reference = Reference.of([d.motion for d in dances])
    motion = dances[0].motion
    still = Motion(motion.skeleton, motion.root[[0] * 720], motion.rotations[[0] * 720], 30.0)
    row = measure_danced("still", [Danced(still, 0, np.zeros(0))], songs, reference)
    assert row.fid_k > 10 and row.div_k < 1e-6
    assert row.precision == row.recall == 0 and row.longest_still_s == pytest.approx(24, abs=0.1)


def test_louder_movement_is_further_away_not_better(danced):
    dances, _ = danced
    motions = [d.motion for d in dances]
    reference = Reference.of(motions)
    rng = np.random.default_rng(0)
    shaken = [replace(m, root=(m.root + rng.normal(0, 0.02, m.root.shape)).astype(np.float32)) for m in motions]
    assert measure("noise", shaken, reference).fid_k > measure("itself", motions, reference).fid_k + 5


def test_clips_overlap_by_half_and_short_takes_are_not_lost(danced):
    motion = danced[0][0].motion
    assert [len(c) for c in clips(motion)] == [150] * 8
    assert len(clips(motion.slice(0, 100))) == 1 and clips(motion.slice(0, 50)) == []


def test_the_edge_size_reference_has_the_published_size():
    layers = EdgeSizeDenoiser().layers.layers
    assert len(layers) == 8 and layers[0].linear1.in_features == 512 and layers[0].self_attn.num_heads == 8
    assert edge_size_s(5.0, steps=2, timed_steps=1) > 0


def test_unknown_subject_and_missing_data_are_one_line():
    with pytest.raises(ChoreiaError, match="dance, tokenizer, beats"):
        evaluate("everything")
    with pytest.raises(ChoreiaError, match="--data"):
        evaluate("dance")


def test_tables_show_what_was_not_measured_as_a_dash():
    assert table([{"a": 1.23456, "b": float("nan"), "c": "x"}]).splitlines()[-1] == "| 1.23 | – | x |"
