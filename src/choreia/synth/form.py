"""The order of a song: which sections, how many bars each, how intense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = {"intro": 0.4, "verse": 0.6, "chorus": 0.92, "bridge": 0.45, "outro": 0.5}
FORMS: tuple[tuple[str, ...], ...] = (  # the n-th has n sections
    ("chorus",),
    ("verse", "chorus"),
    ("intro", "verse", "chorus"),
    ("intro", "verse", "chorus", "outro"),
    ("intro", "chorus", "verse", "chorus", "outro"),
    ("intro", "verse", "chorus", "verse", "chorus", "outro"),
    ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus"),
    ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro"),
)


@dataclass(frozen=True)
class Span:
    """A section on the bar grid: `bars` bars from `first`, the `occurrence`-th (from 1) of its `label`, `level` in [0, 1] its force."""

    label: str
    occurrence: int
    first: int
    bars: int
    level: float


def _labels(bars: int) -> list[str]:
    """The longest form whose sections are four bars at least; very long songs repeat verse and chorus."""
    labels = list(FORMS[min(max(1, bars // 4), len(FORMS)) - 1])
    while bars >= 8 * (len(labels) + 2):
        labels[-1:-1] = ["verse", "chorus"]
    if bars >= 8 * (len(labels) + 1):
        labels[-1:-1] = ["chorus"]
    return labels


def _lengths(labels: Sequence[str], bars: int) -> list[int]:
    """Four or eight bars a section: inner ones grow first, choruses all alike; what is left over goes to the ends."""
    lengths = [4] * len(labels)
    for group in ("chorus", "verse", "bridge", "outro", "intro"):
        members = [i for i, label in enumerate(labels) if label == group]
        if members and sum(lengths) + 4 * len(members) <= bars:
            for i in members:
                lengths[i] = 8
    left = bars - sum(lengths)
    first = left // 2 if labels[0] == "intro" and labels[-1] == "outro" else 0
    lengths[0] += first
    lengths[-1] += left - first
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
