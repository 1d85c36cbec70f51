"""A dance on another clock: at another tempo, or on the beats of another song."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from choreia import clock
from choreia.edit.history import Splice
from choreia.edit.region import Region
from choreia.edit.seams import put_in
from choreia.errors import ChoreiaError
from choreia.motion.timing import warp
from choreia.types import Motion, Music

MOST_RATE = 2.0
"""A dance is played at most so many times as fast or as slow."""


def to_tempo(motion: Motion, region: Region, rate: float) -> tuple[Splice, ...]:
    """Every stretch of the region danced `rate` times as fast: n frames become round(n / rate), at least one.

    What follows keeps its frames bit for bit and its place on the floor, earlier or later in time.

    Raises:
        ChoreiaError: a rate outside [0.5, 2], or a region that is not the whole body.
    """
    if not 1 / MOST_RATE <= rate <= MOST_RATE:
        raise ChoreiaError(f"cannot dance {rate:g} times as fast: give a rate from {1 / MOST_RATE:g} to {MOST_RATE:g}")
    if not region.whole_body(motion.skeleton):
        raise ChoreiaError(f"{', '.join(region.parts)} alone cannot be danced at another tempo: only the whole body can, name no parts")
    splices = []
    for start, stop in region.frames(motion):
        count = max(1, round((stop - start) / rate))
        read_s = np.arange(count) * (stop - start) / count / motion.fps
        splices.append(put_in(motion, start, stop, warp(motion.slice(start, stop), read_s)))
    return tuple(splices)


def to_song(motion: Motion, music: Music, song: Music) -> tuple[Splice, ...]:
    """The whole dance on the beats of another song: first 8-count on first 8-count, beat on beat.

    The song's beats are taken singly, in pairs or in halves, whichever changes the pace least. The dance ends with the song, or where
    its own beats end; before its beginning the first pose is held.

    Args:
        motion: the dance.
        music: what it was danced to.
        song: what it is to be danced to.
    Raises:
        ChoreiaError: no beat in either, or a pace over twice or under half as fast.
    """
    if not (music.has_beat and song.has_beat):
        raise ChoreiaError(f"no beat was found in the {'new' if music.has_beat else 'old'} song: retime the dance by a tempo instead")
    times_s = clock.frame_times(clock.frames_in(song.duration_s, motion.fps), motion.fps)
    read_s = _reading(times_s, music, song)
    read_s = read_s[read_s < motion.duration_s]
    pace = np.diff(read_s) * motion.fps
    if len(pace) < 1 or not (1 / MOST_RATE <= np.median(pace) <= MOST_RATE):
        raise ChoreiaError("the dance's tempo is too far from the song's: retime the dance by a tempo first")
    moved = warp(motion, np.maximum(read_s, 0))
    return (Splice(0, len(motion), moved.root, moved.rotations),)


def _reading(times_s: np.ndarray, music: Music, song: Music) -> np.ndarray:
    """When to read the old dance, (n,) seconds, at times of the new song."""
    first_old, first_new = (_first_eight(each) for each in (music, song))
    interval_old, interval_new = (float(np.median(np.diff(each.beats_s))) for each in (music, song))
    beats_each = min((0.5, 1.0, 2.0), key=lambda ratio: abs(np.log(ratio * interval_old / interval_new)))
    last = len(song.beats_s) - 1
    places = np.arange(-1, last + 2) if last else np.arange(-1, 2)
    old_s = clock.beat_time(first_old + beats_each * (places - first_new), music.beats_s)
    new_s = clock.beat_time(places.astype(float), song.beats_s)
    curve = PchipInterpolator(new_s, old_s)
    inside = np.clip(times_s, new_s[0], new_s[-1])
    return curve(inside) + (times_s - inside) * beats_each * interval_old / interval_new


def _first_eight(music: Music) -> float:
    """Beat at which the first 8-count begins, counted from 0."""
    starts = next((track for track in (music.eights_s, music.downbeats_s) if len(track)), music.beats_s)
    return float(np.round(clock.beat_position(starts[:1], music.beats_s)[0]))
