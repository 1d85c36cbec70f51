"""Laws of dances to a script: asked figures in their windows, cut cleanly, in any style's manner; counting in three; names found."""

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion.kinematics import positions
from choreia.synth.asked import Window, interleave
from choreia.synth.choreographer import choreograph
from choreia.synth.counting import Phrase, count_out
from choreia.synth.moves import STYLES
from choreia.synth.moves.fitting import cut, in_manner, in_metre, on_the_spot
from choreia.synth.moves.notation import HOME_M, Foot
from choreia.synth.repertoire import find, label, name_in, other_side, style_in, table
from choreia.types import Move, Script, Section

BEATS = 0.5 * np.arange(65)  # 120 beats a minute
FIGURES = [(style, figure) for style in STYLES.values() for figure in style.figures]
NAMED = [f"{style.name}/{figure.name}" for style, figure in FIGURES]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def asked(*moves: tuple[float, float, str], style: str = "popping", **how):
    return choreograph(BEATS, BEATS[::4], (), style, 3, script=Script("", tuple(Move(*m) for m in moves)), **how)


def danced(dance, start_s: float, end_s: float) -> list[str]:
    """Names of the figures that fill a stretch; it must not be longer or shorter than they are."""
    moves = [m for m in dance.script.moves if m.end_s > start_s + 1e-6 and m.start_s < end_s - 1e-6]
    assert moves[0].start_s == pytest.approx(start_s) and moves[-1].end_s == pytest.approx(end_s)
    return [name_in(m.text) for m in moves]


def end_of(figure, side: str) -> Foot:
    """Where a foot stands after a figure."""
    falls = sorted((k for k in figure.keys if isinstance(k, Foot) and k.side == side), key=lambda k: k.count)
    steps = [k for k in falls if not k.pivot]
    x, z = (steps[-1].x, steps[-1].z) if steps else (HOME_M if side == "L" else -HOME_M, 0.0)
    yaw, height = (falls[-1].yaw, falls[-1].height) if falls else (0.0, 0.0)
    return Foot(0, side, x, z, yaw, height)


def assert_at_home(figure) -> None:
    for side, sign in (("L", 1), ("R", -1)):
        end = end_of(figure, side)
        assert np.allclose((end.x, end.z), (sign * HOME_M + figure.travel[0], figure.travel[1]), atol=0.1)
        assert abs(end.yaw - figure.turn) < 0.3 and end.height == 0


# ---------------------------------------------------------------------------------------------------------------- windows


def test_a_figure_is_danced_in_its_window_and_nowhere_else_needed():
    dance = asked((8.0, 16.0, "Arm Wave"), (20.0, 24.0, "hip-hop/Running-Man"))
    assert danced(dance, 8.0, 16.0) == ["arm wave"] * 4
    assert danced(dance, 20.0, 24.0) == ["running man"] * 2
    assert set(danced(dance, 0.0, 8.0) + danced(dance, 24.0, 32.0)) <= {f.name for f in STYLES["popping"].figures}


def test_repeats_change_sides_and_begin_as_asked():
    left = [m.text for m in asked((0.0, 8.0, "arm wave")).script.moves if m.start_s < 8]
    right = [m.text for m in asked((0.0, 8.0, "arm wave (other side)")).script.moves if m.start_s < 8]
    assert ["other side" in text for text in left] == [False, True, False, True]
    assert right == [other_side(text) for text in left]


def test_edges_go_to_the_nearest_count():
    assert danced(asked((8.2, 11.8, "hit")), 8.0, 12.0) == ["hit"] * 4
    assert danced(asked((8.3, 8.4, "hit")), 8.0, 8.5) == ["hit"]


@pytest.mark.parametrize("counts", [1, 2, 3, 5, 7])
def test_a_window_that_cuts_a_figure_ends_on_its_count(counts):
    dance = asked((8.0, 8.0 + counts / 2, "salsa basic"), style="salsa")  # half tempo of the style: two counts a beat or one
    assert set(danced(dance, 8.0, 8.0 + counts / 2)) == {"salsa basic"}


def test_moves_with_one_window_take_turns():
    assert danced(asked((8.0, 12.0, "arm wave"), (8.0, 12.0, "fresno")), 8.0, 12.0) == ["arm wave", "fresno"]


def test_a_shorter_window_interrupts_a_longer_one():
    """By hand: 16 counts of A with B on counts 4 to 7 leave A on 0 to 3 and 8 to 15."""
    a, b = ((find(name, "popping"),) for name in ("arm wave", "fresno"))
    parts = interleave([Phrase(0, 8, "x", 0), Phrase(8, 8, "x", 1), Phrase(16, 8, "x", 2)], [Window(4, 8, b), Window(0, 16, a)], 8)
    assert [(p.start, p.counts, p.asked) for p in parts] == [(0, 4, a), (4, 4, b), (8, 8, a), (16, 8, ())]


def test_words_can_be_danced_again():
    first = asked((8.0, 16.0, "glide"), (2.0, 5.0, "salsa/suzy q"))
    again = choreograph(BEATS, BEATS[::4], (), "krump", 9, script=Script(first.script.style, first.script.moves))
    assert again.script == first.script


def test_the_script_names_the_style():
    dance = choreograph(BEATS, BEATS[::4], (), None, 0, script=Script("Small, relaxed hip hop with jazz arms"))
    assert dance.script.style.startswith("hip-hop:")
    assert style_in("something else") is None


def test_a_window_beyond_the_last_beat_is_danced():
    dance = asked((30.0, 40.0, "hit"), duration_s=36.0)
    assert danced(dance, 30.0, 36.0) == ["hit"] * 6


def test_bad_scripts_are_refused_in_one_line():
    cases = {(0.0, 4.0, "arm wav"): "popping/arm wave", (5.0, 4.0, "hit"): "end after", (99.0, 104.0, "hit"): "ends at 32.5"}
    for move, said in cases.items():
        with pytest.raises(ChoreiaError, match=said) as caught:
            asked(move)
        assert "\n" not in str(caught.value)
    with pytest.raises(ChoreiaError, match="unknown dance style"):
        choreograph(BEATS, BEATS[::4], (), None, 0, script=Script("nothing known"))


# ------------------------------------------------------------------------------------------------------------------ names


def test_every_figure_is_found_by_name_and_by_its_words():
    assert len(table()) == len(FIGURES) >= 80
    for style, figure in FIGURES:
        assert find(f"{style.name.upper()}/{figure.name.title()}", "tap") == (figure, True)
        assert find(figure.name, style.name) == (figure, True)
        assert find(label(figure, False), style.name) == (figure, False)
        assert name_in(label(figure, False)) == figure.name and other_side(label(figure)) == label(figure, False)


def test_names_need_no_accents():
    assert find("Pas de Bourree", "jazz")[0].name == "pas de bourrée"


# ----------------------------------------------------------------------------------------------------------------- manner


def test_a_figure_keeps_its_hands_and_takes_the_manner():
    """An arm wave as popping and as salsa: the same arms, but salsa's hips and feet move."""
    beats, script = 60 / 126 * np.arange(65), Script("", (Move(0.0, 32.0, "popping/arm wave"),))  # both count every beat
    wave = [choreograph(beats, beats[::4], (), style, 3, script=script).motion.slice(30, 900) for style in ("popping", "salsa")]
    place = [positions(m).astype(float) for m in wave]
    names = wave[0].skeleton.names
    hips = [np.abs(np.diff(p[:, names.index("left_hip"), 1] - p[:, names.index("right_hip"), 1])).sum() for p in place]
    feet = [np.linalg.norm(np.diff(p[:, names.index("left_ankle")], axis=0), axis=-1).sum() for p in place]
    assert hips[1] > 2 * hips[0] and feet[1] > 2 * feet[0]
    hands = [p[:, names.index("left_wrist")] - p[:, names.index("spine3")] for p in place]
    assert np.corrcoef(hands[0][:, 1], hands[1][:, 1])[0, 1] > 0.7


@pytest.mark.parametrize("style", list(STYLES))
def test_any_figure_can_be_danced_in_any_style(style):
    """Every third figure of the others, a bar or two each: finite, on its feet, no faster than a thrown fist."""
    others = [name for name, (s, _) in zip(NAMED, FIGURES, strict=True) if s.name != style][::3]
    beats = 0.6 * np.arange(4 * len(others) + 1)
    script = Script("", tuple(Move(2.4 * k, 2.4 * k + 2.4, name) for k, name in enumerate(others)))
    motion = choreograph(beats, beats[::4], (), style, 1, script=script).motion
    place = positions(motion).astype(float)
    feet = place[:, [motion.skeleton.index("left_foot"), motion.skeleton.index("right_foot")], 1]
    assert np.isfinite(place).all() and (feet.min(axis=1) < 0.06).mean() > 0.95 and place[..., 1].min() > -0.03
    assert np.percentile(np.linalg.norm(np.diff(place, axis=0), axis=-1).max(axis=1) * motion.fps, 99.5) < 9.5


@pytest.mark.parametrize("style, figure", FIGURES, ids=NAMED)
def test_cut_and_retimed_figures_end_at_home(style, figure):
    for counts in range(1, figure.counts):
        part = cut(figure, counts)
        assert part.counts == counts and all(key.count < counts + 0.9 for key in part.keys)
        assert_at_home(part)
    threes, fours = in_metre(figure, 3), in_metre(figure, 4)
    assert threes.counts % 3 == 0 or figure.counts not in (2, 4, 8)
    assert fours.counts % 4 == 0 or (figure.counts % 4 != 0 and figure.counts % 3 != 0)
    for fitted in (threes, fours, on_the_spot(figure)):
        assert_at_home(fitted)
    assert in_manner(figure, STYLES["salsa"].marks).counts == figure.counts


def test_three_and_four_by_hand():
    """Count 4 of four becomes the "and" of 3; the second bar of six begins on 5 in fours."""
    wave, _ = find("arm wave", "popping")
    assert {key.count for key in in_metre(wave, 3).keys} == {1, 1.5, 2, 2.5, 3, 3.25, 3.5}
    box, _ = find("box step", "waltz")
    assert {1, 2, 5, 6} <= {key.count for key in in_metre(box, 4).keys}


# ----------------------------------------------------------------------------------------------------------- counting in 3


def test_a_waltz_counts_three_four_in_beats_and_four_four_slow_quick_quick():
    waltz, beats = STYLES["waltz"], 0.6 * np.arange(49)
    three, four = (count_out(beats, beats[::meter], waltz) for meter in (3, 4))
    assert np.allclose(three.times_s[:48], beats[:48]) and np.array_equal(three.bars[:4], [0, 3, 6, 9])
    assert np.allclose(four.times_s[:6], beats[[0, 2, 3, 4, 6, 7]]) and np.array_equal(four.bars[:4], [0, 3, 6, 9])


@pytest.mark.parametrize("meter", [2, 3, 4, 5, 6, 7])
def test_waltz_figures_begin_on_downbeats_in_every_metre(meter):
    beats = 0.5 * np.arange(61)
    bars = beats[::meter]
    dance = choreograph(beats, bars, (), "waltz", 2, duration_s=30)
    first = [m.start_s for m in dance.script.moves]
    assert np.mean([np.abs(bars - s).min() < 1e-6 for s in first]) == 1.0 or meter == 6
    assert len(dance.motion) == 900


def test_sections_restart_the_phrase_in_three():
    beats = 0.5 * np.arange(60)
    sections = (Section(0, 7.5, "a"), Section(7.5, 30, "b"))  # five bars, then the rest
    dance = choreograph(beats, beats[::3], sections, "waltz", 0)
    assert any(m.start_s == pytest.approx(7.5) for m in dance.script.moves)


@pytest.mark.parametrize("style", STYLES)
def test_every_figure_can_be_cut_anywhere_and_danced_on_the_spot(style):
    for figure in STYLES[style].figures:
        for counts in range(1, figure.counts + 1):
            for whole in (figure, figure.mirrored()):
                danced = on_the_spot(cut(whole, counts) if counts < whole.counts else whole)
                assert danced.travel == (0.0, 0.0)
                assert all(np.isfinite([key.x, key.z]).all() for key in danced.keys if isinstance(key, Foot))
