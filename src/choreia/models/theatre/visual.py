"""The visual encoder: pictures of a stage to a style, and both pictures and styles to one space in which what looks alike is near.

Section 3.1 of the paper asks for a "convolutional style extractor and color space decomposition module" that "form a style vector
containing hue, illumination distribution, and texture field information", and no more. Sizes, losses and the second encoder, of styles,
are ours; the cosine of a picture's and a style's embedding is the SCI of table 1.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.errors import ChoreiaError
from choreia.models.base import Weights, load_part, shipped
from choreia.models.theatre.visual_colour import HEIGHT, STATISTICS, WIDTH, decompose, oklab
from choreia.models.theatre.visual_target import COLUMNS, DESCRIPTION, describe, style_of
from choreia.types import Style

MODEL, NAME = "theatre-visual", "theatre-visual"
DIM = 64
"""Numbers of an embedding."""

_AT_ONCE = 256


@dataclass(frozen=True)
class Config:
    """`channels` after each halving of the picture, `width` of the layers behind, `temperature` of the contrast, shares in the loss."""

    channels: tuple[int, ...] = (16, 32, 64, 64)
    width: int = 192
    temperature: float = 0.1
    regression: float = 10.0
    agreement: float = 1.0

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        return Config(**{**raw, "channels": tuple(raw["channels"])})


class Block(nn.Module):
    """Two convolutions on normalised maps, added to them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        return x + self.second(F.gelu(self.first(F.gelu(self.norm(x)))))


class Extractor(nn.Module):
    """The convolutional style extractor: OKLab pictures (n, 3, HEIGHT, WIDTH) to (n, width), which know what is where in them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        first, second, third, last = config.channels
        self.layers = nn.Sequential(
            nn.Conv2d(3, first, 5, 2, 2), nn.GELU(), nn.Conv2d(first, second, 3, 2, 1), Block(second), nn.Conv2d(second, third, 3, 2, 1),
            Block(third), nn.Conv2d(third, last, 3, 2, 1), nn.GELU(), nn.Flatten(),
        )  # fmt: skip
        self.leave = nn.Linear(last * -(-HEIGHT // 16) * -(-WIDTH // 16), config.width)

    def forward(self, lab: Tensor) -> Tensor:
        """Features of pictures."""
        return self.leave(self.layers(lab))


class Eye(nn.Module):
    """Pictures (n, HEIGHT, WIDTH, 3) uint8 to `visual_target.columns` and to the common space."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config, mean: Tensor | None = None, std: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(STATISTICS) if mean is None else mean)
        self.register_buffer("std", torch.ones(STATISTICS) if std is None else std)
        self.extractor = Extractor(config)
        self.colours = nn.Linear(STATISTICS, config.width)
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(2 * config.width, config.width), nn.GELU())
        self.columns = nn.Linear(config.width, COLUMNS)
        self.embedding = nn.Linear(config.width, DIM)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Columns (n, COLUMNS), and unit vectors (n, DIM)."""
        with torch.autocast(frames.device.type, enabled=False):
            lab = oklab(frames)
            statistics = (decompose(lab) - self.mean) / self.std
        x = self.mix(torch.cat([self.extractor(lab), self.colours(statistics)], dim=1))
        return self.columns(x).float(), F.normalize(self.embedding(x).float(), dim=1)


class Reader(nn.Sequential):
    """Descriptions of styles (n, DESCRIPTION) to (n, DIM) of the common space."""

    def __init__(self, config: Config) -> None:
        width = config.width
        super().__init__(nn.Linear(DESCRIPTION, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, DIM))


class Network(nn.Module):
    """Both encoders, and what training minimises: see `forward`."""

    def __init__(self, config: Config, mean: Tensor | None = None, std: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        self.eye, self.reader = Eye(config, mean, std), Reader(config)

    def read(self, description: Tensor) -> Tensor:
        """Unit vectors (n, DIM) of styles as `visual_target.describe` writes them."""
        return F.normalize(self.reader(description).float(), dim=1)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Batch: frames, columns and clearness (n, COLUMNS), description.

        "regression": squared error of columns as far as they show. "contrast": cross-entropy of finding a picture's style among those of
        the batch, and the other way round. "agreement": one minus the cosine of a picture and its style. "loss": their weighted sum.
        """
        found, seen = self.eye(batch["frames"])
        said = self.read(batch["description"])
        clear = batch["clearness"]
        regression = (clear * (found - batch["columns"]).square()).sum() / clear.sum()
        closeness = seen @ said.T / self.config.temperature
        own = torch.arange(len(seen), device=seen.device)
        contrast = (F.cross_entropy(closeness, own) + F.cross_entropy(closeness.T, own)) / 2
        agreement = 1 - (seen * said).sum(1).mean()
        loss = self.config.regression * regression + contrast + self.config.agreement * agreement
        return {"loss": loss, "regression": regression, "contrast": contrast, "agreement": agreement}


class Seer:
    """The trained encoders; `weights_sha256` says which."""

    def __init__(self, weights: Weights) -> None:
        self.weights_sha256 = weights.sha256
        self.network = Network(Config.from_json(weights.header["config"]))
        load_part(self.network, weights.tensors, "network.")

    def see(self, frames: np.ndarray) -> Style:
        """The style that each picture (n, H, W, 3) uint8 shows, n rows; a still picture has neither drift nor strobe. Pictures of any
        size are squeezed to `HEIGHT` x `WIDTH`. ChoreiaError for another shape or type."""
        return style_of(self._look(frames)[0])

    def embed(self, frames: np.ndarray) -> np.ndarray:
        """Unit vectors (n, DIM) float32 of pictures, as for `see`."""
        return self._look(frames)[1]

    @torch.inference_mode()
    def embed_style(self, style: Style) -> np.ndarray:
        """Unit vectors (n, DIM) float32 of styles, in the space of `embed`."""
        return self.network.read(torch.from_numpy(describe(style))).numpy()

    @torch.inference_mode()
    def _look(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [self.network.eye(part) for part in _squeezed(frames).split(_AT_ONCE)]
        columns, vectors = (torch.cat(group).numpy() for group in zip(*parts, strict=True))
        return columns, vectors


def _squeezed(frames: np.ndarray) -> Tensor:
    """Pictures (n, HEIGHT, WIDTH, 3) uint8; ChoreiaError unless they were (n, H, W, 3) uint8, one or more."""
    pictures = np.asarray(frames)
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8 or pictures.size == 0:
        raise ChoreiaError(f"pictures must be (n, height, width, 3) uint8, not {pictures.shape} {pictures.dtype}: stack them first")
    found = torch.from_numpy(np.ascontiguousarray(pictures))
    if pictures.shape[1:3] == (HEIGHT, WIDTH):
        return found
    small = [F.interpolate(one[None].permute(0, 3, 1, 2).float(), (HEIGHT, WIDTH), mode="area") for one in found]
    return torch.cat(small).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


@cache
def load() -> Seer:
    """The encoders that come with the package, read once."""
    return Seer(shipped(NAME, MODEL))
