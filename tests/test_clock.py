"""Laws of the clock."""

import numpy as np

from choreia import clock


def test_nearest_event_is_the_one_a_search_of_all_finds():
    rng = np.random.default_rng(3)
    events, times = np.sort(rng.uniform(0, 10, 30)), rng.uniform(-1, 11, 200)
    assert np.array_equal(clock.nearest(events, times), events[np.abs(times[:, None] - events).argmin(axis=1)])
    assert clock.nearest(np.array([1.0, 3.0]), np.array([2.0])) == 1.0


def test_beats_and_times_are_inverse():
    beats = np.cumsum(np.random.default_rng(1).uniform(0.3, 0.7, 20))
    places = np.linspace(-3, 25, 57)
    assert np.allclose(clock.beat_position(clock.beat_time(places, beats), beats), places)


def test_the_last_row_is_repeated():
    rows = np.arange(6).reshape(3, 2)
    assert np.array_equal(clock.first_rows(rows, 2), rows[:2])
    assert np.array_equal(clock.first_rows(rows, 5), rows[[0, 1, 2, 2, 2]])
