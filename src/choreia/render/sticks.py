"""Poses as stick figures, laid over one another and side by side: pictures of what codes stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.types import Skeleton

APART_M = 1.3
"""From one place to the next."""

_SEEN_FROM_RAD = 0.5  # so that depth shows


@dataclass(frozen=True)
class Panel:
    """`places` side by side, at each of which poses (K, J, 3) in metres, seen from the pelvis, lie over one another."""

    title: str
    places: tuple[np.ndarray, ...]


def stick_figures(rows: Sequence[Sequence[Panel]], skeleton: Skeleton, path: Path, title: str = "") -> None:
    """Write rows of panels, as many in each, as a picture (.png or .svg). ChoreiaError: matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ChoreiaError(f"{path}: plots need matplotlib; install it with: pip install 'choreia[evaluate]'") from None
    wide = max(len(panel.places) for row in rows for panel in row)
    figure = Figure(figsize=(max(8.0, 1.3 * wide * len(rows[0])), 0.5 + 2.4 * len(rows)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for axes, panel in zip(grid.flat, (panel for row in rows for panel in row), strict=True):
        _panel(axes, panel, skeleton)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, metadata={"Date": None} if path.suffix == ".svg" else None)


def _panel(axes, panel: Panel, skeleton: Skeleton) -> None:
    from matplotlib.collections import LineCollection

    for place, poses in enumerate(panel.places):
        for number, pose in enumerate(poses):
            shade = f"C{number % 10}" if len(poses) > 1 else "0.1"
            axes.add_collection(LineCollection(_bones(pose, skeleton) + np.array([APART_M * place, 0]), colors=shade, linewidths=1.2))
    axes.set(xlim=(-0.9, APART_M * (len(panel.places) - 1) + 0.9), ylim=(-1.1, 1.1), aspect="equal")
    axes.set_title(panel.title, fontsize=8)
    axes.axis("off")


def _bones(pose: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Ends of the bones (J - 1, 2, 2) as they are seen, of joints (J, 3) of a dancer who faces +Z."""
    across = np.cos(_SEEN_FROM_RAD) * pose[:, 0] - np.sin(_SEEN_FROM_RAD) * pose[:, 2]
    seen = np.stack([across, pose[:, 1]], axis=1)
    return np.stack([seen[[joint, parent]] for joint, parent in enumerate(skeleton.parents) if parent >= 0])
