"""Times as dancers say them, read from words; `places` finds them in a song.

| written | read as |
|---|---|
| `12.5 s`, `second 12.5`, `0:30`, `1:02.5`, `1 min 30 s` | seconds; a single time lasts one 8-count |
| `beat 5`, `beats 1..8` | beats of the song |
| `bar 9`, `bars 9-12`, `from bar 9 to 12`, `the third bar` | bars from their downbeats, the last one included |
| `eight 3`, `8-counts 3-4`, `the last 8-count` | 8-counts |
| `counts 5-8 of eight 3`, `eight 3, counts 5-8` | counts within an 8-count; alone, from the first 8-count on |
| `chorus`, `chorus 2`, `the last chorus`, `verse 1 and 3` | sections; without a number all of that name |
| `bars 1-2 of the bridge`, `second half of chorus 2` | counted within another time |
| `last 8 bars`, `first 16 counts`, `after 30 seconds` | from an end |
| `next 8 counts` | behind the time said before |
| `from bar 9`, `until the chorus`, `after verse 1`, `before the drop` | open at one side (until) or one 8-count long (after, before) |
| `0:30 for 8 counts`, `bar 9 for two 8-counts` | a start and a length |
| `every 4th bar`, `every other chorus` | again and again |
| `start`, `middle`, `end`; `whole song`, `everywhere else` | the first, middle and last 8-count; everything |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from choreia.errors import ChoreiaError
from choreia.text.plain import SECTIONS, tidy
from choreia.text.words import ORDINALS

UNITS = {"bar": "bar", "measure": "bar", "beat": "beat", "count": "count", "eight": "eight", "phrase": "eight"}
"""Words for units of the music that can be counted, in the singular."""

_WEAK = {"hook", "drop", "break", "opening", "ending"}  # moves too, unless an article or a colon stands by them
_SIZE = {"section": 4, "eight": 3, "bar": 2, "count": 1, "beat": 1}
_TOKEN = re.compile(r"\d+:\d\d(?::\d\d)?(?:\.\d+)?|\d+(?:st|nd|rd|th)\b|\d+s\b|\d+(?:\.\d+)?|[a-z']+(?:-[a-z']+)*|\.\.+|\S")
_TO = {"-", "to", "till", "until", "through", "thru", "..", "..."}
_LEADS = {"from", "between", "in", "at", "on", "during", "over", "through", "throughout", "by", "around", "for", "within"}
_STOPS = {None, ":", ",", ";", ".", "and", "-", "to", ")", "=", ">"}
_SECONDS = {"s", "sec", "secs", "second", "seconds"}
_SHARES = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}


@dataclass(frozen=True)
class Mark:
    """A place in a song: `unit` second, beat, count, bar, eight, section, start or end.

    `number`: seconds, or counted from 1, or from the end with a minus; 0: all sections called `label`.
    """

    unit: str
    number: float = 0
    label: str = ""


@dataclass(frozen=True)
class Length:
    """How long: `number` of a unit of `Mark`, or of "share", a part of the whole."""

    unit: str
    number: float


@dataclass(frozen=True)
class Span:
    """A time as it was said; `words` are the words.

    `kind`: at, range, from, until, after, before, first, last, middle, next, every (each n-th), other (each second), for,
    whole. `end` is the
    last thing included of a range. `within` is what is counted in, `also` the next of a list.
    """

    kind: str
    start: Mark | None = None
    end: Mark | None = None
    length: Length | None = None
    within: Span | None = None
    also: Span | None = None
    words: str = ""


@dataclass(frozen=True)
class Found:
    """A span and the characters [start, stop) of the normal text in which it stands."""

    start: int
    stop: int
    span: Span


def parse(text: str) -> Span:
    """The span that a text says, nothing else in it: `parse("bars 9-12")`, `parse("the last chorus")`.

    Raises:
        ChoreiaError: the text is not a time.
    """
    plain = tidy(text)
    found = next(scan(plain), None)
    if found is None or plain[: found.start].strip() or plain[found.stop :].strip(" ."):
        raise ChoreiaError(
            f"{text.strip()[:60]!r} is not a time: write 0:30-0:45, bars 9-12, beats 1-8, eight 3, chorus 2, last 8 bars or whole song"
        )
    return found.span


def scan(plain: str) -> Iterator[Found]:
    """All spans in a `tidy` text, from left to right, none overlapping."""
    reader = _Reader([(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(plain)])
    at = 0
    while at < len(reader.tokens):
        read = reader.place(at)
        if read is None:
            at += 1
            continue
        span, stop = read
        start, end = reader.tokens[at][1], reader.tokens[stop - 1][2]
        yield Found(start, end, replace(span, words=plain[start:end]))
        at = reader.ended = stop


Read = tuple[Span, int] | None
MarkRead = tuple[Mark, int] | None


def inside(span: Span, frame: Span) -> Span:
    """`span` counted within `frame`, when it counts a smaller unit and is not within something else."""
    own, outer = span.start or (Mark(span.length.unit) if span.length else None), frame.start
    smaller = own is not None and outer is not None and _SIZE.get(own.unit, 9) < _SIZE.get(outer.unit, 0)
    return replace(span, within=frame) if smaller and span.within is None and frame.kind == "at" else span


@dataclass
class _Reader:
    """A grammar over tokens; each method reads at `at` and answers what it read and where it stopped, or None.

    `ended`: where the last time that was read stopped.
    """

    tokens: list[tuple[str, int, int]]
    ended: int = -9

    def word(self, at: int) -> str | None:
        return self.tokens[at][0] if 0 <= at < len(self.tokens) else None

    def skip(self, at: int, words: set[str]) -> int:
        return at + (self.word(at) in words)

    def place(self, at: int) -> Read:
        """A span with what it is within, how long it lasts, and the rest of its list."""
        read = self.lone(at)
        if read is None:
            return None
        span, stop = self.lasting(*read)
        if self.word(stop) in {"of", "in"} and (inner := self.lone(self.skip(stop + 1, {"the"}))):
            words = " ".join(token for token, _, _ in self.tokens[stop + 1 : inner[1]])
            return replace(span, within=replace(inner[0], words=words)), inner[1]
        return self.smaller(span, stop) or self.listed(span, stop)

    def lasting(self, span: Span, at: int) -> tuple[Span, int]:
        if span.kind in {"at", "after"} and self.word(at) == "for" and (read := self.length(at + 1)):
            return replace(span, length=read[0]), read[1]
        return span, at

    def smaller(self, span: Span, at: int) -> Read:
        """`chorus 2, bars 1-4`: a smaller unit behind a larger one is counted within it."""
        if span.kind != "at" or span.start is None or span.length:
            return None
        inner = self.lone(self.skip(at, {","}))
        if inner and inner[0].start and _SIZE.get(inner[0].start.unit, 9) < _SIZE.get(span.start.unit, 0):
            return replace(inner[0], within=replace(span, words=self.said(span.start))), inner[1]
        return None

    @staticmethod
    def said(mark: Mark) -> str:
        return f"{mark.label or mark.unit} {mark.number:g}" if mark.number else mark.label

    def listed(self, span: Span, at: int) -> tuple[Span, int]:
        """`bars 1-4 and 9-12`, `chorus 1 and 3`: numbers that go on the list of the first."""
        last = span.end or span.start
        joint = self.word(at) in {"and", ",", "+"}
        number = self.word(at + 1) if joint else None
        if (
            span.kind not in {"at", "range"}
            or last is None
            or last.number <= 0
            or last.unit == "second"
            or not number
            or not number.isdigit()
        ):
            return span, at
        first, stop, end = replace(last, number=float(number)), at + 2, None
        if self.word(stop) in _TO and (self.word(stop + 1) or "").isdigit():
            end, stop = replace(last, number=float(self.word(stop + 1) or 0)), stop + 2
        if (self.word(stop) not in _STOPS and self.word(at) != "and") or self.word(stop) in {"step", "times", "x", *UNITS}:
            return span, at
        words = " ".join(str(self.said(mark)) for mark in (first, end) if mark)
        also, stop = self.listed(Span("range" if end else "at", first, end, words=words), stop)
        return replace(span, also=also), stop

    def lone(self, at: int) -> Read:
        """A span by itself, the preposition before it included."""
        lead = self.word(at)
        inside = self.skip(at + (lead in _LEADS), {"the"})
        for rule in (self.whole, self.portion, self.every, self.counted_in, self.lasts, self.beside):
            if read := rule(at if rule == self.beside else inside):
                return read
        if lead == "for" and (length := self.length(at + 1)):
            return Span("for", length=length[0]), length[1]
        return self.range(at, at + (lead in _LEADS))

    def whole(self, at: int) -> Read:
        """`whole song`, `every beat`, `everywhere else`, `the rest`."""
        if self.word(at) in {"everywhere", "elsewhere", "otherwise"}:
            return Span("whole"), self.skip(at + 1, {"else"})
        if self.word(at) == "rest" and self.word(at - 1) == "the":
            stop = self.skip(self.skip(at + 1, {"of"}), {"the"})
            return Span("whole"), stop + (stop > at + 1)
        if self.word(at) in {"every", "each"} and self.word(at + 1) in UNITS:
            return Span("whole"), at + 2
        if self.word(at) in {"whole", "entire", "full", "all"}:
            stop = self.skip(at + 1, {"the", "of"})
            return (Span("whole"), stop + 1) if self.word(stop) in {"song", "track", "piece", "music", "time", "tune"} else None
        return (Span("whole"), at) if self.word(at - 1) == "throughout" and self.word(at) in {None, ",", ";", "."} else None

    def portion(self, at: int) -> Read:
        """`last 8 bars`, `first half`, `the middle`."""
        word = self.word(at)
        if word in {"middle", "halfway"} and self.word(at - 1) in {*_LEADS, "the", None}:
            return Span("middle"), self.skip(at + 1, {"through"})
        if word in {"next", "following", "another"} and (following := self.length(at + 1)):
            return Span("next", length=following[0]), following[1]
        if word == "second" and self.word(at + 1) == "half":
            return Span("last", length=Length("share", 0.5)), at + 2
        if word not in {"first", "last", "final", "opening", "closing", "other"}:
            return None
        kind = "first" if word in {"first", "opening"} else "last"
        if (share := self.word(at + 1)) in _SHARES:
            return Span(kind, length=Length("share", _SHARES[share])), at + 2
        read = self.length(at + 1)
        return (Span(kind, length=read[0]), read[1]) if read and self.word(at + 1) not in {"a", "an"} else None

    def length(self, at: int) -> tuple[Length, int] | None:
        """`8 counts`, `two 8-counts`, `a bar`, `12 s`."""
        number, unit = self.word(at) or "", self.word(at + 1) or ""
        if re.fullmatch(r"\d+s", number):
            return Length("second", float(number[:-1])), at + 1
        if number in {"a", "an", "another"}:
            number = "1"
        elif number in {"eight", "eights"}:
            return Length("eight", 1), at + 1
        if not re.fullmatch(r"\d+(\.\d+)?", number):
            return None
        known = "second" if unit in _SECONDS else UNITS.get(unit.removesuffix("s"))
        return (Length(known, float(number)), at + 2) if known else None

    def every(self, at: int) -> Read:
        """`every 4th bar`, `every 4 bars`, `every other chorus`."""
        word, stop = self.word(at + 1), at + 2
        if self.word(at) not in {"every", "each"}:
            return None
        number = 2.0 if word == "other" else self.ordinal(at + 1) or (float(word) if word and word.isdigit() else 0)
        unit = self.unit(stop) or self.label(stop)
        if number < 2 or unit is None:
            return None
        return Span("other" if word == "other" else "every", unit[0], length=Length(unit[0].unit, number)), unit[1]

    def counted_in(self, at: int) -> Read:
        """`after 8 bars`, `30 seconds in`."""
        after = self.word(at) == "after"
        read = self.length(at + after)
        if read is None or not (after or (self.word(read[1]) == "in" and self.word(read[1] + 1) != "the")):
            return None
        length, stop = read
        mark = Mark("second", length.number) if length.unit == "second" else Mark(length.unit, length.number + 1)
        return Span("at", mark), stop + (not after)

    def lasts(self, at: int) -> Read:
        """`8 counts`, `10 seconds of`: how long; a bare number of seconds is a time."""
        read = self.length(at) if self.word(at) not in {"eight", "eights"} else None
        if read is None or (read[0].unit == "second" and self.word(read[1]) != "of") or self.word(read[1] - 1) in _STOPS:
            return None
        return Span("for", length=read[0]), read[1] + (self.word(read[1]) == "of")

    def beside(self, at: int) -> Read:
        kind = {"after": "after", "before": "before", "until": "until", "till": "until"}.get(self.word(at) or "")
        read = self.mark(at + 1, strong=True) if kind else None
        return (Span(kind, read[0]), read[1]) if kind and read else None

    def range(self, at: int, inside: int) -> Read:
        first = self.mark(inside, strong=inside > at)
        if first is None:
            return None
        start, stop = first
        ends = {*_TO, "and"} if self.word(at) == "between" else _TO
        if self.word(stop) in ends and (last := self.last(stop + 1, start)):
            return Span("range", start, last[0]), last[1]
        onwards = self.word(stop) in {"on", "onward", "onwards"}
        if onwards or (self.word(at) == "from" and inside > at and start.number != 0):
            return Span("from", start), stop + onwards
        return Span("at", start), stop

    def last(self, at: int, start: Mark) -> MarkRead:
        """The end of a range: a place of its own, or a bare number in the unit of the start."""
        if read := self.mark(at, strong=True):
            return read
        word = self.word(at) or ""
        if re.fullmatch(r"\d+(\.\d+)?", word) and start.unit not in {"start", "end", "section"}:
            return replace(start, number=float(word)), at + 1
        if word.isdigit() and start.unit == "section":
            return replace(start, number=float(word)), at + 1
        return None

    def mark(self, at: int, strong: bool = False) -> MarkRead:
        """One place; `strong` when a preposition or range makes plain that a place is meant."""
        return self.seconds(at, strong) or self.numbered(at) or self.section(at, strong) or self.limit(at, strong)

    def seconds(self, at: int, strong: bool) -> MarkRead:
        word, after = self.word(at) or "", self.word(at + 1) or ""
        if re.fullmatch(r"\d+:[\d:.]+", word):
            parts = [float(part) for part in word.split(":")]
            return Mark("second", sum(part * 60**place for place, part in enumerate(reversed(parts)))), at + 1
        listed = at == self.ended + 1 and self.word(at - 1) in {",", "and"}
        if re.fullmatch(r"\d+s", word) and (strong or listed or after in {":", "-"}):
            return Mark("second", float(word[:-1])), at + 1
        if re.fullmatch(r"\d+(\.\d+)?", word):
            if after in _SECONDS:
                return Mark("second", float(word)), at + 2
            return self.bare(at, float(word))
        if word in {"second", "seconds", "sec"} and re.fullmatch(r"\d+(\.\d+)?", after):
            return Mark("second", float(after)), at + 2
        return None

    def bare(self, at: int, number: float) -> MarkRead:
        """`0-15 s`, `9-12 bars`: the first number of a range takes the unit of the second."""
        unit = self.word(at + 3) or ""
        if self.word(at + 1) not in _TO or not re.fullmatch(r"\d+(\.\d+)?s?", self.word(at + 2) or ""):
            return None
        if unit in _SECONDS or (self.word(at + 2) or "").endswith("s"):
            return Mark("second", number), at + 1
        return (Mark(UNITS[unit.removesuffix("s")], number), at + 1) if unit.removesuffix("s") in UNITS else None

    def unit(self, at: int) -> MarkRead:
        unit = UNITS.get((self.word(at) or "").removesuffix("s"))
        return (Mark(unit), at + 1) if unit else None

    def numbered(self, at: int) -> MarkRead:
        at = self.skip(at, {"the"})
        if (read := self.unit(at)) and re.fullmatch(r"\d+(\.\d+)?", self.word(self.skip(read[1], {"#"})) or ""):
            stop = self.skip(read[1], {"#"})
            return replace(read[0], number=float(self.word(stop) or 0)), stop + 1
        number = self.ordinal(at)
        read = self.unit(at + 1) if number else None
        return (replace(read[0], number=number), read[1]) if number and read else None

    def ordinal(self, at: int) -> float:
        word = self.word(at) or ""
        if word in {"last", "final"}:
            return -1
        return float(word[:-2]) if re.fullmatch(r"\d+(st|nd|rd|th)", word) else ORDINALS.index(word) + 1 if word in ORDINALS else 0

    def section(self, at: int, strong: bool) -> MarkRead:
        start = at
        for words in ({"the"}, {"every", "each", "all", "both"}, {"of"}, {"the"}):
            at = self.skip(at, words)
        number = self.ordinal(at)
        read = self.label(at + (number != 0))
        if read is None:
            return None
        mark, stop = read
        after = self.word(stop)
        if not number and after and after.isdigit() and self.word(stop + 1) not in {"step", "times", "x"}:
            return replace(mark, number=float(after)), stop + 1
        if mark.label in _WEAK and not (strong or number or stop > start + 1 or after == ":"):
            return None
        return replace(mark, number=number), stop

    def label(self, at: int) -> MarkRead:
        """A word for a section, `section` itself ("" is any), or `part C`."""
        word, after = self.word(at) or "", self.word(at + 1) or ""
        if word == "middle" and after in {"eight", "8"}:
            return Mark("section", 0, "bridge"), at + 2
        if word in {"section", "part"} and re.fullmatch(r"[a-z]", after):
            return Mark("section", 0, f"part {after}"), at + 2
        if word == "section":
            return (Mark("section", 0, "section"), at + 1) if after.isdigit() or self.ordinal(at - 1) else None
        singular = word if word in SECTIONS else re.sub(r"e?s$", "", word) if word.endswith("uses") else word.removesuffix("s")
        return (Mark("section", 0, singular), at + 1) if singular in SECTIONS else None

    def limit(self, at: int, strong: bool) -> MarkRead:
        """`start`, `the end`; without an article or preposition only before a colon, or as `start with`, `end on`."""
        stop = self.skip(at, {"the", "very"})
        word, after = self.word(stop), self.word(stop + 1)
        if after in {"it", "off", "things"} and self.word(stop + 2) in {"with", "by", "on"}:
            return Mark("end" if word in {"end", "finish", "close"} else "start"), stop + 3
        if not (strong or stop > at or after in {":", None, "with", "by", "on", *_TO}):
            return None
        if word in {"start", "starts", "starting", "beginning", "begin", "begins", "top", "open", "opens"}:
            return Mark("start"), stop + 1 + (after in {"with", "by", "on"})
        if word in {"end", "ends", "finish", "finishes", "close", "closing", "finale", "ending"}:
            return Mark("end"), stop + 1 + (after in {"with", "by", "on"})
        return None
