"""A lighting designer that follows rules: from a song, and the dance to it, to a stage with cues. Seeded.

`lighting_plan` decides scenes, looks and colours; `lighting_cues` writes the cue list; `lighting_dancer` watches the dance. The track is
what the cues do plus what lives between them: the look's beats, swing and energy, and what follows the dancer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from choreia import clock
from choreia.stage import cues, looks, safety, style
from choreia.stage.looks import Look
from choreia.stage.palettes import Palette
from choreia.synth import lighting_cues, lighting_plan
from choreia.synth.lighting_dancer import Dancer, watch
from choreia.synth.lighting_plan import Scene, Song
from choreia.types import ZONES, Cue, Motion, Music, Stage, Style

FPS = 30.0
MUSIC_SHARE = 0.65
"""How much of a look's energy comes from the music where somebody dances; the rest is the dancer's."""
LEAST_ACTIVITY = 0.3
"""What counts as much movement, on average, in the calmest dance."""
PULSE_HZ = 2.9
"""Beats faster than this are taken by twos, fours: every one would be too many flashes."""
HIT_S = 0.4
"""How long the light of a dancer's hit takes to fall."""
ON_BEAT_S = 0.08
"""A hit as near as this to a beat is danced on it."""
PULSE_SHARE = 0.5
"""How much of its beats a look keeps where somebody dances: the rest of the accents is the dancer's."""
ROOM = 0.75
"""Part of its level that a look keeps behind a dancer who hardly moves; accents need room above."""
SIDE_GAIN, HIT_GAIN = 0.25, {"spot": 0.3, "back_centre": 0.3, "top": 0.15}
HIT_SIDE = 0.45
SPOT_GAIN, WASH_GAIN = 0.45, 0.6
FRONT = [ZONES.index(name) for name in ("front_left", "front_centre", "front_right")]
SPOT, LEFT, RIGHT = (ZONES.index(name) for name in ("spot", "side_left", "side_right"))
NARROW = np.array([{"spot": 1.0, "back_centre": 0.8, "backdrop": 0.6}.get(zone, 0.45) for zone in ZONES])
"""What stillness leaves of every zone."""


@dataclass(frozen=True)
class Wish:
    """What a person asks for; None leaves it to the designer."""

    look: Look | None = None
    palette: Palette | None = None


def design(music: Music, dance: Motion | None = None, *, seed: int = 0, wish: Wish = Wish()) -> Stage:
    """Light a song, and the dance to it where there is one.

    Returns a stage at 30 Hz with one row a frame of `music.duration_s`, slices on section and bar bounds, cues on beats and bounds. It is
    not made safe. The same music, dance, seed and wish give the same stage.
    """
    rng = np.random.default_rng(seed)
    times = clock.frame_times(clock.frames_in(music.duration_s, FPS), FPS)
    dancer = watch(dance, times) if dance is not None else None
    energy = mixed_energy(music, dancer, times)
    song = lighting_plan.hear(music, energy)
    scenes = lighting_plan.scenes(song, wish.look, wish.palette, rng)
    costume = dress(scenes)
    moving = dancer.moving if dancer else np.zeros(len(times), bool)
    found = lighting_cues.cue_list(scenes, costume, song, moving)
    track = live(cues.to_track(found, music.duration_s, FPS), scenes, found, song, dancer)
    slices = style.join([lighting_cues.state(scene, costume) for scene in scenes])
    return Stage(track, np.array([scene.start_s for scene in scenes]), tuple(scene.look.name for scene in scenes), slices, found, FPS)


def mixed_energy(music: Music, dancer: Dancer | None, times_s: np.ndarray) -> np.ndarray:
    """Energy of music and dancer, (T,) in [0, 1], the dancer's over a second and a half and against the dance's own large values."""
    heard = np.clip(clock.resample(music.energy.values[:, 0], music.energy.fps, times_s), 0, 1).astype(float)
    if dancer is None:
        return heard
    seen = ndimage.gaussian_filter1d(dancer.activity.astype(float), 0.75 * FPS, mode="nearest")
    most = max(float(np.percentile(seen, 90)), LEAST_ACTIVITY)
    return MUSIC_SHARE * heard + (1 - MUSIC_SHARE) * np.minimum(seen / most, 1)


def dress(scenes: Sequence[Scene]) -> np.ndarray:
    """The costume of the whole song, (len(COSTUME),): that of the climax's look, halfway open."""
    top = next((scene for scene in scenes if scene.climax), scenes[0])
    return looks.rest(top.look, np.array([0.5])).costume[0]


def live(track: Style, scenes: Sequence[Scene], found: Sequence[Cue], song: Song, dancer: Dancer | None) -> Style:
    """What the cues do, and what lives between them while a look stands."""
    times = clock.frame_times(len(track), FPS)
    presence = standing(found, times)
    light, beam = track.light.astype(float), track.beam.astype(float)
    beats = pulse_beats(song.music, dancer)
    for scene, last in zip(scenes, [*(False for _ in scenes[1:]), True], strict=True):
        rows = (times >= scene.start_s - 1e-9) & ((times < scene.end_s - 1e-9) | last)
        added, pan = between_cues(scene, times[rows], song, dancer, beats, rows)
        if dancer:
            added += hit_light(dancer, times[rows], scene.look)
        light[rows] += presence[rows, None] * added
        beam[rows, 0] = np.clip(beam[rows, 0] + presence[rows] * pan, -np.pi, np.pi)
    if dancer:
        light = never_dark(follow(light, dancer, presence), dancer.moving & (times < found[-1].time_s))
    return replace(track, light=np.clip(light, 0, 1), beam=beam)


def standing(found: Sequence[Cue], times_s: np.ndarray) -> np.ndarray:
    """How much of a look stands, (T,) in [0, 1]: grows with the fade of its first cue, 0 in blackouts, strobes and the last fade."""
    presence = np.zeros(len(times_s))
    ends = [*(cue.time_s for cue in found[1:]), np.inf]
    before = False
    for cue, end in zip(found, ends, strict=True):
        rows = (times_s >= cue.time_s - 1e-9) & (times_s < end - 1e-9)
        lit = bool(cue.look) and not cue.strobe_hz
        part = np.ones(rows.sum()) if before or not cue.fade_in_s else np.clip((times_s[rows] - cue.time_s) / cue.fade_in_s, 0, 1)
        presence[rows] = part * lit
        before = lit
    return presence


def pulse_beats(music: Music, dancer: Dancer | None) -> np.ndarray:
    """Beats that light marks, (n,) s: thinned where they come too fast, and beats beside an off-beat hit left to the dancer."""
    if not music.has_beat:
        return np.zeros(0)
    rate = 1 / float(np.median(np.diff(music.beats_s)))
    step = 2 ** max(0, int(np.ceil(np.log2(rate / PULSE_HZ))))
    first = int(np.argmin(np.abs(music.beats_s - music.downbeats_s[0]))) % step if len(music.downbeats_s) else 0
    beats = music.beats_s[first::step]
    if dancer is None or not len(dancer.hits_s) or not len(beats):
        return beats
    apart = np.abs(clock.nearest(dancer.hits_s, beats) - beats)
    strong = np.isin(beats, music.downbeats_s)
    return beats[(apart <= ON_BEAT_S) | (apart > 0.25) | strong]


def between_cues(
    scene: Scene, times_s: np.ndarray, song: Song, dancer: Dancer | None, beats_s: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What lives in a scene at `times_s` (n,): levels added (n, len(ZONES)) by energy and beats, and pan (n,) of the swing.

    Energy moves a look half as far as it strays from the scene's mean; beats are marked less where the dancer does little.
    """
    music = song.music
    mean = song.mean_energy(scene.start_s, scene.end_s)
    energy = np.clip(scene.energy + 0.5 * (song.energy[rows] - mean), 0, 1)
    ease = np.clip((times_s - scene.start_s) / 1.0, 0, 1)[:, None]
    base = looks.rest(scene.look, np.array([scene.energy]), scene.colours).light
    drift = ease * (looks.rest(scene.look, energy, scene.colours).light - base)
    weight = np.ones(len(times_s)) if dancer is None else PULSE_SHARE * (0.5 + dancer.activity[rows])
    pulses = looks.pulses(scene.look, times_s, beats_s, music.downbeats_s) * weight[:, None]
    return drift + pulses, ease[:, 0] * looks.swing(scene.look, times_s, music.downbeats_s)


def hit_light(dancer: Dancer, times_s: np.ndarray, look: Look) -> np.ndarray:
    """Levels (n, len(ZONES)) that the dancer's hits add at consecutive `times_s` (n,): the look's accent, the spot, the back and the
    side of the dancer, up at once at the size of the hit, down in `HIT_S`."""
    gain = look.accent + np.array([HIT_GAIN.get(zone, 0.0) for zone in ZONES])
    added = np.zeros((len(times_s), len(ZONES)))
    near = (dancer.hits_s > times_s[0] - HIT_S) & (dancer.hits_s <= times_s[-1])
    for hit, size, lean in zip(dancer.hits_s[near], dancer.sizes[near], dancer.hit_leans[near], strict=True):
        rows = slice(*np.searchsorted(times_s, [hit - 1e-9, hit + HIT_S]))
        zones = gain.copy()
        zones[[LEFT, RIGHT]] += HIT_SIDE * (1 + lean) / 2, HIT_SIDE * (1 - lean) / 2
        fall = 1 - (times_s[rows] - hit) / HIT_S
        added[rows] = np.maximum(added[rows], size * fall[:, None] * zones)
    return added


def follow(light: np.ndarray, dancer: Dancer, presence: np.ndarray) -> np.ndarray:
    """Levels (T, len(ZONES)) that answer the dancer: more with much movement, narrow and dim in stillness, the spot on a slow dancer in
    the middle where no wash shows him, the side that he goes to."""
    activity = ndimage.gaussian_filter1d(dancer.activity.astype(float), 0.5 * FPS, mode="nearest")
    room = ROOM + (1 - ROOM) * activity[:, None] - dancer.still[:, None] * (1 - NARROW)
    light = light * (1 - presence[:, None] * (1 - np.clip(room, 0, 1)))
    wash = light[:, FRONT].mean(axis=1)
    light[:, SPOT] += presence * SPOT_GAIN * (1 - activity) * dancer.centre * np.clip(1 - WASH_GAIN * wash, 0, 1)
    light[:, LEFT] += presence * SIDE_GAIN * np.maximum(dancer.lean, 0)
    light[:, RIGHT] += presence * SIDE_GAIN * np.maximum(-dancer.lean, 0)
    return light


def never_dark(light: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Levels (T, len(ZONES)) with the sides raised where somebody who moves, `moving` (T,), would stand in the dark."""
    light = np.clip(light, 0, 1)
    missing = np.where(moving, np.maximum(1.01 * safety.LEAST_LIGHT - light @ safety.SEEN, 0), 0)
    return light + missing[:, None] * safety.WORK_ZONES / safety.SEEN[safety.WORK_ZONES].sum()
