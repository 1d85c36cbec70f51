"""The nouns that cross boundaries: frozen dataclasses whose fields state shape and unit.

Conventions everywhere: seconds, metres, radians, Hz; Y up, right-handed, facing +Z; quaternions wxyz.
Times are only converted in `choreia.clock`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from choreia import clock


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


@dataclass(frozen=True)
class Performance:
    """Any subset of the modalities on one timeline in seconds, with provenance (song hash, model, weights hash, seed, options)."""

    audio: Audio | None = None
    music: Music | None = None
    motion: Motion | None = None
    script: Script | None = None
    provenance: dict[str, object] = field(default_factory=dict)
