"""New frames for a place in a dance, from the default model: it hears the song and the words there, and sees what is kept around.

What is kept goes to latents by itself, so that nothing of what gives way is left in it, and is imposed at each step of the diffusion.
So are joints that are kept, by a way through movement and back. Put in at the end only, they fit what was drawn less well: in two recorded
takes with another upper body the tokenizer is off by 38 mm instead of 24 (by 22 in the takes themselves), in two synthetic ones by 17
instead of 14 (14). The paces of the upper and the lower body go together no better for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from choreia import clock
from choreia.edit.parts import joints_of
from choreia.errors import ChoreiaError
from choreia.models.choreia.model import Generator, Kept, Movement
from choreia.models.dancemeld.config import TOKEN_FRAMES
from choreia.motion.beats import kinetic_beats
from choreia.motion.cleanup import limit_head, lock_feet
from choreia.motion.representation import Heading152
from choreia.motion.skeleton import choreia24
from choreia.motion.timing import beat_lock
from choreia.text.places import BEATLESS_S, eight_after
from choreia.types import Motion, Move, Music, Script

FPS = 30.0
"""Frames a second of the model's dances and of the music's features."""

_GRID = 2 * TOKEN_FRAMES  # frames of a pair of rows, which share a top token
_SLACK_S = 0.05  # an 8-count may end so much past the song


@dataclass(frozen=True)
class Place:
    """`frames` new frames in the place of frames [start, stop) of a motion, danced to the song from its frame `song_frame` on.

    joints: (J,) bool, those that are danced anew; the others stay only where as many frames come as go.
    """

    motion: Motion
    start: int
    stop: int
    frames: int
    song_frame: int
    joints: np.ndarray


@dataclass(frozen=True)
class Material:
    """A motion of as many frames as are new, and how far the new frames may go from it: 0 not at all, 1 anywhere."""

    motion: Motion
    amount: float


@dataclass(frozen=True)
class _Canvas:
    """A place on the grid of the latents, in frames: `lead` that are kept, `early`, the new ones, `late`, and `rest` that are kept.

    Early and late frames fill up the grid: they are danced with the new ones and left out of the dance.
    """

    lead: int
    early: int
    frames: int
    late: int
    rest: int

    @property
    def free(self) -> int:
        """Frames that are danced."""
        return self.early + self.frames + self.late

    def rows(self) -> int:
        """Rows of latents."""
        return (self.lead + self.free + self.rest) // TOKEN_FRAMES


def check(motion: Motion, music: Music | None) -> Music:
    """The music; ChoreiaError when the model cannot dance to it, or cannot go on from this motion."""
    body, own = motion.skeleton, choreia24()
    if body.names != own.names or not np.allclose(body.offsets, own.offsets, atol=1e-3) or motion.fps != FPS:
        raise ChoreiaError("the dance is not on choreia-24 at 30 frames a second, as the model's are: retarget and resample it first")
    if music is None or "dance" not in music.features or not len(music.features["dance"].values):
        raise ChoreiaError("the take has no music with 'dance' features to dance to: analyse its song first")
    return music


def dance_anew(generator: Generator, place: Place, music: Music, script: Script, seed: int, material: Material | None = None) -> Motion:
    """The new frames of a place, as `edit.seams.put_in` takes them; a whole body is on the beat, with planted feet.

    Args:
        generator: the model.
        place: where they go; its motion is on choreia-24 at 30 fps.
        music: with the feature set "dance". Before its beginning and after its end its first and last 8-count go round.
        script: style, and moves with times of the song.
        seed: of all that is drawn.
        material: what they are a variation of.
    """
    canvas = _canvas(place, generator.config.lrcm.window * TOKEN_FRAMES)
    first = place.song_frame - canvas.lead - canvas.early
    features, beats_s = heard(music, first, TOKEN_FRAMES * canvas.rows())
    asked = _from(script, music, first / FPS, len(features) / FPS)
    usual = generator.config.sampling
    sampling = usual if asked.style or asked.moves else usual.freely()
    parts = generator.segments(generator.wish(features, asked), seed, kept=_kept(generator, place, canvas, material), sampling=sampling)
    values = generator.codec.decode(np.concatenate(list(parts)))
    begin = canvas.lead + canvas.early
    here = min(place.start, len(place.motion) - 1)
    start = Heading152.start(place.motion.slice(here, here + 1))
    made = limit_head(Heading152.decode(values[begin : begin + place.frames], FPS, start))
    made = replace(made, skeleton=place.motion.skeleton)
    return _finished(made, beats_s - begin / FPS) if place.joints.all() else made


def heard(music: Music, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What sounds in frames [first, first + count) of a song: "dance" features (count, 24), and beats in seconds from `first` on.

    Before the song its first 8-count goes round, after it the last whole one, on the beat.
    """
    features = music.features["dance"].values
    frames, length = np.arange(first, first + count), len(features)
    begins, ends = (_round(music, length, last) for last in (False, True))
    source = np.where(frames < 0, _again(frames, begins), np.where(frames >= length, _again(frames, ends), frames))
    at = np.round(music.beats_s * FPS).astype(int)
    offset_s = np.full(length, np.nan)
    inside = (at >= 0) & (at < length)
    offset_s[at[inside]] = music.beats_s[inside] - at[inside] / FPS
    beats = np.flatnonzero(np.isfinite(offset_s[source]))
    return features[source], beats / FPS + offset_s[source[beats]]


def _round(music: Music, length: int, last: bool) -> tuple[int, int]:
    """Frames [start, stop) of the first or last whole 8-count within `length` frames; all frames where there is none."""
    length_s = length / FPS
    starts = music.eights_s if music.has_beat else np.arange(0, length_s, BEATLESS_S)
    bounds = [(float(start_s), eight_after(music, float(start_s))) for start_s in starts]
    whole = [(clock.to_frame(a, FPS), min(clock.to_frame(b, FPS), length)) for a, b in bounds if a >= 0 and b <= length_s + _SLACK_S]
    return whole[-1 if last else 0] if whole else (0, length)


def _again(frames: np.ndarray, bounds: tuple[int, int]) -> np.ndarray:
    start, stop = bounds
    return start + (frames - start) % (stop - start)


def _canvas(place: Place, context: int) -> _Canvas:
    """With up to `context` frames of what is kept on either side; new frames begin on the grid, or end there where nothing is before."""
    lead = min(place.start // _GRID * _GRID, context)
    early = 0 if lead else -place.frames % _GRID
    late = -(early + place.frames) % _GRID
    rest = min(max(len(place.motion) - place.stop - late, 0) // _GRID * _GRID, context)
    return _Canvas(lead, early, place.frames, late, rest)


def _kept(generator: Generator, place: Place, canvas: _Canvas, material: Material | None) -> Kept:
    motion, after = place.motion, place.stop + canvas.late
    free = np.zeros((canvas.free // TOKEN_FRAMES, generator.config.tokenizer.latent_width), np.float32)
    if material is not None:
        free = generator.codec.encode(_at(material.motion, np.arange(-canvas.early, canvas.frames + canvas.late)))
    parts = [free]
    if canvas.lead:
        parts.insert(0, generator.codec.encode(motion.slice(place.start - canvas.lead, place.start)))
    if canvas.rest:
        parts.append(generator.codec.encode(motion.slice(after, after + canvas.rest)))
    weight = np.repeat([1.0, 0.0, 1.0], [n // TOKEN_FRAMES for n in (canvas.lead, canvas.free, canvas.rest)])
    kept = Kept(np.concatenate(parts), weight, 1.0 if material is None else material.amount)
    if place.joints.all():
        return kept
    first = place.start - canvas.lead - canvas.early
    values = Heading152.encode(_at(motion, np.arange(first, first + TOKEN_FRAMES * canvas.rows())))
    return replace(kept, movement=Movement(values, kept_columns(place.joints, motion)))


def kept_columns(joints: np.ndarray, motion: Motion) -> np.ndarray:
    """Indices of the columns of `Heading152` that do not change when joints (J,) bool do, the root joint standing for the root too."""
    stays = np.zeros(Heading152.dim, bool)
    for name in ("height", "velocity", "yaw_rate", "root_rotation"):
        stays[Heading152.slices[name]] = not joints[0]
    stays[Heading152.slices["joint_rotations"]] = np.repeat(~joints[1:], 6)
    stays[Heading152.slices["contacts"]] = not (joints & joints_of(("legs", "root"), motion.skeleton)).any()
    return np.flatnonzero(stays)


def _at(motion: Motion, frames: np.ndarray) -> Motion:
    """The motion at frames (n,), the first and the last one held outside."""
    frames = np.clip(frames, 0, len(motion) - 1)
    return replace(motion, root=motion.root[frames], rotations=motion.rotations[frames])


def _from(script: Script, music: Music, start_s: float, duration_s: float) -> Script:
    """The words for a stretch of the song, timed from its start. Moves that only name a section are none."""
    sections = {"", *(f"{section.label} {section.occurrence}" for section in music.sections)}
    said = [move for move in script.moves if move.text not in sections and start_s < move.end_s and move.start_s < start_s + duration_s]
    return replace(script, moves=tuple(Move(move.start_s - start_s, move.end_s - start_s, move.text) for move in said))


def _finished(made: Motion, beats_s: np.ndarray) -> Motion:
    inside = beats_s[(beats_s >= 0) & (beats_s <= made.duration_s)]
    return lock_feet(beat_lock(made, kinetic_beats(made), inside) if len(inside) > 1 else made)
