"""Gaps bridged without learning: linear and SLERP, cubic Hermite, and what lies between the two, which the network corrects.

Over T steps from the last frame kept before a gap to the first kept after it, the straight way goes at a velocity m. At u = k / T, a cubic
that leaves with velocity v and arrives with w adds T (v − m) u (1 − u)² to it, and takes T (w − m) (1 − u) u² away. Rotations are treated
alike: the straight way is SLERP, velocities are rotation vectors in the parent's frame, and what is added turns the straight rotation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from choreia.motion import rotations as rot

STRAIGHT = 0
"""`reach` of linear places and SLERP."""

HERMITE = 100_000
"""`reach` of the cubic: longer than any gap."""


@dataclass(frozen=True)
class Gap:
    """Frames [start, stop) to be made, with a kept frame or more on either side."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many frames are made."""
        return self.stop - self.start

    @property
    def steps(self) -> int:
        """From the last frame kept before to the first kept after."""
        return self.frames + 1


def bridge(root: Tensor, turns: Tensor, gap: Gap, reach: int) -> tuple[Tensor, Tensor]:
    """The frames of a gap, from what is kept on both sides alone.

    Args:
        root: (..., N, 3) metres.
        turns: local rotations (..., N, J, 4).
        gap: what is made. A single kept frame on a side is a pose at rest.
        reach: steps over which an end's own velocity gives way to the straight one: `STRAIGHT`, `HERMITE` or between, which is C1 as well.
    Returns:
        root (..., frames, 3) and rotations (..., frames, J, 4).
    """
    return _places(root.unsqueeze(-2), gap, reach).squeeze(-2), _turns(turns, gap, reach)


def _places(places: Tensor, gap: Gap, reach: int) -> Tensor:
    """(..., N, J, 3) to (..., frames, J, 3)."""
    before, first, last, after = _kept(places, gap)
    straight, added = _way(last - first, first - before, after - last, gap, reach)
    return first + straight + added


def _turns(turns: Tensor, gap: Gap, reach: int) -> Tensor:
    """(..., N, J, 4) to (..., frames, J, 4)."""
    before, first, last, after = _kept(turns, gap)
    straight, added = _way(_turn(first, last), _turn(before, first), _turn(last, after), gap, reach)
    return rot.multiply(rot.expmap_to_quaternion(added), rot.multiply(rot.expmap_to_quaternion(straight), first))


def _kept(values: Tensor, gap: Gap) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The two frames before a gap and the two after it, (..., 1, J, D) each; a missing one repeats its neighbour."""
    places = (max(gap.start - 2, 0), gap.start - 1, gap.stop, min(gap.stop + 1, values.shape[-3] - 1))
    before, first, last, after = (values[..., place : place + 1, :, :] for place in places)
    return before, first, last, after


def _turn(a: Tensor, b: Tensor) -> Tensor:
    """Rotation vector from rotation a to b (..., 4), by the shorter way."""
    return rot.quaternion_to_expmap(rot.multiply(b, rot.conjugate(a)))


def _way(whole: Tensor, leaving: Tensor, arriving: Tensor, gap: Gap, reach: int) -> tuple[Tensor, Tensor]:
    """Of each frame of the gap, how far it has come on the straight way `whole` (..., 1, J, 3), and what end velocities a step add."""
    k = torch.arange(1, gap.steps, device=whole.device, dtype=whole.dtype)[:, None, None]
    fade = min(reach, gap.steps)
    rate = whole / gap.steps
    added = _bump(k, fade) * (leaving - rate) - _bump(gap.steps - k, fade) * (arriving - rate)
    return k * rate, added


def _bump(k: Tensor, fade: int) -> Tensor:
    """T u (1 − u)² of u = k / T, T = `fade`: leaves 0 with slope 1 a step and is back, at rest, at the end."""
    u = (k / max(fade, 1)).clamp(max=1)
    return fade * u * (1 - u) ** 2
