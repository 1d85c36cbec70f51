"""The judge of restyled dances: pairs, agreement of codes by hand, and rows against counts by hand."""

import numpy as np
import pytest

from choreia.models.dancemeld.codec import Codes
from choreia.pipelines import judge_restyle
from choreia.pipelines.judge_restyle import Restyled, agreement, makers, measured, pair, row
from choreia.synth.moves import STYLES


def test_pairs_are_of_two_styles_as_long_as_one_another():
    pairs = [pair(number) for number in (0, 1, 0)]
    assert [one.style for one in pairs[:2]] == [list(STYLES)[judge_restyle.APART + k] for k in (0, 1)]
    assert all(len(one.kept) == len(one.given) == 480 for one in pairs)
    assert pairs[0].kept.rotations.tobytes() == pairs[2].kept.rotations.tobytes() != pairs[1].kept.rotations.tobytes()


class Codec:
    """Codes that are the first columns of what is encoded."""

    def encode(self, values):
        return values

    def codes(self, values):
        return Codes(values, values[::2] + 1)


def test_codes_agree_where_the_first_level_does_at_the_same_time():
    one, other = np.array([[1, 9], [2, 9], [3, 9], [4, 9]]), np.array([[1, 0], [0, 9], [3, 0], [4, 9]])
    assert agreement(Codec(), one, other, "bottom") == 0.75
    assert agreement(Codec(), one, other, "top") == 1.0
    assert agreement(Codec(), one, one[::-1], "bottom") == 0.0


def test_a_row_is_the_mean_of_its_pairs_within_its_interval():
    made = [Restyled(k < 3, k / 4, 5.0 * k, 20.0, 10.0 * k, 0.1) for k in range(4)]
    found = row("restyle", "top", made)
    assert (found["kept"], found[""], found["pairs"]) == ("movement", "restyle", 4)
    assert found["style of the source %"]["value"] == 75 and found["kept codes %"]["value"] == pytest.approx(37.5)
    assert (found["from kept mm"], found["from source mm"]) == (7.5, 20)
    assert found["jerk m/s³"] == 15 and found["foot slide share"] == pytest.approx(0.1)
    for title in ("style of the source %", "kept codes %"):
        assert 0 <= found[title]["low"] < found[title]["value"] < found[title]["high"] <= 100
    even = row("", "bottom", made[:1] * 3)["style of the source %"]
    assert (even["low"], even["value"], even["high"]) == (100, 100, 100)


def test_the_baselines_lie_at_the_ends(monkeypatch):
    """What is unchanged has all its codes and not the other's style; the other dance is the reverse."""
    given = pair(0)

    class Judge:
        def style(self, take):
            return take

    monkeypatch.setattr(judge_restyle, "_judge", lambda weights: Judge())
    monkeypatch.setattr(judge_restyle, "see", lambda motion, beats: given.style if motion is given.given else "own")
    made = {name: measured(None, makers("bottom")[name], "bottom", given) for name in ("unchanged", "the source instead")}
    assert (made["unchanged"].style, made["unchanged"].codes, made["unchanged"].from_kept_mm) == (False, 1.0, 0.0)
    assert made["the source instead"].from_source_mm == 0 < made["the source instead"].from_kept_mm
    assert made["the source instead"].style and made["the source instead"].codes < 0.2
    random = makers("top")["random codes for the others"]
    one, again = (random(judge_restyle._codec(), given) for _ in range(2))
    assert len(one) == len(given.kept) and one.rotations.tobytes() == again.rotations.tobytes()
