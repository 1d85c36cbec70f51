"""In-betweens: a way from the pose before a stretch to the pose behind it, for the whole body or parts of it.

The network of `models.inbetween` finds it where its weights come with the package, and otherwise an interpolation that leaves and
arrives at the pace of the kept frames; `plain` says when. Feet that stand in the new frames are planted.
"""

from __future__ import annotations

import numpy as np
import torch

from choreia.edit.fades import ease
from choreia.edit.floor import check_reach
from choreia.edit.history import Splice, spliced
from choreia.edit.phrases import fitting
from choreia.edit.region import Region
from choreia.edit.steps import planted
from choreia.errors import ChoreiaError
from choreia.models.inbetween.config import FPS, Config
from choreia.models.inbetween.model import Inbetweener, available, interpolated, load
from choreia.motion import rotations as rot
from choreia.motion.contacts import foot_contacts
from choreia.motion.pieces import joined
from choreia.types import Motion

LOOK_S = 1.0
"""So much on either side tells where feet stand."""

_SETTLE_S = 0.3  # over which planting sets in at both ends of the new frames


def between(motion: Motion, region: Region, model: Inbetweener | None = None) -> tuple[Splice, ...]:
    """Every stretch of the region anew, from what is kept on both sides of it; nothing else changes, nor does the length.

    Args:
        motion: on choreia-24.
        region: stretches of up to 4 s with a kept frame or more on either side; of parts of the body where it names some.
        model: None is the one that comes with the package; see `plain`.
    Raises:
        ChoreiaError: nothing kept on a side, too long, or the dance goes on too far away to get there in the time.
    """
    joints = region.joints(motion.skeleton)
    splices, now = [], motion
    for start, stop in region.frames(motion):
        splices.append(_filled(now, start, stop, joints, _chosen(motion, model)))
        now = spliced(now, splices[-1:])
    return tuple(splices)


def between_clips(first: Motion, second: Motion, seconds: float, model: Inbetweener | None = None) -> Motion:
    """The first clip, `seconds` of new frames, and the second one where it stands on the floor; a clip may be a single pose.

    Raises:
        ChoreiaError: no time or over 4 s, another skeleton, or the second clip begins too far away to get there in the time.
    """
    after = fitting(second, first)
    frames = round(seconds * first.fps) if np.isfinite(seconds) else 0
    if frames < 1:
        raise ChoreiaError(f"{seconds:g} s between two clips are less than a frame: give {1 / first.fps:.3f} s or more")
    hold = first.slice(len(first) - 1, len(first))
    whole = joined([first, *[hold] * frames, after])
    everything = np.ones(len(first.skeleton.names), bool)
    return spliced(whole, [_filled(whole, len(first), len(first) + frames, everything, _chosen(first, model))])


def plain(motion: Motion) -> tuple[str, ...]:
    """A line that says why the in-betweens of a motion are not the network's; nothing where they are."""
    if _at_its_rate(motion):
        return () if available() else ("plain interpolation, as the weights of the network do not come with this copy of choreia",)
    return (f"plain interpolation: the network works at {FPS:g} fps alone",)


def _chosen(motion: Motion, model: Inbetweener | None) -> Inbetweener | None:
    """The network, None where there is none for this motion."""
    if not _at_its_rate(motion):
        return None
    return model or (load() if available() else None)


def _at_its_rate(motion: Motion) -> bool:
    return abs(motion.fps - FPS) < 1e-3


def _filled(motion: Motion, start: int, stop: int, joints: np.ndarray, model: Inbetweener | None) -> Splice:
    """Frames [start, stop) anew, joints (J,) bool of them."""
    root = bool(joints[0])
    if root and 0 < start < stop < len(motion):
        check_reach(motion.slice(0, start), motion.slice(stop, len(motion)), stop - start)
    if model is None:
        made = interpolated(motion, start, stop, round(Config().reach * motion.fps / FPS), joints, root)
    else:
        made = model.fill(motion, start, stop, joints, root)
    rows = _planted(made, start, stop, joints)
    return Splice(start, stop, rows.root, rows.rotations)


def _planted(motion: Motion, start: int, stop: int, joints: np.ndarray) -> Motion:
    """Frames [start, stop) with the feet that stand there planted, less so towards both ends, which go on from kept frames."""
    look = round(LOOK_S * motion.fps)
    around = motion.slice(max(start - look, 0), stop + look)
    fixed = planted(around, foot_contacts(around), joints)
    inside = slice(min(start, look), min(start, look) + stop - start)
    weight = _settling(stop - start, motion.fps)[:, None]
    one, other = (torch.from_numpy(np.asarray(piece.rotations[inside], np.float64)) for piece in (around, fixed))
    moved = joints & (around.rotations != fixed.rotations).any(axis=(0, 2))
    turns = np.where(moved[:, None], rot.slerp(one, other, torch.from_numpy(weight)).numpy(), around.rotations[inside])
    root = around.root[inside] + weight * (fixed.root - around.root)[inside]
    return Motion(motion.skeleton, root.astype(motion.root.dtype), turns.astype(motion.rotations.dtype), motion.fps)


def _settling(frames: int, fps: float) -> np.ndarray:
    """Share (frames,) of planting: it rises from 0 before the first frame and is back at 0 after the last."""
    k = np.arange(1, frames + 1)
    return ease(np.minimum(k, k[::-1]) / min(_SETTLE_S * fps, (frames + 1) / 2))
