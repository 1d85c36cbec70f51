"""Where in a song a time is: a `Span` and an analysed `Music` to seconds. Bars, beats, 8-counts and sections count from 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.text.times import Length, Mark, Span
from choreia.types import Music, Section

BEATLESS_S = 4.0
"""Length in seconds that stands for an 8-count where the music has no beat."""

SLACK_S = 0.1
"""Times beyond the end by less are taken for the end."""

Stretch = tuple[float, float]

_READ_AS = {
    "refrain": ("chorus",), "hook": ("chorus",), "drop": ("chorus",), "introduction": ("intro",), "opening": ("intro",), "coda": ("outro",),
    "ending": ("outro",), "middle eight": ("bridge",), "break": ("bridge",), "breakdown": ("bridge",), "interlude": ("bridge",),
    "solo": ("bridge",), "instrumental": ("bridge",), "pre-chorus": ("bridge",), "prechorus": ("bridge",), "build-up": ("bridge",),
    "buildup": ("bridge",),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """(start, end) of every stretch in seconds, in the order they were said, and notes on what names of sections were taken for."""

    stretches: tuple[Stretch, ...]
    notes: tuple[str, ...] = ()


def resolve(span: Span, music: Music) -> Place:
    """Find a span in a song: bars 9-12 of a song of 2-second bars from 0 s are 16 to 24 s.

    Raises:
        ChoreiaError: past the end, no such section, ends before it begins, or bars in music without a beat.
    """
    reader = _Song(music, span.words.strip(" ,:") or "this time")
    frames = [(0.0, music.duration_s)] if span.within is None else list(resolve(span.within, music).stretches)
    stretches = [stretch for frame in frames for stretch in reader.stretches(span, frame)]
    for start_s, end_s in stretches:
        if end_s - start_s < 1e-3:
            raise ChoreiaError(
                f"{reader.words!r} has no length ({clock_text(start_s)} to {clock_text(end_s)}): let the end come after the start"
            )
    rest = resolve(span.also, music) if span.also else Place(())
    inner = resolve(span.within, music).notes if span.within else ()
    return Place((*stretches, *rest.stretches), tuple(dict.fromkeys((*inner, *reader.notes(span), *rest.notes))))


def clock_text(time_s: float) -> str:
    """Minutes and seconds to the tenth: 92.34 s is "1:32.3"."""
    tenths = round(time_s * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def eight_after(music: Music, start_s: float, counts: float = 8) -> float:
    """When `counts` beats have passed since `start_s`, in seconds; `BEATLESS_S` for eight where there is no beat."""
    if not music.has_beat:
        return start_s + BEATLESS_S * counts / 8
    at = clock.beat_position(np.array([start_s]), music.beats_s)
    return float(clock.beat_time(at + counts, music.beats_s)[0])


def edges(unit: str, music: Music) -> np.ndarray:
    """Starts of all beats, bars or 8-counts of a song and the end of the last, (n + 1,) s; counts run from the first 8-count."""
    first = music.eights_s[0] - 1e-6 if len(music.eights_s) else 0.0
    tracks = {"beat": music.beats_s, "count": music.beats_s[music.beats_s >= first], "bar": music.downbeats_s, "eight": music.eights_s}
    starts = np.asarray(tracks[unit], float)
    beats = {"beat": 1, "count": 1, "bar": music.meter, "eight": 2 * music.meter}[unit]
    starts = starts[starts < music.duration_s - SLACK_S]
    return np.append(starts, min(music.duration_s, eight_after(music, float(starts[-1]), beats))) if len(starts) else starts


def section_names(music: Music) -> str:
    """The sections of a song in words: "intro, verse (2 times), chorus (3 times)"."""
    count: dict[str, int] = {}
    for section in music.sections:
        count[section.label] = count.get(section.label, 0) + 1
    return ", ".join(label if n == 1 else f"{label} ({n} times)" for label, n in count.items()) or "no sections"


@dataclass(frozen=True)
class _Song:
    """A song asked for the places of one span, which `words` name in messages."""

    music: Music
    words: str

    def stretches(self, span: Span, frame: Stretch) -> list[Stretch]:
        """Where a span lies within a frame of the song."""
        if span.kind == "whole":
            return [frame]
        if span.kind in {"for", "next"}:
            raise ChoreiaError(f"{self.words!r} says how long, not when: write 'at 0:30 for 8 counts' or 'bar 9 for 8 counts'")
        if span.kind in {"first", "last"} and span.length:
            return [self.portion(span.kind, span.length, frame)]
        if span.kind == "middle":
            return [self.middle(frame)]
        if span.kind in {"every", "other"} and span.length:
            first, step = (int(span.length.number) - 1, int(span.length.number)) if span.kind == "every" else (0, 2)
            return self.again(span.start or Mark("bar"), first, step, frame)
        if span.kind == "range" and span.start and span.end:
            return self.range(span.start, span.end, frame)
        starts = self.mark(span.start or Mark("start"), frame)
        if span.kind in {"from", "until"}:
            starts = starts[:1]
        if span.length:
            return [(start_s, self.after(start_s, span.length, frame)) for start_s, _ in starts]
        return [self.open(span.kind, start_s, end_s, frame) for start_s, end_s in starts]

    def open(self, kind: str, start_s: float, end_s: float | None, frame: Stretch) -> Stretch:
        """A place by itself, or what is before or after it."""
        if kind == "from":
            return start_s, frame[1]
        if kind == "until":
            return frame[0], start_s
        if kind == "before":
            return max(frame[0], eight_after(self.music, start_s, -8)), start_s
        if kind == "after" and end_s is not None:
            start_s, end_s = end_s, None
        return start_s, min(eight_after(self.music, start_s), frame[1]) if end_s is None else end_s

    def range(self, first: Mark, last: Mark, frame: Stretch) -> list[Stretch]:
        """From the start of one mark to the end of another; numbers of one kind of section are each their own."""
        if first.unit == last.unit == "section" and first.label == last.label and first.number > 0:
            numbers = range(int(first.number), int(last.number) + 1)
            return [s for n in numbers for s in self.stretches(Span("at", replace(first, number=n)), frame)]
        start_s = self.mark(first, frame)[0][0]
        ends = [end_s if end_s is not None else at_s for at_s, end_s in self.mark(last, frame)]
        end_s = next((e for e in ends if e > start_s), ends[0])
        if end_s <= start_s:
            raise ChoreiaError(f"{self.words!r} ends before it begins: swap the two, or correct one")
        return [(start_s, end_s)]

    def mark(self, mark: Mark, frame: Stretch) -> list[tuple[float, float | None]]:
        """Start and end of every place a mark names; the end is None for an instant."""
        if mark.unit == "section":
            return [(section.start_s, section.end_s) for section in self.sections(mark, frame)]
        if mark.unit == "second":
            return [(self.second(mark.number, frame), None)]
        if mark.unit in {"start", "end"}:
            edge_s = eight_after(self.music, *((frame[0], 8) if mark.unit == "start" else (frame[1], -8)))
            edge_s = min(max(self.snap(edge_s, frame), frame[0]), frame[1])
            return [(frame[0], edge_s)] if mark.unit == "start" else [(edge_s, frame[1])]
        bounds = self.counted(mark.unit, frame)
        index = self.index(mark, len(bounds) - 1, frame)
        return [(float(bounds[index]), float(bounds[index + 1]))]

    def second(self, number: float, frame: Stretch) -> float:
        at_s = frame[0] + number
        if at_s > frame[1] + SLACK_S:
            raise ChoreiaError(
                f"{self.words!r}: {clock_text(at_s)} is past the end, which is at {clock_text(frame[1])}: choose an earlier time"
            )
        return min(at_s, frame[1])

    def index(self, mark: Mark, count: int, frame: Stretch) -> int:
        """Place from 0 of a numbered unit among `count`."""
        unit, number = "8-count" if mark.unit == "eight" else mark.unit, mark.number
        whole = "the song" if frame == (0.0, self.music.duration_s) else "that part"
        if number != int(number):
            raise ChoreiaError(f"{self.words!r}: {unit} {number:g} is not a whole number: give 1, 2, 3 …")
        if number == 0:
            raise ChoreiaError(f"{self.words!r}: {unit}s count from 1")
        if abs(number) > count:
            raise ChoreiaError(
                f"{self.words!r}: {unit} {number:g} is past the end, {whole} has {count} {unit}s: choose {unit} 1 to {count}"
            )
        return int(number) - 1 if number > 0 else count + int(number)

    def counted(self, unit: str, frame: Stretch) -> np.ndarray:
        """Edges (n + 1,) of the units that begin in a frame; the last edge is not beyond the frame."""
        if not self.music.has_beat:
            name = "8-count" if unit == "eight" else unit
            raise ChoreiaError(
                f"{self.words!r}: no beat was found in this music, so there are no {name}s: give times in seconds, as 0:30-0:45"
            )
        all_edges = edges(unit, self.music)
        inside = (all_edges[:-1] > frame[0] - SLACK_S) & (all_edges[:-1] < frame[1] - SLACK_S)
        if not inside.any():
            raise ChoreiaError(
                f"{self.words!r}: there is no {unit} between {clock_text(frame[0])} and {clock_text(frame[1])}: give seconds"
            )
        return np.append(all_edges[:-1][inside], min(frame[1], float(all_edges[1:][inside][-1])))

    def portion(self, kind: str, length: Length, frame: Stretch) -> Stretch:
        """The first or last so much of a frame."""
        if length.unit == "share":
            cut_s = self.snap(frame[0] + (frame[1] - frame[0]) * (length.number if kind == "first" else 1 - length.number), frame)
        elif length.unit == "second":
            cut_s = (
                self.second(length.number, frame) if kind == "first" else frame[1] - self.second(length.number, (0.0, frame[1] - frame[0]))
            )
        else:
            bounds = self.counted(length.unit, frame)
            at = self.index(Mark(length.unit, length.number), len(bounds) - 1, frame) + 1
            return (float(bounds[0]), float(bounds[at])) if kind == "first" else (float(bounds[-1 - at]), float(bounds[-1]))
        return (frame[0], cut_s) if kind == "first" else (cut_s, frame[1])

    def snap(self, time_s: float, frame: Stretch) -> float:
        """The bar nearest to a time, the time itself without bars."""
        bars = self.music.downbeats_s[(self.music.downbeats_s > frame[0]) & (self.music.downbeats_s < frame[1])]
        return float(bars[np.abs(bars - time_s).argmin()]) if len(bars) else time_s

    def middle(self, frame: Stretch) -> Stretch:
        start_s = self.snap((frame[0] + eight_after(self.music, frame[1], -8)) / 2, frame)
        return start_s, min(eight_after(self.music, start_s), frame[1])

    def after(self, start_s: float, length: Length, frame: Stretch) -> float:
        """The end of what lasts so long from `start_s`."""
        beats = {"beat": 1, "count": 1, "bar": self.music.meter, "eight": 2 * self.music.meter}
        if length.unit != "second" and not self.music.has_beat:
            self.counted(length.unit, frame)
        end_s = start_s + length.number
        if length.unit != "second":
            end_s = eight_after(self.music, start_s, length.number * beats[length.unit])
        if end_s > frame[1] + SLACK_S:
            raise ChoreiaError(
                f"{self.words!r} ends at {clock_text(end_s)}, past the end at {clock_text(frame[1])}: make it shorter or earlier"
            )
        return min(end_s, frame[1])

    def again(self, mark: Mark, first: int, step: int, frame: Stretch) -> list[Stretch]:
        """Every `step`-th unit or section from the `first` on (from 0)."""
        if mark.unit == "section":
            found: list[Stretch] = [(section.start_s, section.end_s) for section in self.sections(mark, frame)]
        else:
            bounds = self.counted(mark.unit, frame)
            found = [(float(a), float(b)) for a, b in pairwise(bounds)]
        if len(found) <= first:
            raise ChoreiaError(f"{self.words!r}: there are only {len(found)}: choose a smaller number")
        return found[first::step]

    def sections(self, mark: Mark, frame: Stretch) -> list[Section]:
        """Sections that a mark names."""
        inside = [s for s in self.music.sections if s.start_s < frame[1] - SLACK_S and s.end_s > frame[0] + SLACK_S]
        found = self.called(mark.label, inside)
        if not found:
            raise ChoreiaError(f"{self.words!r}: this song has no {mark.label}: it has {section_names(self.music)}")
        if mark.number == 0:
            return found
        if mark.number > len(found) or mark.number != int(mark.number):
            times = ", ".join(clock_text(section.start_s) for section in found)
            numbers = "1" if len(found) == 1 else f"1 to {len(found)}"
            raise ChoreiaError(f"{self.words!r}: this song has {len(found)} of {mark.label} (at {times}): choose {numbers}")
        return [found[int(mark.number) - (mark.number > 0)]]

    def called(self, label: str, inside: list[Section]) -> list[Section]:
        """Sections of a label, else of what it is read as; where none is called intro or outro, the first or last section."""
        if label == "section":
            return inside
        for name in (label, *_READ_AS.get(label, ())):
            if found := [section for section in inside if section.label.lower() == name]:
                return found
            if name in {"intro", "outro"} and len(inside) > 1:
                return [inside[0] if name == "intro" else inside[-1]]
            if name == "chorus" and len(inside) > 1 and not any(s.occurrence > 1 for s in self.music.sections):
                return [max(inside, key=self.level)]
        return []

    def level(self, section: Section) -> float:
        """Mean energy of the music in a section."""
        energy = self.music.energy
        start, stop = (clock.to_frame(time_s, energy.fps) for time_s in (section.start_s, section.end_s))
        return float(energy.values[start : max(stop, start + 1)].mean())

    def notes(self, span: Span) -> list[str]:
        """What the names of sections in a span were taken for."""
        return [self.note(mark) for mark in (span.start, span.end) if mark and mark.unit == "section" and mark.label != "section"]

    def note(self, mark: Mark) -> str:
        found = self.called(mark.label, list(self.music.sections))
        labels = dict.fromkeys(section.label for section in found)
        where = ", ".join(f"{clock_text(section.start_s)}-{clock_text(section.end_s)}" for section in found)
        named = mark.label if list(labels) == [mark.label] else f"{mark.label}, read as {' and '.join(labels)}"
        return f"{named}: {where}"
