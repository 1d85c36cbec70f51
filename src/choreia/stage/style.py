"""The style of a stage in space and in numbers: where zones are, what colour they have, the texture field, vectors for a model."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from choreia.stage.palettes import LUMINANCE, light_rgb
from choreia.types import BEAM, COSTUME, STYLE_RANGES, TEXTURE, ZONES, Style

STAGE_M = (10.0, 8.0)
"""Width (x) and depth (z) of the acting area about the origin."""

SOURCES_M = np.array(
    [
        [4.0, 5.5, 6.0], [0.0, 5.5, 7.0], [-4.0, 5.5, 6.0], [6.0, 2.0, 0.0], [-6.0, 2.0, 0.0], [3.5, 5.5, -4.0],
        [0.0, 5.5, -4.5], [-3.5, 5.5, -4.0], [0.0, 6.5, 0.0], [0.0, 5.5, -4.2], [0.0, 6.0, -3.0], [0.0, 6.5, 9.0],
    ]
)  # fmt: skip
"""Where the light of every zone comes from, (len(ZONES), 3) m."""

TARGETS_M = np.array(
    [
        [2.5, 1.2, 0.0], [0.0, 1.2, 0.0], [-2.5, 1.2, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.5, 1.0, 0.5],
        [0.0, 1.0, 0.5], [-1.5, 1.0, 0.5], [0.0, 0.0, 0.0], [0.0, 2.5, -5.0], [0.0, 0.0, 2.0], [0.0, 1.2, 0.0],
    ]
)  # fmt: skip
"""What every zone is focused on when nothing moves, (len(ZONES), 3) m; the spot goes with the dancer."""

ACCENT = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0], float)
"""Which zones take the accent hue (1) and which the key (0): the sides differ, so that two colours model a body from two sides."""

TINT = np.array([0.5, 0.5, 0.5, 0.9, 0.9, 1, 1, 1, 0.7, 1, 1, 0.15])
"""How much of the style's saturation a zone takes: faces stay near white from the front, the spot nearly is."""


def zone_hues(style: Style) -> np.ndarray:
    """Hue of every zone in rad, (T, len(ZONES))."""
    return style.hue[:, None] + style.contrast[:, None] * ACCENT


def zone_colours(style: Style) -> np.ndarray:
    """Linear RGB of every zone at full level, (T, len(ZONES), 3) in [0, 1]."""
    return light_rgb(zone_hues(style), style.saturation[:, None] * TINT)


def zone_light(style: Style) -> np.ndarray:
    """Linear RGB that every zone emits, (T, len(ZONES), 3) in [0, 1]; a strobe is left out."""
    return zone_colours(style) * style.light[..., None]


def zone_luminance(style: Style) -> np.ndarray:
    """Relative luminance of every zone's light, (T, len(ZONES)) in [0, 1]."""
    return zone_light(style) @ LUMINANCE


def costume_rgb(style: Style) -> np.ndarray:
    """Linear RGB of the cloth in white light, (T, 3): the light of its hue and saturation, dimmed to its lightness (cubed, as in OKLab)."""
    hue, saturation, lightness = style.costume[:, :3].T
    return light_rgb(hue, saturation) * lightness[:, None] ** 3


def texture_phase(style: Style, fps: float) -> np.ndarray:
    """How far the texture has drifted at each row in metres, (T,), 0 at the first: the running sum of its drift."""
    drift = style.texture[:, TEXTURE.index("drift_m_s")].astype(float)
    return np.concatenate([[0.0], np.cumsum(drift[:-1])])[: len(style)] / fps


def texture_field(texture: np.ndarray, phase_m: np.ndarray, points_m: np.ndarray) -> np.ndarray:
    """The texture field F(x, y), (T, n) in [0, 1]: what part of the light passes the gobos at each of `points_m` (n, 2) of a lit plane.

    texture (T, len(TEXTURE)), phase_m (T,). With u across and v along the stripes, in metres, at `cycles_per_m` f:
    w = cos(2 pi f u) ((1 - weave) + weave cos(2 pi f v)), stripes turning into a chequer of patches;
    s = (1 + tanh(w / k) / tanh(1 / k)) / 2 with k = 0.1 + 1.9 softness, hard edges turning soft; F = 1 - depth (1 - s).
    """
    depth, cycles, angle, softness, weave, _ = (texture[:, i, None].astype(float) for i in range(len(TEXTURE)))
    x, y = points_m.T
    across = x * np.cos(angle) + y * np.sin(angle) - phase_m[:, None]
    along = y * np.cos(angle) - x * np.sin(angle)
    turn = 2 * np.pi * cycles
    wave = np.cos(turn * across) * (1 - weave + weave * np.cos(turn * along))
    width = 0.1 + 1.9 * softness
    return 1 - depth * (0.5 - 0.5 * np.tanh(wave / width) / np.tanh(1 / width))


def beam_directions(style: Style, spread: np.ndarray) -> np.ndarray:
    """Unit directions of beams, (T, n, 3), for heads at `spread` (n,) in [-1, 1] across the fan, -1 and 1 its outermost."""
    pan, tilt, fan = (style.beam[:, i, None].astype(float) for i in range(len(BEAM)))
    pan = pan + fan * spread
    tilt = np.broadcast_to(tilt, pan.shape)
    return np.stack([np.sin(pan) * np.cos(tilt), -np.sin(tilt), np.cos(pan) * np.cos(tilt)], axis=-1)


def repeat(row: Style, count: int) -> Style:
    """The first row of a style, `count` times."""
    return row.rows(np.zeros(count, int))


def join(parts: list[Style]) -> Style:
    """Styles one after another."""
    return Style(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Style)))


def _columns() -> tuple[str, ...]:
    """Names of the vector's columns: `field`, or `field.column`; an angle of the colour circle gives a cosine and a sine."""
    of = {"light": ZONES, "texture": TEXTURE, "costume": COSTUME, "beam": BEAM}
    names = []
    for name, ranges in STYLE_RANGES.items():
        for column, (_, high) in zip(of.get(name, ("",)), ranges, strict=True):
            full = f"{name}.{column}".rstrip(".")
            names += [f"cos {full}", f"sin {full}"] if np.isinf(high) else [full]
    return tuple(names)


VECTOR = _columns()
"""Names of the columns of `to_vector`."""


def to_vector(style: Style) -> np.ndarray:
    """Style as (T, len(VECTOR)) float32 in [-1, 1], for a model: angles as cosine and sine, the rest over its largest value."""
    columns = []
    for name, ranges in STYLE_RANGES.items():
        for value, (low, high) in zip(getattr(style, name).reshape(len(style), -1).T, ranges, strict=True):
            columns += [np.cos(value), np.sin(value)] if np.isinf(high) else [value / max(-low, high)]
    return np.stack(columns, axis=1).astype(np.float32)


def from_vector(vector: np.ndarray) -> Style:
    """Inverse of `to_vector` for any finite (T, len(VECTOR)): hues come back in [-pi, pi], values are clipped to `STYLE_RANGES`."""
    rest = iter(np.asarray(vector, np.float32).T)
    found = []
    for name, ranges in STYLE_RANGES.items():
        columns = []
        for low, high in ranges:
            first = next(rest)
            columns.append(np.arctan2(next(rest), first) if np.isinf(high) else np.clip(first * max(-low, high), low, high))
        found.append(np.stack(columns, axis=1) if name in {"light", "texture", "costume", "beam"} else columns[0])
    return Style(*found)
