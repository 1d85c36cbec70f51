"""Null models: by hand where few songs leave few draws, fair on random dances, sure on dances that keep time, finite on next to nothing."""

from functools import partial

import numpy as np
import pytest

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.metrics import alignment, beats, beats_published, null
from choreia.metrics.base import About, MusicMetric, SyncMetric

LENGTH_S = 20.0
BPMS = (83, 90, 97, 104, 111, 119, 127, 136)


def metric_of(score, better="higher", **more):
    return SyncMetric(About("x", "test", better, "1", "[0, 1]", "test", "test"), beats.slow_moments, "beats", score, **more)


def entry(name):
    found = (
        m
        for m in beats_published.METRICS + beats.METRICS + alignment.METRICS
        if (m.about.name, m.about.dialect) in {(name, "corrected"), ("BAS", name)}
    )
    return next(found)


RECALL = metric_of(beats.recall)


def songs():
    rng = np.random.default_rng(0)
    return [np.arange(rng.uniform(0.1, 0.5), LENGTH_S, 60 / bpm) for bpm in BPMS]


def pairs_of(made, given=None, **more):
    given = songs() if given is None else given
    which = [i % len(given) for i in range(len(made))]
    return null.Pairs(made, given, which, [LENGTH_S] * len(made), [LENGTH_S] * len(given), **more)


def on_beat(lag_s=0.0, spread_s=0.02, copies=2):
    rng = np.random.default_rng(1)
    return [np.clip(np.sort(song + lag_s + rng.normal(0, spread_s, len(song))), 0, LENGTH_S) for song in songs() * copies]


def by_name(metric, pairs, **more):
    return {score.null: score for score in null.null_scores(metric, pairs, **more)}


def swinging(beats_s, fps=60.0, seed=0):
    """Joints at rest on every beat; analytic."""
    rng = np.random.default_rng(seed)
    swing = 0.5 * np.cos(np.pi * clock.beat_position(np.arange(round(LENGTH_S * fps)) / fps, beats_s))
    return rng.normal(0, 0.4, (24, 3)) + swing[:, None, None] * rng.normal(0, 0.3, (24, 3))


# By hand


def test_a_foreign_song_is_repeated_or_cut():
    assert np.allclose(null.fitted(np.array([0.0, 1.0]), 2.0, 5.0), [0, 1, 2, 3, 4])
    assert np.allclose(null.fitted(np.array([0.5, 1.5, 2.5]), 3.0, 2.0), [0.5, 1.5])
    assert len(null.fitted(np.zeros(0), 3.0, 2.0)) == 0


def test_two_songs_change_places_in_one_way():
    given = [np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.5, 2.5, 3.0, 4.5])]
    found = by_name(RECALL, pairs_of(given, given))["other songs"]
    assert (found.mean, found.std, found.z, found.p, found.reached) == (0.25, 0.0, None, 0.5, False)


def test_dances_of_one_song_move_together_when_songs_are_shuffled():
    """Two songs without a common beat: whatever the copies of a dance, there is one way to change places, and it scores 0."""
    given = [np.arange(1, 10.0), np.arange(1.5, 10.0)]
    found = by_name(RECALL, pairs_of([given[i % 2] for i in range(10)], given))["other songs"]
    assert (found.mean, found.std, found.p) == (0.0, 0.0, 0.5)


def test_three_songs_leave_two_orders_and_p_says_so():
    given = [np.arange(1, 10.0) + shift for shift in (0, 0.3, 0.6)]
    assert by_name(RECALL, pairs_of(given, given))["other songs"].p == pytest.approx(1 / 3)


def test_one_song_cannot_be_shuffled():
    pairs = pairs_of([songs()[0]] * 3, [songs()[0]])
    assert "other songs" not in by_name(RECALL, pairs)


def test_no_dance_keeps_its_song_even_among_many():
    """Each song is one beat that no other has: any own pair left in a shuffle would score."""
    given = [np.array([1.0 + k / 4]) for k in range(40)]
    found = by_name(metric_of(partial(beats.recall, window_s=0.01)), pairs_of(given, given))["other songs"]
    assert (found.mean, found.std) == (0.0, 0.0)


def test_the_null_of_a_time_shift_is_chance():
    """Recall of a random shift of one beat a second within 50 ms: a tenth of the time."""
    given = [np.arange(0.5, 20, 1.0)]
    found = by_name(RECALL, pairs_of(given * 20, given), draws=400)["shifted in time"]
    assert found.mean == pytest.approx(0.1, abs=0.03)
    assert found.z > 3


def test_the_right_tempo_alone_is_chance_too():
    given = [np.arange(0.5, 20, 0.5)]
    found = by_name(RECALL, pairs_of([given[0]] * 20, given), draws=400)["right tempo, any phase"]
    assert found.mean == pytest.approx(0.2, abs=0.05)


def test_p_of_a_stand_in_is_no_smaller_than_coins_allow():
    made = on_beat()
    for count in (1, 3, 16):
        pairs = pairs_of(made[:count], stand_ins={"nothing": [np.zeros(0)] * count})
        found = by_name(RECALL, pairs)["nothing"]
        assert found.p == pytest.approx(max(0.5**count, 1 / 201)) and found.mean == 0 and not found.reached


def test_a_stand_in_as_good_as_the_dance_reaches_it():
    made = on_beat()
    found = by_name(RECALL, pairs_of(made, stand_ins={"itself": made, "other": on_beat(0.001)}))
    assert found["itself"].reached and found["itself"].z is None and found["itself"].p == 1
    assert found["other"].reached


def test_lower_is_better_turns_everything_round():
    made = on_beat()
    higher = by_name(metric_of(beats.soft_recall), pairs_of(made, stand_ins={"still": [np.zeros(0)] * 16}))
    lower = by_name(metric_of(distance, "lower"), pairs_of(made, stand_ins={"still": [np.zeros(0)] * 16}))
    for name, score in higher.items():
        assert lower[name].mean == pytest.approx(1 - score.mean)
        assert (lower[name].p, lower[name].reached) == (score.p, score.reached)
        assert lower[name].z == pytest.approx(score.z)


def distance(motion_s, music_s, duration_s):
    return 1 - beats.soft_recall(motion_s, music_s, duration_s)


def test_without_a_better_side_both_directions_count():
    """The rate of a dance against twice and half as many events."""
    made = on_beat()
    many, few = [np.sort(np.concatenate([m, m + 0.1])) for m in made], [m[::2] for m in made]
    found = by_name(entry("motion beat rate"), pairs_of(made, stand_ins={"many": many, "few": few, "same": made}))
    assert not found["many"].reached and not found["few"].reached and found["same"].reached
    assert found["many"].z < 0 < found["few"].z
    assert found["shifted in time"].reached


# Set and interval


def test_interval_is_that_of_a_mean():
    items = np.random.default_rng(0).normal(2.0, 1.0, 400)
    low, high = null.interval(items, np.mean, draws=4000)
    half = 1.96 * items.std() / 20
    assert (low, high) == (pytest.approx(items.mean() - half, abs=0.01), pytest.approx(items.mean() + half, abs=0.01))


def test_undefined_items_are_left_out():
    items = np.array([1.0, np.nan, 3.0])
    assert null.set_score(items, np.mean) == 2.0
    low, high = null.interval(items, np.mean)
    assert 1 <= low < high <= 3
    assert np.isnan(null.set_score(items[1:2], np.mean)) and np.isnan(null.interval(items[1:2], np.mean)).all()
    assert null.interval(items[:1], np.mean) == (1.0, 1.0)


def test_a_score_that_is_undefined_has_no_nulls_and_an_undefined_null_is_left_out():
    made, bailando = on_beat(), entry("bailando")
    assert null.null_scores(bailando, pairs_of([np.zeros(0)] * 8)) == ()
    assert "frozen" not in by_name(bailando, pairs_of(made, stand_ins={"frozen": [np.zeros(0)] * 16}))


def test_one_dance_to_one_song_is_finite():
    pairs = pairs_of(on_beat()[:1], songs()[:1], stand_ins={"still": [np.zeros(0)]}, foils={"metronome": [null.metronome_beats(LENGTH_S)]})
    for metric in (m for m in beats.METRICS + alignment.METRICS if m.about.dialect == "corrected"):
        for score in null.null_scores(metric, pairs, draws=50):
            assert np.isfinite([score.mean, score.std, score.p]).all() and (score.z is None or np.isfinite(score.z))


def test_pairs_that_do_not_match_are_refused():
    with pytest.raises(ChoreiaError, match="one song, duration and stand-in for each item"):
        null.Pairs([np.zeros(0)], [np.zeros(0)], [0, 0], [1.0], [1.0])


# Do the nulls tell dancing from not dancing?


@pytest.mark.parametrize("name", ["beat precision 50 ms", "beat recall 50 ms", "beat F 50 ms", "beat F 100 ms", "soft beat recall"])
def test_a_dance_on_the_beat_stands_out_from_every_null(name):
    foils = {"metronome": [null.metronome_beats(LENGTH_S)] * 16}
    for score in null.null_scores(entry(name), pairs_of(on_beat(), foils=foils)):
        assert score.z > 2 and score.p < 0.01 and not score.reached, score


@pytest.mark.parametrize("name", ["beat F 50 ms", "soft beat precision", "beat distance", "bailando"])
def test_p_is_fair_on_dances_that_do_not_listen(name):
    """Over 50 sets of random dances p is spread evenly: small values are as rare as they claim to be."""
    rng, found = np.random.default_rng(5), []
    for seed in range(50):
        made = [np.sort(rng.uniform(0, LENGTH_S, 30)) for _ in range(8)]
        found.append([score.p for score in null.null_scores(entry(name), pairs_of(made), draws=40, seed=seed)[:2]])
    for p in np.array(found).T:
        assert np.mean(p < 0.1) < 0.25 and 0.35 < p.mean() < 0.65


def test_later_and_later_dances_score_lower_and_lower():
    lags = (0.0, 0.03, 0.06, 0.09, 0.12)
    for name in ("beat F 50 ms", "soft beat precision", "soft beat recall"):
        found = [by_name(entry(name), pairs_of(on_beat(lag)), draws=60)["other songs"].z for lag in lags]
        values = [null.set_score(null.scores(entry(name), pairs_of(on_beat(lag))), np.mean) for lag in lags]
        assert np.all(np.diff(values) < 0)
        assert found[0] > found[1] > found[2] > found[3]


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_from_joints_to_nulls_at_any_frame_rate(fps):
    """Dances at rest on the beat pass; their white-noise and frozen stand-ins do not reach them; a dance to another song does not pass."""
    metric, dances = entry("beat F 50 ms"), [swinging(song, fps, seed) for seed, song in enumerate(songs())]
    noise = [metric.events(null.white_noise(dance, fps, seed), fps) for seed, dance in enumerate(dances)]
    still = [metric.events(null.frozen(dance), fps) for dance in dances]
    made = [metric.events(dance, fps) for dance in dances]
    found = by_name(metric, pairs_of(made, stand_ins={"white noise": noise, "frozen": still}))
    assert all(score.z is None or score.z > 2 for score in found.values()) and not any(score.reached for score in found.values())
    astray = by_name(metric, pairs_of(made[1:] + made[:1]))
    assert astray["other songs"].reached and abs(astray["other songs"].z) < 3
    unmoved = by_name(metric, pairs_of(noise))
    assert unmoved["other songs"].reached and abs(unmoved["other songs"].z) < 3


def test_the_nulls_expose_bailandos_score():
    """Dances that rest on every third beat: white noise reaches Bailando's BAS, and not the corrected precision."""
    rng = np.random.default_rng(3)
    dances = [swinging(song[::3] + rng.normal(0, 0.05, len(song[::3])), seed=seed) for seed, song in enumerate(songs())]
    verdict = {}
    for name in ("bailando", "beat precision 50 ms"):
        metric = entry(name)
        noise = [metric.events(null.white_noise(dance, 60, seed), 60) for seed, dance in enumerate(dances)]
        made = [metric.events(dance, 60) for dance in dances]
        verdict[name] = by_name(metric, pairs_of(made, stand_ins={"white noise": noise}))["white noise"].reached
    assert verdict == {"bailando": True, "beat precision 50 ms": False}


def test_music_and_tuples_are_judged_alike():
    """A made song against its true beats, hits and counts pooled over the set."""
    metric = MusicMetric(About("F", "test", "higher", "1", "[0, 1]", "test", "test"), clicks, hits, pooled)
    found = by_name(metric, pairs_of(on_beat(), stand_ins={"metronome": [null.metronome_beats(LENGTH_S)] * 16}))
    assert len(found) == 4 and all(score.z > 2 for score in found.values())


def clicks(samples, rate):
    return np.flatnonzero(np.diff((np.abs(samples) > 0.1).astype(int)) > 0) / rate


def hits(made_s, true_s, duration_s):
    return beats.matched(made_s, true_s, 0.07), len(made_s), len(true_s)


def pooled(rows):
    hit, made, true = rows.sum(axis=0)
    return 2 * hit / (made + true)


def test_the_same_seed_gives_the_same_nulls():
    pairs = pairs_of(on_beat())
    assert null.null_scores(RECALL, pairs, seed=4) == null.null_scores(RECALL, pairs, seed=4) != null.null_scores(RECALL, pairs, seed=5)


# Stand-ins


def test_white_noise_has_its_amplitude_and_is_one_movement_at_every_rate():
    dance = swinging(songs()[0])
    noise = null.white_noise(dance, 60, seed=1)
    assert (noise - noise.mean(axis=0)).std() == pytest.approx(0.03, rel=0.02)
    assert np.abs(noise.mean(axis=0) - dance.mean(axis=0)).max() < 0.01
    slow = null.white_noise(dance[::2], 30, seed=1)
    assert np.allclose(slow - dance[::2].mean(axis=0), (noise - dance.mean(axis=0))[::2])
    assert not np.allclose(noise, null.white_noise(dance, 60, seed=2))


def test_frozen_and_backwards():
    dance = swinging(songs()[0])
    assert len(beats.slow_moments(null.frozen(dance), 60)) == 0 and null.frozen(dance).shape == dance.shape
    forth, back = beats.slow_moments(dance, 60), beats.slow_moments(null.reversed_in_time(dance), 60)
    assert np.allclose(np.sort((len(dance) - 1) / 60 - back), forth, atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_metronome_clicks_on_its_beats(rate):
    sound = null.metronome(5.0, rate, bpm=90)
    heard = np.flatnonzero(np.abs(sound) > 0.05) / rate
    starts = heard[np.concatenate([[True], np.diff(heard) > 0.1])]
    assert len(sound) == 5 * rate and np.abs(sound).max() <= 1
    assert np.allclose(starts, null.metronome_beats(5.0, 90), atol=0.001)
