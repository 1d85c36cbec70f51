"""How DanceMeld is trained: tokenizer, then prior over its latents. Each function is one experiment."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.data.shards import Sample, mirrored, read_samples
from choreia.errors import ChoreiaError
from choreia.models.base import read_weights, write_weights
from choreia.models.dancemeld.codec import halo_tokens, in_pieces, join, split
from choreia.models.dancemeld.codes import CodesPrior
from choreia.models.dancemeld.condition import fold_music
from choreia.models.dancemeld.config import MUSIC_COLUMNS, Config, Fit
from choreia.models.dancemeld.model import MODEL
from choreia.models.dancemeld.objective import PriorObjective, TokenizerObjective
from choreia.models.dancemeld.tokenizer import Tokenizer
from choreia.motion.representation import Heading152, Smpl6d147
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.training.tracks import Track, Windows


@dataclass(frozen=True)
class Corpus:
    """Un-normalised tracks to train on, at the variant's rate, and the names of the styles."""

    train: tuple[Track, ...]
    styles: tuple[str, ...]


@dataclass(frozen=True)
class Mix:
    """How often a frame of each kind is drawn; whether a take comes once with each of its songs or with its first alone; whether synthetic
    takes go where there is more real dance of their style: there the choreographer fills gaps and does not dilute."""

    dance: float
    other: float
    synthetic: float
    all_songs: bool
    fill_gaps: bool


TOKENIZER_MIX = Mix(dance=2.0, other=1.0, synthetic=0.6, all_songs=False, fill_gaps=False)
PRIOR_MIX = Mix(dance=3.0, other=0.35, synthetic=0.6, all_songs=True, fill_gaps=True)


def read_corpus(folder: Path, config: Config, mix: Mix) -> Corpus:
    """Training takes of what `choreia prepare` left in `folder` (real/, synthetic/), each also mirrored, with the styles of all splits."""
    read = {split: _read(folder, split) for split in ("train", "val", "test")}
    samples = {split: _without_outdanced(found) if mix.fill_gaps else found for split, found in read.items()}
    styles = tuple(sorted({sample.labels.style for part in samples.values() for sample in part}))
    both_ways = samples["train"] + [mirrored(sample) for sample in samples["train"]]
    return Corpus(tuple(track for sample in both_ways for track in _tracks(sample, config, mix, styles)), styles)


def _read(folder: Path, split: str) -> list[Sample]:
    parts = [part for part in (folder / "real", folder / "synthetic") if part.is_dir()]
    if not parts:
        raise ChoreiaError(f"{folder}: holds neither real/ nor synthetic/; make them with `choreia prepare`")
    return [sample for part in parts for sample in read_samples(part, split)]


def _without_outdanced(samples: list[Sample]) -> list[Sample]:
    """Without synthetic takes of the styles of which there is more real dance."""
    seconds = {(kind, s.labels.style): 0.0 for s in samples for kind in ("real", "synthetic")}
    for sample in samples:
        if sample.labels.dance:
            seconds[sample.labels.kind, sample.labels.style] += sample.labels.seconds
    outdanced = {style for _, style in seconds if seconds["real", style] > seconds["synthetic", style]}
    return [s for s in samples if s.labels.kind == "real" or s.labels.style not in outdanced]


def _tracks(sample: Sample, config: Config, mix: Mix, styles: tuple[str, ...]) -> list[Track]:
    labels = sample.labels
    weight = mix.synthetic if labels.kind == "synthetic" else mix.dance if labels.dance else mix.other
    values = ENCODERS[config.tokenizer.representation](sample)
    chosen = sample.music[: None if mix.all_songs else 1]
    songs: list[np.ndarray | None] = [to_rate(song.dance, len(values)) for song in chosen]
    style, share = styles.index(labels.style), weight / max(1, len(songs))
    return [Track(f"{labels.key}.{k}", values, song, style, share) for k, song in enumerate(songs or [None])]


def _fine_values(sample: Sample) -> np.ndarray:
    if sample.fine is None:
        raise ChoreiaError(f"{sample.labels.key} has no motion at 60 fps: prepare the data again")
    return Smpl6d147.encode(sample.fine)


def to_rate(features: np.ndarray, frames: int) -> np.ndarray:
    """Music features (n, 24) spread over `frames` frames, nearest."""
    return features[np.minimum(np.arange(frames) * len(features) // frames, len(features) - 1)]


ENCODERS: dict[str, Callable[[Sample], np.ndarray]] = {
    "heading152": lambda sample: Heading152.encode(sample.motion, sample.contacts),
    "smpl6d147": _fine_values,
}
"""From a prepared sample to values (T, dim), by representation."""


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


def _phase(name: str, fit: Fit, steps: int | None, batches: Callable[[int], Batch]) -> Phase:
    return Phase(name, steps or fit.steps, batches, fit.lr, fit.optimiser, fit.weight_decay, fit.warmup, ema=fit.ema)


def load_tokenizer(path: Path) -> TokenizerObjective:
    """A trained stage 1 with its normaliser, ready to use."""
    weights = read_weights(path, "dancemeld-tokenizer")
    objective = TokenizerObjective(Config.from_json(weights.header["config"]), weights.tensors["mean"], weights.tensors["std"])
    objective.load_state_dict(weights.tensors)
    return objective.eval().requires_grad_(False)


def train_prior(corpus: Corpus, tokenizer: Path, out: Path, config: Config, settings: Settings, steps: int | None = None) -> Path:
    """Stage 2 on the latents of stage 1's `tokenizer` file: write the whole model's `weights.safetensors` (fp16) into `out`."""
    stage1 = load_tokenizer(tokenizer)
    config = replace(config, tokenizer=stage1.config)
    tracks = latent_tracks(stage1, corpus.train)
    mean, std = latent_statistics([track.values for track in tracks], config.tokenizer.bottom_width)
    windows = Windows(_normalised(tracks, mean, std), config.fit_prior.window, settings.seed, grid=2, silent_columns=4 * MUSIC_COLUMNS)
    torch.manual_seed(settings.seed)
    objective = PriorObjective(config, len(corpus.styles))
    if isinstance(objective.prior, CodesPrior):
        objective.prior.place_books(stage1.tokenizer, mean, std)
    coder = _coder(stage1.tokenizer, mean, std) if config.prior.kind == "codes" else None
    phase = _phase("prior", config.fit_prior, steps, lambda step: _prior_batch(windows, config, step, coder))
    average = train(objective, [phase], settings)
    tensors = {f"tokenizer.{name}": value for name, value in stage1.tokenizer.state_dict().items()}
    tensors |= {"mean": stage1.mean, "std": stage1.std, "latent_mean": mean, "latent_std": std, **average}
    path = out / "weights.safetensors"
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json(), "styles": json.dumps(corpus.styles)}, half=True)
    return path


def latent_tracks(stage1: TokenizerObjective, tracks: tuple[Track, ...], offsets: tuple[int, ...] = (0, 2, 4, 6)) -> tuple[Track, ...]:
    """Every take as latents (N, width) with folded music (N, 96), once from each first frame, so that tokens begin on every even frame."""
    made = []
    for track in tracks:
        for offset in offsets:
            stop = offset + (len(track.values) - offset) // 8 * 8
            if stop > offset:
                rows = latents(stage1, track.values[offset:stop])
                music = None if track.music is None else fold_music(torch.from_numpy(track.music[offset:stop])).numpy()
                made.append(Track(f"{track.name}+{offset}", rows, music, track.style, track.weight))
    return tuple(made)


@torch.no_grad()
def latents(stage1: TokenizerObjective, values: np.ndarray) -> np.ndarray:
    """Latents (N, width) of values (8 k, dim)."""
    normalised = (torch.from_numpy(values) - stage1.mean) / stage1.std
    return in_pieces(lambda x: join(stage1.tokenizer.latents(x[None]))[0], normalised, halo_tokens(stage1.config), shrink=4).numpy()


def latent_statistics(takes: Sequence[np.ndarray], bottom_width: int) -> tuple[Tensor, Tensor]:
    """Mean and scale (width,) of takes' latents (N, width): half way (geometrically) between each column's deviation and its level's.

    Fully standardised, columns that hardly move the body would count as much in Eq. 13 as those that do.
    """
    rows = torch.from_numpy(np.concatenate(takes))
    std = rows.std(0).clamp(min=1e-4)
    levels = [part.square().mean().sqrt().expand_as(part) for part in std.split([bottom_width, len(std) - bottom_width]) if len(part)]
    return rows.mean(0), (std * torch.cat(levels)).sqrt()


def _prior_batch(windows: Windows, config: Config, step: int, coder: Callable[[Tensor], Tensor] | None) -> Batch:
    drawn, rng = windows.draw(step, config.fit_prior.batch)
    h, count = drawn["values"], len(drawn["values"])
    free = rng.random(count) < config.prior.music_drop
    nameless = free | (rng.random(count) < config.prior.style_drop)
    steps = config.prior.train_times
    t = (rng.permutation(count) + rng.random(count)) / count
    t = (np.floor(t * steps) + 1) / steps if steps else t
    batch = {
        "h": h, "music": drawn["music"], "style": drawn["style"], "t": torch.from_numpy(np.float32(t)),
        "hear": drawn["has_music"] * torch.from_numpy(np.float32(~free)), "know": torch.from_numpy(np.float32(~nameless)),
        "noise": torch.from_numpy(rng.standard_normal(h.shape, np.float32)),
    }  # fmt: skip
    return batch if coder is None else {**batch, "codes": coder(h)}


def _coder(tokenizer: Tokenizer, mean: Tensor, std: Tensor) -> Callable[[Tensor], Tensor]:
    """Standardised latents (B, N, width) to codes of all levels (B, N, bottom + top), each top code twice."""

    def code(h: Tensor) -> Tensor:
        bottom, top = tokenizer.codes(split(h * std + mean, tokenizer.config.bottom_width))
        return torch.cat([bottom, top.repeat_interleave(2, dim=1)], dim=-1)

    return code
