"""A show: what every output is made from, and how its times are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.stage import rig_dmx
from choreia.stage.rig import Rig, plain
from choreia.types import Cue, Music, Stage


@dataclass(frozen=True)
class Show:
    """A stage on a rig, with what it plays to.

    music gives bars, song is the sound file that other programs play, dancer_m (T, 3) is where spots aim at every row of the track, the
    middle of the stage when None. name heads every file. ChoreiaError when the dancer's rows are not those of the track.
    """

    name: str
    stage: Stage
    rig: Rig
    music: Music | None = None
    song: Path | None = None
    dancer_m: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain(self.name) or "Show")
        if self.dancer_m is not None and np.shape(self.dancer_m) != (len(self.stage.track), 3):
            raise ChoreiaError(f"show {self.name}: the dancer has shape {np.shape(self.dancer_m)}, the track {len(self.stage.track)} rows")

    @cached_property
    def dmx(self) -> rig_dmx.Dmx:
        """What the lamps hear, frame by frame."""
        return rig_dmx.render(self.rig, self.stage.track, self.dancer_m, self.stage.fps)

    def dancer_at(self, time_s: float) -> np.ndarray | None:
        """Where the dancer is, (1, 3) m, at the row nearest to a time."""
        if self.dancer_m is None:
            return None
        row = min(clock.to_frame(time_s, self.stage.fps), len(self.dancer_m) - 1)
        return np.asarray(self.dancer_m)[row : row + 1]

    def until_s(self) -> list[tuple[Cue, float]]:
        """Every cue with the time in seconds at which the next one comes, or the show ends."""
        ends = [late.time_s for _, late in pairwise(self.stage.cues)]
        last = self.stage.cues[-1].time_s if self.stage.cues else 0.0
        return list(zip(self.stage.cues, [*ends, max(last, self.stage.duration_s)], strict=True))

    def bar(self, time_s: float) -> str:
        """Bar and beat, both from 1, as "12.3": the beat that time is on or follows by less than a beat; "" without music that has bars.

        A cue up to 1/30 s early is still on its beat. Bar 0 is what comes before the first downbeat.
        """
        if self.music is None or not self.music.has_beat or len(self.music.downbeats_s) < 2:
            return ""
        time = np.array([time_s + 1 / 30])
        bar = int(np.floor(clock.beat_position(time, self.music.downbeats_s)[0]))
        start = float(clock.beat_time(np.array([bar]), self.music.downbeats_s)[0])
        beat = clock.beat_position(np.array([start, time[0]]), self.music.beats_s)
        return f"{max(bar + 1, 0)}.{max(int(np.floor(beat[1] - np.round(beat[0]))) + 1, 1)}"


def label(cue: Cue) -> str:
    """What an operator reads: the cue's label, else its look, else what it does; one line."""
    made = cue.label or cue.look.replace("_", " ") or ("blackout" if cue.is_blackout else "light")
    return plain(made)


def clock_text(time_s: float, decimals: int = 1) -> str:
    """A time as mm:ss.f, minutes going on past 99; 59.96 s is 01:00.0."""
    scale = 10**decimals
    total = round(time_s * scale)
    minutes, rest = divmod(total, 60 * scale)
    return f"{minutes:02d}:{rest // scale:02d}.{rest % scale:0{decimals}d}"
