"""A camera on a dolly: it never turns, stands still while it can, and glides when the dancer leaves its corridor.

The lens is shifted, not tilted, so verticals stay vertical and every screen row of the floor has one depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

EYE_HEIGHT_M = 1.75
MARGIN_M = 0.16
"""Flesh, hair and air kept around the joints."""

_FLOOR_BELOW_M, _HEAD_ROOM_M, _DISTANCE_M, _GLIDE_S = 0.42, 0.20, 7.0, 0.7


@dataclass(frozen=True)
class View:
    """Points on the screen: x right and y down in pixels, depth in metres from the lens, each (...)."""

    x: np.ndarray
    y: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Camera:
    """Where the lens is (x, y, z) m, its focal length and principal point (cx, cy) in pixels, for a picture of `size` (w, h).

    It looks along -Z: a point p is seen at (cx + focal (p.x - x) / d, cy - focal (p.y - y) / d), d = z - p.z.
    """

    x: float
    y: float
    z: float
    focal: float
    cx: float
    cy: float
    size: tuple[int, int]

    def project(self, points: np.ndarray) -> View:
        """Where world points (..., 3) are seen."""
        depth = np.maximum(np.float32(self.z) - points[..., 2], np.float32(0.2))
        scale = np.float32(self.focal) / depth
        across = np.float32(self.cx) + (points[..., 0] - np.float32(self.x)) * scale
        down = np.float32(self.cy) - (points[..., 1] - np.float32(self.y)) * scale
        return View(across, down, depth)


@dataclass(frozen=True)
class Path:
    """A moving camera: `lens` at the origin of its dolly and the dolly's place `x`, `z` (T,) m in every frame."""

    lens: Camera
    x: np.ndarray
    z: np.ndarray

    def at(self, frame: int) -> Camera:
        """The camera in a frame, to a tenth of a millimetre: while it rests it is the very same one."""
        return replace(self.lens, x=round(float(self.x[frame]), 4), z=round(float(self.z[frame]), 4))


def follow(joints: np.ndarray, fps: float, size: tuple[int, int]) -> Path:
    """A path that keeps every joint, with a margin, inside the picture in every frame.

    Args:
        joints: (T, J, 3) world positions, metres.
        fps: frames a second.
        size: picture width and height, pixels.
    """
    low, high = joints.min(axis=1), joints.max(axis=1)
    middle = (low + high) / 2
    for widen in 1.08 ** np.arange(40):
        lens = _lens(float(high[:, 1].max()), float(min(low[:, 1].min(), 0)), size, float(widen))
        slack = max(0.05, 0.5 * (size[0] / 2 / lens.focal * lens.z - 1.15))
        path = Path(lens, _lazy(middle[:, 0], slack, fps), lens.z + _lazy(middle[:, 2], 0.35, fps))
        if _holds(path, low, high):
            break
    return path


def _lens(top_m: float, bottom_m: float, size: tuple[int, int], widen: float) -> Camera:
    """A lens that, at its working distance, sees from under the feet to over the highest reach."""
    width, height = size
    low, high = bottom_m - _FLOOR_BELOW_M, max(top_m, 1.9) + MARGIN_M + _HEAD_ROOM_M
    focal = height / ((high - low) * widen) * _DISTANCE_M
    centre = (low + high) / 2
    return Camera(0, EYE_HEIGHT_M, _DISTANCE_M, focal, width / 2, height / 2 - focal * (EYE_HEIGHT_M - centre) / _DISTANCE_M, size)


def _lazy(track: np.ndarray, slack: float, fps: float) -> np.ndarray:
    """A track (T,) that stays within `slack` of the given one and moves no more than it must, smoothed."""
    calm = gaussian_filter1d(track.astype(float), _GLIDE_S * fps / 2, mode="nearest")
    place, lazy = float(np.clip(np.median(calm), calm[0] - slack, calm[0] + slack)), np.empty(len(calm))
    for i, value in enumerate(calm):
        place = min(max(place, value - slack), value + slack)
        lazy[i] = place
    return gaussian_filter1d(lazy, _GLIDE_S * fps, mode="nearest", truncate=2.5)


def _holds(path: Path, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether boxes (T, 3)…(T, 3) with the margin stay inside the picture throughout."""
    lens = path.lens
    near = path.z - high[:, 2] - MARGIN_M
    if near.min() < 1.0:
        return False
    half = lens.size[0] / 2 / lens.focal
    sideways = np.maximum(np.abs(low[:, 0] - path.x), np.abs(high[:, 0] - path.x)) + MARGIN_M
    up = lens.cy - lens.focal * (high[:, 1] + MARGIN_M - lens.y) / near
    down = lens.cy + lens.focal * (lens.y - np.minimum(low[:, 1], 0) + MARGIN_M / 2) / near
    return bool((sideways <= half * near).all() and up.min() >= 0 and down.max() <= lens.size[1])
