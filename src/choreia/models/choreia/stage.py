"""The musical-theatre model over the latents of the default model, opened with its weights."""

from __future__ import annotations

from pathlib import Path

from choreia.models.base import read_weights, shipped
from choreia.models.choreia.latents import default_latents
from choreia.models.theatre.config import Config, Sizes
from choreia.models.theatre.joints import JointSpace
from choreia.models.theatre.model import MODEL, Generator
from choreia.models.theatre.space import Space


def space_of(sizes: Sizes) -> Space:
    """Where a variant of these sizes moves: the paper's joints at 120 fps, or the latents of the default model."""
    return JointSpace() if sizes.motion == JointSpace.width else default_latents()


def load(name: str = "small") -> Generator:
    """The generator with the weights called `name` that come with the package."""
    return Generator(shipped(f"theatre-{name}", MODEL), default_latents())


def open_weights(path: Path) -> Generator:
    """The generator with weights that training wrote."""
    weights = read_weights(path, MODEL)
    return Generator(weights, space_of(Config.from_json(weights.header["config"]).sizes))
