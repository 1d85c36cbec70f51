"""Measuring the files of a folder in several processes: songs, takes, generated music and films, latents, captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from choreia.data import peers
from choreia.data.jobs import single_threaded
from choreia.data.peers import Folder
from choreia.errors import ChoreiaError
from choreia.metrics import takes
from choreia.metrics.base import Clip, RetrievalMetric, Song, SyncMetric
from choreia.metrics.evaluate import Evidence
from choreia.metrics.registry import metrics
from choreia.metrics.takes import Take
from choreia.motion.io import npz

Progress = Callable[[str, float], None]
Job = TypeVar("Job")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Options:
    """What to score and how; see `evaluate`."""

    dialect: str = "corrected"
    fps: float | None = None
    workers: int = 2
    seed: int = 0


DEFAULT = Options()

SHORT_S, STILL_M = 1.0, 1e-3
"""A take shorter than this, or whose joints all stay within this, is said to be so."""


@dataclass(frozen=True)
class Failure:
    """Why a file could not be measured, its path included."""

    why: str

    @classmethod
    def of(cls, path: Path, error: ChoreiaError) -> Failure:
        """From an error that may name the file already."""
        return cls(str(error) if str(path) in str(error) else f"{path}: {error}")


class Workers:
    """A pool of processes with one thread each; results come in the order of the jobs, failures as `Failure`."""

    def __init__(self, count: int, progress: Progress | None) -> None:
        self.count, self.progress = count, progress
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def map(self, stage: str, run: Callable[[Job], Made], jobs: list[Job]) -> Iterator[Made]:
        """Results of `run` over `jobs`."""
        for done, made in enumerate(self._results(run, jobs), start=1):
            if self.progress:
                self.progress(stage, done / len(jobs))
            yield made

    def _results(self, run: Callable[[Job], Made], jobs: list[Job]) -> Iterable[Made]:
        if self.count <= 1 or len(jobs) < 2 * self.count:
            return map(run, jobs)
        if self.pool is None:
            self.pool = single_threaded(self.count)
        return self.pool.map(run, jobs, chunksize=max(1, min(8, len(jobs) // (4 * self.count))))


def songs(names: list[str], sounds: dict[str, Path], chosen: tuple, workers: Workers) -> tuple[dict[str, Song], list[Failure]]:
    """The songs that the takes belong to, heard with the ears of every dialect in question."""
    wanted = sorted({song for name in names if (song := peers.song_of(name, list(sounds)))})
    ears = sorted({metric.grid for metric in chosen if isinstance(metric, SyncMetric)} - {"beats", "strong"})
    heard = list(workers.map("music", partial(_hear, ears=tuple(ears)), [(name, sounds[name]) for name in wanted]))
    return {song.name: song for song in heard if isinstance(song, Song)}, [song for song in heard if isinstance(song, Failure)]


def _hear(job: tuple[str, Path], ears: tuple[str, ...]) -> Song | Failure:
    name, path = job
    try:
        return peers.hear(path, name, ears)
    except ChoreiaError as error:
        return Failure.of(path, error)


def dances(here: Folder, songs: dict[str, Song], options: Options, workers: Workers) -> tuple[list[Take], list[Failure], tuple[str, ...]]:
    """The takes of a folder, measured; files that failed; and what was done to the others, counted."""
    run = partial(_dance, songs=tuple(songs), dialect=options.dialect, fps=options.fps)
    done = list(workers.map("takes", run, list(here.motions.items())))
    made = [one for one in done if isinstance(one, tuple)]
    counts = Counter(note for _, notes in made for note in notes)
    words = tuple(f"{count} of {len(made)} takes: {note}" for note, count in counts.items())
    return [take for take, _ in made], [one for one in done if isinstance(one, Failure)], words


def _dance(job: tuple[str, Path], songs: tuple[str, ...], dialect: str, fps: float | None) -> tuple[Take, tuple[str, ...]] | Failure:
    name, path = job
    try:
        clip, notes = peers.read_clip(path, name, fps)
        return takes.measure(peers.with_song(clip, songs), metrics(dialect)), (*notes, *_little(clip))
    except ChoreiaError as error:
        return Failure.of(path, error)


def _little(clip: Clip) -> tuple[str, ...]:
    """Words on a take that gives scores little to go by."""
    short = (f"shorter than {SHORT_S:g} s, so that scores of movement say little",) if clip.duration_s < SHORT_S else ()
    still = float(np.ptp(clip.joints, axis=0).max()) < STILL_M
    return (*short, "no joint moves") if still else short


def others(here: Folder, there: Folder | None, options: Options, workers: Workers) -> tuple[Evidence, list[Failure]]:
    """Generated music and films beside the true ones of a reference, latents and captions."""
    pairs = sorted(set(here.sounds) & set(there.sounds)) if there else []
    films = (here.videos, there.videos) if there and there.videos else ({}, {})
    sound, film = partial(_sound, dialect=options.dialect), partial(_film, dialect=options.dialect)
    done = [
        list(workers.map(stage, run, jobs))
        for stage, run, jobs in (
            ("music", sound, [(name, here.sounds[name]) for name in pairs]),
            ("true music", sound, list(there.sounds.items()) if there and pairs else []),
            ("films", film, list(films[0].items())),
            ("true films", film, list(films[1].items())),
        )
    ]
    good = [tuple(one for one in part if isinstance(one, Take)) for part in done]
    failures = [one for part in done for one in part if isinstance(one, Failure)]
    latents = {name: _tried(_latents, path) for name, path in here.latents.items()}
    captions = _tried(peers.read_captions, here.captions) if here.captions else None
    failures += [one for one in (*latents.values(), captions) if isinstance(one, Failure)]
    return Evidence(
        sounds=good[0], true_sounds=good[1], films=good[2], true_films=good[3],
        latents={name: arrays for name, arrays in latents.items() if not isinstance(arrays, Failure)},
        captions=None if isinstance(captions, Failure) else captions,
    ), failures  # fmt: skip


def _tried(read: Callable[[Path], Made], path: Path) -> Made | Failure:
    try:
        return read(path)
    except ChoreiaError as error:
        return Failure.of(path, error)


def _latents(path: Path) -> dict[str, np.ndarray]:
    """Arrays of finite numbers, (T, d) or (d,)."""
    arrays = npz.load(path)
    for name, values in arrays.items():
        if values.dtype.kind not in "fiu" or values.ndim not in (1, 2) or not values.size or not np.isfinite(values).all():
            raise ChoreiaError(f"{path}: {name!r} must be finite numbers (T, d) or (d,), not {values.dtype} {values.shape}")
    return arrays


def _sound(job: tuple[str, Path], dialect: str) -> Take | Failure:
    from choreia.music import files

    name, path = job
    try:
        audio = files.read(path)
        return takes.measure_sound(name, audio.mono(), audio.rate, metrics(dialect))
    except ChoreiaError as error:
        return Failure.of(path, error)


def _film(job: tuple[str, Path], dialect: str) -> Take | Failure:
    from choreia.metrics.film import read_frames

    name, path = job
    try:
        frames, fps = read_frames(path)
        return takes.measure_film(name, frames, fps, metrics(dialect))
    except ChoreiaError as error:
        return Failure.of(path, error)


def embeddings(here: Folder, chosen: tuple, options: Options) -> tuple[np.ndarray, np.ndarray] | None:
    """Motions and their texts (NAME.txt) in the space of our text–motion encoder."""
    texts = {name: here.texts[name].read_text(encoding="utf-8", errors="replace").strip() for name in here.motions if name in here.texts}
    both = [name for name, text in sorted(texts.items()) if text]
    if len(both) < 2 or not any(isinstance(metric, RetrievalMetric) for metric in chosen):
        return None
    from choreia.models.textmotion.model import load

    encoder = load()
    clips = [clip for name in both if isinstance(clip := read(name, here, options), Clip)]
    return encoder.embed_motions([(clip.joints, clip.fps) for clip in clips]), encoder.embed_texts([texts[clip.name] for clip in clips])


def read(name: str, here: Folder, options: Options) -> Clip | None:
    """A take of a folder again, None when it cannot be read."""
    try:
        return peers.read_clip(here.motions[name], name, options.fps)[0]
    except ChoreiaError:
        return None
