"""Unitree G1 (29 degrees of freedom) joint trajectories in csv, as in "G1 Moves"; read only.

A row is one frame: root position x, y, z in metres with z up, root quaternion x, y, z, w, then 29 joint angles in radians. The table
of the robot's joints was estimated from the published trajectories of G1 Moves (Experiential Technologies, CC BY 4.0), whose body
offsets and axes are constant to 1e-7.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.files import read_bytes
from choreia.motion import rotations as rot
from choreia.types import Motion, Skeleton

# joint, parent, axis, offset in metres from the parent, fixed rotation vector before the joint's own turn; x forward, y left, z up
_JOINTS: tuple[tuple[str, str, str, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("left_hip_pitch", "pelvis", "Y", (0.0, 0.064452, -0.1027), (0.0, 0.0, 0.0)),
    ("left_hip_roll", "left_hip_pitch", "X", (0.0, 0.052, -0.030465), (0.0, -0.1749, 0.0)),
    ("left_hip_yaw", "left_hip_roll", "Z", (0.025001, 0.0, -0.12412), (0.0, 0.0, 0.0)),
    ("left_knee", "left_hip_yaw", "Y", (-0.078273, 0.002149, -0.17734), (0.0, 0.1749, 0.0)),
    ("left_ankle_pitch", "left_knee", "Y", (0.0, -9.4e-05, -0.30001), (0.0, 0.0, 0.0)),
    ("left_ankle_roll", "left_ankle_pitch", "X", (0.0, 0.0, -0.017558), (0.0, 0.0, 0.0)),
    ("right_hip_pitch", "pelvis", "Y", (0.0, -0.064452, -0.1027), (0.0, 0.0, 0.0)),
    ("right_hip_roll", "right_hip_pitch", "X", (0.0, -0.052, -0.030465), (0.0, -0.1749, 0.0)),
    ("right_hip_yaw", "right_hip_roll", "Z", (0.025001, 0.0, -0.12412), (0.0, 0.0, 0.0)),
    ("right_knee", "right_hip_yaw", "Y", (-0.078273, -0.002149, -0.17734), (0.0, 0.1749, 0.0)),
    ("right_ankle_pitch", "right_knee", "Y", (0.0, 9.4e-05, -0.30001), (0.0, 0.0, 0.0)),
    ("right_ankle_roll", "right_ankle_pitch", "X", (0.0, 0.0, -0.017558), (0.0, 0.0, 0.0)),
    ("waist_yaw", "pelvis", "Z", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ("waist_roll", "waist_yaw", "X", (-0.003964, 0.0, 0.044), (0.0, 0.0, 0.0)),
    ("waist_pitch", "waist_roll", "Y", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ("left_shoulder_pitch", "waist_pitch", "Y", (0.003956, 0.10022, 0.24778), (0.27931, 2.8e-05, -0.000198)),
    ("left_shoulder_roll", "left_shoulder_pitch", "X", (0.0, 0.038, -0.013831), (-0.27925, 0.0, 0.0)),
    ("left_shoulder_yaw", "left_shoulder_roll", "Z", (0.0, 0.00624, -0.1032), (0.0, 0.0, 0.0)),
    ("left_elbow", "left_shoulder_yaw", "Y", (0.015783, 0.0, -0.080518), (0.0, 0.0, 0.0)),
    ("left_wrist_roll", "left_elbow", "X", (0.1, 0.001888, -0.01), (0.0, 0.0, 0.0)),
    ("left_wrist_pitch", "left_wrist_roll", "Y", (0.038, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ("left_wrist_yaw", "left_wrist_pitch", "Z", (0.046, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ("right_shoulder_pitch", "waist_pitch", "Y", (0.003956, -0.10021, 0.24778), (-0.27931, 2.8e-05, 0.000198)),
    ("right_shoulder_roll", "right_shoulder_pitch", "X", (0.0, -0.038, -0.013831), (0.27925, 0.0, 0.0)),
    ("right_shoulder_yaw", "right_shoulder_roll", "Z", (0.0, -0.00624, -0.1032), (0.0, 0.0, 0.0)),
    ("right_elbow", "right_shoulder_yaw", "Y", (0.015783, 0.0, -0.080518), (0.0, 0.0, 0.0)),
    ("right_wrist_roll", "right_elbow", "X", (0.1, -0.001888, -0.01), (0.0, 0.0, 0.0)),
    ("right_wrist_pitch", "right_wrist_roll", "Y", (0.038, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ("right_wrist_yaw", "right_wrist_pitch", "Z", (0.046, 0.0, 0.0), (0.0, 0.0, 0.0)),
)

COLUMNS = 7 + len(_JOINTS)
"""Numbers in a row."""


def skeleton() -> Skeleton:
    """The robot's 30 joints (pelvis first) at rest with all angles zero: upright, arms down, forearms pointing forward."""
    names = ("pelvis", *(joint[0] for joint in _JOINTS))
    parents = (-1, *(names.index(joint[1]) for joint in _JOINTS))
    fixed = _fixed_turns(parents)
    offsets = torch.tensor([joint[3] for joint in _JOINTS], dtype=torch.float64)
    turned = rot.rotate(fixed[list(parents[1:])], offsets)
    return Skeleton(names, parents, np.concatenate([np.zeros((1, 3)), _y_up(turned.numpy())]).astype(np.float32))


def read(path: str | os.PathLike[str], fps: float = 60.0) -> Motion:
    """Read a G1 take.

    Args:
        path: the `.csv` file, with or without a header line.
        fps: frames a second, which the format does not say; G1 Moves has 60.
    Returns:
        The take with Y up and facing +Z when its root quaternion is the identity. Robot proportions: retarget it.
    Raises:
        ChoreiaError: not 36 finite numbers in every row, naming the line.
    """
    rows = _rows(Path(path))
    body = skeleton()
    fixed = _fixed_turns(body.parents)
    angles = torch.from_numpy(rows[:, 7:])
    axes = torch.eye(3, dtype=torch.float64)[["XYZ".index(joint[2]) for joint in _JOINTS]]
    own = rot.expmap_to_quaternion(angles[..., None] * axes)
    world = fixed[1:].expand_as(own)
    turns = rot.multiply(rot.multiply(world, own), rot.conjugate(world)).numpy()
    base = rows[:, [6, 3, 4, 5]] / np.linalg.norm(rows[:, 3:7], axis=1, keepdims=True)
    wxyz = np.concatenate([base[:, None], turns], axis=1)
    rotations = np.concatenate([wxyz[..., :1], _y_up(wxyz[..., 1:])], axis=-1)
    return Motion(body, _y_up(rows[:, :3]).astype(np.float32), rotations.astype(np.float32), float(fps))


def _fixed_turns(parents: tuple[int, ...]) -> torch.Tensor:
    """World orientation (30, 4) of every joint's frame when all angles are zero."""
    world = [torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)]
    for joint, parent in zip(_JOINTS, parents[1:], strict=True):
        world.append(rot.multiply(world[parent], rot.expmap_to_quaternion(torch.tensor(joint[4], dtype=torch.float64))))
    return torch.stack(world)


def _y_up(vector: np.ndarray) -> np.ndarray:
    """x forward, y left, z up to x left, y up, z forward."""
    return vector[..., [1, 2, 0]]


def _rows(path: Path) -> np.ndarray:
    """The numbers, (T, 36)."""
    lines = [(n, line) for n, line in enumerate(read_bytes(path).decode("utf-8", "replace").splitlines(), 1) if line.strip()]
    if lines and any(letter.isalpha() for letter in lines[0][1].replace("e", "").replace("nan", "")):
        lines = lines[1:]
    if not lines:
        raise ChoreiaError(f"{path}: there are no frames in it")
    for number, line in lines:
        if line.count(",") != COLUMNS - 1:
            raise ChoreiaError(f"{path}, line {number}: {line.count(',') + 1} columns; a Unitree G1 row has {COLUMNS}")
    return _finite([line for _, line in lines], [number for number, _ in lines], path)


def _finite(lines: list[str], numbers: list[int], path: Path) -> np.ndarray:
    try:
        values = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise ChoreiaError(f"{path}: not a table of plain numbers ({str(error)[:80]})") from None
    bad = ~np.isfinite(values).all(axis=1) | (np.linalg.norm(values[:, 3:7], axis=1) < 0.1)
    if bad.any():
        raise ChoreiaError(f"{path}, line {numbers[int(bad.argmax())]}: a number is not finite or the root quaternion is zero")
    return values
