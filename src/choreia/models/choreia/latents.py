"""The latents of the default model as a space that the musical-theatre model moves in."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from choreia.models.base import Weights, shipped
from choreia.models.choreia.config import Config
from choreia.models.choreia.model import MODEL
from choreia.models.dancemeld.body import level_joints
from choreia.models.dancemeld.codec import Codec, split
from choreia.models.dancemeld.config import TOKEN_FRAMES
from choreia.motion.representation import Heading152
from choreia.types import Motion

JOINTS = 22


class Latents:
    """Standardised latents of the tokenizer in `weights` of the default model; a `models.theatre.space.Space`."""

    fold = TOKEN_FRAMES

    def __init__(self, weights: Weights, name: str) -> None:
        config = Config.from_json(weights.header["config"])
        self.name = f"latents of {name} {weights.sha256[:12]}"
        self.width, self.fps = config.tokenizer.latent_width, config.tokenizer.fps
        self.codec = Codec(config.tokenizer, weights.tensors)
        self.mean, self.std = weights.tensors["latent_mean"], weights.tensors["latent_std"]

    def frames_for(self, frames: int) -> int:
        """The next number of frames that rows can hold."""
        return self.codec.tokens_for(frames) * self.fold

    def encode(self, motion: Motion) -> np.ndarray:
        """Rows (N, width) of a take of N · fold frames at `fps` on choreia-24."""
        return (self.codec.encode(motion) - self.mean.numpy()) / self.std.numpy()

    def seen(self, motion: Motion) -> np.ndarray:
        """22 joints of a take as `joints` has them, (T, 22, 3) m."""
        return level_joints(torch.from_numpy(Heading152.encode(motion)))[..., :JOINTS, :].numpy()

    def decode(self, rows: np.ndarray) -> Motion:
        """The take of rows."""
        return Heading152.decode(self.codec.decode(rows * self.std.numpy() + self.mean.numpy()), self.fps)

    def joints(self, rows: Tensor) -> Tensor:
        """22 joints from the pelvis in the dancer's own heading, (B, N · fold, 22, 3) m, of rows (B, N, width), without quantising."""
        codec = self.codec
        latents = split(rows * self.std + self.mean, codec.config.bottom_width)
        values = codec.tokenizer.decode(latents.bottom, latents.top) * codec.std + codec.mean
        return level_joints(values)[..., :JOINTS, :]


def default_latents(name: str = "small") -> Latents:
    """The latents of the weights called `name` that come with the package."""
    return Latents(shipped(f"choreia-{name}", MODEL), f"choreia-{name}")
