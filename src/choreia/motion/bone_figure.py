"""A plain figure for skeletons that the sculpted dancer does not fit: a tapered bone from every joint to each of its children."""

from __future__ import annotations

import numpy as np

from choreia.motion.figure import Mesh, rest_positions
from choreia.types import Skeleton


def bones(skeleton: Skeleton) -> Mesh:
    """A plain figure for any skeleton: a tapered octahedron from every joint to each of its children."""
    rest = rest_positions(skeleton, np.zeros(3, np.float32))
    links = [(parent, j) for j, parent in enumerate(skeleton.parents) if parent >= 0] or [(0, 0)]
    corners = np.concatenate([_octahedron(rest[a], rest[b]) for a, b in links])
    faces = np.concatenate([_OCTAHEDRON + 6 * i for i in range(len(links))])
    owner = np.repeat([a for a, _ in links], 6)
    outward = corners - np.repeat(corners.reshape(-1, 6, 3).mean(axis=1), 6, axis=0)
    only = np.tile(np.array([1, 0, 0, 0], np.float32), (len(corners), 1))
    joints = np.zeros((len(corners), 4), np.uint8 if len(rest) < 256 else np.uint16)
    joints[:, 0] = owner
    return Mesh(
        vertices=corners.astype(np.float32),
        normals=(outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)).astype(np.float32),
        faces=faces.astype(np.int32),
        joints=joints,
        weights=only,
        material=np.zeros(len(corners), np.uint8),
        openness=np.ones(len(corners), np.float32),
        root=np.zeros(3, np.float32),
    )


_OCTAHEDRON = np.array([(0, 2, 3), (0, 3, 4), (0, 4, 5), (0, 5, 2), (1, 3, 2), (1, 4, 3), (1, 5, 4), (1, 2, 5)])


def _octahedron(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Six corners (6, 3): the two ends and a square a fifth of the way along."""
    along = end - start
    length = float(np.linalg.norm(along))
    along = along / length if length > 1e-6 else np.array([0.0, 1, 0])
    side = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    side /= np.linalg.norm(side)
    across, thick = np.cross(along, side), max(0.15 * length, 0.004)
    belt = start + 0.2 * length * along
    return np.stack([start, end, belt + thick * side, belt + thick * across, belt - thick * side, belt - thick * across])
