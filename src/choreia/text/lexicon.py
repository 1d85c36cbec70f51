"""The dancers' words: styles, families of movement, named moves with the ways people write them, words of manner, and bare words.

`assets/lexicon.json` holds them, written by us. A move names the figure of the choreographer that shows it, `style/figure`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

import numpy as np

from choreia.text.words import FILLERS, LINKS, Spellings, distance, form, stem, stems

LONGEST_WORDS = 6
"""Words of the longest phrase that is looked up as one name."""


@dataclass(frozen=True)
class Style:
    """A dance style: its `name`, how it moves in one line, and what else it is called."""

    name: str
    text: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manner:
    """A word for the whole dance: `kind` is range, manner, energy or direction; `text` is how it stands in a script."""

    name: str
    kind: str
    text: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """A move: its `styles` and `family`, typical length in `counts`, the body's movement as `text`, and the `figure` that shows it."""

    name: str
    styles: tuple[str, ...]
    family: str
    counts: int
    text: str
    figure: str
    synonyms: tuple[str, ...] = ()

    @property
    def caption(self) -> str:
        """Name and movement in one line, as the choreographer captions its figures."""
        return f"{self.name}: {self.text}"


@dataclass(frozen=True)
class Bare:
    """Bare `words` as "kick", by which every style means a move of its own: names of terms by style in `styles`, for the others `any`."""

    words: tuple[str, ...]
    any: str
    styles: dict[str, str]


Entry = Style | Manner | Term


@dataclass(frozen=True)
class Lexicon:
    """All entries, and the tables by which phrases are found."""

    styles: tuple[Style, ...]
    families: dict[str, str]
    manners: tuple[Manner, ...]
    terms: tuple[Term, ...]
    bare: tuple[Bare, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Styles, manners and terms: the order in which one spelling is preferred to another."""
        return (*self.styles, *self.manners, *self.terms)

    @cached_property
    def by_form(self) -> dict[str, list[Entry]]:
        """Entries by the normal form of name or synonym; those of that name come first."""
        named = ((form(entry.name), entry) for entry in self.entries)
        return _table((*named, *((form(word), entry) for entry in self.entries for word in entry.synonyms)))

    @cached_property
    def by_stems(self) -> dict[tuple[str, ...], list[Entry]]:
        """Entries by the stems of name or synonym in any order."""
        pairs = ((stems(written), entries) for written, entries in self.by_form.items())
        return _table((key, entry) for key, entries in pairs if key for entry in entries)

    @cached_property
    def by_bare(self) -> dict[tuple[str, ...], dict[str | None, Term]]:
        """What bare words mean in the styles, and under None in the others, by their stems."""
        term = {term.name: term for term in self.terms}
        meant = [(row.words, {None: term[row.any], **{style: term[name] for style, name in row.styles.items()}}) for row in self.bare]
        return {stems(word): terms for words, terms in meant for word in words}

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """All that is written somewhere, in the normal form; bare words last."""
        return tuple(dict.fromkeys([*self.by_form, *(form(word) for row in self.bare for word in row.words)]))

    @cached_property
    def by_start(self) -> dict[tuple[str, int], list[tuple[str, str]]]:
        """Forms without and with their spaces, by first letter and length without spaces."""
        glued = ((written.replace(" ", ""), written) for written in self.forms)
        return _table(((pair[0][0], len(pair[0])), pair) for pair in glued)

    @cached_property
    def parts(self) -> frozenset[str]:
        """Stems of all words of all forms."""
        return frozenset(stem(word) for written in self.forms for word in written.split())

    @cached_property
    def names(self) -> Names:
        """Names and synonyms of the terms, to be compared by spelling."""
        return Names(self.terms)


class Names:
    """Names and synonyms (n,) of terms, those of a term together from its place in `starts` on."""

    def __init__(self, terms: Sequence[Term]) -> None:
        written = [form(name) for term in terms for name in (term.name, *term.synonyms)]
        self.starts = np.cumsum([0, *(1 + len(term.synonyms) for term in terms[:-1])])
        self._spellings = Spellings(written)
        self._with_stem = _table((stem(part), place) for place, name in enumerate(written) for part in name.split())

    def unlike(self, word: str) -> np.ndarray:
        """Letters in which `word` differs from each name over letters, (n,), 0 to 1; at most a half where it is a word of the name."""
        unlike = self._spellings.distances(word) / np.maximum(self._spellings.sizes, len(word))
        partly = self._with_stem.get(stem(word), [])
        unlike[partly] = np.minimum(unlike[partly], 0.5)
        return unlike


def _table(pairs: Iterable[tuple]) -> dict:
    found: dict = {}
    for key, value in pairs:
        held = found.setdefault(key, [])
        if value not in held:
            held.append(value)
    return found


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of the package."""
    raw = json.loads(resources.files("choreia").joinpath("assets/lexicon.json").read_text(encoding="utf-8"))
    rows = {kind: [_tupled(row) for row in raw[kind]] for kind in ("styles", "words", "terms", "bare")}
    return Lexicon(
        tuple(Style(**row) for row in rows["styles"]),
        raw["families"],
        tuple(Manner(**row) for row in rows["words"]),
        tuple(Term(**row) for row in rows["terms"]),
        tuple(Bare(**row) for row in rows["bare"]),
    )


def _tupled(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def find(phrase: str, style: str | None = None) -> Term | None:
    """The move that a phrase names, spelt right: `find("wave your arms")` is the arm wave; None when there is none.

    Of moves with the same name the one of `style` is taken, else the first of the lexicon; a bare word means what it does in `style`.
    """
    return next((entry for entry in candidates(phrase, style) if isinstance(entry, Term)), None)


def candidates(phrase: str, style: str | None = None) -> list[Entry]:
    """Entries that a phrase names, by its words as written, else by their stems in any order.

    What a bare word means in `style` goes before other moves, and moves of `style` before those of others.
    """
    table, key = lexicon(), stems(phrase)
    found = table.by_form.get(form(phrase)) or table.by_stems.get(key, [])
    ranked = sorted(found, key=lambda entry: isinstance(entry, Term) and style not in entry.styles)
    meant = table.by_bare.get(key)
    if meant is None:
        return ranked
    others = [entry for entry in ranked if not isinstance(entry, Term)]
    return list(dict.fromkeys([*others, meant.get(style, meant[None]), *ranked]))


@lru_cache(maxsize=4096)
def is_part(word: str) -> bool:
    """Whether a word stands in any form, with whatever ending, or makes no difference: phrases with others name nothing."""
    return all(part in LINKS or stem(part) in lexicon().parts for part in form(word).split())


def style_named(text: str) -> str | None:
    """The style that a global text begins with or names first, whole words only; None when it names none."""
    words = form(text).split()
    for start in range(len(words)):
        for end in range(min(len(words), start + LONGEST_WORDS), start, -1):
            for entry in lexicon().by_form.get(" ".join(words[start:end]), []):
                if isinstance(entry, Style):
                    return entry.name
    return None


@lru_cache(maxsize=4096)
def respelt(phrase: str) -> str | None:
    """The nearest known form within a slip of the fingers: one letter in a word of 5 to 8, two in a longer; None beyond that.

    The first letter has to be right: `respelt("mooonwalk")` is "moonwalk".
    """
    glued = form(phrase).replace(" ", "")
    most = 0 if len(glued) < 5 else 1 if len(glued) < 9 else 2
    near = (pair for size in range(len(glued) - most, len(glued) + most + 1) for pair in lexicon().by_start.get((glued[:1], size), []))
    letters = frozenset(glued)
    alike = ((place, pair) for place, pair in enumerate(near) if len(letters.symmetric_difference(pair[0])) <= 2 * most)
    ranked = sorted((distance(glued, other, most), place, written) for place, (other, written) in alike)
    return ranked[0][2] if ranked and ranked[0][0] <= most and len(glued) > 2 else None


@lru_cache(maxsize=1024)
def nearest(word: str, n: int = 3, style: str | None = None) -> tuple[Term, ...]:
    """The `n` moves whose names or synonyms are spelt most like `word`, nearest first; those of `style` before others as near."""
    written = form(word)
    parts = {part for part in written.split() if part not in FILLERS}
    names = lexicon().names
    unlike = np.min([names.unlike(part) for part in {written, *parts}], axis=0)
    terms = lexicon().terms
    far = np.minimum.reduceat(unlike, names.starts)
    elsewhere = np.array([style is not None and style not in term.styles for term in terms])
    order = np.lexsort((elsewhere, far))
    return tuple(terms[i] for i in order[:n])
