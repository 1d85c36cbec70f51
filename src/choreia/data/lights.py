"""Two real light shows as lists of states: a musical-theatre rig in QLC+ (https://github.com/scottgrobinson/qlcpluspythonscripts, MIT) and
the two dancers of a light dance (https://github.com/NTUEELightDance/LightDance-Editor, MIT). Nothing of them is kept but numbers.

QLC+: a cue plays scenes and chasers at once, the highest value of every channel wins; a chaser counts as the highest of its steps. The
cue list names its fades, the time-coded cues have none. LightDance: the fibre parts of each costume; LED strips play films and are left
out; a keyframe with `fade` goes over into the next one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.stage.palettes import hex_rgb, hue_saturation

QLC = "{http://www.qlcplus.org/Workspace}"
FADES_S = {"SLOW": 3.0, "MEDIUM": 1.75, "QUICK": 0.5, "NONE": 0.0}
"""What the words of the cue list last, as in the file made of it."""
FULL_ALPHA = 15
"""Brightest level of a light dancer's part."""

Levels = dict[tuple[int, int], int]
"""Fixture and channel to a DMX value."""


@dataclass(frozen=True)
class LightShow:
    """States of a show in order, n of them.

    times_s (n,): when, or None for a list that an operator plays. fades_s (n,): how long the change to it takes.
    rgb (n, lamps, 3): linear light of every lamp in [0, 1]. dancer (lamps,): whose costume the lamp is on, or -1 for a lamp of the house.
    """

    name: str
    times_s: np.ndarray | None
    fades_s: np.ndarray
    rgb: np.ndarray
    dancer: np.ndarray

    def __len__(self) -> int:
        return len(self.rgb)


@dataclass(frozen=True)
class Desk:
    """A QLC+ workspace: `levels` of every function by (type, name) in capitals, lamps in order with their number of channels."""

    levels: dict[tuple[str, str], Levels]
    lamps: tuple[tuple[int, int], ...]

    def rgb(self, names: Iterable[tuple[str, str]]) -> np.ndarray:
        """Linear light (lamps, 3) of functions played together; a lamp of one channel is white. ChoreiaError for one that is not there."""
        total: Levels = {}
        for name in names:
            if name not in self.levels:
                raise ChoreiaError(f"light cues: the workspace has no {name[0].lower()} {name[1]!r}; give the workspace that the cues name")
            total = _highest(total, self.levels[name])
        return np.array([[total.get((lamp, i if count > 2 else 0), 0) for i in range(3)] for lamp, count in self.lamps]) / 255


def _highest(one: Levels, other: Levels) -> Levels:
    """The higher value of every channel."""
    return {channel: max(one.get(channel, 0), other.get(channel, 0)) for channel in one.keys() | other.keys()}


def _pairs(fixture: int, text: str) -> Levels:
    """`channel,value,channel,value` of a fixture."""
    numbers = [int(number) for number in text.split(",")] if text else []
    return {(fixture, channel): value for channel, value in zip(numbers[::2], numbers[1::2], strict=True)}


def _step(text: str) -> Levels:
    """`fixture:channel,value,…:fixture:…`, the levels of a step that has its own."""
    parts, found = text.split(":"), {}
    for fixture, pairs in zip(parts[::2], parts[1::2], strict=True):
        found.update(_pairs(int(fixture), pairs))
    return found


def read_desk(path: Path) -> Desk:
    """Scenes, chasers, sequences and collections of a QLC+ workspace (.qxw); ChoreiaError when it is none."""
    try:
        engine = ElementTree.parse(path).getroot().find(f"{QLC}Engine")
    except (OSError, ElementTree.ParseError) as error:
        raise ChoreiaError(f"{path}: not readable as a QLC+ workspace ({error}); give a .qxw file") from error
    if engine is None:
        raise ChoreiaError(f"{path}: no engine inside; give a QLC+ workspace (.qxw)")
    nodes = {node.get("ID", ""): node for node in engine.findall(f"{QLC}Function")}
    levels = {(node.get("Type", "").upper(), node.get("Name", "")): _levels(node, nodes, 0) for node in nodes.values()}
    lamps = ((int(one.findtext(f"{QLC}ID", "0")), int(one.findtext(f"{QLC}Channels", "1"))) for one in engine.findall(f"{QLC}Fixture"))
    return Desk(levels, tuple(lamps))


def _levels(node: ElementTree.Element, nodes: dict[str, ElementTree.Element], depth: int) -> Levels:
    """Highest levels that a function reaches, through the functions it plays."""
    found: Levels = {}
    for value in node.findall(f"{QLC}FixtureVal"):
        found.update(_pairs(int(value.get("ID", "0")), value.text or ""))
    for step in node.findall(f"{QLC}Step"):
        text = (step.text or "").strip()
        if ":" in text:
            found = _highest(found, _step(text))
        elif text in nodes and depth < 8:
            found = _highest(found, _levels(nodes[text], nodes, depth + 1))
    return found


def _rows(path: Path, columns: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Rows of a CSV file by the names of its first line, that has all `columns`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise ChoreiaError(f"{path}: no column {missing[0]!r}; give the cues of a light show as CSV")
            return list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise ChoreiaError(f"{path}: cannot be read ({error}); give a CSV file of cues") from error


def read_cue_list(path: Path, desk: Desk) -> LightShow:
    """The cues of a CSV with `FADE IN` and up to three functions a row; cues that start another show are left out."""
    states, fades = [], []
    for row in _rows(path, ("FADE IN",)):
        pairs = [(row.get(f"FUNCTION {i} TYPE") or "", row.get(f"FUNCTION {i} NAME") or "") for i in (1, 2, 3)]
        played = [pair for pair in pairs if pair[0]]
        if any(kind == "SHOW" for kind, _ in played):
            continue
        states.append(desk.rgb(played))
        fades.append(_fade_s(row["FADE IN"]))
    return _house_show(path.stem, None, fades, states)


def read_timed_cues(path: Path, desk: Desk) -> LightShow:
    """The cues of a CSV with `TIMECODE` and a function a row; those of one time are one state."""
    at: dict[float, list[tuple[str, str]]] = {}
    fades: dict[float, float] = {}
    for row in _rows(path, ("TIMECODE", "FADEIN", "FUNCTION", "NAME")):
        time = _seconds(row["TIMECODE"])
        at.setdefault(time, []).append((row["FUNCTION"].upper(), row["NAME"]))
        fades[time] = max(fades.get(time, 0.0), _fade_s(row["FADEIN"]))
    times = sorted(at)
    return _house_show(path.stem, np.array(times), [fades[time] for time in times], [desk.rgb(at[time]) for time in times])


def _seconds(text: str) -> float:
    """Seconds of `minutes:seconds`; ChoreiaError for anything else."""
    try:
        minutes, seconds = text.split(":")
        return round(60 * int(minutes) + float(seconds), 3)
    except ValueError as error:
        raise ChoreiaError(f"light cues: {text!r} is no time; write minutes:seconds as 01:03.400") from error


def _fade_s(word: str) -> float:
    """Seconds of a word for a fade; ChoreiaError for an unknown one."""
    if word not in FADES_S:
        raise ChoreiaError(f"light cues: no fade {word!r}; write one of {', '.join(FADES_S)}")
    return FADES_S[word]


def _house_show(name: str, times_s: np.ndarray | None, fades_s: list[float], states: list[np.ndarray]) -> LightShow:
    if not states:
        raise ChoreiaError(f"light cues {name}: no cue inside; give a file with one cue a line")
    return LightShow(name, times_s, np.array(fades_s), np.array(states), np.full(len(states[0]), -1))


def read_lightdance(path: Path) -> LightShow:
    """The keyframes of a LightDance export (JSON with `control`, `dancer`, `color`), fibre parts alone; ChoreiaError when it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        frames = sorted(data["control"].values(), key=lambda frame: frame["start"])
        parts = [(d, p) for d, one in enumerate(data["dancer"]) for p, part in enumerate(one["parts"]) if part["type"] == "FIBER"]
        colours = {name: hex_rgb(code) for name, code in data["color"].items()}
        rgb = np.array([[_part(frame["status"][d][p], colours) for d, p in parts] for frame in frames])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ChoreiaError(f"{path}: not a LightDance export ({error!r}); give an exportData.json") from error
    times = np.array([frame["start"] for frame in frames]) / 1000
    into = np.array([False, *(bool(frame["fade"]) for frame in frames[:-1])])
    return LightShow(path.stem, times, np.where(into, np.diff(times, prepend=times[0]), 0.0), rgb, np.array([d for d, _ in parts]))


def _part(status: list, colours: dict[str, np.ndarray]) -> np.ndarray:
    """Linear light (3,) of a part: its colour at its alpha."""
    name, alpha = status
    return colours.get(name, np.zeros(3)) * alpha / FULL_ALPHA


def read_beats(path: Path) -> np.ndarray:
    """Hand-set beats (n,) s of all the columns of a CSV, one part of a show a column, sorted."""
    rows = _rows(path)
    try:
        return np.sort([float(cell) for row in rows for cell in row.values() if cell and cell.strip()])
    except (ValueError, AttributeError, TypeError) as error:
        raise ChoreiaError(f"{path}: not a table of beat times ({error}); give seconds alone below the first line") from error


# ------------------------------------------------------------------------------------------------------------- statistics

LIT = 0.02
"""A lamp below this level is dark."""
COLOURED = 0.25
"""Saturation from which a lamp has a hue; below it is white."""
APART = np.deg2rad(30)
"""Hues as near as this are one colour."""


@dataclass(frozen=True)
class Colours:
    """The colours of one state: `hues` (k,) rad, the strongest first, `APART` from each other; `white`: whether white lamps burn."""

    hues: tuple[float, ...]
    white: bool


def colours_of(rgb: np.ndarray) -> Colours:
    """The colours of lamps (lamps, 3) that burn."""
    level = rgb.max(axis=-1)
    hue, saturation = hue_saturation(rgb)
    burning = level > LIT
    tinted = burning & (saturation > COLOURED)
    found: list[float] = []
    weight = {turn: level[tinted & (np.abs(_turn(hue - turn)) <= APART / 2)].sum() for turn in hue[tinted]}
    for turn in sorted(weight, key=lambda one: -weight[one]):
        if all(abs(_turn(turn - other)) > APART for other in found):
            found.append(float(turn))
    return Colours(tuple(found), bool((burning & ~tinted).any()))


def _turn(angle: np.ndarray | float) -> np.ndarray | float:
    """The short way round, in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def same_colours(one: Colours, other: Colours) -> bool:
    """Whether two states show the same colours, in any strength."""
    pairs = ((one.hues, other.hues), (other.hues, one.hues))
    matched = all(any(abs(_turn(hue - near)) <= APART for near in b) for a, b in pairs for hue in a)
    return matched and one.white == other.white


def hue_steps(states: list[Colours]) -> np.ndarray:
    """How far the strongest hue goes from each coloured state to the next, (n,) rad in [0, pi]."""
    keys = np.array([state.hues[0] for state in states if state.hues])
    return np.abs(_turn(np.diff(keys)))


def contrasts(states: list[Colours]) -> np.ndarray:
    """How far the second hue stands from the strongest in states with two or more, (n,) rad in [0, pi]."""
    return np.abs(_turn(np.array([state.hues[1] - state.hues[0] for state in states if len(state.hues) > 1])))


def near_share(times_s: np.ndarray, grid_s: np.ndarray, within_s: float) -> np.ndarray:
    """Which of `times_s` (n,) lie within `within_s` of a time of the sorted grid, (n,) bool."""
    return np.abs(clock.nearest(grid_s, times_s) - times_s) <= within_s


def best_period(times_s: np.ndarray, periods_s: np.ndarray) -> tuple[float, float]:
    """Period and phase in seconds of the even grid that the times (n,) gather about most: the longest mean vector on the circle."""
    vectors = np.exp(2j * np.pi * times_s[:, None] / periods_s).mean(axis=0)
    best = int(np.abs(vectors).argmax())
    return float(periods_s[best]), float(np.angle(vectors[best]) / (2 * np.pi) * periods_s[best])
