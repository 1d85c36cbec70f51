"""Beats and energy of movement, on motions whose rhythm and energy are known by construction."""

import numpy as np
import pytest
import torch

from choreia.motion import beats, energy
from choreia.motion.kinematics import positions
from choreia.motion.rotations import expmap_to_quaternion
from choreia.motion.skeleton import choreia24
from choreia.types import Motion


def hitting(beats_s, duration_s, fps=30.0, seed=0):
    """Eased moves from pose to pose that stop dead on every beat: a new random pose of arms, spine and root each time."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(duration_s * fps)) / fps
    poses = rng.normal(0, 0.5, (len(beats_s) + 2, 24, 3))
    places = rng.normal((0, 0.9, 0), 0.1, (len(beats_s) + 2, 3))
    index = np.searchsorted(beats_s, times, side="right")
    edges = np.concatenate([[2 * beats_s[0] - beats_s[1]], beats_s, [2 * beats_s[-1] - beats_s[-2]]])
    share = np.clip((times - edges[index]) / (edges[index + 1] - edges[index]), 0, 1)
    eased = (share**2.5)[:, None]  # slow out, dead stop
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
