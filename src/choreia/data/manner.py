"""How a whole take moves, in six numbers and in the lexicon's words for them.

The thresholds are the terciles, rounded, of 80 real dances and 60 of the choreographer's together; those of the level are physical. A word
stands for an outer third; in the middle only the range has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from choreia.data.observe import RATE_HZ, SIDES, Body
from choreia.motion.energy import velocity
from choreia.motion.skeleton import STANDING_HEIGHT_M

BODY_HEIGHT_M = 1.72

_STRETCH_S = 8.0  # the range is taken in stretches of this length, so that long takes do not count as wide ones
_SWAY_S = 0.35  # deviation of the window whose mean is taken off the pelvis' height to find the bounce
_STILL_HEIGHTS_S = 0.03  # below this energy there is no telling sharp from smooth

RANGE_M = (0.45, 0.95)
ENERGY_HEIGHTS_S = (0.27, 0.34)
SHARPNESS_PER_S = (7.1, 9.0)
LEVEL = (0.88, 0.965)
BOUNCE_M = 0.023
REACH_HEIGHTS = (0.245, 0.29)


@dataclass(frozen=True)
class Measures:
    """Numbers of a take.

    range_m: width of the floor the pelvis uses in 8 s. energy_heights_s: mean joint speed in body heights a second. sharpness_per_s: mean
    acceleration of hands and feet over their mean speed. level: pelvis height over its height in standing. bounce_m: deviation of the
    pelvis' height about its mean over half a second. reach_heights: mean distance of the wrists from the chest in body heights.
    """

    range_m: float
    energy_heights_s: float
    sharpness_per_s: float
    level: float
    bounce_m: float
    reach_heights: float


def measure(body: Body) -> Measures:
    """Measure a take; the same at any frame rate, heading or place, and in the mirror."""
    pace = velocity(body.places, RATE_HZ)
    ends = np.stack([body.at(f"{side}_{joint}") for side in SIDES for joint in ("wrist", "ankle")], axis=1)
    speed = velocity(ends, RATE_HZ)
    sharpness = np.linalg.norm(velocity(speed, RATE_HZ), axis=-1).mean() / max(np.linalg.norm(speed, axis=-1).mean(), 1e-6)
    height = body.at("pelvis")[:, 1]
    bounce = height - ndimage.gaussian_filter1d(height, _SWAY_S * RATE_HZ, mode="nearest")
    reach = [np.linalg.norm(body.at(f"{side}_wrist") - body.at("spine3"), axis=1).mean() for side in SIDES]
    return Measures(
        _range(body.at("pelvis")[:, [0, 2]]),
        float(np.linalg.norm(pace, axis=-1).mean()) / BODY_HEIGHT_M,
        float(sharpness),
        float(np.median(height)) / STANDING_HEIGHT_M,
        float(bounce.std()),
        float(np.mean(reach)) / BODY_HEIGHT_M,
    )


def _range(path: np.ndarray) -> float:
    """Median over stretches of 8 s, half overlapping, of the circle about the mean place that holds 95 % of (T, 2) m: its diameter."""
    length = round(_STRETCH_S * RATE_HZ)
    stretches = [path[k : k + length] for k in range(0, max(1, len(path) - length // 2), length // 2)]
    return float(np.median([2 * np.percentile(np.linalg.norm(s - s.mean(axis=0), axis=1), 95) for s in stretches]))


def manners(found: Measures) -> tuple[str, ...]:
    """Names of the lexicon's words for the measures: always a range, the others where they are marked."""
    still = found.energy_heights_s < _STILL_HEIGHTS_S
    words = (
        _third(found.range_m, RANGE_M, "small range", "large range") or "medium range",
        _third(found.level, LEVEL, "low level", "high level"),
        _third(found.energy_heights_s, ENERGY_HEIGHTS_S, "calm", "energetic"),
        "" if still else _third(found.sharpness_per_s, SHARPNESS_PER_S, "smooth", "sharp"),
        "bouncy" if found.bounce_m > BOUNCE_M else "",
        _third(found.reach_heights, REACH_HEIGHTS, "introvert", "extrovert"),
    )
    return tuple(word for word in words if word)


def _third(value: float, thresholds: tuple[float, float], low: str, high: str) -> str:
    """The word of the outer third that a value falls in, "" in the middle one."""
    return low if value < thresholds[0] else high if value > thresholds[1] else ""
