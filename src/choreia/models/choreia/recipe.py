"""How the default model is trained: latents of a trained tokenizer, music, words, and three stages. Each function is one experiment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from choreia.data.shards import Sample
from choreia.models.base import write_weights
from choreia.models.choreia.config import variant
from choreia.models.choreia.model import MODEL
from choreia.models.choreia.words import Words, phrasings
from choreia.models.dancemeld import recipe as dancemeld
from choreia.models.dancemeld.condition import fold_music
from choreia.models.dancemeld.config import TOKEN_FRAMES
from choreia.models.dancemeld.objective import TokenizerObjective
from choreia.models.lrcm.condition import move_rows
from choreia.models.lrcm.objective import Objective
from choreia.models.lrcm.recipe import danced, train_stages, training_samples
from choreia.models.lrcm.segments import Danced, Draw
from choreia.training.loop import Settings
from choreia.types import Move

OFFSETS = (0, 2, 4, 6)
"""Frames at which a take's first token begins."""


def read_danced(folder: Path, tokenizer: TokenizerObjective) -> tuple[list[Danced], Tensor, Tensor]:
    """Training takes of what `choreia prepare` left in `folder`, also mirrored, with their latents standardised; mean and scale (D,)."""
    takes = [take for sample in training_samples(folder) for take in _danced(sample, tokenizer)]
    mean, std = dancemeld.latent_statistics([take.rows for take in takes], tokenizer.config.bottom_width)
    shift, scale = mean.numpy(), std.numpy()
    return [replace(take, rows=(take.rows - shift) / scale) for take in takes], mean, std


def _danced(sample: Sample, tokenizer: TokenizerObjective) -> list[Danced]:
    values, config = dancemeld.ENCODERS["heading152"](sample), tokenizer.config
    songs = [dancemeld.to_rate(song.dance, len(values)) for song in sample.music]
    made = []
    for offset in OFFSETS:
        stop = offset + (len(values) - offset) // (2 * TOKEN_FRAMES) * (2 * TOKEN_FRAMES)
        if stop > offset:
            rows = dancemeld.latents(tokenizer, values[offset:stop])
            begin_s = offset / config.fps
            shifted = [Move(start_s - begin_s, end_s - begin_s, text) for start_s, end_s, text in sample.labels.moves]
            folded = [fold_music(torch.from_numpy(song[offset:stop])).numpy() for song in songs]
            made += danced(sample.labels, rows, folded, move_rows(shifted, len(rows), config.tokens_per_s), phrasings)
    return made


def train_choreia(data: Path, tokenizer: Path, out: Path, name: str, settings: Settings, steps: int | None = None) -> Path:
    """Train the variant called `name` on the latents of a `tokenizer` file; write `weights.safetensors` (fp16) into `out`.

    Each stage has a folder of its own in `out` and begins with the averaged weights of the one before; `steps` is for all together.
    """
    stage1 = dancemeld.load_tokenizer(tokenizer)
    config, words = variant(name, stage1.config), Words()
    takes, mean, std = read_danced(data, stage1)
    draw = Draw(takes, words, config.lrcm, settings.seed, grid=2)
    torch.manual_seed(settings.seed)
    objective = Objective(config.lrcm)
    train_stages(objective, draw, replace(settings, out=out), steps)
    tensors = {f"tokenizer.{key}": value for key, value in stage1.tokenizer.state_dict().items()}
    tensors |= {"mean": stage1.mean, "std": stage1.std, "latent_mean": mean, "latent_std": std, **objective.state_dict()}
    path = out / "weights.safetensors"
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json(), "words": words.name}, half=True)
    return path
