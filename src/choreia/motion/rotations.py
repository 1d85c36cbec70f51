"""Rotations in torch: wxyz quaternions, matrices, 6D and exponential maps. The algebra is roma's; the order and conventions are ours.

6D is the first two columns of the matrix, column after column (Zhou et al. 2019).
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor
from torch.nn import functional as F


def quaternion_to_matrix(wxyz: Tensor) -> Tensor:
    """(..., 4) unit quaternions to (..., 3, 3)."""
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(wxyz))


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """(..., 3, 3) to (..., 4) unit quaternions with w >= 0."""
    wxyz = roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(matrix))
    return torch.where(wxyz[..., :1] < 0, -wxyz, wxyz)


def matrix_to_sixd(matrix: Tensor) -> Tensor:
    """(..., 3, 3) to (..., 6): first column, then second."""
    return torch.cat([matrix[..., 0], matrix[..., 1]], dim=-1)


def sixd_to_matrix(sixd: Tensor) -> Tensor:
    """(..., 6) to (..., 3, 3) by Gram-Schmidt."""
    first = F.normalize(sixd[..., :3], dim=-1)
    second = sixd[..., 3:] - (first * sixd[..., 3:]).sum(-1, keepdim=True) * first
    second = F.normalize(second, dim=-1)
    return torch.stack([first, second, torch.cross(first, second, dim=-1)], dim=-1)


def quaternion_to_sixd(wxyz: Tensor) -> Tensor:
    """(..., 4) to (..., 6)."""
    return matrix_to_sixd(quaternion_to_matrix(wxyz))


def sixd_to_quaternion(sixd: Tensor) -> Tensor:
    """(..., 6) to (..., 4)."""
    return matrix_to_quaternion(sixd_to_matrix(sixd))


def quaternion_to_expmap(wxyz: Tensor) -> Tensor:
    """(..., 4) to rotation vectors (..., 3) in radians, angle in [0, pi]."""
    return roma.unitquat_to_rotvec(roma.quat_wxyz_to_xyzw(wxyz))


def expmap_to_quaternion(vector: Tensor) -> Tensor:
    """Rotation vectors (..., 3) in radians to (..., 4)."""
    return roma.quat_xyzw_to_wxyz(roma.rotvec_to_unitquat(vector))


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product a·b of (..., 4) wxyz: apply b, then a."""
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    w = aw * bw - (av * bv).sum(-1, keepdim=True)
    return torch.cat([w, aw * bv + bw * av + torch.cross(av, bv, dim=-1)], dim=-1)


def conjugate(wxyz: Tensor) -> Tensor:
    """Inverse of unit quaternions."""
    return wxyz * wxyz.new_tensor([1, -1, -1, -1])


def rotate(wxyz: Tensor, vector: Tensor) -> Tensor:
    """Vectors (..., 3) turned by (..., 4)."""
    w, v = wxyz[..., :1], wxyz[..., 1:]
    twice = 2 * torch.cross(v, vector, dim=-1)
    return vector + w * twice + torch.cross(v, twice, dim=-1)


def yaw(angle: Tensor) -> Tensor:
    """Turns about +Y by `angle` (...) radians as (..., 4); positive turns +Z towards +X."""
    zero = torch.zeros_like(angle)
    return torch.stack([torch.cos(angle / 2), zero, torch.sin(angle / 2), zero], dim=-1)


def between(a: Tensor, b: Tensor) -> Tensor:
    """Shortest rotation (..., 4) that takes direction a (..., 3) to direction b; opposite directions turn about any normal."""
    a, b = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    w = 1 + (a * b).sum(-1, keepdim=True)
    axis = torch.cross(a, b, dim=-1)
    normal = torch.cross(a, _least_aligned_axis(a), dim=-1)
    return F.normalize(torch.where(w < 1e-6, torch.cat([torch.zeros_like(w), normal], -1), torch.cat([w, axis], -1)), dim=-1)


def _least_aligned_axis(vector: Tensor) -> Tensor:
    return F.one_hot(vector.abs().argmin(-1), 3).to(vector.dtype)


def continuous(wxyz: Tensor) -> Tensor:
    """The same rotations (T, ..., 4) with signs flipped so that neighbours in time are on one hemisphere."""
    dots = (wxyz[1:] * wxyz[:-1]).sum(-1, keepdim=True)
    signs = torch.cumprod(torch.where(dots < 0, -1.0, 1.0).to(wxyz.dtype), dim=0)
    return torch.cat([wxyz[:1], wxyz[1:] * signs])


def slerp(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Spherical interpolation from a to b (..., 4) by the shorter way; `weight` broadcasts against (...)."""
    b = torch.where((a * b).sum(-1, keepdim=True) < 0, -b, b)
    turn = quaternion_to_expmap(multiply(b, conjugate(a)))
    return F.normalize(multiply(expmap_to_quaternion(turn * weight.unsqueeze(-1)), a), dim=-1)
