"""The musical-theatre model over the latents of the default model, opened with its weights."""

from __future__ import annotations

from pathlib import Path

from choreia.models.base import read_weights, shipped
from choreia.models.choreia.latents import default_latents
from choreia.models.theatre.model import MODEL, Generator


def load(name: str = "small") -> Generator:
    """The generator with the weights called `name` that come with the package."""
    return Generator(shipped(f"theatre-{name}", MODEL), default_latents())


def open_weights(path: Path) -> Generator:
    """The generator with weights that training wrote."""
    return Generator(read_weights(path, MODEL), default_latents())
