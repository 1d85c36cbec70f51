"""What the codes of DanceMeld stand for, in pictures: the experiments of its figures 5 to 7 on the tokenizer that comes with the package.

Source: DanceMeld (Gao et al. 2023), §4.3. There the dances are AIST++; here they are the choreographer's. All poses are seen from the
pelvis, in the dancer's own heading.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from choreia.edit.exchange import decoded, mixed
from choreia.errors import ChoreiaError
from choreia.models.dancemeld.body import level_joints
from choreia.models.dancemeld.codec import Codec, Codes
from choreia.models.dancemeld.config import TOKEN_FRAMES
from choreia.models.dancemeld.model import load
from choreia.motion.skeleton import choreia24
from choreia.render.sticks import Panel, stick_figures
from choreia.synth.choreographer import choreograph

STYLES = ("hip-hop", "waltz")
"""Of the two dances whose codes are exchanged; the first also gives those that are looked at alone."""

DANCE_S, BEAT_S = 16.0, 0.5
BOTTOMS, TOPS = 12, 8
"""As many bottom codes, each beside as many top codes."""

HELD_TOKENS = 16
"""Bottom tokens for which one pair of codes is held, so that the middle sees no other."""

SHOWN, EVERY = 8, 10
"""Poses of a sequence, one in so many frames."""


def code_figures(out: Path, *, seed: int = 0, force: bool = False, codec: Codec | None = None) -> dict[str, object]:
    """Write `bottom_codes.png`, `top_codes.png` and `exchange.png` into the folder `out`; what they show in numbers, with a "text".

    Numbers: `pose_mm`, mean distance of joints when the top code changes and the bottom code stays, beside `other_pose_mm`, when the bottom
    code changes; `movement`, correlation of the joints' velocities with those of the dance whose bottom codes were made one;
    `exchanged_mm`, distance of an exchanged dance from the one that gave its bottom codes, and from the one that gave its top codes.

    Args:
        out: a folder; made if there is none.
        seed: of the dances and of the top codes that are drawn.
        force: whether to write over older pictures.
        codec: the tokenizer; None loads that of DanceMeld.
    Raises:
        ChoreiaError: a picture exists, or matplotlib is missing.
    """
    names = ("bottom_codes.png", "top_codes.png", "exchange.png")
    if (older := [name for name in names if (out / name).exists()]) and not force:
        raise ChoreiaError(f"{out / older[0]} exists: choose another folder or pass --force")
    out.mkdir(parents=True, exist_ok=True)
    codec = codec or load().codec
    one, other = (_codes(codec, style, seed) for style in STYLES)
    numbers = _bottoms(codec, one, seed, out / names[0]) | _tops(codec, one, out / names[1]) | _exchange(codec, one, other, out / names[2])
    return {**numbers, "text": "\n".join([*(f"{out / name}" for name in names), *(f"{key}: {value}" for key, value in numbers.items())])}


def _codes(codec: Codec, style: str, seed: int) -> Codes:
    beats = np.arange(0, DANCE_S + BEAT_S, BEAT_S)
    return codec.codes(codec.encode(choreograph(beats, beats[::4], (), style, seed, duration_s=DANCE_S).motion))


def joints(codec: Codec, codes: Codes) -> np.ndarray:
    """Joints (T, 24, 3) in metres of codes, from the pelvis in the dancer's own heading."""
    return level_joints(torch.from_numpy(decoded(codec, codes))).numpy()


def held(codec: Codec, bottom: np.ndarray, top: np.ndarray) -> np.ndarray:
    """The pose (24, 3) of one bottom code and one top code (levels,), each held for `HELD_TOKENS`."""
    codes = Codes(np.tile(bottom, (HELD_TOKENS, 1)), np.tile(top, (HELD_TOKENS // 2, 1)))
    return joints(codec, codes)[HELD_TOKENS * TOKEN_FRAMES // 2]


def _bottoms(codec: Codec, codes: Codes, seed: int, path: Path) -> dict[str, float]:
    """Figure 5: bottom codes of a dance, each with top codes drawn evenly from the codebooks."""
    rng = np.random.default_rng(seed)
    chosen = codes.bottom[np.linspace(0, len(codes.bottom) - 1, BOTTOMS).astype(int)]
    tops = rng.integers(codec.config.top_sizes, size=(TOPS, len(codec.config.top_sizes)))
    poses = np.array([[held(codec, bottom, top) for top in tops] for bottom in chosen])
    panels = [Panel(f"bottom code {bottom[0]}", (pose,)) for bottom, pose in zip(chosen, poses, strict=True)]
    within, between = _apart_mm(poses, poses.mean(axis=1, keepdims=True)), _apart_mm(poses, poses.mean(axis=0, keepdims=True))
    title = f"A bottom code with {TOPS} top codes: {within:.0f} mm about their mean; a top code with {BOTTOMS} bottom codes: {between:.0f}"
    stick_figures([panels[: BOTTOMS // 2], panels[BOTTOMS // 2 :]], choreia24(), path, title)
    return {"pose_mm": within, "other_pose_mm": between}


def _tops(codec: Codec, codes: Codes, path: Path) -> dict[str, float]:
    """Figure 6: a dance, and the same top codes over the bottom code of its middle."""
    middle = len(codes.bottom) // 2
    fixed = Codes(np.tile(codes.bottom[middle], (len(codes.bottom), 1)), codes.top)
    danced, still = (joints(codec, given) for given in (codes, fixed))
    one, other = (np.diff(track, axis=0).reshape(-1) for track in (danced, still))
    movement = float(np.corrcoef(one, other)[0, 1])
    rows = [[Panel("a dance", _sequence(danced))], [Panel("the same top codes, one bottom code", _sequence(still))]]
    stick_figures(rows, choreia24(), path, f"Correlation of the joints' velocities: {movement:.2f}")
    return {"movement": movement}


def _exchange(codec: Codec, one: Codes, other: Codes, path: Path) -> dict[str, list[float]]:
    """Figure 7: all four pairs of the bottom and top codes of two dances; a row shares bottom codes, a column top codes."""
    pairs = [[joints(codec, mixed(bottom, top, "bottom")) for top in (one, other)] for bottom in (one, other)]
    apart = [(_apart_mm(pairs[0][1], pairs[0][0]) + _apart_mm(pairs[1][0], pairs[1][1])) / 2,
             (_apart_mm(pairs[0][1], pairs[1][1]) + _apart_mm(pairs[1][0], pairs[0][0])) / 2]  # fmt: skip
    rows = [
        [Panel(f"poses: {style}, movement: {movement}", _sequence(pairs[k][i])) for i, movement in enumerate(STYLES)]
        for k, style in enumerate(STYLES)
    ]
    title = f"Exchanged dances are {apart[0]:.0f} mm from the one of their bottom codes, {apart[1]:.0f} mm from that of their top codes"
    stick_figures(rows, choreia24(), path, title)
    return {"exchanged_mm": apart}


def _sequence(track: np.ndarray) -> tuple[np.ndarray, ...]:
    """Poses (1, 24, 3) from the middle of a track on."""
    first = len(track) // 2
    return tuple(track[None, first + EVERY * k] for k in range(SHOWN))


def _apart_mm(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of joints (..., 24, 3)."""
    return float(1000 * np.linalg.norm(one - other, axis=-1).mean())
