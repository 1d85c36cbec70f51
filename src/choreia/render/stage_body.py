"""The dancer in costume under the lamps of a show: shaded skin and cloth, shadows on the floor, the cut-out that is laid on the stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from choreia.render import raster
from choreia.render.camera import Camera, View
from choreia.render.planes import Box
from choreia.render.stage_figure import Figure, Posed
from choreia.render.stage_house import COARSE, House


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


def _albedo(figure: Figure, costume: Costume) -> np.ndarray:
    """Linear RGB of the dressed skin in white light, (V, 3)."""
    dyed = costume.rgb * (1 - 0.65 * costume.pattern * figure.printed) * figure.share + 0.012
    bare = figure.skin.albedo * np.where(figure.shoes, 0.25, 1.0)[:, None]
    return np.where(figure.share > 0, dyed, bare).astype(np.float32)


def shade(posed: Posed, costume: Costume, lights: Lights, eye: np.ndarray) -> np.ndarray:
    """Linear RGB that leaves every vertex towards the eye at (3,) m, (V, 3) float32.

    Matte cloth spreads light, satin (low roughness) adds a highlight of the lamp's colour, metal gives its own colour to the highlight
    and breaks it up into sequins. Lamps from behind light the nap at the outline.
    """
    figure, skin = posed.figure, posed.figure.skin
    albedo = _albedo(figure, costume)
    metal = np.float32(costume.metal) * (figure.share > 0)
    towards, rgb = lights.towards.astype(np.float32), lights.rgb.astype(np.float32)
    facing = posed.normals @ towards.T
    look = eye.astype(np.float32) - posed.vertices
    look /= np.sqrt((look * look).sum(axis=1, keepdims=True))
    open_ = np.sqrt(skin.mesh.openness)[:, None]
    passed = open_ * lights.passed.astype(np.float32)
    matte = (np.maximum((facing + 0.12) / 1.12, 0) * passed) @ rgb * (1 - 0.75 * metal) + lights.ambient
    glint = (_glints(posed, costume, metal, look, towards) * (facing > -0.1) * passed) @ rgb
    edge = (1 - np.abs((posed.normals * look).sum(axis=1, keepdims=True))) ** 3
    rim = (np.maximum(-look @ towards.T, 0) * np.maximum(facing + 0.35, 0) * passed) @ rgb * edge
    gloss = np.where(figure.share > 0, 0.10 + 0.55 * (1 - costume.roughness), 0.25 * skin.gloss[:, None])
    tint = 1 + metal * (2.5 * albedo / max(float(costume.rgb.max()), 0.05) - 1)
    return ((matte + 2.0 * rim) * albedo + 1.1 * rim + glint * tint * gloss * (1 + 1.5 * edge)).astype(np.float32)


def _glints(posed: Posed, costume: Costume, metal: np.ndarray, look: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Highlights of every lamp on every vertex, (V, n) in [0, 1]."""
    normals = posed.normals + 0.38 * metal * posed.figure.crooked
    normals /= np.sqrt((normals * normals).sum(axis=1, keepdims=True))
    halfway = np.sqrt(np.maximum(2 + 2 * look @ towards.T, 1e-3))
    across = (np.sum(look * normals, axis=1, keepdims=True) + normals @ towards.T) / halfway
    power = 4 + 44 * (1 - costume.roughness) ** 2
    return np.exp2(np.float32(power * 1.4427) * np.log(np.clip(across, 1e-4, 1)))


def cut_out(posed: Posed, shown: np.ndarray, camera: Camera, sharp: bool = True) -> CutOut | None:
    """The dancer as the camera sees it, from display RGB (V, 3) of the skin, with smooth edges if `sharp`; None out of the picture."""
    skin, times = posed.figure.skin, 2 if sharp else 1
    view = camera.project(posed.vertices)
    box = _box(view, camera)
    if box is None:
        return None
    x, y = (view.x - box.left) * np.float32(times), (view.y - box.top) * np.float32(times)
    triangles = raster.visible(x, y, view.depth - skin.lift, skin.faces)
    buffer = raster.cover(triangles, times * box.size[0], times * box.size[1])
    painted = raster.paint(buffer, raster.planes(triangles, np.ascontiguousarray(shown.T)))
    cover = (buffer >= 0).astype(np.float32)
    if sharp:
        painted, cover = raster.halve(painted), raster.halve(cover)
    return CutOut(box, np.ascontiguousarray(np.maximum(painted, 0).transpose(1, 2, 0)), cover[:, :, None])


def _box(view: View, camera: Camera) -> Box | None:
    """The part of the picture around points, its edges multiples of 4; None when they miss it."""
    width, height = camera.size
    left, top = max(0, int(view.x.min() - 2) // 4 * 4), max(0, int(view.y.min() - 2) // 4 * 4)
    right, bottom = min(width, (int(view.x.max()) + 6) // 4 * 4), min(height, (int(view.y.max()) + 6) // 4 * 4)
    return Box(left, top, right, bottom) if right > left and bottom > top else None


def shadows(posed: Posed, places: np.ndarray, house: House) -> np.ndarray:
    """What share of the light of lamps at `places` (n, 3) m the dancer keeps from the floor, and last the dark close under the dancer:
    (n + 1, h, w) in [0, 1] on the grid of `House`."""
    points, area = posed.vertices[posed.figure.casters], posed.figure.cast_m2
    near = np.clip(1 - points[:, 1] / 0.25, 0, 1) ** 2
    patches = [_cast(points, area, place.astype(np.float32)) for place in places]
    return _splat([*patches, (points * np.array([1, 0, 1], np.float32), 1.2 * area * near)], house)


def _cast(points: np.ndarray, area: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the light of a lamp carries `points` (n, 3) of `area` (n,) onto the floor, and the area that they cover there."""
    height = np.clip(points[:, 1], 0, place[1] - np.float32(0.2))
    grown = place[1] / (place[1] - height)
    return place + (points - place) * grown[:, None], 0.5 * area * grown**2 * (points[:, 1] < place[1] - 0.2)


def _splat(patches: list[tuple[np.ndarray, np.ndarray]], house: House) -> np.ndarray:
    """How densely patches (points (n, 3) on the floor, area (n,) m²) cover it, softened, (len(patches), h, w) in [0, 1]."""
    camera, (height, width) = house.camera, house.shape
    first = max(house.horizon - 2, 0)
    dense = np.zeros((len(patches), height, width))
    for one, (points, area) in zip(dense, patches, strict=True):
        view = camera.project(points)
        column, row = (view.x / COARSE).astype(int), (view.y / COARSE).astype(int) - first
        seen = (column >= 0) & (column < width) & (row >= 0) & (row < height - first) & (points[:, 2] < camera.z - 1)
        sample = COARSE**2 * view.depth**3 / (camera.focal**2 * camera.y)
        one[first:] = np.bincount((row * width + column)[seen], (area / sample)[seen], (height - first) * width).reshape(-1, width)
    blur = 1, max(2, width // 110), max(3, width // 60)
    dense[:, first:] = uniform_filter(uniform_filter(dense[:, first:], blur), blur)
    return (1 - np.exp(-1.3 * np.maximum(dense, 0))).astype(np.float32)
