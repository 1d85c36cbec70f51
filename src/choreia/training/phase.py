"""A phase of training: what is trained, on what, for how long. All randomness of a step is in its batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Batch = dict[str, Tensor]
"""Named tensors; the first axis of each is the sample, so that processes can share a batch."""


@dataclass(frozen=True)
class Phase:
    """`batches(step)` gives the same global batch for the same step; `optimiser` is a name in `OPTIMISERS`; `ema` 0 keeps no average."""

    name: str
    steps: int
    batches: Callable[[int], Batch]
    lr: float
    optimiser: str = "adamw"
    weight_decay: float = 0.01
    warmup: int = 100
    clip: float = 1.0
    ema: float = 0.999
