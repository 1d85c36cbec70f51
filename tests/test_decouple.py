"""Laws of the words for takes: hand-made movement is named for what it is, the same at any frame rate, heading and in the mirror."""

import json
import tarfile
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from choreia import clock
from choreia.data import decouple
from choreia.data.decouple import describe, relabelled, windows
from choreia.data.detectors import Sighting, arms_up, balances, crouches, freezes, jumps, kicks, lunges, runs_along, turns, walks
from choreia.data.manner import RANGE_M, Measures, manners, measure
from choreia.data.observe import Body, observe, runs
from choreia.data.rhythms import Window, rhythm, swings
from choreia.data.shards import Labels, MusicTrack, Sample, mirrored, read_shard, write_shard
from choreia.errors import ChoreiaError
from choreia.motion.cleanup import mirror, resample
from choreia.motion.kinematics import positions
from choreia.motion.rotations import expmap_to_quaternion, multiply
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.synth.choreographer import choreograph
from choreia.synth.moves import STYLES
from choreia.synth.repertoire import name_in
from choreia.text.lexicon import Manner, lexicon, style_named
from choreia.types import Motion

NAMES = choreia24().names
NONE = np.zeros(0)


def standing(seconds: float, fps: float = 30.0) -> Motion:
    """Upright on flat feet with the arms hanging."""
    frames = round(seconds * fps)
    rotations = np.tile(np.float32([1, 0, 0, 0]), (frames, 24, 1))
    for side, angle in (("left", -1.4), ("right", 1.4)):
        rotations[:, NAMES.index(f"{side}_shoulder")] = [np.cos(angle / 2), 0, 0, np.sin(angle / 2)]
    return Motion(choreia24(), np.tile(np.float32([0, STANDING_HEIGHT_M, 0]), (frames, 1)), rotations, fps)


def turned(motion: Motion, angle: np.ndarray | float) -> Motion:
    """The whole body turned about the vertical through the origin, at every frame by its angle to the left."""
    angles = np.broadcast_to(angle, len(motion))
    yaw = np.stack([np.cos(angles / 2), 0 * angles, np.sin(angles / 2), 0 * angles], axis=1)
    rotations = motion.rotations.copy()
    rotations[:, 0] = multiply(torch.from_numpy(yaw), torch.from_numpy(rotations[:, 0].astype(np.float64))).numpy()
    x, y, z = motion.root.T
    root = np.stack([np.cos(angles) * x + np.sin(angles) * z, y, np.cos(angles) * z - np.sin(angles) * x], axis=1)
    return Motion(motion.skeleton, root.astype(np.float32), rotations, motion.fps)


def moved(motion: Motion, way: np.ndarray) -> Motion:
    return replace(motion, root=(motion.root + way).astype(np.float32))


def posed(motion: Motion, **angles: tuple[float, float, float]) -> Motion:
    """Joints turned by rotation vectors, in all frames."""
    rotations = motion.rotations.copy()
    for joint, vector in angles.items():
        rotations[:, NAMES.index(joint)] = expmap_to_quaternion(torch.tensor(vector)).numpy()
    return replace(motion, rotations=rotations)


def ramp(motion: Motion, from_s: float, to_s: float) -> np.ndarray:
    """0 until `from_s`, 1 from `to_s`, straight between."""
    return np.clip((motion.times() - from_s) / (to_s - from_s), 0, 1)


def names(sightings) -> list[str]:
    return [f"{seen.name} {seen.way}".strip() for seen in sightings]


# ------------------------------------------------------------------------------------------------------------ detectors


@pytest.mark.parametrize(
    ("degrees", "seconds", "expected"),
    [
        (360, 1.5, ["spin to the left"]),
        (-360, 1.5, ["spin to the right"]),
        (180, 0.8, ["half turn to the left"]),
        (-90, 0.5, []),
        (360, 8.0, []),
    ],
)
def test_a_rigid_turn_is_named_by_its_angle_and_side(degrees, seconds, expected):
    still = standing(10)
    assert names(turns(observe(turned(still, np.radians(degrees) * ramp(still, 1, 1 + seconds))))) == expected


def test_a_turn_about_a_far_point_is_a_walk_round():
    still = moved(standing(5), np.array([1.0, 0, 0]))
    assert names(turns(observe(turned(still, 2 * np.pi * ramp(still, 1, 3))))) == []


def test_who_falls_freely_jumps_and_who_is_lifted_does_not():
    still, flight_s = standing(3), 0.45
    t = np.clip(still.times() - 1, 0, flight_s)
    flown = moved(still, np.stack([0 * t, 9.81 / 2 * t * (flight_s - t), 0 * t], axis=1))
    (seen,) = jumps(observe(flown))
    assert seen.name == "jump" and seen.start_s == pytest.approx(0.9, abs=0.1) and seen.end_s == pytest.approx(1.55, abs=0.1)
    lifted = moved(still, 0.3 * np.array([0, 1, 0]) * (ramp(still, 1, 1.3) - ramp(still, 2, 2.3))[:, None])
    assert names(jumps(observe(lifted))) == []


def test_a_stop_between_movements_is_a_freeze_and_standing_about_is_not():
    swing = standing(4)
    angle = np.sin(2 * np.pi * 2 * swing.times()) * (np.abs(swing.times() - 2) > 0.5)
    assert names(freezes(observe(moved(swing, 0.3 * angle[:, None] * np.array([1.0, 0, 0]))))) == ["freeze"]
    assert names(freezes(observe(standing(4)))) == []


def walker(pace_m_s: float, way: tuple[float, float], seconds: float = 4.0) -> Body:
    """A stiff body borne along `way` (left, ahead) over feet that take turns to stand for half a second."""
    still = standing(seconds)
    places = positions(still).astype(np.float64)
    times, direction = still.times(), np.array([way[0], 0, way[1]])
    places += (pace_m_s * times)[:, None, None] * direction
    for side, phase in (("left", 0.0), ("right", 0.5)):
        cycle = times + phase
        stepped = np.floor(cycle) + np.clip(2 * (cycle % 1) - 1, 0, 1) - phase
        lift = 0.1 * np.sin(np.pi * np.clip(2 * (cycle % 1) - 1, 0, 1))
        for joint in (f"{side}_ankle", f"{side}_foot"):
            places[:, NAMES.index(joint)] += (pace_m_s * (stepped - times))[:, None] * direction + lift[:, None] * [0, 1, 0]
    return Body(places)


@pytest.mark.parametrize(("way", "words"), [((0, 1), "forward"), ((0, -1), "backward"), ((1, 0), "to the left"), ((-1, 0), "to the right")])
def test_a_walk_is_named_by_the_dancers_own_directions(way, words):
    assert names(walks(walker(0.9, way))) == [f"walk {words}"]


def test_steps_on_the_spot_and_gliding_without_steps_are_no_walks():
    assert names(walks(walker(0.05, (0, 1)))) == []
    still = standing(4)
    assert names(walks(observe(moved(still, still.times()[:, None] * np.array([0, 0, 1.0]))))) == []


def test_running_is_told_from_walking_by_its_pace():
    assert names(runs_along(walker(2.6, (0, 1)))) == ["run"] and names(walks(walker(2.6, (0, 1)))) == []
    assert names(runs_along(walker(1.2, (0, 1)))) == []


def leg_raised(angle: float, up_s: float, seconds: float = 4.0) -> Motion:
    """The straight left leg goes ahead by `angle` rad from 1 s on, within 0.3 s, and back `up_s` later."""
    still = standing(seconds)
    rise = ramp(still, 1, 1.3) - ramp(still, 1.3 + up_s, 1.6 + up_s)
    rotations = still.rotations.copy()
    half = -angle * rise / 2
    rotations[:, NAMES.index("left_hip")] = np.stack([np.cos(half), np.sin(half), 0 * half, 0 * half], axis=1)
    return replace(still, rotations=rotations)


@pytest.mark.parametrize(("degrees", "expected"), [(20, []), (50, ["kick"]), (85, ["high kick"])])
def test_a_leg_thrown_ahead_is_a_kick_by_its_height(degrees, expected):
    assert names(kicks(observe(leg_raised(np.radians(degrees), 0.05)))) == expected


def test_a_leg_that_stays_up_is_no_kick():
    assert names(kicks(observe(leg_raised(np.radians(60), 2.0)))) == []


def test_a_long_leg_behind_is_an_arabesque_and_a_foot_at_the_knee_a_passe():
    assert names(balances(observe(posed(standing(2), left_hip=(1.2, 0, 0))))) == ["arabesque"]
    assert names(balances(observe(posed(standing(2), left_hip=(-1.2, 0, 0), left_knee=(2.0, 0, 0))))) == ["passé"]
    assert names(balances(observe(standing(2)))) == []


def on_the_floor(motion: Motion) -> Motion:
    """Lowered until the lower foot stands."""
    return moved(motion, np.array([0, -observe_floor(motion), 0]))


def observe_floor(motion: Motion) -> float:
    places = positions(motion)
    return float(min(places[:, NAMES.index(f"{side}_ankle"), 1].min() for side in ("left", "right"))) - 0.075


def test_bent_knees_are_a_crouch_over_the_feet_and_a_seat_behind_them():
    bent = {
        f"{side}_{joint}": (angle, 0, 0) for side in ("left", "right") for joint, angle in (("hip", -1.9), ("knee", 2.4), ("ankle", -0.5))
    }
    squat = on_the_floor(posed(standing(2), spine1=(0.9, 0, 0), **bent))
    assert names(crouches(observe(squat))) == ["crouch"]
    seat = {f"{side}_{joint}": (angle, 0, 0) for side in ("left", "right") for joint, angle in (("hip", -1.6), ("knee", 1.6))}
    assert names(crouches(observe(on_the_floor(posed(standing(2), **seat))))) == []
    assert names(crouches(observe(standing(2)))) == []


def test_feet_apart_over_one_bent_knee_are_a_lunge():
    deep = posed(standing(2), left_hip=(-1.2, 0, 0), left_knee=(1.2, 0, 0), right_hip=(0.95, 0, 0), right_knee=(0.1, 0, 0))
    assert names(lunges(observe(on_the_floor(deep)))) == ["lunge"]
    assert names(lunges(observe(standing(2)))) == []


def test_both_arms_overhead_not_one():
    assert names(arms_up(observe(posed(standing(2), left_shoulder=(0, 0, 1.4), right_shoulder=(0, 0, -1.4))))) == ["arms up"]
    assert names(arms_up(observe(posed(standing(2), left_shoulder=(0, 0, 1.4))))) == []


def test_detectors_stand_takes_of_a_frame_or_two():
    for frames in (1, 2, 5):
        assert describe(standing(frames / 30), "salsa", "salsa dance", NONE).moves == ()


def test_runs_bridge_gaps_and_drop_what_is_short():
    mask = np.array([0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0], bool)
    assert list(runs(mask)) == [(1, 3), (4, 6), (10, 11)]
    assert list(runs(mask, shortest_s=0.1, gap_s=0.05)) == [(1, 6)]


# -------------------------------------------------------------------------------------------------------------- rhythms


def test_swings_count_turning_points_that_are_far_enough():
    assert swings(np.array([0, 1, 0, 1.0]), 0.5) == 3
    assert swings(np.linspace(0, 5, 50), 0.5) == 1
    assert swings(np.array([0, 0.4, 0, 0.4]), 0.5) == 0
    assert swings(np.array([0, 0.4, 0.1, 0.9, 0.7, 0.2]), 0.6) == 2


def rhythm_of(motion: Motion, style: str | None = None) -> str:
    body = observe(motion)
    return rhythm(Window(body, 0, len(body)), style)


def test_feet_that_stay_under_a_turning_pelvis_twist():
    still = standing(2)
    assert rhythm_of(turned(still, 0.4 * np.sin(2 * np.pi * 1.5 * still.times()))) == "twist"
    assert rhythm_of(turned(still, 0.1 * np.sin(2 * np.pi * 1.5 * still.times()))) == ""


def test_a_pelvis_that_goes_down_and_up_over_standing_feet_bounces():
    still = standing(2)
    places = positions(still).astype(np.float64)
    feet = [NAMES.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("ankle", "foot")]
    upper = [k for k in range(24) if k not in feet]
    places[:, upper, 1] += 0.025 * np.cos(2 * np.pi * 2 * still.times())[:, None]
    body = Body(places)
    assert rhythm(Window(body, 0, len(body)), None) == "body bounce"
    assert rhythm(Window(body, 0, 30), None) == ""


# --------------------------------------------------------------------------------------------------------------- global


def test_measures_of_hand_made_movement():
    still = standing(8)
    t = still.times()
    sway = moved(still, 0.3 * np.sin(2 * np.pi * t)[:, None] * np.array([1.0, 0, 0]))
    found = measure(observe(sway))
    assert found.sharpness_per_s == pytest.approx(2 * np.pi, rel=0.05)
    assert found.range_m == pytest.approx(0.6, rel=0.03)
    assert found.energy_heights_s == pytest.approx(0.3 * 2 * np.pi * 2 / np.pi / 1.72, rel=0.05)
    assert found.level == pytest.approx(1, abs=0.01) and found.bounce_m < 0.001
    assert measure(observe(moved(still, np.array([3.0, 0, -2])))).range_m < 0.01


def test_words_of_measures():
    middle = Measures(0.8, 0.3, 8.0, 0.93, 0.01, 0.27)
    assert manners(middle) == ("medium range",)
    wild = Measures(2.0, 0.5, 12.0, 0.8, 0.04, 0.35)
    assert manners(wild) == ("large range", "low level", "energetic", "sharp", "bouncy", "extrovert")
    assert manners(Measures(0.1, 0.01, 20.0, 1.0, 0.0, 0.2)) == ("small range", "high level", "calm", "introvert")
    assert manners(replace(middle, range_m=RANGE_M[0])) == ("medium range",)


def dance(style: str = "krump", seed: int = 4, fps: float = 60.0, seconds: float = 16.0):
    beats = np.arange(0.1, seconds, 0.5)
    return choreograph(beats, beats[::4], (), style, seed, fps, duration_s=seconds), beats


@pytest.mark.parametrize("style", ["jazz", "disco", "contemporary"])
def test_words_do_not_depend_on_frame_rate_heading_or_place(style):
    made, beats = dance(style)
    moves, numbers = describe(made.motion, style, "", beats).moves, measure(observe(made.motion))
    assert moves, "nothing to compare"
    for other in (
        resample(made.motion, 30),
        resample(made.motion, 120),
        turned(made.motion, 2.0),
        moved(made.motion, np.array([2.0, 0, 1])),
    ):
        assert describe(other, style, "", beats).moves == moves
        assert asdict(measure(observe(other))) == pytest.approx(asdict(numbers), rel=0.02)
    assert asdict(measure(observe(mirror(made.motion)))) == pytest.approx(asdict(numbers), rel=1e-3)


def test_the_mirror_image_goes_the_other_way():
    still = standing(6)
    spun = turned(still, 2 * np.pi * ramp(still, 1, 2.5))
    beats = np.arange(0, 6, 0.5)
    for style, left, right in (("jazz", "disco spin, to the left", "disco spin, to the right"), ("salsa", "left turn", "right turn")):
        sample = Sample(
            labels(style=style), spun, np.zeros((180, 4), np.float32), None, (MusicTrack(np.zeros((180, 24)), beats, beats[::4]),)
        )
        seen, reflected = relabelled(sample), relabelled(mirrored(sample))
        assert [text.partition(":")[0] for _, _, text in seen.labels.moves] == [left]
        assert [text.partition(":")[0] for _, _, text in reflected.labels.moves] == [right]
        assert mirrored(seen).labels.moves == reflected.labels.moves and seen.labels.words == reflected.labels.words


def test_global_words_stand_in_the_order_of_an_expanded_prompt():
    made, beats = dance("krump")
    parts = describe(made.motion, "krump", "", beats).style.split(", ")
    assert parts[0] == "krump" and parts[1] in {"small moving range", "medium moving range", "large moving range"}
    kinds = [entry.kind for part in parts for entry in lexicon().by_form.get(part, []) if isinstance(entry, Manner) and entry.text == part]
    assert kinds == sorted(kinds, key=("range", "energy", "manner").index)
    assert ", ".join(parts).endswith("explosive and raw, low stance, stomps, jabs, arm swings and chest pops")


@pytest.mark.parametrize(
    ("style", "text", "expected", "named"),
    [
        (
            "ballet",
            "dance - small jetes, attitude/arabesque, shifted-axis pirouette, turn",
            "contemporary",
            ["tilt", "pirouette", "disco spin"],
        ),
        ("indian", "Indian dance (CMU subject 94; label from acRNN folder name)", "bollywood", []),
        ("party", "Disco dance", "disco", []),
        ("party", "StepTouch dance", None, ["step touch"]),
        ("everyday", "walk", None, ["walk"]),
        ("charleston", "charleston1", "charleston", []),
        ("everyday", "", None, []),
    ],
)
def test_descriptions_feed_style_and_moves(style, text, expected, named):
    found = decouple.style_of(style, text)
    assert found == expected and [term.name for term in decouple.named_in(text, found)] == named
    words = describe(standing(2), style, text, NONE).style
    assert style_named(words.partition(",")[0]) == expected and all(name in words.split(", ") for name in named)


def test_a_described_move_says_a_sighting_more_closely():
    still = standing(4)
    spun = turned(still, 2 * np.pi * ramp(still, 0.5, 1.5))
    (move,) = describe(spun, "ballet", "dance - sideways steps, pirouette", NONE).moves
    assert move.text == "pirouette, to the left: turn on one leg with the other foot at the knee"
    assert (move.start_s, move.end_s) == (0, 2)


# ---------------------------------------------------------------------------------------------------------------- local


def test_windows_are_bars_continued_to_the_ends():
    assert windows(6.0, np.array([0.5, 2.5, 4.5])) == [(0.5, 2.5), (2.5, 4.5), (4.5, 6.0)]
    assert windows(5.0, NONE) == [(0, 2), (2, 4), (4, 5)]
    assert windows(9.0, np.array([2.9, 4.9, 6.9])) == [(pytest.approx(0.9), 2.9), (2.9, 4.9), (4.9, 6.9), (6.9, 8.9)]


def test_a_window_has_one_label_and_equal_neighbours_are_one_move():
    still = standing(8)
    walked = walker(0.9, (0, 1), 8.0)
    (move,) = decouple.local_moves(walked, None, [], [(k, k + 2.0) for k in (0.0, 2.0, 4.0, 6.0)])
    assert move.text.startswith("walk, forward: ") and move.start_s == 0 and move.end_s == 8
    assert list(decouple.local_moves(observe(still), None, [], [(0.0, 4.0), (4.0, 8.0)])) == []


def test_what_happens_goes_to_the_window_that_has_its_middle():
    seen = [Sighting(1.8, 2.8, "spin", "to the left"), Sighting(4.0, 5.0, "walk", "forward")]
    believed = [decouple._believed(seen, start_s, start_s + 2) for start_s in (0.0, 2.0, 4.0)]
    assert believed == [None, seen[0], seen[1]]
    assert decouple._believed(seen, 4.5, 8.5) is None


def test_turns_and_kicks_are_seen_in_the_figures_that_turn_and_kick():
    """The choreographer's exact labels are the oracle: nine of ten sightings fall in a figure whose words speak of it."""
    hits = {"turn": [], "kick": []}
    for number, style in enumerate(("disco", "jazz", "salsa", "charleston", "waltz", "popping", "krump", "hip-hop")):
        made = dance(style, number, 30.0, 24.0)[0]
        body = observe(made.motion)
        for kind, detect, said in (("turn", turns, ("turn", "spin")), ("kick", kicks, ("kick", "leg"))):
            for seen in detect(body):
                at = (seen.start_s + seen.end_s) / 2
                figures = [move.text for move in made.script.moves if move.start_s <= at < move.end_s]
                hits[kind].append(any(word in text for word in said for text in figures))
    assert all(len(found) >= 5 and np.mean(found) >= 0.9 for found in hits.values()), hits


# --------------------------------------------------------------------------------------------------------------- shards


def labels(**changes) -> Labels:
    return replace(Labels("a", "train", "salsa", True, "salsa dance", "here", "ours", "p", "real", 6.0, ("latin",)), **changes)


def test_words_survive_the_shard_and_older_shards_read(tmp_path):
    sample = Sample(labels(words="salsa, small moving range"), standing(1), np.zeros((30, 4), np.float32), None, ())
    sample = replace(sample, labels=replace(sample.labels, music=()))
    write_shard(tmp_path / "new.tar", [sample])
    assert next(read_shard(tmp_path / "new.tar")).labels == sample.labels
    with tarfile.open(tmp_path / "new.tar") as new, tarfile.open(tmp_path / "old.tar", "w") as old:
        for entry in new:
            content = new.extractfile(entry).read()
            if entry.name.endswith(".json"):
                content = json.dumps({key: value for key, value in json.loads(content).items() if key != "words"}).encode()
            (tmp_path / "member").write_bytes(content)
            old.add(tmp_path / "member", entry.name)
    (read,) = read_shard(tmp_path / "old.tar")
    assert read.labels == replace(sample.labels, words="")
    assert relabelled(read).labels.words.startswith("salsa, small moving range")


def test_exact_moves_of_the_choreographer_stay():
    made, _ = dance("disco")
    moves = tuple((move.start_s, move.end_s, move.text) for move in made.script.moves)
    known = labels(style="disco", text=made.script.style, kind="synthetic", moves=moves, music=())
    found = relabelled(Sample(known, made.motion, np.zeros((len(made.motion), 4), np.float32))).labels
    assert found.moves == moves and found.text == known.text and found.words.startswith("disco, ")
    assert [name_in(text) for _, _, text in found.moves] == [name_in(text) for _, _, text in moves]


def test_every_style_of_the_choreographer_has_words():
    assert all(decouple.style_of(style, "") == style for style in STYLES)


def test_other_skeletons_are_refused():
    skeleton = choreia24()
    short = replace(skeleton, names=skeleton.names[:22], parents=skeleton.parents[:22], offsets=skeleton.offsets[:22])
    motion = standing(1)
    with pytest.raises(ChoreiaError, match="retarget"):
        observe(Motion(short, motion.root, motion.rotations[:, :22], 30.0))


def test_frames_are_seen_at_thirty_a_second():
    assert len(observe(standing(2, 120))) == len(observe(standing(2, 24))) == clock.frames_in(2, 30)
