"""`choreia perform`: a song in, a dance and the stage around it out. This page is the table of contents of that job."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from choreia.export import show as shows
from choreia.export.bundle import MOTION_FORMATS, check_outputs, write_bundle
from choreia.music.analyze import analyze_file
from choreia.pipelines import lighting
from choreia.pipelines.asking import NOTHING, Words, wish_for
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dance import Request, dance_facts
from choreia.pipelines.dancers import USUAL, Guidance, dancer
from choreia.pipelines.light import USUAL as USUAL_LIGHT
from choreia.pipelines.light import production, provenance, told
from choreia.pipelines.lighters import Progress
from choreia.pipelines.lighting import Asked
from choreia.pipelines.sending import Sending, Tell, check, send
from choreia.types import Performance

DANCE_FORMATS = (*MOTION_FORMATS, "png", "take", "json")
"""What is written of the dance; the film, and what both have a file of, comes with the stage."""
SHOW_FORMATS = tuple(name for name in shows.FILES if name != "take")
FORMATS = tuple(dict.fromkeys((*DANCE_FORMATS, *SHOW_FORMATS)))
DEFAULT_FORMATS = ("bvh", "glb", "npz", "take", "json", "qxw", "csv", "html", "mp4")


def perform(song: Path, out: Path, *, seed: int = 0, start_s: float = 0.0, seconds: float | None = None, style: str | None = None,
            words: Words = NOTHING, guidance: Guidance = USUAL, model: str | None = None, asked: Asked = USUAL_LIGHT,
            formats: Sequence[str] = DEFAULT_FORMATS, sending: Sending | None = None, force: bool = False,
            progress: Progress | None = None, tell: Tell = print) -> dict[str, object]:  # fmt: skip
    """Dance `song` as `dance` does and light it as `light` does, into the folder `out`: one seed, one film of the lit stage.

    `npz` and `json` are written of both; `take` holds both. What was not understood of the words is in "warnings".
    """
    shows.check_show(out, formats, force, FORMATS)
    of_dance, of_show = _of(formats, DANCE_FORMATS), _of(formats, SHOW_FORMATS)
    if of_dance:
        check_outputs(out, of_dance, ["dance"], force)
    plan, request = lighting.understand(asked), Request(song, start_s, seconds)
    if sending:
        check(sending)
    who = dancer(model or ("dancemeld" if words == NOTHING else "choreia"), style, guidance)
    music = analyze_file(song, start_s, seconds)
    wish = wish_for(words, music, style, seed, progress)
    motion, danced = choreograph_song(who, music, asked=wish.script, seed=seed, progress=progress)
    stage, changed = lighting.light_song(plan, music, motion, seed=seed, progress=progress)
    facts = dance_facts(request, music, who, seed, style) | {"prompt": words.prompt, "read_by": wish.read_by}
    performance = Performance(None, music, motion, danced, {**facts, "light": provenance(plan, request, seed)}, stage)
    made = production(plan, request, performance, changed)
    dance_files = partial(write_bundle, performance, formats=of_dance, progress=progress, sound=song, sound_start_s=start_s)
    written = shows.write_show(made, out, of_show, progress=progress, beside=dance_files if of_dance else None) if formats else []
    report = told(made, written, wish.notes) | {"warnings": list(wish.warnings)}
    if sending:
        report["sent"] = send(made.show, sending, song, start_s, tell)
    return report


def _of(formats: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in formats if name in known)
