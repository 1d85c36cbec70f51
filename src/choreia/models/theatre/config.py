"""Sizes, losses and stages of the musical-theatre model. A variant is a base and its change; `PAPER` has the paper's numbers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from choreia.errors import ChoreiaError

MEL = 64
"""Mel bands of the spectrogram."""

RHYTHM = 18
"""Columns of rhythm beside the spectrogram (`rows.RHYTHM_NAMES`)."""

TARGET = 35
"""Columns of a style to aim at (`stage.style.VECTOR`)."""


@dataclass(frozen=True)
class Sizes:
    """The networks. `motion`, `style`: columns of a token of movement and of stage; `fold`: frames a token, at `fps`.

    `coarse` and `refine`: blocks of the denoiser; `listening`, `watching`: Transformer layers of the music and of the motion encoder;
    `channels`: of each of the music encoder's convolutions; `joints`: channels a joint of the graph network; `latent`: of the shared space,
    half of it common to the modalities.
    """

    motion: int = 96
    style: int = 71
    fold: int = 4
    fps: float = 30.0
    width: int = 192
    heads: int = 8
    coarse: int = 2
    refine: int = 3
    listening: int = 2
    watching: int = 1
    channels: int = 6
    joints: int = 16
    timbre: int = 128
    latent: int = 64
    dropout: float = 0.05


@dataclass(frozen=True)
class LossWeights:
    """λ of the losses: `cmc`, `beat` and `smooth` of Eq. 4 to 6, `emphasis`, by how much more a token on a beat counts, and `coarse`, the
    first of the two predictions; `orthogonal` and `correlation` of the shared space."""

    cmc: float = 0.02
    beat: float = 10.0
    smooth: float = 0.5
    emphasis: float = 0.5
    coarse: float = 0.3
    orthogonal: float = 0.1
    correlation: float = 1.0


@dataclass(frozen=True)
class Stage:
    """A phase of training: how fast, on how much, for how long."""

    name: str
    lr: float
    batch: int
    steps: int
    warmup: int = 100
    ema: float = 0.998
    weight_decay: float = 1e-5


@dataclass(frozen=True)
class Sampling:
    """`steps` of DDIM from noise of size `temperature`, in windows that share `overlap` tokens; `guidance` by what is given."""

    steps: int = 8
    overlap: int = 16
    guidance: float = 1.0
    temperature: float = 1.0


@dataclass(frozen=True)
class Config:
    """A whole variant.

    `window` tokens a training sequence. `train_times` diffusion steps, 0 for continuous time. What an ablation takes away: `attends`
    (cross-modal scheduling), `aims` (style to aim at), `hears` (music), `convolves` (dilated convolutions in place of attention),
    `diffuses` (else one regression from the condition).
    """

    name: str
    sizes: Sizes = field(default_factory=Sizes)
    losses: LossWeights = field(default_factory=LossWeights)
    stages: tuple[Stage, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    window: int = 64
    train_times: int = 0
    attends: bool = True
    aims: bool = True
    hears: bool = True
    convolves: bool = False
    diffuses: bool = True

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw: dict[str, Any] = json.loads(text)
        parts = {"sizes": Sizes(**raw["sizes"]), "losses": LossWeights(**raw["losses"]), "sampling": Sampling(**raw["sampling"])}
        return Config(**{**raw, **parts, "stages": tuple(Stage(**stage) for stage in raw["stages"])})


SMALL = Config(
    "small",
    stages=(
        Stage("encoders", lr=1e-3, batch=16, steps=400),
        Stage("latent", lr=1e-3, batch=16, steps=300),
        Stage("joint", lr=8e-4, batch=16, steps=1500),
    ),
)
"""Over the latents of the default model, 7.5 tokens a second."""

TINY = replace(
    SMALL,
    name="tiny",
    sizes=replace(SMALL.sizes, width=32, heads=2, coarse=1, refine=1, listening=1, channels=2, joints=4, timbre=8, latent=8, dropout=0.0),
    stages=tuple(replace(stage, lr=3e-3, batch=8, steps=40, warmup=4, ema=0.9) for stage in SMALL.stages),
    sampling=Sampling(steps=3, overlap=4),
    window=16,
)

PAPER = Config(
    "paper",
    sizes=Sizes(motion=66, style=35, fold=1, fps=120.0, width=512, heads=8, coarse=4, refine=4, listening=4, watching=2, channels=32,
                joints=64, latent=256, dropout=0.1),
    stages=(
        Stage("encoders", lr=1e-4, batch=32, steps=50_000, ema=0.0),
        Stage("latent", lr=1e-4, batch=32, steps=20_000, ema=0.0),
        Stage("joint", lr=1e-4, batch=32, steps=200_000, ema=0.0),
    ),
    sampling=Sampling(steps=1000, overlap=120),
    window=480,
    train_times=1000,
)  # fmt: skip
"""The paper's numbers: T = 1000, 22 joints at 120 fps, batch 32, learning rate 1e-4, weight decay 1e-5; it is silent on the other sizes."""


def ablations(base: Config) -> dict[str, Config]:
    """The paper's three ablations and two baselines as changes of `base`."""
    silent = replace(base.losses, beat=0.0, emphasis=0.0)
    return {
        "no_attention": replace(base, name="no_attention", attends=False),
        "no_beat_loss": replace(base, name="no_beat_loss", losses=silent),
        "no_style": replace(base, name="no_style", aims=False),
        "no_music": replace(base, name="no_music", hears=False),
        "music2dance": replace(
            base, name="music2dance", attends=False, aims=False, convolves=True, diffuses=False, losses=replace(silent, cmc=0.0)
        ),
    }


VARIANTS: dict[str, Config] = {"small": SMALL, "tiny": TINY, "paper": PAPER, **ablations(SMALL)}


def variant(name: str) -> Config:
    """The variant called `name`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown theatre variant {name!r}: choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
