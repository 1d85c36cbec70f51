"""USD text files (.usda): the skinned dancer with its animation out (UsdSkel). Metres, Y up, facing +Z.

Text needs no library to write; Pixar's usd-core, Blender and Houdini read it, under the suffix .usd as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion import bone_figure, figure, rotations
from choreia.motion.figure import MATERIALS, Mesh
from choreia.motion.skeleton import choreia24
from choreia.types import Motion, Skeleton


def write(path: str | os.PathLike[str], motion: Motion, mesh: Mesh | None = None) -> None:
    """Write a skinned, animated figure: the dancer for choreia-24, a bone for every joint of other skeletons, unless `mesh` is given.

    Raises:
        ChoreiaError: no frames, or a place that cannot be written.
    """
    save(path, animated(motion, motion.fps, mesh), motion.fps, motion.duration_s)


def save(path: str | os.PathLike[str], prims: Iterable[str], codes_hz: float, duration_s: float) -> None:
    """Write prims, each a text, as children of /Stage; time codes run at `codes_hz` from 0. ChoreiaError where that cannot be."""
    end = max(round(duration_s * codes_hz) - 1, 0)
    header = [
        "#usda 1.0", "(", '    defaultPrim = "Stage"', f"    endTimeCode = {end}", f"    framesPerSecond = {codes_hz:.9g}",
        "    metersPerUnit = 1", "    startTimeCode = 0", f"    timeCodesPerSecond = {codes_hz:.9g}", '    upAxis = "Y"', ")", "",
        'def Xform "Stage"', "{",
    ]  # fmt: skip
    with atomic_path(path) as partial:
        partial.write_text("\n".join([*header, *prims, "}", ""]), encoding="utf-8")


def animated(motion: Motion, codes_hz: float, mesh: Mesh | None = None) -> list[str]:
    """The prims of a figure, its frame i at time code i / fps times `codes_hz`; ChoreiaError when the motion has no frames."""
    if len(motion) == 0:
        raise ChoreiaError("cannot write a scene: the motion has no frames")
    known = motion.skeleton.names == choreia24().names
    skin = mesh or (figure.dancer() if known else bone_figure.bones(motion.skeleton))
    rest = figure.rest_positions(choreia24() if known else motion.skeleton, skin.root)
    joints = joint_paths(motion.skeleton)
    return [
        'def SkelRoot "Dancer" (prepend apiSchemas = ["SkelBindingAPI"])', "{", *_skeleton(motion, joints, rest),
        *_animation(motion, joints, codes_hz), *_mesh(skin, joints), "}",
    ]  # fmt: skip


def identifier(name: str) -> str:
    """A name that a prim can have: letters, digits and underscores, not a digit first."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return plain if plain and not plain[0].isdigit() else f"_{plain}"


def joint_paths(skeleton: Skeleton) -> list[str]:
    """Every joint with its ancestors, as "pelvis/spine1"."""
    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        paths.append(identifier(name) if parent < 0 else f"{paths[parent]}/{identifier(name)}")
    return paths


def numbers(values: np.ndarray) -> str:
    """An array (n,) as a list, (n, c) as a list of tuples."""
    values = np.asarray(values)
    if values.ndim == 1:
        return "[" + ", ".join(f"{value:.7g}" for value in values.tolist()) + "]"
    return "[" + ", ".join(_tuple(row) for row in values.tolist()) + "]"


def _tuple(row: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.7g}" for value in row) + ")"


def samples(kind: str, name: str, codes: np.ndarray, values: Sequence[str]) -> list[str]:
    """A time-sampled attribute: `values` as text at time `codes` (T,)."""
    return [f"{kind} {name}.timeSamples = {{", *(f"{code:.9g}: {value}," for code, value in zip(codes, values, strict=True)), "}"]


def tuples(values: np.ndarray) -> list[str]:
    """The rows of (T, c) as tuples, or (T,) as numbers."""
    return [f"{value:.7g}" for value in values.tolist()] if values.ndim == 1 else [_tuple(row) for row in values.tolist()]


def _texts(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _matrices(places: np.ndarray) -> str:
    """Translations (J, 3) as matrices; USD's vectors are rows."""
    rows = (f"((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), ({x:.7g}, {y:.7g}, {z:.7g}, 1))" for x, y, z in places.tolist())
    return "[" + ", ".join(rows) + "]"


def _skeleton(motion: Motion, joints: Sequence[str], rest: np.ndarray) -> list[str]:
    local = np.asarray(motion.skeleton.offsets, float).copy()
    local[0] = rest[0]
    return [
        'def Skeleton "Skeleton" (prepend apiSchemas = ["SkelBindingAPI"])', "{", f"uniform token[] joints = {_texts(joints)}",
        f"uniform matrix4d[] bindTransforms = {_matrices(rest)}", f"uniform matrix4d[] restTransforms = {_matrices(local)}",
        "rel skel:animationSource = </Stage/Dancer/Dance>", "}",
    ]  # fmt: skip


def _animation(motion: Motion, joints: Sequence[str], codes_hz: float) -> list[str]:
    """Local translations, rotations and scales of every joint; quaternions are wxyz, as here."""
    codes = motion.times() * codes_hz
    turns = rotations.continuous(torch.from_numpy(np.asarray(motion.rotations, np.float64))).numpy()
    places = np.asarray(motion.skeleton.offsets, float).copy()
    roots = [_tuple(row) for row in np.asarray(motion.root, float).tolist()]
    others = ", ".join(_tuple(row) for row in places[1:].tolist())
    scales = "[" + ", ".join(["(1, 1, 1)"] * len(joints)) + "]"
    return [
        'def SkelAnimation "Dance"', "{", f"uniform token[] joints = {_texts(joints)}",
        *samples("float3[]", "translations", codes, [f"[{root}{', ' if others else ''}{others}]" for root in roots]),
        *samples("quatf[]", "rotations", codes, [numbers(row) for row in turns]),
        f"half3[] scales = {scales}", "}",
    ]  # fmt: skip


def _mesh(mesh: Mesh, joints: Sequence[str]) -> list[str]:
    """The skin with a colour for each vertex."""
    colours = np.array([material.colour for material in MATERIALS])[mesh.material]
    return [
        'def Mesh "Skin" (prepend apiSchemas = ["SkelBindingAPI"])', "{",
        f"point3f[] points = {numbers(mesh.vertices)}", f"int[] faceVertexCounts = {numbers(np.full(len(mesh.faces), 3))}",
        f"int[] faceVertexIndices = {numbers(mesh.faces.reshape(-1))}",
        f'normal3f[] normals = {numbers(mesh.normals)} (interpolation = "vertex")', 'uniform token subdivisionScheme = "none"',
        f'color3f[] primvars:displayColor = {numbers(colours)} (interpolation = "vertex")',
        f"uniform token[] skel:joints = {_texts(joints)}", "rel skel:skeleton = </Stage/Dancer/Skeleton>",
        "matrix4d primvars:skel:geomBindTransform = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))",
        f'int[] primvars:skel:jointIndices = {numbers(mesh.joints.reshape(-1))} (elementSize = 4; interpolation = "vertex")',
        f'float[] primvars:skel:jointWeights = {numbers(mesh.weights.reshape(-1))} (elementSize = 4; interpolation = "vertex")', "}",
    ]  # fmt: skip
