"""Words in pose space: any text encoder, CLIP in the paper, at the size the network wants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from choreia.text.encode import Cached, Encoder


class Scaled:
    """An encoder whose vectors (N, dim) have unit variance instead of unit length, as rows of x have; each text is encoded once."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dim = encoder.name, encoder.dim
        self._encoder, self._size = Cached(encoder), np.float32(np.sqrt(encoder.dim))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (N, dim) float32 of N texts."""
        return self._size * self._encoder.encode(texts)


def ways(text: str) -> tuple[str, ...]:
    """Ways to say a labelled move ("name: movement"): whole, its name, the movement."""
    name, colon, movement = text.partition(": ")
    return (text, name, movement) if colon else (text,)
