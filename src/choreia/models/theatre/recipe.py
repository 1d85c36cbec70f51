"""How the musical-theatre model is trained: prepared dances, stages that the rule-based designer lights them with, and three stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from choreia import clock
from choreia.data.scores import music_of
from choreia.data.shards import Sample, mirrored, read_samples
from choreia.errors import ChoreiaError
from choreia.models.base import read_weights, write_weights
from choreia.models.theatre import performances
from choreia.models.theatre.config import Config, Stage, variant
from choreia.models.theatre.model import ENCODERS, MODEL, Normal, load_encoders
from choreia.models.theatre.objective import EncoderObjective, Objective
from choreia.models.theatre.performances import Draw, Performed, Song
from choreia.models.theatre.rows import fold, music_rows, nearest_rows, style_rows
from choreia.models.theatre.space import Space
from choreia.motion.timing import resample
from choreia.stage.style import to_vector
from choreia.synth.lighting import design
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.types import Motion

DESIGNS = 2
"""Stages designed for each dance and song."""

WEIGHTS = {"real dance": 2.0, "real": 0.1, "synthetic": 1.0}
"""How often a frame of each kind is drawn."""

MATERIAL = "performances.safetensors"


def performed(folder: Path, config: Config, space: Space, seed: int) -> Iterator[Performed]:
    """Training dances of what `choreia prepare` left in `folder` that have music and last a window, each also mirrored, lit by rules."""
    parts = [part for part in (folder / "real", folder / "synthetic") if part.is_dir()]
    if not parts:
        raise ChoreiaError(f"{folder}: holds neither real/ nor synthetic/; make them with `choreia prepare`")
    for part in parts:
        for sample in read_samples(part, "train"):
            if sample.music and sample.motion.duration_s * config.sizes.fps >= config.window * config.sizes.fold:
                yield from (_performed(one, config, space, seed) for one in (sample, mirrored(sample)))


def _performed(sample: Sample, config: Config, space: Space, seed: int) -> Performed:
    whole = resample(sample.motion, config.sizes.fps)
    motion = whole.slice(0, len(whole) // (2 * config.sizes.fold) * 2 * config.sizes.fold)
    kind = sample.labels.kind if sample.labels.kind == "synthetic" else "real dance" if sample.labels.dance else "real"
    songs = tuple(_lit(sample, motion, number, config, seed) for number in range(len(sample.music)))
    return Performed(space.encode(motion).astype(np.float32), space.seen(motion).astype(np.float16), songs, WEIGHTS[kind])


def _lit(sample: Sample, motion: Motion, number: int, config: Config, seed: int) -> Song:
    """A song of a sample with stages designed for it and the dance."""
    sizes = config.sizes
    music = music_of(sample.music[number], motion.duration_s)
    stages = [design(music, motion, seed=int(np.random.default_rng((seed, number, k)).integers(2**31))) for k in range(DESIGNS)]
    frames = clock.frame_times(len(motion), sizes.fps)
    rows = fold(torch.from_numpy(music_rows(music, len(motion), sizes.fps)), sizes.fold).numpy()
    at = frames[sizes.fold // 2 :: sizes.fold]
    tracks = [stage.track.rows(nearest_rows(stage.track, stage.fps, frames)) for stage in stages]
    styles = tuple(style_rows(track, sizes.fold).astype(np.float16) for track in tracks)
    targets = tuple(to_vector(stage.slices)[stage.slice_at(at)].astype(np.float16) for stage in stages)
    return Song(rows.astype(np.float16), styles, targets)


def standardised(played: list[Performed]) -> tuple[list[Performed], Normal]:
    """Stages less their mean over their scale, and those; what hardly varies keeps a scale of 0.05."""
    style = np.concatenate([rows[::4] for one in played for song in one.songs for rows in song.styles]).astype(np.float32)
    normal = Normal(torch.from_numpy(style.mean(0)), torch.from_numpy(np.maximum(style.std(0), 0.05)))
    return with_stages(played, normal), normal


def with_stages(played: list[Performed], normal: Normal) -> list[Performed]:
    """Performances with their stages standardised."""
    return [replace(one, songs=tuple(_standard(song, normal) for song in one.songs)) for one in played]


def _standard(song: Song, normal: Normal) -> Song:
    return replace(song, styles=tuple(normal.standard(rows.astype(np.float32)).astype(np.float16) for rows in song.styles))


def train_encoders(folder: Path, out: Path, config: Config, space: Space, settings: Settings, steps: int | None = None) -> Path:
    """Stages 1 and 2: write `encoders.safetensors` into `out`, for all variants of one size; `steps` is for each stage.

    The material is kept in `out` too, for stage 3.
    """
    out.mkdir(parents=True, exist_ok=True)
    material = out / MATERIAL
    if not material.is_file():
        performances.write(material, performed(folder, config, space, settings.seed))
    played, normal = standardised(performances.read(material))
    draw = Draw(played, config, settings.seed)
    torch.manual_seed(settings.seed)
    objective = EncoderObjective(config)
    for stage in config.stages[:2]:
        objective.begin(stage.name)
        _train(objective, stage, draw, replace(settings, out=out / stage.name), steps)
    path = out / "encoders.safetensors"
    header = {"model": ENCODERS, "config": config.to_json(), "space": space.name}
    write_weights(path, {**objective.encoders.state_dict(), **normal.tensors()}, header)
    return path


def train_theatre(encoders: Path, out: Path, name: str, space: Space, settings: Settings, steps: int | None = None) -> Path:
    """Stage 3 of the variant called `name` after the `encoders` file, on the material beside it: write `weights.safetensors` (fp16)
    into `out`."""
    config, found = variant(name), read_weights(encoders, ENCODERS)
    if Config.from_json(found.header["config"]).sizes != config.sizes:
        raise ChoreiaError(f"{encoders} was trained for another size than variant {name}: run `choreia train theatre-encoders` for it")
    played = with_stages(performances.read(encoders.parent / MATERIAL), Normal.of(found.tensors))
    torch.manual_seed(settings.seed)
    objective = Objective(config, load_encoders(found, config.sizes), space.joints)
    _train(objective, config.stages[2], Draw(played, config, settings.seed), replace(settings, out=out), steps)
    path = out / "weights.safetensors"
    state = {key: value for key, value in objective.state_dict().items() if key.startswith(("listener.", "denoiser."))}
    tensors = {**state, **{f"encoders.{key}": value for key, value in found.tensors.items()}}
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json(), "space": space.name}, half=True)
    return path


def _train(objective: nn.Module, stage: Stage, draw: Draw, settings: Settings, steps: int | None) -> None:
    """Train through one stage; it ends with the averaged weights."""
    steps = stage.steps if steps is None else steps
    phase = Phase(stage.name, steps, partial(_batch, draw, stage.batch), stage.lr, weight_decay=stage.weight_decay,
                  warmup=min(stage.warmup, steps // 4), ema=stage.ema)  # fmt: skip
    average: dict[str, Tensor] = train(objective, [phase], settings)
    objective.load_state_dict(average)


def _batch(draw: Draw, count: int, step: int) -> Batch:
    return draw(count, step)
