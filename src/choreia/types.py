"""The nouns that cross boundaries: frozen dataclasses whose fields state shape and unit.

Conventions everywhere: seconds, metres, radians, Hz; Y up, right-handed, facing +Z; quaternions wxyz.
Times are only converted in `choreia.clock`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError


@dataclass(frozen=True)
class Audio:
    """Sound: `samples` (channels, n) float32 in [-1, 1] at `rate` Hz."""

    samples: np.ndarray
    rate: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.shape[1] / self.rate

    def mono(self) -> np.ndarray:
        """Mean over channels, (n,) float32."""
        return self.samples.mean(axis=0, dtype=np.float32)


@dataclass(frozen=True)
class Section:
    """A stretch of a song. Equal `label`s are the same material; `occurrence` counts them from 1."""

    start_s: float
    end_s: float
    label: str
    occurrence: int = 1


@dataclass(frozen=True)
class Features:
    """A named feature track: `values` (frames, len(names)) float32 at `fps` frames a second, frame i at i / fps s."""

    values: np.ndarray
    fps: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class RhythmEvents:
    """Event times in seconds, each (n,) float64, sorted: on-the-bar beats, between-beat onsets, finer onsets."""

    strong_s: np.ndarray
    offbeat_s: np.ndarray
    subdivision_s: np.ndarray


@dataclass(frozen=True)
class Music:
    """An analysed song.

    beats_s (B,), downbeats_s (D,): seconds, sorted; both empty when the music has no beat.
    eights_s (P,): starts of the 8-counts that dancers phrase by (two bars of four; one bar-pair in other metres).
    tempo_bpm (B,): local tempo at each beat. meter: beats in a bar. energy: one column in [0, 1].
    sections cover [0, duration_s]. features: the named sets ("lrcm3", "edge35", "logmel", "dance").
    """

    duration_s: float
    beats_s: np.ndarray
    downbeats_s: np.ndarray
    eights_s: np.ndarray
    tempo_bpm: np.ndarray
    meter: int
    sections: tuple[Section, ...]
    events: RhythmEvents
    energy: Features
    features: dict[str, Features] = field(default_factory=dict)

    @property
    def has_beat(self) -> bool:
        """Whether a beat was found at all."""
        return len(self.beats_s) > 1


@dataclass(frozen=True)
class Skeleton:
    """Joint tree: `names` (J,), `parents` (J,) with -1 for the root and parents before children, `offsets` (J, 3) m in the rest pose."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray

    def index(self, name: str) -> int:
        """Index of the joint called `name`; ValueError when there is none."""
        return self.names.index(name)


@dataclass(frozen=True)
class Motion:
    """A take: world position of the root joint `root` (T, 3) m, local `rotations` (T, J, 4) unit wxyz, at `fps` Hz."""

    skeleton: Skeleton
    root: np.ndarray
    rotations: np.ndarray
    fps: float

    def __len__(self) -> int:
        return len(self.root)

    @property
    def duration_s(self) -> float:
        """Number of frames over frame rate, in seconds."""
        return len(self.root) / self.fps

    def slice(self, start: int, stop: int) -> Motion:
        """Frames [start, stop)."""
        return Motion(self.skeleton, self.root[start:stop], self.rotations[start:stop], self.fps)

    def times(self) -> np.ndarray:
        """Time of every frame in seconds, (T,)."""
        return clock.frame_times(len(self), self.fps)


@dataclass(frozen=True)
class Move:
    """A local move: what happens between two times in seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Script:
    """Words for a dance: one global style text and timed local moves (the two levels of LRCM)."""

    style: str
    moves: tuple[Move, ...] = ()


ZONES = (
    "front_left", "front_centre", "front_right", "side_left", "side_right", "back_left", "back_centre", "back_right",
    "top", "backdrop", "beams", "spot",
)  # fmt: skip
"""Where light comes from, the columns of `Style.light`. Left is the dancer's left, +X; the spot goes with the dancer, beams show in air."""

TEXTURE = ("depth", "cycles_per_m", "angle_rad", "softness", "weave", "drift_m_s")
"""Columns of `Style.texture`, the texture field F(x, y) that gobos throw: `choreia.stage.style.texture_field` has its formula."""

COSTUME = ("hue_rad", "saturation", "lightness", "roughness", "metal", "pattern")
"""Columns of `Style.costume`. Hue is an angle of OKLCH, the others are in [0, 1]; `metal` is glitter and lamé, `pattern` print or weave."""

BEAM = ("pan_rad", "tilt_rad", "fan_rad")
"""Columns of `Style.beam`: the middle of the beams, pan from +Z (the audience) towards +X and tilt below the horizon, and the angle from
the middle to the outermost beam."""

STYLE_RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "hue": ((-np.inf, np.inf),),
    "saturation": ((0, 1),),
    "contrast": ((-np.inf, np.inf),),
    "light": ((0, 1),) * len(ZONES),
    "texture": ((0, 1), (0, 8), (-np.inf, np.inf), (0, 1), (0, 1), (-4, 4)),
    "costume": ((-np.inf, np.inf), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1)),
    "beam": ((-np.pi, np.pi), (-np.pi / 2, np.pi / 2), (0, np.pi / 2)),
    "strobe_hz": ((0, 25),),
}
"""Lowest and highest value of every column of every field of `Style`; angles on the colour circle may be any finite number."""


@dataclass(frozen=True)
class Style:
    """How the stage looks, one row a moment. Every field is float32; ChoreiaError when one has another shape or leaves `STYLE_RANGES`.

    hue (T,) rad, saturation (T,) in [0, 1]: key colour, an angle of OKLCH and a part of the purest light of that hue.
    contrast (T,) rad: hue of the accent colour (`choreia.stage.style.ACCENT` says which zones take it) minus the key hue.
    light (T, len(ZONES)) in [0, 1]: level of every zone, proportional to emitted light: the illumination distribution.
    texture (T, len(TEXTURE)), costume (T, len(COSTUME)), beam (T, len(BEAM)): see there. strobe_hz (T,): 0 is a steady light.
    """

    hue: np.ndarray
    saturation: np.ndarray
    contrast: np.ndarray
    light: np.ndarray
    texture: np.ndarray
    costume: np.ndarray
    beam: np.ndarray
    strobe_hz: np.ndarray

    def __post_init__(self) -> None:
        for name, ranges in STYLE_RANGES.items():
            value = np.asarray(getattr(self, name), np.float32)
            object.__setattr__(self, name, value)
            shape = (len(self.hue), *([len(ranges)] if len(ranges) > 1 else []))
            if value.shape != shape:
                raise ChoreiaError(f"style: {name} has shape {value.shape}, not {shape}; give every field one row a moment")
            low, high = np.array(ranges, np.float32).T
            columns = value.reshape(-1, len(ranges))
            if not (np.isfinite(columns) & (columns >= low) & (columns <= high)).all():
                raise ChoreiaError(f"style: {name} is not finite or leaves its range {low.min():g} to {high.max():g}; clip it first")

    def __len__(self) -> int:
        return len(self.hue)

    def rows(self, index: slice | np.ndarray) -> Style:
        """The rows that `index` picks: a slice, indices or a mask."""
        return Style(*(getattr(self, column.name)[index] for column in fields(self)))


@dataclass(frozen=True)
class Cue:
    """From `time_s` on, the stage goes over to `state`, one row of Style: what rises in `fade_in_s`, what falls in `fade_out_s`.

    Levels rise and fall each in its own time, as on a theatre desk; everything else moves in `fade_in_s`; a strobe starts or stops at once.
    `look` names the look category that the state comes from, "" for free levels; `label` is what the operator reads.
    """

    time_s: float
    fade_in_s: float
    fade_out_s: float
    state: Style
    look: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        times = (self.time_s, self.fade_in_s, self.fade_out_s)
        if not all(np.isfinite(times)) or min(times) < 0:
            raise ChoreiaError(f"cue {self.label or self.look}: time and fades are {times} s; they must be finite and not negative")
        if len(self.state) != 1:
            raise ChoreiaError(f"cue at {self.time_s:.2f} s: its state has {len(self.state)} rows; give one")

    @property
    def is_blackout(self) -> bool:
        """Whether no zone is lit."""
        return not self.state.light.any()

    @property
    def spot(self) -> float:
        """Level of the follow-spot in [0, 1]."""
        return float(self.state.light[0, ZONES.index("spot")])

    @property
    def strobe_hz(self) -> float:
        """Flashes a second, 0 for none."""
        return float(self.state.strobe_hz[0])


@dataclass(frozen=True)
class Stage:
    """Light and costume of a performance.

    track: Style at `fps` Hz, row i at i / fps s. The same at cue resolution: slice n runs from starts_s[n] (N,) s, the first from 0, to the
    next, shows the look category looks[n] and rests at row n of `slices`. cues: sorted by time, all that an operator plays.
    """

    track: Style
    starts_s: np.ndarray
    looks: tuple[str, ...]
    slices: Style
    cues: tuple[Cue, ...] = ()
    fps: float = 30.0

    def __post_init__(self) -> None:
        starts = np.asarray(self.starts_s, float)
        object.__setattr__(self, "starts_s", starts)
        if not len(starts) == len(self.looks) == len(self.slices):
            raise ChoreiaError(f"stage: {len(starts)} starts, {len(self.looks)} looks and {len(self.slices)} rows; give one each a slice")
        if not len(starts) or starts[0] != 0 or not (np.diff(starts) > 0).all():
            raise ChoreiaError("stage: the starts of the slices must rise from 0 s; sort them and drop doubles")
        if any(late.time_s < early.time_s for early, late in pairwise(self.cues)):
            raise ChoreiaError("stage: the cues are not in order of time; sort them")

    @property
    def duration_s(self) -> float:
        """Number of rows of the track over its rate, in seconds."""
        return len(self.track) / self.fps

    def slice_at(self, times_s: np.ndarray) -> np.ndarray:
        """Index of the slice that holds at each of `times_s` (n,), (n,) int."""
        return np.clip(np.searchsorted(self.starts_s, times_s, side="right") - 1, 0, len(self.starts_s) - 1)


@dataclass(frozen=True)
class Performance:
    """Any subset of the modalities on one timeline in seconds, with provenance (song hash, model, weights hash, seed, options)."""

    audio: Audio | None = None
    music: Music | None = None
    motion: Motion | None = None
    script: Script | None = None
    provenance: dict[str, object] = field(default_factory=dict)
    stage: Stage | None = None
