"""A report as one HTML page: no script, nothing fetched, every name escaped; readable on a phone, in print, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

from choreia import __version__
from choreia.export.report import figures, plots
from choreia.export.report.content import (
    ARROWS,
    STANDING_WORDS,
    Report,
    dialects,
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
    tested,
    unit,
    worst_number,
)
from choreia.metrics.base import About, Clip, Result

SPEED_PLOTS, STRIPS = 4, 12
"""How many of each picture a page shows at most, which keeps it small."""

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_HEADS = ("Metric", "Value", "95 % interval", "On one scale", "Reference", "Strongest null", "Better", "Unit")


def to_html(report: Report) -> str:
    """The report as a whole HTML document in one string."""
    sections = [
        _header(report),
        _warning(report),
        _list("Notes", report.notes),
        _contents(report),
        _legend(report),
        *(_dialect(k, name, results, report.meanings) for k, (name, results) in enumerate(dialects(report).items())),
        _nulls(report),
        _cloud(report),
        _speeds(report),
        _timing(report),
        _strips(report),
        _skipped(report),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_safe(report.title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + f"\n</main>\n<footer>Choreia {__version__}</footer>\n</body>\n</html>\n"
    )


def _safe(text: str) -> str:
    return escape(plain(text))


def _section(heading: str, body: str, class_: str = "", id_: str = "") -> str:
    named = f' id="{id_}"' if id_ else ""
    return f'<section class="{class_}"{named}><h2>{_safe(heading)}</h2>\n{body}\n</section>'


def _items(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def _list(heading: str, lines: Iterable[str]) -> str:
    shown = [_safe(line) for line in lines]
    return _section(heading, _items(shown), "notes") if shown else ""


def _figure(drawing: str, caption: str, class_: str = "") -> str:
    """A picture with its caption, which is HTML already."""
    return f'<figure class="{class_}"><div>{drawing}</div><figcaption>{caption}</figcaption></figure>'


# ------------------------------------------------------------------------------------------------------------ what was found


def _header(report: Report) -> str:
    where = f'<span class="folder">{_safe(report.folder)}</span>' if report.folder else ""
    return f"<header><h1>{_safe(report.title)}</h1><p>{where}{_safe(summary(report))}</p></header>"


def _warning(report: Report) -> str:
    """The scores that a null model reaches, before anything else; or that none was tested or reached."""
    flagged = reached(report)
    if not flagged:
        tested = any(result.nulls for result in report.results)
        return '<p class="calm">No null model reaches any of the scores that were tested against one.</p>' if tested else ""
    lines = [
        f"<b>{_safe(about.name)}</b> ({_safe(about.dialect)}) {number(result.value, 3)}: {_safe(null_words(strongest(result)))}"
        for result in flagged
        if (about := result.about)
    ]
    why = (
        "<p>They come out as well where nothing was danced to this music: other songs, noise, a pulse, a body that stands still. "
        "These numbers are no evidence for the takes.</p>"
    )
    return _section("⚠ A null model reaches these scores", why + _items(lines), "warning")


def _legend(report: Report) -> str:
    keys = {"value-mark": "score and 95 % interval", "reference-mark": "reference set", "null-ring": "null models ± one deviation"}
    meanings = (
        "<p>Interval: how far the score would vary with other takes of the same kind, 95 %. z: how many deviations the score is better "
        "than the null model's mean; p: how often the null model does as well. Reference: the same score of the real takes; for FID, "
        "KID, precision, recall and coverage, of one half of them against the other.</p>"
    )
    return f'<section class="reading">{_keys(keys)}{meanings}</section>' if report.results else ""


def _keys(keys: dict[str, str]) -> str:
    """A legend: what the marks of each class mean."""
    return '<p class="legend">' + "".join(f'<span><i class="{kind}"></i>{meaning}</span>' for kind, meaning in keys.items()) + "</p>"


def _contents(report: Report) -> str:
    """A link to every dialect's table, with how many of its scores are flagged."""
    found = dialects(report)
    flags = {name: sum(standing(result) == "reached" for result in results) for name, results in found.items()}
    links = [f'<a href="#dialect-{k}">{_safe(name)}{f" ⚠{flags[name]}" if flags[name] else ""}</a>' for k, name in enumerate(found)]
    return f"<nav>{' '.join(links)}</nav>" if len(links) > 1 else ""


def _dialect(k: int, name: str, results: list[Result], meanings: dict[str, str]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "\n".join(_rows(result, meanings.get(f"{name}/{result.about.name}", "")) for result in results)
    return _section(name, f"<table><thead><tr>{heads}</tr></thead>\n{body}</table>", "dialect", f"dialect-{k}")


def _rows(result: Result, meaning: str) -> str:
    """The numbers of a result in a row, its words and how to read it in the next."""
    kind, about = standing(result), result.about
    name = _safe(about.name) + (f' <span class="pill {kind}">{STANDING_WORDS[kind]}</span>' if kind != "untested" else "")
    cells = (
        name,
        number(result.value),
        interval(result),
        plots.scale(result),
        number(result.reference),
        _safe(null_words(strongest(result))),
        ARROWS[about.better],
        _safe(unit(about)),
    )
    row = "".join(_cell(head, cell) for head, cell in zip(_HEADS, cells, strict=True))
    more = f'<tr class="more"><td colspan="{len(_HEADS)}">{_about(result, meaning)}</td></tr>'
    return f'<tbody class="{kind}"><tr>{row}</tr>{more}</tbody>'


def _cell(head: str, content: str) -> str:
    return f'<td class="{head.split()[-1].lower()}" data-head="{head}">{content}</td>' if content else '<td class="empty"></td>'


def _about(result: Result, meaning: str) -> str:
    """What is to be said of a result; folded away: what it counts, who defined it, its range, how it is fooled, and every null model."""
    about: About = result.about
    rate = "any" if about.fps is None else f"{number(about.fps)} Hz; takes are resampled to it"
    facts = {"Counts": meaning} if meaning else {}
    facts |= {"Fooled by": about.fooled_by, "Source": about.source, "Range": about.range, "Frame rate": rate, "Items": str(result.items)}
    facts |= {f"Null: {null.null}": f"{number(null.mean)} ± {number(null.std, 2)}, p {number(null.p, 2)}" for null in result.nulls}
    body = "".join(f"<dt>{_safe(name)}</dt><dd>{_safe(fact)}</dd>" for name, fact in facts.items())
    said = "".join(f"<span>{_safe(line)}</span>" for line in remarks(result))
    return f"<details><summary>How to read it{said}</summary><dl>{body}</dl></details>"


def _skipped(report: Report) -> str:
    return _list("Not run", not_run(report))


# ------------------------------------------------------------------------------------------------------------------- pictures


def _drawable(report: Report) -> list[Clip]:
    return [clip for clip in report.clips if len(clip.joints) and np.isfinite(clip.joints).all()]


def _speeds(report: Report) -> str:
    chosen = sorted(_drawable(report), key=lambda clip: clip.name not in report.beats)[:SPEED_PLOTS]
    none = np.zeros(0)
    drawings = [plots.speed(clip, report.beats.get(clip.name, none), report.motion_beats.get(clip.name, none)) for clip in chosen]
    drawn = [_figure(drawing, _safe(clip.name), "wide") for drawing, clip in zip(drawings, chosen, strict=True)]
    intro = f"<p>Mean joint speed over the first {plots.WINDOW_S:.0f} s; lines are the music's beats, dots the body's.</p>"
    return _section("Speed against beats", intro + "".join(drawn)) if drawn else ""


def _timing(report: Report) -> str:
    if not np.sum(report.phases) > 0:
        return ""
    caption = (
        "All beats of the body, by where they fall between two beats of the music. "
        "A dance in time peaks in the middle, or keeps one fixed place."
    )
    return _section("When the body moves", _figure(plots.phases(report.phases), caption))


def _nulls(report: Report) -> str:
    results = tested(report)
    if not results:
        return ""
    caption = (
        "Each row is one score on its own scale, the same in every column. Line and band: the score of these takes and its 95 % interval. "
        "Ring and bar: the null model's mean ± 2 deviations; an arrow head where it lies off the scale. ⚠: the null model does as well."
    )
    keys = _keys({"value-mark": "these takes", "null-ring": "null model ± two deviations"})
    return _section("Scores against null models", keys + _figure(plots.against_nulls(results), caption, "wide"))


def _cloud(report: Report) -> str:
    if report.features is None:
        return ""
    made, reference = (rows[np.isfinite(rows).all(axis=1)] for rows in report.features)
    if not (len(made) and len(reference)):
        return ""
    caption = (
        "Each dot is 5 s of a take by its corrected kinetic and geometric features, in the reference set's two widest directions, which is "
        f"all that a page can show of {reference.shape[1]}; an ellipse holds 95 % of a Gaussian fitted to its set."
    )
    keys = _keys({"made": f"these takes ({len(made)})", "reference": f"reference ({len(reference)})"})
    return _section("Takes beside the reference", keys + _figure(plots.cloud(made, reference), caption))


def _strips(report: Report) -> str:
    clips = {clip.name: clip for clip in _drawable(report)}
    drawn = []
    for one in report.worst[:STRIPS]:
        caption = f"<b>{_safe(one.name)}</b> {_safe(one.metric)} {_safe(worst_number(one))}"
        drawn.append(_figure(figures.strip(clips[one.name]), caption, "wide") if one.name in clips else f"<p>{caption}</p>")
    return _section("Look at these takes", _keys({"left": "left", "right": "right"}) + "".join(drawn)) if drawn else ""
