"""How DanceMeld is trained and measured: tokenizer, then prior over its latents. Each function is one experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.models.base import read_weights, write_weights
from choreia.models.dancemeld.body import level_joints
from choreia.models.dancemeld.config import Config, Fit, variant
from choreia.models.dancemeld.objective import PriorObjective, TokenizerObjective
from choreia.models.dancemeld.tokenizer import Tokenizer
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.training.tracks import Track, Windows


@dataclass(frozen=True)
class Corpus:
    """Un-normalised tracks at the variant's rate by split, and the names of the styles."""

    train: tuple[Track, ...]
    held_out: tuple[Track, ...]
    styles: tuple[str, ...]


def normaliser(tracks: tuple[Track, ...]) -> tuple[Tensor, Tensor]:
    """Mean (D,) and scale (D,): groups of six (a joint's 6D) share a scale, and none is less than 0.05, so still joints stay small."""
    values = np.concatenate([track.values for track in tracks])
    mean, std = values.mean(0), values.std(0)
    sixd = 4 if values.shape[1] == 152 else 3
    joints = std[sixd : sixd + 144].reshape(24, 6)
    std[sixd : sixd + 144] = np.repeat(np.sqrt(np.square(joints).mean(1)), 6)
    return torch.from_numpy(mean), torch.from_numpy(np.maximum(std, 0.05))


def train_tokenizer(corpus: Corpus, out: Path, config: Config, settings: Settings, steps: int | None = None) -> Path:
    """Stage 1: write `tokenizer.safetensors` into `out`, from the averaged weights."""
    mean, std = normaliser(corpus.train)
    torch.manual_seed(settings.seed)
    objective = TokenizerObjective(config, mean, std)
    windows = Windows(_normalised(corpus.train, mean, std), config.fit_tokenizer.window, settings.seed)
    fit_codebooks(objective.tokenizer, windows)
    phase = _phase("tokenizer", config.fit_tokenizer, steps, lambda step: _tokenizer_batch(windows, config, step))
    average = train(objective, [phase], settings)
    path = out / "tokenizer.safetensors"
    write_weights(path, average, {"model": "dancemeld-tokenizer", "config": config.to_json()})
    return path


def fit_codebooks(tokenizer: Tokenizer, windows: Windows) -> None:
    """Start the codebooks on the latents of a few batches; runs the same in every process."""
    generator = torch.Generator().manual_seed(windows.seed)
    values, _ = windows.draw(10**9, 128)
    tokenizer.eval()
    with torch.no_grad():
        tokenizer.quantize_top.fit(tokenizer.latents(values["values"]).top.flatten(0, 1), generator)
        tokenizer.quantize_bottom.fit(tokenizer.latents(values["values"]).bottom.flatten(0, 1), generator)
    tokenizer.train()


def _tokenizer_batch(windows: Windows, config: Config, step: int) -> Batch:
    batch, rng = windows.draw(step, config.fit_tokenizer.batch)
    levels, count = len(config.tokenizer.bottom_sizes), len(batch["values"])
    dropped = rng.random(count) < config.tokenizer.level_drop
    keep = np.where(dropped, rng.integers(1, levels + 1, count), levels)
    return {**{name: batch[name] for name in ("values", "music", "has_music")}, "keep": torch.from_numpy(keep)}


def _normalised(tracks: tuple[Track, ...], mean: Tensor, std: Tensor) -> tuple[Track, ...]:
    shift, scale = mean.numpy(), std.numpy()
    return tuple(Track(t.name, (t.values - shift) / scale, t.music, t.style, t.weight) for t in tracks)


def _phase(name: str, fit: Fit, steps: int | None, batches) -> Phase:
    return Phase(name, steps or fit.steps, batches, fit.lr, fit.optimiser, fit.weight_decay, fit.warmup, ema=fit.ema)


def load_tokenizer(path: Path) -> TokenizerObjective:
    """A trained stage 1 with its normaliser, ready to use."""
    weights = read_weights(path, "dancemeld-tokenizer")
    objective = TokenizerObjective(Config.from_json(weights.header["config"]), weights.tensors["mean"], weights.tensors["std"])
    objective.load_state_dict(weights.tensors)
    return objective.eval().requires_grad_(False)


def evaluate_tokenizer(path: Path, corpus: Corpus) -> dict[str, float]:
    """Reconstruction of whole held-out takes: MPJPE in mm from the pelvis in the dancer's heading, root drift, use of the codebooks in %."""
    objective = load_tokenizer(path)
    errors, drifts, codes = [], [], []
    for track in corpus.held_out:
        values = torch.from_numpy(track.values[: len(track.values) // 8 * 8])[None]
        if values.shape[1] >= 32:
            made = objective.tokenizer((values - objective.mean) / objective.std)
            again = made.values * objective.std + objective.mean
            errors.append((level_joints(again) - level_joints(values)).norm(dim=-1).mean(-1).flatten())
            drifts.append(((again - values)[..., 1:3]).norm(dim=-1).mean())
            codes.append((made.bottom.codes.flatten(0, 1), made.top.codes.flatten(0, 1)))
    return {
        "mpjpe_mm": 1000 * float(torch.cat(errors).mean()),
        "mpjpe_p95_mm": 1000 * float(torch.cat(errors).quantile(0.95)),
        "planar_speed_error_mps": float(torch.stack(drifts).mean()),
        "bottom_use_percent": _use(torch.cat([bottom for bottom, _ in codes]), objective.config.bottom_sizes),
        "top_use_percent": _use(torch.cat([top for _, top in codes]), objective.config.top_sizes),
    }


def _use(codes: Tensor, sizes: tuple[int, ...]) -> float:
    """Share of codes that occur at all in (M, levels), over all levels, in percent."""
    return 100 * sum(len(codes[:, level].unique()) for level in range(len(sizes))) / max(1, sum(sizes))
