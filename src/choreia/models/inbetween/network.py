"""The network: it sees the kept frames and the interpolation of the gap between them, and says by how much the dance differs from it.

Everything is seen from the last frame kept before the gap: where the dancer stands there is the origin, and he faces +Z. Nothing of
what stood in the gap is seen but joints that are kept there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from choreia.models.inbetween.config import FPS, Config
from choreia.models.inbetween.interpolation import Gap, bridge
from choreia.motion import rotations as rot
from choreia.motion.kinematics import forward
from choreia.motion.skeleton import choreia24
from choreia.nn.attention import SelfAttention, normed
from choreia.nn.conformer import ConvolutionPair, kept
from choreia.nn.positions import sinusoid

SKELETON = choreia24()
JOINTS = len(SKELETON.names)

SEEN = 3 + 12 * JOINTS
"""Columns of a frame as it is seen: root m, local rotations in 6D, joints from the root m, velocities of joints m/s since the frame before.

Half precision keeps velocities as columns, but not as differences of places.
"""

FARNESS, GROWTH = 0.1, 1.5
"""What 1 at the exit is, in metres and in 6D, in a gap of 1 s, and with which power of the gap's length it grows: as the distance of dance
from its interpolation does, 10, 28, 68 and 150 mm in gaps of 8, 15, 30 and 60 frames."""

_DISTANCE = 64  # columns that say how far a frame is from an end


@dataclass(frozen=True)
class Window:
    """B stretches of N frames with the same gap: `root` (B, N, 3) m, local rotations `turns` (B, N, 24, 4).

    `free` (B, 1 + 24) is 1 for what is made anew in the gap, 0 for what is kept there: the root's path, then each joint's rotation.
    """

    root: Tensor
    turns: Tensor
    free: Tensor
    gap: Gap

    def made(self, root: Tensor, turns: Tensor) -> Window:
        """With root (B, frames, 3) and rotations (B, frames, 24, 4) in the gap where it is free."""
        inside = slice(self.gap.start, self.gap.stop)
        path, pose = self.root.clone(), self.turns.clone()
        path[:, inside] = torch.where(self.free[:, None, :1] > 0, root, path[:, inside])
        pose[:, inside] = torch.where(self.free[:, None, 1:, None] > 0, turns, pose[:, inside])
        return replace(self, root=path, turns=pose)

    def bridged(self, reach: int) -> Window:
        """With the interpolation in the gap."""
        return self.made(*bridge(self.root, self.turns, self.gap, reach))


@dataclass(frozen=True)
class Stand:
    """Where dancers stand on the floor: `place` (B, 1, 3) m with height 0, `turn` (B, 1, 4) about +Y."""

    place: Tensor
    turn: Tensor

    @staticmethod
    def of(window: Window) -> Stand:
        """Place and heading (twist of the pelvis about +Y) in the last frame kept before the gap."""
        last = slice(window.gap.start - 1, window.gap.start)
        pelvis = window.turns[:, last, 0]
        twist = pelvis * pelvis.new_tensor([1, 0, 1, 0])
        upside_down = twist.norm(dim=-1, keepdim=True) < 1e-6
        twist = torch.where(upside_down, twist.new_tensor([1, 0, 0, 0]), twist)
        return Stand(window.root[:, last] * window.root.new_tensor([1, 0, 1]), nn.functional.normalize(twist, dim=-1))

    def seen(self, window: Window) -> Window:
        """The window as seen from here."""
        back = rot.conjugate(self.turn)
        pelvis = rot.multiply(back.expand_as(window.turns[:, :, 0]), window.turns[:, :, 0])
        return replace(window, root=rot.rotate(back, window.root - self.place), turns=_with_pelvis(window.turns, pelvis))

    def placed(self, root: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Rows as seen from here back in the world."""
        pelvis = rot.multiply(self.turn.expand_as(turns[:, :, 0]), turns[:, :, 0])
        return rot.rotate(self.turn, root) + self.place, _with_pelvis(turns, pelvis)


def _with_pelvis(turns: Tensor, pelvis: Tensor) -> Tensor:
    return torch.cat([pelvis.unsqueeze(2), turns[:, :, 1:]], dim=2)


def seen_rows(window: Window) -> Tensor:
    """What is seen of every frame, (B, N, SEEN), of a window that is bridged already."""
    matrices = rot.quaternion_to_matrix(window.turns)
    joints = forward(SKELETON, window.root, matrices)[0]
    steps = joints.diff(dim=1)
    velocity = FPS * torch.cat([steps[:, :1], steps], dim=1)
    parts = (rot.matrix_to_sixd(matrices), joints - window.root.unsqueeze(2), velocity)
    return torch.cat([window.root, *(part.flatten(2) for part in parts)], dim=-1)


class Block(nn.Module):
    """Self-attention, then two convolutions, each on normalised tokens and added to them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attend = SelfAttention(config.width, config.heads)
        self.convolve = ConvolutionPair(config.width, config.inner)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to the same shape."""
        x = x + kept(x, self.drop) * self.attend(normed(x))
        return x + kept(x, self.drop) * self.convolve(normed(x))


class Network(nn.Module):
    """From a window as seen from its stand to root (B, frames, 3) m and rotation matrices (B, frames, 24, 3, 3) of the gap.

    The correction and its slope are 0 at both ends, and 0 for what is kept. Untrained it is the interpolation.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config, mean: Tensor | None = None, std: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(SEEN) if mean is None else mean)
        self.register_buffer("std", torch.ones(SEEN) if std is None else std)
        self.enter = nn.Linear(SEEN + 1 + JOINTS + 2 * _DISTANCE, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.leave = nn.Linear(config.width, 3 + 6 * JOINTS)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, window: Window) -> tuple[Tensor, Tensor]:
        """`window` need not be bridged."""
        with torch.autocast(window.root.device.type, enabled=False):
            rows = seen_rows(window.bridged(self.config.reach))
        inside = slice(window.gap.start, window.gap.stop)
        x = self.enter(torch.cat([(rows - self.mean) / self.std, _holes(window), _distances(window)], dim=-1))
        for block in self.blocks:
            x = block(x)
        size = FARNESS * (window.gap.steps / FPS) ** GROWTH * ramp(window.gap, self.config.ramp, x.device)
        change = self.leave(normed(x[:, inside])).float() * size[:, None]
        free = torch.cat([window.free[:, :1].expand(-1, 3), window.free[:, 1:].repeat_interleave(6, dim=1)], dim=1)
        root, sixd = (rows[:, inside, : 3 + 6 * JOINTS] + change * free[:, None]).split([3, 6 * JOINTS], dim=-1)
        with torch.autocast(window.root.device.type, enabled=False):
            return root, rot.sixd_to_matrix(sixd.unflatten(-1, (JOINTS, 6)))


def ramp(gap: Gap, over: int, device: torch.device) -> Tensor:
    """(frames,): 0 at both ends of the gap and 1 from `over` steps on, or half-way in a short gap; smoothstep, so level at both."""
    k = torch.arange(1, gap.steps, device=device)
    u = (torch.minimum(k, gap.steps - k) / min(over, gap.steps / 2)).clamp(max=1)
    return u * u * (3 - 2 * u)


def _holes(window: Window) -> Tensor:
    """(B, N, 1 + 24): 1 for what is to be made in a frame."""
    frame = torch.arange(window.root.shape[1], device=window.root.device)
    inside = (frame >= window.gap.start) & (frame < window.gap.stop)
    return inside[None, :, None] * window.free[:, None]


def _distances(window: Window) -> Tensor:
    """(B, N, 128): steps from the last frame kept before the gap, and to the first kept after it."""
    count, frames = window.root.shape[:2]
    k = torch.arange(frames, device=window.root.device) - (window.gap.start - 1)
    both = torch.cat([sinusoid(k, _DISTANCE), sinusoid(window.gap.steps - k, _DISTANCE)], dim=-1)
    return both.expand(count, -1, -1)
