"""`choreia analyze`: what the music module hears, as one JSON-ready object."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from choreia.music.analyze import analyze_file
from choreia.types import Music, Section


def analyze(song: Path, *, start_s: float = 0.0, seconds: float | None = None) -> dict[str, object]:
    """Analyse a file; the result holds plain numbers and lists, and a readable "text"."""
    music = analyze_file(song, start_s, seconds)
    return {**summary(music), "text": _text(song, music)}


def summary(music: Music) -> dict[str, object]:
    """Everything but the feature tracks, times in seconds to the millisecond."""
    events = music.events
    return {
        "duration_s": round(music.duration_s, 3),
        "has_beat": music.has_beat,
        "tempo_bpm": round(float(np.median(music.tempo_bpm)), 2) if music.has_beat else None,
        "meter": music.meter,
        "beats_s": _ms(music.beats_s),
        "downbeats_s": _ms(music.downbeats_s),
        "eights_s": _ms(music.eights_s),
        "tempo_curve_bpm": [round(float(bpm), 2) for bpm in music.tempo_bpm],
        "sections": [_section(section) for section in music.sections],
        "events": {"strong_s": _ms(events.strong_s), "offbeat_s": _ms(events.offbeat_s), "subdivision_s": _ms(events.subdivision_s)},
        "energy": {"fps": music.energy.fps, "values": [round(float(v), 4) for v in music.energy.values[:, 0]]},
    }


def _section(section: Section) -> dict[str, object]:
    return {
        "start_s": round(section.start_s, 3),
        "end_s": round(section.end_s, 3),
        "label": section.label,
        "occurrence": section.occurrence,
    }


def _ms(times: np.ndarray) -> list[float]:
    return [round(float(t), 3) for t in times]


def _text(song: Path, music: Music) -> str:
    beat = f"{np.median(music.tempo_bpm):.1f} BPM in {music.meter}, {len(music.beats_s)} beats" if music.has_beat else "no beat"
    lines = [f"{song}: {music.duration_s:.1f} s, {beat}"]
    lines += [f"  {s.start_s:7.2f} - {s.end_s:7.2f}  {s.label} {s.occurrence}" for s in music.sections]
    return "\n".join(lines)
