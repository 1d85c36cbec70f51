"""One picture of the dancer on the stage: floor shadow, floor reflection, then the body, each drawn only where it falls.

The body is sampled on a grid twice as fine as the picture and averaged, which smooths its edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from choreia.render import dancer, raster
from choreia.render.camera import Camera, View
from choreia.render.light import KEY_FROM
from choreia.render.planes import Box, Frame, Picture, put, take
from choreia.render.stage import empty, floor_fraction

_SHADOW_PIXELS, _SHADOW_STRENGTH = 4, 0.80
_CONTACT_REACH_M, _CONTACT_STRENGTH = 0.16, 0.60
_REFLECTION_STRENGTH, _REFLECTION_FADE_M = 0.32, 0.55


@dataclass(frozen=True)
class _Layer:
    """A drawn body in its box, each premultiplied by cover: cover and luma at full size, chroma and its cover at half size."""

    box: Box
    cover: np.ndarray
    luma: np.ndarray
    half_cover: np.ndarray
    cb: np.ndarray
    cr: np.ndarray


@dataclass(frozen=True)
class _Shadow:
    """How much light a box of the floor keeps, 0 to 1, (h, w)."""

    box: Box
    keep: np.ndarray


def draw(figure: dancer.Skin, moves: np.ndarray, camera: Camera) -> Frame:
    """The dancer on the stage.

    Args:
        figure: from `dancer.skin`.
        moves: (J, 3, 4) what takes rest-pose points to the world for each joint.
        camera: the view; width and height multiples of 4.
    """
    posed = dancer.pose(figure, moves)
    shades = dancer.colours(figure, posed, camera)
    shadows = [shadow for shadow in _shadows(posed, figure, camera) if shadow is not None]
    layers = [layer for layer in (_reflection(posed, figure, shades, camera), _body(posed, figure, shades, camera)) if layer is not None]
    frame = empty(camera).copy()
    if shadows or layers:
        around = _around([shadow.box for shadow in shadows] + [layer.box for layer in layers])
        picture = take(frame, around)
        for shadow in shadows:
            _darken(picture, shadow, shadow.box.within(around))
        for layer in layers:
            _lay(picture, layer, layer.box.within(around))
        put(frame, around, picture)
    return frame


def _around(boxes: list[Box]) -> Box:
    """The smallest box that holds the others."""
    return Box(min(b.left for b in boxes), min(b.top for b in boxes), max(b.right for b in boxes), max(b.bottom for b in boxes))


def _darken(picture: Picture, shadow: _Shadow, box: Box) -> None:
    box.of(picture.luma)[...] *= shadow.keep
    for plane in (picture.cb, picture.cr):
        box.of(plane, 2)[...] *= shadow.keep[::2, ::2]


def _lay(picture: Picture, layer: _Layer, box: Box) -> None:
    for plane, shade, cover, pixels in (
        (picture.luma, layer.luma, layer.cover, 1),
        (picture.cb, layer.cb, layer.half_cover, 2),
        (picture.cr, layer.cr, layer.half_cover, 2),
    ):
        part = box.of(plane, pixels)
        part *= 1 - cover
        part += shade


def _box(view: View, camera: Camera, margin: float) -> Box | None:
    """The part of the picture that points fall into, or None when there are none or they miss it."""
    if not view.x.size:
        return None
    (left, right), (top, bottom) = (_interval(values, margin, limit) for values, limit in zip((view.x, view.y), camera.size, strict=True))
    return Box(left, top, right, bottom) if right > left and bottom > top else None


def _interval(values: np.ndarray, margin: float, limit: int) -> tuple[int, int]:
    """The multiples of 4 in [0, limit] around values (n,)."""
    low, high = float(values.min()) - margin, float(values.max()) + margin
    return max(0, int(low) // 4 * 4), min(limit, (int(high) + 4) // 4 * 4)


def _triangles(view: View, faces: np.ndarray, box: Box, samples: float) -> raster.Triangles:
    """What faces the viewer, in the box's coordinates at `samples` a pixel."""
    scale = np.float32(samples)
    return raster.visible((view.x - np.float32(box.left)) * scale, (view.y - np.float32(box.top)) * scale, view.depth, faces)


def _body(posed: dancer.Pose, figure: dancer.Skin, shades: np.ndarray, camera: Camera) -> _Layer | None:
    """The body, at two samples a pixel each way."""
    view = camera.project(posed.vertices)
    box = _box(view, camera, margin=2)
    if box is None:
        return None
    triangles = _triangles(View(view.x, view.y, view.depth - figure.lift), figure.faces, box, 2)
    buffer = raster.cover(triangles, 2 * box.size[0], 2 * box.size[1])
    functions = raster.planes(triangles, shades)
    luma = raster.halve(raster.paint(buffer, functions[:, :1])[0])
    sparse = np.ascontiguousarray(buffer[::2, ::2])
    cb, cr = raster.halve(raster.paint(sparse, functions[:, 1:], pixel=2))
    return _Layer(box, _cover(buffer), luma, _cover(sparse), cb, cr)


def _cover(buffer: np.ndarray) -> np.ndarray:
    """The covered share of 2 × 2 blocks of samples."""
    return raster.halve((buffer >= 0).view(np.uint8)).astype(np.float32)


def _reflection(posed: dancer.Pose, figure: dancer.Skin, shades: np.ndarray, camera: Camera) -> _Layer | None:
    """The dancer mirrored in the floor's varnish, fading with height, at one sample for four pixels."""
    view = camera.project(posed.vertices * np.array([1, -1, 1], np.float32))
    height = posed.vertices[:, 1]
    low = height < 2.2 * _REFLECTION_FADE_M
    box = _box(View(view.x[low], view.y[low], view.depth[low]), camera, margin=4)
    if box is None:
        return None
    fade = np.float32(_REFLECTION_STRENGTH) * np.exp(height / np.float32(-_REFLECTION_FADE_M))
    triangles = _triangles(view, figure.faces[::-1, low[figure.faces[0]]], box, 0.5)
    buffer = raster.cover(triangles, box.size[0] // 2, box.size[1] // 2)
    painted = raster.paint(buffer, raster.planes(triangles, np.concatenate([fade[None], shades * fade])))
    cover, luma, cb, cr = uniform_filter1d(painted, 3, axis=1)
    full_cover, full_luma = (np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1) for plane in (cover, luma))
    return _Layer(box, full_cover, full_luma, cover, cb, cr)


def _shadows(posed: dancer.Pose, figure: dancer.Skin, camera: Camera) -> tuple[_Shadow | None, _Shadow | None]:
    """The soft shadow that the key light casts on the floor, and the small dark one where feet and hands touch it."""
    height = np.maximum(posed.vertices[:, 1:2], 0)
    cast = posed.vertices - height * (KEY_FROM / KEY_FROM[1])
    touch = 1 - np.minimum(height[:, 0] / np.float32(_CONTACT_REACH_M), 1)
    near = np.flatnonzero(touch > 0)
    below = posed.vertices[near] * np.array([1, 0, 1], np.float32)
    return (
        _shadow(cast, figure.area, _SHADOW_STRENGTH, 3, camera),
        _shadow(below, figure.area[near] * touch[near] ** 2, _CONTACT_STRENGTH, 2, camera),
    )


def _shadow(places: np.ndarray, area: np.ndarray, strength: float, blur: int, camera: Camera) -> _Shadow | None:
    """The shadow of patches of skin of `area` (n,) m² that fall on the floor at `places` (n, 3), blurred by `blur` samples."""
    view = camera.project(places)
    box = _box(view, camera, margin=3 * blur * _SHADOW_PIXELS)
    if box is None:
        return None
    width, height = box.size[0] // _SHADOW_PIXELS, box.size[1] // _SHADOW_PIXELS
    column = np.clip((view.x - box.left) / _SHADOW_PIXELS, 0, width - 1).astype(np.intp)
    row = np.clip((view.y - box.top) / _SHADOW_PIXELS, 0, height - 1).astype(np.intp)
    sample_area = _SHADOW_PIXELS**2 * view.depth**3 / (camera.focal**2 * camera.y)
    cover = np.bincount(row * width + column, area / sample_area, width * height).reshape(height, width)
    amount = 1 - np.exp(-1.1 * _soften(cover.astype(np.float32), blur))
    on_floor = floor_fraction(camera)[box.top : box.bottom, None].astype(np.float32)
    return _Shadow(box, 1 - _enlarge(amount) * on_floor * np.float32(strength))


def _soften(values: np.ndarray, radius: int) -> np.ndarray:
    """Two box blurs each way, wider across than down, as the floor is seen."""
    for _ in range(2):
        values = uniform_filter1d(uniform_filter1d(values, 2 * radius, axis=1, mode="constant"), 2 * radius - 1, axis=0, mode="constant")
    return values


def _enlarge(values: np.ndarray) -> np.ndarray:
    """Smooth enlargement of a low-resolution plane by `_SHADOW_PIXELS` each way."""
    for axis in (0, 1):
        values = uniform_filter1d(np.repeat(values, _SHADOW_PIXELS, axis=axis), _SHADOW_PIXELS + 1, axis=axis, mode="nearest")
    return values
