"""Markers in a standard MIDI file, and MIDI time code (MTC): the song's sections and the cues where sequencers and desks look for them.

The file runs at 120 beats a minute and 500 ticks a beat, so that a tick is a millisecond. Track 1 has the sections as markers, track 2
the cues as cue points; before every cue stands a full-frame time code message that tells a desk where it is. Time code counts 24, 25 or
30 frames a second (no drop frames). Format: MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0, MIDI Time Code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import mido

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.stage.output import live
from choreia.stage.output.show import Show, label
from choreia.stage.rig import plain

TEMPO_US = 500_000
TICKS_A_BEAT = 500
RATES = {24: 0, 25: 1, 30: 3}
"""Frames a second, and the two bits that say so."""


class Port(Protocol):
    """Something that takes MIDI messages, such as a port of mido."""

    def send(self, message: mido.Message) -> None:
        """Sends one message."""


def time_code(time_s: float, rate: int = 25) -> tuple[int, int, int, int]:
    """Hours (of a day), minutes, seconds and the last frame that has begun at a time."""
    if rate not in RATES:
        raise ChoreiaError(f"no time code of {rate} frames a second: choose one of {', '.join(map(str, RATES))}")
    seconds, frame = divmod(int(max(time_s, 0.0) * rate + 1e-6), rate)
    return seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frame


def full_frame(time_s: float, rate: int = 25) -> mido.Message:
    """The message that sets every device to a time."""
    hours, minutes, seconds, frame = time_code(time_s, rate)
    return mido.Message("sysex", data=(0x7F, 0x7F, 0x01, 0x01, RATES[rate] << 5 | hours, minutes, seconds, frame))


def quarter_frame(time_s: float, piece: int, rate: int = 25) -> mido.Message:
    """Piece 0 to 7 of the time code of a time: frames, seconds, minutes and hours, low four bits first."""
    hours, minutes, seconds, frame = time_code(time_s, rate)
    whole = (frame, seconds, minutes, RATES[rate] << 5 | hours)[piece // 2]
    return mido.Message("quarter_frame", frame_type=piece, frame_value=whole >> 4 if piece % 2 else whole & 15)


def play(
    port: Port, duration_s: float, position_s: live.Clock | None = None, rate: int = 25, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Sends running time code for `duration_s`: four quarter frames a frame, the eight pieces of one code over two frames.

    A clock that jumps is followed by a full frame.
    """
    code_s, expected = -1.0, -1
    for now in live.ticks(position_s or live.stopwatch(), duration_s, 4.0 * rate, sleep):
        quarter = int(max(now, 0.0) * 4 * rate + 1e-6)
        if quarter == expected - 1:
            continue
        if quarter != expected:
            port.send(full_frame(now, rate))
        if quarter % 8 == 0 or code_s < 0 or quarter != expected:
            code_s = (quarter - quarter % 8) / (4 * rate)
        port.send(quarter_frame(code_s, quarter % 8, rate))
        expected = quarter + 1


def write(path: str | Path, show: Show, rate: int = 25) -> None:
    """Writes the file: sections as markers when the show has music, cues as cue points with full frames of time code."""
    sections = show.music.sections if show.music else ()
    markers = [(one.start_s, mido.MetaMessage("marker", text=plain(f"{one.label} {one.occurrence}"))) for one in sections]
    points: list[tuple[float, mido.Message | mido.MetaMessage]] = []
    for number, cue in enumerate(show.stage.cues):
        text = " ".join(filter(None, (f"{number + 1}", show.bar(cue.time_s), label(cue))))
        points += [(cue.time_s, full_frame(cue.time_s, rate)), (cue.time_s, mido.MetaMessage("cue_marker", text=text))]
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_A_BEAT, charset="utf-8")
    first = [(0.0, mido.MetaMessage("track_name", name=show.name)), (0.0, mido.MetaMessage("set_tempo", tempo=TEMPO_US))]
    file.tracks.append(_track([*first, *markers], show.stage.duration_s))
    file.tracks.append(_track([(0.0, mido.MetaMessage("track_name", name="Cues")), *points], show.stage.duration_s))
    with atomic_path(path) as partial:
        file.save(partial)


def _track(events: list[tuple[float, mido.Message | mido.MetaMessage]], end_s: float) -> mido.MidiTrack:
    """Events at their times, in ticks since the one before."""
    track, last = mido.MidiTrack(), 0
    for time_s, event in [*events, (end_s, mido.MetaMessage("end_of_track"))]:
        tick = max(last, round(1000 * time_s))
        track.append(event.copy(time=tick - last))
        last = tick
    return track
