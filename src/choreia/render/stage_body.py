"""The dancer in costume under the lamps of a show: shaded skin and cloth, shadows on the floor, the cut-out that is laid on the stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.ndimage import uniform_filter

from choreia.motion.figure import MATERIALS
from choreia.render import dancer, raster
from choreia.render.camera import Camera, View
from choreia.render.planes import Box
from choreia.render.stage_house import COARSE, House

_NAMES = tuple(material.name for material in MATERIALS)
_EVERY = 4  # of the skin's vertices, those that cast shadows


@dataclass(frozen=True)
class Costume:
    """Cloth: linear RGB (3,) in white light, and roughness, metal, pattern in [0, 1] as `types.COSTUME` says."""

    rgb: np.ndarray
    roughness: float
    metal: float
    pattern: float


@dataclass(frozen=True)
class Lights:
    """What falls on the dancer: unit directions towards each lamp (n, 3), its linear RGB there (n, 3), what part of it gobos let through to
    each vertex (V or 1, n), and light from everywhere (3,)."""

    towards: np.ndarray
    rgb: np.ndarray
    passed: np.ndarray
    ambient: np.ndarray


@dataclass(frozen=True)
class CutOut:
    """The dancer in a box of the picture: display RGB (h, w, 3) times cover, and cover (h, w, 1) in [0, 1]."""

    box: Box
    shown: np.ndarray
    cover: np.ndarray


@dataclass(frozen=True)
class _Cloth:
    """Where the costume is on the skin: share of its colour (V, 1), print (V, 1) in [0, 1], crooked normals of sequins (V, 3)."""

    share: np.ndarray
    printed: np.ndarray
    crooked: np.ndarray


@cache
def _cloth() -> _Cloth:
    mesh = dancer.skin().mesh
    share = np.zeros(len(mesh.vertices), np.float32)
    share[mesh.material == _NAMES.index("top")] = 1.0
    share[mesh.material == _NAMES.index("trousers")] = 0.7
    x, y, z = mesh.vertices.T
    weave = np.sin(38 * (y + 0.6 * x)) * np.sin(38 * (y - 0.6 * x)) + 0.5 * np.sin(60 * z)
    crooked = np.random.default_rng(5).standard_normal(mesh.normals.shape)
    return _Cloth(share[:, None], (weave > 0.1).astype(np.float32)[:, None], crooked.astype(np.float32))


def _albedo(costume: Costume) -> np.ndarray:
    """Linear RGB of the dressed skin in white light, (V, 3)."""
    figure, cloth = dancer.skin(), _cloth()
    dyed = costume.rgb * (1 - 0.65 * costume.pattern * cloth.printed) * cloth.share + 0.012
    shoes = (figure.mesh.material == _NAMES.index("shoes")) | (figure.mesh.material == _NAMES.index("soles"))
    bare = figure.albedo * np.where(shoes, 0.25, 1.0)[:, None]
    return np.where(cloth.share > 0, dyed, bare).astype(np.float32)


def shade(posed: dancer.Pose, costume: Costume, lights: Lights, eye: np.ndarray) -> np.ndarray:
    """Linear RGB that leaves every vertex towards the eye at (3,) m, (V, 3) float32.

    Matte cloth spreads light, satin (low roughness) adds a highlight of the lamp's colour, metal gives its own colour to the highlight
    and breaks it up into sequins. Lamps from behind light the nap at the outline.
    """
    figure, cloth = dancer.skin(), _cloth()
    albedo = _albedo(costume)
    metal = np.float32(costume.metal) * (cloth.share > 0)
    towards, rgb = lights.towards.astype(np.float32), lights.rgb.astype(np.float32)
    facing = posed.normals @ towards.T
    look = eye.astype(np.float32) - posed.vertices
    look /= np.sqrt((look * look).sum(axis=1, keepdims=True))
    open_ = np.sqrt(figure.mesh.openness)[:, None]
    passed = open_ * lights.passed.astype(np.float32)
    matte = (np.maximum((facing + 0.12) / 1.12, 0) * passed) @ rgb * (1 - 0.75 * metal) + lights.ambient
    glint = (_glints(posed, costume, metal, look, towards) * (facing > -0.1) * passed) @ rgb
    edge = (1 - np.abs((posed.normals * look).sum(axis=1, keepdims=True))) ** 3
    rim = (np.maximum(-look @ towards.T, 0) * np.maximum(facing + 0.35, 0) * passed) @ rgb * edge
    gloss = np.where(cloth.share > 0, 0.10 + 0.55 * (1 - costume.roughness), 0.25 * figure.gloss[:, None])
    tint = 1 + metal * (2.5 * albedo / max(float(costume.rgb.max()), 0.05) - 1)
    return ((matte + 2.0 * rim) * albedo + 1.1 * rim + glint * tint * gloss * (1 + 1.5 * edge)).astype(np.float32)


def _glints(posed: dancer.Pose, costume: Costume, metal: np.ndarray, look: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Highlights of every lamp on every vertex, (V, n) in [0, 1]."""
    normals = posed.normals + 0.38 * metal * _cloth().crooked
    normals /= np.sqrt((normals * normals).sum(axis=1, keepdims=True))
    halfway = np.sqrt(np.maximum(2 + 2 * look @ towards.T, 1e-3))
    across = (np.sum(look * normals, axis=1, keepdims=True) + normals @ towards.T) / halfway
    power = 4 + 44 * (1 - costume.roughness) ** 2
    return np.exp2(np.float32(power * 1.4427) * np.log(np.clip(across, 1e-4, 1)))


def cut_out(posed: dancer.Pose, shown: np.ndarray, camera: Camera) -> CutOut | None:
    """The dancer as the camera sees it, from display RGB (V, 3) of the skin; None out of the picture."""
    figure = dancer.skin()
    view = camera.project(posed.vertices)
    box = _box(view, camera)
    if box is None:
        return None
    width, height = box.size
    sharp = np.float32(2)
    triangles = raster.visible((view.x - box.left) * sharp, (view.y - box.top) * sharp, view.depth - figure.lift, figure.faces)
    buffer = raster.cover(triangles, 2 * width, 2 * height)
    painted = raster.halve(raster.paint(buffer, raster.planes(triangles, np.ascontiguousarray(shown.T))))
    cover = raster.halve((buffer >= 0).astype(np.float32))
    return CutOut(box, np.ascontiguousarray(np.maximum(painted, 0).transpose(1, 2, 0)), cover[:, :, None])


def _box(view: View, camera: Camera) -> Box | None:
    """The part of the picture around points, its edges multiples of 4; None when they miss it."""
    width, height = camera.size
    left, top = max(0, int(view.x.min() - 2) // 4 * 4), max(0, int(view.y.min() - 2) // 4 * 4)
    right, bottom = min(width, (int(view.x.max()) + 6) // 4 * 4), min(height, (int(view.y.max()) + 6) // 4 * 4)
    return Box(left, top, right, bottom) if right > left and bottom > top else None


def shadow(posed: dancer.Pose, place: np.ndarray, house: House) -> np.ndarray:
    """What share of the light of a lamp at `place` (3,) m the dancer keeps from the floor, (h, w) in [0, 1] on the grid of `House`."""
    points = posed.vertices[::_EVERY]
    points = points[points[:, 1] < place[1] - 0.2]
    height = np.maximum(points[:, 1:2], 0)
    cast = points + (points - place) * (height / (place[1] - height))
    spread = (place[1] / (place[1] - height[:, 0])) ** 2
    area = dancer.skin().area[::_EVERY][posed.vertices[::_EVERY, 1] < place[1] - 0.2] * _EVERY
    return _splat(cast, 0.5 * area * spread, house)


def contact(posed: dancer.Pose, house: House) -> np.ndarray:
    """The dark of the floor close under the dancer, (h, w) in [0, 1]."""
    points = posed.vertices[::_EVERY]
    near = np.clip(1 - points[:, 1] / 0.25, 0, 1) ** 2
    return _splat(points * np.array([1, 0, 1], np.float32), 1.2 * dancer.skin().area[::_EVERY] * _EVERY * near, house)


def _splat(points: np.ndarray, area: np.ndarray, house: House) -> np.ndarray:
    """How densely patches of `area` (n,) m² cover the floor at `points` (n, 3), softened, (h, w) in [0, 1]."""
    camera, (height, width) = house.camera, house.shape
    view = camera.project(points.astype(np.float32))
    column, row = (view.x / COARSE).astype(int), (view.y / COARSE).astype(int)
    seen = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (points[:, 2] < camera.z - 1)
    sample = COARSE**2 * view.depth**3 / (camera.focal**2 * camera.y)
    dense = np.bincount((row * width + column)[seen], (area / sample)[seen], height * width).reshape(height, width)
    rows = slice(max(house.horizon - 2, 0), height)
    blur = max(2, width // 110), max(3, width // 60)
    dense[rows] = uniform_filter(uniform_filter(dense[rows], blur), blur)
    return (1 - np.exp(-1.3 * dense)).astype(np.float32)
