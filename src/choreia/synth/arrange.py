"""Arrangement: a genre, a key and a form become the notes of every player, in beats.

Material belongs to a section label: every chorus draws from the same generator, so it returns note for note; the bars'
intensity decides who plays. Fills close sections, a crash opens them, the last beat is a held tonic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from choreia.synth import melody
from choreia.synth.form import Span
from choreia.synth.genres import Genre
from choreia.synth.grooves import Groove
from choreia.synth.harmony import Chord, Key, voicings
from choreia.synth.patterns import Step, steps, swung

SIGN_VELOCITY = {"X": 1.0, "x": 0.8, "o": 0.42}
LOWEST_BASS = 28
BASS_DEGREES = {"R": 0, "3": 2, "5": 4, "7": 6, "O": 7}
LABELS = ("intro", "verse", "chorus", "bridge", "outro")
ROLES = ("drums", "bass", "chords", "pad", "arp", "lead")


@dataclass(frozen=True)
class Note:
    """`beat` and `length` in beats from the first beat of the song; `key` a pitch or a drum name; `velocity` in [0, 1]."""

    beat: float
    length: float
    key: float | str
    velocity: float


@dataclass(frozen=True)
class Material:
    """What a section label always plays: chords and their voicings by bar, the groove and the patterns, the tune by bar."""

    chords: tuple[Chord, ...]
    voiced: tuple[tuple[int, ...], ...]
    groove: Groove
    bass_line: str
    chord_line: str
    arp: str
    tune: tuple[tuple[melody.MelodyNote, ...], ...]


@dataclass(frozen=True)
class Feel:
    """Metre and swing of the song."""

    meter: int
    swing: float
    shuffle: float

    def steps(self, pattern: str) -> tuple[Step, ...]:
        """The notes of a pattern in this feel."""
        return steps(pattern, self.meter, self.swing, self.shuffle)


@dataclass(frozen=True)
class Plan:
    """All that is decided before a note is written."""

    genre: Genre
    key: Key
    feel: Feel
    spans: tuple[Span, ...]
    materials: dict[str, Material]
    bar_levels: np.ndarray
    seed: int


def material(label: str, genre: Genre, key: Key, meter: int, groove: Groove, seed: int) -> Material:
    """The material of a section label; intro and outro borrow the verse's, so the song holds together."""
    source = "verse" if label in ("intro", "outro") else label
    rng = np.random.default_rng((seed, LABELS.index(source)))
    order = np.random.default_rng((seed, 99)).permutation(len(genre.progressions))
    degrees = genre.progressions[order[("verse", "chorus", "bridge").index(source)]]
    loop = degrees if len(degrees) == 8 else degrees * 2
    chords = tuple(Chord(d, genre.chord_voices) for d in loop)
    lift = {"verse": 4, "chorus": 7, "bridge": 5}[source]
    density = genre.density + (0.1 if source == "chorus" else 0.0)
    return Material(
        chords,
        voicings(key, chords, 52 + int(rng.integers(0, 5))),
        groove,
        str(rng.choice(genre.bass_lines)),
        str(rng.choice(genre.chord_lines)),
        str(rng.choice(genre.arps)) if genre.arps else "",
        melody.phrase(chords, meter, density, lift, rng),
    )


def _drum_bar(plan: Plan, span: Span, bar: int, level: float) -> Iterator[Note]:
    groove = plan.materials[span.label].groove
    layers = [] if level < 0.12 else [groove.light] if level < 0.5 else [groove.full] if level < 0.78 else [groove.full, groove.extra]
    for layer in layers:
        for sound, pattern in layer.items():
            for step in plan.feel.steps(pattern):
                yield Note(bar * plan.feel.meter + step.beat, 0.2, sound, SIGN_VELOCITY[step.sign] * (0.75 + 0.25 * level))
    if bar == span.first and level > 0.5:
        yield Note(bar * plan.feel.meter, 1.0, "crash", 0.75)


def _fill(plan: Plan, bar: int, level: float) -> Iterator[Note]:
    """A roll over snare and toms through the last one or two beats of the bar, growing."""
    rng = np.random.default_rng((plan.seed, 7, bar))
    beats = min(plan.feel.meter, 1 if level < 0.6 else 2)
    start = (bar + 1) * plan.feel.meter - beats
    drums = ["snare", "high_tom", "mid_tom", "low_tom"]
    for index in range(4 * beats):
        if index % 2 == 0 or rng.random() < 0.55:
            place = start + index // 4 + swung(index % 4 / 4, plan.feel.swing, plan.feel.shuffle)
            yield Note(place, 0.2, drums[min(3, index * 4 // (4 * beats))], 0.5 + 0.4 * index / (4 * beats))


def _drums(plan: Plan) -> Iterator[Note]:
    for span in plan.spans:
        for bar in range(span.first, span.first + span.bars):
            level = float(plan.bar_levels[bar])
            closing = bar == span.first + span.bars - 1 and span is not plan.spans[-1] and level > 0.3 and span.bars > 1
            cut = (bar + 1) * plan.feel.meter - (min(plan.feel.meter, 1 if level < 0.6 else 2) if closing else 0)
            yield from (n for n in _drum_bar(plan, span, bar, level) if n.beat < cut - 1e-6 or n.key in ("kick", "hat", "ride", "pedal"))
            if closing:
                yield from _fill(plan, bar, level)


def _bars(plan: Plan) -> Iterator[tuple[Span, Material, int, int, float]]:
    """Every bar: its section, material, absolute number, number inside the section, and intensity."""
    for span in plan.spans:
        for index in range(span.bars):
            yield span, plan.materials[span.label], span.first + index, index, float(plan.bar_levels[span.first + index])


def _bass_pitch(plan: Plan, sign: str, chord: Chord, after: Chord) -> int:
    """Pitch of a bass sign, from E1 up; an approach comes from a half step above or below the next root."""
    root = LOWEST_BASS + (plan.key.pitch(chord.degree) - LOWEST_BASS) % 12
    if sign == "A":
        way = (plan.key.pitch(after.degree) - root + 6) % 12 - 6
        return root + way + (1 if way < 0 else -1)
    return root + plan.key.pitch(chord.degree + BASS_DEGREES[sign]) - plan.key.pitch(chord.degree)


def _bass(plan: Plan) -> Iterator[Note]:
    for span, source, bar, index, level in _bars(plan):
        if level < 0.3 or (span.label == "intro" and index < span.bars // 2):
            continue
        chord, after = source.chords[index % 8], source.chords[(index + 1) % 8]
        for step in plan.feel.steps(source.bass_line):
            pitch = _bass_pitch(plan, step.sign, chord, after)
            yield Note(bar * plan.feel.meter + step.beat, 0.92 * step.length, float(pitch), 0.85 if step.beat % 1 == 0 else 0.72)


def _chords(plan: Plan) -> Iterator[Note]:
    for _, source, bar, index, level in _bars(plan):
        tones = source.voiced[index % 8]
        for step in plan.feel.steps(source.chord_line):
            chosen = (tones[int(step.sign) % len(tones)],) if step.sign.isdigit() else tones
            length = max(step.length * 0.95, 1.0 if step.sign.isdigit() else 0.2)
            for pitch in chosen:
                yield Note(
                    bar * plan.feel.meter + step.beat, length, float(pitch), (0.85 if step.sign == "X" else 0.7) * (0.7 + 0.3 * level)
                )


def _pad(plan: Plan) -> Iterator[Note]:
    for span, source, bar, index, level in _bars(plan):
        if level > 0.7 or span.label in ("intro", "bridge", "outro"):
            for pitch in source.voiced[index % 8]:
                yield Note(bar * plan.feel.meter, plan.feel.meter * 0.98, float(pitch), 0.6 + 0.2 * level)


def _arp(plan: Plan) -> Iterator[Note]:
    for span, source, bar, index, level in _bars(plan):
        if not source.arp or (level < 0.7 and span.label != "bridge"):
            continue
        tones = (*source.voiced[index % 8], source.voiced[index % 8][0] + 12)
        for step in plan.feel.steps(source.arp):
            yield Note(bar * plan.feel.meter + step.beat, step.length, float(tones[int(step.sign) % len(tones)] + 12), 0.7)


def _lead(plan: Plan) -> Iterator[Note]:
    for span, source, bar, index, level in _bars(plan):
        silent = span.label in ("intro", "bridge") and index < span.bars // 2
        if level < 0.35 or silent or span.label == "outro":
            continue
        for note in source.tune[index % 8]:
            place = bar * plan.feel.meter + note.beat // 1 + swung(note.beat % 1, plan.feel.swing, plan.feel.shuffle)
            octave = 0 if plan.key.tonic < 7 else -1
            yield Note(place, note.length, float(plan.key.pitch(note.degree, octave)), 0.72 + 0.2 * level)


WRITERS = {"drums": _drums, "bass": _bass, "chords": _chords, "pad": _pad, "arp": _arp, "lead": _lead}


def write(plan: Plan) -> dict[str, list[Note]]:
    """The notes of every role of `ROLES`, in beats."""
    return {role: list(WRITERS[role](plan)) for role in ROLES}


def ending(plan: Plan, last_beat: float, ring_beats: float) -> dict[str, list[Note]]:
    """The last hit: tonic chord, bass and cymbal on `last_beat`, held for `ring_beats`."""
    tonic = Chord(0, min(4, plan.genre.chord_voices))
    chord = voicings(plan.key, (tonic,), 54)[0]
    notes: dict[str, list[Note]] = defaultdict(list)
    notes["drums"] = [Note(last_beat, 0.2, "kick", 1.0), Note(last_beat, 1.0, "crash", 0.8)]
    notes["bass"] = [Note(last_beat, ring_beats, float(_bass_pitch(plan, "R", tonic, tonic)), 0.85)]
    notes["chords"] = [Note(last_beat, ring_beats, float(p), 0.8) for p in chord]
    notes["lead"] = [Note(last_beat, ring_beats, float(plan.key.pitch(7, 0)), 0.7)]
    return notes


def accent_hits(plan: Plan, accents: np.ndarray) -> list[Note]:
    """Kick and cymbal where a given beat is much stronger than the others (strength above 0.8), (beats,) in [0, 1]."""
    strong: Sequence[int] = np.flatnonzero(accents > 0.8).tolist()
    return [Note(float(b), 0.3, sound, velocity) for b in strong for sound, velocity in (("kick", 1.0), ("crash", 0.55))]
