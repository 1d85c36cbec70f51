"""Whether a dance lasts: ten minutes to songs of even intensity, minute by minute and join by join; a table of the leaderboard.

Minutes of one dance differ for three reasons: the model drifts, the music asks for something else, or by chance. The songs are composed
to one intensity throughout, which takes most of the second away, and their measured energy stands in the table; like sections of both
ends are compared as well; what minutes 2 to 9 do among themselves, less their trend, is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import ndimage, stats

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.metrics.features import kinetic
from choreia.metrics.feet import SLIDE_M_S, standing
from choreia.metrics.frechet import Normalizer, diversity
from choreia.metrics.physics import seam_jerk_ratio
from choreia.metrics.sets import CLIP_S, Sliced
from choreia.models.choreia.model import open_weights
from choreia.motion.energy import jerk, mean_speed
from choreia.motion.kinematics import positions
from choreia.music.analyze import analyze
from choreia.pipelines.choreograph import ANYTHING, energy_at_frames, finish
from choreia.pipelines.dancers import DANCERS, FPS, Dancer, TextDancer, dancer
from choreia.pipelines.measuring import Progress, Workers
from choreia.synth.composer import compose
from choreia.types import Motion, Music, Section

SONGS = ("pop", "hiphop", "edm", "funk", "latin", "rnb")
"""Genres, a song each."""

MINUTES = 10
MARGIN_S = 10.0
"""Before the first and after the last minute: the dancer enters and ends there."""

INTENSITY = 0.8
"""Of every bar, between what the composer gives a verse and a chorus."""

CLIPS = 12
"""Clips of `CLIP_S` in a minute."""

DRIFT, JOINS = (0.85, 1.15), (0.0, 1.2)
"""What is asked of the last minute over the first, and of jerk at joins over jerk elsewhere."""

_FIRST_SEED = 2**31 + 100  # training draws the seeds of its songs below
_LEAST = 1e-3  # m/s, deviations, share: less counts as this, so that ratios of nothing are ratios
_FEWEST = 3  # clips of a label at either end
_WIDTH_S = 0.2  # around a join, as in `seam_jerk_ratio`


@dataclass(frozen=True)
class Entrant:
    """Who dances: what `--model` calls it, or weights that training wrote; `returns` False: it is not told which sections return."""

    name: str
    weights: Path | None = None
    returns: bool = True

    def opened(self) -> Dancer:
        """The dancer, loaded once a process."""
        return _opened(self.name, self.weights)


@dataclass(frozen=True)
class LongSong:
    """A song as it is heard, and the section in the middle of every clip of its minutes, (n,)."""

    music: Music
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Clips:
    """Of n clips of a dance: mean joint speed (n,) m/s; frames in which a foot stands, and slides, (n,); kinetic features (n, 72) in the
    deviations of all n."""

    speed_m_s: np.ndarray
    stands: np.ndarray
    slides: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Course:
    """How a number goes through a dance: over all of it, by minute (m,), and its last two minutes over its first two in like sections."""

    whole: float
    minutes: np.ndarray
    like: float = np.nan


Score = Callable[[np.ndarray], float]
"""A number of some clips, given by their indices."""


def length(runs: Path | None = None, workers: int = 2, progress: Progress | None = None, songs: int = len(SONGS)) -> list[dict]:
    """Rows of the music, and of every dancer that can be loaded; each dances every song once, with a seed of its own."""
    with Workers(workers, progress) as pool:
        heard = list(pool.map("long songs", song, list(range(songs))))
        rows = [row("the songs", "energy", [energy(one) for one in heard])]
        for who in (variant for entrant in entrants(runs) for variant in (entrant, replace(entrant, returns=False))):
            name = who.name if who.returns else f"{who.name}, nothing returns"
            rows += judged(name, list(pool.map(name, partial(_danced, who), list(enumerate(heard)))))
    return rows


def entrants(runs: Path | None = None) -> list[Entrant]:
    """Dancers of `--model` that can be loaded, and the weights that `choreia train choreia` left in folders of `runs`."""
    trained = sorted(runs.glob("*/weights.safetensors")) if runs else []
    named = [Entrant(name) for name in ("choreographer", *(name for name in DANCERS if name != "choreographer"))]
    return [who for who in named if _loads(who)] + [Entrant(f"trained here: {path.parent.name}", path) for path in trained]


def _loads(who: Entrant) -> bool:
    try:
        who.opened()
    except ChoreiaError:
        return False
    return True


@cache
def _opened(name: str, weights: Path | None) -> Dancer:
    return TextDancer(open_weights(weights)) if weights else dancer(name)


def song(number: int, minutes: int = MINUTES) -> LongSong:
    """Song `number`, composed to one intensity and analysed as a user's would be."""
    made = compose(_FIRST_SEED + number, 60.0 * minutes + 2 * MARGIN_S, genre=SONGS[number], energy=[INTENSITY])
    heard = analyze(made.audio)
    middles_s = MARGIN_S + CLIP_S * (np.arange(CLIPS * minutes) + 0.5)
    labels = tuple(next(part.label for part in made.sections if time_s < part.end_s) for time_s in middles_s)
    return LongSong(replace(heard, features={"dance": heard.features["dance"]}), labels)


def _danced(who: Entrant, job: tuple[int, LongSong]) -> dict[str, Course]:
    seed, heard = job
    music = heard.music if who.returns else replace(heard.music, sections=(Section(0.0, heard.music.duration_s, "song"),))
    raw, _ = who.opened().move(music, ANYTHING, seed, None)
    motion, seams_s = finish(raw, music), who.opened().seams_s(music.duration_s)
    return courses(motion, heard.labels) | (joins(raw, motion, seams_s, len(heard.labels) // CLIPS) if len(seams_s) else {})


# --------------------------------------------------------------------------------------------------------------- measuring


def courses(motion: Motion, labels: Sequence[str]) -> dict[str, Course]:
    """What should not drift in a dance at 30 fps whose minutes begin `MARGIN_S` after it, `labels` (n,) its clips' sections."""
    clips = clips_of(motion, len(labels))
    return {name: course(partial(score, clips), labels) for name, score in SCORES.items()}


def joins(raw: Motion, motion: Motion, seams_s: np.ndarray, minutes: int) -> dict[str, Course]:
    """How the joins of a dance look: finished, and before the last mile, whose beat lock moves them by a fraction of a beat."""
    return {
        "jerk at joins": at_joins(motion, seams_s, minutes),
        "jerk at joins, raw": at_joins(raw, seams_s, minutes),
        "worst join, raw": Course(worst_join(raw, seams_s), np.full(minutes, np.nan)),
    }


def clips_of(motion: Motion, count: int) -> Clips:
    """The `count` clips of a dance after its margin."""
    start, frames = clock.frames_in(MARGIN_S, FPS), count * clock.frames_in(CLIP_S, FPS)
    inner = motion.slice(start, start + frames)
    joints = positions(inner)
    pace = standing(joints, FPS).reshape(count, -1)
    features = Sliced(kinetic)(joints, FPS)
    speed = mean_speed(inner).reshape(count, -1).mean(axis=1)
    return Clips(speed, np.isfinite(pace).sum(axis=1), (pace > SLIDE_M_S).sum(axis=1), Normalizer.fit(features)(features))


SCORES: dict[str, Callable[[Clips, np.ndarray], float]] = {
    "joint speed": lambda clips, at: float(clips.speed_m_s[at].mean()),
    "diversity": lambda clips, at: diversity(clips.features[at]),
    "foot slide share": lambda clips, at: float(clips.slides[at].sum() / max(clips.stands[at].sum(), 1)),
}
"""What should not drift: mean over frames and joints, m/s; mean distance between the clips; share of the standing time over 0.3 m/s."""


def energy(heard: LongSong) -> Course:
    """What the music does meanwhile: its energy as the dancer hears it."""
    start, count = clock.frames_in(MARGIN_S, FPS), len(heard.labels)
    curve = energy_at_frames(heard.music)[start : start + count * clock.frames_in(CLIP_S, FPS)].reshape(count, -1).mean(axis=1)
    return course(lambda at: float(curve[at].mean()), heard.labels)


def course(score: Score, labels: Sequence[str]) -> Course:
    """A number by minute and in like sections; at least 0.001."""
    minutes = np.arange(len(labels)).reshape(-1, CLIPS)
    values = np.array([max(score(minute), _LEAST) for minute in minutes])
    return Course(float(values.mean()), values, _like(score, np.array(labels), minutes))


def _like(score: Score, labels: np.ndarray, minutes: np.ndarray) -> float:
    """Last two minutes over the first two, geometric mean over the labels that both have; NaN when they have none in common."""
    first, last = minutes[:2].ravel(), minutes[-2:].ravel()
    both = [(first[labels[first] == label], last[labels[last] == label]) for label in np.unique(labels)]
    logs = [np.log(max(score(b), _LEAST) / max(score(a), _LEAST)) for a, b in both if min(len(a), len(b)) >= _FEWEST]
    return float(np.exp(np.mean(logs))) if logs else np.nan


def at_joins(motion: Motion, seams_s: np.ndarray, minutes: int) -> Course:
    """Jerk at joins over jerk elsewhere (`seam_jerk_ratio`), of the whole dance and in every minute."""
    starts_s = MARGIN_S + 60.0 * np.arange(minutes)
    frames = [clock.frames_in(start_s, FPS) for start_s in (*starts_s, MARGIN_S + 60.0 * minutes)]
    parts = [seam_jerk_ratio(motion.slice(a, b), seams_s - s) for a, b, s in zip(frames[:-1], frames[1:], starts_s, strict=True)]
    return Course(seam_jerk_ratio(motion, seams_s), np.array(parts))


def worst_join(motion: Motion, seams_s: np.ndarray) -> float:
    """Largest jerk within ±0.2 s of a join over the largest as near to a middle between two joins; about 1 when joins are no worse.

    A mean over hundreds of joins hides one that breaks. Middles that are nearer than 0.4 s to a join are left out; NaN without any.
    """
    around = ndimage.uniform_filter1d(jerk(motion).mean(axis=1), 2 * clock.frames_in(_WIDTH_S, motion.fps) + 1)
    middles_s = (seams_s[1:] + seams_s[:-1])[np.diff(seams_s) >= 4 * _WIDTH_S] / 2
    if not len(middles_s):
        return float("nan")
    at, between = (np.clip(np.round(times_s * motion.fps).astype(int), 0, len(motion) - 1) for times_s in (seams_s, middles_s))
    return float(around[at].max() / max(around[between].max(), 1e-9))


# -------------------------------------------------------------------------------------------------------------------- rows


def judged(name: str, dances: Sequence[dict[str, Course]]) -> list[dict]:
    """Rows of a dancer, a measure each, from what was measured of every dance."""
    return [row(name, measure, [dance[measure] for dance in dances]) for measure in dances[0]]


def row(name: str, measure: str, found: Sequence[Course]) -> dict:
    """A measure over dances: its size, how its last minute compares with its first, each with a 95 % interval over the dances."""
    logs = np.log(np.array([one.minutes for one in found]))
    whole, ends = mean([one.whole for one in found]), ratio(logs[:, -1] - logs[:, 0])
    return {
        "": name,
        "measure": measure,
        "dances": len(found),
        "whole dance": whole,
        "minute 1": float(np.exp(logs[:, 0].mean())),
        "last minute": float(np.exp(logs[:, -1].mean())),
        "last / first": ends,
        "like sections": ratio(np.log([one.like for one in found])),
        "trend": ratio((logs.shape[1] - 1) * np.polyfit(np.arange(logs.shape[1]), logs.T, 1)[0]) if np.isfinite(logs).all() else None,
        "chance": chance(logs.mean(axis=0)),
        "kept": kept(ends, *DRIFT) if measure in SCORES else kept(whole, *JOINS) if measure.startswith("jerk at joins") else None,
    }


def kept(found: dict | None, low: float, high: float) -> str | None:
    """Whether a number keeps to [low, high]: "yes" or "no" when its whole interval does or does not, otherwise "open"."""
    if found is None or found["high"] is None:
        return None
    outside = found["high"] < low or found["low"] > high
    return "no" if outside else "yes" if low <= found["low"] and found["high"] <= high else "open"


def chance(logs: np.ndarray) -> float | None:
    """How far two minutes are apart by chance, as a factor: the 95th percentile over all pairs of minutes but the first and the last.

    Of log values (m,), mean over dances as the ratios are, less their straight line: a steady drift is none of chance's doing.
    """
    inner = logs[1:-1]
    if len(inner) < 4 or not np.isfinite(inner).all():
        return None
    places = np.arange(len(inner))
    rest = inner - np.polyval(np.polyfit(places, inner, 1), places)
    return float(np.exp(np.percentile([abs(a - b) for a, b in combinations(rest, 2)], 95)))


def ratio(logs: Sequence[float] | np.ndarray) -> dict | None:
    """Geometric mean of ratios given as logarithms, with Student's 95 % interval over them."""
    return mean(logs, np.exp)


def mean(values: Sequence[float] | np.ndarray, read: Callable[[float], float] = float) -> dict | None:
    """Mean of values, with Student's 95 % interval where there are two or more, all three passed through `read`; None without any."""
    good = np.array([value for value in values if np.isfinite(value)])
    if not len(good):
        return None
    middle, low, high = float(good.mean()), None, None
    if len(good) > 1:
        half = float(stats.t.ppf(0.975, len(good) - 1) * good.std(ddof=1) / np.sqrt(len(good)))
        low, high = float(read(middle - half)), float(read(middle + half))
    return {"value": float(read(middle)), "low": low, "high": high, "z": None, "reached": []}
