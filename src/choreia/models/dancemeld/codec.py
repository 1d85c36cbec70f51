"""The trained tokenizer of DanceMeld as a codec: takes to latents and back, in pieces, so that memory does not grow with the dance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreia.models.base import load_part
from choreia.models.dancemeld.config import TOKEN_FRAMES, TokenizerConfig
from choreia.models.dancemeld.tokenizer import Latents, build_tokenizer, repeat_pairs
from choreia.motion.representation import Heading152
from choreia.types import Motion

PIECE_TOKENS = 512
"""Long takes are encoded and decoded this many tokens at a time, so that memory does not grow with the song."""


@dataclass(frozen=True)
class Codes:
    """Discrete form of a take: `bottom` (N, levels), 4 frames each, and `top` (N / 2, levels), 8 frames each."""

    bottom: np.ndarray
    top: np.ndarray


class Codec:
    """Latents are (N, width) float32, one row for 4 frames, N even: h'_b, then h_t of the row's pair.

    `tensors`: `tokenizer.*` and the normaliser of values, `mean` and `std`.
    """

    def __init__(self, config: TokenizerConfig, tensors: dict[str, Tensor]) -> None:
        self.config = config
        self.tokenizer = build_tokenizer(config)
        load_part(self.tokenizer, tensors, "tokenizer.")
        self.mean, self.std = tensors["mean"], tensors["std"]

    def tokens_for(self, frames: int) -> int:
        """Rows of latents that cover `frames` frames: even."""
        return -(-frames // (2 * TOKEN_FRAMES)) * 2

    @torch.inference_mode()
    def encode(self, motion: Motion) -> np.ndarray:
        """Latents (N, width) of a take on choreia-24 at 30 fps; its last frame is repeated up to a multiple of 8."""
        values = torch.from_numpy(Heading152.encode(motion))
        frames = self.tokens_for(len(values)) * TOKEN_FRAMES
        values = values[torch.arange(frames).clamp(max=len(values) - 1)]
        normalised = (values - self.mean) / self.std
        halo = halo_tokens(self.config)
        return in_pieces(lambda x: join(self.tokenizer.latents(x[None]))[0], normalised, halo, shrink=TOKEN_FRAMES).numpy()

    @torch.inference_mode()
    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Values (T, dim) of latents (N, width): quantised to codes, then decoded, in pieces whose seams see what the whole would see."""
        rows = torch.from_numpy(np.asarray(latents, np.float32))
        values = in_pieces(
            lambda x: self.tokenizer.decode_latents(split(x[None], self.config.bottom_width))[0], rows,
            decoder_halo_tokens(self.config), grow=TOKEN_FRAMES,
        )  # fmt: skip
        return (values * self.std + self.mean).numpy()

    def decode_stream(self, parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """What `decode` gives for all `parts` (n, width) together, as soon as what follows can no longer change it, in constant memory."""
        halo, held, given = decoder_halo_tokens(self.config), np.zeros((0, self.config.latent_width), np.float32), 0
        for part in parts:
            held = np.concatenate([held, part])
            ready = max(given, len(held) - halo) // 2 * 2
            if ready > given:
                yield self.decode(held)[given * TOKEN_FRAMES : ready * TOKEN_FRAMES]
                past = max(0, ready - halo) // 2 * 2
                held, given = held[past:], ready - past
        if len(held) > given:
            yield self.decode(held)[given * TOKEN_FRAMES :]

    @torch.inference_mode()
    def codes(self, latents: np.ndarray) -> Codes:
        """Codes of latents (N, width)."""
        rows = split(torch.from_numpy(np.asarray(latents, np.float32))[None], self.config.bottom_width)
        bottom, top = self.tokenizer.codes(rows)
        return Codes(bottom[0].numpy(), top[0].numpy())


def join(latents: Latents) -> Tensor:
    """Concat(h'_b, up(h_t)): (B, N, width)."""
    return torch.cat([latents.bottom, repeat_pairs(latents.top)], dim=-1)


def split(rows: Tensor, bottom_width: int) -> Latents:
    """Inverse of `join`; the two halves of a top token are averaged where they differ."""
    top = rows[..., bottom_width:].unflatten(1, (-1, 2)).mean(2)
    return Latents(rows[..., :bottom_width], top)


def in_pieces(work: Callable[[Tensor], Tensor], rows: Tensor, halo_tokens: int, shrink: int = 1, grow: int = 1) -> Tensor:
    """`work`, which maps `shrink` rows to `grow`, on pieces of `rows` with `halo_tokens` around each: all that `work` sees."""
    piece, halo = PIECE_TOKENS * shrink, halo_tokens * shrink
    parts = []
    for start in range(0, len(rows), piece):
        stop, first = min(len(rows), start + piece), max(0, start - halo)
        made = work(rows[first : stop + halo])
        parts.append(made[(start - first) * grow // shrink : (stop - first) * grow // shrink])
    return torch.cat(parts)


def halo_tokens(config: TokenizerConfig) -> int:
    """More tokens than any output of encoder or decoder sees to either side; even."""
    reach = sum(config.middle_dilations) + 2 * sum(config.coarse_dilations) + 4 * sum(config.top_dilations)
    return 2 * ((reach + sum(config.fine_dilations)) // 2 + 8)


def decoder_halo_tokens(config: TokenizerConfig) -> int:
    """More tokens than any frame of the decoder sees to either side; even, as top tokens are pairs."""
    halves, quarters = sum(config.middle_dilations) + 1, sum(config.fine_dilations) + 1
    reach = 2 + sum(config.coarse_dilations) + -(-halves // 2) + -(-quarters // 4)
    return 2 * (reach // 2 + 1)
