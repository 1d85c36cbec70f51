"""Laws of the whole-song plan and of staging: returns point at the same count, entrances and endings stand still."""

import numpy as np
import pytest

from choreia.motion import staging
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.pipelines import plan
from choreia.types import Features, Motion, Music, RhythmEvents, Section

EMPTY = np.zeros(0)


def song(beats_s, sections, duration_s) -> Music:
    beats = np.asarray(beats_s, float)
    energy = Features(np.ones((int(duration_s * 30), 1), np.float32), 30, ("energy",))
    tempo, events = np.full(len(beats), 120.0), RhythmEvents(EMPTY, EMPTY, EMPTY)
    return Music(duration_s, beats, beats[::4], beats[::8], tempo, 4, sections, events, energy)


def swaying(seconds: float) -> Motion:
    times = np.arange(round(seconds * 30)) / 30
    skeleton = choreia24()
    rotations = np.zeros((len(times), 24, 4), np.float32)
    rotations[..., 0] = 1
    angle = np.sin(2 * np.pi * times)
    rotations[:, 16, 0], rotations[:, 16, 3] = np.cos(angle / 2), np.sin(angle / 2)
    root = np.tile([0.3, 0.95, -0.2], (len(times), 1)).astype(np.float32)
    return Motion(skeleton, root, rotations, 30.0)


def test_a_returning_chorus_points_at_the_same_count_of_the_first_even_when_the_tempo_changed():
    slow, fast = np.arange(0, 32, 0.5), 32 + np.arange(0, 24, 0.4)
    sections = (Section(0, 16, "chorus", 1), Section(16, 32, "verse", 1), Section(32, 44.8, "chorus", 2))
    echo = plan.echoes(song(np.concatenate([slow, fast]), sections, 56), tokens=420, tokens_per_s=7.5)
    token = round((32 + 10 * 0.4) * 7.5)
    count = (token / 7.5 - 32) / 0.4
    assert echo.weight[token] > 0.8
    assert echo.source[token] / 7.5 == pytest.approx(count * 0.5, abs=1e-6)
    assert np.all(echo.weight[: int(32 * 7.5)] == 0)
    assert np.all(echo.source[echo.weight > 0] < 16 * 7.5)


def test_without_a_beat_nothing_returns():
    sections = (Section(0, 5, "A", 1), Section(5, 10, "A", 2))
    assert not plan.echoes(song([], sections, 10), 75, 7.5).weight.any()


def test_the_ending_leaves_room_to_hold_and_never_freezes_long():
    beats = np.arange(0, 20, 0.5)
    assert plan.ending_s(song(beats, (), 20.0)) == pytest.approx(19.5)
    assert plan.ending_s(song(beats[:10], (), 20.0)) == pytest.approx(19.0)
    assert plan.ending_s(song([], (), 1.0)) >= 0


def test_settling_wholly_is_the_stance_upright_at_the_same_place():
    motion = staging.settle(swaying(1), np.ones(30))
    place = positions(motion)
    assert np.allclose(motion.root[:, [0, 2]], [0.3, -0.2])
    assert np.allclose(motion.rotations[:, 1:], staging.stance(motion.skeleton)[1:], atol=1e-5)
    wrist, hip = place[0, motion.skeleton.index("left_wrist")], place[0, motion.skeleton.index("left_hip")]
    assert abs(wrist[1] - hip[1]) < 0.2 and wrist[0] > hip[0]
    toe = place[0, motion.skeleton.index("left_foot")]
    assert 0 < toe[1] < 0.06


def test_not_settling_changes_nothing():
    motion = swaying(1)
    assert np.allclose(positions(staging.settle(motion, np.zeros(30))), positions(motion), atol=1e-5)


def test_end_keeps_the_length_and_holds_the_last_pose():
    motion = swaying(4)
    ended = staging.end(motion, 3.0)
    place = positions(ended)
    assert len(ended) == len(motion)
    assert np.allclose(place[:90], positions(motion)[:90], atol=1e-5)
    assert np.abs(place[-1] - place[-4]).max() < 0.03


def test_silence_is_rest_and_sound_is_not():
    energy = np.where(np.arange(300) // 100 == 1, 0.0, 0.5)
    motion = swaying(10)
    rested = staging.rest(motion, energy)
    assert np.allclose(rested.rotations[150, 16], staging.stance(motion.skeleton)[16], atol=1e-4)
    assert np.allclose(rested.rotations[20], motion.rotations[20], atol=1e-6)
