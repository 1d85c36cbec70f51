"""Train the beat network: `train(corpus_folder, weights_path)`, about three minutes of one CPU core.

Targets: 1 on the frame of a beat and 0.5 beside it, binary cross-entropy. Every crop is stretched in time, shifted in pitch, coloured
and covered with noise at random, so that the network learns rhythm and not our voices.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from choreia.files import atomic_path
from choreia.models.beats.corpus import Piece, for_development
from choreia.music.beatnet import BeatNet, level
from choreia.music.spectrum import FAST_FPS


@dataclass(frozen=True)
class Recipe:
    """Numbers of the run; `crop` in frames at 60 fps."""

    steps: int = 1800
    batch: int = 10
    crop: int = 1200
    rate: float = 6e-3
    decay: float = 0.99
    seed: int = 0


def train(pieces: list[Piece], weights: Path, recipe: Recipe | None = None) -> list[float]:
    """Train on the pieces not for development, write the averaged weights (fp16) to `weights`, return the loss of every step."""
    recipe = recipe or Recipe()
    pieces = [piece for piece in pieces if not for_development(piece)]
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    net = BeatNet()
    follow = torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.decay)
    average = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=follow, use_buffers=True)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    losses = []
    for step in range(recipe.steps):
        bands, targets = batch(pieces, recipe, rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(bands)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(net)
        losses.append(loss.item())
        if step % 100 == 99:
            print(f"step {step + 1:5d}  loss {np.mean(losses[-100:]):.4f}", flush=True)
    with atomic_path(weights) as part:
        save_file(average.module.half().state_dict(), part)
    return losses


def batch(pieces: list[Piece], recipe: Recipe, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Random crops, every second of music as likely as any other: bands (B, crop, 80) and targets (B, crop, 2)."""
    ends = np.cumsum([len(piece.bands) for piece in pieces])
    chosen = np.searchsorted(ends, rng.uniform(0, ends[-1], recipe.batch))
    crops = [crop(pieces[int(i)], recipe.crop, rng) for i in chosen]
    return tuple(torch.from_numpy(np.stack(column)) for column in zip(*crops, strict=True))  # type: ignore[return-value]


def crop(piece: Piece, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`n` frames of a piece at a random place, played 0.75 to 1.3 times as fast, with changed sound: bands (n, 80), targets (n, 2)."""
    speed = float(np.exp(rng.uniform(np.log(0.75), np.log(1.3))))
    start = rng.uniform(0, max(1.0, len(piece.bands) - n * speed))
    at = start + np.arange(n) * speed
    low = np.minimum(at.astype(int), len(piece.bands) - 2)
    part = (at - low)[:, None].clip(0, 1).astype(np.float32)
    bands = piece.bands[low] * (1 - part) + piece.bands[low + 1] * part
    times = [(grid * FAST_FPS - start) / speed for grid in (piece.beats_s, piece.downbeats_s)]
    return colour(level(bands.astype(np.float32)), rng), np.stack([target(frames, n) for frames in times], axis=1)


def colour(bands: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift in pitch, filter, change the level, add a noise floor."""
    shift = int(rng.integers(-4, 5))
    moved = np.pad(bands, ((0, 0), (4, 4)), mode="edge")[:, 4 + shift : 4 + shift + bands.shape[1]]
    curve = np.interp(np.arange(bands.shape[1]), np.linspace(0, bands.shape[1], 6), rng.normal(0, 0.35, 6)) + rng.normal(0, 0.2)
    filtered = moved + curve.astype(np.float32)
    if rng.random() < 0.5:
        return filtered
    return np.maximum(filtered, np.float32(rng.uniform(-4.0, 0.0)) + np.float32(0.15) * rng.standard_normal(bands.shape, np.float32))


def target(frames: np.ndarray, n: int) -> np.ndarray:
    """(n,) with 1 at the given places and 0.5 beside them."""
    track = np.zeros(n, np.float32)
    places = np.round(frames).astype(int)
    for offset, value in ((-1, 0.5), (1, 0.5), (0, 1.0)):
        inside = places[(places + offset >= 0) & (places + offset < n)] + offset
        track[inside] = np.maximum(track[inside], value)
    return track
