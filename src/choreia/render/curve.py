"""The body's speed against the beats of the music, as a picture: the quickest honest look at whether a dance is in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion.beats import kinetic_beats
from choreia.motion.energy import mean_speed
from choreia.types import Motion, Music

SPAN_S = 20.0
"""Seconds in one row of the picture."""


def speed_plot(motion: Motion, music: Music | None, path: Path) -> None:
    """Write mean joint speed (m/s) over time, its minima, and the music's beats and 8-counts, `SPAN_S` a row (.svg or .png)."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ChoreiaError(f"{path}: plots need matplotlib; install it with: pip install 'choreia[evaluate]'") from None
    rows = int(np.ceil(motion.duration_s / SPAN_S))
    figure = Figure(figsize=(12, 0.6 + 1.3 * rows), layout="constrained")
    for row, axes in enumerate(np.atleast_1d(figure.subplots(rows, 1, squeeze=True))):
        _row(axes, motion, music, row * SPAN_S)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, metadata={"Date": None} if path.suffix == ".svg" else None)


def _row(axes, motion: Motion, music: Music | None, start_s: float) -> None:
    times, speed = motion.times(), mean_speed(motion)
    if music is not None:
        axes.vlines(music.beats_s, 0, 10, color="0.85", linewidth=1)
        axes.vlines(music.eights_s, 0, 10, color="tab:orange", linewidth=1)
    axes.plot(times, speed, color="tab:blue", linewidth=1)
    minima = kinetic_beats(motion)
    axes.plot(minima, np.interp(minima, times, speed), "k.", markersize=4)
    axes.set(xlim=(start_s, start_s + SPAN_S), ylim=(0, max(1.0, float(np.quantile(speed, 0.995)))), ylabel="m/s")
