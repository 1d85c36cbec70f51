"""The sizes and weights of DanceMeld. A variant is a base and its change; every number of the paper is in `PAPER`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from choreia.errors import ChoreiaError

MUSIC_COLUMNS = 24
"""Columns of the "dance" music features, at the frame rate of the motion."""

TOKEN_FRAMES = 4
"""Frames of motion in one bottom token; a top token is two of them."""


@dataclass(frozen=True)
class TokenizerConfig:
    """Hierarchical VQ-VAE. `top_width` 0 leaves the top level out (the paper's "Single VQ-VAE").

    `shortcut` adds a linear path beside encoder and decoder, which learns the principal components in the first minutes of training.
    """

    representation: str = "heading152"
    dim: int = 152
    fps: float = 30.0
    width: int = 288
    fine_width: int = 192
    fine_dilations: tuple[int, ...] = (1,)
    middle_dilations: tuple[int, ...] = (1, 2)
    coarse_dilations: tuple[int, ...] = (1, 2, 4)
    top_dilations: tuple[int, ...] = (1, 2)
    bottom_width: int = 64
    top_width: int = 32
    bottom_sizes: tuple[int, ...] = (512,) * 8
    top_sizes: tuple[int, ...] = (128,) * 2
    level_drop: float = 0.25
    shortcut: bool = True

    @property
    def latent_width(self) -> int:
        """Width of h = Concat(h'_b, h_t)."""
        return self.bottom_width + self.top_width

    @property
    def tokens_per_s(self) -> float:
        """Bottom tokens a second."""
        return self.fps / TOKEN_FRAMES


@dataclass(frozen=True)
class LossWeights:
    """Weights of Eq. 4, 9 and 11 on losses in metres and seconds (see `choreia.losses`)."""

    recon: float = 1.0
    commit_b: float = 0.25
    commit_t: float = 0.25
    pos: float = 30.0
    vel: float = 0.3
    acc: float = 0.0003
    contact: float = 1.0
    align: float = 0.1


@dataclass(frozen=True)
class PriorConfig:
    """Diffusion prior over the latents. `kind`: "joint" p(h'_b, h_t | m), "cascade" p(h_t | m) p(h'_b | h_t, m), "codes" VQ-Diffusion.

    Sampling: `sample_steps`, `guidance`, and `temperature`, the size of the noise to start from (1 is as trained; more is livelier).
    """

    kind: str = "joint"
    width: int = 256
    layers: int = 6
    heads: int = 4
    window: int = 64
    overlap: int = 24
    dropout: float = 0.1
    music_drop: float = 0.1
    style_drop: float = 0.15
    train_times: int = 0
    schedule: str = "cosine"
    sample_steps: int = 12
    guidance: float = 2.5
    temperature: float = 1.3
    velocity: float = 0.2


@dataclass(frozen=True)
class Fit:
    """How a part is trained: `window` frames (tokenizer) or tokens (prior) a sample."""

    batch: int
    window: int
    lr: float
    optimiser: str = "adamw"
    weight_decay: float = 0.01
    warmup: int = 200
    steps: int = 6000
    ema: float = 0.999


@dataclass(frozen=True)
class Config:
    """A whole variant."""

    name: str
    tokenizer: TokenizerConfig
    losses: LossWeights
    prior: PriorConfig
    fit_tokenizer: Fit
    fit_prior: Fit

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        tokenizer: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw["tokenizer"].items()}
        fits = (Fit(**raw["fit_tokenizer"]), Fit(**raw["fit_prior"]))
        return Config(raw["name"], TokenizerConfig(**tokenizer), LossWeights(**raw["losses"]), PriorConfig(**raw["prior"]), *fits)


SMALL = Config(
    "small",
    TokenizerConfig(),
    LossWeights(),
    PriorConfig(),
    Fit(batch=24, window=128, lr=6e-4),
    Fit(batch=24, window=64, lr=6e-4, warmup=300, steps=8000),
)

TINY = replace(
    SMALL,
    name="tiny",
    tokenizer=replace(SMALL.tokenizer, width=64, fine_width=48, bottom_width=16, top_width=8, bottom_sizes=(64,) * 4, top_sizes=(32,)),
    prior=replace(SMALL.prior, width=64, layers=2, heads=2, window=16, overlap=8, dropout=0.0),
    fit_tokenizer=Fit(batch=16, window=64, lr=2e-3, warmup=10, steps=200, ema=0.95),
    fit_prior=Fit(batch=16, window=16, lr=2e-3, warmup=10, steps=200, ema=0.95),
)

PAPER = Config(
    "paper",
    TokenizerConfig(
        representation="smpl6d147", dim=147, fps=60.0, width=512, fine_width=512, fine_dilations=(1, 3, 9, 1, 3, 9),
        middle_dilations=(1, 3, 9, 1, 3, 9), coarse_dilations=(1, 3, 9, 1, 3, 9), top_dilations=(1, 3, 9, 1, 3, 9),
        bottom_width=512, top_width=512, bottom_sizes=(512,), top_sizes=(128,), level_drop=0.0,
    ),
    LossWeights(commit_b=0.02, commit_t=0.02, pos=1.0, vel=1.0, acc=1.0, contact=1.0),
    PriorConfig(
        width=512, layers=8, heads=8, window=128, overlap=64, train_times=1000, schedule="linear", sample_steps=50, guidance=1.0,
        temperature=1.0, velocity=0.0,
    ),
    Fit(batch=64, window=512, lr=1e-4, optimiser="adam", weight_decay=0.0, warmup=0, steps=1_000_000, ema=0.0),
    Fit(batch=64, window=128, lr=4e-4, optimiser="adan", weight_decay=0.02, warmup=0, steps=500_000, ema=0.0),
)  # fmt: skip

VARIANTS: dict[str, Config] = {
    "small": SMALL,
    "tiny": TINY,
    "paper": PAPER,
    "single_vqvae": replace(SMALL, name="single_vqvae", tokenizer=replace(SMALL.tokenizer, top_width=0, top_sizes=())),
    "two_priors": replace(SMALL, name="two_priors", prior=replace(SMALL.prior, kind="cascade")),
    "vq_diffusion": replace(SMALL, name="vq_diffusion", prior=replace(SMALL.prior, kind="codes")),
    "no_aux": replace(SMALL, name="no_aux", losses=replace(SMALL.losses, pos=0.0, vel=0.0, acc=0.0, contact=0.0)),
    "no_alignment": replace(SMALL, name="no_alignment", losses=replace(SMALL.losses, align=0.0)),
}


def variant(name: str) -> Config:
    """The variant called `name`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown dancemeld variant {name!r}: choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
