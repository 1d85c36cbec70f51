"""What each part of the default model is good for: variants trained alike, by what is measured of dances; a table of the leaderboard."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.models.moves.recipe import kept_judge
from choreia.pipelines.judge_dance import SYNC, Entrant, composed, measured, real_dance, row, truth_of
from choreia.pipelines.judge_dance import by_weights as finished
from choreia.pipelines.judge_text import answers, ask, by_weights
from choreia.pipelines.measuring import Progress, Workers
from choreia.pipelines.prompts import PROMPTS

SONG = 1
"""Which of `judge_text.SONGS` the prompts are danced to."""

SCORES = ("FID_k", "FID_g", "Div_k", SYNC, "PFF", "RS", "LR", "foot slide share", "jerk", "jerk at seams")


def ablations(data: Path, runs: Path | None, seeds: int, workers: int, progress: Progress | None) -> list[dict]:
    """A row for the weights of each folder of `runs`: the share of moves and styles that are danced as asked, and scores of free dances.

    Args:
        data: what `choreia prepare` wrote: its held-out real dance is the truth.
        runs: folder of the folders that `choreia train choreia --variant …` wrote, all with the same `--steps`.
        seeds: free dances for each of four composed songs.
        workers: processes.
        progress: called with a stage and a share done.
    """
    found = sorted(runs.glob("*/weights.safetensors")) if runs else []
    if not found:
        raise ChoreiaError("ablations: nothing to compare: give --runs, a folder of what `choreia train choreia --variant …` wrote")
    judge, truth, heard = kept_judge(None), truth_of(real_dance(data, "test")), list(composed())
    asked = [ask(PROMPTS, number, SONG) for number in range(len(PROMPTS))]
    rows = []
    with Workers(workers, progress) as pool:
        for weights in found:
            name = weights.parent.name
            answered = answers(f"{name}, asked", partial(by_weights, weights), judge, asked, pool)
            free = row(name, measured(Entrant(name, partial(finished, weights)), heard, seeds, pool), truth, heard)
            rows.append({"": name, "dances": len(asked) + free["dances"], **answered, **{score: free[score] for score in SCORES}})
    return rows
