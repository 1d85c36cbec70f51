"""glTF 2.0 binary files (.glb): the skinned dancer with its animation out, any animated or skinned node tree in.

Specification: Khronos glTF 2.0. Metres, seconds, Y up, facing +Z, as here; only quaternions change order (xyzw there).
What `Motion` cannot hold is left out on reading: scale animation, and translation of joints other than the root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pygltflib
import torch

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion import bone_figure, figure, rotations
from choreia.motion.figure import MATERIALS, Mesh
from choreia.motion.io import gltf_tree
from choreia.motion.skeleton import choreia24
from choreia.types import Motion, Skeleton


@dataclass
class Blob:
    """A document being written, its binary chunk and the accessors into that."""

    document: pygltflib.GLTF2
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, values: np.ndarray, kind: str, target: int | None = None, bounds: bool = False) -> int:
        """Append an array (n, ...) as a buffer view of its own with one accessor; returns the accessor's number."""
        data = np.ascontiguousarray(values).tobytes()
        view = pygltflib.BufferView(buffer=0, byteOffset=self.size, byteLength=len(data), target=target)
        self.document.bufferViews.append(view)
        flat = values.reshape(len(values), -1)
        self.document.accessors.append(
            pygltflib.Accessor(
                bufferView=len(self.document.bufferViews) - 1,
                componentType=_COMPONENTS[values.dtype],
                count=len(values),
                type=kind,
                min=flat.min(axis=0).tolist() if bounds else None,
                max=flat.max(axis=0).tolist() if bounds else None,
            )
        )
        padded = data + bytes(-len(data) % 4)
        self.parts.append(padded)
        self.size += len(padded)
        return len(self.document.accessors) - 1


_COMPONENTS = {
    np.dtype(np.uint8): pygltflib.UNSIGNED_BYTE,
    np.dtype(np.uint16): pygltflib.UNSIGNED_SHORT,
    np.dtype(np.uint32): pygltflib.UNSIGNED_INT,
    np.dtype(np.float32): pygltflib.FLOAT,
}


def write(path: str | os.PathLike[str], motion: Motion, mesh: Mesh | None = None) -> None:
    """Write a skinned, animated figure.

    Args:
        path: the .glb file.
        motion: any skeleton; T frames at `fps` become linear key frames at i / fps seconds.
        mesh: what moves: by default the dancer for choreia-24 and a bone for every joint of other skeletons.
    Raises:
        ChoreiaError: no frames, or a place that cannot be written.
    """
    save(path, animated(motion, mesh))


def animated(motion: Motion, mesh: Mesh | None = None) -> Blob:
    """The document of `write`, to which more can be added: one scene, one animation. ChoreiaError when the motion has no frames."""
    if len(motion) == 0:
        raise ChoreiaError("cannot write a scene: the motion has no frames")
    skin = mesh or (figure.dancer() if motion.skeleton.names == choreia24().names else bone_figure.bones(motion.skeleton))
    document = pygltflib.GLTF2(asset=pygltflib.Asset(version="2.0", generator="choreia"))
    blob = Blob(document)
    _add_nodes(document, motion)
    _add_mesh(blob, skin)
    _add_skin(blob, motion.skeleton, skin)
    _add_animation(blob, motion)
    return blob


def save(path: str | os.PathLike[str], blob: Blob) -> None:
    """Write a finished document, whole or not at all; ChoreiaError where that cannot be."""
    blob.document.buffers.append(pygltflib.Buffer(byteLength=blob.size))
    blob.document.set_binary_blob(b"".join(blob.parts))
    with atomic_path(path) as partial:
        blob.document.save_binary(str(partial))


def _add_nodes(document: pygltflib.GLTF2, motion: Motion) -> None:
    """A node for each joint, in its pose at the first frame, and one that holds the mesh."""
    skeleton = motion.skeleton
    places = np.asarray(skeleton.offsets, float).copy()
    places[0] = motion.root[0]
    turns = to_xyzw(motion.rotations[0])
    for j, name in enumerate(skeleton.names):
        children = [k for k, parent in enumerate(skeleton.parents) if parent == j]
        node = pygltflib.Node(name=name, translation=places[j].tolist(), rotation=turns[j].tolist(), children=children)
        document.nodes.append(node)
    document.nodes.append(pygltflib.Node(name="figure", mesh=0, skin=0))
    roots = [j for j, parent in enumerate(skeleton.parents) if parent < 0]
    document.scenes.append(pygltflib.Scene(name="stage", nodes=[*roots, len(skeleton.names)]))
    document.scene = 0


def _add_mesh(blob: Blob, mesh: Mesh) -> None:
    """One primitive and one material for each material that the mesh uses, with vertices of its own."""
    primitives = []
    for number in np.unique(mesh.material):
        own = np.flatnonzero(mesh.material == number)
        faces = mesh.faces[mesh.material[mesh.faces[:, 0]] == number]
        attributes = pygltflib.Attributes(
            POSITION=blob.add(mesh.vertices[own], pygltflib.VEC3, pygltflib.ARRAY_BUFFER, bounds=True),
            NORMAL=blob.add(mesh.normals[own], pygltflib.VEC3, pygltflib.ARRAY_BUFFER),
            JOINTS_0=blob.add(mesh.joints[own], pygltflib.VEC4, pygltflib.ARRAY_BUFFER),
            WEIGHTS_0=blob.add(mesh.weights[own], pygltflib.VEC4, pygltflib.ARRAY_BUFFER),
        )
        indices = np.searchsorted(own, faces).astype(np.uint32).reshape(-1)
        material = MATERIALS[int(number)]
        colour, rough = [*material.colour, 1.0], 1 - 0.7 * material.gloss
        look = pygltflib.PbrMetallicRoughness(baseColorFactor=colour, metallicFactor=0.0, roughnessFactor=rough)
        blob.document.materials.append(pygltflib.Material(name=material.name, pbrMetallicRoughness=look))
        numbered = blob.add(indices, pygltflib.SCALAR, pygltflib.ELEMENT_ARRAY_BUFFER)
        primitives.append(pygltflib.Primitive(attributes=attributes, indices=numbered, material=len(blob.document.materials) - 1))
    blob.document.meshes.append(pygltflib.Mesh(name="figure", primitives=primitives))


def _add_skin(blob: Blob, skeleton: Skeleton, mesh: Mesh) -> None:
    """The joints and what takes the mesh's rest pose to each of them."""
    rest = figure.rest_positions(choreia24() if skeleton.names == choreia24().names else skeleton, mesh.root)
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(rest), 1, 1))
    inverse[:, :3, 3] = -rest
    columns = inverse.transpose(0, 2, 1)
    numbered = blob.add(np.ascontiguousarray(columns), pygltflib.MAT4)
    blob.document.skins.append(pygltflib.Skin(inverseBindMatrices=numbered, skeleton=0, joints=list(range(len(rest)))))


def _add_animation(blob: Blob, motion: Motion) -> None:
    """Root translation and every joint's rotation, linear between frames."""
    times = clock.frame_times(len(motion), motion.fps).astype(np.float32)
    at = blob.add(times, pygltflib.SCALAR, bounds=True)
    turns = rotations.continuous(torch.from_numpy(np.asarray(motion.rotations, np.float64))).numpy()
    turns = to_xyzw(turns).astype(np.float32)
    tracks = [(0, "translation", blob.add(np.asarray(motion.root, np.float32), pygltflib.VEC3))]
    tracks += [(j, "rotation", blob.add(turns[:, j], pygltflib.VEC4)) for j in range(turns.shape[1])]
    samplers = [pygltflib.AnimationSampler(input=at, output=values, interpolation="LINEAR") for _, _, values in tracks]
    channels = [
        pygltflib.AnimationChannel(sampler=number, target=pygltflib.AnimationChannelTarget(node=node, path=path))
        for number, (node, path, _) in enumerate(tracks)
    ]
    blob.document.animations.append(pygltflib.Animation(name="dance", samplers=samplers, channels=channels))


def to_xyzw(wxyz: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) in glTF's order, at length 1, float64."""
    single = np.asarray(wxyz, np.float64)
    return np.roll(single / np.linalg.norm(single, axis=-1, keepdims=True), -1, axis=-1)


def read(path: str | os.PathLike[str]) -> Motion:
    """Read the first animation of a .glb file.

    The joints are those of the first skin, or else the animated nodes; nodes between them become joints too, and whatever
    stands above the top joint (armatures with a scale of 0.01, turned axes) is applied to it. Evenly spaced keys keep their
    rate, others are sampled at 30 fps; files without animation give one frame.

    Raises:
        ChoreiaError: not a GLB file, damaged, or without joints.
    """
    tree = gltf_tree.load(path)
    joints = gltf_tree.joint_nodes(tree)
    nodes = _with_ancestors(tree, joints)
    times, fps = gltf_tree.frame_times(tree, nodes)
    local = {node: gltf_tree.local_track(tree, node, times) for node in nodes}
    place, turn, scale = _above(tree, joints[0], local, len(times))
    top = local[joints[0]]
    root = place + _rotate(turn, scale * top.translation)
    turns = np.stack([local[node].rotation for node in joints], axis=1)
    turns[:, 0] = rotations.multiply(torch.from_numpy(turn), torch.from_numpy(turns[:, 0])).numpy()
    skeleton = _skeleton(tree, joints, local, scale[0])
    if not (np.isfinite(root).all() and np.isfinite(turns).all() and np.isfinite(skeleton.offsets).all()):
        raise ChoreiaError(f"{path}: the animation contains values that are not numbers")
    return Motion(skeleton, root.astype(np.float32), turns.astype(np.float32), fps)


def _with_ancestors(tree: gltf_tree.Tree, joints: Sequence[int]) -> list[int]:
    """The joints and everything above the top one."""
    above, node = [], tree.parents[joints[0]]
    while node >= 0:
        above.append(node)
        node = tree.parents[node]
    return [*joints, *above]


def _above(tree: gltf_tree.Tree, top: int, local: dict[int, gltf_tree.Track], frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What stands above the top joint, as world position (T, 3), rotation (T, 4) and scale (T, 3)."""
    place, turn, scale = np.zeros((frames, 3)), np.tile([1.0, 0, 0, 0], (frames, 1)), np.ones((frames, 3))
    for node in reversed(_with_ancestors(tree, [top])[1:]):
        track = local[node]
        place = place + _rotate(turn, scale * track.translation)
        turn = rotations.multiply(torch.from_numpy(turn), torch.from_numpy(track.rotation)).numpy()
        scale = scale * track.scale
    return place, turn, scale


def _rotate(wxyz: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return rotations.rotate(torch.from_numpy(wxyz), torch.from_numpy(vectors)).numpy()


def _skeleton(tree: gltf_tree.Tree, joints: Sequence[int], local: dict[int, gltf_tree.Track], scale: np.ndarray) -> Skeleton:
    """Names, parents and offsets of the joints, the scales above each multiplied in."""
    number = {node: j for j, node in enumerate(joints)}
    parents = tuple(number.get(tree.parents[node], -1) if j else -1 for j, node in enumerate(joints))
    grown = {joints[0]: scale * local[joints[0]].scale[0]}
    offsets = np.zeros((len(joints), 3), np.float32)
    for j, node in enumerate(joints[1:], start=1):
        above = grown[tree.parents[node]]
        offsets[j] = above * local[node].translation[0]
        grown[node] = above * local[node].scale[0]
    return Skeleton(gltf_tree.unique_names(tree.names[node] for node in joints), parents, offsets)
