"""Colours of light by what a fixture has: emitters, filters, a wheel or presets, or nothing."""

from __future__ import annotations

import numpy as np

from choreia.stage.palettes import oklab
from choreia.stage.rig import FILTERS, PRIMARIES, WHITES, Channel, Profile, Range

EMITTED = {
    "white": (1.0, 1.0, 1.0), "warm_white": (1.0, 0.75, 0.45), "cold_white": (0.85, 0.93, 1.0), "amber": (1.0, 0.45, 0.0),
    "lime": (0.55, 1.0, 0.0), "cyan": (0.0, 1.0, 1.0), "magenta": (1.0, 0.0, 1.0), "yellow": (1.0, 1.0, 0.0), "indigo": (0.25, 0.0, 1.0),
    "red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0),
}  # fmt: skip
"""Linear RGB of emitters at full, nominal, in the order in which they are used up: broad ones first. Ultraviolet stays off."""


def additive(rgb: np.ndarray, emitters: list[str]) -> dict[str, np.ndarray]:
    """Levels (T,) in [0, 1] of every emitter for linear RGB (T, 3) in [0, 1].

    Each emitter, broad ones first, takes as much as fits below what is still to be made; with red, green and blue the sum is exact.
    """
    left, levels = np.asarray(rgb, float).copy(), {}
    for name, colour in EMITTED.items():
        if name in emitters:
            made = np.array(colour)
            levels[name] = np.clip((left[:, made > 0] / made[made > 0]).min(axis=1), 0, 1)
            left -= levels[name][:, None] * made
    return levels


def subtractive(rgb: np.ndarray) -> dict[str, np.ndarray]:
    """Depth (T,) in [0, 1] of the cyan, magenta and yellow filters for linear RGB (T, 3) whose largest is 1."""
    return dict(zip(FILTERS, 1 - np.asarray(rgb, float).T, strict=True))


def nearest_slot(rgb: np.ndarray, slots: list[tuple[Channel, Range]]) -> np.ndarray:
    """Index (T,) of the slot whose colour is nearest in OKLab to linear RGB (T, 3), each scaled to its largest component."""
    colours = np.array([one.rgb for _, one in slots])
    colours = colours / np.maximum(colours.max(axis=1, keepdims=True), 1e-6)
    return np.linalg.norm(oklab(rgb)[:, None] - oklab(colours), axis=2).argmin(axis=1)


def mix(profile: Profile, rgb: np.ndarray) -> dict[str, np.ndarray]:
    """Levels (T,) of the emitters or filters of a fixture for the colour `rgb` (T, 3), its largest component 1.

    What cannot mix glows in what it has: all its whites, or all its emitters, full.
    """
    emitters = [name for name in EMITTED if profile.can(name)]
    if profile.can(*PRIMARIES):
        return additive(rgb, emitters)
    if profile.can(*FILTERS) and not profile.can("red"):
        return subtractive(rgb)
    glowing = [name for name in emitters if name in WHITES] or [name for name in emitters if name not in FILTERS or profile.can("red")]
    return {name: np.ones(len(rgb)) for name in glowing}
