"""The motion encoder (paper 3.2, Eq. 2): a graph network over the skeleton, attention over time, and read-outs of how the body moves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.theatre.config import Sizes
from choreia.models.theatre.music import Layer
from choreia.motion.skeleton import choreia24
from choreia.nn.attention import normed

JOINTS = 22
"""The paper's joints: choreia-24 without its hands, which come last."""

PARENTS = choreia24().parents[:JOINTS]

READOUTS = ("displacement", "angular", "momentum", "kinetic", "beat_response")
"""Mean joint speed m/s, mean turning of bones rad/s, speed of the centre of mass m/s, kinetic energy a kilogram J/kg, and mean joint speed
on a beat m/s."""

_SEGMENTS = ((0, 3, 0.15), (3, 6, 0.15), (6, 9, 0.13), (12, 15, 0.07), (16, 18, 0.026), (18, 20, 0.021), (17, 19, 0.026), (19, 21, 0.021),
             (1, 4, 0.145), (4, 7, 0.046), (7, 10, 0.013), (2, 5, 0.145), (5, 8, 0.046), (8, 11, 0.013))  # fmt: skip
"""Two joints and a share of body mass, as in `motion.energy`, the trunk in three."""


def adjacency() -> Tensor:
    """D^-1/2 Â D^-1/2 of Eq. 2 for bones that join both ways and joints that join themselves, (JOINTS, JOINTS)."""
    joined = torch.eye(JOINTS)
    for child, parent in enumerate(PARENTS):
        if parent >= 0:
            joined[child, parent] = joined[parent, child] = 1
    root = joined.sum(1).rsqrt()
    return root[:, None] * joined * root[None]


class GraphLayer(nn.Module):
    """σ(D^-1/2 Â D^-1/2 H W) of Eq. 2."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.weight = nn.Linear(inside, outside)
        self.register_buffer("joined", adjacency(), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """(B, T, JOINTS, inside) to (B, T, JOINTS, outside)."""
        return F.gelu(self.joined.to(h.dtype) @ self.weight(h))


class MotionEncoder(nn.Module):
    """Joints (B, N · fold, JOINTS, 3) m from the pelvis to what the body does in every time slice, (B, N, width)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fps = sizes.fps
        self.graph = nn.Sequential(GraphLayer(6, sizes.joints), GraphLayer(sizes.joints, sizes.joints))
        self.gather = nn.Linear(JOINTS * sizes.joints, sizes.width)
        self.slow = nn.Conv1d(sizes.width, sizes.width, sizes.fold, stride=sizes.fold)
        self.layers = nn.Sequential(*(Layer(sizes.width, sizes.heads) for _ in range(sizes.watching)))
        self.readout = nn.Linear(sizes.width, len(READOUTS))

    def forward(self, joints: Tensor) -> Tensor:
        """Encode."""
        nodes = torch.cat([joints, velocity(joints, self.fps)], dim=-1)
        frames = F.gelu(self.gather(self.graph(nodes).flatten(2)))
        return normed(self.layers(self.slow(frames.transpose(1, 2)).transpose(1, 2)))


def velocity(places: Tensor, fps: float) -> Tensor:
    """Change a second of places (B, T, ...), the first frame as the second."""
    change = places.diff(dim=1) * fps
    return torch.cat([change[:, :1], change], dim=1)


def amplitude(joints: Tensor, fps: float) -> Tensor:
    """a(t) of Eq. 5: mean speed of the joints (B, T, J, 3), (B, T) m/s."""
    return (velocity(joints, fps).square().sum(-1) + 1e-8).sqrt().mean(-1)


def readouts(joints: Tensor, beat: Tensor, fps: float, fold: int) -> Tensor:
    """What `READOUTS` are in every token of joints (B, T, JOINTS, 3) and beats (B, T) in [0, 1], the largest within it: (B, N, 5)."""
    start, end, mass = (torch.tensor(column, device=joints.device) for column in zip(*_SEGMENTS, strict=True))
    middle = velocity((joints[:, :, start] + joints[:, :, end]) / 2, fps)
    turning = velocity(F.normalize(joints[:, :, end] - joints[:, :, start], dim=-1), fps).norm(dim=-1).mean(-1)
    speed = amplitude(joints, fps)
    momentum = (mass[:, None] * middle).sum(2).norm(dim=-1)
    kinetic = (0.5 * mass * middle.square().sum(-1)).sum(-1)
    return torch.stack([speed, turning, momentum, kinetic, speed * beat], dim=-1).unflatten(1, (-1, fold)).amax(2)
