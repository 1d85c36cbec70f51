"""BVH files: positions against pybvh, hand-worked numbers, round trips, odd but legal text, and one clear line for every fault."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.motion import io
from choreia.motion.io import bvh
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.types import Motion, Skeleton

DATA = Path(os.environ.get("CHOREIA_DATA", "/nonexistent")) / "motion" / "bvh_variety"

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Xrotation Zrotation Yrotation
    End Site
    {
      OFFSET 0 20 0
    }
  }
  JOINT Leg
  {
    OFFSET 5 -10 0
    CHANNELS 1 Xrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 100 0  0 0 0  0 0 0  0
10 100 0  90 0 0  90 0 0  0
"""


@pytest.fixture
def put(tmp_path):
    def write(text, name="take.bvh"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def random_take(frames=40, seed=0, skeleton=None, fps=30.0):
    rng = np.random.default_rng(seed)
    skeleton = skeleton or choreia24()
    q = np.cumsum(rng.normal(size=(frames, len(skeleton.names), 4)), axis=0)
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return Motion(skeleton, np.cumsum(rng.normal(0, 0.02, (frames, 3)), axis=0).astype(np.float32), q.astype(np.float32), fps)


def angles_between(a, b):
    """Degrees; by the chord, which stays exact where the cosine is flat."""
    a, b = (q.astype(float) / np.linalg.norm(q, axis=-1, keepdims=True) for q in (a, b))
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return np.rad2deg(4 * np.arcsin(np.clip(chord / 2, 0, 1)))


def reordered(motion, names):
    return [motion.skeleton.index(name) for name in names]


def test_hand_worked_positions(put):
    """Root turned by 90 degrees about Z: up becomes -X; the spine's X turn then lifts its end from -X to +Z."""
    motion = bvh.read(put(SMALL), end_sites=True)
    assert motion.skeleton.names == ("Hips", "Spine", "Spine_end", "Leg", "Leg_end")
    assert motion.fps == 30.0
    place = positions(motion)
    np.testing.assert_allclose(place[0], [[0, 1, 0], [0, 1.1, 0], [0, 1.3, 0], [0.05, 0.9, 0], [0.05, 0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(place[1], [[0.1, 1, 0], [0, 1, 0], [0, 1, 0.2], [0.2, 1.05, 0], [0.6, 1.05, 0]], atol=1e-6)


def test_end_sites_are_left_out_unless_wanted(put):
    assert bvh.read(put(SMALL)).skeleton.names == ("Hips", "Spine", "Leg")


def test_unit_scales_lengths_and_nothing_else(put):
    path = put(SMALL)
    metres, inches = bvh.read(path, unit_m=1.0), bvh.read(path, unit_m=0.0254)
    np.testing.assert_allclose(positions(inches), positions(metres) * 0.0254, rtol=1e-5)
    np.testing.assert_array_equal(inches.rotations, metres.rotations)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("\n", "\r\n"),
        lambda s: s.replace("\n", "\r"),
        lambda s: s.replace("  ", "\t").replace(" ", "  \t "),
        lambda s: s.replace("\n{", " {").replace("\n  {", "{").replace("}", "} "),
        lambda s: s.replace("ROOT", "# a comment { with braces\nROOT").replace("\n0 100", "\n// half way\n0 100"),
        lambda s: s.replace("Frames: 2", "Frames:2").replace("Frame Time: ", "frame time:"),
        lambda s: s.replace("ROOT", "root").replace("Xrotation", "xrotation").replace("MOTION", "Motion").replace("End Site", "End site"),
        lambda s: "\ufeff" + s + "\n\n   \n",
        lambda s: s.replace("10 100 0  90 0 0  90", "10 100 0\n90 0 0\n90"),
        lambda s: s.replace("\n0 100 0", "\n+0.0e0 1e2 -0"),
    ],
)
def test_the_same_take_in_other_clothes(put, change):
    plain, dressed = bvh.read(put(SMALL, "a.bvh")), bvh.read(put(change(SMALL), "b.bvh"))
    assert dressed.skeleton.names == plain.skeleton.names
    np.testing.assert_allclose(positions(dressed), positions(plain), atol=1e-6)


def test_names_with_spaces_colons_and_accents(put):
    motion = bvh.read(put(SMALL.replace("Spine", "mixamorig:Spine é").replace("Leg", "Left Leg (1)")))
    assert motion.skeleton.names == ("Hips", "mixamorig:Spine_é", "Left_Leg_(1)")


@pytest.mark.parametrize(("written", "fps"), [("0.0333333", 30), (".03333", 30), ("0.008333", 120), ("0.016666", 60), ("0.04", 25)])
def test_frame_rates_that_the_digits_mean(put, written, fps):
    assert bvh.read(put(SMALL.replace("0.0333333", written))).fps == fps


def test_frame_rates_that_are_not_whole(put):
    assert bvh.read(put(SMALL.replace("0.0333333", "0.033366700"))).fps == pytest.approx(29.97, abs=1e-3)


def test_still_reference_node_above_travelling_hips_goes(put):
    """A root that stays at the origin, turned, over hips that travel: the hips become the root."""
    text = """HIERARCHY
ROOT Reference { OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
JOINT Hips { OFFSET 0 90 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
JOINT Spine { OFFSET 0 10 0 CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Chest { OFFSET 0 10 0 CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Head { OFFSET 0 10 0 CHANNELS 3 Zrotation Yrotation Xrotation
End Site { OFFSET 0 10 0 } } } } } }
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 90 0   0 90 10 0 0 0  0 0 0  0 0 0  0 0 0
0 0 0 0 90 0   0 90 60 0 0 0  0 0 0  0 0 0  0 0 0
"""
    motion = bvh.read(put(text))
    assert motion.skeleton.names == ("Hips", "Spine", "Chest", "Head")
    np.testing.assert_allclose(motion.root, [[0.1, 0.9, 0], [0.6, 0.9, 0]], atol=1e-6)
    np.testing.assert_allclose(np.abs(motion.rotations[:, 0]), [[0.5**0.5, 0, 0.5**0.5, 0]] * 2, atol=1e-6)


# --------------------------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YXZ", "ZYX", "XZY", "YZX"])
def test_round_trip(tmp_path, order):
    motion = random_take()
    bvh.write(tmp_path / "take.bvh", motion, order=order)
    back = bvh.read(tmp_path / "take.bvh")
    index = reordered(back, motion.skeleton.names)
    assert back.fps == motion.fps
    assert np.abs(positions(back)[:, index] - positions(motion)).max() < 1e-4
    assert angles_between(back.rotations[:, index], motion.rotations).max() < 0.01


def test_round_trip_at_gimbal_lock(tmp_path):
    """Turns of exactly 90 degrees about each axis and their combinations."""
    turns = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0], [0, 1, 1, 0]], float)
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    frames = np.stack(np.meshgrid(range(7), range(7)), -1).reshape(-1, 2)
    skeleton = Skeleton(("a", "b"), (-1, 0), np.array([[0, 0, 0], [0, 1, 0]], np.float32))
    motion = Motion(skeleton, np.zeros((49, 3), np.float32), turns[frames].astype(np.float32), 60.0)
    bvh.write(tmp_path / "take.bvh", motion)
    assert angles_between(bvh.read(tmp_path / "take.bvh").rotations, motion.rotations).max() < 0.01


def test_end_sites_round_trip(put, tmp_path):
    motion = bvh.read(put(SMALL), end_sites=True)
    bvh.write(tmp_path / "again.bvh", motion)
    back = bvh.read(tmp_path / "again.bvh", end_sites=True)
    assert back.skeleton.names == motion.skeleton.names
    np.testing.assert_allclose(positions(back), positions(motion), atol=1e-6)


def test_written_in_centimetres_and_the_same_bytes_twice(tmp_path):
    motion = random_take(3)
    for name in ("a.bvh", "b.bvh"):
        io.write(tmp_path / name, motion)
    text = (tmp_path / "a.bvh").read_text()
    assert text == (tmp_path / "b.bvh").read_text()
    assert "OFFSET 9.200000 -5.500000 0.000000" in text
    assert "CHANNELS 3 Zrotation Xrotation Yrotation" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bvh", "b.bvh"]


def test_angles_do_not_jump(tmp_path):
    """A dancer who spins five times has a smooth curve in the file."""
    angle = np.linspace(0, 10 * np.pi, 200)
    q = np.stack([np.cos(angle / 2), 0 * angle, np.sin(angle / 2), 0 * angle], axis=-1)[:, None].astype(np.float32)
    skeleton = Skeleton(("a",), (-1,), np.zeros((1, 3), np.float32))
    bvh.write(tmp_path / "spin.bvh", Motion(skeleton, np.zeros((200, 3), np.float32), q, 30.0))
    rows = np.loadtxt((tmp_path / "spin.bvh").read_text().splitlines()[-200:])
    assert rows[-1, 5] == pytest.approx(1800, abs=0.01)


# ------------------------------------------------------------------------------------------------------------------- oracle


def against_pybvh(path):
    pybvh = pytest.importorskip("pybvh")
    theirs = pybvh.read_bvh_file(str(path), world_up="+y")
    ours = bvh.read(path, unit_m=1.0)
    place = positions(ours)
    index = [theirs.joint_names.index(name) for name in ours.skeleton.names]
    expected = theirs.joint_positions()[:, index]
    size = np.ptp(expected[0], axis=0).max()
    assert len(ours) == theirs.frame_count
    assert np.abs(place - expected).max() < 1e-5 * max(size, np.abs(expected).max())


def test_positions_agree_with_pybvh(put, tmp_path):
    bvh.write(tmp_path / "random.bvh", random_take(30))
    against_pybvh(tmp_path / "random.bvh")


FILES = sorted(DATA.glob("*.bvh"))


@pytest.mark.skipif(not FILES, reason="CHOREIA_DATA is not set")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_from_the_wild(path, tmp_path):
    motion = bvh.read(path)
    part = motion.slice(0, 60)
    bvh.write(tmp_path / "again.bvh", part)
    back = bvh.read(tmp_path / "again.bvh")
    index = reordered(back, part.skeleton.names)
    assert np.abs(positions(back)[:, index] - positions(part)).max() < 1e-4
    assert angles_between(back.rotations[:, index], part.rotations).max() < 0.01
    if path.read_text(errors="replace").count("CHANNELS 6") == 1:  # pybvh knows position channels at the root only
        against_pybvh(path)


# ------------------------------------------------------------------------------------------------------------------- faults


def closed(text, count=1):
    return text.replace("}\nMOTION", "}" * count + "\nMOTION")


FAULTS = {
    "missing frame count": (SMALL.replace("Frames: 2\n", ""), "line 25: the frame count is missing"),
    "frame count is a word": (SMALL.replace("Frames: 2", "Frames: two"), "the frame count is missing"),
    "no frame time": (SMALL.replace("Frame Time: 0.0333333\n", ""), "'Frame Time: seconds' must follow"),
    "frame time zero": (SMALL.replace("0.0333333", "0"), "line 27: the frame time '0'"),
    "frame time NaN": (SMALL.replace("0.0333333", "nan"), "the frame time 'nan'"),
    "a column too few": (SMALL.replace("10 100 0  90", "10 100 0"), "line 29: 9 columns where the hierarchy has 10 channels"),
    "a column too many": (SMALL.replace("10 100 0  90", "10 100 0 90 7"), "line 29: 11 columns where the hierarchy has 10 channels"),
    "fewer frames than declared": (SMALL.replace("Frames: 2", "Frames: 3"), "3 frames are declared but 2 are there"),
    "a thousand million frames": (SMALL.replace("Frames: 2", "Frames: 1000000000"), "1000000000 frames are declared but 2"),
    "absurd number of frames": (SMALL.replace("Frames: 2", "Frames: " + "9" * 5000), "frame count is missing"),
    "no frames": (SMALL.replace("Frames: 2", "Frames: 0"), "no motion in it"),
    "NaN": (SMALL.replace("10 100 0  90", "10 100 0  NaN"), "line 29: 'NaN' is not a finite number"),
    "infinity": (SMALL.replace("10 100 0  90", "10 100 0  1e999"), "line 29: '1e999' is not a finite number"),
    "a word among the numbers": (SMALL.replace("10 100 0  90", "10 100 0  x90"), "line 29: 'x90' is not a finite number"),
    "decimal commas": (SMALL.replace("10 100 0", "10,5 100 0"), "line 29: '10,5' is not a finite number"),
    "zero joints": ("HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 0.1\n", "no joints"),
    "duplicate names": (SMALL.replace("Leg", "Spine"), "line 15: joint 'Spine' was already defined on line 6"),
    "its own ancestor": (SMALL.replace("JOINT Spine", "JOINT Hips"), "joint 'Hips' was already defined on line 2"),
    "second root": (SMALL.replace("JOINT Leg", "ROOT Leg"), "a second ROOT"),
    "joint outside": (SMALL.replace("ROOT Hips", "JOINT Hips"), "outside the ROOT"),
    "no name": (SMALL.replace("JOINT Spine", "JOINT"), "line 6: a joint without a name"),
    "no offset": (SMALL.replace("    OFFSET 0 10 0\n", ""), "joint 'Spine' has no OFFSET"),
    "NaN offset": (SMALL.replace("OFFSET 0 10 0", "OFFSET 0 nan 0"), "line 8: the number 'nan' is not finite"),
    "short offset": (SMALL.replace("OFFSET 0 10 0", "OFFSET 0 10"), "expected a number, found 'CHANNELS'"),
    "too many channels": (SMALL.replace("CHANNELS 3", "CHANNELS 999999999"), "0 to 6 channels"),
    "unknown channel": (SMALL.replace("3 Xrotation", "3 Wrotation"), "unknown channel 'Wrotation'"),
    "truncated hierarchy": (SMALL[:150], "closing brace is missing"),
    "truncated before the motion": (SMALL[: SMALL.index("MOTION")], "no MOTION block"),
    "truncated inside a joint": (SMALL[:139], "the file ends in the middle"),
    "missing brace": (closed(SMALL, 0), "a closing brace is missing"),
    "extra brace": (closed(SMALL, 2), "unexpected '}'"),
    "text": ("all work and no play\n" * 50, "must begin with HIERARCHY"),
    "binary": (bytes(range(256)) * 40, "must begin with HIERARCHY"),
    "binary after a good start": (SMALL[:60].encode() + bytes(range(256)) * 40, "line"),
    "binary motion": (SMALL.encode() + bytes(range(128, 256)), "is not a finite number"),
    "empty": ("", "is empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_in_one_line(put, fault):
    text, message = FAULTS[fault]
    path = put(text)
    with pytest.raises(ChoreiaError) as caught:
        bvh.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_no_file_cuts_short_without_notice(put):
    """Every truncation of a good file is either refused or, when only spaces were lost, the same take."""
    whole = positions(bvh.read(put(SMALL)))
    for length in range(len(SMALL) - 1):
        path = put(SMALL[:length])
        try:
            taken = bvh.read(path)
        except ChoreiaError as error:
            assert "\n" not in str(error)
        else:
            assert len(taken) == len(whole)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ChoreiaError, match="cannot read"):
        bvh.read(tmp_path / "none.bvh")
    with pytest.raises(ChoreiaError, match="is a folder"):
        bvh.read(tmp_path)


def test_unwritable_places(tmp_path):
    motion = random_take(2)
    with pytest.raises(ChoreiaError, match="does not exist"):
        bvh.write(tmp_path / "no" / "a.bvh", motion)
    with pytest.raises(ChoreiaError, match="is a folder"):
        bvh.write(tmp_path, motion)
    assert list(tmp_path.iterdir()) == []


def test_ten_megabytes_in_a_second(tmp_path):
    motion = random_take(1200)
    long = Motion(motion.skeleton, np.tile(motion.root, (12, 1)), np.tile(motion.rotations, (12, 1, 1)), 120.0)
    bvh.write(tmp_path / "long.bvh", long)
    assert (tmp_path / "long.bvh").stat().st_size > 10e6
    began = time.process_time()
    bvh.read(tmp_path / "long.bvh")
    assert time.process_time() - began < 1.5  # 0.5 s on an idle core
