"""Synthetic training shards: composed songs danced by the choreographer, with exact beats, bars, contacts and words; no download.

Styles take turns. Two cards of three that a song deals to its phrases are figures of its style, the third is another style's, danced in the
manner of this one, so that what is danced can be told from how. Decks run on from song to song: no figure comes again before all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from choreia.data import jobs
from choreia.data.clean import FINE_FPS, FPS
from choreia.data.decouple import relabelled
from choreia.data.jobs import Job, Progress, Report, Row
from choreia.data.pairing import GENRES, track_of
from choreia.data.shards import Labels, Sample
from choreia.motion.cleanup import foot_contacts, resample
from choreia.synth.choreographer import choreograph
from choreia.synth.composer import compose
from choreia.synth.counting import counts_per_beat
from choreia.synth.genres import GENRES as TEMPI
from choreia.synth.moves import STYLES, Style
from choreia.synth.moves.notation import Figure

SONGS_IN_SHARD = 8
_LENGTH_S = (32.0, 48.0)
_CARDS, _OTHERS = 1.3, 4  # cards that a phrase is dealt, and cards of other styles that a song is, on average
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


def cards(number: int, seed: int) -> tuple[Figure, ...]:
    """Figures to deal to song `number` of a corpus of `seed`: blocks of two of its own style and one of another, in any order."""
    index, turn = number % len(STYLES), number // len(STYLES)
    style = list(STYLES.values())[index]
    everyone = tuple(figure for other in STYLES.values() for figure in other.figures)
    own = _dealt(style.figures, round(turn * _own_cards(style)), 64, (seed, 1, index))
    others = [figure for figure in _dealt(everyone, number * _OTHERS, 64, (seed, 2)) if figure not in style.figures]
    rng = np.random.default_rng((seed, 3, number))
    blocks = zip(own[::2], own[1::2], others, strict=False)
    return tuple(block[k] for block in blocks for k in rng.permutation(3))


def _own_cards(style: Style) -> float:
    """Cards of its own that a song of the style uses, on average: so far on does the next song's deck begin."""
    bpm = float(np.mean([TEMPI[genre].bpm for genre in GENRES[style.name]]))
    phrase_s = 2 * style.metre * 60 / (bpm * counts_per_beat(60 / bpm, style))
    return 2 / 3 * _CARDS * float(np.mean(_LENGTH_S)) / phrase_s


def _dealt(figures: Sequence[Figure], first: int, count: int, seed: tuple[int, ...]) -> list[Figure]:
    """Cards `first`, … of an endless row of shuffled decks of `figures`."""
    size = len(figures)
    orders = {deck: np.random.default_rng((*seed, deck)).permutation(size) for deck in range(first // size, (first + count) // size + 1)}
    return [figures[orders[k // size][k % size]] for k in range(first, first + count)]


def make_sample(number: int, seed: int, split: str) -> Sample:
    """Song and dance `number` of a corpus of `seed`."""
    rng = np.random.default_rng((seed, number))
    style = list(STYLES)[number % len(STYLES)]
    genre = str(rng.choice(GENRES[style]))
    song = compose(int(rng.integers(2**31)), float(rng.uniform(*_LENGTH_S)), genre=genre, meter=STYLES[style].metre)
    length_s = song.audio.duration_s
    dance = choreograph(
        song.beats_s,
        song.downbeats_s,
        song.sections,
        style,
        int(rng.integers(2**31)),
        FINE_FPS,
        song.energy,
        length_s,
        cards=cards(number, seed),
    )
    motion = resample(dance.motion, FPS)
    key = f"synth-{seed}-{number:05d}"
    labels = Labels(
        key,
        split,
        style,
        True,
        dance.script.style,
        "choreia.synth",
        _LICENCE,
        key,
        "synthetic",
        len(motion) / FPS,
        (genre,),
        tuple((move.start_s, move.end_s, move.text) for move in dance.script.moves),
    )
    track = track_of(song, len(motion))
    return relabelled(Sample(labels, motion, foot_contacts(motion, floor_m=0.0), dance.motion, (track,)))
