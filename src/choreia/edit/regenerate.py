"""Parts of a dance danced anew by the default model, to the song and the words, between what is kept; more of it; and variations.

Frames and joints outside an edit stay to the bit. The model draws whole bodies: where some joints are kept, what it draws takes over their
movement at each step, so that the rest goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from choreia import clock
from choreia.edit.filling import Material, Place, check, dance_anew
from choreia.edit.history import Splice, spliced
from choreia.edit.parts import EVERYTHING, PARTS
from choreia.edit.region import Region
from choreia.edit.seams import put_in
from choreia.errors import ChoreiaError
from choreia.models.choreia.model import Generator, load
from choreia.motion.timing import warp
from choreia.types import Motion, Music, Script

MOST_STRETCH = 2.0
"""A section is repeated at most so many times as fast or as slow."""

LONGEST_S = 600.0
"""A dance is extended by at most this at an end."""

_LEAST_S = 0.05  # what is left between two locks is danced anew from this length on
_FEWEST = ("left arm", "right arm", "left leg", "right leg", "hands", "feet", "head", "torso", "root")


def regenerate(motion: Motion, music: Music | None, script: Script, region: Region, *, seed: int, asked: Script | None = None,
               generator: Generator | None = None) -> tuple[Splice, ...]:  # fmt: skip
    """The region danced anew, as long as it was; everything else stays to the bit.

    Args:
        motion: the dance, on choreia-24 at 30 fps.
        music: what it is danced to, with the feature set "dance".
        script: the words of the dance, with times of the song.
        region: what gives way.
        seed: another gives another dance.
        asked: other words instead; the style stays where they name none.
        generator: the model; None loads the one that comes with the package.
    Raises:
        ChoreiaError: no features, another skeleton or rate, a region past the end, or too short for the way that is to be gone in it.
    """
    return _anew(motion, check(motion, music), _words(script, asked), (region,), seed, generator)


def lock(motion: Motion, music: Music | None, script: Script, region: Region, *, seed: int, within: Region | None = None,
         asked: Script | None = None, generator: Generator | None = None) -> tuple[Splice, ...]:  # fmt: skip
    """All but the region danced anew: `regenerate` of its `complement`, which see; with the same errors."""
    music = check(motion, music)
    return _anew(motion, music, _words(script, asked), complement(region, motion.duration_s, within), seed, generator)


def extend(motion: Motion, music: Music | None, script: Script, *, before_s: float = 0.0, after_s: float = 0.0, seed: int,
           generator: Generator | None = None) -> tuple[Splice, ...]:  # fmt: skip
    """New frames before the first and after the last, as many as asked; the dance itself stays to the bit, and where it is on the floor.

    They are danced to what the song has there, and where it has nothing to its first or last 8-count going round on the beat. With
    frames before the first the dance is that much later: its music and its words have to be put off as well.

    Raises:
        ChoreiaError: as `regenerate`; nothing to add, or more than 600 s.
    """
    music = check(motion, music)
    early, late = (_frames(time_s, motion.fps) for time_s in (before_s, after_s))
    if not early + late:
        raise ChoreiaError("the dance would not be extended: give a time before or after it of a frame or more")
    everything, end = np.ones(len(motion.skeleton.names), bool), len(motion)
    places = [Place(motion, 0, 0, early, -early, everything), Place(motion, end, end, late, end, everything)]
    model = generator or load()
    return tuple(_put(place, dance_anew(model, place, music, script, seed + k)) for k, place in enumerate(places) if place.frames)


def variation(motion: Motion, music: Music | None, script: Script, region: Region, like: Region, *, amount: float, seed: int,
              generator: Generator | None = None) -> tuple[Splice, ...]:  # fmt: skip
    """The region as a variation of what is danced in another: that, beat on beat, noised to a time of the diffusion and drawn from there.

    Source: SDEdit (Meng et al. 2022), over latents.

    Args:
        motion, music, script, seed, generator: as for `regenerate`.
        region: what gives way; each of its stretches varies `like`.
        like: one stretch; what parts it holds is of no account.
        amount: 0 repeats it as it was danced, 1 is free; in steps of the sampler, of which there are ten.
    Raises:
        ChoreiaError: as `regenerate`; an amount outside [0, 1], or a stretch over twice or under half as long as another.
    """
    music = check(motion, music)
    if not 0 <= amount <= 1:
        raise ChoreiaError(f"cannot vary by {amount:g}: give a number from 0, the same, to 1, free")
    phrase = like.one(motion)
    model = generator or load() if amount else None
    splices: list[Splice] = []
    for k, (start, stop) in enumerate(region.frames(motion)):
        material = Material(_on_the_beat(motion, phrase, (start, stop), music), amount)
        place = _place(spliced(motion, splices), start, stop, region)
        new = dance_anew(model, place, music, script, seed + k, material) if model else material.motion
        splices.append(_put(place, new))
    return tuple(splices)


def complement(region: Region, duration_s: float, within: Region | None = None) -> tuple[Region, ...]:
    """What is not in a region: the other parts of the body during its time, and everything at all other times.

    Args:
        region: what is locked.
        duration_s: length of the dance.
        within: only what lies in this region too, if given.
    Returns:
        Where legs or feet are locked the root is too, for they would slide. Of a part that is locked in part, such as an arm whose hand is
        locked, only what has a name of its own is free.
    Raises:
        ChoreiaError: nothing is left.
    """
    asked = within or Region(((0.0, duration_s),), EVERYTHING)
    during = _overlaps(asked.stretches, region.stretches)
    elsewhere = _overlaps(asked.stretches, _between(region.stretches, duration_s))
    parts = _without(asked.parts, region.parts)
    left = [Region(tuple(during), parts)] if during and parts else []
    left += [Region(tuple(elsewhere), asked.parts)] if elsewhere else []
    if not left:
        raise ChoreiaError("everything is locked: lock less of the body or of the time, so that something can be danced anew")
    return tuple(left)


def _anew(motion: Motion, music: Music, script: Script, regions: Sequence[Region], seed: int,
          generator: Generator | None) -> tuple[Splice, ...]:  # fmt: skip
    """Stretch after stretch, each going on from the new dance of those before it."""
    stretches = sorted(((*bounds, region) for region in regions for bounds in region.frames(motion)), key=lambda stretch: stretch[:2])
    model = generator or load()
    splices: list[Splice] = []
    for k, (start, stop, region) in enumerate(stretches):
        place = _place(spliced(motion, splices), start, stop, region)
        splices.append(_put(place, dance_anew(model, place, music, script, seed + k)))
    return tuple(splices)


def _place(motion: Motion, start: int, stop: int, region: Region) -> Place:
    return Place(motion, start, stop, stop - start, start, region.joints(motion.skeleton))


def _put(place: Place, new: Motion) -> Splice:
    return put_in(place.motion, place.start, place.stop, new, place.joints)


def _words(script: Script, asked: Script | None) -> Script:
    return script if asked is None else replace(asked, style=asked.style or script.style)


def _frames(time_s: float, fps: float) -> int:
    if not 0 <= time_s <= LONGEST_S:
        raise ChoreiaError(f"cannot extend a dance by {time_s:g} s: give 0 to {LONGEST_S:g}")
    return clock.to_frame(time_s, fps)


def _on_the_beat(motion: Motion, phrase: tuple[int, int], bounds: tuple[int, int], music: Music) -> Motion:
    """Frames `phrase` of a motion spread over the time of frames `bounds`, evenly in beats, in seconds where there are none."""
    (first, last), (start, stop) = phrase, bounds
    if not 1 / MOST_STRETCH <= (last - first) / (stop - start) <= MOST_STRETCH:
        raise ChoreiaError(
            f"{(last - first) / motion.fps:.1f} s cannot be varied in {(stop - start) / motion.fps:.1f} s: choose half to twice as long"
        )
    ends = np.array([first, last, start, stop]) / motion.fps
    times_s = np.arange(start, stop) / motion.fps
    if music.has_beat:
        a, b, c, d = clock.beat_position(ends, music.beats_s)
        counts = clock.beat_position(times_s, music.beats_s)
        read_s = clock.beat_time(a + (counts - c) * (b - a) / (d - c), music.beats_s)
    else:
        read_s = ends[0] + (times_s - ends[2]) * (last - first) / (stop - start)
    return warp(motion, read_s)


def _between(stretches: Sequence[tuple[float, float]], duration_s: float) -> list[tuple[float, float]]:
    """The time of a dance that is in no stretch."""
    ends = [0.0, *(end_s for _, end_s in stretches)]
    starts = [*(start_s for start_s, _ in stretches), duration_s]
    return list(zip(ends, starts, strict=True))


def _overlaps(some: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The time that is in both, without what is too short to dance in."""
    both = [(max(a, c), min(b, d)) for a, b in some for c, d in others]
    return sorted((start_s, end_s) for start_s, end_s in both if end_s - start_s >= _LEAST_S)


def _without(parts: Sequence[str], locked: Sequence[str]) -> tuple[str, ...]:
    """Names of what the first parts hold and the others do not."""
    held, gone = ({joint for part in names for joint in PARTS[part]} for names in (parts, locked))
    gone |= set(PARTS["root"]) if gone & set(PARTS["legs"]) else set()
    return tuple(part for part in _FEWEST if set(PARTS[part]) <= held - gone)
