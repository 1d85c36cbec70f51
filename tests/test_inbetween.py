"""Laws of in-betweens: interpolations worked by hand, what the network may not see or touch, and a judge whose answers are known."""

import numpy as np
import pytest
import torch

from choreia.data.shards import Labels, Sample, write_json, write_shard
from choreia.errors import ChoreiaError
from choreia.models.base import Weights, read_weights
from choreia.models.inbetween import recipe
from choreia.models.inbetween.config import GROUPS, LONGEST, Config, variant
from choreia.models.inbetween.interpolation import HERMITE, STRAIGHT, Gap, bridge
from choreia.models.inbetween.model import MODEL, Inbetweener, interpolated
from choreia.models.inbetween.network import SEEN, SKELETON, Network, Stand, Window, ramp
from choreia.models.inbetween.objective import Objective, body, compare
from choreia.motion import rotations as rot
from choreia.motion.kinematics import positions
from choreia.pipelines import judge_inbetween as judge
from choreia.pipelines.measuring import Workers
from choreia.training.loop import Settings
from choreia.types import Motion

CONFIG, FIT = variant("tiny")


def dance(frames=90, seed=0, period=30):
    """All joints swing, each in its own way, and the dancer walks in a curve."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames)[:, None, None] * 2 * np.pi / period
    swing = 0.5 * rng.standard_normal((24, 3)) * np.sin(t + rng.uniform(0, 6, (24, 3)))
    turns = rot.expmap_to_quaternion(torch.from_numpy(swing)).numpy()
    t = np.arange(frames) / 30
    root = np.stack([np.sin(t) + rng.normal(), 0.9 + 0.03 * np.sin(6 * t), 0.5 * t], axis=1)
    return Motion(SKELETON, root.astype(np.float32), turns.astype(np.float32), 30.0)


def window_of(motion, gap, free=None):
    """The whole take as a window."""
    values = torch.from_numpy(motion.root)[None], torch.from_numpy(motion.rotations)[None]
    return Window(*values, torch.ones(1, 25) if free is None else free, gap)


def moving(network):
    """The network with an exit that is not zero, so that it corrects something."""
    torch.manual_seed(1)
    torch.nn.init.normal_(network.leave.weight, std=0.2)
    return network.eval()


def inbetweener(seed=0):
    torch.manual_seed(seed)
    network = moving(Network(CONFIG))
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    return Inbetweener(Weights(tensors, {"config": CONFIG.to_json()}, "0" * 64))


# ----------------------------------------------------------------------------------------------------------- interpolation


def line(values):
    """Places (N, 3) along x and still rotations about Y by the same values, radians."""
    places = torch.zeros(len(values), 3, dtype=torch.float64)
    places[:, 0] = torch.tensor(values, dtype=torch.float64)
    return places, rot.yaw(places[:, :1])


def bridged(values, gap, reach):
    """Places along x and yaws (frames,) that bridge `values` (N,)."""
    root, turns = bridge(*line(values), gap, reach)
    return root[:, 0].numpy(), 2 * torch.atan2(turns[:, 0, 2], turns[:, 0, 0]).numpy()


@pytest.mark.parametrize("reach", [STRAIGHT, 2, HERMITE])
def test_what_moves_evenly_goes_on_evenly(reach):
    for made in bridged([0.2 * k if k < 3 or k > 6 else 9.0 for k in range(10)], Gap(3, 7), reach):
        assert made == pytest.approx([0.6, 0.8, 1.0, 1.2], abs=1e-9)


def test_a_cubic_by_hand():
    gap = Gap(2, 5)  # four steps from frame 1 to frame 5
    for made in bridged([0, 0, 9, 9, 9, 1, 1], gap, HERMITE):  # at rest on both sides: 3 u^2 - 2 u^3
        assert made == pytest.approx([0.15625, 0.5, 0.84375], abs=1e-9)
    for made in bridged([-1, 0, 9, 9, 9, 0, 0], gap, HERMITE):  # leaves with 1 a step, comes back to rest: 4 u (1 - u)^2
        assert made == pytest.approx([0.5625, 0.5, 0.1875], abs=1e-9)
    for made in bridged([-1, 0, 9, 9, 9, 0, 0], gap, 2):  # the same, faded out in two steps: 2 v (1 - v)^2 at v = 1/2
        assert made == pytest.approx([0.25, 0, 0], abs=1e-9)
    for made in bridged([-1, 0, 9, 9, 9, 1, 5], gap, STRAIGHT):
        assert made == pytest.approx([0.25, 0.5, 0.75], abs=1e-9)


def test_the_gap_is_not_looked_at_and_a_single_kept_frame_is_a_pose_at_rest():
    for reach, expected in ((STRAIGHT, [0.5, 1, 1.5]), (HERMITE, [0.3125, 1, 1.6875])):
        first, second = bridged([0, 5, 5, 5, 2], Gap(1, 4), reach), bridged([0, -3, 7, 1, 2], Gap(1, 4), reach)
        assert np.array_equal(first, second)
        assert first[0] == pytest.approx(expected, abs=1e-9)


def test_the_straight_way_is_slerp_by_the_shorter_way():
    motion = dance()
    turns = torch.from_numpy(motion.rotations).double()
    flipped = turns.clone()
    flipped[40] *= -1  # the same rotations
    _, made = bridge(torch.from_numpy(motion.root).double(), flipped, Gap(20, 40), STRAIGHT)
    expected = torch.stack([rot.slerp(turns[19], turns[40], torch.tensor(k / 21, dtype=torch.float64)) for k in range(1, 21)])
    assert (made * expected).sum(-1).abs().min() > 1 - 1e-6


# ----------------------------------------------------------------------------------------------------------------- network


def test_the_correction_begins_and_ends_level():
    made = ramp(Gap(5, 36), 8, torch.device("cpu"))
    assert made[:8].tolist() == pytest.approx([(k / 8) ** 2 * (3 - 2 * k / 8) for k in range(1, 9)])
    assert torch.equal(made, made.flip(0)) and bool((made[7:24] == 1).all())
    assert ramp(Gap(5, 8), 8, torch.device("cpu")).tolist() == pytest.approx([0.5, 1, 0.5])
    assert ramp(Gap(5, 6), 8, torch.device("cpu")).tolist() == [1]


def test_untrained_it_is_the_interpolation():
    motion, network = dance(), Network(Config(width=16, layers=1, heads=1, inner=16)).eval()
    window = window_of(motion, Gap(20, 45))
    root, matrices = network(window)
    expected = bridge(window.root, window.turns, window.gap, network.config.reach)
    assert torch.allclose(root, expected[0], atol=1e-6)
    assert torch.allclose(matrices, rot.quaternion_to_matrix(expected[1]), atol=1e-5)


def test_what_stood_in_the_gap_is_not_seen_but_what_is_kept_there():
    network, free = moving(Network(CONFIG)), torch.ones(1, 25)
    free[:, 1 + SKELETON.index("left_elbow")] = 0
    one, other = dance(seed=1), dance(seed=2)
    turns = one.rotations.copy()
    turns[20:40] = other.rotations[20:40]
    root = one.root.copy()
    root[20:40] += 3
    changed = Motion(SKELETON, root, turns, 30.0)
    gap = Gap(20, 40)
    with torch.no_grad():
        plain, again = network(window_of(one, gap)), network(window_of(changed, gap))
        assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))
        held, differs = network(window_of(one, gap, free)), network(window_of(changed, gap, free))
    elbow = SKELETON.index("left_elbow")
    kept = rot.quaternion_to_matrix(torch.from_numpy(turns[None, 20:40, elbow]))
    assert torch.allclose(differs[1][:, :, elbow], kept, atol=1e-5)
    assert not torch.allclose(held[1][:, :, 0], differs[1][:, :, 0], atol=1e-4)


def test_a_stand_is_taken_away_and_given_back():
    window = window_of(dance(), Gap(20, 40))
    stand = Stand.of(window)
    seen = stand.seen(window)
    last = seen.turns[0, 19, 0]
    assert seen.root[0, 19].tolist() == pytest.approx([0, float(window.root[0, 19, 1]), 0], abs=1e-6)
    assert float(last[2]) == pytest.approx(0, abs=1e-6) and float(last[0]) > 0
    root, turns = stand.placed(seen.root, seen.turns)
    assert torch.allclose(root, window.root, atol=1e-6) and torch.allclose(turns, window.turns, atol=1e-6)


# ------------------------------------------------------------------------------------------------------------ in-betweener


def test_every_frame_and_joint_that_is_kept_is_bit_identical():
    motion, model = dance(), inbetweener()
    made = model.fill(motion, 30, 50)
    outside = np.r_[0:30, 50:90]
    assert made.root[outside].tobytes() == motion.root[outside].tobytes()
    assert made.rotations[outside].tobytes() == motion.rotations[outside].tobytes()
    assert np.abs(made.root[30:50] - motion.root[30:50]).max() > 1e-3
    arm = np.isin(SKELETON.names, GROUPS["left arm"])
    part = model.fill(motion, 30, 50, joints=arm, root=False)
    assert part.root.tobytes() == motion.root.tobytes()
    assert part.rotations[:, ~arm].tobytes() == motion.rotations[:, ~arm].tobytes()
    assert (np.abs(part.rotations[30:50, arm] - motion.rotations[30:50, arm]).max(axis=(0, 2)) > 1e-3).all()
    assert (made.fps, len(made), made.root.dtype) == (motion.fps, len(motion), motion.root.dtype)


def test_it_is_the_same_every_time_and_wherever_the_dancer_stands():
    motion, model = dance(), inbetweener()
    made = model.fill(motion, 30, 50)
    again = model.fill(motion, 30, 50)
    assert made.root.tobytes() == again.root.tobytes() and made.rotations.tobytes() == again.rotations.tobytes()
    turn = rot.yaw(torch.tensor(2.0))
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(turn.expand(90, 4), torch.from_numpy(motion.rotations[:, 0]))
    root = rot.rotate(turn.expand(90, 4), torch.from_numpy(motion.root)).numpy() + np.float32([3, 0, -2])
    moved = positions(model.fill(Motion(SKELETON, root, rotations, 30.0), 30, 50))
    expected = rot.rotate(turn.expand(90, 24, 4), torch.from_numpy(positions(made))).numpy() + np.float32([3, 0, -2])
    assert np.abs(moved - expected).max() < 1e-4


def test_rotations_stay_on_the_hemisphere_they_come_from():
    motion = dance()
    made = inbetweener().fill(Motion(SKELETON, motion.root, -motion.rotations, 30.0), 30, 50)
    steps = (made.rotations[30:50] * made.rotations[29:49]).sum(-1)
    assert steps.min() > 0
    assert np.abs(np.linalg.norm(made.rotations[30:50], axis=-1) - 1).max() < 1e-5


def test_the_ends_are_met_with_their_velocity():
    """The first and last step of a second differ from the kept step beside them by the acceleration of one frame, not by a velocity."""
    motion = dance(frames=120, period=60)
    made = positions(inbetweener().fill(motion, 40, 70)).astype(np.float64)
    velocity = np.diff(made, axis=0)
    jump = np.abs(np.diff(velocity, axis=0)).max(axis=(1, 2))
    assert jump[[38, 39, 69, 70]].max() < 2 * jump[np.r_[5:30, 80:110]].max()


@pytest.mark.parametrize("gap", [(1, 2), (1, 89), (40, 41), (10, 80)])
def test_gaps_of_any_length_with_one_kept_frame_or_more(gap):
    made = inbetweener().fill(dance(), *gap)
    assert np.isfinite(made.root).all() and np.isfinite(made.rotations).all()


def test_what_cannot_be_filled_is_said_in_one_line():
    model, motion = inbetweener(), dance(frames=200)
    far = motion.root.copy()
    far[52:, 0] += 3
    cases = {
        "nothing is kept before": (motion, 0, 10),
        "nothing is kept after": (motion, 190, 200),
        "no stretch": (motion, 20, 20),
        "of a take of 200 frames": (motion, 150, 230),
        "4 s at most": (motion, 20, 21 + LONGEST),
        "3.0 m apart": (Motion(SKELETON, far, motion.rotations, 30.0), 50, 52),
    }
    for words, (take, start, stop) in cases.items():
        for fill in (model.fill, lambda *given: interpolated(*given, reach=HERMITE)):
            with pytest.raises(ChoreiaError, match=words) as raised:
                fill(take, start, stop)
            assert "\n" not in str(raised.value)
    with pytest.raises(ChoreiaError, match="nothing to fill"):
        model.fill(motion, 20, 30, joints=np.zeros(24, bool), root=False)
    with pytest.raises(ChoreiaError, match="30 fps"):
        model.fill(Motion(SKELETON, motion.root, motion.rotations, 60.0), 20, 30)


# ---------------------------------------------------------------------------------------------------------------- training


def test_errors_are_measured_in_the_units_they_claim():
    gap = Gap(20, 40)
    true = window_of(dance(), gap)
    shifted = Window(true.root + torch.tensor([0.03, 0, 0.04]), true.turns, true.free, gap)
    found = compare(body(shifted), body(true))
    assert float(found["place"]) == pytest.approx(0.05, rel=1e-3)
    assert all(float(found[name]) < 1e-3 for name in ("rotation", "velocity", "vigour"))
    drift = torch.arange(90)[None, :, None] / 30 * torch.tensor([0.0, 0.0, 0.2])
    drifting = Window(true.root + drift, true.turns, true.free, gap)
    assert float(compare(body(drifting), body(true))["velocity"]) == pytest.approx(0.2, rel=1e-3)


def test_untrained_every_share_of_the_loss_is_just_below_one():
    batch = recipe.Draw((track(dance(200)),), CONFIG, FIT, seed=0)(0)
    named = Objective(CONFIG, torch.zeros(SEEN), torch.ones(SEEN)).eval()(batch)
    assert all(0.5 < float(named[name].detach()) <= 1.0001 for name in ("rotation", "place", "velocity", "vigour"))


def track(motion, name="take"):
    return recipe._track(sample(motion, name))


def sample(motion, key="take", split="train"):
    labels = Labels(key, split, "salsa", True, "salsa", "test", "none", f"phrase-{key}", seconds=motion.duration_s)
    return Sample(labels, motion, np.zeros((len(motion), 4), np.float32))


def test_the_batch_of_a_step_is_a_function_of_the_step():
    draw = recipe.Draw((track(dance(200)),), CONFIG, FIT, seed=3)
    first, again = draw(5), draw(5)
    assert all(torch.equal(first[name], again[name]) for name in first)
    lengths = {int(draw(step)["gap"][0].diff()) for step in range(30)}
    assert min(lengths) >= FIT.gaps[0] and max(lengths) <= FIT.gaps[-1] and len(lengths) > 5


def test_groups_hold_every_joint_once_and_the_path_goes_with_the_pelvis():
    joints = [joint for group in GROUPS.values() for joint in group]
    assert sorted(joints) == sorted(SKELETON.names)
    draw = recipe.Draw((track(dance(200)),), CONFIG, FIT, seed=0)
    free = torch.cat([draw(step)["free"] for step in range(8)])
    assert torch.equal(free[:, 0], free[:, 1]) and 0 < float((free.min(1).values == 0).float().mean()) < 1
    assert float(free.max(1).values.min()) == 1


def prepared(folder, takes, split="train"):
    """A prepared folder with "real" dances."""
    (folder / "real").mkdir(exist_ok=True)
    digest = write_shard(folder / "real" / f"{split}-00000.tar", [sample(take, f"t{k}", split) for k, take in enumerate(takes)])
    shard = {"file": f"{split}-00000.tar", "samples": len(takes), "sha256": digest, "split": split}
    write_json(folder / "real" / "manifest.json", {"seed": 0, "shards": [shard], "version": 3})
    return folder


def test_a_short_training_beats_both_interpolations_on_what_it_knows(tmp_path):
    takes = [dance(240, period=20), dance(240, seed=4, period=20)]
    path = recipe.train_inbetween(prepared(tmp_path, takes), tmp_path, CONFIG, FIT, Settings(tmp_path / "run", save_every=1000))
    model = Inbetweener(read_weights(path, MODEL))
    assert model.weights_sha256 and model.config == CONFIG

    def error(fill):
        gaps = [(take, start) for take in takes for start in range(40, 180, 13)]
        return np.mean([np.abs(positions(fill(take, start, start + 10)) - positions(take)).mean() for take, start in gaps])

    plain = [error(lambda *gap, reach=reach: interpolated(*gap, reach=reach)) for reach in (STRAIGHT, HERMITE)]
    assert error(model.fill) < 0.8 * min(plain)


def test_sizes_keep_their_promise():
    config, fit = variant("small")
    assert 1e6 < sum(p.numel() for p in Network(config).parameters()) < 3e6
    assert Config.from_json(config.to_json()) == config and fit.gaps[-1] == LONGEST
    with pytest.raises(ChoreiaError, match="unknown inbetween variant"):
        variant("huge")
    with pytest.raises(ChoreiaError, match="choreia prepare"):
        recipe.read_tracks(recipe.Path("nowhere"))


# ------------------------------------------------------------------------------------------------------------------- judge


def takes():
    return [dance(150, seed, period) for seed, period in enumerate((20, 30, 40, 50))]


def shifted(motion, start, stop):
    """Right but 30 mm to the side."""
    root = motion.root.copy()
    root[start:stop, 0] += 0.03
    return Motion(motion.skeleton, root, motion.rotations, motion.fps)


def filled(fill, gap_s=0.5):
    with Workers(1, None) as pool:
        return judge.fill_all(judge.Filler("", fill), takes(), gap_s, pool)


def test_the_judge_knows_the_truth_and_a_known_fault(monkeypatch):
    monkeypatch.setattr(judge, "DRAWS", 5)
    true = filled(judge._as_it_was)
    assert [len(take.error_mm) for take in true] == [8] * 4  # gaps begin at frames 10, 25, ... 115
    same, beside = judge.row("", 0.5, true, true, []), judge.row("", 0.5, filled(shifted), true, [])
    assert all(abs(same[title]["value"]) < 1e-3 for title in judge.SCORES) and same["jerk at ends"] == 1
    assert beside["MPJPE mm"]["value"] == pytest.approx(30, abs=0.01)
    assert beside["MPJPE mm, root removed"]["value"] == pytest.approx(0, abs=0.01)
    assert beside["FID_k"]["value"] > 1 and beside["jerk at ends"] > 1.5


def test_a_filler_is_held_against_the_better_of_the_plain_ones(monkeypatch):
    monkeypatch.setattr(judge, "DRAWS", 5)
    true, made = filled(judge._as_it_was), filled(shifted)
    plain = [filled(lambda *gap, reach=reach: interpolated(*gap, reach=reach)) for reach in (STRAIGHT, HERMITE)]
    errors = [np.concatenate([take.error_mm[:, 0] for take in one]).mean() for one in plain]
    found = judge.row("", 0.5, made, true, plain)["MPJPE mm less the lower of both"]
    assert found["value"] == pytest.approx(30 - min(errors), abs=0.01)
    assert found["low"] <= found["value"] <= found["high"]


def test_without_held_out_dance_it_says_what_to_do(tmp_path):
    with pytest.raises(ChoreiaError, match="choreia prepare"):
        judge.held_out(prepared(tmp_path, [dance()]))
