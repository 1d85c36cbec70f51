"""Does light belong to the music and to the dancer? Style changes on bounds, cues on beats, accents shared with the dancer.

No paper defines these; the formulas are ours, named lighting-1. Each plain share stands beside what it is by chance: a show that changes
all the time changes on every bound too, and light and dancer agree wherever both keep to the beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.metrics.base import validate_events
from choreia.metrics.beats import nearest
from choreia.motion.energy import kinetic_energy, velocity
from choreia.stage.style import zone_luminance
from choreia.types import Cue, Motion, Music, Style

PULSE_S = 0.75
"""What rises, or falls, and comes back within this is a pulse and no change of style."""
SIDE_S = 1.0
"""Before and after a change, this much is averaged."""
CHANGE = 0.3
"""Smallest step between those averages that counts, where 1 is white to the purest light, or two hues 60 degrees apart, or half as far as
from one zone to another; a fade of F s, longer than 1 s, needs F times as much."""
ACCENT_S = 0.05
"""Deviation of the Gaussian under which accents of light and dancer meet."""
SNAP_S = 0.1
"""The longest fade that counts as a snap."""
LAGS_S = (-0.2, -0.1, 0.0, 0.1, 0.2)
"""At which the music's onsets may explain an accent."""

_FOOT = 0.25  # part of a step's height at which its ends are looked for
_REST = 3  # frames of little change that end a change, looking back
_DARK = 0.02  # where no zone is above this level there is no light to speak of
_NOTHING = 1e-9
_BEAT_WAVES, _EIGHT_WAVES = 4, 16
_WINDOW_S = 0.2
_EDGE_S = 2.0  # at either end of a song nobody may dance and no lamp may burn: that is no accent shared
_SHIFTS = 100


# ------------------------------------------------------------------------------------------------------- changes of style


def slow_style(track: Style, fps: float) -> np.ndarray:
    """A track without its pulses, (T, 4 + len(ZONES)): key and accent colour as saturation times (cos, sin) of their hues, and the levels
    as a unit vector, the balance of the zones.

    Pulses go by opening and closing over `PULSE_S`, which leave a step where it is. The dark has no style, nor have dips to less than half
    of all light within that time: what was before them stays, so that blackouts and fades of all zones are no changes of style.
    """
    size = 2 * (clock.frames_in(PULSE_S, fps) // 2) + 1
    total = track.light.sum(axis=1, dtype=float)
    shown = (track.light.max(axis=1) > _DARK) & (total >= 0.5 * ndimage.grey_closing(total, size))
    latest = np.maximum.accumulate(np.where(shown, np.arange(len(total)), int(shown.argmax()) if len(total) else 0))
    hues = np.stack([track.hue, track.hue + track.contrast], axis=1).astype(float)
    colour = track.saturation[:, None] * np.concatenate([np.cos(hues), np.sin(hues)], axis=1)
    levels = ndimage.grey_closing(ndimage.grey_opening(track.light[latest].astype(float), (size, 1)), (size, 1))
    balance = levels / np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), _DARK)
    return np.concatenate([colour[latest], balance], axis=1)


def style_changes(track: Style, fps: float = 30.0) -> np.ndarray:
    """When the style changes, (n,) seconds, sorted: where the means of `SIDE_S` before and after differ by more than `CHANGE`.

    A change is placed where it begins, half a frame after the last frame without it: from the middle of its way back as far as it goes at
    0.4 of the pace that it has there, or more. So what leads up to it slowly, or a beat before, does not count as its beginning.
    What begins within `SIDE_S` of either end, the opening and the last fade, is left out.
    """
    if not fps > 0:
        raise ChoreiaError(f"a frame rate of {fps} makes no sense: give frames a second")
    side = clock.frames_in(SIDE_S, fps)
    if len(track) <= 2 * side:
        return np.zeros(0)
    slow = slow_style(track, fps)
    step = _steps(slow, side)
    peaks, _ = signal.find_peaks(step, height=CHANGE, prominence=CHANGE / 3)
    begins = np.unique([_begin(slow, *_ends(step, peaks, k)) for k in range(len(peaks))])
    return begins[(begins >= side) & (begins <= len(slow) - side)] / fps


def _steps(slow: np.ndarray, side: int) -> np.ndarray:
    """Distance between the means of up to `side` frames before each frame and of as many from it on, (T,); 0 at the first."""
    sums = np.concatenate([np.zeros((1, slow.shape[1])), np.cumsum(slow, axis=0)])
    middle = np.arange(1, len(slow))
    first, last = np.maximum(middle - side, 0), np.minimum(middle + side, len(slow))
    before = (sums[middle] - sums[first]) / (middle - first)[:, None]
    after = (sums[last] - sums[middle]) / (last - middle)[:, None]
    return np.concatenate([[0.0], np.linalg.norm(after - before, axis=1)])


def _ends(step: np.ndarray, peaks: np.ndarray, k: int) -> tuple[int, int]:
    """Frames before and after the change of peak k: where the curve of steps is low, or lowest towards the next peak."""
    low = step < _FOOT * step[peaks[k]]
    left = peaks[k - 1] if k else 0
    right = peaks[k + 1] if k + 1 < len(peaks) else len(step) - 1
    before, after = np.flatnonzero(low[left : peaks[k]]), np.flatnonzero(low[peaks[k] : right + 1])
    first = left + (before[-1] if len(before) else int(step[left : peaks[k]].argmin()))
    return int(first), int(peaks[k] + (after[0] if len(after) else int(step[peaks[k] : right + 1].argmin())))


def _begin(slow: np.ndarray, first: int, last: int) -> float:
    """Frame, with a fraction, at which the change between two frames begins."""
    gone = np.linalg.norm(slow[first : last + 1] - slow[first], axis=1)
    if gone.max() < _NOTHING:
        return first + 0.5
    half = int((gone >= 0.5 * gone.max()).argmax())
    early = int(np.flatnonzero(gone[:half] < 0.3 * gone.max())[-1])
    pace = (gone[half] - gone[early]) / (half - early)
    speed = np.linalg.norm(np.diff(slow[first : first + half + 1], axis=0), axis=1)
    rests = np.flatnonzero(ndimage.maximum_filter1d(speed[: early + 1], _REST, origin=(_REST - 1) // 2, mode="constant") < 0.4 * pace)
    return first + (float(rests[-1]) + 1 if len(rests) else 0.0) + 0.5


def bounds_of(music: Music) -> np.ndarray:
    """Where style may change: starts of sections and bars, (n,) seconds, sorted."""
    return np.unique(np.concatenate([[section.start_s for section in music.sections], music.downbeats_s]).astype(float))


@dataclass(frozen=True)
class OnBounds:
    """How changes fall on bounds: `share` of those within the tolerance; `chance`, the mean share of the same changes slid round the song;
    `over_chance` = (share - chance) / (1 - chance); `covered`, the share of bounds that have a change. NaN where there is nothing to
    count."""

    share: float
    chance: float
    over_chance: float
    covered: float


def on_bounds(changes_s: np.ndarray, bounds_s: np.ndarray, duration_s: float, tolerance_s: float = 1 / 30, seed: int = 0) -> OnBounds:
    """Changes (n,) against bounds (m,), both in seconds, in a song of `duration_s`; 0 shares where there are no bounds."""
    changes, bounds = validate_events(changes_s), validate_events(bounds_s)
    if not (duration_s > 0 and tolerance_s > 0):
        raise ChoreiaError(f"duration {duration_s} s and tolerance {tolerance_s} s must both be above 0")
    shifts = np.random.default_rng(seed).uniform(0, duration_s, _SHIFTS)
    share = _near(changes, bounds, tolerance_s)
    chance = float(np.mean([_near(np.sort((changes + shift) % duration_s), bounds, tolerance_s) for shift in shifts]))
    return OnBounds(share, chance, (share - chance) / (1 - chance) if chance < 1 else 0.0, _near(bounds, changes, tolerance_s))


def _near(from_s: np.ndarray, to_s: np.ndarray, tolerance_s: float) -> float:
    """Share of `from_s` within the tolerance, and a rounding error, of any of `to_s`; NaN of none."""
    if not len(from_s):
        return float("nan")
    return float((nearest(from_s, to_s) <= tolerance_s + 1e-6).mean()) if len(to_s) else 0.0


# ------------------------------------------------------------------------------------------------------------------- cues


def cue_errors(cues: Sequence[Cue], beats_s: np.ndarray, fps: float = 30.0) -> np.ndarray:
    """Frames between each cue and the beat nearest to it, (n,), 0 or more; cues before the first beat or after the last are left out."""
    beats = validate_events(beats_s)
    times = validate_events(np.array([cue.time_s for cue in cues]))
    if not len(beats):
        return np.zeros(0)
    inside = times[(times >= beats[0] - 1e-6) & (times <= beats[-1] + 1e-6)]
    return nearest(inside, beats) * fps


def reactions(cues: Sequence[Cue], rows: np.ndarray, fps: float) -> np.ndarray:
    """Frames by which what lamps do is late to each cue, (n,), negative when early; `rows` (T, d): light or DMX levels at `fps`.

    The largest change from frame to frame within 0.2 s of the cue, counted in the middle of its two frames: a cue obeyed at the next
    frame is at most half a frame off. Only cues that fade in `SNAP_S` or less have a moment; those that change nothing are left out.
    """
    values = np.asarray(rows, float)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise ChoreiaError(f"what lamps do must be finite and (T, d) with two rows or more, not {values.shape}")
    change, found = np.linalg.norm(np.diff(values, axis=0), axis=1), []
    for cue in cues:
        first = max(0, int(np.ceil((cue.time_s - _WINDOW_S) * fps - 0.5)))
        near = change[first : int(np.floor((cue.time_s + _WINDOW_S) * fps - 0.5)) + 1]
        if max(cue.fade_in_s, cue.fade_out_s) <= SNAP_S and len(near) and near.max() > _NOTHING:
            found.append(first + int(near.argmax()) + 0.5 - cue.time_s * fps)
    return np.array(found)


# ---------------------------------------------------------------------------------------------------------------- accents


def light_accents(track: Style, fps: float = 30.0) -> np.ndarray:
    """How fast emitted light rises, (T,), 0 or more a second: relative luminance summed over the zones, under a Gaussian of `ACCENT_S`."""
    rise = np.diff(zone_luminance(track).sum(axis=1), prepend=np.nan) * fps
    return ndimage.gaussian_filter1d(np.maximum(np.nan_to_num(rise), 0), ACCENT_S * fps, mode="nearest")


def dance_accents(motion: Motion, count: int, fps: float = 30.0) -> np.ndarray:
    """How hard the dancer brakes, (count,) at `fps`: the fall of the square root of kinetic energy per kg, 0 or more, under a Gaussian of
    `ACCENT_S`; 0 after the dance. A stop is what a movement's accent looks like (Davis and Agrawala, "Visual rhythm and beat", 2018)."""
    speed = np.sqrt(kinetic_energy(motion).sum(axis=1))
    speed = ndimage.gaussian_filter1d(speed, ACCENT_S * motion.fps, mode="nearest")
    times = clock.frame_times(count, fps)
    return np.where(times < motion.duration_s, clock.resample(np.maximum(-velocity(speed, motion.fps), 0), motion.fps, times), 0.0)


def what_music_explains(music: Music, count: int, fps: float = 30.0) -> np.ndarray:
    """What may lie behind an accent without a dancer, (count, k): onsets at `LAGS_S`, waves of the 8-count, and for every material a level,
    the energy and waves of the beat, so that any pattern that keeps to beat, 8-count and section counts as the music's."""
    times = clock.frame_times(count, fps)
    energy = clock.resample(music.energy.values[:, 0].astype(float), music.energy.fps, times)
    materials = _materials(music, times)
    beat = _waves(times, music.beats_s, _BEAT_WAVES)
    own = np.concatenate([np.ones((count, 1)), energy[:, None], beat, beat * energy[:, None]], axis=1)
    columns = [own * (materials == name)[:, None] for name in np.unique(materials)]
    onset = _onset(music)
    lagged = [clock.resample(onset, music.energy.fps, times - lag) for lag in LAGS_S]
    return np.concatenate([*columns, _waves(times, music.eights_s, _EIGHT_WAVES), np.stack(lagged, axis=1)], axis=1)


def _materials(music: Music, times_s: np.ndarray) -> np.ndarray:
    """Label of the material at each time, (T,) of str."""
    starts = np.array([section.start_s for section in music.sections])
    labels = np.array([section.label for section in music.sections] or [""])
    return labels[np.clip(np.searchsorted(starts, times_s, side="right") - 1, 0, len(labels) - 1)]


def _waves(times_s: np.ndarray, grid_s: np.ndarray, count: int) -> np.ndarray:
    """Cosine and sine of 1 to `count` times the phase between the events of a grid, (T, 2 count); no columns without a grid."""
    if len(grid_s) < 2:
        return np.zeros((len(times_s), 0))
    turns = 2 * np.pi * clock.beat_position(times_s, grid_s)[:, None] * np.arange(1, count + 1)
    return np.concatenate([np.cos(turns), np.sin(turns)], axis=1)


def _onset(music: Music) -> np.ndarray:
    """Strength of onsets at the rate of the energy, (T,): the "dance" features' column, else the rise of the energy."""
    known = music.features.get("dance")
    if known is not None and "onset" in known.names and known.fps == music.energy.fps:
        return known.values[:, known.names.index("onset")].astype(float)
    return np.maximum(np.diff(music.energy.values[:, 0].astype(float), prepend=music.energy.values[0, 0]), 0)


def partial_correlation(first: np.ndarray, second: np.ndarray, controls: np.ndarray) -> float:
    """Correlation of what is left of two signals (T,) after least squares on `controls` (T, k) and a constant; 0 when nothing is left.

    Needs more frames than controls, for otherwise nothing can be left.
    """
    known = np.asarray(controls, float)
    if known.ndim != 2 or not np.shape(first) == np.shape(second) == (len(known),):
        raise ChoreiaError(f"signals {np.shape(first)} and {np.shape(second)} and controls {known.shape} must be of one length")
    signals = np.stack([first, second], axis=1).astype(float)
    if not (np.isfinite(signals).all() and np.isfinite(known).all()):
        raise ChoreiaError("signals and controls are not all finite: look for broken frames")
    if len(signals) <= known.shape[1] + 2:
        raise ChoreiaError(f"{len(signals)} frames are too few beside {known.shape[1]} controls: give a longer song")
    design = np.concatenate([np.ones((len(known), 1)), known], axis=1)
    left = signals - design @ np.linalg.lstsq(design, signals, rcond=None)[0]
    size = np.linalg.norm(left, axis=0)
    if (size <= _NOTHING * np.linalg.norm(signals - signals.mean(axis=0), axis=0) + _NOTHING).any():
        return 0.0
    return float(left[:, 0] @ left[:, 1] / size.prod())


@dataclass(frozen=True)
class Shared:
    """Accents that light shares with the dancer beyond the music: `own`, the partial correlation with the dancer it was made for; `others`
    (k,), with other dancers to the same music; `slid` (m,), with the same dancer at other times of the song."""

    own: float
    others: np.ndarray
    slid: np.ndarray


def shared_accents(track: Style, motion: Motion, music: Music, others: Sequence[Motion], fps: float = 30.0, slides: int = 8) -> Shared:
    """Accents of a track at `fps` held against its dancer, against `others`, and against its dancer slid round the song in even steps.

    Two seconds at either end are left out; ChoreiaError where little but those is there.
    """
    edge = clock.frames_in(_EDGE_S, fps)
    light, controls = light_accents(track, fps)[edge:-edge], what_music_explains(music, len(track), fps)[edge:-edge]

    def score(dance: np.ndarray) -> float:
        return partial_correlation(light, dance[edge:-edge], controls)

    own = dance_accents(motion, len(track), fps)
    steps = [round(len(own) * k / (slides + 1)) for k in range(1, slides + 1)]
    return Shared(
        score(own),
        np.array([score(dance_accents(other, len(track), fps)) for other in others]),
        np.array([score(np.roll(own, step)) for step in steps]),
    )


# ------------------------------------------------------------------------------------------------------------------ tempo

DENSITIES = ("low", "medium", "high")


def tempo_density(music: Music) -> float:
    """Beats, onsets off the beat and finer ones, a second."""
    return (len(music.beats_s) + len(music.events.offbeat_s) + len(music.events.subdivision_s)) / max(music.duration_s, _NOTHING)


def thirds(densities: Sequence[float]) -> tuple[str, ...]:
    """Which of `DENSITIES` each of a set of songs is in: thirds by rank, ties in the order given, the rest to the denser ones."""
    order = np.argsort(np.argsort(np.asarray(densities, float), kind="stable"), kind="stable")
    return tuple(DENSITIES[int(place)] for place in order * len(DENSITIES) // max(len(order), 1))
