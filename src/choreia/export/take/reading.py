"""JSON and arrays to a take: every value is checked, and what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from choreia.edit.history import Revision, Song, Splice, Take
from choreia.export.take.pages import EVENTS, TIMES, Arrays
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
        revisions=tuple(_revision(number, each) for number, each in enumerate(entry.entries("revisions"), 1)),
        at=entry.whole("at"),
        variants={name: entry.entry("variants").whole(name) for name in entry.mapping("variants")},
        ahead=dict(_pair(row) for row in entry.rows("ahead")),
    )
    named = {song.sha256 for song in (found.song, *(revision.song for revision in found.revisions)) if song and song.content is not None}
    if strays := sorted(arrays.keys() | songs.keys() - named):
        raise ValueError(f"{strays[0][:60]!r} belongs to nothing in it")
    return found


@dataclass(frozen=True)
class Entry:
    """One JSON object of a take, read key by key; `where` is its path, under which its arrays lie.

    Arrays are taken out of `arrays` as they are read. Every method raises ValueError with the place.
    """

    where: str
    fields: dict[str, object]
    arrays: Arrays
    songs: dict[str, bytes]

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.where}/{key}".lstrip("/")

    def value(self, key: str, *kinds: type) -> object:
        """The value of a key, of one of the kinds; a truth value is no number."""
        value = self.fields.get(key)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{self.at(key)[:80]} is missing or of another kind")
        return value

    def text(self, key: str) -> str:
        """A string."""
        return str(self.value(key, str))

    def whole(self, key: str) -> int:
        """A whole number."""
        return int(self.value(key, int))  # type: ignore[call-overload]

    def number(self, key: str, above: float = -math.inf) -> float:
        """A number above `above`."""
        number = float(self.value(key, int, float))  # type: ignore[arg-type]
        if not number > above:
            raise ValueError(f"{self.at(key)[:80]} is {number:g}, not above {above:g}")
        return number

    def rows(self, key: str) -> list[object]:
        """A list."""
        return list(self.value(key, list))  # type: ignore[call-overload]

    def mapping(self, key: str) -> dict[str, object]:
        """A JSON object as it is."""
        return dict(self.value(key, dict))  # type: ignore[call-overload]

    def entry(self, key: str) -> Entry:
        """A JSON object to be read in turn."""
        return Entry(self.at(key), self.mapping(key), self.arrays, self.songs)

    def optional(self, key: str) -> Entry | None:
        """The same, None where the value is null."""
        return None if key in self.fields and self.fields[key] is None else self.entry(key)

    def entries(self, key: str, first: int = 1) -> list[Entry]:
        """A list of JSON objects, counted from `first` in their paths."""
        table = {str(number): row for number, row in enumerate(self.rows(key), first)}
        rows = Entry(self.at(key), table, self.arrays, self.songs)
        return [rows.entry(number) for number in table]

    def words(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        rows = self.rows(key)
        if not all(isinstance(row, str) for row in rows):
            raise ValueError(f"{self.at(key)[:80]} holds something else than words")
        return tuple(map(str, rows))

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        """An array of finite numbers, taken out; None in `shape` stands for any length."""
        value = self.arrays.pop(self.at(name), None)
        if value is None:
            raise ValueError(f"the array {self.at(name)[:80]} is missing")
        if len(value.shape) != len(shape) or any(due not in (None, found) for found, due in zip(value.shape, shape, strict=True)):
            raise ValueError(f"the array {self.at(name)[:80]} has shape {value.shape}, due is {shape}")
        if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            raise ValueError(f"the array {self.at(name)[:80]} holds values that are not finite numbers")
        return value


def _performance(entry: Entry) -> Performance:
    audio, music, motion = entry.optional("audio"), entry.optional("music"), entry.optional("motion")
    return Performance(
        None if audio is None else Audio(audio.array("samples", None, None), audio.whole("rate")),
        _music(music),
        None if motion is None else _motion(motion),
        _script(entry.optional("script")),
        entry.mapping("provenance"),
    )


def _revision(number: int, entry: Entry) -> Revision:
    return Revision(
        id=number,
        parent=entry.whole("parent"),
        operation=entry.text("operation"),
        parameters=entry.mapping("parameters"),
        splices=tuple(map(_splice, entry.entries("splices", first=0))),
        script=_script(entry.optional("script")),
        music=_music(entry.optional("music")),
        song=_song(entry.optional("song")),
        seed=None if entry.fields.get("seed") is None else entry.whole("seed"),
        version=entry.text("version"),
    )


def _splice(entry: Entry) -> Splice:
    root = entry.array("root", None, 3)
    return Splice(entry.whole("start"), entry.whole("stop"), root, entry.array("rotations", len(root), None, 4))


def _motion(entry: Entry) -> Motion:
    names, root = entry.words("joints"), entry.array("root", None, 3)
    rotations = entry.array("rotations", len(root), len(names), 4)
    if not root.size or not names or len(set(names)) < len(names) or not _in_order(entry.rows("parents"), len(names)):
        raise ValueError(f"{entry.where}: no frames, no joints, equal names, or joints that do not come after their parents")
    if np.abs(np.linalg.norm(rotations, axis=-1) - 1).max() > 1e-3:
        raise ValueError(f"{entry.where}: the rotations are not unit quaternions")
    skeleton = Skeleton(names, tuple(map(int, entry.rows("parents"))), entry.array("offsets", len(names), 3))  # type: ignore[call-overload]
    return Motion(skeleton, root, rotations, entry.number("fps", above=0))


def _in_order(parents: Sequence[object], joints: int) -> bool:
    """Whether there is one parent a joint, -1 for the first and an earlier joint for every other."""
    rooted = len(parents) == joints and parents[0] == -1
    return rooted and all(type(parent) is int and 0 <= parent < child for child, parent in enumerate(parents) if child)


def _music(entry: Entry | None) -> Music | None:
    if entry is None:
        return None
    features = entry.entry("features")
    return Music(
        duration_s=entry.number("duration_s", above=0),
        meter=entry.whole("meter"),
        sections=tuple(map(_section, entry.entries("sections"))),
        events=RhythmEvents(*(entry.array(name, None) for name in EVENTS)),
        energy=_features(entry.entry("energy")),
        features={name: _features(features.entry(name)) for name in features.fields},
        **{name: entry.array(name, None) for name in TIMES},
    )


def _section(entry: Entry) -> Section:
    return Section(entry.number("start_s"), entry.number("end_s"), entry.text("label"), entry.whole("occurrence"))


def _features(entry: Entry) -> Features:
    names = entry.words("names")
    return Features(entry.array("values", None, len(names)), entry.number("fps", above=0), names)


def _script(entry: Entry | None) -> Script | None:
    if entry is None:
        return None
    moves = tuple(Move(move.number("start_s"), move.number("end_s"), move.text("text")) for move in entry.entries("moves"))
    return Script(entry.text("style"), moves)


def _song(entry: Entry | None) -> Song | None:
    if entry is None:
        return None
    sha256 = entry.text("sha256")
    content = entry.songs.get(sha256)
    if entry.value("inside", bool) and content is None:
        raise ValueError(f"the song {sha256[:12]}… is missing")
    return Song(entry.text("name"), sha256, entry.number("start_s"), content if entry.fields["inside"] else None)


def _pair(row: object) -> tuple[int, int]:
    if not isinstance(row, list) or [type(number) for number in row] != [int, int]:
        raise ValueError("ahead is not made of pairs of numbers")
    return row[0], row[1]


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("its JSON holds a number that is not finite")
    return number
