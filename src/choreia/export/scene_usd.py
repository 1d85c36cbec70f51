"""Lamps in USD: UsdLux sphere lights with a shaping cone, their intensity, colour and turn as time samples."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from choreia.export.scene import SceneLamp
from choreia.motion.io import usd
from choreia.types import Motion

RADIUS_M = 0.05
_SOFTNESS = 0.3


def write(path: str | os.PathLike[str], motion: Motion, lamps: Sequence[SceneLamp], fps: float) -> None:
    """A scene of the dancer and its lamps, whose rows are time codes at `fps` Hz; raises as `usd.write`."""
    prims = usd.animated(motion, fps)
    names: list[str] = []
    for lamp in lamps:
        name = usd.identifier(lamp.name)
        names.append(name if name not in names else f"{name}_{len(names)}")
        prims += _light(lamp, names[-1])
    usd.save(path, prims, fps, max(motion.duration_s, len(lamps[0].level) / fps))


def intensity(lamp: SceneLamp) -> np.ndarray:
    """UsdLux intensity (T,) of a normalised sphere light: radiance over its area of 4 pi r² squared metres, so candela times 4."""
    return 4 * lamp.candela * lamp.level


def _light(lamp: SceneLamp, name: str) -> list[str]:
    place = ", ".join(f"{part:.7g}" for part in lamp.place)
    return [
        f'def SphereLight "{name}" (prepend apiSchemas = ["ShapingAPI"])', "{",
        *_changing("float", "inputs:intensity", intensity(lamp)), *_changing("color3f", "inputs:color", lamp.colour),
        "bool inputs:normalize = 1", f"float inputs:radius = {RADIUS_M}", "bool treatAsPoint = 1",
        f"float inputs:shaping:cone:angle = {np.rad2deg(lamp.half_rad):.7g}", f"float inputs:shaping:cone:softness = {_SOFTNESS}",
        f"double3 xformOp:translate = ({place})", *_changing("quatf", "xformOp:orient", lamp.turn),
        'uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:orient"]', "}",
    ]  # fmt: skip


def _changing(kind: str, name: str, values: np.ndarray) -> list[str]:
    """An attribute with a value a row, or a single value where all are equal."""
    if np.ptp(values, axis=0).any():
        return usd.samples(kind, name, np.arange(len(values)), usd.tuples(values))
    return [f"{kind} {name} = {usd.tuples(values[:1])[0]}"]
