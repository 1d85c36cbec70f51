"""The sizes of the default model and how it samples. A variant is LRCM's of the same name, over the latents of a trained tokenizer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from choreia.errors import ChoreiaError
from choreia.models.choreia.words import DIM
from choreia.models.dancemeld.config import TokenizerConfig
from choreia.models.lrcm.config import FUSION, MEMORY, MODALITIES, PROGRESS, STRENGTHS, Odds, Stage, without
from choreia.models.lrcm.config import SMALL as LRCM_SMALL
from choreia.models.lrcm.config import TINY as LRCM_TINY
from choreia.models.lrcm.config import Config as Lrcm


@dataclass(frozen=True)
class Sampling:
    """`steps` of DDIM; strengths `gamma` of music and `delta` of words, or `free` of both where no words were said; `temperature`, the
    size of the noise to start from.

    A segment begins with `overlap` tokens of the one before, which stay, and `soft` more, which it may change, the later the more.
    """

    steps: int = 10
    gamma: float = 1.0
    delta: float = 4.0
    free: float = 3.0
    temperature: float = 1.0
    overlap: int = 8
    soft: int = 4

    def freely(self) -> Sampling:
        """For a dance without words: its style is only drawn, and the music counts as much."""
        return replace(self, gamma=self.free, delta=self.free)


@dataclass(frozen=True)
class Config:
    """A whole variant: tokenizer, denoiser with its training stages, sampling."""

    name: str
    tokenizer: TokenizerConfig
    lrcm: Lrcm
    sampling: Sampling

    def to_json(self) -> str:
        """One line of JSON."""
        parts = {"tokenizer": asdict(self.tokenizer), "sampling": asdict(self.sampling)}
        return json.dumps({"name": self.name, "lrcm": self.lrcm.to_json(), **parts})

    @staticmethod
    def from_json(text: str) -> Config:
        """Inverse of `to_json`."""
        raw = json.loads(text)
        tokenizer: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in raw["tokenizer"].items()}
        return Config(raw["name"], TokenizerConfig(**tokenizer), Lrcm.from_json(raw["lrcm"]), Sampling(**raw["sampling"]))


def _over_latents(base: Lrcm, stages: tuple[Stage, ...]) -> Lrcm:
    """`base` with our words."""
    return replace(base, denoiser=replace(base.denoiser, style=DIM, moves=DIM + PROGRESS), odds=Odds(moves=0.05), stages=stages)


SMALL = _over_latents(
    LRCM_SMALL,
    (
        Stage("global", ("music", "style"), FUSION, lr=8e-4, batch=24, steps=1500, warmup=300),
        Stage("local", ("music", "style", "moves"), FUSION, lr=8e-4, batch=24, steps=8000),
        Stage("memory", MODALITIES, FUSION + MEMORY, lr=6e-4, batch=24, steps=3500),
    ),
)

TINY = _over_latents(LRCM_TINY, LRCM_TINY.stages)

GUIDED = Stage("guided", MODALITIES, FUSION + MEMORY + STRENGTHS, lr=3e-4, batch=20, steps=800, distils=True)
"""Guidance in one forward a step: faster, but words are followed less (see the README)."""

VARIANTS: dict[str, tuple[Lrcm, Sampling]] = {
    "small": (SMALL, Sampling()),
    "tiny": (TINY, Sampling(steps=4, overlap=2, soft=2)),
    "guided": (replace(SMALL, name="guided", stages=(*SMALL.stages, GUIDED)), Sampling()),
    "no_text": (without(SMALL, ("style", "moves"), "no_text"), Sampling()),
    "no_local_text": (without(SMALL, ("moves",), "no_local_text"), Sampling()),
    "no_mtmm": (without(SMALL, ("memory",), "no_mtmm"), Sampling()),
}


def variant(name: str, tokenizer: TokenizerConfig) -> Config:
    """The variant called `name` over the latents of `tokenizer`; ChoreiaError when there is none."""
    if name not in VARIANTS:
        raise ChoreiaError(f"unknown choreia variant {name!r}: choose one of {', '.join(VARIANTS)}")
    lrcm, sampling = VARIANTS[name]
    return Config(name, tokenizer, replace(lrcm, denoiser=replace(lrcm.denoiser, dim=tokenizer.latent_width)), sampling)
