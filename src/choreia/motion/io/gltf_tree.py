"""A .glb file as a tree of nodes with key-framed translation, rotation and scale; distrusts every number in the file.

Specification: Khronos glTF 2.0, sections 3.6 (accessors), 3.11 (animations) and 4 (GLB container). STEP and LINEAR keys
are sampled exactly; of cubic splines the key values are kept and joined linearly.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.files import read_bytes
from choreia.motion import rotations

DEFAULT_FPS = 30.0
_SLOWEST_FPS = 9.9
_SAME_TIME_S = 1e-6
_MOST_VALUES = 20_000_000
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}


@dataclass(frozen=True)
class Keys:
    """A channel: `values` (n, 3) or (n, 4) at increasing `times` (n,) s, held (`step`) or joined linearly."""

    times: np.ndarray
    values: np.ndarray
    step: bool


@dataclass(frozen=True)
class Tree:
    """Nodes in file order: names, parents (-1 at the top), rest translation (N, 3), rotation wxyz (N, 4) and scale (N, 3).

    keys: channels by (node, "translation" | "rotation" | "scale"). skin: joint nodes of the first skin, perhaps empty.
    """

    path: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    translation: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    keys: dict[tuple[int, str], Keys]
    skin: tuple[int, ...]


@dataclass(frozen=True)
class Track:
    """A node through time: local translation (T, 3), rotation wxyz (T, 4) and scale (T, 3)."""

    translation: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray


def load(path: str | os.PathLike[str]) -> Tree:
    """Parse a file; ChoreiaError on anything that is not a whole, self-contained GLB with nodes."""
    content = read_bytes(path)
    try:
        document, binary = _chunks(content)
        return _tree(str(path), document, binary)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error, RecursionError, OverflowError) as error:
        raise ChoreiaError(f"{path} is not a readable GLB file: {_reason(error)}; export it again as glTF 2.0 binary") from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return f"missing or wrong {text}" if isinstance(error, KeyError | IndexError | TypeError | AttributeError) else text


def _chunks(content: bytes) -> tuple[dict, bytes]:
    """The JSON document and the binary chunk."""
    if content[:4] != b"glTF":
        raise ValueError("it does not start with 'glTF'")
    version, length = struct.unpack_from("<II", content, 4)
    if version != 2 or length > len(content):
        raise ValueError("it is cut short" if version == 2 else f"it has version {version}, not 2")
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", content, at)
        if at + 8 + size > length:
            raise ValueError("a chunk is cut short")
        chunks.setdefault(kind, content[at + 8 : at + 8 + size])
        at += 8 + size
    return json.loads(chunks[b"JSON"]), chunks.get(b"BIN\0", b"")


def _tree(path: str, document: dict, binary: bytes) -> Tree:
    nodes = document.get("nodes", [])
    if not nodes:
        raise ValueError("it has no nodes")
    places = [_node_place(node) for node in nodes]
    skins = document.get("skins", [])
    return Tree(
        path=path,
        names=tuple(str(node.get("name") or f"node{i}") for i, node in enumerate(nodes)),
        parents=_parents(nodes),
        translation=np.array([place[0] for place in places]),
        rotation=np.array([place[1] for place in places]),
        scale=np.array([place[2] for place in places]),
        keys=_channels(document, binary, len(nodes)),
        skin=tuple(_index(joint, len(nodes)) for joint in skins[0]["joints"]) if skins else (),
    )


def _index(value: object, limit: int) -> int:
    if not isinstance(value, int) or not 0 <= value < limit:
        raise ValueError(f"{value!r} is not one of its {limit} items")
    return value


def _parents(nodes: list[dict]) -> tuple[int, ...]:
    """The parent of each node; ValueError on nodes with two parents and on cycles."""
    parents = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        for child in node.get("children", []):
            if parents[_index(child, len(nodes))] >= 0:
                raise ValueError(f"node {child} has two parents")
            parents[child] = i
    reached = frontier = [i for i, parent in enumerate(parents) if parent < 0]
    while frontier:
        frontier = [child for i in frontier for child in nodes[i].get("children", [])]
        reached = reached + frontier
    if len(reached) < len(nodes):
        raise ValueError("its nodes form a cycle")
    return tuple(parents)


def _node_place(node: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rest translation, rotation wxyz and scale of a node, from its parts or its matrix."""
    if "matrix" in node:
        matrix = np.asarray(node["matrix"], float).reshape(4, 4).T
        scale = np.maximum(np.linalg.norm(matrix[:3, :3], axis=0), 1e-12)
        turn = rotations.matrix_to_quaternion(torch.from_numpy(matrix[:3, :3] / scale)).numpy()
        return matrix[:3, 3], turn, scale
    translation = np.asarray(node.get("translation", (0, 0, 0)), float).reshape(3)
    scale = np.asarray(node.get("scale", (1, 1, 1)), float).reshape(3)
    return translation, _unit(np.roll(np.asarray(node.get("rotation", (0, 0, 0, 1)), float).reshape(4), 1)[None])[0], scale


def _unit(wxyz: np.ndarray) -> np.ndarray:
    """Quaternions (n, 4) at length 1; ValueError where one is zero or not finite."""
    length = np.linalg.norm(wxyz, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and length.min(initial=1.0) > 1e-6):
        raise ValueError("a rotation is zero or not a number")
    return wxyz / length


def _channels(document: dict, binary: bytes, nodes: int) -> dict[tuple[int, str], Keys]:
    """The channels of the first animation."""
    keys = {}
    for animation in document.get("animations", [])[:1]:
        for channel in animation["channels"]:
            target = channel["target"]
            if "node" in target and target["path"] in ("translation", "rotation", "scale"):
                sampler = animation["samplers"][_index(channel["sampler"], len(animation["samplers"]))]
                keys[_index(target["node"], nodes), target["path"]] = _keys(document, binary, sampler, target["path"])
    return keys


def _keys(document: dict, binary: bytes, sampler: dict, path: str) -> Keys:
    times = _accessor(document, binary, sampler["input"])[:, 0].astype(float)
    values = _accessor(document, binary, sampler["output"]).astype(float)
    kind = sampler.get("interpolation", "LINEAR")
    if kind == "CUBICSPLINE":
        values = values[1::3]
    if not len(times) or len(values) != len(times) or values.shape[1] != (4 if path == "rotation" else 3):
        raise ValueError(f"a {path} track has {len(values)} values for {len(times)} times")
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any() or not np.isfinite(values).all():
        raise ValueError(f"a {path} track has values that are not numbers or times that do not increase")
    return Keys(times, _unit(np.roll(values, 1, axis=1)) if path == "rotation" else values, kind == "STEP")


def _accessor(document: dict, binary: bytes, number: object) -> np.ndarray:
    """The (count, width) values of an accessor into the file's own binary chunk."""
    accessor = document["accessors"][_index(number, len(document["accessors"]))]
    view = document["bufferViews"][_index(accessor["bufferView"], len(document["bufferViews"]))]
    if view.get("buffer", 0) != 0 or "uri" in document["buffers"][0] or "sparse" in accessor:
        raise ValueError("its data are sparse or outside the file")
    dtype, width, count = np.dtype(_TYPES[accessor["componentType"]]).newbyteorder("<"), _WIDTHS[accessor["type"]], accessor["count"]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    stride = view.get("byteStride") or dtype.itemsize * width
    end = start + stride * (count - 1) + dtype.itemsize * width
    if not (0 < count <= _MOST_VALUES and start >= 0 and stride >= dtype.itemsize * width and end <= len(binary)):
        raise ValueError("an accessor reaches beyond the data")
    values = np.ndarray((count, width), dtype, binary, start, (stride, dtype.itemsize))
    if not accessor.get("normalized") or dtype.kind == "f":
        return values
    return np.maximum(values / float(2 ** (8 * dtype.itemsize - (dtype.kind == "i")) - 1), -1)


def joint_nodes(tree: Tree) -> list[int]:
    """The nodes that become joints, parents first: the skin's, or the animated ones, and whatever lies between them."""
    chosen = set(tree.skin) or {node for node, _ in tree.keys}
    if not chosen:
        raise ChoreiaError(f"{tree.path} has neither a skin nor an animation: nothing to read a motion from")
    lines = {node: _line(tree, node) for node in chosen}
    tops = [next(n for n in line if n in chosen) for line in lines.values()]
    top = max(sorted(set(tops)), key=tops.count)
    kept = {n for node, line in lines.items() if top in line for n in line[line.index(top) :]}
    return sorted(kept, key=lambda node: (len(_line(tree, node)), node))


def _line(tree: Tree, node: int) -> list[int]:
    """A node's ancestors from the top of the tree down to itself."""
    line = [node]
    while tree.parents[line[-1]] >= 0:
        line.append(tree.parents[line[-1]])
    return line[::-1]


def frame_times(tree: Tree, nodes: Iterable[int]) -> tuple[np.ndarray, float]:
    """When to sample `nodes`, (T,) s, and the frame rate: the key rate where keys are even and 10 a second or more, else 30 fps."""
    wanted = set(nodes)
    tracks = [keys.times for (node, _), keys in tree.keys.items() if node in wanted]
    if not tracks:
        return np.zeros(1), DEFAULT_FPS
    first, last = min(times[0] for times in tracks), max(times[-1] for times in tracks)
    longest = max(tracks, key=len)
    gaps = np.diff(longest)
    even = len(gaps) > 0 and np.abs(gaps - gaps.mean()).max() < 0.02 * gaps.mean() < 0.02 / _SLOWEST_FPS
    if even and longest[0] == first and longest[-1] == last:
        return longest, _round_rate(1 / gaps.mean())
    if (last - first) * DEFAULT_FPS * len(tree.names) > _MOST_VALUES:
        raise ChoreiaError(f"{tree.path}: its animation is said to last {last - first:.0f} s, more than can be read")
    return first + clock.frame_times(clock.to_frame(last - first, DEFAULT_FPS) + 1, DEFAULT_FPS), DEFAULT_FPS


def _round_rate(fps: float) -> float:
    """The rate without the rounding of single-precision key times."""
    return float(round(fps)) if abs(fps - round(fps)) < 2e-4 * fps else round(fps, 3)


def local_track(tree: Tree, node: int, times: np.ndarray) -> Track:
    """A node's local translation, rotation and scale at times (T,) s; its rest values where it has no keys."""
    def sampled(path: str, rest: np.ndarray) -> np.ndarray:
        keys = tree.keys.get((node, path))
        return np.tile(rest, (len(times), 1)) if keys is None else _sample(keys, times)

    return Track(
        translation=sampled("translation", tree.translation[node]),
        rotation=sampled("rotation", tree.rotation[node]),
        scale=sampled("scale", tree.scale[node]),
    )


def _sample(keys: Keys, times: np.ndarray) -> np.ndarray:
    """Key values at times (T,), ends held."""
    after = np.clip(np.searchsorted(keys.times, times + _SAME_TIME_S, side="right"), 1, len(keys.times))
    low, high = after - 1, np.minimum(after, len(keys.times) - 1)
    gap = keys.times[high] - keys.times[low]
    part = np.clip((times - keys.times[low]) / np.where(gap > 0, gap, 1), 0, 1) * (not keys.step)
    if keys.values.shape[1] == 3:
        return keys.values[low] + (keys.values[high] - keys.values[low]) * part[:, None]
    a, b = torch.from_numpy(keys.values[low]), torch.from_numpy(keys.values[high])
    return np.where(part[:, None] == 0, keys.values[low], rotations.slerp(a, b, torch.from_numpy(part)).numpy())


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names with numbers added where they repeat."""
    seen: set[str] = set()
    result = []
    for name in names:
        fresh, count = name, 2
        while fresh in seen:
            fresh, count = f"{name}.{count}", count + 1
        seen.add(fresh)
        result.append(fresh)
    return tuple(result)
