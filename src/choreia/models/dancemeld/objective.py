"""What the two stages of DanceMeld minimise: modules whose forward takes a batch and returns named losses (Eq. 4-11, 13)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia import losses
from choreia.models.dancemeld.body import FORMS
from choreia.models.dancemeld.condition import MUSIC_WIDTH, condition, one_hot_style
from choreia.models.dancemeld.config import MUSIC_COLUMNS, Config
from choreia.models.dancemeld.kinds import build_prior
from choreia.models.dancemeld.tokenizer import Reconstruction, build_tokenizer
from choreia.nn.conv import halve


class TokenizerObjective(nn.Module):
    """Stage 1. Batch: values (B, T, dim) normalised, keep (B,), music (B, T, 24), has_music (B,)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.config, self.weights = config.tokenizer, config.losses
        self.tokenizer = build_tokenizer(config.tokenizer)
        self.hear = MusicToTop(config.tokenizer.top_width) if config.tokenizer.top_width else Deaf()
        self.body = FORMS[config.tokenizer.representation].body
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. 11: named losses and their weighted sum "loss"."""
        made = self.tokenizer(batch["values"], batch["keep"])
        named = {
            "recon": F.mse_loss(made.values, batch["values"]),
            "commit_b": made.bottom.commit,
            "commit_t": made.top.commit,
            "align": self._align(made, batch),
        }
        with torch.autocast(made.values.device.type, enabled=False):
            named |= self._auxiliary(made.values * self.std + self.mean, batch["values"] * self.std + self.mean)
        return {"loss": sum((getattr(self.weights, name) * value for name, value in named.items()), torch.zeros(())), **named}

    def _auxiliary(self, predicted: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Eq. 5-8, on the un-normalised values."""
        fps = self.config.fps
        made = self.body(predicted, fps)
        with torch.no_grad():
            true = self.body(target, fps)
            stands = losses.standing(true.feet, fps)
        return {
            "pos": losses.position(made.relative, true.relative) + (made.root - true.root).square().sum(-1).mean(),
            "vel": losses.velocity(made.joints, true.joints, fps),
            "acc": losses.acceleration(made.joints, true.joints, fps),
            "contact": losses.contact(made.feet, stands, fps),
        }

    def _align(self, made: Reconstruction, batch: dict[str, Tensor]) -> Tensor:
        """Eq. 10."""
        return losses.alignment(made.top.values, self.hear(batch["music"]).float(), batch["has_music"])


class MusicToTop(nn.Module):
    """The small encoder that brings music (B, T, 24) to the rate and width of the top code, (B, T / 8, top_width)."""

    def __init__(self, top_width: int, width: int = 96) -> None:
        super().__init__()
        first = [halve(MUSIC_COLUMNS, width), nn.GELU(), halve(width, width), nn.GELU(), halve(width, width), nn.GELU()]
        self.layers = nn.Sequential(*first, nn.Conv1d(width, top_width, 1))

    def forward(self, music: Tensor) -> Tensor:
        """Reduce."""
        return self.layers(music.transpose(1, 2)).transpose(1, 2)


class Deaf(nn.Module):
    """Stands where there is no top code to align: vectors of width 0."""

    def forward(self, music: Tensor) -> Tensor:
        """(B, T, 24) to (B, T / 8, 0)."""
        return music[:, ::8, :0]


class PriorObjective(nn.Module):
    """Stage 2. Batch: h (B, N, latent) standardised, codes (B, N, levels), music (B, N, 96), style, hear, know, t (B,), noise like h."""

    def __init__(self, config: Config, styles: int) -> None:
        super().__init__()
        self.config, self.styles = config.prior, styles
        self.prior = build_prior(config.tokenizer, styles, config.prior)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. 13 and a share of the same on differences between tokens. `hear` 0 hides the music of a sample, `know` 0 its style."""
        style = one_hot_style(batch["style"], self.styles) * batch["know"][:, None]
        given = condition(batch["music"], style)
        given[..., :MUSIC_WIDTH] *= batch["hear"][:, None, None]
        named = self.prior.losses(batch, given)
        return {"loss": named["x0"] + self.config.velocity * named.get("velocity", 0.0), **named}
