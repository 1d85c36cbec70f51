"""From measurements to results: each metric's score of the set, its interval, its null models, and the words that a reader needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics import frechet, null
from choreia.metrics.base import (
    CaptionMetric,
    LatentMetric,
    Metric,
    MotionMetric,
    MusicMetric,
    Result,
    RetrievalMetric,
    SetMetric,
    Song,
    SyncMetric,
)
from choreia.metrics.registry import event_sources, key, music_sources
from choreia.metrics.takes import STAND_INS, Take, source

_ROWS_DRAWN = 200_000  # for one interval: large sets are drawn less often, since their intervals are narrow

_RANGES = {"[0, 1]": (0.0, 1.0), "[0, inf)": (0.0, np.inf)}


@dataclass(frozen=True)
class Evidence:
    """Everything that was measured. `sounds`, `films`: generated ones; the `true_` ones are what they should match, by the same names.

    `latents`: arrays by name, an item each. `captions`: candidates and their references. `embeddings`: of motions and texts, row by row.
    """

    takes: tuple[Take, ...] = ()
    true_takes: tuple[Take, ...] = ()
    songs: dict[str, Song] = field(default_factory=dict)
    sounds: tuple[Take, ...] = ()
    true_sounds: tuple[Take, ...] = ()
    films: tuple[Take, ...] = ()
    true_films: tuple[Take, ...] = ()
    latents: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    captions: tuple[list[str], list[list[str]]] | None = None
    embeddings: tuple[np.ndarray, np.ndarray] | None = None


class Skip(Exception):
    """Why a metric has nothing to say here."""


def results(metrics: tuple[Metric, ...], evidence: Evidence, seed: int = 0) -> tuple[tuple[Result, ...], tuple[tuple[str, str], ...]]:
    """A result of every metric that applies, and for the others (`dialect/name`, reason)."""
    made, skipped, judged = [], [], {}
    for metric in metrics:
        try:
            alike = _without_publisher(metric)
            if alike not in judged:
                judged[alike] = _flagged(_JUDGES[type(metric)](metric, metrics, evidence, seed))
            made.append(replace(judged[alike], about=metric.about))
        except (Skip, ChoreiaError) as reason:
            skipped.append((key(metric), str(reason)))
    return tuple(made), tuple(skipped)


def _without_publisher(metric: Metric) -> Metric:
    """What decides a result: several dialects report one score."""
    return replace(metric, about=replace(metric.about, name="", dialect="", source=""))


def _motion(metric: MotionMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    scores = {take.name: take.scores[key(metric)] for take in evidence.takes if key(metric) in take.scores}
    reference = [take.scores[key(metric)] for take in evidence.true_takes if key(metric) in take.scores]
    return replace(_of_scores(metric, scores, seed, "no takes"), reference=_reduced(metric, reference))


def _latent(metric: LatentMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    usable = {name: arrays for name, arrays in evidence.latents.items() if all(need in arrays for need in metric.needs)}
    scores = {name: metric.score(arrays) for name, arrays in usable.items()}
    return _of_scores(metric, scores, seed, f"no NAME.latents.npz with the arrays {', '.join(metric.needs)}")


def _caption(metric: CaptionMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    if evidence.captions is None:
        raise Skip("no captions.json")
    candidates, references = evidence.captions
    return Result(metric.about, _finite(metric.score(candidates, references)), items=len(candidates))


def _retrieval(metric: RetrievalMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    if evidence.embeddings is None:
        raise Skip("no NAME.txt beside the takes")
    motion, text = evidence.embeddings
    return Result(metric.about, _finite(metric.score(motion, text)), items=len(motion))


def _set(metric: SetMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    made, true = {
        "motion": (evidence.takes, evidence.true_takes),
        "music": (evidence.sounds, evidence.true_sounds),
        "video": (evidence.films, evidence.true_films),
    }[metric.medium]
    ours, theirs = (_rows(takes, source(metric)) for takes in (made, true))
    if not ours:
        raise Skip(f"no {metric.medium} to measure")
    if metric.reference and not theirs:
        raise Skip(f"needs a reference set of {metric.medium}: give --reference")
    stacked, reference = np.concatenate(ours), np.concatenate(theirs or ours)
    if min(len(stacked), len(reference)) < metric.fewest:
        raise Skip(f"{len(stacked)} against {len(reference)} clips are too few: needs {metric.fewest}")
    value = metric.compare(stacked, reference)
    low, high, why = _set_interval(metric, ours, theirs or ours, seed)
    words = (f"over {metric.extractor}", *why, *_undefined(metric, int(not np.isfinite(value)), 1))
    return Result(metric.about, _finite(value), low, high, len(ours), _real(metric, theirs, seed), words=words)


def _set_interval(metric: SetMetric, ours: list[np.ndarray], theirs: list[np.ndarray],
                  seed: int) -> tuple[float | None, float | None, tuple[str, ...]]:  # fmt: skip
    """Interval of a score between sets, inside its range; none for sets too small to be halved, and why."""
    draws = int(np.clip(_ROWS_DRAWN // sum(map(len, ours)), 25, 100))
    try:
        margins = frechet.bootstrap(metric.compare, ours, theirs, draws, seed)
    except ChoreiaError as error:
        return None, None, (str(error),)
    low, high = np.clip(margins, *_RANGES.get(metric.about.range, (-np.inf, np.inf)))
    return _finite(low), _finite(high), ()


def _real(metric: SetMetric, theirs: list[np.ndarray], seed: int) -> float | None:
    """The reference set's own score: of itself where nearness to it counts, otherwise of one half against the other."""
    if not theirs:
        return None
    if metric.about.better == "reference":
        rows = np.concatenate(theirs)
        return _finite(metric.compare(rows, rows))
    order = np.random.default_rng(seed).permutation(len(theirs))
    halves = [[theirs[i] for i in half] for half in np.array_split(order, 2)]
    if min(sum(map(len, half)) for half in halves) < metric.fewest:
        return None
    return _finite(metric.compare(np.concatenate(halves[0]), np.concatenate(halves[1])))


def _sync(metric: SyncMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    k = event_sources(metrics).index((metric.events, metric.about.fps))
    takes, true = (_danced(set_, metric.grid, evidence.songs) for set_ in (evidence.takes, evidence.true_takes))
    if not takes:
        raise Skip("no music of these takes: give --music")
    names = sorted({str(take.song) for take in takes})
    pairs = null.Pairs(
        made=[take.events[k] for take in takes],
        given=[evidence.songs[name].grids[metric.grid] for name in names],
        songs=[names.index(str(take.song)) for take in takes],
        durations_s=[take.duration_s for take in takes],
        lengths_s=[evidence.songs[name].duration_s for name in names],
        stand_ins={name: [take.stand_ins[name][k] for take in takes] for name in STAND_INS if name in takes[0].stand_ins},
        foils={"metronome for the song": [null.metronome_beats(take.duration_s) for take in takes]},
    )
    real = [metric.score(take.events[k], evidence.songs[str(take.song)].grids[metric.grid], take.duration_s) for take in true]
    return replace(_of_pairs(metric, pairs, [take.name for take in takes], seed), reference=_reduced(metric, real))


def _danced(takes: tuple[Take, ...], grid: str, songs: dict[str, Song]) -> list[Take]:
    """The takes whose song, with that grid, is known."""
    return [take for take in takes if take.song in songs and grid in songs[take.song].grids]


def _music(metric: MusicMetric, metrics: tuple[Metric, ...], evidence: Evidence, seed: int) -> Result:
    true = {take.name: take for take in evidence.true_sounds}
    sounds = [take for take in evidence.sounds if take.name in true]
    if not sounds:
        raise Skip("no generated music with its true music of the same name in --reference")
    made, heard = map(music_sources(metrics).index, metric.ears)
    pairs = null.Pairs(
        made=[take.events[made] for take in sounds],
        given=[true[take.name].events[heard] for take in sounds],
        songs=list(range(len(sounds))),
        durations_s=[take.duration_s for take in sounds],
        lengths_s=[true[take.name].duration_s for take in sounds],
        stand_ins={name: [take.stand_ins[name][made] for take in sounds] for name in sounds[0].stand_ins},
    )
    return _of_pairs(metric, pairs, [take.name for take in sounds], seed)


def _of_pairs(metric: SyncMetric | MusicMetric, pairs: null.Pairs, names: list[str], seed: int) -> Result:
    """Score of the set with interval and null models; pairs without a defined score are left out and counted."""
    scores = null.scores(metric, pairs)
    defined = np.isfinite(scores.reshape(len(names), -1)).all(axis=1)
    words = _undefined(metric, int((~defined).sum()), len(names))
    value = null.set_score(scores, metric.reduce)
    if not np.isfinite(value):
        return Result(metric.about, None, words=words)
    low, high = _item_interval(scores[defined], metric, seed)
    single = {name: float(score) for name, score in zip(names, scores, strict=True)} if scores.ndim == 1 else {}
    judged = isinstance(metric, MusicMetric) or metric.timing
    nulls = null.null_scores(metric, pairs, seed=seed) if judged else ()
    return Result(metric.about, float(value), low, high, int(defined.sum()), None, nulls, words, single)


def _of_scores(metric: MotionMetric | LatentMetric, scores: dict[str, float], seed: int, nothing: str) -> Result:
    """Score of a set of items, undefined ones left out and counted."""
    values = np.array(list(scores.values()), float)
    good = values[np.isfinite(values)]
    if not len(values):
        raise Skip(nothing)
    words = _undefined(metric, len(values) - len(good), len(values))
    if not len(good):
        return Result(metric.about, None, words=words)
    low, high = _item_interval(good, metric, seed)
    return Result(metric.about, _finite(metric.reduce(good)), low, high, len(good), words=words, scores=scores)


def _item_interval(items: np.ndarray, metric: MotionMetric | LatentMetric | SyncMetric | MusicMetric,
                   seed: int) -> tuple[float | None, float | None]:  # fmt: skip
    """Interval of a score over items; one alone does not say how far others would be."""
    return null.interval(items, metric.reduce, seed=seed) if len(items) > 1 else (None, None)


def _undefined(metric: Metric, bad: int, total: int) -> tuple[str, ...]:
    return (f"undefined for {bad} of {total}, as in the source ({metric.about.fooled_by})",) if bad else ()


def _flagged(result: Result) -> Result:
    """With words for every null model that reaches the score."""
    reached = [f"{score.null} ({score.mean:.3g})" for score in result.nulls if score.reached]
    return replace(result, words=(*result.words, f"reached by {', '.join(reached)}")) if reached else result


def _reduced(metric: MotionMetric | SyncMetric, scores: list) -> float | None:
    """Score of a set without its undefined items, None when nothing is left."""
    good = np.array([score for score in scores if np.isfinite(score).all()])
    return _finite(metric.reduce(good)) if len(good) else None


def _rows(takes: tuple[Take, ...], name: str) -> list[np.ndarray]:
    return [take.rows[name] for take in takes if name in take.rows and len(take.rows[name])]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


_JUDGES: dict[type, Callable[..., Result]] = {
    MotionMetric: _motion, SyncMetric: _sync, MusicMetric: _music, SetMetric: _set,
    LatentMetric: _latent, CaptionMetric: _caption, RetrievalMetric: _retrieval,
}  # fmt: skip
