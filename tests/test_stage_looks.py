"""The ten looks: every design holds, and does with energy, beats and sections what it says."""

import itertools

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.stage import looks, palettes, style
from choreia.types import ZONES

BEATS = np.arange(16) * 0.5
BARS = BEATS[::4]


@pytest.mark.parametrize("name", looks.LOOKS)
def test_a_look_grows_with_energy_and_says_why(name):
    design = looks.look(name)
    levels = looks.rest(design, np.array([0.0, 0.5, 1.0])).light
    assert (np.diff(levels, axis=0) >= 0).all() and levels[2].sum() > levels[0].sum() > 0
    assert np.allclose(levels[1], (levels[0] + levels[2]) / 2)
    assert len(design.intent) > 40 and design.title
    for palette in design.palettes:
        assert palettes.palette(palette)


def test_looks_are_told_apart_by_their_vectors():
    vectors = {name: style.to_vector(looks.rest(looks.look(name), np.array([0.6])))[0] for name in looks.LOOKS}
    for one, other in itertools.combinations(looks.LOOKS, 2):
        assert np.linalg.norm(vectors[one] - vectors[other]) > 0.5, (one, other)


def test_what_makes_a_look():
    row = {name: dict(zip(ZONES, looks.look(name).full.light[0], strict=True)) for name in looks.LOOKS}
    assert row["silhouette"]["front_centre"] == row["silhouette"]["spot"] == 0 < row["silhouette"]["backdrop"]
    assert row["solo_spot"]["spot"] == max(row["solo_spot"].values())
    assert row["side_dance"]["side_left"] == max(row["side_dance"].values())
    assert min(row["cold_back"][zone] for zone in ("back_left", "back_centre", "back_right")) > row["cold_back"]["front_centre"]
    assert looks.look("gobo_forest").quiet.texture[0, 0] >= 0.75


def test_pulses_by_hand():
    """Decay 0.25 s, downbeat 0.3, other beats 0.8 of it: on the downbeat, half way down, gone, on the second beat, before the song."""
    design = looks.look("neon_pulse")
    backdrop = ZONES.index("backdrop")
    got = looks.pulses(design, np.array([2.0, 2.125, 2.3, 2.5, -1.0]), BEATS, BARS)[:, backdrop]
    assert np.allclose(got, [0.3, 0.15, 0.0, 0.24, 0.0])


def test_sides_take_turns():
    got = looks.pulses(looks.look("colour_contrast"), BEATS[:2], BEATS, BARS)
    left, right = ZONES.index("side_left"), ZONES.index("side_right")
    assert got[0, left] > 0 == got[0, right] and got[1, right] > 0 == got[1, left]


def test_swing_returns_after_its_bars():
    design = looks.look("aerial_beams")
    bar = 2.0
    got = looks.swing(design, np.array([0, 1, 2, 3, 4]) * bar, np.arange(6) * bar)
    assert np.allclose(got, np.deg2rad([0, 25, 0, -25, 0]), atol=1e-9)


def test_a_section_that_returns_turns_the_palette():
    design, colours = looks.look("colour_contrast"), palettes.palette("#ff0000,#0000ff")
    first, second = (looks.rest(design, np.array([0.5]), colours, n) for n in (1, 2))
    assert second.hue[0] == pytest.approx(first.hue[0] + first.contrast[0] + (0 if first.contrast[0] > 0 else 2 * np.pi), abs=1e-5)
    assert looks.rest(looks.look("warm_wash"), np.array([0.5]), colours, 2).hue[0] == first.hue[0]


def test_without_a_beat_a_look_stands():
    times = np.arange(30) / 30
    still = looks.animate(looks.look("warm_wash"), times, np.full(30, 0.4), np.array([]), np.array([]))
    assert (still.light == still.light[0]).all()


def test_all_looks_stay_in_range_at_full_energy():
    times = np.arange(240) / 30
    for name in looks.LOOKS:
        assert len(looks.animate(looks.look(name), times, np.ones(240), BEATS, BARS)) == 240


def test_an_own_design(tmp_path):
    path = tmp_path / "mine.toml"
    text = 'title = "Mine"\nintent = "x"\npalettes = ["#00ff00"]\nsaturation = 1\nfade_in_s = 1\nfade_out_s = 1\n'
    text += "[light]\ntop = [0.1, 0.2]\n[texture]\n[costume]\n[beam]\n[accent]\nzones = {}\ndecay_s = 1\nbeat = 0\n"
    path.write_text(text + "[section]\npalette_step = 0\n")
    assert looks.read(path).name == "mine"
    path.write_text(path.read_text().replace("top =", "topp ="))
    with pytest.raises(ChoreiaError, match="unknown topp"):
        looks.read(path)


@pytest.mark.parametrize("text", ["", "[light", "title = 3\n[accent]\nzones={}", "light = 3\n[accent]\nzones={}"])
def test_a_broken_design_is_one_line(text):
    with pytest.raises(ChoreiaError) as caught:
        looks.parse("broken", text)
    assert "\n" not in str(caught.value) and "broken" in str(caught.value)


def test_an_unknown_look_lists_the_known():
    with pytest.raises(ChoreiaError, match="warm_wash"):
        looks.look("mauve")
