"""What an edit may change: a time, and parts of the body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.edit.parts import EVERYTHING, joints_of, read_parts
from choreia.errors import ChoreiaError
from choreia.text.places import Stretch, clock_text, edges, resolve
from choreia.text.times import parse
from choreia.types import Features, Motion, Music, RhythmEvents, Skeleton

_SAME_S = 1e-3  # stretches nearer than this touch


@dataclass(frozen=True)
class Region:
    """Stretches of time, (start, end) in seconds, that rise and do not overlap; and the `parts.PARTS` of the body that they hold.

    Raises:
        ChoreiaError: no stretch, one without length or before 0, two that overlap, an unknown part.
    """

    stretches: tuple[Stretch, ...]
    parts: tuple[str, ...] = EVERYTHING

    def __post_init__(self) -> None:
        if not self.stretches or any(end_s - start_s < _SAME_S for start_s, end_s in self.stretches):
            raise ChoreiaError("the region is empty: let its end come after its start, as in 'bars 1-4' or '0:10-0:14'")
        if not all(start_s >= 0 and np.isfinite(end_s) for start_s, end_s in self.stretches):
            raise ChoreiaError("a region begins at 0 s or later and has an end: check its times")
        for (_, end_s), (start_s, _) in pairwise(self.stretches):
            if start_s < end_s - _SAME_S:
                raise ChoreiaError(
                    f"the region holds {clock_text(start_s)} to {clock_text(end_s)} twice: give times in order that do not overlap"
                )
        read_parts(self.parts)

    @classmethod
    def read(cls, text: str, music: Music | None, duration_s: float, parts: str | Sequence[str] = ()) -> Region:
        """A region in words.

        Args:
            text: any time of `text.times`, such as "bars 9-12", "chorus 2", "0:30-0:42", "eight 3", "every other bar"; and with a colon
                "bars 9:12", or "1:8" for bars 1 to 8.
            music: what bars, beats, 8-counts and sections are counted in; None: seconds only.
            duration_s: length of the dance.
            parts: as `parts.read_parts`; nothing is everything.
        Raises:
            ChoreiaError: not a time, past the end of the dance, no such bar or section, overlapping times, an unknown part.
        """
        timeline = _silence(duration_s) if music is None else replace(music, duration_s=duration_s)
        found = resolve(parse(_with_dash(text)), timeline).stretches
        return cls(tuple(sorted((start_s, min(end_s, duration_s)) for start_s, end_s in found)), read_parts(parts))

    @classmethod
    def of_eights(cls, numbers: Sequence[int], music: Music, duration_s: float, parts: str | Sequence[str] = ()) -> Region:
        """8-counts by number from 1, each a stretch of its own. ChoreiaError: no such 8-count, one twice, or no beat in the music."""
        bounds = edges("eight", replace(music, duration_s=duration_s)) if music.has_beat else np.zeros(0)
        count = max(len(bounds) - 1, 0)
        wrong = [number for number in numbers if not 1 <= number <= count]
        if wrong or not numbers:
            named = f"there is no 8-count {wrong[0]}" if wrong else "no 8-count is named"
            raise ChoreiaError(f"{named}: the dance has {count}" + (f", choose from 1 to {count}" if count else ", give seconds"))
        return cls(tuple((float(bounds[n - 1]), float(bounds[n])) for n in sorted(numbers)), read_parts(parts))

    def joints(self, skeleton: Skeleton) -> np.ndarray:
        """The joints it holds, (J,) bool; the root joint stands for `Motion.root` too."""
        return joints_of(self.parts, skeleton)

    def whole_body(self, skeleton: Skeleton) -> bool:
        """Whether it holds every joint and the root."""
        return bool(self.joints(skeleton).all())

    def pieces(self, motion: Motion) -> tuple[tuple[int, int], ...]:
        """Frames [start, stop) of every stretch. ChoreiaError: past the end of the motion, or shorter than a frame."""
        return tuple(self._frames(stretch, motion) for stretch in self.stretches)

    def frames(self, motion: Motion) -> tuple[tuple[int, int], ...]:
        """`pieces` with those that touch made one."""
        bounds = np.array(self.pieces(motion))
        apart = bounds[1:, 0] > bounds[:-1, 1]
        starts, stops = bounds[np.append(True, apart), 0], bounds[np.append(apart, True), 1]
        return tuple((int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))

    def one(self, motion: Motion) -> tuple[int, int]:
        """`frames` of a region that is a single stretch; ChoreiaError of one that is not."""
        found = self.frames(motion)
        if len(found) > 1:
            raise ChoreiaError(f"this edit takes one stretch of time, the region has {len(found)}: make one edit for each")
        return found[0]

    def _frames(self, stretch: Stretch, motion: Motion) -> tuple[int, int]:
        start, stop = (clock.to_frame(time_s, motion.fps) for time_s in stretch)
        if stop > len(motion):
            raise ChoreiaError(
                f"the region ends at {clock_text(stretch[1])}, past the end of the dance at {clock_text(motion.duration_s)}: end it earlier"
            )
        if start >= stop:
            raise ChoreiaError(f"the region at {clock_text(stretch[0])} is shorter than a frame, {1 / motion.fps:.3f} s: make it longer")
        return start, stop


def _with_dash(text: str) -> str:
    """ "bars 1:8" and "1:8" as "bars 1-8"; times of the clock, which have two digits behind the colon, stay."""
    plain = re.sub(r"^\s*(\d+):(\d)\s*$", r"bars \1:\2", text)
    return re.sub(r"(?i)\b(bars?|beats?|counts?|eights?|8-counts?|measures?|phrases?)\s+(\d+):(\d+)\b", r"\1 \2-\3", plain)


def _silence(duration_s: float) -> Music:
    """A timeline without beats or sections."""
    none, level = np.zeros(0), Features(np.zeros((1, 1), np.float32), 1.0, ("level",))
    return Music(duration_s, none, none, none, none, 4, (), RhythmEvents(none, none, none), level)
