"""A dance in its light: frames, films with sound and contact sheets of a `Motion` under a `Stage`.

A frame is made in linear light at a quarter of its size: maps of `stage_house` and `stage_air` weighted by the zones' colours, beams,
shadows, reflection and glow. It is tone-mapped, enlarged, given the full-size texture of floor and cloth, and the dancer is laid over it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion.figure import rest_positions
from choreia.motion.skeleton import choreia24
from choreia.render import dancer, stage_air, stage_body, stage_house
from choreia.render.sound import SoundTrack, blocks_of
from choreia.render.stage_house import COARSE, LAMPS, TEXTURED, House, enlarge
from choreia.render.still import write_png
from choreia.render.take import prepare
from choreia.render.video import Progress, _picture_stream
from choreia.stage import style
from choreia.types import BEAM, COSTUME, TEXTURE, ZONES, Audio, Motion, Stage, Style

BEAMS, SPOT, CYC = ZONES.index("beams"), ZONES.index("spot"), ZONES.index("backdrop")

_THREADS, _AHEAD = min(max(os.cpu_count() or 2, 2), 4), 6
_EXPOSURE, _CROSSTALK = 4.4, 0.035
_FILM = -_EXPOSURE * ((1 - _CROSSTALK) * np.eye(3, dtype=np.float32) + np.float32(_CROSSTALK / 3))
_SHADOWS, _SHADOW_DEPTH = 3, 0.85
_STRIPE = 8  # map rows finished at a time: few enough to stay in the cache
_GLOW = np.float32(0.10)
_IN_FRONT = np.float32(0.40)
"""Share of the haze that hangs between the dancer and the eye."""


@dataclass(frozen=True)
class Show:
    """A dance and its light, one row a picture at `fps`, and the house they are seen in.

    moves (T, J, 3, 4) as `take.Take`; chest (T, 3) m; track: Style; rgb (T, len(ZONES), 3): linear light of every zone, the strobe's dark
    halves included; phase_m (T,): drift of the texture; heads (T, n, 3): unit directions of the moving heads.
    """

    house: House
    moves: np.ndarray
    chest: np.ndarray
    track: Style
    rgb: np.ndarray
    phase_m: np.ndarray
    heads: np.ndarray
    fps: float

    def __len__(self) -> int:
        return len(self.moves)


@dataclass(frozen=True)
class Lit:
    """The stage without its dancer in linear light on the house's grid: what surfaces send to the eye and what the air adds, (h, w, 3)."""

    ground: np.ndarray
    air: np.ndarray


def set_up(motion: Motion, stage: Stage, size: tuple[int, int] = (1280, 720), fps: float = 30.0) -> Show:
    """Everything that the frames of a show need.

    Raises:
        ChoreiaError: no frames, a stage without rows, a rate or a size that video cannot have.
    """
    if not 1 <= fps <= 240:
        raise ChoreiaError(f"cannot film at {fps:g} frames a second: give 1 to 240")
    if len(stage.track) == 0:
        raise ChoreiaError("cannot light a dance with a stage that has no rows: make its track at least one frame long")
    take = prepare(motion, fps, size)
    joints = _joints(take.moves)
    rows = np.minimum(np.round(clock.frame_times(len(take), fps) * stage.fps).astype(int), len(stage.track) - 1)
    track = stage.track.rows(rows)
    return Show(
        stage_house.house(stage_house.seat(joints, size)), take.moves, joints[:, choreia24().index("spine3")], track,
        (style.zone_light(track) * _open(stage)[rows, None, None]).astype(np.float32),
        style.texture_phase(stage.track, stage.fps)[rows], style.beam_directions(track, stage_air.SPREAD), fps,
    )  # fmt: skip


def _joints(moves: np.ndarray) -> np.ndarray:
    """World joint positions (T, J, 3)."""
    rest = rest_positions(choreia24(), dancer.skin().mesh.root).astype(np.float32)
    return (moves[..., :3] @ rest[:, :, None])[..., 0] + moves[..., 3]


def _open(stage: Stage) -> np.ndarray:
    """Whether the strobe lets light through, (T,): dark in the second half of every flash, as in `stage.rig_dmx`."""
    phase = np.cumsum(stage.track.strobe_hz.astype(float)) / stage.fps
    return (stage.track.strobe_hz <= 0) | (phase % 1 < 0.5)


def light_of(house: House, rgb: np.ndarray, passed: np.ndarray | float = 1.0) -> Lit:
    """What the fixed lamps do to the empty stage: zones of `rgb` (len(ZONES), 3), gobos that let `passed` (h * w,) through."""
    height, width = house.shape
    ground = house.plain @ rgb + (house.textured @ rgb) * np.reshape(np.asarray(passed, np.float32), (-1, 1))
    return Lit(ground.reshape(height, width, 3), (stage_air.haze(house.camera) @ rgb).reshape(height, width, 3))


def _passed(show: Show, i: int, points_m: np.ndarray, torn_m: np.ndarray) -> np.ndarray:
    """The texture field at (n, 2) in frame i, (n,), a weave torn by (n, 2) m; ones where there is hardly any."""
    texture = show.track.texture[i : i + 1]
    if texture[0, TEXTURE.index("depth")] < 0.02:
        return np.ones(len(points_m))
    return style.texture_field(texture, show.phase_m[i : i + 1], points_m + texture[0, TEXTURE.index("weave")] * torn_m)[0]


@dataclass(frozen=True)
class _Fan:
    """Moving beams of one colour, linear RGB (3,)."""

    beams: tuple[stage_air.Beam, ...]
    rgb: np.ndarray


def _fans(show: Show, i: int) -> list[_Fan]:
    """Moving beams of frame i that are lit: the heads, and the spot, which looks at the dancer's chest."""
    front = show.house.camera.z - 2
    place = style.SOURCES_M[SPOT]
    axis = (show.chest[i] - place) / np.linalg.norm(show.chest[i] - place)
    spot = stage_air.beam(place, axis, stage_air.SPOT_HALF_RAD, front)
    heads = tuple(
        stage_air.beam(at, towards, stage_air.BEAM_HALF_RAD, front) for at, towards in zip(stage_air.HEADS_M, show.heads[i], strict=True)
    )
    fans = _Fan(heads, np.float32(1.3) * show.rgb[i, BEAMS]), _Fan((spot,), np.float32(1.6) * show.rgb[i, SPOT])
    return [fan for fan in fans if fan.rgb.any()]


def light(show: Show, i: int, posed: dancer.Pose) -> Lit:
    """The stage of frame i with beams, and with the shadows that the dancer leaves on the floor."""
    house = show.house
    lit = light_of(house, show.rgb[i], _passed(show, i, house.plane, house.leaves))
    ground, air = lit.ground, lit.air
    for fan in _fans(show, i):
        air += sum(stage_air.shaft(one, house) for one in fan.beams)[:, :, None] * fan.rgb
        for one in fan.beams:
            _pool(ground, one, fan.rgb, house)
    air *= stage_air.drifted(house.shape, i / show.fps)
    for place, rgb in _casting(show, i):
        _shade_floor(ground, stage_body.shadow(posed, place, house), rgb, house)
    ground *= 1 - np.float32(0.6) * (stage_body.contact(posed, house) * house.floor)[:, :, None]
    _mirror(ground, air, house)
    return Lit(ground, air)


def _pool(ground: np.ndarray, one: stage_air.Beam, rgb: np.ndarray, house: House) -> None:
    """Add the light of a beam on the floor, where it has any."""
    if one.end[1] > 0.1:
        return
    size = 1.3 * one.length_m * np.tan(one.half_rad) / -one.axis[1] + 0.1
    corners = house.camera.project(one.end + size * np.array([[-1, 0, 1], [1, 0, 1], [-1, 0, -1], [1, 0, -1]]))
    (left, right), (top, bottom) = ((int(max(v.min() / COARSE, 0)), int(max(v.max() / COARSE, -1)) + 1) for v in (corners.x, corners.y))
    box = slice(max(top, house.horizon), bottom), slice(left, right)
    points = house.surfaces.points.reshape(*house.shape, 3)[box].astype(np.float32)
    shine = one.at(points) * house.diffuse.reshape(house.shape)[box] * np.float32(-one.axis[1])
    ground[box] += shine[:, :, None] * rgb


def _casting(show: Show, i: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The lamps whose shadows show most: places (3,) and their light on the floor under the dancer (3,)."""
    under = show.chest[i] * np.array([1, 0, 1])
    arriving = [float(lamp.at(under[None])[0][0] * -lamp.at(under[None])[1][0, 1]) for lamp in LAMPS]
    found = [(lamp.place, show.rgb[i, lamp.zone] * value) for lamp, value in zip(LAMPS, arriving, strict=True)]
    if show.rgb[i, SPOT].any():
        found.append((style.SOURCES_M[SPOT], show.rgb[i, SPOT]))
    found.sort(key=lambda pair: -float(pair[1].sum()))
    return [pair for pair in found[:_SHADOWS] if pair[1].sum() > 0.02]


def _shade_floor(ground: np.ndarray, kept: np.ndarray, rgb: np.ndarray, house: House) -> None:
    """Take from the floor what the dancer keeps of a lamp's light."""
    rows = slice(house.horizon, None)
    part = ground[rows]
    lost = (kept[rows] * house.diffuse.reshape(house.shape)[rows])[:, :, None] * (np.float32(_SHADOW_DEPTH) * rgb.astype(np.float32))
    np.maximum(part - lost, np.float32(0.08) * part, out=part)


def _mirror(ground: np.ndarray, air: np.ndarray, house: House) -> None:
    """Add to the floor what its varnish mirrors: a plane that stands on the floor is seen upside down below its foot."""
    top = house.horizon
    rows = min(len(ground) - top, top)
    above = (ground[top - rows : top] + air[top - rows : top])[::-1]
    share = np.linspace(0.16, 0.05, rows, dtype=np.float32)[:, None, None]
    ground[top : top + rows] += uniform_filter(above, (7, 3, 1)) * share * house.floor[top : top + rows, :, None]


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


def _lights(show: Show, i: int, lit: Lit, posed: dancer.Pose) -> stage_body.Lights:
    """What falls on the dancer in frame i."""
    chest, rgb = show.chest[i][None].astype(float), show.rgb[i]
    fixed = [(lamp.zone, *lamp.at(chest)) for lamp in LAMPS]
    towards, colours = [-way[0] for _, _, way in fixed], [rgb[zone] * value[0] for zone, value, _ in fixed]
    textured = [bool(TEXTURED[zone]) for zone, _, _ in fixed]
    for one, colour in ((one, fan.rgb) for fan in _fans(show, i) for one in fan.beams):
        towards, colours, textured = [*towards, -one.axis], [*colours, colour * float(one.at(chest)[0])], [*textured, False]
    towards, colours, textured = [*towards, np.array([0, 0.2, -0.98])], [*colours, 0.12 * rgb[CYC]], [*textured, False]
    keep = np.array([float(colour.sum()) > 1e-3 for colour in colours])
    keep[-1] = True
    across = posed.vertices[:, [0, 2]] + 0.4 * posed.vertices[:, 1:2]
    passed = np.where(np.array(textured)[keep], _passed(show, i, across, stage_house.torn(across))[:, None], 1)
    floor = lit.ground[show.house.horizon :].mean(axis=(0, 1)) if show.house.horizon < len(lit.ground) else np.zeros(3)
    return stage_body.Lights(np.array(towards)[keep], np.array(colours)[keep], passed, 0.22 * floor)


def _costume(track: Style, i: int) -> stage_body.Costume:
    roughness, metal, pattern = (float(track.costume[i, COSTUME.index(name)]) for name in ("roughness", "metal", "pattern"))
    return stage_body.Costume(style.costume_rgb(track.rows(slice(i, i + 1)))[0], roughness, metal, pattern)


def frame(show: Show, i: int) -> np.ndarray:
    """Picture i: (H, W, 3) uint8 display RGB."""
    house, camera = show.house, show.house.camera
    posed = dancer.pose(dancer.skin(), show.moves[i])
    lit = light(show, i, posed)
    halo = glow(lit.ground + lit.air)
    eye = np.array([camera.x, camera.y, camera.z])
    skin = stage_body.shade(posed, _costume(show.track, i), _lights(show, i, lit, posed), eye)
    skin += _veil(posed, lit.air * _IN_FRONT + halo, house)
    body = stage_body.cut_out(posed, display(skin), camera)
    shown = display(lit.ground + lit.air + halo)
    if body is not None:
        _reflect(shown, body, show.moves[i, 0, :, 3], posed, house)
    return _finish(shown, body, house)


def _veil(posed: dancer.Pose, veil: np.ndarray, house: House) -> np.ndarray:
    """The light of the air in front of every vertex, (V, 3)."""
    view = house.camera.project(posed.vertices)
    column = np.clip(view.x / COARSE, 0, house.shape[1] - 1).astype(int)
    row = np.clip(view.y / COARSE, 0, house.shape[0] - 1).astype(int)
    return veil[row, column]


def _reflect(shown: np.ndarray, body: stage_body.CutOut, root: np.ndarray, posed: dancer.Pose, house: House) -> None:
    """Lay the dancer upside down on the floor of the display map (h, w, 3), fading with height."""
    middle = posed.vertices.mean(axis=0) * np.array([1, 0, 1], np.float32)
    floor = round(float(house.camera.project(middle[None]).y[0]) / COARSE)
    box = body.box
    small = [_shrunk(plane)[::-1] for plane in (body.shown, body.cover)]
    top = 2 * floor - box.bottom // COARSE
    first, last = max(0, -top, house.horizon - top), min(len(small[0]), len(shown) - top)
    if first >= last:
        return
    metre = house.camera.focal / house.camera.z / COARSE
    fade = 0.30 * np.exp(-np.maximum(np.arange(first, last) + top - floor, 0) / (0.55 * metre)).astype(np.float32)[:, None, None]
    part = shown[top + first : top + last, box.left // COARSE : box.right // COARSE]
    part *= 1 - 0.6 * fade * small[1][first:last]
    part += fade * small[0][first:last]


def _shrunk(plane: np.ndarray) -> np.ndarray:
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
    return _drawn(show)


def _drawn(show: Show) -> Iterator[np.ndarray]:
    waiting: deque[Future[np.ndarray]] = deque()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for i in range(len(show)):
            waiting.append(pool.submit(frame, show, i))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


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
    import av

    show = set_up(motion, stage, size, fps)
    duration_s, rate = len(show) / fps, Fraction(fps).limit_denominator(1001)
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        film.metadata.update({} if title is None else {"title": title})
        pictures = _picture_stream(film, rate, size)
        sound = None if audio is None else SoundTrack(film, blocks_of(audio, sound_start_s, duration_s), duration_s)
        for i, rgb in enumerate(_drawn(show)):
            film.mux(pictures.encode(_planar(rgb, i, rate)))
            if sound is not None:
                sound.write_until((i + 1) / fps)
            if progress is not None:
                progress("filming", (i + 1) / len(show))
        film.mux(pictures.encode(None))
        if sound is not None:
            sound.close()


def _planar(rgb: np.ndarray, i: int, rate: Fraction) -> Any:
    """Picture i as the encoder takes it, in BT.709's video range."""
    import av

    full = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    picture = full.reformat(format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG")
    picture.pts, picture.time_base = i, 1 / rate
    return picture


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
        ChoreiaError: as `set_up`, or a place that cannot be written.
    """
    show = set_up(motion, stage, size, stage.fps)
    moments = np.linspace(0, motion.duration_s, 12, endpoint=False) if times_s is None else np.asarray(times_s, float)
    pictures = [frame(show, min(max(clock.to_frame(float(moment), show.fps), 0), len(show) - 1)) for moment in moments]
    blank = np.zeros_like(pictures[0])
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    write_png(path, np.concatenate([np.concatenate(row + [blank] * (columns - len(row)), axis=1) for row in rows]))
