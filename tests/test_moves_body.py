"""Laws of the body of the choreographer: rolling forearms, sliding ribs, and a pelvis that gives way before a leg is at its end."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.motion.kinematics import positions
from choreia.synth.moves import STYLES
from choreia.synth.moves.body import _below, pose
from choreia.synth.moves.notation import body, figure, hands
from choreia.synth.moves.score import Grid, Placed, channels

STYLE = replace(STYLES["popping"], wander=0.0)
TIMES_S = np.arange(150) / 30
GRID = Grid(TIMES_S / 0.5, TIMES_S, 0.5)


def danced(*keys, left_first: bool = True) -> dict[str, np.ndarray]:
    """Joint places (T, 3) by name of a figure of four counts that begins on count 2."""
    placed = Placed(figure("trial", 4, "a trial", *keys), 2.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0, left_first)
    motion = pose(channels([placed], STYLE, GRID, np.random.default_rng(0)), 30)
    return dict(zip(motion.skeleton.names, positions(motion).astype(float).transpose(1, 0, 2), strict=True))


def test_rolled_forearms_turn_the_hand_and_move_nothing_else():
    still, rolled = (danced(*(hands(c, both="bulb", roll=roll) for c in (1, 2, 3, 4))) for roll in (0.0, 1.2))
    moved = {name: np.abs(rolled[name] - still[name]).max() for name in still}
    assert min(moved["left_hand"], moved["right_hand"]) > 0.04
    assert max(size for name, size in moved.items() if "hand" not in name) < 1e-5


def test_a_roll_of_a_quarter_turn_flexes_the_hand_upwards():
    at = {roll: danced(*(hands(c, both="lotus_open", roll=roll) for c in (1, 2, 3, 4))) for roll in (-1.5708, 0.0, 1.5708)}
    lift = {roll: (joints["left_hand"] - joints["left_wrist"])[75, 1] for roll, joints in at.items()}
    assert lift[-1.5708] < lift[0.0] < lift[1.5708] and lift[1.5708] - lift[-1.5708] > 0.08


def test_the_other_side_is_the_mirror_image():
    keys = (hands(2, left="bulb", right="low", roll=0.9), hands(4, left="low", right="bulb"), body(2, ribs=0.3), body(3, ribs=-0.2))
    one, other = danced(*keys), danced(*keys, left_first=False)
    for name in ("spine3", "neck", "left_wrist", "left_hand", "right_wrist", "right_hand"):
        twin = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert np.allclose(one[name] * [-1, 1, 1], other[twin], atol=1e-3), name


def test_sliding_ribs_carry_the_shoulders_level_over_still_hips():
    at, slid = danced(), danced(*(body(c, ribs=0.3) for c in (1, 2, 3, 4)))
    moved = (slid["spine3"] - at["spine3"])[75]
    assert moved[0] > 0.04 and abs(moved[1]) < 0.02
    assert np.abs(slid["pelvis"] - at["pelvis"]).max() < 1e-5
    tilt = [(joints["left_shoulder"] - joints["right_shoulder"])[75, 1] for joints in (at, slid)]
    assert abs(tilt[0] - tilt[1]) < 0.01


@pytest.mark.parametrize("fps", [24, 30, 60, 120])
def test_the_eased_height_is_below_and_smoother(fps):
    height = torch.from_numpy(0.9 - 0.1 * (np.sin(np.arange(4 * fps) / fps * 5) > 0.3))
    eased = _below(height, fps)
    assert torch.all(eased <= height + 1e-9) and torch.all(eased >= height.min() - 1e-9)
    assert np.abs(np.diff(eased, 2)).max() < 0.75 * np.abs(np.diff(height, 2)).max()
    assert torch.allclose(_below(torch.full((50,), 0.8, dtype=torch.float64), fps), torch.tensor(0.8, dtype=torch.float64))
