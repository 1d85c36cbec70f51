"""Words for a take on two levels, by rule: what LRCM had professional dancers write for Motorica (section 3.2, equation 13).

Global: style, moving range, energy, manner, the moves that the take's own description names, what marks the style; in the order in which a
prompt is expanded. Local: a move for each window of counts in which something is seen for sure. docs/decoupling.md has the thresholds and
how far each detector can be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from choreia.data.detectors import HELD, Sighting, sightings
from choreia.data.manner import manners, measure
from choreia.data.observe import RATE_HZ, Body, observe
from choreia.data.rhythms import Window, rhythm
from choreia.data.shards import Sample
from choreia.text.lexicon import Style, Term, candidates, find, lexicon, style_named
from choreia.text.match import read
from choreia.text.words import form
from choreia.types import Motion, Move, Script

COUNTS = 4
WINDOW_S = 2.0
"""Length of a window where no beats are known."""

_HELD_SHARE = 0.4  # of a window that something held has to fill
_LOOSE = {"spin", "hop", "walk"}  # sightings that a described move of the same family says more closely
_KINDS = ("range", "energy", "manner")


def relabelled(sample: Sample) -> Sample:
    """The sample with `labels.words`, and with `labels.moves` where it is real; for shards that were written without them."""
    labels = sample.labels
    synthetic = labels.kind == "synthetic"
    beats, bars = (sample.music[0].beats_s, sample.music[0].downbeats_s) if sample.music else (np.zeros(0), np.zeros(0))
    script = describe(sample.motion, labels.style, "" if synthetic else labels.text, beats, bars)
    seen = tuple((move.start_s, move.end_s, move.text) for move in script.moves)
    return replace(sample, labels=replace(labels, words=script.style, moves=labels.moves if synthetic else seen))


def describe(motion: Motion, style: str, text: str, beats_s: np.ndarray, downbeats_s: np.ndarray | None = None) -> Script:
    """Global and local words of a take.

    Args:
        motion: on choreia-24.
        style: one of `takes.STYLES` or of the choreographer's.
        text: what the take is described as, empty when nothing is known.
        beats_s: (B,) s of the music it is paired with, empty without.
        downbeats_s: (D,) s; every fourth beat when None.
    Raises:
        ChoreiaError: another skeleton.
    """
    body = observe(motion)
    known = style_of(style, text)
    terms = named_in(text, known)
    downbeats = beats_s[::COUNTS] if downbeats_s is None else downbeats_s
    moves = local_moves(body, known, terms, windows(motion.duration_s, downbeats))
    return Script(global_words(body, known, terms), tuple(moves))


def style_of(style: str, text: str) -> str | None:
    """The lexicon's style for a take's: its own, or the one that the description names; None for movement without a style."""
    own = next((entry.name for entry in candidates(style) if isinstance(entry, Style)), None)
    return own or next((named for phrase in phrases(text) if (named := style_named(phrase))), None)


def named_in(text: str, style: str | None) -> list[Term]:
    """Moves that a description names, word for word."""
    hits = (hit for phrase in phrases(text) for hit in read(phrase.split(), style))
    return [hit.entry for hit in hits if isinstance(hit.entry, Term) and form(hit.words) in lexicon().by_form]


def phrases(text: str) -> list[str]:
    """The parts of a description: words of a name apart ("StepTouch"), without numbers and brackets."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\(.*?\)|\d", " ", text))
    return [" ".join(part.split()).lower() for part in re.split(r"[,;/]| - ", apart) if part.strip()]


# --------------------------------------------------------------------------------------------------------------- global


def global_words(body: Body, style: str | None, terms: list[Term]) -> str:
    """Style, range, energy, manner, described moves, marks of the style; as `text.expand` writes them."""
    table = lexicon()
    names = manners(measure(body))
    words = sorted((manner for manner in table.manners if manner.name in names), key=lambda manner: _KINDS.index(manner.kind))
    marks = [entry.text.partition(": ")[2] for entry in table.styles if entry.name == style]
    parts = [*([style] if style else []), *(manner.text for manner in words), *(term.name for term in terms), *marks]
    return ", ".join(dict.fromkeys(parts))


# --------------------------------------------------------------------------------------------------------------- local


_NAMED = {"kick": "charleston kick step", "spin": "disco spin", "run": "jazz run", "lunge": "lunge and reach"}
"""What a detector sees, as a move of the lexicon, where its own word means different moves in different styles."""


def windows(duration_s: float, downbeats_s: np.ndarray) -> list[tuple[float, float]]:
    """Bars from downbeat to downbeat, continued to both ends of the take, or 2 s each without; stumps under half a bar left out."""
    known = np.asarray(downbeats_s, float)
    known = known[(known > 0) & (known < duration_s)] if len(known) > 2 else np.arange(0, duration_s, WINDOW_S)
    spacing_s = float(np.median(np.diff(known))) if len(known) > 1 else WINDOW_S
    before = known[0] - spacing_s * np.arange(1, int(known[0] / spacing_s) + 2)[::-1]
    after = known[-1] + spacing_s * np.arange(1, int((duration_s - known[-1]) / spacing_s) + 2)
    edges = np.unique(np.clip([*before, *known, *after], 0, duration_s))
    return [(float(a), float(b)) for a, b in pairwise(edges) if b - a >= 0.5 * spacing_s]


def local_moves(body: Body, style: str | None, described: list[Term], bars: list[tuple[float, float]]) -> Iterator[Move]:
    """A move for each window that has one; equal neighbours are one move."""
    seen = sightings(body)
    last: Move | None = None
    for start_s, end_s in bars:
        text = _words(_believed(seen, start_s, end_s) or _rhythm(body, style, start_s, end_s), style, described)
        if last and last.text == text and last.end_s == start_s:
            last = replace(last, end_s=end_s)
            continue
        if last:
            yield last
        last = Move(start_s, end_s, text) if text else None
    if last:
        yield last


def _believed(seen: list[Sighting], start_s: float, end_s: float) -> Sighting | None:
    """The first that has its middle in the window, or is held through enough of it."""

    def holds(sighting: Sighting) -> bool:
        if sighting.name not in HELD:
            return start_s <= (sighting.start_s + sighting.end_s) / 2 < end_s
        return min(sighting.end_s, end_s) - max(sighting.start_s, start_s) >= _HELD_SHARE * (end_s - start_s)

    return next((sighting for sighting in seen if holds(sighting)), None)


def _rhythm(body: Body, style: str | None, start_s: float, end_s: float) -> Sighting | None:
    start, stop = round(start_s * RATE_HZ), min(round(end_s * RATE_HZ), len(body))
    name = rhythm(Window(body, start, stop), style) if stop - start > 1 else ""
    return Sighting(start_s, end_s, name) if name else None


def _words(sighting: Sighting | None, style: str | None, described: list[Term]) -> str:
    """A sighting as a caption of the lexicon's term, the described one where it is of the same family; "" for none."""
    if sighting is None:
        return ""
    if sighting.name == "spin" and style == "salsa":
        return _caption(find("left turn")).replace("left", sighting.way.removeprefix("to the "))
    term = find(_NAMED.get(sighting.name, sighting.name))
    closer = (own for own in described if term and own.family == term.family and sighting.name in _LOOSE)
    return _caption(next(closer, term), sighting.way)


def _caption(term: Term | None, way: str = "") -> str:
    """Name, way and movement of a term in one line; "" for none."""
    return f"{term.name}{', ' if way else ''}{way}: {term.text}" if term else ""
