"""How well the shipped tokenizer rebuilds held-out real takes: the rows of `choreia evaluate tokenizer`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from choreia.data.shards import read_samples
from choreia.errors import ChoreiaError
from choreia.metrics.physics import planted_percent
from choreia.models.dancemeld.body import level_joints
from choreia.models.dancemeld.model import Generator, load
from choreia.motion.cleanup import lock_feet
from choreia.motion.representation import Heading152
from choreia.types import Motion

SHORTEST_FRAMES = 32


@dataclass(frozen=True)
class TokenizerRow:
    """Whole takes rebuilt: joint error in mm from the pelvis in the dancer's heading; planted steps after clean-up and used codes in %."""

    takes: str
    count: int
    minutes: float
    mpjpe_mm: float
    mpjpe_p95_mm: float
    planted_percent: float
    bottom_use_percent: float
    top_use_percent: float


def tokenizer(data: Path) -> list[TokenizerRow]:
    """Held-out dance, where there is any, and all held-out takes; ChoreiaError when nothing is held out."""
    generator = load("small")
    samples = [sample for sample in read_samples(data / "real", "test") if len(sample.motion) >= SHORTEST_FRAMES]
    if not samples:
        raise ChoreiaError(f"{data}: no held-out takes; make them with `choreia prepare`")
    groups = {"held-out dance": [sample for sample in samples if sample.labels.dance], "all held-out": samples}
    return [row(name, [sample.motion for sample in group], generator) for name, group in groups.items() if group]


def row(name: str, takes: Sequence[Motion], generator: Generator) -> TokenizerRow:
    """How well a tokenizer rebuilds whole takes, of `SHORTEST_FRAMES` or more."""
    errors, rebuilt, bottom, top = [], [], [], []
    for motion in takes:
        latents = generator.encode(motion)
        values = generator.decode(latents)[: len(motion)]
        errors.append(joint_errors_mm(values, Heading152.encode(motion)))
        rebuilt.append(lock_feet(Heading152.decode(values, motion.fps)))
        codes = generator.codes(latents)
        bottom.append(codes.bottom)
        top.append(codes.top)
    error, sizes = np.concatenate(errors), generator.config.tokenizer
    used = [use_percent(np.concatenate(codes), of) for codes, of in ((bottom, sizes.bottom_sizes), (top, sizes.top_sizes))]
    minutes = sum(motion.duration_s for motion in takes) / 60
    return TokenizerRow(name, len(takes), minutes, float(error.mean()), float(np.quantile(error, 0.95)), planted_percent(rebuilt), *used)


def joint_errors_mm(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean joint distance of every frame (T,) of heading152 values (T, 152), both dancers standing on one spot and facing one way."""
    return 1000 * (level_joints(torch.from_numpy(a)) - level_joints(torch.from_numpy(b))).norm(dim=-1).mean(-1).numpy()


def use_percent(codes: np.ndarray, sizes: tuple[int, ...]) -> float:
    """Share of a codebook's codes, of all levels, that occur at all in (M, levels)."""
    return 100 * sum(len(np.unique(codes[:, level])) for level in range(len(sizes))) / sum(sizes)
