"""Light in the air: haze in the cones of fixed lamps, worked out once a camera, and beams that move, drawn as trapezoids.

Light scatters forward more than back (Henyey and Greenstein 1941), so lamps behind the dancer draw their cones
and lamps in front hardly do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from choreia.render.camera import Camera
from choreia.render.stage_house import COARSE, LAMPS, House, enlarge, rays, surfaces
from choreia.types import ZONES

HEADS_M = np.array([[x, 6.0, -3.0] for x in (-3.6, -1.8, 0.0, 1.8, 3.6)])
"""Where the moving heads of the beams hang, (n, 3)."""

SPREAD = np.linspace(-1, 1, len(HEADS_M))
"""Where in the fan each head points."""

BEAM_HALF_RAD, SPOT_HALF_RAD = 0.034, 0.10

_STEPS, _DENSITY, _FORWARD = 28, 0.0011, 0.62
_SMOKE = 0.14


@dataclass(frozen=True)
class Beam:
    """A moving beam: place (3,), unit direction (3,), metres to its end, half angle in rad."""

    place: np.ndarray
    axis: np.ndarray
    length_m: float
    half_rad: float

    @property
    def end(self) -> np.ndarray:
        """Where it ends, (3,)."""
        return self.place + self.axis * self.length_m

    def at(self, points: np.ndarray) -> np.ndarray:
        """Light that arrives at points (..., 3), 1 on the axis: flat in the middle, with a soft rim."""
        way = points - self.place
        along = np.maximum(way @ self.axis.astype(points.dtype), 0.3)
        off = np.sqrt(np.maximum((way * way).sum(axis=-1) - along * along, 0)) / (along * np.tan(self.half_rad))
        return np.clip((1.08 - off) / 0.25, 0, 1)


def beam(place: np.ndarray, axis: np.ndarray, half_rad: float, front_m: float) -> Beam:
    """A beam that ends on the floor, `front_m` on the way to the audience, or after 14 m."""
    to_floor = place[1] / -axis[1] if axis[1] < -1e-3 else 14.0
    to_front = (front_m - place[2]) / axis[2] if axis[2] > 1e-3 else 14.0
    return Beam(place, axis, float(np.clip(min(to_floor, to_front, 14.0), 0.5, 14.0)), half_rad)


def scatter(cosine: np.ndarray) -> np.ndarray:
    """How much light turns by an angle of this cosine towards the eye, 1 at right angles, at most 4."""
    g = _FORWARD
    return np.minimum(((1 + g * g) / (1 + g * g - 2 * g * cosine)) ** 1.5, 4.0)


@lru_cache(maxsize=2)
def haze(camera: Camera) -> np.ndarray:
    """Light that the air sends to the eye for one unit of each zone, (h * w, len(ZONES)) float32 on the grid of `House`."""
    coarse = 2 * COARSE if not any(edge % (2 * COARSE) for edge in camera.size) else COARSE
    ray, eye = rays(camera, coarse), np.array([camera.x, camera.y, camera.z])
    shape, ray = ray.shape[:2], ray.reshape(-1, 3)
    depth = camera.z - surfaces(camera, coarse).points[:, 2]
    maps = np.zeros((len(ray), len(ZONES)), np.float32)
    towards_eye = -ray / np.linalg.norm(ray, axis=1, keepdims=True)
    for step in range(_STEPS):
        at = 5.0 + (depth - 5.0) * (step + 0.5) / _STEPS
        points = eye + ray * at[:, None]
        for lamp in LAMPS:
            light, way = lamp.at(points)
            maps[:, lamp.zone] += light * np.sqrt(light) * scatter((way * towards_eye).sum(axis=1)) * (depth - 5.0) * (_DENSITY / _STEPS)
    return enlarge(maps.reshape(*shape, -1), coarse // COARSE).reshape(-1, len(ZONES))


@lru_cache(maxsize=2)
def smoke(shape: tuple[int, int]) -> np.ndarray:
    """Clouds about 1 on a map twice as wide as the picture's, (h, 2 w, 1) float32: seen through a window that drifts."""
    raw = np.random.default_rng(21).standard_normal((shape[0], 2 * shape[1]))
    clouds = sum(size * gaussian_filter(raw, (0.6 * size * shape[0] / 180, size * shape[0] / 180), mode="wrap") for size in (9, 18, 36))
    return (1 + _SMOKE * clouds / np.std(clouds)).clip(0.3)[:, :, None].astype(np.float32)


def drifted(shape: tuple[int, int], time_s: float) -> np.ndarray:
    """The clouds at a moment, (h, w, 1)."""
    place = int(abs((time_s * 0.02 + 1) % 2 - 1) * shape[1])
    return smoke(shape)[:, place : place + shape[1]]


def shaft(one: Beam, house: House) -> np.ndarray:
    """Light that the air in a beam of one unit sends to the eye, (h, w) float32.

    A cone seen from its side is a trapezoid whose width runs in a straight line along it; the air it crosses is as thick as it is wide, and
    its light thins with the square of that, so what one sees falls as one over the width.
    """
    camera = house.camera
    view = camera.project(np.stack([one.place, one.end]).astype(np.float32))
    x, y = view.x / COARSE, view.y / COARSE
    radius = np.array([0.06, 0.06 + one.length_m * np.tan(one.half_rad)], np.float32)
    wide = radius * np.float32(camera.focal / COARSE) / view.depth
    along, length = np.array([x[1] - x[0], y[1] - y[0]]), float(np.hypot(x[1] - x[0], y[1] - y[0])) + 1e-3
    column = np.arange(house.shape[1], dtype=np.float32) + 0.5 - x[0]
    row = np.arange(house.shape[0], dtype=np.float32)[:, None] + 0.5 - y[0]
    unit = (along / length).astype(np.float32)
    at = (column * unit[0] + row * unit[1]) * np.float32(1 / length)
    inside = np.clip(at, 0, 1)
    width = wide[0] + (wide[1] - wide[0]) * inside
    off = (column * unit[1] - row * unit[0]) / width
    thick = np.exp(np.float32(-2.0) * off * off) * (np.abs(at - 0.5) <= 0.5)
    away = one.place + one.axis * one.length_m / 2 - [camera.x, camera.y, camera.z]
    cosine = float(-one.axis @ away / np.linalg.norm(away))
    strength = 0.026 * scatter(np.array(cosine)) / max(float(np.sqrt(1 - cosine * cosine)), 0.4)
    return thick * (np.float32(strength) / (radius[0] + (radius[1] - radius[0]) * inside)) * (1 - np.float32(0.65) * inside)
