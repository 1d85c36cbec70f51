"""Biovision hierarchy files (.bvh): a tokenising reader for what is found in the wild, and a writer.

Format: M. Meredith and S. Maddock, "Motion capture file formats explained" (2001). Rules kept here, where programs differ:
position channels replace the joint's OFFSET, as Blender does; rotation channels multiply in the order they are listed; BVH states no
unit, so lengths are taken as centimetres unless `unit_m` says otherwise. Body size is made right by `motion.retarget`.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.files import atomic_path, read_bytes
from choreia.motion import euler
from choreia.motion import rotations as rot
from choreia.types import Motion, Skeleton

CENTIMETRE = 0.01
END = "_end"
"""Suffix of the names that end sites get when they are read as joints."""

_CHANNELS = {f"{axis}{kind}".lower(): (axis, kind) for axis in "XYZ" for kind in ("position", "rotation")}
_COMMENT = re.compile(rb"(?m)(?:^|(?<=\s))(?:#|//)[^\n]*")
_MOVES_M = 1e-3  # a joint whose position channels stay within this is a rigid bone


@dataclass
class _Joint:
    name: str
    parent: int
    line: int
    offset: list[float] = field(default_factory=list)
    channels: list[tuple[str, str]] = field(default_factory=list)
    end: bool = False


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
    source = Path(path)
    text = _COMMENT.sub(b"", read_bytes(source).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    split = re.search(rb"(?mi)^[^\S\n]*MOTION\b", text)
    joints = _hierarchy(text[: split.start()] if split else text, source)
    if split is None:
        raise ChoreiaError(f"{source}: no MOTION block after the hierarchy; the file is cut short")
    width = sum(len(joint.channels) for joint in joints)
    fps, values = _motion(text, split.end(), width, source)
    motion = _assemble(joints, values, fps, unit_m, source)
    return motion if end_sites else _without_ends(motion, joints)


def _hierarchy(text: bytes, source: Path) -> list[_Joint]:
    """Joints in file order, end sites among them, each after its parent."""
    tokens = _Tokens(text, source)
    if tokens.next().upper() != "HIERARCHY":
        raise ChoreiaError(f"{source}, line {tokens.line}: not a BVH file, it must begin with HIERARCHY")
    joints: list[_Joint] = []
    stack: list[int] = []
    while tokens.more:
        word = tokens.next().upper()
        if word in ("ROOT", "JOINT", "END"):
            stack.append(_open_joint(word, tokens, joints, stack))
        elif word == "}" and stack:
            _check_closed(joints[stack.pop()], source)
        elif word == "OFFSET" and stack:
            joints[stack[-1]].offset = [tokens.number() for _ in range(3)]
        elif word == "CHANNELS" and stack:
            joints[stack[-1]].channels = [tokens.channel() for _ in range(tokens.count())]
        else:
            raise tokens.error(f"unexpected {word[:40]!r} in the hierarchy")
    if stack:
        raise tokens.error(f"the hierarchy ends inside joint {joints[stack[-1]].name!r} (line {joints[stack[-1]].line}); a closing brace is missing")
    if not joints:
        raise ChoreiaError(f"{source}, line {tokens.line}: the hierarchy has no joints")
    return joints


def _open_joint(word: str, tokens: _Tokens, joints: list[_Joint], stack: list[int]) -> int:
    """Append the joint that `word` opens; its index."""
    line = tokens.line
    name = tokens.name()
    if word == "ROOT" and joints:
        raise ChoreiaError(f"{tokens.source}, line {line}: a second ROOT {name!r}; keep one figure per file")
    if word != "ROOT" and not stack:
        raise ChoreiaError(f"{tokens.source}, line {line}: {word} {name!r} stands outside the ROOT")
    parent = stack[-1] if stack else -1
    if word == "END":
        name = _free_name(joints[parent].name + END, joints)
    elif not name:
        raise ChoreiaError(f"{tokens.source}, line {line}: a joint without a name")
    earlier = next((joint.line for joint in joints if joint.name == name), None)
    if earlier is not None:
        raise ChoreiaError(f"{tokens.source}, line {line}: joint {name!r} was already defined on line {earlier}; names must differ")
    joints.append(_Joint(name, parent, line, end=word == "END"))
    return len(joints) - 1


def _free_name(name: str, joints: list[_Joint]) -> str:
    taken = {joint.name for joint in joints}
    return next(candidate for k in range(1, len(joints) + 2) if (candidate := name if k == 1 else f"{name}{k}") not in taken)


def _check_closed(joint: _Joint, source: Path) -> None:
    if not joint.offset:
        raise ChoreiaError(f"{source}, line {joint.line}: joint {joint.name!r} has no OFFSET")


class _Tokens:
    """Words of the hierarchy with their line numbers; braces are words even without spaces around them."""

    def __init__(self, text: bytes, source: Path) -> None:
        self.source = source
        self._found = re.compile(rb"[{}]|[^\s{}]+|\n").finditer(text)
        self.line = 1
        self._ahead: str | None = None
        self._ahead_lines = 0
        self._advance()

    def _advance(self) -> None:
        self._ahead = None
        self._ahead_lines = 0
        for match in self._found:
            word = match.group()
            if word != b"\n":
                self._ahead = word.decode("utf-8", "replace")
                return
            self._ahead_lines += 1

    @property
    def more(self) -> bool:
        """Whether a word is left."""
        return self._ahead is not None

    def error(self, what: str) -> ChoreiaError:
        """An error at the last word read."""
        return ChoreiaError(f"{self.source}, line {self.line}: {what}")

    def next(self) -> str:
        """The next word; `line` is then its line."""
        self.line += self._ahead_lines
        if self._ahead is None:
            raise self.error("the file ends in the middle of the hierarchy")
        word = self._ahead
        self._advance()
        return word

    def name(self) -> str:
        """Words up to and with the opening brace, joined by underscores."""
        words: list[str] = []
        while (word := self.next()) != "{":
            words.append(word)
            if len(words) > 16:
                raise self.error("no opening brace after a joint's name")
        return "_".join(words)

    def number(self) -> float:
        """A finite number."""
        word = self.next()
        try:
            value = float(word)
        except ValueError:
            raise self.error(f"expected a number, found {word[:40]!r}") from None
        if not np.isfinite(value):
            raise self.error(f"the number {word!r} is not finite")
        return value

    def count(self) -> int:
        """Number of channels of a joint."""
        word = self.next()
        if not word.isdigit() or int(word) > 6:
            raise self.error(f"a joint has 0 to 6 channels, not {word[:40]!r}")
        return int(word)

    def channel(self) -> tuple[str, str]:
        """Axis and kind of a channel."""
        word = self.next()
        if word.lower() not in _CHANNELS:
            raise self.error(f"unknown channel {word[:40]!r}; expected Xposition, Yrotation and so on")
        return _CHANNELS[word.lower()]


def _motion(text: bytes, start: int, width: int, source: Path) -> tuple[float, np.ndarray]:
    """Frame rate and channel values (frames, width); nothing is allocated by the declared number of frames."""
    where = f"{source}, line {_line(text, start)}"
    frames = re.compile(rb"\s*Frames\s*:?\s*([^\s:]+)", re.I).match(text, start)
    if frames is None or not frames[1].isdigit():
        raise ChoreiaError(f"{where}: the frame count is missing; a line 'Frames: N' must follow MOTION")
    interval = re.compile(rb"\s*Frame\s*Time\s*:?\s*([^\s:]+)", re.I).match(text, frames.end())
    if interval is None:
        raise ChoreiaError(f"{source}, line {_line(text, frames.end()) + 1}: 'Frame Time: seconds' must follow the frame count")
    fps = _rate(interval[1], f"{source}, line {_line(text, interval.end())}")
    values = _numbers(text, interval.end(), source)
    declared = int(frames[1])
    if width == 0 or declared == 0 or len(values) == 0:
        raise ChoreiaError(f"{source}: there is no motion in it ({declared} frames of {width} channels)")
    if len(values) != declared * width:
        raise ChoreiaError(_miscount(text, interval.end(), width, declared, len(values), source))
    return fps, values.reshape(declared, width)


def _line(text: bytes, index: int) -> int:
    return text.count(b"\n", 0, index) + 1


def _rate(written: bytes, where: str) -> float:
    """Frames a second; the whole number whose frame time agrees with all digits written, if there is one."""
    try:
        seconds = float(written)
    except ValueError:
        seconds = float("nan")
    if not 1e-5 < seconds < 100:
        raise ChoreiaError(f"{where}: the frame time {written.decode('utf-8', 'replace')[:40]!r} is not a time in seconds")
    digits = len(written.partition(b".")[2]) if b"e" not in written.lower() else 9
    whole = max(1, round(1 / seconds))
    return float(whole) if abs(seconds - 1 / whole) <= 10.0**-digits else 1 / seconds


def _numbers(text: bytes, start: int, source: Path) -> np.ndarray:
    """All numbers from `start` on."""
    block = text[start:].strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(block, sep=" ") if block else np.zeros(0)
    except (DeprecationWarning, ValueError):
        raise ChoreiaError(_not_a_number(text, start, source)) from None
    if not np.isfinite(values).all():
        raise ChoreiaError(_not_a_number(text, start, source))
    return values


def _not_a_number(text: bytes, start: int, source: Path) -> str:
    for number, line in enumerate(text[start:].split(b"\n"), _line(text, start)):
        for word in line.split():
            try:
                good = np.isfinite(float(word))
            except ValueError:
                good = False
            if not good:
                return f"{source}, line {number}: {word.decode('utf-8', 'replace')[:40]!r} is not a finite number"
    return f"{source}: the motion block does not hold plain numbers"


def _miscount(text: bytes, start: int, width: int, declared: int, found: int, source: Path) -> str:
    for number, line in enumerate(text[start:].split(b"\n"), _line(text, start)):
        columns = len(line.split())
        if columns not in (0, width):
            return f"{source}, line {number}: {columns} columns where the hierarchy has {width} channels"
    return f"{source}: {declared} frames are declared but {found // width} are there; the count is wrong or the file is cut short"


def _assemble(joints: list[_Joint], values: np.ndarray, fps: float, unit_m: float, source: Path) -> Motion:
    names = tuple(joint.name for joint in joints)
    parents = tuple(joint.parent for joint in joints)
    rotations, place = _channels(joints, values)
    place *= unit_m
    offsets = np.median(place, axis=0)
    travel = np.abs(place - offsets).max(axis=(0, 2)) if len(place) > 1 else np.zeros(len(joints))
    offsets[0] = 0.0
    motion = Motion(Skeleton(names, parents, offsets.astype(np.float32)), place[:, 0].astype(np.float32), rotations, fps)
    moving = [j for j in range(1, len(joints)) if travel[j] > _MOVES_M and not joints[j].end]
    if moving and (below := subtree(parents, moving[0])) and len(below) > len(joints) / 2:
        return _reroot(motion, place, below)
    return motion


def _channels(joints: list[_Joint], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _without_ends(motion: Motion, joints: list[_Joint]) -> Motion:
    ends = {joint.name for joint in joints if joint.end}
    return select(motion, [j for j, name in enumerate(motion.skeleton.names) if name not in ends])


# ---------------------------------------------------------------------------------------------------------------- writing


def write(path: str | os.PathLike[str], motion: Motion, unit_m: float = CENTIMETRE, order: str = "ZXY") -> None:
    """Write a BVH file, in centimetres and with ZXY rotations unless told otherwise; the rest pose stands in the offsets.

    Angles run on past 180 degrees instead of jumping. A leaf named after its parent with `_end` is written as an End Site; other leaves
    get an End Site half as long as their bone.
    """
    lines = ["HIERARCHY", *_hierarchy_lines(motion.skeleton, unit_m, order), "MOTION", f"Frames: {len(motion)}"]
    values = _values(motion, unit_m, order)
    with atomic_path(path) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + f"\nFrame Time: {1 / motion.fps:.9f}\n")
        row = " ".join(["%.6f"] * values.shape[1]) + "\n"
        file.writelines(row % tuple(frame) for frame in values.tolist())


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
        lines.extend([f"{pad}{kind} {name}", f"{pad}{{", f"{pad}\tOFFSET {_triple(skeleton.offsets[joint] / unit_m)}", f"{pad}\tCHANNELS {channels}"])
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


def _values(motion: Motion, unit_m: float, order: str) -> np.ndarray:
    """Channel values (T, 3 + 3 J) in the order in which the hierarchy lists the joints."""
    skeleton = motion.skeleton
    listed = [joint for joint in _depth_first(skeleton.parents) if not _is_end(skeleton, joint)]
    angles = np.unwrap(euler.from_quaternion(order, motion.rotations[:, listed]), axis=0)
    return np.concatenate([motion.root / unit_m, np.rad2deg(angles).reshape(len(motion), -1)], axis=1)
