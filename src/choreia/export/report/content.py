"""What an evaluation report says, and the wording that its terminal, Markdown, JSON and HTML forms share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from choreia.metrics.base import About, Clip, NullScore, Result

Standing = Literal["reached", "clear", "open", "untested", "undefined"]
"""How far a score can be trusted: a null model reaches it; none of those tried does; none does, but there is too little to tell it from
luck (p > 0.05); none was tried; there is no number."""

STANDING_WORDS: dict[Standing, str] = {
    "reached": "a null model reaches it",
    "clear": "clear of null models",
    "open": "too few songs or takes to tell",
    "untested": "no null model",
    "undefined": "undefined",
}


ARROWS = {"higher": "↑ higher", "lower": "↓ lower", "reference": "→ reference"}
"""Which way a score improves, as a sign and a word."""


@dataclass(frozen=True)
class Worst:
    """A clip worth looking at: its `name`, the `metric` by which it was picked, its `number` there, and the `mean` of all clips."""

    name: str
    metric: str
    number: float
    unit: str
    mean: float


@dataclass(frozen=True)
class Report:
    """An evaluation: what was scored, every score, and what the plots show.

    `notes`: what a reader must know of the files (resampled, retargeted, unreadable, songs not found). `skipped`: (metric, why not).
    `clips`: all takes or a sample of them; `takes` counts all. `beats` and `motion_beats`: seconds by clip name. `phases`: motion beats
    by their place between two music beats, (bins,), bin 0 centred on the beat. `features`: made (N, D) and reference (M, D).
    `meanings`: what a metric counts, by `dialect/name`.
    """

    title: str
    folder: str
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    clips: tuple[Clip, ...] = ()
    beats: dict[str, np.ndarray] = field(default_factory=dict)
    motion_beats: dict[str, np.ndarray] = field(default_factory=dict)
    phases: np.ndarray = field(default_factory=lambda: np.zeros(0))
    features: tuple[np.ndarray, np.ndarray] | None = None
    worst: tuple[Worst, ...] = ()
    takes: int | None = None
    meanings: dict[str, str] = field(default_factory=dict)


def dialects(report: Report) -> dict[str, list[Result]]:
    """Results by dialect, "corrected" first, the others in the order in which they appear."""
    names = dict.fromkeys(result.about.dialect for result in report.results)
    ordered = sorted(names, key=lambda name: name != "corrected")
    return {name: [result for result in report.results if result.about.dialect == name] for name in ordered}


def not_run(report: Report) -> list[str]:
    """Why scores were not run, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for metric, why in report.skipped:
        reasons.setdefault(why, []).append(metric)
    return [f"{why}: {', '.join(metrics)}" for why, metrics in reasons.items()]


def finite(value: float | None) -> float | None:
    """The value as a float, or None when it is missing, not a number or infinite."""
    return None if value is None or not np.isfinite(value) else float(value)


def standing(result: Result) -> Standing:
    """How far a result can be trusted."""
    if finite(result.value) is None:
        return "undefined"
    if not result.nulls:
        return "untested"
    if any(null.reached for null in result.nulls):
        return "reached"
    return "open" if any(null.p is not None and null.p > 0.05 for null in result.nulls) else "clear"


def reached(report: Report) -> list[Result]:
    """The results that a null model reaches."""
    return [result for result in report.results if standing(result) == "reached"]


def strongest(result: Result) -> NullScore | None:
    """The null model that comes nearest to the score or beyond it, None when none was tried."""
    return max(result.nulls, key=lambda null: (null.reached, finite(null.p) or 0.0, -abs(finite(null.z) or 0.0)), default=None)


def remarks(result: Result) -> tuple[str, ...]:
    """What is to be said about a result; an undefined one says so."""
    if finite(result.value) is None and not any("undefined" in line for line in result.words):
        return ("undefined: this definition gives no number here", *result.words)
    return result.words


def summary(report: Report) -> str:
    """One line: takes, scores, dialects, and how many of the scores held against null models one reaches."""
    takes = len(report.clips) if report.takes is None else report.takes
    tested = sum(standing(result) in {"reached", "clear", "open"} for result in report.results)
    against = f"a null model reaches {len(reached(report))} of {tested} tested" if tested else "none tested against null models"
    return f"{_count(takes, 'take')}, {_count(len(report.results), 'score')} in {_count(len(dialects(report)), 'dialect')}; {against}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def number(value: float | None, digits: int = 4) -> str:
    """A number to so many significant digits, "–" when there is none; whole ones keep all of theirs up to ten million."""
    known = finite(value)
    if known is None:
        return "–"
    return f"{known:.0f}" if 10**digits <= abs(known) < 1e7 else f"{known:.{digits}g}"


def unit(about: About) -> str:
    """The unit of a score, empty when it has none."""
    return "" if about.unit == "1" else about.unit


def interval(result: Result) -> str:
    """The 95 % interval, its ends to a hundredth of its width or finer; empty when there is none."""
    low, high = finite(result.low), finite(result.high)
    if low is None or high is None:
        return ""
    places = 2 - int(np.floor(np.log10(high - low))) if high > low else 9
    ends = (number(end, 3) if places > 6 else f"{round(end, max(places, 0)) + 0.0:.10g}" for end in (low, high))
    return " to ".join(ends)


def null_words(null: NullScore | None) -> str:
    """A null model's name with z and p, empty for None."""
    if null is None:
        return ""
    z = "" if finite(null.z) is None else f"z {number(null.z, 2)}, "
    return f"{null.null}: {z}p {number(null.p, 2)}"


def tested(report: Report) -> list[Result]:
    """Scores held against null models: the corrected ones, or all where none is corrected."""
    found = [result for result in report.results if standing(result) in {"reached", "clear", "open"}]
    return [result for result in found if result.about.dialect == "corrected"] or found


def worst_words(one: Worst) -> str:
    """A worst clip in a line."""
    return f"{one.name}: {one.metric} {worst_number(one)}"


def worst_number(one: Worst) -> str:
    """A worst clip's number beside the mean."""
    named = "" if one.unit == "1" else f" {one.unit}"
    return f"{number(one.number, 3)}{named} (mean of all takes: {number(one.mean, 3)})"


def plain(text: str) -> str:
    """Text on one line without control characters: names of files may hold anything."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
