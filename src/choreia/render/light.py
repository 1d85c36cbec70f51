"""Stage light on a surface: a warm key from the front left, a cool fill, two rims from behind, and the floor's bounce.

Colours are linear RGB until `encode`, which tone-maps them into BT.709 luma and chroma, the space that frames are made in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KEY_FROM = np.array([-0.42, 0.80, 0.52], np.float32) / np.float32(np.linalg.norm([-0.42, 0.80, 0.52]))
"""Unit direction towards the key light, which also casts the shadow."""

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class _Lamp:
    """A distant light: direction towards it, colour, and how far its glow wraps around the edge, 0 to 1."""

    towards: tuple[float, float, float]
    colour: tuple[float, float, float]
    wrap: float


_LAMPS = (
    _Lamp((float(KEY_FROM[0]), float(KEY_FROM[1]), float(KEY_FROM[2])), (1.62, 1.42, 1.15), 0.12),
    _Lamp((0.75, 0.25, 0.62), (0.26, 0.30, 0.40), 0.5),
    _Lamp((0.72, 0.42, -0.55), (1.2, 1.5, 2.3), 0.0),
    _Lamp((-0.75, 0.35, -0.56), (1.3, 1.0, 0.85), 0.0),
)
_TOWARDS = np.array([np.asarray(lamp.towards) / np.linalg.norm(lamp.towards) for lamp in _LAMPS], np.float32)
_COLOURS = np.array([lamp.colour for lamp in _LAMPS], np.float32)
_WRAP = np.array([lamp.wrap for lamp in _LAMPS], np.float32)
_SKY, _BOUNCE = np.array([0.07, 0.085, 0.13], np.float32), np.array([0.17, 0.12, 0.085], np.float32)


@dataclass(frozen=True)
class Surface:
    """What is lit: unit normals (V, 3), linear albedo (V, 3), gloss and openness (V,) in [0, 1], height above the floor (V,) m."""

    normals: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    openness: np.ndarray
    height_m: np.ndarray


def shade(surface: Surface, towards_eye: np.ndarray) -> np.ndarray:
    """Light leaving a surface in the unit directions `towards_eye` (V, 3): (V, 3) linear RGB, may exceed 1.

    The less open a place, the less light comes in; what the floor bounces fades with height.
    """
    up = (surface.normals[:, 1:2] + 1) / 2
    bounce = _BOUNCE / (1 + np.maximum(surface.height_m, 0)[:, None])
    halfway = towards_eye[:, None, :] + _TOWARDS
    halfway_length = np.sqrt((halfway * halfway).sum(axis=2))
    facing = surface.normals @ _TOWARDS.T
    sharp = np.maximum((halfway @ surface.normals[:, :, None])[:, :, 0] / halfway_length, 0) ** 16 * (facing > 0)
    diffuse = np.maximum((facing + _WRAP) / (1 + _WRAP), 0) @ _COLOURS
    glint = (sharp @ _COLOURS) * (surface.gloss * np.float32(0.35))[:, None]
    ambient = _SKY * up + bounce * (1 - up)
    shown = np.sqrt(surface.openness)[:, None]
    return (ambient * surface.openness[:, None] + diffuse * shown) * surface.albedo + glint


def encode(rgb: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) to display luma in [0, 1] and chroma Cb, Cr in [-0.5, 0.5], BT.709, highlights rolled off."""
    shown = np.sqrt(rgb / (1 + np.float32(0.30) * rgb))
    luma = shown @ _LUMA
    return np.stack([luma, (shown[..., 2] - luma) / np.float32(1.8556), (shown[..., 0] - luma) / np.float32(1.5748)], axis=-1)


def tint(rgb: tuple[float, float, float]) -> tuple[float, float]:
    """Chroma (Cb, Cr) per unit of luma of a display colour's hue."""
    luma = float(np.dot(rgb, _LUMA))
    return (rgb[2] - luma) / 1.8556 / luma, (rgb[0] - luma) / 1.5748 / luma
