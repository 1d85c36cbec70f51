"""Everything that is done to a take before it is used or shipped, under one name.

Feet: `foot_contacts`, `foot_slide` (`motion.contacts`), `lock_feet` (`motion.footlock`). Clock: `resample`, `warp` (`motion.timing`).
Here: single-frame spikes, the mirror image and the best loop.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from choreia.motion.contacts import foot_contacts, foot_slide
from choreia.motion.footlock import lock_feet
from choreia.motion.skeleton import mirror_index
from choreia.motion.timing import resample, warp
from choreia.types import Motion, Skeleton

__all__ = ["foot_contacts", "foot_slide", "lock_feet", "mirror", "repair_spikes", "resample", "warp"]

_SPIKE_M = 0.04  # a root spike is at least this far off its neighbours' curve
_SPIKE_RAD = 0.35
_OUTLIER = 6.0  # and this many times as far as the frames around it usually are
_AROUND_S = 0.25


def mirror(motion: Motion) -> Motion:
    """Left and right exchanged (reflection in the plane x = 0); applied twice it gives back the same bytes.

    Needs a skeleton whose joint names pair up as left_* and right_*.
    """
    other = list(mirror_index(motion.skeleton))
    flip = np.array([-1, 1, 1], dtype=motion.root.dtype)
    turn = np.array([1, 1, -1, -1], dtype=motion.rotations.dtype)
    offsets = motion.skeleton.offsets[other] * np.array([-1, 1, 1], dtype=motion.skeleton.offsets.dtype)
    skeleton = Skeleton(motion.skeleton.names, motion.skeleton.parents, offsets)
    same = np.array_equal(offsets, motion.skeleton.offsets)
    return Motion(motion.skeleton if same else skeleton, motion.root * flip, motion.rotations[:, other] * turn, motion.fps)


def repair_spikes(motion: Motion) -> tuple[Motion, int]:
    """Replace single frames in which the root or one joint leaps out of its path and back.

    A frame is a spike when it lies off the cubic through its two neighbours on either side by more than 4 cm (root) or
    0.35 rad (joint), by more than six times what is usual within 0.25 s, and the path turns back there; fast dancing fails
    the second and third test. It is put on that cubic. Frames 0, 1 and the last two are never judged.

    Returns:
        The repaired motion (the same object when nothing was found) and the number of repaired root or joint frames.
    """
    if len(motion) < 5:
        return motion, 0
    window = 2 * round(_AROUND_S * motion.fps) + 1
    root, off_root = _repaired(np.asarray(motion.root, np.float64)[:, None], _SPIKE_M, window)
    rotations, off_joint = _repaired(_one_hemisphere(np.asarray(motion.rotations, np.float64)), _SPIKE_RAD / 2, window)
    count = int(off_root.sum() + off_joint.sum())
    if not count:
        return motion, 0
    new_root = np.where(off_root, root[:, 0], motion.root).astype(motion.root.dtype)
    unit = rotations / np.linalg.norm(rotations, axis=-1, keepdims=True)
    new_rotations = np.where(off_joint[..., None], unit, motion.rotations).astype(motion.rotations.dtype)
    return Motion(motion.skeleton, new_root, new_rotations, motion.fps), count


def _repaired(tracks: np.ndarray, limit: float, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Tracks (T, K, D) with spikes on their neighbours' cubic, and where they were (T, K)."""
    found = np.zeros(tracks.shape[:2], dtype=bool)
    for _ in range(3):  # a repaired frame uncovers its neighbour
        expected = tracks.copy()
        expected[2:-2] = (4 * (tracks[1:-3] + tracks[3:-1]) - tracks[:-4] - tracks[4:]) / 6
        off = np.linalg.norm(tracks - expected, axis=-1)
        lone = off >= ndimage.maximum_filter1d(off, 5, axis=0)
        spikes = (off > limit) & (off > _OUTLIER * _usual(off, window)) & lone & _turns_back(tracks)
        if not spikes.any():
            break
        tracks = np.where(spikes[..., None], expected, tracks)
        found |= spikes
    return tracks, found


def _usual(off: np.ndarray, window: int) -> np.ndarray:
    """Median over the frames around; a lone spike and its two shadows do not move it."""
    return ndimage.median_filter(off, size=(window, 1), mode="nearest")


def _turns_back(tracks: np.ndarray) -> np.ndarray:
    step = np.diff(tracks, axis=0)
    back = np.zeros(tracks.shape[:2], dtype=bool)
    back[1:-1] = (step[1:] * step[:-1]).sum(-1) < 0
    return back


def _one_hemisphere(wxyz: np.ndarray) -> np.ndarray:
    signs = np.where((wxyz[1:] * wxyz[:-1]).sum(-1) < 0, -1.0, 1.0)
    return np.concatenate([wxyz[:1], wxyz[1:] * np.cumprod(signs, axis=0)[..., None]])
