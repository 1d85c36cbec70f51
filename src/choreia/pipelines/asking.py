"""What to dance, as a person says it: a prompt or a script file becomes a Script, with what was not understood and who read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.text.expand import expand
from choreia.text.lexicon import Term, find, nearest, style_named
from choreia.text.llm import endpoint
from choreia.text.match import Matcher, read
from choreia.text.meaning import Meaning, meaning
from choreia.text.places import SLACK_S
from choreia.text.script import read as read_script
from choreia.types import Move, Music, Script

Progress = Callable[[str, float], None]

MOST_NAMED = 5
"""Unknown moves of a script that are told by name."""

MOST_SPOKEN = 12
"""Words of a move in which a name is looked for."""


@dataclass(frozen=True)
class Words:
    """A `prompt` in plain words, which the language model `llm` at `llm_url` reads when one is named, or a `script` file."""

    prompt: str | None = None
    script: Path | None = None
    llm: str | None = None
    llm_url: str | None = None

    def __post_init__(self) -> None:
        if self.prompt is not None and self.script is not None:
            raise ChoreiaError("--prompt and --script both say what to dance: give one of them")
        if self.llm is not None and self.prompt is None:
            raise ChoreiaError("--llm reads a prompt: say what to dance with --prompt, or leave --llm out")
        if self.llm_url is not None and self.llm is None:
            raise ChoreiaError("--llm-url says where a language model is, not which: name it with --llm")


NOTHING = Words()


@dataclass(frozen=True)
class Wish:
    """What to dance, what was not understood (`warnings`), what was decided (`notes`), and what read the words, None without any."""

    script: Script
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read_by: str | None = None


def wish_for(words: Words, music: Music, style: str | None = None, seed: int = 0, progress: Progress | None = None) -> Wish:
    """What to dance to `music`; `style` is the style where the words name none.

    Raises:
        ChoreiaError: words that cannot be danced, or that ask for another style than `style`.
    """
    sense, wish = meaning(), Wish(Script(""))
    if words.script is not None:
        wish = named(_from_file(words.script, music), sense)
    elif words.prompt is not None:
        wish = _read(words.prompt, music, _Author(words) if words.llm is not None else None, sense, seed, progress)
    if sense and sense.failure:
        wish = replace(wish, warnings=(*wish.warnings, sense.failure))
    return replace(wish, script=_in_style(wish.script, style), notes=tuple(dict.fromkeys(wish.notes)))


def _from_file(path: Path, music: Music) -> Wish:
    """A script file, its moves cut at the end of the song; ChoreiaError for a move that begins behind it."""
    script, end_s = read_script(path, music), music.duration_s
    late = next((move for move in script.moves if move.start_s >= end_s), None)
    if late:
        begins = f"{late.text[:60]!r} begins at {late.start_s:.1f} s"
        raise ChoreiaError(f"{path}: {begins}, past the end of the song at {end_s:.1f} s: leave it out")
    moves = tuple(replace(move, end_s=min(move.end_s, end_s)) for move in script.moves)
    notes = [f"{move.text[:60]!r} is cut at the end of the song, {end_s:.1f} s" for move in script.moves if move.end_s > end_s + SLACK_S]
    return Wish(replace(script, moves=moves), (), tuple(notes), "script file")


def _read(prompt: str, music: Music, author: _Author | None, sense: Meaning | None, seed: int, progress: Progress | None) -> Wish:
    """A prompt, by the language model where there is one, else by rule."""
    if progress:
        progress("words", 0.0)
    found = expand(prompt, music, matcher=sense, llm=author, seed=seed)
    if progress:
        progress("words", 1.0)
    wish = Wish(found.script, found.warnings, found.notes)
    if author and author.wrote:
        return named(replace(wish, read_by=author.wrote), sense)
    return replace(wish, read_by="rules and MiniLM" if sense and sense.found else "rules")


@dataclass
class _Author:
    """The language model of `words`, looked for when it is asked, so that a missing URL is a failure like any other; `wrote`: who did."""

    words: Words
    wrote: str | None = None

    def write(self, prompt: str, music: Music) -> Script:
        model = endpoint(self.words.llm_url, self.words.llm)
        script = model.write(prompt, music)
        self.wrote = f"{model.model} at {model.url}"
        return script


def named(wish: Wish, matcher: Matcher | None = None) -> Wish:
    """The wish with the lexicon's name before each move of its script that says one in other words, and a warning where none is known."""
    style = style_named(wish.script.style)
    heads = dict.fromkeys(_head(move) for move in wish.script.moves)
    meant = {head: _term(head, style, matcher) for head in heads if find(head, style) is None}
    moves = tuple(_called(move, meant.get(_head(move))) for move in wish.script.moves)
    notes = [f"{head[:60]!r} read as {term.name!r}" for head, term in meant.items() if term]
    unknown = [head for head, term in meant.items() if term is None]
    warnings = [f"{head[:60]!r} is no move I know (nearest by spelling: {_near(head)})" for head in unknown[:MOST_NAMED]]
    if len(unknown) > MOST_NAMED:
        warnings.append(f"{len(unknown) - MOST_NAMED} more moves are not known: `choreia moves` lists those that are")
    script = replace(wish.script, moves=moves)
    return replace(wish, script=script, warnings=(*wish.warnings, *warnings), notes=(*wish.notes, *notes))


def _head(move: Move) -> str:
    """The words that should name a move: those before its way and its movement."""
    return move.text.partition(":")[0].partition(", ")[0]


def _called(move: Move, term: Term | None) -> Move:
    return replace(move, text=f"{term.name}, {move.text}") if term else move


def _term(head: str, style: str | None, matcher: Matcher | None) -> Term | None:
    """The first move in a move's words."""
    spoken = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", head.lower())[:MOST_SPOKEN]
    return next((hit.entry for hit in read(spoken, style, matcher) if isinstance(hit.entry, Term)), None)


def _near(head: str) -> str:
    return ", ".join(term.name for term in nearest(head[:60]))


def _in_style(script: Script, style: str | None) -> Script:
    """The script in `style`, where its words name none."""
    said = style_named(script.style)
    if style is None or said == style:
        return script
    if said is not None:
        raise ChoreiaError(f"the words ask for {said}, --style for {style}: leave one of them out")
    return replace(script, style=", ".join(filter(None, (style, script.style))))
