"""Words as the default model reads them: by meaning (the trained text-motion encoder) and, beside that, by spelling.

The encoder puts moves that look alike near each other; the hashed spelling keeps names apart that it confuses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from choreia.metrics.words import GRAM_DIM, gram_vectors, tokens
from choreia.models.textmotion.model import TextMotion
from choreia.models.textmotion.model import load as load_textmotion
from choreia.text.lexicon import find, style_named
from choreia.types import Script

MEANING_DIM = 256
DIM = MEANING_DIM + GRAM_DIM


class Words:
    """Texts to vectors (N, DIM) float32 of unit variance: meaning, then spelling; each text is encoded once."""

    dim = DIM

    def __init__(self, encoder: TextMotion | None = None) -> None:
        self._encoder = encoder or load_textmotion()
        self.name = f"{self._encoder.name} {self._encoder.sha256[:12]} and spelling"
        self._kept: dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (N, DIM); equal texts get equal vectors."""
        for text in dict.fromkeys(texts):
            if text not in self._kept:
                self._kept[text] = self._vector(text)
        return np.stack([self._kept[text] for text in texts]) if len(texts) else np.zeros((0, DIM), np.float32)

    def _vector(self, text: str) -> np.ndarray:
        meaning = self._encoder.embed_texts([text])[0]
        spelling = gram_vectors(tokens(text)).sum(axis=0)
        spelling = spelling / max(float(np.linalg.norm(spelling)), 1e-12)
        return np.concatenate([meaning * np.sqrt(len(meaning)), spelling * np.sqrt(len(spelling))]).astype(np.float32)


def caption(text: str, style: str | None) -> str:
    """A move's words as the model was trained on them: the lexicon's "name: movement" where it knows the name, else the words."""
    name, comma, own = text.partition(", ")
    term = None if ":" in text else find(name, style)
    return text if term is None else f"{term.caption}{comma}{own}"


def captioned(script: Script) -> list[str]:
    """Captions of a script's moves."""
    style = style_named(script.style)
    return [caption(move.text, style) for move in script.moves]


def phrasings(text: str) -> tuple[str, ...]:
    """Ways to say a labelled move ("name: movement"): whole, by its name, by the movement, by the lexicon's synonyms."""
    name, colon, movement = text.partition(": ")
    if not colon:
        return (text,)
    term = find(name.replace(" (other side)", ""))
    return (text, text, name, movement, *(term.synonyms if term else ()))
