"""How the default model is trained: latents of a trained tokenizer, music, words, and three stages. Each function is one experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia.data.decouple import relabelled
from choreia.data.shards import Labels, Sample, mirrored, read_samples
from choreia.errors import ChoreiaError
from choreia.models.base import write_weights
from choreia.models.choreia.config import Config, variant
from choreia.models.choreia.model import MODEL
from choreia.models.choreia.words import Words, phrasings
from choreia.models.dancemeld import recipe as dancemeld
from choreia.models.dancemeld.condition import fold_music
from choreia.models.dancemeld.config import MUSIC_COLUMNS, TOKEN_FRAMES
from choreia.models.dancemeld.objective import TokenizerObjective
from choreia.models.lrcm.condition import move_rows
from choreia.models.lrcm.config import PROGRESS, Stage, shortened
from choreia.models.lrcm.objective import Objective
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.types import Move

WEIGHTS = {"real dance": 3.0, "real": 0.35, "synthetic": 0.6}
"""How often a frame of each kind is drawn."""
OFFSETS = (0, 2, 4, 6)
"""Frames at which a take's first token begins."""


@dataclass(frozen=True)
class Danced:
    """A take in tokens: latents (N, D), music (N, 96) or None, how its style may be said, its moves with how each may be said,
    and which move (N,), -1 for none, is danced with what progress (N, 2). `weight`: how often a token of it is drawn."""

    rows: np.ndarray
    music: np.ndarray | None
    styles: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...]
    number: np.ndarray
    progress: np.ndarray
    weight: float


def read_danced(folder: Path, tokenizer: TokenizerObjective) -> tuple[list[Danced], Tensor, Tensor]:
    """Training takes of what `choreia prepare` left in `folder`, also mirrored, with their latents standardised; mean and scale (D,)."""
    parts = [part for part in (folder / "real", folder / "synthetic") if part.is_dir()]
    if not parts:
        raise ChoreiaError(f"{folder}: holds neither real/ nor synthetic/; make them with `choreia prepare`")
    samples = [sample if sample.labels.words else relabelled(sample) for part in parts for sample in read_samples(part, "train")]
    takes = [take for one in samples for sample in (one, mirrored(one)) for take in _danced(sample, tokenizer)]
    mean, std = dancemeld.latent_statistics([take.rows for take in takes], tokenizer.config.bottom_width)
    shift, scale = mean.numpy(), std.numpy()
    return [replace(take, rows=(take.rows - shift) / scale) for take in takes], mean, std


def _danced(sample: Sample, tokenizer: TokenizerObjective) -> list[Danced]:
    labels, values = sample.labels, dancemeld.ENCODERS["heading152"](sample)
    kind = labels.kind if labels.kind == "synthetic" else "real dance" if labels.dance else "real"
    songs: list[np.ndarray | None] = [dancemeld.to_rate(song.dance, len(values)) for song in sample.music]
    moves = tuple(Move(*move) for move in labels.moves)
    made = []
    for offset in OFFSETS:
        stop = offset + (len(values) - offset) // (2 * TOKEN_FRAMES) * (2 * TOKEN_FRAMES)
        if stop > offset:
            rows = dancemeld.latents(tokenizer, values[offset:stop])
            begin_s = offset / tokenizer.config.fps
            shifted = [Move(move.start_s - begin_s, move.end_s - begin_s, move.text) for move in moves]
            number, progress = move_rows(shifted, len(rows), tokenizer.config.tokens_per_s)
            for song in songs or [None]:
                music = None if song is None else fold_music(torch.from_numpy(song[offset:stop])).numpy()
                made.append(Danced(rows, music, _styles(labels), tuple(phrasings(move.text) for move in moves), number, progress,
                                   WEIGHTS[kind] / max(1, len(songs))))  # fmt: skip
    return made


def _styles(labels: Labels) -> tuple[str, ...]:
    """Ways to say a take's global text."""
    return tuple(dict.fromkeys(text for text in (labels.words, f"{labels.style}, {labels.text}", labels.style) if text))


@dataclass(frozen=True)
class Draw:
    """Batches of segments with the tokens before them: the batch of a step is a function of the seed and the step alone."""

    takes: list[Danced]
    words: Words
    config: Config
    seed: int

    def __call__(self, stage: Stage, step: int) -> Batch:
        """What `lrcm.Objective` takes: x (B, N, D), noise, t, the conditions; memory where the stage hears it."""
        rng, lrcm = np.random.default_rng((self.seed, len(stage.hears), step)), self.config.lrcm
        usable = [take for take in self.takes if len(take.rows) >= lrcm.window]
        share = np.array([take.weight * (len(take.rows) - lrcm.window + 2) for take in usable])
        picked = [usable[k] for k in rng.choice(len(usable), stage.batch, p=share / share.sum())]
        starts = [2 * int(rng.integers((len(take.rows) - lrcm.window) // 2 + 1)) for take in picked]
        parts = [self._part(take, start, rng) for take, start in zip(picked, starts, strict=True)]
        batch = {name: torch.from_numpy(np.stack([part[name] for part in parts])) for name in parts[0]}
        noise = torch.from_numpy(rng.standard_normal(batch["x"].shape, np.float32))
        t = (rng.permutation(stage.batch) + rng.random(stage.batch)) / stage.batch
        return {**batch, "noise": noise, "t": torch.from_numpy(np.float32(t))}

    def _part(self, take: Danced, start: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One segment. Half of a window from the start of a take has no memory: so do songs begin."""
        lrcm = self.config.lrcm
        cut, before = slice(start, start + lrcm.window), slice(start - lrcm.tail, start)
        remembered = start >= lrcm.tail
        silence = np.zeros((lrcm.window, TOKEN_FRAMES * MUSIC_COLUMNS), np.float32)
        memory = take.rows[before] if remembered else np.zeros((lrcm.tail, take.rows.shape[1]), np.float32)
        return {
            "x": take.rows[cut], "memory": memory, "has_memory": np.float32(remembered),
            "music": silence if take.music is None else take.music[cut], "has_music": np.float32(take.music is not None),
            "style": self.words.encode([str(rng.choice(take.styles))])[0], "has_style": np.float32(1),
            "moves": self._moves(take, cut, rng), "has_moves": np.float32(take.number[cut] >= 0),
        }  # fmt: skip

    def _moves(self, take: Danced, cut: slice, rng: np.random.Generator) -> np.ndarray:
        """Vectors of the moves of a segment (N, words + progress), each said one way throughout."""
        number = take.number[cut]
        rows = np.zeros((len(number), self.words.dim + PROGRESS), np.float32)
        rows[:, self.words.dim :] = take.progress[cut]
        for k in np.unique(number[number >= 0]):
            rows[number == k, : self.words.dim] = self.words.encode([str(rng.choice(take.captions[k]))])[0]
        return rows


def train_choreia(data: Path, tokenizer: Path, out: Path, name: str, settings: Settings, steps: int | None = None) -> Path:
    """Train the variant called `name` on the latents of a `tokenizer` file; write `weights.safetensors` (fp16) into `out`.

    Each stage has a folder of its own in `out` and begins with the averaged weights of the one before; `steps` is for all together.
    """
    stage1 = dancemeld.load_tokenizer(tokenizer)
    config, words = variant(name, stage1.config), Words()
    takes, mean, std = read_danced(data, stage1)
    draw = Draw(takes, words, config, settings.seed)
    torch.manual_seed(settings.seed)
    objective = Objective(config.lrcm)
    for stage in shortened(config.lrcm.stages, steps):
        objective.begin(stage)
        objective.load_state_dict(train(objective, [_phase(stage, partial(draw, stage))], replace(settings, out=out / stage.name)))
    tensors = {f"tokenizer.{key}": value for key, value in stage1.tokenizer.state_dict().items()}
    tensors |= {"mean": stage1.mean, "std": stage1.std, "latent_mean": mean, "latent_std": std, **objective.state_dict()}
    path = out / "weights.safetensors"
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json(), "words": words.name}, half=True)
    return path


def _phase(stage: Stage, batches: Callable[[int], Batch]) -> Phase:
    return Phase(stage.name, stage.steps, batches, stage.lr, stage.optimiser, stage.weight_decay, stage.warmup, ema=stage.ema)
