"""What edits of a long dance cost and keep: a table of the leaderboard.

A song of three minutes is composed and danced; 8 bars of it, which start at several places, are edited. Seams are where an edit's splices
begin and end. Their jerk is over that of the rest of the dance, and beside it stands what the untouched dance has at the same instants.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from choreia.edit.history import Take
from choreia.edit.region import Region
from choreia.metrics.base import mean
from choreia.metrics.feet import slide_share
from choreia.metrics.null import interval
from choreia.metrics.physics import seam_jerk_ratio
from choreia.motion.kinematics import positions
from choreia.music.analyze import analyze
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dancers import dancer
from choreia.pipelines.edit import do
from choreia.pipelines.measuring import Progress
from choreia.synth.composer import compose
from choreia.types import Motion, Performance

SONG_S, BARS = 180.0, 8
STARTS = (9, 21, 33, 45, 57, 69)
"""First bars of what is edited."""

EDITS: dict[str, tuple[str, dict[str, object]]] = {
    "danced anew": ("regenerate", {}),
    "arms danced anew": ("regenerate", {"parts": "arms"}),
    "movement of salsa": ("restyle", {"source": "salsa"}),
    "poses of salsa": ("restyle", {"source": "salsa", "keep": "top"}),
    "bars 1-8 instead": ("replace", {"source": "bars 1-8"}),
    "bars 1-8 varied": ("vary", {"like": "bars 1-8", "amount": 0.3}),
    "mirrored": ("mirror", {}),
    "larger": ("range", {"factor": 1.3}),
}
"""By the name of its row: the operation and its parameters, but for the time."""


@dataclass(frozen=True)
class Edited:
    """Seconds an edit took; whether all that it should keep was the same to the bit; jerk at its seams over the rest, and that of the
    untouched dance there; share of the time on a foot in which it slides, during the edit and before."""

    seconds: float
    kept: bool
    seam_jerk: float
    jerk_before: float
    slide: float
    slide_before: float


def edits(starts: Sequence[int] = STARTS, progress: Progress | None = None, seconds: float = SONG_S) -> list[dict]:
    """A row for each of `EDITS` of a dance of so many seconds: 8 bars from each of `starts` on, the first of which also loads the model."""
    heard = analyze(compose(1, seconds, genre="pop").audio)
    take = Take(Performance(music=heard, motion=choreograph_song(dancer("dancemeld"), heard, seed=0)[0]))
    rows = []
    for done, (name, (operation, parameters)) in enumerate(EDITS.items(), start=1):
        rows.append(row(name, [edited(take, operation, parameters, start) for start in starts]))
        if progress:
            progress("edits", done / len(EDITS))
    return rows


def edited(take: Take, operation: str, parameters: dict[str, object], start: int) -> Edited:
    """One edit of `BARS` bars from bar `start` on, measured."""
    at = f"bars {start}-{start + BARS - 1}"
    begun_s = time.perf_counter()
    after = do(take, operation, at=at, **parameters)
    took_s = time.perf_counter() - begun_s
    before, made = _motion(take), _motion(after)
    splices = after.revisions[-1].splices
    seams_s = np.array([frame for splice in splices for frame in (splice.start, splice.stop)]) / before.fps
    region = Region.read(at, take.performance.music, before.duration_s, str(parameters.get("parts", "")))
    first, last = region.frames(before)[0]
    slide = [slide_share(positions(motion.slice(first, last)), motion.fps) for motion in (made, before)]
    return Edited(took_s, kept(before, made, region), *(seam_jerk_ratio(motion, seams_s) for motion in (made, before)), *slide)


def kept(before: Motion, made: Motion, region: Region) -> bool:
    """Whether frames outside a region, and inside it the joints that it does not name, are the same to the bit."""
    free = np.zeros((len(before), len(before.skeleton.names)), bool)
    for first, last in region.frames(before):
        free[first:last] = region.joints(before.skeleton)
    same_turns = (before.rotations == made.rotations).all(axis=2) | free
    same_place = (before.root == made.root).all(axis=1) | free[:, 0]
    return bool(same_turns.all() and same_place.all())


def row(name: str, found: Sequence[Edited]) -> dict:
    """One line of the table: the first edit of all apart, as it loads what it needs."""
    later = found[1:] or found
    ratios = np.array([one.seam_jerk for one in found])
    low, high = interval(ratios, mean)
    return {
        "": name,
        "edits": len(found),
        "first, s": found[0].seconds,
        "then, s": float(np.mean([one.seconds for one in later])),
        "kept to the bit": f"{sum(one.kept for one in found)} of {len(found)}",
        "seam jerk": {"value": float(ratios.mean()), "low": low, "high": high, "z": None, "reached": []},
        "untouched": float(np.mean([one.jerk_before for one in found])),
        "slide": float(np.mean([one.slide for one in found])),
        "slide before": float(np.mean([one.slide_before for one in found])),
    }


def _motion(take: Take) -> Motion:
    motion = take.performance.motion
    assert motion is not None
    return motion
