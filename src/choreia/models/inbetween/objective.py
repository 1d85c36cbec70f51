"""What training minimises: how far the filled gap is from the dance, as a share of how far the interpolation is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from choreia import losses
from choreia.models.inbetween.config import FPS, Config
from choreia.models.inbetween.interpolation import Gap
from choreia.models.inbetween.network import JOINTS, SKELETON, Network, Stand, Window
from choreia.motion import rotations as rot
from choreia.motion.kinematics import forward
from choreia.motion.skeleton import FEET

EDGE = 2
"""Kept frames on either side of the gap that are compared as well, so that the velocity across its ends counts."""

FLOORS = {"rotation": 0.002, "place": 0.002, "velocity": 0.03, "feet": 0.02, "vigour": 0.02}
"""Added to the error of the interpolation before it divides: a body that stands still teaches little."""

_FEET = [SKELETON.index(name) for name in FEET]


class Objective(nn.Module):
    """Batch: values (B, N, 3 + 96), root m and local rotations wxyz; free (B, 1 + 24); gap (B, 2), its ends, the same in every row."""

    def __init__(self, config: Config, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.weights = asdict(config.losses)
        self.network = Network(config, mean, std)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of `LossWeights`, each 1 where the network is no better than the interpolation, and their weighted sum "loss"."""
        window = read_window(batch)
        root, matrices = self.network(window)
        with torch.autocast(root.device.type, enabled=False):
            true, bridged = body(window), body(window.bridged(self.network.config.reach))
            errors = compare(with_gap(true, window.gap, root, matrices), true)
            known = compare(bridged, true)
        shares = {name: value / (known[name] + FLOORS[name]) for name, value in errors.items()}
        return {"loss": sum((self.weights[name] * value for name, value in shares.items()), torch.zeros_like(root[0, 0, 0])), **shares}


def read_window(batch: dict[str, Tensor]) -> Window:
    """The window of a batch as seen from its stand."""
    start, stop = batch["gap"][0].tolist()
    root, turns = batch["values"].split([3, 4 * JOINTS], dim=-1)
    window = Window(root, turns.unflatten(-1, (JOINTS, 4)), batch["free"], Gap(start, stop))
    return Stand.of(window).seen(window)


@dataclass(frozen=True)
class Body:
    """The gap and `EDGE` frames on either side: local rotations `matrices` (B, n, 24, 3, 3), root and `joints` (B, n, 24, 3) m."""

    root: Tensor
    matrices: Tensor
    joints: Tensor


def body(window: Window) -> Body:
    """Of what stands in a window."""
    around = slice(max(window.gap.start - EDGE, 0), window.gap.stop + EDGE)
    return _body(window.root[:, around], rot.quaternion_to_matrix(window.turns[:, around]))


def with_gap(true: Body, gap: Gap, root: Tensor, matrices: Tensor) -> Body:
    """A body with other root (B, frames, 3) and rotations (B, frames, 24, 3, 3) in the gap."""
    before = min(EDGE, gap.start)
    parts = [slice(None, before), slice(before + gap.frames, None)]
    head, tail = ((true.root[:, part], true.matrices[:, part]) for part in parts)
    return _body(*(torch.cat(three, dim=1) for three in zip(head, (root, matrices), tail, strict=True)))


def _body(root: Tensor, matrices: Tensor) -> Body:
    return Body(root, matrices, forward(SKELETON, root, matrices)[0])


def compare(made: Body, true: Body) -> dict[str, Tensor]:
    """Mean errors: rotation matrices, joints m, their velocities m/s, feet that should stand (m/s)², and how fast each joint is, m/s."""
    velocity, true_velocity = losses.difference(made.joints, FPS), losses.difference(true.joints, FPS)
    stands = losses.standing(true.joints[:, :, _FEET], FPS)
    return {
        "rotation": (made.matrices - true.matrices).abs().mean(),
        "place": distance(made.joints - true.joints),
        "velocity": distance(velocity - true_velocity),
        "feet": losses.contact(made.joints[:, :, _FEET], stands, FPS),
        "vigour": (_pace(velocity) - _pace(true_velocity)).abs().mean(),
    }


def distance(vectors: Tensor) -> Tensor:
    """Mean length of vectors (..., 3); the gradient of none is 0."""
    return (vectors.square().sum(-1) + 1e-10).sqrt().mean()


def _pace(velocity: Tensor) -> Tensor:
    """Root mean square speed of each joint over time, (B, 24), of velocities (B, n, 24, 3)."""
    return (velocity.square().sum(-1).mean(1) + 1e-6).sqrt()
