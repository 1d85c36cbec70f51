"""What stands between a stage and a picture of it: framing, exposure, white balance, lens, sensor and JPEG; done to rendered pictures."""

from __future__ import annotations

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional as F

_CLOSEST = 0.78  # share of the picture's width that is kept at least
_STOPS, _GAMMA, _BALANCE = 0.5, 0.15, 0.07
_VIGNETTE, _SOFT, _GRAIN, _QUANTUM = 0.5, 0.7, 5.0, 24.0
_SIDE = 8
_DCT = torch.from_numpy(dct(np.eye(_SIDE), norm="ortho", axis=0)).float()


def photographed(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rendered pictures (n, H, W, 3) uint8 as a camera might give them, each with its own faults: the same shape and type."""
    count = len(frames)

    def each(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1))).float()

    x = _framed(torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255, rng)
    balance = torch.from_numpy(np.exp(_BALANCE * rng.standard_normal((count, 3, 1, 1)))).float()
    x = x.clamp(min=0).pow(1 + each(-_GAMMA, _GAMMA)) * torch.exp2(each(-_STOPS, _STOPS) / 2) * balance * _vignette(x, each(0, _VIGNETTE))
    x = x + (F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) - x) * each(0, _SOFT)
    x = 255 * x + torch.from_numpy(rng.standard_normal(x.shape, np.float32)) * each(0, _GRAIN)
    x = _compressed(x, each(0.01, 1).square() * _QUANTUM)
    return x.clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def _framed(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A part of each picture (n, 3, H, W), enlarged to all of it."""
    zoom = rng.uniform(_CLOSEST, 1, (len(x), 2))
    shift = rng.uniform(-1, 1, (len(x), 2)) * (1 - zoom)
    turn = np.zeros((len(x), 2, 3), np.float32)
    turn[:, 0, 0], turn[:, 1, 1], turn[:, :, 2] = zoom[:, 0], zoom[:, 1], shift
    return F.grid_sample(x, F.affine_grid(torch.from_numpy(turn), list(x.shape), align_corners=False), align_corners=False)


def _vignette(x: Tensor, depth: Tensor) -> Tensor:
    """(n, 1, H, W): 1 in the middle, less by half of `depth` half-way to the corners."""
    down, across = (torch.linspace(-1, 1, size) for size in x.shape[2:])
    return 1 - depth * (down[:, None].square() + across.square()) / 2


def _compressed(x: Tensor, quantum: Tensor) -> Tensor:
    """Pictures (n, 3, H, W) whose 8 x 8 blocks have cosine coefficients that are multiples of `quantum`, as in JPEG."""
    height, width = x.shape[2:]
    padded = F.pad(x, (0, -width % _SIDE, 0, -height % _SIDE), mode="replicate")
    blocks = padded.unfold(2, _SIDE, _SIDE).unfold(3, _SIDE, _SIDE)
    step = quantum[..., None, None]
    rough = _DCT.T @ ((_DCT @ blocks @ _DCT.T / step).round() * step) @ _DCT
    return rough.transpose(3, 4).reshape(padded.shape)[..., :height, :width]
