"""A dance in its light: frames, films with sound and contact sheets of a `Motion` under a `Stage`.

A frame is made in linear light at a quarter of its size: maps of `stage_house` and `stage_air` weighted by the zones' colours, beams,
shadows, reflection and glow. It is tone-mapped, enlarged, given the full-size texture of floor and cloth, and the dancer is laid over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.render import stage_air, stage_body, stage_figure, stage_house
from choreia.render.film import Progress, Reel, drawn_ahead, planes_of, write_film
from choreia.render.stage_house import COARSE, House, enlarge
from choreia.render.stage_light import Show, light, on_dancer, set_up
from choreia.render.still import write_png
from choreia.types import COSTUME, Audio, Motion, Stage

_EXPOSURE, _CROSSTALK = 4.4, 0.035
_FILM = -_EXPOSURE * ((1 - _CROSSTALK) * np.eye(3, dtype=np.float32) + np.float32(_CROSSTALK / 3))
_STRIPE = 8  # map rows finished at a time: few enough to stay in the cache
_GLOW = np.float32(0.10)
_IN_FRONT = np.float32(0.40)
"""Share of the haze that hangs between the dancer and the eye."""


def glow(total: np.ndarray) -> np.ndarray:
    """Light that the lens scatters around bright places of (h, w, 3), of the same shape."""
    height, width, _ = total.shape
    coarse = np.minimum(total[::4, ::4], 3)
    size = max(3, width // 4 // 8)
    return enlarge(uniform_filter(uniform_filter(coarse, (size, size, 1)), (size, size, 1)), 4)[:height, :width] * _GLOW


def display(linear: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) to display RGB in [0, 1]: a film's toe and shoulder, bright colours paling. Black is 0."""
    root = np.sqrt(np.maximum(1 - np.exp(linear @ _FILM), 0))
    return root * (np.float32(0.42) * root + np.float32(0.58))


def _costume(show: Show, i: int) -> stage_body.Costume:
    roughness, metal, pattern = (float(show.track.costume[i, COSTUME.index(name)]) for name in ("roughness", "metal", "pattern"))
    return stage_body.Costume(show.cloth[i], roughness, metal, pattern)


def frame(show: Show, i: int) -> np.ndarray:
    """Picture i: (H, W, 3) uint8 display RGB."""
    shown, body = layers(show, i, sharp=True)
    return _finish(shown, body, show.house)


def layers(show: Show, i: int, sharp: bool) -> tuple[np.ndarray, stage_body.CutOut | None]:
    """Picture i before it is enlarged: a display map (h, w, 3) of the stage, and the dancer at the full size."""
    house, camera = show.house, show.house.camera
    posed = stage_figure.pose(show.figure, show.moves[i])
    lit = light(show, i, posed)
    halo = glow(lit.ground + lit.air)
    eye = np.array([camera.x, camera.y, camera.z])
    skin = stage_body.shade(posed, _costume(show, i), on_dancer(show, i, lit, posed), eye)
    skin += _veil(posed, lit.air * _IN_FRONT + halo, house)
    body = stage_body.cut_out(posed, display(skin), camera, sharp)
    shown = display(lit.ground + lit.air + halo)
    if body is not None:
        _reflect(shown, body, posed, house)
    return shown, body


def _veil(posed: stage_figure.Posed, veil: np.ndarray, house: House) -> np.ndarray:
    """The light of the air in front of every vertex, (V, 3)."""
    view = house.camera.project(posed.vertices)
    column = np.clip(view.x / COARSE, 0, house.shape[1] - 1).astype(int)
    row = np.clip(view.y / COARSE, 0, house.shape[0] - 1).astype(int)
    return veil[row, column]


def _reflect(shown: np.ndarray, body: stage_body.CutOut, posed: stage_figure.Posed, house: House) -> None:
    """Lay the dancer upside down on the floor of the display map (h, w, 3), fading with height."""
    middle = posed.vertices.mean(axis=0) * np.array([1, 0, 1], np.float32)
    floor = round(float(house.camera.project(middle[None]).y[0]) / COARSE)
    box = body.box
    small = [shrunk(plane)[::-1] for plane in (body.shown, body.cover)]
    top = 2 * floor - box.bottom // COARSE
    first, last = max(0, -top, house.horizon - top), min(len(small[0]), len(shown) - top)
    if first >= last:
        return
    metre = house.camera.focal / house.camera.z / COARSE
    fade = 0.30 * np.exp(-np.maximum(np.arange(first, last) + top - floor, 0) / (0.55 * metre)).astype(np.float32)[:, None, None]
    part = shown[top + first : top + last, box.left // COARSE : box.right // COARSE]
    part *= 1 - 0.6 * fade * small[1][first:last]
    part += fade * small[0][first:last]


def shrunk(plane: np.ndarray) -> np.ndarray:
    """Means of COARSE × COARSE blocks of (h, w, c)."""
    height, width, channels = plane.shape
    rows = plane.reshape(height // COARSE, COARSE, width * channels).sum(axis=1)
    return rows.reshape(height // COARSE, width // COARSE, COARSE, channels).sum(axis=2) / np.float32(COARSE * COARSE)


def _finish(shown: np.ndarray, body: stage_body.CutOut | None, house: House) -> np.ndarray:
    """Enlarge a display map (h, w, 3), give it texture, lay the dancer over it and add the grain: (H, W, 3) uint8."""
    picture = np.empty(house.detail.shape, np.uint8)
    rows = stage_house.framed(stage_house.widen(shown * np.float32(255), COARSE))
    for top in range(0, len(shown), _STRIPE):
        stripe = slice(COARSE * top, COARSE * (top + _STRIPE))
        part = stage_house.lengthen(rows[top : top + _STRIPE + 2], COARSE).reshape(-1, *picture.shape[1:])
        part *= house.detail[stripe]
        if body is not None:
            _lay(part, body, stripe.start)
        part += house.grain[stripe]
        picture[stripe] = np.clip(part, 0, 255, out=part)
    return picture


def _lay(part: np.ndarray, body: stage_body.CutOut, top: int) -> None:
    """Lay the dancer over the rows of a picture from `top` on, (n, W, 3) in code values."""
    first, last = max(body.box.top, top), min(body.box.bottom, top + len(part))
    if first < last:
        mine = slice(first - body.box.top, last - body.box.top)
        under = part[first - top : last - top, body.box.left : body.box.right]
        under *= 1 - body.cover[mine]
        under += body.shown[mine] * np.float32(255)


def stage_frames(motion: Motion, stage: Stage, size: tuple[int, int] = (1280, 720), fps: float = 30.0) -> Iterator[np.ndarray]:
    """The pictures of a show in order, (H, W, 3) uint8 display RGB, drawn a few ahead on threads.

    Picture i shows dance and light at i / fps seconds; where the stage is shorter than the dance, its last row stays. Raises as `set_up`.
    """
    show = set_up(motion, stage, size, fps)
    stage_air.haze(show.house.camera)
    return drawn_ahead(lambda i: frame(show, i), len(show))


def render_stage(
    motion: Motion,
    stage: Stage,
    audio: Audio | Path | None,
    path: str | os.PathLike[str],
    size: tuple[int, int] = (1280, 720),
    fps: float = 30.0,
    progress: Progress | None = None,
    title: str | None = None,
    sound_start_s: float = 0.0,
) -> None:
    """Film a show.

    Args:
        motion: any humanoid, any frame rate; the video lasts as long as it does.
        stage: light and costume; its last row stays where it ends before the dance.
        audio: sound, or a sound file, cut or followed by silence to that length; None for a silent film.
        path: the .mp4 file; it appears under this name only when it is whole.
        size: width and height in pixels, multiples of 4.
        fps: frames a second of the video.
        progress: told ("filming", share done).
        title: the film's title tag.
        sound_start_s: where in the sound the film begins.
    Raises:
        ChoreiaError: as `set_up`; sound that cannot be read, or a place that cannot be written.
    """
    show = set_up(motion, stage, size, fps)
    stage_air.haze(show.house.camera)
    reel = Reel(len(show), size, fps, audio, sound_start_s, title)
    write_film(drawn_ahead(lambda i: planes_of(frame(show, i)), len(show)), reel, path, progress)


def contact_sheet(
    motion: Motion,
    stage: Stage,
    path: str | os.PathLike[str],
    times_s: Sequence[float] | None = None,
    columns: int = 4,
    size: tuple[int, int] = (480, 272),
) -> None:
    """A PNG of pictures of a show, row by row.

    Args:
        motion, stage: as for `render_stage`.
        path: where the PNG goes.
        times_s: the moments, in seconds; twelve evenly spaced ones by default; times outside the dance show its ends.
        columns: pictures in a row.
        size: width and height of one picture, multiples of 4.
    Raises:
        ChoreiaError: as `set_up`; no moments, or a place that cannot be written.
    """
    moments = np.linspace(0, motion.duration_s, 12, endpoint=False) if times_s is None else np.asarray(times_s, float)
    if not len(moments):
        raise ChoreiaError("a contact sheet of no moments: give at least one time in seconds")
    show = set_up(motion, stage, size, stage.fps)
    pictures = [frame(show, min(max(clock.to_frame(float(moment), stage.fps), 0), len(show) - 1)) for moment in moments]
    blank = np.zeros_like(pictures[0])
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    write_png(path, np.concatenate([np.concatenate(row + [blank] * (columns - len(row)), axis=1) for row in rows]))
