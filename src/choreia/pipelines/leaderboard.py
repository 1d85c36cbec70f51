"""`choreia evaluate --leaderboard`: models, ablations and baselines, each table by the same judge, written into a Markdown file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.metrics.beats_music import evaluate_beats
from choreia.models.textmotion.recipe import evaluate_textmotion
from choreia.pipelines.bench import growth
from choreia.pipelines.judge_ablations import ablations
from choreia.pipelines.judge_dance import dances
from choreia.pipelines.judge_edits import edits
from choreia.pipelines.judge_inbetween import inbetween
from choreia.pipelines.judge_length import length
from choreia.pipelines.judge_moves import moves
from choreia.pipelines.judge_restyle import restyled
from choreia.pipelines.judge_stage import stage
from choreia.pipelines.judge_stage_light import cost, light
from choreia.pipelines.judge_text import entrants, text
from choreia.pipelines.judge_tokenizer import tokenizer
from choreia.pipelines.judge_visual import visual_table
from choreia.pipelines.light_priors import table as lights
from choreia.pipelines.measuring import Progress

_NOTHING = 1e-5
TABLES = (
    "dance", "tokenizer", "beats", "words", "moves", "text", "length", "growth", "inbetween", "restyle", "edits", "stage", "lighting",
    "perform", "visual",
)  # fmt: skip
"""Those made when none is named; "ablations", which needs `runs`, and "lights", which needs `shows`, are made when they are."""


def leaderboard(
    data: Path | None,
    *,
    only: tuple[str, ...] = TABLES,
    songs: Path | None = None,
    midi: Path | None = None,
    runs: Path | None = None,
    shows: Path | None = None,
    seeds: int = 5,
    workers: int = 2,
    results: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Rows of every table by its name as "tables", and all of them as a Markdown "text".

    Args:
        data: what `choreia prepare` wrote; needed by all tables but "beats", "text", "length", "growth", "restyle", "edits", "perform"
            and "lights".
        only: which of `TABLES`, or "ablations", "lights".
        songs: recordings to dance to, besides four composed songs, and to light.
        midi: unpacked music with labels, for "beats"; None: composed songs alone.
        runs: folder of the folders that `choreia train dancemeld-…` and `choreia train choreia` wrote, a row each, an "inbetween" and
            a "theatre".
        shows: unpacked real light shows, for "lights".
        seeds: dances for each song of "dance" and "ablations".
        workers: processes.
        results: Markdown file in which each table is put between `<!-- NAME -->` and `<!-- /NAME -->`.
        progress: called with a stage and a share done.
    """
    judges: dict[str, Callable[[], list[dict]]] = {
        "dance": lambda: dances(_needed(data), songs, runs, seeds, workers, progress),
        "tokenizer": lambda: list(map(asdict, tokenizer(_needed(data)))),
        "beats": lambda: list(map(asdict, evaluate_beats(midi))),
        "words": lambda: list(map(asdict, evaluate_textmotion(_needed(data)))),
        "moves": lambda: list(map(asdict, moves(_needed(data)))),
        "text": lambda: text(workers=workers, progress=progress, dances=entrants(runs)),
        "ablations": lambda: ablations(_needed(data), runs, seeds, workers, progress),
        "length": lambda: length(runs, workers, progress),
        "growth": lambda: growth(runs, progress),
        "inbetween": lambda: inbetween(_needed(data), runs, workers, progress),
        "restyle": lambda: restyled(workers=workers, progress=progress),
        "edits": lambda: edits(progress=progress),
        "stage": lambda: stage(_needed(data), runs, workers, progress),
        "lighting": lambda: light(_needed(data), songs, workers, progress),
        "perform": lambda: cost(runs),
        "lights": lambda: lights(shows),
        "visual": lambda: list(map(asdict, visual_table(_needed(data)))),
    }
    if unknown := [name for name in only if name not in judges]:
        raise ChoreiaError(f"there is no table {unknown[0]!r}: choose among {', '.join(judges)}")
    rows = {name: judges[name]() for name in only}
    tables = {name: table(found) for name, found in rows.items()}
    if results:
        put(tables, results)
    return {"tables": rows, "text": "\n\n".join(f"{name}\n\n{lines}" for name, lines in tables.items())}


def put(tables: dict[str, str], path: Path) -> None:
    """Replace the tables of a Markdown file that stand between their marks; ChoreiaError when a mark is missing."""
    text = path.read_text(encoding="utf-8")
    for name, lines in tables.items():
        first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
        if first not in text or last not in text:
            raise ChoreiaError(f"{path} has no place for this table: put {first} and {last} where it belongs")
        text = text[: text.index(first) + len(first)] + f"\n{lines}\n" + text[text.index(last) :]
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def table(rows: list[dict]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return _score(value)
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, float):
        return "0" if abs(value) < _NOTHING else f"{value:.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"
    return str(value)


def _score(score: dict) -> str:
    """`value ± half interval (z; reached by …)`."""
    width = f" ± {(score['high'] - score['low']) / 2:.2g}" if score["high"] is not None else ""
    remarks = [f"z {score['z']:.0f}"] if score["z"] is not None else []
    remarks += [f"reached by {', '.join(score['reached'])}"] if score["reached"] else []
    return _cell(score["value"]) + width + (f" ({'; '.join(remarks)})" if remarks else "")


def _needed(data: Path | None) -> Path:
    if data is None:
        raise ChoreiaError("this needs held-out real takes: give --data, a folder that `choreia prepare` wrote")
    return data
