"""Moves laid on a song: where times were said there, elsewhere on 8-counts by section.

Rules, in this order:
1. A move with a time fills it. Several take turns by 8-count (by bar or beat when it is short); said as a sequence they
   share it evenly.
2. Where two times meet, the one said more closely goes before: bars and seconds before a numbered section, that before all sections of a
   name, that before the whole song. Two times said equally closely are a mistake.
3. Moves said to come "then" fill what follows: the rest of the section, or one 8-count each behind a single point.
4. A sequence without times is laid over all that is free. Other moves without a time take turns on every second free 8-count of each
   section, in an order drawn from the seed and the section's name, so that a chorus that returns gets the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zlib import crc32

import numpy as np

from choreia.errors import ChoreiaError
from choreia.text.places import BEATLESS_S, Stretch, clock_text, edges, eight_after, resolve
from choreia.text.times import Length, Mark, Span
from choreia.types import Move, Music

SHORTEST_S = 0.25
"""Stretches and overlaps shorter than this are none."""


@dataclass(frozen=True)
class Call:
    """A move asked for, in the words of the script; `length` when it was said."""

    text: str
    length: Length | None = None


@dataclass(frozen=True)
class Request:
    """Moves asked for at `spans`, or anywhere when there are none; `ordered` and `follows` as in `clauses.Cue`."""

    spans: tuple[Span, ...]
    calls: tuple[Call, ...]
    ordered: bool = False
    follows: bool = False


@dataclass(frozen=True)
class Laid:
    """A stretch given to calls; `rank` is how closely its time was said, `words` how; a `soft` end gives way to what begins before it."""

    start_s: float
    end_s: float
    calls: tuple[Call, ...]
    ordered: bool
    rank: int
    words: str
    soft: bool = False


@dataclass(frozen=True)
class Arrangement:
    """Moves by time, with what should be said about them."""

    moves: tuple[Move, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def arrange(requests: Sequence[Request], music: Music, seed: int = 0) -> Arrangement:
    """Lay all requests on a song.

    Raises:
        ChoreiaError: a time that the song does not have, or two times said equally closely that overlap.
    """
    notes: list[str] = []
    laid: list[Laid] = []
    for request in requests:
        laid += _said(request, laid[-1].end_s if laid else 0.0, music, notes)
    laid, warnings = _settled(laid)
    for before, request in pairwise([Request((), ()), *requests]):
        if request.follows and not request.spans:
            laid += (behind := _following(before, request, laid, music))
            missing = ", ".join(call.text for call in request.calls) if not behind else ""
            warnings += [f"no room is left for {missing!r} after what comes before: give it a time"] if missing else []
    loose = [r for r in requests if not r.spans and not r.follows]
    laid += _storylines([r for r in loose if _is_story(r)], laid, music, notes)
    laid += _vocabulary([c for r in loose if not _is_story(r) for c in r.calls], laid, music, seed, notes, warnings)
    moves = [move for item in laid for move in _fill(item, music)]
    return Arrangement(_tidy(moves, music), tuple(warnings), tuple(dict.fromkeys(notes)))


def _is_story(request: Request) -> bool:
    """Whether moves without a time are to come one after another, or each so long, rather than now and then."""
    return request.ordered or any(call.length for call in request.calls)


# ------------------------------------------------------------------------------------------------------------- said times


def _said(request: Request, behind_s: float, music: Music, notes: list[str]) -> list[Laid]:
    """The stretches of a request, found in the song; the next of something begins at `behind_s`."""
    laid: list[Laid] = []
    for said in request.spans:
        since_s = laid[-1].end_s if laid else behind_s
        span = replace(said, kind="at", start=Mark("second", since_s)) if said.kind == "next" else said
        place = resolve(_lengthened(span, request.calls), music)
        notes += place.notes
        words = span.words.strip(" ,:") or "this time"
        soft = _is_point(span) and not any(call.length for call in request.calls)
        laid += [Laid(a, b, request.calls, request.ordered, _rank(span), words, soft) for a, b in place.stretches]
    return laid


def _is_point(span: Span) -> bool:
    """Whether only a start was said, whose 8-count is our choice."""
    alone = span.kind == "after" or (span.kind == "at" and span.start is not None and span.start.unit in {"second", "start"})
    return alone and span.length is None


def _lengthened(span: Span, calls: Sequence[Call]) -> Span:
    """A single point lasts as long as its moves were said to."""
    lengths = [call.length for call in calls if call.length]
    alike = len(lengths) == len(calls) and len({length.unit for length in lengths}) == 1
    if span.kind not in {"at", "after"} or span.start is None or span.start.unit == "section" or span.length or not alike:
        return span
    total = Length(lengths[0].unit, sum(length.number for length in lengths))
    return replace(span, kind="last", start=None, length=total) if span.start.unit == "end" else replace(span, length=total)


def _rank(span: Span) -> int:
    """How closely a time was said, 0 to 4."""
    if span.within or span.length or span.also:
        return 4 if span.kind in {"every", "other"} else 3
    if span.kind in {"whole", "from", "until"}:
        return 0
    marks = [mark for mark in (span.start, span.end) if mark]
    if any(mark.unit == "section" for mark in marks):
        return 2 if all(mark.number for mark in marks) or len(marks) > 1 else 1
    return 3


def _settled(laid: list[Laid]) -> tuple[list[Laid], list[str]]:
    """Stretches that do not overlap, by rule 2, and a warning for each that gave way."""
    kept: list[Laid] = []
    warnings: dict[tuple[str, str], str] = {}
    laid = [replace(item, end_s=_soft_end(item, laid)) if item.soft else item for item in laid]
    for item in sorted(laid, key=lambda item: -item.rank):
        for other in kept:
            start_s, end_s = max(item.start_s, other.start_s), min(item.end_s, other.end_s)
            if end_s - start_s > SHORTEST_S and _names(item) != _names(other):
                if item.rank == other.rank:
                    raise ChoreiaError(f"{_overlap(other, item, start_s, end_s)}: move one of them, or say both for one time")
                if item.rank:
                    line = f"{_overlap(other, item, start_s, end_s)}: the first goes before, being said more closely"
                    warnings.setdefault((item.words, other.words), line)
        pieces = _without((item.start_s, item.end_s), kept)
        kept += [replace(item, start_s=a, end_s=b) for a, b in pieces]
    return kept, list(warnings.values())


def _soft_end(item: Laid, laid: Sequence[Laid]) -> float:
    """The end of an item, or the start of the first that begins after it and before its end."""
    later = [other.start_s for other in laid if other.rank >= 2 and other.start_s > item.start_s + SHORTEST_S]
    return min([item.end_s, *later])


def _overlap(first: Laid, second: Laid, start_s: float, end_s: float) -> str:
    both = " and ".join(f"'{item.words}' ({_names(item)})" for item in (first, second))
    return f"{both} overlap from {clock_text(start_s)} to {clock_text(end_s)}"


def _names(item: Laid) -> str:
    names = [call.text for call in item.calls]
    return ", ".join([*names[:3], "…"] if len(names) > 4 else names)


def _without(stretch: Stretch, taken: Iterable[Laid]) -> list[Stretch]:
    """What is left of a stretch."""
    left, at = [], stretch[0]
    for item in sorted(taken, key=lambda item: item.start_s):
        if item.end_s > at and item.start_s < stretch[1]:
            left.append((at, item.start_s))
            at = max(at, item.end_s)
    return [(a, b) for a, b in (*left, (at, stretch[1])) if b - a > SHORTEST_S]


# ---------------------------------------------------------------------------------------------------------- without times


def _following(before: Request, request: Request, laid: Sequence[Laid], music: Music) -> list[Laid]:
    """Moves that come after the request before them, by rule 3."""
    found: list[Laid] = []
    for span in before.spans:
        for item in [item for item in laid if item.words == span.words.strip(" ,:") and item.calls == before.calls]:
            end_s = _reach(span, item.end_s, request.calls, music)
            free = [(a, b) for a, b in _without((item.end_s, end_s), [*laid, *found]) if a - item.end_s < SHORTEST_S]
            found += [Laid(a, b, request.calls, True, 0, f"after {item.words}") for a, b in free[:1]]
    behind = max((item.end_s for item in laid if item.calls == before.calls), default=0.0)
    late = _without((behind, music.duration_s), laid)[:1] if not found else []
    return found or [
        Laid(a, min(b, _reach(Span("from"), a, request.calls, music)), request.calls, True, 0, "what follows") for a, b in late
    ]


def _reach(span: Span, start_s: float, calls: Sequence[Call], music: Music) -> float:
    """Until when moves that follow may last."""
    if all(call.length for call in calls):
        return min(music.duration_s, start_s + sum(_length_s(call.length, start_s, music) for call in calls if call.length))
    mark = span.start or Mark("section")
    if mark.unit == "start":
        return music.duration_s
    if span.kind == "at" and mark.unit != "section":
        return min(music.duration_s, eight_after(music, start_s, 8 * len(calls)))
    return next((s.end_s for s in music.sections if s.start_s <= start_s + SHORTEST_S < s.end_s), music.duration_s)


def _length_s(length: Length, start_s: float, music: Music) -> float:
    """Seconds of a length from `start_s` on."""
    if length.unit == "second":
        return length.number
    beats = {"bar": music.meter, "eight": 2 * music.meter}.get(length.unit, 1)
    return eight_after(music, start_s, beats * length.number) - start_s


def _storylines(stories: Sequence[Request], laid: Sequence[Laid], music: Music, notes: list[str]) -> list[Laid]:
    """Sequences over what is free, by rule 4; a sequence whose moves all have a length stands at the first free 8-count."""
    found: list[Laid] = []
    for story in stories:
        cells = _free(music, [*laid, *found])
        if not cells:
            raise ChoreiaError(f"no room is left for {story.calls[0].text!r}: the times that are said fill the whole song; shorten one")
        names = ", ".join(call.text for call in story.calls)
        if all(call.length for call in story.calls):
            on_count = music.eights_s[(music.eights_s >= cells[0][0]) & (music.eights_s < cells[0][1] - SHORTEST_S)]
            start_s = float(on_count[0]) if len(on_count) else cells[0][0]
            free = _without((start_s, _reach(Span("at"), start_s, story.calls, music)), [*laid, *found])
            found += [Laid(a, b, story.calls, True, 0, "the song") for a, b in free[:1]]
            notes.append(f"{names}: no time was said, placed from {clock_text(free[0][0])}")
            continue
        for call, part in zip(story.calls, np.array_split(np.arange(len(cells)), len(story.calls)), strict=True):
            found += [Laid(cells[i][0], cells[i][1], (call,), False, 0, "a sequence") for i in part]
        notes.append(f"{names}: no times were said, laid over the song in this order")
    return found


def _vocabulary(calls: Sequence[Call], laid: Sequence[Laid], music: Music, seed: int, notes: list[str], warnings: list[str]) -> list[Laid]:
    """Moves now and then, by rule 4."""
    if not calls:
        return []
    found: list[Laid] = []
    turn: dict[str, int] = {}
    orders: dict[str, list[int]] = {}
    for cell in _free(music, laid):
        label = next((s.label for s in music.sections if s.start_s <= sum(cell) / 2 < s.end_s), "")
        fresh = {section.start_s for section in music.sections if section.label == label}
        if any(abs(cell[0] - start_s) < BEATLESS_S / 2 for start_s in fresh):
            turn[label] = 0
        at = turn.get(label, 0)
        turn[label] = at + 1
        draw = np.random.default_rng([seed, crc32(label.encode())])
        order = orders.setdefault(label, [int(i) for i in draw.permutation(len(calls))])
        if at % 2 == 0:
            found.append(Laid(cell[0], cell[1], (calls[order[at // 2 % len(order)]],), False, 0, "now and then"))
    missing = [call for call in calls if not any(item.calls == (call,) for item in found)]
    found = _squeezed(found, missing)
    danced = {item.calls[0].text for item in found}
    warnings += [
        f"no room is left for {c.text!r}: the times that are said fill the song; give it a time" for c in calls if c.text not in danced
    ]
    placed = ", ".join(call.text for call in calls if call.text in danced)
    if placed:
        notes.append(f"{placed}: no time was said, placed on every second free 8-count, the same in sections that return")
    return found


def _squeezed(found: list[Laid], missing: Sequence[Call]) -> list[Laid]:
    """Every missing call takes the last place of a call that has several."""
    for call in missing:
        count: dict[tuple[Call, ...], int] = {}
        for item in found:
            count[item.calls] = count.get(item.calls, 0) + 1
        spare = [i for i, item in enumerate(found) if count[item.calls] > 1]
        if spare:
            found[spare[-1]] = replace(found[spare[-1]], calls=(call,))
    return found


def _free(music: Music, laid: Sequence[Laid]) -> list[Stretch]:
    """Free 8-counts of the song, those of which at least half is free."""
    cells = _cells((0.0, music.duration_s), music)
    free = [(piece, (a, b)) for a, b in cells for piece in _without((a, b), laid)]
    return [piece for piece, (a, b) in free if piece[1] - piece[0] >= 0.5 * (b - a)]


# ------------------------------------------------------------------------------------------------------------ into moves


def _cells(stretch: Stretch, music: Music) -> list[Stretch]:
    """The 8-counts of a stretch, each section counted anew; what is over at its ends is joined to its neighbour."""
    sections = [section.start_s for section in music.sections]
    grid = edges("eight", music) if music.has_beat and len(music.eights_s) else _slow_grid(sections, music.duration_s)
    least_s = 0.5 * float(np.median(np.diff(grid))) if len(grid) > 1 else BEATLESS_S / 2
    inner = [float(e) for e in grid if stretch[0] + least_s <= e <= stretch[1] - least_s]
    return list(pairwise([stretch[0], *inner, stretch[1]]))


def _slow_grid(starts_s: Sequence[float], end_s: float) -> np.ndarray:
    """Every `BEATLESS_S` from the start of each section."""
    bounds = pairwise([*starts_s, end_s]) if starts_s else [(0.0, end_s)]
    return np.concatenate([np.arange(a, b, BEATLESS_S) for a, b in bounds])


def _fill(item: Laid, music: Music) -> list[Move]:
    """The moves of one stretch, by rule 1."""
    stretch = (item.start_s, item.end_s)
    if any(call.length for call in item.calls):
        return _measured(item, music)
    if len(item.calls) == 1:
        return [Move(*stretch, item.calls[0].text)]
    inner = _cuts(stretch, len(item.calls) - 1, music)
    if item.ordered or len(inner) < len(item.calls) - 1:
        return _shared(item.calls, stretch, inner)
    return [Move(a, b, item.calls[i % len(item.calls)].text) for i, (a, b) in enumerate(pairwise([stretch[0], *inner, stretch[1]]))]


def _cuts(stretch: Stretch, least: int, music: Music) -> list[float]:
    """Places to cut a stretch: its 8-counts, its bars or its beats, the first of these that are `least` or more, else none."""
    eights = [a for a, _ in _cells(stretch, music)[1:]]
    grids = [
        [float(t) for t in grid if stretch[0] + SHORTEST_S < t < stretch[1] - SHORTEST_S] for grid in (music.downbeats_s, music.beats_s)
    ]
    return next((grid for grid in (eights, *grids) if len(grid) >= least), [])


def _shared(calls: Sequence[Call], stretch: Stretch, inner: Sequence[float]) -> list[Move]:
    """A stretch in equal parts, on places to cut where there are any."""
    cuts = np.linspace(*stretch, len(calls) + 1)[1:-1]
    if inner:
        at = np.round(np.linspace(-1, len(inner), len(calls) + 1)[1:-1]).astype(int)
        cuts = np.asarray(inner)[at]
    bounds = [stretch[0], *map(float, cuts), stretch[1]]
    return [Move(a, b, call.text) for (a, b), call in zip(pairwise(bounds), calls, strict=True)]


def _measured(item: Laid, music: Music) -> list[Move]:
    """Moves of which some have a length: these keep it, the others share what is left."""
    start_s, moves = item.start_s, list[Move]()
    fixed_s = sum(_length_s(call.length, start_s, music) for call in item.calls if call.length)
    open_calls = sum(call.length is None for call in item.calls)
    spare_s = (item.end_s - item.start_s - fixed_s) / max(1, open_calls)
    if fixed_s > item.end_s - item.start_s + 2 * SHORTEST_S or (open_calls and spare_s < SHORTEST_S):
        long = f"'{item.words}' lasts {item.end_s - item.start_s:.1f} s, its moves ({_names(item)}) {fixed_s:.1f} s"
        raise ChoreiaError(f"{long}: give them less or a longer time")
    for call in item.calls:
        end_s = min(item.end_s, start_s + (_length_s(call.length, start_s, music) if call.length else spare_s))
        if end_s - start_s > 1e-3:
            moves.append(Move(start_s, end_s, call.text))
        start_s = end_s
    return moves


def _tidy(moves: Sequence[Move], music: Music) -> tuple[Move, ...]:
    """Moves by time, to the millisecond; one that goes on in the next is one."""
    found: list[Move] = []
    for move in sorted(moves, key=lambda move: (move.start_s, move.end_s)):
        start_s, end_s = round(move.start_s, 3), min(round(move.end_s, 3), music.duration_s)
        if found and found[-1].text == move.text and start_s - found[-1].end_s < 0.002:
            found[-1] = replace(found[-1], end_s=max(end_s, found[-1].end_s))
        elif end_s > start_s:
            found.append(Move(start_s, end_s, move.text))
    return tuple(found)
