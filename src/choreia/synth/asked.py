"""A script's timed moves on the counts: which figures fill which stretch, and what is left to the choreographer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from choreia.errors import ChoreiaError
from choreia.synth.counting import Counting, Phrase
from choreia.synth.moves.notation import Figure
from choreia.synth.repertoire import find
from choreia.types import Move


@dataclass(frozen=True)
class Window:
    """Counts [start, end) in which `asked` figures take turns; True: begin as written."""

    start: int
    end: int
    asked: tuple[tuple[Figure, bool], ...]


def windows(moves: Sequence[Move], style: str, counting: Counting, length_s: float) -> list[Window]:
    """Timed moves as windows on whole counts.

    Each edge goes to the nearest count, so no more than half a count away; a window shorter than that gets the count it lies in. Moves
    with the same window take turns in it.

    Raises:
        ChoreiaError: an unknown figure, or a move that ends before it begins or begins after the dance.
    """
    lowest, highest = (int(f(x)) for f, x in zip((np.ceil, np.floor), counting.at(np.array([0.0, length_s])), strict=True))
    found: dict[tuple[int, int], tuple[tuple[Figure, bool], ...]] = {}
    for move in moves:
        _check(move, length_s)
        at = counting.at(np.array([move.start_s, move.end_s]))
        start, end = (int(np.clip(edge, lowest, max(highest, lowest + 1))) for edge in np.round(at))
        if start >= end:
            start = int(np.clip(np.floor(at[0]), lowest, max(highest - 1, lowest)))
            end = start + 1
        found[start, end] = (*found.get((start, end), ()), find(move.text, style))
    return [Window(start, end, asked) for (start, end), asked in found.items()]


def _check(move: Move, length_s: float) -> None:
    if not 0 <= move.start_s < move.end_s:
        raise ChoreiaError(f"move {move.text!r} from {move.start_s:g} to {move.end_s:g} s: it must end after it begins")
    if move.start_s >= length_s:
        raise ChoreiaError(f"move {move.text!r} begins at {move.start_s:g} s: the dance ends at {length_s:g} s")


def interleave(phrases: Sequence[Phrase], found: Sequence[Window], longest: int) -> list[Phrase]:
    """Phrases with the windows laid over them: a shorter window over a longer one, a later over an earlier of the same length.

    A window is danced in phrases of up to `longest` counts from its own start; what remains of the others keeps its label and number.
    """
    owner: dict[int, Window] = {}
    for window in sorted(found, key=lambda window: window.start - window.end):
        owner |= dict.fromkeys(range(window.start, window.end), window)
    left = [part for phrase in phrases for part in _outside(phrase, owner)]
    return sorted([*left, *_inside(owner, longest)], key=lambda phrase: phrase.start)


def _outside(phrase: Phrase, owner: dict[int, Window]) -> Iterator[Phrase]:
    """The runs of counts of a phrase that no window owns."""
    for free, run in groupby(range(phrase.start, phrase.start + phrase.counts), lambda count: count not in owner):
        counts = list(run)
        if free:
            yield replace(phrase, start=counts[0], counts=len(counts))


def _inside(owner: dict[int, Window], longest: int) -> Iterator[Phrase]:
    """Phrases for every run of counts that one window owns."""
    counts = sorted(owner)
    for (window, _), run in groupby(enumerate(counts), lambda item: (owner[item[1]], item[1] - item[0])):
        own = [count for _, count in run]
        label = " ".join(figure.name for figure, _ in window.asked)
        for k, first in enumerate(range(own[0], own[-1] + 1, longest)):
            turn = k % len(window.asked)
            yield Phrase(first, min(longest, own[-1] + 1 - first), label, k, window.asked[turn:] + window.asked[:turn])
