"""Beat synchrony in seconds, both directions, against null models.

A one-directional beat score counts how often the body slows down, not whether it slows down on the beat: white noise beats a
dancer. So both directions are scored, and every value stands beside the same dances scored with the songs shuffled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGMA_S = 0.05


@dataclass(frozen=True)
class Synchrony:
    """Scores in [0, 1], higher is better: `precision` motion beats on music beats, `recall` music beats met by motion beats."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class AgainstNull:
    """A mean score, the same mean under shuffled songs, and how many null standard deviations lie between them."""

    value: float
    null_mean: float
    null_std: float
    z: float
    p: float


def alignment(from_s: np.ndarray, to_s: np.ndarray, sigma_s: float = SIGMA_S) -> float:
    """Mean over `from_s` of exp(-d² / 2σ²), d the distance in seconds to the nearest of `to_s`; 0 when either is empty."""
    if len(from_s) == 0 or len(to_s) == 0:
        return 0.0
    distance = np.abs(np.asarray(from_s)[:, None] - np.asarray(to_s)[None]).min(axis=1)
    return float(np.exp(-(distance**2) / (2 * sigma_s**2)).mean())


def synchrony(motion_beats_s: np.ndarray, music_beats_s: np.ndarray, sigma_s: float = SIGMA_S) -> Synchrony:
    """Both directions between beats of the body and beats of the music, seconds."""
    return Synchrony(alignment(motion_beats_s, music_beats_s, sigma_s), alignment(music_beats_s, motion_beats_s, sigma_s))


def against_shuffled(motion_beats_s: list[np.ndarray], music_beats_s: list[np.ndarray], durations_s: list[float],
                     songs: list[int], draws: int = 1000, seed: int = 0) -> dict[str, AgainstNull]:  # fmt: skip
    """Mean precision and recall of many dances, against the same dances scored with other songs.

    Args:
        motion_beats_s: beats of each of the N dances, seconds.
        music_beats_s: beats of each song, seconds; dance i was made for song songs[i].
        durations_s: length of each dance; a shorter foreign song is repeated to fill it.
        songs: index of the song of each dance.
        draws: how many shuffles of songs make the null distribution.
    """
    count = len(music_beats_s)
    lengths = [max((d for d, s in zip(durations_s, songs, strict=True) if s == k), default=0.0) for k in range(count)]
    tables = np.zeros((2, len(songs), count))
    for i, beats in enumerate(motion_beats_s):
        for k in range(count):
            score = synchrony(beats, tile_beats(music_beats_s[k], lengths[k], durations_s[i]))
            tables[:, i, k] = score.precision, score.recall
    return {name: _compare(table, np.asarray(songs), draws, seed) for name, table in zip(("precision", "recall"), tables, strict=True)}


def tile_beats(beats_s: np.ndarray, song_s: float, duration_s: float) -> np.ndarray:
    """Beats of a song cut to `duration_s`, the song repeated when it is shorter."""
    beats = np.asarray(beats_s)
    if len(beats) == 0 or song_s <= 0:
        return beats
    copies = int(np.ceil(duration_s / song_s))
    tiled = np.concatenate([beats + k * song_s for k in range(copies)])
    return tiled[tiled <= duration_s]


def _compare(table: np.ndarray, songs: np.ndarray, draws: int, seed: int) -> AgainstNull:
    """Mean of own-song scores against the means of `draws` shuffles in which no song keeps its own dance."""
    rows = np.arange(len(songs))
    value = table[rows, songs].mean()
    rng = np.random.default_rng(seed)
    null = np.array([table[rows, _derangement(table.shape[1], rng)[songs]].mean() for _ in range(draws)])
    std = float(null.std())
    return AgainstNull(float(value), float(null.mean()), std, float((value - null.mean()) / max(std, 1e-12)), float(np.mean(null >= value)))


def _derangement(count: int, rng: np.random.Generator) -> np.ndarray:
    while True:
        order = rng.permutation(count)
        if count == 1 or not np.any(order == np.arange(count)):
            return order
