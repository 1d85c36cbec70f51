"""The project file: a dance with its music, words, provenance and the history of its edits, as one `.take`.

A `.take` is a zip of `take.json`, `arrays.safetensors` and the songs, each under its SHA-256; nothing in it is pickled and nothing is
unpacked to disk. The same take gives the same bytes.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

from safetensors import SafetensorError
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as bytes_of

from choreia.edit.history import Take
from choreia.errors import ChoreiaError
from choreia.export.take import pages, reading
from choreia.export.take.archive import Archive, pack
from choreia.files import LARGEST, atomic_path, read_bytes
from choreia.types import Performance

__all__ = ["FORMAT", "SUFFIX", "VERSION", "load", "save"]

FORMAT = "choreia-take"
VERSION = 2
"""The newest version, that of takes with a stage; those without one are written as version 1, which older readers know."""
SUFFIX = ".take"

PAGE = "take.json"
ARRAYS = "arrays.safetensors"
SONGS = "songs/"

_BROKEN = (BadZipFile, SafetensorError, zlib.error, struct.error, KeyError, TypeError, ValueError, ArithmeticError, EOFError,
           NotImplementedError, RuntimeError, ChoreiaError)  # fmt: skip
"""What a file that is not whole makes the readers raise."""


def save(what: Performance | Take, path: str | os.PathLike[str]) -> None:
    """Write a take, or a performance as a take without edits; the file that was there gives way only to a whole one.

    Raises:
        ChoreiaError: what could not be loaded again (values that are not finite, shapes that do not fit, provenance that is not JSON, more
            than 1 GiB), or a place that cannot be written; an older file stays as it is.
    """
    content = _packed(what if isinstance(what, Take) else Take(what), Path(path))
    with atomic_path(path) as partial, partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load(path: str | os.PathLike[str]) -> Take:
    """Read a take; the file is never changed.

    Raises:
        ChoreiaError: missing, not a take, of a newer version, damaged, cut short, or larger than 1 GiB when unpacked.
    """
    source = Path(path)
    content = read_bytes(source)
    if not content.startswith(b"PK\x03\x04"):
        raise ChoreiaError(f"{source} is not a take: give a file that Choreia has saved as {SUFFIX}")
    with _blaming(source):
        archive = Archive.of(content)
        page = reading.page_of(archive.read(PAGE, reading.LARGEST_PAGE + 1)) if PAGE in archive.names else {}
    _check_format(page, source)
    with _blaming(source):
        songs = {name.removeprefix(SONGS): archive.read(name) for name in _songs_in(archive)}
        return reading.take(page, arrays_of(archive.read(ARRAYS)), songs)


def _packed(take: Take, path: Path) -> bytes:
    """The bytes of the file; what they say has been read back once."""
    arrays: pages.Arrays = {}
    try:
        page = {"format": FORMAT, "version": VERSION if take.base.stage else 1} | pages.take_page(take, arrays)
        text = json.dumps(page, allow_nan=False, default=pages.plain).encode()
        songs = {song.sha256: song.content for song in pages.every_song(take) if song.content is not None}
        reading.take(reading.page_of(text), dict(arrays), songs)
        content = pack({PAGE: text, ARRAYS: bytes_of(arrays)} | {SONGS + name: song for name, song in songs.items()})
    except _BROKEN as error:
        raise ChoreiaError(f"cannot save {path}: {_reason(error)}") from error
    if len(content) > LARGEST:
        raise ChoreiaError(f"cannot save {path}: it would be larger than 1 GiB; leave the song or its sound out of it")
    return content


def _check_format(page: dict[str, object], source: Path) -> None:
    version = page.get("version")
    if page.get("format") != FORMAT:
        raise ChoreiaError(f"{source} is not a take: it is a zip of something else")
    if isinstance(version, int) and version > VERSION:
        raise ChoreiaError(f"{source} was saved by a newer Choreia (take version {version}, this one reads {VERSION}): update Choreia")
    if not isinstance(version, int) or version < 1:
        raise ChoreiaError(f"{source} is damaged: it has no version; open another copy of it")


def _songs_in(archive: Archive) -> list[str]:
    """The members that are songs; ValueError when there are others than a take has."""
    names = sorted(archive.names - {PAGE, ARRAYS})
    if strangers := [name for name in names if not name.startswith(SONGS)]:
        raise ValueError(f"it holds {strangers[0][:60]!r}, which no take holds")
    return names


@contextmanager
def _blaming(source: Path) -> Iterator[None]:
    """Whatever goes wrong inside is the file's fault."""
    try:
        yield
    except _BROKEN as error:
        raise ChoreiaError(f"{source} is damaged: {_reason(error)}; open another copy of it") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
