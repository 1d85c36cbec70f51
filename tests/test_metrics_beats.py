"""Beat scores: hand-worked numbers, mir_eval as oracle, independence of frame rate, and the traps that published scores fall into."""

import pickle
import sys

import mir_eval
import numpy as np
import pytest

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.metrics import alignment, beats, beats_published, null, peer_beats

ENTRIES = beats_published.METRICS + beats.METRICS + alignment.METRICS
CORRECTED = [metric for metric in ENTRIES if metric.about.dialect == "corrected"]
LENGTH_S = 20.0


def grid(bpm, start_s=0.31, length_s=LENGTH_S):
    return np.arange(start_s, length_s, 60 / bpm)


def dancing(beats_s, fps=60.0, length_s=LENGTH_S, lag_s=0.0, seed=0):
    """Joints that swing from beat to beat and stand still for a moment on each, `lag_s` late; analytic, so that rates sample one motion."""
    rng = np.random.default_rng(seed)
    swing = 0.5 * np.cos(np.pi * clock.beat_position(np.arange(round(length_s * fps)) / fps, beats_s + lag_s))
    pose, way = rng.normal(0, 0.4, (24, 3)), rng.normal(0, 0.3, (24, 3))
    return pose + swing[:, None, None] * way


def entry(name, dialect):
    return next(metric for metric in ENTRIES if (metric.about.name, metric.about.dialect) == (name, dialect))


def frames(*numbers, rate):
    return np.array(numbers) / rate


# By hand


def test_mint_goes_from_motion_to_music():
    score = beats_published.mint_score(frames(60, 120, rate=60), frames(63, 120, 180, rate=60), 4.0)
    assert score == pytest.approx((np.exp(-9 / 18) + 1) / 2)
    assert beats_published.mint_score(np.zeros(0), frames(63, rate=60), 4.0) == 0.0
    assert np.isnan(beats_published.mint_score(frames(60, rate=60), np.zeros(0), 4.0))
    assert np.isnan(beats_published.mint_score(frames(60, rate=60), frames(240, rate=60), 4.0)), "music after the dance is cut off"


def test_bailando_goes_from_music_to_motion():
    score = beats_published.bailando_score(frames(63, 300, rate=60), frames(60, 120, rate=60), 10.0)
    assert score == pytest.approx((np.exp(-9 / 18) + np.exp(-(57**2) / 18)) / 2)
    for motion, music in ((np.zeros(0), [1.0]), ([1.0], np.zeros(0))):
        assert np.isnan(beats_published.bailando_score(np.array(motion), np.array(music), 10.0))


def test_lodge_counts_beats_after_the_end_of_the_dance_and_danceba_does_not():
    motion, music = frames(30, rate=30), frames(30, 300, rate=30)
    assert entry("BAS", "danceba").score(motion, music, 2.0) == pytest.approx(1.0)
    assert entry("BAS", "lodge").score(motion, music, 2.0) == pytest.approx(0.5)


def test_popdg_looks_for_music_in_the_first_five_seconds_and_divides_by_24():
    popdg = entry("BAS", "popdg")
    grid_s = frames(30, 240, rate=30)
    assert popdg.score(frames(30, 240, rate=30), grid_s, 10.0) == pytest.approx(0.5)
    assert popdg.reduce(np.full(48, 0.5)) == pytest.approx(1.0)
    assert len(popdg.events(dancing(grid(100), 30), 30)) == len(popdg.events(dancing(grid(100), 30)[:300], 30)) > 5


def test_lrcm_counts_only_covered_beats():
    score = beats_published.lrcm_score(frames(36, 110, rate=30), frames(30, 100, 200, rate=30), 10.0)
    assert score == pytest.approx(np.exp(-36 / 162) / 3)
    assert beats_published.lrcm_score(np.zeros(0), np.array([1.0]), 10.0) == 0.0
    assert np.isnan(beats_published.lrcm_score(np.array([1.0]), np.zeros(0), 10.0))


def test_energy_peaks_lie_halfway_between_the_beats():
    beats_s = grid(90)
    peaks = beats_published.energy_peaks(dancing(beats_s), 60)
    halfway = (beats_s[1:] + beats_s[:-1]) / 2
    assert beats.nearest(halfway, peaks).max() < 0.02
    theatre = entry("BAS", "theatre")
    assert theatre.score(peaks, halfway[::4], LENGTH_S) > 0.9 > 0.1 > theatre.score(peaks, beats_s[::4], LENGTH_S)


def test_windows_pair_one_to_one():
    motion, music = np.array([1.0, 1.02, 2.0, 3.06]), np.array([1.01, 2.04, 3.0, 4.0, 5.0])
    assert beats.precision(motion, music, 10.0) == 2 / 4
    assert beats.recall(motion, music, 10.0) == 2 / 5
    assert beats.f_measure(motion, music, 10.0) == pytest.approx(4 / 9)
    assert beats.recall(motion, music, 10.0, window_s=0.1) == 3 / 5
    assert beats.recall(motion, music, 3.5) == 2 / 3


def test_pairs_and_f_agree_with_mir_eval():
    rng = np.random.default_rng(0)
    for _ in range(100):
        first, second = (np.sort(rng.uniform(0, 10, rng.integers(1, 60))) for _ in range(2))
        window_s = rng.uniform(0.01, 0.3)
        assert beats.matched(first, second, window_s) == len(mir_eval.util.match_events(first, second, window_s))
        assert beats.f_measure(first, second, 10.0, window_s) == pytest.approx(mir_eval.beat.f_measure(second, first, window_s))


def test_distances_to_the_nearest_agree_with_the_whole_table():
    rng = np.random.default_rng(1)
    first, second = np.sort(rng.uniform(0, 10, 40)), np.sort(rng.uniform(2, 8, 7))
    assert np.allclose(beats.nearest(first, second), np.abs(first[:, None] - second).min(axis=1))


def test_soft_scores_by_hand():
    motion, music = np.array([1.05]), np.array([1.0, 2.0])
    assert beats.soft_precision(motion, music, 5.0) == pytest.approx(np.exp(-0.5))
    assert beats.soft_recall(motion, music, 5.0) == pytest.approx((np.exp(-0.5) + np.exp(-(0.95**2) / 0.005)) / 2)


def test_soft_scores_have_both_directions_and_two_widths():
    motion, music = np.array([1.0, 1.1, 3.0]), np.array([1.0])
    hit, far = 1.0, np.exp(-0.5)
    assert beats.soft_precision(motion, music, 4.0, 0.1) == pytest.approx((hit + far + np.exp(-200)) / 3)
    assert beats.soft_recall(motion, music, 4.0, 0.1) == 1
    assert beats.soft_f(motion, music, 4.0, 0.1) == pytest.approx(2 / (3 / (hit + far) + 1))
    assert beats.soft_f(motion, np.zeros(0), 4.0) == 0


@pytest.mark.parametrize("dialect", ["mint", "popdg", "bailando", "lodge", "danceba", "lrcm"])
def test_published_beats_are_counted_in_frames_at_any_rate(dialect):
    shaking = np.cumsum(np.random.default_rng(4).normal(size=(240, 24, 3)), axis=0)
    find = entry("BAS", dialect).events
    slow, fast = find(shaking, 30.0) * 30, find(shaking, 60.0) * 60
    assert len(slow) > 2 and np.allclose(slow, fast)


def test_popdg_finds_no_two_beats_within_ten_frames():
    sway = np.cos(np.pi * np.arange(300) / 8)[:, None, None] * np.ones((1, 24, 3))
    assert len(beats_published.popdg_events(sway, 30.0)) == 0 and len(beats.slow_moments(sway, 30.0)) > 30


def test_those_who_report_bailandos_score_get_it_over_the_music_beats_they_name():
    own = entry("BAS", "bailando")
    for dialect, grid_name in (("edge", "bailando"), ("dancemeld", "bailando"), ("unimumo", "unimumo")):
        metric = entry("BAS", dialect)
        assert (metric.events, metric.score, metric.about.fps, metric.grid) == (own.events, own.score, 60, grid_name)


def test_phase_histogram_by_hand():
    music = np.array([0.0, 1.0, 3.0])
    motion = np.array([0.0, 0.97, 2.0, 2.5, 3.5])
    assert np.allclose(beats.phases(motion, music), [0, 0.97, 0.5, 0.75])
    assert np.allclose(beats.phase_histogram(motion, music, bins=4), [0.5, 0, 0.25, 0.25])
    assert beats.phase_histogram(np.zeros(0), music).sum() == 0


def test_phase_strength_of_few_or_random_events_is_not_mistaken_for_keeping_time():
    music, rng = grid(120, 0.0), np.random.default_rng(2)
    assert beats.phase_strength(np.array([1.2]), music, LENGTH_S) == 0
    assert beats.phase_strength(music[1:9] + 0.1, music, LENGTH_S) == pytest.approx(1)
    opposite = np.sort(np.concatenate([music[:8], music[:8] + 0.25]))
    assert beats.phase_strength(opposite, music, LENGTH_S) == 0
    squares = [beats.phase_strength(np.sort(rng.uniform(0, 19, 6)), music, LENGTH_S) ** 2 for _ in range(300)]
    lengths = [abs(np.exp(2j * np.pi * rng.uniform(0, 1, 6)).mean()) ** 2 for _ in range(300)]
    assert np.mean(squares) < 0.5 * np.mean(lengths)


def test_rates_by_hand():
    assert beats.beat_rate(np.arange(12), np.zeros(0), 24.0) == 0.5
    assert beats.beat_rate_ratio(np.arange(12), np.arange(0, 48, 1.0), 24.0) == pytest.approx(12 / 25)


def test_alignment_by_hand():
    visual, music = frames(60, 130, rate=60), frames(63, 120, 700, rate=60)
    assert alignment.alignment_frames(visual, music, 10.0) == pytest.approx((3 + 10) / 2)
    assert alignment.alignment_ms(visual, music, 10.0) == pytest.approx(6.5 * 1000 / 60)
    assert np.isnan(alignment.alignment_frames(np.zeros(0), music, 10.0))
    assert alignment.median_distance_ms(np.array([1.0, 2.0, 3.0]), np.array([1.01]), 10.0) == pytest.approx(990)
    assert alignment.median_distance_ms(np.array([1.01]), np.array([1.0, 2.0, 3.0]), 10.0) == pytest.approx(990)
    assert alignment.median_distance_ms(np.zeros(0), music, 10.0) == 10_000


# Motion beats


def test_every_detector_finds_the_moments_of_rest():
    beats_s = grid(100)
    joints, inner = dancing(beats_s), beats_s[2:-2]
    for events, slack_s in ((beats_published.mint_events, 1 / 60), (beats_published.bailando_events, 1 / 60), (beats.slow_moments, 0.005)):
        found = events(joints, 60)
        assert beats.nearest(inner, found).max() <= slack_s + 1e-9
        assert abs(len(found) - len(beats_s)) <= 3
    assert beats.nearest(inner, alignment.stops(joints, 60)).max() < 0.2


def test_bailando_is_half_a_frame_early():
    beats_s = np.arange(0.5, LENGTH_S, 0.5)
    early = beats_s[3:-3] + 0.5 / 60
    found = beats_published.bailando_events(dancing(early, length_s=LENGTH_S), 60)
    assert np.median(found[2:-2] - early[np.abs(early[:, None] - found[2:-2]).argmin(axis=0)]) == pytest.approx(-0.5 / 60, abs=1e-6)


def test_corrected_beats_do_not_depend_on_frame_rate_place_or_heading():
    beats_s = grid(97)
    found = beats.slow_moments(dancing(beats_s, 60), 60)
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    assert np.allclose(found, beats.slow_moments(dancing(beats_s, 60) @ turn.T + 3.0, 60), atol=1e-6)
    for fps in (30.0, 50.0, 120.0):
        other = beats.slow_moments(dancing(beats_s, fps), fps)
        assert beats.nearest(beats_s[1:-1], other).max() < 0.006


@pytest.mark.parametrize("fps", [30.0, 60.0])
@pytest.mark.parametrize("lag_s", [-0.08, 0.0, 0.04, 0.12])
def test_the_lag_of_a_dance_is_measured(fps, lag_s):
    beats_s, metric = grid(110), entry("beat phase offset", "corrected")
    found = metric.events(dancing(beats_s, fps, lag_s=lag_s), fps)
    assert metric.reduce(np.array([metric.score(found, beats_s, LENGTH_S)])) == pytest.approx(1000 * lag_s, abs=5)


# Traps


@pytest.fixture(scope="module")
def sparse():
    """Dancers who rest on every third beat of six songs, give or take 50 ms: dance at 60 Hz, at 30 Hz, and the song's beats."""
    rng = np.random.default_rng(3)
    found = []
    for seed, bpm in enumerate((80, 91, 100, 111, 122, 135)):
        rests = grid(bpm)[::3] + rng.normal(0, 0.05, len(grid(bpm)[::3]))
        found.append((dancing(rests, 60, seed=seed), dancing(rests, 30, seed=seed), grid(bpm)))
    return found


def test_trap_white_noise_beats_a_dancer_in_bailando_and_not_in_corrected_scores(sparse):
    def both(metric):
        dance = [metric.score(metric.events(joints, 60), music, LENGTH_S) for joints, _, music in sparse]
        noise = [metric.score(metric.events(null.white_noise(joints, 60, seed=0), 60), music, LENGTH_S) for joints, _, music in sparse]
        return np.mean(dance), np.mean(noise)

    dance, noise = both(entry("BAS", "bailando"))
    assert noise > dance
    for name in ("beat precision 50 ms", "soft beat precision", "beat phase strength"):
        dance, noise = both(entry(name, "corrected"))
        assert dance > 1.5 * noise


def test_trap_mint_counts_in_frames(sparse):
    """The same dances and songs handed over frame by frame at 60 and at 30 Hz."""
    at_60 = [beats_published.mint_score(beats_published.mint_events(dance, 60), music, LENGTH_S) for dance, _, music in sparse]
    at_30 = [beats_published.mint_score(beats_published.mint_events(slow, 60), music / 2, LENGTH_S / 2) for _, slow, music in sparse]
    assert np.mean(at_30) > 1.15 * np.mean(at_60)
    for metric in CORRECTED:
        sixty = [metric.score(metric.events(dance, 60), music, LENGTH_S) for dance, _, music in sparse]
        thirty = [metric.score(metric.events(slow, 30), music, LENGTH_S) for _, slow, music in sparse]
        slack = 3 if metric.about.unit == "ms" else 0.02
        assert metric.reduce(np.array(thirty)) == pytest.approx(metric.reduce(np.array(sixty)), rel=0.1, abs=slack), metric.about.name


def test_trap_a_pulse_at_2_7_minima_a_second_scores_high_in_lodge_with_any_song():
    pulse = dancing(np.arange(0.1, LENGTH_S, 1 / 2.7), 30)
    lodge, strength = entry("BAS", "lodge"), entry("beat phase strength", "corrected")
    songs = [grid(bpm, 0.2) for bpm in (83, 91, 104, 117, 126, 135)]
    assert np.mean([lodge.score(lodge.events(pulse, 30), song, LENGTH_S) for song in songs]) > 0.5
    assert np.mean([strength.score(strength.events(pulse, 30), song, LENGTH_S) for song in songs]) < 0.2


def test_trap_straight_lines_from_30_to_60_hz_leave_mint_without_beats():
    slow = dancing(grid(100), 30)
    doubled = clock.resample(slow, 30, np.arange(2 * len(slow) - 1) / 60)
    assert len(beats_published.mint_events(doubled, 60)) == 0 < len(beats_published.mint_events(dancing(grid(100)), 60))
    assert len(beats.slow_moments(doubled, 60)) == len(beats.slow_moments(slow, 30))


def test_trap_equation_26_of_lrcm_hardly_cares_where_the_beats_fall():
    music = grid(120)
    scores = [beats_published.lrcm_score(np.sort(music + shift), music, LENGTH_S) for shift in np.linspace(0, 0.5, 11)]
    assert min(scores) > 0.6
    assert min(beats.soft_recall(music + shift, music, LENGTH_S) for shift in np.linspace(0, 0.5, 11)) < 0.01


# Still, empty, broken


@pytest.mark.parametrize("metric", CORRECTED, ids=lambda metric: metric.about.name)
@pytest.mark.parametrize("music", [np.zeros(0), np.array([1.0]), grid(100)], ids=["no music", "one beat", "music"])
def test_corrected_scores_are_finite_on_stillness_and_silence(metric, music):
    still = np.zeros((60, 24, 3))
    for joints in (still, still[:1], dancing(grid(100), 30, 4.0)):
        events = metric.events(joints, 30)
        assert np.isfinite(metric.reduce(np.array([metric.score(events, music, len(joints) / 30)], dtype=float)))
    if metric.about.better == "higher":
        assert metric.score(metric.events(still, 30), music, 2.0) == 0


def test_published_scores_of_a_frozen_dance_are_undefined_where_the_code_crashes():
    still = np.zeros((600, 24, 3))
    found = {m.about.dialect: m.score(m.events(still, 60), grid(100), 10.0) for m in ENTRIES if m.about.name == "BAS"}
    assert {name for name, value in found.items() if np.isnan(value)} == {"bailando", "lodge", "danceba", "edge", "dancemeld", "unimumo"}
    assert all(value == 0 for value in found.values() if not np.isnan(value))


def test_broken_input_is_named():
    broken = np.zeros((60, 24, 3))
    broken[7, 0, 0] = np.nan
    with pytest.raises(ChoreiaError, match="frame 7"):
        beats.slow_moments(broken, 30)
    with pytest.raises(ChoreiaError, match="event times"):
        beats.f_measure(np.array([np.nan]), np.array([1.0]), 2.0)


def test_entries_have_names_of_their_own_and_travel_between_processes():
    names = [(metric.about.name, metric.about.dialect) for metric in ENTRIES]
    assert len(set(names)) == len(names)
    for metric in ENTRIES:
        copy = pickle.loads(pickle.dumps(metric))
        assert copy.about == metric.about and copy.score(grid(90), grid(100), 20.0) == metric.score(grid(90), grid(100), 20.0)
        assert metric.grid in {"beats", "strong", *peer_beats.PEERS}


# Music beats of peers


@pytest.fixture(scope="module")
def clicks():
    return null.metronome(15, 30720, bpm=100)


@pytest.mark.parametrize("peer", ["mint", "popdg", "bailando", "unimumo"])
def test_peers_find_a_metronome(clicks, peer):
    found = peer_beats.PEERS[peer](clicks, 30720)
    assert np.median(np.diff(found)) == pytest.approx(0.6, abs=0.03)
    assert np.median(beats.nearest(found, null.metronome_beats(15, 100))) < 0.05


@pytest.mark.parametrize(("peer", "fps"), [("mint", 60), ("popdg", 30), ("lodge", 30), ("bailando", 60)])
def test_beats_of_peers_lie_on_their_frames(clicks, peer, fps):
    found = peer_beats.PEERS[peer](clicks, 30720) * fps
    assert len(found) > 10 and np.allclose(found, np.rint(found))


def test_lodge_misjudges_the_tempo_and_lands_an_octave_away():
    sound = null.metronome(15, 30720, bpm=180)
    lodge, popdg = (np.median(np.diff(peer_beats.PEERS[peer](sound, 30720))) for peer in ("lodge", "popdg"))
    assert popdg / lodge == pytest.approx(2, abs=0.1)


def test_silence_has_no_beats_and_two_channels_are_refused():
    for peer in peer_beats.PEERS.values():
        assert len(peer(np.zeros(44100), 44100)) == len(peer(np.zeros(0), 44100)) == 0
    with pytest.raises(ChoreiaError, match="average its channels"):
        peer_beats.mint(np.zeros((2, 44100)), 44100)


def test_a_missing_librosa_is_said_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ChoreiaError, match="choreia\\[evaluate\\]"):
        peer_beats.unimumo(np.ones(44100), 44100)


def test_over_chance_by_hand():
    music = np.arange(0.5, 10, 1.0)
    assert beats.over_chance(music, music, 10.0, 0.1) == pytest.approx(1)
    half = np.sort(np.concatenate([music[::2], music[1::2] + 0.5]))  # every other one on a beat: F 0.5; each side covers 0.2 of the time,
    covered = (10 * 0.2 - 0.1) / 10  # but the last window of `half` is cut by the end of the dance
    chance = 2 * 0.2 * covered / (0.2 + covered)
    assert beats.over_chance(half, music, 10.0, 0.1) == pytest.approx((0.5 - chance) / (1 - chance))
    assert beats.over_chance(np.zeros(0), music, 10.0) == beats.over_chance(music, np.zeros(0), 10.0) == 0.0


@pytest.mark.parametrize("rate_hz", [1.0, 2.7, 6.0, 30.0])
def test_over_chance_is_blind_to_how_many_beats_there_are(rate_hz):
    rng = np.random.default_rng(0)
    music = np.arange(0.3, 60, 0.53)
    scores = [beats.over_chance(np.sort(rng.uniform(0, 60, round(60 * rate_hz))), music, 60.0, 0.1) for _ in range(100)]
    assert abs(np.mean(scores)) < 0.02
    pulses = [beats.over_chance(np.arange(rng.uniform(0, 1 / rate_hz), 60, 1 / rate_hz), music, 60.0, 0.1) for _ in range(100)]
    assert abs(np.mean(pulses)) < 0.02
