"""What a metric is, and what it is given.

A metric is a pure function on arrays that first validates them, and an entry that says how to read its number: who defined it, in
which unit and at which frame rate, which direction is better, and how it is fooled. Family modules list their entries in `METRICS`;
`choreia.metrics.evaluate` runs them over folders of takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from choreia.errors import ChoreiaError
from choreia.motion.skeleton import choreia24

JOINTS = choreia24().names
"""Order of the 24 joints in every (T, 24, 3) array that a metric is given: SMPL's."""

LARGEST = 1e30
"""Numbers beyond it are no measurements, and their squares and products would overflow."""

_FARTHEST_M = 1e9

Better = Literal["higher", "lower", "reference"]
"""Which way a score improves; "reference": the nearer to the reference set's own score, the better."""

Reduce = Callable[[np.ndarray], float]
"""From the scores of N items, (N,) or (N, k), to the score of the set."""


@dataclass(frozen=True)
class About:
    """How to read a number. `fps`: the rate that takes are resampled to before scoring, because the source counts in frames; None: any."""

    name: str
    dialect: str
    better: Better
    unit: str
    range: str
    source: str
    fooled_by: str
    fps: float | None = None


def mean(scores: np.ndarray) -> float:
    """Mean over items."""
    return float(np.mean(scores))


@dataclass(frozen=True)
class MotionMetric:
    """A score of one take: `score(joints (T, 24, 3) m, fps)`."""

    about: About
    score: Callable[[np.ndarray, float], float]
    reduce: Reduce = mean


@dataclass(frozen=True)
class SyncMetric:
    """A score of a dance with its music, in three steps so that null models can replace either side.

    `events(joints, fps)`: motion beats, seconds, sorted. `grid`: which of a song's grids they are held against (`Song.grids`).
    `score(motion_s, music_s, duration_s)`: a float, or a tuple that `reduce` turns into the score of the set. `timing` False: the number
    is no judgement of timing (a rate), so that null models have nothing to say about it.
    """

    about: About
    events: Callable[[np.ndarray, float], np.ndarray]
    grid: str
    score: Callable[[np.ndarray, np.ndarray, float], float | tuple[float, ...]]
    reduce: Reduce = mean
    timing: bool = True


@dataclass(frozen=True)
class MusicMetric:
    """A score of generated music against the music it should match: `events(samples (n,), rate)` in seconds on both sides,
    `score(made_s, true_s, duration_s)` as in `SyncMetric`. `true_events`: where the source hears the true music in another way."""

    about: About
    events: Callable[[np.ndarray, int], np.ndarray]
    score: Callable[[np.ndarray, np.ndarray, float], float | tuple[float, ...]]
    reduce: Reduce = mean
    true_events: Callable[[np.ndarray, int], np.ndarray] | None = None

    @property
    def ears(self) -> tuple[Callable[[np.ndarray, int], np.ndarray], Callable[[np.ndarray, int], np.ndarray]]:
        """How the generated and how the true music is heard."""
        return self.events, self.true_events or self.events


Medium = Literal["motion", "music", "video"]
"""What a feature extractor reads: joints and fps; mono samples and rate; frames (T, H, W, 3) uint8 and fps."""


@dataclass(frozen=True)
class SetMetric:
    """A score of a set of takes beside a reference set.

    `features(values, rate)`: one row (D,) an item, or several rows (k, D). `compare(made (N, D), reference (M, D))`.
    `extractor` names the features; it is part of the result. `reference` says whether a reference set is needed at all.
    """

    about: About
    features: Callable[[np.ndarray, float], np.ndarray]
    compare: Callable[[np.ndarray, np.ndarray], float]
    extractor: str
    medium: Medium = "motion"
    reference: bool = True
    fewest: int = 2


@dataclass(frozen=True)
class LatentMetric:
    """A score of one item's latents by name, arrays (T, d) or (d,)."""

    about: About
    score: Callable[[dict[str, np.ndarray]], float]
    needs: tuple[str, ...]
    reduce: Reduce = mean


@dataclass(frozen=True)
class CaptionMetric:
    """A score of a corpus: `score(candidates, references)`, one candidate and one or more references an item."""

    about: About
    score: Callable[[list[str], list[list[str]]], float]


@dataclass(frozen=True)
class RetrievalMetric:
    """A score of motion and text embeddings (N, d) in one space, row i of both belonging together."""

    about: About
    score: Callable[[np.ndarray, np.ndarray], float]


Metric = MotionMetric | SyncMetric | MusicMetric | SetMetric | LatentMetric | CaptionMetric | RetrievalMetric


@dataclass(frozen=True)
class Clip:
    """A take as metrics see it: joints (T, 24, 3) m in the order of `JOINTS`, Y up, at `fps` Hz; `song` names its music."""

    name: str
    joints: np.ndarray
    fps: float
    song: str | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.joints) / self.fps


@dataclass(frozen=True)
class Song:
    """What synchrony needs of a song. `grids`: "beats" and "strong" (downbeats), seconds, and the beats a peer's own code finds, by the
    peer's name ("mint", "bailando", "lodge", …)."""

    name: str
    duration_s: float
    grids: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class NullScore:
    """A score beside one null model: its mean and deviation under the null, how many deviations lie between, and how often the null does
    as well. `z` is None where the null never varies and equals the score, or one item leaves nothing to vary."""

    null: str
    mean: float
    std: float
    z: float | None
    p: float
    reached: bool


@dataclass(frozen=True)
class Result:
    """A number as reported: value with its 95 % bootstrap interval over items, the reference set's own value, null models, and in
    `words` whatever a reader must know (undefined items, resampling, a null that reaches the score)."""

    about: About
    value: float | None
    low: float | None = None
    high: float | None = None
    items: int = 0
    reference: float | None = None
    nulls: tuple[NullScore, ...] = ()
    words: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)


def measurable(values: np.ndarray) -> bool:
    """Whether all numbers are finite and none is beyond `LARGEST`."""
    return bool((np.abs(values) <= LARGEST).all())


def validate_joints(joints: np.ndarray, fps: float, shortest: int = 1) -> np.ndarray:
    """Joints as float64; ChoreiaError unless they are finite (T, 24, 3) of `shortest` frames or more at a positive frame rate."""
    places = np.asarray(joints, dtype=np.float64)
    if places.ndim != 3 or places.shape[1:] != (len(JOINTS), 3):
        raise ChoreiaError(f"joints must be (T, {len(JOINTS)}, 3) in metres, not {places.shape}")
    if len(places) < shortest:
        raise ChoreiaError(f"{len(places)} frames are too few: give {shortest} or more")
    if not np.isfinite(places).all():
        raise ChoreiaError(f"joints of frame {int(np.argwhere(~np.isfinite(places))[0, 0])} are not finite numbers: repair the take")
    if np.abs(places).max() > _FARTHEST_M:
        raise ChoreiaError(f"joints are {np.abs(places).max():.3g} m from the origin: give metres, or repair the take")
    if not (np.isfinite(fps) and fps > 0):
        raise ChoreiaError(f"a frame rate of {fps} makes no sense: give frames a second")
    return places


def validate_events(times_s: np.ndarray) -> np.ndarray:
    """Event times as sorted float64 seconds (n,); ChoreiaError when they are not finite or not one-dimensional."""
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or not measurable(times):
        raise ChoreiaError(f"event times must be a list of finite seconds, not an array of shape {times.shape}")
    return np.sort(times)


def validate_sets(made: np.ndarray, reference: np.ndarray, fewest: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Two feature sets as float64 (N, D) and (M, D); ChoreiaError when widths differ, items are too few, or values are not finite."""
    first, second = np.asarray(made, np.float64), np.asarray(reference, np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ChoreiaError(f"feature sets must be (N, D) and (M, D), not {first.shape} and {second.shape}")
    if min(len(first), len(second)) < fewest:
        raise ChoreiaError(f"{len(first)} and {len(second)} items are too few: a distance between sets needs {fewest} or more of each")
    if not (measurable(first) and measurable(second)):
        raise ChoreiaError("features are not all finite, or far too large: look for empty or broken takes")
    return first, second
