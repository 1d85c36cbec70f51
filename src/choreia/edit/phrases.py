"""Phrases of a dance moved about: replaced, inserted, deleted, repeated, put in another order, and two dances joined.

What follows an edit that moves it in time keeps its local rotations bit for bit, but for the rows of a seam, and gets one turn and
shift on the floor, so that it goes on from where the dancer then stands. A seam lies within rows that are new; where there are none (after
a deletion, between two dances) it takes the first of those that follow, a second at most, of legs two. Cuts go to where the two sides
fit best, up to `CUT_S` from the bound that was asked for and by as much on both sides, so that counts and lengths stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as changed

import numpy as np

from choreia import clock
from choreia.edit.floor import facing, going_on, headings, leading_to
from choreia.edit.history import Splice
from choreia.edit.region import Region
from choreia.edit.seams import lead_in, lead_out, put_in
from choreia.errors import ChoreiaError
from choreia.motion.kinematics import positions
from choreia.motion.pieces import joined
from choreia.motion.timing import resample, warp
from choreia.types import Motion

CUT_S = 0.2
"""A cut may lie so far from the bound that was asked for."""

MOST_STRETCH = 2.0
"""A phrase is played at most so many times as fast or as slow to fill a place."""

_WORTH = 0.9  # a cut elsewhere must fit better than this share of the misfit at the bound
_PACE_S = 0.25  # what a difference in speed weighs against one in place


@dataclass(frozen=True)
class Piece:
    """Frames [start, stop) of a motion in a chain. The first kept piece stays where it is on the floor; seams prefer pieces not kept."""

    motion: Motion
    start: int
    stop: int
    kept: bool = True

    def __len__(self) -> int:
        return self.stop - self.start

    def cut(self) -> Motion:
        """Its frames."""
        return self.motion.slice(self.start, self.stop)


def replace(motion: Motion, region: Region, phrase: Motion) -> tuple[Splice, ...]:
    """Every stretch of the region danced as `phrase`, evenly retimed to fill it; the length and all else stay as they are.

    Raises:
        ChoreiaError: another skeleton, or a phrase over twice or under half as long as a stretch.
    """
    phrase, joints = fitting(phrase, motion), region.joints(motion.skeleton)
    return tuple(_replaced(motion, start, stop, _filling(phrase, stop - start), joints) for start, stop in region.frames(motion))


def insert(motion: Motion, at_s: float, phrase: Motion) -> tuple[Splice, ...]:
    """The dance with `phrase` put in before the frame at `at_s`, longer by its frames. ChoreiaError: past the end, another skeleton."""
    at = clock.to_frame(at_s, motion.fps) if np.isfinite(at_s) else -1
    if not 0 <= at <= len(motion):
        raise ChoreiaError(f"cannot insert at {at_s:g} s: the dance lasts from 0 to {motion.duration_s:.2f} s")
    new = fitting(phrase, motion)
    return _change(motion, [Piece(motion, 0, at), Piece(new, 0, len(new), kept=False), Piece(motion, at, len(motion))])


def delete(motion: Motion, region: Region) -> tuple[Splice, ...]:
    """The dance without the region, shorter by its frames. ChoreiaError: nothing would be left, or the region is not the whole body."""
    _whole(region, motion, "deleted")
    edges = [0, *(edge for bounds in region.frames(motion) for edge in bounds), len(motion)]
    pieces = [Piece(motion, start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    if not any(len(piece) for piece in pieces):
        raise ChoreiaError("deleting this region leaves nothing of the dance: choose a shorter one")
    return _change(motion, pieces)


def repeat(motion: Motion, region: Region, times: int = 1) -> tuple[Splice, ...]:
    """The region danced `times` more times behind itself. ChoreiaError: fewer than one, several stretches, not the whole body."""
    _whole(region, motion, "repeated")
    if times < 1:
        raise ChoreiaError(f"cannot repeat {times} times: give 1 or more")
    start, stop = region.one(motion)
    again = [Piece(motion, start, stop, kept=False)] * times
    return _change(motion, [Piece(motion, 0, stop), *again, Piece(motion, stop, len(motion))])


def reorder(motion: Motion, region: Region, order: Sequence[int]) -> tuple[Splice, ...]:
    """The stretches of a region, such as `Region.of_eights`, danced in another order; what lies between them stays between them.

    Args:
        motion: the dance; its length stays.
        region: two stretches or more.
        order: which of them, from 1 in time, comes first, second, …
    Raises:
        ChoreiaError: an order that does not name each stretch once or changes nothing, or a region that is not the whole body.
    """
    _whole(region, motion, "put in another order")
    places = region.pieces(motion)
    if sorted(order) != list(range(1, len(places) + 1)):
        raise ChoreiaError(f"the order {', '.join(map(str, order))} does not name each of the {len(places)} stretches once, from 1")
    pieces, at = [], 0
    for (start, stop), number in zip(places, order, strict=True):
        pieces += [Piece(motion, at, start), Piece(motion, *places[number - 1], kept=False)]
        at = stop
    return _change(motion, [*pieces, Piece(motion, at, len(motion))])


def join(first: Motion, second: Motion) -> tuple[Splice, ...]:
    """The first dance followed by the second, which goes on from where it ends. ChoreiaError: another skeleton."""
    after = fitting(second, first)
    return _change(first, [Piece(first, 0, len(first)), Piece(after, 0, len(after))])


def chain(pieces: Sequence[Piece]) -> Motion:
    """Pieces one after another, each placed where the one before it ends, with smooth seams; the sum of their frames is kept.

    Pieces that follow one another in the same motion have no seam.
    """
    cuts = _well_cut(_merged(pieces))
    parts = [piece.cut() for piece in cuts]
    anchor = next((k for k, piece in enumerate(cuts) if piece.kept), 0)
    for k in range(anchor + 1, len(parts)):
        parts[k] = going_on(parts[k], parts[k - 1]).move(parts[k])
    for k in reversed(range(anchor)):
        parts[k] = leading_to(parts[k], parts[k + 1]).move(parts[k])
    for k in range(1, len(parts)):
        if cuts[k].kept and not cuts[k - 1].kept:
            parts[k - 1] = lead_out(parts[k - 1], parts[k], max(1, len(parts[k - 1]) // 2))
        else:
            parts[k] = lead_in(parts[k], parts[k - 1], max(1, len(parts[k]) // 2))
    return joined(parts)


def difference(old: Motion, new: Motion) -> tuple[Splice, ...]:
    """The splice that makes `old` into `new`: all but the first and the last rows that both have. ChoreiaError: they have all."""
    shorter = min(len(old), len(new))
    first = _alike(old.slice(0, shorter), new.slice(0, shorter))
    if first == len(old) == len(new):
        raise ChoreiaError("the edit changes nothing: the dance is so already")
    tails = (motion.slice(len(motion) - shorter + first, len(motion)) for motion in (old, new))
    last = _alike(*(changed(tail, root=tail.root[::-1], rotations=tail.rotations[::-1]) for tail in tails))
    rows = slice(first, len(new) - last)
    return (Splice(first, len(old) - last, new.root[rows], new.rotations[rows]),)


def fitting(phrase: Motion, motion: Motion) -> Motion:
    """A phrase at the rate and in the number type of a motion. ChoreiaError: no frames, or another skeleton."""
    if not len(phrase):
        raise ChoreiaError("the phrase is empty: give one frame or more")
    if phrase.skeleton.names != motion.skeleton.names or not np.allclose(phrase.skeleton.offsets, motion.skeleton.offsets, atol=1e-4):
        raise ChoreiaError("the phrase is danced by another skeleton: retarget it to the dance's first")
    same = phrase if phrase.fps == motion.fps else resample(phrase, motion.fps)
    return Motion(motion.skeleton, same.root.astype(motion.root.dtype), same.rotations.astype(motion.rotations.dtype), motion.fps)


def _replaced(motion: Motion, start: int, stop: int, phrase: Motion, joints: np.ndarray) -> Splice:
    """A phrase put in with both cuts where it fits best, within the frames that give way."""
    late = _best_cut(Piece(motion, 0, start), Piece(phrase, 0, len(phrase))) if start else 0
    early = _best_cut(Piece(phrase, 0, len(phrase)), Piece(motion, stop, len(motion))) if stop < len(motion) else 0
    return put_in(motion, start + late, stop + early, phrase.slice(late, len(phrase) + early), joints)


def _filling(phrase: Motion, frames: int) -> Motion:
    """A phrase evenly retimed to last so many frames."""
    if len(phrase) == frames:
        return phrase
    if not 1 / MOST_STRETCH <= len(phrase) / frames <= MOST_STRETCH:
        raise ChoreiaError(
            f"a phrase of {phrase.duration_s:.1f} s cannot fill {frames / phrase.fps:.1f} s: choose a place from half to twice as long"
        )
    return warp(phrase, np.arange(frames) * len(phrase) / frames / phrase.fps)


def _whole(region: Region, motion: Motion, done: str) -> None:
    if not region.whole_body(motion.skeleton):
        raise ChoreiaError(
            f"{', '.join(region.parts)} alone cannot be {done}: a part of the body cannot change the order of time, name no parts"
        )


def _change(motion: Motion, pieces: Sequence[Piece]) -> tuple[Splice, ...]:
    return difference(motion, chain(pieces))


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces with frames, those that go on in the same motion made one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is not None and last.motion is piece.motion and last.stop == piece.start:
            found[-1] = Piece(piece.motion, last.start, piece.stop, last.kept or piece.kept)
        elif len(piece):
            found.append(piece)
    return found


def _well_cut(pieces: list[Piece]) -> list[Piece]:
    """Pieces whose meeting ends are both moved by as much to where they fit best."""
    found = list(pieces)
    for k in range(1, len(found)):
        by = _best_cut(found[k - 1], found[k])
        found[k - 1] = changed(found[k - 1], stop=found[k - 1].stop + by)
        found[k] = changed(found[k], start=found[k].start + by)
    return found


def _best_cut(before: Piece, after: Piece) -> int:
    """By how many frames to move the end of a piece and the start of the next so that they fit best; 0 unless that is worth it."""
    reach = round(CUT_S * before.motion.fps)
    low = -min(reach, after.start, len(before) // 3)
    high = min(reach, len(before.motion) - before.stop, len(after) // 3)
    ends = _state(before.motion, before.stop - 1 + low, before.stop + high)
    starts = _state(after.motion, after.start + low, after.start + high + 1)
    misfit = np.linalg.norm(ends - starts, axis=-1).mean(axis=1)
    best = int(misfit.argmin())
    return best + low if misfit[best] < _WORTH * misfit[-low] else 0


def _state(motion: Motion, start: int, stop: int) -> np.ndarray:
    """Places and paces (stop - start, J, 6) of the joints in frames [start, stop) as the dancer sees them, metres."""
    early, late = max(start - 1, 0), min(stop + 1, len(motion))
    around = motion.slice(early, late)
    rotations, root = np.array(around.rotations, np.float64), np.array(around.root, np.float64)
    rotations[:, 0] = facing(rotations[:, 0], -headings(around))
    root[:, [0, 2]] = 0
    places = positions(changed(around, root=root, rotations=rotations)).astype(np.float64)
    paces = np.gradient(places, 1 / motion.fps, axis=0) if len(places) > 1 else np.zeros_like(places)
    return np.concatenate([places, _PACE_S * paces], axis=-1)[start - early : stop - early]


def _alike(one: Motion, other: Motion) -> int:
    """How many first frames are the same bit for bit."""
    differ = (one.root != other.root).any(axis=1) | (one.rotations != other.rotations).any(axis=(1, 2))
    return int(np.argmax(np.append(differ, True)))
