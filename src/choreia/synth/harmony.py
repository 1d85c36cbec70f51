"""Keys, chords and voice-leading: each chord is placed so that its voices move as little as they can from the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}


@dataclass(frozen=True)
class Key:
    """A tonic as a pitch class and a mode of `SCALES`."""

    tonic: int
    mode: str

    def pitch(self, degree: int, octave: int = 0) -> int:
        """MIDI pitch of a scale degree (0 = tonic, any integer), from the tonic in octave 4 (60 to 71) plus `octave`."""
        turn, step = divmod(degree, 7)
        return 60 + self.tonic + SCALES[self.mode][step] + 12 * (turn + octave)


@dataclass(frozen=True)
class Chord:
    """A diatonic chord: scale `degree` of its root and how many `voices` are stacked in thirds (3 triad, 4 seventh, 5 ninth)."""

    degree: int
    voices: int = 3

    def degrees(self) -> tuple[int, ...]:
        """Scale degrees of the chord tones."""
        return tuple(self.degree + 2 * k for k in range(self.voices))


def _placings(key: Key, chord: Chord, low: int) -> list[tuple[int, ...]]:
    """Every inversion whose lowest note lies in the octave above `low`. The ninth chord leaves out its root: the bass has it."""
    degrees = chord.degrees()[1:] if chord.voices == 5 else chord.degrees()
    classes = [key.pitch(d) % 12 for d in degrees]
    found = []
    for turn in range(len(classes)):
        pitch = low + (classes[turn] - low) % 12
        stack = [pitch]
        for k in range(1, len(classes)):
            stack.append(stack[-1] + (classes[(turn + k) % len(classes)] - stack[-1] - 1) % 12 + 1)
        found.append(tuple(stack))
    return found


def _rub(stack: Sequence[int]) -> float:
    """What a voicing costs for neighbours a half step apart, in semitones of movement."""
    return 4.0 * sum(b - a == 1 for a, b in pairwise(stack))


def _distance(one: Sequence[int], other: Sequence[int]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=False))


def voicings(key: Key, chords: Sequence[Chord], low: int = 53) -> tuple[tuple[int, ...], ...]:
    """MIDI pitches of every chord, each the inversion nearest to the one before, half-step rubs avoided.

    The first is centred a fifth above `low`.
    """
    last: tuple[int, ...] = (low + 5, low + 9, low + 12, low + 16)
    placed = []
    for chord in chords:
        last = min(_placings(key, chord, low), key=lambda stack: _distance(stack, last) + _rub(stack))
        placed.append(last)
    return tuple(placed)


def nearest_chord_degree(degree: int, chord: Chord) -> int:
    """The chord tone (as a scale degree, in any octave) nearest to `degree`; the lower of two equally near."""
    tones = [tone + 7 * octave for tone in chord.degrees()[:4] for octave in range(-3, 4)]
    return min(tones, key=lambda tone: (abs(tone - degree), tone))
