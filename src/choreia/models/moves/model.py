"""The judges: the figure that is danced in a stretch of counts, or none of those known; and the style of a whole dance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.base import Weights
from choreia.models.moves.config import Config
from choreia.models.moves.features import DIM, PER_COUNT, Take
from choreia.nn.conv import stack
from choreia.synth.moves import STYLES

MODEL = "moves"
TOKEN = 4
"""Samples of one token of the network."""

FEWEST, MOST = 4, 8
"""Counts in a window."""

STYLE_WINDOW, STYLE_STEP = 96, 48
"""Samples by second of a window, and from one to the next."""

SURE = 0.5
"""A figure is recognised when it is likelier than all others and none together."""


def figures(styles: tuple[str, ...]) -> tuple[str, ...]:
    """Names "style/figure" of all figures of `styles`."""
    return tuple(f"{style}/{figure.name}" for style in styles for figure in STYLES[style].figures)


class Net(nn.Module):
    """Windows (B, N, DIM), N a multiple of `TOKEN`, to logits (B, classes): dilated convolutions, mean and maximum over time."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config, classes: int, mean: Tensor | None = None, std: Tensor | None = None) -> None:
        super().__init__()
        self.smoothing = config.smoothing
        self.register_buffer("mean", torch.zeros(DIM) if mean is None else mean)
        self.register_buffer("std", torch.ones(DIM) if std is None else std)
        self.enter = nn.Conv1d(DIM, config.width, 2 * TOKEN, stride=TOKEN, padding=TOKEN // 2)
        self.steps = stack(config.width, config.dilations)
        self.drop = nn.Dropout(config.dropout)
        self.leave = nn.Linear(2 * config.width, classes)

    def logits(self, windows: Tensor) -> Tensor:
        """(B, classes)."""
        x = self.steps(self.enter(((windows - self.mean) / self.std).transpose(1, 2)))
        return self.leave(self.drop(torch.cat([x.mean(2), x.amax(2)], dim=1)))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Cross-entropy of `windows` with their `labels` (B,)."""
        logits = self.logits(batch["windows"])
        loss = F.cross_entropy(logits, batch["labels"], label_smoothing=self.smoothing)
        return {"loss": loss, "right": (logits.detach().argmax(1) == batch["labels"]).float().mean()}


class Judge:
    """The trained judges; `figures` and `styles` are what they know by name."""

    def __init__(self, weights: Weights) -> None:
        config = Config.from_json(weights.header["config"])
        self.styles, self.figures = config.styles, figures(config.styles)
        self.sha256 = weights.sha256
        self._figure = _opened(Net(config, len(self.figures) + 1), weights.tensors, "figure.")
        self._style = _opened(Net(config, len(self.styles)), weights.tensors, "style.")

    def figure_odds(self, take: Take, start: int, end: int) -> np.ndarray:
        """Likelihoods (figures + 1,) of the figures in counts [start, end), that of none of them last; the mean over windows."""
        cuts = [slice(a * PER_COUNT, b * PER_COUNT) for a, b in windows(start, end, len(take.by_count) // PER_COUNT)]
        return _odds(self._figure, np.stack([take.by_count[cut] for cut in cuts]))

    def figure(self, take: Take, start: int, end: int) -> str | None:
        """The figure danced in counts [start, end), "style/figure"; None when none of those known is."""
        return self.told(self.figure_odds(take, start, end))

    def told(self, odds: np.ndarray) -> str | None:
        """The figure that likelihoods (figures + 1,) speak for, None when they speak for none."""
        best = int(odds.argmax())
        return self.figures[best] if best < len(self.figures) and odds[best] > SURE else None

    def style_odds(self, take: Take) -> np.ndarray:
        """Likelihoods (styles,) of the styles of a whole dance."""
        values = np.pad(take.by_second, ((0, max(0, STYLE_WINDOW - len(take.by_second))), (0, 0)), mode="edge")
        starts = range(0, len(values) - STYLE_WINDOW + 1, STYLE_STEP)
        return _odds(self._style, np.stack([values[start : start + STYLE_WINDOW] for start in starts]))

    def style(self, take: Take) -> str:
        """The likeliest style of a whole dance."""
        return self.styles[int(self.style_odds(take).argmax())]


def windows(start: int, end: int, last: int) -> list[tuple[int, int]]:
    """Windows of `FEWEST` to `MOST` counts that cover counts [start, end) evenly and stay within [0, last]: [0, 20) is 0–8, 6–14, 12–20."""
    length = min(MOST, max(FEWEST, end - start))
    count = max(1, -(-(end - start) // MOST))
    starts = np.linspace(start, max(start, end - length), count).round().astype(int)
    return [(a, a + length) for a in np.clip(starts, 0, max(0, last - length)).tolist()]


def _opened(net: Net, tensors: dict[str, Tensor], prefix: str) -> Net:
    net.load_state_dict({name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)})
    return net.eval().requires_grad_(False)


@torch.inference_mode()
def _odds(net: Net, stacked: np.ndarray) -> np.ndarray:
    return net.logits(torch.from_numpy(stacked)).softmax(1).mean(0).double().numpy()
