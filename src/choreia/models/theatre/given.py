"""What the denoiser is given in every time slice, as one tensor, so that windows can cut it; all zeros means "nothing given"."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from choreia.models.theatre.config import TARGET, Sizes


@dataclass(frozen=True)
class Given:
    """Conditions of B sequences of N tokens; each `has_` is 1 where the thing is there, (B, N, 1), and 0 where it is not and never read.

    music (B, N, width) encoded, beat (B, N, 1) in [0, 1]. motion (B, N, motion): a dance that is held, dancer (B, N, width) the same
    encoded. style (B, N, style): a stage that is held. target (B, N, TARGET): the style to aim at.
    """

    music: Tensor
    beat: Tensor
    has_music: Tensor
    motion: Tensor
    dancer: Tensor
    has_motion: Tensor
    style: Tensor
    has_style: Tensor
    target: Tensor
    has_target: Tensor


def columns(sizes: Sizes) -> dict[str, int]:
    """How many columns each field of `Given` has, in their order."""
    width = {"music": sizes.width, "motion": sizes.motion, "dancer": sizes.width, "style": sizes.style, "target": TARGET}
    return {name: width.get(name, 1) for name in Given.__dataclass_fields__}


def pack(given: Given) -> Tensor:
    """One tensor (B, N, C), with zeros in place of what is not there."""
    there = {
        "music": given.has_music, "beat": given.has_music, "motion": given.has_motion, "dancer": given.has_motion,
        "style": given.has_style, "target": given.has_target,
    }  # fmt: skip
    parts = {name: getattr(given, name) for name in Given.__dataclass_fields__}
    return torch.cat([value * there[name] if name in there else value for name, value in parts.items()], dim=-1)


def unpack(packed: Tensor, sizes: Sizes) -> Given:
    """Inverse of `pack`."""
    return Given(*packed.split(list(columns(sizes).values()), dim=-1))
