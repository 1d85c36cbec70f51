"""Codes of two dances put together: poses of one (bottom codes) and movement of the other (top codes).

Source: DanceMeld (Gao et al. 2023), §4.4 and Fig. 7, which decodes the codes of both as they are. In our tokenizer the bottom codes hold
nearly the whole dance, so that the exchange alone changes the style either wholly or not at all. What is free is therefore adapted by some
steps along a gradient: so that the result, encoded again, has the codes that are kept, and otherwise either stays near the other dance or
has the statistics of its features (Gatys et al. 2016; for movement Holden et al. 2016). No judge of styles takes part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from choreia.errors import ChoreiaError
from choreia.models.dancemeld.codec import Codec, Codes
from choreia.motion.representation import Heading152
from choreia.tokenizers.quantize import ResidualQuantizer
from choreia.types import Motion

_LEAST = 1e-3  # deviation of a latent that never changes
_SOFT = 1 / 3  # of what the first level leaves over: the temperature at which a code is chosen


@dataclass(frozen=True)
class Way:
    """How far codes are kept and what is free is adapted.

    levels: of the kept bottom codes that stay, coarsest first. steps: of Adam, 0 for the exchange alone, of `size` deviations of a latent.
    near: weight of staying near the other dance's poses. style: weight of having its statistics.
    """

    levels: int
    steps: int = 0
    size: float = 0.1
    near: float = 0.0
    style: float = 0.0


PLAIN = Way(levels=99)
"""The paper's exchange."""

WAYS: dict[str, Way] = {
    "bottom": Way(levels=1, steps=20, size=0.15, near=0.3, style=3.0),
    "top": Way(levels=0, steps=16, size=0.15, near=0.1),
}
"""What is done unless told otherwise, by which codes are kept."""


_Statistics = tuple[Tensor, Tensor]
"""Mean (D,) and covariance (D, D) over time of a layer's features."""


@dataclass(frozen=True)
class _Aim:
    """What is adapted to: `book` and `codes` (N,) that stay, at `temperature`; the other dance's `style`."""

    bottom: bool
    book: Tensor
    codes: Tensor
    temperature: Tensor
    style: list[_Statistics]


def exchanged(codec: Codec, kept: Motion, given: Motion, keep: str, way: Way | None = None) -> Motion:
    """As many frames of both, on choreia-24 at 30 fps, to a dance with the `keep` codes of `kept` and the others of `given`.

    It begins at the origin and faces +Z. ChoreiaError: `keep` is neither "bottom" nor "top", or another number of frames.
    """
    if keep not in WAYS:
        raise ChoreiaError(f"unknown codes {keep!r}: keep bottom, the poses, or top, the movement")
    if len(kept) != len(given):
        raise ChoreiaError(f"codes of {len(kept)} and {len(given)} frames do not fit: give as many of both")
    way = way or WAYS[keep]
    own, other = (codec.codes(codec.encode(motion)) for motion in (kept, given))
    found = mixed(own, other, keep, way.levels)
    if way.steps:
        found = adapted(codec, found, own, other, keep, way)
    return Heading152.decode(decoded(codec, found)[: len(kept)], codec.config.fps)


def mixed(kept: Codes, given: Codes, keep: str, levels: int = PLAIN.levels) -> Codes:
    """The top codes of one and the bottom codes of the other; of bottom codes that are kept, the first `levels`."""
    if keep == "top":
        return Codes(given.bottom, kept.top)
    return Codes(np.concatenate([kept.bottom[:, :levels], given.bottom[:, levels:]], axis=1), given.top)


@torch.inference_mode()
def decoded(codec: Codec, codes: Codes) -> np.ndarray:
    """Values (T, dim) of codes, 4 frames a bottom code."""
    values = codec.tokenizer.decode_codes(torch.from_numpy(codes.bottom)[None], torch.from_numpy(codes.top)[None])[0]
    return (values * codec.std + codec.mean).numpy()


def adapted(codec: Codec, start: Codes, kept: Codes, given: Codes, keep: str, way: Way) -> Codes:
    """`start` with other bottom codes, but for the first `way.levels` of those that are kept; the top codes stay."""
    bottoms, held = codec.tokenizer.quantize_bottom, way.levels if keep == "bottom" else 0
    aim, top = _aim(codec, kept, given, keep), codec.tokenizer.quantize_top.lookup(torch.from_numpy(start.top))[None]
    base, other = (bottoms.lookup(torch.from_numpy(codes.bottom)) for codes in (start, given))
    scale = other.std(0).clamp(min=_LEAST)
    moved = torch.zeros_like(base).requires_grad_()
    adam = torch.optim.Adam([moved], lr=way.size)
    for _ in range(way.steps):
        adam.zero_grad()
        values = codec.tokenizer.decode((base + moved * scale)[None], top)
        (_cost(codec, values, aim, way) + way.near * moved.square().mean()).backward()
        adam.step()
    found = (base + moved * scale).detach()
    return Codes(_quantised(bottoms, found, start.bottom[:, :held]), start.top)


def _aim(codec: Codec, kept: Codes, given: Codes, keep: str) -> _Aim:
    bottom = keep == "bottom"
    quantizer, codes = (codec.tokenizer.quantize_bottom, kept.bottom) if bottom else (codec.tokenizer.quantize_top, kept.top)
    book, chosen = quantizer.codebooks[0].vectors, torch.from_numpy(codes)
    left = (quantizer.lookup(chosen) - book[chosen[:, 0]]).square().sum(1).mean()
    with torch.no_grad():
        style = _statistics(codec, codec.tokenizer.decode_codes(torch.from_numpy(given.bottom)[None], torch.from_numpy(given.top)[None]))
    return _Aim(bottom, book, chosen[:, 0], _SOFT * left.clamp(min=_LEAST), style)


def _cost(codec: Codec, values: Tensor, aim: _Aim, way: Way) -> Tensor:
    """How far values (1, T, dim) are from being encoded as the codes that are kept, and from the style of the other dance."""
    latents = codec.tokenizer.latents(values)
    rows = (latents.bottom if aim.bottom else latents.top)[0]
    apart = (rows[:, None] - aim.book).square().sum(-1)
    cost = F.cross_entropy(-apart / aim.temperature, aim.codes)
    return cost + way.style * unlike(_statistics(codec, values), aim.style) if way.style else cost


def _statistics(codec: Codec, values: Tensor) -> list[_Statistics]:
    """Of every layer of the encoder below the bottom codes, for values (1, T, dim)."""
    found, x = [], values.transpose(1, 2)
    for layer in codec.tokenizer.encode_bottom:
        x = layer(x)
        found.append(statistics(x[0].T))
    return found


def statistics(track: Tensor) -> _Statistics:
    """Mean (D,) and covariance (D, D) over time of a track (T, D)."""
    mean = track.mean(0)
    return mean, (track - mean).T @ (track - mean) / len(track)


def unlike(own: list[_Statistics], wanted: list[_Statistics]) -> Tensor:
    """Squared distance of means and of covariances, as shares of the wanted variance and covariance, summed over layers."""
    cost = torch.zeros(())
    for (mean, spread), (middle, wide) in zip(own, wanted, strict=True):
        cost = cost + (mean - middle).square().sum() / wide.diagonal().sum().clamp(min=_LEAST)
        cost = cost + (spread - wide).square().sum() / wide.square().sum().clamp(min=_LEAST)
    return cost


@torch.no_grad()
def _quantised(quantizer: ResidualQuantizer, rows: Tensor, held: np.ndarray) -> np.ndarray:
    """Codes (N, levels) of rows (N, width) whose first levels are `held` (N, L) whatever is nearest."""
    found = list(torch.from_numpy(held).unbind(1))
    for level, book in enumerate(quantizer.codebooks):
        if level >= len(found):
            found.append(book.nearest(rows))
        rows = rows - book.vectors[found[level]]
    return torch.stack(found, dim=1).numpy()
