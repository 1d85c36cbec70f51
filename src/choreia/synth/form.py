"""The order of a song: which sections, how many bars each, how intense."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

LEVELS = {"intro": 0.4, "verse": 0.6, "chorus": 0.92, "bridge": 0.45, "outro": 0.5}
FORMS: tuple[tuple[str, ...], ...] = (
    ("chorus",),
    ("verse", "chorus"),
    ("intro", "verse", "chorus"),
    ("intro", "verse", "chorus", "outro"),
    ("intro", "chorus", "verse", "chorus", "outro"),
    ("intro", "verse", "chorus", "verse", "chorus", "outro"),
    ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus"),
    ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro"),
)
EDGE = {"intro", "outro"}


@dataclass(frozen=True)
class Span:
    """A section on the bar grid: bars [`first`, `first` + `bars`), the `occurrence`-th (from 1) of its `label`, intensity `level` in [0, 1]."""

    label: str
    occurrence: int
    first: int
    bars: int
    level: float


def _labels(bars: int) -> tuple[str, ...]:
    """The longest form whose sections are four bars at least; very long songs repeat verse and chorus."""
    labels = max((form for form in FORMS if 4 * len(form) <= bars), key=len, default=FORMS[0])
    while bars >= 8 * (len(labels) + 2):
        labels = labels[:-1] + ("verse", "chorus") + labels[-1:]
    return labels


def _lengths(labels: tuple[str, ...], bars: int) -> list[int]:
    """Four or eight bars a section: inner ones grow first, choruses all alike, what is left over goes to the ends."""
    lengths = [4] * len(labels)
    for group in ("chorus", "verse", "bridge", "outro", "intro"):
        members = [i for i, label in enumerate(labels) if label == group]
        if members and sum(lengths) + 4 * len(members) <= bars:
            for i in members:
                lengths[i] = 8
    left = bars - sum(lengths)
    lengths[-1] += left - left // 2 if labels[0] in EDGE and labels[-1] in EDGE else left
    lengths[0] += left // 2 if labels[0] in EDGE and labels[-1] in EDGE else 0
    return lengths


def plan(bars: int) -> tuple[Span, ...]:
    """Sections that fill `bars` (1 or more) exactly. The last chorus is the strongest."""
    labels = _labels(bars)
    count: Counter[str] = Counter()
    total = labels.count("chorus")
    spans, first = [], 0
    for label, length in zip(labels, _lengths(labels, bars), strict=True):
        count[label] += 1
        lift = 0.08 if label == "chorus" and count[label] == total > 1 else 0.03 * (count[label] - 1)
        spans.append(Span(label, count[label], first, length, min(1.0, LEVELS[label] + lift)))
        first += length
    return tuple(spans)
