"""Laws of a second dancer: an exact reflection, a delay counted in beats, and no collisions."""

import numpy as np
import pytest

from choreia.edit import duet
from choreia.errors import ChoreiaError
from choreia.motion.kinematics import positions
from choreia.synth.choreographer import choreograph
from choreia.types import Features, Music, RhythmEvents

FPS = 30.0
BEATS = np.cumsum(np.append(0.0, 0.5 + 0.05 * np.sin(np.arange(23))))


@pytest.fixture(scope="module")
def salsa():
    return choreograph(BEATS, BEATS[::4], (), "salsa", seed=2, duration_s=12.0).motion


def music():
    level = Features(np.full((2, 1), 0.5, np.float32), 1.0, ("level",))
    events = RhythmEvents(BEATS, BEATS[:0], BEATS[:0])
    return Music(12.0, BEATS, BEATS[::4], BEATS[::8], np.full(len(BEATS), 120.0), 4, (), events, level)


def test_partners_reflect_one_another_and_keep_their_distance(salsa):
    other = duet.mirrored(salsa, 1.2)
    left, right = (salsa.skeleton.index(f"{side}_wrist") for side in ("left", "right"))
    one, two = positions(salsa)[:, left], positions(other)[:, right]
    middles = (one + two)[:, 0] / 2
    assert np.ptp(middles) < 1e-4 and np.abs((one - two)[:, 1:]).max() < 1e-4
    assert duet.nearest_m(salsa, other) == pytest.approx(1.2, abs=1e-4)


def test_beside_is_the_same_dance_elsewhere(salsa):
    other = duet.beside(salsa, 1.0, -2.0)
    assert np.allclose(other.root - salsa.root, [1.0, 0, -2.0], atol=1e-6) and other.rotations.tobytes() == salsa.rotations.tobytes()


@pytest.mark.parametrize("beats", [2, 4])
def test_a_canon_is_late_by_beats_however_the_tempo_sways(salsa, beats):
    other = duet.canon(salsa, beats, music(), x_m=4.0)
    assert len(other) == len(salsa)
    wrist = salsa.skeleton.index("left_wrist")
    first, second = (positions(take)[:, wrist] for take in (salsa, other))

    def place(track, time_s):
        return np.array([np.interp(time_s, salsa.times(), track[:, axis]) for axis in range(3)])

    for k in range(beats + 1, 20):
        assert np.allclose(place(second, BEATS[k]) - place(first, BEATS[k - beats]), [4.0, 0, 0], atol=0.01)


def test_who_waits_stands_nearly_still(salsa):
    other = duet.canon(salsa, 4, music(), x_m=4.0)
    assert np.ptp(other.root[: round(BEATS[4] * FPS)], axis=0).max() < 0.1


def test_without_music_a_canon_is_late_by_seconds(salsa):
    other = duet.canon(salsa, 2.0, None, x_m=4.0)
    assert np.allclose(other.root[90:], salsa.root[30:-60] + np.array([4.0, 0, 0]), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda m: duet.mirrored(m, 0.2), "0.2 m apart collide"),
        (lambda m: duet.beside(m, 0.1, 0.1), "collide"),
        (lambda m: duet.beside(m, float("nan")), "collide"),
        (lambda m: duet.canon(m, 0, music()), "no canon"),
        (lambda m: duet.canon(m, 500, music()), "after the dance is over"),
        (lambda m: duet.canon(m, 1, music(), x_m=0.1), "come within"),
    ],
)
def test_bad_input_is_said_in_one_line(salsa, make, says):
    with pytest.raises(ChoreiaError, match=says) as raised:
        make(salsa)
    assert "\n" not in str(raised.value)
