"""How the in-betweener is trained: gaps of every length cut into real dance, and into fewer other and synthetic takes, on either side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.data.shards import Sample, mirrored, read_samples
from choreia.errors import ChoreiaError
from choreia.models.base import write_weights
from choreia.models.inbetween.config import GROUPS, Config, Fit
from choreia.models.inbetween.model import MODEL
from choreia.models.inbetween.network import JOINTS, SKELETON, seen_rows
from choreia.models.inbetween.objective import Objective, read_window
from choreia.motion.representation.layout import tensors
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.training.tracks import Track, Windows

WEIGHTS = {"real dance": 3.0, "real": 1.0, "synthetic": 0.1}
"""How often a frame of each kind is drawn."""

_MEASURED = 24  # batches from which the normaliser is taken
_NARROWEST = 0.05


def read_tracks(folder: Path) -> tuple[Track, ...]:
    """Training takes of what `choreia prepare` left in `folder` (real/, synthetic/), each also mirrored, as (T, 3 + 96)."""
    parts = [part for part in (folder / "real", folder / "synthetic") if part.is_dir()]
    if not parts:
        raise ChoreiaError(f"{folder}: holds neither real/ nor synthetic/; make them with `choreia prepare`")
    samples = [sample for part in parts for sample in read_samples(part, "train")]
    return tuple(_track(one) for sample in samples for one in (sample, mirrored(sample)))


def _track(sample: Sample) -> Track:
    labels = sample.labels
    kind = labels.kind if labels.kind == "synthetic" else "real dance" if labels.dance else "real"
    tensors(sample.motion)
    values = np.concatenate([sample.motion.root, sample.motion.rotations.reshape(len(sample.motion), -1)], axis=1)
    return Track(labels.key, values.astype(np.float32), None, -1, WEIGHTS[kind])


@dataclass(frozen=True)
class Draw:
    """Gaps to train on: the batch of a step is a function of the seed and the step alone."""

    tracks: tuple[Track, ...]
    config: Config
    fit: Fit
    seed: int

    def __call__(self, step: int) -> Batch:
        """values (B, N, 99), free (B, 25), gap (B, 2), as `Objective` wants them; all gaps of a step have one length and one context."""
        rng = np.random.default_rng((self.seed, 1, step))
        frames = round(float(np.exp(rng.triangular(*np.log(self.fit.gaps)))))
        before, after = (self._context(rng) for _ in range(2))
        windows = Windows(self.tracks, before + frames + after, self.seed, silent_columns=1)
        drawn, _ = windows.draw(step, max(1, self.fit.frames // windows.length))
        count = len(drawn["values"])
        free = np.stack([self._free(rng) for _ in range(count)])
        gap = torch.tensor([before, before + frames]).repeat(count, 1)
        back = torch.from_numpy(rng.random(count) < self.fit.backwards)[:, None, None]
        values = torch.where(back, drawn["values"].flip(1), drawn["values"])
        return {"values": values, "free": torch.from_numpy(free), "gap": gap}

    def _context(self, rng: np.random.Generator) -> int:
        """Kept frames on one side."""
        return int(rng.integers(1, self.config.context + 1)) if rng.random() < self.fit.near else self.config.context

    def _free(self, rng: np.random.Generator) -> np.ndarray:
        """(1 + 24,) of 0 and 1: all of the body, or some groups of it."""
        free = np.ones(1 + JOINTS, np.float32)
        if rng.random() < self.fit.parts:
            held = rng.permutation(len(_GROUPS))[: rng.integers(1, len(_GROUPS))]
            free[np.concatenate([_GROUPS[k] for k in held])] = 0
        return free


def _columns(name: str) -> list[int]:
    """Columns of `free` that belong to a group."""
    joints = [1 + SKELETON.index(joint) for joint in GROUPS[name]]
    return [0, *joints] if "pelvis" in GROUPS[name] else joints


_GROUPS = [_columns(name) for name in GROUPS]


def train_inbetween(data: Path, out: Path, config: Config, fit: Fit, settings: Settings, steps: int | None = None) -> Path:
    """Train on the training takes in `data`; write `inbetween.safetensors` (fp16) into `out`."""
    draw = Draw(read_tracks(data), config, fit, settings.seed)
    mean, std = normaliser(draw)
    torch.manual_seed(settings.seed)
    objective = Objective(config, mean, std)
    phase = Phase("inbetween", steps or fit.steps, draw, fit.lr, weight_decay=fit.weight_decay, warmup=fit.warmup, ema=fit.ema)
    average = train(objective, [phase], settings)
    path = out / "inbetween.safetensors"
    write_weights(path, average, {"model": MODEL, "config": config.to_json()}, half=True)
    return path


def normaliser(draw: Draw) -> tuple[Tensor, Tensor]:
    """Mean and deviation (SEEN,) of what the network sees of dances without gaps; no deviation is under 0.05."""
    rows = torch.cat([seen_rows(read_window(draw(10**9 + k))).flatten(0, 1) for k in range(_MEASURED)])
    return rows.mean(0), rows.std(0).clamp(min=_NARROWEST)
