"""Laws of another clock, on a dancer whose place says what time it was."""

import numpy as np
import pytest

from choreia.edit import timing
from choreia.edit.history import spliced
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.motion.skeleton import choreia24
from choreia.types import Features, Motion, Music, RhythmEvents

FPS = 30.0


def gliding(seconds=20.0):
    """x is the time in seconds."""
    times = np.arange(round(seconds * FPS)) / FPS
    root = np.stack([times, np.full(len(times), 0.9), np.zeros(len(times))], axis=1)
    return Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (len(times), 24, 1)), FPS)


def song(beats, duration_s):
    beats = np.asarray(beats, float)
    level = Features(np.full((2, 1), 0.5, np.float32), 1.0, ("level",))
    events = RhythmEvents(beats, beats[:0], beats[:0])
    return Music(duration_s, beats, beats[::4], beats[::8], np.full(len(beats), 120.0), 4, (), events, level)


def beats_of(bpm, seconds, first_s=0.0, sway=0.0):
    found = [first_s]
    while found[-1] < seconds:
        found.append(found[-1] + 60 / bpm * (1 + sway * np.sin(found[-1])))
    return np.array(found[:-1])


@pytest.mark.parametrize(("rate", "frames"), [(0.5, 240), (0.8, 150), (1.25, 96), (2.0, 60), (1.3, 92)])
def test_a_stretch_lasts_its_frames_over_the_rate_and_the_rest_stays(rate, frames):
    motion = gliding()
    (splice,) = timing.to_tempo(motion, Region(((4.0, 8.0),)), rate)
    edited = spliced(motion, [splice])
    assert len(splice) == frames and len(edited) == 600 - 120 + frames
    assert edited.root[:120].tobytes() == motion.root[:120].tobytes()
    assert edited.root[120 + frames :].tobytes() == motion.root[240:].tobytes()
    steps = np.diff(edited.root[:, 0]) * FPS
    assert np.allclose(steps[120 + frames // 2], rate, atol=0.25 * rate) and steps.max() < 1.7 * max(rate, 1)


def test_a_whole_dance_at_another_tempo_is_that_dance_read_faster():
    motion = gliding()
    edited = spliced(motion, timing.to_tempo(motion, Region(((0.0, 20.0),)), 1.25))
    assert len(edited) == 480 and np.allclose(edited.root[:, 0], 1.25 * np.arange(480) / FPS, atol=1e-9)


@pytest.mark.parametrize(("bpm", "counted"), [(100, 1.0), (140, 1.0), (65, 2.0), (230, 0.5)])
def test_beats_fall_on_the_beats_of_the_other_song(bpm, counted):
    """At beat k of the new song the dancer is where the old song had beat k, or 2 k, or k / 2."""
    motion, music = gliding(), song(beats_of(120, 20.0, sway=0.05), 20.0)
    beats = beats_of(bpm, 15.0, first_s=0.0, sway=0.03)
    edited = spliced(motion, timing.to_song(motion, music, song(beats, 15.0)))
    known = [k for k in range(len(beats)) if k * counted < len(music.beats_s) - 1 and (k * counted) % 1 == 0]
    known = [k for k in known if beats[k] < edited.duration_s - 0.1]
    at = np.interp(beats[known], edited.times(), edited.root[:, 0])
    assert len(known) > 8 and np.allclose(at, music.beats_s[(np.array(known) * counted).astype(int)], atol=0.01)


def test_first_eight_falls_on_first_eight_and_the_first_pose_waits():
    motion, music = gliding(), song(beats_of(120, 20.0), 20.0)
    edited = spliced(motion, timing.to_song(motion, music, song(beats_of(120, 12.0, first_s=2.0), 12.0)))
    assert len(edited) == 360
    assert np.allclose(edited.root[:, 0], np.maximum(edited.times() - 2.0, 0), atol=1e-6)


def test_a_dance_ends_where_its_beats_end():
    motion, music = gliding(8.0), song(beats_of(120, 8.0), 8.0)
    edited = spliced(motion, timing.to_song(motion, music, song(beats_of(100, 30.0), 30.0)))
    assert len(edited) == pytest.approx(8.0 * 1.2 * FPS, abs=2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda m: timing.to_tempo(m, Region(((4.0, 8.0),)), 3.0), "cannot dance 3 times as fast"),
        (lambda m: timing.to_tempo(m, Region(((4.0, 8.0),)), float("nan")), "cannot dance nan times as fast"),
        (lambda m: timing.to_tempo(m, Region(((4.0, 8.0),), ("arms",)), 1.5), "arms alone"),
        (lambda m: timing.to_song(m, song(beats_of(120, 20.0), 20.0), song([], 20.0)), "no beat was found in the new song"),
        (lambda m: timing.to_song(m, song([], 20.0), song(beats_of(120, 20.0), 20.0)), "no beat was found in the old song"),
        (lambda m: timing.to_song(m, song(beats_of(40, 20.0), 20.0), song(beats_of(240, 20.0), 20.0)), "too far from the song's"),
    ],
)
def test_bad_input_is_said_in_one_line(make, says):
    with pytest.raises(ChoreiaError, match=says) as raised:
        make(gliding())
    assert "\n" not in str(raised.value)
