"""Single pictures and contact sheets of a motion, and a small PNG writer (PNG specification, 2nd edition)."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from choreia.clock import to_frame
from choreia.files import atomic_path
from choreia.render import dancer, frame
from choreia.render.planes import rgb
from choreia.render.take import prepare
from choreia.types import Motion


def still(motion: Motion, time_s: float, size: tuple[int, int] = (1280, 720)) -> np.ndarray:
    """The stage at one moment: (H, W, 3) uint8 display RGB; times outside the motion show its ends."""
    take = prepare(motion, motion.fps, size)
    at = min(max(to_frame(time_s, motion.fps), 0), len(take) - 1)
    return rgb(frame.draw(dancer.skin(), take.moves[at], take.path.at(at)))


def sheet(
    motion: Motion,
    path: str | os.PathLike[str],
    times_s: Sequence[float] | None = None,
    columns: int = 8,
    size: tuple[int, int] = (288, 384),
) -> None:
    """A PNG contact sheet, row by row.

    Args:
        motion: any humanoid.
        path: where the PNG goes.
        times_s: the moments, in seconds; sixteen evenly spaced ones by default.
        columns: pictures in a row.
        size: width and height of one picture.
    """
    moments = np.linspace(0, motion.duration_s, 16, endpoint=False) if times_s is None else np.asarray(times_s, float)
    take = prepare(motion, motion.fps, size)
    chosen = [min(max(to_frame(float(moment), motion.fps), 0), len(take) - 1) for moment in moments]
    pictures = [rgb(frame.draw(dancer.skin(), take.moves[at], take.path.at(at))) for at in chosen]
    blank = np.zeros_like(pictures[0])
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    write_png(path, np.concatenate([np.concatenate(row + [blank] * (columns - len(row)), axis=1) for row in rows]))


def write_png(path: str | os.PathLike[str], pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as PNG; ChoreiaError when the place cannot be written."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in body]
    with atomic_path(path) as partial:
        partial.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
