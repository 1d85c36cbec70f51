"""`choreia light`: a song in, and a dance to it where there is one, a show out. This page is the table of contents of that job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from choreia import __version__
from choreia.errors import ChoreiaError
from choreia.export import show as shows
from choreia.export.show import Production
from choreia.music.analyze import analyze_file
from choreia.pipelines import lighting
from choreia.pipelines.dance import Request
from choreia.pipelines.lighters import Progress
from choreia.pipelines.lighting import Asked, Plan
from choreia.pipelines.sending import Sending, Tell, check, send
from choreia.stage.output.show import Show
from choreia.stage.safety import Intervention
from choreia.types import Performance

USUAL = Asked()


def light(song: Path, out: Path, *, dance: Path | None = None, stage: Path | None = None, asked: Asked = USUAL, seed: int = 0,
          start_s: float = 0.0, seconds: float | None = None, formats: Sequence[str] = shows.DEFAULT_FORMATS,
          sending: Sending | None = None, force: bool = False, progress: Progress | None = None,
          tell: Tell = print) -> dict[str, object]:  # fmt: skip
    """Light `song` into the folder `out`, for a `dance` where one is given, and play it live where `sending` says so.

    A `stage` is a project file whose light is taken as it is instead of a new one. What was decided is in "notes".
    """
    shows.check_show(out, formats, force)
    plan, request = lighting.understand(asked), Request(song, start_s, seconds)
    if sending:
        check(sending)
    danced = lighting.read_dance(dance) if dance else lighting.dance_in(stage) if stage else None
    music = analyze_file(song, start_s, seconds)
    motion, notes = lighting.fitted(danced, music.duration_s) if danced else (None, ())
    if stage:
        lit, changed = lighting.saved_light(stage, plan, music, motion)
    else:
        lit, changed = lighting.light_song(plan, music, motion, seed=seed, progress=progress)
    facts = provenance(plan, request, seed, dance, stage)
    made = production(plan, request, Performance(None, music, motion, None, facts, lit), changed)
    written = shows.write_show(made, out, formats, progress=progress) if formats else []
    report = told(made, written, notes)
    if sending:
        report["sent"] = send(made.show, sending, song, start_s, tell)
    return report


def production(plan: Plan, request: Request, performance: Performance, changed: Sequence[Intervention]) -> Production:
    """A performance with a stage on a rig, and all that its files tell."""
    music, stage, motion = performance.music, performance.stage, performance.motion
    if music is None or stage is None:
        raise ChoreiaError("this performance has no light or no song: light the song first")
    show = Show(request.song.stem, stage, plan.rig, music, request.song, None if motion is None else lighting.chest(motion))
    changes = tuple(sorted({*changed, *show.dmx.interventions}, key=lambda one: (one.start_s, one.end_s, one.what)))
    whole = request.start_s == 0 and request.seconds is None
    figure = motion or lighting.standing(stage.duration_s)
    return Production(show, request.song, request.start_s, whole, performance, figure, plan.limits, changes, performance.provenance)


def told(made: Production, written: Sequence[Path], notes: Sequence[str] = ()) -> dict[str, object]:
    """What a person, or a program, is told of a production."""
    paths, stage = list(map(str, written)), made.show.stage
    cannot = made.show.dmx.notes
    said = [*notes, *lighting.told(made.interventions), *(f"rig: {line}" for line in cannot)]
    return {
        "files": paths,
        "seconds": stage.duration_s,
        "cues": len(stage.cues),
        "looks": list(dict.fromkeys(stage.looks)),
        "interventions": [str(one) for one in made.interventions],
        "rig_cannot": list(cannot),
        "warnings": [],
        "notes": said,
        "text": "\n".join(paths) or f"{made.show.name}: {len(stage.cues)} cues, {stage.duration_s:.1f} s",
    }


def provenance(plan: Plan, request: Request, seed: int, dance: Path | None = None, stage: Path | None = None) -> dict[str, object]:
    """Everything needed to make the show again."""
    asked = plan.asked
    named = {"look": asked.look, "palette": asked.palette, "like": str(asked.like) if asked.like else None, "rig": asked.rig}
    return {
        "choreia": __version__,
        "song": {**(_file(request.song) or {}), "start_s": request.start_s, "seconds": request.seconds},
        "dance": _file(dance),
        "stage": _file(stage),
        "designer": plan.lighter.name,
        "weights_sha256": plan.lighter.weights_sha256,
        "seed": seed,
        "asked": {**named, "allow_flash": asked.allow_flash},
        "licence": "The light is yours.",
    }


def _file(path: Path | None) -> dict[str, str] | None:
    """Name and hash of a file."""
    if path is None:
        return None
    with path.open("rb") as file:
        return {"file": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
