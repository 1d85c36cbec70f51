"""Who can dance: the trained models and the rule-based choreographer, each asked by a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.models import load
from choreia.models.base import Echo, Generator
from choreia.pipelines import plan
from choreia.synth.choreographer import choreograph
from choreia.synth.moves import STYLES
from choreia.text.lexicon import find, style_named
from choreia.types import Motion, Move, Music, Script

if TYPE_CHECKING:
    from choreia.models.choreia.config import Sampling
    from choreia.models.choreia.model import Generator as Choreia
    from choreia.models.theatre.model import Generator as Theatre

FPS = 30.0
REPERTOIRE = {"salsa": 0.2, "party": 0.2, "hip-hop": 0.2, "contemporary": 0.13, "ballet": 0.14, "indian": 0.13}
"""What a model dances when it is not told: the styles of real takes, evened out."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Guidance:
    """How strongly music and words are followed; None is as the weights are best."""

    music: float | None = None
    text: float | None = None


USUAL = Guidance()
MOST_GUIDANCE = 10.0


class Dancer(Protocol):
    """Whoever can dance: a trained model or the rule-based choreographer."""

    @property
    def name(self) -> str:
        """What `--model` calls it."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights, None where there are none."""

    @property
    def styles(self) -> tuple[str, ...]:
        """What `--style` may ask for."""

    def move(self, music: Music, asked: Script, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Raw movement for the whole of `music` at 30 fps, at least as long as the music, and the words for it.

        `asked.style` may be empty: then the seed draws one. ChoreiaError for what this dancer cannot do.
        """

    def seams_s(self, duration_s: float) -> np.ndarray:
        """Where pieces of a dance of this length were joined, seconds; empty when it is made in one piece."""


@dataclass(frozen=True)
class ModelDancer:
    """DanceMeld over the "dance" features: knows styles, not moves; returning sections echo their first occurrence."""

    generator: Generator
    name: str = "dancemeld"

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use."""
        return self.generator.weights_sha256

    @property
    def styles(self) -> tuple[str, ...]:
        """Style names that the weights know."""
        return self.generator.styles

    def move(self, music: Music, asked: Script, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Sample latents over the whole song at once and decode them."""
        if asked.moves:
            raise ChoreiaError(f"{self.name} knows styles but no moves ({asked.moves[0].text!r}): use --model choreia or choreographer")
        style = _style(asked.style, self.styles) or drawn_style(seed)
        echo = plan.echoes(music, self.generator.tokens_for(_frames(music)), self.generator.tokens_per_s)
        motion = self.generator.dance(_features(music), style=style, seed=seed, echo=echo, progress=progress)
        return motion.slice(0, _frames(music)), Script(style, plan.section_words(music))

    def seams_s(self, duration_s: float) -> np.ndarray:
        """Where windows begin and end."""
        return self.generator.seams_s(clock.frames_in(duration_s, FPS))


@dataclass(frozen=True)
class TextDancer:
    """The default model: any words, a segment at a time; returning sections echo their first occurrence unless other moves are asked."""

    generator: Choreia
    guidance: Guidance = USUAL
    name: str = "choreia"
    styles: tuple[str, ...] = tuple(sorted({*STYLES, *REPERTOIRE}))

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use."""
        return self.generator.weights_sha256

    def move(self, music: Music, asked: Script, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Sample latents segment by segment and decode them."""
        script = _styled(asked, seed)
        motion = self.generator.dance(_features(music), script, seed=seed, echo=self._echo(music, script), progress=progress,
                                      sampling=self._sampling(asked))  # fmt: skip
        return motion.slice(0, _frames(music)), script if script.moves else replace(script, moves=plan.section_words(music))

    def flow(self, music: Music, asked: Script, seed: int) -> Iterator[Motion]:
        """The movement of `move` in pieces, as they are made."""
        script = _styled(asked, seed)
        return self.generator.stream(_features(music), script, seed=seed, echo=self._echo(music, script), sampling=self._sampling(asked))

    def _sampling(self, asked: Script) -> Sampling:
        own = self.generator.config.sampling
        usual = own if asked.style or asked.moves else own.freely()
        gamma = usual.gamma if self.guidance.music is None else self.guidance.music
        delta = usual.delta if self.guidance.text is None else self.guidance.text
        return replace(usual, gamma=gamma, delta=delta)

    def _echo(self, music: Music, script: Script) -> Echo:
        tokens_per_s = self.generator.tokens_per_s
        return _unasked(plan.echoes(music, self.generator.tokens_for(_frames(music)), tokens_per_s), script, tokens_per_s)

    def seams_s(self, duration_s: float) -> np.ndarray:
        """Where segments meet."""
        return self.generator.seams_s(clock.frames_in(duration_s, FPS))


@dataclass(frozen=True)
class RuleDancer:
    """The seeded choreographer: named moves laid on the counts, no learning."""

    name: str = "choreographer"
    weights_sha256: str | None = None
    styles: tuple[str, ...] = field(default=tuple(STYLES))

    def move(self, music: Music, asked: Script, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Choreograph by rule; beatless music gets an even pulse of 90 BPM."""
        grid = music.beats_s if music.has_beat else np.arange(0, music.duration_s + 1, 60 / 90)
        bars = music.downbeats_s if music.has_beat else grid[::4]
        style = _style(asked.style, self.styles) or self.styles[seed % len(self.styles)]
        script = Script(style, tuple(figures(asked, style)))
        dance = choreograph(
            grid, bars, music.sections, style, seed, fps=FPS, energy=music.energy, duration_s=music.duration_s, script=script
        )
        return dance.motion, dance.script

    def seams_s(self, duration_s: float) -> np.ndarray:
        """None: it is made in one piece."""
        return np.zeros(0)


@dataclass(frozen=True)
class TheatreDancer:
    """The movement that the musical-theatre model makes together with a stage: it knows music alone, neither styles nor moves."""

    generator: Theatre
    name: str = "theatre"
    styles: tuple[str, ...] = ()

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use."""
        return self.generator.weights_sha256

    def move(self, music: Music, asked: Script, seed: int, progress: Progress | None) -> tuple[Motion, Script]:
        """Sample movement and stage over the whole song at once and keep the movement."""
        if asked.style or asked.moves:
            raise ChoreiaError(f"{self.name} knows no words: use --model choreia")
        return self.generator.perform(music, seed=seed)[0], Script("", plan.section_words(music))

    def seams_s(self, duration_s: float) -> np.ndarray:
        """None: its windows are blended at every step."""
        return np.zeros(0)


DANCERS: dict[str, Callable[[], Dancer]] = {
    "dancemeld": lambda: ModelDancer(load("dancemeld")),
    "choreographer": RuleDancer,
    "choreia": lambda: TextDancer(_choreia()),
    "theatre": lambda: TheatreDancer(_theatre()),
}


def dancer(model: str, style: str | None = None, guidance: Guidance = USUAL) -> Dancer:
    """The dancer called `model`, checked to know `style` and to be guided where guidance is asked."""
    if model not in DANCERS:
        raise ChoreiaError(f"unknown model {model!r}: choose one of {', '.join(DANCERS)}")
    chosen = DANCERS[model]()
    if guidance != USUAL:
        chosen = _guided(chosen, guidance)
    if style is not None and not chosen.styles:
        raise ChoreiaError(f"{model} knows no styles: leave --style out, or use --model choreia")
    if style is not None and style not in chosen.styles:
        raise ChoreiaError(f"unknown style {style!r} for {model}: choose one of {', '.join(chosen.styles)}")
    return chosen


def _guided(who: Dancer, guidance: Guidance) -> Dancer:
    if not isinstance(who, TextDancer):
        raise ChoreiaError(f"--guidance-music and --guidance-text are for the choreia model, not for {who.name}: leave them out")
    for name, value in (("--guidance-music", guidance.music), ("--guidance-text", guidance.text)):
        if value is not None and not 0 <= value <= MOST_GUIDANCE:
            raise ChoreiaError(f"{name} {value:g}: give 0 (do not listen) to {MOST_GUIDANCE:g}; 1 is as trained")
    return replace(who, guidance=guidance)


def _choreia() -> Choreia:
    """Loaded only when asked for: its parts are many."""
    from choreia.models.choreia.model import load as load_choreia

    return load_choreia()


def _theatre() -> Theatre:
    """Loaded only when asked for."""
    from choreia.models.choreia.stage import load as load_theatre

    return load_theatre()


def _styled(asked: Script, seed: int) -> Script:
    return asked if asked.style else replace(asked, style=drawn_style(seed))


def drawn_style(seed: int) -> str:
    """A style of the repertoire."""
    return str(np.random.default_rng(seed).choice(list(REPERTOIRE), p=list(REPERTOIRE.values())))


def figures(asked: Script, style: str) -> list[Move]:
    """A script's moves as figures of the choreographer; words that name none are left to it."""
    found = [(move, find(move.text.partition(", ")[0].partition(":")[0], style)) for move in asked.moves]
    return [replace(move, text=term.figure) for move, term in found if term is not None]


def _style(text: str, known: tuple[str, ...]) -> str | None:
    """The style that a global text names, as `known` calls it; None for an empty text or one that names none of them."""
    first = text.partition(",")[0].strip()
    named = first if first in known else style_named(text)
    return named if named in known else None


def _unasked(echo: Echo, script: Script, tokens_per_s: float) -> Echo:
    """The echo without tokens for which, or for whose origin, a move is asked: there the words decide."""
    asked = np.zeros(len(echo.weight), bool)
    for move in script.moves:
        asked[int(move.start_s * tokens_per_s) : int(np.ceil(move.end_s * tokens_per_s))] = True
    origin = asked[np.clip(np.round(echo.source).astype(int), 0, len(asked) - 1)] if len(asked) else asked
    return plan.Echo(np.asarray(echo.source), np.where(asked | origin, 0.0, echo.weight))


def _frames(music: Music) -> int:
    return clock.frames_in(music.duration_s, FPS)


def _features(music: Music) -> np.ndarray:
    return clock.first_rows(music.features["dance"].values, _frames(music))
