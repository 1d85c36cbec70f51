"""What a lighting designer decides before the first cue: the scenes of a song, the look of each material, the colours, the fades."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.stage import looks
from choreia.stage.looks import Look
from choreia.stage.palettes import HARMONIES, NAMED, Palette, harmony, palette
from choreia.types import Music, Section

CHARACTER = {
    "warm_wash": (0.45, 0.40, 0.40),
    "cold_back": (0.35, 0.40, 0.60),
    "side_dance": (0.50, 0.60, 0.40),
    "colour_contrast": (0.70, 0.55, 0.45),
    "silhouette": (0.15, 0.25, 0.30),
    "solo_spot": (0.25, 0.15, 0.45),
    "aerial_beams": (0.85, 0.75, 0.75),
    "gobo_forest": (0.30, 0.35, 0.55),
    "neon_pulse": (0.85, 0.90, 0.60),
    "gala_finale": (1.00, 0.60, 0.60),
}
"""Energy, tempo and brightness of sound that a look suits, each in [0, 1]."""
CHARACTER_WEIGHTS = np.array([1.0, 0.5, 0.3])
TRIPLE = {"warm_wash", "gobo_forest", "solo_spot", "gala_finale", "silhouette"}
"""Looks that suit a waltz; the others are put back in metres of three and six."""
SHORTEST_S = 2 / 30
"""A shorter section might hold no frame: it goes to the one before."""
SLOW_BPM, FAST_BPM = 70.0, 150.0
CALM_BARS, DRIVEN_BARS = 8, 4
"""How long a phrase keeps one state: real shows that run to music change about every bar, so a driven scene is cut finer."""
DRIVEN = 0.5
SLOW_LOOK_S = 2.0
"""Looks that ask for a longer fade never come at once."""
ROLES = {"chorus": 0.15, "drop": 0.15, "verse": 0.0, "intro": -0.1, "outro": -0.1, "bridge": -0.1, "breakdown": -0.15}
"""What the name of a material adds to its energy."""
SKIN_GREEN = (1.7, 3.1)
"""Hues in rad that flatter nobody: no key colour is drawn there."""


@cache
def priors() -> dict:
    """The measured numbers of `assets/looks/priors.json`."""
    return json.loads(resources.files("choreia").joinpath("assets/looks/priors.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Scene:
    """A stretch of one look, from one section or bar bound to the next.

    energy in [0, 1]: how far the look is opened. drive in [0, 1]: energy and tempo together. colours: the palette as it is turned here.
    part counts the phrases of a section from 0; `climax` marks the section that all leads to.
    """

    start_s: float
    end_s: float
    section: Section
    part: int
    energy: float
    drive: float
    look: Look
    colours: Palette
    climax: bool = False


@dataclass(frozen=True)
class Song:
    """Music as a designer hears it: `energy` (T,) at 30 Hz, `sections` that fill the song, tempo and brightness in [0, 1]."""

    music: Music
    energy: np.ndarray
    sections: tuple[Section, ...]
    tempo: float

    def mean_energy(self, start_s: float, end_s: float) -> float:
        """Mean energy of a stretch."""
        return _mean(self.energy, start_s, end_s)

    def brightness(self, start_s: float, end_s: float) -> float:
        """How bright a stretch sounds, in [0, 1]; 0.5 where nothing is known."""
        known = self.music.features.get("dance")
        if known is None or "centroid" not in known.names:
            return 0.5
        return _mean(known.values[:, known.names.index("centroid")], start_s, end_s)


def _mean(curve: np.ndarray, start_s: float, end_s: float, fps: float = 30.0) -> float:
    first = min(clock.to_frame(start_s, fps), len(curve) - 1)
    return float(curve[first : max(first + 1, clock.to_frame(end_s, fps))].mean())


def hear(music: Music, energy: np.ndarray) -> Song:
    """The song with section bounds on the nearest bar, where one is near; a song without sections is one section."""
    given = music.sections or (Section(0.0, music.duration_s, "A"),)
    bounds = [0.0, *(on_bar(section.start_s, music) for section in given[1:]), music.duration_s]
    sections = tuple(replace(s, start_s=a, end_s=b) for s, (a, b) in zip(given, pairwise(bounds), strict=True) if b > a + SHORTEST_S)
    tempo = float(np.median(music.tempo_bpm)) if music.has_beat and len(music.tempo_bpm) else SLOW_BPM
    whole = Section(0.0, music.duration_s, "A")
    return Song(music, energy, sections or (whole,), float(np.clip((tempo - SLOW_BPM) / (FAST_BPM - SLOW_BPM), 0, 1)))


def on_bar(time_s: float, music: Music) -> float:
    """The bar bound within half a beat of a time, else the time itself."""
    if not music.has_beat or not len(music.downbeats_s):
        return float(time_s)
    near = float(clock.nearest(music.downbeats_s, np.array([time_s]))[0])
    return near if abs(near - time_s) <= 0.5 * float(np.median(np.diff(music.beats_s))) else float(time_s)


def material_energies(song: Song) -> dict[str, float]:
    """Energy of each material, in order of appearance: half as it is, half as it stands among the song's, and what its role adds; a
    chorus may come out above 1."""
    totals: dict[str, list[float]] = {}
    for section in song.sections:
        seconds, sums = totals.setdefault(section.label, [0.0, 0.0])
        length = section.end_s - section.start_s
        totals[section.label] = [seconds + length, sums + length * song.mean_energy(section.start_s, section.end_s)]
    plain = {label: sums / seconds for label, (seconds, sums) in totals.items()}
    low, high = min(plain.values()), max(plain.values())
    spread = high - low
    ranked = {label: 0.5 * value + 0.5 * ((value - low) / spread if spread > 0.05 else value) for label, value in plain.items()}
    return {label: max(0.0, value + ROLES.get(label, 0.0)) for label, value in ranked.items()}


def choose_looks(song: Song, energies: dict[str, float], rng: np.random.Generator) -> dict[str, Look]:
    """A look for each material: the strongest chooses first, a look that is taken suits less."""
    taken: list[str] = []
    chosen = {}
    for label in sorted(energies, key=lambda one: -energies[one]):
        first = next(section for section in song.sections if section.label == label)
        wanted = np.array([energies[label], song.tempo, song.brightness(first.start_s, first.end_s)])
        triple = song.music.meter % 3 == 0 and song.music.has_beat
        cost = {
            name: float((CHARACTER_WEIGHTS * (wanted - CHARACTER[name]) ** 2).sum())
            + rng.uniform(0, 0.06) + 0.5 * taken.count(name) + 0.25 * (triple and name not in TRIPLE)
            for name in looks.LOOKS
        }  # fmt: skip
        taken.append(min(cost, key=cost.__getitem__))
        chosen[label] = looks.look(taken[-1])
    return chosen


def choose_palette(chosen: list[Look], rng: np.random.Generator) -> Palette:
    """Colours for a song: a named palette that one of its looks asks for, or a harmony whose hue step is as common as in real shows."""
    names = sorted({name for one in chosen for name in one.palettes if name in NAMED})
    if names and rng.random() < 0.5:
        return palette(str(rng.choice(names)))
    low, high = SKIN_GREEN
    hue = (high + rng.uniform(0, 2 * np.pi - (high - low))) % (2 * np.pi)
    steps = np.array(priors()["hue_steps"])
    rules = list(HARMONIES)
    turns = [abs(HARMONIES[rule][1 % len(HARMONIES[rule])]) for rule in rules]
    weights = np.array([steps[min(int(turn / 180 * len(steps)), len(steps) - 1)] for turn in turns]) + 0.02
    return harmony(str(rng.choice(rules, p=weights / weights.sum())), hue, float(rng.uniform(0.7, 1.0)))


def phrases(section: Section, song: Song, bars: int) -> list[float]:
    """Where the phrases of a section start: every `bars` bars, when it is half as long again; the last has half of that at least."""
    downs = song.music.downbeats_s
    inside = downs[(downs > section.start_s - 1e-6) & (downs < section.end_s - 1e-6)]
    if len(inside) < 1.5 * bars:
        return [section.start_s]
    return [
        section.start_s,
        *(float(bar) for number, bar in enumerate(inside) if number and number % bars == 0 and len(inside) - number >= bars / 2),
    ]


def climax(song: Song, energies: dict[str, float]) -> int:
    """Index of the section that all leads to: the last of the strongest material."""
    top = max(energies, key=energies.__getitem__)
    return max(number for number, section in enumerate(song.sections) if section.label == top)


def scenes(song: Song, wished_look: Look | None, wished_palette: Palette | None, rng: np.random.Generator) -> tuple[Scene, ...]:
    """The scenes of a song. The same material has the same look; each material starts from its own colour of the song's palette, and
    each time it returns its palette turns by the look's step. Some materials exchange their colours from phrase to phrase."""
    energies = material_energies(song)
    chosen = choose_looks(song, energies, rng)
    chosen = dict.fromkeys(chosen, wished_look) if wished_look else chosen
    drawn = choose_palette(list(chosen.values()), rng)
    exchanging = {label for label in energies if rng.random() < priors()["colour_change_share"]}
    top = climax(song, energies) if len(song.sections) > 1 else -1
    turns = {label: number for number, label in enumerate(energies)}
    found: list[Scene] = []
    for number, section in enumerate(song.sections):
        look = chosen[section.label]
        colours = (wished_palette or drawn).turned(turns[section.label] + look.palette_step * (section.occurrence - 1))
        driven = 0.5 * (energies[section.label] + song.tempo) > DRIVEN
        starts = [*phrases(section, song, DRIVEN_BARS if driven else CALM_BARS), section.end_s]
        for part, (start, end) in enumerate(pairwise(starts)):
            energy = 1.0 if number == top else _part_energy(song, energies[section.label], start, end, part)
            turned = colours.turned(part % 2 if driven and section.label in exchanging else 0)
            found.append(Scene(start, end, section, part, energy, 0.5 * (energy + song.tempo), look, turned, number == top))
    return tuple(found)


def _part_energy(song: Song, material: float, start_s: float, end_s: float, part: int) -> float:
    """How far a look is opened in a phrase: by its material and its own energy, every second phrase a little more."""
    return float(np.clip(0.6 * material + 0.4 * song.mean_energy(start_s, end_s) + 0.08 * (part % 2), 0, 1))


def fades_s(scene: Scene) -> tuple[float, float]:
    """Fade-in and fade-out of the cue to a scene: long where it is calm, as long as real fades are, none where it drives hard."""
    quick, typical, slow = priors()["fade_10_50_90_s"]
    if scene.drive > 1 - priors()["snap_share"] and scene.look.fade_in_s < SLOW_LOOK_S:
        return 0.0, min(scene.look.fade_out_s, quick)
    real = float(np.interp(1 - scene.drive, [0.25, 0.5, 0.75], [quick, typical, slow]))
    longest = 0.5 * (scene.end_s - scene.start_s)
    fade_in, fade_out = (float(np.sqrt(real * own)) for own in (scene.look.fade_in_s, scene.look.fade_out_s))
    return min(fade_in, longest), min(fade_out, longest)
