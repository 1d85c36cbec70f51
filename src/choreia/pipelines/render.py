"""`choreia render`: a motion file to a video with sound, to a contact sheet, or to a plot of speed against beats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.motion import io
from choreia.motion.retarget import to_choreia24
from choreia.motion.skeleton import choreia24
from choreia.music.analyze import analyze_file
from choreia.render.curve import speed_plot
from choreia.render.still import sheet
from choreia.render.video import render as film
from choreia.types import Motion

Progress = Callable[[str, float], None]


def render(source: Path, out: Path, *, song: Path | None = None, force: bool = False,
           progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Picture `source` as `out` says: .mp4 a film with the sound of `song`, .png a contact sheet, .svg speed against the beats of `song`.

    Other skeletons are retargeted to ours first.
    """
    writers: dict[str, Callable[[Motion], object]] = {
        ".mp4": lambda motion: film(motion, song, out, progress=progress),
        ".png": lambda motion: sheet(motion, out),
        ".svg": lambda motion: speed_plot(motion, analyze_file(song) if song else None, out),
    }
    if out.suffix.lower() not in writers:
        raise ChoreiaError(f"{out}: cannot render {out.suffix or 'a file without a suffix'}; use one of {', '.join(writers)}")
    if out.exists() and not force:
        raise ChoreiaError(f"{out} exists: choose another name or pass --force")
    motion = io.read(source)
    motion = motion if motion.skeleton.names == choreia24().names else to_choreia24(motion)
    writers[out.suffix.lower()](motion)
    return {"text": f"{out}: {motion.duration_s:.2f} s"}
