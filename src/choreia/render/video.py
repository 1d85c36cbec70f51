"""A motion to an MP4: the lit dancer on the toolkit's own stage, filmed with sound."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.render import dancer, frame
from choreia.render.film import Progress, Reel, drawn_ahead, write_film
from choreia.render.take import Take, prepare
from choreia.types import Audio, Motion


def render(
    motion: Motion,
    audio: Audio | Path | None,
    path: str | os.PathLike[str],
    size: tuple[int, int] = (1280, 720),
    fps: float = 30,
    progress: Progress | None = None,
    title: str | None = None,
    sound_start_s: float = 0.0,
) -> None:
    """Film a motion.

    Args:
        motion: any humanoid, any frame rate; the video lasts as long as it does.
        audio: sound, or a sound file, cut or followed by silence to that length; None for a silent film.
        path: the .mp4 file; it appears under this name only when it is whole.
        size: width and height in pixels, multiples of 4.
        fps: frames a second of the video.
        progress: told ("filming", share done).
        title: the film's title tag.
        sound_start_s: where in the sound the film begins.
    Raises:
        ChoreiaError: no frames, an impossible size or rate, sound that cannot be read, or a place that cannot be written.
    """
    if not 1 <= fps <= 240:
        raise ChoreiaError(f"cannot film at {fps:g} frames a second: give 1 to 240")
    take = prepare(motion, fps, size)
    reel = Reel(len(take), size, fps, audio, sound_start_s, title)
    write_film(drawn_ahead(lambda i: _frame(take, i), len(take)), reel, path, progress)


def _frame(take: Take, i: int) -> np.ndarray:
    return frame.draw(dancer.skin(), take.moves[i], take.path.at(i)).data
