"""Dances restyled, beside what is easily had: a table of the leaderboard.

Every pair is two dances of the choreographer in different styles, to the same beats, with seeds of their own. The style is judged by
`models.moves`, which saw neither the tokenizer nor anything that it decoded. The code agreement is the share of codes of the first level
that are, once the finished result is encoded again, those of the dance whose codes are kept, at the same time; the dance that is only
decoded and encoded again says how many can be had so. Intervals are over pairs, drawn with replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from choreia.edit.exchange import PLAIN, WAYS, Way, decoded, mixed
from choreia.edit.history import spliced
from choreia.edit.region import Region
from choreia.edit.restyle import restyle
from choreia.metrics.feet import slide_share
from choreia.models.base import read_weights
from choreia.models.dancemeld.codec import Codec, Codes
from choreia.models.dancemeld.model import load
from choreia.models.moves.features import see
from choreia.models.moves.model import MODEL, Judge
from choreia.models.moves.recipe import kept_judge
from choreia.motion.cleanup import limit_head, lock_feet
from choreia.motion.energy import jerk
from choreia.motion.kinematics import positions
from choreia.motion.representation import Heading152
from choreia.pipelines.judge_tokenizer import joint_errors_mm
from choreia.pipelines.measuring import Progress, Workers
from choreia.synth.choreographer import choreograph
from choreia.synth.moves import STYLES
from choreia.types import Motion

PAIRS, PAIR_S, BEAT_S = 36, 16.0, 0.5
APART = 5
"""The source's style is so many further on in the list."""

DRAWS = 1000
_SEEDS = 3_141_592
"""Sets the dances apart from those that models and judges are trained on."""


@dataclass(frozen=True)
class Pair:
    """A dance whose codes are kept, and the one that gives the others, its `style` and the `number` of the pair."""

    kept: Motion
    given: Motion
    style: str
    number: int


@dataclass(frozen=True)
class Restyled:
    """Whether the source's style is seen, the share of kept codes that are there, distance of the joints from the dance whose codes
    are kept and from the other, both as seen from the pelvis, mean jerk, share of the time on a foot in which it slides."""

    style: bool
    codes: float
    from_kept_mm: float
    from_source_mm: float
    jerk_m_s3: float
    slide: float


Make = Callable[[Codec, Pair], Motion]


def restyled(weights: Path | None = None, pairs: int = PAIRS, workers: int = 2, progress: Progress | None = None) -> list[dict]:
    """Rows of either code kept: baselines, the codes as they are exchanged, and `edit.restyle`.

    Args:
        weights: the judge's; None trains it where the user's cache has none.
        pairs: of dances.
        workers: processes.
        progress: called with a stage and a share done.
    """
    given, path = [pair(number) for number in range(pairs)], weights or kept_judge()
    with Workers(workers, progress) as pool:
        return [
            row(name, keep, list(pool.map(f"{keep}: {name}", partial(measured, path, make, keep), given)))
            for keep in WAYS
            for name, make in makers(keep).items()
        ]


def pair(number: int) -> Pair:
    """Pair `number`; the styles take turns."""
    styles = list(STYLES)
    one, other = (styles[(number + step) % len(styles)] for step in (0, APART))
    beats = np.arange(0, PAIR_S + BEAT_S, BEAT_S)
    kept, given = (
        choreograph(beats, beats[::4], (), style, _SEEDS + 2 * number + k, duration_s=PAIR_S).motion for k, style in enumerate((one, other))
    )
    return Pair(kept, given, other, number)


def makers(keep: str) -> dict[str, Make]:
    """What is measured, by the name of its row."""
    return {
        "unchanged": _unchanged,
        "unchanged, through the codes": _rebuilt,
        "the source instead": _source,
        "random codes for the others": partial(_random, keep),
        "codes exchanged": partial(by_edit, keep, PLAIN),
        "restyle": partial(by_edit, keep, None),
    }


def by_edit(keep: str, way: Way | None, codec: Codec, given: Pair) -> Motion:
    """What the edit makes of the whole dance."""
    whole = Region(((0.0, given.kept.duration_s),))
    return spliced(given.kept, restyle(given.kept, None, whole, given.given, keep=keep, codec=codec, way=way))


def _unchanged(codec: Codec, given: Pair) -> Motion:
    return given.kept


def _source(codec: Codec, given: Pair) -> Motion:
    return given.given


def _rebuilt(codec: Codec, given: Pair) -> Motion:
    return _danced(codec, codec.codes(codec.encode(given.kept)), len(given.kept))


def _random(keep: str, codec: Codec, given: Pair) -> Motion:
    """The kept codes, and others drawn evenly from the codebooks."""
    codes, rng = codec.codes(codec.encode(given.kept)), np.random.default_rng(given.number)
    drawn = Codes(*(rng.integers(sizes, size=shape.shape) for sizes, shape in (
        (codec.config.bottom_sizes, codes.bottom), (codec.config.top_sizes, codes.top))))  # fmt: skip
    return _danced(codec, mixed(codes, drawn, keep), len(given.kept))


def _danced(codec: Codec, codes: Codes, frames: int) -> Motion:
    return lock_feet(limit_head(Heading152.decode(decoded(codec, codes)[:frames], codec.config.fps)))


# --------------------------------------------------------------------------------------------------------------- measuring


def measured(weights: Path, make: Make, keep: str, given: Pair) -> Restyled:
    """A pair, made and measured."""
    codec, judge = _codec(), _judge(weights)
    made = make(codec, given)
    beats = np.arange(0, PAIR_S + BEAT_S, BEAT_S)
    return Restyled(
        style=judge.style(see(made, beats)) == given.style,
        codes=agreement(codec, made, given.kept, keep),
        from_kept_mm=_apart_mm(made, given.kept),
        from_source_mm=_apart_mm(made, given.given),
        jerk_m_s3=float(jerk(made).mean()),
        slide=slide_share(positions(made), made.fps),
    )


def agreement(codec: Codec, made: Motion, kept: Motion, keep: str) -> float:
    """Share of the codes of the first level, "bottom" or "top", that two dances have alike at the same time."""
    one, other = (getattr(codec.codes(codec.encode(motion)), keep)[:, 0] for motion in (made, kept))
    return float(np.mean(one == other))


def _apart_mm(one: Motion, other: Motion) -> float:
    return float(joint_errors_mm(Heading152.encode(one), Heading152.encode(other)).mean())


@cache
def _codec() -> Codec:
    return load().codec


@cache
def _judge(weights: Path) -> Judge:
    return Judge(read_weights(weights, MODEL))


def row(name: str, keep: str, made: Sequence[Restyled]) -> dict:
    """One line of the table."""
    chosen = np.random.default_rng(0).integers(len(made), size=(DRAWS, len(made)))
    scores = {"style of the source %": [100.0 * one.style for one in made], "kept codes %": [100 * one.codes for one in made]}
    found: dict[str, object] = {"kept": {"bottom": "poses", "top": "movement"}[keep], "": name, "pairs": len(made)}
    found |= {title: _interval(np.array(values), chosen) for title, values in scores.items()}
    means = {
        "from kept mm": [one.from_kept_mm for one in made],
        "from source mm": [one.from_source_mm for one in made],
        "jerk m/s³": [one.jerk_m_s3 for one in made],
        "foot slide share": [one.slide for one in made],
    }
    return found | {title: float(np.mean(values)) for title, values in means.items()}


def _interval(values: np.ndarray, chosen: np.ndarray) -> dict[str, object]:
    """Mean of values (n,), with the middle 95 % of the means of draws (DRAWS, n)."""
    low, high = np.percentile(values[chosen].mean(axis=1), [2.5, 97.5])
    return {"value": float(values.mean()), "low": float(low), "high": float(high), "z": None, "reached": []}
