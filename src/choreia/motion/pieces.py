"""A take that is still being made: consecutive pieces of it, each a take of its own, and what can be done to them as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import torch

from choreia.motion import rotations as rot
from choreia.motion.beats import kinetic_beats
from choreia.motion.representation import Heading152
from choreia.motion.staging import running_out, settle, slow_ground
from choreia.motion.timing import BeatClock, warp
from choreia.types import Motion

Pieces = Iterable[Motion]
"""Takes on one skeleton and at one rate, each going on where the one before ended."""

_UNSURE_S = 0.3  # a low point of speed this near to the newest frame may not be one


def joined(parts: Iterable[Motion]) -> Motion:
    """One take of consecutive parts, at least one."""
    parts = list(parts)
    root, rotations = (np.concatenate([getattr(part, name) for part in parts]) for name in ("root", "rotations"))
    return Motion(parts[0].skeleton, root, rotations, parts[0].fps)


def held_back(pieces: Pieces, ahead_s: float) -> Iterator[tuple[Motion, int]]:
    """Takes and how many of their frames to deal with now: all but the last `ahead_s`, which come again, and at the end all."""
    held: Motion | None = None
    for piece in pieces:
        held = piece if held is None else joined([held, piece])
        ready = len(held) - round(ahead_s * held.fps)
        if ready > 0:
            yield held, ready
            held = held.slice(ready, len(held))
    if held is not None and len(held):
        yield held, len(held)


def numbered(pieces: Pieces) -> Iterator[tuple[Motion, slice]]:
    """Pieces with their place among the frames of the whole take."""
    first = 0
    for piece in pieces:
        yield piece, slice(first, first + len(piece))
        first += len(piece)


def settled(pieces: Pieces, weight: np.ndarray) -> Iterator[Motion]:
    """`staging.settle` by a weight (T,) of the whole take."""
    return (settle(piece, weight[place]) for piece, place in numbered(pieces))


def slowed_over_ground(pieces: Pieces, weight: np.ndarray) -> Iterator[Motion]:
    """Travel and turning scaled down by `weight` (T,) of the whole take: at 1 the dancer neither leaves the spot nor turns."""
    start, first = None, 0
    for seen, ready in held_back(pieces, 0.1):
        start = start or Heading152.start(seen)
        values = Heading152.encode(seen, contacts=np.zeros((len(seen), 4), bool))[: ready + 1]
        values[:ready] = slow_ground(values[:ready], weight[first : first + ready])
        made = Heading152.decode(values, seen.fps, start)
        yield made.slice(0, ready)
        start, first = Heading152.start(made.slice(ready, ready + 1)) if len(made) > ready else None, first + ready


def windowed(pieces: Pieces, work: Callable[[Motion], Motion], *, before_s: float = 3.0, ahead_s: float = 3.0, edge_s: float = 1.0,
             fade_s: float = 0.4) -> Iterator[Motion]:  # fmt: skip
    """`work`, which keeps the length of a take, on overlapping windows.

    A window begins `before_s` before what is new and sees `ahead_s` past what it gives. Two windows meet where they differ least,
    `edge_s` or more from the end of the earlier one, in a fade of `fade_s`.
    """
    past: Motion | None = None
    known: Motion | None = None
    for seen, ready in held_back(pieces, ahead_s):
        context = len(past) if past is not None else 0
        whole = joined([past, seen]) if past is not None else seen
        made = work(whole).slice(context, len(whole))
        if known is not None:
            made = faded(known, made, round(edge_s * seen.fps), round(fade_s * seen.fps))
        yield made.slice(0, ready)
        known, past = made.slice(ready, len(made)), whole.slice(max(0, context + ready - round(before_s * seen.fps)), context + ready)


def faded(early: Motion, late: Motion, edge: int, fade: int) -> Motion:
    """Two versions of the same frames, of which the early one covers the first, as one: from early to late in `fade` frames where they
    differ least, at least `edge` frames before the early one ends."""
    count = min(len(early), len(late))
    if count == 0:
        return late
    fade = min(fade, count)
    apart = np.linalg.norm(early.root[:count] - late.root[:count], axis=1) + _turned(early.slice(0, count), late.slice(0, count))
    usable = np.convolve(apart, np.ones(fade), "valid")[: max(1, count - fade - edge + 1)]
    share = np.clip((np.arange(len(late)) - usable.argmin() + 1) / (fade + 1), 0, 1)
    return _mixed(early, late, share * share * (3 - 2 * share), count)


def _turned(early: Motion, late: Motion) -> np.ndarray:
    """Mean over joints of the sine of half the angle between two versions of frames, (T,)."""
    along = np.abs((early.rotations * late.rotations).sum(-1)).clip(0, 1)
    return np.sqrt(1 - along**2).mean(axis=1)


def _mixed(early: Motion, late: Motion, share: np.ndarray, count: int) -> Motion:
    root, rotations = np.array(late.root), np.array(late.rotations)
    part = share[:count, None].astype(root.dtype)
    root[:count] = early.root[:count] * (1 - part) + late.root[:count] * part
    ends = torch.from_numpy(np.array(early.rotations[:count])), torch.from_numpy(rotations[:count])
    rotations[:count] = rot.slerp(*ends, torch.from_numpy(part).expand(ends[0].shape[:2])).numpy()
    return replace(late, root=root, rotations=rotations)


def cut(pieces: Pieces, frames: int) -> Iterator[Motion]:
    """The first `frames` of a take; what comes later is not asked for."""
    for piece, place in numbered(pieces):
        yield piece.slice(0, frames - place.start)
        if place.stop >= frames:
            return


def on_the_beat(pieces: Pieces, clock_of: BeatClock, ending_s: float, before_s: float = 3.0) -> Iterator[Motion]:
    """`timing.beat_lock` with the dance's kinetic beats, and `staging.end`: movement that runs out from `ending_s` on."""
    held, first, given = None, 0, 0
    for piece in chain(pieces, (None,)):
        held = piece if held is None else held if piece is None else joined([held, piece])
        if held is None:
            return
        fps, made_s = held.fps, (first + len(held) - 1) / held.fps
        beats_s = kinetic_beats(held) + first / fps
        clock_of.extend(beats_s if piece is None else beats_s[beats_s < made_s - _UNSURE_S], made_s, over=piece is None)
        until = first + len(held) if piece is None else int(clock_of.settled_s * fps)
        if until > given:
            reading_s = clock_of(running_out(np.arange(given, until) / fps, ending_s))
            yield warp(held, reading_s - first / fps)
            past = max(0, int((min(reading_s[-1], given / fps) - before_s) * fps) - first)
            held, first, given = held.slice(past, len(held)), first + past, until
