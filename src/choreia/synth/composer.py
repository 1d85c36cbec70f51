"""The composer: seeded songs with exact beats, downbeats, sections and energy; to a tempo, a tempo curve, or a motion's beats.

`compose` reads as the steps of the trade: choose genre and tempo, lay the beat grid, plan the form, write the parts, give
them players, mix. Nothing is sampled from recordings; every sound is synthesised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.synth import arrange, drums, form, presets, tempo
from choreia.synth.arrange import Feel, Note, Plan
from choreia.synth.genres import GENRES, Genre
from choreia.synth.grooves import GROOVES
from choreia.synth.harmony import Key
from choreia.synth.instruments import Plucked, Voice
from choreia.synth.mix import Desk, Event, Part, master, mix
from choreia.synth.patterns import BEATS_OF
from choreia.types import Audio, Features, RhythmEvents, Section

ENERGY_FPS = 30.0
FIRST_BEAT_S = 0.1
LONGEST_S = 1800.0
LOOSENESS_S = {"drums": 0.0008, "bass": 0.0015, "chords": 0.003, "pad": 0.004, "arp": 0.001, "lead": 0.004}
CENTRE = {"kick", "snare", "clap", "rim"}


@dataclass(frozen=True)
class Song:
    """A composed song and the truth about it.

    beats_s (B,), downbeats_s (D,): seconds, sorted, exact. sections cover [0, duration]. energy: intended intensity in
    [0, 1] at 30 fps. bpm: mean tempo. events: times of every drum and bass onset by place in the beat.
    """

    audio: Audio
    beats_s: np.ndarray
    downbeats_s: np.ndarray
    sections: tuple[Section, ...]
    energy: Features
    genre: str
    bpm: float
    meter: int
    events: RhythmEvents


@dataclass(frozen=True)
class _Grid:
    """Beats in seconds, the index of the first downbeat, and the beat on which the song ends (None: it is cut off)."""

    beats_s: np.ndarray
    phase: int
    last: int | None
    meter: int

    @property
    def bars(self) -> int:
        """Bars to fill, the incomplete first and last included."""
        return int(np.ceil((len(self.beats_s) + self.lead_in) / self.meter))

    @property
    def lead_in(self) -> int:
        """Beats of the first bar that lie before the first beat of the grid."""
        return (self.meter - self.phase) % self.meter

    def seconds(self, beat: float) -> float:
        """Time of a place counted in beats from the first bar's start."""
        return float(clock.beat_time(np.array([beat - self.lead_in]), self.beats_s)[0])


def _check(duration_s: float, genre: str | None, bpm: float | None, meter: int, rubato: float) -> None:
    if not 1.0 <= duration_s <= LONGEST_S:
        raise ChoreiaError(f"compose: duration {duration_s} s; give 1 to {LONGEST_S:.0f} s")
    if genre is not None and genre not in GENRES:
        raise ChoreiaError(f"compose: unknown genre {genre!r}; choose one of {', '.join(GENRES)}")
    if bpm is not None and not 30 <= bpm <= 300:
        raise ChoreiaError(f"compose: {bpm} BPM; give 30 to 300")
    if meter not in BEATS_OF:
        raise ChoreiaError(f"compose: {meter} beats in a bar; give {min(BEATS_OF)} to {max(BEATS_OF)}")
    if not 0 <= rubato <= 1:
        raise ChoreiaError(f"compose: rubato {rubato}; give 0 (strict) to 1 (very free)")


def _free_grid(duration_s: float, curve: tempo.TempoCurve, rubato: float, meter: int, rng: np.random.Generator) -> _Grid:
    """A grid of our own: starts on a downbeat, ends on the last downbeat that leaves room to ring."""
    beats = tempo.grid(duration_s, curve, rubato, FIRST_BEAT_S, rng)
    bars = (int(np.searchsorted(beats, duration_s - 1.5)) - 1) // meter
    if bars < 2:
        return _Grid(beats, 0, None, meter)
    return _Grid(beats[: bars * meter + 1], 0, bars * meter, meter)


def _given_grid(beats_s: np.ndarray, accents: np.ndarray | None, duration_s: float, meter: int) -> tuple[_Grid, np.ndarray | None]:
    """A grid on given beats: the bar starts where accents are strongest on average (on the first given beat without accents)."""
    beats, first = tempo.given(beats_s, duration_s)
    if accents is None:
        return _Grid(beats, first % meter, None, meter), None
    strength = np.asarray(accents, float).reshape(-1)
    if len(strength) != len(np.asarray(beats_s)) or not np.isfinite(strength).all():
        raise ChoreiaError(f"compose: {len(strength)} accents for {len(np.asarray(beats_s))} beats; give one finite strength per beat")
    means = [strength[start::meter].mean() if len(strength[start::meter]) else -np.inf for start in range(meter)]
    full = np.full(len(beats), 0.5)
    full[first : first + len(strength)] = np.clip(strength, 0, 1)
    return _Grid(beats, (first + int(np.argmax(means))) % meter, None, meter), full


def _bar_levels(spans: tuple[form.Span, ...], grid: _Grid, energy: np.ndarray | None, duration_s: float) -> np.ndarray:
    """Intensity of every bar: the sections' own, or the given energy curve's mean over the bar."""
    planned = np.concatenate([np.full(span.bars, span.level) for span in spans])
    if energy is None:
        return planned
    curve = np.clip(np.asarray(energy, float).reshape(-1), 0, 1)
    edges = np.array([grid.seconds(bar * grid.meter) for bar in range(grid.bars + 1)])
    places = np.linspace(edges[:-1], edges[1:], 9)
    return np.interp(places, np.linspace(0, duration_s, len(curve)), curve).mean(axis=0)


def _plan(name: str, grid: _Grid, levels: np.ndarray, spans: tuple[form.Span, ...], seed: int) -> Plan:
    genre = GENRES[name]
    rng = np.random.default_rng((seed, 1))
    key = Key(int(rng.integers(0, 12)), str(rng.choice(genre.modes)))
    feel = Feel(grid.meter, float(rng.uniform(*genre.swing)), float(rng.uniform(*genre.shuffle)))
    groove = GROOVES[name][int(rng.integers(len(GROOVES[name])))]
    materials = {label: arrange.material(label, genre, key, grid.meter, groove, seed) for label in form.LEVELS}
    return Plan(genre, key, feel, spans, materials, levels, seed)


def _event(note: Note, grid: _Grid, gain: float = 1.0, late_s: float = 0.0) -> Event:
    start = grid.seconds(note.beat)
    return Event(start + late_s, max(0.03, grid.seconds(note.beat + note.length) - start), note.key, min(1.0, note.velocity * gain))


def _playable(note: Note, grid: _Grid) -> bool:
    """Whether a human could play it at the local tempo: in fast beats only whole or half beats are kept."""
    index = int(np.clip(note.beat - grid.lead_in, 0, len(grid.beats_s) - 2))
    interval = grid.beats_s[index + 1] - grid.beats_s[index]
    inside = note.beat % 1.0
    return bool(inside < 1e-6 or interval > 0.36 or (interval > 0.25 and abs(inside - 0.5) < 0.2))


def _events(role: str, notes: Sequence[Note], grid: _Grid, accents: np.ndarray | None, seed: int) -> tuple[Event, ...]:
    """Notes at their times, within the grid, louder where accents are strong, a few milliseconds human."""
    rng = np.random.default_rng((seed, 5, arrange.ROLES.index(role)))
    end = grid.lead_in + (grid.last if grid.last is not None else len(grid.beats_s) - 1e-6)
    played = [note for note in notes if grid.lead_in - 1e-6 <= note.beat < end and _playable(note, grid)]
    late_s = LOOSENESS_S[role] * np.clip(rng.standard_normal(len(played)), -2, 2)
    gain = rng.uniform(0.9, 1.0, len(played))
    if accents is not None:
        gain *= 0.6 + 0.55 * accents[[int(note.beat - grid.lead_in + 1e-6) for note in played]]
    return tuple(_event(note, grid, float(g), float(late)) for note, g, late in zip(played, gain, late_s, strict=True))


def _last_hit(plan: Plan, grid: _Grid, duration_s: float) -> dict[str, tuple[Event, ...]]:
    if grid.last is None:
        return {}
    ring_s = duration_s - grid.beats_s[grid.last] - 0.1
    ring = ring_s / (grid.beats_s[grid.last] - grid.beats_s[grid.last - 1])
    return {role: tuple(_event(n, grid) for n in notes) for role, notes in arrange.ending(plan, grid.last, ring).items()}


def _players(genre: Genre, seed: int) -> dict[str, Voice | drums.Kit]:
    """Who plays: one voice a role, drawn from the genre's and varied."""
    rng = np.random.default_rng((seed, 2))
    pools = {
        "bass": genre.basses,
        "chords": genre.chords,
        "pad": genre.pads,
        "arp": ("pluck", "bells", "kalimba", "square_lead"),
        "lead": genre.leads,
    }
    voices: dict[str, Voice | drums.Kit] = {
        role: presets.vary(presets.VOICES[str(rng.choice(pool))], rng, 0.2) for role, pool in pools.items()
    }
    return voices | {"drums": drums.vary(drums.KITS[str(rng.choice(genre.kits))], rng)}


def _parts(events: dict[str, tuple[Event, ...]], genre: Genre, seed: int) -> list[Part]:
    """The band on the desk."""
    rng = np.random.default_rng((seed, 3))
    players = _players(genre, seed)
    side = float(rng.choice([-1, 1]))
    short = isinstance(players["chords"], Plucked)
    centre = tuple(e for e in events["drums"] if e.key in CENTRE)
    around = tuple(e for e in events["drums"] if e.key not in CENTRE)
    return [
        Part("drums", players["drums"], centre, 0.9, 0.0, room=0.05, levels=drums.DRUM_LEVELS),
        Part("percussion", players["drums"], around, 0.9, 0.35 * side, 0.0, room=0.12, levels=drums.DRUM_LEVELS),
        Part("bass", players["bass"], events["bass"], 0.2, 0.0, room=0.01, duck=0.6 * genre.duck),
        Part("chords", players["chords"], events["chords"], 0.085, -0.4 * side, 0.0 if short else 0.009, room=0.22, duck=genre.duck),
        Part("pad", players["pad"], events["pad"], 0.05, 0.1 * side, 0.013, room=0.4, duck=genre.duck),
        Part("arp", players["arp"], events["arp"], 0.045, 0.5 * side, room=0.25, echo=0.3, duck=0.5 * genre.duck),
        Part("lead", players["lead"], events["lead"], 0.1, 0.12 * side, room=0.25, echo=0.16, duck=0.3 * genre.duck),
    ]


def _sections(spans: tuple[form.Span, ...], grid: _Grid, duration_s: float) -> tuple[Section, ...]:
    """Spans in seconds; the first begins at 0 and the last ends with the song."""
    edges = [0.0, *(grid.seconds(span.first * grid.meter) for span in spans[1:]), duration_s]
    return tuple(Section(edges[i], edges[i + 1], span.label, span.occurrence) for i, span in enumerate(spans))


def _energy(levels: np.ndarray, grid: _Grid, duration_s: float) -> Features:
    """The bars' intensity at 30 fps, with one beat of slope between bars."""
    times = clock.frame_times(clock.frames_in(duration_s, ENERGY_FPS), ENERGY_FPS)
    bar = (clock.beat_position(times, grid.beats_s) + grid.lead_in) / grid.meter
    values = np.interp(bar, np.arange(len(levels) * 8) / 8 + 1 / 16, np.repeat(levels, 8))
    return Features(values[:, None].astype(np.float32), ENERGY_FPS, ("energy",))


def _rhythm(events: dict[str, tuple[Event, ...]], grid: _Grid) -> RhythmEvents:
    """Drum and bass onsets sorted by their place in the beat: on it, near its middle, elsewhere."""
    onsets = np.unique([e.start_s for role in ("drums", "bass") for e in events[role]])
    inside = (clock.beat_position(onsets, grid.beats_s) if len(onsets) else onsets) % 1.0
    strong = (inside < 0.02) | (inside > 0.98)
    middle = ~strong & (np.abs(inside - 0.56) < 0.13)
    return RhythmEvents(onsets[strong], onsets[middle], onsets[~strong & ~middle])


def compose(
    seed: int,
    duration_s: float,
    genre: str | None = None,
    bpm: float | None = None,
    meter: int = 4,
    tempo_curve: tempo.TempoCurve | None = None,
    beats_s: Sequence[float] | np.ndarray | None = None,
    accents: Sequence[float] | np.ndarray | None = None,
    energy: Sequence[float] | np.ndarray | None = None,
    rubato: float = 0.0,
    rate: int = 22050,
) -> Song:
    """Compose and render a song of exactly `duration_s` seconds, stereo at `rate` Hz. Same arguments, same bytes.

    genre: a key of `genres.GENRES`, or None to draw one. bpm: None draws from the genre's range. tempo_curve: a function
    of seconds or (time_s, bpm) points, instead of `bpm`. rubato in [0, 1] bends the tempo.
    beats_s (B,): compose to these beats, however uneven; the grid is continued before and after them to fill the song.
    accents (B,) in [0, 1]: strength of each given beat. energy (any length): intensity in [0, 1], spread over the song.
    Raises ChoreiaError for values out of range.
    """
    _check(duration_s, genre, bpm, meter, rubato)
    rng = np.random.default_rng((seed, 0))
    name = genre or str(rng.choice(list(GENRES)))
    style = GENRES[name]
    tempo_bpm = bpm if bpm is not None else float(rng.uniform(*style.bpm))
    if beats_s is None:
        grid, strength = _free_grid(duration_s, ((0.0, tempo_bpm),) if tempo_curve is None else tempo_curve, rubato, meter, rng), None
    else:
        grid, strength = _given_grid(np.asarray(beats_s, float), None if accents is None else np.asarray(accents), duration_s, meter)
    return _perform(name, grid, strength, None if energy is None else np.asarray(energy), duration_s, seed, rate)


def _perform(
    name: str, grid: _Grid, accents: np.ndarray | None, energy: np.ndarray | None, duration_s: float, seed: int, rate: int
) -> Song:
    """Plan, write, play and mix a song on a grid."""
    spans = form.plan(grid.bars if grid.last is None else grid.last // grid.meter)
    levels = _bar_levels(spans, grid, energy, duration_s)
    plan = _plan(name, grid, levels, spans, seed)
    notes = arrange.write(plan)
    if accents is not None:
        notes["drums"] += arrange.accent_hits(plan, np.concatenate((np.zeros(grid.lead_in), accents)))
    final = _last_hit(plan, grid, duration_s)
    events = {role: _events(role, notes[role], grid, accents, seed) + final.get(role, ()) for role in arrange.ROLES}
    kicks = tuple(e.start_s for e in events["drums"] if e.key == "kick")
    interval = float(np.median(np.diff(grid.beats_s))) if len(grid.beats_s) > 1 else 0.5
    room = float(np.random.default_rng((seed, 4)).uniform(*GENRES[name].room))
    desk = Desk(room, 0.75 * interval, kicks, seed)
    n = round(duration_s * rate)
    samples = master(mix(_parts(events, GENRES[name], seed), desk, n, rate), rate, fade_s=0.8 if grid.last is not None else 0.3)
    return Song(
        Audio(samples, rate),
        grid.beats_s,
        grid.beats_s[grid.phase :: grid.meter],
        _sections(spans, grid, duration_s),
        _energy(levels, grid, duration_s),
        name,
        60.0 / interval,
        grid.meter,
        _rhythm(events, grid),
    )
