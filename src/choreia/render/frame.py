"""One picture of the dancer on the stage: floor shadow, floor reflection, then the body, each drawn only where it falls.

Bodies are sampled on a grid twice as fine as the picture and averaged, which smooths their edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from choreia.render import dancer, raster
from choreia.render.camera import Camera, View
from choreia.render.light import KEY_FROM
from choreia.render.stage import Picture, empty, floor_fraction

_SHADOW_PIXELS, _SHADOW_STRENGTH = 4, 0.74
_REFLECTION_PIXELS, _REFLECTION_STRENGTH, _REFLECTION_FADE_M = 2, 0.32, 0.55
_CONTACT_REACH_M, _CONTACT_STRENGTH = 0.16, 0.55


@dataclass(frozen=True)
class _Box:
    """A rectangle of picture pixels, rows [top, bottom) and columns [left, right), its edges multiples of 4."""

    left: int
    top: int
    right: int
    bottom: int

    def within(self, values: np.ndarray, pixels: int = 1) -> np.ndarray:
        """The view of a plane whose samples are `pixels` wide."""
        return values[self.top // pixels : self.bottom // pixels, self.left // pixels : self.right // pixels]


@dataclass(frozen=True)
class _Drawn:
    """A drawn body in its box, each premultiplied by cover: cover and luma at full size, chroma and its cover at half size."""

    box: _Box
    cover: np.ndarray
    luma: np.ndarray
    half_cover: np.ndarray
    cb: np.ndarray
    cr: np.ndarray


def draw(figure: dancer.Skin, moves: np.ndarray, camera: Camera) -> Picture:
    """The dancer on the stage.

    Args:
        figure: from `dancer.skin`.
        moves: (J, 3, 4) what takes rest-pose points to the world for each joint.
        camera: the view; width and height multiples of 4.
    """
    stage = empty(camera)
    picture = Picture(stage.luma.copy(), stage.cb.copy(), stage.cr.copy())
    posed = dancer.pose(figure, moves)
    shades = dancer.colours(figure, posed, camera)
    _darken(picture, posed, figure, camera)
    _reflect(picture, posed, figure, shades, camera)
    view = camera.project(posed.vertices)
    box = _box(view, camera, margin=2)
    if box is not None:
        _lay(picture, _body(View(view.x, view.y, view.depth - figure.lift), figure.faces, shades, box))
    return picture


def _box(view: View, camera: Camera, margin: float) -> _Box | None:
    """The part of the picture that points fall into, or None when they miss it."""
    (left, right), (top, bottom) = (_interval(values, margin, limit) for values, limit in zip((view.x, view.y), camera.size, strict=True))
    return _Box(left, top, right, bottom) if right > left and bottom > top else None


def _interval(values: np.ndarray, margin: float, limit: int) -> tuple[int, int]:
    """The multiples of 4 in [0, limit] around values (n,)."""
    low, high = float(values.min()) - margin, float(values.max()) + margin
    return max(0, int(low) // 4 * 4), min(limit // 4 * 4, (int(high) + 4) // 4 * 4)


def _triangles(view: View, faces: np.ndarray, box: _Box, samples: float) -> raster.Triangles:
    """What faces the viewer, in the box's coordinates at `samples` a pixel."""
    scale = np.float32(samples)
    return raster.visible((view.x - np.float32(box.left)) * scale, (view.y - np.float32(box.top)) * scale, view.depth, faces)


def _body(view: View, faces: np.ndarray, shades: np.ndarray, box: _Box) -> _Drawn:
    """The body inside its box, at two samples a pixel each way."""
    triangles = _triangles(view, faces, box, 2)
    buffer = raster.cover(triangles, 2 * (box.right - box.left), 2 * (box.bottom - box.top))
    functions = raster.planes(triangles, shades)
    luma = raster.halve(raster.paint(buffer, functions[:, :1])[0])
    sparse = np.ascontiguousarray(buffer[::2, ::2])
    cb, cr = raster.halve(raster.paint(sparse, functions[:, 1:], pixel=2))
    return _Drawn(box, _cover(buffer), luma, _cover(sparse), cb, cr)


def _cover(buffer: np.ndarray) -> np.ndarray:
    """The covered share of 2 × 2 blocks of samples."""
    return raster.halve((buffer >= 0).view(np.uint8)).astype(np.float32)


def _lay(picture: Picture, drawn: _Drawn) -> None:
    """Put a drawn body over the picture."""
    for plane, shade, cover, pixels in (
        (picture.luma, drawn.luma, drawn.cover, 1),
        (picture.cb, drawn.cb, drawn.half_cover, 2),
        (picture.cr, drawn.cr, drawn.half_cover, 2),
    ):
        part = drawn.box.within(plane, pixels)
        part *= 1 - cover
        part += shade


def _darken(picture: Picture, posed: dancer.Pose, figure: dancer.Skin, camera: Camera) -> None:
    """The soft shadow that the key light casts on the floor, and the small dark one where feet and hands touch it."""
    height = np.maximum(posed.vertices[:, 1:2], 0)
    cast = posed.vertices - height * (KEY_FROM / KEY_FROM[1])
    below = posed.vertices * np.array([1, 0, 1], np.float32)
    near = (1 - np.minimum(height[:, 0] / np.float32(_CONTACT_REACH_M), 1)) ** 2
    touching = figure.faces[:, near[figure.faces[0]] > 0]
    _shadow(picture, camera.project(cast), figure.faces, np.full(len(near), _SHADOW_STRENGTH, np.float32), camera, 3)
    _shadow(picture, camera.project(below), touching[::-1], near * np.float32(_CONTACT_STRENGTH), camera, 2)


def _shadow(picture: Picture, view: View, faces: np.ndarray, strength: np.ndarray, camera: Camera, blur: int) -> None:
    """Darken the floor under flattened triangles seen from above, by `strength` (V,), blurred by about `blur` shadow samples."""
    used = faces.reshape(-1)
    box = _box(View(view.x[used], view.y[used], view.depth), camera, margin=3 * blur * _SHADOW_PIXELS) if used.size else None
    if box is None:
        return
    triangles = _triangles(view, faces, box, 1 / _SHADOW_PIXELS)
    buffer = raster.cover(triangles, (box.right - box.left) // _SHADOW_PIXELS, (box.bottom - box.top) // _SHADOW_PIXELS)
    amount = _soften(raster.paint(buffer, raster.planes(triangles, strength[None]))[0], blur)
    on_floor = floor_fraction(camera)[box.top : box.bottom, None].astype(np.float32)
    keep = 1 - _enlarge(amount) * on_floor
    box.within(picture.luma)[...] *= keep
    for plane in (picture.cb, picture.cr):
        box.within(plane, 2)[...] *= keep[::2, ::2]


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


def _reflect(picture: Picture, posed: dancer.Pose, figure: dancer.Skin, shades: np.ndarray, camera: Camera) -> None:
    """The dancer mirrored in the floor's varnish, fading with height."""
    view = camera.project(posed.vertices * np.array([1, -1, 1], np.float32))
    height = posed.vertices[:, 1]
    faces = figure.faces[::-1, height[figure.faces[0]] < 2.2 * _REFLECTION_FADE_M]
    used = faces.reshape(-1)
    box = _box(View(view.x[used], view.y[used], view.depth), camera, margin=4) if used.size else None
    if box is None:
        return
    fade = np.float32(_REFLECTION_STRENGTH) * np.exp(height / np.float32(-_REFLECTION_FADE_M))
    triangles = _triangles(view, faces, box, 0.5)
    buffer = raster.cover(triangles, (box.right - box.left) // 2, (box.bottom - box.top) // 2)
    painted = raster.paint(buffer, raster.planes(triangles, np.concatenate([fade[None], shades * fade])))
    cover, luma, cb, cr = uniform_filter1d(painted, 3, axis=1)
    full_cover, full_luma = (np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1) for plane in (cover, luma))
    _lay(picture, _Drawn(box, full_cover, full_luma, cover, cb, cr))
