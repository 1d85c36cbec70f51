"""`choreia edit`: a project file made, changed by one operation, led through its history, and written out as a dance."""

from __future__ import annotations

import difflib
import inspect
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from choreia.edit import duet
from choreia.edit.history import Revision, Song, Take
from choreia.errors import ChoreiaError
from choreia.export.bundle import DEFAULT_FORMATS, MOTION_FORMATS, check_outputs, song_in, write_bundle
from choreia.export.take import SUFFIX, load, save
from choreia.motion import io
from choreia.music import files
from choreia.music.analyze import analyze_file
from choreia.pipelines import edit_original
from choreia.pipelines.edit_operations import OPERATIONS, Change
from choreia.types import Audio, Motion, Performance

Progress = Callable[[str, float], None]

MOST_SEED = 2**53


# ------------------------------------------------------------------------------------------------------------- operations


@dataclass(frozen=True)
class Done:
    """A take one edit further, and what the operation did not understand."""

    take: Take
    warnings: tuple[str, ...] = ()


def do(take: Take, operation: str, **parameters: object) -> Take:
    """The take after an operation of `edit_operations.OPERATIONS`, such as do(take, "mirror", at="bars 9-12").

    Raises:
        ChoreiaError: no such operation or parameter, or what the operation itself refuses; the take stays as it is.
    """
    return done(take, operation, parameters).take


def done(take: Take, operation: str, parameters: dict[str, object]) -> Done:
    """`do` with its warnings. Only parameters that differ from what is usual are recorded, and hashes of the files that were read."""
    given = _arguments(operation, parameters)
    change = OPERATIONS[operation](take.performance, *given.args[1:], **given.kwargs)
    usual = {name: parameter.default for name, parameter in given.signature.parameters.items()}
    recorded = {name: value for name, value in given.arguments.items() if name not in ("now", "seed") and value != usual[name]}
    if change.files:
        recorded["files"] = change.files
    given.apply_defaults()
    after = take.apply(operation, recorded, change.splices, script=change.script, music=change.music, song=_song(take, change),
                       seed=given.arguments.get("seed"))  # fmt: skip
    return Done(after, change.warnings)


def again(take: Take, number: int) -> Take:
    """The operation of a revision done once more, where the take stands now, with its parameters and its seed.

    Raises:
        ChoreiaError: no such revision, a file that has changed since, or what the operation refuses.
    """
    if not 1 <= number <= len(take.revisions):
        raise ChoreiaError(f"there is no edit {number} to do again: the take has {len(take.revisions)}, see choreia edit TAKE log")
    revision = take.revisions[number - 1]
    _check_files(revision)
    parameters = {name: value for name, value in revision.parameters.items() if name != "files"}
    return do(take, revision.operation, **parameters, **({} if revision.seed is None else {"seed": revision.seed}))


def partner(now: Performance, kind: str, *, gap_m: float = 1.5, beats: float = 4.0, x_m: float = 1.5, z_m: float = 0.0) -> Motion:
    """A second dancer: "mirrored" (`gap_m`), "beside" (`x_m`, `z_m`), or in "canon" (`beats`, `x_m`, `z_m`). Errors as `edit.duet`."""
    if now.motion is None:
        raise ChoreiaError("this take has no motion: there is nobody to dance with")
    kinds = {
        "mirrored": partial(duet.mirrored, now.motion, gap_m),
        "beside": partial(duet.beside, now.motion, x_m, z_m),
        "canon": partial(duet.canon, now.motion, beats, now.music, x_m, z_m),
    }
    if kind not in kinds:
        raise ChoreiaError(f"unknown partner {kind[:40]!r}: choose {', '.join(kinds)}")
    return kinds[kind]()



def _arguments(operation: str, parameters: dict[str, object]) -> inspect.BoundArguments:
    """The parameters of an operation by name, the performance left open."""
    if operation not in OPERATIONS:
        near = difflib.get_close_matches(operation, OPERATIONS, n=3, cutoff=0.4)
        raise ChoreiaError(f"unknown operation {operation[:40]!r}: use {', '.join(near or OPERATIONS)}")
    try:
        given = inspect.signature(OPERATIONS[operation]).bind(None, **parameters)
    except TypeError as error:
        raise ChoreiaError(f"{operation}: {error}; see choreia edit TAKE {operation} --help") from error
    for name, value in given.arguments.items():
        kind = getattr(given.signature.parameters[name].annotation, "__origin__", object)
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ChoreiaError(f"{operation}: {name} is {str(value)[:40]!r}, which is no {getattr(kind, '__name__', kind)}")
    if not 0 <= given.arguments.get("seed", 0) <= MOST_SEED:
        raise ChoreiaError(f"{operation}: the seed {str(given.arguments['seed'])[:40]} is not one: give 0 to {MOST_SEED}")
    return given


def _song(take: Take, change: Change) -> Song | None:
    """The song of what changed; one that is put off begins before its file does."""
    now = take.current_song
    return replace(now, start_s=now.start_s - change.put_off_s) if now and change.put_off_s else change.song


def _check_files(revision: Revision) -> None:
    read = revision.parameters.get("files")
    for name, sha256 in (read if isinstance(read, dict) else {}).items():
        if edit_original.sha256_of(name)[: len(sha256)] != sha256:
            raise ChoreiaError(f"{name} is not the file that edit {revision.id} was made with: do the edit anew with this one")


# ------------------------------------------------------------------------------------------------------------ project files


def new(path: Path, source: Path, *, song: Path | None = None, start_s: float = 0.0, force: bool = False) -> dict[str, object]:
    """Make a project file of an animator's own dance, and of the song from `start_s` on that it is danced to."""
    if path.exists() and not force:
        raise ChoreiaError(f"{path} exists: choose another name or pass --force")
    performance = edit_original.imported(source)
    found = None
    if song is not None and performance.motion is not None:
        performance = replace(performance, music=analyze_file(song, start_s, performance.motion.duration_s))
        found = song_in(song, start_s)
    take = Take(performance, found)
    save(take, path)
    frames = take.frames[0]
    return {"take": str(path), "frames": frames, "text": f"{path}: {frames} frames of {source.name}, to be edited at 30 fps"}


def edit(path: Path, operation: str, parameters: dict[str, object], *, out: Path | None = None) -> dict[str, object]:
    """Do an operation on a project file, which gives way to the edited one, or stays while `out` is written."""
    target, before = _target(path, out), load(path)
    after = done(before, operation, parameters)
    save(after.take, target)
    return {**_report(target, before, after.take), "warnings": list(after.warnings)}


def step(path: Path, move: Callable[[Take], Take], *, out: Path | None = None) -> dict[str, object]:
    """Lead a project file through its history: `Take.undo`, `Take.redo`, `again` and such."""
    target = _target(path, out)
    take = move(load(path))
    save(take, target)
    return {"take": str(target), "revision": take.at, "frames": take.frames[take.at], "text": take.log()[take.at].strip("> ")}


def log(path: Path) -> dict[str, object]:
    """What was done to a dance, a line a state."""
    take = load(path)
    lines = list(take.log())
    return {"take": str(path), "revision": take.at, "variants": take.variants, "log": lines, "text": "\n".join(lines)}


def save_partner(path: Path, out: Path, kind: str, *, force: bool = False, **where: float) -> dict[str, object]:
    """Write `partner` beside the dance of a project file: as a project file with the same song, or in the format of the suffix."""
    if out.exists() and not force:
        raise ChoreiaError(f"{out} exists: choose another name or pass --force")
    take = load(path)
    motion = partner(take.performance, kind, **where)
    if out.suffix.lower() == SUFFIX:
        save(Take(edit_original.without_original(replace(take.performance, motion=motion)), take.current_song), out)
    else:
        io.write(out, motion)
    return {"file": str(out), "frames": len(motion), "text": f"{out}: {kind}, {len(motion)} frames"}


def export(path: Path, out: Path, *, formats: Sequence[str] = DEFAULT_FORMATS, stem: str = "dance", ours: bool = False,
           force: bool = False, progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Write the dance that a project file stands at into a folder; an animator's own on its own skeleton, unless `ours` is asked.

    Films, stills and project files are always of choreia-24 at 30 fps; a project file then holds no history.
    """
    check_outputs(out, formats, [stem], force)
    take = load(path)
    writers = {} if ours else _own_writers(take, formats)
    with _sound(take.current_song) as (sound, start_s):
        written = write_bundle(edit_original.without_original(take.performance), out, formats, stem=stem, force=force, progress=progress,
                               sound=sound, sound_start_s=start_s, writers=writers)  # fmt: skip
    lost = take.current_song is not None and take.current_song.content is None and "mp4" in formats
    warnings = [f"the song {take.current_song.name} is not in the take: the film is silent"] if lost and take.current_song else []
    return {"files": list(map(str, written)), "warnings": warnings, "text": "\n".join(map(str, written))}


def _own_writers(take: Take, formats: Sequence[str]) -> dict[str, Callable[[Path], None]]:
    """What writes the motion formats on the skeleton of the file that the take was made of; nothing where there is none."""
    named = [name for name in formats if name in MOTION_FORMATS]
    original = edit_original.original_of(take.performance) if named else None
    if original is None or take.base.motion is None or take.performance.motion is None:
        return {}
    dance = edit_original.back(original.motion, take.base.motion, take.performance.motion)
    return {name: partial(edit_original.write, original=original, dance=dance) for name in named}


@contextmanager
def _sound(song: Song | None) -> Iterator[tuple[Path | None, float]]:
    """The song of a take as a file, as long as the block lasts, and where the dance begins in it; silence goes before a late song."""
    if song is None or song.content is None:
        yield None, 0.0
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, song.name)
        path.write_bytes(song.content)
        if song.start_s < 0:
            audio = files.read(path)
            silence = np.zeros((len(audio.samples), round(-song.start_s * audio.rate)), np.float32)
            path = Path(folder, "late.wav")
            files.write(path, Audio(np.concatenate([silence, audio.samples], axis=1), audio.rate))
        yield path, max(song.start_s, 0.0)


def _target(path: Path, out: Path | None) -> Path:
    if out is not None and out.suffix != SUFFIX:
        raise ChoreiaError(f"{out} is no name of a take: let it end in {SUFFIX}, or export the dance")
    if out is not None and out.exists() and not (path.exists() and out.samefile(path)):
        raise ChoreiaError(f"{out} exists: choose another name, or remove it first")
    return out or path


def _report(path: Path, before: Take, after: Take) -> dict[str, object]:
    """What an edit changed: frames that gave way and what came, the seams, the length before and after."""
    was, frames, rate_hz = before.frames[before.at], after.frames[after.at], _rate_hz(after)
    revision = after.path()[-1]
    places, moved = [], 0
    for splice in revision.splices:
        places.append((splice.start + moved, splice.start + moved + len(splice)))
        moved += len(splice) - (splice.stop - splice.start)
    seams_s = [round(frame / rate_hz, 3) for frame in sorted({*sum(places, ())}) if 0 < frame < frames]
    changed = [{"from": splice.start, "to": splice.stop, "frames": len(splice)} for splice in revision.splices]
    said = ", ".join(f"{start}-{stop}" for start, stop in places) or "none"
    at = ", ".join(f"{seam_s:.2f}" for seam_s in seams_s) or "none"
    text = f"{path}: edit {after.at}, {revision.operation}: frames {said} changed, seams at {at} s; {was} frames before, {frames} after"
    return {"take": str(path), "revision": after.at, "operation": revision.operation, "changed": changed, "seams_s": seams_s,
            "frames_before": was, "frames": frames, "seconds_before": round(was / rate_hz, 3), "seconds": round(frames / rate_hz, 3),
            "text": text}  # fmt: skip


def _rate_hz(take: Take) -> float:
    return take.base.motion.fps if take.base.motion else 1.0
