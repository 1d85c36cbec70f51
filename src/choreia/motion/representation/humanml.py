"""HumanML3D's 263 numbers a frame, from which UniMuMo's motion codec works.

C. Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022. The conventions are those of the reference code's
data, which makes foreign rows readable: 22 joints; everything is seen from the frame that faces where hips and shoulders face; velocities
are per frame, not per second (their takes have 20 frames a second); the yaw step is half the angle and turns against ours; rotations
belong to the bone that leads *to* a joint and run down HumanML3D's chains, each of which begins with the facing turn itself.
Departures: a row per frame, the last with the steps of the one before (theirs drops it); the facing direction is not smoothed.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from choreia.motion.kinematics import forward
from choreia.motion.representation.layout import (
    SKELETON,
    contact_labels,
    held,
    named_slices,
    rows,
    running_sum,
    take,
    tensors,
    wrapped,
    yaw_matrix,
)
from choreia.motion.rotations import matrix_to_sixd, sixd_to_matrix
from choreia.types import Motion

_JOINTS = 22
_CHAINS = ((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20))
_CHILDREN = tuple([k for k in range(_JOINTS) if SKELETON.parents[k] == joint] for joint in range(_JOINTS))


def facing(positions: Tensor) -> Tensor:
    """Yaw (T,) in radians of where hips and shoulders face, from joint positions (T, J, 3); 0 faces +Z, positive turns towards +X."""
    left, right = (positions[:, [SKELETON.index(f"{side}_hip"), SKELETON.index(f"{side}_shoulder")]] for side in ("left", "right"))
    across = (left - right).sum(1)
    return torch.atan2(-across[:, 2], across[:, 0])


class Hml263:
    """HumanML3D's rows, with their inverse.

    Columns: `root_yaw` half radians a frame; `root_velocity` x, z m a frame; `root_height` m; `positions` 21 joints m, relative to the
    root's place on the floor; `rotations` 21 bones 6D; `velocities` 22 joints m a frame; `contacts` in the order of `skeleton.FEET`.

    The inverse is exact for the positions of the 22 joints and the rotations of all joints that carry others. Joints at the ends (head,
    wrists, feet, hands) have no rotation of their own in this layout and come back straight.
    """

    dim: ClassVar[int] = 263
    slices: ClassVar[dict[str, slice]] = named_slices(
        root_yaw=1, root_velocity=2, root_height=1, positions=63, rotations=126, velocities=66, contacts=4
    )

    @staticmethod
    def encode(motion: Motion, contacts: np.ndarray | None = None) -> np.ndarray:
        """Values (T, 263) float32 of a take on choreia-24; `contacts` (T, 4) are found when not given."""
        root, matrices = tensors(motion)
        place, world = forward(SKELETON, root, matrices)
        yaw = facing(place)
        level = yaw_matrix(-yaw)
        step = place[:, :_JOINTS].diff(dim=0)
        floor = root * root.new_tensor([1, 0, 1])
        seen = (level[:, None] @ (place[:, 1:_JOINTS] - floor[:, None])[..., None]).flatten(1)
        parts = [
            -held(wrapped(yaw.diff()))[:, None] / 2,
            held((level[1:] @ step[:, 0, :, None])[:, [0, 2], 0]),
            root[:, 1:2],
            seen,
            matrix_to_sixd(_to_chains(world, level)).flatten(1),
            held((level[:-1, None] @ step[..., None]).flatten(1)),
            contact_labels(motion, contacts),
        ]
        return torch.cat(parts, dim=1).numpy().astype(np.float32)

    @staticmethod
    def start(motion: Motion) -> tuple[float, float, float]:
        """Where the take begins, as `decode` wants it: x and z in metres, yaw in radians."""
        root, matrices = tensors(motion.slice(0, 1))
        place, _ = forward(SKELETON, root, matrices)
        return float(root[0, 0]), float(root[0, 2]), float(facing(place)[0])

    @staticmethod
    def decode(values: np.ndarray, fps: float = 20.0, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Motion:
        """The take of values (T, 263), by its rotations, from `start` = (x m, z m, yaw rad): the origin, facing +Z, unless told otherwise.

        Rows of HumanML3D itself, whose bone rotations have no twist, decode too: joints with several bones take the best fitting rotation.
        The facing direction of the first frame enters the rotations, so rows must be decoded from the yaw that they were encoded at.
        """
        data = rows(values, Hml263.dim)
        root, yaw = _root(data, start)
        bones = sixd_to_matrix(data[:, Hml263.slices["rotations"]].unflatten(1, (21, 6)))
        world = _joint_rotations(_from_chains(bones, yaw_matrix(-yaw)))
        local = torch.eye(3, dtype=data.dtype).expand(len(data), 24, 3, 3).clone()
        for joint, children in enumerate(_CHILDREN):
            if children:
                parent = SKELETON.parents[joint]
                local[:, joint] = world[joint] if parent < 0 else world[parent].mT @ world[joint]
        return take(root, local, fps)

    @staticmethod
    def joints(values: np.ndarray, start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
        """World positions (T, 22, 3) in metres that the `positions` of values (T, 263) state."""
        data = rows(values, Hml263.dim)
        root, yaw = _root(data, start)
        seen = data[:, Hml263.slices["positions"]].unflatten(1, (21, 3))
        place = (yaw_matrix(yaw)[:, None] @ seen[..., None])[..., 0] + (root * root.new_tensor([1, 0, 1]))[:, None]
        return torch.cat([root[:, None], place], dim=1).numpy().astype(np.float32)


def _root(data: Tensor, start: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Root positions (T, 3) and yaw (T,). A velocity is seen from the frame that it leads to."""
    x, z, first = start
    yaw = first + running_sum(-2 * data[:, 0], 0)
    following = torch.cat([yaw[1:], yaw[-1:]])
    step = torch.stack([data[:, 1], torch.zeros_like(yaw), data[:, 2]], dim=-1)
    path = running_sum((yaw_matrix(following) @ step[..., None])[..., 0], 0)
    return torch.stack([path[:, 0] + x, data[:, 3], path[:, 2] + z], dim=-1), yaw


def _to_chains(world: Tensor, level: Tensor) -> Tensor:
    """Rotations (T, 21, 3, 3) of the bones that lead to joints 1 to 21, each relative to the bone before it in its chain."""
    local: list[Tensor] = [level] * _JOINTS
    for chain in _CHAINS:
        before = level
        for joint in chain[1:]:
            bone = world[:, SKELETON.parents[joint]]
            local[joint] = before.mT @ bone
            before = bone
    return torch.stack(local[1:], dim=1)


def _from_chains(local: Tensor, level: Tensor) -> list[Tensor]:
    """Inverse of `_to_chains`: world rotations (T, 3, 3) of the bones that lead to each of the 22 joints (the first is of no use)."""
    bones: list[Tensor] = [level] * _JOINTS
    for chain in _CHAINS:
        before = level
        for joint in chain[1:]:
            before = before @ local[:, joint - 1]
            bones[joint] = before
    return bones


def _joint_rotations(bones: list[Tensor]) -> dict[int, Tensor]:
    """World rotation of every joint that carries bones: that of its only bone, or the one that fits several best."""
    offsets = torch.from_numpy(np.asarray(SKELETON.offsets, np.float64))
    world: dict[int, Tensor] = {}
    for joint, children in enumerate(_CHILDREN):
        if len(children) == 1:
            world[joint] = bones[children[0]]
        elif children:
            world[joint] = fit_rotation(offsets[children], torch.stack([bones[k] @ offsets[k] for k in children], dim=1))
    return world


def fit_rotation(rest: Tensor, seen: Tensor) -> Tensor:
    """Rotations (T, 3, 3) that best bring vectors (K, 3) onto (T, K, 3) in the least squares sense (Kabsch 1976)."""
    u, _, vt = torch.linalg.svd(seen.mT @ rest)
    sign = torch.det(u @ vt)
    last = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], dim=-1)
    return u @ (last[..., None] * vt)
