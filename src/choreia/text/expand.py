"""From a loose prompt to a Script: "popping, small range; bars 9-12: arm wave; chorus: running man".

The prompt is cut into cues (`clauses`), its words are looked up (`match`), what belongs to the whole dance becomes the global text, and the
moves are laid on the song (`arrange`). LRCM has a fine-tuned language model do this (appendix A); `llm` asks one, and this is what it
falls back to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from choreia.errors import ChoreiaError
from choreia.text.arrange import Call, Request, arrange
from choreia.text.clauses import Cue, Phrase, cues
from choreia.text.lexicon import Manner, Style, Term, find, lexicon, nearest
from choreia.text.match import Hit, Matcher, as_moves, read
from choreia.text.places import section_names
from choreia.text.script import SEQUENCE, from_text
from choreia.text.times import Length
from choreia.types import Music, Script

MOST_WORDS = 1000
MOST_LETTERS = 12_000
"""Longest prompt, in words and in letters."""


class Writer(Protocol):
    """Something else that writes a script for a prompt, as `llm.Endpoint`."""

    def write(self, prompt: str, music: Music) -> Script:
        """The script; ChoreiaError when it cannot."""
        ...


@dataclass(frozen=True)
class Expansion:
    """A script, with what was not understood as `warnings` and what was decided as `notes`, a line each."""

    script: Script
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def expand(prompt: str, music: Music, *, matcher: Matcher | None = None, llm: Writer | None = None, seed: int = 0) -> Expansion:
    """A script for `music` from a prompt in plain words, or from one in the two-level format.

    Args:
        prompt: e.g. "a gentle waltz", "krump hard, stomp at 0:30 for 8 counts", "chorus: running man; verse 2: arm waves".
        matcher: finds moves by meaning where their names are not known (`match.EmbeddingMatcher`).
        llm: asked first; when it fails its error becomes a warning and the prompt is read by rule.
        seed: draws where moves without a time are placed.

    Raises:
        ChoreiaError: an empty or too long prompt, a time the song does not have, two times that contradict one another.
    """
    _check(prompt)
    if SEQUENCE.lower() in prompt.lower():
        return Expansion(_fitting(from_text(prompt, "prompt"), music))
    failed: tuple[str, ...] = ()
    if llm is not None:
        try:
            return Expansion(_fitting(llm.write(prompt, music), music), (), ("written by a language model",))
        except ChoreiaError as error:
            failed = (f"{error}; the prompt was read by rule instead",)
    reading = _Reading(music, matcher).read(cues(prompt))
    laid = arrange(reading.requests, music, seed)
    script = Script(reading.style_text(), laid.moves)
    return Expansion(script, (*failed, *reading.warnings, *laid.warnings), (*reading.notes, *laid.notes))


def _check(prompt: str) -> None:
    if not any(letter.isalnum() for letter in prompt):
        raise ChoreiaError("the prompt is empty: say a style or a move, as 'popping; chorus: arm wave'")
    words = len(prompt.split())
    if words > MOST_WORDS or len(prompt) > MOST_LETTERS:
        said = f"the prompt has {words} words and {len(prompt)} letters"
        raise ChoreiaError(f"{said}: give at most {MOST_WORDS} words and {MOST_LETTERS} letters, or a script file")


def _fitting(script: Script, music: Music) -> Script:
    """The script, when it is not longer than the song."""
    late = next((move for move in script.moves if move.end_s > music.duration_s + 0.1), None)
    if late:
        raise ChoreiaError(
            f"{late.text[:60]!r} ends at {late.end_s:.1f} s, past the end of the song at {music.duration_s:.1f} s: end it earlier"
        )
    return script


@dataclass
class _Reading:
    """What a prompt asks for, gathered cue by cue."""

    music: Music
    matcher: Matcher | None
    styles: list[Style] = field(default_factory=list)
    local_styles: list[Style] = field(default_factory=list)
    manners: list[Manner] = field(default_factory=list)
    own_words: list[str] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, found: Sequence[Cue]) -> _Reading:
        style = self.first_style(found)
        for cue in found:
            self.check_title(cue)
            self.refuse(cue, style)
        for cue in found:
            calls = self.cue_calls(cue, style)
            if calls:
                self.requests.append(Request(cue.spans, tuple(calls), cue.ordered, cue.follows))
            elif cue.spans:
                when = cue.spans[0].words
                self.warnings.append(f"{when!r} says when, but no move that can be placed: write one behind it, as '{when}: spin'")
        self.guess_style()
        return self

    @staticmethod
    def first_style(found: Sequence[Cue]) -> str | None:
        """The style of the whole dance, by which names that several styles share are read."""
        loose = [phrase for cue in found if not cue.spans for phrase in cue.phrases]
        entries = (hit.entry for phrase in loose for hit in read(phrase.words))
        return next((entry.name for entry in entries if isinstance(entry, Style)), None)

    def check_title(self, cue: Cue) -> None:
        """What stands before a colon has to be a time, a style or known words."""
        unknown = [hit.words for hit in read(cue.title.split()) if hit.entry is None] if cue.title else []
        if unknown:
            have = section_names(self.music)
            raise ChoreiaError(f"{cue.title!r} is no time, section or style: this song has {have}; or write bars 9-12, eight 3, 0:30-0:45")

    def refuse(self, cue: Cue, style: str | None) -> None:
        """Take note of what shall not be danced."""
        hits = [hit for phrase in cue.phrases for hit in read(phrase.refused, style)]
        for hit in hits:
            if isinstance(hit.entry, Term):
                self.refused.add(hit.entry.name)
                self.notes.append(f"{hit.entry.name}: not placed, as asked; what is left to the dancer may still hold it")
            else:
                self.warnings.append(f"'no {hit.words}' cannot be promised: say what to dance instead")

    def cue_calls(self, cue: Cue, style: str | None) -> list[Call]:
        """Moves of a cue; words of manner that stand alone in a timed cue go to the move before them.

        At several single points a move lasts as many counts as is usual for it.
        """
        calls: list[Call] = []
        for phrase in cue.phrases:
            before = len(self.terms)
            found = self.calls(phrase, bool(cue.spans), style)
            if cue.spans and calls and found and len(self.terms) == before:
                calls[-1] = replace(calls[-1], text=f"{calls[-1].text}, {found[0].text}")
            else:
                calls += found
        points = [span for span in cue.spans if span.kind == "at" and span.start and span.start.unit == "second" and not span.length]
        if len(points) > 1 and len(calls) == 1 and self.terms:
            return [replace(calls[0], length=calls[0].length or Length("count", self.terms[-1].counts))]
        return calls

    def calls(self, phrase: Phrase, timed: bool, style: str | None) -> list[Call]:
        """Moves of a phrase; its other words go to the moves when it has a time, to the whole dance when not."""
        said_style = self.style_of(phrase, style)
        hits = read(phrase.words, said_style, self.matcher)
        hits = as_moves(phrase.words, hits, said_style) if timed else hits
        self.notes += [hit.note for hit in hits if hit.note]
        hits = [hit for hit in hits if not (isinstance(hit.entry, Term) and hit.entry.name in self.refused)]
        terms = [hit.entry for hit in hits if isinstance(hit.entry, Term)]
        self.terms += terms
        self.warnings += [self.unknown(hit, timed) for hit in hits if hit.entry is None]
        local = [hit for hit in hits if not isinstance(hit.entry, Term)]
        if not timed:
            self.keep(local)
        self.local_styles = list(
            dict.fromkeys([*self.local_styles, *(hit.entry for hit in local if timed and isinstance(hit.entry, Style))])
        )
        said = [_words_of(hit) for hit in local if timed and not _belongs(hit, terms)]
        if not terms:
            return [Call(", ".join(said), _length(phrase, None))] if said else []
        return [Call(", ".join(dict.fromkeys([_name(term, style), *ways, *said])), _length(phrase, term)) for term, ways in _directed(hits)]

    def style_of(self, phrase: Phrase, style: str | None) -> str | None:
        """The style named in a phrase, else that of the dance."""
        named = (hit.entry.name for hit in read(phrase.words) if isinstance(hit.entry, Style))
        return next(named, style)

    def keep(self, hits: Sequence[Hit]) -> None:
        """Put words into the global text; directions stay with their move."""
        self.styles = list(dict.fromkeys([*self.styles, *(hit.entry for hit in hits if isinstance(hit.entry, Style))]))
        manners = (hit.entry for hit in hits if isinstance(hit.entry, Manner) and hit.entry.kind != "direction")
        self.manners = list(dict.fromkeys([*self.manners, *manners]))
        self.own_words += [hit.words for hit in hits if hit.entry is None]

    def unknown(self, hit: Hit, with_move: bool) -> str:
        near = ", ".join(term.name for term in nearest(hit.words))
        kept = "its words are kept with the move" if with_move else "its words are kept for the whole dance"
        return f"{hit.words!r} is no move I know (nearest by spelling: {near}): {kept}"

    def guess_style(self) -> None:
        """Without a style for the whole dance: those of its parts, else the one to which most of its moves belong, above all."""
        self.styles = self.styles or self.local_styles
        if self.styles or not self.terms:
            return
        weight: dict[str, float] = {}
        for term in self.terms:
            for style in term.styles:
                weight[style] = weight.get(style, 0.0) + (1.0 if style == term.styles[0] else 0.5)
        best = max(weight, key=lambda style: weight[style])
        self.styles.append(next(style for style in lexicon().styles if style.name == best))
        shown = ", ".join(dict.fromkeys(term.name for term in self.terms if best in term.styles))
        self.notes.append(f"no style was said: taken for {best}, because of {shown}")

    def style_text(self) -> str:
        """The global text: styles, range, manner, the prompt's own words, and what marks the styles."""
        manners = sorted(self.manners, key=lambda manner: ("range", "energy", "manner", "direction").index(manner.kind))
        marks = [style.text.partition(": ")[2] for style in self.styles]
        parts = [*(style.name for style in self.styles), *(manner.text for manner in manners), *self.own_words, *marks]
        return ", ".join(parts)


def _name(term: Term, style: str | None) -> str:
    """The name of a move, or the first synonym, by which its figure and no other is found in the style of the dance."""
    found = ((name, find(name, style)) for name in (term.name, *term.synonyms))
    return next((name for name, other in found if other and other.figure == term.figure), term.name)


def _directed(hits: Sequence[Hit]) -> list[tuple[Term, list[str]]]:
    """Moves with the directions said behind them; one said before all is the first move's."""
    found: list[tuple[Term, list[str]]] = []
    before: list[str] = []
    for hit in hits:
        if isinstance(hit.entry, Term):
            found.append((hit.entry, [] if found else before))
        elif _is_direction(hit):
            (found[-1][1] if found else before).append(_words_of(hit))
    return found


def _is_direction(hit: Hit) -> bool:
    return isinstance(hit.entry, Manner) and hit.entry.kind == "direction"


def _belongs(hit: Hit, terms: Sequence[Term]) -> bool:
    """Whether a word beside moves is said with them already: their own style, or a direction, which goes to one of them."""
    own = {style for term in terms for style in term.styles}
    return bool(terms) and ((isinstance(hit.entry, Style) and hit.entry.name in own) or _is_direction(hit))


def _words_of(hit: Hit) -> str:
    """A hit in the words of the script."""
    return hit.entry.text if isinstance(hit.entry, Manner) else hit.entry.name if hit.entry else hit.words


def _length(phrase: Phrase, term: Term | None) -> Length | None:
    """How long a move was said to last: its length, or so many times its counts."""
    if phrase.length or not phrase.times:
        return phrase.length
    return Length("count", phrase.times * (term.counts if term else 8))
