"""Whether a dance does what was asked in words: forty prompts, three songs, and judges of figures and styles; a table of the leaderboard.

Every prompt is read as a user's would be (`text.expand`), danced, and looked at: is the asked figure recognised where it was asked, and
the style over the whole dance? And when its window is moved by eight counts, does the figure move along?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from choreia.models.base import read_weights
from choreia.models.choreia.model import open_weights
from choreia.models.moves.features import Take, see
from choreia.models.moves.model import MODEL, Judge
from choreia.models.moves.recipe import kept_judge
from choreia.music.analyze import analyze
from choreia.music.structure import eight_counts
from choreia.pipelines.choreograph import ANYTHING, choreograph_song
from choreia.pipelines.dancers import Dancer, TextDancer, dancer, figures
from choreia.pipelines.measuring import Progress, Workers
from choreia.pipelines.prompts import LATER, PROMPTS, WHEN, Prompt
from choreia.synth.composer import compose
from choreia.synth.counting import Counting, count_out
from choreia.synth.moves import STYLES
from choreia.text.expand import expand
from choreia.text.lexicon import style_named
from choreia.types import Motion, Music, Script

SONGS: tuple[tuple[str, float, float], ...] = (("hiphop", 92.0, 46.0), ("pop", 112.0, 52.0), ("edm", 128.0, 58.0))
"""Genre, tempo in BPM and seconds of the songs; prompts for a style in three are danced to the same in bars of three."""

_FIRST_SEED = 2**31
"""Training draws the seeds of its songs below this."""

_Z95 = 1.959964

Score = float | dict[str, object] | None
"""A share, with its interval where it has one; None where it was not measured."""


class Dance(Protocol):
    """Whoever dances to words."""

    def __call__(self, music: Music, script: Script, seed: int) -> Motion:
        """A finished take of the music's length; an empty script leaves everything to the dancer. The same seed gives the same take."""


@dataclass(frozen=True)
class Asked:
    """Prompt `number` over a song: what was read of it, where (start_s, end_s) each of its figures is to be seen, and the dance's seed."""

    prompt: Prompt
    number: int
    music: Music
    script: Script
    windows: Mapping[str, tuple[tuple[float, float], ...]]
    seed: int


@dataclass(frozen=True)
class Marks:
    """Of one dance: the share of the asked figures' windows in which they are recognised, and whether the style is."""

    prompt: int
    moves: float
    style: float


# ------------------------------------------------------------------------------------------------------------ what is asked


@cache
def song(number: int, meter: int) -> Music:
    """Song `number` in bars of `meter`: analysed, with its exact beats and sections."""
    genre, bpm, seconds = SONGS[number]
    made = compose(_FIRST_SEED + number, seconds, genre=genre, bpm=bpm, meter=meter)
    heard = analyze(made.audio, beats_s=made.beats_s, downbeats_s=made.downbeats_s)
    return replace(heard, sections=made.sections, eights_s=eight_counts(made.downbeats_s, made.sections))


def ask(prompts: Sequence[Prompt], number: int, k: int, when: str = WHEN) -> Asked:
    """Read prompt `number` over song `k`; a figure that the reading misses has no window."""
    prompt = prompts[number]
    music = song(k, STYLES[prompt.style].metre)
    script = expand(prompt.asked(when), music).script
    shown = figures(script, style_named(script.style) or prompt.style)
    windows = {figure: tuple((move.start_s, move.end_s) for move in shown if move.text == figure) for figure in prompt.figures}
    return Asked(prompt, number, music, script, windows, seed=len(SONGS) * number + k)


# ----------------------------------------------------------------------------------------------------------------- dancers


def by_name(name: str, music: Music, script: Script, seed: int) -> Motion:
    """The dancer that `--model` calls `name`, with the last mile."""
    return choreograph_song(_dancer(name), music, asked=script, seed=seed)[0]


def by_weights(path: Path, music: Music, script: Script, seed: int) -> Motion:
    """The default model with weights that training wrote, with the last mile."""
    return choreograph_song(_trained(path), music, asked=script, seed=seed)[0]


_dancer = cache(dancer)


@cache
def _trained(path: Path) -> Dancer:
    return TextDancer(open_weights(path))


NAMES = ("choreographer", "choreia")
"""Dancers of `--model` that understand moves."""


def entrants(runs: Path | None = None) -> dict[str, Dance]:
    """Who is judged, by name: `NAMES`, and the weights that `choreia train choreia` left in folders of `runs`."""
    trained = sorted(runs.glob("*/weights.safetensors")) if runs else []
    named: dict[str, Dance] = {name: partial(by_name, name) for name in NAMES}
    return named | {f"trained here: {path.parent.name}": partial(by_weights, path) for path in trained}


# ----------------------------------------------------------------------------------------------------------------- judging


def text(cache_dir: Path | None = None, workers: int = 2, progress: Progress | None = None, dances: Mapping[str, Dance] | None = None,
         prompts: Sequence[Prompt] = PROMPTS, songs: int = len(SONGS), variant: str = "small") -> list[dict]:  # fmt: skip
    """Rows of chance, and of every dancer with the words, without them, and held against another prompt.

    Args:
        cache_dir: where the judges are kept, trained there when they are missing; None: the user's cache.
        workers: processes.
        progress: called with a stage and a share done.
        dances: who is judged, by name, as functions that can be sent to other processes; None: `entrants()`.
        prompts, songs: those of the table, and how many of `SONGS`.
        variant: which judges, of `models.moves.config.VARIANTS`.
    """
    weights = kept_judge(cache_dir, variant)
    asked = [ask(prompts, number, k) for number in range(len(prompts)) for k in range(songs)]
    moved = [(one, ask(prompts, one.number, k % songs, LATER)) for k, one in enumerate(asked) if one.prompt.can_move]
    rows = [_chance(_opened(weights))]
    with Workers(workers, progress) as pool:
        for name, dance in (dances or entrants()).items():
            said = list(pool.map(name, partial(_danced, dance, weights), list(zip(asked, others(asked, songs), strict=True))))
            silent = list(pool.map(f"{name}, no words", partial(_unasked, dance, weights), asked))
            went = list(pool.map(f"{name}, moved", partial(_moved, dance, weights), moved))
            stayed = list(pool.map(f"{name}, no words, moved", partial(_moved, partial(_wordless, dance), weights), moved))
            rows.append(_row(name, [own for own, _ in said], went))
            rows.append(_row(f"{name}, without the words", silent, stayed))
            rows.append(_row(f"{name}, another prompt's dance", [other for _, other in said], []))
    return rows


def answers(name: str, dance: Dance, weights: Path, asked: Sequence[Asked], pool: Workers) -> dict[str, Score]:
    """Shares of moves and styles that a dancer dances as asked, by judges of `weights`."""
    own = [own for own, _ in pool.map(name, partial(_danced, dance, weights), [(one, one) for one in asked])]
    return {"move in its window": _moves(own), "style": _style(own)}


def others(asked: Sequence[Asked], songs: int) -> list[Asked]:
    """For every prompt another over the same song, of another style and with other figures; the search begins half-way round."""
    found: list[Asked] = []
    for k, one in enumerate(asked):
        ways = [asked[(k + songs * step) % len(asked)] for step in range(len(asked) // songs)]
        half = len(ways) // 2
        found.append(next(other for other in ways[half:] + ways[:half] if _unlike(other.prompt, one.prompt)))
    return found


def _unlike(one: Prompt, other: Prompt) -> bool:
    return one.style != other.style and not set(one.figures) & set(other.figures)


_opened = cache(lambda weights: Judge(read_weights(weights, MODEL)))


def _danced(dance: Dance, weights: Path, job: tuple[Asked, Asked]) -> tuple[Marks, Marks]:
    """The dance to a prompt, held against that prompt and against another."""
    asked, other = job
    motion = dance(asked.music, asked.script, asked.seed)
    return marks(_opened(weights), motion, asked), marks(_opened(weights), motion, other)


def _unasked(dance: Dance, weights: Path, asked: Asked) -> Marks:
    """What the same dancer would have danced without the words."""
    return marks(_opened(weights), dance(asked.music, ANYTHING, asked.seed), asked)


def _wordless(dance: Dance, music: Music, script: Script, seed: int) -> Motion:
    return dance(music, ANYTHING, seed)


def _moved(dance: Dance, weights: Path, job: tuple[Asked, Asked]) -> tuple[Marks, Marks]:
    """The dance to the second of two prompts that differ in their window, held against the first, at the old time, and the second."""
    before, after = job
    motion = dance(after.music, after.script, after.seed)
    return marks(_opened(weights), motion, before), marks(_opened(weights), motion, after)


def marks(judge: Judge, motion: Motion, asked: Asked) -> Marks:
    """What a dance is worth as an answer to a prompt."""
    counting = count_out(asked.music.beats_s, asked.music.downbeats_s, STYLES[asked.prompt.style])
    take = see(motion, counting.times_s)
    shares = [_recognised(judge, take, counting, figure, windows) for figure, windows in asked.windows.items()]
    return Marks(asked.number, float(np.mean(shares)), float(judge.style(take) == asked.prompt.style))


def _recognised(judge: Judge, take: Take, counting: Counting, figure: str, windows: Sequence[tuple[float, float]]) -> float:
    """Share of the windows, seconds, in which a figure is recognised; 0 when there is none."""
    edges = np.round(counting.at(np.array(windows).reshape(-1, 2))).astype(int)
    return float(np.mean([judge.figure(take, start, end) == figure for start, end in edges.tolist()])) if len(edges) else 0.0


# -------------------------------------------------------------------------------------------------------------------- rows


def _chance(judge: Judge) -> dict:
    """A dance that shows any figure and any style, as likely as others, at any time."""
    hit = 1 / len(judge.figures)
    return _scores("chance", 0, hit, 1 / len(judge.styles), hit * (1 - hit), hit)


def _row(name: str, made: Sequence[Marks], moved: Sequence[tuple[Marks, Marks]]) -> dict:
    return _scores(
        name,
        len(made) + len(moved),
        _moves(made),
        _style(made),
        share([(new.prompt, float(new.moves == 1 and old.moves == 0)) for old, new in moved]),
        share([(old.prompt, old.moves) for old, _ in moved]),
    )


def _moves(made: Sequence[Marks]) -> Score:
    return share([(one.prompt, one.moves) for one in made])


def _style(made: Sequence[Marks]) -> Score:
    return share([(one.prompt, one.style) for one in made])


def _scores(name: str, dances: int, move: Score, style: Score, along: Score, behind: Score) -> dict:
    """A row: a move that goes along is seen in the new window and not in the old; one left behind is seen in the old."""
    return {"": name, "dances": dances, "move in its window": move, "style": style, "moves along": along, "left behind": behind}


def share(found: Sequence[tuple[int, float]]) -> dict[str, object] | None:
    """Mean over prompts of (prompt, share in [0, 1]), with Wilson's 95 % interval for as many trials as there are prompts.

    A prompt's songs count as one trial, as if they always came out alike: the widest case. None when there is nothing.
    """
    if not found:
        return None
    numbers, values = np.array([number for number, _ in found]), np.array([value for _, value in found])
    p, n = float(np.mean([values[numbers == number].mean() for number in np.unique(numbers)])), len(np.unique(numbers))
    middle, half = p + _Z95**2 / (2 * n), _Z95 * np.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n * n))
    low, high = (float((middle + sign * half) / (1 + _Z95**2 / n)) for sign in (-1, 1))
    return {"value": p, "low": max(0.0, low), "high": min(1.0, high), "z": None, "reached": []}
