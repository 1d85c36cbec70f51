"""Colours of light, zones, the texture field and the style vector, against hand-worked values."""

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.stage import palettes, style
from choreia.types import STYLE_RANGES, ZONES, Cue, Stage, Style


def some(rows=4, seed=0):
    """A random style that is valid."""
    rng = np.random.default_rng(seed)
    drawn = []
    for ranges in STYLE_RANGES.values():
        low, high = np.clip(np.array(ranges, float).T, -3, 8)
        drawn.append(rng.uniform(low, high, (rows, len(ranges))))
    return Style(*(value if value.shape[1] > 1 else value[:, 0] for value in drawn))


def same(one, other, atol=0.0):
    return all(np.allclose(getattr(one, name), getattr(other, name), atol=atol, rtol=0) for name in STYLE_RANGES)


def test_white_has_no_chroma_and_lightness_one():
    assert np.allclose(palettes.oklab(np.ones(3)), [1, 0, 0], atol=1e-4)


PUBLISHED = [((1, 0, 0), (0.628, 0.225, 0.126)), ((0, 1, 0), (0.866, -0.234, 0.179)), ((0, 0, 1), (0.452, -0.032, -0.312))]


@pytest.mark.parametrize(("rgb", "lab"), PUBLISHED)
def test_oklab_of_primaries_as_published(rgb, lab):
    assert np.allclose(palettes.oklab(np.array(rgb)), lab, atol=1e-3)


@pytest.mark.parametrize("rgb", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (1, 0.5, 0), (0.2, 0, 1)])
def test_the_purest_light_has_a_dark_emitter(rgb):
    hue, saturation = palettes.hue_saturation(np.array(rgb, float))
    assert saturation > 0.995
    assert np.allclose(palettes.light_rgb(hue, np.ones(())), rgb, atol=0.02)


def test_light_and_hue_are_inverse():
    rng = np.random.default_rng(1)
    hue, saturation = rng.uniform(0, 2 * np.pi, 200), rng.uniform(0.05, 1, 200)
    back, part = palettes.hue_saturation(palettes.light_rgb(hue, saturation))
    assert np.abs(np.angle(np.exp(1j * (back - hue)))).max() < 0.01
    assert np.abs(part - saturation).max() < 0.01


def test_zero_saturation_is_white_whatever_the_hue():
    assert np.allclose(palettes.light_rgb(np.linspace(0, 6, 9), np.zeros(9)), 1, atol=1e-6)


def test_srgb_middle_grey():
    assert palettes.srgb_to_linear(0.5) == pytest.approx(0.21404, abs=1e-5)
    assert palettes.linear_to_srgb(palettes.srgb_to_linear(np.linspace(0, 1, 11))) == pytest.approx(np.linspace(0, 1, 11))


def test_complementary_is_half_a_turn_and_triads_close():
    assert abs(palettes.harmony("complementary", 1.0, 1).contrast) == pytest.approx(np.pi)
    hues = np.array(palettes.harmony("triad", 1.0, 1).hues)
    assert abs(np.exp(1j * hues).sum()) < 1e-9


def test_a_palette_as_a_person_writes_it():
    two = palettes.palette("#ff0000,#0000ff")
    assert two.hues == pytest.approx((0.5106, 4.6079), abs=1e-3)
    assert two.turned(1).hues == two.hues[::-1]
    assert len(palettes.palette("tetrad:#ff0000").hues) == 4
    for name in palettes.NAMED:
        assert palettes.palette(name).name == name


@pytest.mark.parametrize("text", ["mauve", "#ff00", "#gg0000", "#ff0000,", "pentad:#ff0000"])
def test_what_is_no_palette_says_so_in_one_line(text):
    with pytest.raises(ChoreiaError) as caught:
        palettes.palette(text)
    assert "\n" not in str(caught.value)


def test_vector_and_back():
    first = some(50)
    back = style.from_vector(style.to_vector(first))
    turned = {"hue", "contrast"}
    for name in set(STYLE_RANGES) - turned - {"texture", "costume"}:
        assert np.allclose(getattr(back, name), getattr(first, name), atol=1e-5), name
    assert np.allclose(style.to_vector(back), style.to_vector(first), atol=1e-5)
    assert np.allclose(np.exp(1j * back.hue), np.exp(1j * first.hue), atol=1e-5)
    assert style.to_vector(first).shape == (50, len(style.VECTOR)) and len(style.VECTOR) == 35


def test_any_vector_is_a_valid_style():
    wild = np.random.default_rng(3).normal(0, 5, (20, len(style.VECTOR)))
    assert len(style.from_vector(wild)) == 20


def test_key_and_accent_zones():
    row = some(1)
    hues = style.zone_hues(row)[0]
    assert hues[ZONES.index("front_left")] == pytest.approx(row.hue[0])
    assert hues[ZONES.index("backdrop")] == pytest.approx(row.hue[0] + row.contrast[0])


def test_left_is_plus_x():
    assert style.SOURCES_M[ZONES.index("side_left"), 0] > 0 > style.SOURCES_M[ZONES.index("side_right"), 0]
    assert len(style.SOURCES_M) == len(style.TARGETS_M) == len(style.ACCENT) == len(style.TINT) == len(ZONES)


def test_texture_field_by_hand():
    """Stripes of 1 m along z, hard: full on the crests, 1 - depth half a metre on, in the middle a quarter on."""
    stripes = np.array([[0.8, 1.0, 0.0, 0.0, 0.0, 0.0]])
    points = np.array([[0, 0], [0.5, 3], [0.25, 1], [1.0, -2]])
    assert np.allclose(style.texture_field(stripes, np.zeros(1), points), [[1, 0.2, 0.6, 1]], atol=1e-6)
    assert np.allclose(style.texture_field(stripes, np.array([0.5]), points), [[0.2, 1, 0.6, 0.2]], atol=1e-6)


def test_no_depth_no_texture():
    flat = np.array([[0.0, 2.0, 0.3, 0.5, 0.5, 1.0]])
    assert (style.texture_field(flat, np.zeros(1), np.random.default_rng(0).normal(size=(9, 2))) == 1).all()


def test_drift_adds_up():
    moving = some(31)
    moving.texture[:, 5] = 2.0
    assert style.texture_phase(moving, 30)[30] == pytest.approx(2.0)


def test_beams_by_hand():
    row = some(1)
    row.beam[:] = [[0, np.pi / 2, 0.3]]
    assert np.allclose(style.beam_directions(row, np.array([-1, 0, 1])), [0, -1, 0], atol=1e-6)
    row.beam[:] = [[0, 0, np.pi / 2]]
    assert np.allclose(style.beam_directions(row, np.array([-1, 0, 1])), [[[-1, 0, 0], [0, 0, 1], [1, 0, 0]]], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("light", np.full((1, 12), 1.5)), ("light", np.zeros((1, 11))), ("hue", np.array([np.nan])), ("strobe_hz", np.array([-1]))],
)
def test_a_bad_field_is_named(name, value):
    row = some(1)
    with pytest.raises(ChoreiaError, match=f"style: {name}"):
        Style(**{field: value if field == name else getattr(row, field) for field in STYLE_RANGES})


def test_cues_and_stages_refuse_nonsense():
    row = some(1)
    with pytest.raises(ChoreiaError, match="not negative"):
        Cue(1.0, -0.5, 0.0, row)
    with pytest.raises(ChoreiaError, match="2 rows"):
        Cue(1.0, 0.5, 0.0, some(2))
    with pytest.raises(ChoreiaError, match="rise from 0"):
        Stage(some(30), [0.5], ("gala",), row)
    with pytest.raises(ChoreiaError, match="order of time"):
        Stage(some(30), [0.0], ("gala",), row, (Cue(2.0, 0, 0, row), Cue(1.0, 0, 0, row)))


def test_slices_by_time():
    stage = Stage(some(90), [0.0, 1.0, 2.0], ("a", "b", "c"), some(3))
    assert stage.slice_at(np.array([0, 0.99, 1.0, 2.5, 9])).tolist() == [0, 0, 1, 2, 2]
    assert stage.duration_s == 3
