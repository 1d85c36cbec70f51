"""A take as JSON and arrays: plain values go on the page, arrays go beside it under the path of what they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePath

import numpy as np

from choreia import __version__
from choreia.edit.history import Revision, Song, Take
from choreia.export.take.entry import Arrays, Page, put
from choreia.export.take.lighting import stage_page
from choreia.types import Audio, Features, Motion, Music, Performance, Script


def take_page(take: Take, arrays: Arrays) -> Page:
    """The page of a take; its arrays are added to `arrays`."""
    return {
        "choreia": __version__,
        "at": take.at,
        "variants": take.variants,
        "ahead": {str(parent): child for parent, child in sorted(take.ahead.items())},
        "song": _song(take.song),
        "base": _performance(take.base, "base", arrays),
        "revisions": [_revision(revision, f"revisions/{revision.id}", arrays) for revision in take.revisions],
    }


def every_song(take: Take) -> Iterator[Song]:
    """Every song of a take, of its base and of its revisions."""
    yield from (song for song in (take.song, *(revision.song for revision in take.revisions)) if song is not None)


def plain(value: object) -> object:
    """What JSON can hold of a number or an array of numpy, or of a path; TypeError for anything else."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


def _performance(performance: Performance, where: str, arrays: Arrays) -> Page:
    lit = {} if performance.stage is None else {"stage": stage_page(performance.stage, f"{where}/stage", arrays)}
    return {
        **lit,
        "audio": _audio(performance.audio, f"{where}/audio", arrays),
        "music": _music(performance.music, f"{where}/music", arrays),
        "motion": _motion(performance.motion, f"{where}/motion", arrays),
        "script": _script(performance.script),
        "provenance": performance.provenance,
    }


def _revision(revision: Revision, where: str, arrays: Arrays) -> Page:
    splices = []
    for number, splice in enumerate(revision.splices):
        put(arrays, f"{where}/splices/{number}", root=splice.root, rotations=splice.rotations)
        splices.append({"start": splice.start, "stop": splice.stop})
    return {
        "parent": revision.parent,
        "operation": revision.operation,
        "parameters": revision.parameters,
        "splices": splices,
        "script": _script(revision.script),
        "music": _music(revision.music, f"{where}/music", arrays),
        "song": _song(revision.song),
        "seed": revision.seed,
        "version": revision.version,
    }


def _audio(audio: Audio | None, where: str, arrays: Arrays) -> Page | None:
    if audio is None:
        return None
    put(arrays, where, samples=audio.samples)
    return {"rate": audio.rate}


def _motion(motion: Motion | None, where: str, arrays: Arrays) -> Page | None:
    if motion is None:
        return None
    put(arrays, where, offsets=motion.skeleton.offsets, root=motion.root, rotations=motion.rotations)
    return {"joints": motion.skeleton.names, "parents": motion.skeleton.parents, "fps": motion.fps}


def _music(music: Music | None, where: str, arrays: Arrays) -> Page | None:
    if music is None:
        return None
    times = {name: getattr(music, name) for name in TIMES}
    put(arrays, where, **times, **{name: getattr(music.events, name) for name in EVENTS})
    return {
        "duration_s": music.duration_s,
        "meter": music.meter,
        "sections": [asdict(section) for section in music.sections],
        "energy": _features(music.energy, f"{where}/energy", arrays),
        "features": {name: _features(found, f"{where}/features/{name}", arrays) for name, found in music.features.items()},
    }


TIMES = ("beats_s", "downbeats_s", "eights_s", "tempo_bpm")
EVENTS = ("strong_s", "offbeat_s", "subdivision_s")
"""Arrays (n,) of `Music` and of its `RhythmEvents`."""


def _features(features: Features, where: str, arrays: Arrays) -> Page:
    put(arrays, where, values=features.values)
    return {"fps": features.fps, "names": features.names}


def _script(script: Script | None) -> Page | None:
    return None if script is None else asdict(script)


def _song(song: Song | None) -> Page | None:
    if song is None:
        return None
    return {"name": song.name, "sha256": song.sha256, "start_s": song.start_s, "inside": song.content is not None}
