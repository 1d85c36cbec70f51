"""Music for motion: songs composed on a take's own visual beats, so that beats, bars and accents of the pair are exact.

There is no recorded music for the real takes; every number that rests on these pairs rests on composed music.
"""

from __future__ import annotations

import zlib

import numpy as np

from choreia import clock
from choreia.data.shards import MusicTrack
from choreia.motion.beats import visual_beats
from choreia.motion.energy import mean_speed
from choreia.music.analyze import analyze
from choreia.synth.composer import Song, compose
from choreia.types import Motion

GENRES: dict[str, tuple[str, ...]] = {
    "salsa": ("latin", "latin", "pop"),
    "ballet": ("ballad", "pop", "swing"),
    "contemporary": ("ballad", "rnb", "pop"),
    "indian": ("latin", "funk", "edm"),
    "charleston": ("swing", "swing", "funk"),
    "jazz": ("swing", "funk", "pop"),
    "tap": ("swing", "swing", "funk"),
    "hip-hop": ("hiphop", "rnb", "funk"),
    "krump": ("hiphop", "edm", "hiphop"),
    "popping": ("funk", "hiphop", "edm"),
    "locking": ("funk", "funk", "pop"),
    "disco": ("funk", "edm", "pop"),
    "bollywood": ("latin", "funk", "edm"),
    "waltz": ("ballad", "swing", "pop"),
    "party": ("pop", "edm", "hiphop"),
    "everyday": ("pop", "hiphop", "edm"),
}
"""Genres that a style is danced to, the usual one first. None is a waltz by itself; any can be composed in bars of three."""

_QUIET_M_S = 0.15  # mean joint speed that counts as rest in the energy of the music,
_LIVELY_M_S = 1.2  # and as full


def pair(motion: Motion, style: str, variants: int, seed: int, name: str) -> tuple[tuple[str, ...], tuple[MusicTrack, ...]]:
    """Compose music to a motion.

    Args:
        motion: T frames at 30 fps on choreia-24.
        style: a key of `GENRES`.
        variants: number of songs.
        seed: the same seed and name give the same songs.
        name: of the take.
    Returns:
        Genres and music tracks, equally many; none when the movement has no beat.
    """
    beats = _inside(visual_beats(motion), motion.duration_s)
    if len(beats) < 4:
        return (), ()
    speed = mean_speed(motion)
    genres = [GENRES[style][k % len(GENRES[style])] for k in range(variants)]
    songs = [zlib.crc32(f"{seed}/{name}/{k}".encode()) for k in range(variants)]
    return tuple(genres), tuple(_track(motion, genre, song, beats, speed) for genre, song in zip(genres, songs, strict=True))


def _track(motion: Motion, genre: str, seed: int, beats: np.ndarray, speed: np.ndarray) -> MusicTrack:
    level = np.clip((speed - _QUIET_M_S) / (_LIVELY_M_S - _QUIET_M_S), 0, 1)
    accents, energy = _accents(beats, speed, motion.fps), _slow(level, motion.fps)
    song = compose(seed, motion.duration_s, genre=genre, beats_s=beats, accents=accents, energy=energy)
    return track_of(song, len(motion))


def track_of(song: Song, frames: int) -> MusicTrack:
    """What shards keep of a composed song for a dance of `frames` frames: its own beats, bars and sections, all else as analysed."""
    music = analyze(song.audio, beats_s=song.beats_s, downbeats_s=song.downbeats_s)
    labels = [section.label for section in song.sections]
    return MusicTrack(
        fit(music.features["dance"].values, frames),
        song.beats_s,
        song.downbeats_s,
        fit(music.features["logmel"].values, frames).astype(np.float16),
        music.events.offbeat_s,
        music.events.subdivision_s,
        np.array([section.start_s for section in song.sections]),
        np.array([labels.index(label) for label in labels], np.int64),
    )


def fit(values: np.ndarray, frames: int) -> np.ndarray:
    """Features (n, C) cut, or continued with their last row, to `frames` rows; float32."""
    return values[np.minimum(np.arange(frames), len(values) - 1)].astype(np.float32)


def _inside(beats: np.ndarray, duration_s: float) -> np.ndarray:
    """Beats within the take, the first moved to 0 when it is less than a frame before."""
    beats = np.where((beats < 0) & (beats > -0.04), 0.0, beats)
    return beats[(beats >= 0) & (beats < duration_s)]


def _accents(beats: np.ndarray, speed: np.ndarray, fps: float) -> np.ndarray:
    """Strength in [0, 1] of each beat: how much the body brakes into it, 1 for the take's 95th percentile."""
    before = clock.resample(speed, fps, np.maximum(beats - 0.15, 0))
    brake = np.maximum(before - clock.resample(speed, fps, beats), 0)
    return np.clip(brake / max(float(np.percentile(brake, 95)), 1e-6), 0, 1)


def _slow(level: np.ndarray, fps: float) -> np.ndarray:
    """Mean over two seconds."""
    width = min(round(2 * fps) | 1, len(level) | 1)
    padded = np.pad(level, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")[: len(level)]
