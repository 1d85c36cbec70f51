"""Laws of the lighting scores, by shows whose changes, cues and accents are known by hand."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics import lighting
from choreia.motion.skeleton import choreia24
from choreia.stage import cues, looks, style
from choreia.types import ZONES, Cue, Features, Motion, Music, RhythmEvents, Section, Style

FPS = 30.0
BEATS_S, BARS_S = 0.5 * np.arange(49), 2.0 * np.arange(13)
DURATION_S = 24.0


def row(hue: float, levels: dict[str, float]) -> Style:
    one = looks.look("warm_wash").quiet
    light = np.array([[levels.get(zone, 0.0) for zone in ZONES]])
    return replace(one, hue=np.array([hue]), saturation=np.array([0.8]), light=light)


def show(times_s: list[float], fade_s: float = 0.0) -> Style:
    """Red front light and blue back light by turns, a cue at each time."""
    states = [row(0.5, {"front_left": 0.8, "spot": 0.5}), row(4.6, {"back_centre": 0.9})]
    first = Cue(0.0, 0.0, 0.0, states[1])
    return cues.to_track([first, *(Cue(t, fade_s, fade_s, states[k % 2]) for k, t in enumerate(times_s))], DURATION_S)


def music(energy: np.ndarray | None = None) -> Music:
    values = np.full(round(DURATION_S * FPS), 0.5) if energy is None else energy
    sections = (Section(0.0, 12.0, "A"), Section(12.0, DURATION_S, "B"))
    none = np.zeros(0)
    curve = Features(values[:, None].astype(np.float32), FPS, ("energy",))
    tempo = np.full(len(BEATS_S), 120.0)
    return Music(DURATION_S, BEATS_S, BARS_S, BARS_S[::2], tempo, 4, sections, RhythmEvents(BEATS_S, none, none), curve)


# ------------------------------------------------------------------------------------------------------- changes of style


@pytest.mark.parametrize("fade_s", [0.0, 0.5, 1.0, 2.0])
def test_a_change_is_found_where_its_cue_begins(fade_s):
    times = [4.0, 9.51, 16.0]
    assert lighting.style_changes(show(times, fade_s)) == pytest.approx(times, abs=1.01 / FPS)


def test_the_opening_and_the_last_fade_are_left_out():
    assert lighting.style_changes(show([0.5, 6.0, 23.5])) == pytest.approx([6.0], abs=1 / FPS)


@pytest.mark.parametrize("frames", [0, 1, 40, 61, 400])
def test_noise_has_sorted_changes_inside_the_song(frames):
    noise = np.random.default_rng(frames).uniform(-1, 1, (frames, len(style.VECTOR)))
    found = lighting.style_changes(style.from_vector(noise))
    assert (np.diff(found) > 0).all() and ((found >= 1) & (found <= frames / FPS - 1)).all()


def test_changes_on_bars_score_one_and_half_a_bar_late_none():
    bars = [4.0, 8.0, 14.0, 20.0]
    on = lighting.on_bounds(lighting.style_changes(show(bars)), BARS_S, DURATION_S)
    off = lighting.on_bounds(lighting.style_changes(show([bar + 1.0 for bar in bars])), BARS_S, DURATION_S)
    assert (on.share, off.share) == (1.0, 0.0)
    assert on.covered == pytest.approx(4 / 13) and off.covered == 0
    assert on.over_chance == 1.0 and off.over_chance < 0


def test_chance_is_the_time_that_lies_near_a_bound():
    changes = np.sort(np.random.default_rng(0).uniform(0, DURATION_S, 2000))
    found = lighting.on_bounds(changes, BARS_S[:-1], DURATION_S, 0.1)
    covered = (12 * 0.2 - 0.1) / DURATION_S  # the bar at 0 has only one side
    assert found.chance == pytest.approx(covered, abs=0.02) and found.share == pytest.approx(covered, abs=0.03)
    assert abs(found.over_chance) < 0.03


def test_pulses_energy_and_a_strobe_are_no_changes_of_style():
    times = np.arange(round(DURATION_S * FPS)) / FPS
    energy = 0.5 + 0.3 * np.sin(2 * np.pi * times / 12)
    for name in ("neon_pulse", "side_dance", "aerial_beams"):
        living = looks.animate(looks.look(name), times, energy, BEATS_S, BARS_S)
        assert not len(lighting.style_changes(living)), name


def test_still_light_and_black_have_no_changes_and_no_share():
    for levels in ({"top": 0.5}, {}):
        assert not len(lighting.style_changes(style.repeat(row(1.0, levels), 600)))
    found = lighting.on_bounds(np.zeros(0), BARS_S, DURATION_S)
    assert np.isnan(found.share) and found.covered == 0
    assert lighting.on_bounds(np.array([3.0]), np.zeros(0), DURATION_S).share == 0


def test_a_blackout_has_no_style_and_what_comes_after_it_has():
    one, other, dark = row(1.0, {"top": 0.5}), row(1.0, {"spot": 0.5}), row(1.0, {})
    same = cues.to_track([Cue(0.0, 0, 0, one), Cue(6.0, 0, 2.0, dark), Cue(10.0, 3.0, 0, one)], DURATION_S)
    new = cues.to_track([Cue(0.0, 0, 0, one), Cue(6.0, 0, 0, dark), Cue(10.0, 0, 0, other)], DURATION_S)
    assert not len(lighting.style_changes(same))
    assert lighting.style_changes(new) == pytest.approx([10.0], abs=1 / FPS)


def test_a_dip_on_the_way_does_not_move_the_change():
    """A beat of side light before a section: the colour comes with the section."""
    one, dim, other = row(0.5, {"front_left": 0.6, "top": 0.4}), row(0.5, {"side_left": 0.15}), row(4.6, {"back_centre": 0.9})
    track = cues.to_track([Cue(0.0, 0, 0, one), Cue(11.5, 0, 0, dim), Cue(12.0, 0, 0, other)], DURATION_S)
    assert lighting.style_changes(track) == pytest.approx([12.0], abs=1 / FPS)


def test_bounds_are_bars_and_sections():
    assert lighting.bounds_of(replace(music(), downbeats_s=np.array([1.0, 3.0]))).tolist() == [0.0, 1.0, 3.0, 12.0]


# ------------------------------------------------------------------------------------------------------------------- cues


def test_cues_are_held_against_the_nearest_beat_in_frames():
    state = row(1.0, {"top": 0.5})
    found = lighting.cue_errors([Cue(t, 0, 0, state) for t in (1.0, 2.1, 2.95)], BEATS_S)
    assert found == pytest.approx([0, 3, 1.5])
    assert not len(lighting.cue_errors([Cue(1.0, 0, 0, state)], np.zeros(0)))
    assert not len(lighting.cue_errors([Cue(0.2, 0, 0, state)], BEATS_S[1:]))  # before the first beat


def test_a_track_obeys_its_cues_within_half_a_frame_and_a_late_one_is_late():
    times = [4.0, 8.512, 14.0]
    track = show(times)
    rows = style.zone_light(track).reshape(len(track), -1)
    told = [Cue(t, 0, 0, row(1.0, {})) for t in times]
    assert np.abs(lighting.reactions(told, rows, FPS)).max() <= 0.5 + 1e-6
    late = np.concatenate([np.repeat(rows[:1], 3, axis=0), rows[:-3]])
    assert lighting.reactions(told, late, FPS) == pytest.approx(lighting.reactions(told, rows, FPS) + 3)


def test_cues_that_change_nothing_or_have_no_moment_are_left_out():
    assert not len(lighting.reactions([Cue(4.0, 0, 0, row(1.0, {}))], np.ones((600, 12)), FPS))
    rising = np.arange(600.0)[:, None]
    assert not len(lighting.reactions([Cue(4.0, 0, 1.0, row(1.0, {}))], rising, FPS))


# ---------------------------------------------------------------------------------------------------------------- accents


def dancer(stops_s: np.ndarray) -> Motion:
    """A body that slides to the left at 1 m/s for 0.3 s before each stop, and stands between."""
    times = np.arange(round(DURATION_S * FPS)) / FPS
    going = ((times[:, None] > stops_s - 0.3) & (times[:, None] <= stops_s)).any(axis=1)
    root = np.zeros((len(times), 3), np.float32)
    root[:, 0], root[:, 1] = np.cumsum(going) / FPS, 0.9
    rest = np.zeros((len(times), 24, 4), np.float32)
    rest[..., 0] = 1
    return Motion(choreia24(), root, rest, FPS)


def flashes(times_s: np.ndarray) -> Style:
    """Light that rises at each time and falls within 0.3 s."""
    times = np.arange(round(DURATION_S * FPS)) / FPS
    since = times[:, None] - times_s
    level = np.where(since >= 0, np.clip(1 - since / 0.3, 0, 1), 0).max(axis=1)
    still = style.repeat(row(1.0, {"top": 0.2}), len(times))
    return replace(still, light=np.clip(still.light + level[:, None] * (np.array(ZONES) == "top") * 0.6, 0, 1))


STOPS_S = np.sort(np.random.default_rng(4).uniform(1, 23, 18))
OTHER_S = np.sort(np.random.default_rng(5).uniform(1, 23, 18))


def test_accents_stand_where_light_rises_and_the_dancer_stops():
    light, dance = lighting.light_accents(flashes(np.array([6.0]))), lighting.dance_accents(dancer(np.array([6.0])), 720)
    assert light.argmax() == pytest.approx(180, abs=1) and dance.argmax() == pytest.approx(180, abs=1)
    assert lighting.dance_accents(dancer(STOPS_S).slice(0, 300), 720)[301:].max() == 0  # nobody dances any more


def test_light_that_copies_the_dancer_shares_accents_and_another_dancer_has_none():
    found = lighting.shared_accents(flashes(STOPS_S), dancer(STOPS_S), music(), [dancer(OTHER_S)])
    assert found.own > 0.7
    assert abs(found.others[0]) < 0.2 and found.slid.max() < found.own / 2 and found.slid.shape == (8,)


def test_light_that_keeps_to_the_beat_shares_nothing_with_a_dancer_on_the_beat():
    light, body = flashes(np.sort([*BEATS_S, *OTHER_S[:6]])), dancer(np.sort([*BEATS_S, *STOPS_S[:6]]))
    plain = np.corrcoef(lighting.light_accents(light), lighting.dance_accents(body, len(light)))[0, 1]
    assert plain > 0.5
    assert abs(lighting.shared_accents(light, body, music(), []).own) < 0.15


def test_partial_correlation_by_hand():
    rng = np.random.default_rng(0)
    common, own, noise = rng.normal(size=(3, 4000))
    known = common[:, None]
    assert lighting.partial_correlation(common + 0.1 * own, common + 0.1 * noise, known) == pytest.approx(0, abs=0.05)
    assert lighting.partial_correlation(common + own, 5 * common - own, known) == pytest.approx(-1)
    assert lighting.partial_correlation(common + own, own + noise, known) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert lighting.partial_correlation(common, own, known) == 0  # nothing of the first is left
    assert lighting.partial_correlation(np.ones(4000), own, known) == 0


# ------------------------------------------------------------------------------------------------------------------ tempo


def test_density_counts_beats_and_onsets_and_thirds_are_by_rank():
    song = replace(music(), events=RhythmEvents(BEATS_S, np.zeros(24), np.zeros(23)))
    assert lighting.tempo_density(song) == pytest.approx((49 + 24 + 23) / 24)
    assert lighting.thirds([5.0, 1.0, 3.0, 4.0, 2.0, 6.0]) == ("high", "low", "medium", "medium", "low", "high")
    assert lighting.thirds([1.0]) == ("low",) and lighting.thirds([]) == ()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lighting.style_changes(show([4.0]), 0.0), "frame rate"),
        (lambda: lighting.on_bounds(np.array([1.0]), BARS_S, 0.0), "above 0"),
        (lambda: lighting.on_bounds(np.array([np.nan]), BARS_S, 1.0), "finite seconds"),
        (lambda: lighting.reactions([], np.ones(5), 30.0), "two rows"),
        (lambda: lighting.partial_correlation(np.ones(5), np.ones(4), np.ones((5, 1))), "one length"),
        (lambda: lighting.partial_correlation(np.ones(5), np.ones(5), np.ones((5, 9))), "longer song"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, words):
    with pytest.raises(ChoreiaError, match=words):
        call()
