"""Ablation "VQ-Diffusion" (Gu et al. 2022): mask-and-replace diffusion over the codes p(e_b, e_t | h_m) instead of Gaussian over h."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.diffusion.samplers import Progress
from choreia.models.dancemeld.condition import MUSIC_WIDTH
from choreia.models.dancemeld.config import PriorConfig, TokenizerConfig
from choreia.models.dancemeld.prior import Denoise, Wrap
from choreia.models.dancemeld.tokenizer import Tokenizer

REPLACED = 0.1
"""Share of the corrupted codes that become a random code; the others are masked."""


class CodesPrior(nn.Module):
    """Predicts every level's code at every token. Works in the space of code vectors, so guidance and windows wrap it like the others."""

    books: Tensor

    def __init__(self, tokenizer: TokenizerConfig, styles: int, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        self.sizes = tokenizer.bottom_sizes + tokenizer.top_sizes
        self.register_buffer("books", torch.zeros(len(self.sizes), max(self.sizes), tokenizer.latent_width))
        self.embed = nn.ModuleList(nn.Embedding(size + 1, config.width) for size in self.sizes)
        self.denoise = Denoise(config.width, MUSIC_WIDTH + styles, config)
        self.heads = nn.ModuleList(nn.Linear(config.width, size) for size in self.sizes)

    def place_books(self, tokenizer: Tokenizer, mean: Tensor, std: Tensor) -> None:
        """Take over the code vectors, so that the sum of one a level is a standardised latent."""
        self.books.zero_()
        bottom, levels = tokenizer.config.bottom_width, len(tokenizer.config.bottom_sizes)
        for k, book in enumerate([*tokenizer.quantize_bottom.books, *tokenizer.quantize_top.books]):
            columns = slice(0, bottom) if k < levels else slice(bottom, None)
            self.books[k, : self.sizes[k], columns] = book.vectors / std[columns]
        self.books[0] -= mean / std

    def losses(self, batch: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of the true codes (B, N, levels) where they were corrupted; `t` (B,) is the share that is."""
        codes = batch["codes"]
        chance = torch.rand(codes.shape, device=codes.device) < batch["t"][:, None, None]
        logits = self.logits(self.corrupt(codes, chance), batch["t"], condition)
        parts = [F.cross_entropy(level.flatten(0, 1), codes[..., k].flatten(), reduction="none") for k, level in enumerate(logits)]
        return {"x0": (torch.stack(parts, -1) * chance.flatten(0, 1)).mean()}

    def corrupt(self, codes: Tensor, chosen: Tensor) -> Tensor:
        """Mask the chosen codes, or replace them by any code; the mask is the number after the last code."""
        sizes = torch.tensor(self.sizes, device=codes.device)
        other = (torch.rand(codes.shape, device=codes.device) * sizes).long()
        noisy = torch.where(torch.rand(codes.shape, device=codes.device) < REPLACED, other, sizes.expand_as(codes))
        return torch.where(chosen, noisy, codes)

    def logits(self, codes: Tensor, t: Tensor, condition: Tensor) -> list[Tensor]:
        """One (B, N, size) a level."""
        known = torch.stack([embed(codes[..., k]) for k, embed in enumerate(self.embed)]).sum(0)
        features = self.denoise(known, t, condition)
        return [head(features).float() for head in self.heads]

    def sample(self, noise: Tensor, condition: Tensor, wrap: Wrap, steps: int, progress: Progress | None = None) -> Tensor:
        """Standardised latents (1, N, latent) of codes: start all masked, keep ever more of what is drawn. `noise` seeds the draws."""
        generator = torch.Generator().manual_seed(int(noise[0, 0].view(torch.int32).sum()))
        codes = torch.tensor(self.sizes).expand(*noise.shape[:2], -1)
        features = wrap(self.denoise)
        for k in range(steps):
            known = torch.stack([embed(codes[..., j]) for j, embed in enumerate(self.embed)]).sum(0)
            hidden = features(known, torch.full((1,), 1 - k / steps), condition)
            drawn = torch.stack([_draw(head(hidden).float(), generator) for head in self.heads], dim=-1)
            hide = torch.rand(drawn.shape, generator=generator) < 1 - (k + 1) / steps
            codes = torch.where(hide, torch.tensor(self.sizes), drawn)
            if progress:
                progress((k + 1) / steps)
        return torch.stack([self.books[j][codes[..., j]] for j in range(len(self.sizes))]).sum(0)


def _draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    gumbel = -torch.log(-torch.log(torch.rand(logits.shape, generator=generator).clamp(1e-9, 1 - 1e-7)))
    return (logits + gumbel).argmax(-1)
