"""A dance in the style of another: its poses kept and the movement of the other taken, or its movement kept and the other's poses taken.

Source: style transfer of DanceMeld (Gao et al. 2023), §4.4. What is kept, and what it takes for the style to change, is in `exchange`.
"""

from __future__ import annotations

import numpy as np

from choreia import clock
from choreia.edit.exchange import Way, exchanged
from choreia.edit.history import Splice
from choreia.edit.phrases import Piece, chain, fitting
from choreia.edit.region import Region
from choreia.edit.seams import put_in
from choreia.errors import ChoreiaError
from choreia.models.dancemeld.codec import Codec
from choreia.models.dancemeld.model import load
from choreia.motion.beats import kinetic_beats
from choreia.motion.cleanup import limit_head, lock_feet
from choreia.motion.skeleton import choreia24
from choreia.motion.timing import beat_lock
from choreia.synth.choreographer import choreograph
from choreia.synth.moves import STYLES
from choreia.text.lexicon import style_named
from choreia.types import Motion, Music

FPS = 30.0
"""Frames a second of the codes' dances."""

SHORTEST_S = 1.0
"""A dance to take a style from lasts so long or longer, and so does what takes it."""


def restyle(motion: Motion, music: Music | None, region: Region, source: Motion | str, *, keep: str = "bottom", seed: int = 0,
            codec: Codec | None = None, way: Way | None = None) -> tuple[Splice, ...]:  # fmt: skip
    """The region with its poses and another's movement, or the reverse; as long as it was, and everything else stays to the bit.

    Args:
        motion: the dance, on choreia-24 at 30 fps.
        music: what it is danced to, None for nothing; the source is put on its beats.
        region: what changes; parts of the body take over only what the whole would do.
        source: a dance, from its beginning on and again where it is shorter than the region; or a style, in which one is made.
        keep: "bottom", the poses, or "top", the movement.
        seed: of the dance that is made.
        codec: the tokenizer; None loads that of DanceMeld.
        way: None is the best that is known, `exchange.PLAIN` exchanges codes and no more.
    Raises:
        ChoreiaError: neither of the codes, an unknown style, a source on another skeleton, or one or a region shorter than a second.
    """
    _check(motion)
    codec = codec or load().codec
    joints, splices = region.joints(motion.skeleton), []
    for k, (start, stop) in enumerate(region.frames(motion)):
        given = _source(source, motion, music, (start, stop), seed + k)
        made = limit_head(exchanged(codec, motion.slice(start, stop), given, keep, way))
        made = fitting(lock_feet(made) if joints.all() else made, motion)
        splices.append(put_in(motion, start, stop, made, joints))
    return tuple(splices)


def in_style(style: str, music: Music | None, start: int, frames: int, seed: int) -> Motion:
    """`frames` frames danced in a style from frame `start` of the music on: by the choreographer if it knows the style, else by DanceMeld.

    Raises:
        ChoreiaError: neither knows the style, or DanceMeld has no music with "dance" features to dance to.
    """
    named = style if style in STYLES else style_named(style) or style
    if named in STYLES:
        beats_s, downbeats_s = (_within(track, start, frames) for track in _beats(music))
        return choreograph(beats_s, downbeats_s, (), named, seed, fps=FPS, duration_s=frames / FPS).motion
    generator = load()
    if named not in generator.styles:
        raise ChoreiaError(f"unknown style {style!r}: choose one of {', '.join(sorted({*STYLES, *generator.styles}))}, or give a dance")
    if music is None or "dance" not in music.features or not len(music.features["dance"].values):
        raise ChoreiaError(f"{named} is danced to music with 'dance' features: analyse the song first, or give a dance in that style")
    features = music.features["dance"].values
    heard = features[np.minimum(np.arange(start, start + frames), len(features) - 1)]
    return generator.dance(heard, style=named, seed=seed).slice(0, frames)


def filled(source: Motion, frames: int, beats_s: np.ndarray) -> Motion:
    """`frames` frames of a dance, from the first again where it is shorter, on beats (n,) in seconds. ChoreiaError: under a second."""
    if source.duration_s < SHORTEST_S:
        raise ChoreiaError(f"a source of {source.duration_s:.2f} s is too short to take a style from: give {SHORTEST_S:g} s or more")
    whole = Piece(source, 0, len(source))
    tiled = source if len(source) >= frames else chain([whole] * -(-frames // len(source)))
    cut = tiled.slice(0, frames)
    return beat_lock(cut, kinetic_beats(cut), beats_s) if len(beats_s) > 1 else cut


def _source(source: Motion | str, motion: Motion, music: Music | None, bounds: tuple[int, int], seed: int) -> Motion:
    start, frames = bounds[0], bounds[1] - bounds[0]
    if frames < SHORTEST_S * FPS:
        raise ChoreiaError(f"a region of {frames / FPS:.2f} s is too short for a style: choose one of {SHORTEST_S:g} s or more")
    if isinstance(source, str):
        return in_style(source, music, start, frames, seed)
    return filled(fitting(source, motion), frames, _within(_beats(music)[0], start, frames))


def _beats(music: Music | None) -> tuple[np.ndarray, np.ndarray]:
    """Beats and downbeats of the music in seconds, none where it has none."""
    return (music.beats_s, music.downbeats_s) if music is not None and music.has_beat else (np.zeros(0), np.zeros(0))


def _within(times_s: np.ndarray, start: int, frames: int) -> np.ndarray:
    """Those of times (n,) that fall into `frames` frames from `start` on, counted from there."""
    since_s = times_s - clock.frame_times(start + 1, FPS)[-1]
    return since_s[(since_s >= 0) & (since_s <= frames / FPS)]


def _check(motion: Motion) -> None:
    body, own = motion.skeleton, choreia24()
    if body.names != own.names or not np.allclose(body.offsets, own.offsets, atol=1e-3) or motion.fps != FPS:
        raise ChoreiaError("the dance is not on choreia-24 at 30 frames a second, as the codes' are: retarget and resample it first")
