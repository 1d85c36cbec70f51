"""Motion and sound to an MP4: frames drawn on a few threads while this one encodes (H.264 and AAC through PyAV).

Frame i shows the motion at i / fps seconds and sound starts at 0, so picture and song stay together to the frame. PyAV's
binary wheels contain libx264, which is GPL; where a build lacks it, MPEG-4 part 2 is written instead.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.render import dancer, frame
from choreia.render.sound import SoundTrack, blocks_of
from choreia.render.take import Take, prepare
from choreia.types import Audio, Motion

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the share done, 0 to 1."""

_THREADS, _AHEAD = min(max(os.cpu_count() or 2, 2), 4), 8


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
    import av

    if not 1 <= fps <= 240:
        raise ChoreiaError(f"cannot film at {fps:g} frames a second: give 1 to 240")
    take = prepare(motion, fps, size)
    duration_s = len(take) / fps
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        film.metadata.update({} if title is None else {"title": title})
        rate = Fraction(fps).limit_denominator(1001)
        pictures = _picture_stream(film, rate, size)
        sound = None if audio is None else SoundTrack(film, blocks_of(audio, sound_start_s, duration_s), duration_s)
        for i, planes in enumerate(_frames(take)):
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = i, 1 / rate
            film.mux(pictures.encode(picture))
            if sound is not None:
                sound.write_until((i + 1) / fps)
            if progress is not None:
                progress("filming", (i + 1) / len(take))
        film.mux(pictures.encode(None))
        if sound is not None:
            sound.close()


def _picture_stream(film: Any, rate: Fraction, size: tuple[int, int]) -> Any:
    """An H.264 stream (MPEG-4 where there is no encoder for it) tagged as BT.709."""
    import av

    name = next((codec for codec in ("libx264", "libopenh264", "mpeg4") if codec in av.codecs_available), "mpeg4")
    options = {"libx264": {"preset": "superfast", "crf": "19", "tune": "animation"}}.get(name, {})
    stream = film.add_stream(name, rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = 1 / rate
    stream.codec_context.gop_size = int(2 * rate)
    stream.codec_context.color_range, stream.codec_context.colorspace = 1, 1
    stream.codec_context.color_primaries, stream.codec_context.color_trc = 1, 1
    if name != "libx264":
        stream.bit_rate = int(size[0] * size[1] * rate * 0.15)
    return stream


def _frames(take: Take) -> Iterator[np.ndarray]:
    """The frames in order, (H * 3 / 2, W) uint8 yuv420p, drawn a few ahead."""
    waiting: deque[Future[np.ndarray]] = deque()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for i in range(len(take)):
            waiting.append(pool.submit(_frame, take, i))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _frame(take: Take, i: int) -> np.ndarray:
    return frame.draw(dancer.skin(), take.moves[i], take.path.at(i)).data
