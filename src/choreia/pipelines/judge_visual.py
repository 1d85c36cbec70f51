"""How well the visual encoder sees: on pictures of stages and dancers that it was not trained on, beside three who see less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from choreia.models.theatre import visual
from choreia.models.theatre.visual_colour import decompose, oklab
from choreia.models.theatre.visual_photo import photographed
from choreia.models.theatre.visual_recipe import Pictures
from choreia.models.theatre.visual_target import clearness, columns, style_of
from choreia.pipelines.like import main_colours, nearest
from choreia.pipelines.stage_pictures import HELD_OUT, draw, takes
from choreia.stage import looks, palettes
from choreia.stage.style import TINT, costume_rgb, zone_hues
from choreia.types import Style

FITTED = 4_000
"""Pictures of training takes that the three are fitted to."""

_SEED = 1_000_003
_LIT, _AMONG = 0.1, 100
_RIDGE = 1.0

See = Callable[[np.ndarray], Style]
"""From pictures (n, HEIGHT, WIDTH, 3) uint8 to styles."""

Tell = Callable[[np.ndarray], np.ndarray]
"""From pictures to numbers of looks (n,)."""


@dataclass(frozen=True)
class VisualRow:
    """`hue_deg`: mean error of hue over zones whose colour shows. `level`: mean error of levels in [0, 1]. `texture`: mean error of the
    texture's depth. `octaves`: mean error of its cycles, where it shows by half at least. `costume`: mean OKLab distance of the cloth's
    colour where the dancer is lit. `look`: share of looks told right among ten. `matched`, `mismatched`: mean cosine of a picture's
    embedding with that of its own and of other styles; `found`: share whose own style is the nearest of 100."""

    eye: str
    pictures: str
    hue_deg: float
    level: float
    texture: float
    octaves: float
    costume: float
    look: float
    matched: float | None = None
    mismatched: float | None = None
    found: float | None = None


def visual_table(data: Path, seer: visual.Seer | None = None, count: int = HELD_OUT, fitted: int = FITTED) -> list[VisualRow]:
    """Rows for `count` pictures of held-out takes of `data`, what `choreia prepare` wrote, as rendered and as a camera might see them."""
    seer = seer or visual.load()
    known = draw(takes(data, ("train",)), fitted, _SEED + 1)
    held_out = draw(takes(data, ("val", "test")), count, _SEED)
    faulty = Pictures(photographed(held_out.frames, np.random.default_rng(_SEED)), held_out.styles, held_out.looks)
    rows = []
    for name, pictures in (("rendered", held_out), ("as a camera might", faulty)):
        rows += [row(eye, name, pictures, see, tell) for eye, (see, tell) in plain_eyes(known).items()]
        rows.append(row("encoder", name, pictures, seer.see, partial(_told, seer=seer), seer))
    return rows


def row(eye: str, name: str, pictures: Pictures, see: See, tell: Tell, seer: visual.Seer | None = None) -> VisualRow:
    """What an eye makes of pictures."""
    true, found = pictures.style, see(pictures.frames)
    strength = true.light * TINT * true.saturation[:, None]
    away = np.abs((zone_hues(found) - zone_hues(true) + np.pi) % (2 * np.pi) - np.pi)
    clear = clearness(true)
    depth, cycles = (np.abs(found.texture - true.texture)[:, 0], np.abs(columns(found) - columns(true))[:, 18] * 3)
    cloth = np.linalg.norm(palettes.oklab(costume_rgb(found)) - palettes.oklab(costume_rgb(true)), axis=1)
    designed = pictures.looks >= 0
    return VisualRow(
        eye, name, float(np.rad2deg(away[strength > _LIT].mean())), float(np.abs(found.light - true.light).mean()),
        float(depth[clear[:, 17] > 0.5].mean()), float(cycles[clear[:, 18] > 0.5].mean()), float(cloth[clear[:, 25] > 0.5].mean()),
        float((tell(pictures.frames[designed]) == pictures.looks[designed]).mean()), *(_agreement(pictures, seer) if seer else ()),
    )  # fmt: skip


def _agreement(pictures: Pictures, seer: visual.Seer) -> tuple[float, float, float]:
    """Mean cosine with the own style and with others, and how often the own is the nearest of `_AMONG`."""
    closeness = seer.embed(pictures.frames) @ seer.embed_style(pictures.style).T
    count = len(closeness)
    own = np.diag(closeness)
    others = (closeness.sum() - own.sum()) / (count * (count - 1))
    among = min(_AMONG, count)
    groups = [slice(start, start + among) for start in range(0, count - among + 1, among)]
    found = [closeness[group, group].argmax(axis=1) == np.arange(among) for group in groups]
    return float(own.mean()), float(others), float(np.mean(found))


def _told(frames: np.ndarray, seer: visual.Seer) -> np.ndarray:
    names = [nearest(one[None], main_colours(one[None]), seer)[0].name for one in frames]
    return np.array([looks.LOOKS.index(name) for name in names])


# -------------------------------------------------------------------------------------------------------- who see less


def plain_eyes(known: Pictures) -> dict[str, tuple[See, Tell]]:
    """By name: the mean, the picture with the nearest histogram of colours, and a regression on the statistics of colour."""
    style = known.style
    values, clear = columns(style), clearness(style)
    mean = (values * clear).sum(axis=0) / clear.sum(axis=0)
    commonest = int(np.bincount(known.looks[known.looks >= 0], minlength=len(looks.LOOKS)).argmax())
    designed = known.rows(known.looks >= 0)
    statistics = _statistics(known.frames)
    weights = [_ridge(statistics, values[:, k], clear[:, k]) for k in range(values.shape[1])]
    chosen, even = _statistics(designed.frames), np.ones(len(designed))
    kinds = [_ridge(chosen, (designed.looks == k).astype(float), even) for k in range(len(looks.LOOKS))]
    all_seen, designed_seen = _histogram(known.frames), _histogram(designed.frames)
    return {
        "mean": (lambda frames: style_of(np.tile(mean, (len(frames), 1))), lambda frames: np.full(len(frames), commonest)),
        "nearest histogram": (
            lambda frames: style.rows(_nearest(_histogram(frames), all_seen)),
            lambda frames: designed.looks[_nearest(_histogram(frames), designed_seen)],
        ),
        "regression on statistics": (
            lambda frames: style_of(_statistics(frames) @ np.stack(weights, axis=1)),
            lambda frames: (_statistics(frames) @ np.stack(kinds, axis=1)).argmax(axis=1),
        ),
    }


def _histogram(frames: np.ndarray) -> np.ndarray:
    """Roots of the shares of 8 x 8 x 8 colours, (n, 512)."""
    bins = (frames // 32).astype(int) @ np.array([64, 8, 1])
    counts = np.stack([np.bincount(one.ravel(), minlength=512) for one in bins])
    return np.sqrt(counts / bins[0].size)


def _nearest(one: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each of (n, d) unit vectors the index of the nearest of (m, d)."""
    return (one @ known.T).argmax(axis=1)


def _statistics(frames: np.ndarray) -> np.ndarray:
    """Colour statistics of the encoder's first step and a 1, (n, STATISTICS + 1)."""
    parts = [decompose(oklab(part)) for part in torch.from_numpy(frames).split(256)]
    return np.concatenate([torch.cat(parts).double().numpy(), np.ones((len(frames), 1))], axis=1)


def _ridge(known: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights of a linear regression with squared weights held small."""
    weighted = known * weight[:, None]
    return np.linalg.solve(weighted.T @ known + _RIDGE * np.eye(known.shape[1]), weighted.T @ target)
