"""The figure ready to be drawn: its skin moved by the joints and lit by the stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from choreia.motion.figure import MATERIALS, Mesh, dancer
from choreia.render import light
from choreia.render.camera import Camera

_LIFT_M = {"skin": 0.0, "top": 0.013, "trousers": 0.004, "shoes": 0.0, "soles": 0.004, "hair": 0.014, "eyes": 0.02}
"""How much nearer than they are surfaces are sorted, so that hems lie cleanly over what they cover."""


@dataclass(frozen=True)
class Skin:
    """What a frame needs of a mesh, in the layout that draws fastest.

    faces: (3, F); weights: (4, V, 1), as `mesh.joints`; albedo: (V, 3) linear RGB; gloss: (V,) in [0, 1];
    lift: (V,) m, how much nearer than it is a vertex is sorted; area: (V,) m², the skin around it.
    """

    mesh: Mesh
    faces: np.ndarray
    weights: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    lift: np.ndarray
    area: np.ndarray


@dataclass(frozen=True)
class Pose:
    """The skin in the world: vertices (V, 3) m and unit normals (V, 3), float32."""

    vertices: np.ndarray
    normals: np.ndarray


@cache
def skin() -> Skin:
    """The dancer's skin."""
    mesh = dancer()
    looks = np.array([(*material.colour, material.gloss, _LIFT_M[material.name]) for material in MATERIALS], np.float32)[mesh.material]
    return Skin(
        mesh=mesh,
        faces=np.ascontiguousarray(mesh.faces.T.astype(np.intp)),
        weights=np.ascontiguousarray(mesh.weights.T)[:, :, None],
        albedo=np.ascontiguousarray(looks[:, :3]),
        gloss=looks[:, 3] * mesh.openness,
        lift=np.ascontiguousarray(looks[:, 4]),
        area=_areas(mesh),
    )


def _areas(mesh: Mesh) -> np.ndarray:
    """A third of the faces around each vertex, (V,) m²."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    face = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(mesh.faces.reshape(-1), np.repeat(face, 3), len(mesh.vertices)).astype(np.float32)


def pose(figure: Skin, moves: np.ndarray) -> Pose:
    """Linear blend skinning by `moves` (J, 3, 4) float32, which take rest-pose points to the world for each joint."""
    flat = moves.reshape(len(moves), 12)
    blended = sum(flat[figure.mesh.joints[:, k]] * figure.weights[k] for k in range(4)).reshape(-1, 3, 4)
    turn = blended[:, :, :3]
    vertices = (turn @ figure.mesh.vertices[:, :, None])[:, :, 0] + blended[:, :, 3]
    normals = (turn @ figure.mesh.normals[:, :, None])[:, :, 0]
    return Pose(vertices, normals / np.sqrt((normals * normals).sum(axis=1, keepdims=True)))


def colours(figure: Skin, posed: Pose, camera: Camera) -> np.ndarray:
    """Luma, Cb, Cr of every vertex as the camera sees it, (3, V) float32."""
    eye = np.array([camera.x, camera.y, camera.z], np.float32) - posed.vertices
    eye /= np.sqrt((eye * eye).sum(axis=1, keepdims=True))
    surface = light.Surface(posed.normals, figure.albedo, figure.gloss, figure.mesh.openness, posed.vertices[:, 1])
    lit = light.shade(surface, eye)
    return np.ascontiguousarray(light.encode(lit).T)
