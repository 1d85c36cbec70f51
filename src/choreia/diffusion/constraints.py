"""Denoisers that obey: any length by overlapping windows (EDGE, Tseng et al. 2023), kept material, variations,
returning material."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from choreia.diffusion import Denoiser


def long_denoise(denoise: Denoiser, window: int, overlap: int, batch: int = 16) -> Denoiser:
    """A denoiser of sequences (1, N, D) of any length from one that knows `window` tokens.

    At every call the sequence is cut into windows that share at least `overlap` tokens, denoised `batch` at a time, and blended by
    cross-fades, so all windows agree where they overlap and no seam is left.
    """

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        starts = window_starts(x.shape[1], window, overlap)
        rows = starts[:, None] + torch.arange(min(window, x.shape[1]))
        parts = [denoise(x[0, r], t[:1].expand(len(r)), condition[0, r]) for r in rows.split(batch)]
        return _blend(torch.cat(parts), rows, x.shape[1])[None]

    return wrapped


def window_starts(length: int, window: int, overlap: int) -> Tensor:
    """First tokens of the windows that cover [0, length), even numbers, neighbours sharing about `overlap`; `length` is even."""
    if length <= window:
        return torch.zeros(1, dtype=torch.long)
    count = max(2, -(-(length - overlap) // (window - overlap)))
    return torch.arange(count) * (length - window) // (count - 1) // 2 * 2


def _blend(parts: Tensor, rows: Tensor, length: int) -> Tensor:
    ramp = torch.arange(1, rows.shape[1] + 1, dtype=parts.dtype)
    weight = torch.minimum(ramp, ramp.flip(0))[:, None].square()
    total = parts.new_zeros(length, parts.shape[-1]).index_add_(0, rows.flatten(), (parts * weight).flatten(0, 1))
    shares = parts.new_zeros(length, 1).index_add_(0, rows.flatten(), weight.repeat(len(rows), 1))
    return total / shares


def inpaint(denoise: Denoiser, known: Tensor, mask: Tensor) -> Denoiser:
    """Impose `known` (1, N, D) where `mask` (1, N, 1) is 1, at every step, so the last keeps it bit for bit; between 0 and 1, blend."""

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        free = denoise(x, t, condition)
        return torch.where(mask >= 1, known, torch.where(mask <= 0, free, torch.lerp(free, known, mask)))

    return wrapped


def varied(denoise: Denoiser, known: Tensor, amount: float) -> Denoiser:
    """Predict `known` (B, N, D) at times later than `amount`: sampling begins there, from `known` and that much noise.

    Source: SDEdit (Meng et al. 2022). 1 is `denoise` itself, 0 gives `known` back.
    """

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return known if bool((t > amount).all()) else denoise(x, t, condition)

    return wrapped


def corrected(denoise: Denoiser, correct: Callable[[Tensor], Tensor]) -> Denoiser:
    """Put every prediction right by `correct`, clean x (B, N, D) to clean x."""

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return correct(denoise(x, t, condition))

    return wrapped


def echo(denoise: Denoiser, source: Tensor, weight: Tensor) -> Denoiser:
    """Draw token i towards token `source[i]` (N,), fractional, of the same sequence with `weight[i]` (N,): material that returns."""
    low = source.floor().long().clamp(0, len(source) - 1)
    high = (low + 1).clamp(max=len(source) - 1)
    share = (source - low)[:, None].to(torch.float32)
    amount = weight[:, None].to(torch.float32)

    def wrapped(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        free = denoise(x, t, condition)
        origin = torch.lerp(free[:, low], free[:, high], share)
        return torch.lerp(free, origin, amount)

    return wrapped
