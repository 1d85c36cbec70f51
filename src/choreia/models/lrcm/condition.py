"""What a dance is given, with a flag for each modality that says whether it is there at all; what is hidden cannot be told from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from choreia.types import Move

HORIZON_S = 4.0
"""Time to the end of a move is told up to here."""


@dataclass(frozen=True)
class Given:
    """Conditions of B segments of N tokens. Flags are 1 where there is something and 0 where not; what lies under a 0 is never read.

    music (B, N, D_a), has_music (B,). style (B, D_t): the global text's vector, has_style (B,). moves (B, N, D_l): at each token the vector
    of the move danced then (and its progress, see `move_rows`), has_moves (B, N). memory (B, T_m, D): the last clean rows of the segment
    before, normalised as x is, has_memory (B,); None where no segment has one. strengths (B, 2): how much music and words count, for a
    network that guides itself.
    """

    music: Tensor
    has_music: Tensor
    style: Tensor
    has_style: Tensor
    moves: Tensor
    has_moves: Tensor
    memory: Tensor | None
    has_memory: Tensor
    strengths: Tensor | None = None


def given(music: Tensor, style: Tensor, moves: Tensor, has_moves: Tensor, memory: Tensor | None = None) -> Given:
    """Everything heard: all flags 1 but those of tokens without a move, and of the memory when there is none."""
    one = torch.ones(len(music), device=music.device)
    return Given(music, one, style, one, moves, has_moves, memory, one if memory is not None else 0 * one)


def hidden(source: Given, modalities: Sequence[str]) -> Given:
    """`source` without some of "music", "style", "moves", "memory"."""
    return replace(source, **{f"has_{name}": torch.zeros_like(getattr(source, f"has_{name}")) for name in modalities})


def branches(source: Given) -> tuple[Given, Given, Given]:
    """For guidance: neither music nor words, the music alone, both. The memory stays: it is where the dancer stands, not a wish."""
    return hidden(source, ("music", "style", "moves")), hidden(source, ("style", "moves")), source


def segment(whole: Given, start: int, tokens: int, memory: Tensor | None) -> Given:
    """Tokens [start, start + tokens) of `whole`, after `memory`. Beyond its end the last music is held and no move is danced."""
    rows = torch.arange(start, start + tokens)
    inside, rows = rows < whole.music.shape[1], rows.clamp(max=whole.music.shape[1] - 1)
    there = torch.full_like(whole.has_music, float(memory is not None))
    music, moves, has_moves = whole.music[:, rows], whole.moves[:, rows], whole.has_moves[:, rows] * inside
    return replace(whole, music=music, moves=moves, has_moves=has_moves, memory=memory, has_memory=there)


def stack(parts: Sequence[Given]) -> Given:
    """Along the batch; what one does not have, none has."""
    fields = {name: [getattr(part, name) for part in parts] for name in Given.__dataclass_fields__}
    there = {name: torch.cat(values) for name, values in fields.items() if values[0] is not None}
    return Given(**{"memory": None, **there})  # type: ignore[arg-type]


def move_rows(moves: Sequence[Move], tokens: int, tokens_per_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Which move is danced at the middle of each token, and how far it has come.

    Args:
        moves: of a script, times in seconds from the first token. Where two overlap, the one that began last is danced.
        tokens: how many rows.
        tokens_per_s: their rate.

    Returns:
        Numbers (tokens,) of moves, -1 where there is none; progress (tokens, 2) float32: share of the move that is over, and time to its
        end up to `HORIZON_S` as a share of that; zeros where there is none.
    """
    middle_s = (np.arange(tokens) + 0.5) / tokens_per_s
    number, progress = np.full(tokens, -1), np.zeros((tokens, 2), np.float32)
    for k in sorted(range(len(moves)), key=lambda k: moves[k].start_s):
        move = moves[k]
        inside = (middle_s >= move.start_s) & (middle_s < move.end_s)
        done = (middle_s[inside] - move.start_s) / (move.end_s - move.start_s)
        left = np.minimum(move.end_s - middle_s[inside], HORIZON_S) / HORIZON_S
        number[inside], progress[inside] = k, np.stack([done, left], axis=1)
    return number, progress
