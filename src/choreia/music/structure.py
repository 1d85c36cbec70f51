"""Sections of a song: where they begin, which of them are the same material, and what to call them.

The song is read bar by bar. Boundaries are where the self-similarity of the bars changes (Foote, ICME 2000), chosen together by
dynamic programming that prefers sections of 8 and 16 bars; sections of the same chords and sounds, bar against bar, share a label.
The loudest material that returns is the chorus; names are a reading of form, not a fact of the sound.
"""

from __future__ import annotations

import numpy as np

from choreia.music.features import energy_curve
from choreia.music.spectrum import FPS, Spectra
from choreia.types import Section

SLOTS = 4
STEP_S = 2.0
KERNEL_BARS = (2, 4)
LONGEST_BARS = 40
SAME = 0.6
BOUNDARY_PRICE = 0.2
SILENCE_POWER = 1e-7


def eight_counts(downbeats_s: np.ndarray, sections: tuple[Section, ...]) -> np.ndarray:
    """Starts of the 8-counts, (P,) seconds: every second downbeat, counted anew where a section begins."""
    if len(downbeats_s) == 0:
        return downbeats_s
    starts = {int(np.abs(downbeats_s - section.start_s).argmin()) for section in sections} | {0}
    kept, since = [], 0
    for index in range(len(downbeats_s)):
        since = 0 if index in starts else since + 1
        if since % 2 == 0:
            kept.append(index)
    return downbeats_s[kept]


def sections(spectra: Spectra, downbeats_s: np.ndarray) -> tuple[Section, ...]:
    """Sections that cover the song, boundaries on downbeats (on a grid of 2 s where there are fewer than four)."""
    edges_s = bar_edges(spectra.duration_s, downbeats_s)
    bars = bar_features(spectra, edges_s)
    alike = np.clip(bars @ bars.T, -1, 1)
    starts = boundaries(novelty(alike))
    groups = group(alike, starts)
    names = name(groups, _levels(spectra, edges_s, starts), np.diff([*starts, len(bars)]))
    times_s = [0.0, *edges_s[starts[1:]], spectra.duration_s]
    return _counted(times_s, names)


def bar_edges(duration_s: float, downbeats_s: np.ndarray) -> np.ndarray:
    """Edges of the bars, (n + 1,) seconds from 0 to the end; what is before the first downbeat and after the last is part of a bar."""
    inner = downbeats_s if len(downbeats_s) >= 4 else np.arange(STEP_S, duration_s, STEP_S)
    bar_s = float(np.median(np.diff(inner))) if len(inner) > 1 else duration_s
    inner = inner[(inner > 0.6 * bar_s) & (inner < duration_s - 0.6 * bar_s)]
    return np.concatenate([[0.0], inner, [duration_s]])


def bar_features(spectra: Spectra, edges_s: np.ndarray) -> np.ndarray:
    """(n, d) unit vectors: chords and sounds of every bar in four parts, both against the song's mean."""
    chords = spectra.chroma / np.maximum(np.linalg.norm(spectra.chroma, axis=1, keepdims=True), 1e-9)
    sounds = np.log(spectra.mel.reshape(len(spectra.mel), 16, -1).mean(axis=2) + 1e-6)
    parts = [_bar_means(track, edges_s) for track in (chords, sounds)]
    scaled = [(p - p.mean(axis=0)) / max(float(np.sqrt((p - p.mean(axis=0)).var(axis=0).sum())), 1e-3) for p in parts]
    joined = np.concatenate(scaled, axis=1)
    return joined / np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 0.3)


def _bar_means(track: np.ndarray, edges_s: np.ndarray) -> np.ndarray:
    """Means of a (T, d) track in the four parts of every bar, (n, 4 d)."""
    fine_s = np.interp(np.arange((len(edges_s) - 1) * SLOTS + 1) / SLOTS, np.arange(len(edges_s)), edges_s)
    at = np.clip(np.round(fine_s * FPS).astype(int), 0, len(track))
    total = np.concatenate([np.zeros((1, track.shape[1])), np.cumsum(track, axis=0, dtype=np.float64)])
    means = (total[at[1:]] - total[at[:-1]]) / np.maximum(np.diff(at), 1)[:, None]
    return means.reshape(len(edges_s) - 1, -1)


def novelty(alike: np.ndarray) -> np.ndarray:
    """How much the music changes at the start of every bar, (n,), over two and over four bars on each side, averaged."""
    return np.mean([_novelty(alike, reach) for reach in KERNEL_BARS], axis=0)


def _novelty(alike: np.ndarray, most: int) -> np.ndarray:
    """Likeness within the `most` bars before and after each bar's start, less the likeness across it."""
    n = len(alike)
    change = np.zeros(n)
    for bar in range(1, n):
        reach = min(most, bar, n - bar)
        before, after = slice(bar - reach, bar), slice(bar, bar + reach)
        within = alike[before, before].mean() + alike[after, after].mean()
        change[bar] = (within / 2 - alike[before, after].mean()) * reach / most
    return change


def boundaries(change: np.ndarray) -> list[int]:
    """First bars of the best sections for a novelty curve (n,); always begins with 0."""
    n = len(change)
    value = np.full(n + 1, -np.inf)
    value[0], came_from = 0.0, np.zeros(n + 1, int)
    for end in range(1, n + 1):
        begins = np.arange(max(0, end - LONGEST_BARS), end)
        gain = change[end] - BOUNDARY_PRICE if end < n else 0.0
        options = value[begins] - np.array([_length_price(end - int(b), n) for b in begins])
        came_from[end] = begins[options.argmax()]
        value[end] = options.max() + gain
    starts, at = [], n
    while at > 0:
        at = int(came_from[at])
        starts.append(at)
    return starts[::-1]


def _length_price(bars: int, song_bars: int) -> float:
    """What a section of so many bars costs: nothing for 8 and 16, most for stumps."""
    if bars == song_bars:
        return 0.0
    if bars < 4:
        return 1.0
    return {8: 0.0, 16: 0.0, 4: 0.15, 12: 0.1, 24: 0.1, 32: 0.1}.get(bars, 0.15 if bars % 4 == 0 else 0.3)


def group(alike: np.ndarray, starts: list[int]) -> list[int]:
    """A number for every section, equal for the same material, in order of appearance."""
    from scipy.cluster.hierarchy import fcluster, linkage

    ends = [*starts[1:], len(alike)]
    count = len(starts)
    distance = [1 - _match(alike, starts[i], ends[i], starts[j], ends[j]) for i in range(count) for j in range(i + 1, count)]
    if not distance:
        return [0]
    raw = fcluster(linkage(np.maximum(distance, 0), "average"), 1 - SAME, "distance")
    order = {cluster: number for number, cluster in enumerate(dict.fromkeys(raw))}
    return [order[cluster] for cluster in raw]


def _match(alike: np.ndarray, start: int, end: int, other: int, other_end: int) -> float:
    """Mean likeness of two sections bar against bar, from both their starts."""
    bars = min(end - start, other_end - other)
    return float(alike[np.arange(start, start + bars), np.arange(other, other + bars)].mean())


def _levels(spectra: Spectra, edges_s: np.ndarray, starts: list[int]) -> np.ndarray:
    """Mean energy of each section, (sections,)."""
    curve = energy_curve(spectra)
    at = [min(int(edges_s[start] * FPS), len(curve) - 1) for start in starts]
    return np.array([part.mean() for part in np.split(curve, at[1:])])


def name(groups: list[int], levels: np.ndarray, bars: np.ndarray) -> list[str]:
    """A name for every section from what returns and how loud it is."""
    count = np.bincount(groups)
    level = np.bincount(groups, weights=levels) / count
    share = np.bincount(groups, weights=bars)
    names: dict[int, str] = {}
    returning = np.flatnonzero(count > 1)
    if len(returning):
        names[int(returning[np.argmax(level[returning])])] = "chorus"
    if len(groups) > 2:
        _name_ends(names, groups, count, level)
    rest = [int(g) for g in np.argsort(-share * np.minimum(count, 2), kind="stable") if int(g) not in names]
    spare = ["verse", "bridge", *(f"part {letter}" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ"), *(f"part {i}" for i in range(len(count)))]
    names.update(dict(zip(rest, spare, strict=False)))
    return [names[g] for g in groups]


def _name_ends(names: dict[int, str], groups: list[int], count: np.ndarray, level: np.ndarray) -> None:
    """Call material that comes once, at an end, intro or outro when it is quieter than the loudest."""
    for place, label in ((0, "intro"), (-1, "outro")):
        here = groups[place]
        if count[here] == 1 and here not in names and level[here] < level.max():
            names[here] = label


def _counted(times_s: list[float], names: list[str]) -> tuple[Section, ...]:
    """Sections from n + 1 times and n names, each name counted from 1."""
    seen: dict[str, int] = {}
    found = []
    for start_s, end_s, label in zip(times_s[:-1], times_s[1:], names, strict=True):
        seen[label] = seen.get(label, 0) + 1
        found.append(Section(float(start_s), float(end_s), label, seen[label]))
    return tuple(found)
