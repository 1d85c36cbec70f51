"""Reading and writing of takes: `read` and `write` choose the format by the file's suffix."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from choreia.errors import ChoreiaError
from choreia.types import Motion

READERS = {".bvh": "bvh", ".amc": "amc", ".csv": "g1", ".npz": "npz", ".pkl": "smpl", ".glb": "glb"}
"""Suffix to the module of this package that reads it. An `.npz` in a SMPL layout is recognised by its arrays."""

WRITERS = {".bvh": "bvh", ".npz": "npz", ".pkl": "smpl", ".glb": "glb", ".usda": "usd"}
"""Suffix to the module of this package that writes it."""


def read(path: str | os.PathLike[str], **options: Any) -> Motion:
    """Read a take in any known format.

    Args:
        path: `.bvh`, `.amc` (with its `.asf` beside it), `.csv` (Unitree G1), `.npz` (ours, AIST++ or AMASS), `.pkl` (AIST++), `.glb`.
        options: those of the format's own `read`.
    Raises:
        ChoreiaError: unknown suffix, missing file, or a file that is not what its suffix says.
    """
    return _module(Path(path), READERS, "read").read(path, **options)


def write(path: str | os.PathLike[str], motion: Motion, **options: Any) -> None:
    """Write a take, whole or not at all; `options` are those of the format's own `write`.

    Raises:
        ChoreiaError: unknown suffix, or the file cannot be written.
    """
    _module(Path(path), WRITERS, "write").write(path, motion, **options)


def _module(path: Path, table: dict[str, str], verb: str) -> ModuleType:
    name = table.get(path.suffix.lower())
    if name is None:
        raise ChoreiaError(f"cannot {verb} {path}: unknown suffix {path.suffix!r}; use one of {', '.join(table)}")
    return import_module(f"choreia.motion.io.{name}")
