"""Biovision hierarchy files (.bvh): a tokenising reader for what is found in the wild, and a writer.

Format: M. Meredith and S. Maddock, "Motion capture file formats explained" (2001). Rules kept here, where programs differ:
position channels replace the joint's OFFSET, as Blender does; rotation channels multiply in the order they are listed; BVH states no
unit, so lengths are taken as centimetres unless `unit_m` says otherwise. Body size is made right by `motion.retarget`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from choreia.files import atomic_path
from choreia.motion import euler
from choreia.motion import rotations as rot
from choreia.motion.io.bvh_text import END, Joint, parse
from choreia.types import Motion, Skeleton

CENTIMETRE = 0.01
_MOVES_M = 1e-3  # a joint whose position channels stay within this is a rigid bone
_WHOLE = 0.8  # share of the joints that must hang below a travelling joint for it to be taken for the hips


# ---------------------------------------------------------------------------------------------------------------- reading


def read(path: str | os.PathLike[str], unit_m: float = CENTIMETRE, end_sites: bool = False) -> Motion:
    """Read a BVH file.

    Args:
        path: the file.
        unit_m: metres in one unit of length of the file; the default takes centimetres. Nothing is guessed.
        end_sites: whether End Sites become joints, named after their parent with `_end`, that never turn.
    Returns:
        The take at the file's frame rate. Position channels of joints below the root give bone lengths (their median over time);
        if such a joint really travels (hips under a still "reference" node), it becomes the root and what is above it is dropped.
    Raises:
        ChoreiaError: anything that is not a whole BVH file with one figure, naming the line.
    """
    joints, fps, values = parse(Path(path))
    motion = _assemble(joints, values, fps, unit_m)
    return motion if end_sites else _without_ends(motion, joints)


def _assemble(joints: list[Joint], values: np.ndarray, fps: float, unit_m: float) -> Motion:
    names = tuple(joint.name for joint in joints)
    parents = tuple(joint.parent for joint in joints)
    rotations, place = _channels(joints, values)
    place *= unit_m
    offsets = np.median(place, axis=0)
    travel = np.abs(place - offsets).max(axis=(0, 2)) if len(place) > 1 else np.zeros(len(joints))
    offsets[0] = 0.0
    motion = Motion(Skeleton(names, parents, offsets.astype(np.float32)), place[:, 0].astype(np.float32), rotations, fps)
    hips = next((j for j in range(1, len(joints)) if travel[j] > _MOVES_M and not joints[j].end), 0)
    below = subtree(parents, hips)
    return _reroot(motion, place, below) if hips and len(below) >= _WHOLE * len(joints) else motion


def _channels(joints: list[Joint], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local rotations (T, J, 4) and local positions (T, J, 3) in the file's unit; joints of the same channel layout go together."""
    frames = len(values)
    rotations = np.zeros((frames, len(joints), 4), np.float32)
    place = np.broadcast_to([joint.offset for joint in joints], (frames, len(joints), 3)).copy()
    first = np.cumsum([0] + [len(joint.channels) for joint in joints])
    for layout in {tuple(joint.channels) for joint in joints}:
        group = [j for j, joint in enumerate(joints) if tuple(joint.channels) == layout]
        turns = [k for k, (_, kind) in enumerate(layout) if kind == "rotation"]
        degrees = values[:, first[group][:, None] + np.array(turns, int)]
        rotations[:, group] = euler.to_quaternion("".join(layout[k][0] for k in turns), np.deg2rad(degrees))
        for k, (axis, kind) in enumerate(layout):
            if kind == "position":
                place[:, group, "XYZ".index(axis)] = values[:, first[group] + k]
    return rotations, place


def subtree(parents: tuple[int, ...], top: int) -> list[int]:
    """Indices of `top` and everything below it, in order."""
    inside = {top}
    for joint, parent in enumerate(parents):
        if parent in inside:
            inside.add(joint)
    return sorted(inside)


def _reroot(motion: Motion, place: np.ndarray, keep: list[int]) -> Motion:
    """The part of the take below `keep[0]`, whose own travel and the turns above it become the root's."""
    q = torch.from_numpy(motion.rotations.astype(np.float64))
    local = torch.from_numpy(place)
    parents = motion.skeleton.parents
    chain = [keep[0]]
    while parents[chain[-1]] >= 0:
        chain.append(parents[chain[-1]])
    position, turn = local[:, 0], q[:, 0]
    for joint in reversed(chain[:-1]):
        position = position + rot.rotate(turn, local[:, joint])
        turn = rot.multiply(turn, q[:, joint])
    part = select(motion, keep)
    rotations = part.rotations.copy()
    rotations[:, 0] = turn.numpy()
    return Motion(part.skeleton, position.numpy().astype(np.float32), rotations, motion.fps)


def select(motion: Motion, keep: list[int]) -> Motion:
    """The take on the joints `keep` only, whose parents must be among them but for the first."""
    skeleton = motion.skeleton
    number = {joint: k for k, joint in enumerate(keep)}
    offsets = skeleton.offsets[keep].copy()
    offsets[0] = 0.0
    parents = tuple(number.get(skeleton.parents[joint], -1) for joint in keep)
    return Motion(Skeleton(tuple(skeleton.names[j] for j in keep), parents, offsets), motion.root, motion.rotations[:, keep], motion.fps)


def _without_ends(motion: Motion, joints: list[Joint]) -> Motion:
    ends = {joint.name for joint in joints if joint.end}
    return select(motion, [j for j, name in enumerate(motion.skeleton.names) if name not in ends])


# ---------------------------------------------------------------------------------------------------------------- writing


def write(path: str | os.PathLike[str], motion: Motion, unit_m: float = CENTIMETRE, order: str = "ZXY") -> None:
    """Write a BVH file, in centimetres and with ZXY rotations unless told otherwise; the rest pose stands in the offsets.

    Angles run on past 180 degrees instead of jumping. A leaf named after its parent with `_end` is written as an End Site; other leaves
    get an End Site half as long as their bone.
    """
    with atomic_path(path) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines((motion,), len(motion), unit_m, order))


def lines(pieces: Iterable[Motion], frames: int, unit_m: float = CENTIMETRE, order: str = "ZXY") -> Iterator[str]:
    """The text of `write` for a take of `frames` frames that comes in pieces: the header with the first, then a line a frame."""
    last: np.ndarray | None = None
    for piece in pieces:
        if last is None:
            hierarchy = ["HIERARCHY", *_hierarchy_lines(piece.skeleton, unit_m, order), "MOTION", f"Frames: {frames}"]
            yield "\n".join(hierarchy) + f"\nFrame Time: {1 / piece.fps:.9f}\n"
        angles = _angles(piece, order)
        runs_on = np.unwrap(angles if last is None else np.concatenate([last[:1], angles]), axis=0)[-len(piece) :]
        runs_on += 0 if last is None else last[1] - last[0]
        values = np.concatenate([piece.root / unit_m, np.rad2deg(runs_on)], axis=1)
        row = " ".join(["%.6f"] * values.shape[1]) + "\n"
        yield from (row % tuple(frame) for frame in values.tolist())
        last = np.stack([angles[-1], runs_on[-1]])


def _is_end(skeleton: Skeleton, joint: int) -> bool:
    parent = skeleton.parents[joint]
    return parent >= 0 and skeleton.names[joint] == skeleton.names[parent] + END and joint not in skeleton.parents


def _hierarchy_lines(skeleton: Skeleton, unit_m: float, order: str) -> list[str]:
    turns = " ".join(f"{axis}rotation" for axis in order)
    lines: list[str] = []

    def joint_lines(joint: int, depth: int) -> None:
        pad = "\t" * depth
        if _is_end(skeleton, joint):
            lines.extend(_end_lines(skeleton.offsets[joint] / unit_m, pad))
            return
        kind, channels = ("ROOT", f"6 Xposition Yposition Zposition {turns}") if depth == 0 else ("JOINT", f"3 {turns}")
        name = re.sub(r"[\s{}]+", "_", skeleton.names[joint])
        offset = _triple(skeleton.offsets[joint] / unit_m)
        lines.extend([f"{pad}{kind} {name}", f"{pad}{{", f"{pad}\tOFFSET {offset}", f"{pad}\tCHANNELS {channels}"])
        children = [k for k, parent in enumerate(skeleton.parents) if parent == joint]
        for child in children:
            joint_lines(child, depth + 1)
        if not children:
            lines.extend(_end_lines(skeleton.offsets[joint] / unit_m / 2, pad + "\t"))
        lines.append(pad + "}")

    joint_lines(0, 0)
    return lines


def _end_lines(offset: np.ndarray, pad: str) -> list[str]:
    return [f"{pad}End Site", f"{pad}{{", f"{pad}\tOFFSET {_triple(offset)}", f"{pad}}}"]


def _triple(offset: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in offset)


def _depth_first(parents: tuple[int, ...], joint: int = 0) -> list[int]:
    below = [k for k, parent in enumerate(parents) if parent == joint]
    return [joint] + [deeper for child in below for deeper in _depth_first(parents, child)]


def _angles(motion: Motion, order: str) -> np.ndarray:
    """Angles (T, 3 J) in radians in the order in which the hierarchy lists the joints."""
    skeleton = motion.skeleton
    listed = [joint for joint in _depth_first(skeleton.parents) if not _is_end(skeleton, joint)]
    return euler.from_quaternion(order, motion.rotations[:, listed]).reshape(len(motion), -1)
