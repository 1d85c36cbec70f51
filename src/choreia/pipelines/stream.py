"""`choreia dance --stream`: the dance as BVH text, frame by frame as it is made, in memory that does not grow with the song."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.io import bvh
from choreia.music.analyze import analyze_file
from choreia.pipelines.asking import NOTHING, Words, wish_for
from choreia.pipelines.choreograph import flow
from choreia.pipelines.dancers import FPS, USUAL, Guidance, TextDancer, dancer
from choreia.types import Motion


@dataclass
class Lead:
    """How far ahead of the music a dance is made, when the music begins with the first pose."""

    begun_s: float = field(default_factory=time.perf_counter)
    first_s: float = 0.0
    frames: int = 0
    least_s: float = float("inf")

    def watch(self, pieces: Iterator[Motion]) -> Iterator[Motion]:
        """The same pieces; a piece is late when its first frame is due before it is there."""
        for piece in pieces:
            now_s = time.perf_counter() - self.begun_s
            self.first_s = self.first_s or now_s
            self.least_s = min(self.least_s, self.first_s + self.frames / FPS - now_s)
            self.frames += len(piece)
            yield piece

    @property
    def late_s(self) -> float:
        """By how much the music ever had to wait."""
        return max(0.0, -self.least_s)

    def __str__(self) -> str:
        """One line about a finished dance."""
        speed = self.frames / FPS / (time.perf_counter() - self.begun_s)
        late = f"late by {self.late_s:.2f} s" if self.late_s else "never late"
        return f"first pose after {self.first_s:.2f} s; {speed:.1f} times as fast as the music; {late}"


def stream(song: Path | None, file: TextIO, *, seed: int = 0, start_s: float = 0.0, seconds: float | None = None, style: str | None = None,
           words: Words = NOTHING, guidance: Guidance = USUAL, model: str | None = None) -> dict[str, object]:  # fmt: skip
    """Write a dance to `song` into `file` as it is made; "notes" say how long the first pose took, from the analysed song on."""
    if song is None:
        raise ChoreiaError("--stream dances to a song that exists: name a sound file")
    who = dancer(model or "choreia", style, guidance)
    if not isinstance(who, TextDancer):
        raise ChoreiaError(f"{model} dances a song as a whole: --stream needs --model choreia")
    music = analyze_file(song, start_s, seconds)
    wish, lead = wish_for(words, music, style, seed), Lead()
    try:
        for line in bvh.lines(lead.watch(flow(who, music, asked=wish.script, seed=seed)), clock.frames_in(music.duration_s, FPS)):
            file.write(line)
            file.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # so that closing the file at exit does not fail again
        return {"frames": lead.frames, "warnings": ["whoever read the stream has gone: stopped"], "notes": list(wish.notes)}
    notes = [*wish.notes, str(lead)]
    return {"frames": lead.frames, "first_pose_s": lead.first_s, "late_s": lead.late_s, "warnings": list(wish.warnings), "notes": notes}
