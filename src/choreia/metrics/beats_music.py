"""How good are the beats? F-measure at 70 ms on music whose beats are known exactly, beside librosa on the same sound.

Groups: songs of our composer, Groove drum performances and Freedoom pieces, the latter two rendered from MIDI. The MIDI files scored
here are chosen by the hash of their names and are never used to train or to tune (`held_out`); composed songs use seeds of their own.
The first 5 s are not scored, as is usual (mir_eval.beat.trim_beats). Beats where the piece is not sounding are not asked for.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.music.analyze import analyze
from choreia.synth import midi
from choreia.types import Audio

HELD_OUT_GROOVE, HELD_OUT_FREEDOOM = 60, 40
SHORTEST_GROOVE_S = 20.0
PIECE_S = 60.0
COMPOSED_SEEDS = range(1_000_000, 1_000_020)
WINDOW_S = 0.07
RATE = 30720


@dataclass(frozen=True)
class Labelled:
    """Sound with its exact beats and downbeats in seconds."""

    name: str
    audio: Audio
    beats_s: np.ndarray
    downbeats_s: np.ndarray


@dataclass(frozen=True)
class BeatScore:
    """Mean F-measures of one group of `n` pieces; `tempo_right` is the share within 4 % of the true tempo."""

    group: str
    n: int
    beat_f: float
    downbeat_f: float
    librosa_beat_f: float
    tempo_right: float
    librosa_tempo_right: float


def groove_pieces(data: Path) -> list[Path]:
    """Groove performances of a whole beat that last 20 s or more; `data` holds `music/groove_midi`."""
    folder = data / "music" / "groove_midi" / "groove"
    if not (folder / "info.csv").is_file():
        raise ChoreiaError(f"{data} holds no music/groove_midi: unpack the data there")
    with (folder / "info.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["beat_type"] == "beat" and float(row["duration"]) >= SHORTEST_GROOVE_S]
    return [folder / row["midi_filename"] for row in rows]


def freedoom_pieces(data: Path) -> list[Path]:
    """The Freedoom MIDI pieces; `data` holds `music/freedoom_midi`."""
    pieces = sorted((data / "music" / "freedoom_midi").rglob("*.mid"))
    if not pieces:
        raise ChoreiaError(f"{data} holds no music/freedoom_midi: unpack the data there")
    return pieces


def held_out(pieces: list[Path], n: int) -> list[Path]:
    """The `n` pieces kept for scoring: those whose file names hash lowest."""
    return sorted(pieces, key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())[:n]


def render_midi(path: Path, seconds: float = PIECE_S, seed: int = 0) -> Labelled:
    """The first `seconds` of a MIDI file as sound, from its first note on, beats only where it sounds."""
    song = midi.render(path, rate=RATE, seconds=seconds, seed=seed)
    return sounding(Labelled(path.name, song.audio, song.beats_s, song.downbeats_s))


def sounding(song: Labelled) -> Labelled:
    """Without the beats before the first and after the last sound."""
    heard = np.flatnonzero(np.abs(song.audio.mono()) > 1e-3)
    first, last = (heard[0], heard[-1]) if len(heard) else (0, 0)
    span_s = first / song.audio.rate - 0.1, last / song.audio.rate + 0.1
    beats, downbeats = (grid[(grid >= span_s[0]) & (grid <= span_s[1])] for grid in (song.beats_s, song.downbeats_s))
    return Labelled(song.name, song.audio, beats, downbeats)


def composed(seeds: range = COMPOSED_SEEDS, seconds: float = PIECE_S) -> Iterator[Labelled]:
    """Songs of our composer with seeds that training does not use."""
    from choreia.synth.composer import compose

    for seed in seeds:
        song = compose(seed, seconds)
        yield Labelled(f"composed {seed}", song.audio, song.beats_s, song.downbeats_s)


def evaluate_beats(data: Path | None = None) -> list[BeatScore]:
    """Rows for every group and for their mean; without `data` only the composed songs. Needs the `evaluate` extra (librosa, mir_eval)."""
    groups: dict[str, Iterator[Labelled]] = {"composed": composed()}
    if data is not None:
        groups["groove"] = (render_midi(path) for path in held_out(groove_pieces(data), HELD_OUT_GROOVE))
        groups["freedoom"] = (render_midi(path) for path in held_out(freedoom_pieces(data), HELD_OUT_FREEDOOM))
    rows = [score_group(name, songs) for name, songs in groups.items()]
    return [*rows, _mean(rows)]


def score_group(group: str, songs: Iterator[Labelled]) -> BeatScore:
    """Mean scores over the songs of one group."""
    scores = np.array([score(song) for song in songs])
    return BeatScore(group, len(scores), *(float(value) for value in scores.mean(axis=0)))


def score(song: Labelled) -> tuple[float, float, float, float, float]:
    """Beat F, downbeat F, librosa's beat F, and whether our tempo and librosa's are within 4 %, of one song."""
    music = analyze(song.audio)
    peer_s = librosa_beats(song.audio)
    return (
        f_measure(song.beats_s, music.beats_s),
        f_measure(song.downbeats_s, music.downbeats_s),
        f_measure(song.beats_s, peer_s),
        _same_tempo(song.beats_s, music.beats_s),
        _same_tempo(song.beats_s, peer_s),
    )


def f_measure(true_s: np.ndarray, found_s: np.ndarray) -> float:
    """mir_eval's F-measure within 70 ms, the first 5 s left out."""
    import mir_eval

    true_s, found_s = (mir_eval.beat.trim_beats(np.asarray(times, float)) for times in (true_s, found_s))
    return float(mir_eval.beat.f_measure(true_s, found_s, WINDOW_S)) if len(true_s) else float(len(found_s) == 0)


def librosa_beats(audio: Audio) -> np.ndarray:
    """Beats by librosa.beat.beat_track as its documentation uses it (22050 Hz), seconds."""
    import librosa

    samples = librosa.resample(audio.mono(), orig_sr=audio.rate, target_sr=22050)
    return np.asarray(librosa.beat.beat_track(y=samples, sr=22050, units="time")[1], float)


def _same_tempo(true_s: np.ndarray, found_s: np.ndarray) -> float:
    """1 when the median intervals differ by less than 4 %."""
    if len(true_s) < 2 or len(found_s) < 2:
        return float(len(true_s) < 2 and len(found_s) < 2)
    return float(abs(np.median(np.diff(found_s)) / np.median(np.diff(true_s)) - 1) < 0.04)


def _mean(rows: list[BeatScore]) -> BeatScore:
    """The mean of the groups, each counted once."""
    values = np.array([[r.beat_f, r.downbeat_f, r.librosa_beat_f, r.tempo_right, r.librosa_tempo_right] for r in rows]).mean(axis=0)
    return BeatScore("mean of groups", sum(r.n for r in rows), *(float(value) for value in values))
