"""Cues become tracks as a desk plays them, and tracks become the cues they came from."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.stage import cues, looks
from choreia.types import STYLE_RANGES, ZONES, Cue

FPS = 30.0
TOP, DROP = ZONES.index("top"), ZONES.index("backdrop")


def state(**levels):
    """A dark row with some zones lit, and whole fields where given."""
    row = cues.dark(looks.look("warm_wash").full)
    light = row.light.copy()
    for zone in set(levels) & set(ZONES):
        light[0, ZONES.index(zone)] = levels[zone]
    return replace(row, light=light, **{name: np.atleast_1d(value) for name, value in levels.items() if name not in ZONES})


def close(one, other, atol=1e-3):
    for name in STYLE_RANGES:
        assert np.allclose(getattr(one, name), getattr(other, name), atol=atol), name


def test_rise_and_fall_take_their_own_time():
    """At 2 s the top rises from 0.2 to 1 in 1 s and the backdrop falls from 0.8 to 0 in 2 s."""
    track = cues.to_track([Cue(0, 0, 0, state(top=0.2, backdrop=0.8)), Cue(2, 1, 2, state(top=1.0))], 5, FPS)
    assert track.light[[0, 59, 60, 75, 90, 149], TOP] == pytest.approx([0.2, 0.2, 0.2, 0.6, 1, 1])
    assert track.light[[0, 60, 90, 105, 120, 149], DROP] == pytest.approx([0.8, 0.8, 0.4, 0.2, 0, 0])


def test_dark_until_the_first_cue():
    track = cues.to_track([Cue(1, 0, 0, state(top=1.0))], 2, FPS)
    assert len(track) == 60 and not track.light[:30].any() and (track.light[30:, TOP] == 1).all()


def test_a_cue_takes_over_in_the_middle_of_a_fade():
    """Half way of a fade from 0 to 1 the next cue goes back to 0 in a second: it starts from 0.5."""
    track = cues.to_track([Cue(0, 0, 0, state()), Cue(1, 2, 0, state(top=1.0)), Cue(2, 0, 1, state())], 4, FPS)
    assert track.light[[30, 60, 75, 90], TOP] == pytest.approx([0, 0.5, 0.25, 0])


def test_hue_goes_the_short_way():
    track = cues.to_track([Cue(0, 0, 0, state(hue=0.2)), Cue(1, 1, 0, state(hue=2 * np.pi - 0.2))], 3, FPS)
    assert track.hue[45] == pytest.approx(0, abs=1e-5) and np.abs(np.diff(track.hue[:60])).max() < 0.02


def test_a_rest_holds_the_very_numbers():
    goal = looks.look("neon_pulse").full
    track = cues.to_track([Cue(0, 0.5, 0.5, goal)], 2, FPS)
    for name in STYLE_RANGES:
        assert (getattr(track, name)[15:] == getattr(goal, name)).all()


def test_strobe_switches_at_once_and_blackout_is_dark():
    track = cues.to_track([Cue(0, 0, 0, state(top=1.0)), Cue(1, 1, 1, state(top=1.0, strobe_hz=2.0)), Cue(2, 0, 0, state())], 3, FPS)
    assert track.strobe_hz[[29, 30, 59, 60]].tolist() == [0, 2, 2, 0]
    assert not track.light[60:].any() and Cue(2, 0, 0, state()).is_blackout


def show():
    """Looks at bars of 2 s with fades that are whole frames, one bar without a change, and a blackout."""
    rows = [looks.look(name).full for name in ("warm_wash", "silhouette", "neon_pulse")]
    return (
        Cue(0, 0.5, 0.0, rows[0]), Cue(2, 1.0, 0.4, rows[1]), Cue(6, 0.1, 1.2, rows[2]), Cue(8, 0.0, 1.0, cues.dark(rows[2])),
    )  # fmt: skip


def test_cues_to_track_and_back():
    first = show()
    back = cues.from_track(cues.to_track(first, 10, FPS), np.arange(5) * 2.0, fps=FPS)
    assert [cue.time_s for cue in back] == [cue.time_s for cue in first]
    for one, other in zip(back, first, strict=True):
        close(one.state, other.state)
        assert one.fade_in_s == pytest.approx(other.fade_in_s, abs=1 / FPS)
        assert one.fade_out_s == pytest.approx(other.fade_out_s, abs=1 / FPS)


def test_track_to_cues_and_back():
    track = cues.to_track(show(), 10, FPS)
    again = cues.to_track(cues.from_track(track, np.arange(5) * 2.0, fps=FPS), 10, FPS)
    close(again, track, atol=0.02)


def test_an_accent_is_two_cues():
    base, high = state(top=0.3), state(top=0.9)
    played = (Cue(0, 0, 0, base), Cue(1, 0, 0, high), Cue(1.1, 0, 0.4, base))
    track = cues.to_track(played, 2, FPS)
    back = cues.from_track(track, [0.0, 1.0], fps=FPS)
    assert [cue.time_s for cue in back] == pytest.approx([0, 1, 1.1])
    assert back[1].state.light[0, TOP] == pytest.approx(0.9) and back[2].fade_out_s == pytest.approx(0.4, abs=1e-3)
    close(cues.to_track(back, 2, FPS), track)


def test_pulses_of_a_look_come_back_from_cues():
    """A beat every half second, gone in 0.25 s: read at beats, the pulses are cues that play the same track again."""
    beats = np.arange(8) * 0.5
    times = np.arange(120) / FPS
    track = looks.animate(looks.look("neon_pulse"), times, np.full(120, 0.5), beats, beats[::4])
    track = replace(track, beam=np.repeat(track.beam[:1], 120, axis=0))
    again = cues.to_track(cues.from_track(track, beats, fps=FPS), 4, FPS)
    close(again, track, atol=0.03)


def test_noise_below_the_tolerance_is_no_cue():
    track = cues.to_track([Cue(0, 0, 0, state(top=0.5))], 6, FPS)
    light = np.clip(track.light + np.random.default_rng(0).normal(0, 0.004, track.light.shape), 0, 1)
    assert len(cues.from_track(replace(track, light=light), [0, 2, 4], fps=FPS)) == 1


def test_cues_carry_the_look_of_their_slice():
    track = cues.to_track(show(), 10, FPS)
    names = ["a", "b", "b", "c", "dark"]
    assert [cue.look for cue in cues.from_track(track, np.arange(5) * 2.0, names, FPS)] == ["a", "b", "c", "dark"]
