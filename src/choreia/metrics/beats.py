"""Does the dance fall on the beat? Scores in seconds and in both directions; `choreia.metrics.beats_published` holds those of the field.

A one-sided score grows when the other side has more events. So each direction has its own score beside their harmonic mean and the rate of
motion beats, and all of them mean something next to their null models only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from choreia import clock
from choreia.metrics.base import About, Reduce, SyncMetric, mean, validate_events, validate_joints
from choreia.motion.beats import low_points
from choreia.motion.energy import velocity

SIGMAS_S = (0.05, 0.1)
"""Widths of the soft scores' kernel: the field's 3 frames, at 60 and at 30 Hz."""

WINDOWS_S = (0.05, 0.1)
"""Half widths of the hard windows."""

Score = Callable[[np.ndarray, np.ndarray, float], float | tuple[float, ...]]
"""From motion beats, music beats and the dance's length, all in seconds."""


def nearest(from_s: np.ndarray, to_s: np.ndarray) -> np.ndarray:
    """Distance of each of `from_s` (n,) to the nearest of `to_s` (m,), both sorted, m at least 1."""
    return np.abs(clock.nearest(to_s, from_s) - from_s)


def closeness(from_s: np.ndarray, to_s: np.ndarray, sigma_s: float) -> float:
    """Mean over `from_s` of exp(-d² / 2σ²), d the seconds to the nearest of `to_s`, both sorted; 0 when either is empty."""
    if len(from_s) == 0 or len(to_s) == 0:
        return 0.0
    return float(np.exp(-(nearest(from_s, to_s) ** 2) / (2 * sigma_s**2)).mean())


def slow_moments(joints: np.ndarray, fps: float) -> np.ndarray:
    """Local minima of the mean joint speed, smoothed over 80 ms, in seconds to a fraction of a frame: the motion beats of all corrected
    scores. Still motion has none."""
    places = validate_joints(joints, fps)
    return low_points(np.linalg.norm(velocity(places, fps), axis=-1).mean(axis=1), fps)


def matched(first_s: np.ndarray, second_s: np.ndarray, window_s: float) -> int:
    """Most events that can be paired one to one within `window_s`, both sorted.

    Pairing from the left is optimal for windows of one width; mir_eval.util.match_events finds as many, by a general matching that is
    too slow for null models.
    """
    first, second = first_s.tolist(), second_s.tolist()
    i = j = pairs = 0
    while i < len(first) and j < len(second):
        gap = first[i] - second[j]
        if abs(gap) <= window_s:
            pairs += 1
        i += gap <= window_s
        j += gap >= -window_s
    return pairs


def precision(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, window_s: float = WINDOWS_S[0]) -> float:
    """Share of motion beats paired with a music beat within `window_s`; 0 without motion beats."""
    motion, music = _both(motion_s, music_s, duration_s)
    return matched(motion, music, window_s) / max(len(motion), 1)


def recall(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, window_s: float = WINDOWS_S[0]) -> float:
    """Share of the music beats during the dance that are paired with a motion beat within `window_s`; 0 without music beats."""
    motion, music = _both(motion_s, music_s, duration_s)
    return matched(motion, music, window_s) / max(len(music), 1)


def f_measure(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, window_s: float = WINDOWS_S[0]) -> float:
    """Harmonic mean of `precision` and `recall`: twice the pairs over all events of both sides."""
    motion, music = _both(motion_s, music_s, duration_s)
    return 2 * matched(motion, music, window_s) / max(len(motion) + len(music), 1)


def over_chance(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, window_s: float = WINDOWS_S[0]) -> float:
    """How far the beats meet beyond chance: (F - F₀) / (1 - F₀); 1 at best, 0 for events strewn at random, below 0 for worse than that.

    F is the harmonic mean of the share of motion beats within `window_s` of a music beat and of music beats within it of a motion beat; F₀
    the same of the shares of the dance's time that lie so near. Noise, a fast pulse or a frozen pose get about 0 however many beats they
    have. 0 when a side is empty or its windows fill all time.
    """
    motion, music = _both(motion_s, music_s, duration_s)
    if not (len(motion) and len(music)):
        return 0.0
    found = _harmonic(float((nearest(motion, music) <= window_s).mean()), float((nearest(music, motion) <= window_s).mean()))
    chance = _harmonic(_covered(music, window_s, duration_s), _covered(motion, window_s, duration_s))
    return (found - chance) / (1 - chance) if chance < 1 else 0.0


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0


def _covered(times_s: np.ndarray, window_s: float, duration_s: float) -> float:
    """Share of [0, duration] within `window_s` of any of the sorted times."""
    starts = np.clip(times_s - window_s, 0, duration_s)
    ends = np.clip(times_s + window_s, 0, duration_s)
    fresh = np.maximum(starts, np.concatenate([[0.0], ends[:-1]]))
    return float(np.maximum(ends - fresh, 0).sum() / duration_s)


def soft_precision(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, sigma_s: float = SIGMAS_S[0]) -> float:
    """Mean over motion beats of exp(-d² / 2σ²), d the seconds to the nearest music beat; 0 when a side is empty."""
    motion, music = _both(motion_s, music_s, duration_s)
    return closeness(motion, music, sigma_s)


def soft_recall(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, sigma_s: float = SIGMAS_S[0]) -> float:
    """Mean over music beats of exp(-d² / 2σ²), d the seconds to the nearest motion beat; 0 when a side is empty."""
    motion, music = _both(motion_s, music_s, duration_s)
    return closeness(music, motion, sigma_s)


def soft_f(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, sigma_s: float = SIGMAS_S[0]) -> float:
    """Harmonic mean of `soft_precision` and `soft_recall`."""
    motion, music = _both(motion_s, music_s, duration_s)
    return _harmonic(closeness(motion, music, sigma_s), closeness(music, motion, sigma_s))


def phases(motion_s: np.ndarray, music_s: np.ndarray) -> np.ndarray:
    """Where each motion beat lies between its two music beats, in [0, 1): 0 on the beat, 0.5 halfway. Those outside all music beats are
    left out."""
    motion, music = validate_events(motion_s), validate_events(music_s)
    if len(music) < 2:
        return np.zeros(0)
    inside = motion[(motion >= music[0]) & (motion < music[-1])]
    return clock.beat_position(inside, music) % 1


def phase_histogram(motion_s: np.ndarray, music_s: np.ndarray, bins: int = 16) -> np.ndarray:
    """Shares (bins,) of motion beats by phase, the first bin centred on the beat; they sum to 1, or to 0 without motion beats."""
    found = phases(motion_s, music_s)
    counts = np.bincount(np.floor(found * bins + 0.5).astype(int) % bins, minlength=bins)
    return counts / max(len(found), 1)


def phase_strength(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """How narrowly motion beats gather at one phase of the beat, in [0, 1]: sqrt((n r² - 1) / (n - 1)) of their mean resultant length r.

    r itself is 1 for a single event and about 1 / sqrt(n) for random ones; this form (the root of the pairwise phase consistency) is
    0 for both on average. Fewer than two events: 0.
    """
    found = np.exp(2j * np.pi * phases(motion_s, music_s))
    if len(found) < 2:
        return 0.0
    return float(np.sqrt(max(0.0, (len(found) * abs(found.mean()) ** 2 - 1) / (len(found) - 1))))


def phase_vector(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> tuple[float, float, float]:
    """Cosine and sine of the phases, each averaged, and the median beat interval in seconds; zeros without motion or music beats."""
    found = 2 * np.pi * phases(motion_s, music_s)
    if len(found) == 0:
        return 0.0, 0.0, 0.0
    return float(np.cos(found).mean()), float(np.sin(found).mean()), float(np.median(np.diff(np.sort(music_s))))


def phase_offset_ms(vectors: np.ndarray) -> float:
    """Mean lag of motion beats behind the beat in milliseconds, from the (N, 3) `phase_vector`s of a set; negative: ahead of it."""
    heard = np.atleast_2d(vectors)
    heard = heard[heard[:, 2] > 0]
    if len(heard) == 0:
        return 0.0
    cosine, sine, interval_s = heard.mean(axis=0)
    return float(1000 * interval_s * np.arctan2(sine, cosine) / (2 * np.pi))


def beat_rate(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """Motion beats a second."""
    return len(validate_events(motion_s)) / duration_s


def beat_rate_ratio(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """Motion beats for each music beat during the dance; 0 without music beats."""
    motion, music = _both(motion_s, music_s, duration_s)
    return len(motion) / len(music) if len(music) else 0.0


def _both(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Motion beats, and the music beats up to the dance's end."""
    music = validate_events(music_s)
    return validate_events(motion_s), music[: np.searchsorted(music, duration_s, side="right")]


# Entries

_RARE, _OFTEN = "one motion beat that happens to fit", "slowing down all the time"
_NOISE = "white noise, which has a slow moment near any beat"


def _share(name: str, fooled_by: str, score: Score) -> SyncMetric:
    """One of our own scores in [0, 1], held against the song's beats."""
    return SyncMetric(About(name, "corrected", "higher", "1", "[0, 1]", "choreia", fooled_by), slow_moments, "beats", score)


def _reading(name: str, unit: str, limits: str, fooled_by: str, score: Score, reduce: Reduce = mean) -> SyncMetric:
    """One of our own numbers that is neither good nor bad by itself."""
    about = About(name, "corrected", "reference", unit, limits, "choreia", fooled_by)
    return SyncMetric(about, slow_moments, "beats", score, reduce, timing=False)


def _windowed(window_s: float) -> tuple[SyncMetric, ...]:
    """Precision, recall and F within one window."""
    width = f"{1000 * window_s:.0f} ms"
    return (
        _share(f"beat precision {width}", _RARE, partial(precision, window_s=window_s)),
        _share(f"beat recall {width}", _OFTEN, partial(recall, window_s=window_s)),
        _share(f"beat F {width}", _NOISE, partial(f_measure, window_s=window_s)),
        _share(f"beat F {width} over chance", "a pulse at the song's tempo that starts by luck on the beat",
               partial(over_chance, window_s=window_s)),
    )  # fmt: skip


def _soft(sigma_s: float, suffix: str = "") -> tuple[SyncMetric, ...]:
    """Precision, recall and F with one kernel."""
    return (
        _share(f"soft beat precision{suffix}", _RARE, partial(soft_precision, sigma_s=sigma_s)),
        _share(f"soft beat recall{suffix}", _OFTEN, partial(soft_recall, sigma_s=sigma_s)),
        _share(f"soft beat F{suffix}", _NOISE, partial(soft_f, sigma_s=sigma_s)),
    )


METRICS: tuple[SyncMetric, ...] = (
    *(metric for window_s in WINDOWS_S for metric in _windowed(window_s)),
    *_soft(SIGMAS_S[0]),
    *_soft(SIGMAS_S[1], " 100 ms"),
    _share("beat phase strength", "keeping time but always late: see the offset", phase_strength),
    _reading("beat phase offset", "ms", "half a beat either way", "random phases, whose mean is anything: see the strength", phase_vector,
             phase_offset_ms),
    _reading("motion beat rate", "1/s", "[0, inf)", "noise: it says how often the body slows, not when", beat_rate),
    _reading("beat rate ratio", "1", "[0, inf)", "noise, as the rate", beat_rate_ratio),
)  # fmt: skip
