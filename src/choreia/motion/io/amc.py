"""Acclaim skeleton and motion files (.asf, .amc), as the CMU motion capture library publishes them; read only.

Format: M. Meredith and S. Maddock, "Motion capture file formats explained" (2001); J. Lander, "Working with motion capture file
formats" (1998). A bone turns by C · M · C^-1, with C its axis and M its degrees of freedom, both composed first-listed first
(Rz · Ry · Rx for "XYZ"), so that the rest pose needs no rotations. A joint stands where its bone begins.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.files import read_bytes
from choreia.motion import euler
from choreia.motion import rotations as rot
from choreia.types import Motion, Skeleton

INCH_M = 0.0254
"""Metres in an inch: a length in the files is value / (the skeleton's `length` unit, 0.45 at CMU) inches."""

END = "_end"


@dataclass
class _Bone:
    name: str
    line: int
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: np.ndarray = field(default_factory=lambda: np.zeros(3))
    order: str = "XYZ"
    dof: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Acclaim:
    """A skeleton file: bones in the order of the hierarchy (root first), index of each bone's parent, units."""

    bones: tuple[_Bone, ...]
    parents: tuple[int, ...]
    metres: float
    degrees: bool


def read(path: str | os.PathLike[str], asf: str | os.PathLike[str] | None = None, fps: float = 120.0, end_sites: bool = False) -> Motion:
    """Read an AMC take with its ASF skeleton.

    Args:
        path: the `.amc` file.
        asf: the skeleton; by default `05_01.amc` looks beside itself for `05_01.asf`, then `05.asf`, then the only `.asf` there.
        fps: frames a second, which the format does not say; 120 is the rule at CMU, and 60 the truth for some of its subjects.
        end_sites: whether the ends of the last bones become joints, named `<bone>_end`, that never turn.
    Returns:
        The take in metres. Bones without degrees of freedom keep still; stretching degrees of freedom are not followed.
    Raises:
        ChoreiaError: a file that is missing or not of its format, naming the line.
    """
    source = Path(path)
    acclaim = _read_asf(Path(asf) if asf is not None else _beside(source))
    turns, root = _read_amc(source, acclaim)
    skeleton = _skeleton(acclaim, end_sites)
    still = np.broadcast_to(np.array([1, 0, 0, 0], np.float32), (len(root), len(skeleton.names) - len(acclaim.bones), 4))
    return Motion(skeleton, root.astype(np.float32), np.concatenate([turns.astype(np.float32), still], axis=1), float(fps))


def _beside(amc: Path) -> Path:
    for stem in (amc.stem, amc.stem.split("_")[0]):
        for suffix in (".asf", ".ASF"):
            if amc.with_name(stem + suffix).is_file():
                return amc.with_name(stem + suffix)
    found = sorted(entry for entry in amc.parent.glob("*") if entry.suffix.lower() == ".asf") if amc.parent.is_dir() else []
    if not amc.is_file() or len(found) == 1:
        return found[0] if len(found) == 1 else amc
    raise ChoreiaError(f"{amc}: no skeleton beside it; put {amc.stem.split('_')[0]}.asf into the same folder")


# --------------------------------------------------------------------------------------------------------------- skeleton


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and words of every line that is neither blank nor a comment."""
    for number, line in enumerate(read_bytes(path).decode("utf-8", "replace").splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            yield number, words


def _read_asf(path: Path) -> _Acclaim:
    section = ""
    units = {"length": "1", "angle": "deg"}
    root = bone = _Bone("root", 0)
    bones = {"root": root}
    children: list[tuple[int, list[str]]] = []
    for number, words in _lines(path):
        where = f"{path}, line {number}"
        if words[0].startswith(":"):
            section, bone = words[0][1:].lower(), root
        elif section == "units":
            units[words[0].lower()] = words[-1]
        elif section == "bonedata" and words[0].lower() == "name":
            bone = _new_bone(bones, words, number, where)
        elif section in ("root", "bonedata"):
            _set_field(bone, words, where)
        elif section == "hierarchy" and words[0].lower() not in ("begin", "end"):
            children.append((number, words))
    if len(bones) == 1 or not children:
        raise ChoreiaError(f"{path}: not an ASF skeleton with bones; :bonedata or :hierarchy is missing or empty")
    names, parents = _tree(children, bones, path)
    unit = _numbers([units["length"]], 1, f"{path}, length in :units")[0]
    if unit <= 0:
        raise ChoreiaError(f"{path}: the length unit must be above 0")
    return _Acclaim(tuple(bones[name] for name in names), parents, INCH_M / unit, not units["angle"].lower().startswith("rad"))


def _new_bone(bones: dict[str, _Bone], words: list[str], number: int, where: str) -> _Bone:
    name = "_".join(words[1:])
    if not name:
        raise ChoreiaError(f"{where}: a bone without a name")
    if name in bones:
        raise ChoreiaError(f"{where}: bone {name!r} was already defined on line {bones[name].line}; names must differ")
    bones[name] = _Bone(name, number)
    return bones[name]


def _set_field(bone: _Bone, words: list[str], where: str) -> None:
    """Take in one line of :root or of a bone; limits, masses and numbers of bones are of no use here."""
    key = words[0].lower()
    if key == "direction":
        bone.direction = _numbers(words[1:], 3, where)
    elif key == "length":
        bone.length = _numbers(words[1:], 1, where)[0]
    elif key == "orientation":
        bone.axis = _numbers(words[1:], 3, where)
    elif key == "axis":
        bone.order = words[-1].upper()
        bone.axis = bone.axis if len(words) == 2 else _numbers(words[1:-1], 3, where)
        if sorted(bone.order) != ["X", "Y", "Z"]:
            raise ChoreiaError(f"{where}: the order of an axis is XYZ, ZYX and so on, not {words[-1][:40]!r}")
    elif key in ("dof", "order"):
        bone.dof = tuple(word.lower() for word in words[1:])
        if unknown := [word for word in bone.dof if word not in ("rx", "ry", "rz", "tx", "ty", "tz", "l")]:
            raise ChoreiaError(f"{where}: unknown degree of freedom {unknown[0][:40]!r}")


def _numbers(words: list[str], count: int, where: str) -> np.ndarray:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.zeros(0)
    if len(values) != count or not np.isfinite(values).all():
        raise ChoreiaError(f"{where}: expected {count} finite numbers, found {' '.join(words)[:60]!r}")
    return values


def _tree(children: list[tuple[int, list[str]]], bones: dict[str, _Bone], path: Path) -> tuple[list[str], tuple[int, ...]]:
    """Names and parents, breadth first from the root; every bone at most once, so that no cycle can be."""
    parent_of: dict[str, str] = {}
    for number, words in children:
        for name in words:
            if name not in bones:
                raise ChoreiaError(f"{path}, line {number}: the hierarchy names {name[:40]!r}, which is no bone")
        for child in words[1:]:
            if child in parent_of or child == "root":
                raise ChoreiaError(f"{path}, line {number}: {child!r} has two parents")
            parent_of[child] = words[0]
    names = ["root"]
    for name in names:
        names.extend(child for child, parent in parent_of.items() if parent == name)
    if lost := [name for name in bones if name not in names]:
        where = f"{path}, line {bones[lost[0]].line}"
        raise ChoreiaError(f"{where}: bone {lost[0]!r} does not hang on the root; the hierarchy is cyclic or incomplete")
    return names, tuple(-1 if name == "root" else names.index(parent_of[name]) for name in names)


def _skeleton(acclaim: _Acclaim, end_sites: bool) -> Skeleton:
    """Joints at the beginnings of the bones, then, if wanted, at the ends of the last ones."""
    ends = [bone.length * acclaim.metres * _unit(bone.direction) for bone in acclaim.bones]
    parents = list(acclaim.parents)
    if end_sites:
        parents += [j for j in range(len(acclaim.bones)) if j not in acclaim.parents]
    leaves = parents[len(acclaim.bones) :]
    names = [bone.name for bone in acclaim.bones] + [acclaim.bones[j].name + END for j in leaves]
    offsets = np.array([np.zeros(3) if parent < 0 else ends[parent] for parent in parents], np.float32)
    return Skeleton(tuple(names), tuple(parents), offsets)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


# ----------------------------------------------------------------------------------------------------------------- motion


def _read_amc(path: Path, acclaim: _Acclaim) -> tuple[np.ndarray, np.ndarray]:
    """Local rotations (T, bones, 4) and world positions of the root (T, 3) in metres."""
    lines = list(_lines(path))
    header = [words[0].lower() for _, words in lines if words[0].startswith(":")]
    degrees = ":radians" not in header and (acclaim.degrees or ":degrees" in header)
    frame_lines = [(number, words) for number, words in lines if not words[0].startswith(":")]
    names, values = _frames(frame_lines, {bone.name: bone for bone in acclaim.bones}, path)
    scale = np.pi / 180 if degrees else 1.0
    turns = np.zeros((len(values), len(acclaim.bones), 4))
    turns[..., 0] = 1.0
    root = np.zeros((len(values), 3))
    first = 0
    for name in names:
        j = next(k for k, bone in enumerate(acclaim.bones) if bone.name == name)
        bone = acclaim.bones[j]
        columns = {dof: values[:, first + k] for k, dof in enumerate(bone.dof)}
        first += len(bone.dof)
        turns[:, j] = _turn(bone, columns, scale)
        if j == 0:
            root = np.stack([columns.get(f"t{axis}", np.zeros(len(values))) for axis in "xyz"], axis=1) * acclaim.metres
    return turns, root


def _turn(bone: _Bone, columns: dict[str, np.ndarray], scale: float) -> np.ndarray:
    """C · M · C^-1 of one bone for all frames, (T, 4)."""
    order = bone.order[::-1]
    length = len(next(iter(columns.values())))
    angles = np.stack([columns.get(f"r{axis.lower()}", np.zeros(length)) for axis in order], axis=1) * scale
    axis = euler.to_quaternion(order, bone.axis[["XYZ".index(letter) for letter in order]] * scale)
    c = torch.from_numpy(axis).expand(length, 4)
    return rot.multiply(rot.multiply(c, torch.from_numpy(euler.to_quaternion(order, angles))), rot.conjugate(c)).numpy()


def _frames(lines: list[tuple[int, list[str]]], bones: dict[str, _Bone], path: Path) -> tuple[list[str], np.ndarray]:
    """Names of the bones of a frame in their order and values (T, sum of their degrees of freedom)."""
    starts = [k for k, (_, words) in enumerate(lines) if len(words) == 1]
    if not starts or starts[0] != 0:
        raise ChoreiaError(f"{path}: not an AMC take; no frame number before the first bone")
    size = starts[1] if len(starts) > 1 else len(lines)
    names = [words[0] for _, words in lines[1:size]]
    if not names or len(set(names)) != len(names) or "root" not in names:
        raise ChoreiaError(f"{path}, line {lines[0][0]}: the first frame must name the root and every bone once")
    if unknown := [name for name in names if name not in bones]:
        raise ChoreiaError(f"{path}, line {lines[0][0]}: the first frame names {unknown[0][:40]!r}, which is no bone of the skeleton")
    expected = [(None, 0), *((name, len(bones[name].dof)) for name in names)]
    for k, (number, words) in enumerate(lines):
        name, width = expected[k % size]
        if len(words) != width + 1 or (name is not None and words[0] != name):
            due = f"{name!r} with {width} values" if name else "a frame number"
            raise ChoreiaError(f"{path}, line {number}: expected {due}, found {words[0][:40]!r} with {len(words) - 1} values")
    if len(lines) % size:
        raise ChoreiaError(f"{path}, line {lines[-1][0]}: the last frame is cut short")
    return names, _table([words[1:] for _, words in lines], [number for number, _ in lines], size, path)


def _table(rows: list[list[str]], numbers: list[int], size: int, path: Path) -> np.ndarray:
    try:
        values = np.array([word for row in rows for word in row], dtype=np.float64)
    except ValueError:
        values = np.array([np.nan])
    if np.isfinite(values).all():
        return values.reshape(len(rows) // size, -1)
    for row, number in zip(rows, numbers, strict=True):
        _numbers(row, len(row), f"{path}, line {number}")
    raise ChoreiaError(f"{path}: a value is not a finite number")
