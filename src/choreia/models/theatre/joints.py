"""The paper's own space of movement: 22 joints in the world at 120 fps, a frame a token."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from choreia.motion.posing import posed
from choreia.motion.representation import Joints22
from choreia.types import Motion

HEIGHT = np.array([0.0, 1.0, 0.0], np.float32)


class JointSpace:
    """Rows (N, 66) of metres from a height of one metre above the middle of the stage; a `space.Space`."""

    name = "joints22 at 120 fps"
    width, fold, fps = Joints22.dim, 1, 120.0

    def frames_for(self, frames: int) -> int:
        """The next number of frames that rows can hold: even, for windows."""
        return -(-frames // 2) * 2

    def encode(self, motion: Motion) -> np.ndarray:
        """Rows of a take at 120 fps."""
        return (Joints22.encode(motion).reshape(-1, 22, 3) - HEIGHT).reshape(-1, self.width).astype(np.float32)

    def seen(self, motion: Motion) -> np.ndarray:
        """22 joints from the pelvis, (T, 22, 3) m, in the axes of the world."""
        places = Joints22.encode(motion).reshape(-1, 22, 3)
        return places - places[:, :1]

    def decode(self, rows: np.ndarray) -> Motion:
        """The take whose limbs point as rows say."""
        return posed(rows.reshape(-1, 22, 3) + HEIGHT, self.fps)

    def joints(self, rows: Tensor) -> Tensor:
        """22 joints from the pelvis, (B, N, 22, 3) m, of rows (B, N, 66)."""
        places = rows.unflatten(-1, (22, 3))
        return places - places[..., :1, :]

