"""Colours of light: OKLCH hues and linear RGB, named palettes, rules of harmony.

OKLab and its matrices: B. Ottosson, "A perceptual color space for image processing" (2020). Hues are its angles in radians: red 0.51,
yellow 1.92, green 2.49, cyan 3.40, blue 4.61, magenta 5.73. A light has a colour and a level, so lightness is left out: saturation 1 is
the purest light of a hue that red, green and blue emitters make, 0 is white, and the brightest of the three is always 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from choreia.errors import ChoreiaError

RGB_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
)
LMS_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]
)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Relative luminance of linear sRGB (ITU-R BT.709)."""

HARMONIES = {
    "mono": (0.0,),
    "analogous": (0.0, 30.0, -30.0),
    "complementary": (0.0, 180.0),
    "split": (0.0, 150.0, -150.0),
    "triad": (0.0, 120.0, -120.0),
    "tetrad": (0.0, 90.0, 180.0, -90.0),
}
"""Rules of harmony: degrees of hue from the key colour, the accent second."""


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Lightness, a, b of linear RGB (..., 3)."""
    return np.cbrt(np.asarray(rgb, float) @ RGB_TO_LMS.T) @ LMS_TO_LAB.T


def linear_rgb(lab: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) of OKLab (..., 3), negative where a colour lies outside sRGB: the inverse of `oklab`."""
    return (np.asarray(lab, float) @ np.linalg.inv(LMS_TO_LAB).T) ** 3 @ np.linalg.inv(RGB_TO_LMS).T


@lru_cache(maxsize=1)
def _edge() -> tuple[np.ndarray, np.ndarray]:
    """Hue in [0, 2 pi), rising, and chroma over lightness of the purest lights: the RGB circle, one emitter full and one dark."""
    turn = np.arange(0, 6, 1 / 256)
    lab = oklab(np.clip(np.abs((turn[:, None] + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1))
    hue = np.arctan2(lab[:, 2], lab[:, 1]) % (2 * np.pi)
    order = np.argsort(hue)
    return hue[order], (np.hypot(lab[:, 1], lab[:, 2]) / lab[:, 0])[order]


def purest(hue: np.ndarray) -> np.ndarray:
    """Chroma over lightness of the purest light of each hue (rad)."""
    hues, ratio = _edge()
    return np.interp(hue, hues, ratio, period=2 * np.pi)


def light_rgb(hue: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) of light at full level: `hue` rad and `saturation` in [0, 1], each (...); the largest of the three is 1."""
    ratio = saturation * purest(hue)
    rgb = linear_rgb(np.stack([np.ones_like(ratio), ratio * np.cos(hue), ratio * np.sin(hue)], axis=-1)).clip(0)
    return rgb / rgb.max(axis=-1, keepdims=True)


def hue_saturation(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hue in [0, 2 pi) and saturation in [0, 1] of linear RGB (..., 3): the inverse of `light_rgb`; black is 0, 0."""
    lab = oklab(rgb)
    hue = np.arctan2(lab[..., 2], lab[..., 1]) % (2 * np.pi)
    ratio = np.hypot(lab[..., 1], lab[..., 2]) / np.maximum(lab[..., 0], 1e-9)
    return hue, np.clip(ratio / purest(hue), 0, 1)


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """Linear light of sRGB code values in [0, 1] (IEC 61966-2-1)."""
    values = np.asarray(values, float)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: np.ndarray) -> np.ndarray:
    """Code values of linear light in [0, 1]: the inverse of `srgb_to_linear`."""
    values = np.asarray(values, float)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


def hex_rgb(text: str) -> np.ndarray:
    """Linear RGB (3,) of `#rrggbb`; ChoreiaError when it is something else."""
    digits = text.strip().removeprefix("#")
    if len(digits) != 6 or set(digits.lower()) - set("0123456789abcdef"):
        raise ChoreiaError(f"colour {text!r} is not #rrggbb: write one as #ff8800")
    return srgb_to_linear(np.frombuffer(bytes.fromhex(digits), np.uint8) / 255)


@dataclass(frozen=True)
class Palette:
    """Colours that go together, the key first, the accent second: `hues` (n,) rad, `saturations` (n,) in [0, 1]."""

    name: str
    hues: tuple[float, ...]
    saturations: tuple[float, ...]

    @property
    def contrast(self) -> float:
        """Accent hue minus key hue, in [-pi, pi); 0 with one colour."""
        return float((self.hues[1 % len(self.hues)] - self.hues[0] + np.pi) % (2 * np.pi) - np.pi)

    def turned(self, steps: int) -> Palette:
        """The same colours with another in front: one step brings the accent to the key."""
        start = steps % len(self.hues)
        return Palette(self.name, self.hues[start:] + self.hues[:start], self.saturations[start:] + self.saturations[:start])


def harmony(rule: str, hue: float, saturation: float) -> Palette:
    """A palette by a rule of `HARMONIES` from a key colour; ChoreiaError for an unknown rule."""
    if rule not in HARMONIES:
        raise ChoreiaError(f"no rule of harmony {rule!r}: choose one of {', '.join(HARMONIES)}")
    hues = tuple(float((hue + np.deg2rad(turn)) % (2 * np.pi)) for turn in HARMONIES[rule])
    return Palette(rule, hues, (float(saturation),) * len(hues))


def of_colours(name: str, colours: list[str]) -> Palette:
    """A palette of `#rrggbb` colours, key first."""
    pairs = [hue_saturation(hex_rgb(colour)) for colour in colours]
    return Palette(name, tuple(float(hue) for hue, _ in pairs), tuple(float(saturation) for _, saturation in pairs))


NAMED = {
    "candle": ["#ffb46b", "#ff7a29", "#ffe3c2"],
    "steel": ["#9cc4ff", "#dfe9ff", "#3a6bff"],
    "lavender": ["#c3a6ff", "#ffd2a8", "#7a5cff"],
    "fire_and_ice": ["#ff3b14", "#1f6bff", "#ffd0a0"],
    "dusk": ["#ff5f8a", "#4a35ff", "#ffb36b"],
    "forest": ["#7bd44f", "#e8c66a", "#0f8f6a"],
    "neon": ["#ff1fd0", "#12e5ff", "#8a1fff"],
    "gold": ["#ffcf5a", "#fff2d8", "#ff8a2b"],
    "lagoon": ["#17c9c3", "#2a4bff", "#d8fff2"],
    "rose": ["#ff8fb3", "#ffd9c2", "#c01f5b"],
    "moon": ["#bcd0ff", "#5a6dff", "#eef3ff"],
    "white": ["#ffffff", "#fff1e0", "#e6efff"],
}
"""Named palettes: key, accent and third colour."""


def palette(text: str) -> Palette:
    """The palette that a person writes: a name of `NAMED`, colours as `#ff8800,#0044ff`, or a rule and a key as `triad:#ff8800`.

    Raises:
        ChoreiaError: none of the three.
    """
    if text in NAMED:
        return of_colours(text, NAMED[text])
    if "#" not in text:
        raise ChoreiaError(f"no palette {text!r}: choose one of {', '.join(NAMED)}, or write colours as #ff8800,#0044ff")
    rule, colon, key = text.partition(":")
    if colon:
        hue, saturation = hue_saturation(hex_rgb(key))
        return harmony(rule, float(hue), float(saturation))
    return of_colours(text, text.split(","))
