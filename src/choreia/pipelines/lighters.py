"""Who can light: the designer by rule, and trained models, each asked by a wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from choreia.errors import ChoreiaError
from choreia.synth.lighting import Wish, design
from choreia.types import Motion, Music, Stage

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


LIGHTERS: dict[str, Callable[[], Lighter]] = {"rules": RuleLighter}


def lighter(name: str) -> Lighter:
    """The lighter called `name`; ChoreiaError when there is none."""
    if name not in LIGHTERS:
        raise ChoreiaError(f"unknown designer {name!r}: choose one of {', '.join(LIGHTERS)}")
    return LIGHTERS[name]()
