"""The sizes of the in-between network and of its training."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from choreia.errors import ChoreiaError

FPS = 30.0
"""Frames a second of all takes."""

LONGEST = 120
"""Frames of the longest gap: 4 s."""

GROUPS: dict[str, tuple[str, ...]] = {
    "left leg": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "right leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
    "left arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    "right arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    "middle": ("spine1", "spine2", "spine3", "neck", "head"),
    "pelvis": ("pelvis",),
}
"""Joints that are kept inside a gap, or not, together in training; the pelvis with the root's path."""


@dataclass(frozen=True)
class LossWeights:
    """Shares in the loss of terms that are 1 where the network is no better than the interpolation."""

    rotation: float = 0.5
    place: float = 1.0
    velocity: float = 0.5
    feet: float = 0.1
    vigour: float = 0.3


@dataclass(frozen=True)
class Config:
    """`inner`: channels between the two convolutions of a block. `context`: kept frames that are seen on either side of a gap.

    `reach`: frames over which velocities of the ends fade out of the interpolation that is corrected. `ramp`: frames over which the
    correction fades in and out.
    """

    name: str = "small"
    width: int = 160
    layers: int = 6
    heads: int = 2
    inner: int = 320
    dropout: float = 0.1
    context: int = 30
    reach: int = 25
    ramp: int = 8
    losses: LossWeights = field(default_factory=LossWeights)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        return Config(**{**raw, "losses": LossWeights(**raw["losses"])})


@dataclass(frozen=True)
class Fit:
    """How it is trained. A step has gaps of one length, as many as fill `frames` frames with what is kept around them.

    `gaps`: shortest (3 or more), likeliest and longest, in frames; their logarithms are drawn from a triangle. `near`: share of steps that
    see less than the whole context. `backwards`: share of gaps that are danced from the last frame to the first. `parts`: share in
    which some groups of joints are kept.
    """

    steps: int = 4000
    frames: int = 2048
    gaps: tuple[int, int, int] = (5, 24, LONGEST)
    near: float = 0.25
    backwards: float = 0.3
    parts: float = 0.3
    lr: float = 1e-3
    weight_decay: float = 0.02
    warmup: int = 100
    ema: float = 0.998


VARIANTS: dict[str, tuple[Config, Fit]] = {
    "small": (Config(), Fit()),
    "tiny": (
        Config("tiny", width=32, layers=2, heads=2, inner=64, dropout=0.0, context=10),
        Fit(steps=100, frames=384, gaps=(6, 10, 16), lr=5e-3, warmup=10, ema=0.9),
    ),
}


def variant(name: str) -> tuple[Config, Fit]:
    """The variant called `name`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown inbetween variant {name!r}: choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
