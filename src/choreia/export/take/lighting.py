"""The stage of a performance as JSON and arrays, and back: every row of style is checked again when it is read."""

from __future__ import annotations

from dataclasses import fields

from choreia.export.take.entry import Arrays, Entry, Page, put
from choreia.stage import style
from choreia.types import STYLE_RANGES, Cue, Stage, Style


def stage_page(stage: Stage | None, where: str, arrays: Arrays) -> Page | None:
    """The page of a stage; its arrays are added to `arrays` under `where`."""
    if stage is None:
        return None
    put(arrays, where, starts_s=stage.starts_s)
    _put_style(stage.track, f"{where}/track", arrays)
    _put_style(stage.slices, f"{where}/slices", arrays)
    if stage.cues:
        _put_style(style.join([cue.state for cue in stage.cues]), f"{where}/states", arrays)
    cues = [
        {"time_s": cue.time_s, "fade_in_s": cue.fade_in_s, "fade_out_s": cue.fade_out_s, "look": cue.look, "label": cue.label}
        for cue in stage.cues
    ]
    return {"fps": stage.fps, "looks": stage.looks, "cues": cues}


def stage_of(entry: Entry | None) -> Stage | None:
    """The stage of a page. ValueError or ChoreiaError: values that are missing, of another shape, or out of their ranges."""
    if entry is None:
        return None
    starts = entry.array("starts_s", None)
    track, slices = _style(entry.under("track")), _style(entry.under("slices"), len(starts))
    return Stage(track, starts, entry.several("looks", str), slices, _cues(entry), entry.number("fps", above=0))


def _cues(entry: Entry) -> tuple[Cue, ...]:
    listed = entry.entries("cues")
    if not listed:
        return ()
    states = _style(entry.under("states"), len(listed))
    return tuple(
        Cue(one.number("time_s"), one.number("fade_in_s"), one.number("fade_out_s"), states.rows(slice(number, number + 1)),
            one.value("look", str), one.value("label", str))
        for number, one in enumerate(listed)
    )  # fmt: skip


def _put_style(rows: Style, where: str, arrays: Arrays) -> None:
    put(arrays, where, **{column.name: getattr(rows, column.name) for column in fields(rows)})


def _style(entry: Entry, rows: int | None = None) -> Style:
    """The style whose arrays lie in an entry; `rows` of them where their number is known."""
    widths = {name: [len(ranges)] if len(ranges) > 1 else [] for name, ranges in STYLE_RANGES.items()}
    return Style(**{name: entry.array(name, rows, *width) for name, width in widths.items()})
