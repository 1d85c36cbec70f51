"""What the choreographer knows by name: figures by style, found from the words of a script."""

from __future__ import annotations

import difflib
import re
import unicodedata

from choreia.errors import ChoreiaError
from choreia.synth.moves import STYLES
from choreia.synth.moves.notation import Figure

OTHER_SIDE = " (other side)"
"""Stands after the name of a figure that is danced on the other side than written."""


def label(figure: Figure, left_first: bool = True) -> str:
    """The words of a danced figure: its name, the side, what is done."""
    return f"{figure.name}{'' if left_first else OTHER_SIDE}: {figure.text}"


def name_in(words: str) -> str:
    """The name of the figure in the words of `label`."""
    return words.split(":")[0].removesuffix(OTHER_SIDE)


def other_side(words: str) -> str:
    """The words of `label` for the mirror image."""
    name, colon, text = words.partition(":")
    return (name.removesuffix(OTHER_SIDE) if name.endswith(OTHER_SIDE) else name + OTHER_SIDE) + colon + text


def table() -> tuple[tuple[str, str, int, str], ...]:
    """Every figure as (style, name, counts, text), by style."""
    return tuple((style.name, figure.name, figure.counts, figure.text) for style in STYLES.values() for figure in style.figures)


def style_in(words: str) -> str | None:
    """The style that is named first in `words` ("small, relaxed hip hop"), None when none is."""
    text = f" {_plain(words)} "
    found = {text.find(f" {_plain(name)} "): name for name in STYLES}
    found.pop(-1, None)
    return found[min(found)] if found else None


def find(words: str, style: str) -> tuple[Figure, bool]:
    """The figure that `words` name, and whether it begins as written (not on the other side).

    Args:
        words: a name, "style/name", or the words of `label`; case, accents and hyphens do not count.
        style: where several styles have a figure of that name, this one's is meant.
    Raises:
        ChoreiaError: no such figure; names the nearest.
    """
    name, _, text = words.partition(":")
    left_first = not name.rstrip().endswith(OTHER_SIDE.strip())
    folder, slash, name = name.rstrip().removesuffix(OTHER_SIDE.strip()).rpartition("/")
    known = [(s.name, f) for s in sorted(STYLES.values(), key=lambda s: s.name != style) for f in s.figures]
    named = [(s, f) for s, f in known if _plain(f.name) == _plain(name) and (not slash or _plain(s) == _plain(folder))]
    if not named:
        raise ChoreiaError(f"unknown figure {words!r}: the nearest is {_nearest(folder, name)!r}")
    exact = [f for _, f in named if _plain(f.text) == _plain(text)]
    return (exact or [f for _, f in named])[0], left_first


def _nearest(folder: str, name: str) -> str:
    """ "style/name" of the figure whose name is spelt most like `name`; that of the style in `folder` where two are alike."""

    def alike(row: tuple[str, str, int, str]) -> tuple[float, float]:
        return _likeness(row[1], name), _likeness(row[0], folder)

    style, figure, _, _ = max(table(), key=alike)
    return f"{style}/{figure}"


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio()


def _plain(text: str) -> str:
    """Small letters and digits, without accents, single spaces between words."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", letters.replace("'", "").replace("’", "")).strip()
