"""The sizes of the text-motion encoder and of its training."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from choreia.errors import ChoreiaError


@dataclass(frozen=True)
class Config:
    """`width`, `dilations`: motion encoder. `word_width`, `buckets`: hashed words and n-grams. `dim`: the shared space.

    `heat` divides cosines in the contrastive loss; pairs whose captions are more alike than `alike` are not held against each other.
    """

    name: str = "small"
    dim: int = 256
    width: int = 256
    dilations: tuple[int, ...] = (1, 2, 4)
    buckets: int = 8192
    word_width: int = 128
    word_layers: int = 2
    heads: int = 4
    longest_words: int = 24
    longest_grams: int = 24
    dropout: float = 0.4
    heat: float = 0.07
    alike: float = 0.75

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        return Config(**{**raw, "dilations": tuple(raw["dilations"])})


@dataclass(frozen=True)
class Fit:
    """How it is trained: `frames` are the window lengths that steps take turns with; `dances` are synthesised; `synthetic`, the share of
    a batch that is drawn from them."""

    steps: int = 1000
    batch: int = 96
    frames: tuple[int, ...] = (64, 96, 128)
    lr: float = 1e-3
    weight_decay: float = 0.2
    warmup: int = 100
    ema: float = 0.995
    dances: int = 480
    synthetic: float = 0.3


VARIANTS: dict[str, tuple[Config, Fit]] = {
    "small": (Config(), Fit()),
    "tiny": (
        Config("tiny", dim=32, width=32, dilations=(1, 2), buckets=1024, word_width=32, word_layers=1, heads=2, dropout=0.0),
        Fit(steps=80, batch=24, frames=(64,), lr=3e-3, warmup=10, ema=0.9, dances=16),
    ),
}


def variant(name: str) -> tuple[Config, Fit]:
    """The variant called `name`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown textmotion variant {name!r}: choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
