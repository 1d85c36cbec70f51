"""What of a style can be seen in a picture: columns that a network reads off it, and how clearly each shows."""

from __future__ import annotations

import numpy as np

from choreia.stage.style import ACCENT, TINT, zone_light
from choreia.types import BEAM, COSTUME, TEXTURE, ZONES, Style

COLUMNS = 5 + len(ZONES) + 6 + 7 + len(BEAM)
"""Numbers in `columns`: two hues and saturation, levels, texture, costume, beams."""

DESCRIPTION = 2 * COLUMNS + 3 * len(ZONES)
"""Numbers in `describe`."""

_GOBOS = [ZONES.index(zone) for zone in ("top", "back_left", "back_centre", "back_right", "backdrop")]
_ON_DANCER = np.array([1, 1, 1, 1, 1, 0.3, 0.3, 0.3, 1, 0, 0, 1])
_OCTAVES = 3.0
_COARSEST = 1 / 8


def columns(style: Style) -> np.ndarray:
    """(T, COLUMNS) float32, about [-1, 1]: key hue and accent hue as cosine and sine, saturation, roots of levels; texture with twice its
    angle (stripes look the same upside down) and octaves for cycles; costume; beams. Drift and strobe cannot be seen in one picture."""
    depth, cycles, angle, softness, weave, _ = style.texture.T
    octaves = np.log2(np.clip(cycles, _COARSEST, 1 / _COARSEST)) / _OCTAVES
    accent = style.hue + style.contrast
    texture = [depth, octaves, np.cos(2 * angle), np.sin(2 * angle), softness, weave]
    costume = [np.cos(style.costume[:, 0]), np.sin(style.costume[:, 0]), *style.costume[:, 1:].T]
    beam = [style.beam[:, 0] / np.pi, *(style.beam[:, 1:].T * 2 / np.pi)]
    hues = [np.cos(style.hue), np.sin(style.hue), np.cos(accent), np.sin(accent), style.saturation]
    return np.stack([*hues, *np.sqrt(style.light).T, *texture, *costume, *beam], axis=1).astype(np.float32)


def style_of(values: np.ndarray) -> Style:
    """Inverse of `columns` for any finite (T, COLUMNS), clipped to what a style may be; no drift, no strobe, the texture's angle in
    [-pi / 2, pi / 2]."""
    hue, accent = (np.arctan2(values[:, k + 1], values[:, k]) for k in (0, 2))
    unit = np.clip(values, 0, 1)
    depth, octaves, cosine, sine, softness, weave = 17 + np.arange(6)
    cycles = np.exp2(_OCTAVES * np.clip(values[:, octaves], -1, 1))
    angle = np.arctan2(values[:, sine], values[:, cosine]) / 2
    texture = [unit[:, depth], cycles, angle, unit[:, softness], unit[:, weave], np.zeros(len(values))]
    costume = [np.arctan2(values[:, 24], values[:, 23]), *unit[:, 25:30].T]
    low = np.array([-np.pi, -np.pi / 2, 0])
    beam = np.clip(values[:, 30:] * np.array([np.pi, np.pi / 2, np.pi / 2]), low, [np.pi, np.pi / 2, np.pi / 2])
    pattern, clothes = (np.stack(group, axis=1) for group in (texture, costume))
    return Style(hue, unit[:, 4], accent - hue, unit[:, 5:17] ** 2, pattern, clothes, beam, np.zeros(len(values)))


def clearness(style: Style) -> np.ndarray:
    """How well each of `columns` shows, (T, COLUMNS) in [0, 1]: the hue of a dark zone, or a gobo without light, cannot be seen."""
    light, depth = style.light, style.texture[:, TEXTURE.index("depth")]
    tinted = light * TINT * style.saturation[:, None]
    key, accent = _enough(tinted @ (1 - ACCENT)), _enough(tinted @ ACCENT)
    gobos = _enough(light[:, _GOBOS].max(axis=1))
    body, beams = _enough(light @ _ON_DANCER), _enough(light[:, ZONES.index("beams")])
    fine, woven = gobos * depth, 1 - style.texture[:, TEXTURE.index("weave")]
    dyed = body * style.costume[:, COSTUME.index("saturation")]
    return np.stack(
        [key, key, accent, accent, _enough(light @ TINT), *np.ones((len(ZONES), len(style))), gobos, fine, fine * woven, fine * woven, fine,
         fine, dyed, dyed, body, body, *(0.3 * body,) * 3, beams, beams, beams], axis=1,
    ).astype(np.float32)  # fmt: skip


def _enough(light: np.ndarray) -> np.ndarray:
    """0 in the dark, 1 from half a lamp on."""
    return np.clip(2 * light, 0, 1)


def describe(style: Style) -> np.ndarray:
    """What a style looks like, (T, DESCRIPTION) float32: `columns` as far as they show, `clearness`, roots of the zones' light. Styles that
    differ in what cannot be seen have the same description."""
    clear = clearness(style)
    light = np.sqrt(zone_light(style)).reshape(len(style), -1)
    return np.concatenate([columns(style) * clear, clear, light], axis=1).astype(np.float32)
