"""GLB out and in: exact round trips, agreement with two other readers, foreign node trees, and files made to hurt."""

import json
import struct

import numpy as np
import pygltflib
import pytest
from scipy.spatial.transform import Rotation

from choreia.errors import ChoreiaError
from choreia.motion import figure, kinematics
from choreia.motion.io import glb
from choreia.motion.skeleton import choreia24
from choreia.types import Motion, Skeleton


def random_motion(frames=40, fps=30.0, skeleton=None, seed=0):
    """A smooth random motion."""
    skeleton = skeleton or choreia24()
    rng = np.random.default_rng(seed)
    joints = len(skeleton.names)
    vectors = np.cumsum(rng.normal(scale=0.08, size=(frames, joints, 3)), axis=0)
    turns = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat(scalar_first=True).reshape(frames, joints, 4)
    root = np.cumsum(rng.normal(scale=0.02, size=(frames, 3)), axis=0) + np.array([0, 0.95, 0])
    return Motion(skeleton, root.astype(np.float32), turns.astype(np.float32), fps)


def angle_deg(a, b):
    """Largest angle between two sets of quaternions, in degrees."""
    first, second = (Rotation.from_quat(q.reshape(-1, 4), scalar_first=True) for q in (a, b))
    return np.degrees((first.inv() * second).magnitude().max())


def pack(document, binary=b""):
    """A GLB file from its JSON and data."""
    text = json.dumps(document).encode() if isinstance(document, dict) else document
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def animated(nodes, times, tracks, interpolation="LINEAR", skin=None):
    """A small GLB: `tracks` maps (node, path) to values."""
    binary, views, accessors = b"", [], []

    def add(values, kind):
        nonlocal binary
        data = np.asarray(values, np.float32).tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        accessors.append({"bufferView": len(views) - 1, "componentType": 5126, "count": len(values), "type": kind})
        binary += data
        return len(accessors) - 1

    at = add(times, "SCALAR")
    outputs = [add(values, "VEC4" if path == "rotation" else "VEC3") for (_, path), values in tracks.items()]
    samplers = [{"input": at, "output": output, "interpolation": interpolation} for output in outputs]
    channels = [{"sampler": i, "target": {"node": node, "path": path}} for i, (node, path) in enumerate(tracks)]
    document = {"asset": {"version": "2.0"}, "nodes": nodes, "animations": [{"samplers": samplers, "channels": channels}]}
    document |= {"accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(binary)}]}
    return pack(document | ({"skins": [{"joints": skin}]} if skin else {}), binary)


@pytest.mark.parametrize("fps", [30.0, 24.0, 59.94, 120.0])
def test_round_trip(tmp_path, fps):
    motion = random_motion(fps=fps)
    glb.write(tmp_path / "a.glb", motion)
    back = glb.read(tmp_path / "a.glb")
    assert back.skeleton.names == motion.skeleton.names
    assert back.skeleton.parents == motion.skeleton.parents
    assert back.fps == fps
    assert np.abs(kinematics.positions(back) - kinematics.positions(motion)).max() <= 1e-4
    assert angle_deg(back.rotations, motion.rotations) <= 0.01


def test_one_frame_and_other_skeletons(tmp_path):
    skeleton = Skeleton(("hip", "knee", "toe"), (-1, 0, 1), np.array([(0, 0, 0), (0, -0.4, 0), (0, -0.4, 0.1)], np.float32))
    motion = random_motion(1, skeleton=skeleton)
    glb.write(tmp_path / "a.glb", motion)
    back = glb.read(tmp_path / "a.glb")
    assert len(back) == 1
    assert np.abs(kinematics.positions(back) - kinematics.positions(motion)).max() <= 1e-4


def test_same_motion_same_bytes(tmp_path):
    for name in ("a.glb", "b.glb"):
        glb.write(tmp_path / name, random_motion())
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()


def test_other_readers_see_a_skinned_figure(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    motion = random_motion()
    glb.write(tmp_path / "a.glb", motion)
    scene = trimesh.load(tmp_path / "a.glb")
    mesh = figure.dancer()
    assert sum(len(part.faces) for part in scene.geometry.values()) == len(mesh.faces)
    assert np.allclose(scene.bounds, [mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)], atol=1e-5)
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert document.asset.version == "2.0"
    assert len(document.skins[0].joints) == 24
    assert len(document.animations[0].channels) == 25
    assert {m.name for m in document.materials} == {m.name for m in figure.MATERIALS}
    for accessor in document.accessors:
        view = document.bufferViews[accessor.bufferView]
        assert view.byteOffset % 4 == 0
    times = document.accessors[document.animations[0].samplers[0].input]
    assert times.max == pytest.approx([(len(motion) - 1) / 30])


def test_first_frame_pose_is_the_scene_graph_that_trimesh_walks(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    motion = random_motion()
    glb.write(tmp_path / "a.glb", motion)
    graph = trimesh.load(tmp_path / "a.glb").graph
    expected = kinematics.positions(motion)[0]
    for j, name in enumerate(motion.skeleton.names):
        assert np.allclose(graph.get(name)[0][:3, 3], expected[j], atol=1e-5), name


def test_inverse_bind_matrices_undo_the_rest_pose(tmp_path):
    glb.write(tmp_path / "a.glb", random_motion(2))
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    accessor = document.accessors[document.skins[0].inverseBindMatrices]
    start = document.bufferViews[accessor.bufferView].byteOffset
    matrices = np.frombuffer(document.binary_blob(), np.float32, 24 * 16, start).reshape(24, 4, 4).transpose(0, 2, 1)
    rest = figure.rest_positions(choreia24(), figure.dancer().root)
    assert np.allclose(np.einsum("jab,jb->ja", matrices, np.column_stack([rest, np.ones(24)])), [0, 0, 0, 1], atol=1e-6)


def test_armature_above_the_joints_is_applied(tmp_path):
    quarter = [-np.sqrt(0.5), 0, 0, np.sqrt(0.5)]  # -90 degrees about x: z up becomes y up
    nodes = [
        {"name": "Armature", "scale": [0.01] * 3, "rotation": quarter, "children": [1]},
        {"name": "Hips", "translation": [0, 0, 100], "children": [2]},
        {"name": "Spine", "translation": [0, 0, 50]},
    ]
    turn = Rotation.from_euler("z", [[0], [90]], degrees=True).as_quat()
    tracks = {(1, "rotation"): turn, (1, "translation"): [[0, 0, 100], [10, 0, 100]]}
    (tmp_path / "a.glb").write_bytes(animated(nodes, [0, 1 / 30], tracks, skin=[1, 2]))
    motion = glb.read(tmp_path / "a.glb")
    place = kinematics.positions(motion)
    assert motion.skeleton.names == ("Hips", "Spine")
    assert np.allclose(place[0], [[0, 1, 0], [0, 1.5, 0]], atol=1e-6)
    assert np.allclose(place[1], [[0.1, 1, 0], [0.1, 1.5, 0]], atol=1e-6)


@pytest.mark.parametrize("interpolation", ["LINEAR", "STEP"])
def test_uneven_keys_are_sampled_at_thirty(tmp_path, interpolation):
    nodes = [{"name": "hip", "children": [1]}, {"name": "leg", "translation": [0, -1, 0]}]
    turns = Rotation.from_euler("x", [[0], [30], [90]], degrees=True).as_quat()
    (tmp_path / "a.glb").write_bytes(animated(nodes, [0, 0.2, 1.0], {(0, "rotation"): turns}, interpolation))
    motion = glb.read(tmp_path / "a.glb")
    assert motion.fps == 30
    assert len(motion) == 31
    degrees = Rotation.from_quat(motion.rotations[:, 0], scalar_first=True).as_euler("xyz", degrees=True)[:, 0]
    held = np.array([0, 30, 90])[np.searchsorted([0.2, 1.0], motion.times() + 1e-9, side="right")]
    joined = np.interp(motion.times(), [0, 0.2, 1], [0, 30, 90])
    assert np.allclose(degrees, joined if interpolation == "LINEAR" else held, atol=1e-3)


def test_node_matrices_repeated_names_and_a_skin_without_animation(tmp_path):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("y", 90, degrees=True).as_matrix()
    matrix[:3, 3] = [1, 2, 3]
    nodes = [{"name": "bone", "matrix": matrix.T.ravel().tolist(), "children": [1]}, {"name": "bone", "translation": [1, 0, 0]}]
    (tmp_path / "a.glb").write_bytes(pack({"asset": {"version": "2.0"}, "nodes": nodes, "skins": [{"joints": [0, 1]}]}))
    motion = glb.read(tmp_path / "a.glb")
    assert motion.skeleton.names == ("bone", "bone.2")
    assert np.allclose(kinematics.positions(motion)[0], [[1, 2, 3], [1, 2, 2]], atol=1e-6)


def good_file():
    nodes = [{"name": "hip", "children": [1]}, {"name": "leg", "translation": [0, -1, 0]}]
    return animated(nodes, [0, 0.5, 1.0], {(0, "rotation"): np.tile([0, 0, 0, 1.0], (3, 1))})


def document_of(content):
    size = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + size]), content[20 + size + 8 :]


def changed(change):
    document, binary = document_of(good_file())
    change(document)
    return pack(document, binary)


HOSTILE = {
    "text": b"hello, I am not a model",
    "junk": bytes(np.random.default_rng(0).integers(0, 256, 4096, dtype=np.uint8)),
    "magic only": b"glTF",
    "version 1": b"glTF" + struct.pack("<II", 1, 12),
    "cut short": good_file()[:-20],
    "not json": pack(b"{nope"),
    "json is a list": pack(b"[1, 2]"),
    "deep json": pack(b'{"a":' + b"[" * 100_000),
    "no nodes": pack({"asset": {"version": "2.0"}}),
    "nothing moves": pack({"asset": {"version": "2.0"}, "nodes": [{"name": "a"}]}),
    "a cycle": changed(lambda d: d["nodes"][1].update(children=[0])),
    "own child": changed(lambda d: d["nodes"][1].update(children=[1])),
    "child out of range": changed(lambda d: d["nodes"][1].update(children=[99])),
    "child is text": changed(lambda d: d["nodes"][1].update(children=["x"])),
    "a billion keys": changed(lambda d: [a.update(count=10**9) for a in d["accessors"]]),
    "negative count": changed(lambda d: [a.update(count=-3) for a in d["accessors"]]),
    "count is text": changed(lambda d: [a.update(count="3") for a in d["accessors"]]),
    "offset beyond": changed(lambda d: d["bufferViews"][1].update(byteOffset=10**6)),
    "negative offset": changed(lambda d: d["bufferViews"][1].update(byteOffset=-8)),
    "stride of zero width": changed(lambda d: d["bufferViews"][1].update(byteStride=1)),
    "external buffer": changed(lambda d: d["buffers"][0].update(uri="http://example.com/x.bin")),
    "wrong type": changed(lambda d: d["accessors"][1].update(type="VEC2")),
    "unknown component": changed(lambda d: d["accessors"][1].update(componentType=9)),
    "sampler missing": changed(lambda d: d["animations"][0].update(samplers=[])),
    "translation of two": changed(lambda d: d["nodes"][1].update(translation=[1, 2])),
    "translation of text": changed(lambda d: d["nodes"][1].update(translation="abc")),
    "zero quaternion": changed(lambda d: d["nodes"][1].update(rotation=[0, 0, 0, 0])),
    "infinite time": animated([{"name": "a"}], [0, 1, np.inf], {(0, "rotation"): np.tile([0, 0, 0, 1.0], (3, 1))}),
    "time runs back": animated([{"name": "a"}], [0, 1, 0.5], {(0, "rotation"): np.tile([0, 0, 0, 1.0], (3, 1))}),
    "not a number": animated([{"name": "a"}], [0, 1, 2], {(0, "translation"): np.full((3, 3), np.nan)}),
    "lasts for ages": animated([{"name": "a"}], [0, 1, 1e30], {(0, "rotation"): np.tile([0, 0, 0, 1.0], (3, 1))}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_give_one_line(tmp_path, name):
    (tmp_path / "bad.glb").write_bytes(HOSTILE[name])
    with pytest.raises(ChoreiaError) as caught:
        glb.read(tmp_path / "bad.glb")
    assert "\n" not in str(caught.value)
    assert "bad.glb" in str(caught.value)


@pytest.mark.parametrize("flips", range(4))
def test_damaged_files_never_crash_otherwise(tmp_path, flips):
    rng = np.random.default_rng(flips)
    whole = bytearray(good_file())
    for _ in range(60):
        bad = bytearray(whole)
        for at in rng.integers(0, len(bad), 1 + 3 * flips):
            bad[at] = rng.integers(0, 256)
        (tmp_path / "bad.glb").write_bytes(bytes(bad))
        try:
            glb.read(tmp_path / "bad.glb")
        except ChoreiaError as error:
            assert "\n" not in str(error)


def test_missing_and_empty_files(tmp_path):
    (tmp_path / "empty.glb").touch()
    for path in (tmp_path / "none.glb", tmp_path / "empty.glb", tmp_path):
        with pytest.raises(ChoreiaError):
            glb.read(path)


def test_writing_nothing_is_refused(tmp_path):
    with pytest.raises(ChoreiaError):
        glb.write(tmp_path / "a.glb", random_motion().slice(0, 0))
    assert not list(tmp_path.iterdir())
