"""How the visual encoder is trained: on rendered pictures of random stages, most of them with the faults of photographs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.models.base import write_weights
from choreia.models.theatre.visual import MODEL, NAME, Config, Network
from choreia.models.theatre.visual_colour import HEIGHT, WIDTH, decompose, oklab
from choreia.models.theatre.visual_photo import photographed
from choreia.models.theatre.visual_target import clearness, columns, describe
from choreia.stage.style import from_vector
from choreia.training.loop import Settings, train
from choreia.training.phase import Batch, Phase
from choreia.types import Style

PART = 4000
"""Pictures in a file: 62 MB."""

_MEASURED = 1000  # pictures from which the normaliser is taken


@dataclass(frozen=True)
class Fit:
    """How it is trained; `faulty` is the share of pictures with the faults of photographs."""

    steps: int = 1400
    batch: int = 128
    faulty: float = 0.6
    lr: float = 2e-3
    weight_decay: float = 0.02
    warmup: int = 100
    ema: float = 0.998


@dataclass(frozen=True)
class Pictures:
    """frames (n, HEIGHT, WIDTH, 3) uint8, the styles that they show as vectors (n, len(VECTOR)), and looks (n,): the number of the look in
    `stage.looks.LOOKS` where it is one by design, else -1."""

    frames: np.ndarray
    styles: np.ndarray
    looks: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def style(self) -> Style:
        """The styles, n rows."""
        return from_vector(self.styles)

    def rows(self, index: slice | np.ndarray) -> Pictures:
        """Those that `index` picks."""
        return Pictures(*(getattr(self, column.name)[index] for column in fields(self)))

    @staticmethod
    def join(parts: list[Pictures]) -> Pictures:
        """One after another."""
        return Pictures(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Pictures)))

    @staticmethod
    def there(folder: Path) -> bool:
        """Whether a folder holds pictures."""
        return any(folder.glob("pictures-*.safetensors"))

    def write(self, folder: Path) -> None:
        """Into files of `PART` pictures, the first last, so that it is there only when all are."""
        for number in reversed(range(-(-len(self) // PART))):
            part = self.rows(slice(number * PART, (number + 1) * PART))
            with atomic_path(folder / f"pictures-{number:02d}.safetensors") as partial:
                partial.write_bytes(save({name: np.ascontiguousarray(value) for name, value in vars(part).items()}))

    @staticmethod
    def read(folder: Path) -> Pictures:
        """All pictures of a folder; ChoreiaError where there are none or a file is damaged."""
        paths = sorted(folder.glob("pictures-*.safetensors"))
        try:
            parts = [Pictures(**load_file(path)) for path in paths]
        except (SafetensorError, TypeError, OSError) as error:
            raise ChoreiaError(f"{folder}: its pictures are damaged; delete the folder, and they are drawn again") from error
        if not parts or any(part.frames.shape[1:] != (HEIGHT, WIDTH, 3) for part in parts):
            raise ChoreiaError(f"{folder}: no pictures of stages, {WIDTH} x {HEIGHT}; give the folder that `stage_pictures` wrote")
        return Pictures.join(parts)


@dataclass(frozen=True)
class Draw:
    """Batches: that of a step is a function of the seed and the step alone. Every picture comes once before any comes again."""

    frames: np.ndarray
    columns: np.ndarray
    clearness: np.ndarray
    description: np.ndarray
    fit: Fit
    seed: int

    def __call__(self, step: int) -> Batch:
        """As `visual.Network` wants it."""
        turns = len(self.frames) // self.fit.batch
        order = np.random.default_rng((self.seed, 1, step // turns)).permutation(len(self.frames))
        chosen = order[step % turns * self.fit.batch :][: self.fit.batch]
        frames, faulty = self.frames[chosen], round(self.fit.faulty * self.fit.batch)
        if faulty:
            frames[:faulty] = photographed(frames[:faulty], np.random.default_rng((self.seed, 2, step)))
        rest = {"columns": self.columns, "clearness": self.clearness, "description": self.description}
        return {"frames": torch.from_numpy(frames)} | {name: torch.from_numpy(value[chosen]) for name, value in rest.items()}


def train_visual(pictures: Pictures, out: Path, config: Config, fit: Fit, settings: Settings, steps: int | None = None) -> Path:
    """Train on pictures, going on where an earlier run stopped; write `theatre-visual.safetensors` (fp16) into `out`."""
    style = pictures.style
    draw = Draw(pictures.frames, columns(style), clearness(style), describe(style), fit, settings.seed)
    statistics = decompose(oklab(torch.from_numpy(pictures.frames[:_MEASURED])))
    torch.manual_seed(settings.seed)
    network = Network(config, statistics.mean(0), statistics.std(0).clamp(min=0.01))
    phase = Phase("visual", steps or fit.steps, draw, fit.lr, weight_decay=fit.weight_decay, warmup=fit.warmup, ema=fit.ema)
    average = train(network, [phase], settings)
    path = out / f"{NAME}.safetensors"
    tensors = {f"network.{name}": value for name, value in average.items()}
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json()}, half=True)
    return path
