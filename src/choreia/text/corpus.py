"""Conversations to fine-tune a language model on, as LRCM's appendix A.1: JSONL, each line the messages of system, user and assistant.

The assistant's part is a Script in the two-level format; the user's, a prompt that a person could have typed for it, drawn from templates
with other names for the moves, with or without times. Scripts are those of takes, or are made up of the lexicon.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.text.lexicon import Style, find, lexicon, style_named
from choreia.text.places import clock_text
from choreia.text.script import to_text
from choreia.types import Move, Script

SYSTEM = (
    "You are a professional dance artist. You choreograph dances to the user's prompt and answer with the dance style characteristics and "
    "the time-stamped dance movement sequence."
)

_OPENINGS = (
    "{style}",
    "a {style} dance",
    "i want some {style}",
    "make it {style}",
    "{style} please",
    "can you do {style}",
    "choreograph {style} for this",
)
_NAMED = ("with {moves}", "do the {moves}", "using {moves}", "i'd love to see {moves}", "throw in {moves}", "{moves}")
_TIMED = (
    "{move} at {start}",
    "{move} from {start} to {end}",
    "{start}-{end}: {move}",
    "at {start} do the {move}",
    "around {start} some {move}",
)
_JOINTS = (", ", "; ", ". ", " - ", ", then ")
_MOST_SAID = 4
_MOST_MOVES = 12
_FOREIGN = 0.2  # of the moves of a made-up script are of any style
_REST = 0.2  # of its moves have 8 counts behind them that are left to the dancer


def conversation(prompt: str, script: Script) -> dict[str, list[dict[str, str]]]:
    """One line of the corpus: a prompt answered with a script."""
    said = (("system", SYSTEM), ("user", prompt), ("assistant", to_text(script).rstrip("\n")))
    return {"messages": [{"role": role, "content": content} for role, content in said]}


def phrasing(script: Script, rng: np.random.Generator) -> str:
    """A prompt for a script in informal words.

    It says the style, half of the words of manner, up to four of the moves under any of their names, half of the time with times.
    """
    style = style_named(script.style) or script.style.partition(",")[0] or "anything"
    opening = ", ".join([str(rng.choice(_OPENINGS)).format(style=_called(style, rng)), *_manner(script, rng)])
    moves = [script.moves[i] for i in sorted(rng.permutation(len(script.moves))[: rng.integers(1, _MOST_SAID + 1)])]
    if not moves:
        return opening
    if rng.random() < 0.5:
        said = [_timed(move, rng) for move in moves]
        return str(rng.choice(_JOINTS)).join([opening, *said])
    names = list(dict.fromkeys(_name(move, rng) for move in moves))
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return f"{opening} {str(rng.choice(_NAMED)).format(moves=listed)}"


def _timed(move: Move, rng: np.random.Generator) -> str:
    start, end = (clock_text(time_s).removesuffix(".0") for time_s in (move.start_s, move.end_s))
    return str(rng.choice(_TIMED)).format(move=_name(move, rng), start=start, end=end)


def _name(move: Move, rng: np.random.Generator) -> str:
    """The move under its name or another that people use for it; its first words when it has none."""
    name = move.text.partition(":")[0].replace("(other side)", "").partition(",")[0].strip()
    term = find(name)
    return str(rng.choice([name, name, *term.synonyms])) if term else name


def _manner(script: Script, rng: np.random.Generator) -> list[str]:
    """Half of the words of manner in a global text, each under any of its names."""
    texts = script.style.split(", ")
    words = [word for word in lexicon().manners if word.text in texts and rng.random() < 0.5]
    return [str(rng.choice([word.name, *word.synonyms])) for word in words]


def _called(style: str, rng: np.random.Generator) -> str:
    known = next((entry for entry in lexicon().styles if entry.name == style), None)
    return str(rng.choice([style, style, style, *known.synonyms])) if known else style


def made_up(count: int, seed: int = 0) -> Iterator[Script]:
    """`count` scripts of the lexicon's words, each style in turn: drawn manners, tempo and moves, most of them of the style.

    The first scripts of a seed are the same however many are asked for.
    """
    rng = np.random.default_rng(seed)
    styles = lexicon().styles
    for number in range(count):
        style = styles[number % len(styles)]
        yield Script(_global_text(style, rng), tuple(_sequence(style, rng)))


def _global_text(style: Style, rng: np.random.Generator) -> str:
    """Style, range, energy and manner, each of the three or not, and what marks the style, in the order in which prompts are expanded."""
    kinds = [kind for kind in ("range", "energy", "manner") if rng.random() < 0.6]
    choices = ([word.text for word in lexicon().manners if word.kind == kind] for kind in kinds)
    return ", ".join([style.name, *(str(rng.choice(words)) for words in choices), style.text.partition(": ")[2]])


def _sequence(style: Style, rng: np.random.Generator) -> Iterator[Move]:
    """Moves of 8 to 32 counts one after the other, with rests, at a tempo between 80 and 140 BPM."""
    everything = lexicon().terms
    own = [term for term in everything if style.name in term.styles]
    eight_s, at_s = 8 * 60 / rng.integers(80, 141), 0.0
    for _ in range(rng.integers(2, _MOST_MOVES + 1)):
        among = everything if rng.random() < _FOREIGN else own
        end_s = at_s + eight_s * rng.integers(1, 5)
        yield Move(at_s, end_s, among[rng.integers(len(among))].caption)
        at_s = end_s + (eight_s if rng.random() < _REST else 0.0)


def conversations(scripts: Iterable[Script], phrasings: int = 4, seed: int = 0) -> Iterator[dict[str, list[dict[str, str]]]]:
    """`phrasings` conversations for every script; the same seed gives the same ones."""
    if phrasings < 1:
        raise ChoreiaError(f"corpus: {phrasings} phrasings a script: give 1 or more")
    for index, script in enumerate(scripts):
        for number in range(phrasings):
            yield conversation(phrasing(script, np.random.default_rng([seed, index, number])), script)


def write_corpus(path: str | Path, scripts: Iterable[Script], phrasings: int = 4, seed: int = 0) -> int:
    """Write the corpus as JSONL, UTF-8; returns the number of lines."""
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
        return sum(_written(file, line) for line in conversations(scripts, phrasings, seed))


def _written(file: TextIO, line: object) -> int:
    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1
