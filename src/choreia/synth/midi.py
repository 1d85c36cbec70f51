"""Standard MIDI files to sound with exact beats: tempo map, time signatures, General MIDI programs and drum keys on our own voices.

Beats follow the signatures: the denominator's note, or three of them in compound metres (6/8, 9/8, 12/8), as pretty_midi does.
Drum performances of the Groove set (Gillick 2019) play to a click, so the file's tempo map is their beat grid.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from choreia.errors import ChoreiaError
from choreia.synth import drums, presets
from choreia.synth.drums import DRUM_LEVELS
from choreia.synth.mix import Desk, Event, Part, master, mix
from choreia.types import Audio

MOST_BYTES = 2_000_000
MOST_NOTES = 200_000
LONGEST_S = 1800.0
MOST_PARTS = 48
DRUM_CHANNEL = 9

FAMILIES: dict[int, tuple[str, ...]] = {
    0: ("piano", "bright_piano", "electric_piano"), 1: ("bells", "vibraphone", "marimba"), 2: ("organ", "church_organ"),
    3: ("clean_guitar", "nylon_guitar", "steel_guitar"), 4: ("finger_bass", "pick_bass", "upright_bass"), 5: ("strings", "solo_strings"),
    6: ("strings", "choir"), 7: ("brass", "trumpet"), 8: ("saxophone", "clarinet"), 9: ("flute", "ocarina"),
    10: ("saw_lead", "square_lead", "soft_lead"), 11: ("warm_pad", "bright_pad"), 12: ("bright_pad", "warm_pad"),
    13: ("sitar", "banjo", "kalimba"), 14: ("bells", "marimba"), 15: ("warm_pad",),
}  # fmt: skip
PROGRAMS: dict[int, str] = {
    1: "bright_piano", 4: "electric_piano", 5: "tine_piano", 8: "bells", 9: "bells", 11: "vibraphone", 12: "marimba", 13: "marimba",
    16: "organ", 19: "church_organ", 24: "nylon_guitar", 25: "steel_guitar", 27: "clean_guitar", 28: "muted_guitar", 29: "driven_guitar",
    30: "driven_guitar", 32: "upright_bass", 33: "finger_bass", 34: "pick_bass", 36: "slap_bass", 37: "slap_bass", 38: "synth_bass",
    39: "fm_bass", 45: "harp", 46: "harp", 52: "choir", 53: "choir", 56: "trumpet", 71: "clarinet", 79: "ocarina", 80: "square_lead",
    81: "saw_lead", 104: "sitar", 105: "banjo", 108: "kalimba",
}  # fmt: skip
DRUM_KEYS: dict[int, str] = {
    22: "hat", 26: "open_hat", 27: "rim", 28: "slap_conga", 31: "rim", 35: "kick", 36: "kick", 37: "rim", 38: "snare", 39: "clap",
    40: "snare", 41: "low_tom", 42: "hat", 43: "low_tom", 44: "pedal", 45: "mid_tom", 46: "open_hat", 47: "mid_tom",
    48: "high_tom", 49: "crash", 50: "high_tom", 51: "ride", 52: "crash", 53: "bell", 54: "tambourine", 55: "crash",
    56: "cowbell", 57: "crash", 58: "low_tom", 59: "ride", 60: "high_bongo", 61: "low_bongo", 62: "slap_conga", 63: "high_conga",
    64: "low_conga", 65: "high_tom", 66: "mid_tom", 67: "agogo", 68: "agogo", 69: "shaker", 70: "shaker", 73: "guiro",
    74: "guiro", 75: "clave", 76: "block", 77: "block", 80: "triangle", 81: "triangle", 82: "shaker", 83: "tambourine",
    84: "triangle", 85: "block", 87: "low_tom",
}  # fmt: skip


@dataclass(frozen=True)
class RenderedMidi:
    """Sound of a MIDI file and its exact grid: `beats_s` (B,) and `downbeats_s` (D,) seconds, sorted, from the audio's start."""

    audio: Audio
    beats_s: np.ndarray
    downbeats_s: np.ndarray


@dataclass(frozen=True)
class _Note:
    channel: int
    program: int
    key: int
    start: int
    end: int
    velocity: float


@dataclass(frozen=True)
class _Timeline:
    """A MIDI file with absolute ticks: `tempo_ticks` (K,) where microseconds per quarter `tempo_us` (K,) begin; signatures (tick, n, d)."""

    ticks_per_quarter: int
    tempo_ticks: np.ndarray
    tempo_us: np.ndarray
    signatures: tuple[tuple[int, int, int], ...]
    notes: tuple[_Note, ...]

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Time of `ticks` under the tempo map."""
        per_tick = self.tempo_us * 1e-6 / self.ticks_per_quarter
        starts = np.concatenate(([0.0], np.cumsum(np.diff(self.tempo_ticks) * per_tick[:-1])))
        index = np.searchsorted(self.tempo_ticks, ticks, side="right") - 1
        return starts[index] + (ticks - self.tempo_ticks[index]) * per_tick[index]


def _open(source: str | Path | bytes) -> mido.MidiFile:
    name = "the MIDI bytes" if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise ChoreiaError(f"{name}: no such MIDI file; check the path")
    size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
    if size > MOST_BYTES:
        raise ChoreiaError(f"{name}: {size} bytes is too long for a MIDI file; give one under {MOST_BYTES}")
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, mido.KeySignatureError) as error:
        raise ChoreiaError(f"{name}: not a readable MIDI file ({error or type(error).__name__}); give a Standard MIDI file") from None
    if file.ticks_per_beat <= 0 or file.ticks_per_beat >= 0x8000:
        raise ChoreiaError(f"{name}: its time is counted in video frames, not beats; export it with ticks per quarter note")
    return file


def _messages(file: mido.MidiFile) -> list[tuple[int, mido.Message]]:
    """All tracks merged: (absolute tick, message), in order of time, then of track."""
    merged = []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += int(message.time)
            merged.append((tick, message))
    return sorted(merged, key=lambda pair: pair[0])


def _notes(messages: list[tuple[int, mido.Message]]) -> tuple[_Note, ...]:
    """Pair key downs with key ups (first down, first up) under the program sounding at the key down."""
    program: dict[int, int] = defaultdict(int)
    down: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    notes: list[_Note] = []
    last = messages[-1][0] if messages else 0
    for tick, message in messages:
        if message.type == "program_change":
            program[message.channel] = message.program
        elif message.type == "note_on" and message.velocity > 0:
            down[message.channel, message.note].append((tick, message.velocity, program[message.channel]))
        elif message.type in ("note_on", "note_off") and down[message.channel, message.note]:
            start, velocity, patch = down[message.channel, message.note].pop(0)
            notes.append(_Note(message.channel, patch, message.note, start, tick, velocity / 127))
    hanging = [_Note(c, p, k, start, last, v / 127) for (c, k), held in down.items() for start, v, p in held]
    return tuple(sorted(notes + hanging, key=lambda note: (note.start, note.channel, note.key)))


def _timeline(file: mido.MidiFile) -> _Timeline:
    messages = _messages(file)
    tempi = {0: 500_000}
    signatures = {0: (4, 4)}
    for tick, message in messages:
        if message.type == "set_tempo" and message.tempo > 0:
            tempi[tick] = message.tempo
        elif message.type == "time_signature" and message.numerator > 0:
            signatures[tick] = (message.numerator, message.denominator)
    ticks = np.array(sorted(tempi))
    signature = tuple((tick, *signatures[tick]) for tick in sorted(signatures))
    return _Timeline(file.ticks_per_beat, ticks, np.array([tempi[t] for t in ticks], float), signature, _notes(messages))


def _grid(timeline: _Timeline, end_tick: int) -> tuple[np.ndarray, np.ndarray]:
    """Ticks of beats and of downbeats up to and including `end_tick`. A new signature begins a new bar."""
    beats, downbeats = [], []
    starts = [s for s in timeline.signatures if s[0] <= end_tick]
    for index, (tick, numerator, denominator) in enumerate(starts):
        stop = starts[index + 1][0] if index + 1 < len(starts) else end_tick + 1
        unit = 4 * timeline.ticks_per_quarter / denominator
        compound = denominator >= 8 and numerator % 3 == 0 and numerator > 3
        step = 3 * unit if compound else unit
        if (stop - tick) / step > MOST_NOTES:
            raise ChoreiaError(f"MIDI: more than {MOST_NOTES} beats in {numerator}/{denominator}; give a shorter file")
        beat = np.arange(tick, stop, step)
        beats.append(beat)
        downbeats.append(beat[:: numerator // 3 if compound else numerator])
    return np.concatenate(beats), np.concatenate(downbeats)


def _events(notes: list[_Note], starts: np.ndarray, ends: np.ndarray, drum: bool) -> tuple[Event, ...]:
    key = {n.key: (DRUM_KEYS.get(n.key, "rim") if drum else float(n.key)) for n in notes}
    return tuple(Event(float(s), max(0.03, float(e - s)), key[n.key], n.velocity) for n, s, e in zip(notes, starts, ends, strict=True))


def _drum_part(name: str, events: tuple[Event, ...], rng: np.random.Generator) -> Part:
    kit = drums.vary(drums.KITS[str(rng.choice(sorted(drums.KITS)))], rng)
    return Part(name, kit, events, gain=0.9, room=float(rng.uniform(0.02, 0.12)), levels=DRUM_LEVELS)


def _pitched_part(name: str, program: int, events: tuple[Event, ...], rng: np.random.Generator) -> Part:
    family = FAMILIES[program // 8]
    preset = PROGRAMS.get(program, str(rng.choice(family)))
    bass = program // 8 == 4
    pan = 0.0 if bass else float(rng.uniform(-0.6, 0.6))
    gain = (0.2 if bass else 0.09) * float(rng.uniform(0.8, 1.2))
    return Part(name, presets.vary(presets.VOICES[preset], rng), events, gain, pan, room=0.03 if bass else float(rng.uniform(0.08, 0.25)))


def _parts(notes: list[_Note], starts: np.ndarray, ends: np.ndarray, seed: int) -> list[Part]:
    """One part for every (channel, program) that plays; one for every channel where a file asks for more than `MOST_PARTS`."""
    played = {(note.channel, note.program) for note in notes}
    only = {channel: program for channel, program in sorted(played, reverse=True)} if len(played) > MOST_PARTS else {}
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, note in enumerate(notes):
        program = 0 if note.channel == DRUM_CHANNEL else only.get(note.channel, note.program)
        groups[note.channel, program].append(index)
    parts = []
    for (channel, program), members in sorted(groups.items()):
        rng = np.random.default_rng((seed, channel, program))
        drum = channel == DRUM_CHANNEL
        events = _events([notes[i] for i in members], starts[members], ends[members], drum)
        name = f"channel{channel + 1}"
        parts.append(_drum_part(name, events, rng) if drum else _pitched_part(name, program, events, rng))
    return parts


def render(
    source: str | Path | bytes, rate: int = 22050, seconds: float | None = None, start_s: float = 0.0, seed: int = 0
) -> RenderedMidi:
    """Render a MIDI file, given by path or as bytes, from `start_s` for `seconds` (None: to a second after the last note).

    `seed` chooses kits, neighbours of the voices, and the room. Same arguments, same bytes. Raises ChoreiaError for
    anything that is no MIDI file, has no notes in the window, more than 200,000 notes, or lasts over half an hour without `seconds`.
    """
    timeline = _timeline(_open(source))
    if not timeline.notes:
        raise ChoreiaError("MIDI: there is not one note in it; give a file with music")
    if len(timeline.notes) > MOST_NOTES:
        raise ChoreiaError(f"MIDI: {len(timeline.notes)} notes are more than {MOST_NOTES}; give a shorter file")
    starts = timeline.seconds(np.array([n.start for n in timeline.notes])) - start_s
    ends = timeline.seconds(np.array([n.end for n in timeline.notes])) - start_s
    length_s = float(ends.max()) + 1.0 if seconds is None else seconds
    if not 0 < length_s <= LONGEST_S:
        where = f"{length_s:.0f} s to render from {start_s:.0f} s"
        raise ChoreiaError(f"MIDI: {where}; choose `start_s` inside the piece and at most {LONGEST_S:.0f} `seconds`")
    keep = np.flatnonzero((starts < length_s) & (ends > -2.0))
    if not len(keep):
        raise ChoreiaError(f"MIDI: no notes between {start_s:.1f} and {start_s + length_s:.1f} s; choose another window")
    beats, downbeats = (timeline.seconds(t) - start_s for t in _grid(timeline, max(n.end for n in timeline.notes)))
    parts = _parts([timeline.notes[i] for i in keep], starts[keep], ends[keep], seed)
    desk = Desk(room_s=float(np.random.default_rng(seed).uniform(0.4, 1.4)), seed=seed)
    samples = master(mix(parts, desk, round(length_s * rate), rate), rate)
    inside = [grid[(grid >= 0) & (grid < length_s)] for grid in (beats, downbeats)]
    return RenderedMidi(Audio(samples, rate), inside[0], inside[1])
