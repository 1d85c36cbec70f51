"""The musical-theatre paper's figures 4 to 7 from our own runs: energy against beats, likeness of the modalities, scores, ablations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.metrics.coherence import MODALITIES
from choreia.motion.energy import kinetic_energy
from choreia.pipelines import judge_stage
from choreia.pipelines.judge_dance import SYNC
from choreia.pipelines.judge_stage import EVERYTHING, Item
from choreia.pipelines.measuring import Progress
from choreia.stage.style import zone_luminance
from choreia.types import Motion, Music, Stage

NAMES = ("energy_and_beats.png", "modalities.png", "scores.png", "ablations.png")
SHOWN_ITEM, COMPARED = 2, 3
"""Which song is drawn, and how many systems, from the first row on: the held-out dance, the rules and the model."""
BARS = ("BAS", SYNC, "MS bounded", "CMC", "CMC centred", "SCI", "SCI centred", "FID", "FVD")
LINES = ("BAS", SYNC, "CMC", "CMC centred", "SCI", "SCI centred")
ABLATIONS = ("small", "no_attention", "no_beat_loss", "no_style")

Rows = Sequence[dict[str, Any]]


def stage_figures(
    out: Path,
    data: Path,
    *,
    runs: Path | None = None,
    scores: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Write the four pictures of `NAMES` into the folder `out`; their paths as "text".

    Args:
        out: a folder; made if there is none.
        data, runs: as for `judge_stage.stage`.
        scores: what `choreia evaluate --leaderboard --only stage --json` printed; None measures them.
        force: whether to write over older pictures.
        progress: called with a stage and a share done.
    Raises:
        ChoreiaError: a picture exists, matplotlib is missing, or `scores` holds no such table.
    """
    if (older := [name for name in NAMES if (out / name).exists()]) and not force:
        raise ChoreiaError(f"{out / older[0]} exists: choose another folder or pass force")
    rows = judge_stage.stage(data, runs, progress=progress) if scores is None else read_rows(scores)
    entrants = judge_stage.entrants(runs)
    item = judge_stage.held_out(data)[SHOWN_ITEM]
    shown = {one.name: one.perform(item.music, item.dance if one.given else None, item.wish, 0) for one in entrants[:COMPARED]}
    encoders = judge_stage.trained(runs).get("small")
    out.mkdir(parents=True, exist_ok=True)
    energy_and_beats(item, shown, out / NAMES[0])
    motion, staged = list(shown.values())[-1]
    modalities(judge_stage.coherence(encoders, item.music, motion, staged), item.music, out / NAMES[1])
    score_bars(rows, out / NAMES[2])
    ablation_lines(rows, out / NAMES[3])
    return {"text": "\n".join(str(out / name) for name in NAMES)}


def read_rows(path: Path) -> Rows:
    """The table "stage" of what the leaderboard printed as JSON; ChoreiaError when it is not in there."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["tables"]["stage"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ChoreiaError(
            f"{path} holds no table of the stage: write it with choreia evaluate --leaderboard --only stage --json"
        ) from None


# ---------------------------------------------------------------------------------------------------------------- figures


def energy_and_beats(item: Item, shown: dict[str, tuple[Motion, Stage]], path: Path) -> None:
    """Figure 4: the dancer's energy and all emitted light over time, with the music's strong beats, a row a system."""
    figure, grid = _figure(path, len(shown), 1, (11, 2.2 * len(shown) + 0.5))
    for axes, (name, (motion, staged)) in zip(grid[:, 0], shown.items(), strict=True):
        axes.vlines(item.music.beats_s, 0, 1, color="0.88", linewidth=1)
        axes.vlines(item.music.downbeats_s, 0, 1, color="tab:orange", linewidth=1.2, label="strong beats")
        energy, light = kinetic_energy(motion).sum(axis=1), zone_luminance(staged.track).sum(axis=1)
        axes.plot(motion.times(), energy / np.percentile(energy, 99), color="tab:blue", linewidth=1, label="energy of the dancer")
        times = clock.frame_times(len(light), staged.fps)
        axes.plot(times, light / max(float(light.max()), 1e-9), color="0.25", linewidth=1, label="light")
        axes.set(xlim=(0, item.music.duration_s), ylim=(0, 1), yticks=())
        axes.set_title(name, fontsize=9)
    grid[-1, 0].set_xlabel("s")
    grid[0, 0].legend(loc="upper right", fontsize=7, ncols=3)
    _save(figure, path)


def modalities(latents: dict[str, np.ndarray], music: Music, path: Path) -> None:
    """Figure 5: cosine of two modalities' latents, each less its mean over time, at any two times of a performance, a panel a pair."""
    pairs = (("music", "motion"), ("music", "visual"), ("motion", "visual"))
    tracks = {name: _unit(latents[name]) for name in MODALITIES}
    figure, grid = _figure(path, 1, len(pairs), (11, 3.9))
    end_s = music.duration_s
    for axes, (one, other) in zip(grid[0], pairs, strict=True):
        shown = axes.imshow(tracks[one] @ tracks[other].T, origin="lower", extent=(0, end_s, 0, end_s), vmin=-1, vmax=1, cmap="RdBu_r")
        bounds = [section.start_s for section in music.sections[1:]]
        axes.set(xticks=[0, *bounds, end_s], yticks=[0, *bounds, end_s], xlabel=f"{other}, s", ylabel=f"{one}, s")
        axes.tick_params(labelsize=7)
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.yaxis.set_major_formatter("{x:.0f}")
        axes.set_title(f"{one} and {other}", fontsize=9)
    figure.colorbar(shown, ax=grid[0].tolist(), shrink=0.8, label="cosine")
    _save(figure, path)


def _unit(track: np.ndarray) -> np.ndarray:
    """Rows less their mean, of length 1; zero rows stay."""
    centred = track - track.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def score_bars(rows: Rows, path: Path) -> None:
    """Figure 6: the scores of every system over all items, with their intervals, a panel a score."""
    chosen = [row for row in rows if row["tempo"] == EVERYTHING]
    figure, grid = _figure(path, 3, 3, (12, 1.2 + 0.75 * len(chosen)))
    for axes, column in zip(grid.flat, BARS, strict=True):
        values, errors = zip(*(_numbers(row[column]) for row in chosen), strict=True)
        places = np.arange(len(chosen))[::-1]
        axes.barh(places, values, xerr=np.transpose(errors), color=[f"C{k % 10}" for k in range(len(chosen))], error_kw={"elinewidth": 0.8})
        axes.set_yticks(places, [row[""] for row in chosen], fontsize=7)
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(column, fontsize=9)
        axes.label_outer(remove_inner_ticks=True)
        axes.tick_params(axis="x", labelbottom=True)
    _save(figure, path)


def ablation_lines(rows: Rows, path: Path) -> None:
    """Figure 7: scores from variant to variant, a line a score, over songs of low, medium and high tempo density and over all."""
    names = [judge_stage.VARIANTS[name] for name in ABLATIONS]
    densities = [name for name in (*judge_stage.DENSITIES, EVERYTHING) if any(row["tempo"] == name for row in rows)]
    figure, grid = _figure(path, 1, len(densities), (3.2 * len(densities) + 1, 4.2))
    for axes, density in zip(grid[0], densities, strict=True):
        found = {row[""]: row for row in rows if row["tempo"] == density}
        there = [name for name in names if name in found]
        for column in LINES:
            values, errors = zip(*(_numbers(found[name][column]) for name in there), strict=True) if there else ((), np.zeros((0, 2)))
            axes.errorbar(
                range(len(there)), values, yerr=np.transpose(errors), marker="o", markersize=3, linewidth=1.2, capsize=2, label=column
            )
        axes.set_xticks(range(len(there)), [name.removeprefix("theatre, ") for name in there], rotation=30, fontsize=7)
        axes.set_title(f"{density} tempo density" if density != EVERYTHING else "all songs", fontsize=9)
        axes.sharey(grid[0, 0])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(LINES), fontsize=7)
    _save(figure, path)


def _numbers(score: dict[str, Any] | None) -> tuple[float, tuple[float, float]]:
    """Value, and how far its interval goes below and above; NaN where there is no score."""
    if score is None or score["value"] is None:
        return float("nan"), (0.0, 0.0)
    value, low, high = (score["value"] if score[name] is None else float(score[name]) for name in ("value", "low", "high"))
    return value, (max(0.0, value - low), max(0.0, high - value))


def _figure(path: Path, rows: int, columns: int, inches: tuple[float, float]) -> tuple[Any, np.ndarray]:
    """A matplotlib figure and its axes (rows, columns)."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ChoreiaError(f"{path}: plots need matplotlib; install it with: pip install 'choreia[evaluate]'") from None
    figure = Figure(figsize=inches, layout="constrained", dpi=110)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
