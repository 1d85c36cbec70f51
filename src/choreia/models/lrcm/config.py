"""The sizes, odds and stages of LRCM. A variant is a base and its change; every number of the paper is in `PAPER`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from choreia.errors import ChoreiaError

MODALITIES = ("music", "style", "moves", "memory")
"""What a dance may be given: audio, global text, local text, the tail of the segment before."""

PROGRESS = 2
"""Columns that `condition.move_rows` adds to the vector of the move danced at a token."""


@dataclass(frozen=True)
class DenoiserConfig:
    """The network. `dim`, `music`, `style` and `moves` are the columns of a token of x, music, global and local text.

    `layers`: Conformers of each kind in a block, with `inner` channels between their two convolutions; `dilations`: of the blocks in turn.
    `clock`: width of the embedding of diffusion time. `words`: width of C_t. `states` and `expand`: of the Mamba layers.
    """

    dim: int = 96
    music: int = 96
    style: int = 128
    moves: int = 128 + PROGRESS
    width: int = 256
    blocks: int = 4
    layers: int = 1
    heads: int = 4
    inner: int = 192
    dilations: tuple[int, ...] = (1, 2)
    clock: int = 256
    words: int = 128
    bottleneck: int = 96
    states: int = 8
    expand: int = 1
    dropout: float = 0.1


@dataclass(frozen=True)
class Diffusion:
    """`predicts` "x0", "eps" or "v". `betas`: first and last of a linear schedule over `train_times` steps; None is the cosine.

    Sampling: `sample_steps`, and the strengths `gamma` of the music and `delta` of the words in guidance (Eq. 5).
    """

    predicts: str = "v"
    betas: tuple[float, float] | None = None
    train_times: int = 0
    sample_steps: int = 12
    gamma: float = 2.0
    delta: float = 2.5


@dataclass(frozen=True)
class LossWeights:
    """λ of Eq. 18."""

    vel: float = 0.05
    acc: float = 0.02
    jerk: float = 0.01


@dataclass(frozen=True)
class Odds:
    """Chances, a sample, that something is not as given. `noise`: a modality is replaced by Gaussian noise, each on its own.

    `everything` hides music and words, `words` the words, `music` the music (never two of these at once); `moves` hides the local text and
    `memory` the memory, each on its own.
    """

    noise: float = 0.05
    everything: float = 0.1
    words: float = 0.1
    music: float = 0.05
    moves: float = 0.1
    memory: float = 0.0


@dataclass(frozen=True)
class Stage:
    """A phase of training: what is heard, which parameters move (beginnings of their names), how fast, on how much.

    `distils`: the network learns to say in one forward what it said, guided, in three (Meng et al. 2023, "On distillation of guided
    diffusion models", the first of its two stages).
    """

    name: str
    hears: tuple[str, ...]
    trains: tuple[str, ...]
    lr: float
    batch: int
    steps: int
    optimiser: str = "adamw"
    weight_decay: float = 0.01
    warmup: int = 200
    ema: float = 0.999
    distils: bool = False


@dataclass(frozen=True)
class Config:
    """A whole variant. `window` tokens a segment, of which the last `tail` are the memory of the next; `tokens_per_s` of its rows.

    `space`: "latents" (rows of DanceMeld's tokenizer) or a representation of `motion.representation`.
    """

    name: str
    space: str
    tokens_per_s: float
    window: int
    tail: int
    denoiser: DenoiserConfig
    diffusion: Diffusion
    losses: LossWeights
    odds: Odds
    stages: tuple[Stage, ...]

    @property
    def hears(self) -> tuple[str, ...]:
        """Modalities that some stage hears; of the others the network knows nothing."""
        return tuple(name for name in MODALITIES if any(name in stage.hears for stage in self.stages))

    @property
    def guides_itself(self) -> bool:
        """Whether the network was told to follow music and words as strongly as it is asked, in one forward."""
        return any(stage.distils for stage in self.stages)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = _tuples(json.loads(text))
        parts = {"denoiser": DenoiserConfig, "diffusion": Diffusion, "losses": LossWeights, "odds": Odds}
        built = {name: kind(**raw[name]) for name, kind in parts.items()}
        return Config(**{**raw, **built, "stages": tuple(Stage(**stage) for stage in raw["stages"])})


def _tuples(raw: Any) -> Any:
    """JSON's lists as tuples, at every depth."""
    if isinstance(raw, dict):
        return {name: _tuples(value) for name, value in raw.items()}
    return tuple(_tuples(value) for value in raw) if isinstance(raw, list) else raw


FUSION = ("enter", "clock", "words", "blocks", "merge", "leave")
"""All of the denoiser but the memory modules."""

MEMORY = ("memories",)

STRENGTHS = ("strengths",)

SMALL = Config(
    "small",
    space="latents",
    tokens_per_s=7.5,
    window=64,
    tail=16,
    denoiser=DenoiserConfig(),
    diffusion=Diffusion(),
    losses=LossWeights(),
    odds=Odds(),
    stages=(
        Stage("global", ("music", "style"), FUSION, lr=8e-4, batch=24, steps=6000, warmup=300),
        Stage("local", ("music", "style", "moves"), FUSION, lr=2e-4, batch=24, steps=3000),
        Stage("memory", MODALITIES, MEMORY, lr=4e-4, batch=16, steps=3000),
    ),
)

TINY = replace(
    SMALL,
    name="tiny",
    window=16,
    tail=4,
    denoiser=replace(SMALL.denoiser, width=32, blocks=2, heads=2, inner=32, clock=32, words=16, bottleneck=16, states=4, dropout=0.0),
    stages=tuple(replace(stage, lr=3e-3, batch=8, steps=60, warmup=5, ema=0.9) for stage in SMALL.stages),
)


def _paper_stage(name: str, hears: tuple[str, ...], trains: tuple[str, ...], lr: float, batch: int, steps: int) -> Stage:
    return Stage(name, hears, trains, lr, batch, steps, optimiser="adam", weight_decay=1e-4, warmup=0, ema=0.0)


PAPER = Config(
    "paper",
    space="expmap61",
    tokens_per_s=30.0,
    window=900,
    tail=150,
    denoiser=DenoiserConfig(
        dim=61, music=3, style=512, moves=512, width=256, blocks=20, layers=2, heads=8, inner=1408, clock=512, words=256,
        bottleneck=128, states=16, expand=2, dropout=0.1,
    ),
    diffusion=Diffusion(predicts="eps", betas=(0.01, 0.7), train_times=200, sample_steps=200, gamma=1.0, delta=1.0),
    losses=LossWeights(),
    odds=Odds(),
    stages=(
        _paper_stage("global", ("music", "style"), FUSION, 5e-5, 12, 500_000),
        _paper_stage("local", ("music", "style", "moves"), FUSION, 5e-6, 8, 25_000),
        _paper_stage("memory", MODALITIES, MEMORY, 3e-5, 12, 100_000),
    ),
)  # fmt: skip


def _as_in_paper(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Rates and lengths of `stages`, batches and optimiser of the paper."""
    return tuple(
        replace(stage, batch=own.batch, optimiser=own.optimiser, weight_decay=own.weight_decay)
        for stage, own in zip(stages, PAPER.stages, strict=True)
    )


POSE_SMALL = replace(
    PAPER,
    name="pose_small",
    window=180,
    tail=30,
    denoiser=replace(SMALL.denoiser, dim=61, music=3, style=512, moves=512),
    stages=_as_in_paper(SMALL.stages),
)
"""The paper's form in segments of 6 s, with a network of the size of `SMALL`."""

POSE_TINY = replace(
    POSE_SMALL,
    name="pose_tiny",
    window=36,
    tail=6,
    denoiser=replace(TINY.denoiser, dim=61, music=3, style=512, moves=512),
    diffusion=replace(PAPER.diffusion, sample_steps=8),
    stages=_as_in_paper(TINY.stages),
)


def worded(base: Config, width: int) -> Config:
    """`base` for texts of `width` numbers on both levels."""
    return replace(base, denoiser=replace(base.denoiser, style=width, moves=width))


def without(base: Config, modality: tuple[str, ...], name: str) -> Config:
    """`base` that never hears `modality`: stages that would hear nothing new lengthen the one before, so that all train as long."""
    stages: list[Stage] = []
    for stage in base.stages:
        heard = tuple(one for one in stage.hears if one not in modality)
        if stages and (heard, stage.distils) == (stages[-1].hears, stages[-1].distils):
            stages[-1] = replace(stages[-1], steps=stages[-1].steps + stage.steps)
        else:
            stages.append(replace(stage, hears=heard))
    return replace(base, name=name, stages=tuple(stages))


def shortened(stages: tuple[Stage, ...], steps: int | None) -> tuple[Stage, ...]:
    """`stages` in `steps` altogether, each with its share of them and of its warm-up; None leaves them as they are."""
    if steps is None:
        return stages
    share = steps / sum(stage.steps for stage in stages)
    return tuple(replace(stage, steps=max(1, round(stage.steps * share)), warmup=round(stage.warmup * min(1.0, share))) for stage in stages)


VARIANTS: dict[str, Config] = {
    "small": SMALL,
    "tiny": TINY,
    "paper": PAPER,
    "pose_small": POSE_SMALL,
    "pose_tiny": POSE_TINY,
    "no_text": without(SMALL, ("style", "moves"), "no_text"),
    "no_local_text": without(SMALL, ("moves",), "no_local_text"),
    "no_mtmm": without(SMALL, ("memory",), "no_mtmm"),
}


def variant(name: str) -> Config:
    """The variant called `name`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown lrcm variant {name!r}: choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
