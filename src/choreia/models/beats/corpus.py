"""Training material of the beat network: spectra with exact beats, one .npz a piece.

Sources: Groove and Freedoom MIDI (without the pieces held out for scoring) rendered by `synth.midi`, songs of `synth.composer`, and
beatless sound (noises, drones, sounds at random times), whose right answer is that there is no beat.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from choreia.metrics import beats_music
from choreia.metrics.beats_music import Labelled
from choreia.music import files, spectrum
from choreia.types import Audio


@dataclass(frozen=True)
class Piece:
    """Beat bands (n, 80) float16 at 60 fps; beats and downbeats in seconds."""

    name: str
    bands: np.ndarray
    beats_s: np.ndarray
    downbeats_s: np.ndarray


def build(data: Path, folder: Path, composed_songs: int, beatless: int) -> None:
    """Write the whole corpus into `folder`; pieces that are already there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for song in _midi_songs(data, folder):
        _save(folder, song)
    for seed in range(composed_songs):
        if not _path(folder, f"composed-{seed}").exists():
            song = next(beats_music.composed(range(seed, seed + 1)))
            _save(folder, Labelled(f"composed-{seed}", song.audio, song.beats_s, song.downbeats_s))
    for seed in range(beatless):
        _save(folder, Labelled(f"beatless-{seed}", beatless_sound(seed), np.zeros(0), np.zeros(0)))


def load(folder: Path) -> list[Piece]:
    """All pieces of a folder, in order of name."""
    pieces = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as held:
            pieces.append(Piece(path.stem, held["bands"], held["beats_s"], held["downbeats_s"]))
    return pieces


def for_development(piece: Piece) -> bool:
    """Whether a piece is one of the twelfth part that is not trained on, so that the tracker's settings can be chosen on it."""
    material = re.sub(r"^midi-\d+-", "", piece.name)
    return int(hashlib.sha256(material.encode()).hexdigest(), 16) % 12 == 0


def _midi_songs(data: Path, folder: Path) -> Iterator[Labelled]:
    """Groove performances once, 60 s each; Freedoom pieces in two sets of voices, 120 s each."""
    groove, freedoom = beats_music.groove_pieces(data), beats_music.freedoom_pieces(data)
    jobs = [(path, 60.0, 1) for path in _for_training(groove, beats_music.HELD_OUT_GROOVE)]
    jobs += [(path, 120.0, seed) for path in _for_training(freedoom, beats_music.HELD_OUT_FREEDOOM) for seed in (1, 2)]
    for path, seconds, seed in jobs:
        name = f"midi-{seed}-{path.stem}"
        if not _path(folder, name).exists():
            song = beats_music.render_midi(path, seconds, seed)
            yield Labelled(name, song.audio, song.beats_s, song.downbeats_s)


def _for_training(pieces: list[Path], held_out: int) -> list[Path]:
    """The pieces that are not held out."""
    kept_away = set(beats_music.held_out(pieces, held_out))
    return [path for path in pieces if path not in kept_away]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


def _save(folder: Path, song: Labelled) -> None:
    bands = spectrum.measure(files.stream_audio(song.audio, spectrum.RATE)).beats.astype(np.float16)
    np.savez(_path(folder, song.name), bands=bands, beats_s=song.beats_s, downbeats_s=song.downbeats_s)


def beatless_sound(seed: int, seconds: float = 30.0) -> Audio:
    """Sound in which nobody can count: by `seed`, coloured noise with slow swells, a drone, or plucks at random times."""
    rng = np.random.default_rng(seed)
    n = round(seconds * spectrum.RATE)
    swell = np.interp(np.arange(n), np.linspace(0, n, 12), rng.uniform(0.2, 1.0, 12))
    sound = (_noise, _drone, _plucks)[seed % 3](n, rng) * swell + rng.normal(0, 10 ** rng.uniform(-5, -2.5), n)
    return Audio((0.3 * sound / max(float(np.abs(sound).max()), 1e-6)).astype(np.float32)[None], spectrum.RATE)


def _noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as 1 / f^k, k from 0 to 2."""
    spectrum_of_noise = np.fft.rfft(rng.normal(size=n)) / np.maximum(np.arange(n // 2 + 1), 1) ** rng.uniform(0, 1)
    sound = np.fft.irfft(spectrum_of_noise, n)
    return sound / np.abs(sound).max()


def _drone(n: int, rng: np.random.Generator) -> np.ndarray:
    """A held chord whose partials drift in level."""
    t = np.arange(n) / spectrum.RATE
    tones = rng.uniform(60, 600, rng.integers(1, 5))[:, None] * np.arange(1, 9)
    levels = rng.uniform(0.3, 1, (tones.size, 8)) / np.tile(np.arange(1, 9), len(tones))[:, None]
    knots = np.linspace(0, t[-1], 8)
    partials = zip(tones.ravel(), levels, strict=True)
    return sum(np.interp(t, knots, level) * np.sin(2 * np.pi * hz * t) for hz, level in partials) / tones.size


def _plucks(n: int, rng: np.random.Generator) -> np.ndarray:
    """Decaying tones and bursts at random times, 0.5 to 4 a second."""
    sound = np.zeros(n)
    for at in rng.integers(0, n - spectrum.RATE, int(n / spectrum.RATE * rng.uniform(0.5, 4))):
        t = np.arange(spectrum.RATE) / spectrum.RATE
        tone = np.sin(2 * np.pi * rng.uniform(80, 2000) * t) if rng.random() < 0.6 else rng.normal(0, 0.5, len(t))
        sound[at : at + len(t)] += tone * np.exp(-t * rng.uniform(4, 40)) * rng.uniform(0.2, 1)
    return sound
