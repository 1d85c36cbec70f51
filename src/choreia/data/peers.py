"""Folders of takes and music as any peer leaves them: what is there, what belongs together, and every take as joint positions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics.base import JOINTS, Clip, Song
from choreia.metrics.peer_beats import PEERS
from choreia.motion import io
from choreia.motion.io import joints as joint_files
from choreia.motion.io import smpl
from choreia.motion.kinematics import positions
from choreia.motion.retarget import to_choreia24, without_rest_frames
from choreia.music import files
from choreia.music.analyze import analyze_file
from choreia.types import Motion

MOTIONS = (".npz", ".pkl", ".npy", ".bvh", ".glb", ".amc", ".csv")
"""Suffixes of takes; of files that differ in the suffix alone, the first in this order is the one that is read."""

SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".opus")
VIDEOS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
LATENTS = ".latents.npz"
CAPTIONS = "captions.json"
_AIST_MUSIC = re.compile(r"_(m[A-Z]{2}\d)_")
_Z_UP_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
_TALLEST_M = 4.0
_SLOWEST_FPS, _FASTEST_FPS, _LONGEST_S = 1.0, 2000.0, 3600.0


@dataclass(frozen=True)
class Folder:
    """What a folder holds, by name (path below the folder, without suffix); `notes` says which copies were passed over."""

    path: Path
    motions: dict[str, Path]
    sounds: dict[str, Path]
    videos: dict[str, Path]
    latents: dict[str, Path]
    texts: dict[str, Path]
    captions: Path | None
    notes: tuple[str, ...]


def look_into(folder: Path) -> Folder:
    """List a folder and all below it; ChoreiaError when it is missing or holds nothing that can be measured."""
    if not folder.is_dir():
        raise ChoreiaError(f"{folder} is not a folder: give the folder that holds the takes")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    latents = [path for path in found if path.name.endswith(LATENTS)]
    motions, notes = _one_each(folder, [path for path in found if path.suffix.lower() in MOTIONS and path not in set(latents)])
    captions = folder / CAPTIONS
    here = Folder(folder, motions, _named(folder, found, SOUNDS), _named(folder, found, VIDEOS), _named(folder, latents, (".npz",)),
                  _named(folder, found, (".txt",)), captions if captions.is_file() else None, notes)  # fmt: skip
    if not (here.motions or here.sounds or here.videos or here.latents or here.captions):
        kinds = ", ".join((*MOTIONS, *SOUNDS))
        raise ChoreiaError(f"{folder} holds nothing to measure: takes and music end in {kinds}")
    return here


def read_clip(path: Path, name: str, fps: float | None = None) -> tuple[Clip, tuple[str, ...]]:
    """A take as joints, and what was done to it on the way (rate assumed, retargeted, turned upright, scaled).

    Args:
        path: a take.
        name: what to call it.
        fps: the rate of files that do not say theirs.
    Raises:
        ChoreiaError: unreadable, not a humanoid, not finite, at no rate of a movement, or over an hour long.
    """
    places, rate, notes = _arrays(path, fps) if path.suffix.lower() in joint_files.SUFFIXES else _animated(io.read(path))
    if not _SLOWEST_FPS <= rate <= _FASTEST_FPS:
        raise ChoreiaError(f"{path}: {rate:g} frames a second are no movement: give {_SLOWEST_FPS:g} to {_FASTEST_FPS:g}")
    if len(places) / rate > _LONGEST_S:
        raise ChoreiaError(f"{path} lasts {len(places) / rate / 60:.0f} minutes: cut it into takes of an hour or less")
    return Clip(name, places.astype(np.float32), rate), notes


def song_of(name: str, songs: Sequence[str]) -> str | None:
    """The song that a take belongs to: of the same name, named in AIST++'s way (`_mBR0_`), or the longest whose name is a part of it."""
    stem = Path(name).name
    by_stem = {Path(song).name: song for song in songs}
    code = _AIST_MUSIC.search(stem)
    parts = [s for s in by_stem if re.search(rf"(^|[^A-Za-z0-9]){re.escape(s)}($|[^A-Za-z0-9])", stem)]
    wanted = [stem, *([code[1]] if code else []), *sorted(parts, key=len, reverse=True)]
    return next((by_stem[s] for s in wanted if s in by_stem), None)


def hear(path: Path, name: str, peers: Sequence[str] = ()) -> Song:
    """Beats and downbeats of a song, from the labels beside it (`NAME.json` with `beats_s`, as `choreia analyze --json` prints) or by our
    analysis, and the beats that each of `peers` would find."""
    music = analyze_file(path)
    grids = {"beats": music.beats_s, "strong": music.downbeats_s} | _labels(path)
    if peers:
        audio = files.read(path)
        grids |= {peer: PEERS[peer](audio.mono(), audio.rate) for peer in peers}
    return Song(name, music.duration_s, grids)


def _labels(path: Path) -> dict[str, np.ndarray]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        labels = json.loads(beside.read_text(encoding="utf-8"))
        found = {"beats": labels["beats_s"], "strong": labels.get("downbeats_s", [])}
        return {grid: np.sort(np.asarray(times, np.float64)) for grid, times in found.items()}
    except (KeyError, TypeError, ValueError, AttributeError, UnicodeDecodeError):
        raise ChoreiaError(f"{beside} is no list of beats: give an object with beats_s (and downbeats_s), or take it away") from None


_Read = tuple[np.ndarray, float, tuple[str, ...]]  # positions, frame rate, notes


def _arrays(path: Path, fps: float | None) -> _Read:
    """A file of arrays: joints as they are, our own takes, or SMPL's angles."""
    arrays = joint_files.load(path)
    if found := joint_files.from_arrays(arrays, path, fps):
        upright, turned = _upright(found.places)
        return upright, found.fps, (*found.notes, *turned)
    if "format" in arrays:
        return _animated(io.read(path))
    said = bool(set(smpl.RATES) & set(arrays))
    motion = smpl.from_arrays(arrays, path, fps=None if said else fps)
    return positions(motion), motion.fps, (joint_files.OUR_BODY, *(() if said else (joint_files.UNSAID.format(motion.fps),)))


def _animated(motion: Motion) -> _Read:
    """A take with rotations, on our skeleton."""
    names = motion.skeleton.names
    if set(JOINTS) <= set(names):
        return positions(motion)[:, [names.index(joint) for joint in JOINTS]], motion.fps, ()
    ours = to_choreia24(without_rest_frames(motion))
    return positions(ours), ours.fps, ("retargeted from another skeleton, sized to our body",)


def _upright(places: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions with Y up and in metres, from positions with Z up or in centimetres."""
    trunk = np.median(places[:, 15] - places[:, 7:9].mean(axis=1), axis=0)
    notes = []
    if abs(trunk[2]) > 2 * abs(trunk[1]):
        places = places @ _Z_UP_TO_Y_UP.T
        notes.append("turned from Z up to Y up")
    if np.linalg.norm(trunk) > _TALLEST_M:
        places = places / 100
        notes.append("taken as centimetres")
    return places, tuple(notes)


def _one_each(folder: Path, paths: list[Path]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """One file a name, and a note about the other copies."""
    ranked = sorted(paths, key=lambda path: MOTIONS.index(path.suffix.lower()), reverse=True)
    chosen = {_name(folder, path): path for path in ranked}
    passed = len(paths) - len(chosen)
    note = f"{passed} files passed over: the same take in another format stands beside them"
    return dict(sorted(chosen.items())), (note,) if passed else ()


def _named(folder: Path, paths: list[Path], suffixes: tuple[str, ...]) -> dict[str, Path]:
    return {_name(folder, path): path for path in paths if path.suffix.lower() in suffixes}


def _name(folder: Path, path: Path) -> str:
    """Path below the folder without its suffixes of ours (`.pkl.npy` and `.latents.npz` are double)."""
    name = path.relative_to(folder).as_posix()[: -len(path.suffix)]
    return name.removesuffix(".pkl").removesuffix(".latents")


def with_song(clip: Clip, songs: Sequence[str]) -> Clip:
    """The clip with the name of its song, when there is one."""
    return replace(clip, song=song_of(clip.name, songs))


def read_captions(path: Path) -> tuple[list[str], list[list[str]]]:
    """Captions and their references from `{"NAME": {"caption": "…", "references": ["…"]}}`; ChoreiaError for another layout."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        pairs = [(str(entry["caption"]), [str(text) for text in entry["references"]]) for _, entry in sorted(entries.items())]
    except (KeyError, TypeError, ValueError, AttributeError, UnicodeDecodeError):
        raise ChoreiaError(f'{path}: give {{"NAME": {{"caption": "…", "references": ["…"]}}}}') from None
    if not pairs or not all(references for _, references in pairs):
        raise ChoreiaError(f"{path}: every caption needs one reference or more")
    return [caption for caption, _ in pairs], [references for _, references in pairs]
