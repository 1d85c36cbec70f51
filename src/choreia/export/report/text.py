"""A report as JSON, as Markdown and for the terminal."""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict

import numpy as np

from choreia import __version__
from choreia.export.report.content import (
    ARROWS,
    STANDING_WORDS,
    Report,
    dialects,
    finite,
    interval,
    not_run,
    null_words,
    number,
    plain,
    reached,
    remarks,
    standing,
    strongest,
    summary,
    unit,
    worst_words,
)
from choreia.metrics.base import Result

WIDTH = 100
"""Columns of the terminal form."""


# ------------------------------------------------------------------------------------------------------------------ JSON


def to_json(report: Report) -> dict[str, object]:
    """The report as plain data with finite numbers only: where there is no number there is null, and `words` say why."""
    content = {
        "title": report.title,
        "folder": report.folder,
        "choreia": __version__,
        "summary": summary(report),
        "takes": len(report.clips) if report.takes is None else report.takes,
        "results": [_entry(result) for result in report.results],
        "skipped": [{"metric": metric, "why": why} for metric, why in report.skipped],
        "notes": list(report.notes),
        "worst": [asdict(one) for one in report.worst],
        "phases": np.asarray(report.phases).tolist(),
    }
    return {name: _clean(value) for name, value in content.items()}


def _entry(result: Result) -> dict[str, object]:
    fields = asdict(result)
    about = fields.pop("about")
    named = {"name": about.pop("name"), "dialect": about.pop("dialect")}
    return named | fields | {"standing": standing(result), "words": remarks(result)} | about


def _clean(value: object) -> object:
    """The value with None for every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {str(name): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    plain_value = value.item() if isinstance(value, np.generic) else value
    return finite(plain_value) if isinstance(plain_value, float) else plain_value


# -------------------------------------------------------------------------------------------------------------- Markdown


def to_markdown(report: Report) -> str:
    """The report as Markdown: a table a dialect, then what was skipped and what to look at."""
    parts = [f"# {_escaped(report.title)}", _escaped(f"{report.folder}: {summary(report)}")]
    parts += _markdown_list("A null model reaches these scores", [_reached_words(result) for result in reached(report)])
    parts += _markdown_list("Notes", report.notes)
    for dialect, results in dialects(report).items():
        parts += [f"## {_escaped(dialect)}", _markdown_table(results)]
    parts += _markdown_list("Look at these takes", [worst_words(one) for one in report.worst])
    parts += _markdown_list("Not run", not_run(report))
    return "\n\n".join(parts) + "\n"


def _markdown_list(heading: str, lines: tuple[str, ...] | list[str]) -> list[str]:
    return [f"## {heading}", "\n".join(f"- {_escaped(line)}" for line in lines)] if lines else []


def _markdown_table(results: list[Result]) -> str:
    heads = ("metric", "value", "95 % interval", "reference", "strongest null", "better", "unit", "words")
    rows = [heads, ("---",) * len(heads), *(tuple(map(_escaped, _cells(result))) for result in results)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cells(result: Result) -> tuple[str, ...]:
    mark = {"reached": "⚠ ", "open": "? ", "undefined": "∅ "}.get(standing(result), "")
    return (
        mark + result.about.name,
        number(result.value),
        interval(result),
        number(result.reference),
        null_words(strongest(result)),
        ARROWS[result.about.better],
        unit(result.about),
        "; ".join(remarks(result)),
    )


def _escaped(text: str) -> str:
    return re.sub(r"([\\|`*_\[\]<>&#~])", r"\\\1", plain(text))


def _reached_words(result: Result) -> str:
    return f"{result.about.name} ({result.about.dialect}): {number(result.value, 3)}; {null_words(strongest(result))}"


# -------------------------------------------------------------------------------------------------------------- terminal


def to_text(report: Report) -> str:
    """The report for a terminal: aligned, `WIDTH` columns or fewer, scores that a null model reaches marked with "!"."""
    blocks = [_wrapped(plain(report.title)) + _wrapped(f"{plain(report.folder)}: {summary(report)}")]
    blocks += [_text_table(dialect, results) for dialect, results in dialects(report).items()]
    if reached(report):
        blocks.append(_wrapped("! a null model reaches this score: it says nothing in favour of these takes"))
    if any(standing(result) == "open" for result in report.results):
        blocks.append(_wrapped("? no null model reaches this score, but there are too few songs or takes to tell it from luck (p > 0.05)"))
    lists = {
        "Notes": report.notes,
        "Look at": [worst_words(one) for one in report.worst],
        "Not run": not_run(report),
    }
    blocks += [[name, *(row for line in lines for row in _wrapped(plain(line), "  "))] for name, lines in lists.items() if lines]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _text_table(dialect: str, results: list[Result]) -> list[str]:
    return [_text_row(plain(dialect), "value", "95 % interval", "reference", "strongest null"), *map(_text_line, results)]


def _text_line(result: Result) -> str:
    about = result.about
    mark = {"reached": "!", "open": "?", "undefined": "∅"}.get(standing(result), " ")
    name = f"{mark} " + plain(f"{about.name} {ARROWS[about.better][0]} {unit(about)}")
    null = _null(result) or (STANDING_WORDS["undefined"] if standing(result) == "undefined" else "")
    return _text_row(name, number(result.value), interval(result), number(result.reference), plain(null))


def _null(result: Result) -> str:
    """The strongest null model with z, which leaves out p for want of room."""
    null = strongest(result)
    if null is None:
        return ""
    return null.null if finite(null.z) is None else f"{null.null}: z {number(null.z, 2)}"


def _text_row(name: str, value: str, between: str, reference: str, null: str) -> str:
    return f"{_cut(name, 29):29} {value:>9} {_cut(between, 20):>20} {reference:>9}  {_cut(null, 29)}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
