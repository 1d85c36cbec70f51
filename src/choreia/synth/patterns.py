"""One-bar patterns written as text: four steps a beat, a sign starts a note, `-` holds it, `.` rests.

Patterns are written in four beats and re-cut to other metres beat by beat (`BEATS_OF`), so that a groove keeps its
character in 3, 5, 6 or 7. Swing moves the steps between the beats, never the beats.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

BEATS_OF: dict[int, tuple[int, ...]] = {
    1: (0,), 2: (0, 1), 3: (0, 1, 3), 4: (0, 1, 2, 3), 5: (0, 1, 1, 2, 3), 6: (0, 1, 3, 2, 1, 3), 7: (0, 1, 2, 3, 0, 1, 3),
    8: (0, 1, 2, 3, 0, 1, 2, 3), 9: (0, 1, 3, 2, 1, 3, 0, 1, 3),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A sign of a pattern: `beat` from the bar's start, `length` in beats."""

    beat: float
    sign: str
    length: float


def swung(place: float, swing: float, shuffle: float) -> float:
    """Position in beats after swing: the half beat moves to `swing`, the quarter beats to `shuffle` of each half."""
    beat, inside = divmod(place, 1.0)
    half, quarter = divmod(inside * 2, 1.0)
    quarter = quarter / 0.5 * shuffle if quarter <= 0.5 else shuffle + (quarter - 0.5) / 0.5 * (1 - shuffle)
    start, length = (0.0, swing) if half == 0 else (swing, 1 - swing)
    return beat + start + quarter * length


@cache
def steps(pattern: str, meter: int, swing: float = 0.5, shuffle: float = 0.5) -> tuple[Step, ...]:
    """The notes of a four-beat `pattern` in a bar of `meter` beats (1 to 9)."""
    text = "".join(pattern[4 * beat : 4 * beat + 4] for beat in BEATS_OF[meter])
    found = []
    for index, sign in enumerate(text):
        if sign in ".-":
            continue
        held = len(text[index + 1 :]) - len(text[index + 1 :].lstrip("-"))
        start, end = (swung(place / 4, swing, shuffle) for place in (index, index + 1 + held))
        found.append(Step(start, sign, end - start))
    return tuple(found)
