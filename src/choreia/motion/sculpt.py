"""Sculpting: smooth closed surfaces from implicit shapes, meshed by surface nets.

A shape is a function from points (N, 3) to (N,) approximate signed distances in metres, negative inside. Shapes blend
with the polynomial smooth minimum (Quilez 2013); the mesher is naive surface nets (Gibson 1998) with its vertices pulled
onto the surface along the gradient, which also gives the normals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Shape = Callable[[np.ndarray], np.ndarray]


def ellipsoid(centre: Sequence[float], radii: Sequence[float]) -> Shape:
    """An axis-aligned ellipsoid, metres."""
    middle, size = np.asarray(centre), np.asarray(radii)

    def distance(points: np.ndarray) -> np.ndarray:
        offset = (points - middle) / size
        near = np.linalg.norm(offset, axis=1)
        return near * (near - 1) / np.maximum(np.linalg.norm(offset / size, axis=1), 1e-9)

    return distance


def capsule(start: Sequence[float], end: Sequence[float], start_radius: float, end_radius: float) -> Shape:
    """A round limb between two points whose radius changes linearly, metres."""
    a, along = np.asarray(start), np.asarray(end) - np.asarray(start)

    def distance(points: np.ndarray) -> np.ndarray:
        t = np.clip((points - a) @ along / (along @ along), 0, 1)
        return np.linalg.norm(points - a - t[:, None] * along, axis=1) - (start_radius + (end_radius - start_radius) * t)

    return distance


def loft(axis: int, rows: Sequence[tuple[float, float, float, float, float]], power: float = 2.0, rounding: float = 0.02) -> Shape:
    """A limb through (super)elliptical sections.

    Args:
        axis: the coordinate that runs along the limb (0, 1 or 2); the other two, in order, span the sections.
        rows: increasing (place along the axis, two centre coordinates, two radii), metres; joined by monotone cubics.
        power: 2 for ellipses, more for squarer sections.
        rounding: radius that rounds the two ends.
    """
    from scipy.interpolate import PchipInterpolator

    table = np.asarray(rows)
    first, last = table[0, 0], table[-1, 0]
    section = PchipInterpolator(table[:, 0], table[:, 1:])
    across = [k for k in range(3) if k != axis]

    def distance(points: np.ndarray) -> np.ndarray:
        along = points[:, axis]
        at = section(np.clip(along, first, last))
        radii = at[:, 2:]
        offset = np.abs(points[:, across] - at[:, :2]) / radii
        side = ((offset**power).sum(axis=1) ** (1 / power) - 1) * radii.min(axis=1)
        return smooth_max(side, np.maximum(first - along, along - last), rounding)

    return distance


def smooth_min(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Minimum whose corner is rounded over `width` metres."""
    mix = np.maximum(width - np.abs(a - b), 0) / width
    return np.minimum(a, b) - mix * mix * width / 4


def smooth_max(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Maximum whose corner is rounded over `width` metres."""
    return -smooth_min(-a, -b, width)


def blend(shapes: Sequence[Shape], width: float) -> Shape:
    """Union of shapes with fillets of `width` metres."""

    def distance(points: np.ndarray) -> np.ndarray:
        total = shapes[0](points)
        for shape in shapes[1:]:
            total = smooth_min(total, shape(points), width)
        return total

    return distance


def cut(shape: Shape, point: Sequence[float], normal: Sequence[float], width: float) -> Shape:
    """The part of a shape behind the plane through `point`, its edge rounded over `width` metres."""
    origin, outward = np.asarray(point), np.asarray(normal) / np.linalg.norm(normal)
    return lambda points: smooth_max(shape(points), (points - origin) @ outward, width)


def both_sides(shape: Shape) -> Shape:
    """A shape given for x >= 0 together with its mirror image."""
    return lambda points: shape(np.column_stack([np.abs(points[:, 0]), points[:, 1:]]))


def gradient(shape: Shape, points: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Central differences of a shape at (N, 3) points, (N, 3)."""
    nudges = np.eye(3) * step
    return np.stack([shape(points + nudge) - shape(points - nudge) for nudge in nudges], axis=1) / (2 * step)


def mesh(shape: Shape, low: Sequence[float], high: Sequence[float], cell: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The zero surface inside a box.

    Args:
        shape: signed distance; must be positive on the faces of the box for the surface to be closed.
        low, high: corners of the box, metres.
        cell: grid spacing, metres; triangles are about this size.
    Returns:
        vertices (V, 3) m, unit normals (V, 3) pointing outwards, faces (F, 3) counter-clockwise seen from outside.
    """
    middle, counts = (np.add(low, high)) / 2, np.ceil(np.subtract(high, low) / cell).astype(int) + 1
    axes = [m + (np.arange(n) - (n - 1) / 2) * cell for m, n in zip(middle, counts, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = shape(grid.reshape(-1, 3)).reshape(counts)
    sums, hits = _edge_crossings(values)
    number = np.where(hits > 0, np.cumsum(hits.reshape(-1) > 0).reshape(hits.shape) - 1, -1)
    inside = hits > 0
    vertices = grid[0, 0, 0] + cell * sums[inside] / hits[inside][:, None]
    vertices = _settle(shape, vertices, cell)
    normals = gradient(shape, vertices)
    return vertices, normals / np.linalg.norm(normals, axis=1, keepdims=True), _quads(values, number)


def _edge_crossings(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per cell the sum (in grid steps) and the number of the points where its twelve edges cross zero."""
    cells = tuple(n - 1 for n in values.shape)
    sums, hits = np.zeros((*cells, 3)), np.zeros(cells)
    for axis in range(3):
        b, c = [k for k in range(3) if k != axis]
        first, second = np.delete(values, -1, axis), np.delete(values, 0, axis)
        crossed = (first < 0) != (second < 0)
        place = np.moveaxis(np.indices(first.shape, dtype=float), 0, -1).copy()
        place[..., axis] += np.where(crossed, first / np.where(crossed, first - second, 1), 0)
        for shift_b in (0, 1):
            for shift_c in (0, 1):
                view: list[slice] = [slice(None)] * 3
                view[b], view[c] = slice(shift_b, shift_b + cells[b]), slice(shift_c, shift_c + cells[c])
                mark = crossed[tuple(view)]
                sums += np.where(mark[..., None], place[tuple(view)], 0)
                hits += mark
    return sums, hits


def _settle(shape: Shape, vertices: np.ndarray, cell: float) -> np.ndarray:
    """Vertices pulled onto the zero surface by three damped Newton steps."""
    for _ in range(3):
        slope = gradient(shape, vertices)
        step = shape(vertices)[:, None] * slope / np.maximum((slope**2).sum(axis=1, keepdims=True), 1e-6)
        vertices = vertices - np.clip(step, -cell / 2, cell / 2)
    return vertices


def _quads(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Two triangles for each grid edge that crosses zero, joining the vertices of the four cells around it."""
    faces = []
    for axis in range(3):
        b, c = (axis + 1) % 3, (axis + 2) % 3
        inner: list[slice] = [slice(1, -1)] * 3
        inner[axis] = slice(None)
        below = (np.delete(values, -1, axis) < 0)[tuple(inner)]
        above = (np.delete(values, 0, axis) < 0)[tuple(inner)]
        at = np.argwhere(below != above) + np.array([k != axis for k in range(3)])
        step_b, step_c = np.eye(3, dtype=int)[b], np.eye(3, dtype=int)[c]
        ring = [number[tuple((at - offset).T)] for offset in (0 * step_b, step_b, step_b + step_c, step_c)]
        quad = np.stack(ring, axis=1)
        leaves = below[tuple((at - np.array([k != axis for k in range(3)])).T)]
        quad = np.where(leaves[:, None], quad, quad[:, ::-1])
        faces += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    return np.concatenate(faces)
