"""From analysed music to a finished take: somebody moves, then the last mile (beat lock, stage, feet, entrance, ending)."""

from __future__ import annotations

import numpy as np

from choreia import clock
from choreia.motion import beats, cleanup, staging
from choreia.motion.timing import beat_lock
from choreia.pipelines import plan
from choreia.pipelines.dancers import FPS, Dancer, Progress
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


def energy_at_frames(music: Music) -> np.ndarray:
    """Energy of the music at every frame of its dance, (T,)."""
    return clock.first_rows(music.energy.values, clock.frames_in(music.duration_s, FPS))[:, 0]
