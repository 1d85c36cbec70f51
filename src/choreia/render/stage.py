"""The empty stage as one camera sees it: a boarded floor under a pool of light, a folded curtain behind, both in luma and chroma.

Along a screen row everything has one depth, so a row is `wash + glow × profile(x)`: three numbers a row and a look-up in
a table of board or curtain profiles, blurred to the row's pixel size so that nothing shimmers when the camera glides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from choreia.render.camera import Camera
from choreia.render.light import tint
from choreia.render.planes import CHROMA_GAIN, CHROMA_OFFSET, LUMA_GAIN, LUMA_OFFSET, Frame, whole

CURTAIN_Z_M = -5.2
"""Where the curtain hangs."""

_STRIPE = 16  # rows computed at a time: few enough to stay in the cache
_HALF_WIDTH_M, _STEP_M = 24.0, 0.0025
_BLURS_M = (0.002, 0.004, 0.007, 0.012, 0.02)
_BOARD_M, _POOL_X_M, _POOL_Z_M = 0.165, 2.9, 2.7
_FLOOR_TINT, _HAZE_TINT, _CURTAIN_TINT = tint((1.0, 0.80, 0.62)), tint((0.55, 0.62, 1.0)), tint((0.50, 0.52, 0.95))


@dataclass(frozen=True)
class _Rows:
    """Per screen row: metres a pixel, profile number, haze (flat light), glow (light on the profile, in code values) and its hue."""

    metres: np.ndarray
    profile: np.ndarray
    haze: np.ndarray
    glow: np.ndarray
    cb: np.ndarray
    cr: np.ndarray


@lru_cache(maxsize=3)
def empty(camera: Camera) -> Frame:
    """The stage without a dancer, read-only: it is remembered while the camera rests."""
    width, height = camera.size
    rows, table, grain = _rows(camera), _profiles(), _grain(width, height)
    frame = whole(np.empty((height * 3 // 2, width), np.uint8))
    across = (np.arange(width, dtype=np.float32) + np.float32(0.5 - camera.cx)) / np.float32(_STEP_M)
    origin = np.float32((camera.x + _HALF_WIDTH_M) / _STEP_M)
    for top in range(0, height, _STRIPE):
        stripe, half = slice(top, top + _STRIPE), slice(top // 2, (top + _STRIPE) // 2)
        place = np.clip(across * rows.metres[stripe, None] + origin, 0, table.shape[1] - 1).astype(np.intp)
        place += rows.profile[stripe, None] * table.shape[1]
        lit = table.reshape(-1)[place] * rows.glow[stripe, None]
        haze, coarse = rows.haze[stripe, None], lit[::2, ::2]
        frame.luma[stripe] = (lit + (haze * LUMA_GAIN + LUMA_OFFSET)) + grain[stripe]
        for plane, tinted, hazy in ((frame.cb, rows.cb, _HAZE_TINT[0]), (frame.cr, rows.cr, _HAZE_TINT[1])):
            ratio = CHROMA_GAIN / LUMA_GAIN
            plane[half] = coarse * (tinted[stripe][::2, None] * ratio) + (haze[::2] * (np.float32(hazy) * CHROMA_GAIN) + CHROMA_OFFSET)
    frame.data.flags.writeable = False
    return frame


def floor_fraction(camera: Camera) -> np.ndarray:
    """(H,) 1 on rows that show the floor, 0 on rows that show the curtain, 0.5 on the line between."""
    down = (np.arange(camera.size[1]) + 0.5 - camera.cy) / camera.focal
    return np.clip((down - camera.y / (camera.z - CURTAIN_Z_M)) * camera.focal + 0.5, 0, 1)


def _rows(camera: Camera) -> _Rows:
    """What each screen row shows."""
    down = (np.arange(camera.size[1]) + 0.5 - camera.cy) / camera.focal
    back = camera.z - CURTAIN_Z_M
    on_floor = down > camera.y / back
    depth = np.where(on_floor, camera.y / np.maximum(down, 1e-6), back)
    z, y = camera.z - depth, camera.y - down * back
    pool = 0.42 * np.exp(-(((z - 0.1) / _POOL_Z_M) ** 2)) + 0.030
    curtain = 0.125 * np.exp(-(((y - 0.6) / 1.9) ** 2)) + 0.018
    sheen = 0.060 * np.exp(-((z - CURTAIN_Z_M) / 2.2)) + 0.020
    metres = depth / camera.focal
    blur = np.searchsorted(_BLURS_M[1:], metres)
    edge = np.clip((down - camera.y / back) * camera.focal + 0.5, 0, 1)
    skirting = 1 - 0.55 * np.exp(-np.abs((down - camera.y / back) * back) / 0.05)
    mixed = [edge * floor + (1 - edge) * wall for floor, wall in ((pool, curtain), (sheen, np.full_like(z, 0.022)))]
    hue = [np.where(on_floor, floor, wall) for floor, wall in zip(_FLOOR_TINT, _CURTAIN_TINT, strict=True)]
    single = [value.astype(np.float32) for value in (metres, mixed[1] * skirting, mixed[0] * skirting * LUMA_GAIN, *hue)]
    return _Rows(single[0], np.where(on_floor, blur, len(_BLURS_M)).astype(np.intp), *single[1:])


@cache
def _profiles() -> np.ndarray:
    """Brightness along x: the floor at every blur, then the curtain, each (n,) float32 over ±24 m."""
    x = np.arange(-_HALF_WIDTH_M, _HALF_WIDTH_M, _STEP_M)
    rng = np.random.default_rng(7)
    board = np.floor(x / _BOARD_M).astype(int)
    tone = 1 + 0.075 * rng.standard_normal(board.max() - board.min() + 1)[board - board.min()]
    gap = np.abs((x / _BOARD_M) % 1 - 0.5) * _BOARD_M
    grain = gaussian_filter1d(rng.standard_normal(len(x)), 2) * 0.07
    boards = (tone + grain) * (1 - 0.55 * (gap > _BOARD_M / 2 - 0.0035))
    pool = 0.10 + 0.90 * np.exp(-((x / _POOL_X_M) ** 2))
    folds = 0.62 + 0.30 * np.sin(2 * np.pi * x / 0.46 + 1.1 * np.sin(x * 1.7) + 0.7 * np.sin(x * 4.1))
    glow = 0.12 + 0.88 * np.exp(-((x / 3.6) ** 2))
    floor = [gaussian_filter1d(boards, blur / _STEP_M / 2) * pool for blur in _BLURS_M]
    return np.stack([*floor, gaussian_filter1d(folds, 5) * glow]).astype(np.float32)


@cache
def _grain(width: int, height: int) -> np.ndarray:
    """Fixed noise of about a code value that keeps dark gradients from banding."""
    return (np.random.default_rng(11).random((height, width), np.float32) - np.float32(0.5)) * np.float32(1.2)
