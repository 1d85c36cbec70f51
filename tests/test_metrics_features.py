"""Motion features: published ones agree with slow loops and fall into their traps; ours do not depend on rate, place, heading or size."""

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics import fairmotion, features, sets
from choreia.metrics.base import JOINTS
from choreia.metrics.dancer import body_height_m
from choreia.motion.skeleton import choreia24


def dancer(seed: int, fps: float = 60, seconds: float = 5, loud: float = 1.0, size: float = 1.0) -> np.ndarray:
    """Joints that swing about the rest pose, each take with its own tempo and vigour; analytic, so that any rate samples one dance."""
    rng, times = np.random.default_rng(seed), np.arange(round(seconds * fps)) / fps
    hz, vigour = rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5)
    reach = 0.12 * vigour * rng.uniform(0.3, 1, (24, 3)) * np.linspace(0.2, 1, 24)[:, None]
    phase = rng.uniform(0, 2 * np.pi, (24, 3))
    travel = 0.6 * vigour * np.stack([np.sin(0.7 * times), np.zeros_like(times), np.cos(0.7 * times)], axis=1)
    swing = reach * np.sin(2 * np.pi * hz * times[:, None, None] + phase)
    return size * (rest() + loud * (swing + travel[:, None]))


def rest() -> np.ndarray:
    skeleton = choreia24()
    places = np.zeros((24, 3))
    for joint, parent in enumerate(skeleton.parents):
        places[joint] = skeleton.offsets[joint] + (places[parent] if parent >= 0 else [0, 0.95, 0])
    return places


def turned(joints: np.ndarray, radians: float) -> np.ndarray:
    c, s = np.cos(radians), np.sin(radians)
    return joints @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


# ------------------------------------------------------------------------------------------------------ as published


def slow_kinetic(p: np.ndarray, bug: bool, dt: float = 1 / 60) -> list[float]:
    """The formulas, one frame and one neighbour at a time."""
    last, out = len(p) - 1, []
    for j in range(p.shape[1]):
        horizontal = vertical = effort = 0.0
        for i in range(1, last + 1):
            steps = [p[k, j] - p[k - 1, j] for k in range(i - 2, i + 3) if 1 <= k <= last]
            v = sum(steps) / (len(steps) * dt)
            horizontal, vertical = horizontal + v[0] ** 2 + v[2] ** 2, vertical + v[1] ** 2
            inner = [k for k in range(i - 2, i + 3) if 1 <= k <= last - 1]
            old = [p[k, j] - p[k - 1, j] / dt if bug else (p[k, j] - p[k - 1, j]) / dt for k in inner]
            bent = sum(((p[k + 1, j] - p[k, j]) / dt - o) / dt for k, o in zip(inner, old, strict=True))
            effort += np.linalg.norm(bent / len(inner))
        out += [horizontal / last, vertical / last, effort / last]
    return out


@pytest.mark.parametrize("bug", [True, False])
@pytest.mark.parametrize("frames", [3, 4, 40])
def test_published_kinetic_features_are_the_formula(bug, frames):
    joints = np.random.default_rng(frames).normal(size=(frames, 24, 3))
    assert fairmotion.Kinetic(parenthesis_bug=bug)(joints) == pytest.approx(slow_kinetic(joints, bug), rel=1e-5)


def slow_geometric(p: np.ndarray) -> np.ndarray:
    """The 32 relations of each frame by hand; hl, sw, hw from the SMPL joints that the source writes down."""
    lsho, lelb, rsho = (
        [0.199113488, 0.236807942, -0.0180702247],
        [0.454445392, 0.221158922, -0.0410167128],
        [-0.191692337, 0.236928746, -0.0123055102],
    )
    hl, sw = np.linalg.norm(np.subtract(lsho, lelb)), np.linalg.norm(np.subtract(lsho, rsho))
    hw = np.linalg.norm(np.subtract([0.0564076714, -0.323069185, 0.0109197125], [-0.0624834076, -0.331302464, 0.0150412619]))
    order = "root lhip rhip belly lknee rknee spine lankle rankle chest ltoes rtoes neck lin rin head lshoulder rshoulder"
    index = {name: k for k, name in enumerate(f"{order} lelbow relbow lwrist rwrist".split())}
    rows = []
    for now, old in zip(p[1:], p[:-1], strict=True):
        at = {name: now[k] for name, k in index.items()}
        by = {name: (now[k] - old[k]) * 120 for name, k in index.items()}
        low = now[:, 1].min()

        def along(v, d):
            return np.dot(v, d) / np.linalg.norm(d)

        def move(a, b, c, limit, at=at, by=by):
            return along(by[c] - by[a], at[b] - at[a]) > limit

        def nmove(a, b, c, d, limit, at=at, by=by):
            return along(by[d] - by[a], np.cross(at[c] - at[a], at[b] - at[a])) > limit

        def plane(a, b, c, d, limit, at=at):
            return along(at[d] - at[a], np.cross(at[c] - at[a], at[b] - at[a])) > limit

        def nplane(a, b, c, d, limit, at=at):
            return along(at[d] - at[c], at[b] - at[a]) > limit

        def angle(u, v, low_deg, high_deg):
            return low_deg < np.degrees(np.arccos(np.dot(u, v) / np.linalg.norm(u) / np.linalg.norm(v))) < high_deg

        def bone(a, b, at=at):
            return at[b] - at[a]

        def speed(name, by=by):
            return np.linalg.norm(by[name])

        rows.append([
            nmove("neck", "rhip", "lhip", "rwrist", 1.8 * hl), nmove("neck", "lhip", "rhip", "lwrist", 1.8 * hl),
            nplane("chest", "neck", "neck", "rwrist", 0.2 * hl), nplane("chest", "neck", "neck", "lwrist", 0.2 * hl),
            move("belly", "chest", "chest", 1.8 * hl), move("belly", "chest", "chest", 1.8 * hl),
            angle(bone("relbow", "rshoulder"), bone("relbow", "rwrist"), 0, 110),
            angle(bone("lelbow", "lshoulder"), bone("lelbow", "lwrist"), 0, 110),
            nplane("lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * sw), move("lwrist", "rwrist", "rwrist", 1.4 * hl),
            move("rwrist", "root", "lwrist", 1.4 * hl), move("lwrist", "root", "rwrist", 1.4 * hl),
            speed("rwrist") > 2.5 * hl, speed("lwrist") > 2.5 * hl,
            plane("root", "lhip", "ltoes", "rankle", 0.38 * hl), plane("root", "rhip", "rtoes", "lankle", 0.38 * hl),
            at["rankle"][1] - low > 1.2 * hl, at["lankle"][1] - low > 1.2 * hl, nplane("lhip", "rhip", "lankle", "rankle", 2.1 * hw),
            angle(bone("rknee", "rhip"), bone("rknee", "rankle"), 0, 110), angle(bone("lknee", "lhip"), bone("lknee", "lankle"), 0, 110),
            speed("rankle") > 2.5 * hl, speed("lankle") > 2.5 * hl,
            angle(bone("neck", "root"), bone("rshoulder", "relbow"), 25, 180),
            angle(bone("neck", "root"), bone("lshoulder", "lelbow"), 25, 180),
            angle(bone("neck", "root"), bone("rhip", "rknee"), 50, 180), angle(bone("neck", "root"), bone("lhip", "lknee"), 50, 180),
            plane("rankle", "neck", "lankle", "root", 0.5 * hl), angle(bone("neck", "root"), np.array([0, 1, 0]), 70, 110),
            at["rwrist"][1] - low < 1.2 * hl, at["lwrist"][1] - low < 1.2 * hl, speed("root") > 2.3 * hl,
        ])  # fmt: skip
    return np.mean(rows, axis=0)


def test_published_geometric_features_are_the_relations():
    rng = np.random.default_rng(0)
    tangled = rest() + np.cumsum(rng.normal(0, 0.01, (80, 24, 3)), axis=0) + rng.normal(0, 0.4, (8, 24, 3)).repeat(10, axis=0)
    found = fairmotion.geometric(tangled)
    assert found == pytest.approx(slow_geometric(tangled), abs=1e-6)
    assert np.sum((found > 0) & (found < 1)) > 25


def test_the_parenthesis_bug_measures_where_the_dancer_is_not_how_they_move():
    takes = [dancer(seed) for seed in range(10)]
    effort = np.concatenate([fairmotion.Kinetic()(take)[2::3] for take in takes])
    repaired = np.concatenate([fairmotion.Kinetic(parenthesis_bug=False)(take)[2::3] for take in takes])
    distance = np.concatenate([np.linalg.norm(take, axis=-1).mean(axis=0) for take in takes])
    assert np.corrcoef(effort, distance)[0, 1] > 0.999 and effort / distance == pytest.approx(3600, rel=0.05)
    assert np.corrcoef(repaired, distance)[0, 1] < 0.9


def test_lodge_scores_travel_in_the_root_alone_but_lets_it_disturb_every_relation_with_the_root():
    still = dancer(0)
    walk = still + np.linspace(0, 1, len(still))[:, None, None] * [3.0, 0, 0]
    first, second = (fairmotion.Kinetic()(fairmotion.from_every_root(take)) for take in (still, walk))
    assert first.shape == (66,) and second[3:] == pytest.approx(first[3:]) and second[0] > 1.2 * first[0]
    first, second = (fairmotion.geometric(fairmotion.from_every_root(take)) for take in (still, walk))
    assert np.abs(first - second).max() > 0.1


def test_popdg_takes_a_jump_for_travel_and_travel_for_a_jump():
    prepare, measure = fairmotion.standing_along_z, fairmotion.Kinetic(parenthesis_bug=False)
    leap, back = (rest() + np.linspace(0, 1, 61)[:, None, None] * way for way in ([0.0, 1, 0], [0.0, 0, 1]))
    assert measure(prepare(leap))[:2] == pytest.approx([1, 0], abs=1e-6)
    assert measure(prepare(back))[:2] == pytest.approx([0, 1], abs=1e-6)


def test_danceba_is_bailando_without_hands():
    take = dancer(0)
    assert fairmotion.Kinetic()(fairmotion.from_first_root_of_22(take)) == pytest.approx(
        fairmotion.Kinetic()(fairmotion.from_first_root(take))[:66]
    )


def test_published_features_of_too_few_frames_are_undefined_as_in_the_source():
    assert np.isnan(fairmotion.Kinetic()(rest()[None].repeat(2, axis=0))).all() and np.isnan(fairmotion.geometric(rest()[None])).all()
    assert np.isnan(sets.lrcm_kinematic(rest()[None].repeat(2, axis=0), 30)).all()


def test_lrcm_features_by_hand():
    glide = rest() + np.arange(30)[:, None, None] / 30 * [2.0, 0, 0]
    assert sets.lrcm_kinematic(glide, 30) == pytest.approx([2.0] * 24 + [0.0] * 24, abs=1e-9)
    bent = rest()[None].repeat(4, axis=0)
    knee, ankle = JOINTS.index("left_knee"), JOINTS.index("left_ankle")
    bent[:, ankle] = bent[:, knee] + [[0, -0.4, 0], [0.4, 0, 0], [0, -0.4, 0], [0.4, 0, 0]]
    at = [j for j, parent in enumerate(choreia24().parents) if parent > 0].index(ankle)
    found = sets.lrcm_geometric(bent, 30)
    assert found.shape == (40,) and found[at] == pytest.approx(45) and found[20 + at] == pytest.approx(45)


# ------------------------------------------------------------------------------------------------------ corrected


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 120])
def test_features_do_not_depend_on_the_frame_rate(fps):
    reference, other = dancer(1), dancer(1, fps)
    assert features.kinetic(other, fps) == pytest.approx(features.kinetic(reference, 60), rel=0.02, abs=0.01)
    assert np.abs(features.geometric(other, fps) - features.geometric(reference, 60)).max() < 0.04


@pytest.mark.parametrize("change", [lambda j: j + np.array([3.0, 0.5, -2.0]), lambda j: turned(j, 1.0), lambda j: 0.7 * j])
def test_features_do_not_depend_on_place_heading_or_size(change):
    joints = dancer(2)
    assert features.kinetic(change(joints), 60) == pytest.approx(features.kinetic(joints, 60), rel=1e-9)
    assert features.geometric(change(joints), 60) == pytest.approx(features.geometric(joints, 60))


def test_kinetic_features_by_hand():
    glide = rest() + np.arange(90)[:, None, None] / 30 * [0.6, 0.2, 0.8]
    height = body_height_m(glide)
    assert height == pytest.approx(1.72, abs=1e-3)
    assert features.kinetic(glide, 30) == pytest.approx([1 / height] * 24 + [0.2 / height] * 24 + [0.0] * 24, abs=1e-9)


def test_geometric_features_name_what_the_dancer_does():
    pose = rest()[None].repeat(30, axis=0)
    arms_up = pose.copy()
    for name in ("left_wrist", "right_wrist", "left_hand", "right_hand"):
        arms_up[:, JOINTS.index(name), 1] = 2.0
    plain, raised = features.geometric(pose, 30), features.geometric(arms_up, 30)
    assert list(raised[2:4] - plain[2:4]) == [1, 1] and plain[[12, 13, 31]].sum() == 0
    reach = pose.copy()
    reach[:, JOINTS.index("left_wrist"), 2] += np.arange(30) / 30 * 2
    found = features.geometric(reach, 30)
    assert list(found[:2]) == [0, 1] and list(found[12:14]) == [0, 1]


def test_mirrored_dances_have_mirrored_features():
    joints = dancer(3)
    index = [JOINTS.index(n.replace("left", "~").replace("right", "left").replace("~", "right")) for n in JOINTS]
    mirrored = joints[:, index] * [-1, 1, 1]
    assert np.sort(features.geometric(mirrored, 60)) == pytest.approx(np.sort(features.geometric(joints, 60)))
    assert features.geometric(mirrored, 60)[[0, 14, 16]] == pytest.approx(features.geometric(joints, 60)[[1, 15, 17]])


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 300])
@pytest.mark.parametrize("fps", [25, 30, 60])
def test_features_of_still_and_of_short_takes_are_finite(frames, fps):
    for joints in (rest()[None].repeat(frames, axis=0), np.zeros((frames, 24, 3))):
        kinetic, geometric = features.kinetic(joints, fps), features.geometric(joints, fps)
        assert kinetic.shape == (72,) and np.abs(kinetic).max() < 1e-9
        assert geometric.shape == (32,) and np.isfinite(geometric).all()


def test_bad_joints_are_refused_in_words():
    with pytest.raises(ChoreiaError, match="24, 3"):
        features.kinetic(np.zeros((5, 22, 3)), 30)
    with pytest.raises(ChoreiaError, match="frame rate"):
        features.geometric(np.zeros((5, 24, 3)), 0)
    with pytest.raises(ChoreiaError, match="too few"):
        features.kinetic(np.zeros((0, 24, 3)), 30)
