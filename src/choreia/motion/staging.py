"""How a dancer enters, rests and ends: blends towards a neutral stance, and a last pose that is reached and held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from choreia.motion import rotations as rot
from choreia.motion.cleanup import warp
from choreia.motion.representation import Heading152
from choreia.motion.skeleton import STANDING_HEIGHT_M
from choreia.types import Motion, Skeleton

# joint, axis, angle in radians: arms hang a little off the body, elbows and knees are soft
_STANCE: tuple[tuple[str, tuple[float, float, float]], ...] = (
    ("left_shoulder", (0.10, 0.0, -1.22)),
    ("right_shoulder", (0.10, 0.0, 1.22)),
    ("left_elbow", (0.0, -0.30, 0.0)),
    ("right_elbow", (0.0, 0.30, 0.0)),
    ("left_hip", (-0.08, 0.0, 0.06)),
    ("right_hip", (-0.08, 0.0, -0.06)),
    ("left_knee", (0.16, 0.0, 0.0)),
    ("right_knee", (0.16, 0.0, 0.0)),
    ("left_ankle", (-0.08, 0.0, -0.06)),
    ("right_ankle", (-0.08, 0.0, 0.06)),
)


SILENT_ENERGY = 0.02
"""Energy of the music below which the dancer stands at ease."""


def stance(skeleton: Skeleton) -> np.ndarray:
    """Local rotations (J, 4) wxyz of a relaxed standing figure on choreia-24."""
    vectors = torch.zeros(len(skeleton.names), 3)
    for name, vector in _STANCE:
        vectors[skeleton.index(name)] = torch.tensor(vector)
    return rot.expmap_to_quaternion(vectors).numpy()


def settle(motion: Motion, weight: np.ndarray) -> Motion:
    """Blend each frame towards the stance, upright at the dancer's own place and heading, by `weight` (T,) in [0, 1]."""
    moved = np.flatnonzero(weight)
    amount = torch.from_numpy(np.asarray(weight, np.float32)[moved])
    current = torch.from_numpy(np.asarray(motion.rotations, np.float32)[moved])
    target = torch.from_numpy(stance(motion.skeleton)).expand_as(current).clone()
    forward = rot.rotate(current[:, 0], torch.tensor([0.0, 0.0, 1.0]).expand(len(moved), 3))
    target[:, 0] = rot.yaw(torch.atan2(forward[:, 0], forward[:, 2]))
    root, rotations = np.array(motion.root, np.float32), np.array(motion.rotations, np.float32)
    root[:, 1] += np.float32(weight) * (STANDING_HEIGHT_M - 0.008 - root[:, 1])
    rotations[moved] = rot.slerp(current, target, amount[:, None].expand(current.shape[:2])).numpy()
    return replace(motion, root=root, rotations=rotations)


def enter(motion: Motion, seconds: float) -> Motion:
    """The take begins in the stance and is wholly itself after `seconds`."""
    return settle(motion, entering(motion.times(), seconds))


def entering(times_s: np.ndarray, seconds: float) -> np.ndarray:
    """How much of the stance is left, (n,) in [0, 1], at times of a take that enters in `seconds`."""
    return 1 - _smoothstep(times_s / max(seconds, 1e-6))


def running_out(times_s: np.ndarray, from_s: float, settle_s: float = 0.3) -> np.ndarray:
    """When to read a movement, (n,) seconds, that runs out exponentially from `from_s` on with a time constant `settle_s`."""
    return np.minimum(times_s, from_s) + settle_s * (1 - np.exp(-np.maximum(times_s - from_s, 0) / settle_s))


def end(motion: Motion, from_s: float, settle_s: float = 0.3) -> Motion:
    """From `from_s` on the movement runs out exponentially (time constant `settle_s`) into a held last pose; same length."""
    return warp(motion, running_out(motion.times(), from_s, settle_s))


def resting(energy: np.ndarray) -> np.ndarray:
    """Where music of this `energy` (T,) in [0, 1] is silent, (T,) bool."""
    return energy < SILENT_ENERGY


def rest(motion: Motion, energy: np.ndarray, ramp_s: float = 0.6) -> Motion:
    """Stand at ease where the music is silent, blended over `ramp_s`; `energy` (T,) in [0, 1]."""
    weight = at_ease(energy, motion.fps, ramp_s)
    return settle(_slowed_over_ground(motion, weight), weight) if resting(energy).any() else motion


def at_ease(energy: np.ndarray, fps: float, ramp_s: float = 0.6) -> np.ndarray:
    """How much of the stance there is, (T,) in [0, 1], under music of `energy` (T,)."""
    width = max(1, round(ramp_s * fps))
    quiet = np.pad(resting(energy).astype(float), width, mode="edge")
    return _smoothstep(np.convolve(quiet, np.hanning(2 * width + 1) / width, mode="valid"))


def _slowed_over_ground(motion: Motion, weight: np.ndarray) -> Motion:
    """Travel and turning scaled down by `weight` (T,): at 1 the dancer neither leaves the spot nor turns."""
    return Heading152.decode(slow_ground(Heading152.encode(motion), weight), motion.fps, Heading152.start(motion))


def slow_ground(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rows (T, 152) of `Heading152` with travel and turning scaled down by `weight` (T,)."""
    slowed = values.copy()
    for name in ("velocity", "yaw_rate"):
        slowed[:, Heading152.slices[name]] *= 1 - weight[:, None]
    return slowed


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
