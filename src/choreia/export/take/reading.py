"""JSON and arrays to a take: every value is checked, and what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from choreia.edit.history import Revision, Song, Splice, Take
from choreia.export.take.entry import Arrays, Entry
from choreia.export.take.lighting import stage_of
from choreia.export.take.pages import EVENTS, TIMES, every_song
from choreia.types import Audio, Features, Motion, Move, Music, Performance, RhythmEvents, Script, Section, Skeleton

LARGEST_PAGE = 1 << 25
"""Bytes of the largest JSON that is read."""


def page_of(content: bytes) -> dict[str, object]:
    """The JSON object of a take; ValueError when it is none, holds numbers that are not finite, or is larger than 32 MiB."""
    if len(content) > LARGEST_PAGE:
        raise ValueError("its JSON is larger than 32 MiB")
    page = json.loads(content, parse_float=_finite, parse_constant=_finite)
    if not isinstance(page, dict):
        raise ValueError("its JSON is not an object")
    return page


def take(page: dict[str, object], arrays: Arrays, songs: dict[str, bytes]) -> Take:
    """The take of a page, its arrays by path and the songs by SHA-256.

    Raises:
        ValueError: a value or an array that is missing, of another kind or shape, not finite, or that belongs to nothing.
        ChoreiaError: splices, revisions or songs that do not fit one another.
    """
    entry = Entry("", page, arrays, songs)
    found = Take(
        base=_performance(entry.entry("base")),
        song=_song(entry.optional("song")),
        revisions=tuple(_revision(number, each) for number, each in enumerate(entry.entries("revisions", first=1), 1)),
        at=entry.whole("at"),
        variants={name: entry.entry("variants").whole(name) for name in entry.value("variants", dict)},
        ahead={int(parent): entry.entry("ahead").whole(parent) for parent in entry.value("ahead", dict)},
    )
    named = {song.sha256 for song in every_song(found) if song.content is not None}
    if strays := sorted(arrays.keys() | songs.keys() - named):
        raise ValueError(f"{strays[0][:60]!r} belongs to nothing in it")
    return found


def _performance(entry: Entry) -> Performance:
    return Performance(
        _audio(entry.optional("audio")),
        _music(entry.optional("music")),
        _motion(entry.optional("motion")),
        _script(entry.optional("script")),
        entry.value("provenance", dict),
        stage_of(entry.optional("stage") if "stage" in entry.fields else None),
    )


def _revision(number: int, entry: Entry) -> Revision:
    return Revision(
        id=number,
        parent=entry.whole("parent"),
        operation=entry.value("operation", str),
        parameters=entry.value("parameters", dict),
        splices=tuple(map(_splice, entry.entries("splices"))),
        script=_script(entry.optional("script")),
        music=_music(entry.optional("music")),
        song=_song(entry.optional("song")),
        seed=None if entry.fields.get("seed") is None else entry.whole("seed"),
        version=entry.value("version", str),
    )


def _splice(entry: Entry) -> Splice:
    root = entry.array("root", None, 3)
    return Splice(entry.whole("start"), entry.whole("stop"), root, entry.array("rotations", len(root), None, 4))


def _audio(entry: Entry | None) -> Audio | None:
    return None if entry is None else Audio(entry.array("samples", None, None), entry.whole("rate", above=0))


def _motion(entry: Entry | None) -> Motion | None:
    if entry is None:
        return None
    names, parents, root = entry.several("joints", str), entry.several("parents", int), entry.array("root", None, 3)
    rotations = entry.array("rotations", len(root), len(names), 4)
    if not root.size or not names or len(set(names)) < len(names) or not _in_order(parents, len(names)):
        raise ValueError(f"{entry.where}: no frames, no joints, equal names, or joints that do not come after their parents")
    if np.abs(np.linalg.norm(rotations, axis=-1) - 1).max() > 1e-3:
        raise ValueError(f"{entry.where}: the rotations are not unit quaternions")
    return Motion(Skeleton(names, parents, entry.array("offsets", len(names), 3)), root, rotations, entry.number("fps", above=0))


def _in_order(parents: Sequence[int], joints: int) -> bool:
    """Whether there is one parent a joint, -1 for the first and an earlier joint for every other."""
    return len(parents) == joints and parents[0] == -1 and all(0 <= parent < child for child, parent in enumerate(parents) if child)


def _music(entry: Entry | None) -> Music | None:
    if entry is None:
        return None
    features = entry.entry("features")
    return Music(
        duration_s=entry.number("duration_s", above=0),
        meter=entry.whole("meter", above=0),
        sections=tuple(map(_section, entry.entries("sections"))),
        events=RhythmEvents(*(entry.array(name, None) for name in EVENTS)),
        energy=_features(entry.entry("energy")),
        features={name: _features(features.entry(name)) for name in features.fields},
        **{name: entry.array(name, None) for name in TIMES},
    )


def _section(entry: Entry) -> Section:
    return Section(entry.number("start_s"), entry.number("end_s"), entry.value("label", str), entry.whole("occurrence"))


def _features(entry: Entry) -> Features:
    names = entry.several("names", str)
    return Features(entry.array("values", None, len(names)), entry.number("fps", above=0), names)


def _script(entry: Entry | None) -> Script | None:
    if entry is None:
        return None
    moves = tuple(Move(move.number("start_s"), move.number("end_s"), move.value("text", str)) for move in entry.entries("moves"))
    return Script(entry.value("style", str), moves)


def _song(entry: Entry | None) -> Song | None:
    if entry is None:
        return None
    sha256 = entry.value("sha256", str)
    content = entry.songs.get(sha256)
    if entry.value("inside", bool) and content is None:
        raise ValueError(f"the song {sha256[:12]}… is missing")
    return Song(entry.value("name", str), sha256, entry.number("start_s"), content if entry.fields["inside"] else None)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("its JSON holds a number that is not finite")
    return number
