"""One JSON object of a take with the arrays that lie under its path: read key by key, every value checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

Arrays = dict[str, np.ndarray]
Page = dict[str, Any]
Kind = TypeVar("Kind")


def put(arrays: Arrays, where: str, **values: np.ndarray) -> None:
    """Add arrays under a path, in rows: safetensors writes memory as it lies."""
    arrays.update({f"{where}/{name}": np.ascontiguousarray(value) for name, value in values.items()})


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

    def value(self, key: str, *kinds: type[Kind]) -> Kind:
        """The value of a key, of one of the kinds; a truth value is no number."""
        value = self.fields.get(key)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{self.at(key)[:80]} is missing or of another kind")
        return value

    def whole(self, key: str, above: float = -math.inf) -> int:
        """A whole number above `above`."""
        self.number(key, above)
        return self.value(key, int)

    def number(self, key: str, above: float = -math.inf) -> float:
        """A number above `above`."""
        number = float(self.value(key, int, float))
        if not number > above:
            raise ValueError(f"{self.at(key)[:80]} is {number:g}, not above {above:g}")
        return number

    def entry(self, key: str) -> Entry:
        """A JSON object to be read in turn."""
        return replace(self, where=self.at(key), fields=self.value(key, dict))

    def optional(self, key: str) -> Entry | None:
        """The same, None where the value is null."""
        return None if key in self.fields and self.fields[key] is None else self.entry(key)

    def under(self, key: str) -> Entry:
        """Arrays that lie under a key without a page of their own."""
        return replace(self, where=self.at(key), fields={})

    def rows(self, key: str, first: int = 0) -> Entry:
        """A list as an entry whose keys count from `first`."""
        return replace(self, where=self.at(key), fields={str(number): row for number, row in enumerate(self.value(key, list), first)})

    def entries(self, key: str, first: int = 0) -> list[Entry]:
        """A list of JSON objects, counted from `first` in their paths."""
        rows = self.rows(key, first)
        return [rows.entry(number) for number in rows.fields]

    def several(self, key: str, kind: type[Kind]) -> tuple[Kind, ...]:
        """A list of values of one kind."""
        rows = self.rows(key)
        return tuple(rows.value(number, kind) for number in rows.fields)

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
