"""A motion made ready for the camera: choreia-24 at the picture's frame rate, one matrix a joint a frame, and a camera path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from choreia.errors import ChoreiaError
from choreia.motion import kinematics
from choreia.motion.skeleton import choreia24
from choreia.motion.timing import resample
from choreia.render import camera, dancer
from choreia.types import Motion

_BLOCK = 4096


@dataclass(frozen=True)
class Take:
    """What the renderer draws: `moves` (T, J, 3, 4) float32 take the rest pose to the world; `path` is the camera's."""

    moves: np.ndarray
    path: camera.Path
    fps: float

    def __len__(self) -> int:
        return len(self.moves)


def prepare(motion: Motion, fps: float, size: tuple[int, int]) -> Take:
    """A take for a picture of `size` (width, height) pixels at `fps`.

    Any humanoid motion at any rate; frame i shows the motion at i / fps seconds.

    Raises:
        ChoreiaError: no frames, or a picture size that video cannot have.
    """
    if min(size) < 64 or max(size) > 8192 or size[0] % 4 or size[1] % 4:
        raise ChoreiaError(f"cannot render at {size[0]}x{size[1]}: width and height must be multiples of 4 between 64 and 8192")
    dance = canonical(motion)
    dance = dance if dance.fps == fps else resample(dance, fps)
    joints, moves = moves_of(dance)
    return Take(moves, camera.follow(joints, fps, size), fps)


def canonical(motion: Motion) -> Motion:
    """The motion on choreia-24; ChoreiaError when it has no frames."""
    if len(motion) == 0:
        raise ChoreiaError("cannot render a motion without frames")
    skeleton = choreia24()
    if motion.skeleton.names == skeleton.names and np.allclose(motion.skeleton.offsets[1:], skeleton.offsets[1:], atol=1e-4):
        return motion
    from choreia.motion.retarget import to_choreia24

    return to_choreia24(motion)


def moves_of(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """World joint positions (T, J, 3) and the matrices of `Take` of a motion on choreia-24, in blocks so that memory stays small."""
    rest_root = torch.from_numpy(dancer.skin().mesh.root.astype(np.float64))
    still = torch.eye(3, dtype=torch.float64).expand(len(motion.skeleton.names), 3, 3)
    rest, _ = kinematics.forward(motion.skeleton, rest_root, still)
    blocks = [_block_moves(motion.slice(start, start + _BLOCK), rest) for start in range(0, len(motion), _BLOCK)]
    places, moves = zip(*blocks, strict=True)
    return np.concatenate(places), np.concatenate(moves)


def _block_moves(motion: Motion, rest: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    root = torch.from_numpy(np.asarray(motion.root, np.float64))
    place, turn = kinematics.forward(motion.skeleton, root, kinematics.matrices(motion))
    shift = place - (turn @ rest[..., None])[..., 0]
    return place.numpy().astype(np.float32), torch.cat([turn, shift[..., None]], dim=-1).numpy().astype(np.float32)
