"""A take on another clock: resampling, time warps, and the small warp that puts a dance's own beats on the music's.

Between frames the motion is a Catmull-Rom spline (positions, and quaternions brought to one hemisphere and normalised): at
dance speeds it is within 1e-3 rad of slerp at constant speed, and unlike slerp it has no kink in velocity at every frame.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.kinematics import PIECE_FRAMES
from choreia.types import Motion


def warp(motion: Motion, times_s: np.ndarray) -> Motion:
    """Read a take along another clock: frame i of the result is the take at times_s[i].

    Args:
        motion: T frames at `fps`.
        times_s: (n,) seconds, any order; before the first and after the last frame the end pose is held.
    Returns:
        n frames at the same `fps`. Times that fall on a frame give exactly that frame.
    """
    times = np.asarray(times_s, np.float64)
    if not (len(times) and len(motion) and np.isfinite(times).all()):
        raise ChoreiaError("cannot warp: the take and the times need at least one finite frame each; check the input for NaN")
    position = np.clip(times * motion.fps, 0, len(motion) - 1)
    nearest = np.round(position)
    position = np.where(np.abs(position - nearest) < 1e-6, nearest, position)
    low = position.astype(int)
    part = position - low
    root = _spline(np.asarray(motion.root), low, part, quaternions=False)
    rotations = _spline(np.asarray(motion.rotations), low, part, quaternions=True)
    return Motion(motion.skeleton, root, rotations, motion.fps)


def resample(motion: Motion, fps: float) -> Motion:
    """The same take at another frame rate, of the same duration to the nearest frame."""
    if not fps > 0:
        raise ChoreiaError(f"cannot resample to {fps} frames a second: give a positive rate")
    read = warp(motion, clock.frame_times(clock.frames_in(motion.duration_s, fps), fps))
    return Motion(motion.skeleton, read.root, read.rotations, fps)


def resample_track(values: np.ndarray, fps: float, to_fps: float) -> np.ndarray:
    """A track (T, ...) of positions at another frame rate, as long to the nearest frame; the very same when the rates agree."""
    if fps == to_fps or len(values) < 2:
        return values
    times = clock.frame_times(clock.frames_in(len(values) / fps, to_fps), to_fps)
    position = np.clip(times * fps, 0, len(values) - 1)
    low = position.astype(int)
    return _spline(values, low, position - low, quaternions=False).astype(values.dtype)


def _spline(values: np.ndarray, low: np.ndarray, part: np.ndarray, quaternions: bool) -> np.ndarray:
    """Catmull-Rom through (T, ...) at low + part; straight on at the ends; exact where part is 0. A piece at a time, to spare memory."""
    found = np.empty((len(low), *values.shape[1:]), values.dtype)
    for start in range(0, len(low), PIECE_FRAMES):
        cut = slice(start, start + PIECE_FRAMES)
        found[cut] = _spline_piece(values, low[cut], part[cut], quaternions)
    return found


def _spline_piece(values: np.ndarray, low: np.ndarray, part: np.ndarray, quaternions: bool) -> np.ndarray:
    last = len(values) - 1
    here, after = values[low].astype(np.float64), values[np.minimum(low + 1, last)].astype(np.float64)
    before, later = values[np.maximum(low - 1, 0)].astype(np.float64), values[np.minimum(low + 2, last)].astype(np.float64)
    if quaternions:
        before, after, later = (_same_hemisphere(q, here) for q in (before, after, later))
    per_frame = (-1, *([1] * (values.ndim - 1)))
    before = np.where((low == 0).reshape(per_frame), 2 * here - after, before)
    later = np.where((low + 2 > last).reshape(per_frame), 2 * after - here, later)
    t = part.reshape(per_frame)
    mixed = here + 0.5 * t * (after - before + t * (2 * before - 5 * here + 4 * after - later + t * (3 * (here - after) + later - before)))
    if quaternions:
        mixed /= np.linalg.norm(mixed, axis=-1, keepdims=True)
    return np.where(t == 0, values[low], mixed).astype(values.dtype)


def _same_hemisphere(wxyz: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return np.where((wxyz * reference).sum(-1, keepdims=True) < 0, -wxyz, wxyz)


def beat_lock(motion: Motion, motion_beats_s: np.ndarray, music_beats_s: np.ndarray, max_rate: float = 1.25) -> Motion:
    """Put a dance's own beats on the music's by a small smooth change of pace; the length stays exactly the same.

    Args:
        motion: T frames.
        motion_beats_s: (m,) seconds of the dance's own accents, `beats.visual_beats` or `beats.kinetic_beats`.
        music_beats_s: (n,) seconds of the music's beats.
        max_rate: the dance is nowhere played faster than this nor slower than its inverse.
    """
    if max_rate <= 1:
        raise ChoreiaError(f"max_rate {max_rate} leaves no room to move a beat: give a number over 1, such as 1.25")
    return warp(motion, beat_map(motion.times(), motion_beats_s, music_beats_s, max_rate))


def beat_map(times_s: np.ndarray, motion_beats_s: np.ndarray, music_beats_s: np.ndarray, max_rate: float = 1.25) -> np.ndarray:
    """When to read the dance, (T,) seconds, at every time of the song so that as many of its beats as possible fall on music beats.

    A motion beat may go to its nearest music beat or, at a quarter of the gain, to the nearest half-beat. A dynamic programme picks
    the matches of greatest gain between which the mean pace stays in bounds; a monotone cubic (Fritsch and Carlson's PCHIP) goes
    through them, and the bounds are narrowed until its pace keeps to `max_rate`. Both ends stay.
    """
    times = np.asarray(times_s, np.float64)
    ends = np.array([[times[0]] * 2, [times[-1]] * 2])
    matches = _matches(np.asarray(motion_beats_s, float), np.asarray(music_beats_s, float), ends)
    return np.clip(_reading(ends[:1], matches, ends[1], max_rate)[0](times), times[0], times[-1]) if len(matches) else times


class BeatClock:
    """`beat_map` for a dance that is still being made: beats are matched for good some seconds before the newest frame.

    Call it for times up to `settled_s`; what it said before never changes, and its pace is continuous.
    """

    def __init__(self, music_beats_s: np.ndarray, max_rate: float = 1.25, ahead_s: float = 2.0) -> None:
        self._beats, self._max_rate, self._ahead_s = np.asarray(music_beats_s, float), max_rate, ahead_s
        self._chain = np.zeros((1, 2))
        self.settled_s = 0.0

    def extend(self, motion_beats_s: np.ndarray, made_s: float, over: bool = False) -> None:
        """Hear that the dance is made up to `made_s` and has these beats; `over`: that it ends there, together with the music."""
        end, margin = np.array([made_s, made_s]), 0.0 if over else self._ahead_s
        if made_s - self._chain[-1].max() < 2 * margin:
            return
        matches = _matches(np.asarray(motion_beats_s, float), self._beats, np.stack([self._chain[-1], end]))
        _, chain = _reading(self._chain, matches, end, self._max_rate)
        settled = chain[chain.max(axis=1) <= made_s - margin]
        if len(settled) == len(self._chain) and made_s - self._chain[-1].max() > 3 * margin:
            settled = np.concatenate([settled, [end - margin]])
        self._chain = settled[max(np.searchsorted(settled[:, 1], self.settled_s) - 1, 0) :]
        self.settled_s = float(made_s if over else self._chain[max(len(self._chain) - 2, 0), 1])

    def __call__(self, times_s: np.ndarray) -> np.ndarray:
        """When to read the dance, (n,) seconds, at times of the music."""
        if len(self._chain) < 2:
            return np.asarray(times_s, float)
        return np.asarray(PchipInterpolator(self._chain[:, 1], self._chain[:, 0])(times_s))


def _reading(known: np.ndarray, matches: np.ndarray, end: np.ndarray, max_rate: float) -> tuple[PchipInterpolator, np.ndarray]:
    """The curve (music to motion) through `known` rows (motion, music), the best chain of `matches` and `end`, and those rows."""
    for bound in np.linspace(max_rate, _safe_secant(max_rate), 5):
        rows = np.concatenate([known[:-1], _best_chain(matches, np.stack([known[-1], end]), float(bound))])
        curve = PchipInterpolator(rows[:, 1], rows[:, 0])
        pace = curve(np.arange(known[-1, 1], end[1], 1 / 30), 1)
        if pace.max() <= max_rate and pace.min() >= 1 / max_rate:
            break
    return curve, rows


def _matches(motion_beats: np.ndarray, music_beats: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Possible pairs (k, 3) strictly between two `ends` (motion, music): motion beat, music place, gain; sorted by motion beat."""
    if len(music_beats) < 2 or not len(motion_beats):
        return np.zeros((0, 3))
    pairs = []
    for grid, worth in ((music_beats, 1.0), ((music_beats[1:] + music_beats[:-1]) / 2, 0.25)):
        near = clock.nearest(grid, motion_beats)
        off = np.abs(near - motion_beats) / (0.5 * np.median(np.diff(music_beats)))
        pairs.append(np.stack([motion_beats, near, worth * (1 - 0.3 * off)], axis=1)[off <= 1])
    found = np.concatenate(pairs)
    inside = ((found[:, :2] > ends[0]) & (found[:, :2] < ends[1])).all(axis=1)
    return found[inside][np.argsort(found[inside, 0], kind="stable")]


def _best_chain(matches: np.ndarray, ends: np.ndarray, bound: float) -> np.ndarray:
    """Rows (motion, music) of the chain of greatest total gain from end to end whose secants stay within 1 / bound and bound."""
    nodes = np.concatenate([[[*ends[0], 0.0]], matches, [[*ends[1], 0.0]]])
    best, source = np.full(len(nodes), -np.inf), np.zeros(len(nodes), dtype=int)
    best[0] = 0
    for k in range(1, len(nodes)):
        passed, elapsed = nodes[k, 0] - nodes[:k, 0], nodes[k, 1] - nodes[:k, 1]
        fits = (elapsed > 1e-9) & (passed <= bound * elapsed) & (passed * bound >= elapsed)
        gains = np.where(fits, best[:k], -np.inf)
        source[k] = gains.argmax()
        best[k] = gains[source[k]] + nodes[k, 2]
    chain = [len(nodes) - 1]
    while chain[0]:
        chain.insert(0, int(source[chain[0]]))
    return nodes[chain, :2]


def _safe_secant(max_rate: float) -> float:
    """Greatest s for which a PCHIP of any secants in [1/s, s] keeps its slope in [1/max_rate, max_rate]: 1.5/s - s/2 = 1/max_rate."""
    return float(np.sqrt(3 + max_rate**-2) - 1 / max_rate)
