"""Euler angles as motion files know them, in numpy: any sequence of axes, degrees or radians outside, quaternions wxyz inside.

`order` is a string over "XYZ". The rotation is the matrix product in that order, R = R_first · R_second · ..., as in BVH channels.
"""

from __future__ import annotations

import numpy as np


def to_quaternion(order: str, angles: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) wxyz of `angles` (..., len(order)) in radians; any number of axes, repeated axes allowed."""
    result = np.zeros((*angles.shape[:-1], 4))
    result[..., 0] = 1.0
    for k, axis in enumerate(order):
        half = angles[..., k] / 2
        result = _turn_last(result, "XYZ".index(axis) + 1, np.cos(half), np.sin(half))
    return result


def _turn_last(q: np.ndarray, axis: int, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """The product q · (cos, sin on `axis`), written out: three of the eight factors of a full product."""
    after, before = axis % 3 + 1, (axis + 1) % 3 + 1
    out = np.empty_like(q)
    out[..., 0] = q[..., 0] * cos - q[..., axis] * sin
    out[..., axis] = q[..., axis] * cos + q[..., 0] * sin
    out[..., after] = q[..., after] * cos + q[..., before] * sin
    out[..., before] = q[..., before] * cos - q[..., after] * sin
    return out


def from_quaternion(order: str, wxyz: np.ndarray) -> np.ndarray:
    """Angles (..., 3) in radians of unit quaternions (..., 4), for three different axes; the middle angle is in [-pi/2, pi/2].

    At gimbal lock the third angle is 0.
    """
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = _matrix(wxyz)
    level = np.hypot(m[..., i, i], m[..., i, j])
    free = level > 1e-7
    first = np.where(free, np.arctan2(-sign * m[..., j, k], m[..., k, k]), np.arctan2(sign * m[..., k, j], m[..., j, j]))
    second = np.arctan2(sign * m[..., i, k], level)
    third = np.where(free, np.arctan2(-sign * m[..., i, j], m[..., i, i]), 0.0)
    return np.stack([first, second, third], axis=-1)


def _matrix(wxyz: np.ndarray) -> np.ndarray:
    wxyz = np.asarray(wxyz, np.float64)  # before the norm: near gimbal lock a matrix must be orthonormal to all digits
    w, x, y, z = np.moveaxis(wxyz / np.linalg.norm(wxyz, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
