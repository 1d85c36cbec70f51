"""Synthetic training shards: composed songs danced by the choreographer, with exact beats, bars, contacts and words; no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from choreia.data import jobs
from choreia.data.clean import FINE_FPS, FPS
from choreia.data.jobs import Job, Progress, Report, Row
from choreia.data.pairing import GENRES, fit
from choreia.data.shards import Labels, MusicTrack, Sample
from choreia.motion.cleanup import foot_contacts, resample
from choreia.music.analyze import analyze
from choreia.synth.choreographer import choreograph
from choreia.synth.composer import compose
from choreia.synth.moves import STYLES

SONGS_IN_SHARD = 8
_LENGTH_S = (32.0, 48.0)
_LICENCE = "Apache-2.0, made by Choreia"


def synthesize(out_dir: str | Path, songs: int, seed: int = 0, workers: int = 2, progress: Progress | None = None) -> Report:
    """Compose songs and dance to them.

    Args:
        out_dir: gets train-*.tar and val-*.tar (every eighth shard) and the manifest, as `prepare` writes them.
        songs: how many; styles take turns, each with the genres it is danced to.
        seed: the same seed gives the same bytes.
        workers: processes; 1 works in this one.
        progress: called with "shards" and the share that is done.
    """
    out = Path(out_dir)
    planned = []
    for number, first in enumerate(range(0, songs, SONGS_IN_SHARD)):
        split = "val" if number % 8 == 7 else "train"
        items = tuple(range(first, min(first + SONGS_IN_SHARD, songs)))
        path = out / f"{split}-{number:05d}.tar"
        planned.append(Job(path, split, items, seed, 1, _make, f"synthetic {items}"))
    report = jobs.run(planned, out, workers, progress)
    jobs.finish(planned, out)
    return report


def _make(job: Job) -> tuple[list[Sample], list[Row]]:
    samples = [make_sample(number, job.seed, job.split) for number in job.items]
    return samples, [_row(sample.labels) for sample in samples]


def _row(labels: Labels) -> Row:
    return Row(labels.key, labels.split, labels.style, True, labels.seconds, songs=1)


def make_sample(number: int, seed: int, split: str) -> Sample:
    """Song and dance `number` of a corpus of `seed`."""
    rng = np.random.default_rng((seed, number))
    style = list(STYLES)[number % len(STYLES)]
    genre = str(rng.choice(GENRES[style]))
    song = compose(int(rng.integers(2**31)), float(rng.uniform(*_LENGTH_S)), genre=genre)
    length_s = song.audio.duration_s
    dance = choreograph(
        song.beats_s, song.downbeats_s, song.sections, style, int(rng.integers(2**31)), FINE_FPS, song.energy, length_s
    )
    motion = resample(dance.motion, FPS)
    features = analyze(song.audio, beats_s=song.beats_s, downbeats_s=song.downbeats_s).features["dance"].values
    key = f"synth-{seed}-{number:05d}"
    labels = Labels(
        key, split, style, True, dance.script.style, "choreia.synth", _LICENCE, key, "synthetic", len(motion) / FPS, (genre,)
    )
    track = MusicTrack(fit(features, len(motion)), song.beats_s, song.downbeats_s)
    return Sample(labels, motion, foot_contacts(motion, floor_m=0.0), dance.motion, (track,))
