"""The house that a show is filmed in: camera, lamps, and what every lamp does to every place that the camera sees.

Everything here stands still, so it is worked out once a camera: light in a frame is then a weighted sum of maps. Maps have a quarter of
the picture's width and height, for light is soft; boards, cloth and grain, which are not, are one full-size map of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter

from choreia.render.camera import Camera
from choreia.stage.style import SOURCES_M, TARGETS_M
from choreia.types import ZONES

COARSE = 4
"""Picture pixels a map pixel is wide."""

BACKDROP, FLOOR, LEG = range(3)
"""Kinds of surface: the cyclorama, the dance floor, the black curtains in the wings."""

BACKDROP_Z_M, LEG_Z_M, LEG_X_M = -5.0, -4.0, 4.1

TEXTURED = np.array([zone in {"top", "back_left", "back_centre", "back_right", "backdrop"} for zone in ZONES])
"""Which zones throw gobos."""

_EYE_Y_M, _EYE_Z_M, _TOP_SLOPE, _VIEW_SLOPE = 2.7, 12.0, -0.050, 0.335
_ALBEDO = np.array([0.55, 0.15, 0.018], np.float32)
HALF_DEG = {"front": 17.0, "side": 25.0, "back": 21.0, "top": 25.0}
"""Half angle of fixed lamps by where they hang."""

_SHEEN, _SHEEN_POWER = 0.30, 26


@dataclass(frozen=True)
class Lamp:
    """A fixed lamp: index of its zone, place and unit direction (3,), metres to its focus, half angle in rad, share of its zone's light."""

    zone: int
    place: np.ndarray
    axis: np.ndarray
    reach_m: float
    half_rad: float
    share: float

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Light that arrives at points (n, 3), 1 at the focus, and its unit direction there (n, 3)."""
        way = points - self.place
        distance = np.maximum(np.sqrt((way * way).sum(axis=1)), 0.3)
        way = way / distance[:, None]
        angle = np.arccos(np.clip(way @ self.axis, -1, 1))
        inside = np.clip((self.half_rad - angle) / (0.55 * self.half_rad), 0, 1)
        return self.share * inside * inside * (3 - 2 * inside) * np.minimum(self.reach_m / distance, 3.0) ** 2, way


def _lamp(zone: str, place: np.ndarray, focus: np.ndarray, share: float) -> Lamp:
    axis = focus - place
    reach = float(np.linalg.norm(axis))
    return Lamp(ZONES.index(zone), place, axis / reach, reach, float(np.deg2rad(HALF_DEG[zone.split("_")[0]])), share)


def _lamps() -> tuple[Lamp, ...]:
    """One lamp a zone, two from the top; backdrop, beams and spot are not fixed lamps."""
    single = [zone for zone in ZONES if zone.split("_")[0] in {"front", "side", "back"}]
    found = [_lamp(zone, SOURCES_M[ZONES.index(zone)], TARGETS_M[ZONES.index(zone)], 1.0) for zone in single]
    top, floor, aside = SOURCES_M[ZONES.index("top")], TARGETS_M[ZONES.index("top")], np.array([1.0, 0.0, 0.0])
    return (*found, *(_lamp("top", top + x * aside, floor + 0.6 * x * aside, 0.6) for x in (-2.0, 2.0)))


LAMPS = _lamps()
"""The fixed lamps."""


@dataclass(frozen=True)
class Surfaces:
    """What a grid of rays hits: points (n, 3) m, unit normals (n, 3), kind (n,)."""

    points: np.ndarray
    normals: np.ndarray
    kind: np.ndarray


@dataclass(frozen=True)
class House:
    """What stands still before a camera; maps are (h, w, ...) with h, w a quarter of the picture, light adds up in linear RGB.

    plain, textured: (h * w, len(ZONES)) light that leaves each place for one unit of each zone, from zones without and with gobos.
    plane (h * w, 2) m: where on its surface a place is, for the texture field; leaves (h * w, 2) m: how far a
    woven texture is torn there. floor (h, w) bool. horizon: first map row of the floor.
    diffuse (h * w,): share of the light that arrives at the floor that leaves it again. detail (H, W, 3): what boards and cloth make of
    the picture, about 1. grain (H, W, 3): parts of a code value that keep dark gradients from banding.
    """

    camera: Camera
    plain: np.ndarray
    textured: np.ndarray
    surfaces: Surfaces
    plane: np.ndarray
    leaves: np.ndarray
    floor: np.ndarray
    horizon: int
    diffuse: np.ndarray
    detail: np.ndarray
    grain: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the maps."""
        return self.floor.shape[0], self.floor.shape[1]


def seat(joints: np.ndarray, size: tuple[int, int]) -> Camera:
    """A camera in the circle, opposite the middle of the stage, as wide as a dance (T, J, 3) m needs; `size` is the picture's, pixels."""
    z = max(_EYE_Z_M, float(np.ceil(joints[..., 2].max() + 6.0)))
    needed = float((np.abs(joints[..., 0]) / (z - joints[..., 2])).max()) + 0.03
    widen = max(1.0, float(np.ceil(10 * needed * 2 * size[1] / size[0] / _VIEW_SLOPE)) / 10)
    focal = size[1] / (_VIEW_SLOPE * widen) * z / _EYE_Z_M
    middle = (_TOP_SLOPE + _VIEW_SLOPE / 2) * _EYE_Z_M / z
    return Camera(0.0, _EYE_Y_M, z, focal, size[0] / 2, size[1] / 2 - focal * middle, size)


def rays(camera: Camera, pixels: int) -> np.ndarray:
    """Where the camera looks through the middles of blocks of `pixels`: (h, w, 3), one metre deep each."""
    width, height = camera.size
    x = (np.arange(width // pixels) * pixels + pixels / 2 - camera.cx) / camera.focal
    y = (camera.cy - np.arange(height // pixels) * pixels - pixels / 2) / camera.focal
    return np.stack([*np.broadcast_arrays(x[None, :], y[:, None]), np.full((len(y), len(x)), -1.0)], axis=-1)


def surfaces(camera: Camera, pixels: int) -> Surfaces:
    """What the rays of `rays` hit, row by row."""
    ray = rays(camera, pixels).reshape(-1, 3)
    eye = np.array([camera.x, camera.y, camera.z])
    leg_depth, back_depth = camera.z - LEG_Z_M, camera.z - BACKDROP_Z_M
    floor_depth = np.where(ray[:, 1] < 0, -camera.y / np.minimum(ray[:, 1], -1e-9), np.inf)
    kind = np.where(floor_depth < back_depth, FLOOR, BACKDROP)
    kind[(np.abs(camera.x + ray[:, 0] * leg_depth) > LEG_X_M) & (floor_depth > leg_depth)] = LEG
    depth = np.choose(kind, [np.full_like(floor_depth, back_depth), floor_depth, np.full_like(floor_depth, leg_depth)])
    normals = np.where((kind == FLOOR)[:, None], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    return Surfaces(eye + ray * depth[:, None], normals, kind)


def _lit(lamp: Lamp, place: Surfaces, eye: np.ndarray) -> np.ndarray:
    """Light of a lamp that surfaces send to the eye, (n,): matte, and on the floor a sheen towards a lamp in front of the eye."""
    light, way = lamp.at(place.points)
    matte = np.maximum(-(way * place.normals).sum(axis=1), 0) * _ALBEDO[place.kind]
    back = eye - place.points
    halfway = back / np.linalg.norm(back, axis=1, keepdims=True) - way
    glint = np.maximum((halfway * place.normals).sum(axis=1) / np.linalg.norm(halfway, axis=1), 0) ** _SHEEN_POWER
    spill = np.where(place.kind == BACKDROP, 0.12, 1.0)
    return light * (matte * spill + np.where(place.kind == FLOOR, _SHEEN * glint, 0))


def _cyclorama(place: Surfaces) -> np.ndarray:
    """Light of the backdrop's floods, (n,): from above, a ground row from below, and what spills onto floor and legs."""
    x, y, z = place.points.T
    lobes = sum(np.exp(-(((x - at) / 1.5) ** 2)) for at in (-5.0, -2.5, 0.0, 2.5, 5.0))
    wall = (0.16 * np.exp((y - 5.4) / 1.6) + 0.75 * np.exp(-y / 0.8) + 0.05) * lobes * np.exp(-((x / 5.0) ** 2))
    ground = 0.30 * np.exp((BACKDROP_Z_M - z) / 1.3) * np.exp(-((x / 5.5) ** 2))
    leg = 0.6 * np.exp(-(np.abs(x) - LEG_X_M) / 0.25)
    return np.choose(place.kind, [wall, ground, leg]) * _ALBEDO[place.kind]


def _maps(place: Surfaces, eye: np.ndarray) -> np.ndarray:
    """Light that each place sends to the eye for one unit of each zone, (n, len(ZONES)) float32."""
    maps = np.zeros((len(place.kind), len(ZONES)), np.float32)
    for lamp in LAMPS:
        maps[:, lamp.zone] += _lit(lamp, place, eye)
    maps[:, ZONES.index("backdrop")] = _cyclorama(place)
    x = np.abs(place.points[:, 0])
    folds = 0.55 + 0.45 * np.sin(2 * np.pi * x / 0.24 + 0.8 * np.sin(5 * x))
    return maps * np.where(place.kind == LEG, folds, 1)[:, None].astype(np.float32)


@lru_cache(maxsize=2)
def house(camera: Camera) -> House:
    """The house before a camera, remembered."""
    place = surfaces(camera, COARSE)
    shape = camera.size[1] // COARSE, camera.size[0] // COARSE
    maps = _maps(place, np.array([camera.x, camera.y, camera.z]))
    floor = (place.kind == FLOOR).reshape(shape)
    plane = np.where((place.kind == FLOOR)[:, None], place.points[:, [0, 2]], place.points[:, [0, 1]])
    middle = floor[:, shape[1] // 2]
    horizon = int(np.argmax(middle)) if middle.any() else shape[0]
    return House(
        camera, maps * ~TEXTURED, maps * TEXTURED, place, plane, torn(plane), floor, horizon, _ALBEDO[place.kind] * (place.kind == FLOOR),
        _detail(camera), _grain(camera.size),
    )  # fmt: skip


def torn(points_m: np.ndarray) -> np.ndarray:
    """How far gobos tear a texture at points (n, 2) m of a lit plane, so that a weave looks like leaves and not like cloth: (n, 2) m."""
    at = (points_m * 48).astype(int) % 512
    return np.stack([0.20 * _noise((512, 512), blur, seed)[at[:, 0], at[:, 1]] for blur, seed in ((13.0, 8), (11.0, 9))], axis=1)


def _detail(camera: Camera) -> np.ndarray:
    """Vinyl strips and scuffs of the floor, the weave of the backdrop, (H, W, 3) float32 about 1."""
    place = surfaces(camera, 1)
    x, y, z = place.points.T.astype(np.float32)
    scuff = _noise((256, 256), 1.5, 3)[(z * 26).astype(int) % 256, (x * 26).astype(int) % 256]
    sharp = np.clip((z + 6) / 9, 0.1, 1)
    seam = 1 - 0.22 * sharp * np.exp(-((np.abs((x + 0.8) % 1.6 - 0.8) / 0.010) ** 2))
    cloth = 1 + 0.012 * _noise((256, 256), 1.5, 5)[(y * 24).astype(int) % 256, (x * 30).astype(int) % 256]
    single = np.choose(place.kind, [cloth, (1 + 0.035 * sharp * scuff) * seam, np.ones_like(x)]).astype(np.float32)
    return np.repeat(single, 3).reshape(camera.size[1], camera.size[0], 3)


@cache
def _noise(shape: tuple[int, int], blur: float, seed: int) -> np.ndarray:
    """Smooth noise of unit deviation that tiles."""
    raw = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), blur, mode="wrap")
    return (raw / raw.std()).astype(np.float32)


def _grain(size: tuple[int, int]) -> np.ndarray:
    """Fixed noise (H, W, 3) between -0.6 and 0.95 of a code value: black stays black."""
    single = np.random.default_rng(11).random((size[1], size[0], 1), np.float32) * np.float32(1.55) - np.float32(0.6)
    return np.repeat(single, 3, axis=2)


def enlarge(values: np.ndarray, times: int) -> np.ndarray:
    """Bilinear enlargement of (h, w, c) float32 to (h * times, w * times, c), block middles to block middles."""
    height, width, channels = values.shape
    return lengthen(framed(widen(values, times)), times).reshape(height * times, width * times, channels)


def widen(values: np.ndarray, times: int) -> np.ndarray:
    """The part of `enlarge` that works along rows: (h, w * times * c)."""
    height, _, channels = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)), mode="edge").reshape(height, -1)
    threes = sliding_window_view(padded, 3 * channels, axis=1)[:, ::channels]
    taps = np.zeros((3, times), np.float32)
    for k, (near, weight) in enumerate(_taps(times)):
        taps[[1, 1 + near], k] = 1 - weight, weight
    return (threes @ np.kron(taps, np.eye(channels, dtype=np.float32))).reshape(height, -1)


def framed(rows: np.ndarray) -> np.ndarray:
    """Rows (h, n) with the first and the last once more, as `lengthen` takes them."""
    return np.concatenate([rows[:1], rows, rows[-1:]])


def lengthen(rows: np.ndarray, times: int) -> np.ndarray:
    """The part of `enlarge` that works down columns: (h + 2, n) with a neighbour above and below to (h * times, n)."""
    height = len(rows) - 2
    tall = np.empty((height, times, rows.shape[1]), np.float32)
    for k, (near, weight) in enumerate(_taps(times)):
        np.multiply(rows[1:-1], np.float32(1 - weight), out=tall[:, k])
        tall[:, k] += rows[1 + near : 1 + near + height] * np.float32(weight)
    return tall.reshape(height * times, -1)


def _taps(times: int) -> list[tuple[int, float]]:
    """For each of the pixels that a value becomes: which neighbour (-1 or 1) it leans to, and how much."""
    offsets = [(k + 0.5) / times - 0.5 for k in range(times)]
    return [(-1 if offset < 0 else 1, abs(offset)) for offset in offsets]
