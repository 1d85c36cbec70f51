"""Pictures of codes: what they show in numbers, on a small tokenizer whose decoder is known, and the pictures themselves."""

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.models.dancemeld.codec import Codec
from choreia.models.dancemeld.config import TINY
from choreia.models.dancemeld.tokenizer import build_tokenizer
from choreia.motion.skeleton import choreia24
from choreia.pipelines.code_figures import code_figures
from choreia.render import sticks

NAMES = ("bottom_codes.png", "top_codes.png", "exchange.png")


def codec(deaf: bool) -> Codec:
    """A tokenizer that was never trained; a deaf one decodes bottom codes alone."""
    torch.manual_seed(0)
    tokenizer = build_tokenizer(TINY.tokenizer)
    if deaf:
        tokenizer.decode_bottom[0].weight.data[:, : TINY.tokenizer.top_width] = 0
        tokenizer.lead_out.weight.data[: TINY.tokenizer.top_width] = 0
    tensors = {f"tokenizer.{name}": value for name, value in tokenizer.state_dict().items()}
    return Codec(TINY.tokenizer, tensors | {"mean": torch.zeros(152), "std": torch.ones(152)})


def test_what_top_codes_cannot_change_is_seen_to_stay(tmp_path):
    found = code_figures(tmp_path, codec=codec(deaf=True))
    assert found["pose_mm"] == pytest.approx(0, abs=1e-2) and found["other_pose_mm"] > 1
    from_bottom, from_top = found["exchanged_mm"]
    assert from_bottom == pytest.approx(0, abs=1e-2) and from_top > 1
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in NAMES)
    with pytest.raises(ChoreiaError, match=r"bottom_codes\.png exists"):
        code_figures(tmp_path, codec=codec(deaf=True))


def test_top_codes_that_are_heard_change_poses(tmp_path):
    found = code_figures(tmp_path / "new", codec=codec(deaf=False))
    assert found["pose_mm"] > 1 and found["exchanged_mm"][0] > 1 and -1 <= found["movement"] <= 1


def test_bones_are_as_long_as_they_are_seen():
    """A dancer who is turned so far to the side that the picture looks at the front has bones as wide as they are."""
    turn, rest = sticks._SEEN_FROM_RAD, np.zeros((24, 3))
    rest[1] = [np.cos(turn), 2.0, -np.sin(turn)]
    bones = sticks._bones(rest, choreia24())
    assert bones.shape == (23, 2, 2)
    assert np.allclose(bones[0], [[1.0, 2.0], [0.0, 0.0]])
