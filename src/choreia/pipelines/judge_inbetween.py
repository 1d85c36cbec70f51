"""Gaps of held-out real dance, filled by the network and by interpolation, beside what was danced there; a table of the leaderboard.

A clip is the gap and four frames on either side, as many as the features look to. Gaps begin every half second of every take. FID holds the
filled clips of all takes against the clips that they replace, so that real dance itself has 0. Intervals are over takes, drawn with
replacement, the same for what is filled and what was danced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.data.shards import read_samples
from choreia.errors import ChoreiaError
from choreia.metrics import features
from choreia.metrics.frechet import frechet_extrapolated
from choreia.metrics.sets import Normalized
from choreia.models.base import read_weights
from choreia.models.inbetween.config import FPS
from choreia.models.inbetween.interpolation import HERMITE, STRAIGHT
from choreia.models.inbetween.model import MODEL, Inbetweener, interpolated, load
from choreia.motion.energy import jerk
from choreia.motion.kinematics import positions
from choreia.pipelines.measuring import Progress, Workers
from choreia.types import Motion

GAPS_S = (0.25, 0.5, 1.0, 2.0)
EVERY_S = 0.5
"""A gap begins every so often."""
KEPT_S = 1 / 3
"""Kept, at least, before the first gap of a take and after its last."""

AROUND = 2 * features.STEP
"""Frames of a clip on either side of its gap."""

DRAWS = 100

Fill = Callable[[Motion, int, int], Motion]
"""From a take and the frames [start, stop) of a gap to the take with the gap filled."""


@dataclass(frozen=True)
class Filler:
    """Who fills gaps; `plain` ones are those that a network has to be better than."""

    name: str
    fill: Fill
    plain: bool = False


@dataclass(frozen=True)
class Filled:
    """The n clips of a take: `error_mm` (n, 2), mean distance of joints in the world and from the pelvis; `kinetic` (n, 72) and `geometric`
    (n, 32) features; `jerk_m_s3` (n,), the mean in the two frames on either side of both ends."""

    error_mm: np.ndarray
    kinetic: np.ndarray
    geometric: np.ndarray
    jerk_m_s3: np.ndarray


def inbetween(data: Path, runs: Path | None = None, workers: int = 2, progress: Progress | None = None) -> list[dict]:
    """Rows of every length of gap: the last pose held, linear and SLERP, a spline, what the network corrects, and the network.

    Args:
        data: what `choreia prepare` wrote: its held-out real dance is filled.
        runs: folder in which `choreia train inbetween` left `inbetween/inbetween.safetensors`; else the weights of the package are taken.
        workers: processes.
        progress: called with a stage and a share done.
    """
    takes, weights = held_out(data), trained(runs)
    rows = []
    with Workers(workers, progress) as pool:
        for gap_s in GAPS_S:
            true, plain = fill_all(Filler("real", _as_it_was), takes, gap_s, pool), []
            for filler in fillers(weights):
                made = fill_all(filler, takes, gap_s, pool)
                plain += [made] if filler.plain else []
                rows.append(row(filler.name, gap_s, made, true, [] if filler.plain else plain))
    return rows


def held_out(data: Path) -> list[Motion]:
    """Real dance of the test split, as captured; ChoreiaError when there is none."""
    found = [sample.motion for sample in read_samples(data / "real", "test") if sample.labels.dance]
    if not found:
        raise ChoreiaError(f"{data}: no held-out real dance; make it with `choreia prepare`")
    return found


def trained(runs: Path | None) -> Path | None:
    """Weights of the network in a folder of runs, None where it has none."""
    path = None if runs is None else runs / MODEL / f"{MODEL}.safetensors"
    return path if path and path.is_file() else None


def fillers(weights: Path | None) -> list[Filler]:
    """A pose held, both interpolations, the one between them that the network corrects, and the network."""
    network = _opened(weights)
    return [
        Filler("last pose held", _held),
        Filler("linear and SLERP", partial(interpolated, reach=STRAIGHT), plain=True),
        Filler("spline (cubic Hermite)", partial(interpolated, reach=HERMITE), plain=True),
        Filler(f"between both (ends fade in {network.config.reach} frames)", partial(interpolated, reach=network.config.reach)),
        Filler("in-betweener", partial(_by_network, weights)),
    ]


@cache
def _opened(weights: Path | None) -> Inbetweener:
    return Inbetweener(read_weights(weights, MODEL)) if weights else load()


def _by_network(weights: Path | None, motion: Motion, start: int, stop: int) -> Motion:
    return _opened(weights).fill(motion, start, stop)


def _held(motion: Motion, start: int, stop: int) -> Motion:
    root, rotations = motion.root.copy(), motion.rotations.copy()
    root[start:stop], rotations[start:stop] = root[start - 1], rotations[start - 1]
    return replace(motion, root=root, rotations=rotations)


def _as_it_was(motion: Motion, start: int, stop: int) -> Motion:
    return motion


# --------------------------------------------------------------------------------------------------------------- measuring


def fill_all(filler: Filler, takes: Sequence[Motion], gap_s: float, pool: Workers) -> list[Filled]:
    """All gaps of `gap_s` seconds of the takes that are long enough for one, filled and measured, an item a take."""
    frames, kept = clock.frames_in(gap_s, FPS), clock.frames_in(KEPT_S, FPS)
    jobs = [motion for motion in takes if len(motion) >= frames + 2 * kept]
    return list(pool.map(f"{filler.name}, {gap_s:g} s", partial(fill_take, filler.fill, frames, kept), jobs))


def fill_take(fill: Fill, frames: int, kept: int, motion: Motion) -> Filled:
    """A take's gaps of so many frames, one after another filled alone."""
    starts = range(kept, len(motion) - frames - kept + 1, clock.frames_in(EVERY_S, FPS))
    clips = [_measured(fill(motion, start, start + frames), motion, start, start + frames) for start in starts]
    return Filled(*(np.stack(values) for values in zip(*clips, strict=True)))


def _measured(made: Motion, true: Motion, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The fields of `Filled` for one gap."""
    clip, other = (take.slice(start - AROUND, stop + AROUND) for take in (made, true))
    joints, danced = positions(clip).astype(np.float64), positions(other).astype(np.float64)
    apart = (joints - danced)[AROUND:-AROUND]
    errors = [np.linalg.norm(way, axis=-1).mean() for way in (apart, apart - apart[:, :1])]
    ends = [place + k for place in (AROUND, AROUND + stop - start) for k in (-2, -1, 0, 1)]
    return (
        1000 * np.array(errors),
        features.kinetic(joints, FPS),
        features.geometric(joints, FPS),
        jerk(clip)[ends].mean(),
    )


# -------------------------------------------------------------------------------------------------------------------- rows

Score = Callable[[Sequence[Filled], Sequence[Filled]], float]
"""A number of filled takes beside the same takes as they were danced."""

_FID = Normalized(frechet_extrapolated, fewest=4)

SCORES: dict[str, Score] = {
    "MPJPE mm": lambda made, true: float(np.concatenate([take.error_mm[:, 0] for take in made]).mean()),
    "MPJPE mm, root removed": lambda made, true: float(np.concatenate([take.error_mm[:, 1] for take in made]).mean()),
    "FID_k": lambda made, true: _FID(*(np.concatenate([take.kinetic for take in takes]) for takes in (made, true))),
    "FID_g": lambda made, true: _FID(*(np.concatenate([take.geometric for take in takes]) for takes in (made, true))),
}
"""What is better when it is lower."""


def row(name: str, gap_s: float, made: Sequence[Filled], true: Sequence[Filled], plain: Sequence[Sequence[Filled]]) -> dict:
    """Scores of a filler at one length of gap; and how much lower than the lower of the `plain` ones each is, where there are any.

    `jerk at ends`: over that of real dance at the same frames.
    """
    draws = [np.arange(len(true)), *np.random.default_rng(0).integers(len(true), size=(DRAWS, len(true)))]
    found: dict[str, object] = {"": name, "gap s": gap_s, "gaps": sum(len(take.error_mm) for take in made)}
    less: dict[str, object] = {}
    for title, score in SCORES.items():
        own = _drawn(score, made, true, draws)
        rivals = [_drawn(score, other, true, draws) for other in plain]
        found[title] = _interval(own)
        less[f"{title} less the lower of both"] = _interval(own - np.min(rivals, axis=0)) if rivals else None
    jerks = [np.concatenate([take.jerk_m_s3 for take in takes]).mean() for takes in (made, true)]
    return found | {"jerk at ends": float(jerks[0] / max(jerks[1], 1e-9))} | less


def _drawn(score: Score, made: Sequence[Filled], true: Sequence[Filled], draws: Sequence[np.ndarray]) -> np.ndarray:
    """The score of all takes, then of each draw of takes, (1 + DRAWS,)."""
    return np.array([score([made[k] for k in draw], [true[k] for k in draw]) for draw in draws])


def _interval(values: np.ndarray) -> dict[str, object]:
    """The first value, with the 95 % of the others in the middle."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return {"value": float(values[0]), "low": float(low), "high": float(high), "z": None, "reached": []}
