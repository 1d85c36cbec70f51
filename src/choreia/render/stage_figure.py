"""The dancer of a show: skin and where the costume is on it, whole for films and with few corners for small pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from choreia.motion.figure import MATERIALS, Mesh
from choreia.render import dancer

_NAMES = tuple(material.name for material in MATERIALS)
_EVERY = 4  # of the whole skin's vertices, those that cast shadows
_CELL_M = 0.045


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed skin of V vertices. share (V, 1): of the costume's colour; printed (V, 1) in [0, 1]; crooked (V, 3): normals of sequins;
    shoes (V,) bool. casters (n,): the vertices that cast shadows, cast_m2 (n,): the skin that each stands for."""

    skin: dancer.Skin
    share: np.ndarray
    printed: np.ndarray
    crooked: np.ndarray
    shoes: np.ndarray
    casters: np.ndarray
    cast_m2: np.ndarray


@dataclass(frozen=True, eq=False)
class Posed:
    """A figure in the world: vertices (V, 3) m and unit normals (V, 3), float32."""

    figure: Figure
    vertices: np.ndarray
    normals: np.ndarray


@cache
def whole() -> Figure:
    """The dancer as films show it."""
    skin = dancer.skin()
    casters = np.arange(0, len(skin.area), _EVERY)
    return _dressed(skin, casters, skin.area[casters] * _EVERY)


@cache
def rough() -> Figure:
    """The dancer with a tenth of the corners: vertices that share a cell of 4.5 cm, a material and a joint are one, where their mean is."""
    skin = dancer.skin()
    cells = np.column_stack([np.floor(skin.mesh.vertices / _CELL_M).astype(int), skin.mesh.material, skin.mesh.joints[:, 0]])
    _, first, group = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    mesh = _merged(skin.mesh, first, group)
    area = np.bincount(group, skin.area).astype(np.float32)
    few = dancer.Skin(
        mesh, np.ascontiguousarray(mesh.faces.T.astype(np.intp)), np.ascontiguousarray(mesh.weights.T)[:, :, None],
        np.ascontiguousarray(_means(skin.albedo, group)), _means(skin.gloss[:, None], group)[:, 0], skin.lift[first], area,
    )  # fmt: skip
    return _dressed(few, np.arange(len(first)), area)


def pose(figure: Figure, moves: np.ndarray) -> Posed:
    """A figure moved by `moves` (J, 3, 4) float32, which take rest-pose points to the world for each joint."""
    posed = dancer.pose(figure.skin, moves)
    return Posed(figure, posed.vertices, posed.normals)


def _means(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Mean of the rows of (V, c) in each group."""
    sums = np.stack([np.bincount(group, column) for column in values.T], axis=1)
    return (sums / np.bincount(group)[:, None]).astype(np.float32)


def _merged(mesh: Mesh, first: np.ndarray, group: np.ndarray) -> Mesh:
    """The mesh with a vertex a group, moved by the joints of its `first`, without the faces that have become lines."""
    faces = group[mesh.faces]
    corners = np.sort(faces, axis=1)
    faces = faces[(corners[:, 0] < corners[:, 1]) & (corners[:, 1] < corners[:, 2])]
    normals = _means(mesh.normals, group)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + np.float32(1e-9)
    return replace(
        mesh, vertices=_means(mesh.vertices, group), normals=normals, faces=faces, joints=mesh.joints[first], weights=mesh.weights[first],
        material=mesh.material[first], openness=_means(mesh.openness[:, None], group)[:, 0],
    )  # fmt: skip


def _dressed(skin: dancer.Skin, casters: np.ndarray, cast_m2: np.ndarray) -> Figure:
    mesh = skin.mesh
    share = np.zeros((len(mesh.vertices), 1), np.float32)
    share[mesh.material == _NAMES.index("top")] = 1.0
    share[mesh.material == _NAMES.index("trousers")] = 0.7
    x, y, z = mesh.vertices.T
    weave = np.sin(38 * (y + 0.6 * x)) * np.sin(38 * (y - 0.6 * x)) + 0.5 * np.sin(60 * z)
    crooked = np.random.default_rng(5).standard_normal(mesh.normals.shape).astype(np.float32)
    shoes = (mesh.material == _NAMES.index("shoes")) | (mesh.material == _NAMES.index("soles"))
    return Figure(skin, share, (weave > 0.1).astype(np.float32)[:, None], crooked, shoes, casters, cast_m2)
