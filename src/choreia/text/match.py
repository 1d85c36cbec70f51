"""Entries of the lexicon in a run of words: as written, in other order, misspelt, or by meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import Protocol

import numpy as np

from choreia.text.encode import Encoder
from choreia.text.lexicon import LONGEST_WORDS, Entry, Manner, Term, candidates, find, is_part, lexicon, respelt
from choreia.text.words import FILLERS, STEPS, form

CLOSE = 0.55
"""Cosine from which a phrase is taken to mean a move: of 25 phrases of ours, MiniLM had the moves at 0.58 to 1 and other matters, but for
one, below 0.52."""


class Matcher(Protocol):
    """Finds the move that a phrase means."""

    def match(self, phrase: str, style: str | None = None) -> tuple[Term, float] | None:
        """The nearest move and how near it is, at most 1; None when none is near."""
        ...


@dataclass(frozen=True)
class EmbeddingMatcher:
    """The move whose name, synonyms or movement is nearest to a phrase by the cosine of sentence vectors, `least` or more.

    The first match embeds the whole lexicon.
    """

    encoder: Encoder
    least: float = CLOSE

    @cached_property
    def _table(self) -> tuple[list[Term], np.ndarray]:
        rows = [(term, text) for term in lexicon().terms for text in (term.name, term.text, *term.synonyms)]
        return [term for term, _ in rows], self.encoder.encode([text for _, text in rows])

    def match(self, phrase: str, style: str | None = None) -> tuple[Term, float] | None:
        """The nearest move and its cosine; one of `style` is taken before another as near to 0.05."""
        terms, vectors = self._table
        cosine = vectors @ self.encoder.encode([phrase])[0]
        favour = np.array([0.05 if style in term.styles else 0.0 for term in terms])
        best = int(np.argmax(cosine + favour))
        return (terms[best], float(cosine[best])) if cosine[best] >= self.least else None


@dataclass(frozen=True)
class Hit:
    """Words of a prompt and the entry they were read as, None when nothing is known of them; `note` when that is not as written."""

    words: str
    entry: Entry | None
    note: str = ""


def read(words: Sequence[str], style: str | None = None, matcher: Matcher | None = None) -> list[Hit]:
    """Entries in `words`, in order; runs of words between them that are no fillers are hits without entry."""
    hits: list[Hit] = []
    unread = at = 0
    while at < len(words):
        size, entry = _longest(words, at, style)
        if entry is None:
            at += 1
            continue
        begin, size, written = (size == 1 and _slip(words, unread, at)) or (at, size, "")
        phrase = " ".join(words[begin : begin + size])
        hit = _respelt(phrase, written, style) if written else Hit(phrase, entry)
        hits += [*_rest(words[unread:begin], style, matcher), hit]
        unread = at = begin + size
    return [*hits, *_rest(words[unread:], style, matcher)]


def _slip(words: Sequence[str], since: int, at: int) -> tuple[int, int, str] | None:
    """A misspelt name of which one word is spelt right, "cramop roll": where it begins, its number of words, how it is written."""
    for size in range(4, 1, -1):
        for begin in range(max(since, at - size + 1), at + 1):
            phrase = words[begin : begin + size]
            if len(phrase) == size and not all(map(is_part, phrase)) and (written := _known(phrase)):
                return begin, size, written
    return None


def _known(phrase: Sequence[str]) -> str | None:
    """The name that words without fillers at their ends misspell."""
    return None if {phrase[0], phrase[-1]} & FILLERS else respelt(" ".join(phrase))


def _respelt(phrase: str, written: str, style: str | None) -> Hit:
    return Hit(phrase, candidates(written, style)[0], f"{phrase!r} read as {written!r}")


def as_moves(words: Sequence[str], hits: Sequence[Hit], style: str | None = None) -> list[Hit]:
    """The hits of words that were given a time: without a move, "bounce" is one, not a manner, and "step" is where nothing else is said."""
    if any(isinstance(hit.entry, Term) for hit in hits):
        return list(hits)
    made = [replace(hit, entry=_as_move(hit, style)) for hit in hits]
    says = any(not isinstance(hit.entry, Manner) or hit.entry.kind != "direction" for hit in made)
    steps = [] if says else [word for word in words if word in STEPS][:1]
    return [*(Hit(word, find(word, style)) for word in steps), *made]


def _as_move(hit: Hit, style: str | None) -> Entry | None:
    """The move that words name as well, when they are not word for word those of a manner: "bounce", not "bouncy"."""
    vague = isinstance(hit.entry, Manner) and not _written((hit.words,))
    return (find(hit.words, style) if vague else None) or hit.entry


def _longest(words: Sequence[str], at: int, style: str | None) -> tuple[int, Entry | None]:
    """The longest name that begins at a word, and its number of words."""
    most = len(list(takewhile(is_part, words[at : at + LONGEST_WORDS])))
    for size in range(most, 0, -1):
        phrase = words[at : at + size]
        if (size == 1 and phrase[0] in FILLERS) or (all(word in FILLERS for word in phrase) and not _written(phrase)):
            continue
        open_ended = phrase[0] in FILLERS or phrase[-1] in FILLERS
        if (not open_ended or _written(phrase)) and (found := candidates(" ".join(phrase), style)):
            return size, found[0]
    return 1, None


def _written(phrase: Sequence[str]) -> bool:
    """Whether the phrase is a name word for word."""
    return form(" ".join(phrase)) in lexicon().by_form


def _rest(unread: Sequence[str], style: str | None, matcher: Matcher | None) -> Iterator[Hit]:
    """What the words between known ones mean: misspelt names first, then by meaning, then unknown."""
    at, run = 0, list[str]()
    while at < len(unread):
        size, written = _misspelt(unread, at)
        if written is None:
            run.append(unread[at])
            at += 1
            continue
        yield from _unknown(run, style, matcher)
        phrase = " ".join(unread[at : at + size])
        yield _respelt(phrase, written, style)
        run, at = [], at + size
    yield from _unknown(run, style, matcher)


def _misspelt(words: Sequence[str], at: int) -> tuple[int, str | None]:
    for size in range(min(4, len(words) - at), 0, -1):
        if written := _known(words[at : at + size]):
            return size, written
    return 1, None


def _unknown(run: list[str], style: str | None, matcher: Matcher | None) -> Iterator[Hit]:
    """The run without fillers at its ends, by meaning when a matcher knows it."""
    known = [place for place, word in enumerate(run) if word not in FILLERS and any(c.isalpha() for c in word) and len(word) > 1]
    if not known:
        return
    phrase = " ".join(run[known[0] : known[-1] + 1])
    found = matcher.match(phrase, style) if matcher else None
    if found is None:
        yield Hit(phrase, None)
    else:
        yield Hit(phrase, found[0], f"{phrase!r} read as {found[0].name!r} by meaning ({found[1]:.2f})")
