"""A show in linear light: the stage of every frame before it becomes a picture, and what of its light falls on the dancer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.figure import rest_positions
from choreia.motion.skeleton import choreia24
from choreia.render import dancer, stage_air, stage_body, stage_house
from choreia.render.stage_house import COARSE, LAMPS, TEXTURED, House
from choreia.render.take import prepare
from choreia.stage import style
from choreia.types import TEXTURE, ZONES, Motion, Stage, Style

BEAMS, SPOT, CYC = ZONES.index("beams"), ZONES.index("spot"), ZONES.index("backdrop")

_SHADOWS, _SHADOW_DEPTH = 3, 0.85


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
        air += np.sum([stage_air.shaft(one, house) for one in fan.beams], axis=0)[:, :, None] * fan.rgb
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


def on_dancer(show: Show, i: int, lit: Lit, posed: dancer.Pose) -> stage_body.Lights:
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
