"""What two real light shows do: fades, colours, time between cues, light on the beat. A table, and the numbers that the designer reads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.data import lights
from choreia.data.lights import LightShow
from choreia.errors import ChoreiaError
from choreia.metrics.null import interval

CUES = "qlc_cues/examples"
TIMED = ("The Greatest Showman", "Whale Montage (Part 1)")
DANCE = "lightdance/utils/archived"
KEYFRAMES = ("exportData", "exportDataTest")
"""Two states of one show: a good third of the keyframes of each stands in both, so they are no two witnesses."""
BEATS = "lightdance/files/data/beat.csv"
ON_BEAT_S, FRAME_S = 0.05, 1 / 30
COARSE_S = 0.05
"""Time codes are written to a tenth of a second."""
PERIODS_S = np.exp(np.arange(np.log(0.6), np.log(3.2), 0.0004))
"""Spacings of beats and bars that time codes are held against."""
DRAWS = 200
STEP_BINS = 6
CREDIT = (
    "Scott Robinson, qlcpluspythonscripts, a musical-theatre rig with cues (MIT)",
    "NTUEE LightDance, LightDance-Editor, a light dance of two (MIT)",
)


def _row(what: str, show: str, items: np.ndarray, reduce: Callable[[np.ndarray], float] = np.mean, null: float | None = None) -> dict:
    """A line of the table: the reduced items with their 95 % interval, beside what chance gives."""
    items = np.asarray(items, float)
    low, high = interval(items, reduce)
    value = float(reduce(items)) if len(items) else float("nan")
    return {"statistic": what, "show": show, "n": len(items), "value": value, "low": low, "high": high, "null": null}


def read_shows(folder: Path) -> list[LightShow]:
    """The cue list, the two time-coded songs and the two states of the light dance below `folder`; ChoreiaError where one is missing."""
    desk = lights.read_desk(folder / CUES / "Lighting.qxw")
    listed = lights.read_cue_list(folder / CUES / "Show Cues.csv", desk)
    timed = [lights.read_timed_cues(folder / CUES / f"{name}.csv", desk) for name in TIMED]
    return [listed, *timed, *(lights.read_lightdance(folder / DANCE / f"{name}.json") for name in KEYFRAMES)]


def table(folder: Path | None) -> list[dict]:
    """Rows (statistic, show, n, value, low, high, null) of the light shows below `folder`."""
    if folder is None:
        raise ChoreiaError("the table of light shows needs the folder that holds qlc_cues and lightdance: name it")
    shows, beats = read_shows(folder), lights.read_beats(folder / BEATS)
    rows = [row for show in shows for row in of_show(show)]
    rows += [on_grid(show) for show in shows if show.name in TIMED]
    return rows + [on_beats(show, beats, within) for show in shows if show.name in KEYFRAMES for within in (ON_BEAT_S, FRAME_S)]


def of_show(show: LightShow) -> list[dict]:
    """What one show says of fades, gaps, colours and darkness."""
    states = [lights.colours_of(rgb) for rgb in show.rgb]
    lit = show.rgb.max(axis=-1) > lights.LIT
    fading = show.fades_s[show.fades_s > 0]
    changed = np.array([not lights.same_colours(one, other) for one, other in pairwise(states)])
    rows = [_row("share of snaps", show.name, show.fades_s == 0)]
    if len(fading):
        rows += [_row(f"fade, {name} (s)", show.name, fading, _quantile(q)) for name, q in _QUARTILES]
    if show.times_s is not None:
        rows += [_row(f"time between changes, {name} (s)", show.name, np.diff(show.times_s), _quantile(q)) for name, q in _QUARTILES]
    rows += [
        _row("share of changes with another colour", show.name, changed),
        _row("hues at once", show.name, np.array([len(state.hues) for state in states])),
        _row("step of the strongest hue, median (degrees)", show.name, np.rad2deg(lights.hue_steps(states)), np.median, 90.0),
        _row("second hue from the first, median (degrees)", show.name, np.rad2deg(lights.contrasts(states)), np.median, 90.0),
        _row("share of blackouts", show.name, ~lit.any(axis=1)),
    ]
    dancers = sorted(set(show.dancer) - {-1})
    return rows + ([_row("share of dancers lit", show.name, _dancers_lit(lit, show.dancer).mean(axis=1))] if dancers else [])


_QUARTILES = (("lower quartile", 25), ("median", 50), ("upper quartile", 75))


def _quantile(percent: float) -> Callable[[np.ndarray], float]:
    return lambda items: float(np.percentile(items, percent))


def _dancers_lit(lit: np.ndarray, dancer: np.ndarray) -> np.ndarray:
    """Whether each dancer has a lit lamp, (n, dancers)."""
    return np.stack([lit[:, dancer == one].any(axis=1) for one in sorted(set(dancer) - {-1})], axis=1)


def on_beats(show: LightShow, beats_s: np.ndarray, within_s: float) -> dict:
    """Share of changes on a hand-set beat, of those in stretches with beats; null: the changes moved by up to half a second."""
    assert show.times_s is not None
    times = show.times_s[np.abs(clock.nearest(beats_s, show.times_s) - show.times_s) < 0.5]
    moved = [lights.near_share(times + shift, beats_s, within_s).mean() for shift in np.linspace(-0.5, 0.5, 101)]
    name = f"share of changes within {1000 * within_s:.0f} ms of a hand-set beat"
    return _row(name, show.name, lights.near_share(times, beats_s, within_s), null=float(np.mean(moved)))


def on_grid(show: LightShow) -> dict:
    """Share of every second cue on the even grid that the other cues gather about; null: 95th percentile of as many times at random."""
    assert show.times_s is not None
    rng = np.random.default_rng(0)
    random = [held_out(np.sort(rng.uniform(0, show.times_s[-1], len(show.times_s))))[1].mean() for _ in range(DRAWS)]
    period, near = held_out(show.times_s)
    return _row(f"share of held-out cues within 100 ms of a grid of {period:.3f} s", show.name, near, null=float(np.percentile(random, 95)))


def held_out(times_s: np.ndarray) -> tuple[float, np.ndarray]:
    """Period in seconds of the grid that every second time, from the first on, fits best, and which of the others lie on it."""
    period, phase = lights.best_period(times_s[::2], PERIODS_S)
    off = (times_s[1::2] - phase + period / 2) % period - period / 2
    return period, np.abs(off) <= ON_BEAT_S + COARSE_S


def numbers(folder: Path) -> dict[str, object]:
    """The measured numbers that `choreia.synth.lighting` reads, as `assets/looks/priors.json` holds them.

    Fades of the staged cue list, that has three lengths: its tenth, fiftieth and ninetieth percentile. How far the second hue stands from
    the first, six bins of 30 degrees, shows alike in weight. Snaps, changes of colour and time between changes: of what runs to music.
    """
    listed, *songs, _, second = read_shows(folder)
    coloured = [[lights.colours_of(rgb) for rgb in show.rgb] for show in (listed, *songs, second)]
    apart = [lights.contrasts(states) for states in coloured]
    counts = [np.histogram(one, STEP_BINS, (0, np.pi))[0] / max(len(one), 1) for one in apart if len(one) >= 5]
    gaps = np.concatenate([np.diff(show.times_s) for show in songs if show.times_s is not None])
    changed = [not lights.same_colours(one, other) for states in coloured[1:3] for one, other in pairwise(states)]
    return {
        "credit": CREDIT,
        "fade_10_50_90_s": _rounded(np.percentile(listed.fades_s[listed.fades_s > 0], [10, 50, 90])),
        "snap_share": _rounded([np.mean(np.concatenate([show.fades_s for show in (*songs, second)]) == 0)])[0],
        "hue_steps": _rounded(np.mean(counts, axis=0)),
        "colour_change_share": _rounded([np.mean(changed)])[0],
        "gap_quartiles_s": _rounded(np.percentile(gaps, [25, 50, 75])),
    }


def _rounded(values: np.ndarray | list) -> list[float]:
    return [round(float(value), 3) for value in values]
