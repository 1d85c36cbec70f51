"""Beat scores of generated music as dance-to-music papers publish them; `choreia.metrics.music` holds the corrected ones.

They count seconds, not beats: a second is hit when both sounds have an onset somewhere in it. Whatever ticks twice a second hits all.

D2M-GAN, CDCD and UniMuMo divide by the reference's seconds, LORIS and PACE divide the coverage by the generated ones: equal names,
different numbers, though tables mix them. Finding onsets needs the `evaluate` extra (librosa).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from choreia.metrics.base import About, MusicMetric, validate_events
from choreia.metrics.gate import gate
from choreia.metrics.sound import at_rate, validate_sound

RATE = 22050
D2MGAN_PEAKS: dict[str, Any] = {"pre_avg": 1, "post_avg": 1, "post_max": 1}
LORIS_PEAKS: dict[str, Any] = {"pre_avg": 3, "post_avg": 3, "pre_max": 3, "post_max": 3}
UNIMUMO_CLIP_S, PACE_CLIP_S = 2.0, 5.0

Events = Callable[[np.ndarray, int], np.ndarray]
Score = Callable[[np.ndarray, np.ndarray, float], float]


def d2mgan_onsets(samples: np.ndarray, rate: int) -> np.ndarray:
    """Onset times in seconds as D2M-GAN finds them (L-YeZhu/Beats_Scores beats_scores.py, `beat_detect`).

    librosa onset_detect at 22050 Hz, hop 512, delta 0.2, wait 1, averages over one frame to each side. The source passes the samples
    by position, which librosa 0.10 and later refuse.
    """
    return _onsets(at_rate(samples, rate, RATE), D2MGAN_PEAKS)


def loris_onsets(samples: np.ndarray, rate: int) -> np.ndarray:
    """Onset times in seconds as LORIS finds them (OpenGVLab/LORIS beats_scores.py): as D2M-GAN, but peaks need only stand out of three
    frames to each side, which finds many more of them."""
    return _onsets(at_rate(samples, rate, RATE), LORIS_PEAKS)


def cdcd_onsets(samples: np.ndarray, rate: int) -> np.ndarray:
    """D2M-GAN's onsets of the sound after noisereduce by its defaults (L-YeZhu/CDCD inference/inference_aist.py).

    CDCD denoises what it generates before it writes it, and does not touch the reference; a file that CDCD wrote is denoised already.
    """
    return _onsets(gate(at_rate(samples, rate, RATE), RATE), D2MGAN_PEAKS)


def onsets_by_clip(samples: np.ndarray, rate: int, find: Events, clip_s: float) -> np.ndarray:
    """Onsets found clip by clip, in seconds of the whole: librosa measures peaks against the loudest onset of what it is given.

    A last piece shorter than a clip is left out, unless there is no other.
    """
    sound, step = validate_sound(samples, rate), round(clip_s * rate)
    starts = range(0, max(1, len(sound) // step) * step, step)
    return np.concatenate([find(sound[at : at + step], rate) + at / rate for at in starts])


def _onsets(sound: np.ndarray, peaks: dict[str, Any]) -> np.ndarray:
    import librosa

    return np.asarray(librosa.onset.onset_detect(y=sound, sr=RATE, wait=1, delta=0.2, units="time", **peaks), float)


def seconds_with(events_s: np.ndarray, duration_s: float) -> np.ndarray:
    """(ceil(duration),) bool: which whole seconds hold an event; events after the end are left out."""
    held = np.zeros(max(1, int(np.ceil(duration_s - 1e-9))), bool)
    held[within(events_s, 0.0, len(held)).astype(int)] = True
    return held


def d2mgan_coverage(made_s: np.ndarray, true_s: np.ndarray, duration_s: float) -> float:
    """BCS of D2M-GAN in percent: seconds with a generated onset / seconds with a reference onset.

    Source: L-YeZhu/Beats_Scores beats_scores.py, `beat_scores`. It exceeds 100 when the music is busier than the reference; the source
    divides by zero where the reference has no onset (undefined here). Fooled by adding onsets anywhere.
    """
    made, true = seconds_with(made_s, duration_s), seconds_with(true_s, duration_s)
    return 100 * float(made.sum() / true.sum()) if true.any() else float("nan")


def d2mgan_hits(made_s: np.ndarray, true_s: np.ndarray, duration_s: float) -> float:
    """BHS of D2M-GAN in percent: seconds with an onset on both sides / seconds with a reference onset; undefined as the coverage is."""
    made, true = seconds_with(made_s, duration_s), seconds_with(true_s, duration_s)
    return 100 * float((made & true).sum() / true.sum()) if true.any() else float("nan")


def mean_of_clips(made_s: np.ndarray, true_s: np.ndarray, duration_s: float, score: Score, clip_s: float) -> float:
    """Mean of a score over the clips of a song, those where it is undefined left out; NaN when it is defined nowhere."""
    scores = np.array([score(*clip) for clip in _clips(made_s, true_s, duration_s, clip_s)])
    return float(scores[np.isfinite(scores)].mean()) if np.isfinite(scores).any() else float("nan")


def loris_moments(made_s: np.ndarray, true_s: np.ndarray, duration_s: float, clip_s: float = np.inf) -> tuple[float, ...]:
    """What LORIS's five scores are made of: clips, then sum and sum of squares of their cover rates and of their hit rates.

    Source: OpenGVLab/LORIS beats_scores.py, `beat_scores`. Cover rate: seconds hit / seconds with a generated onset, 0 without one; that
    is precision, not D2M-GAN's coverage. Hit rate: seconds hit / seconds with a reference onset.
    """
    rates = np.array([_loris_rates(*clip) for clip in _clips(made_s, true_s, duration_s, clip_s)])
    (cover, hit), (cover_squared, hit_squared) = rates.sum(axis=0), (rates**2).sum(axis=0)
    return float(len(rates)), float(cover), float(cover_squared), float(hit), float(hit_squared)


def _loris_rates(made_s: np.ndarray, true_s: np.ndarray, duration_s: float) -> tuple[float, float]:
    made, true = seconds_with(made_s, duration_s), seconds_with(true_s, duration_s)
    hit = (made & true).sum()
    return float(hit / max(made.sum(), 1)), float(hit / max(true.sum(), 1))


def _clips(made_s: np.ndarray, true_s: np.ndarray, duration_s: float, clip_s: float) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """The events of consecutive whole clips, in seconds of each clip, with its length; one clip when the whole is shorter."""
    count = max(1, int(duration_s / clip_s + 1e-6))
    starts_s = np.arange(count) * (clip_s if count > 1 else 0.0)
    return [(within(made_s, at, clip_s), within(true_s, at, clip_s), min(clip_s, duration_s - at)) for at in starts_s]


def within(events_s: np.ndarray, start_s: float, length_s: float) -> np.ndarray:
    """The events of a stretch, in seconds from its start."""
    times = validate_events(events_s) - start_s
    return times[(times >= 0) & (times < length_s)]


def mean_rate(moments: np.ndarray, column: int) -> float:
    """Percent: the mean over all clips, from moments (N, 5); column 1 the cover rate (BCS), 3 the hit rate (BHS)."""
    count, total = moments[:, 0].sum(), moments[:, column].sum()
    return 100 * float(total / count)


def spread_of_rate(moments: np.ndarray, column: int) -> float:
    """Percent: standard deviation (ddof 1) over all clips, from moments (N, 5); column as in `mean_rate`. NaN for one clip."""
    count, total, squares = moments[:, 0].sum(), moments[:, column].sum(), moments[:, column + 1].sum()
    return 100 * float(np.sqrt(max(squares - total**2 / count, 0.0) / (count - 1))) if count > 1 else float("nan")


def f1_of_means(moments: np.ndarray) -> float:
    """Percent: harmonic mean of the mean cover and the mean hit rate; NaN, where LORIS divides by zero, when both are 0."""
    cover, hit = mean_rate(moments, 1), mean_rate(moments, 3)
    return 2 * cover * hit / (cover + hit) if cover + hit else float("nan")


_SECONDS = "counts seconds, not beats: a 120 bpm metronome hits 100 % of any song"
_COVERAGE = "more onsets anywhere: a metronome covers 250 to 2500 % of composed songs; 50 and 150 % average to a perfect 100 %"
_GATED = "the gate alone: composed songs, denoised, cover 280 % of their own seconds"
_CLIPS = "a 2-s clip has two bins: 0, 50 or 100 % a clip, and an onset in each half hits them all"
_PRECISION = "onsets only where one is sure: a single right onset is 100 %"
_SPREAD = "steadily bad music: a metronome's hits do not vary"
_MEANS = "a metronome: recall 100 % with whatever precision the song's own density gives"

_D2MGAN = "D2M-GAN (Zhu et al. 2022): L-YeZhu/Beats_Scores beats_scores.py"
_CDCD = "CDCD (Zhu et al. 2023): L-YeZhu/CDCD inference/inference_aist.py; the generated side alone is denoised"
_UNIMUMO = "UniMuMo (Yang et al. 2025), appendix: D2M-GAN's script on clips of 2 s; clips without a reference onset are left out"
_LORIS = "LORIS (Yu et al. 2023): OpenGVLab/LORIS beats_scores.py"
_PACE = (
    "PACE, section 5.2, clips of 5 s; no code. LORIS's definition, by its numbers: BCS below BHS cannot be under D2M-GAN's, "
    "and F1 is the harmonic mean of both columns in 9 of the 12 rows of table 1"
)

_unimumo_onsets = partial(onsets_by_clip, find=d2mgan_onsets, clip_s=UNIMUMO_CLIP_S)
_unimumo_coverage = partial(mean_of_clips, score=d2mgan_coverage, clip_s=UNIMUMO_CLIP_S)
_unimumo_hits = partial(mean_of_clips, score=d2mgan_hits, clip_s=UNIMUMO_CLIP_S)
_pace_onsets = partial(onsets_by_clip, find=loris_onsets, clip_s=PACE_CLIP_S)


def _loris_family(dialect: str, source: str, events: Events, score: Callable[..., tuple[float, ...]]) -> tuple[MusicMetric, ...]:
    """BCS, CSD, BHS, HSD and F1 of one dialect, all from the same events and moments."""
    return (
        MusicMetric(About("BCS", dialect, "higher", "%", "0-100", source, _PRECISION), events, score, partial(mean_rate, column=1)),
        MusicMetric(About("CSD", dialect, "lower", "%", "0-71", source, _SPREAD), events, score, partial(spread_of_rate, column=1)),
        MusicMetric(About("BHS", dialect, "higher", "%", "0-100", source, _SECONDS), events, score, partial(mean_rate, column=3)),
        MusicMetric(About("HSD", dialect, "lower", "%", "0-71", source, _SPREAD), events, score, partial(spread_of_rate, column=3)),
        MusicMetric(About("F1", dialect, "higher", "%", "0-100", source, _MEANS), events, score, f1_of_means),
    )


METRICS: tuple[MusicMetric, ...] = (
    MusicMetric(About("BCS", "d2mgan", "higher", "%", "0 and up", _D2MGAN, _COVERAGE), d2mgan_onsets, d2mgan_coverage),
    MusicMetric(About("BHS", "d2mgan", "higher", "%", "0-100", _D2MGAN, _SECONDS), d2mgan_onsets, d2mgan_hits),
    MusicMetric(About("BCS", "cdcd", "higher", "%", "0 and up", _CDCD, _GATED), cdcd_onsets, d2mgan_coverage, true_events=d2mgan_onsets),
    MusicMetric(About("BHS", "cdcd", "higher", "%", "0-100", _CDCD, _SECONDS), cdcd_onsets, d2mgan_hits, true_events=d2mgan_onsets),
    MusicMetric(About("BCS", "unimumo", "higher", "%", "0 and up", _UNIMUMO, _COVERAGE), _unimumo_onsets, _unimumo_coverage),
    MusicMetric(About("BHS", "unimumo", "higher", "%", "0-100", _UNIMUMO, _CLIPS), _unimumo_onsets, _unimumo_hits),
    *_loris_family("loris", _LORIS, loris_onsets, loris_moments),
    *_loris_family("pace", _PACE, _pace_onsets, partial(loris_moments, clip_s=PACE_CLIP_S)),
)
