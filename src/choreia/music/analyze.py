"""From sound to `Music`: one pass over the samples, then beats, sections, events and features from what the pass kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.music import beats, features, files, spectrum, structure
from choreia.music.spectrum import FPS, Spectra
from choreia.types import Audio, Features, Music, RhythmEvents


def analyze(audio: Audio, beats_s: np.ndarray | None = None, downbeats_s: np.ndarray | None = None) -> Music:
    """Analyse sound in memory.

    Args:
        audio: any rate and number of channels.
        beats_s, downbeats_s: (B,), (D,) seconds, where they are known exactly; found when None.

    Raises:
        ChoreiaError: no samples, or samples that are not numbers.
    """
    return analyze_blocks(files.stream_audio(audio, spectrum.RATE), beats_s, downbeats_s)


def analyze_file(path: str | Path, start_s: float = 0.0, seconds: float | None = None) -> Music:
    """Analyse a file, or a stretch of it (times then count from `start_s`), without holding its samples. Errors as `files.read`."""
    return analyze_blocks(files.stream(path, spectrum.RATE, start_s=start_s, seconds=seconds))


def analyze_blocks(blocks: Iterable[np.ndarray], beats_s: np.ndarray | None = None, downbeats_s: np.ndarray | None = None) -> Music:
    """Analyse consecutive mono blocks (n,) at `spectrum.RATE` Hz."""
    spectra = spectrum.measure(blocks)
    likeness = beats.activation(spectra)
    grid = _grid(likeness, beats_s, downbeats_s)
    sections = structure.sections(spectra, grid.downbeats_s)
    eights_s = structure.eight_counts(grid.downbeats_s, sections)
    return Music(
        duration_s=spectra.duration_s,
        beats_s=grid.beats_s,
        downbeats_s=grid.downbeats_s,
        eights_s=eights_s,
        tempo_bpm=beats.local_tempo(grid.beats_s),
        meter=grid.meter,
        sections=sections,
        events=rhythm_events(spectra, grid.beats_s),
        energy=Features(features.energy_curve(spectra)[:, None], FPS, ("energy",)),
        features={
            "lrcm3": features.lrcm3(spectra, likeness[:, 0]),
            "edge35": features.edge35(spectra, grid.beats_s),
            "logmel": features.logmel(spectra),
            "dance": features.dance_features(spectra, grid.beats_s, grid.downbeats_s, eights_s),
        },
    )


def rhythm_events(spectra: Spectra, beats_s: np.ndarray) -> RhythmEvents:
    """Strong: the beats. Off-beat: onsets half-way between two. Sub-division: other onsets away from the beat (all, without a beat)."""
    onsets_s = beats.onsets(spectra)
    if len(beats_s) < 2:
        return RhythmEvents(np.zeros(0), np.zeros(0), onsets_s)
    place = clock.beat_position(onsets_s, beats_s) % 1
    half = np.abs(place - 0.5) < 0.1
    away = np.minimum(place, 1 - place) > 0.1
    return RhythmEvents(np.asarray(beats_s, float), onsets_s[half], onsets_s[away & ~half])


def _grid(likeness: np.ndarray, beats_s: np.ndarray | None, downbeats_s: np.ndarray | None) -> beats.Grid:
    """The known grid where it is known, the found one where not."""
    if beats_s is None:
        return beats.track(likeness)
    known_s = np.asarray(beats_s, float)
    if downbeats_s is None:
        return beats.bars(known_s, likeness) if len(known_s) else beats.Grid(known_s, known_s)
    down_s = np.asarray(downbeats_s, float)
    return beats.Grid(known_s, down_s, beats.meter_of(known_s, down_s))
