"""A performance to files in a folder: all of them, or none."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from choreia.edit.history import Song, Take
from choreia.errors import ChoreiaError
from choreia.files import read_bytes
from choreia.motion import io
from choreia.types import Motion, Performance

MOTION_FORMATS = ("bvh", "glb", "npz", "pkl", "usda")
FORMATS = (*MOTION_FORMATS, "mp4", "png", "take", "json")
"""What `write_bundle` knows: motion files, a film, a contact sheet, the project file that can be edited, and the provenance."""

DEFAULT_FORMATS = ("bvh", "glb", "npz", "mp4", "take", "json")

LARGEST_SONG = 64 << 20
"""Bytes of the largest song that a project file holds; of a larger one it holds the name and the hash."""

Progress = Callable[[str, float], None]
Writers = Mapping[str, Callable[[Path], None]]


def check_outputs(out_dir: str | os.PathLike[str], formats: Sequence[str], stems: Sequence[str], force: bool) -> None:
    """Refuse, before any work is done, what `write_bundle` would refuse at the end.

    Raises:
        ChoreiaError: an unknown format, `out_dir` is a file or cannot be written, or a file exists and `force` is not set.
    """
    folder = Path(out_dir)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ChoreiaError(f"unknown format {', '.join(map(repr, unknown)) or '(none given)'}: choose from {', '.join(FORMATS)}")
    if folder.exists() and not folder.is_dir():
        raise ChoreiaError(f"{folder} is a file: give a folder to write into")
    existing_folder = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(existing_folder, os.W_OK | os.X_OK):
        raise ChoreiaError(f"cannot write into {existing_folder}: no permission; choose another folder")
    taken = [str(path) for stem in stems for path in _names(folder, formats, stem) if path.exists()]
    if taken and not force:
        raise ChoreiaError(f"{taken[0]} exists: choose another folder or pass --force")


def write_bundle(
    performance: Performance,
    out_dir: str | os.PathLike[str],
    formats: Sequence[str] = DEFAULT_FORMATS,
    stem: str = "dance",
    force: bool = False,
    progress: Progress | None = None,
    sound: Path | None = None,
    sound_start_s: float = 0.0,
    writers: Writers | None = None,
) -> list[Path]:
    """Write a performance as `out_dir`/`stem`.<format>.

    Args:
        performance: with a motion; its audio becomes the film's sound unless `sound` is given.
        out_dir: created if missing.
        formats: some of `FORMATS`.
        stem: the files' name without suffix.
        force: replace files that exist.
        progress: told (stage, share done).
        sound: a sound file for the film, read block by block, and for the project file; both begin at `sound_start_s` in it.
        writers: by format, what writes the file instead.
    Returns:
        The files, in the order of `formats`.
    Raises:
        ChoreiaError: as `check_outputs`, and when the performance has no motion or a file cannot be written; nothing is left behind.
    """
    folder = Path(out_dir)
    check_outputs(folder, formats, [stem], force)
    if performance.motion is None:
        raise ChoreiaError("this performance has no motion: there is nothing to write")
    with staging_in(folder) as staging:
        for name in sorted(dict.fromkeys(formats), key=lambda name: name == "json"):
            path = staging / f"{stem}.{name}"
            if name == "json":
                path.write_text(json.dumps(_provenance(performance, performance.motion, staging), indent=2, default=str) + "\n")
            elif writers and name in writers:
                writers[name](path)
            else:
                _write(name, path, performance, performance.motion, progress, sound, sound_start_s)
        finished = _names(folder, formats, stem)
        for path in finished:
            os.replace(staging / path.name, path)
    return finished


def song_in(path: Path, start_s: float = 0.0) -> Song:
    """The song of a file as a project file holds it: with its bytes where they are few. ChoreiaError: the file cannot be read."""
    content = None if path.is_file() and path.stat().st_size > LARGEST_SONG else read_bytes(path)
    digest = _sha256(path) if content is None else hashlib.sha256(content).hexdigest()
    return Song(re.sub(r"[\\/:]", "_", path.name), digest, start_s, content)


def _names(folder: Path, formats: Sequence[str], stem: str) -> list[Path]:
    return [folder / f"{stem}.{name}" for name in dict.fromkeys(formats)]


@contextmanager
def staging_in(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` that is gone afterwards; a failure also removes `folder` if it is new."""
    fresh = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".choreia-", dir=folder))
    except OSError as error:
        raise ChoreiaError(f"cannot write into {folder}: {error.strerror or error}") from error
    try:
        yield staging
    except OSError as error:
        raise ChoreiaError(f"cannot write into {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if fresh and not any(folder.iterdir()):
            folder.rmdir()


def _write(
    name: str, path: Path, performance: Performance, motion: Motion, progress: Progress | None, sound: Path | None, sound_start_s: float
) -> None:
    """Write one file of a bundle."""
    if name == "mp4":
        from choreia.render.video import render

        render(motion, sound or performance.audio, path, progress=progress, sound_start_s=sound_start_s if sound else 0.0)
    elif name == "png":
        from choreia.render.still import sheet

        sheet(motion, path)
    elif name == "take":
        from choreia.export.take import save

        save(Take(performance, song_in(sound, sound_start_s) if sound else None), path)
    else:
        io.write(path, motion)
    if progress is not None:
        progress(f"writing {name}", 1.0)


def _provenance(performance: Performance, motion: Motion, staging: Path) -> dict[str, object]:
    """What the dance is, how it was made, what was danced when, and the hashes of the files beside this one."""
    script = performance.script
    return {
        **performance.provenance,
        "motion": {"frames": len(motion), "fps": motion.fps, "duration_s": motion.duration_s, "joints": len(motion.skeleton.names)},
        "script": None if script is None else asdict(script),
        "files_sha256": {path.name: _sha256(path) for path in sorted(staging.iterdir())},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
