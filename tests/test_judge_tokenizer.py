"""How well takes are rebuilt, where the answer is known: rebuilt as they were, somewhere else, or with one joint moved."""

from types import SimpleNamespace

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.models.dancemeld.codec import Codes
from choreia.motion.kinematics import positions
from choreia.motion.representation import Heading152
from choreia.pipelines.judge_tokenizer import joint_errors_mm, row, tokenizer, use_percent
from choreia.types import Motion
from test_dancemeld import swing


class Copyist:
    """Rebuilds every take as it was, and uses the first two of four codes below, one of four above."""

    config = SimpleNamespace(tokenizer=SimpleNamespace(bottom_sizes=(4,), top_sizes=(4,)))

    def encode(self, motion):
        return Heading152.encode(motion)

    def decode(self, latents):
        return np.concatenate([latents, latents[-1:]])

    def codes(self, latents):
        return Codes(np.arange(len(latents))[:, None] % 2, np.zeros((len(latents), 1), int))


def test_what_is_rebuilt_as_it_was_has_no_error():
    takes = [swing(1, frames=60)[0], swing(2, frames=90)[0]]
    found = row("copies", takes, Copyist())
    assert (found.takes, found.count, found.minutes) == ("copies", 2, pytest.approx(150 / 30 / 60))
    assert found.mpjpe_mm == found.mpjpe_p95_mm == 0
    assert (found.bottom_use_percent, found.top_use_percent) == (50, 25)


def test_where_the_dancer_stands_is_no_error_and_a_moved_hand_is():
    motion, _ = swing(3, frames=40)
    moved = Motion(motion.skeleton, motion.root + np.float32([2.0, 0, -1.0]), motion.rotations, 30.0)
    values = Heading152.encode(motion)
    assert joint_errors_mm(values, Heading152.encode(moved)).max() < 0.1
    bent = motion.rotations.copy()
    bent[:, motion.skeleton.index("left_elbow")] = [0, 1, 0, 0]
    other = Motion(motion.skeleton, motion.root, bent, 30.0)
    true_mm = 1000 * np.linalg.norm(positions(other) - positions(motion), axis=-1).mean(axis=1)
    assert true_mm.min() > 1 and np.allclose(joint_errors_mm(values, Heading152.encode(other)), true_mm, atol=0.05)


def test_use_counts_codes_of_all_levels():
    assert use_percent(np.array([[0, 0], [1, 0], [1, 3]]), (4, 6)) == pytest.approx(100 * (2 + 2) / 10)


def test_without_held_out_takes_it_says_what_to_do(tmp_path):
    (tmp_path / "real").mkdir()
    with pytest.raises(ChoreiaError, match="prepare"):
        tokenizer(tmp_path)
