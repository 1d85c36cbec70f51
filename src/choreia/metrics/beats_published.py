"""Does the dance fall on the beat? The beat alignment scores of the field as their code computes them; `choreia.metrics.beats` corrects.

All are called BAS and none agree. Two families of code exist: mint's goes from each motion beat to the nearest music beat, Bailando's
from each music beat to the nearest motion beat. Both count in frames with a kernel of 3 frames, so one dance scores differently at 30 and
at 60 Hz; and a one-sided score grows when the other side has more events, so noise beats a dancer.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import ndimage, signal

from choreia import clock
from choreia.metrics.base import About, SyncMetric, validate_events, validate_joints
from choreia.metrics.beats import nearest, soft_recall
from choreia.motion.beats import low_points
from choreia.motion.energy import velocity


def mint_events(joints: np.ndarray, fps: float) -> np.ndarray:
    """Frames whose summed joint speed is below that of the 10 frames on either side, in seconds.

    From google-research/mint, tools/calculate_beat_scores.py (`motion_peak_onehot`), float32 as there. The speed of frame 0 is set to 0,
    so none of the first 10 frames is ever a beat; "10 for 60FPS" is kept at any rate. Motion brought from 30 to 60 Hz by straight lines
    has equal speeds in pairs, hence no strict minimum and no beat at all.
    """
    places = validate_joints(joints, fps)
    speed = np.zeros(len(places), np.float32)
    speed[1:] = np.linalg.norm(np.diff(places, axis=0).astype(np.float32), axis=2).sum(axis=1)
    return signal.argrelextrema(speed, np.less, order=10)[0] / fps


def mint_score(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """Mean over motion beats of exp(-d² / 2σ²), d the frames to the nearest music beat, σ = 3 frames at 60 Hz; in [0, 1].

    From google-research/mint, tools/calculate_beat_scores.py. 0 without motion beats; without music beats the code crashes: NaN. Music is
    cut to the dance, as the code does with real dances; generated ones are held against the whole song, from frame 120 on.
    """
    return _from_motion(_frames(motion_s, 60), _until(_frames(music_s, 60), clock.frames_in(duration_s, 60)))


def popdg_events(joints: np.ndarray, fps: float) -> np.ndarray:
    """`mint_events` of the first 300 frames; its order of 10 frames, meant for 60 Hz, forbids two beats within 0.33 s at 30 Hz."""
    return mint_events(joints[:300], fps)


def popdg_score(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """`mint_score` at 30 Hz, where σ is 0.1 s, from Luke-Luo1/POPDG, eval/calculate_beat_scores.py.

    The dance is cut to 300 frames, the music's features (data/audio_extraction/baseline_features.py) to 150: motion beats of seconds 5 to
    10 find no music beat near them.
    """
    return _from_motion(_frames(motion_s, 30), _until(_frames(music_s, 30), 150))


def over_24(scores: np.ndarray) -> float:
    """POPDG's score of a set: the sum over a literal 24, however many dances there are."""
    return float(np.sum(scores)) / 24


def bailando_events(joints: np.ndarray, fps: float, joint_count: int = 24) -> np.ndarray:
    """Local minima of the mean joint speed after a Gaussian of 5 frames, in seconds.

    From lisiyao21/Bailando, utils/beat_align_score.py (`calc_db`). Speed i lies between frames i and i + 1 but is counted as frame i:
    beats are half a frame early.
    """
    places = validate_joints(joints, fps)[:, :joint_count]
    if len(places) < 2:
        return np.zeros(0)
    speed = np.linalg.norm(np.diff(places, axis=0), axis=2).mean(axis=1)
    return signal.argrelextrema(ndimage.gaussian_filter(speed, 5), np.less)[0] / fps


def bailando_score(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float, rate: float = 60, cut: bool = True) -> float:
    """Mean over music beats of exp(-d² / 2 / 9), d the frames at `rate` to the nearest motion beat; in [0, 1].

    From lisiyao21/Bailando, utils/beat_align_score.py (`BA`), which reads the dance at 60 Hz and cuts the music one frame short of it.
    Lodge (li-ronghui/LODGE, metric/beat_align_score.py) and Danceba (vtan05/Danceba_fork, utils/beat_align_score.py) copy it at 30 Hz,
    where 3 frames are 0.1 s. Lodge means to cut the music too, but slices the tuple (samples, rate) instead of the samples, so beats
    after the dance's end count against it: `cut=False`. Without motion or music beats the code crashes: NaN.
    """
    music = _frames(music_s, rate)
    music = _until(music, clock.frames_in(duration_s, rate) - 1) if cut else music
    motion = _frames(motion_s, rate)
    if len(motion) == 0 or len(music) == 0:
        return float("nan")
    return float(np.exp(-(nearest(music, motion) ** 2) / 2 / 9).mean())


def lrcm_score(motion_s: np.ndarray, music_s: np.ndarray, duration_s: float) -> float:
    """Mean over music beats of δ · exp(-d² / 2σ²), σ = 9 frames at 30 Hz: LRCM, equation 26 of appendix C.2; in [0, 1].

    No evaluator is released. δ = 1 "if covered by a motion keyframe": here, if a motion beat lies within σ; motion beats, also
    undefined, are Bailando's. With σ = 9 any dance with two slow moments a second scores above 0.8, while the paper prints 0.10 to 0.29:
    its numbers look like Bailando's σ² = 9. Without music beats the mean is undefined: NaN.
    """
    motion, music = _frames(motion_s, 30), _until(_frames(music_s, 30), clock.frames_in(duration_s, 30))
    if len(music) == 0:
        return float("nan")
    if len(motion) == 0:
        return 0.0
    distance = nearest(music, motion)
    return float(np.where(distance <= 9, np.exp(-(distance**2) / (2 * 9**2)), 0).mean())


def energy_peaks(joints: np.ndarray, fps: float) -> np.ndarray:
    """Local maxima of the body's kinetic energy, half the mean squared joint speed, smoothed over 80 ms; seconds."""
    speed = velocity(validate_joints(joints, fps), fps)
    return low_points(-0.5 * (speed**2).sum(axis=-1).mean(axis=1), fps)


def _from_motion(motion: np.ndarray, music: np.ndarray) -> float:
    """mint's kernel over frames."""
    if len(motion) == 0:
        return 0.0
    if len(music) == 0:
        return float("nan")
    return float(np.exp(-(nearest(motion, music) ** 2) / (2 * 3**2)).mean())


def _frames(times_s: np.ndarray, rate: float) -> np.ndarray:
    """Whole frames nearest to event times, sorted."""
    return np.rint(validate_events(times_s) * rate)


def _until(frames: np.ndarray, end: int) -> np.ndarray:
    """Frames before `end`."""
    return frames[: np.searchsorted(frames, end)]


_MINIMA = "noise, or any shaking with a slow moment every few frames: more motion beats raise it with any song"


def _bas(dialect: str, fps: float | None, source: str, fooled_by: str) -> About:
    """A published beat alignment score."""
    return About("BAS", dialect, "higher", "1", "[0, 1]", source, fooled_by, fps)


def _bailando(dialect: str, source: str, grid: str = "bailando") -> SyncMetric:
    """Bailando's score at 60 Hz, as others report it."""
    return SyncMetric(_bas(dialect, 60, source, _MINIMA), bailando_events, grid, bailando_score)


METRICS: tuple[SyncMetric, ...] = (
    SyncMetric(
        _bas("mint", 60, "google-research/mint tools/calculate_beat_scores.py", "one slow moment on one beat scores 1; 30 Hz doubles it"),
        mint_events, "mint", mint_score,
    ),
    SyncMetric(
        _bas("popdg", 30, "Luke-Luo1/POPDG eval/calculate_beat_scores.py", "48 dances score twice as much as 24: the sum is divided by 24"),
        popdg_events, "popdg", popdg_score, over_24,
    ),
    _bailando("bailando", "lisiyao21/Bailando utils/beat_align_score.py"),
    _bailando("edge", "not released; the paper names Bailando's"),
    _bailando("dancemeld", "no code; the paper names FACT's, but its 0.24 of real dance is Bailando's"),
    _bailando("unimumo", "paper, appendix: Bailando's script with librosa's music beats; not released", "unimumo"),
    SyncMetric(
        _bas("lodge", 30, "li-ronghui/LODGE metric/beat_align_score.py", _MINIMA + "; and a song that ends with the dance"),
        bailando_events, "lodge", partial(bailando_score, rate=30, cut=False),
    ),
    SyncMetric(
        _bas("danceba", 30, "vtan05/Danceba_fork utils/beat_align_score.py: Bailando's over 22 joints", _MINIMA),
        partial(bailando_events, joint_count=22), "bailando", partial(bailando_score, rate=30),
    ),
    SyncMetric(
        _bas("lrcm", 30, "LRCM equation 26; no code released", "two slow moments a second, wherever they fall"),
        bailando_events, "beats", lrcm_score,
    ),
    SyncMetric(
        _bas("theatre", None, "choreia, for the theatre paper's words, energy peaks on strong beats", "many small peaks"),
        energy_peaks, "strong", soft_recall,
    ),
)  # fmt: skip
