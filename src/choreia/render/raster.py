"""A triangle rasteriser in numpy: painter's order, scan-line spans, affine interpolation.

Every triangle becomes its pixel rows, every row its run of pixels, all triangles at once; runs are written far to near, so
the nearest stays. Pixel (column c, row r) is covered when its centre (c + 0.5, r + 0.5) is inside; shared edges leave no gap.
Coordinates are kept one array each, which is what makes numpy fast here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Corner = tuple[np.ndarray, np.ndarray]
"""x and y of one corner of many triangles."""

_CHUNK = 1 << 14  # pixels painted at a time: few enough to stay in the cache


@dataclass(frozen=True)
class Triangles:
    """Front-facing triangles, far to near: corner numbers (3, F) and the corners' screen x and y, each (3, F), in pixels."""

    faces: np.ndarray
    x: np.ndarray
    y: np.ndarray


def visible(x: np.ndarray, y: np.ndarray, depth: np.ndarray, faces: np.ndarray) -> Triangles:
    """Triangles that face the viewer, sorted far to near.

    Args:
        x, y: (V,) float32 screen positions, x right and y down, pixels.
        depth: (V,) distance from the viewer.
        faces: (3, F) corner numbers, counter-clockwise seen from outside.
    """
    a, b, c = faces
    facing = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) < 0
    front = faces[:, facing]
    order = np.argsort(-(depth[front[0]] + depth[front[1]] + depth[front[2]]))
    front = front[:, order]
    return Triangles(front, x[front], y[front])


def cover(triangles: Triangles, width: int, height: int) -> np.ndarray:
    """Which triangle is seen at each pixel: (height, width) int32, -1 where none."""
    buffer = np.full(height * width, -1, np.int32)
    top, middle, bottom = _by_height(triangles)
    first = np.clip(np.ceil(top[1] - 0.5), 0, height).astype(np.int32)
    rows = np.clip(np.ceil(bottom[1] - 0.5), 0, height).astype(np.int32) - first
    owner = np.repeat(np.arange(len(rows), dtype=np.int32), rows)
    row = np.arange(len(owner), dtype=np.int32) + np.repeat(first - (np.cumsum(rows, dtype=np.int32) - rows), rows)
    left, right = _row_ends(top, middle, bottom, owner, row)
    start = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int32)
    length = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int32) - start
    pixels = np.repeat(row * width + start - (np.cumsum(length, dtype=np.int32) - length), length)
    pixels += np.arange(len(pixels), dtype=np.int32)
    buffer[pixels] = np.repeat(owner, length)
    return buffer.reshape(height, width)


def _by_height(triangles: Triangles) -> tuple[Corner, Corner, Corner]:
    """The top, middle and bottom corner of each triangle as (x, y)."""
    corners = list(zip(triangles.x, triangles.y, strict=True))
    for upper, lower in ((0, 1), (1, 2), (0, 1)):
        (xa, ya), (xb, yb) = corners[upper], corners[lower]
        swap = ya > yb
        corners[upper] = np.where(swap, xb, xa), np.where(swap, yb, ya)
        corners[lower] = np.where(swap, xa, xb), np.where(swap, ya, yb)
    return corners[0], corners[1], corners[2]


def _row_ends(top: Corner, middle: Corner, bottom: Corner, owner: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where triangles' edges cross the centre line of their rows: left and right ends (n,), pixels."""
    line = row.astype(np.float32) + np.float32(0.5)
    below_middle = line >= middle[1][owner]
    long = _crossing(top, bottom, owner, line)
    slopes = np.stack([_slope(top, middle), _slope(middle, bottom)]).reshape(-1)
    starts = [np.stack([top[k], middle[k]]).reshape(-1) for k in (0, 1)]
    half = owner + below_middle * np.int32(len(top[0]))
    short = starts[0][half] + (line - starts[1][half]) * slopes[half]
    return np.minimum(long, short), np.maximum(long, short)


def _crossing(upper: Corner, lower: Corner, owner: np.ndarray, line: np.ndarray) -> np.ndarray:
    return upper[0][owner] + (line - upper[1][owner]) * _slope(upper, lower)[owner]


def _slope(upper: Corner, lower: Corner) -> np.ndarray:
    """Pixels right per pixel down between two corners; 0 for level edges."""
    height = lower[1] - upper[1]
    return (lower[0] - upper[0]) / np.where(height > 0, height, np.float32(np.inf))


def planes(triangles: Triangles, values: np.ndarray) -> np.ndarray:
    """Affine functions that take `values` (C, V) at the corners: (3, C, F), value = p[0] + p[1] x + p[2] y."""
    (x0, x1, x2), (y0, y1, y2) = triangles.x, triangles.y
    at = values[:, triangles.faces]
    da, db = at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]
    ax, ay, bx, by = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = ax * by - ay * bx
    scale = np.where(area < -0.05, 1 / np.minimum(area, np.float32(-0.05)), np.float32(0))
    along_x, along_y = (da * by - db * ay) * scale, (db * ax - da * bx) * scale
    return np.stack([at[:, 0] - along_x * x0 - along_y * y0, along_x, along_y])


def paint(buffer: np.ndarray, functions: np.ndarray, pixel: int = 1) -> np.ndarray:
    """Values of affine functions where triangles are seen, 0 elsewhere.

    Args:
        buffer: (H, W) triangle numbers from `cover`, or every `pixel`-th of its rows and columns.
        functions: (3, C, F) from `planes`.
        pixel: the spacing of the buffer's samples, in the pixels that the functions are over.
    Returns:
        (C, H, W) float32.
    """
    flat = buffer.reshape(-1)
    painted = np.zeros((functions.shape[1], flat.size), np.float32)
    everywhere = np.flatnonzero(flat >= 0)
    for start in range(0, len(everywhere), _CHUNK):
        seen = everywhere[start : start + _CHUNK]
        owner = flat[seen]
        row = seen.astype(np.int32) // np.int32(buffer.shape[1])
        x = (seen - row * buffer.shape[1]).astype(np.float32) * np.float32(pixel) + np.float32(0.5)
        y = row.astype(np.float32) * np.float32(pixel) + np.float32(0.5)
        for layer, constant, along_x, along_y in zip(painted, *functions, strict=True):
            layer[seen] = constant[owner] + along_x[owner] * x + along_y[owner] * y
    return painted.reshape(-1, *buffer.shape)


def halve(values: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 blocks of (..., 2 H, 2 W)."""
    rows = values[..., ::2, :] + values[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25)
