"""Whole dances by the model on real and composed songs, beside baselines and nulls: the rows of `choreia evaluate dance`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.data.shards import read_samples
from choreia.errors import ChoreiaError
from choreia.metrics.beats_music import librosa_beats
from choreia.metrics.dances import Danced, Reference, Row, Song, measure_danced
from choreia.motion.cleanup import lock_feet
from choreia.motion.skeleton import choreia24
from choreia.motion.staging import resting
from choreia.music import files
from choreia.music.analyze import analyze, analyze_file
from choreia.pipelines.choreograph import FPS, choreograph_song, dancer, energy_at_frames
from choreia.synth.composer import compose
from choreia.types import Motion, Music

Progress = Callable[[str, float], None]
RECORDINGS = frozenset((".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".opus"))
COMPOSED = (("funk", 101), ("latin", 102), ("hiphop", 103), ("edm", 104))
COMPOSED_S = 60.0
LONGEST_RECORDINGS = 6
EMPTY = np.zeros(0)


@dataclass(frozen=True)
class Heard:
    """A song to be danced to: what the analysis heard, and the beats by which synchrony is judged."""

    music: Music
    song: Song


def dances(data: Path, songs_dir: Path | None, seeds: int, progress: Progress | None = None) -> list[Row]:
    """The model beside held-out and training dance, a mean pose, real clips without regard to the music, and the choreographer."""
    held_out, known = takes(data, "test"), takes(data, "train")
    reference = Reference.of(held_out)
    heard = list(_heard(songs_dir))
    songs = [h.song for h in heard]
    made = {name: _danced(name, heard, seeds, progress) for name in ("dancemeld", "choreographer")}
    swapped = [replace(d, song=(d.song + 1) % len(songs)) for d in made["dancemeld"]]
    sets = {
        "real, held out": [Danced(m, 0, EMPTY) for m in held_out],
        "mean pose": [Danced(_mean_pose(known, h.music.duration_s), k, EMPTY) for k, h in enumerate(heard)],
        "random real clip": list(_random_real(known, heard, seeds)),
        "choreographer": made["choreographer"],
        "model, music of another song": swapped,
        "model": made["dancemeld"],
    }
    rows = [measure_danced(name, danced, songs, reference) for name, danced in sets.items()]
    return [_without_synchrony(row) if row.name == "real, held out" else row for row in rows]


def takes(data: Path, split: str) -> list[Motion]:
    """Real dance of one split, feet locked as everything that is compared with it; ChoreiaError when there is none."""
    found = [sample for sample in read_samples(data / "real", split) if sample.labels.dance]
    if not found:
        raise ChoreiaError(f"{data}: no real dance in split {split!r}; make it with `choreia prepare`")
    return [lock_feet(sample.motion) for sample in found]


def _heard(songs_dir: Path | None) -> Iterator[Heard]:
    """The longest recordings of a folder, judged by librosa's beats, and four composed songs, judged by their exact beats."""
    found = sorted(p for p in songs_dir.rglob("*") if p.suffix.lower() in RECORDINGS) if songs_dir else []
    musics = sorted(((analyze_file(path), path) for path in found), key=lambda pair: -pair[0].duration_s)
    for music, path in musics[:LONGEST_RECORDINGS]:
        yield Heard(music, Song(path.name, _librosa_beats(path), music.duration_s))
    for genre, seed in COMPOSED:
        song = compose(seed, COMPOSED_S, genre=genre)
        yield Heard(analyze(song.audio), Song(f"composed {genre}", song.beats_s, COMPOSED_S))


def _librosa_beats(path: Path) -> np.ndarray:
    """Beats of an independent tracker, so that the dance is not judged by the beats that it was made on."""
    return librosa_beats(files.read(path))


def _danced(name: str, heard: list[Heard], seeds: int, progress: Progress | None) -> list[Danced]:
    who, made = dancer(name), []
    for k, one in enumerate(heard):
        for seed in range(seeds):
            motion, _ = choreograph_song(who, one.music, style=None, seed=1000 * k + seed)
            made.append(Danced(motion, k, who.seams_s(one.music.duration_s), resting(energy_at_frames(one.music))))
            if progress:
                progress(name, len(made) / (len(heard) * seeds))
    return made


def _mean_pose(known: list[Motion], duration_s: float) -> Motion:
    """The average pose of training dance, held."""
    rotations = np.concatenate([motion.rotations for motion in known])
    aligned = rotations * np.where((rotations * rotations[:1]).sum(-1, keepdims=True) < 0, -1, 1)
    mean = aligned.mean(axis=0)
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    height = np.concatenate([motion.root[:, 1] for motion in known]).mean()
    frames = clock.frames_in(duration_s, FPS)
    root = np.tile([0.0, height, 0.0], (frames, 1)).astype(np.float32)
    return Motion(choreia24(), root, np.tile(mean, (frames, 1, 1)).astype(np.float32), FPS)


def _random_real(known: list[Motion], heard: list[Heard], seeds: int) -> Iterator[Danced]:
    """For every song as many stretches of training dance as the model makes dances, in no relation to the music."""
    rng = np.random.default_rng(0)
    longest = [motion for motion in known if motion.duration_s >= 10]
    for k in range(len(heard)):
        for _ in range(seeds):
            yield Danced(longest[rng.integers(len(longest))], k, EMPTY)


def _without_synchrony(row: Row) -> Row:
    """Held-out takes have no song of their own here."""
    return replace(row, precision=np.nan, precision_z=np.nan, recall=np.nan, recall_z=np.nan)
