"""How a movement that ends goes over into one that begins: inertialisation.

What was moving goes on by itself for a moment, and fades into the new movement, which takes over with a quintic: value and pace are
continuous. The pace that both have is kept, so that a walk goes on; what only the new one has comes with it; what only the old one had
dies out in `SLOPE_S`. After D. Bollo, "Inertialization: High-Performance Animation Transitions in Gears of War", GDC 2018, where the
two differ by an offset that does not change but for fading: so it is here between equal paces.
"""

from __future__ import annotations

import numpy as np
import torch

from choreia.motion import rotations as rot

SLOPE_S = 0.6
"""How long a pace lasts that the new movement does not take up."""

NEAR_M_S, NEAR_RAD_S = 0.15, 0.5
"""Paces that differ by less are taken for the same."""


def places_over(kept: np.ndarray, new: np.ndarray, weight: np.ndarray, fps: float) -> np.ndarray:
    """Places (n, 3) m that go on from `kept` (1 or 2, 3), the last frames, into `new` (n, 3), which has the share `weight` (n,)."""
    kept, new = np.asarray(kept, np.float64), np.asarray(new, np.float64)
    pace, steps = kept[-1] - kept[0], _steps(new)
    follow = _common(pace, steps[0], NEAR_M_S / fps)
    own = follow * steps + _hump(len(new), fps)[:, None] * (pace - follow * steps[0])
    going_on = kept[-1] + np.cumsum(own, axis=0)
    return new + (1 - weight[:, None]) * (going_on - new)


def turns_over(kept: np.ndarray, new: np.ndarray, weight: np.ndarray, fps: float) -> np.ndarray:
    """`places_over` for rotations: (1 or 2, J, 4) into (n, J, 4) wxyz."""
    last, first = (torch.from_numpy(np.asarray(wxyz, np.float64)) for wxyz in (kept, new))
    pace = _turn(last[0], last[-1])
    steps = torch.stack([_turn(a, b) for a, b in zip(first[[0, *range(len(first) - 1)]], first, strict=True)])
    steps[0] = steps[min(1, len(steps) - 1)]
    follow = torch.from_numpy(_common(pace.numpy(), steps[0].numpy(), NEAR_RAD_S / fps))
    rest, going_on, apart = pace - follow * steps[0], last[-1], torch.zeros_like(pace)
    found = torch.empty_like(first)
    for k, (share, left) in enumerate(zip(weight, _hump(len(first), fps), strict=True)):
        own = rot.multiply(rot.expmap_to_quaternion(left * rest), rot.expmap_to_quaternion(follow * steps[k]))
        going_on = rot.multiply(own, going_on)
        apart = _nearest(_turn(first[k], going_on), apart if k else None)
        found[k] = rot.multiply(rot.expmap_to_quaternion((1 - share) * apart), first[k])
    return found.numpy()


def ease(x: np.ndarray) -> np.ndarray:
    """From 0 to 1 with slope and curvature 0 at both ends."""
    x = np.clip(x, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def takeover(fade: int) -> np.ndarray:
    """Share (fade,) of the new movement in its first frames: 0 a frame before them, 1 a frame after."""
    return ease((np.arange(fade) + 1) / (fade + 1))


def _hump(count: int, fps: float) -> np.ndarray:
    """Steps (count,) a frame of a way that begins with one step of 1 and returns to 0 within `SLOPE_S`."""
    tail = SLOPE_S * fps
    x = np.clip(np.arange(count + 1) / tail, 0, 1)
    way = np.diff(tail * x * (1 - x) ** 3 * (1 + 3 * x))
    return way / way[0] if count and way[0] else way


def _steps(places: np.ndarray) -> np.ndarray:
    """Steps (n, 3) to every frame, that to the first like the second."""
    steps = np.diff(places, axis=0, prepend=places[:1])
    steps[0] = steps[min(1, len(steps) - 1)]
    return steps


def _common(pace: np.ndarray, new_pace: np.ndarray, near: float) -> np.ndarray:
    """How much (..., 1), 0 to 1, of a new movement goes with the old one: as much of its pace (..., 3) as both have, all when `near`."""
    shared = (pace * new_pace).sum(-1, keepdims=True) / np.maximum((new_pace**2).sum(-1, keepdims=True), near**2)
    alike = np.exp(-((pace - new_pace) ** 2).sum(-1, keepdims=True) / near**2)
    return alike + (1 - alike) * np.clip(shared, 0, 1)


def _turn(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Rotation vectors (J, 3) that take rotations (J, 4) to others by the shorter way."""
    between = rot.multiply(end, rot.conjugate(start))
    return rot.quaternion_to_expmap(torch.where(between[:, :1] < 0, -between, between))


def _nearest(vector: torch.Tensor, reference: torch.Tensor | None) -> torch.Tensor:
    """Of the rotation vectors (J, 3) of one rotation the nearest to another's."""
    if reference is None:
        return vector
    angle = vector.norm(dim=-1, keepdim=True)
    other = vector * (1 - 2 * torch.pi / angle.clamp_min(1e-9))
    nearer = (other - reference).norm(dim=-1, keepdim=True) < (vector - reference).norm(dim=-1, keepdim=True)
    return torch.where(nearer & (angle > torch.pi / 2), other, vector)
