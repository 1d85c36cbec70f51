"""Prompts in one plain spelling before times are read from them: digits, "eight" for an 8-count, names of sections spelt right."""

from __future__ import annotations

import re

from choreia.text.words import NUMBERS, distance, normal

SECTIONS = (
    "chorus", "refrain", "hook", "drop", "verse", "intro", "introduction", "outro", "coda", "bridge", "middle eight", "break",
    "breakdown", "solo", "instrumental", "interlude", "pre-chorus", "prechorus", "build-up", "buildup", "opening", "ending",
)  # fmt: skip
"""Words for sections of a song."""


_NOT_SECTIONS = {"verses", "bridges", "intros", "outros", "bride", "versed", "verso"}


def tidy(text: str) -> str:
    """Normal text in which numbers that count something are digits and 8-counts are called eights."""
    plain = re.sub(r"(?m)^(?:\d+[.)]|[-*•]) +", "", normal(text))
    plain = re.sub(r"\b[a-z]{5,7}\b", _section_spelt, re.sub(r" *=+>? *", ": ", plain))
    plain = re.sub(r"\b(?:8|eight)(?:-counts?\b| count\b(?! ?s))", "eight", plain)
    plain = re.sub(r"(?<=\d )8 counts\b|\b8s\b", "eights", re.sub(r"\b(two|three|four|five|six) (?:8|eight) counts\b", r"\1 eights", plain))
    plain = re.sub(r"\b(?:guitar|piano|drum|sax|saxophone|synth|bass|violin|horn|trumpet) (solo|break)\b", r"\1", plain)
    counted = r"bars?|measures?|beats?|counts?|eights?|phrases?|seconds?|secs?|minutes?|mins?|times"
    sections = "|".join(re.escape(s) for s in SECTIONS)
    for number, word in enumerate(NUMBERS, 1):
        plain = re.sub(rf"\b{word}\b(?= (?:{counted})\b)", str(number), plain)
        plain = re.sub(
            rf"(?<=\b)((?:{counted}|{sections}) (?:\d+ ?(?:-|to|and) ?)?){word}\b(?! (?:{counted}|step)\b)", rf"\g<1>{number}", plain
        )
    plain = re.sub(r"\b(\d+) ?(?:m|mins?|minutes?)(?: and)? ?(\d{1,2}(?:\.\d+)?) ?(?:s|secs?|seconds?)?\b", _clock, plain)
    return re.sub(r"\b(\d+) ?(?:mins?|minutes?)\b", r"\1:00", plain)


def _section_spelt(found: re.Match[str]) -> str:
    """A word with one slip in the name of a section set right: "chorsu" is "chorus"."""
    word = found[0]
    near = [name for name in ("chorus", "verse", "bridge", "intro", "outro") if name[0] == word[0] and distance(word, name, 1) == 1]
    return near[0] if near and word not in _NOT_SECTIONS else word


def _clock(found: re.Match[str]) -> str:
    whole, _, rest = found[2].partition(".")
    return f"{found[1]}:{int(whole):02d}{'.' + rest if rest else ''}"
