"""Where movement lives: rows of tokens, and the way from them to joints that losses look at and to a take."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from choreia.types import Motion


class Space(Protocol):
    """Rows (N, width) of `fold` frames each at `fps`, standardised; `name` says which, so that weights know theirs."""

    name: str
    width: int
    fold: int
    fps: float

    def frames_for(self, frames: int) -> int:
        """The next number of frames that rows can hold."""

    def encode(self, motion: Motion) -> np.ndarray:
        """Rows of a take of N · fold frames at `fps` on choreia-24."""

    def decode(self, rows: np.ndarray) -> Motion:
        """The take of rows."""

    def seen(self, motion: Motion) -> np.ndarray:
        """22 joints of a take as `joints` has them, (T, 22, 3) m."""

    def joints(self, rows: Tensor) -> Tensor:
        """22 joints from the pelvis in the dancer's own heading, (B, N · fold, 22, 3) m, of rows (B, N, width); gradients go through."""
