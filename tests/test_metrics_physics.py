"""Laws of the physical metrics: numbers worked by hand, invariances, and the traps that only the published versions fall into."""

from importlib import import_module

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics import body, dancer, feet, smoothness
from choreia.metrics.base import JOINTS, MotionMetric
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24, mirror_index

FORMS = [entry for name in ("feet", "body", "smoothness", "freezing") for entry in import_module(f"choreia.metrics.{name}").METRICS]
CORRECTED = [entry for entry in FORMS if isinstance(entry, MotionMetric) and entry.about.dialect == "corrected"]
names = pytest.mark.parametrize("entry", CORRECTED, ids=lambda entry: entry.about.name)


def rest() -> np.ndarray:
    """The T-pose standing on y = 0, (24, 3)."""
    skeleton = choreia24()
    places = skeleton.offsets.astype(float)
    places[0] = [0, STANDING_HEIGHT_M, 0]
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            places[joint] += places[parent]
    return places


def carried(path: np.ndarray) -> np.ndarray:
    """The rigid T-pose moved along (T, 3)."""
    return rest() + path[:, None]


def along(x: list[float] | np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(x, float), np.zeros(len(x)), np.zeros(len(x))], axis=1)


def dancing(fps: float, seconds: float = 6.0, amplitude: float = 1.0) -> np.ndarray:
    """Every joint sways about the T-pose on its own phase, the root sways along, analytically: any rate samples one motion."""
    times = np.arange(round(seconds * fps)) / fps
    phase = np.arange(24) * 0.7
    sway = np.stack([np.sin(2 * np.pi * (0.5 + 0.25 * k) * times[:, None] + phase * (k + 1)) for k in range(3)], axis=-1)
    return rest() + amplitude * sway * [0.08, 0.05, 0.08]


def bent(joint: str, degrees: float, axis: str = "x") -> np.ndarray:
    """The T-pose with all that hangs on a joint turned about it by the right-hand rule, (1, 24, 3)."""
    skeleton, pose = choreia24(), rest()
    centre = skeleton.index(joint)
    moved = [centre]
    for k, parent in enumerate(skeleton.parents):
        if parent in moved:
            moved.append(k)
    turn, (i, j) = np.eye(3), {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[i, i] = turn[j, j] = cos
    turn[i, j], turn[j, i] = -sin, sin
    pose[moved] = (pose[moved] - pose[centre]) @ turn.T + pose[centre]
    return pose[None]


def turned(joints: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return joints @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).T


# published foot scores


def test_edge_pfc_by_hand():
    # root accelerates by 1 cm a frame^2 twice: shares 1 and 1; the feet step 1 and 2 cm: (1e-4 + 4e-4) / 2 * 10000
    assert feet.edge_pfc(carried(along([0, 0, 0.01, 0.03])), 30) == pytest.approx(2.5)


def test_edge_pfc_forgives_falling_but_not_rising():
    x = 0.02 * np.array([0.0, 1, 3, 4])  # accelerates by 2 cm, then by -2 cm
    steps, down, up = along(x), along(x), along(x)
    down[:, 1], up[:, 1] = -0.5 * np.arange(4) ** 2, 0.5 * np.arange(4) ** 2
    assert feet.edge_pfc(carried(down), 30) == pytest.approx(feet.edge_pfc(carried(steps), 30))
    # rising by 1 m a frame^2 drowns the 2 cm: both shares stay 1
    assert feet.edge_pfc(carried(up), 30) == pytest.approx(10000 * (0.04**2 + 0.02**2) / 2)


def test_half_the_amplitude_quarters_edge_pfc_and_leaves_the_ratio():
    whole, half = dancing(30), dancing(30, amplitude=0.5)
    assert feet.edge_pfc(half, 30) == pytest.approx(feet.edge_pfc(whole, 30) / 4)
    assert feet.pfc_ratio(half, 30) == pytest.approx(feet.pfc_ratio(whole, 30))
    assert feet.pfc_si(half, 30) == pytest.approx(feet.pfc_si(whole, 30) / 8)


def test_twice_the_frame_rate_quarters_edge_pfc():
    assert feet.edge_pfc(dancing(60), 60) == pytest.approx(feet.edge_pfc(dancing(30), 30) / 4, rel=0.05)


def test_one_jolt_rescales_edge_pfc_and_hardly_moves_the_corrected():
    calm, jolted = dancing(30, 20), dancing(30, 20)
    jolted[300, 0, 1] += 0.1
    assert feet.edge_pfc(jolted, 30) < 0.3 * feet.edge_pfc(calm, 30)
    assert feet.pfc_ratio(jolted, 30) == pytest.approx(feet.pfc_ratio(calm, 30), rel=0.25)


def test_a_figure_that_glides_whole_has_a_ratio_of_one_and_a_planted_one_of_zero():
    times = np.arange(120) / 30
    path = along(0.3 * np.sin(2 * times))
    planted = carried(path)
    planted[:, feet._FEET] = rest()[feet._FEET]
    assert feet.pfc_ratio(carried(path), 30) == pytest.approx(1)
    assert feet.pfc_ratio(planted, 30) == 0
    assert feet.pfc_ratio(carried(along(0.02 * np.arange(60))), 30) == 0  # nothing pushes at a constant speed


def test_popdg_pbc_by_hand():
    pose = np.repeat(rest()[None], 3, axis=0)
    for joint, offset in (("pelvis", 0.01), ("left_collar", 0.01), ("left_wrist", 0.03), ("left_hand", 0.02)):
        pose[2, JOINTS.index(joint), 2] += offset
    # hand: the lesser of 3 and 2 cm, times 0.01, times a share of 1; the feet stand
    assert feet.popdg_pbc(pose, 30) == pytest.approx(10000 * 0.01 * 0.02)


def test_frozen_and_short_takes_are_undefined_as_published():
    frozen = np.repeat(rest()[None], 30, axis=0)
    for score in (feet.edge_pfc, feet.popdg_pbc):
        assert np.isnan(score(frozen, 30)) and np.isnan(score(dancing(30)[:2], 30))


@pytest.mark.parametrize(("degrees", "published"), [(0, 0), (45, 1), (90, 0), (135, 0)])
def test_skating_ratio_misses_slides_that_the_corrected_share_finds(degrees, published):
    step = 0.019 * np.array([np.cos(np.radians(degrees)), 0, np.sin(np.radians(degrees))])
    slide = carried(np.arange(60)[:, None] * step)
    assert feet.lodge_fsr(slide, 30) == pytest.approx(published * 59 / 60)
    assert feet.slide_share(slide, 30) == 1
    assert feet.slide_speed(slide, 30) == pytest.approx(0.57, rel=1e-6)


def test_skating_ratio_is_undefined_without_contact_and_danceba_floor_is_zero():
    lifted = carried(np.zeros((30, 3)))
    lifted[:, JOINTS.index("right_ankle"), 1] += 0.3
    assert np.isnan(feet.lodge_fsr(lifted, 30))
    high = carried(np.tile([0.0, 1.0, 0.0], (30, 1)))
    assert feet.lodge_fsr(high, 30) == 0 and np.isnan(feet.danceba_fsr(high, 30))


def test_turning_on_the_ball_is_no_slide_and_a_brushing_foot_does_not_carry():
    times = np.arange(90) / 30
    turn, brush = carried(np.zeros((90, 3))), carried(np.zeros((90, 3)))
    left, toe = JOINTS.index("left_ankle"), JOINTS.index("left_foot")
    reach = rest()[left] - rest()[toe]
    turn[:, left] = rest()[toe] + np.stack([turned(reach, 2 * t) for t in times])
    brush[:, [left, toe]] += along(0.3 * np.sin(6 * times))[:, None]
    assert feet.slide_speed(turn, 30) == pytest.approx(0, abs=1e-9)
    assert feet.slide_speed(brush, 30) > 0.2
    assert feet.support_slide(brush, 30) == pytest.approx(0, abs=1e-9)


def test_feet_in_the_air_are_not_in_contact():
    jump = np.zeros((120, 3))
    jump[60:, 1] = 0.4
    assert feet.contact_share(carried(jump), 30) == pytest.approx(0.5, abs=0.05)


# bodies


def test_the_rest_pose_breaks_nothing():
    pose = rest()[None]
    assert body.joint_limit_excess(pose, 30) == 0 and body.collision_share(pose, 30) == 0
    assert body.sunk_depth(pose, 30) == pytest.approx(0) and body.sunk_depth_at_zero(pose, 30) == pytest.approx(0, abs=1e-6)
    assert dancer.body_size(pose) == pytest.approx(1)


@pytest.mark.parametrize(
    ("joint", "degrees", "axis", "beyond"),
    [
        ("left_knee", -40, "x", 15),  # bends forward: 40 less 10 + 15
        ("right_knee", 175, "x", 15),  # more than 135 + 25
        ("left_elbow", 175, "y", 15),  # more than 150 + 10
        ("spine2", 120, "x", 20),  # folds forward: more than 80 + 20
        ("neck", -85, "x", 20),  # thrown back: more than 45 + 20
        ("spine1", 85, "y", 15),  # twisted: more than 45 + 25
    ],
)
def test_degrees_beyond_a_limit(joint, degrees, axis, beyond):
    assert body.joint_limit_excess(bent(joint, degrees, axis), 30) == pytest.approx(beyond, abs=2.5)
    assert body.joint_limit_share(bent(joint, degrees, axis), 30) == 1


@pytest.mark.parametrize(
    ("joint", "degrees", "axis", "possible"),
    [
        ("left_hip", -110, "x", True),  # a high kick
        ("left_hip", 100, "x", False),  # the same kick backwards, from a straight back
        ("left_hip", 90, "z", True),  # a side split
        ("left_hip", -75, "z", False),  # through the other leg
        ("right_knee", 130, "x", True),
        ("left_shoulder", 80, "z", True),  # straight up
        ("left_shoulder", -75, "z", True),  # hanging
        ("left_shoulder", -100, "y", True),  # forward
        ("left_shoulder", 80, "y", False),  # straight back at shoulder height
    ],
)
def test_what_a_dancer_can_and_cannot_do(joint, degrees, axis, possible):
    assert (body.joint_limit_excess(bent(joint, degrees, axis), 30) == 0) == possible


@pytest.mark.parametrize("pose", [bent("left_knee", -60), bent("left_hip", 110), bent("left_shoulder", 85, "y"), bent("spine2", -85)])
def test_limits_and_collisions_ignore_side_place_heading_and_size(pose):
    mirrored = pose[:, list(mirror_index(choreia24()))] * [-1, 1, 1]
    for same in (mirrored, turned(pose, 2.0), pose + np.array([3, 0, -2]), 0.7 * pose):
        assert body.joint_limit_excess(same, 30) == pytest.approx(body.joint_limit_excess(pose, 30), abs=1e-6)
    assert body.joint_limit_excess(pose, 30) > 1
    assert body.collision_depth(mirrored, 30) == pytest.approx(body.collision_depth(pose, 30))
    assert body.collision_depth(0.7 * pose, 30) == pytest.approx(0.7 * body.collision_depth(pose, 30))


def test_a_forearm_through_the_trunk_is_as_deep_as_both_radii():
    pose = rest()
    middle = (rest()[JOINTS.index("pelvis")] + rest()[JOINTS.index("spine3")]) / 2
    for joint, z in (("left_elbow", 0.15), ("left_wrist", -0.15), ("left_hand", -0.22)):
        pose[JOINTS.index(joint)] = middle + np.array([0, 0, z])
    size = dancer.body_size(pose[None])
    assert body.mean_collision(pose[None], 30) == pytest.approx((0.09 + 0.032) * size, rel=0.01)
    assert body.collision_share(np.stack([pose, rest()]), 30) == 0.5


def test_distance_of_segments_agrees_with_a_search():
    rng = np.random.default_rng(0)
    ends = rng.normal(size=(4, 100, 3))
    ends[3, :40] = ends[2, :40] + 1.7 * (ends[1, :40] - ends[0, :40])  # parallel
    share = np.linspace(0, 1, 101)[:, None, None]
    first, second = (a + share * (b - a) for a, b in ((ends[0], ends[1]), (ends[2], ends[3])))
    searched = np.linalg.norm(first[:, None] - second[None], axis=-1).min(axis=(0, 1))
    assert np.allclose(body._segment_distance(*ends), searched, atol=0.04)


def test_the_floor_is_the_takes_own_or_zero():
    path = np.zeros((100, 3))
    path[:20, 1] = -0.05
    assert body.sunk_depth(carried(path), 30) == pytest.approx(0.01)
    assert body.sunk_share(carried(path), 30) == pytest.approx(0.2)
    assert body.sunk_depth(carried(path - [0, 0.04, 0]), 30) == pytest.approx(0.01)
    assert body.sunk_depth_at_zero(carried(path - [0, 0.04, 0]), 30) == pytest.approx(0.05)


@pytest.mark.parametrize("fps", [30, 60])
def test_nobody_jumps_for_longer_than_a_second(fps):
    times = np.arange(6 * fps) / fps
    jump, hover = np.zeros((2, len(times), 3))
    jump[:, 1] = 0.3 * ((times > 2) & (times < 2.5))
    hover[:, 1] = 0.3 * ((times >= 2) & (times < 3.5))
    assert body.floating_share(carried(jump), fps) == 0
    assert body.floating_share(carried(hover), fps) == pytest.approx(0.25, abs=0.02)
    assert body.floating_share(carried(np.full((len(times), 3), 0.2)), fps) == 0
    assert body.floating_share_at_zero(carried(np.full((len(times), 3), 0.2)), fps) == 1


# smoothness


@pytest.mark.parametrize("fps", [25, 30, 60, 120])
def test_polynomials_have_their_derivatives_at_any_rate(fps):
    times = np.arange(2 * fps + 1) / fps
    square, cube = carried(along(1.5 * times**2)), carried(along(2 * times**3))
    assert smoothness.mean_acceleration(square, fps) == pytest.approx(3, rel=1e-6)
    assert smoothness.acceleration_variance(square, fps) == pytest.approx(0, abs=1e-6)
    assert smoothness.theatre_smoothness(square, fps) == pytest.approx(3 / fps**2, rel=1e-6)
    for score in (smoothness.mean_jerk, smoothness.top_jerk, smoothness.danceba_jitter):
        assert score(cube, fps) == pytest.approx(12, rel=1e-4)


def test_variance_of_a_sway_is_half_its_squared_peak():
    times = np.arange(600) / 60
    sway = carried(along(0.1 * np.sin(2 * np.pi * times)))
    assert smoothness.acceleration_variance(sway, 60) == pytest.approx((0.1 * (2 * np.pi) ** 2) ** 2 / 2, rel=0.02)


def test_a_circle_accelerates_evenly_in_size_but_not_in_direction():
    times = np.arange(300) / 30
    circle = carried(0.2 * np.stack([np.cos(4 * times), 0 * times, np.sin(4 * times)], axis=1))
    assert smoothness.theatre_variance(circle, 30) == pytest.approx(0, abs=1e-9)
    assert smoothness.acceleration_variance(circle, 30) == pytest.approx((0.2 * 16) ** 2, rel=0.05)


def test_published_smoothness_depends_on_the_frame_rate():
    assert smoothness.theatre_smoothness(dancing(120), 120) == pytest.approx(smoothness.theatre_smoothness(dancing(60), 60) / 4, rel=0.02)


def test_bounded_smoothness_by_hand():
    assert smoothness.bounded_smoothness(np.array([[4.0], [8.0]]), np.array([[3.0]])) == pytest.approx(1 / 3)
    assert smoothness.bounded_smoothness(np.array([[3.0]]), np.array([[3.0]])) == 0.5
    assert smoothness.bounded_smoothness(np.zeros((1, 1)), np.array([[3.0]])) == 1
    assert smoothness.bounded_smoothness(np.ones((1, 1)), np.zeros((1, 1))) == 0
    assert smoothness.smoothness_row(dancing(30), 30).shape == (1,)


def test_a_leap_of_one_joint_in_one_frame_is_a_spike_and_fast_dancing_is_not():
    fast = carried(np.zeros((150, 3)))
    times = np.arange(150) / 30
    fast[:, JOINTS.index("left_hand"), 1] += 0.3 * np.sin(2 * np.pi * 2.5 * times)
    assert smoothness.spikes_per_minute(fast, 30) == 0
    fast[70, JOINTS.index("right_hand"), 1] += 0.3
    assert smoothness.spikes_per_minute(fast, 30) == pytest.approx(3 * 1800 / 148)  # the frame and its neighbours


# all corrected measures


@names
@pytest.mark.parametrize("fps", [25, 60, 120])
def test_corrected_measures_do_not_depend_on_the_frame_rate(entry, fps):
    slow = entry.score(dancing(30), 30)
    assert entry.score(dancing(fps), fps) == pytest.approx(slow, rel=0.05, abs=0.01)


@names
def test_corrected_measures_do_not_depend_on_place_and_heading(entry):
    assert entry.score(turned(dancing(30), 1.0) + np.array([2, 0, -3]), 30) == pytest.approx(
        entry.score(dancing(30), 30), rel=1e-6, abs=1e-6
    )


@names
def test_corrected_measures_are_finite_on_still_and_short_takes(entry):
    for frames in (1, 2, 3, 4, 40):
        assert np.isfinite(entry.score(np.repeat(rest()[None], frames, axis=0), 24))


@names
def test_corrected_measures_refuse_what_is_no_take(entry):
    with pytest.raises(ChoreiaError, match="joints must be"):
        entry.score(np.zeros((10, 22, 3)), 30)
    with pytest.raises(ChoreiaError, match="frame rate"):
        entry.score(dancing(30), 0)


@names
def test_entries_say_how_to_read_them(entry):
    assert all((entry.about.unit, entry.about.range, entry.about.source, entry.about.fooled_by)) and entry.about.fps is None


def test_names_are_unique_in_a_dialect():
    keys = [(entry.about.dialect, entry.about.name) for entry in FORMS]
    assert len(keys) == len(set(keys))
