"""Frames as H.264 takes them: planar 4:2:0 bytes in BT.709's video range, and pieces of them as numbers to compute with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LUMA_GAIN, LUMA_OFFSET = np.float32(219), np.float32(16.5)
CHROMA_GAIN, CHROMA_OFFSET = np.float32(224), np.float32(128.5)
"""Code value = number × gain + offset, cut to an integer."""


@dataclass(frozen=True)
class Box:
    """A rectangle of picture pixels, rows [top, bottom) and columns [left, right), its edges multiples of 4."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def of(self, plane: np.ndarray, pixels: int = 1) -> np.ndarray:
        """The view of a plane whose samples are `pixels` wide."""
        return plane[self.top // pixels : self.bottom // pixels, self.left // pixels : self.right // pixels]

    def within(self, outer: Box) -> Box:
        """This box as seen from a box around it."""
        return Box(self.left - outer.left, self.top - outer.top, self.right - outer.left, self.bottom - outer.top)


@dataclass(frozen=True)
class Picture:
    """Part of a frame in float32: luma (h, w) in [0, 1]; cb, cr (h/2, w/2) in [-0.5, 0.5]."""

    luma: np.ndarray
    cb: np.ndarray
    cr: np.ndarray


@dataclass(frozen=True)
class Frame:
    """A whole frame: `data` (H * 3 / 2, W) uint8 as yuv420p lays it out, and views of its planes luma (H, W), cb and cr (H/2, W/2)."""

    data: np.ndarray
    luma: np.ndarray
    cb: np.ndarray
    cr: np.ndarray

    def copy(self) -> Frame:
        """A frame of its own."""
        return whole(self.data.copy())


def whole(data: np.ndarray) -> Frame:
    """A frame over yuv420p bytes (H * 3 / 2, W)."""
    height = len(data) * 2 // 3
    cb, cr = data[height:].reshape(2, height // 2, data.shape[1] // 2)
    return Frame(data, data[:height], cb, cr)


def take(frame: Frame, box: Box) -> Picture:
    """A box of a frame as numbers."""
    luma = (box.of(frame.luma).astype(np.float32) - (LUMA_OFFSET - np.float32(0.5))) / LUMA_GAIN
    cb, cr = ((box.of(plane, 2).astype(np.float32) - (CHROMA_OFFSET - np.float32(0.5))) / CHROMA_GAIN for plane in (frame.cb, frame.cr))
    return Picture(luma, cb, cr)


def put(frame: Frame, box: Box, picture: Picture) -> None:
    """Write numbers into a box of a frame."""
    box.of(frame.luma)[...] = _codes(picture.luma, LUMA_GAIN, LUMA_OFFSET)
    for plane, values in ((frame.cb, picture.cb), (frame.cr, picture.cr)):
        box.of(plane, 2)[...] = _codes(values, CHROMA_GAIN, CHROMA_OFFSET)


def _codes(values: np.ndarray, gain: np.float32, offset: np.float32) -> np.ndarray:
    scaled = values * gain
    scaled += offset
    return np.clip(scaled, 1, 254, out=scaled).astype(np.uint8)


def rgb(frame: Frame) -> np.ndarray:
    """A frame as (H, W, 3) uint8 display RGB."""
    height, width = frame.luma.shape
    picture = take(frame, Box(0, 0, width, height))
    cb, cr = (np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1) for plane in (picture.cb, picture.cr))
    red, blue = picture.luma + 1.5748 * cr, picture.luma + 1.8556 * cb
    green = (picture.luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    return (np.clip(np.stack([red, green, blue], axis=-1), 0, 1) * 255 + 0.5).astype(np.uint8)
