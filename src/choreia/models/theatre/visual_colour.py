"""Colour-space decomposition of a picture: OKLab, and what colours there are in each region of a grid."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from choreia.stage.palettes import LMS_TO_LAB, RGB_TO_LMS, srgb_to_linear

HEIGHT, WIDTH = 54, 96
"""Pixels of the pictures that are looked at."""

ROWS, COLUMNS, BINS = 3, 6, 12
"""Regions of the grid, and bins of the hue circle."""

STATISTICS = ROWS * COLUMNS * (7 + BINS)
"""Numbers that `decompose` makes of a picture."""

_LINEAR = torch.from_numpy(srgb_to_linear(np.arange(256) / 255)).float()
_TO_LMS, _TO_LAB = (torch.from_numpy(matrix.T.copy()).float() for matrix in (RGB_TO_LMS, LMS_TO_LAB))


def oklab(frames: Tensor) -> Tensor:
    """Lightness, a and b of sRGB pictures (n, H, W, 3) uint8: (n, 3, H, W)."""
    lms = (_LINEAR[frames.int()] @ _TO_LMS).clamp(min=1e-9)
    return (lms.pow(1 / 3) @ _TO_LAB).permute(0, 3, 1, 2).contiguous()


def decompose(lab: Tensor) -> Tensor:
    """Of pictures (n, 3, HEIGHT, WIDTH) the colours region by region, (n, STATISTICS).

    A region has mean and deviation of L, a and b, its greatest L, and a histogram of hue weighted by chroma and lightness; its root is
    taken, for colours cover little or much.
    """
    mean = _means(lab)
    deviation = (_means(lab * lab) - mean.square()).clamp(min=0).sqrt()
    brightest = F.adaptive_max_pool2d(lab[:, :1], (ROWS, COLUMNS))
    histogram = _means(_hues(F.avg_pool2d(lab, 2)))
    return torch.cat([mean, deviation, brightest, (histogram + 1e-6).sqrt()], dim=1).flatten(1)


def _means(planes: Tensor) -> Tensor:
    """(n, c, h, w) to (n, c, ROWS, COLUMNS)."""
    return F.avg_pool2d(planes, (planes.shape[2] // ROWS, planes.shape[3] // COLUMNS))


def _hues(lab: Tensor) -> Tensor:
    """Chroma times lightness of every pixel, shared between the two bins next to its hue: (n, BINS, H, W)."""
    light, a, b = lab.unbind(1)
    place = torch.atan2(b, a) * (BINS / (2 * torch.pi)) % BINS
    away = (place[:, None] - torch.arange(BINS)[:, None, None]).abs()
    near = (1 - torch.minimum(away, BINS - away)).clamp(min=0)
    return near * (light * torch.hypot(a, b))[:, None]
