"""A prompt cut into cues: which words are said of which time.

A time with a colon behind it, or one that stands before its moves, holds for all that follows in the sentence ("in the chorus stomp, then
jab": both in the chorus). A time behind its moves holds for these alone ("stomp in the chorus, then jab": the jab comes after).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from choreia.text.match import read
from choreia.text.times import Length, Span, inside, scan, tidy
from choreia.text.words import FILLERS, NUMBERS, STEPS

_WORD = re.compile(r"\d+(?:\.\d+)?x?\b|x ?\d+\b|[^\W_]+(?:['-][^\W_]+)*|->|=>|[;:.,!?\n|>/+]")
_BREAKS = {";", ".", "!", "?", "\n", "|"}
_THEN = {"then", "next", "afterwards", "afterward", "finally", "->", "=>", ">", "followed", "subsequently", "later"}
_NOT = {"no", "not", "without", "avoid", "never", "don't", "dont", "except", "skip", "minus", "isn't", "nothing"}


@dataclass(frozen=True)
class Piece:
    """One thing of a prompt: `kind` is time, word, comma, and, then, break, colon, times or not."""

    kind: str
    text: str = ""
    span: Span | None = None
    number: int = 0


@dataclass(frozen=True)
class Phrase:
    """Words said together: `length` is how long ("for 8 counts"), `times` how often, `refused` what shall not be danced."""

    words: tuple[str, ...]
    length: Length | None = None
    times: int = 0
    refused: tuple[str, ...] = ()


@dataclass
class Cue:
    """Phrases for `spans` (none: no time was said).

    `ordered`: one after the other. `follows`: right after the cue before. `title`: the words before the colon of its clause, no time.
    """

    spans: tuple[Span, ...] = ()
    phrases: list[Phrase] = field(default_factory=list)
    ordered: bool = False
    follows: bool = False
    title: str = ""


def cues(prompt: str) -> list[Cue]:
    """The cues of a prompt, in the order they were said."""
    found: list[Cue] = []
    for clause in _clauses(list(pieces(prompt))):
        found += _Clause().read(clause)
    return [cue for cue in found if cue.spans or cue.phrases]


def pieces(prompt: str) -> Iterator[Piece]:
    """The prompt as pieces: times are read first, words and punctuation between them."""
    plain = tidy(prompt)
    at = 0
    for found in scan(plain):
        yield from _words(plain[at : found.start])
        yield Piece("time", found.span.words, found.span)
        at = found.stop
    yield from _words(plain[at:])


def _words(text: str) -> Iterator[Piece]:
    tokens = _WORD.findall(re.sub(r"(?<=\d)[.)](?= )", " ", text))
    at = 0
    while at < len(tokens):
        piece, used = _piece(tokens[at], tokens[at + 1] if at + 1 < len(tokens) else "")
        at += used
        if piece:
            yield piece


def _piece(token: str, after: str) -> tuple[Piece | None, int]:
    """The piece a token is, and how many tokens it takes."""
    repeat = re.fullmatch(r"(?:x ?)?(\d+)x?", token)
    if repeat and (token != repeat[1] or after in {"times", "x"}):
        return Piece("times", number=min(int(repeat[1]), 1000)), 1 + (token == repeat[1])
    if token in {"twice", "thrice"}:
        return Piece("times", number=2 if token == "twice" else 3), 1
    if token in NUMBERS and after == "times":
        return Piece("times", number=NUMBERS.index(token) + 1), 2
    if token in _BREAKS:
        return Piece("break"), 1
    if token in _THEN:
        return Piece("then"), 1 + (after == "by")
    if token == "after" and after in {"that", "this", "which"}:
        return Piece("then"), 2
    kinds = {",": "comma", ":": "colon", "and": "and", "but": "comma", "+": "and", "/": "and", "plus": "and"}
    kind = "not" if token in _NOT else kinds.get(token, "word")
    return Piece(kind, token), 1


def _clauses(found: list[Piece]) -> Iterator[list[Piece]]:
    """Pieces between breaks; a list of times with a colon begins a clause of its own."""
    clause: list[Piece] = []
    for at, piece in enumerate(found):
        if piece.kind == "break" or (piece.kind == "time" and _heads(found, at) and not _listed(clause)):
            if clause:
                yield clause
            clause = []
        if piece.kind != "break":
            clause.append(piece)
    if clause:
        yield clause


def _heads(found: Sequence[Piece], at: int) -> bool:
    """Whether times from `at` on, joined by commas or "and", end in a colon."""
    while at < len(found) and found[at].kind in {"time", "comma", "and"}:
        at += 1
    return at < len(found) and found[at].kind == "colon"


def _listed(clause: Sequence[Piece]) -> bool:
    """Whether a clause so far is nothing but times and what joins them."""
    return bool(clause) and all(piece.kind in {"time", "comma", "and"} for piece in clause)


def _says(group: Sequence[Piece]) -> bool:
    """Whether pieces say anything beside a time."""
    words = [piece.text for piece in group if piece.kind == "word"]
    return any(word not in FILLERS or word in STEPS for word in words) or bool(read(words))


class _Clause:
    """Reads one clause: `scope` is the time that holds until another is said, `frame` that of the whole clause, in which others count."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []
        self.scope: Cue | None = None
        self.frame: Span | None = None

    def read(self, clause: list[Piece]) -> list[Cue]:
        clause, title = _titled(clause)
        if title is None:
            stop = next(i for i, piece in enumerate(clause) if piece.kind == "colon")
            self.open(self.spans(clause[:stop]))
            self.frame = self.scope.spans[0] if self.scope and len(self.scope.spans) == 1 else None
            clause, title = clause[stop + 1 :], ""
        elif title:
            self.cues.append(Cue((), [Phrase(tuple(title.split()))], title=title))
        then, groups = False, list(_split(clause))
        final = max((place for place, group in enumerate(groups) if _says(group)), default=-1)
        for place, group in enumerate(groups):
            if group and group[0].kind in {"comma", "then"}:
                then = group[0].kind == "then" or (then and len(group) == 1)
                group = group[1:]
            then |= place + 2 == len(groups) and [piece.kind for piece in groups[place + 1]] == ["then"]
            if group:
                self.group(group, then, last=place >= final)
                then = False
        nested = self.frame and len(self.cues) > 1 and not self.cues[0].phrases
        return self.cues[1:] if nested else self.cues

    def spans(self, group: Sequence[Piece]) -> tuple[Span, ...]:
        """The times in a group, in the frame of the clause."""
        return tuple(
            inside(piece.span, self.frame) if self.frame else piece.span for piece in group if piece.span and piece.span.kind != "for"
        )

    def open(self, spans: tuple[Span, ...]) -> None:
        """Begin a time that holds."""
        self.scope = Cue(spans)
        self.cues.append(self.scope)

    def group(self, group: list[Piece], then: bool, last: bool) -> None:
        """Words between commas, with any times among them; `last` when no words come behind."""
        timed = [i for i, piece in enumerate(group) if piece.span and piece.span.kind != "for"]
        if not timed:
            self.untimed(_phrase(group), then)
        elif not _says(group):
            self.time_only(self.spans(group), last)
        elif _says(group[: timed[0]]):
            self.trailing(group, timed, then)
        else:
            self.leading(group, timed)

    def untimed(self, phrase: Phrase, then: bool) -> None:
        last = self.cues[-1] if self.cues else None
        if self.scope is not None and not (then and _is_instant(self.scope) and self.scope.phrases):
            self.scope.phrases.append(phrase)
            self.scope.ordered |= then
        elif last is not None and not last.spans:
            last.phrases.append(phrase)
            last.ordered |= then
        else:
            self.cues.append(Cue((), [phrase], then, then and last is not None))
            self.scope = None

    def time_only(self, spans: tuple[Span, ...], last: bool) -> None:
        """A time by itself holds for what follows; behind moves without a time, or at the end of a list, it is theirs."""
        before = self.cues[-1] if self.cues else None
        if before is not None and before.phrases and ((not before.spans and len(before.phrases) == 1 and not before.follows) or last):
            before.spans += spans
        else:
            self.open(spans)

    def trailing(self, group: list[Piece], timed: list[int], then: bool) -> None:
        """Each time closes what stands before it."""
        self.scope = None
        begin = 0
        for at in timed:
            if begin and not _says(group[begin:at]):
                self.cues[-1].spans += self.spans(group[at : at + 1])
            else:
                self.cues.append(Cue(self.spans(group[at : at + 1]), [_phrase(group[begin:at])], then))
            begin = at + 1
        rest = _phrase(group[begin:])
        if rest.length or rest.times or rest.words:
            self.cues[-1].phrases[-1] = _joined(self.cues[-1].phrases[-1], rest)

    def leading(self, group: list[Piece], timed: list[int]) -> None:
        """Each time opens what stands behind it; times without moves between them share these."""
        spans: tuple[Span, ...] = ()
        if self.scope is not None and self.cues and self.cues[-1] is self.scope and not self.scope.phrases and self.frame is None:
            spans = self.cues.pop().spans
        for at, stop in zip(timed, [*timed[1:], len(group)], strict=True):
            spans += self.spans(group[at : at + 1])
            if _says(group[at + 1 : stop]):
                self.open(spans)
                self.cues[-1].phrases.append(_phrase(group[at + 1 : stop]))
                spans = ()


def _titled(clause: list[Piece]) -> tuple[list[Piece], str | None]:
    """The clause and the words before its colon; None when these are times."""
    colon = next((i for i, piece in enumerate(clause) if piece.kind == "colon"), None)
    if colon is None:
        return clause, ""
    if any(piece.span for piece in clause[:colon]) and not _says(clause[:colon]):
        return clause, None
    title = " ".join(piece.text for piece in clause[:colon] if piece.kind in {"word", "and"})
    if any(piece.span for piece in clause[:colon]):
        return [piece for piece in clause if piece.kind != "colon"], ""
    return [piece for piece in clause[colon + 1 :] if piece.kind != "colon"], title


def _split(clause: list[Piece]) -> Iterator[list[Piece]]:
    """Groups between commas and "then"; the piece that divides stands first in the group behind it."""
    group: list[Piece] = []
    for piece in clause:
        if piece.kind in {"comma", "then"}:
            yield group
            group = []
        group.append(piece)
    yield group


def _phrase(group: Sequence[Piece]) -> Phrase:
    stop = next((i for i, piece in enumerate(group) if piece.kind == "not"), len(group))
    words = tuple(piece.text if piece.kind == "word" else "and" for piece in group[:stop] if piece.kind in {"word", "and"})
    refused = tuple(piece.text for piece in group[stop:] if piece.kind == "word")
    length = next((piece.span.length for piece in group if piece.span and piece.span.kind == "for"), None)
    return Phrase(words, length, max((piece.number for piece in group), default=0), refused)


def _joined(first: Phrase, second: Phrase) -> Phrase:
    return Phrase(first.words + second.words, first.length or second.length, first.times or second.times, first.refused + second.refused)


def _is_instant(cue: Cue) -> bool:
    """Whether the time of a cue is one point, not a stretch: what comes then comes after it."""
    return all(span.kind == "at" and span.start is not None and span.start.unit not in {"section", "eight"} for span in cue.spans)
