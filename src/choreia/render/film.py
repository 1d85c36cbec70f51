"""Pictures and sound to an MP4 (H.264 and AAC through PyAV), drawn a few pictures ahead on threads while this one encodes.

Picture i is shown at i / fps seconds and sound starts at 0, so picture and song stay together to the frame. PyAV's
binary wheels contain libx264, which is GPL; where a build lacks it, MPEG-4 part 2 is written instead.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from choreia.files import atomic_path
from choreia.render.sound import SoundTrack, blocks_of
from choreia.types import Audio

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the share done, 0 to 1."""

Drawn = TypeVar("Drawn")

_THREADS, _AHEAD = min(max(os.cpu_count() or 2, 2), 4), 8


@dataclass(frozen=True)
class Reel:
    """What a film is besides its pictures: their number, size (width, height) in pixels and rate; sound, or a sound file, from
    `sound_start_s` on, cut or followed by silence to their length, None for a silent film; the title tag."""

    count: int
    size: tuple[int, int]
    fps: float
    audio: Audio | Path | None = None
    sound_start_s: float = 0.0
    title: str | None = None


def write_film(pictures: Iterator[np.ndarray], reel: Reel, path: str | os.PathLike[str], progress: Progress | None = None) -> None:
    """Encode `pictures`, each (H * 3 / 2, W) uint8 yuv420p in BT.709's video range; the file appears under its name only when it is whole.

    Raises:
        ChoreiaError: sound that cannot be read, or a place that cannot be written.
    """
    import av

    rate, duration_s = Fraction(reel.fps).limit_denominator(1001), reel.count / reel.fps
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        film.metadata.update({} if reel.title is None else {"title": reel.title})
        stream = _picture_stream(film, rate, reel.size)
        sound = None if reel.audio is None else SoundTrack(film, blocks_of(reel.audio, reel.sound_start_s, duration_s), duration_s)
        for i, planes in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = i, 1 / rate
            film.mux(stream.encode(picture))
            if sound is not None:
                sound.write_until((i + 1) / reel.fps)
            if progress is not None:
                progress("filming", (i + 1) / reel.count)
        film.mux(stream.encode(None))
        if sound is not None:
            sound.close()


def drawn_ahead(draw: Callable[[int], Drawn], count: int) -> Iterator[Drawn]:
    """draw(0), draw(1) … draw(count - 1) in order, a few of them drawn ahead on threads.

    Meanwhile products of matrices use one thread each: threads of threads wait for one another, at twice the work.
    """
    waiting: deque[Future[Drawn]] = deque()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        with threadpool_limits(1, "blas"):
            for i in range(count):
                waiting.append(pool.submit(draw, i))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def planes_of(rgb: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 display RGB as `write_film` takes it."""
    import av

    full = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    picture = full.reformat(
        format="yuv420p", dst_colorspace="ITU709", interpolation="BILINEAR", src_color_range="JPEG", dst_color_range="MPEG"
    )
    return picture.to_ndarray()


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
