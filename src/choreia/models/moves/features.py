"""What the judges see of a dance: joints in the dancer's own heading, sampled by counts (for figures) and by seconds (for the style).

Neither place nor heading matters; by counts, tempo does not matter either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from choreia import clock
from choreia.motion.kinematics import forward
from choreia.motion.representation import Heading152
from choreia.motion.skeleton import choreia24, mirror_index
from choreia.types import Motion

DIM = 75
"""Columns: 72 places in metres (x left, y above the floor, z ahead, from below the pelvis), then the way of the pelvis to the left and
ahead in metres and its turn in radians, in a count or a second."""

PER_COUNT, PER_S = 8, 16
"""Samples in a count and in a second."""

PLACES, WAY = slice(0, 72), slice(72, 75)
_FLIP = np.array([-1, 1, 1], np.float32)


@dataclass(frozen=True)
class Take:
    """A dance as the judges see it: `by_count` (N, DIM), `PER_COUNT` samples a count from count 0 on; `by_second` (M, DIM)."""

    by_count: np.ndarray
    by_second: np.ndarray


def see(motion: Motion, counts_s: np.ndarray) -> Take:
    """Features of a take on choreia-24 whose counts 0, 1, … stand at `counts_s` (C,) seconds; beyond its ends it holds still."""
    values = features(motion)
    times_s = clock.beat_time(np.arange((len(counts_s) - 1) * PER_COUNT) / PER_COUNT, counts_s)
    by_count = _sampled(values, motion.fps, times_s, np.gradient(times_s) * PER_COUNT)
    times_s = clock.frame_times(clock.frames_in(motion.duration_s, PER_S), PER_S)
    return Take(by_count, _sampled(values, motion.fps, times_s, np.ones(len(times_s))))


def features(motion: Motion) -> np.ndarray:
    """(T, DIM) float32 at the frames of a take on choreia-24; ways and turns in a second."""
    values = Heading152.encode(motion, np.zeros((len(motion), 4), np.float32))
    still = np.concatenate([values[:, :1], np.zeros((len(values), 3), np.float32), values[:, 4:]], axis=1)
    root, matrices, _ = Heading152.to_local(torch.from_numpy(still), motion.fps)
    places, _ = forward(choreia24(), root, matrices)
    return np.concatenate([places.flatten(1).numpy(), values[:, 1:4]], axis=1)


def _sampled(values: np.ndarray, fps: float, times_s: np.ndarray, unit_s: np.ndarray) -> np.ndarray:
    """Features at `times_s` (N,), ways and turns in the time `unit_s` (N,)."""
    found = clock.resample(values, fps, times_s)
    found[:, WAY] *= unit_s[:, None]
    return found


def mirrored(values: np.ndarray) -> np.ndarray:
    """Features (..., DIM) of the same dance to the other side."""
    places = values[..., PLACES].reshape(*values.shape[:-1], 24, 3)[..., mirror_index(choreia24()), :] * _FLIP
    return np.concatenate([places.reshape(*values.shape[:-1], 72), values[..., WAY] * np.array([-1, 1, -1], np.float32)], axis=-1)
