"""Writing files so that a name either holds a whole file or nothing: every writer of the package goes through `atomic_path`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from choreia.errors import ChoreiaError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary sibling of `path`, with the same suffix, that takes its place when the block ends well and vanishes when it does not.

    Raises:
        ChoreiaError: the folder is missing or cannot be written, the disk is full, or `path` is a folder.
    """
    final = Path(os.path.realpath(path))  # a link stays one: what it leads to is replaced
    if final.is_dir():
        raise ChoreiaError(f"cannot write {final}: it is a folder; give a file name")
    if not final.parent.is_dir():
        raise ChoreiaError(f"cannot write {final}: the folder {final.parent} does not exist; create it first")
    partial = final.with_name(f".{final.stem[:80]}.{secrets.token_hex(4)}.partial{final.suffix}")
    try:
        yield partial
        os.replace(partial, final)
    except OSError as error:
        raise ChoreiaError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


LARGEST = 1 << 30
"""Bytes of the largest file that is read whole."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The whole file; ChoreiaError when it is missing, a folder, empty, unreadable or larger than 1 GiB."""
    source = Path(path)
    if source.is_dir():
        raise ChoreiaError(f"{source} is a folder: give a file")
    try:
        if source.stat().st_size > LARGEST:
            raise ChoreiaError(f"{source} is larger than 1 GiB: cut it into shorter takes")
        content = source.read_bytes()
    except OSError as error:
        raise ChoreiaError(f"cannot read {source}: {error.strerror or error}") from error
    if not content:
        raise ChoreiaError(f"{source} is empty")
    return content
