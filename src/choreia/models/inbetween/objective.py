"""What training minimises: how far the filled gap is from the dance, as a share of how far the interpolation is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from choreia import losses
from choreia.models.inbetween.config import FPS, Config
from choreia.models.inbetween.interpolation import Gap
from choreia.models.inbetween.network import JOINTS, SKELETON, Network, Stand, Window
from choreia.motion import rotations as rot
from choreia.motion.kinematics import forward
from choreia.motion.skeleton import FEET

EDGE = 4
"""Kept frames on either side of the gap that are compared as well, so that what happens across its ends counts."""

LAG = 2
"""Frames over which vigour is measured: trembling from frame to frame is none."""

FLOOR = 1e-4
"""Added to the error of the interpolation before it divides, for a body that stands still."""

_TREMBLING = 0.33  # share of accelerations in vigour: alone they are had by trembling
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
        with sdpa_kernel(SDPBackend.MATH):  # on processors the fused attention takes twice as long to go back through
            root, matrices = self.network(window)
        with torch.autocast(root.device.type, enabled=False):
            true, bridged = body(window), body(window.bridged(self.network.config.reach))
            errors = compare(with_gap(true, window.gap, root, matrices), true)
            known = compare(bridged, true)
        shares = {name: value / (known[name] + FLOOR) for name, value in errors.items()}
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
    """Mean errors: of rotation matrices, joints m, their velocities m/s, feet that should stand (m/s)², and vigour, a share."""
    velocity, true_velocity = (losses.difference(one.joints, FPS) for one in (made, true))
    stands = losses.standing(true.joints[:, :, _FEET], FPS)
    return {
        "rotation": (made.matrices - true.matrices).abs().mean(),
        "place": distance(made.joints - true.joints),
        "velocity": distance(velocity - true_velocity),
        "feet": losses.contact(made.joints[:, :, _FEET], stands, FPS),
        "vigour": unlike(vigour(made.joints), vigour(true.joints)),
    }


def vigour(joints: Tensor) -> Tensor:
    """Root mean square speed and acceleration of each joint over time, (B, 2, 24) m/s and m/s², of joints (B, n, 24, 3) m.

    A mean of all that could be danced moves less than any of it; asked for the same vigour, the network decides for something.
    """
    velocity = (joints[:, LAG:] - joints[:, :-LAG]) * (FPS / LAG)
    acceleration = (velocity[:, LAG:] - velocity[:, :-LAG]) * (FPS / LAG)
    return torch.stack([(values.square().sum(-1).mean(1) + 1e-6).sqrt() for values in (velocity, acceleration)], dim=1)


def unlike(made: Tensor, true: Tensor) -> Tensor:
    """Mean difference of vigours (B, 2, 24), each joint's speed and acceleration as shares of what all true ones are on average."""
    shares = (made - true).abs().mean(0) / true.mean(0).clamp(min=0.05)
    return (shares * shares.new_tensor([[1 - _TREMBLING], [_TREMBLING]])).sum(0).mean()


def distance(vectors: Tensor) -> Tensor:
    """Mean length of vectors (..., 3); the gradient of none is 0."""
    return (vectors.square().sum(-1) + 1e-10).sqrt().mean()
