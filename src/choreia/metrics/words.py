"""Words as the caption metrics and the text encoder see them: tokens, stems, and the character n-grams a word is made of."""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np

GRAM_DIM = 512
"""Width of `gram_vectors`."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_VOWEL = re.compile("[aeiouy]")


def tokens(text: str) -> list[str]:
    """Words of a text: lower case, letters and digits, an apostrophe inside a word kept; punctuation and hyphens separate."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its plural, -ing, -ed, -er, -ly and final e ("dances", "dancing", "danced" and "dancer": "danc").

    The inflections of Porter's algorithm (1980, steps 1a to 1c and 5), not his derivations, so "rotate" and "rotation" stay apart. METEOR
    asks for Porter; `text.words.stem` looks moves up, so it takes "stompin" for "stomp" and tells "flapper" from "flap".
    """
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed", "er", "ly"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and _VOWEL.search(rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    if len(word) > 3:
        word = re.sub("y$", "i", word.removesuffix("e"))
    return word


def grams(word: str, sizes: tuple[int, ...] = (3, 4, 5)) -> list[str]:
    """The word between brackets, and its character n-grams (Bojanowski et al. 2017): "<jig>", "<ji", "jig", …"""
    framed = f"<{word}>"
    return [framed] + [framed[i : i + n] for n in sizes for i in range(len(framed) - n + 1) if n < len(framed)]


def hashed(text: str, buckets: int) -> int:
    """A bucket for a string: CRC-32, the same on every machine."""
    return crc32(text.encode()) % buckets


@lru_cache(maxsize=65536)
def _gram_vector(word: str) -> np.ndarray:
    """Unit vector (GRAM_DIM,) of a word: the counts of its n-grams in hashed dimensions with hashed signs."""
    vector = np.zeros(GRAM_DIM)
    for gram in grams(word):
        place = hashed(gram, 2 * GRAM_DIM)
        vector[place // 2] += 1 - 2 * (place % 2)
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def gram_vectors(words: list[str]) -> np.ndarray:
    """Unit vectors (n, GRAM_DIM) by spelling alone: words that share a stem are near, all others nearly orthogonal."""
    return np.stack([_gram_vector(word) for word in words]) if words else np.zeros((0, GRAM_DIM))
