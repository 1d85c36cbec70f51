"""`--like FILE`: a picture or a video to the look that comes nearest to it and a palette of its own colours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from choreia.errors import ChoreiaError
from choreia.models.theatre import visual
from choreia.models.theatre.visual_colour import HEIGHT, WIDTH
from choreia.stage import looks, palettes, style
from choreia.stage.palettes import Palette
from choreia.synth.lighting import Wish
from choreia.types import Style

MOMENTS = 24
"""Pictures of a video that are looked at, evenly spread."""

LARGEST = 1 << 26
"""Pixels of the largest picture that is decoded: 8192 x 8192, 200 MB."""

COLOURS = 3
"""Colours of a palette, at most."""

_SHORT_S = 60.0
_BLACK = 0.12  # lightness of what gives no light
_PALE, _COLOURED = 0.12, 0.08  # saturation under which light counts as white, and share of coloured light without which a picture is pale
_BINS, _BLUR_BINS, _REACH_RAD, _LEAST = 120, 3, np.deg2rad(30), 0.05
_ENERGIES = np.linspace(0, 1, 5)


def like(path: str | Path, seer: visual.Seer | None = None) -> Wish:
    """The look nearest to a picture or a video, and a palette of its colours, key first.

    Raises:
        ChoreiaError: the file is missing, neither a picture nor a video, damaged, larger than `LARGEST` pixels, or dark throughout.
    """
    pictures = read_pictures(Path(path))
    colours = main_colours(pictures, Path(path).stem)
    look, turned = nearest(pictures, colours, seer or visual.load())
    return Wish(look, turned)


# ---------------------------------------------------------------------------------------------------------------- pictures


def read_pictures(path: Path) -> np.ndarray:
    """A picture, or `MOMENTS` of a video, shrunk one by one: (n, HEIGHT, WIDTH, 3) uint8; those without light are left out.

    A minute of video is decoded through; of a longer one the pictures that can be jumped to are taken, so that hours take no longer.
    """
    import av

    av.logging.set_level(None)
    if not path.is_file():
        raise ChoreiaError(f"there is no file {path}: give a picture or a video")
    bounds: Any = [_BOUND]
    found: list[np.ndarray] = []
    try:
        with av.open(str(path), stream_options=bounds) as container:
            for frame in _moments(container):
                found.append(frame.to_ndarray(format="rgb24", width=WIDTH, height=HEIGHT, interpolation="AREA"))
    except (av.FFmpegError, ValueError, IndexError, MemoryError):
        pass  # what was whole before the fault is enough
    if not found:
        raise ChoreiaError(f"{path} is no picture or video that can be read, or has over {LARGEST / 1e6:.0f} megapixels: save it anew")
    lit = [picture for picture in found if _lightness(picture).max() > _BLACK]
    if not lit:
        raise ChoreiaError(f"{path} is dark throughout: give a picture with light in it")
    return np.stack(lit)


_BOUND = {"max_pixels": str(LARGEST)}


def _moments(container: Any) -> Iterator[Any]:
    """Pictures at the middles of `MOMENTS` stretches, or in every second of the first where the length is not known."""
    track = container.streams.video[0]
    track.codec_context.options = _BOUND
    track.thread_type = "AUTO"
    start_s, length_s = (float(value or 0) / 1e6 for value in (container.start_time, container.duration))
    times_s = start_s + (np.arange(MOMENTS) + 0.5) * length_s / MOMENTS if length_s else np.arange(MOMENTS, dtype=float)
    if length_s <= _SHORT_S:
        yield from _passing(container.decode(track), times_s)
    else:
        for time_s in times_s:
            container.seek(int(time_s * 1e6))
            yield from islice(container.decode(track), 1)


def _passing(frames: Iterator[Any], times_s: np.ndarray) -> Iterator[Any]:
    """Of frames in order the first at or after each time; the only one where there is but one."""
    count, frame = 0, None
    for frame in frames:
        while count < len(times_s) and (frame.time or 0.0) >= times_s[count]:
            yield frame
            count += 1
        if count == len(times_s):
            return
    if frame is not None and not count:
        yield frame


def _lightness(picture: np.ndarray) -> np.ndarray:
    return palettes.oklab(palettes.srgb_to_linear(picture / 255))[..., 0]


# ---------------------------------------------------------------------------------------------------------------- palette


def main_colours(pictures: np.ndarray, name: str = "picture") -> Palette:
    """The colours that glow most in pictures (n, H, W, 3) uint8, the strongest first: clusters of OKLCH hue, each pixel weighted by its
    chroma and the square of its lightness. A picture in which hardly any light is coloured gives its one pale tint."""
    lab = palettes.oklab(palettes.srgb_to_linear(pictures.reshape(-1, 3) / 255))
    lab = lab[lab[:, 0] > _BLACK]
    hue, chroma, glow = np.arctan2(lab[:, 2], lab[:, 1]), np.hypot(lab[:, 1], lab[:, 2]), lab[:, 0] ** 2
    saturation = np.clip(chroma / lab[:, 0] / palettes.purest(hue), 0, 1)
    coloured = saturation > _PALE
    if glow[coloured].sum() < _COLOURED * glow.sum():
        tint = glow @ lab[:, 1:] / glow.sum()
        pale = float(np.hypot(*tint) / (glow @ lab[:, 0] / glow.sum()) / palettes.purest(np.arctan2(tint[1], tint[0])))
        return Palette(name, (float(np.arctan2(tint[1], tint[0]) % (2 * np.pi)),), (pale,))
    clusters = _clusters(hue[coloured], (chroma * glow)[coloured], saturation[coloured])
    return Palette(name, *zip(*clusters, strict=True))


def _clusters(hue: np.ndarray, weight: np.ndarray, saturation: np.ndarray) -> list[tuple[float, float]]:
    """Mean hue in [0, 2 pi) and mean saturation of up to `COLOURS` peaks of weight on the hue circle; each peak takes what is within 30
    degrees of it, and none has less than a twentieth of the weight."""
    left, found = weight.copy(), list[tuple[float, float]]()
    while len(found) < COLOURS and left.sum() > _LEAST * weight.sum():
        near = np.abs(_turn(hue - _peak(hue, left))) < _REACH_RAD
        share = left * near
        if share.sum() < _LEAST * weight.sum():
            break
        middle = np.arctan2(share @ np.sin(hue), share @ np.cos(hue))
        found.append((float(middle % (2 * np.pi)), float(share @ saturation / share.sum())))
        left[near] = 0
    return found


def _peak(hue: np.ndarray, weight: np.ndarray) -> float:
    """Where on the circle there is most weight."""
    bins = np.bincount((hue / (2 * np.pi) * _BINS).round().astype(int) % _BINS, weight, _BINS)
    around = np.arange(-3 * _BLUR_BINS, 3 * _BLUR_BINS + 1)
    blurred = sum(np.exp(-0.5 * (k / _BLUR_BINS) ** 2) * np.roll(bins, k) for k in around)
    return float(np.argmax(blurred)) * 2 * np.pi / _BINS


def _turn(angle: np.ndarray) -> np.ndarray:
    """An angle in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


# ------------------------------------------------------------------------------------------------------------------- look


def nearest(pictures: np.ndarray, colours: Palette, seer: visual.Seer) -> tuple[looks.Look, Palette]:
    """The look whose embedding in these colours, at any energy and with either of the first two as the key, is nearest to that of the
    pictures; and the colours with that key in front."""
    towards = seer.embed(pictures).mean(axis=0)
    tried = [(looks.look(name), colours.turned(step)) for name in looks.LOOKS for step in range(min(2, len(colours.hues)))]
    rows: list[Style] = [looks.rest(look, _ENERGIES, palette) for look, palette in tried]
    closeness = seer.embed_style(style.join(rows)) @ towards
    return tried[int(closeness.argmax()) // len(_ENERGIES)]
