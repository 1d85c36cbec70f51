"""The systems, one folder a paper. `load` opens any of them with the weights that come with the package."""

from __future__ import annotations

from collections.abc import Callable

from choreia.errors import ChoreiaError
from choreia.models.base import Generator


def _dancemeld(name: str) -> Callable[[], Generator]:
    def open_weights() -> Generator:
        from choreia.models.dancemeld.model import load as load_dancemeld

        return load_dancemeld(name)

    return open_weights


MODELS: dict[str, Callable[[], Generator]] = {"small": _dancemeld("small"), "dancemeld": _dancemeld("small")}
"""Every model by name."""


def load(name: str = "small") -> Generator:
    """The model called `name`; ChoreiaError when there is none or its weights are missing or damaged."""
    if name not in MODELS:
        raise ChoreiaError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}")
    return MODELS[name]()
