"""Flashes counted by hand, dark dancers, blinded audiences; a safe show is left alone and safety is done once and for all."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.stage import cues, looks, safety, style
from choreia.types import STYLE_RANGES, ZONES, Cue, Stage

FPS = 30.0


def steady(frames=120, name="gala_finale"):
    return style.repeat(looks.look(name).full, frames)


def lit(track, **levels):
    """The track with nothing lit but the named zones, each (T,) or a number."""
    light = np.zeros_like(track.light)
    for zone, level in levels.items():
        light[:, ZONES.index(zone)] = level
    return replace(track, light=light)


def white(frames, **levels):
    return lit(replace(steady(frames), saturation=np.zeros(frames)), **levels)


def square(flashes_hz, frames=120, low=0.0, high=1.0):
    """Half a period dark, half lit."""
    return np.where(np.floor(np.arange(frames) * 2 * flashes_hz / FPS) % 2 == 0, low, high)


def same(one, other):
    return all((getattr(one, name) == getattr(other, name)).all() for name in STYLE_RANGES)


def test_turning_points_by_hand():
    signal = np.array([0, 0.05, 0.5, 0.45, 0.52, 0.1, 0.15, 0.1, 0.9])
    assert safety.turning_points(signal, 0.1).tolist() == [0, 4, 7, 8]
    assert safety.turning_points(np.linspace(0, 0.09, 10), 0.1).tolist() == []


@pytest.mark.parametrize(("flashes_hz", "bad"), [(1, False), (2.5, False), (3, False), (5, True), (7.5, True), (15, True)])
def test_more_than_three_flashes_a_second_on_the_backdrop(flashes_hz, bad):
    assert bool(safety.flashing(white(120, backdrop=square(flashes_hz)), FPS)) is bad


def test_small_swings_bright_pairs_and_the_spot_do_not_count():
    assert not safety.flashing(white(120, backdrop=square(10, low=0.3, high=0.39)), FPS)
    assert safety.flashing(white(120, backdrop=square(10, low=0.3, high=0.41)), FPS)
    assert not safety.flashing(white(120, backdrop=square(10, low=0.81, high=1.0)), FPS)
    assert not safety.flashing(white(120, spot=square(10)), FPS)


def test_a_red_flash_counts_where_its_luminance_would_not():
    """Level 0.4 of pure red: luminance 0.085, below 0.1; R - G - B 0.4, above 1/16."""
    frames = 120
    red = replace(white(frames), saturation=np.ones(frames), hue=np.full(frames, 0.5106), contrast=np.zeros(frames))
    green = replace(red, hue=np.full(frames, 2.487))
    low = square(8, high=0.4)
    assert safety.flashing(lit(red, backdrop=low), FPS)
    assert not safety.flashing(lit(green, backdrop=square(8, high=0.12)), FPS)


def test_flashes_are_taken_out_and_the_rest_is_kept():
    level = np.full(300, 0.5)
    level[120:180] = square(7.5, 60)
    before = white(300, backdrop=level)
    after, done = safety.make_safe(before, FPS)
    assert not safety.flashing(after, FPS) and done
    assert (after.light[:60] == before.light[:60]).all() and (after.light[240:] == before.light[240:]).all()
    assert 3.9 < done[0].start_s < done[0].end_s < 6.1 and "flash" in str(done[0])


def test_flashing_colours_are_calmed_too():
    frames = 120
    track = replace(white(frames, backdrop=1.0), saturation=np.ones(frames), contrast=np.zeros(frames))
    track = replace(track, hue=np.where(square(7.5) > 0, 0.5106, 4.6))
    assert safety.flashing(track, FPS)
    assert not safety.flashing(safety.make_safe(track, FPS)[0], FPS)


def test_a_strobe_is_slowed_and_counts():
    fast = replace(white(120, top=1.0), strobe_hz=np.where(np.arange(120) < 30, 12.0, 0.0))
    after, done = safety.make_safe(fast, FPS)
    assert after.strobe_hz.max() == 3 and "12" in done[0].what and done[0].end_s == 1
    both = replace(white(120, backdrop=square(2)), strobe_hz=np.full(120, 2.0))
    assert safety.flashing(both, FPS) and not safety.flashing(replace(both, strobe_hz=np.zeros(120)), FPS)


def test_flash_may_be_allowed():
    track = white(120, backdrop=square(10))
    after, done = safety.make_safe(track, FPS, limits=safety.Limits(flash_allowed=True))
    assert same(after, track) and done == ()


def test_a_moving_dancer_is_lit_and_a_still_one_may_stand_in_the_dark():
    track = white(90)
    speed = np.where(np.arange(90) < 45, 1.0, 0.0)
    after, done = safety.make_safe(track, FPS, speed)
    side = after.light[:, ZONES.index("side_left")]
    assert side[:45] == pytest.approx(0.06 / 0.5) and not side[45:].any()
    assert [(one.start_s, one.end_s) for one in done] == [(0.0, 1.5)]


def test_silhouette_and_spot_are_light_enough():
    for name in ("silhouette", "solo_spot"):
        assert safety.make_safe(steady(60, name), FPS, np.full(60, 2.0))[1] == ()


def test_beams_that_would_blind_are_turned_down():
    """Heads 6 m up at z = -3, audience from z = 5: straight ahead the beam must fall 6 m in 8 m."""
    track = white(4, beams=1.0)
    tilts = np.deg2rad([-10, 20, 36, 37.0])
    track = replace(track, beam=np.stack([np.zeros(4), tilts, np.zeros(4)], axis=1))
    after, done = safety.make_safe(track, FPS)
    assert np.rad2deg(after.beam[:, 1]) == pytest.approx([-10, 36.87, 36.87, 37], abs=0.01)
    assert [(one.start_s, round(one.end_s, 3)) for one in done] == [(1 / 30, 0.1)]


def test_beams_to_the_back_or_unlit_are_free():
    low = np.tile([np.pi, 0.1, 0.2], (4, 1))
    assert safety.make_safe(replace(white(4, beams=1.0), beam=low), FPS)[1] == ()
    ahead = np.tile([0, 0.1, 0.2], (4, 1))
    assert safety.make_safe(replace(white(4, beams=0.0), beam=ahead), FPS)[1] == ()


@pytest.mark.parametrize("name", looks.LOOKS)
def test_every_look_at_120_bpm_is_safe_as_designed(name):
    times, beats = np.arange(240) / FPS, np.arange(16) * 0.5
    track = looks.animate(looks.look(name), times, np.linspace(0.2, 1, 240), beats, beats[::4])
    after, done = safety.make_safe(track, FPS, np.full(240, 1.5))
    assert done == () and same(after, track)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_is_made_safe_once_and_for_all(seed):
    rng = np.random.default_rng(seed)
    wild = style.from_vector(rng.normal(0, 0.7, (150, len(style.VECTOR))))
    speed = rng.uniform(0, 2, 150) * (rng.uniform(size=150) > 0.3)
    after, done = safety.make_safe(wild, FPS, speed)
    assert done and not safety.flashing(after, FPS)
    again, more = safety.make_safe(after, FPS, speed)
    assert same(again, after) and more == ()


def test_a_stage_is_made_safe_with_its_cues():
    on, off = looks.look("gala_finale").full, cues.dark(looks.look("gala_finale").full)
    chase = (*(Cue(n / 10, 0, 0, off if n % 2 else on) for n in range(20)), Cue(4, 0, 0, on))
    stage = Stage(cues.to_track(chase, 6, FPS), [0.0], ("gala_finale",), on, chase)
    after, done = safety.make_stage_safe(stage)
    assert done and not safety.flashing(after.track, FPS)
    assert {round(cue.time_s * FPS) for cue in after.cues} & {120}
    assert safety.make_stage_safe(after)[0] is after
