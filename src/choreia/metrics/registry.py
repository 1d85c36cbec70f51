"""Every metric there is, by dialect: as each peer publishes it, and corrected."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics import (
    alignment,
    beats,
    beats_published,
    body,
    captions,
    coherence,
    feet,
    freezing,
    music,
    perceptual,
    retrieval,
    sets,
    smoothness,
)
from choreia.metrics.base import Metric, MusicMetric, SyncMetric

_FAMILIES = (sets, beats_published, beats, alignment, feet, body, smoothness, freezing, music, perceptual, coherence, captions, retrieval)

Events = Callable[[np.ndarray, float], np.ndarray]


@cache
def metrics(dialect: str = "all") -> tuple[Metric, ...]:
    """The metrics of one dialect, of several joined by commas, or of "all"; ChoreiaError for an unknown one."""
    known = dialects()
    wanted = known if dialect == "all" else tuple(dialect.split(","))
    if unknown := [name for name in wanted if name not in known]:
        raise ChoreiaError(f"unknown dialect {unknown[0]!r}: choose among {', '.join(known)}, or all")
    return tuple(metric for family in _FAMILIES for metric in family.METRICS if metric.about.dialect in wanted)


@cache
def dialects() -> tuple[str, ...]:
    """Names of all dialects, sorted, "corrected" first."""
    names = {metric.about.dialect for family in _FAMILIES for metric in family.METRICS}
    return tuple(sorted(names, key=lambda name: (name != "corrected", name)))


def key(metric: Metric) -> str:
    """`dialect/name`, unique among all metrics."""
    return f"{metric.about.dialect}/{metric.about.name}"


def event_sources(chosen: tuple[Metric, ...]) -> list[tuple[Events, float | None]]:
    """The different ways to find motion beats, each with the rate it counts in, so that each is run once a take."""
    found: list[tuple[Events, float | None]] = []
    for metric in chosen:
        if isinstance(metric, SyncMetric) and (metric.events, metric.about.fps) not in found:
            found.append((metric.events, metric.about.fps))
    return found


def music_sources(chosen: tuple[Metric, ...]) -> list[Callable[[np.ndarray, int], np.ndarray]]:
    """The different ways to find events in sound, each run once a sound."""
    return list(dict.fromkeys(ear for metric in chosen if isinstance(metric, MusicMetric) for ear in metric.ears))
