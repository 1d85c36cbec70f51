"""Scripts as text and as JSON.

The text is the two-level format of LRCM (appendix A.2): `Dance style characteristics:` with the global words, then
`Dance movement sequence:` with one `- HH:MM:SS.sss - HH:MM:SS.sss: words` a move. JSON is
`{"style": "…", "moves": [{"from": "bar 9", "to": "bar 12", "text": "…"}, {"at": "chorus 2", "text": "…"},
{"start_s": 1, "end_s": 2, "text": "…"}]}`, its times any that `times` reads. Both are exact to the millisecond.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from choreia.errors import ChoreiaError
from choreia.files import atomic_path, read_bytes
from choreia.text.places import resolve
from choreia.text.times import Span, parse
from choreia.types import Move, Music, Script

STYLE = "Dance style characteristics:"
SEQUENCE = "Dance movement sequence:"

LARGEST = 1 << 20
"""Bytes of the largest script that is read."""

MOST_MOVES = 20_000
"""Moves of the longest script that is read."""

_TIME = r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)"
_LINE = re.compile(rf"-?\s*{_TIME}\s*[-–—]\s*{_TIME}\s*:\s*(.*)")
_SHAPE = "- HH:MM:SS.sss - HH:MM:SS.sss: words"


def timestamp(time_s: float) -> str:
    """Hours, minutes, seconds to the millisecond: 62.5 s is "00:01:02.500"."""
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def to_text(script: Script) -> str:
    """The two-level format; words are brought onto one line each."""
    lines = [f"- {timestamp(m.start_s)} - {timestamp(m.end_s)}: {_one_line(m.text)}" for m in script.moves]
    return "\n".join([f"{STYLE} {_one_line(script.style)}".rstrip(), "", SEQUENCE, "", *lines]) + "\n"


def from_text(text: str, where: str = "script") -> Script:
    """Inverse of `to_text`; `where` names the source in messages.

    Raises:
        ChoreiaError: with the line at fault.
    """
    style: str | None = None
    in_moves, moves = False, list[Move]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().lstrip("\ufeff")
        if line.lower().startswith(STYLE.lower()):
            style = line[len(STYLE) :].strip()
        elif line.lower().startswith(SEQUENCE.lower()):
            in_moves = True
        elif line and in_moves:
            moves.append(_move(line, f"{where} line {number}"))
        elif line and style is not None:
            style = f"{style} {line}".strip()
        elif line:
            raise ChoreiaError(f"{where} line {number}: expected {STYLE!r}, found {line[:60]!r}")
    if style is None or not in_moves:
        raise ChoreiaError(f"{where}: no line {(STYLE if style is None else SEQUENCE)!r}: write both levels, style first")
    return _checked(Script(style, tuple(moves)), where)


def _move(line: str, where: str) -> Move:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ChoreiaError(f"{where}: expected {_SHAPE!r}, found {line[:80]!r}")
    start_s, end_s = (round(3600 * int(h) + 60 * int(m) + float(s), 6) for h, m, s in (found.groups()[:3], found.groups()[3:6]))
    return _sound(Move(start_s, end_s, found[7].strip()), where)


def _sound(move: Move, where: str) -> Move:
    """The move, when its time has a length and it has words."""
    if not (math.isfinite(move.start_s) and math.isfinite(move.end_s)) or move.start_s < 0:
        raise ChoreiaError(f"{where}: times must be finite and not negative")
    if move.end_s <= move.start_s:
        raise ChoreiaError(f"{where}: ends at {move.end_s:g} s, not after its start at {move.start_s:g} s")
    if not move.text.strip():
        raise ChoreiaError(f"{where}: no words for the move")
    return move


def _checked(script: Script, where: str) -> Script:
    if len(script.moves) > MOST_MOVES:
        raise ChoreiaError(f"{where}: {len(script.moves)} moves, more than {MOST_MOVES}: split it")
    return script


def _one_line(text: str) -> str:
    return " ".join(text.split())


def to_json(script: Script) -> dict[str, Any]:
    """Plain data with times in seconds, to the millisecond."""
    moves = [{"start_s": round(m.start_s, 3), "end_s": round(m.end_s, 3), "text": m.text} for m in script.moves]
    return {"style": script.style, "moves": moves}


def from_json(data: object, music: Music | None = None, where: str = "script", lines: Sequence[int] = ()) -> Script:
    """A Script from plain data; `lines` are the lines of the moves, for messages.

    A move with a time that names several places, as "chorus", becomes one move a place.

    Raises:
        ChoreiaError: a wrong shape, a time that cannot be read, or bars and sections without `music`.
    """
    if not isinstance(data, dict) or not isinstance(data.get("style"), str) or not isinstance(data.get("moves", []), list):
        raise ChoreiaError(f'{where}: expected {{"style": "…", "moves": [ … ]}}')
    unknown = set(data) - {"style", "moves"}
    if unknown:
        raise ChoreiaError(f"{where}: unknown key {min(map(str, unknown))!r}: use style and moves")
    moves: list[Move] = []
    for index, row in enumerate(data.get("moves", [])):
        line = f", line {lines[index]}" if index < len(lines) else ""
        moves += _moves(row, music, f"{where}: move {index + 1}{line}")
    return _checked(Script(_one_line(data["style"]), tuple(moves)), where)


def _moves(row: object, music: Music | None, where: str) -> list[Move]:
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ChoreiaError(f'{where}: expected {{"from": "bar 9", "to": "bar 12", "text": "arm wave"}}')
    keys = set(row) - {"text"}
    if keys == {"start_s", "end_s"}:
        return [_sound(Move(_number(row["start_s"], where), _number(row["end_s"], where), _one_line(row["text"])), where)]
    if keys not in ({"from", "to"}, {"at"}):
        raise ChoreiaError(f"{where}: give its time as from and to, as at, or as start_s and end_s")
    said = f"from {row['from']} to {row['to']}" if "at" not in row else str(row["at"])
    try:
        stretches = _stretches(parse(said), music)
    except ChoreiaError as error:
        raise ChoreiaError(f"{where}: {error}") from error
    return [_sound(Move(start_s, end_s, _one_line(row["text"])), where) for start_s, end_s in stretches]


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ChoreiaError(f"{where}: start_s and end_s are numbers of seconds, found {str(value)[:40]!r}")
    return float(value)


def _stretches(span: Span, music: Music | None) -> Sequence[tuple[float, float]]:
    """Seconds of a span; without music only what is said in seconds."""
    if music is not None:
        return resolve(span, music).stretches
    start, end = span.start, span.end
    if start is None or end is None or not start.unit == end.unit == "second" or span.within or span.also:
        raise ChoreiaError(f"{span.words!r} needs a song to be found in: give the song, or times in seconds such as 0:30-0:45")
    return [(start.number, end.number)]


def read(path: str | Path, music: Music | None = None) -> Script:
    """A script file, JSON when it begins with a brace, else the two-level text. Errors as `from_text` and `from_json`."""
    source = Path(path)
    content = read_bytes(source)
    if len(content) > LARGEST:
        raise ChoreiaError(f"{source} is larger than 1 MiB: a script is short text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ChoreiaError(f"{source} is not UTF-8 text: save it as plain text") from error
    if not text.lstrip().startswith("{"):
        return from_text(text, str(source))
    return from_json(_loaded(text, str(source)), music, str(source), _move_lines(text))


def _loaded(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ChoreiaError(f"{where} line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise ChoreiaError(f"{where}: brackets are nested too deep") from error


def _move_lines(text: str) -> list[int]:
    """The line on which each element of "moves" begins, in JSON that is sound."""
    found = re.search(r'"moves"\s*:\s*\[', text)
    at, lines = found.end() if found else len(text), list[int]()
    while (start := re.compile(r"[\s,]*").match(text, at)) and start.end() < len(text) and text[start.end()] != "]":
        try:
            _, at = json.JSONDecoder().raw_decode(text, start.end())
        except json.JSONDecodeError:
            break
        lines.append(text.count("\n", 0, start.end()) + 1)
    return lines


def write(path: str | Path, script: Script) -> None:
    """Write a script: JSON for the suffix .json, else the two-level text."""
    target = Path(path)
    text = json.dumps(to_json(script), ensure_ascii=False, indent=2) + "\n" if target.suffix == ".json" else to_text(script)
    with atomic_path(target) as partial:
        partial.write_text(text, encoding="utf-8")
