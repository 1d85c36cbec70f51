"""The plots of a report, each a function from arrays to SVG."""

from __future__ import annotations

import numpy as np

from choreia.export.report.content import ARROWS, finite, number, plain
from choreia.export.report.svg import Frame, bar, dot, label, line, picture, polyline, span, tag
from choreia.metrics.base import Clip, NullScore, Result
from choreia.motion.energy import velocity

WINDOW_S = 20.0
"""Seconds of a take that its speed plot shows."""

_CURVE_POINTS = 600
_CLOUD_POINTS = 600
_NAMES_PX, _CELL_PX, _ROW_PX, _HEAD_PX = 210.0, 108.0, 26.0, 34.0
_FAR = 4.0  # nulls that lie this many times as far off as the median null are not what a row is scaled to
_ELLIPSE = np.sqrt(5.991)  # holds 95 % of a two-dimensional Gaussian


def scale(result: Result) -> str:
    """One score on its own small scale: null models (rings with a deviation either side), reference (diamond), value with its interval;
    empty when there is nothing to stand beside the value."""
    value, reference = finite(result.value), finite(result.reference)
    low, high = finite(result.low), finite(result.high)
    nulls = [(null.mean, null.std) for null in result.nulls if finite(null.mean) is not None and finite(null.std) is not None]
    marks = [known for known in (value, reference, low, high) if known is not None] + [m + k * s for m, s in nulls for k in (-1, 1)]
    if len(marks) < 2 or value is None:
        return ""
    frame = Frame(170, 22, span(np.array(marks), 0.08), (0, 1), left=4, right=4, top=0, bottom=0)
    at, middle = frame.across, 11.0
    body = line(4, middle, 166, middle, "level")
    body += "".join(line(at(m - s), middle, at(m + s), middle, "null-bar") + dot(at(m), middle, 4, "null-ring") for m, s in nulls)
    if low is not None and high is not None:
        body += line(at(low), middle, at(high), middle, "value-bar")
    if reference is not None:
        x = float(at(reference))
        body += tag("path", d=f"M{x:.1f} 3l5 8l-5 8l-5-8z", class_="reference-mark")
    return frame.draw(body + dot(at(value), middle, 4.5, "value-mark"), "score, interval, reference and null models on one scale")


def speed(clip: Clip, music_s: np.ndarray, motion_s: np.ndarray) -> str:
    """Mean joint speed of a take's first `WINDOW_S`, the music's beats as lines and the body's as dots."""
    end_s = min(clip.duration_s, WINDOW_S)
    shown = clip.joints[: int(np.ceil(end_s * clip.fps))]
    curve = np.linalg.norm(velocity(np.asarray(shown, float), clip.fps), axis=-1).mean(axis=1)
    times = np.arange(len(shown)) / clip.fps
    frame = Frame(760, 150, (0, max(end_s, 1 / clip.fps)), (0, max(float(curve.max()) * 1.08, 0.1)))
    stride = int(np.ceil(len(curve) / _CURVE_POINTS))
    beats, stops = (np.asarray(times_s)[np.asarray(times_s) <= end_s] for times_s in (music_s, motion_s))
    body = frame.y_axis("m/s") + frame.x_axis("s", 10)
    body += "".join(line(x, frame.top, x, frame.height - frame.bottom, "beat") for x in frame.across(beats))
    body += polyline(frame.across(times[::stride]), frame.up(curve[::stride]), "curve")
    body += "".join(dot(x, y, 3, "stop") for x, y in zip(frame.across(stops), frame.up(np.interp(stops, times, curve)), strict=True))
    return frame.draw(body, "mean joint speed against the beats of the music")


def phases(counts: np.ndarray) -> str:
    """Motion beats by their place between two music beats, the beat in the middle; the line is what chance gives."""
    share = np.asarray(counts, float) / max(float(np.sum(counts)), 1e-12)
    rolled = np.roll(share, len(share) // 2)
    edges = (np.arange(len(share) + 1) - len(share) // 2 - 0.5) / len(share)
    frame = Frame(420, 230, (edges[0], edges[-1]), (0, max(float(share.max()), 1 / len(share)) * 1.12))
    chance = float(frame.up(1 / len(share)))
    body = _bars(frame, edges, rolled, "bar")
    body += line(frame.left, chance, frame.width - frame.right, chance, "chance")
    body += label(frame.width - frame.right, chance - 4, "chance", "tick", "end")
    body += line(frame.across(0.0), frame.top, frame.across(0.0), frame.height - frame.bottom, "beat")
    return frame.draw(frame.y_axis("share") + body + frame.x_axis("beats before and after the music's beat"), "phase of motion beats")


def against_nulls(results: list[Result]) -> str:
    """A row a score, a column a null model: the score with its interval, the same in every column, and the null's mean ± 2 deviations."""
    names = list(dict.fromkeys(null.null for result in results for null in result.nulls))
    right, bottom = _NAMES_PX + len(names) * _CELL_PX, _HEAD_PX + len(results) * _ROW_PX
    heads = "".join(_two_lines(_NAMES_PX + (k + 0.5) * _CELL_PX, plain(name)) for k, name in enumerate(names))
    rows = "".join(_null_row(result, names, _HEAD_PX + k * _ROW_PX) for k, result in enumerate(results))
    return picture(right, bottom + 2, heads + rows, "scores beside their null models")


def _two_lines(x: float, words: str) -> str:
    """A column's name, broken at the space nearest its middle."""
    spaces = [k for k, char in enumerate(words) if char == " "] or [len(words)]
    cut = min(spaces, key=lambda k: abs(k - len(words) / 2))
    return label(x, 12, words[:cut], "tick") + label(x, 25, words[cut:].strip(), "tick")


def _null_row(result: Result, names: list[str], top: float) -> str:
    """One score beside each null model, on a scale that holds them all but those that lie many times farther off than most."""
    middle, arrow = top + _ROW_PX / 2, ARROWS[result.about.better][0]
    nulls = {null.null: null for null in result.nulls if finite(null.mean) is not None and finite(null.std) is not None}
    value = float(result.value or 0)
    low, high = (value if finite(end) is None else float(end or 0) for end in (result.low, result.high))
    ends = np.array([(null.mean - 2 * null.std, null.mean + 2 * null.std) for null in nulls.values()])
    reach = _FAR * float(np.median(np.abs(ends - value).max(axis=1))) if len(ends) else 0.0
    shown = np.clip(ends, min(low, value - reach), max(high, value + reach))
    scale = Frame(_CELL_PX, _ROW_PX, span(np.array([value, low, high, *shown.ravel()])), (0, 1), left=10, right=16)
    body = line(0, top, _NAMES_PX + len(names) * _CELL_PX, top, "level")
    body += label(0, middle + 4, f"{plain(result.about.name)} {arrow}", "row-name", "start")
    body += label(_NAMES_PX - 10, middle + 4, number(value, 3), "score-name", "end")
    for k, name in enumerate(names):
        if name in nulls:
            body += _null_cell(nulls[name], (low, value, high), scale, _NAMES_PX + k * _CELL_PX, top)
    return body


def _null_cell(null: NullScore, own: tuple[float, float, float], scale: Frame, left: float, top: float) -> str:
    """The score's low, value and high as a band and a line, the null over them; shaded and marked where the null reaches the score. An
    arrow head stands for a null that lies off the scale."""
    low, value, high = (left + float(scale.across(x)) for x in own)
    at = left + scale.across(null.mean + null.std * np.array([-2, 0, 2]))
    start, centre, end = np.clip(at, left + 4, left + _CELL_PX - 12)
    middle = top + _ROW_PX / 2
    body = bar(left + 1, top + 1, _CELL_PX - 2, _ROW_PX - 2, "reached-cell") if null.reached else ""
    body += bar(low, top + 4, max(high - low, 1.0), _ROW_PX - 8, "value-band") + line(value, top + 4, value, top + _ROW_PX - 4, "score")
    far = "" if centre == at[1] else "\u203a" if centre < at[1] else "\u2039"
    body += line(start, middle, end, middle, "null-bar")
    body += label(centre, middle + 4, far, "row-name") if far else dot(centre, middle, 3.5, "null-ring")
    return body + (label(left + _CELL_PX - 8, middle + 4, "\u26a0", "reached-mark") if null.reached else "")


def _bars(frame: Frame, edges: np.ndarray, heights: np.ndarray, class_: str) -> str:
    """A histogram with `edges` (n + 1,) and `heights` (n,); empty bins are left out."""
    places, tops, floor = frame.across(edges), frame.up(heights), frame.height - frame.bottom
    drawn = zip(places[:-1], places[1:], tops, strict=True)
    return "".join(bar(a + 0.5, y, b - a - 1, floor - y, class_) for a, b, y in drawn if y < floor)


def cloud(made: np.ndarray, reference: np.ndarray) -> str:
    """Takes in the plane of the reference set's two widest directions, with an ellipse that holds 95 % of a Gaussian fitted to each set."""
    ours, theirs, shares = _plane(made, reference)
    outlines = {kind: _ellipse(points) for kind, points in (("reference", theirs), ("made", ours)) if len(points) > 2}
    everything = np.concatenate([ours, theirs, *outlines.values()])
    frame = Frame(460, 360, span(everything[:, 0]), span(everything[:, 1]))
    first, second = (f"{share:.0%} of the reference's variance" for share in shares)
    body = frame.y_axis(f"second component, {second}", 5) + frame.x_axis(f"first component, {first}")
    for points, kind in ((theirs, "reference"), (ours, "made")):
        thin = points[:: int(np.ceil(len(points) / _CLOUD_POINTS))]
        body += "".join(dot(x, y, 2.6, f"{kind}-dot") for x, y in zip(frame.across(thin[:, 0]), frame.up(thin[:, 1]), strict=True))
    body += "".join(polyline(frame.across(at[:, 0]), frame.up(at[:, 1]), f"{kind}-outline") for kind, at in outlines.items())
    return frame.draw(body, "made and reference takes in two principal components")


def _plane(made: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sets projected to (N, 2) and (M, 2), in reference deviations, and the share of variance of either component."""
    centre, width = reference.mean(axis=0), reference.std(axis=0)
    width = np.where(width > 1e-9, width, 1.0)
    ours, theirs = (made - centre) / width, (reference - centre) / width
    _, strength, axes = np.linalg.svd(theirs, full_matrices=False)
    two = np.zeros((2, made.shape[1]))
    two[: min(2, len(axes))] = axes[:2]
    shares = np.pad(strength**2, (0, 2))[:2] / max(float(np.sum(strength**2)), 1e-12)
    return ours @ two.T, theirs @ two.T, shares


def _ellipse(points: np.ndarray) -> np.ndarray:
    """Outline (61, 2) of the Gaussian fitted to (N, 2) points, at the level that holds 95 % of it."""
    values, vectors = np.linalg.eigh(np.cov(points, rowvar=False))
    turn = np.linspace(0, 2 * np.pi, 61)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return points.mean(axis=0) + _ELLIPSE * (circle * np.sqrt(np.maximum(values, 0))) @ vectors.T
