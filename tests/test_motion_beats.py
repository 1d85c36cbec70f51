"""Beats and energy of movement, on motions whose rhythm and energy are known by construction."""

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion import beats, cleanup, energy
from choreia.motion.kinematics import positions
from choreia.motion.rotations import expmap_to_quaternion
from choreia.motion.skeleton import choreia24
from choreia.motion.timing import beat_map
from choreia.types import Motion


def hitting(beats_s, duration_s, fps=30.0, seed=0, ease=lambda share: share**2.5):
    """Moves from pose to pose, by default slow to start and stopping dead on every beat: a new random pose each time."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(duration_s * fps)) / fps
    poses = rng.normal(0, 0.5, (len(beats_s) + 2, 24, 3))
    places = rng.normal((0, 0.9, 0), 0.1, (len(beats_s) + 2, 3))
    index = np.searchsorted(beats_s, times, side="right")
    edges = np.concatenate([[2 * beats_s[0] - beats_s[1]], beats_s, [2 * beats_s[-1] - beats_s[-2]]])
    share = np.clip((times - edges[index]) / (edges[index + 1] - edges[index]), 0, 1)
    eased = ease(share)[:, None]
    vectors = poses[index] * (1 - eased[..., None]) + poses[index + 1] * eased[..., None]
    root = places[index] * (1 - eased) + places[index + 1] * eased
    return Motion(choreia24(), root, expmap_to_quaternion(torch.from_numpy(vectors)).numpy(), fps)


def f_measure(found, truth, tolerance_s=0.04):
    near = np.abs(found[:, None] - truth[None]).min(1) <= tolerance_s
    hit = np.abs(found[:, None] - truth[None]).min(0) <= tolerance_s
    return 2 * near.mean() * hit.mean() / max(near.mean() + hit.mean(), 1e-9)


@pytest.mark.parametrize("bpm", [72, 95, 120, 140, 168])
@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_dead_stops_on_a_steady_beat_are_found_within_40_ms(bpm, fps):
    truth = np.arange(0.4, 29.5, 60 / bpm)
    found = beats.visual_beats(hitting(truth, 30.0, fps, seed=bpm))
    assert f_measure(found, truth) > 0.9


def test_a_drifting_tempo_is_followed():
    period = np.linspace(0.62, 0.5, 60)
    truth = 0.3 + np.cumsum(period)
    found = beats.visual_beats(hitting(truth, truth[-1] + 0.5))
    assert f_measure(found, truth, 0.06) > 0.85


def test_the_grid_is_regular_even_when_half_the_beats_have_no_stop():
    truth = np.arange(0.5, 30, 0.5)
    rng = np.random.default_rng(3)
    found = beats.visual_beats(hitting(np.sort(rng.choice(truth, 42, replace=False)), 30.0))
    gaps = np.diff(found)
    assert (np.abs(gaps / np.median(gaps) - 1) < 0.2).mean() > 0.9
    assert gaps.min() >= 60 / 180 - 0.02 and gaps.max() <= 1.02


@pytest.mark.parametrize("seconds", [0.5, 10.0])
def test_still_motion_has_no_beats(seconds):
    n = round(30 * seconds)
    still = Motion(choreia24(), np.tile([0, 0.9, 0], (n, 1)), np.tile([1.0, 0, 0, 0], (n, 24, 1)), 30.0)
    assert len(beats.visual_beats(still)) == 0
    assert len(beats.kinetic_beats(still)) == 0


def test_kinetic_beats_are_the_turning_points_of_a_sway():
    times = np.arange(300) / 30
    root = np.stack([0.2 * np.cos(2 * np.pi * times), 0 * times + 0.9, 0 * times], 1)
    sway = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (300, 24, 1)), 30.0)
    found = beats.kinetic_beats(sway)
    assert np.abs(found - np.round(found * 2) / 2).max() < 0.02
    assert len(found) >= 18


def test_energy_of_a_body_that_flies_without_turning_is_half_v_squared():
    times = np.arange(60) / 30
    root = np.stack([2.0 * times, 0 * times + 0.9, 1.0 * times], 1)
    motion = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (60, 24, 1)), 30.0)
    assert np.abs(energy.kinetic_energy(motion).sum(1) / 0.998 - 0.5 * 5.0).max() < 0.02
    assert np.abs(energy.joint_speed(motion) - np.sqrt(5)).max() < 1e-4
    assert energy.jerk(motion).max() < 0.2


def test_jerk_of_a_cubic_path():
    times = np.arange(40) / 30
    root = np.stack([times**3, 0 * times, 0 * times], 1)
    motion = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (40, 24, 1)), 30.0)
    assert positions(motion).shape == (40, 24, 3)
    assert np.abs(energy.jerk(motion) - 6).max() < 0.1


def unsteady(bpm=110, seconds=30, seed=0):
    """A song's beats and a dance that rests up to 100 ms beside them, now early, now late."""
    music = np.arange(0.5, seconds - 0.3, 60 / bpm)
    return music, music + 0.1 * np.sin(2 * np.pi * music / 9 + seed)


def share_on(found, music, tolerance_s=0.035):
    return (np.abs(found[:, None] - music[None]).min(0) <= tolerance_s).mean()


@pytest.mark.parametrize("seed", range(3))
def test_beat_lock_puts_stops_on_the_music(seed):
    music, danced = unsteady(seed=seed)
    motion = hitting(danced, 30.0, seed=seed, ease=lambda share: (1 - np.cos(np.pi * share)) / 2)
    locked = cleanup.beat_lock(motion, danced, music)
    assert len(locked) == len(motion) and locked.fps == motion.fps
    before, after = share_on(beats.kinetic_beats(motion), music), share_on(beats.kinetic_beats(locked), music)
    assert after > 0.8 and after > before + 0.25


@pytest.mark.parametrize("max_rate", [1.1, 1.25, 1.5])
def test_the_beat_map_is_monotone_bounded_in_pace_and_keeps_both_ends(max_rate):
    rng = np.random.default_rng(5)
    times = np.arange(1800) / 30
    reading = beat_map(times, np.sort(rng.uniform(0, 60, 150)), np.arange(0.1, 60, 0.47), max_rate)
    pace = np.diff(reading) * 30
    assert pace.min() >= 1 / max_rate - 1e-9 and pace.max() <= max_rate + 1e-9
    assert reading[0] == times[0] and reading[-1] == times[-1]
    assert np.abs(np.diff(pace)).max() < 0.25 * (max_rate - 1 / max_rate), "the pace itself changes smoothly"


def test_beats_already_on_the_music_or_no_beats_leave_the_clock_alone():
    times, music = np.arange(600) / 30, np.arange(0.5, 20, 0.5)
    assert np.abs(beat_map(times, music, music) - times).max() < 1e-9
    assert np.array_equal(beat_map(times, np.zeros(0), music), times)
    assert np.array_equal(beat_map(times, music, np.zeros(0)), times)


def test_beat_lock_refuses_a_rate_that_cannot_move_anything():
    with pytest.raises(ChoreiaError, match="max_rate"):
        cleanup.beat_lock(hitting(np.arange(0.5, 3, 0.5), 3.0), np.arange(0.5, 3, 0.5), np.arange(0.4, 3, 0.5), 1.0)
