"""What a show may not do to people: flash, leave a moving dancer in the dark, send beams into the eyes of the audience.

Flashes are counted as WCAG 2.2 (success criterion 2.3.1) and ITU-R BT.1702 do: a flash is a pair of opposing changes of relative luminance
of 0.1 or more, the darker side below 0.8, or such a pair to or from saturated red; more than three in any second are too many when they
cover a large area. Three areas are watched, each larger than a quarter of what one sees: the floor with the dancer, the backdrop, the air.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.stage import style
from choreia.stage.cues import from_track, to_track
from choreia.stage.palettes import LUMINANCE
from choreia.types import ZONES, Cue, Stage, Style

FLASHES_PER_S = 3.0
SWING = 0.1
"""Least change of relative luminance that counts; 1 is a surface fully lit in white."""
BRIGHT = 0.8
"""Pairs whose darker side is brighter than this do not count."""
RED_RATIO = 0.8
RED_SWING = 20 / 320
"""Least change of R - G - B, where R is at least `RED_RATIO` of the sum, that counts as a red flash."""

MOVING_M_S = 0.3
"""A dancer faster than this moves."""
LEAST_LIGHT = 0.06
"""Least light about a moving dancer, in full levels of white light on the floor."""
WORK_ZONES = np.array([zone in ("side_left", "side_right") for zone in ZONES])
"""Zones that are raised for a dancer in the dark: they touch neither the backdrop nor the faces."""

EYES_M = (5.0, 6.0)
"""Where the audience begins (z), and how high beams hang above the floor."""
BEAM_ON = 0.02
SAFE_TURNS = 6
"""How often cues are read anew at most."""
SLACK = 1e-3
"""Room for rounding, so that what was made safe is found safe."""

_FLOOR = {"front_left": 0.33, "front_centre": 0.33, "front_right": 0.33, "side_left": 0.25, "side_right": 0.25, "top": 0.33}
_BACK = {"back_left": 0.15, "back_centre": 0.15, "back_right": 0.15}
SURFACES = np.array(
    [
        [{**_FLOOR, **_BACK}.get(zone, 0.0) for zone in ZONES],
        [float(zone == "backdrop") for zone in ZONES],
        [{**_BACK, "beams": 0.5}.get(zone, 0.0) for zone in ZONES],
    ]
)
"""How much of each zone's light the floor, the backdrop and the hazy air give back, (3, len(ZONES)). The spot is small: it is not in."""

SEEN = SURFACES[0] + 0.5 * SURFACES[1] + 0.5 * np.array([zone == "spot" for zone in ZONES])
"""How much each zone helps to see, or to see against, a dancer, (len(ZONES),)."""


@dataclass(frozen=True)
class Intervention:
    """What was changed from `start_s` to `end_s`, and why."""

    start_s: float
    end_s: float
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.start_s:.2f}-{self.end_s:.2f} s: {self.what} ({self.why})"


@dataclass(frozen=True)
class Limits:
    """What is asked of a show: `flash` may be allowed, in writing and with a sign at the door; the others stand."""

    flash_allowed: bool = False
    flashes_per_s: float = FLASHES_PER_S
    least_light: float = LEAST_LIGHT


def surface_light(track: Style) -> np.ndarray:
    """Linear RGB of the floor, the backdrop and the air, (T, 3, 3)."""
    return np.einsum("sz,tzc->tsc", SURFACES, style.zone_light(track))


def turning_points(signal: np.ndarray, swing: float) -> np.ndarray:
    """Frames of the ends of every rise and fall of at least `swing` in `signal` (T,), sorted; what wavers by less is no turn."""
    turns, low, high, rising = [], 0, 0, 0
    for frame, value in enumerate(signal):
        high = frame if value >= signal[high] else high
        low = frame if value <= signal[low] else low
        if rising <= 0 and value - signal[low] >= swing:
            turns.append(low)
            rising, high = 1, frame
        elif rising >= 0 and signal[high] - value >= swing:
            turns.append(high)
            rising, low = -1, frame
        if rising > 0:
            low = high
        elif rising < 0:
            high = low
    return np.array([*turns, high if rising > 0 else low] if turns else [], int)


def changes(signal: np.ndarray, swing: float, bright: float) -> np.ndarray:
    """Frames where a counted rise or fall has covered `swing`, (n,), sorted; those whose darker end is not below `bright` are left out."""
    turns = turning_points(signal, swing)
    found = []
    for start, end in pairwise(turns):
        if min(signal[start], signal[end]) < bright:
            found.append(start + int(np.argmax(np.abs(signal[start : end + 1] - signal[start]) >= swing)))
    return np.array(found, int)


def _too_many(frames: np.ndarray, strobe_hz: np.ndarray, fps: float, flashes_per_s: float) -> list[tuple[int, int]]:
    """Stretches of at most a second that hold too many flashes: pairs of the changes at `frames` (n,) and the strobe's own."""
    found = []
    stops = np.searchsorted(frames, frames + fps)
    for number, stop in enumerate(stops):
        start, last = int(frames[number]), int(frames[stop - 1])
        flashes = (stop - number) // 2
        if flashes and flashes + strobe_hz[start : last + 1].max() > flashes_per_s:
            found.append((start, last))
    return found


def flashing(track: Style, fps: float, flashes_per_s: float = FLASHES_PER_S) -> list[tuple[int, int]]:
    """Stretches of frames (first, last) where a large area flashes too often, general or red, sorted; the strobe's rate itself is apart."""
    light = surface_light(track)
    luminance = light @ LUMINANCE
    red = np.clip(light[..., 0] - light[..., 1] - light[..., 2], 0, None)
    red = np.where(light[..., 0] >= RED_RATIO * light.sum(axis=-1), red, 0)
    found = []
    for surface in range(len(SURFACES)):
        for signal, swing, bright in ((luminance, SWING, BRIGHT), (red, RED_SWING, np.inf)):
            found += _too_many(changes(signal[:, surface], swing, bright), track.strobe_hz, fps, flashes_per_s)
    return _merged(found)


def _merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that touch or overlap, made one."""
    merged: list[tuple[int, int]] = []
    for start, last in sorted(stretches):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((start, last))
    return merged


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of every run of True."""
    return _merged((int(frame), int(frame)) for frame in np.flatnonzero(mask))


def _smoothed(track: Style, stretches: list[tuple[int, int]], width: int) -> Style:
    """The track with light and colour averaged over `width` frames to each side within the stretches, which widen as much."""
    calm = {name: _box(getattr(track, name), width) for name in ("light", "saturation")}
    for name in ("hue", "contrast"):
        angle = getattr(track, name).astype(float)
        calm[name] = np.arctan2(_box(np.sin(angle), width), _box(np.cos(angle), width))
    weight = np.zeros(len(track))
    for start, last in stretches:
        away = np.maximum(start - np.arange(len(track)), np.arange(len(track)) - last)
        weight = np.maximum(weight, np.clip(1 - away / width, 0, 1))
    inside = weight > 0
    changed = {name: getattr(track, name).copy() for name in calm}
    for name, value in calm.items():
        part = weight[inside].reshape(-1, *([1] * (value.ndim - 1)))
        step = value[inside] - changed[name][inside]
        turn = (step + np.pi) % (2 * np.pi) - np.pi if name in ("hue", "contrast") else step
        changed[name][inside] += part * turn
    return replace(track, **{**changed, "light": np.clip(changed["light"], 0, 1), "saturation": np.clip(changed["saturation"], 0, 1)})


def _box(values: np.ndarray, width: int) -> np.ndarray:
    """Mean over `width` frames to each side, fewer at the ends."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=float)])
    frames = np.arange(len(values))
    first, stop = np.maximum(frames - width, 0), np.minimum(frames + width + 1, len(values))
    return (total[stop] - total[first]) / (stop - first).reshape(-1, *([1] * (values.ndim - 1)))


def _calm(track: Style, fps: float, limits: Limits) -> tuple[Style, list[Intervention]]:
    """The track without too many flashes: a stretch that has them is averaged, ever wider until none is left."""
    done, width = [], max(1, round(fps / 4))
    fast = track.strobe_hz > limits.flashes_per_s
    for start, last in _runs(fast):
        top = track.strobe_hz[start : last + 1].max()
        done.append(Intervention(start / fps, (last + 1) / fps, f"strobe slowed from {top:g} to {limits.flashes_per_s:g} Hz", "flash rate"))
    if fast.any():
        track = replace(track, strobe_hz=np.minimum(track.strobe_hz, np.float32(limits.flashes_per_s)))
    while stretches := flashing(track, fps, limits.flashes_per_s):
        track = _smoothed(track, stretches, width)
        what, why = "flashes smoothed to a glow", f"more than {limits.flashes_per_s:g} a second"
        done += [Intervention(first / fps, (last + 1) / fps, what, why) for first, last in stretches]
        width *= 2
    return track, done


def _seen(track: Style) -> np.ndarray:
    """Light about the dancer, (T,)."""
    return track.light.astype(float) @ SEEN


def _lit(track: Style, moving: np.ndarray, fps: float, limits: Limits) -> tuple[Style, list[Intervention]]:
    """The track with the sides raised where a moving dancer, `moving` (T,), stands in the dark."""
    missing = limits.least_light - _seen(track)
    short = moving & (missing > SLACK)
    if not short.any():
        return track, []
    light = track.light.astype(float)
    light += np.where(short, missing, 0)[:, None] * WORK_ZONES / SEEN[WORK_ZONES].sum()
    why = "a moving dancer in the dark"
    done = [Intervention(first / fps, (last + 1) / fps, "side light raised to a minimum", why) for first, last in _runs(short)]
    return replace(track, light=np.minimum(light, 1)), done


def lowest_tilt(beam: np.ndarray) -> np.ndarray:
    """Tilt below the horizon (rad) from which every beam of `beam` (T, 3) lands before the audience; 0 when none goes there."""
    pan = np.maximum(np.abs(beam[:, 0].astype(float)) - beam[:, 2], 0)
    away = EYES_M[0] - style.SOURCES_M[ZONES.index("beams"), 2]
    return np.where(pan < np.pi / 2, np.arctan2(EYES_M[1] * np.cos(pan), away), 0)


def _lowered(track: Style, fps: float) -> tuple[Style, list[Intervention]]:
    """The track with lit beams that would cross the audience turned down to the edge of the stage; above the horizon they pass over it."""
    tilt, lowest = track.beam[:, 1].astype(float), lowest_tilt(track.beam)
    lit = track.light[:, ZONES.index("beams")] > BEAM_ON
    blinding = lit & (tilt > 0) & (tilt < lowest - SLACK)
    if not blinding.any():
        return track, []
    beam = track.beam.copy()
    beam[blinding, 1] = lowest[blinding]
    why = "beams in the eyes of the audience"
    done = [Intervention(first / fps, (last + 1) / fps, "beams turned down to the stage", why) for first, last in _runs(blinding)]
    return replace(track, beam=beam), done


def make_safe(
    track: Style, fps: float = 30.0, speed_m_s: np.ndarray | None = None, limits: Limits | None = None
) -> tuple[Style, tuple[Intervention, ...]]:
    """A track that keeps the rules, and what was changed, in order of time. A safe track comes back as it is, bit for bit.

    speed_m_s (T,): how fast the dancer's fastest joint moves; None when nobody dances. Averaging a flash can darken a dancer and
    raising the sides can add to one, so all run in turn; after three turns the sides are raised in the whole show, which no
    average undoes.
    """
    asked = limits or Limits()
    moving = np.zeros(len(track), bool) if speed_m_s is None else np.asarray(speed_m_s) > MOVING_M_S
    done: list[Intervention] = []
    for turn in range(5):
        track, raised = _lit(track, moving if turn < 3 else np.ones(len(track), bool), fps, asked)
        track, calmed = (track, []) if asked.flash_allowed else _calm(track, fps, asked)
        track, lowered = _lowered(track, fps)
        done += raised + calmed + lowered
        if not raised and not calmed:
            break
    return track, tuple(sorted(set(done), key=lambda one: (one.start_s, one.end_s, one.what)))


def make_stage_safe(
    stage: Stage, speed_m_s: np.ndarray | None = None, limits: Limits | None = None
) -> tuple[Stage, tuple[Intervention, ...]]:
    """`make_safe` for the track and for what the cues do by themselves, as on a desk that plays no more than them.

    Cues that are safe stay as they are; else all are read anew from their safe track, at the frames they had. The slices keep the intent.
    """
    track, done = make_safe(stage.track, stage.fps, speed_m_s, limits)
    cues, also = _safe_cues(stage, speed_m_s, limits)
    if not done and not also:
        return stage, ()
    every = sorted({*done, *(one for one in also if not any(_meets(one, other) for other in done))}, key=lambda one: one.start_s)
    return replace(stage, track=track, cues=cues), tuple(every)


def _meets(one: Intervention, other: Intervention) -> bool:
    """Whether two do the same at a time that they share."""
    return one.what == other.what and one.start_s < other.end_s and other.start_s < one.end_s


def _safe_cues(stage: Stage, speed_m_s: np.ndarray | None, limits: Limits | None) -> tuple[tuple[Cue, ...], list[Intervention]]:
    """Cues whose own track is safe, and what was changed; reading cues anew only comes near a track, so that it may take some turns."""
    cues, done = stage.cues, list[Intervention]()
    for _ in range(SAFE_TURNS):
        if not cues:
            break
        track, changed = make_safe(to_track(cues, stage.duration_s, stage.fps), stage.fps, speed_m_s, limits)
        if not changed:
            break
        done += changed
        cues = _read_anew(track, cues, stage)
    return cues, done


def _read_anew(track: Style, cues: tuple[Cue, ...], stage: Stage) -> tuple[Cue, ...]:
    """The cues of a track at the frames that `cues` had, with their looks and labels."""
    before = {clock.to_frame(cue.time_s, stage.fps): cue for cue in cues}
    frames = sorted({*before, 0})
    found = from_track(track, [frame / stage.fps for frame in frames], fps=stage.fps)
    looks = [stage.looks[number] for number in stage.slice_at(np.array([cue.time_s for cue in found]))]
    named = [before.get(clock.to_frame(cue.time_s, stage.fps)) for cue in found]
    return tuple(
        replace(cue, look=was.look if was else look, label=was.label if was else "")
        for cue, was, look in zip(found, named, looks, strict=True)
    )
