"""Residual vector quantisation with moving-average codebooks.

van den Oord et al. 2017 (VQ-VAE, appendix A.1: moving averages), Zeghidour et al. 2021 (SoundStream: residual levels, quantiser
drop-out, k-means start, restart of dead codes). One level is the plain VQ of the papers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Quantized:
    """`values` (B, N, width) with straight-through gradients, `codes` (B, N, levels), `commit` the mean squared distance to the codes."""

    values: Tensor
    codes: Tensor
    commit: Tensor


class Codebook(nn.Module):
    """`size` code vectors of `width`, learned as moving averages of the vectors that choose them."""

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, size: int, width: int, decay: float = 0.98) -> None:
        super().__init__()
        self.decay = decay
        start = torch.randn(size, width, generator=torch.Generator().manual_seed(size * width)) / width**0.5
        self.register_buffer("vectors", start)
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", start.clone())

    def nearest(self, x: Tensor) -> Tensor:
        """Index (M,) of the code nearest to each row of x (M, width)."""
        return (self.vectors.square().sum(1) - 2 * x @ self.vectors.T).argmin(1)

    @torch.no_grad()
    def learn(self, x: Tensor, codes: Tensor) -> None:
        """Move the codes towards the rows (M, width) that chose them; codes used ten times less than the average restart on a row."""
        chosen = F.one_hot(codes, len(self.vectors)).to(x.dtype)
        counts, sums = _across_processes(chosen.sum(0)), _across_processes(chosen.T @ x)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        dead = self.counts < 0.1 * self.counts.mean()
        rows = _from_first_process(x[torch.randperm(len(x), device=x.device)[torch.arange(len(dead), device=x.device) % len(x)]])
        self.sums[dead], self.counts[dead] = rows[dead], 1.0
        self.vectors.copy_(self.sums / self.counts.clamp(min=1e-5)[:, None])

    @torch.no_grad()
    def fit(self, x: Tensor, generator: torch.Generator, rounds: int = 10) -> None:
        """Start by k-means on the rows of x (M, width)."""
        self.vectors.copy_(_spread_rows(x, len(self.vectors), generator))
        for _ in range(rounds):
            codes = self.nearest(x)
            counts = torch.bincount(codes, minlength=len(self.vectors)).float()
            sums = torch.zeros_like(self.vectors).index_add_(0, codes, x)
            self.vectors.copy_(torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], self.vectors))
        self.counts.fill_(len(x) / len(self.vectors))
        self.sums.copy_(self.vectors * self.counts[:, None])


class ResidualQuantizer(nn.Module):
    """`levels` codebooks, each quantising what the ones before it left over."""

    def __init__(self, width: int, sizes: tuple[int, ...], decay: float = 0.98) -> None:
        super().__init__()
        self.books = nn.ModuleList(Codebook(size, width, decay) for size in sizes)

    @property
    def codebooks(self) -> list[Codebook]:
        """The codebooks, first level first."""
        return [book for book in self.books if isinstance(book, Codebook)]

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Quantized:
        """Quantise x (B, N, width); in training the codebooks learn. Row b uses its first `keep[b]` levels (B,), all when None."""
        with torch.autocast(x.device.type, enabled=False):
            return self._quantize(x.float(), keep)

    def _quantize(self, x: Tensor, keep: Tensor | None) -> Quantized:
        left, total = x.detach(), torch.zeros_like(x)
        codes = torch.empty(*x.shape[:-1], len(self.books), dtype=torch.long, device=x.device)
        for level, book in enumerate(self.codebooks):
            index, vectors = _choose(book, left, self.training)
            used = 1.0 if keep is None else (keep > level).float()[:, None, None]
            total, left = total + vectors * used, left - vectors
            codes[..., level] = index
        commit = (x - total.detach()).square().sum() / max(1, x.numel())
        return Quantized(x + (total - x).detach(), codes, commit)

    def lookup(self, codes: Tensor) -> Tensor:
        """Vectors (B, N, width) of codes (B, N, levels)."""
        vectors = [book.vectors[codes[..., k]] for k, book in enumerate(self.codebooks)]
        return torch.stack(vectors).sum(0) if vectors else torch.zeros(*codes.shape[:-1], 0)

    @torch.no_grad()
    def fit(self, x: Tensor, generator: torch.Generator) -> None:
        """Start every level by k-means on the rows of x (M, width)."""
        for book in self.codebooks:
            book.fit(x, generator)
            x = x - book.vectors[book.nearest(x)]


def _choose(book: Codebook, x: Tensor, learn: bool) -> tuple[Tensor, Tensor]:
    flat = x.reshape(-1, x.shape[-1])
    codes = book.nearest(flat)
    vectors = book.vectors[codes].view_as(x)
    if learn:
        book.learn(flat, codes)
    return codes.view(x.shape[:-1]), vectors


def _spread_rows(x: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Rows of x (M, width), each drawn in proportion to its squared distance to those before (k-means++, Arthur and Vassilvitskii 2007)."""
    picked = [x[0]]
    distance = (x - x[0]).square().sum(1)
    for _ in range(count - 1):
        picked.append(x[torch.multinomial(distance + 1e-12, 1, generator=generator)[0]])
        distance = torch.minimum(distance, (x - picked[-1]).square().sum(1))
    return torch.stack(picked)


def _across_processes(value: Tensor) -> Tensor:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(value)
    return value


def _from_first_process(value: Tensor) -> Tensor:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.broadcast(value, 0)
    return value
