"""Pose space, the paper's own: exponential maps as standardised rows, the three columns of music, and their way back to a take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreia.diffusion import Denoiser
from choreia.errors import ChoreiaError
from choreia.motion.representation import Expmap61
from choreia.music.features import DANCE_NAMES
from choreia.types import Motion

SPACE = "expmap61"
"""`Config.space` of variants whose rows are these."""

MUSIC_NAMES = ("centroid", "onset", "beat_pulse")
"""D_a = 3 of the "dance" features. The paper has chroma 0, spectral flux and beat activation: "onset" is that flux; "beat_pulse" is a bump
at each beat, exact in training, where an activation is a guess; chroma is in no prepared shard, and the centroid stands for pitch."""

_MUSIC = [DANCE_NAMES.index(name) for name in MUSIC_NAMES]
_LEAST_STD = torch.full((Expmap61.dim,), 1e-3)
_LEAST_STD[Expmap61.slices["rotations"]] = 0.03
"""Radians, metres and steps a frame: joints that hardly turn (AMC's collars, the twist of wrists) are not blown up."""


def music_rows(features: np.ndarray) -> np.ndarray:
    """(T, 3) float32 of "dance" features (T, 24); ChoreiaError for another shape, or no frames."""
    if features.ndim != 2 or features.shape[1] != len(DANCE_NAMES) or not len(features):
        shape = f"{features.shape}, expected (frames, {len(DANCE_NAMES)})"
        raise ChoreiaError(f"music features have shape {shape}: use Music.features['dance']")
    return np.asarray(features[:, _MUSIC], np.float32)


@dataclass(frozen=True)
class Poses:
    """Rows of `Expmap61`, standardised column by column. All (61,): `mean` and `std` of the training set in the columns' own units, and
    `low` and `high`, the least and the most that were seen of each column, standardised."""

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    @staticmethod
    def of(takes: Sequence[np.ndarray]) -> Poses:
        """Measured on the values (T, 61) of takes."""
        values = torch.from_numpy(np.concatenate(takes))
        mean, std = values.double().mean(0).float(), values.double().std(0).float().maximum(_LEAST_STD)
        return Poses(mean, std, (values.amin(0) - mean) / std, (values.amax(0) - mean) / std)

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Standardised rows (T, 61) float32 of values (T, 61)."""
        return (values - self.mean.numpy()) / self.std.numpy()

    def motion(self, rows: np.ndarray, fps: float) -> Motion:
        """The take of standardised rows (T, 61) at `fps` frames a second, from the origin, facing +Z."""
        return Expmap61.decode(rows * self.std.numpy() + self.mean.numpy(), fps)

    def bounded(self, denoise: Denoiser) -> Denoiser:
        """`denoise` whose clean rows stay within what was seen in training, as in the code of DDPM (Ho et al. 2020).

        Where nearly all is noise, clean rows are what is left of a small difference divided by a tiny share of signal.
        """

        def within(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
            return torch.clamp(denoise(x, t, condition), self.low, self.high)

        return within
