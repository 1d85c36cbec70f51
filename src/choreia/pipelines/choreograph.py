"""From analysed music to a finished take: somebody moves, then the last mile (beat lock, stage, feet, entrance, ending)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choreia import clock
from choreia.motion import beats, cleanup, staging
from choreia.motion.pieces import cut, on_the_beat, settled, slowed_over_ground, windowed
from choreia.motion.stagewalk import walk_on_stage
from choreia.motion.timing import BeatClock, beat_lock
from choreia.pipelines import plan
from choreia.pipelines.dancers import FPS, Dancer, Progress, TextDancer
from choreia.types import Motion, Music, Script

ANYTHING = Script("")
"""What is asked when nothing is."""


def choreograph_song(who: Dancer, music: Music, *, asked: Script = ANYTHING, seed: int,
                     progress: Progress | None = None) -> tuple[Motion, Script]:  # fmt: skip
    """A finished take of exactly the music's length, with the words for it."""
    motion, script = who.move(music, asked, seed, progress)
    return finish(motion, music), script


def finish(motion: Motion, music: Music) -> Motion:
    """The last mile, in order: frame rate, head, length, beat lock, rests, ending, entrance, stage, feet."""
    motion = cleanup.limit_head(cleanup.resample(motion, FPS))
    frames = clock.frames_in(music.duration_s, FPS)
    motion = cleanup.warp(motion, np.minimum(clock.frame_times(frames, FPS), motion.times()[-1]))
    if music.has_beat:
        motion = beat_lock(motion, beats.kinetic_beats(motion), music.beats_s)
    motion = staging.rest(motion, energy_at_frames(music))
    motion = staging.end(motion, plan.ending_s(music))
    motion = staging.enter(motion, plan.entrance_s(music))
    return cleanup.lock_feet(cleanup.stay_on_stage(motion))


def flow(who: TextDancer, music: Music, *, asked: Script = ANYTHING, seed: int) -> Iterator[Motion]:
    """`choreograph_song` in pieces as they are made, in memory that does not grow with the song, with the last mile some seconds behind."""
    frames, energy = clock.frames_in(music.duration_s, FPS), energy_at_frames(music)
    pieces = cut(map(cleanup.limit_head, who.flow(music, asked, seed)), frames)
    pieces = on_the_beat(pieces, BeatClock(music.beats_s), plan.ending_s(music))
    if staging.resting(energy).any():
        weight = staging.at_ease(energy, FPS)
        pieces = settled(slowed_over_ground(pieces, weight), weight)
    pieces = settled(pieces, staging.entering(clock.frame_times(frames, FPS), plan.entrance_s(music)))
    return windowed(walk_on_stage(pieces), cleanup.lock_feet)


def energy_at_frames(music: Music) -> np.ndarray:
    """Energy of the music at every frame of its dance, (T,)."""
    return clock.first_rows(music.energy.values, clock.frames_in(music.duration_s, FPS))[:, 0]
