"""`choreia render`: a motion file to a video with sound, or to a contact sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.motion import io
from choreia.motion.retarget import to_choreia24
from choreia.motion.skeleton import choreia24
from choreia.music import files
from choreia.render.still import sheet
from choreia.render.video import render as film


def render(source: Path, out: Path, *, song: Path | None = None, force: bool = False,
           progress: Callable[[str, float], None] | None = None) -> dict[str, object]:  # fmt: skip
    """Film `source` into `out` (.mp4), or lay out a contact sheet (.png); other skeletons are retargeted to ours first."""
    if out.suffix.lower() not in {".mp4", ".png"}:
        raise ChoreiaError(f"{out}: cannot render {out.suffix or 'a file without a suffix'}; use .mp4 or .png")
    if out.exists() and not force:
        raise ChoreiaError(f"{out} exists: choose another name or pass --force")
    motion = io.read(source)
    motion = motion if motion.skeleton.names == choreia24().names else to_choreia24(motion)
    if out.suffix.lower() == ".png":
        sheet(motion, out)
    else:
        film(motion, files.read(song) if song else None, out, progress=progress)
    return {"text": f"{out}: {motion.duration_s:.2f} s"}
