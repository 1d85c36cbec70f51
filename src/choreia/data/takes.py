"""The index of a folder of real takes: one row a take, with the frame rate that is true, what is danced and where it comes from.

The index is a csv file `INDEX.csv` with the columns path, skeleton, corpus, subject, take, format, true_fps, seconds, dance, text and
source. The frame rates that motion files state are often wrong, so the index overrules them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from choreia.data import splits
from choreia.errors import ChoreiaError

INDEX = "INDEX.csv"
STYLES = (
    *("hip-hop", "krump", "popping", "locking", "jazz", "charleston", "tap", "salsa"),
    *("ballet", "contemporary", "indian", "party", "everyday"),
)
"""Styles of movement that a take or a choreography can carry, in the order of their numbers."""

_STYLE_OF_SUBJECT = {"05": "ballet", "49": "contemporary", "60": "salsa", "61": "salsa", "94": "indian", "gs": "charleston"}
_STYLE_OF_TAKE = {
    "J_Dance1_Modern": "contemporary",
    "J_Dance2_Salsa": "salsa",
    "J_Dance3_Woah": "hip-hop",
    "J_Dance5_Hype": "hip-hop",
    "J_Dance8_WestCoast": "hip-hop",
    "J_ShortDance15_Nineties": "hip-hop",
    "J_ShortDance16_JazzWalk": "jazz",
}
_HEAD_LIFT_RAD = {"05": 0.52, "49": 0.52}
"""How far the heads of some CMU subjects hang too low in all their takes, plain walks included: their head markers were askew."""

_LICENCES = {
    "cmu": "CMU motion capture database: free for all uses, do not resell the data itself (mocap.cs.cmu.edu, NSF EIA-0196217)",
    "g1": "CC BY 4.0, G1 Moves, Experiential Technologies; dance Jasmine Coro; karate Mike Gassaway; director Mitch Chaiet",
}


@dataclass(frozen=True)
class Take:
    """One row of the index. `skeleton` is None when the file has its own; style is one of `STYLES`; head_lift_rad corrects the gaze."""

    key: str
    path: Path
    skeleton: Path | None
    corpus: str
    subject: str
    fps: float
    dance: bool
    text: str
    source: str
    licence: str
    style: str
    phrase: str
    split: str
    head_lift_rad: float = 0.0


def read_index(source_dir: Path) -> list[Take]:
    """Takes of a folder, sorted by key. The index may lie in the folder or in its subfolder `motion`; its paths start at either."""
    index = next((path for path in (source_dir / INDEX, source_dir / "motion" / INDEX) if path.is_file()), None)
    if index is None:
        raise ChoreiaError(f"{source_dir}: no {INDEX} there; give the folder that holds the unpacked takes and their index")
    with index.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "corpus", "subject", "take", "true_fps", "dance", "text"} <= set(rows[0]):
        raise ChoreiaError(f"{index}: not an index of takes; it needs the columns path, corpus, subject, take, true_fps, dance, text")
    takes = [_take(row, index) for row in rows]
    return sorted(takes, key=lambda take: take.key)


def style(subject: str, take: str, dance: bool) -> str:
    """The style label of a real take."""
    if not dance:
        return "everyday"
    return _STYLE_OF_TAKE.get(take) or _STYLE_OF_SUBJECT.get(subject, "party")


def _take(row: dict[str, str], index: Path) -> Take:
    subject, dance = row["subject"], row["dance"] == "1"
    name = row["take"] if row["take"].startswith(f"{subject}_") else f"{subject}_{row['take']}"
    try:
        fps = float(row["true_fps"])
    except ValueError:
        raise ChoreiaError(f"{index}: take {name} has true_fps {row['true_fps']!r}; write a number of frames a second") from None
    return Take(
        key=f"{row['corpus']}-{name}",
        path=_locate(index, row["path"]),
        skeleton=_locate(index, row["skeleton"]) if row.get("skeleton") else None,
        corpus=row["corpus"],
        subject=subject,
        fps=fps,
        dance=dance,
        text=row["text"],
        source=row.get("source", ""),
        licence=_LICENCES.get(row["corpus"], ""),
        style=style(subject, name, dance),
        phrase=splits.phrase(subject, name, row["text"]),
        split=splits.split(subject, name),
        head_lift_rad=_HEAD_LIFT_RAD.get(subject, 0.0) if row["corpus"] == "cmu" else 0.0,
    )


def _locate(index: Path, path: str) -> Path:
    beside = index.parent / path
    return beside if beside.exists() else index.parent.parent / path
