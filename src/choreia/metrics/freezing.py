"""Whether a dancer freezes: as LRCM counts it, and against a fixed speed.

LRCM (appendix C.4) calls frames frozen that are slower than the take's own 25th percentile: a quarter of any movement, however
lively, and a mannequin's jitter never more. The corrected measures use a speed that is slow for everyone, on movement smoothed so that
jitter does not thaw a frozen dancer, and also look at the pose alone, so that gliding over the floor does not thaw it either.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from choreia.metrics.base import JOINTS, About, Metric, MotionMetric, SyncMetric, validate_events, validate_joints
from choreia.metrics.beats import closeness
from choreia.metrics.dancer import RATE_HZ, at_rate, body_size, corrected

STILL_M_S = 0.05
"""Mean joint speed of a body of 1.72 m under which it stands still: 3 % of its height a second."""

SHORTEST_S = 0.5
"""A shorter stop is an accent, not a freeze."""

_PERCENTILE = 25.0
_LRCM_FRAMES = (15, 60)
_LRCM_SIGMA_S = 1.0  # 30 frames at 30 fps
_SMOOTH_S = 0.15
_ON_BEAT_S = 0.1
_ACROSS = [JOINTS.index(name) for name in ("left_hip", "left_shoulder", "right_hip", "right_shoulder")]


def lrcm_pff(joints: np.ndarray, fps: float) -> float:
    """Adaptive freezing proportion of LRCM, F_adaptive / T, [0, 1]: nearer to real dance is better.

    Frames whose speed is below its own 25th percentile, in stretches of t_min to t_max frames, over all frames. Source: LRCM appendix
    C.4, equation 28; no code is public. Our readings: speed is the mean over joints of frame-to-frame steps; the paper leaves t_min
    and t_max open, 15 and 60 frames at 30 fps here. Being adaptive it flags up to a quarter of any motion, and nothing of a frozen
    take, where no frame is below the percentile.
    """
    lengths = [stop - start for start, stop in _lrcm_freezes(joints)]
    return float(sum(lengths) / len(joints))


def lrcm_lr(joints: np.ndarray, fps: float) -> float:
    """Length regularity of LRCM, 1 / (1 + Std(L)), (0, 1]: nearer to real dance is better.

    L are the lengths of the freezes of `lrcm_pff` in frames at 30 fps (equation 30; the paper's ground truth of 0.0768 is a deviation
    of 12, which fits frames alone). Changes with the frame rate; one freeze scores 1. NaN without a freeze.
    """
    lengths = [stop - start for start, stop in _lrcm_freezes(joints)]
    return float(1 / (1 + np.std(lengths))) if lengths else float("nan")


def lrcm_freeze_points(joints: np.ndarray, fps: float) -> np.ndarray:
    """Times in seconds of all frames within the freezes of `lrcm_pff`: our reading of the paper's "set of freeze points"."""
    spans = [np.arange(start, stop) for start, stop in _lrcm_freezes(joints)]
    return np.concatenate(spans) / fps if spans else np.zeros(0)


def lrcm_rs(freezes_s: np.ndarray, beats_s: np.ndarray, duration_s: float) -> float:
    """Rhythmic score of LRCM: mean over beats of exp(-d^2 / 2 sigma^2), d from the beat to the nearest freeze point; [0, 1].

    Sigma is 30 frames, one second at 30 fps, twice the distance of beats at 120 a minute: any freeze near by is on the beat, and the
    score counts how often the body slows (the paper's ground truth is 0.9875). "Expected beat locations" are read as the song's beats.
    Source: LRCM appendix C.4, equation 29. NaN without freezes or beats.
    """
    freezes, beats = validate_events(freezes_s), validate_events(beats_s)
    if not len(freezes) or not len(beats):
        return float("nan")
    distance = np.abs(beats[:, None] - freezes[None]).min(axis=1)
    return float(np.exp(-(distance**2) / (2 * _LRCM_SIGMA_S**2)).mean())


def still_share(joints: np.ndarray, fps: float) -> float:
    """Share of the time in which the body stands still for 0.5 s or longer."""
    return _share(stillness(joints, fps))


def longest_still(joints: np.ndarray, fps: float) -> float:
    """Longest time in seconds that the body stands still; 0 when never for 0.5 s."""
    return max((stop_s - start_s for start_s, stop_s in still_spans(stillness(joints, fps))), default=0.0)


def statue_share(joints: np.ndarray, fps: float) -> float:
    """Share of the time in which the pose stays the same for 0.5 s or longer, wherever the body stands, glides or turns."""
    return _share(stillness(joints, fps, pose=True))


def freeze_regularity(joints: np.ndarray, fps: float) -> float:
    """1 / (1 + deviation over mean of the lengths of the still spans), (0, 1]: independent of frame rate and tempo; 1 under two spans."""
    lengths = [stop_s - start_s for start_s, stop_s in still_spans(stillness(joints, fps))]
    return float(1 / (1 + np.std(lengths) / np.mean(lengths))) if lengths else 1.0


def freeze_onsets(joints: np.ndarray, fps: float) -> np.ndarray:
    """Times in seconds at which the body comes to a stop of 0.5 s or longer."""
    return np.array([start_s for start_s, _ in still_spans(stillness(joints, fps))])


def freezes_on_beat(onsets_s: np.ndarray, beats_s: np.ndarray, duration_s: float) -> float:
    """Share of freezes that begin on a beat, each exp(-d^2 / 2 sigma^2) with sigma 0.1 s; 0 without freezes or beats.

    One direction on purpose: a dance need not freeze on every beat.
    """
    return closeness(validate_events(onsets_s), validate_events(beats_s), _ON_BEAT_S)


def stillness(joints: np.ndarray, fps: float, pose: bool = False) -> np.ndarray:
    """Whether the mean joint speed is below `STILL_M_S`, scaled to the body, at 30 Hz: (n,) bool.

    Positions are smoothed over 0.15 s first, which removes the jitter of 1 cm a frame. `pose`: seen from the body itself.
    """
    places = at_rate(validate_joints(joints, fps), fps)
    limit = STILL_M_S * body_size(places)
    smooth = ndimage.gaussian_filter1d(places, _SMOOTH_S * RATE_HZ, axis=0, mode="nearest")
    seen = _from_itself(smooth) if pose else smooth
    if len(seen) < 2:
        return np.zeros(len(seen), dtype=bool)
    return np.linalg.norm(np.gradient(seen, 1 / RATE_HZ, axis=0), axis=-1).mean(axis=1) < limit


def still_spans(still: np.ndarray) -> list[tuple[float, float]]:
    """Start and end in seconds of stretches of `stillness` that last 0.5 s or longer."""
    return [(start / RATE_HZ, stop / RATE_HZ) for start, stop in _stretches(still) if stop - start >= SHORTEST_S * RATE_HZ]


def _share(still: np.ndarray) -> float:
    return float(sum(stop_s - start_s for start_s, stop_s in still_spans(still)) * RATE_HZ / len(still))


def _stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """First frame and frame after the last of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _lrcm_freezes(joints: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of 15 to 60 steps below the 25th percentile of the steps' speed."""
    steps = np.linalg.norm(np.diff(validate_joints(joints, RATE_HZ), axis=0), axis=-1).mean(axis=1)
    if not len(steps):
        return []
    shortest, longest = _LRCM_FRAMES
    slow = _stretches(steps < np.percentile(steps, _PERCENTILE))
    return [(start, stop) for start, stop in slow if shortest <= stop - start <= longest]


def _from_itself(places: np.ndarray) -> np.ndarray:
    """Positions (T, J, 3) about the root, turned about the vertical so that hips and shoulders lie along x."""
    across = places[:, _ACROSS[:2]].sum(axis=1) - places[:, _ACROSS[2:]].sum(axis=1)
    heading = np.arctan2(across[:, 2], across[:, 0])
    cos, sin = np.cos(heading)[:, None], np.sin(heading)[:, None]
    x, y, z = np.moveaxis(places - places[:, :1], -1, 0)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)


_LRCM = "LRCM appendix C.4, no public code"
_FIXED = "choreia, fixed speed"

METRICS: tuple[Metric, ...] = (
    MotionMetric(
        About("PFF", "lrcm", "reference", "1", "[0, 0.25]", _LRCM, "a frozen take scores 0, any other up to a quarter", 30), lrcm_pff
    ),
    SyncMetric(
        About("RS", "lrcm", "reference", "1", "[0, 1]", _LRCM, "a second of tolerance: any slow moments score near 1", 30),
        lrcm_freeze_points,
        "beats",
        lrcm_rs,
    ),
    MotionMetric(About("LR", "lrcm", "reference", "1", "(0, 1]", _LRCM, "one freeze alone is perfectly regular", 30), lrcm_lr),
    corrected(still_share, "still", "reference", "1", "[0, 1]", "slow drifting: read statue beside it", _FIXED),
    corrected(longest_still, "longest still", "reference", "s", "[0, inf)", "rests of the music are counted", _FIXED),
    corrected(statue_share, "statue", "reference", "1", "[0, 1]", "one waving hand thaws the rest", _FIXED),
    corrected(freeze_regularity, "LR", "reference", "1", "(0, 1]", "no freeze at all scores 1", _FIXED),
    SyncMetric(
        About("RS", "corrected", "higher", "1", "[0, 1]", _FIXED, "a single freeze on a beat scores 1"),
        freeze_onsets,
        "beats",
        freezes_on_beat,
    ),
)
