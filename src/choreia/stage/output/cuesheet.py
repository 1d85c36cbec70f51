"""The cue sheet: what a stage manager calls and an operator plays, as CSV, as a printable HTML page and as PDF."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.stage import style
from choreia.stage.output.show import Show, clock_text, label
from choreia.types import Cue

TITLES = ("Cue", "Time", "Bar", "In s", "Out s", "Look", "Label", "Colour", "Follow-spot", "Strobe Hz")
WIDTHS = (0.05, 0.08, 0.07, 0.06, 0.06, 0.14, 0.26, 0.08, 0.13, 0.07)
"""Parts of the width of a printed page, a column each."""
ROWS_A_PAGE = 32
FORMULA = ("=", "+", "-", "@")
"""What makes a spreadsheet take a text for a formula."""
PAGE_STYLE = """@page { size: A4 landscape; margin: 12mm }
body { font: 10pt sans-serif; color: #000; background: #fff }
table { border-collapse: collapse; width: 100% }
thead { display: table-header-group }
tr { break-inside: avoid }
th, td { border: 0.5pt solid #888; padding: 2pt 4pt; text-align: left }
.number { text-align: right; font-variant-numeric: tabular-nums }
.blackout { background: #ddd; font-weight: bold }
.swatch { display: inline-block; width: 9pt; height: 9pt; border: 0.5pt solid #000; print-color-adjust: exact }
"""


@dataclass(frozen=True)
class Line:
    """A cue as people read it, a text for each of `TITLES`: time mm:ss.ff, bar "12.3", fades in s, colour "#rrggbb" of the key light."""

    number: str
    time: str
    bar: str
    fade_in: str
    fade_out: str
    look: str
    label: str
    colour: str
    spot: str
    strobe: str


def lines(show: Show) -> list[Line]:
    """The cues of a show, line by line."""
    return [_line(show, number + 1, cue) for number, cue in enumerate(show.stage.cues)]


def _line(show: Show, number: int, cue: Cue) -> Line:
    fades = (f"{cue.fade_in_s:.1f}", f"{cue.fade_out_s:.1f}")
    strobe = f"{cue.strobe_hz:.1f}" if cue.strobe_hz else ""
    shown = "blackout" if cue.is_blackout else cue.look.replace("_", " ")
    return Line(
        str(number), clock_text(cue.time_s, 2), show.bar(cue.time_s), *fades, shown, label(cue), _colour(cue), _spot(show, cue), strobe
    )  # fmt: skip


def _colour(cue: Cue) -> str:
    """The key light of the front as screens show it; black in a blackout."""
    linear = np.zeros(3) if cue.is_blackout else style.zone_colours(cue.state)[0, style.ACCENT == 0][-2]
    return "#" + "".join(f"{round(255 * float(part) ** (1 / 2.2)):02x}" for part in linear)


def _spot(show: Show, cue: Cue) -> str:
    """Level of the follow-spot and where it picks the dancer up: metres to stage left or right, down- or upstage of the middle."""
    if not cue.spot:
        return ""
    level = f"{100 * cue.spot:.0f} %"
    place = show.dancer_at(cue.time_s)
    if place is None:
        return f"{level} centre"
    x, z = float(place[0, 0]), float(place[0, 2])
    return f"{level} {abs(x):.1f} {'L' if x >= 0 else 'R'} {abs(z):.1f} {'down' if z >= 0 else 'up'}"


def to_csv(show: Show) -> str:
    """The sheet as CSV; a text that a spreadsheet would take for a formula is behind an apostrophe."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(TITLES)
    table.writerows(["'" + cell if cell.startswith(FORMULA) else cell for cell in astuple(line)] for line in lines(show))
    return text.getvalue()


def to_html(show: Show) -> str:
    """The sheet as one HTML page that prints on A4, its head on every sheet; it loads nothing."""
    head = "".join(f"<th>{title}</th>" for title in TITLES)
    body = "\n".join(_html_row(line) for line in lines(show))
    title = html.escape(show.name)
    facts = html.escape(f"{len(show.stage.cues)} cues, {clock_text(show.stage.duration_s)}, rig {show.rig.name}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}: cue sheet</title>\n'
        f"<style>\n{PAGE_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><p>{facts}</p>\n<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></body></html>\n"
    )


def _html_row(line: Line) -> str:
    cells = [html.escape(cell) for cell in astuple(line)]
    cells[TITLES.index("Colour")] = f'<span class="swatch" style="background:{line.colour}"></span> {line.colour}'
    kind = ' class="blackout"' if line.look == "blackout" else ""
    parts = (f'<td class="number">{cell}</td>' if place < 5 else f"<td>{cell}</td>" for place, cell in enumerate(cells))
    return f"<tr{kind}>{''.join(parts)}</tr>"


def write(path: str | Path, show: Show) -> None:
    """Writes the sheet in the format of the suffix: .csv, .html or .pdf (which needs matplotlib)."""
    path = Path(path)
    if path.suffix not in (".csv", ".html", ".pdf"):
        raise ChoreiaError(f"{path}: a cue sheet is .csv, .html or .pdf; choose one of them")
    with atomic_path(path) as partial:
        if path.suffix == ".pdf":
            _write_pdf(partial, show)
        else:
            partial.write_bytes((to_csv(show) if path.suffix == ".csv" else to_html(show)).encode("utf-8"))


def _write_pdf(path: Path, show: Show) -> None:
    """Pages of `ROWS_A_PAGE` cues on A4 across."""
    try:
        from matplotlib.backends.backend_pdf import PdfPages
    except ImportError as error:
        raise ChoreiaError("a PDF cue sheet needs matplotlib: pip install 'choreia[stage]', or write .html and print it") from error
    every = lines(show)
    pages = [every[start : start + ROWS_A_PAGE] for start in range(0, max(1, len(every)), ROWS_A_PAGE)]
    with PdfPages(path, metadata={"Title": f"{show.name}: cue sheet", "CreationDate": None}) as pdf:
        for number, rows in enumerate(pages):
            pdf.savefig(_page(show.name, rows, f"{number + 1} / {len(pages)}"))


def _page(title: str, rows: list[Line], number: str) -> object:
    """One page as a figure."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11.69, 8.27))
    page.text(0.04, 0.95, title.replace("$", r"\$"), fontsize=14, weight="bold")
    page.text(0.96, 0.95, number, fontsize=9, ha="right")
    axes = page.add_axes((0.04, 0.04, 0.92, 0.88))
    axes.set_axis_off()
    cells = [[cell.replace("$", r"\$")[:44] for cell in astuple(line)] for line in rows] or [[""] * len(TITLES)]
    table = axes.table(cells, colLabels=TITLES, colWidths=WIDTHS, cellLoc="left", colLoc="left", loc="upper left", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    return page
