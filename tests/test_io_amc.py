"""ASF/AMC and G1 csv: hand-worked positions, an independent forward kinematics from the formats' texts, faults, and real takes."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from choreia.errors import ChoreiaError
from choreia.motion import io
from choreia.motion.io import amc, bvh, g1
from choreia.motion.kinematics import positions

DATA = Path(os.environ.get("CHOREIA_DATA", "/nonexistent")) / "motion"

ASF = """# a comment
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name thigh
     direction 0 -1 0
     length 9
     axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 2
     name shin
     direction 0 -1 0
     length 8
     axis 10 -30 20 XYZ
    dof rx
    limits (-10.0 170.0)
  end
  begin
     id 3
     name spine
     direction 0 1 0
     length 10
     axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root thigh spine
    thigh shin
  end
"""
AMC = """#!OML:ASF x.asf
:FULLY-SPECIFIED
:DEGREES
1
root 0 16 0 0 0 0
thigh 0 0 0
shin 0
2
root 1 16 -2 10 20 30
thigh 40 -50 60
shin 70
"""
UNIT = 0.0254 / 0.45


@pytest.fixture
def put(tmp_path):
    def write(amc_text=AMC, asf_text=ASF):
        (tmp_path / "05.asf").write_text(asf_text)
        (tmp_path / "05_01.amc").write_text(amc_text)
        return tmp_path / "05_01.amc"

    return write


def test_rest_pose_in_metres(put):
    motion = amc.read(put(), end_sites=True)
    assert motion.skeleton.names == ("root", "thigh", "spine", "shin", "spine_end", "shin_end")
    assert motion.fps == 120.0
    expected = np.array([[0, 16, 0], [0, 16, 0], [0, 16, 0], [0, 7, 0], [0, 26, 0], [0, -1, 0]]) * UNIT
    np.testing.assert_allclose(positions(motion)[0], expected, atol=1e-6)


def test_turned_pose_against_the_definition(put):
    """World turns of the bones as C · M · C^-1 down the chain, by scipy's fixed-axis Euler angles; bones from end to end."""
    axis = {"thigh": Rotation.from_euler("xyz", [0, 0, 20], degrees=True), "shin": Rotation.from_euler("xyz", [10, -30, 20], degrees=True)}
    root = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
    thigh = root * axis["thigh"] * Rotation.from_euler("xyz", [40, -50, 60], degrees=True) * axis["thigh"].inv()
    shin = thigh * axis["shin"] * Rotation.from_euler("x", 70, degrees=True) * axis["shin"].inv()
    start = np.array([1, 16, -2])
    knee = start + thigh.apply([0, -9, 0])
    ankle = knee + shin.apply([0, -8, 0])
    motion = amc.read(put(), end_sites=True)
    place = dict(zip(motion.skeleton.names, positions(motion)[1], strict=True))
    np.testing.assert_allclose(place["shin"], knee * UNIT, atol=1e-6)
    np.testing.assert_allclose(place["shin_end"], ankle * UNIT, atol=1e-6)
    np.testing.assert_allclose(place["spine_end"], (start + root.apply([0, 10, 0])) * UNIT, atol=1e-6)


def in_radians(line):
    if line.startswith(("#", ":")):
        return line
    name, *values = line.split()
    first = 3 if name == "root" else 0
    return " ".join([name, *values[:first], *(str(np.deg2rad(float(value))) for value in values[first:])])


def test_radians_crlf_and_other_orders_of_bones(put):
    plain = positions(amc.read(put()))
    asf = ASF.replace("0 0 20 XYZ", f"0 0 {np.deg2rad(20)} XYZ").replace("10 -30 20 XYZ", "{} {} {} XYZ".format(*np.deg2rad([10, -30, 20])))
    turned = [in_radians(line) for line in AMC.replace(":DEGREES", ":RADIANS").splitlines()]
    np.testing.assert_allclose(positions(amc.read(put("\r\n".join(turned), asf.replace("angle deg", "angle rad")))), plain, atol=1e-6)
    swapped = AMC.replace("thigh 0 0 0\nshin 0", "shin 0\nthigh 0 0 0").replace("thigh 40 -50 60\nshin 70", "shin 70\nthigh 40 -50 60")
    np.testing.assert_allclose(positions(amc.read(put(swapped))), plain, atol=1e-6)


def test_the_skeleton_is_found_or_given(put, tmp_path):
    path = put()
    (tmp_path / "05.asf").rename(tmp_path / "other.asf")
    assert len(io.read(path)) == 2
    (tmp_path / "more.asf").write_text(ASF)
    with pytest.raises(ChoreiaError, match="no skeleton beside it"):
        amc.read(path)
    assert amc.read(path, asf=tmp_path / "more.asf", fps=60).fps == 60.0


FAULTS = {
    "no frames": (AMC[: AMC.index("1\n")], ASF, "no frame number"),
    "a value too few": (AMC.replace("thigh 40 -50 60", "thigh 40 -50"), ASF, "line 10: expected 'thigh' with 3 values"),
    "a bone too few": (AMC.replace("shin 70\n", ""), ASF, "cut short"),
    "an unknown bone": (AMC.replace("shin", "tail"), ASF, "names 'tail'"),
    "another bone later": (AMC.replace("shin 70", "spine 70"), ASF, "line 11: expected 'shin'"),
    "NaN": (AMC.replace("40 -50", "nan -50"), ASF, "line 10: expected 3 finite numbers"),
    "a word": (AMC.replace("40 -50", "forty -50"), ASF, "line 10: expected 3 finite numbers"),
    "text": ("hello there\n" * 9, ASF, "not an AMC take"),
    "binary": ("\x00\x01\x02" * 99, ASF, "the first frame must name the root"),
    "skeleton is text": (AMC, "hello\n", "not an ASF skeleton"),
    "cycle": (AMC, ASF.replace("root thigh spine", "root spine").replace("thigh shin", "thigh shin\n shin thigh"), "cyclic"),
    "two parents": (AMC, ASF.replace("thigh shin", "thigh shin\n spine shin"), "'shin' has two parents"),
    "no bone of that name": (AMC, ASF.replace("thigh shin", "thigh calf"), "names 'calf'"),
    "duplicate bone": (AMC, ASF.replace("name shin", "name thigh"), "already defined on line 16"),
    "bad direction": (AMC, ASF.replace("direction 0 -1 0", "direction 0 x 0"), "expected 3 finite numbers"),
    "bad axis": (AMC, ASF.replace("0 0 20 XYZ", "0 0 20 XYY"), "the order of an axis"),
    "bad dof": (AMC, ASF.replace("dof rx\n", "dof qx\n"), "unknown degree of freedom 'qx'"),
    "zero unit": (AMC, ASF.replace("0.45", "0"), "above 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_in_one_line(put, fault):
    take, skeleton, message = FAULTS[fault]
    with pytest.raises(ChoreiaError) as caught:
        amc.read(put(take, skeleton))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not DATA.exists(), reason="CHOREIA_DATA is not set")
def test_a_real_take_against_its_conversion_by_others():
    """CMU 09_03 as AMC and as the BVH that B. Hahne's converter made of it, one T-pose frame later: the same bone directions."""
    ours, theirs = amc.read(DATA / "cmu/09/09_03.amc"), bvh.read(DATA / "bvh_variety/cmu_bvh_01_09__09_03.bvh")
    a, b = positions(ours)[:128], positions(theirs)[1:129]
    bones = {
        ("lfemur", "ltibia"): ("LeftUpLeg", "LeftLeg"),
        ("ltibia", "lfoot"): ("LeftLeg", "LeftFoot"),
        ("rfoot", "rtoes"): ("RightFoot", "RightToeBase"),
        ("lhumerus", "lradius"): ("LeftArm", "LeftForeArm"),
        ("rradius", "rwrist"): ("RightForeArm", "RightHand"),
        ("upperback", "thorax"): ("Spine", "Spine1"),
    }
    for (x, y), (u, v) in bones.items():
        one = a[:, ours.skeleton.index(y)] - a[:, ours.skeleton.index(x)]
        two = b[:, theirs.skeleton.index(v)] - b[:, theirs.skeleton.index(u)]
        one, two = (bone / np.linalg.norm(bone, axis=-1, keepdims=True) for bone in (one, two))
        assert np.rad2deg(np.linalg.norm(one - two, axis=-1)).max() < 0.01


# ----------------------------------------------------------------------------------------------------------------------- G1


def row(position=(0, 0, 0.8), xyzw=(0, 0, 0, 1), **angles):
    names = g1.skeleton().names[1:]
    return [*position, *xyzw, *(angles.get(name, 0.0) for name in names)]


def put_rows(path, rows, header=""):
    path.write_text(header + "\n".join(",".join(map(str, r)) for r in rows) + "\n")
    return path


def test_g1_stands_upright_and_faces_forward(tmp_path):
    motion = g1.read(put_rows(tmp_path / "a.csv", [row()]))
    place = dict(zip(motion.skeleton.names, positions(motion)[0], strict=True))
    assert motion.fps == 60.0
    np.testing.assert_allclose(place["pelvis"], [0, 0.8, 0], atol=1e-6)
    assert place["left_hip_pitch"][0] > 0.05
    assert place["right_hip_pitch"][0] < -0.05
    assert abs(place["left_ankle_roll"][1]) < 0.1
    assert place["left_shoulder_pitch"][1] > 1.05
    assert place["left_wrist_yaw"][2] > 0.15


def test_g1_joints_turn_about_their_axes(tmp_path):
    """A knee bent by 90 degrees sends the shin back; a root turned to the left faces +X; the waist turns what is above only."""
    bent = row(left_knee=np.pi / 2, left_hip_pitch=0.0)
    turned = row(xyzw=(0, 0, 0.5**0.5, 0.5**0.5), position=(1, 2, 0.8))
    waist = row(waist_yaw=np.pi / 2)
    place = positions(g1.read(put_rows(tmp_path / "a.csv", [row(), bent, turned, waist])))
    index = g1.skeleton().index
    shin = place[1, index("left_ankle_pitch")] - place[1, index("left_knee")]
    np.testing.assert_allclose(shin, [0, 0, -0.3], atol=1e-3)
    np.testing.assert_allclose(place[2, 0], [2, 0.8, 1], atol=1e-6)
    straight = place[0] - place[0, 0]
    np.testing.assert_allclose(place[2] - place[2, 0], straight[:, [2, 1, 0]] * [1, 1, -1], atol=1e-6)
    np.testing.assert_allclose(place[3, 1:13], place[0, 1:13], atol=1e-6)
    above = index("left_elbow")
    np.testing.assert_allclose(place[3, above] - place[3, 0], straight[above][[2, 1, 0]] * [1, 1, -1], atol=1e-5)


def test_g1_with_a_header_and_through_the_dispatch(tmp_path):
    path = put_rows(tmp_path / "a.csv", [row(), row()], header=",".join(f"joint{k}" for k in range(36)) + "\n")
    assert len(io.read(path, fps=30)) == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row()[:-1]], "line 1: 35 columns"),
        ([row(), [*row()[:-1], "nan"]], "line 2: a number is not finite"),
        ([row(), row(xyzw=(0, 0, 0, 0))], "line 2: a number is not finite or the root quaternion is zero"),
        ([row(), ["x", *row()[1:]]], "not a table of plain numbers"),
        ([], "there are no frames"),
    ],
)
def test_g1_faults(tmp_path, rows, message):
    with pytest.raises(ChoreiaError, match=message):
        g1.read(put_rows(tmp_path / "a.csv", rows))
