"""Words as a person types them: one normal form, stems, and how far one spelling is from another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")

_FILLERS = """
i'd i'm i'll it's let's that's there's lets dancer piece everywhere else person someone years old am
a an the my your his her their our some any this that these those it its i im id we you me us them he she they and or but so of to
with in on at for by as into onto from over up do does doing did done dance dancing dances danced dancer perform performing show
showing make making makes give gives have having has please can could would should will want wanted wants like let lets also more
most lots lot many much very really quite bit little kind sort feel feels feeling style styled moves move moving movement movements
step steps add adding put include including use using just only again then next after before while when now where all every each
there here be is are was being something somewhere anything thing things go goes going get getting keep keeping try about around
along through throughout during time times beat beats music song track rhythm counts count part section everyone start starts
starting begin begins beginning end ends ending finish finishing followed following plus mostly mainly maybe perhaps few couple
several what which who how if not too full whole first firstly second third last lastly final throw feature features sequence
routine choreography choreograph number level vibe mood genre theme energy range manner always one two three four
"""

FILLERS = frozenset(_FILLERS.split())
"""Words that carry no move by themselves and are never reported as unknown."""

STEPS = frozenset({"step", "steps"})
"""Fillers that are a move where nothing else is said."""

LINKS = frozenset({"a", "an", "the", "your", "my", "his", "her", "their", "our", "its", "of", "to", "on", "in", "with", "some", "and"})
"""Words that make no difference between two names of a move."""


def normal(text: str) -> str:
    """Lower case, no accents, plain quotes and hyphens, one space between words; line breaks stay."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = re.sub(r"[‘’ʼ`´]", "'", re.sub(r"[‐-―−]", "-", bare)).lower().replace("&", " and ")
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in plain)
    return re.sub(r" *\n *", "\n", re.sub(r"[^\S\n]+", " ", printable)).strip()


@lru_cache(maxsize=8192)
def form(text: str) -> str:
    """The form under which names are compared: normal, letters and digits only, words apart: "Bee's knees" is "bees knees"."""
    return " ".join(re.findall(r"[^\W_]+", normal(text).replace("'", "")))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word without the endings of number and time: "waves", "waving" and "waved" are all "wav"; "stompin" is "stomp", "chain" stays."""
    for ending in ("ing", "ies", "es", "ed", "in", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not re.search("ss$|[aeiou]in$", word):
            short = word[: -len(ending)]
            return short[:-1] if len(short) > 3 and short[-1] == short[-2] and short[-1] not in "ls" else short
    return word


def stems(text: str) -> tuple[str, ...]:
    """Sorted stems of a phrase without its links: "wave your arms" and "arm wave" are the same."""
    return tuple(sorted({stem(word) for word in form(text).split() if word not in LINKS}))


def distance(a: str, b: str, most: int) -> int:
    """Letters inserted, left out, changed or swapped between two spellings (Damerau 1964, adjacent swaps); `most` + 1 for any more."""
    every = (1 << len(b)) - 1
    rises, falls = _slips([_places(letter, b) for letter in a], every)
    return min(len(a) + rises.bit_count() - falls.bit_count(), most + 1)


class Spellings:
    """Words (n,) of 1 to 64 letters, laid out so that their distances to another are counted at once."""

    def __init__(self, words: Sequence[str]) -> None:
        self.sizes = np.array([len(word) for word in words])
        bits = np.uint32 if self.sizes.max() <= 32 else np.uint64
        self._every = np.array([(1 << len(word)) - 1 for word in words], bits)
        self._none = np.zeros_like(self._every)
        self._places = {letter: np.array([_places(letter, word) for word in words], bits) for letter in {*"".join(words)}}

    def distances(self, word: str) -> np.ndarray:
        """`distance` of `word` to each, (n,), without a limit."""
        rises, falls = _slips([self._places.get(letter, self._none) for letter in word], self._every)
        return len(word) + np.bitwise_count(rises).astype(int) - np.bitwise_count(falls)


def _places(letter: str, word: str) -> int:
    """The places of a letter in a word, as bits."""
    return sum(1 << place for place, other in enumerate(word) if other == letter)


def _slips(rows: Sequence[Any], every: Any) -> tuple[Any, Any]:
    """Places of a word at which its distance to another grows, and falls, by one letter: the bit-parallel recurrence of Hyyrö (2003).

    `rows`: for each letter of the other, the places at which the word has it; `every`: all its places. Bits, or arrays for many words.
    """
    rises = every
    falls = same = row_before = every ^ every
    for row in rows:
        swapped = ((~same & row) << 1) & row_before
        same = (((row & rises) + rises) ^ rises) | row | falls | swapped
        more, less = ((falls | ~(same | rises)) << 1) | 1, (same & rises) << 1
        rises, falls, row_before = less | ~(same | more), more & same, row
    return rises & every, falls & every
