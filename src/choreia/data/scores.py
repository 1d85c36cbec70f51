"""Music of prepared samples, as an analysed song would have it."""

from __future__ import annotations

import numpy as np

from choreia.data.shards import MusicTrack
from choreia.errors import ChoreiaError
from choreia.music import beats, structure
from choreia.music.features import DANCE_NAMES
from choreia.music.spectrum import FPS
from choreia.types import Features, Music, RhythmEvents, Section


def music_of(track: MusicTrack, seconds: float) -> Music:
    """The song of a track of a sample that lasts `seconds`; ChoreiaError for a track from before shards kept sections."""
    if not len(track.sections_s):
        raise ChoreiaError("this sample knows no sections of its music: run `choreia prepare` again")
    grid = beats.Grid(track.beats_s, track.downbeats_s, beats.meter_of(track.beats_s, track.downbeats_s))
    sections = _sections(track, seconds)
    return Music(
        duration_s=seconds,
        beats_s=grid.beats_s,
        downbeats_s=grid.downbeats_s,
        eights_s=structure.eight_counts(grid.downbeats_s, sections),
        tempo_bpm=beats.local_tempo(grid.beats_s),
        meter=grid.meter,
        sections=sections,
        events=RhythmEvents(track.beats_s, track.offbeats_s, track.subdivisions_s),
        energy=Features(track.dance[:, DANCE_NAMES.index("energy"), None], FPS, ("energy",)),
        features={
            "dance": Features(track.dance, FPS, DANCE_NAMES),
            "logmel": Features(track.logmel.astype(np.float32), FPS, tuple(f"mel{i}" for i in range(track.logmel.shape[1]))),
        },
    )


def _sections(track: MusicTrack, seconds: float) -> tuple[Section, ...]:
    """Sections that begin inside the sample; the first begins with it, the last ends with it."""
    inside = track.sections_s < seconds
    starts, materials = track.sections_s[inside].copy(), track.materials[inside]
    starts[0] = 0.0
    ends = [*starts[1:], seconds]
    counts = [int((materials[: k + 1] == material).sum()) for k, material in enumerate(materials)]
    return tuple(
        Section(float(start), float(end), f"{material}", count)
        for start, end, material, count in zip(starts, ends, materials, counts, strict=True)
    )
