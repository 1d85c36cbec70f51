"""The sizes of the two judges and of their training."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from choreia.synth.moves import STYLES


@dataclass(frozen=True)
class Config:
    """`width`, `dilations`: convolutions over tokens of four samples. `smoothing` of labels. `styles`: whose figures are told apart."""

    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.3
    smoothing: float = 0.05
    styles: tuple[str, ...] = tuple(STYLES)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        return Config(**{**raw, "dilations": tuple(raw["dilations"]), "styles": tuple(raw["styles"])})


@dataclass(frozen=True)
class Fit:
    """How they are trained: on `dances` of `seconds` each. `counts`: lengths of windows that steps take turns with. `none`: share of
    windows in which no figure is danced."""

    dances: int = 300
    seconds: float = 60.0
    steps: int = 1000
    batch: int = 64
    counts: tuple[int, ...] = (8, 6, 4)
    none: float = 0.25
    lr: float = 2e-3
    weight_decay: float = 0.1
    warmup: int = 100
    ema: float = 0.99
    seed: int = 0


VARIANTS: dict[str, tuple[Config, Fit]] = {
    "small": (Config(), Fit()),
    "tiny": (
        Config(width=48, dilations=(1, 2), styles=("krump", "waltz")),
        Fit(dances=12, seconds=32.0, steps=80, batch=48, counts=(8, 4), lr=5e-3, warmup=10, ema=0.95),
    ),
}
"""By name; "tiny" knows two styles, for tests."""
