"""Laws of the clean-up: exact involutions and identities, labels on a constructed step, planted feet on a skating dancer."""

import time

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion import cleanup
from choreia.motion.ik import reach
from choreia.motion.kinematics import positions
from choreia.motion.rotations import expmap_to_quaternion, rotate
from choreia.motion.skeleton import ANKLE_HEIGHT_M, STANDING_HEIGHT_M, choreia24
from choreia.types import Motion


def standing(n, fps=30.0, drop=0.05):
    """Knees slightly bent, feet flat on the floor at their rest places."""
    root = np.tile([0, STANDING_HEIGHT_M - drop, 0], (n, 1))
    still = Motion(choreia24(), root, np.tile([1.0, 0, 0, 0], (n, 24, 1)), fps)
    place = positions(still).astype(float)
    for side in ("left", "right"):
        target = place[:, still.skeleton.index(f"{side}_ankle")]
        target[:, 1] = ANKLE_HEIGHT_M
        still = reach(still, f"{side}_leg", target)
    return still


def wandering(n=90, seed=0, fps=30.0):
    rng = np.random.default_rng(seed)
    times = np.arange(n) / fps
    rate, phase = rng.uniform(0.3, 2.0, (24, 3)), rng.uniform(0, 6.28, (24, 3))
    vectors = 0.4 * np.sin(2 * np.pi * rate * times[:, None, None] + phase)
    root = np.stack([0.3 * np.sin(times), 0.9 + 0.05 * np.sin(7 * times), 0.3 * np.cos(1.3 * times)], 1)
    return Motion(choreia24(), root, expmap_to_quaternion(torch.from_numpy(vectors)).numpy(), fps)


def stepping(fps=30.0, seconds=4.0, lift_s=1.5, land_s=2.0, stride=0.2):
    """Stand, then one step of the left foot from lift_s to land_s; the right foot never moves."""
    n = round(seconds * fps)
    times = np.arange(n) / fps
    still = standing(n, fps)
    target = positions(still)[:, still.skeleton.index("left_ankle")].astype(float)
    share = np.clip((times - lift_s) / (land_s - lift_s), 0, 1)
    eased = share**3 * (10 - 15 * share + 6 * share**2)
    target[:, 2] += stride * eased
    target[:, 1] += 0.15 * np.sin(np.pi * eased) ** 2
    return reach(still, "left_leg", target)


def test_mirror_is_an_exact_involution_and_reflects_positions():
    motion = wandering()
    image = cleanup.mirror(motion)
    twice = cleanup.mirror(image)
    assert twice.root.tobytes() == motion.root.tobytes() and twice.rotations.tobytes() == motion.rotations.tobytes()
    left, right = motion.skeleton.index("left_wrist"), motion.skeleton.index("right_wrist")
    assert np.abs(positions(image)[:, left] - positions(motion)[:, right] * [-1, 1, 1]).max() < 1e-5


def test_warp_by_the_own_clock_is_the_identity():
    motion = wandering()
    same = cleanup.warp(motion, motion.times())
    assert np.array_equal(same.root, motion.root) and np.array_equal(same.rotations, motion.rotations)


def test_warp_reads_constant_motion_between_frames_and_holds_the_ends():
    times = np.arange(60) / 30
    angle = 2.0 * times
    rotations = np.tile([1.0, 0, 0, 0], (60, 24, 1))
    rotations[:, 3] = np.stack([np.cos(angle / 2), 0 * angle, np.sin(angle / 2), 0 * angle], 1)
    rotations[30:] *= -1
    motion = Motion(choreia24(), np.stack([times, times, times], 1), rotations, 30.0)
    read = cleanup.warp(motion, np.array([0.51, 0.999, 1.237, -1.0, 9.0]))
    wanted = np.array([0.51, 0.999, 1.237, 0.0, 59 / 30])
    assert np.abs(read.root[:, 0] - wanted).max() < 1e-9
    assert np.abs(np.abs(read.rotations[:, 3, 0]) - np.abs(np.cos(wanted))).max() < 1e-4


@pytest.mark.parametrize("fps", [20.0, 25.0, 60.0, 120.0])
def test_resample_keeps_duration_and_path(fps):
    motion = wandering(n=150, fps=50.0)
    other = cleanup.resample(motion, fps)
    assert other.fps == fps and abs(other.duration_s - motion.duration_s) <= 0.5 / fps
    inside = other.times() < (len(motion) - 2) / motion.fps
    times = other.times()[inside]
    assert np.abs(other.root[inside, 0] - 0.3 * np.sin(times)).max() < 1e-4
    assert np.abs(np.linalg.norm(other.rotations, axis=-1) - 1).max() < 1e-9


def test_resample_refuses_a_rate_of_zero():
    with pytest.raises(ChoreiaError, match="positive"):
        cleanup.resample(wandering(), 0)


def test_spikes_are_found_counted_and_repaired():
    motion = wandering(n=300, fps=60.0)
    root, rotations = motion.root.copy(), motion.rotations.copy()
    root[100] += [0.25, 0, 0]
    root[200] += [0, 0, -0.1]
    rotations[150, 5] = [0, 1, 0, 0]
    repaired, count = cleanup.repair_spikes(Motion(motion.skeleton, root, rotations, 60.0))
    assert count == 3
    assert np.abs(repaired.root - motion.root).max() < 1e-3
    assert (1 - np.abs((repaired.rotations * motion.rotations).sum(-1))).max() < 1e-5
    untouched = np.delete(np.arange(300), [100, 150, 200])
    assert np.array_equal(repaired.root[untouched], motion.root[untouched])


def test_fast_dancing_is_not_a_spike():
    motion = wandering(n=300, fps=30.0)
    times = motion.times()
    shake = 0.7 * np.sin(2 * np.pi * 4.5 * times)
    rotations = motion.rotations.copy()
    rotations[:, 18] = np.stack([np.cos(shake / 2), np.sin(shake / 2), 0 * shake, 0 * shake], 1)
    hop = motion.root + 0.05 * np.abs(np.sin(2 * np.pi * 2 * times))[:, None] * [0, 1, 0]
    fast = Motion(motion.skeleton, hop, rotations, 30.0)
    assert cleanup.repair_spikes(fast)[1] == 0


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
def test_contacts_of_a_constructed_step(fps):
    contacts = cleanup.foot_contacts(stepping(fps))
    times = np.arange(len(contacts)) / fps
    assert contacts[:, 2:].all(), "the right foot never leaves the floor"
    left = contacts[:, :2]
    assert left[(times < 1.45) | (times > 2.05)].all()
    assert not left[(times > 1.65) & (times < 1.85)].any()
    assert (np.abs(np.diff(left.astype(int), axis=0)).sum(0) == 2).all()


def test_contacts_do_not_depend_on_the_frame_rate():
    slow, fast = cleanup.foot_contacts(stepping(30.0)), cleanup.foot_contacts(stepping(120.0))
    edges = [[np.flatnonzero(np.diff(c[:, 0].astype(int))) / fps for c, fps in ((slow, 30), (fast, 120))]]
    assert np.abs(edges[0][0] - edges[0][1]).max() <= 1.5 / 30


def test_contacts_stand_on_the_takes_own_floor():
    motion = stepping()
    raised = Motion(motion.skeleton, motion.root + np.array([0, 0.06, 0]), motion.rotations, motion.fps)
    assert np.array_equal(cleanup.foot_contacts(raised), cleanup.foot_contacts(motion))


def test_contacts_need_feet():
    motion = wandering()
    bare = Motion(type(motion.skeleton)(("hips",), (-1,), np.zeros((1, 3))), motion.root, motion.rotations[:, :1], 30.0)
    with pytest.raises(ChoreiaError, match="no joint"):
        cleanup.foot_contacts(bare)


def test_a_joint_that_flips_for_two_frames_at_60_fps_is_repaired_whatever_its_signs():
    motion = wandering(n=300, fps=60.0)
    rotations = motion.rotations.copy()
    flipped = rotations[150:152, 20] * [1, 1, -1, -1]
    rotations[150:152, 20] = flipped[:, [1, 0, 3, 2]]
    rotations[152:] *= -1
    repaired, count = cleanup.repair_spikes(Motion(motion.skeleton, motion.root, rotations, 60.0))
    assert count == 1
    assert (1 - np.abs((repaired.rotations * motion.rotations).sum(-1))).max() < 1e-4


def test_a_jump_that_stays_is_spread_and_the_rest_is_untouched():
    motion = wandering(n=300, fps=60.0)
    root = motion.root.copy()
    root[150:] += [0.12, 0, 0]
    repaired, count = cleanup.repair_spikes(Motion(motion.skeleton, root, motion.rotations, 60.0))
    assert count == 1
    assert np.abs(np.diff(repaired.root, axis=0)).max() * 60 < 2.5
    far = np.abs(np.arange(300) - 150) > 7
    assert np.array_equal(repaired.root[far], root[far])


def test_the_loop_of_a_periodic_dance_is_whole_periods_even_when_the_dancer_travels_and_turns():
    times = np.arange(300) / 30
    vectors = np.zeros((300, 24, 3))
    vectors[:, 16, 2] = np.sin(2 * np.pi * times / 2.5)
    vectors[:, 17, 1] = np.cos(2 * np.pi * times / 2.5)
    vectors[:, 0, 1] = 0.3 * times
    rotations = expmap_to_quaternion(torch.from_numpy(vectors)).numpy()
    root = np.stack([times, 0 * times + 0.9, 0.5 * times], 1)
    start, stop = cleanup.find_loop(Motion(choreia24(), root, rotations, 30.0), shortest_s=2.0, longest_s=6.0)
    assert abs((stop - start) / 75 - round((stop - start) / 75)) < 0.03
    assert (stop - start) / 30 >= 2.0


def test_no_loop_in_a_take_that_is_too_short():
    with pytest.raises(ChoreiaError, match="no loop"):
        cleanup.find_loop(wandering(n=30))


def drifting(velocity, seconds=60.0, turn_rad_s=0.0, fps=30.0):
    times = np.arange(round(seconds * fps)) / fps
    wobble = 0.4 * np.sin(2 * np.pi * times / 3)
    root = np.stack([velocity[0] * times + wobble, 0 * times + 0.9, velocity[1] * times + 0.5 * wobble], 1)
    vectors = np.zeros((len(times), 24, 3))
    vectors[:, 0, 1] = turn_rad_s * times
    return Motion(choreia24(), root, expmap_to_quaternion(torch.from_numpy(vectors)).numpy(), fps)


@pytest.mark.parametrize("velocity", [(0.0, 0.0), (0.15, 0.0), (-0.1, 0.2)])
def test_a_drifting_dancer_stays_on_the_stage_at_walking_pace_of_a_snail(velocity):
    motion = drifting(velocity)
    staged = cleanup.stay_on_stage(motion)
    assert np.abs(staged.root[:, 0]).max() <= 4 - 0.7 and np.abs(staged.root[:, 2]).max() <= 3 - 0.7
    added = np.linalg.norm(np.diff(staged.root - motion.root, axis=0), axis=1) * 30
    assert added.max() < 0.36, "0.25 m/s along each axis"
    assert np.linalg.norm(np.diff(staged.root - motion.root, n=2, axis=0), axis=1).max() * 900 < 0.5


def test_a_dance_that_fits_is_only_moved_as_a_whole():
    motion = drifting((0.03, 0.0))
    away = Motion(motion.skeleton, motion.root + np.array([5.0, 0, 4.0]), motion.rotations, 30.0)
    staged = cleanup.stay_on_stage(away)
    assert np.abs(np.diff(staged.root - away.root, axis=0)).max() < 1e-9
    inside = cleanup.stay_on_stage(motion)
    assert np.array_equal(inside.root, motion.root) and np.array_equal(inside.rotations, motion.rotations)


def test_someone_who_walks_straight_off_is_kept_on_the_stage_all_the_same():
    staged = cleanup.stay_on_stage(drifting((0.9, 0.0), seconds=30))
    assert np.abs(staged.root[:, 0]).max() <= 4 - 0.5


def test_a_dancer_who_slowly_turns_away_is_turned_back_to_the_audience_and_keeps_speed():
    motion = drifting((0.0, 0.0), turn_rad_s=0.1)
    staged = cleanup.stay_on_stage(motion)
    world = torch.from_numpy(staged.rotations[:, 0])
    forward = rotate(world, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(len(world), 3)).numpy()
    assert forward[:, 2].min() > 0.5
    pace = [np.linalg.norm(np.diff(m.root, axis=0), axis=1) for m in (motion, staged)]
    assert np.abs(pace[0] - pace[1]).max() < 1e-9


def skating(seconds=10.0, fps=30.0, slip_m_s=0.2, float_m=0.02):
    """Steps on the spot, one foot after the other once a second, while the whole body slides sideways and floats up and down."""
    n = round(seconds * fps)
    times = np.arange(n) / fps
    motion = standing(n, fps)
    for side, phase in (("left", 0.0), ("right", 0.5)):
        target = positions(motion)[:, motion.skeleton.index(f"{side}_ankle")].astype(float)
        share = np.clip(((times + phase) % 1.0) / 0.4, 0, 1)
        target[:, 1] += 0.12 * np.sin(np.pi * share) ** 2
        motion = reach(motion, f"{side}_leg", target)
    slip = np.stack([slip_m_s * times, float_m * np.sin(2 * np.pi * times / 3), 0 * times], 1)
    return Motion(motion.skeleton, motion.root + slip, motion.rotations, fps)


def joint_jerk(motion):
    return np.linalg.norm(np.diff(positions(motion).astype(float), n=3, axis=0), axis=-1) * motion.fps**3


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_a_skating_dancer_is_planted(fps):
    motion = skating(fps=fps)
    contacts = cleanup.foot_contacts(motion, pace_m_s=0.45)
    locked = cleanup.lock_feet(motion)
    assert (cleanup.foot_slide(motion, contacts) > 0.006).mean() > 0.9, "the test motion does skate"
    for marks in (contacts, cleanup.foot_contacts(locked, floor_m=0.0)):
        assert marks.mean() > 0.4
        assert (cleanup.foot_slide(locked, marks) <= 0.01).mean() >= 0.99


def test_planted_feet_lie_on_the_floor_and_never_below():
    motion = skating(float_m=0.025)
    locked = cleanup.lock_feet(motion)
    feet = positions(locked)[:, [7, 10, 8, 11], 1]
    contacts = cleanup.foot_contacts(motion, pace_m_s=0.45)
    rest = np.array([0.075, 0.02, 0.075, 0.02])
    assert (np.abs(feet - rest)[contacts] < 0.004).mean() > 0.97
    assert (feet - rest).min() > -0.011


def test_locking_adds_no_jerk_and_no_pop():
    motion = skating()
    locked = cleanup.lock_feet(motion)
    before, after = joint_jerk(motion), joint_jerk(locked)
    assert np.percentile(after, 99) < 1.6 * np.percentile(before, 99)
    root = np.linalg.norm(np.diff(locked.root - motion.root, axis=0), axis=1) * 30
    assert root.max() < 0.3


def test_a_clean_step_is_hardly_touched():
    motion = stepping()
    moved = np.linalg.norm(positions(cleanup.lock_feet(motion)) - positions(motion), axis=-1)
    assert moved.max() < 0.02 and moved.mean() < 0.004


def test_given_contacts_are_used_and_none_leaves_the_dance_alone():
    motion = skating(seconds=3)
    free = cleanup.lock_feet(motion, np.zeros((len(motion), 4), bool))
    above = positions(motion)[:, [7, 8, 10, 11], 1].min() > 0.02
    assert above or np.abs(free.root - motion.root).max() < 1e-9
    pinned = cleanup.lock_feet(motion, np.tile([True, True, False, False], (len(motion), 1)))
    left = positions(pinned)[:, motion.skeleton.index("left_foot")]
    assert np.median(np.linalg.norm(np.diff(left, axis=0), axis=1)) < 1e-4


def test_three_minutes_are_locked_fast():
    motion = skating(seconds=180.0)
    best = min(_lock_time(motion) for _ in range(2))
    assert best < 2.0, "0.3 s on a free core; the test leaves room for a busy one"


def _lock_time(motion):
    start = time.process_time()
    cleanup.lock_feet(motion)
    return time.process_time() - start


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_takes_of_a_few_frames_pass_through_everything_and_keep_their_types(n):
    motion = standing(n)
    short = Motion(motion.skeleton, motion.root.astype(np.float32), motion.rotations.astype(np.float32), 30.0)
    for clean in (cleanup.lock_feet, cleanup.stay_on_stage, cleanup.mirror, lambda take: cleanup.repair_spikes(take)[0]):
        result = clean(short)
        assert len(result) == n and np.isfinite(result.root).all() and np.isfinite(result.rotations).all()
        assert result.root.dtype == np.float32 and result.rotations.dtype == np.float32


def test_heads_turn_as_far_as_necks_allow_and_no_further():
    skeleton = choreia24()
    degrees = np.array([0.0, 30.0, 60.0, 72.5, 85.0, 172.0])
    rotations = np.zeros((6, 24, 4), np.float32)
    rotations[..., 0] = 1
    head = skeleton.index("head")
    rotations[:, head, 0], rotations[:, head, 1] = np.cos(np.radians(degrees / 2)), np.sin(np.radians(degrees / 2))
    motion = Motion(skeleton, np.zeros((6, 3), np.float32), rotations, 30.0)
    after = 2 * np.degrees(np.arccos(np.clip(cleanup.limit_head(motion).rotations[:, head, 0], -1, 1)))
    assert np.allclose(after[:3], degrees[:3], atol=0.01)
    assert np.allclose(after[3:], [36.25, 0, 0], atol=0.05)
    assert np.array_equal(cleanup.limit_head(motion.slice(0, 3)).rotations, rotations[:3])
