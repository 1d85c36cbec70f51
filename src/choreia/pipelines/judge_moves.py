"""How well the judges of figures and styles judge: on held-out dances of the choreographer, whole, rebuilt and degraded, and on real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from choreia.data.shards import read_samples
from choreia.models.dancemeld.model import load
from choreia.models.moves.features import PER_COUNT, Take, see
from choreia.models.moves.model import MOST, Judge
from choreia.models.moves.recipe import HELD_OUT, Danced, dance, open_judge
from choreia.motion.representation import Heading152
from choreia.types import Motion

DANCES, DANCE_S = 96, 40.0


@dataclass(frozen=True)
class JudgeRow:
    """`windows` of eight counts: `top1` and `top3` hold the figure danced; `recognised`: it is told with enough certainty; `taken`: some
    figure is, right or wrong. `style`: whole dances told right. `confused`: the commonest error, "danced as judged", and its share
    of the windows of that figure."""

    dances: str
    windows: int
    top1: float | None
    top3: float | None
    recognised: float | None
    taken: float
    style: float | None
    confused: str = ""


@dataclass(frozen=True)
class _Window:
    """Number of the figure danced in a window (-1: none of those known), and likelihoods (figures + 1,)."""

    figure: int
    odds: np.ndarray


def moves(data: Path | None = None, judge: Judge | None = None, dances: int = DANCES) -> list[JudgeRow]:
    """Rows of the judge of figures and styles; that of real dance when `data`, what `choreia prepare` wrote, is given."""
    judge = judge or open_judge()
    held_out = [dance(HELD_OUT + number, judge.styles, DANCE_S) for number in range(dances)]
    rows = [row("choreographer, held out", held_out, judge, lambda motion: motion)]
    rows.append(row("the same through the tokenizer", held_out, judge, _rebuilt()))
    rows += [row(f"the same, {name}", held_out, judge, lambda motion: motion, worse) for name, worse in WORSE.items()]
    return [*rows, _real(data, judge)] if data else rows


def row(name: str, dances: list[Danced], judge: Judge, made: Callable[[Motion], Motion],
        worse: Callable[[np.ndarray], np.ndarray] | None = None) -> JudgeRow:  # fmt: skip
    """What becomes of the dances when each is `made` into another and its windows (N, DIM) into `worse` ones."""
    found: list[_Window] = []
    styles = []
    for danced in dances:
        take = see(made(danced.motion), danced.counts_s)
        found += _windows(danced, take, judge, worse)
        styles.append(judge.style(take) == danced.style)
    ranks = np.array([int((one.odds > one.odds[one.figure]).sum()) for one in found])
    taken = np.array([judge.told(one.odds) is not None for one in found])
    right = taken & (ranks == 0)
    return JudgeRow(name, len(found), float((ranks == 0).mean()), float((ranks < 3).mean()), float(right.mean()), float(taken.mean()),
                    None if worse else float(np.mean(styles)), "" if worse else _confused(found, judge))  # fmt: skip


def _windows(danced: Danced, take: Take, judge: Judge, worse: Callable[[np.ndarray], np.ndarray] | None) -> Iterator[_Window]:
    """The first and the last eight counts of every figure of a dance."""
    for slot in danced.slots:
        for start in (slot.start, slot.end - MOST):
            values = take.by_count[start * PER_COUNT : (start + MOST) * PER_COUNT]
            if len(values) == MOST * PER_COUNT:
                shown = Take(worse(values) if worse else values, take.by_second)
                yield _Window(judge.figures.index(slot.figure), judge.figure_odds(shown, 0, MOST))


def _confused(found: list[_Window], judge: Judge) -> str:
    names = (*judge.figures, "none")
    wrong = Counter((one.figure, int(one.odds.argmax())) for one in found if one.odds.argmax() != one.figure)
    shares = {pair: count / sum(one.figure == pair[0] for one in found) for pair, count in wrong.items()}
    if not shares:
        return ""
    (danced, judged), share = max(shares.items(), key=lambda item: item[1])
    return f"{names[danced]} as {names[judged]} ({100 * share:.0f} %)"


def _real(data: Path, judge: Judge) -> JudgeRow:
    """Held-out real dance on the beats of the music that was composed to it."""
    odds = []
    for split in ("val", "test"):
        for sample in read_samples(data / "real", split):
            if sample.labels.dance and sample.music and len(sample.music[0].beats_s) > MOST:
                take = see(sample.motion, sample.music[0].beats_s)
                odds += [judge.figure_odds(take, start, start + MOST) for start in range(0, len(sample.music[0].beats_s) - MOST, MOST)]
    taken = [judge.told(one) for one in odds]
    common = Counter(name for name in taken if name).most_common(1)
    words = f"{common[0][0]} ({100 * common[0][1] / len(odds):.0f} %)" if common else ""
    return JudgeRow("real dance", len(odds), None, None, None, float(np.mean([name is not None for name in taken])), None, words)


def _rebuilt() -> Callable[[Motion], Motion]:
    """Through the codes of the shipped tokenizer and back."""
    generator = load()

    def rebuilt(motion: Motion) -> Motion:
        return Heading152.decode(generator.decode(generator.encode(motion))[: len(motion)], motion.fps)

    return rebuilt


def _held(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.mean(axis=0, keepdims=True), len(values), axis=0)


def _smaller(share: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: values.mean(axis=0) + share * (values - values.mean(axis=0))


def _late(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.repeat(values[:1], PER_COUNT // 2, axis=0), values[: -PER_COUNT // 2]])


WORSE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "held in their mean pose": _held,
    "half as large": _smaller(0.5),
    "a quarter as large": _smaller(0.25),
    "half a count late": _late,
    "moments in random order": lambda values: np.random.default_rng(0).permutation(values),
}
"""What is done to windows (N, DIM) of the choreographer: the judge should not know the figure in a pose or a muddle."""
