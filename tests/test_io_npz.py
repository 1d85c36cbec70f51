"""Our own takes, SMPL layouts, the restricted unpickler, the choice by suffix, and files that are whole or absent."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion import io
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.types import Motion, Skeleton


def random_take(frames=20, seed=0, fps=60.0):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(frames, 24, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return Motion(choreia24(), rng.normal(size=(frames, 3)).astype(np.float32), q.astype(np.float32), fps)


def same_rotation(a, b):
    return np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1)).max() < 1e-5


def test_own_takes_keep_every_bit(tmp_path):
    skeleton = Skeleton(("é", "b c"), (-1, 0), np.array([[0, 0, 0], [1, 2, 3]], np.float32))
    motion = Motion(skeleton, np.ones((3, 3), np.float32), np.tile(np.float32([1, 0, 0, 0]), (3, 2, 1)), 29.97)
    io.write(tmp_path / "a.npz", motion)
    back = io.read(tmp_path / "a.npz")
    assert (back.skeleton.names, back.skeleton.parents, back.fps) == (skeleton.names, skeleton.parents, motion.fps)
    for one, two in ((back.root, motion.root), (back.rotations, motion.rotations), (back.skeleton.offsets, skeleton.offsets)):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype


def test_same_take_same_bytes(tmp_path):
    for name in ("a", "b"):
        io.write(tmp_path / f"{name}.npz", random_take())
        io.write(tmp_path / f"{name}.pkl", random_take())
    for suffix in ("npz", "pkl"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(("name", "layout"), [("a.npz", "aist"), ("a.pkl", "aist"), ("a.npz", "amass"), ("a.pkl", "amass")])
def test_smpl_round_trip(tmp_path, name, layout):
    motion = random_take(fps=25.0)
    io.write(tmp_path / name, motion, layout=layout)
    back = io.read(tmp_path / name)
    joints = 24 if layout == "aist" else 22
    assert back.fps == 25.0
    assert same_rotation(back.rotations[:, :joints], motion.rotations[:, :joints])
    assert np.abs(positions(back) - positions(motion))[:, :joints].max() < 1e-4


@pytest.mark.parametrize("protocol", range(6))
def test_aist_pickle_as_published(tmp_path, protocol):
    """72 numbers as rotation vectors, translation over scaling in metres, 60 frames a second unsaid, a scalar besides."""
    rng = np.random.default_rng(1)
    poses, trans = rng.normal(size=(5, 72)), rng.normal(size=(5, 3)) * 90
    content = {"smpl_poses": poses, "smpl_trans": trans, "smpl_scaling": np.array([93.78]), "smpl_loss": np.float64(0.1)}
    (tmp_path / "gBR.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    motion = io.read(tmp_path / "gBR.pkl")
    assert motion.fps == 60.0
    np.testing.assert_allclose(motion.root, trans / 93.78, atol=1e-6)
    expected = Rotation.from_rotvec(poses.reshape(-1, 3)).as_quat()[:, [3, 0, 1, 2]].reshape(5, 24, 4)
    assert same_rotation(motion.rotations, expected)


def test_old_pickles_name_numpy_as_it_was(tmp_path):
    content = pickle.dumps({"smpl_poses": np.zeros((2, 72), np.float32), "smpl_trans": np.zeros((2, 3))}, protocol=2)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "old.pkl").write_bytes(old)
    assert len(io.read(tmp_path / "old.pkl")) == 2


@pytest.mark.parametrize("key", ["mocap_framerate", "mocap_frame_rate"])
def test_amass_has_z_up_and_hands_beyond_the_body(tmp_path, key):
    """A body that stands facing -Y in a world with Z up stands facing +Z in ours."""
    poses = np.zeros((2, 156))
    poses[:, 0] = np.pi / 2
    np.savez(tmp_path / "a.npz", poses=poses, trans=np.array([[1.0, 2.0, 0.9]] * 2), gender="male", betas=np.zeros(16), **{key: 120.0})
    motion = io.read(tmp_path / "a.npz")
    assert motion.fps == 120.0
    np.testing.assert_allclose(motion.root, [[1, 0.9, -2]] * 2, atol=1e-6)
    rest = choreia24().offsets
    np.testing.assert_allclose(positions(motion)[0, 1] - motion.root[0], rest[1], atol=1e-6)


def test_smpl_options(tmp_path):
    np.savez(tmp_path / "a.npz", smpl_poses=np.zeros((2, 72)), smpl_trans=np.zeros((2, 3)))
    motion = io.read(tmp_path / "a.npz", fps=30.0, pelvis_offset_m=(0, -0.24, 0.03))
    assert motion.fps == 30.0
    np.testing.assert_allclose(motion.root, [[0, -0.24, 0.03]] * 2, atol=1e-6)


# ------------------------------------------------------------------------------------------------------------------ hostile


class Runs:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("place", ["instead", "inside"])
def test_a_pickle_that_runs_a_command_is_refused(tmp_path, protocol, place):
    bomb = Runs(f"touch {tmp_path}/ran")
    content = bomb if place == "instead" else {"smpl_poses": np.zeros((2, 72)), "smpl_trans": bomb}
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    with pytest.raises(ChoreiaError, match="refused"):
        io.read(tmp_path / "bomb.pkl")
    assert not (tmp_path / "ran").exists()


PICKLES = {
    "builtin": b"cbuiltins\neval\n(S'1+1'\ntR.",
    "numpy function": b"cnumpy\nfromfile\n(S'/etc/passwd'\ntR.",
    "an ndarray of terabytes": b"cnumpy\nndarray\n((L1000000000000L\ntS'f8'\ntR.",
    "reconstruct of terabytes": pickle.dumps(np.zeros(1), protocol=2).replace(b"K\x00\x85", b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85"),
    "memo of gigabytes": b"\x80\x02}r\xff\xff\xff\x7f.",
    "bytes longer than the file": b"\x80\x04\x8e\xff\xff\xff\xff\xff\x00\x00\x00abc.",
    "bytearray longer than the file": b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00abc.",
    "objects": pickle.dumps({"smpl_poses": np.array([{}], object), "smpl_trans": np.zeros((1, 3))}),
    "list": pickle.dumps([1, 2]),
    "truncated": pickle.dumps({"smpl_poses": np.zeros((2, 72))})[:-100],
    "deep": b"(" * 200_000 + b"l" * 200_000 + b".",
    "text": b"hello there, this is no pickle",
    "junk": bytes(range(256)),
    "empty": b"",
}


@pytest.mark.parametrize("kind", PICKLES)
def test_hostile_pickles_get_one_line(tmp_path, kind):
    (tmp_path / "a.pkl").write_bytes(PICKLES[kind])
    with pytest.raises(ChoreiaError) as caught:
        io.read(tmp_path / "a.pkl")
    assert "\n" not in str(caught.value)


def npz(tmp_path, **arrays):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    return path


def own_arrays(**changes):
    motion = random_take(4)
    arrays = {
        "format": "choreia-motion-1",
        "names": np.array(motion.skeleton.names),
        "parents": np.array(motion.skeleton.parents),
        "offsets": motion.skeleton.offsets,
        "root": motion.root,
        "rotations": motion.rotations,
        "fps": 30.0,
    }
    return {**arrays, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root": np.zeros((0, 3))}, "is due"),
        ({"root": np.zeros((4, 2))}, "'root'"),
        ({"root": np.full((4, 3), np.nan)}, "not finite"),
        ({"rotations": np.zeros((4, 24, 4))}, "unit quaternions"),
        ({"parents": np.array([-1] + [23] * 23)}, "after their parents"),
        ({"parents": np.full(24, 0)}, "after their parents"),
        ({"names": np.array(["a"] * 24)}, "equal names"),
        ({"fps": 0.0}, "frame rate"),
        ({"names": np.array(["a", "b"])}, "is due"),
        ({"fps": "fast"}, "'fps'"),
        ({"format": "another"}, "neither an AIST"),
    ],
)
def test_faulty_own_takes(tmp_path, changes, message):
    with pytest.raises(ChoreiaError, match=message):
        io.read(npz(tmp_path, **own_arrays(**changes)))


def test_pickled_objects_in_npz_are_refused(tmp_path):
    path = npz(tmp_path, **own_arrays(root=np.array([Runs(f"touch {tmp_path}/ran")], object)))
    with pytest.raises(ChoreiaError, match="pickled objects"):
        io.read(path)
    assert not (tmp_path / "ran").exists()


def test_npz_that_promises_more_than_it_holds(tmp_path):
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 3), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("poses.npy", header)
    with pytest.raises(ChoreiaError, match="cut short"):
        io.read(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"text", b"", bytes(range(256))])
def test_not_an_npz(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ChoreiaError):
        io.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"poses": np.zeros((4, 60)), "trans": np.zeros((4, 3))},
        {"poses": np.zeros((4, 72)), "trans": np.zeros((3, 3))},
        {"poses": np.full((4, 72), np.inf), "trans": np.zeros((4, 3))},
        {"poses": np.zeros((0, 72)), "trans": np.zeros((0, 3))},
        {"poses": np.zeros((4, 72))},
        {"poses": np.zeros((4, 72)), "trans": np.zeros((4, 3)), "mocap_framerate": 0.0},
        {"smpl_poses": np.zeros((4, 72)), "smpl_trans": np.zeros((4, 3)), "smpl_scaling": np.zeros(1)},
        {"poses": np.array("words"), "trans": np.zeros((4, 3))},
        {"something": np.zeros(3)},
    ],
)
def test_faulty_smpl_takes(tmp_path, arrays):
    with pytest.raises(ChoreiaError) as caught:
        io.read(npz(tmp_path, **arrays))
    assert str(tmp_path) in str(caught.value)


# ------------------------------------------------------------------------------------------------------------ files, suffixes


def test_unknown_suffixes_say_what_is_known(tmp_path):
    with pytest.raises(ChoreiaError, match=r"unknown suffix '\.fbx'; use one of \.bvh"):
        io.read(tmp_path / "a.fbx")
    with pytest.raises(ChoreiaError, match=r"cannot write .*\.csv"):
        io.write(tmp_path / "a.csv", random_take(2))


def test_only_choreia24_is_written_as_smpl(tmp_path):
    skeleton = Skeleton(("a",), (-1,), np.zeros((1, 3), np.float32))
    with pytest.raises(ChoreiaError, match="retarget first"):
        io.write(tmp_path / "a.pkl", Motion(skeleton, np.zeros((1, 3)), np.array([[[1.0, 0, 0, 0]]]), 30.0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, stop):
    final = tmp_path / "a.txt"
    final.write_text("old")
    with pytest.raises(stop), atomic_path(final) as partial:
        partial.write_text("half")
        raise stop
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert final.read_text() == "old"


def test_a_finished_write_takes_the_name(tmp_path):
    with atomic_path(tmp_path / "a.txt") as partial:
        assert partial.suffix == ".txt"
        partial.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
