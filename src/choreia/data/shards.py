"""Samples on disk: WebDataset tar shards whose members are safetensors and JSON, never pickle, with a manifest of hashes.

A sample `<key>` is the members `<key>.json` (labels), `<key>.motion.safetensors` (root, rotations, contacts at 30 fps),
`<key>.motion60.safetensors` (root, rotations) and any number of `<key>.music<k>.safetensors` (the fields of `MusicTrack`). Shards are
written under another name and renamed when whole; the same samples give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.motion.cleanup import mirror
from choreia.motion.skeleton import choreia24
from choreia.synth.repertoire import other_side
from choreia.types import Motion

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Labels:
    """What is known of a sample.

    `text` is the take's own description, `words` the global text (`decouple`), "" in shards from before it; `music` names the genre of each
    music track; `kind` is "real" or "synthetic". `moves`: what is danced when, (start_s, end_s, text), the name of a figure
    (`synth.repertoire.name_in`), or of a move that was seen and the way it went, before the colon of its text.
    """

    key: str
    split: str
    style: str
    dance: bool
    text: str
    source: str
    licence: str
    phrase: str
    kind: str = "real"
    seconds: float = 0.0
    music: tuple[str, ...] = ()
    moves: tuple[tuple[float, float, str], ...] = ()
    words: str = ""


@dataclass(frozen=True)
class MusicTrack:
    """Music for a sample: `dance` (T, 24) float32 features at 30 fps, beats_s (B,) and downbeats_s (D,) in seconds, exact.

    In shards from before them the rest is empty: `logmel` (T, 64) float16, onsets off and between the beat offbeats_s and subdivisions_s,
    starts of sections sections_s (S,) and their materials (S,) int, equal numbers for the same material.
    """

    dance: np.ndarray
    beats_s: np.ndarray
    downbeats_s: np.ndarray
    logmel: np.ndarray = field(default_factory=lambda: np.zeros((0, 64), np.float16))
    offbeats_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    subdivisions_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sections_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    materials: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Sample:
    """A motion at 30 fps on choreia-24 with contacts (T, 4) in [0, 1], the same at 60 fps or None, and its music tracks."""

    labels: Labels
    motion: Motion
    contacts: np.ndarray
    fine: Motion | None = None
    music: tuple[MusicTrack, ...] = field(default=())


def mirrored(sample: Sample) -> Sample:
    """The sample danced to the other side, as its moves say; music as it is, key with `-mirrored`."""
    turned = other_side if sample.labels.kind == "synthetic" else _sides_swapped
    moves = tuple((start_s, end_s, turned(text)) for start_s, end_s, text in sample.labels.moves)
    return Sample(
        replace(sample.labels, key=f"{sample.labels.key}-mirrored", moves=moves),
        mirror(sample.motion),
        sample.contacts[:, [2, 3, 0, 1]],
        None if sample.fine is None else mirror(sample.fine),
        sample.music,
    )


def _sides_swapped(words: str) -> str:
    return re.sub(r"\b(left|right)\b", lambda side: "right" if side[0] == "left" else "left", words)


# --------------------------------------------------------------------------------------------------------------- writing


def write_shard(path: Path, samples: Iterable[Sample]) -> str:
    """Write samples into a tar file, whole or not at all; its sha256."""
    with atomic_path(path) as partial:
        with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in samples:
                for suffix, content in _members(sample):
                    _add(tar, f"{sample.labels.key}.{suffix}", content)
        digest = sha256(partial)
    return digest


def sha256(path: Path) -> str:
    """Hash of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: object) -> None:
    """Write JSON, whole or not at all, with sorted keys."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _members(sample: Sample) -> Iterator[tuple[str, bytes]]:
    yield "json", json.dumps(asdict(sample.labels), sort_keys=True).encode()
    yield "motion.safetensors", save(_arrays(sample.motion) | {"contacts": np.asarray(sample.contacts, np.float32)})
    if sample.fine is not None:
        yield "motion60.safetensors", save(_arrays(sample.fine))
    for k, track in enumerate(sample.music):
        yield f"music{k}.safetensors", save({name: np.ascontiguousarray(value) for name, value in vars(track).items()})


def _arrays(motion: Motion) -> dict[str, np.ndarray]:
    return {
        "root": np.ascontiguousarray(motion.root, np.float32),
        "rotations": np.ascontiguousarray(motion.rotations, np.float32),
        "fps": np.array([motion.fps], np.float32),
    }


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


# --------------------------------------------------------------------------------------------------------------- reading


def read_samples(folder: Path, split: str | None = None, verify: bool = False) -> list[Sample]:
    """All samples of a prepared folder, or of one split, in the order of the manifest.

    Args:
        folder: what `prepare` wrote.
        split: "train", "val", "test" or None for all.
        verify: recompute the shards' hashes first.
    Raises:
        ChoreiaError: no manifest, a missing shard, or (with `verify`) a shard whose hash is another.
    """
    manifest = read_manifest(folder)
    shards = [entry for entry in manifest["shards"] if split in (None, entry["split"])]
    for entry in shards:
        path = folder / entry["file"]
        if not path.is_file():
            raise ChoreiaError(f"{path}: the manifest names this shard but it is missing; run `choreia prepare` again")
        if verify and sha256(path) != entry["sha256"]:
            raise ChoreiaError(f"{path}: its hash is not the manifest's; delete it and run `choreia prepare` again")
    return [sample for entry in shards for sample in read_shard(folder / entry["file"])]


def read_manifest(folder: Path) -> dict:
    """The manifest of a prepared folder; ChoreiaError when there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ChoreiaError(f"{folder}: no {MANIFEST}; prepare the data first (`choreia prepare`), or finish an interrupted run")
    return json.loads(path.read_text(encoding="utf-8"))


def read_shard(path: Path) -> Iterator[Sample]:
    """Samples of one tar file, in order."""
    members: dict[str, bytes] = {}
    key = ""
    with tarfile.open(path) as tar:
        for entry in tar:
            found, suffix = entry.name.split(".", 1)
            if members and found != key:
                yield _sample(members)
                members = {}
            key = found
            content = tar.extractfile(entry)
            members[suffix] = content.read() if content else b""
    if members:
        yield _sample(members)


def _sample(members: dict[str, bytes]) -> Sample:
    fields = json.loads(members["json"])
    coarse = load(members["motion.safetensors"])
    tracks = tuple(MusicTrack(**load(members[f"music{k}.safetensors"])) for k in range(len(fields["music"])))
    fine = _motion(load(members["motion60.safetensors"])) if "motion60.safetensors" in members else None
    lists = {"music": tuple(fields["music"]), "moves": tuple((a, b, text) for a, b, text in fields.get("moves", ()))}
    return Sample(Labels(**fields | lists), _motion(coarse), coarse["contacts"], fine, tracks)


def _motion(arrays: dict[str, np.ndarray]) -> Motion:
    return Motion(choreia24(), arrays["root"], arrays["rotations"], float(arrays["fps"][0]))
