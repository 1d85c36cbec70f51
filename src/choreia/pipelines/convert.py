"""`choreia convert`: one motion format to another."""

from __future__ import annotations

from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.motion import io
from choreia.motion.cleanup import resample
from choreia.motion.retarget import to_choreia24


def convert(source: Path, target: Path, *, retarget: bool = False, fps: float | None = None, force: bool = False) -> dict[str, object]:
    """Read `source`, optionally retarget and resample, write `target`; formats by suffix."""
    if target.exists() and not force:
        raise ChoreiaError(f"{target} exists: choose another name or pass --force")
    motion = io.read(source)
    motion = to_choreia24(motion) if retarget else motion
    motion = resample(motion, fps) if fps else motion
    io.write(target, motion)
    return {"text": f"{target}: {len(motion)} frames, {len(motion.skeleton.names)} joints, {motion.fps:g} fps"}
