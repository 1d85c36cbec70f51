"""A lit song to files in a folder: all of them, or none. `stage.json` and `safety.txt` say what was made, and what safety changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from choreia.edit.history import Take
from choreia.errors import ChoreiaError
from choreia.export import take as take_file
from choreia.export.bundle import Progress, song_in, staging_in
from choreia.files import atomic_path
from choreia.music import files
from choreia.stage import style
from choreia.stage.output import cuesheet, midi, mvr, osc, qlc
from choreia.stage.output.show import Show, label
from choreia.stage.palettes import linear_to_srgb
from choreia.stage.safety import Intervention, Limits
from choreia.types import ZONES, Cue, Motion, Performance, Style

REPORT = "safety.txt"
EXCERPT = "song.wav"
QLC_SOUND = (".wav", ".flac", ".ogg", ".mp3")
"""What QLC+ plays on every system; the sound of other songs is written beside the show."""


@dataclass(frozen=True)
class Production:
    """A show with all that its files tell.

    motion: the dance at the stage's rate, or who stands in for it in films. song: the sound file, which the show uses from `start_s` on,
    `whole` when it uses all of it. interventions: what safety changed, of the stage and of the heads.
    """

    show: Show
    song: Path
    start_s: float
    whole: bool
    performance: Performance
    motion: Motion
    limits: Limits
    interventions: tuple[Intervention, ...] = ()
    provenance: dict[str, object] = field(default_factory=dict)

    @property
    def beside(self) -> bool:
        """Whether the part of the song that the show uses must lie beside it as `EXCERPT`."""
        return not self.whole or self.song.suffix.lower() not in QLC_SOUND


# ---------------------------------------------------------------------------------------------------------------- the files


def _workspace(made: Production, path: Path, progress: Progress | None) -> None:
    """The QLC+ workspace with its definitions, and its song where that cannot be taken from where it is."""
    song = Path(EXCERPT) if made.beside else made.song.resolve()
    if made.beside:
        files.write(path.with_name(EXCERPT), files.read(made.song, made.start_s, made.show.stage.duration_s))
    qlc.write(path, replace(made.show, song=song))


def _film(made: Production, path: Path, progress: Progress | None) -> None:
    from choreia.render.stage_show import render_stage

    render_stage(made.motion, made.show.stage, made.song, path, progress=progress, title=made.show.name, sound_start_s=made.start_s)


def _scene_glb(made: Production, path: Path, progress: Progress | None) -> None:
    from choreia.export.scene import write_stage_glb

    write_stage_glb(path, made.motion, made.show)


def _scene_usd(made: Production, path: Path, progress: Progress | None) -> None:
    from choreia.export.scene import write_stage_usd

    write_stage_usd(path, made.motion, made.show)


def _arrays(made: Production, path: Path, progress: Progress | None) -> None:
    """The track, the slices and the times as numpy arrays, without pickled objects."""
    stage = made.show.stage
    parts = {"track": stage.track, "slices": stage.slices}
    if stage.cues:
        parts["cues"] = style.join([cue.state for cue in stage.cues])
    arrays = {f"{name}.{column.name}": getattr(rows, column.name) for name, rows in parts.items() for column in fields(Style)}
    times = np.array([(cue.time_s, cue.fade_in_s, cue.fade_out_s) for cue in stage.cues]).reshape(-1, 3)
    whole = {"fps": np.float64(stage.fps), "starts_s": stage.starts_s, "looks": np.array(stage.looks), "cue_times_s": times}
    with atomic_path(path) as partial:
        np.savez(partial, **(arrays | whole))


def _project(made: Production, path: Path, progress: Progress | None) -> None:
    take_file.save(Take(made.performance, song_in(made.song, made.start_s)), path)


def _sheet(made: Production, path: Path, progress: Progress | None) -> None:
    cuesheet.write(path, made.show)


def _page(made: Production, path: Path, progress: Progress | None) -> None:
    path.write_text(json.dumps(page(made, path.parent), indent=1) + "\n", encoding="utf-8")


Writer = Callable[[Production, Path, Progress | None], None]

FILES: dict[str, tuple[str, Writer]] = {
    "qxw": ("show.qxw", _workspace),
    "csv": ("cues.csv", _sheet),
    "html": ("cues.html", _sheet),
    "pdf": ("cues.pdf", _sheet),
    "mid": ("cues.mid", lambda made, path, _: midi.write(path, made.show)),
    "osc": ("cues.osc", lambda made, path, _: osc.write(path, made.show)),
    "mvr": ("rig.mvr", lambda made, path, _: mvr.write(path, made.show.rig)),
    "glb": ("stage.glb", _scene_glb),
    "usda": ("stage.usda", _scene_usd),
    "npz": ("stage.npz", _arrays),
    "take": ("show.take", _project),
    "mp4": ("show.mp4", _film),
    "json": ("stage.json", _page),
}
"""By format: the file's name and what writes it, in the order of writing; `stage.json`, the last, has the hashes of the others."""

DEFAULT_FORMATS = ("qxw", "csv", "html", "json", "npz")


def check_show(out: Path, formats: Sequence[str], force: bool, known: Sequence[str] = tuple(FILES)) -> None:
    """Refuse, before any work is done, what `write_show` would refuse at the end.

    Raises:
        ChoreiaError: a format that is not `known`, `out` is a file or cannot be written, or a file exists and `force` is not set.
    """
    unknown = [name for name in formats if name not in known]
    if unknown:
        raise ChoreiaError(f"unknown format {', '.join(map(repr, unknown))}: choose from {', '.join(known)}, or none")
    if out.exists() and not out.is_dir():
        raise ChoreiaError(f"{out} is a file: give a folder to write into")
    place = next(one for one in (out, *out.absolute().parents) if one.exists())
    if formats and not os.access(place, os.W_OK | os.X_OK):
        raise ChoreiaError(f"cannot write into {place}: choose another folder")
    taken = [out / FILES[name][0] for name in formats if name in FILES and (out / FILES[name][0]).exists()]
    if taken and not force:
        raise ChoreiaError(f"{taken[0]} exists: choose another folder or pass --force")


def write_show(made: Production, out: Path, formats: Sequence[str], *, progress: Progress | None = None,
               beside: Callable[[Path], object] | None = None) -> list[Path]:  # fmt: skip
    """Write the files of `formats`, the report of safety, and what `beside` puts into the folder that it is given; returns their paths.

    Raises:
        ChoreiaError: a file cannot be written; nothing is left behind.
    """
    with staging_in(out) as staging:
        if beside is not None:
            beside(staging)
        if formats:
            (staging / REPORT).write_text(report(made), encoding="utf-8")
        for name, (file, write) in FILES.items():
            if name in formats:
                write(made, staging / file, progress)
        finished = sorted(path.name for path in staging.iterdir())
        for one in finished:
            os.replace(staging / one, out / one)
    return [out / one for one in finished]


# ----------------------------------------------------------------------------------------------------------- what they tell


def report(made: Production) -> str:
    """What safety asked for and changed, and what the rig cannot do, line by line."""
    limits, cannot = made.limits, made.show.dmx.notes
    flashes = "allowed: warn the audience" if limits.flash_allowed else f"at most {limits.flashes_per_s:g} a second over large areas"
    lines = [made.show.name, f"flashes: {flashes}", f"light on a moving dancer: at least {limits.least_light:g}", ""]
    lines += [f"changed {len(made.interventions)} times", *map(str, made.interventions), ""]
    lines += [f"rig {made.show.rig.name}", *(cannot or ("does all that the show asks for",))]
    return "\n".join(lines) + "\n"


def page(made: Production, folder: Path) -> Mapping[str, object]:
    """What `stage.json` holds: provenance, slices, cues, safety, rig, and the hashes of the files in `folder`."""
    show, stage = made.show, made.show.stage
    ends = [*stage.starts_s[1:].tolist(), stage.duration_s]
    slices = [
        {"start_s": start, "end_s": end, "bar": show.bar(start), "look": look}
        for start, end, look in zip(stage.starts_s.tolist(), ends, stage.looks, strict=True)
    ]
    return {
        **made.provenance,
        "duration_s": stage.duration_s,
        "fps": stage.fps,
        "slices": slices,
        "cues": [_cue(show, number + 1, cue) for number, cue in enumerate(stage.cues)],
        "safety": {"limits": asdict(made.limits), "interventions": [asdict(one) for one in made.interventions]},
        "rig": {"name": show.rig.name, "fixtures": len(show.rig.fixtures), "universes": show.rig.universes, "cannot": show.dmx.notes},
        "files_sha256": {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()},
    }


def _cue(show: Show, number: int, cue: Cue) -> dict[str, object]:
    """One cue: times, bar, what it is called, and the level and colour of every zone that it lights."""
    colours = linear_to_srgb(style.zone_colours(cue.state)[0])
    zones = {
        zone: {"level": round(float(level), 4), "colour": "#" + "".join(f"{round(255 * float(part)):02x}" for part in colour)}
        for zone, level, colour in zip(ZONES, cue.state.light[0], colours, strict=True)
        if level > 0
    }
    times = {name: round(float(getattr(cue, name)), 4) for name in ("time_s", "fade_in_s", "fade_out_s")}
    named = {"bar": show.bar(cue.time_s), "look": cue.look, "label": label(cue), "strobe_hz": cue.strobe_hz}
    return {"number": number, **times, **named, "zones": zones}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
