"""The history of a dance: every edit is a step that can be undone, done again, and kept beside others under a name.

A take is a first performance and a tree of revisions. A revision holds what it put in the place of its parent's frames and nothing of
what it left alone: a frame that no splice names is the parent's own, to the bit.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from choreia import __version__
from choreia.errors import ChoreiaError
from choreia.files import read_bytes
from choreia.types import Motion, Music, Performance, Script

BASE = 0
"""The number of the dance as it was first made; revisions count from 1."""

LONGEST_NAME = 80
"""Characters of the longest name of a variant."""


@dataclass(frozen=True)
class Splice:
    """Frames [start, stop) give way to rows: `root` (n, 3) m and `rotations` (n, J, 4) unit wxyz.

    Any n fits: `start` == `stop` puts rows in before frame `start`, n = 0 takes frames out.
    """

    start: int
    stop: int
    root: np.ndarray
    rotations: np.ndarray

    def __post_init__(self) -> None:
        root, rotations = self.root.shape, self.rotations.shape
        if len(root) != 2 or len(rotations) != 3 or root[1] != 3 or rotations[::2] != (root[0], 4):
            raise ChoreiaError(f"{self}: new rows are root (n, 3) and rotations (n, joints, 4), found {root} and {rotations}")
        if not 0 <= self.start <= self.stop or (self.start == self.stop and len(self) == 0):
            raise ChoreiaError(f"{self}: an edit takes out or puts in at least one frame, and begins at frame 0 or later")
        if not (np.isfinite(self.root).all() and np.isfinite(self.rotations).all()):
            raise ChoreiaError(f"{self}: a new row is not finite; make it again")
        if rotations[0] * rotations[1] and not np.abs(np.linalg.norm(self.rotations, axis=-1) - 1).max() <= 1e-3:
            raise ChoreiaError(f"{self}: the new rotations are not unit quaternions; normalise them")

    def __len__(self) -> int:
        return len(self.root)

    def __str__(self) -> str:
        return f"frames {self.start} to {self.stop}"


def length_after(splices: Sequence[Splice], frames: int, joints: int) -> int:
    """Frames that a motion of `frames` frames and `joints` joints has once spliced.

    Raises:
        ChoreiaError: splices that overlap, end past the end, carry another number of joints, or leave no frames.
    """
    for splice in splices:
        if splice.stop > frames:
            raise ChoreiaError(f"{splice} end past the end of the dance, at frame {frames}: choose an earlier region")
        if (carried := splice.rotations.shape[1]) != joints:
            raise ChoreiaError(f"{splice}: new rows of {carried} joints do not fit a dance of {joints}: retarget them first")
    for one, other in pairwise(_ordered(splices)):
        if other.start < one.stop or (other.start, other.stop) == (one.start, one.stop):
            raise ChoreiaError(f"{one} and {other} of one edit overlap: make two edits, or one region of both")
    left = frames + sum(len(splice) - (splice.stop - splice.start) for splice in splices)
    if left < 1:
        raise ChoreiaError(f"the edit leaves none of the {frames} frames: keep one or more")
    return left


def spliced(motion: Motion, splices: Sequence[Splice]) -> Motion:
    """The motion with every splice in it, all counted in its own frames; the rest bit for bit. Errors as `length_after`."""
    length_after(splices, len(motion), motion.rotations.shape[1])
    root, rotations, kept_from = [], [], 0
    for splice in _ordered(splices):
        root += [motion.root[kept_from : splice.start], splice.root]
        rotations += [motion.rotations[kept_from : splice.start], splice.rotations]
        kept_from = splice.stop
    root.append(motion.root[kept_from:])
    rotations.append(motion.rotations[kept_from:])
    return replace(
        motion,
        root=np.concatenate(root, dtype=motion.root.dtype, casting="same_kind"),
        rotations=np.concatenate(rotations, dtype=motion.rotations.dtype, casting="same_kind"),
    )


def _ordered(splices: Sequence[Splice]) -> list[Splice]:
    return sorted(splices, key=lambda splice: (splice.start, splice.stop))


@dataclass(frozen=True)
class Song:
    """A song's file: `name` without folders, SHA-256, where in it the dance begins, and its bytes, None where it is only named."""

    name: str
    sha256: str
    start_s: float = 0.0
    content: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.name or self.name == ".." or {PurePosixPath(self.name).name, PureWindowsPath(self.name).name} != {self.name}:
            raise ChoreiaError(f"the song's name {self.name[:80]!r} is not a plain file name: leave folders out of it")
        if self.content is not None and hashlib.sha256(self.content).hexdigest() != self.sha256:
            raise ChoreiaError(f"the bytes of the song {self.name!r} do not have the SHA-256 {self.sha256[:12]}…: read the file again")


def read_song(path: str | Path, start_s: float = 0.0, inside: bool = True) -> Song:
    """The song of a file, with its bytes or (`inside` False) only named. Errors as `files.read_bytes`."""
    content = read_bytes(path)
    return Song(Path(path).name, hashlib.sha256(content).hexdigest(), start_s, content if inside else None)


@dataclass(frozen=True)
class Revision:
    """One edit of the state `parent`.

    parameters: JSON values; with `seed`, of its random draws, and `version`, of Choreia, all that is needed to do the operation again.
    splices: in the parent's frames. script: the new words, None where they stay. music: the new music, None where it stays with its song;
    the new music's `song` may be unknown.
    """

    id: int
    parent: int
    operation: str
    parameters: dict[str, object] = field(default_factory=dict)
    splices: tuple[Splice, ...] = ()
    script: Script | None = None
    music: Music | None = None
    song: Song | None = None
    seed: int | None = None
    version: str = __version__


@dataclass(frozen=True)
class Take:
    """A dance and all that was done to it.

    song: of the base. revisions: number i at i - 1, after its parent. at: the revision that is danced, `BASE` for none. variants: revisions
    by name. ahead: for a revision, the child that `redo` goes to, the one visited last, also on the way to `at`.
    """

    base: Performance
    song: Song | None = None
    revisions: tuple[Revision, ...] = ()
    at: int = BASE
    variants: dict[str, int] = field(default_factory=dict)
    ahead: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(revision.id != number or not 0 <= revision.parent < number for number, revision in enumerate(self.revisions, 1)):
            raise ChoreiaError("the revisions of a take count from 1, each after its parent")
        if not all(0 <= number <= len(self.revisions) for number in (self.at, *self.variants.values())):
            raise ChoreiaError(f"a take of {len(self.revisions)} revisions cannot stand at, or name, one that is not among them")
        if any(not 0 < child <= len(self.revisions) or self._of(child).parent != parent for parent, child in self.ahead.items()):
            raise ChoreiaError("what a take does again is a revision of where it stands")
        _ = self.frames

    @cached_property
    def frames(self) -> tuple[int, ...]:
        """Frames of the base and of every revision."""
        motion = self.base.motion
        if motion is None and any(revision.splices for revision in self.revisions):
            raise ChoreiaError("this performance has no motion: there is nothing to edit")
        if motion is None:
            return (0,) * (1 + len(self.revisions))
        lengths = [len(motion)]
        for revision in self.revisions:
            lengths.append(length_after(revision.splices, lengths[revision.parent], motion.rotations.shape[1]))
        return tuple(lengths)

    @cached_property
    def performance(self) -> Performance:
        """The state that the take stands at; its provenance lists, under "edits", what was done to get there."""
        now = self.base
        for revision in self.path():
            now = _revised(now, revision)
        return now

    @property
    def current_song(self) -> Song | None:
        """The song of the state that the take stands at."""
        changes = [revision.song for revision in self.path() if revision.music is not None]
        return changes[-1] if changes else self.song

    def path(self) -> tuple[Revision, ...]:
        """The revisions from the base to where the take stands, in order."""
        steps, at = list[Revision](), self.at
        while at != BASE:
            steps.append(self._of(at))
            at = steps[-1].parent
        return tuple(reversed(steps))

    def apply(self, operation: str, parameters: Mapping[str, object], splices: Sequence[Splice] = (), *, script: Script | None = None,
              music: Music | None = None, song: Song | None = None, seed: int | None = None) -> Take:  # fmt: skip
        """The take one edit further; see `Revision`. Rows are copied, in the number type of the motion.

        Raises:
            ChoreiaError: as `length_after`; parameters that JSON cannot hold; nothing that changes; a song without its music;
                splices of a performance without motion.
        """
        if not splices and script is None and music is None:
            raise ChoreiaError(f"{operation} changes nothing: there is nothing to record")
        if song is not None and music is None:
            raise ChoreiaError(f"{operation} brings the song {song.name!r} without its beats: analyse it first")
        revision = Revision(len(self.revisions) + 1, self.at, operation, _as_json(operation, parameters), self._own(splices),
                            script, music, song, seed)  # fmt: skip
        return replace(self, revisions=(*self.revisions, revision))._standing(revision.id)

    def undo(self) -> Take:
        """The take before its last edit; ChoreiaError at the base."""
        if self.at == BASE:
            raise ChoreiaError("nothing to undo: this is the dance as it was first made")
        return replace(self, at=self._of(self.at).parent)

    def redo(self) -> Take:
        """The take at the revision of this state that was visited last; ChoreiaError where there is none."""
        if self.at not in self.ahead:
            raise ChoreiaError("nothing to redo: no edit was undone here")
        return replace(self, at=self.ahead[self.at])

    def go(self, where: str | int) -> Take:
        """The take at a variant, by its name, or at a revision, by its number; ChoreiaError when there is none."""
        number = self.variants.get(where, _number(where)) if isinstance(where, str) else where
        if not 0 <= number <= len(self.revisions):
            known = ", ".join([f"a number from 0 to {len(self.revisions)}", *map(repr, self.variants)])
            raise ChoreiaError(f"no variant or revision {str(where)[:LONGEST_NAME]!r}: go to {known}")
        return self._standing(number)

    def name(self, variant: str) -> Take:
        """The take whose present state is called `variant`; a name that is taken moves here. ChoreiaError: not a name."""
        name = " ".join(variant.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable() or _number(name) >= 0:
            raise ChoreiaError(f"{variant[:LONGEST_NAME]!r} is no name for a variant: give up to {LONGEST_NAME} characters, no number")
        return replace(self, variants=self.variants | {name: self.at})

    def log(self) -> tuple[str, ...]:
        """One line a state, the base first; ">" marks where the take stands."""
        steps = ["the dance as it was first made", *(_step(revision) for revision in self.revisions)]
        return tuple(self._line(number, step) for number, step in enumerate(steps))

    def _line(self, number: int, step: str) -> str:
        names = "".join(f" [{name}]" for name, named in self.variants.items() if named == number)
        line = f"{'>' if number == self.at else ' '} {number:3d}  {step}, {self.frames[number]} frames{names}"
        return "".join(letter if letter.isprintable() else "?" for letter in line)

    def _standing(self, at: int) -> Take:
        """The take at `at`, with the way there as the way to redo."""
        there = replace(self, at=at)
        return replace(there, ahead=self.ahead | {revision.parent: revision.id for revision in there.path()})

    def _own(self, splices: Sequence[Splice]) -> tuple[Splice, ...]:
        motion = self.base.motion
        if motion is None:
            return tuple(splices)
        kinds = motion.root.dtype, motion.rotations.dtype
        return tuple(Splice(s.start, s.stop, np.array(s.root, kinds[0]), np.array(s.rotations, kinds[1])) for s in _ordered(splices))

    def _of(self, number: int) -> Revision:
        return self.revisions[number - 1]


def _revised(before: Performance, revision: Revision) -> Performance:
    after = replace(before, provenance=before.provenance | {"edits": [*_edits(before), _entry(revision)]})
    if revision.splices and before.motion is not None:
        after = replace(after, motion=spliced(before.motion, revision.splices))
    if revision.script is not None:
        after = replace(after, script=revision.script)
    if revision.music is not None:
        provenance = _to_other_music(after.provenance, revision.song)
        after = replace(after, audio=None, music=revision.music, stage=None, provenance=provenance)
    return after


def _edits(performance: Performance) -> list[object]:
    edits = performance.provenance.get("edits")
    return edits if isinstance(edits, list) else []


def _entry(revision: Revision) -> dict[str, object]:
    """What the provenance says of an edit."""
    return {"operation": revision.operation, "parameters": revision.parameters, "seed": revision.seed, "choreia": revision.version}


def _to_other_music(provenance: dict[str, object], song: Song | None) -> dict[str, object]:
    """The provenance with another song or none; what it says of the old music is left out."""
    kept = {key: value for key, value in provenance.items() if key not in {"song", "music"}}
    return kept if song is None else {**kept, "song": {"file": song.name, "sha256": song.sha256, "start_s": song.start_s}}


def _as_json(operation: str, parameters: Mapping[str, object]) -> dict[str, object]:
    try:
        return json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ChoreiaError(f"the parameters of {operation} are not JSON values: {str(error)[:80]}") from error


def _number(text: str) -> int:
    """A revision's number as text, -1 for any other text."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _step(revision: Revision) -> str:
    """A revision in words: from where, the operation and its parameters, the frames of its parent that it replaced."""
    said = "".join(f" {key}={value}" for key, value in revision.parameters.items())
    seed = "" if revision.seed is None else f", seed {revision.seed}"
    places = ", ".join(f"{splice.start}-{splice.stop}" for splice in revision.splices)
    where = f", replaces {places}" if places else ""
    return textwrap.shorten(f"after {revision.parent}: {revision.operation}{said}{seed}{where}", 160, placeholder=" …")
