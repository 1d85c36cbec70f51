"""A show in linear light: the stage of every frame before it becomes a picture, and what of its light falls on the dancer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.figure import rest_positions
from choreia.motion.skeleton import choreia24
from choreia.render import stage_air, stage_body, stage_figure, stage_house
from choreia.render.camera import Camera
from choreia.render.stage_figure import Figure, Posed
from choreia.render.stage_house import COARSE, LAMPS, TEXTURED, House
from choreia.render.take import prepare
from choreia.stage import style
from choreia.types import TEXTURE, ZONES, Motion, Stage, Style

BEAMS, SPOT, CYC = ZONES.index("beams"), ZONES.index("spot"), ZONES.index("backdrop")

_SHADOWS, _SHADOW_DEPTH = 3, 0.85
_ZONE = np.array([lamp.zone for lamp in LAMPS])
_PLACES = np.stack([*(lamp.place for lamp in LAMPS), style.SOURCES_M[SPOT]])


@dataclass(frozen=True)
class Arriving:
    """What the L lamps of `LAMPS` send to a place in every picture: light (T, L), 1 at a lamp's focus, and its direction (T, L, 3)."""

    light: np.ndarray
    way: np.ndarray


@dataclass(frozen=True)
class Show:
    """A dance and its light, one row a picture, and the house and the figure that show them.

    times_s (T,); moves (T, J, 3, 4) as `take.Take`; chest (T, 3) m; track: Style; rgb (T, len(ZONES), 3): linear light of every zone, the
    strobe's dark halves included; cloth (T, 3): linear RGB of the
    costume in white light; phase_m (T,): drift of the texture; heads (T, n, 3): unit directions of the moving heads.
    at_chest, under_chest: the lamps' light on the dancer and on the floor below.
    """

    house: House
    figure: Figure
    times_s: np.ndarray
    moves: np.ndarray
    chest: np.ndarray
    track: Style
    rgb: np.ndarray
    cloth: np.ndarray
    phase_m: np.ndarray
    heads: np.ndarray
    at_chest: Arriving
    under_chest: Arriving

    def __len__(self) -> int:
        return len(self.moves)


@dataclass(frozen=True)
class Fan:
    """Moving beams of one colour, linear RGB (3,)."""

    beams: tuple[stage_air.Beam, ...]
    rgb: np.ndarray


@dataclass(frozen=True)
class Lit:
    """The stage without its dancer in linear light on the house's grid: what surfaces send to the eye and what the air adds, (h, w, 3), and
    the moving beams in it."""

    ground: np.ndarray
    air: np.ndarray
    fans: tuple[Fan, ...] = ()


def set_up(motion: Motion, stage: Stage, size: tuple[int, int] = (1280, 720), fps: float = 30.0) -> Show:
    """Everything that the frames of a film need; frame i is at i / fps s.

    Raises:
        ChoreiaError: no frames, a stage without rows, a rate or a size that video cannot have.
    """
    if not 1 <= fps <= 240:
        raise ChoreiaError(f"cannot film at {fps:g} frames a second: give 1 to 240")
    moves = prepare(motion, fps, size).moves
    return show_of(moves, stage, clock.frame_times(len(moves), fps), stage_house.seat(joints(moves), size), stage_figure.whole())


def show_of(moves: np.ndarray, stage: Stage, times_s: np.ndarray, camera: Camera, figure: Figure) -> Show:
    """A show of poses `moves` (T, J, 3, 4) in the light of a stage at `times_s` (T,); its last row stays.

    Raises:
        ChoreiaError: a stage without rows.
    """
    if len(stage.track) == 0:
        raise ChoreiaError("cannot light a dance with a stage that has no rows: make its track at least one frame long")
    rows = np.clip(np.round(times_s * stage.fps).astype(int), 0, len(stage.track) - 1)
    track, chest = stage.track.rows(rows), joints(moves)[:, choreia24().index("spine3")]
    return Show(
        stage_house.house(camera), figure, times_s, moves, chest, track,
        (style.zone_light(track) * shutter_open(stage)[rows, None, None]).astype(np.float32),
        style.costume_rgb(track), style.texture_phase(stage.track, stage.fps)[rows], style.beam_directions(track, stage_air.SPREAD),
        _arriving(chest), _arriving(chest * np.array([1, 0, 1])),
    )  # fmt: skip


def _arriving(points: np.ndarray) -> Arriving:
    light, way = zip(*(lamp.at(points) for lamp in LAMPS), strict=True)
    return Arriving(np.stack(light, axis=1), np.stack(way, axis=1))


def joints(moves: np.ndarray) -> np.ndarray:
    """World joint positions (T, J, 3)."""
    rest = rest_positions(choreia24(), stage_figure.whole().skin.mesh.root).astype(np.float32)
    return (moves[..., :3] @ rest[:, :, None])[..., 0] + moves[..., 3]


def shutter_open(stage: Stage) -> np.ndarray:
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


def _fans(show: Show, i: int) -> tuple[Fan, ...]:
    """Moving beams of frame i that are lit: the heads, and the spot, which looks at the dancer's chest."""
    front = show.house.camera.z - 2
    place = style.SOURCES_M[SPOT]
    axis = (show.chest[i] - place) / np.linalg.norm(show.chest[i] - place)
    spot = stage_air.beam(place, axis, stage_air.SPOT_HALF_RAD, front)
    heads = tuple(
        stage_air.beam(at, towards, stage_air.BEAM_HALF_RAD, front) for at, towards in zip(stage_air.HEADS_M, show.heads[i], strict=True)
    )
    fans = Fan(heads, np.float32(1.3) * show.rgb[i, BEAMS]), Fan((spot,), np.float32(1.6) * show.rgb[i, SPOT])
    return tuple(fan for fan in fans if fan.rgb.any())


def light(show: Show, i: int, posed: Posed) -> Lit:
    """The stage of frame i with beams, and with the shadows that the dancer leaves on the floor."""
    house = show.house
    lit = light_of(house, show.rgb[i], _passed(show, i, house.plane, house.leaves))
    ground, air, fans = lit.ground, lit.air, _fans(show, i)
    for fan in fans:
        air += np.sum([stage_air.shaft(one, house) for one in fan.beams], axis=0)[:, :, None] * fan.rgb
        for one in fan.beams:
            _pool(ground, one, fan.rgb, house)
    air *= stage_air.drifted(house.shape, float(show.times_s[i]))
    places, colours = _casting(show, i)
    *cast, contact = stage_body.shadows(posed, places, house)
    for kept, rgb in zip(cast, colours, strict=True):
        _shade_floor(ground, kept, rgb, house)
    ground *= 1 - np.float32(0.6) * (contact * house.floor)[:, :, None]
    _mirror(ground, air, house)
    return Lit(ground, air, fans)


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


def _casting(show: Show, i: int) -> tuple[np.ndarray, np.ndarray]:
    """The lamps whose shadows show most: places (n, 3) and their light on the floor under the dancer (n, 3)."""
    down = show.under_chest.light[i] * -show.under_chest.way[i, :, 1]
    colours = np.concatenate([show.rgb[i, _ZONE] * down[:, None], show.rgb[i, SPOT : SPOT + 1]])
    brightness = colours.sum(axis=1)
    most = np.argsort(-brightness, kind="stable")[:_SHADOWS]
    most = most[brightness[most] > 0.02]
    return _PLACES[most], colours[most]


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


def on_dancer(show: Show, i: int, lit: Lit, posed: Posed) -> stage_body.Lights:
    """What falls on the dancer in frame i."""
    rgb = show.rgb[i]
    beams = [(one, fan.rgb * one.at(show.chest[i])) for fan in lit.fans for one in fan.beams]
    towards = np.stack([*-show.at_chest.way[i], *(-one.axis for one, _ in beams), np.array([0, 0.2, -0.98])])
    colours = np.stack([*rgb[_ZONE] * show.at_chest.light[i][:, None], *(colour for _, colour in beams), 0.12 * rgb[CYC]])
    textured = np.concatenate([TEXTURED[_ZONE], np.zeros(len(beams) + 1, bool)])
    keep = colours.sum(axis=1) > 1e-3
    keep[-1] = True
    across = posed.vertices[:, [0, 2]] + 0.4 * posed.vertices[:, 1:2]
    passed = np.where(textured[keep], _passed(show, i, across, stage_house.torn(across))[:, None], 1)
    floor = lit.ground[show.house.horizon :].mean(axis=(0, 1)) if show.house.horizon < len(lit.ground) else np.zeros(3)
    return stage_body.Lights(towards[keep], colours[keep], passed, 0.22 * floor)
