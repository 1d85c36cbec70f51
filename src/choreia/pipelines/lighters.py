"""Who can light: the designer by rule, and trained models, each asked by a wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from choreia.errors import ChoreiaError
from choreia.synth.lighting import Wish, design
from choreia.types import Motion, Music, Stage

if TYPE_CHECKING:
    from choreia.models.theatre.model import Generator

Progress = Callable[[str, float], None]


class Lighter(Protocol):
    """Whoever can light a song."""

    @property
    def name(self) -> str:
        """What `--designer` calls it."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights, None where there are none."""

    def light(self, music: Music, dance: Motion | None, *, seed: int, wish: Wish, progress: Progress | None) -> Stage:
        """A stage at 30 Hz as long as `music`, for the dance where there is one; not yet made safe."""


@dataclass(frozen=True)
class RuleLighter:
    """The seeded designer: looks by section and energy, cues on bars, no learning."""

    name: str = "rules"
    weights_sha256: str | None = None

    def light(self, music: Music, dance: Motion | None, *, seed: int, wish: Wish, progress: Progress | None) -> Stage:
        """Design by rule."""
        return design(music, dance, seed=seed, wish=wish)


@dataclass(frozen=True)
class TheatreLighter:
    """The trained musical-theatre model: the rules plan which look comes when, the model lights it."""

    generator: Generator
    name: str = "theatre"

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights."""
        return self.generator.weights_sha256

    def light(self, music: Music, dance: Motion | None, *, seed: int, wish: Wish, progress: Progress | None) -> Stage:
        """Generate; without a dance, the light of the one that the model imagines."""
        return self.generator.perform(music, dance=dance, wish=wish, seed=seed)[1]


def _theatre() -> Lighter:
    from choreia.models.choreia.stage import load

    return TheatreLighter(load())


LIGHTERS: dict[str, Callable[[], Lighter]] = {"rules": RuleLighter, "theatre": _theatre}


def lighter(name: str) -> Lighter:
    """The lighter called `name`; ChoreiaError when there is none."""
    if name not in LIGHTERS:
        raise ChoreiaError(f"unknown designer {name!r}: choose one of {', '.join(LIGHTERS)}")
    return LIGHTERS[name]()
