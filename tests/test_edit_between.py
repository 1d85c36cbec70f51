"""Laws of in-betweens in a dance: kept frames and parts to the bit, feet that stand, smooth ends, and what cannot be bridged."""

import numpy as np
import pytest
import torch

from choreia.edit import between as module
from choreia.edit.between import between, between_clips, plain
from choreia.edit.history import spliced
from choreia.edit.parts import joints_of, read_parts
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.metrics.physics import seam_jerk_ratio
from choreia.models.base import Weights
from choreia.models.inbetween.config import variant
from choreia.models.inbetween.interpolation import HERMITE
from choreia.models.inbetween.model import Inbetweener, interpolated
from choreia.models.inbetween.network import Network
from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.ik import reach
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import ANKLE_HEIGHT_M, STANDING_HEIGHT_M, choreia24
from choreia.motion.timing import resample
from choreia.synth.choreographer import choreograph
from choreia.types import Motion

FPS = 30.0


@pytest.fixture(scope="module")
def dance():
    beats = np.arange(0.3, 10, 0.5)
    return choreograph(beats, beats[::4], (), "hip-hop", seed=1, duration_s=10.0).motion


@pytest.fixture(autouse=True)
def without_weights(monkeypatch):
    """As in a copy of the package without the weights, unless a test gives some."""
    monkeypatch.setattr(module, "available", lambda: False)


@pytest.fixture(scope="module")
def network():
    """It corrects something, at random."""
    torch.manual_seed(0)
    config = variant("tiny")[0]
    made = Network(config)
    torch.nn.init.normal_(made.leave.weight, std=0.2)
    return Inbetweener(
        Weights({f"network.{name}": value for name, value in made.state_dict().items()}, {"config": config.to_json()}, "ab" * 32)
    )


def standing(frames, x_m=0.0):
    """Soft knees, feet flat."""
    root = np.tile(np.array([x_m, STANDING_HEIGHT_M - 0.06, 0]), (frames, 1))
    still = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (frames, 24, 1)), FPS)
    for side, sign in (("left", 1), ("right", -1)):
        still = reach(still, f"{side}_leg", np.tile([x_m + sign * 0.1, ANKLE_HEIGHT_M, 0], (frames, 1)))
    return still


def same(one, other):
    return one.root.tobytes() == other.root.tobytes() and one.rotations.tobytes() == other.rotations.tobytes()


@pytest.mark.parametrize("named", ["", "arms", "legs", "upper, root"])
def test_only_the_stretches_and_parts_that_are_named_change(dance, network, named):
    region = Region(((2.0, 3.0), (4.2, 4.5)), read_parts(named))
    joints = region.joints(dance.skeleton)
    for model in (None, network):
        made = spliced(dance, between(dance, region, model))
        outside = np.r_[0:60, 90:126, 135:300]
        assert len(made) == len(dance)
        assert made.root[outside].tobytes() == dance.root[outside].tobytes()
        assert made.rotations[outside].tobytes() == dance.rotations[outside].tobytes()
        assert made.rotations[:, ~joints].tobytes() == dance.rotations[:, ~joints].tobytes()
        assert joints[0] or made.root.tobytes() == dance.root.tobytes()
        for inside in (slice(60, 90), slice(126, 135)):
            assert np.abs(made.rotations[inside, joints] - dance.rotations[inside, joints]).max() > 1e-3
        assert same(made, spliced(dance, between(dance, region, model)))


def test_the_network_is_used_where_there_is_one(dance, network):
    arms = joints_of(("arms",), dance.skeleton)
    region = Region(((2.0, 3.0),))
    made = spliced(dance, between(dance, region, network))
    assert made.rotations[60:90, arms].tobytes() == network.fill(dance, 60, 90).rotations[60:90, arms].tobytes()
    simple = spliced(dance, between(dance, Region(((2.0, 2.5),)), None))
    expected = interpolated(dance, 60, 75, HERMITE).rotations[60:75, arms]
    assert np.abs(simple.rotations[60:75, arms] - expected).max() < 1e-6


def test_it_says_when_it_is_plain(dance, monkeypatch):
    monkeypatch.setattr(module, "available", lambda: False)
    assert "weights of the network do not come" in plain(dance)[0]
    monkeypatch.setattr(module, "available", lambda: True)
    assert plain(dance) == ()
    assert "30 fps" in plain(resample(dance, 60.0))[0]


def test_who_stands_goes_on_standing():
    pose = standing(40)
    made = between_clips(pose, pose.slice(0, 1), 1.0)
    assert len(made) == 40 + 30 + 1
    assert np.abs(positions(made) - positions(pose)[0]).max() < 2e-3


def test_standing_feet_do_not_slide(dance):
    made = spliced(dance, between(dance, Region(((2.0, 3.0), (5.0, 5.5), (7.0, 8.0)))))
    slides = foot_slide(made, foot_contacts(made))
    assert len(slides) > 50 and np.mean(slides <= 0.01) > 0.97


def test_the_ends_are_as_smooth_as_what_is_around_them(dance):
    for start_s in (2.0, 3.7, 6.1):
        made = spliced(dance, between(dance, Region(((start_s, start_s + 0.7),))))
        assert seam_jerk_ratio(made, np.array([start_s, start_s + 0.7])) <= 1.2


def test_clips_stay_and_new_frames_come_between(dance, network):
    first, second = dance.slice(0, 50), dance.slice(60, 100)
    for model in (None, network):
        made = between_clips(first, second, 0.5, model)
        assert len(made) == 50 + 15 + 40
        assert same(made.slice(0, 50), first) and same(made.slice(65, 105), second)
    assert len(between_clips(resample(first, 60.0), second, 0.5)) == 100 + 30 + 80


def test_what_cannot_be_bridged_is_said_in_one_line(dance):
    first, bones = dance.slice(0, 50), dance.skeleton
    other = Motion(type(bones)(bones.names, bones.parents, bones.offsets * 1.5), dance.root, dance.rotations, FPS)
    cases = {
        "3.0 m away, too far for 0.10 s": lambda: between_clips(standing(1), standing(1, x_m=3.0), 2 / FPS),
        "nothing is kept before": lambda: between(dance, Region(((0.0, 1.0),))),
        "nothing is kept after": lambda: between(dance, Region(((9.0, 10.0),))),
        "4 s at most": lambda: between(dance, Region(((2.0, 7.0),))),
        "less than a frame": lambda: between_clips(first, first, 0.0),
        "another skeleton": lambda: between_clips(first, other, 1.0),
        "past the end": lambda: between(dance, Region(((8.0, 12.0),))),
    }
    for words, edit in cases.items():
        with pytest.raises(ChoreiaError, match=words) as raised:
            edit()
        assert "\n" not in str(raised.value)
