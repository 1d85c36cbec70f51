"""Parts of the body by name. The root stands for travel, height and the pelvis: where the dancer is, and how they are turned."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import numpy as np

from choreia.errors import ChoreiaError
from choreia.types import Skeleton

ROOT = "root"
"""The part that holds `Motion.root` and the rotation of the root joint."""


def _both(*joints: str) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for side in ("left", "right") for joint in joints)


_ARM, _LEG, _HEAD = ("collar", "shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot"), ("neck", "head")
_TORSO = ("spine1", "spine2", "spine3")

PARTS: dict[str, tuple[str, ...]] = {
    "legs": _both(*_LEG),
    "left leg": tuple(f"left_{joint}" for joint in _LEG),
    "right leg": tuple(f"right_{joint}" for joint in _LEG),
    "arms": _both(*_ARM),
    "left arm": tuple(f"left_{joint}" for joint in _ARM),
    "right arm": tuple(f"right_{joint}" for joint in _ARM),
    "head": _HEAD,
    "torso": _TORSO,
    "upper": (*_TORSO, *_HEAD, *_both(*_ARM)),
    "lower": _both(*_LEG),
    "hands": _both("wrist", "hand"),
    "feet": _both("ankle", "foot"),
    "body": (*_both(*_LEG), *_TORSO, *_HEAD, *_both(*_ARM)),
    ROOT: ("pelvis",),
}
"""Joints of choreia-24 by the name of a part. "upper" and "lower" make up "body"; "body" and "root" are everything."""

EVERYTHING = ("body", ROOT)


def read_parts(words: str | Sequence[str]) -> tuple[str, ...]:
    """Names of parts as `PARTS` has them, from "arms, left leg" or a sequence; nothing at all is everything.

    Raises:
        ChoreiaError: a name that is no part of the body.
    """
    listed = re.split(r"[,;+&]|\band\b", words) if isinstance(words, str) else list(words)
    names = [" ".join(name.lower().replace("_", " ").replace("-", " ").split()) for name in listed]
    if not any(names) or names == ["everything"]:
        return EVERYTHING
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], PARTS, n=3, cutoff=0.4)
        raise ChoreiaError(f"unknown part of the body {unknown[0]!r}: use {', '.join(near or PARTS)}")
    return tuple(dict.fromkeys(names))


def joints_of(parts: Sequence[str], skeleton: Skeleton) -> np.ndarray:
    """Which joints the parts hold, (J,) bool; the root joint stands for `Motion.root` too. Errors as `read_parts`, or no such joint."""
    names = {joint for part in read_parts(parts) for joint in PARTS[part]}
    if ROOT in parts:
        names.add(skeleton.names[skeleton.parents.index(-1)])
    held = np.array([name in names for name in skeleton.names])
    if not held.any():
        raise ChoreiaError(f"the skeleton has no joint of {', '.join(parts)}: retarget the motion to choreia-24 first")
    return held
