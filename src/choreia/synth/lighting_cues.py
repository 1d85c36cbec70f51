"""The cue list of a lighting designer: opening, scenes, bumps, a blackout before the drop, a strobe at the climax, button and fade out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.stage import cues, looks
from choreia.synth.lighting_plan import Scene, Song, fades_s
from choreia.types import ZONES, Cue, Music, Style

LIFT = 0.15
"""A scene this much stronger than the one before arrives with a bump."""
DROP = 0.3
"""A scene this much stronger arrives out of the dark."""
STROBE_HZ = 2.0
"""Fastest strobe: with the bump that it comes with, under three flashes a second."""
STROBE_DRIVE = 0.8
HIT_SHARE, HIT_RATIO = 98, 1.8
"""A beat that is struck is above this percentile of the onsets on beats, and this many times their median."""
HIT_GAP_BARS = 4
SIDES = [ZONES.index("side_left"), ZONES.index("side_right")]
PRESET_S = 0.1
"""Least time before the first look."""
WORK_LEVEL = 0.15
"""Side light that is left of a blackout on a moving dancer."""
BUTTON_ENERGY = 0.3
"""A song whose last beat is weaker fades out without a button."""
LONGEST_TAIL_S = 6.0


def state(scene: Scene, costume: np.ndarray, energy: float | None = None) -> Style:
    """The row that a scene rests at, in `costume` (len(COSTUME),); opened to another `energy` where one is given."""
    row = looks.rest(scene.look, np.array([scene.energy if energy is None else energy]), scene.colours)
    return replace(row, costume=costume[None])


def peak(scene: Scene, costume: np.ndarray) -> Style:
    """The scene wide open with its accent: a bump."""
    full = state(scene, costume, min(1.0, scene.energy + 0.3))
    return replace(full, light=np.clip(full.light + scene.look.accent, 0, 1))


def beat_after(time_s: float, music: Music, beats: int = 1) -> float:
    """The beat that comes `beats` beats after (before, when negative) the one at or before `time_s`; half seconds without a beat."""
    if not music.has_beat:
        return time_s + 0.5 * beats
    position = np.floor(clock.beat_position(np.array([time_s + 1e-6]), music.beats_s)) + beats
    return float(clock.beat_time(position, music.beats_s)[0])


def bar_name(time_s: float, music: Music) -> str:
    """Where a cue stands, for the operator."""
    number = int(np.searchsorted(music.downbeats_s, time_s + 1e-6, side="right"))
    return f"bar {number}" if number else "opening"


def _titled(scene: Scene) -> str:
    return f"{scene.section.label} {scene.section.occurrence}, {scene.look.title}"


def scene_cues(scene: Scene, before: Scene | None, costume: np.ndarray, music: Music) -> list[Cue]:
    """The cue to a scene; with a lift a bump comes first, and a strobe with it where the climax drives hardest."""
    rest, (fade_in, fade_out) = state(scene, costume), fades_s(scene)
    label = f"{_titled(scene)}, {bar_name(scene.start_s, music)}"
    look = scene.look.name
    if before is None or scene.energy - before.energy < LIFT or not music.has_beat:
        return [Cue(scene.start_s, fade_in, fade_out, rest, look, label)]
    bump = peak(scene, costume)
    flashing = scene.climax and scene.part == 0 and scene.drive > STROBE_DRIVE
    settle = beat_after(scene.start_s, music, music.meter if flashing else 1)
    if flashing:
        bump = replace(bump, strobe_hz=np.array([strobe_hz(music, scene.start_s)]))
    settled = Cue(settle, 0.0, max(fade_out, 0.5), rest, look, f"{_titled(scene)} settles")
    return [Cue(scene.start_s, 0.0, 0.0, bump, look, f"{'STROBE' if flashing else 'BUMP'} {label}"), settled]


def strobe_hz(music: Music, time_s: float) -> float:
    """Flashes a second in time with the beat: one a beat, or a half, quarter of that, `STROBE_HZ` at most."""
    rate = 1 / (beat_after(time_s, music, 1) - beat_after(time_s, music, 0))
    return rate / 2 ** max(0, int(np.ceil(np.log2(rate / STROBE_HZ) - 1e-9)))


def opening(scene: Scene, costume: np.ndarray, song: Song, moving: np.ndarray) -> list[Cue]:
    """The first cues: out of the dark in two bars, or at once where the song starts with a bang. Who moves already, `moving` (T,) at
    30 Hz, finds a little side light, and the look comes with the first beat."""
    bang = song.mean_energy(0.0, 1.0) > 0.5
    bars = song.music.downbeats_s
    bar = float(np.median(np.diff(bars))) if len(bars) > 1 else 2.0
    fade = min(0.2 if bang else float(np.clip(2 * bar, 1.0, 6.0)), scene.end_s / 2)
    look = Cue(0.0, fade, fade, state(scene, costume), scene.look.name, f"OPEN {_titled(scene)}")
    if not moving[: clock.to_frame(fade, 30.0) + 1].any():
        return [look]
    first = beat_after(PRESET_S, song.music)
    preset = Cue(0.0, 0.0, 0.0, _work_light(state(scene, costume)), "", "PRESET")
    return [preset, replace(look, time_s=first)] if 0 < first < scene.end_s / 2 else [replace(look, fade_in_s=0.0)]


def _work_light(row: Style) -> Style:
    """The row with nothing but a little side light."""
    light = np.zeros_like(row.light)
    light[:, SIDES] = WORK_LEVEL
    return replace(cues.dark(row), light=light)


def drops(scenes: Sequence[Scene], costume: np.ndarray, song: Song, moving: np.ndarray) -> list[Cue]:
    """A blackout on the last beat before each scene that breaks out; a moving dancer, `moving` (T,) at 30 Hz, keeps a little side light."""
    found = []
    for before, scene in pairwise(scenes):
        if scene.energy - before.energy < DROP or scene.drive < 0.5 or not song.music.has_beat:
            continue
        time = beat_after(scene.start_s, song.music, -1)
        row = state(before, costume)
        danced = moving[clock.to_frame(time, 30.0) : clock.to_frame(scene.start_s, 30.0) + 1].any()
        if time > before.start_s + 0.25:
            label = f"{'DIM' if danced else 'BLACKOUT'} before {scene.section.label} {scene.section.occurrence}"
            found.append(Cue(time, 0.0, 0.1, _work_light(row) if danced else cues.dark(row), "", label))
    return found


def struck_beats(song: Song) -> np.ndarray:
    """Beats that the music strikes hard, (n,) s, four bars apart at least, strongest first choice; none where onsets are unknown."""
    known, beats = song.music.features.get("dance"), song.music.beats_s
    if known is None or "onset" not in known.names or not song.music.has_beat:
        return np.zeros(0)
    onset = known.values[:, known.names.index("onset")]
    near = np.clip(np.round(beats * known.fps).astype(int)[:, None] + np.arange(-1, 3), 0, len(onset) - 1)
    force = onset[near].max(axis=1)
    least = max(float(np.percentile(force, HIT_SHARE)), HIT_RATIO * float(np.median(force)))
    gap = HIT_GAP_BARS * song.music.meter
    taken: list[int] = []
    for beat in np.argsort(-force, kind="stable"):
        if force[beat] >= least and force[beat] > 0 and all(abs(beat - other) >= gap for other in taken):
            taken.append(int(beat))
    return beats[np.sort(taken)] if taken else np.zeros(0)


def bumps(scenes: Sequence[Scene], costume: np.ndarray, song: Song) -> list[Cue]:
    """A bump on every struck beat well inside a scene, and the way back on the next beat."""
    found = []
    for time in struck_beats(song):
        scene = scene_at(scenes, time)
        back = beat_after(time, song.music)
        if time - scene.start_s < 1.0 or scene.end_s - back < 1.0:
            continue
        label = f"BUMP {_titled(scene)}, {bar_name(time, song.music)}"
        found.append(Cue(float(time), 0.0, 0.0, peak(scene, costume), scene.look.name, label))
        found.append(Cue(back, 0.0, 0.6, state(scene, costume), scene.look.name, f"{_titled(scene)} settles"))
    return found


def scene_at(scenes: Sequence[Scene], time_s: float) -> Scene:
    """The scene that holds at a time."""
    starts = [scene.start_s for scene in scenes]
    return scenes[max(0, int(np.searchsorted(starts, time_s + 1e-6, side="right")) - 1)]


def ending(scene: Scene, costume: np.ndarray, song: Song) -> list[Cue]:
    """A button on the last beat that leaves time to go dark, and the fade out after it; a song that dies away has no button."""
    music, last_frame_s = song.music, (len(song.energy) - 1) / 30.0
    tail = float(np.clip(0.1 * music.duration_s, min(0.3, last_frame_s), LONGEST_TAIL_S))
    if not music.has_beat:
        return [_out(last_frame_s - tail, last_frame_s, costume, scene)]
    able = music.beats_s[music.beats_s <= last_frame_s - min(0.75, tail)]
    if not len(able):
        return [_out(last_frame_s - tail, last_frame_s, costume, scene)]
    button = float(able[-1])
    if song.mean_energy(button, button + 0.5) < BUTTON_ENERGY or last_frame_s - button > LONGEST_TAIL_S:
        late = able[able <= last_frame_s - tail]
        return [_out(float(late[-1] if len(late) else button), last_frame_s, costume, scene)]
    out = min(beat_after(button, music), (button + last_frame_s) / 2)
    hit = Cue(button, 0.0, 0.3, peak(scene, costume), scene.look.name, f"BUTTON, {bar_name(button, music)}")
    return [hit, _out(out, last_frame_s, costume, scene)]


def _out(time_s: float, last_frame_s: float, costume: np.ndarray, scene: Scene) -> Cue:
    """The fade to black that is done on the last frame."""
    time = max(0.0, time_s)
    fade = max(0.0, last_frame_s - time - 1e-6)
    return Cue(time, fade, fade, cues.dark(state(scene, costume)), "", "FADE OUT")


def cue_list(scenes: Sequence[Scene], costume: np.ndarray, song: Song, moving: np.ndarray) -> tuple[Cue, ...]:
    """All cues of a song in order of time; the ending takes over from whatever else would come after it."""
    found = opening(scenes[0], costume, song, moving)
    for before, scene in pairwise(scenes):
        found += scene_cues(scene, before, costume, song.music)
    found += drops(scenes, costume, song, moving) + bumps(scenes, costume, song)
    end = ending(scenes[-1], costume, song)
    kept = [cue for cue in found if cue.time_s < end[0].time_s - 0.1 or cue.time_s == 0]
    return tuple(sorted([*kept, *end], key=lambda cue: cue.time_s))
