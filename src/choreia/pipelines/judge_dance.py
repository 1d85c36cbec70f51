"""Whole dances by our models, ablations and baselines on real and composed songs, by the corrected scores: a table of the leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.data.shards import read_samples
from choreia.errors import ChoreiaError
from choreia.metrics import physics, takes
from choreia.metrics.base import Clip, Metric, Result, Song
from choreia.metrics.beats_music import librosa_beats
from choreia.metrics.evaluate import Evidence, results
from choreia.metrics.registry import metrics
from choreia.metrics.takes import Take
from choreia.models.choreia.model import open_weights as open_choreia
from choreia.models.dancemeld.model import open_weights
from choreia.motion.cleanup import lock_feet
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.motion.staging import resting
from choreia.music import files
from choreia.music.analyze import analyze, analyze_file
from choreia.pipelines.choreograph import ANYTHING, choreograph_song, energy_at_frames
from choreia.pipelines.dancers import FPS, Dancer, ModelDancer, TextDancer, dancer
from choreia.pipelines.measuring import Progress, Workers
from choreia.synth.composer import compose
from choreia.types import Motion, Music

RECORDINGS = frozenset((".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".opus"))
COMPOSED = (("funk", 101), ("latin", 102), ("hiphop", 103), ("edm", 104))
COMPOSED_S = 60.0
LONGEST_RECORDINGS = 6
MODELS = ("dancemeld", "choreia")
SYNC = "beat F 100 ms over chance"
COLUMNS = ("FID_k", "FID_g", "KID_k", "Div_k", "Div_g", "coverage")
FAULTS = ("foot slide share", "joint limits", "self-collision", "jerk")
FREEZES = ("PFF", "RS", "LR")
"""LRCM's scores of freezing, as published."""


@dataclass(frozen=True)
class Heard:
    """A song to be danced to: what the analysis heard, and the beats by which synchrony is judged."""

    music: Music
    song: Song


@dataclass(frozen=True)
class Danced:
    """A measured dance with its seams' jerk and its longest still span outside of rests."""

    take: Take
    seam_jerk: float
    longest_still_s: float


@dataclass(frozen=True)
class Entrant:
    """Who dances: a name and how to get one dance to a song with a seed."""

    name: str
    dance: Callable[[Heard, int], tuple[Motion, np.ndarray]]


def dances(data: Path, songs_dir: Path | None, runs: Path | None, seeds: int, workers: int, progress: Progress | None) -> list[dict]:
    """Rows for held-out dance, baselines, the shipped model and its variants, every number from the same judge."""
    held_out, known = real_dance(data, "test"), real_dance(data, "train")
    heard = [*_recorded(songs_dir), *composed()]
    truth = truth_of(held_out)
    rows = [row("real, held out", truth, truth, heard)]
    with Workers(workers, progress) as pool:
        for entrant in _entrants(known, runs):
            made = measured(entrant, heard, seeds, pool)
            rows.append(row(entrant.name, made, truth, heard))
            if entrant.name in MODELS:
                swapped = _swapped(made, [h.song.name for h in heard])
                rows.append(row(f"{entrant.name}, scored with another song", swapped, truth, heard))
    return rows


def truth_of(real: list[Motion]) -> list[Danced]:
    """Real takes, measured."""
    return [judged(motion, f"real {k}", None) for k, motion in enumerate(real)]


def measured(entrant: Entrant, heard: Sequence[Heard], seeds: int, pool: Workers) -> list[Danced]:
    """`seeds` dances to each song, measured."""
    jobs = [(h, 1000 * k + seed) for k, h in enumerate(heard) for seed in range(seeds)]
    return list(pool.map(entrant.name, partial(_dance, entrant), jobs))


def real_dance(data: Path, split: str) -> list[Motion]:
    """Real dance of one split, feet locked as everything that is compared with it; ChoreiaError when there is none."""
    found = [sample for sample in read_samples(data / "real", split) if sample.labels.dance]
    if not found:
        raise ChoreiaError(f"{data}: no real dance in split {split!r}; make it with `choreia prepare`")
    return [lock_feet(sample.motion) for sample in found]


@cache
def judges() -> tuple[Metric, ...]:
    """What every dance is measured by: the table's corrected scores and LRCM's own."""
    corrected = tuple(metric for metric in metrics("corrected") if metric.about.name in (*COLUMNS, *FAULTS, SYNC))
    return corrected + tuple(metric for metric in metrics("lrcm") if metric.about.name in FREEZES)


def judged(motion: Motion, name: str, heard: Heard | None, seams_s: np.ndarray | None = None) -> Danced:
    """All scores of one dance."""
    clip = Clip(name, positions(motion), motion.fps, heard.song.name if heard else None)
    rests = resting(energy_at_frames(heard.music)) if heard and len(motion) == clock.frames_in(heard.music.duration_s, FPS) else None
    seams = physics.seam_jerk_ratio(motion, seams_s) if seams_s is not None and len(seams_s) else np.nan
    return Danced(takes.measure(clip, judges()), seams, physics.longest_still_s(motion, rests))


def _dance(entrant: Entrant, job: tuple[Heard, int]) -> Danced:
    heard, seed = job
    motion, seams_s = entrant.dance(heard, seed)
    return judged(motion, f"{heard.song.name} {seed}", heard, seams_s)


# --------------------------------------------------------------------------------------------------------------- dancers


def _entrants(known: list[Motion], runs: Path | None) -> Iterator[Entrant]:
    """Baselines first, then the shipped models and what was trained beside them."""
    yield Entrant("mean pose", partial(_hold, *_mean_pose(known)))
    yield Entrant("random real clip", partial(_random_real, [motion for motion in known if motion.duration_s >= 10]))
    yield Entrant("choreographer", partial(_by_name, "choreographer"))
    for name in MODELS:
        yield Entrant(name, partial(_by_name, name))
        yield Entrant(f"{name}, no last mile", partial(_raw, name))
    for run in sorted(runs.iterdir()) if runs else ():
        for weights in filter(Path.is_file, (run / "prior" / "weights.safetensors", run / "weights.safetensors")):
            yield Entrant(f"trained here: {run.name}", partial(by_weights, weights))


def _by_name(name: str, heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    return _finished(_opened(name), heard, seed)


def by_weights(weights: Path, heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    """What a trained model dances, with the last mile, and its seams in seconds."""
    return _finished(_trained(weights), heard, seed)


_opened = cache(dancer)


@cache
def _trained(weights: Path) -> Dancer:
    return ModelDancer(open_weights(weights)) if weights.parent.name == "prior" else TextDancer(open_choreia(weights))


def _finished(who: Dancer, heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    motion, _ = choreograph_song(who, heard.music, seed=seed)
    return motion, who.seams_s(heard.music.duration_s)


def _raw(name: str, heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    """As the model samples it: no beat lock, no staging, no foot lock."""
    who = _opened(name)
    return who.move(heard.music, ANYTHING, seed, None)[0], who.seams_s(heard.music.duration_s)


def _mean_pose(known: list[Motion]) -> tuple[np.ndarray, float]:
    """The average pose of training dance, rotations (J, 4) and height in metres."""
    rotations = np.concatenate([motion.rotations for motion in known])
    aligned = rotations * np.where((rotations * rotations[:1]).sum(-1, keepdims=True) < 0, -1, 1)
    mean = aligned.mean(axis=0)
    return mean / np.linalg.norm(mean, axis=-1, keepdims=True), float(np.concatenate([motion.root[:, 1] for motion in known]).mean())


def _hold(pose: np.ndarray, height: float, heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    frames = clock.frames_in(heard.music.duration_s, FPS)
    root = np.tile([0.0, height, 0.0], (frames, 1)).astype(np.float32)
    return Motion(choreia24(), root, np.tile(pose, (frames, 1, 1)).astype(np.float32), FPS), np.zeros(0)


def _random_real(known: list[Motion], heard: Heard, seed: int) -> tuple[Motion, np.ndarray]:
    """A whole take of training dance, in no relation to the music."""
    return known[np.random.default_rng(seed).integers(len(known))], np.zeros(0)


# ----------------------------------------------------------------------------------------------------------------- songs


def _recorded(songs_dir: Path | None) -> Iterator[Heard]:
    """The longest recordings of a folder, judged by librosa's beats, which the dancer has not heard."""
    found = sorted(p for p in songs_dir.rglob("*") if p.suffix.lower() in RECORDINGS) if songs_dir else []
    musics = sorted(((analyze_file(path), path) for path in found), key=lambda pair: -pair[0].duration_s)
    for music, path in musics[:LONGEST_RECORDINGS]:
        yield Heard(music, _song(path.name, music.duration_s, librosa_beats(files.read(path))))


def composed() -> Iterator[Heard]:
    """Four composed songs, judged by their exact beats."""
    for genre, seed in COMPOSED:
        song = compose(seed, COMPOSED_S, genre=genre)
        yield Heard(analyze(song.audio), _song(f"composed {genre}", COMPOSED_S, song.beats_s))


def _song(name: str, duration_s: float, beats_s: np.ndarray) -> Song:
    return Song(name, duration_s, {"beats": beats_s, "strong": beats_s[::4]})


def _swapped(made: list[Danced], names: list[str]) -> list[Danced]:
    """The same dances, each held against the next song."""
    following = dict(zip(names, names[1:] + names[:1], strict=True))
    return [replace(one, take=replace(one.take, song=following[str(one.take.song)])) for one in made]


# ------------------------------------------------------------------------------------------------------------------ rows


def row(name: str, made: Sequence[Danced], truth: Sequence[Danced], heard: Sequence[Heard]) -> dict:
    """One line of the table; scores that do not apply are None."""
    songs = {h.song.name: h.song for h in heard}
    evidence = Evidence(takes=tuple(one.take for one in made), true_takes=tuple(one.take for one in truth), songs=songs)
    found = {result.about.name: result for result in results(judges(), evidence)[0]}
    scores: dict[str, object] = {column: _score(found.get(column)) for column in (*COLUMNS, SYNC)}
    scores |= {column: found[column].value if column in found else None for column in (*FAULTS, *FREEZES)}
    seams = [one.seam_jerk for one in made if np.isfinite(one.seam_jerk)]
    still_s = max(one.longest_still_s for one in made)
    return {"": name, "dances": len(made), **scores, "jerk at seams": float(np.mean(seams)) if seams else None, "longest still s": still_s}


def _score(result: Result | None) -> dict[str, object] | None:
    """Value, interval, z over other songs, and the null models that reach it, as far as there are any."""
    if result is None or result.value is None:
        return None
    z = next((null.z for null in result.nulls if null.null == "other songs"), None)
    reached = [null.null for null in result.nulls if null.reached]
    return {"value": result.value, "low": result.low, "high": result.high, "z": z, "reached": reached}
