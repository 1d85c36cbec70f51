"""Every metric in the registry on what none expects: corrected scores are finite or refuse in words, published ones may be undefined."""

import inspect
import math
import warnings
from functools import cache, partial
from itertools import product

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics.base import CaptionMetric, LatentMetric, MotionMetric, MusicMetric, RetrievalMetric, SetMetric, SyncMetric
from choreia.metrics.registry import key, metrics
from choreia.motion.skeleton import choreia24

REST = np.zeros((24, 3))
for place, parent in enumerate(choreia24().parents):
    REST[place] = choreia24().offsets[place] + (REST[parent] if parent >= 0 else [0, 0.95, 0])


def swaying(frames: int, fps: float, scale: float = 1.0) -> np.ndarray:
    """Every joint on its own phase, analytic."""
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, (24, 3))
    return scale * (REST + 0.1 * np.sin(2 * np.pi * 1.5 * np.arange(frames)[:, None, None] / fps + phase))


def still(frames: int) -> np.ndarray:
    return np.repeat(REST[None], frames, axis=0)


TAKES = {
    **{f"{n} frames": (swaying(n, 30.0), 30.0) for n in range(1, 11)},
    **{f"{n} still frames": (still(n), 30.0) for n in (1, 2, 3, 10, 100)},
    **{f"{fps:g} fps": (swaying(round(3 * fps), fps), fps) for fps in (10.0, 24.0, 29.97, 50.0, 119.88, 240.0)},
    "far off": (swaying(90, 30.0) + 1e7, 30.0),
    "a giant": (swaying(90, 30.0, 1e6), 30.0),
    "a mite": (swaying(90, 30.0, 1e-9), 30.0),
    "a point": (np.zeros((90, 24, 3)), 30.0),
    "a moving point": (np.linspace(0, 5, 90)[:, None, None] * np.ones((1, 24, 3)), 30.0),
    "no metres at all": (swaying(90, 30.0, 1e200), 30.0),
}
EVENTS = {
    "none": np.zeros(0),
    "one": np.array([1.0]),
    "the same one": np.ones(3),
    "dense": np.arange(0, 3, 0.01),
    "even": np.arange(0.2, 8, 0.5),
    "before the start": np.array([-1.0, -0.5]),
    "long after": np.array([1e9, 1e30]),
}
SPREAD = np.random.default_rng(1).normal(size=(24, 6))
SETS = {
    "two and two": (SPREAD[:2], SPREAD[2:4]),
    "four and four": (SPREAD[:4], SPREAD[4:8]),
    "itself": (SPREAD, SPREAD),
    "copies": (np.repeat(SPREAD[:1], 6, axis=0), SPREAD),
    "constant": (np.ones((6, 6)), np.ones((8, 6))),
    "constant reference": (SPREAD, np.ones((8, 6))),
    "partly constant": (np.hstack([SPREAD[:, :1], np.ones((24, 5))]), SPREAD),
    "huge": (1e15 * SPREAD, 1e15 * SPREAD + 1),
    "beyond all measure": (1e200 * SPREAD, SPREAD),
    "one": (SPREAD[:1], SPREAD),
    "not numbers": (np.full((5, 6), np.nan), SPREAD),
}
LATENTS = {
    "one frame": SPREAD[:1],
    "two frames": SPREAD[:2],
    "zeros": np.zeros((5, 6)),
    "constant": np.ones((5, 6)),
    "huge": 1e20 * SPREAD,
    "beyond all measure": 1e200 * SPREAD,
}
CAPTIONS = {
    "one": (["a dance"], [["a dance"]]),
    "no words": (["", "!"], [["a"], ["..."]]),
    "no words in the references": (["a"], [[""]]),
    "all alike": (["x y z"] * 4, [["x y z"]] * 4),
}

ALL = metrics("all")


def of(kind: type) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("metric", [each for each in ALL if isinstance(each, kind)], ids=key)


@pytest.fixture(autouse=True)
def no_warnings():
    """A warning is a fault: of a division by zero or an overflow that was not thought of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def judge(metric, case, run):
    """Runs; a corrected score must be finite, a published one is finite or NaN; either may refuse in words."""
    try:
        value = np.asarray(run(), float)
    except ChoreiaError as refusal:
        assert len(str(refusal)) > 20 and "\n" not in str(refusal)
        return
    allowed = np.isfinite(value) | (np.isnan(value) & (metric.about.dialect != "corrected"))
    assert allowed.all(), (case, value)


def item_and_set(metric, *given):
    """Score of an item, and of a set of two of it and of it alone."""
    item = metric.score(*given)
    return np.concatenate([np.ravel(item), [metric.reduce(np.array([item, item], float)), metric.reduce(np.array([item], float))]])


@of(MotionMetric)
def test_scores_of_takes(metric):
    for name, take in TAKES.items():
        judge(metric, name, partial(metric.score, *take))


@cache
def found(events, name):
    """Events of one take, None where they are refused."""
    try:
        return events(*TAKES[name])
    except ChoreiaError:
        return None


@of(SyncMetric)
def test_scores_of_dances_with_music(metric):
    for name, (joints, fps) in TAKES.items():
        events = found(metric.events, name)
        if events is None:
            assert name == "no metres at all"
            continue
        assert np.isfinite(events).all() and (np.diff(events) >= 0).all()
        for given, music in EVENTS.items():
            case = name, given
            judge(metric, case, partial(item_and_set, metric, events, music, len(joints) / fps))


@of(SyncMetric | MusicMetric)
def test_scores_of_events(metric):
    for case in product(EVENTS, EVENTS, (1 / 60, 0.7, 6.0)):
        made, true, length_s = case
        judge(metric, case, partial(item_and_set, metric, EVENTS[made], EVENTS[true], length_s))


MOTION_FEATURES = {metric.features: metric for metric in ALL if isinstance(metric, SetMetric) and metric.medium == "motion"}


@pytest.mark.parametrize("metric", MOTION_FEATURES.values(), ids=lambda metric: metric.extractor)
def test_features_of_takes(metric):
    for name, take in TAKES.items():
        judge(metric, name, partial(metric.features, *take))


@of(SetMetric | RetrievalMetric)
def test_scores_of_sets(metric):
    score = metric.compare if isinstance(metric, SetMetric) else metric.score
    for name, sets in SETS.items():
        judge(metric, name, partial(score, *sets))


@of(LatentMetric)
def test_scores_of_latents(metric):
    for name, values in LATENTS.items():
        judge(metric, name, partial(metric.score, dict.fromkeys(metric.needs, values)))


@of(CaptionMetric)
def test_scores_of_captions(metric):
    for name, captions in CAPTIONS.items():
        judge(metric, name, partial(metric.score, *captions))


@of(MotionMetric)
def test_a_dance_is_scored_and_not_refused(metric):
    assert math.isfinite(metric.score(*TAKES["240 fps"])) or metric.about.dialect != "corrected"
    with pytest.raises(ChoreiaError, match="metres"):
        metric.score(*TAKES["no metres at all"])


@pytest.mark.parametrize("metric", ALL, ids=key)
def test_every_entry_says_how_to_read_it(metric):
    about = metric.about
    assert all(len(words) > 2 for words in (about.source, about.fooled_by, about.range)) and about.name and about.unit
    score = metric.compare if isinstance(metric, SetMetric) else metric.score
    while isinstance(score, partial):
        score = score.func
    assert inspect.getdoc(getattr(score, "score", score))


def test_names_are_unique_in_a_dialect():
    assert len({key(metric) for metric in ALL}) == len(ALL)
