"""`choreia moves`: the words that prompts may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from choreia.errors import ChoreiaError
from choreia.text.lexicon import Lexicon, Term, lexicon, style_named


def moves(style: str | None = None) -> dict[str, object]:
    """Styles, words of manner and named moves, all or of one style, as a table "text" and as data; ChoreiaError for an unknown style."""
    known = lexicon()
    wanted = style if style is None else style_named(style)
    if style is not None and wanted is None:
        raise ChoreiaError(f"unknown style {style!r}: choose one of {', '.join(one.name for one in known.styles)}")
    styles = [one for one in known.styles if wanted in (None, one.name)]
    terms = [term for term in known.terms if wanted is None or wanted in term.styles]
    return {
        "styles": [asdict(one) for one in styles],
        "words": [asdict(word) for word in known.manners],
        "moves": [asdict(term) for term in terms],
        "text": "\n".join(_lines(known, [one.name for one in styles], terms)),
    }


def _lines(known: Lexicon, styles: list[str], terms: list[Term]) -> Iterator[str]:
    """A block a style (a move of several stands with its first), then the words for the whole dance."""
    first = {term.name: next(style for style in (*styles, *term.styles) if style in term.styles) for term in terms}
    for style in styles:
        yield next(one.text for one in known.styles if one.name == style)
        yield from (f"  {term.name:<24} {term.counts:>2}  {term.text}" for term in terms if first[term.name] == style)
        yield ""
    for kind in dict.fromkeys(word.kind for word in known.manners):
        yield f"{kind}: {', '.join(word.name for word in known.manners if word.kind == kind)}"
