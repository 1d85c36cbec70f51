"""How LRCM is trained: what any space of rows has in common, and the paper's own, pose space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from choreia.data.decouple import relabelled
from choreia.data.shards import Labels, MusicTrack, Sample, mirrored, read_samples
from choreia.errors import ChoreiaError
from choreia.models.base import write_weights
from choreia.models.lrcm.condition import move_rows
from choreia.models.lrcm.config import VARIANTS, Config, Stage, shortened, variant, worded
from choreia.models.lrcm.model import MODEL
from choreia.models.lrcm.objective import Objective
from choreia.models.lrcm.poses import SPACE, Poses, music_rows
from choreia.models.lrcm.segments import Danced, Draw, too_short
from choreia.models.lrcm.words import Scaled, ways
from choreia.motion.representation import Expmap61
from choreia.text.encode import Encoder
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.types import Move

WEIGHTS = {"real dance": 2.2, "real": 0.1, "synthetic": 0.7}
"""How often a frame of each kind is drawn."""


def training_samples(folder: Path) -> Iterator[Sample]:
    """Training takes of what `choreia prepare` left in `folder`, each also mirrored, with words on both levels."""
    parts = [part for part in (folder / "real", folder / "synthetic") if part.is_dir()]
    if not parts:
        raise ChoreiaError(f"{folder}: holds neither real/ nor synthetic/; make them with `choreia prepare`")
    for part in parts:
        for sample in read_samples(part, "train"):
            told = sample if sample.labels.words else relabelled(sample)
            yield from (told, mirrored(told))


def danced(labels: Labels, rows: np.ndarray, songs: Sequence[np.ndarray], moves: tuple[np.ndarray, np.ndarray],
           say: Callable[[str], tuple[str, ...]]) -> list[Danced]:  # fmt: skip
    """A take once with each of its songs, or once without.

    Args:
        labels: what is known of it.
        rows: (N, D).
        songs: music (N, D_a) each; the take's weight is shared out among them.
        moves: number (N,) and progress (N, P) of the move danced at each token.
        say: ways to say a move.
    """
    kind = labels.kind if labels.kind == "synthetic" else "real dance" if labels.dance else "real"
    captions, weight = tuple(say(text) for _, _, text in labels.moves), WEIGHTS[kind] / max(1, len(songs))
    once_each: list[np.ndarray | None] = [*songs] or [None]
    return [Danced(rows, song, _styles(labels), captions, *moves, weight) for song in once_each]


def _styles(labels: Labels) -> tuple[str, ...]:
    """Ways to say a take's global text."""
    return tuple(dict.fromkeys(text for text in (labels.words, f"{labels.style}, {labels.text}", labels.style) if text))


def train_stages(objective: Objective, draw: Draw, settings: Settings, steps: int | None = None) -> None:
    """Train through all stages of the objective's variant, in `steps` altogether; it ends with the averaged weights of the last.

    Each stage has a folder of its own in `settings.out` and begins with the averaged weights of the one before.
    """
    for stage in shortened(objective.config.stages, steps):
        objective.begin(stage)
        phase = _phase(stage, partial(draw, stage))
        objective.load_state_dict(train(objective, [phase], replace(settings, out=settings.out / stage.name)))


def _phase(stage: Stage, batches: Callable[[int], Batch]) -> Phase:
    return Phase(stage.name, stage.steps, batches, stage.lr, stage.optimiser, stage.weight_decay, stage.warmup, ema=stage.ema)


# ------------------------------------------------------------------------------------------------------------- pose space


def train_lrcm(data: Path, out: Path, name: str, settings: Settings, words: Encoder, steps: int | None = None) -> Path:
    """Train the pose-space variant called `name`; write `weights.safetensors` (fp16) into `out`.

    Args:
        data: what `choreia prepare` wrote. Rows are `Expmap61` standardised by the training set; music is `poses.MUSIC_NAMES`.
        out: for the weights, and a folder of checkpoints a stage.
        name: of a variant in pose space.
        settings: of the run; its own folder is not used.
        words: encoder of both levels of text, CLIP ViT-B/32 in the paper. The network is as wide as its vectors.
        steps: of all stages together; None is the variant's own.
    Raises:
        ChoreiaError: no such variant, one of another space, no prepared data, or no take as long as a segment.
    """
    config = worded(pose_variant(name), words.dim)
    takes, poses = read_poses(data, config)
    draw = Draw(takes, Scaled(words), config, settings.seed)
    torch.manual_seed(settings.seed)
    objective = Objective(config)
    train_stages(objective, draw, replace(settings, out=out), steps)
    path, header = out / "weights.safetensors", {"model": MODEL, "config": config.to_json(), "words": words.name}
    write_weights(path, {**vars(poses), **objective.state_dict()}, header, half=True)
    return path


def pose_variant(name: str) -> Config:
    """The variant called `name`, which has to be of pose space; ChoreiaError when it is not."""
    config = variant(name)
    if config.space != SPACE:
        ours = ", ".join(other for other, config in VARIANTS.items() if config.space == SPACE)
        raise ChoreiaError(
            f"lrcm variant {name!r} is not of pose space: choose one of {ours}, or train it over latents with recipe choreia"
        )
    return config


def read_poses(folder: Path, config: Config) -> tuple[list[Danced], Poses]:
    """Training takes of `folder` that are as long as a segment, frame by frame, standardised; and by what."""
    read = [(sample.labels, sample.music, Expmap61.encode(sample.motion)) for sample in training_samples(folder)]
    read = [(labels, songs, values) for labels, songs, values in read if len(values) >= config.window]
    if not read:
        raise too_short(config)
    poses, fps = Poses.of([values for _, _, values in read]), config.tokens_per_s
    return [take for labels, songs, values in read for take in _danced(labels, songs, poses.rows(values), fps)], poses


def _danced(labels: Labels, songs: Sequence[MusicTrack], rows: np.ndarray, fps: float) -> list[Danced]:
    """Takes at the frames of the shards; the paper does not tell the network how far a move has come."""
    number, progress = move_rows([Move(*move) for move in labels.moves], len(rows), fps)
    return danced(labels, rows, [music_rows(song.dance) for song in songs], (number, progress[:, :0]), ways)
