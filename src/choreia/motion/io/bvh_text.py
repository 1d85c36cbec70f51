"""The text of a BVH file: words of the hierarchy into joints, the motion block into an array; every fault is named by its line."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import read_bytes

END = "_end"
"""Suffix of the names that end sites get when they are read as joints."""

_CHANNELS = {f"{axis}{kind}".lower(): (axis, kind) for axis in "XYZ" for kind in ("position", "rotation")}
_COMMENT = re.compile(rb"(?m)(?:^|(?<=\s))(?:#|//)[^\n]*")


@dataclass
class Joint:
    """A joint, or an end site, as the file states it: offset in the file's unit, channels as (axis, "position" or "rotation")."""

    name: str
    parent: int
    line: int
    offset: list[float] = field(default_factory=list)
    channels: list[tuple[str, str]] = field(default_factory=list)
    end: bool = False


def parse(source: Path) -> tuple[list[Joint], float, np.ndarray]:
    """Joints in file order (parents first, end sites among them), frame rate, channel values (frames, channels).

    Raises:
        ChoreiaError: anything that is not a whole BVH file with one figure.
    """
    text = _COMMENT.sub(b"", read_bytes(source).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    split = re.search(rb"(?mi)^[^\S\n]*MOTION\b", text)
    joints = _hierarchy(text[: split.start()] if split else text, source)
    if split is None:
        raise ChoreiaError(f"{source}: no MOTION block after the hierarchy; the file is cut short")
    width = sum(len(joint.channels) for joint in joints)
    return joints, *_motion(text, split.end(), width, source)


def _hierarchy(text: bytes, source: Path) -> list[Joint]:
    """Joints in file order, end sites among them, each after its parent."""
    tokens = _Tokens(text, source)
    if tokens.next().upper() != "HIERARCHY":
        raise ChoreiaError(f"{source}, line {tokens.line}: not a BVH file, it must begin with HIERARCHY")
    joints: list[Joint] = []
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
        inside = joints[stack[-1]]
        raise tokens.error(f"the hierarchy ends inside joint {inside.name!r} (line {inside.line}); a closing brace is missing")
    if not joints:
        raise ChoreiaError(f"{source}, line {tokens.line}: the hierarchy has no joints")
    return joints


def _open_joint(word: str, tokens: _Tokens, joints: list[Joint], stack: list[int]) -> int:
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
    joints.append(Joint(name, parent, line, end=word == "END"))
    return len(joints) - 1


def _free_name(name: str, joints: list[Joint]) -> str:
    taken = {joint.name for joint in joints}
    return next(candidate for k in range(1, len(joints) + 2) if (candidate := name if k == 1 else f"{name}{k}") not in taken)


def _check_closed(joint: Joint, source: Path) -> None:
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
    if frames is None or not frames[1].isdigit() or len(frames[1]) > 12:
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
