"""The shared space of music, motion and stage (paper 3.1, 3.3, Eq. 3): the common is drawn together, each one's own kept apart."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.models.theatre.config import Sizes

MODALITIES = ("music", "motion", "visual")


class StyleEncoder(nn.Module):
    """Rows of a stage (B, N, style) to what it looks like in every time slice, (B, N, width). `visual` says what pictures look like."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.enter = nn.Conv1d(sizes.style, sizes.width, 3, padding=1)
        self.leave = nn.Linear(sizes.width, sizes.width)

    def forward(self, rows: Tensor) -> Tensor:
        """Encode."""
        return F.layer_norm(self.leave(F.gelu(self.enter(rows.transpose(1, 2)).transpose(1, 2))), (self.leave.out_features,))


class SharedSpace(nn.Module):
    """Projections P_m, P_a, P_v into Z, the first half of its columns common to all, the second each modality's own; and Eq. 3."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.shared = sizes.latent // 2
        self.project = nn.ModuleDict({name: nn.Linear(sizes.width, sizes.latent, bias=False) for name in MODALITIES})
        self.motion_of = nn.Linear(self.shared, 2 * self.shared)
        self.visual_of = nn.Linear(2 * self.shared, 2 * self.shared)

    def forward(self, encoded: dict[str, Tensor]) -> dict[str, Tensor]:
        """Encodings (B, N, width) by modality to what is common of their latents, (B, N, latent / 2)."""
        return {name: self.project[name](h)[..., : self.shared] for name, h in encoded.items()}

    def orthogonality(self) -> Tensor:
        """Mean square cosine of directions that are to differ: own ones of two modalities, and own and common ones of each."""
        common, own = (self._directions(part) for part in (slice(None, self.shared), slice(self.shared, None)))
        apart = [own[a] @ own[b].T for a, b in combinations(MODALITIES, 2)] + [own[name] @ common[name].T for name in MODALITIES]
        return torch.stack([cosines.square().mean() for cosines in apart]).mean()

    def _directions(self, part: slice) -> dict[str, Tensor]:
        return {name: F.normalize(self.get_parameter(f"project.{name}.weight")[part], dim=1) for name in MODALITIES}

    def surprise(self, z: dict[str, Tensor]) -> Tensor:
        """-log p(z_a | z_m) - log p(z_v | z_m, z_a) of Eq. 3 a column, Gaussians whose mean and spread the conditions say."""
        music, motion, visual = (F.normalize(z[name], dim=-1) for name in MODALITIES)
        return _gaussian(motion, self.motion_of(music)) + _gaussian(visual, self.visual_of(torch.cat([music, motion], dim=-1)))


def _gaussian(value: Tensor, said: Tensor) -> Tensor:
    mean, spread = said.chunk(2, dim=-1)
    spread = spread.clamp(-4, 4)
    return ((value - mean).square() * torch.exp(-2 * spread) / 2 + spread).mean()


def coherence(z: dict[str, Tensor]) -> Tensor:
    """Mean cosine over pairs of modalities, time and samples, each less its mean over the batch: 0 for latents that never vary."""
    centred = [z[name] - z[name].mean(dim=(0, 1), keepdim=True) for name in MODALITIES]
    return torch.stack([F.cosine_similarity(a, b, dim=-1).mean() for a, b in combinations(centred, 2)]).mean()


def correlation(z: dict[str, Tensor], weight: Tensor, temperature: float = 0.2) -> Tensor:
    """How hard it is to tell which moment of one modality belongs to which of another (InfoNCE over all tokens of a batch), moments counted
    by `weight` (B, N): rhythm peaks, amplitude and style are drawn together where the rhythm is strong."""
    flat = [F.normalize((z[name] - z[name].mean(dim=(0, 1), keepdim=True)).flatten(0, 1), dim=-1) for name in MODALITIES]
    share = (weight / weight.sum()).flatten()
    return torch.stack([_told_apart(a, b, share, temperature) for a, b in combinations(flat, 2)]).mean()


def _told_apart(a: Tensor, b: Tensor, share: Tensor, temperature: float) -> Tensor:
    likeness, own = a @ b.T / temperature, torch.arange(len(a), device=a.device)
    both = F.cross_entropy(likeness, own, reduction="none") + F.cross_entropy(likeness.T, own, reduction="none")
    return (share * both).sum() / 2
