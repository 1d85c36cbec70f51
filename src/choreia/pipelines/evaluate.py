"""`choreia evaluate`: the tokenizer, the beat tracker and whole dances, each beside its baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics.beats_music import evaluate_beats
from choreia.pipelines.judge_dance import dances
from choreia.pipelines.judge_tokenizer import tokenizer

Progress = Callable[[str, float], None]


def evaluate(what: str, *, data: Path | None = None, songs: Path | None = None, seeds: int = 5,
             progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Rows of numbers for `what`, "dance", "tokenizer" or "beats", and the same as a Markdown "text"."""
    jobs: dict[str, Callable[[], list]] = {
        "dance": lambda: dances(_needed(data), songs, seeds, progress),
        "tokenizer": lambda: tokenizer(_needed(data)),
        "beats": lambda: evaluate_beats(data),
    }
    if what not in jobs:
        raise ChoreiaError(f"cannot evaluate {what!r}: choose one of {', '.join(jobs)}")
    rows = [asdict(row) for row in jobs[what]()]
    return {"rows": rows, "text": table(rows)}


def table(rows: list[dict[str, object]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if np.isnan(value) else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def _needed(data: Path | None) -> Path:
    if data is None:
        raise ChoreiaError("this needs held-out real takes: give --data, a folder that `choreia prepare` wrote")
    return data
