"""A second dancer: the mirror image, the same in canon, or the same beside the first."""

from __future__ import annotations

import numpy as np

from choreia import clock
from choreia.edit.floor import Placing
from choreia.errors import ChoreiaError
from choreia.motion.cleanup import mirror, warp
from choreia.motion.staging import settle
from choreia.types import Motion, Music

NEAREST_M = 0.6
"""Two dancers whose pelvises come nearer than this collide."""


def mirrored(motion: Motion, gap_m: float = 1.5) -> Motion:
    """A partner on the dancer's left who moves as in a mirror that stands upright between the two, along z.

    `gap_m`: how near they come; ChoreiaError under `NEAREST_M`.
    """
    _check_gap(gap_m)
    middle_m = float(motion.root[:, 0].max()) + gap_m / 2
    return Placing(0.0, np.array([2 * middle_m, 0, 0])).move(mirror(motion))


def beside(motion: Motion, x_m: float, z_m: float = 0.0) -> Motion:
    """The same dance, so far along x and z on the floor. ChoreiaError: so near that they collide."""
    _check_gap(float(np.hypot(x_m, z_m)))
    return Placing(0.0, np.array([x_m, 0, z_m])).move(motion)


def canon(motion: Motion, beats: float, music: Music | None = None, x_m: float = 1.5, z_m: float = 0.0) -> Motion:
    """The same dance `beats` beats later, beside the first, in as many frames; who waits stands at ease.

    Args:
        motion: the first dancer.
        beats: how many beats of the music later, more than 0; without music, or where it has no beat, seconds.
        music: what is danced to.
        x_m, z_m: where the second dancer stands from the first.
    Raises:
        ChoreiaError: no delay, one longer than the dance, or dancers that collide.
    """
    if not beats > 0:
        raise ChoreiaError(f"a canon of {beats:g} beats is no canon: give a number over 0")
    read_s = _delayed(motion.times(), beats, music)
    waits = read_s < 0
    if waits.all():
        raise ChoreiaError(f"a canon of {beats:g} beats begins after the dance is over, at {motion.duration_s:.1f} s: give fewer beats")
    second = warp(motion, np.maximum(read_s, 0))
    left = np.clip(1 - motion.times() / max(float(motion.times()[waits.sum()]), 1 / motion.fps), 0, 1)
    moved = Placing(0.0, np.array([x_m, 0, z_m])).move(settle(second, left**2 * (3 - 2 * left)))
    if nearest_m(motion, moved) < NEAREST_M:
        raise ChoreiaError(f"the dancers come within {nearest_m(motion, moved):.2f} m of one another: put the second further away")
    return moved


def nearest_m(one: Motion, other: Motion) -> float:
    """Least distance on the floor of two dancers' pelvises at the same time, metres."""
    count = min(len(one), len(other))
    return float(np.linalg.norm((one.root[:count] - other.root[:count])[:, [0, 2]], axis=1).min())


def _delayed(times_s: np.ndarray, beats: float, music: Music | None) -> np.ndarray:
    if music is None or not music.has_beat:
        return times_s - beats
    return clock.beat_time(clock.beat_position(times_s, music.beats_s) - beats, music.beats_s)


def _check_gap(gap_m: float) -> None:
    if not gap_m >= NEAREST_M:
        raise ChoreiaError(f"dancers {gap_m:g} m apart collide: give {NEAREST_M} m or more")
