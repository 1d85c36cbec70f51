"""An animator's own file in a take: kept as it is, danced on choreia-24 at 30 fps, and written again on its own skeleton at its own rate.

What no edit touched is the file's own: of a BVH, line by line. New frames are retargeted back; what retargeting loses (fingers, toes, the
exact bend of a limb) is known wherever the dance is still the file's, and runs evenly from one such frame to the next.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.export import take as take_file
from choreia.files import LARGEST, atomic_path, read_bytes
from choreia.motion import euler, io
from choreia.motion import rotations as rot
from choreia.motion.io import bvh, bvh_text
from choreia.motion.retarget import to_choreia24, to_skeleton
from choreia.motion.timing import resample, warp
from choreia.pipelines.dancers import FPS
from choreia.types import Motion, Performance

KEY = "original"
"""Where the provenance of a take holds the file."""

LARGEST_TEXT = 28 << 20
"""Letters of the longest file, compressed, that a take holds."""


@dataclass(frozen=True)
class Original:
    """The file that a take was made of: its name, its bytes, and the motion in it. `suffix` .bvh, or .npz for what was another format."""

    name: str
    suffix: str
    content: bytes
    motion: Motion


@dataclass(frozen=True)
class Back:
    """A dance on the original skeleton; `rows` (T,) says which frame of the file each frame is to the bit, -1 for new ones."""

    motion: Motion
    rows: np.ndarray


def is_dance(file: str) -> bool:
    """Whether a name ends like a project file's or a motion file's."""
    return file.lower().endswith((take_file.SUFFIX, *io.READERS))


def sha256_of(file: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal digits. Errors as `files.read_bytes`."""
    return hashlib.sha256(read_bytes(file)).hexdigest()


def performance_of(file: str) -> Performance:
    """The dance of a project file or of a motion file, then on choreia-24 at 30 fps and without music. Errors as their readers."""
    if file.lower().endswith(take_file.SUFFIX):
        return take_file.load(file).performance
    return Performance(motion=_ours(io.read(file)))


def imported(source: Path) -> Performance:
    """A motion file as a performance that holds the file too.

    Raises:
        ChoreiaError: as `io.read`; not a humanoid; or larger than a take can hold.
    """
    motion = io.read(source)
    content = read_bytes(source) if source.suffix.lower() == ".bvh" else _npz(motion)
    text = base64.b64encode(zlib.compress(content, 6)).decode()
    if len(text) > LARGEST_TEXT:
        raise ChoreiaError(f"{source} is too large to be kept in a take: cut it into shorter ones")
    suffix = ".bvh" if source.suffix.lower() == ".bvh" else ".npz"
    told = {"file": source.name, "sha256": sha256_of(source), "suffix": suffix, "content": text}
    return Performance(motion=_ours(motion), provenance={KEY: told})


def original_of(performance: Performance) -> Original | None:
    """The file that a performance holds; None where it was made by Choreia. ChoreiaError: it is there but cannot be read."""
    told = performance.provenance.get(KEY)
    if not isinstance(told, dict) or "content" not in told:
        return None
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(told["content"], validate=True), LARGEST)
        suffix = ".bvh" if told["suffix"] == ".bvh" else ".npz"
    except (binascii.Error, zlib.error, KeyError, TypeError, ValueError) as error:
        raise ChoreiaError("the original file in this take is damaged: export with --ours, or make the take again") from error
    with _as_file(content, suffix) as path:
        return Original(str(told.get("file")), suffix, content, io.read(path))


def without_original(performance: Performance) -> Performance:
    """The performance without the bytes of the file; its name and hash stay."""
    told = performance.provenance.get(KEY)
    if not isinstance(told, dict):
        return performance
    kept = {key: value for key, value in told.items() if key != "content"}
    return changed(performance, provenance=performance.provenance | {KEY: kept})


# ----------------------------------------------------------------------------------------------------- on its own skeleton


def back(original: Motion, base: Motion, now: Motion) -> Back:
    """The edited dance on the original skeleton, at the file's rate.

    Args:
        original: the motion of the file, N frames.
        base: what it became on choreia-24.
        now: the edited dance. Its frames that are frames of `base` to the bit are the file's own, where both that lie around a frame of
            the file are; the length changes by as many frames of the file as the edits come to.
    """
    origin = _origin(base, now, original)
    there = to_skeleton(_at_rate(base, original.fps, len(original)), original)
    ours = to_skeleton(_at_rate(now, original.fps, len(origin)), original)
    lost = rot.multiply(_double(original.rotations), rot.conjugate(_double(there.rotations)))
    upright = _upright(lost[:, 0])
    shift = _double(original.root) - _double(there.root) @ upright.mT
    before, after, weight = origin.around()
    turns = rot.slerp(lost[before], lost[after], weight[:, None].expand(-1, lost.shape[1]))
    shifts = torch.lerp(shift[before], shift[after], weight[:, None])
    root = (_double(ours.root) @ upright.mT + shifts).numpy()
    rotations = rot.continuous(rot.multiply(turns, _double(ours.rotations))).numpy()
    own, rows = origin.kept, origin.rows
    root = np.where(own[:, None], original.root[rows], root).astype(np.float32)
    rotations = np.where(own[:, None, None], original.rotations[rows], rotations).astype(np.float32)
    return Back(Motion(original.skeleton, root, rotations, original.fps), np.where(own, rows, -1))


@dataclass(frozen=True)
class _Origin:
    """For each frame at the file's rate: a frame of the file, whether its pose is danced (`known`), and whether all of it is (`kept`)."""

    rows: np.ndarray
    known: np.ndarray
    kept: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def around(self) -> tuple[np.ndarray, np.ndarray, Tensor]:
        """Frames of the file (n,) known before and after each frame, and how far it is from one to the other, eased."""
        at, known = np.arange(len(self)), np.flatnonzero(self.known)
        if not len(known):
            return np.zeros(len(self), int), np.zeros(len(self), int), torch.zeros(len(self), dtype=torch.float64)
        place = np.searchsorted(known, at)
        later = known[np.minimum(place, len(known) - 1)]
        earlier = known[np.maximum(np.where(later == at, place, place - 1), 0).clip(max=len(known) - 1)]
        part = np.clip((at - earlier) / np.maximum(later - earlier, 1), 0, 1)
        return self.rows[earlier], self.rows[later], torch.from_numpy(part**2 * (3 - 2 * part))


def _origin(base: Motion, now: Motion, original: Motion) -> _Origin:
    source, whole = _source(base, now)
    per_frame = original.fps / now.fps
    count = max(1, len(original) + round((len(now) - len(base)) * per_frame))
    place = np.clip(np.arange(count) / per_frame, 0, len(now) - 1)
    low, high = np.floor(place + 1e-6).astype(int), np.ceil(place - 1e-6).astype(int)
    rows = np.arange(count) + np.round((source[low] - low) * per_frame).astype(int)
    known = (source[low] >= 0) & (source[high] - source[low] == high - low) & (rows >= 0) & (rows < len(original))
    return _Origin(np.where(known, rows, 0), known, known & whole[low] & whole[high])


def _source(base: Motion, now: Motion) -> tuple[np.ndarray, np.ndarray]:
    """The frame of `base` (T,) whose pose each frame has to the bit, -1 for none; whether place and heading (T,) are the same too.

    Of several, the one that goes on from the frame before, or the one at the same time, or the first.
    """
    found: dict[bytes, list[int]] = {}
    for number, row in enumerate(base.rotations[:, 1:]):
        found.setdefault(row.tobytes(), []).append(number)
    source = np.full(len(now), -1)
    for number, row in enumerate(now.rotations[:, 1:]):
        frames = found.get(row.tobytes(), [-1])
        wanted = (source[number - 1] + 1 if number else 0, number)
        source[number] = next((frame for frame in wanted if frame in frames), frames[0])
    whole = (now.root == base.root[source]).all(axis=1) & (now.rotations[:, 0] == base.rotations[source, 0]).all(axis=1)
    return source, whole & (source >= 0)


def _upright(turns: Tensor) -> Tensor:
    """The turn (3, 3) from Y up to the file's up, told by what hips (N, 4) lack of the file's: none, or a quarter turn about X."""
    up = rot.rotate(turns, turns.new_tensor([0.0, 1.0, 0.0]).expand(len(turns), 3)).mean(dim=0)
    return turns.new_tensor([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) if up[2] > 0.7 else torch.eye(3, dtype=turns.dtype)


def _at_rate(motion: Motion, fps: float, count: int) -> Motion:
    return changed(warp(motion, clock.frame_times(count, fps)), fps=fps)


def _double(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float64))


def _ours(motion: Motion) -> Motion:
    ours = to_choreia24(motion)
    return ours if ours.fps == FPS else resample(ours, FPS)


# ---------------------------------------------------------------------------------------------------------------- the file


def write(path: Path, original: Original, dance: Back) -> None:
    """Write a dance in the format that `path` ends with; a BVH that was a BVH keeps its head, and the lines of the frames that are its own.

    A BVH whose hips hang below a node that stands still is written without that node, as it is read.
    """
    if path.suffix.lower() == original.suffix == ".bvh":
        with _as_file(original.content, ".bvh") as source:
            joints, _, values = bvh_text.parse(source)
        if tuple(joint.name for joint in joints if not joint.end) == dance.motion.skeleton.names:
            with atomic_path(path) as partial:
                partial.write_bytes(_bvh(original.content, joints, values, dance))
            return
    io.write(path, dance.motion)


def _bvh(content: bytes, joints: list[bvh_text.Joint], values: np.ndarray, dance: Back) -> bytes:
    start = re.search(rb"(?i)Frame\s*Time\s*:?\s*\S+[^\S\n\r]*\r?\n?", content)
    if start is None:
        raise ChoreiaError("the original file in this take is damaged: export with --ours, or make the take again")
    count = b"%d" % len(dance.rows)
    head = re.sub(rb"(?i)(MOTION\s+Frames\s*:?\s*)\d+", lambda found: found[1] + count, content[: start.end()])
    lines = [line for line in content[start.end() :].splitlines() if line.strip()]
    if len(lines) != len(values):
        lines = [" ".join(map(repr, row)).encode() for row in values.tolist()]
    new = _channels(joints, values, dance)
    written = [lines[row] if row >= 0 else b" ".join(b"%.6f" % value for value in new[k]) for k, row in enumerate(dance.rows)]
    return head + b"".join(line + (b"\r\n" if b"\r\n" in head else b"\n") for line in written)


def _channels(joints: list[bvh_text.Joint], values: np.ndarray, dance: Back) -> np.ndarray:
    """Values (n, channels) of every frame in the order of the file; what joints below the root travel runs evenly over new frames."""
    own = np.flatnonzero(dance.rows >= 0)
    at, known = (own, values[dance.rows[own]]) if len(own) else (np.zeros(1, int), values[:1])
    found = np.stack([np.interp(np.arange(len(dance.rows)), at, column) for column in known.T], axis=1)
    new, column = dance.rows < 0, 0
    for number, joint in enumerate(joint for joint in joints if not joint.end):
        turned = _angles(joint, dance.motion.rotations[:, number])
        for k, (axis, kind) in enumerate(joint.channels, column):
            if kind == "rotation":
                found[new, k] = _near(turned[axis], found[:, k], new)[new]
            elif number == 0:
                found[new, k] = dance.motion.root[new, "XYZ".index(axis)] / bvh.CENTIMETRE
        column += len(joint.channels)
    return found


def _near(angles: np.ndarray, around: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Degrees (n,), each run of new frames turned by as many whole turns as bring its start near the frame before it."""
    starts = np.flatnonzero(new & np.append(False, ~new[:-1]))
    turns = np.zeros(len(angles))
    turns[starts] = np.diff(np.round((around[starts - 1] - angles[starts]) / 360), prepend=0.0)
    return angles + 360 * np.cumsum(turns)


def _angles(joint: bvh_text.Joint, wxyz: np.ndarray) -> dict[str, np.ndarray]:
    """Degrees (n,) by axis, without leaps; a joint with fewer than three channels turns as far as it can about those."""
    listed = "".join(axis for axis, kind in joint.channels if kind == "rotation")
    order = listed + "".join(axis for axis in "XYZ" if axis not in listed)
    return dict(zip(order, np.rad2deg(np.unwrap(euler.from_quaternion(order, wxyz), axis=0)).T, strict=True))


def _npz(motion: Motion) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        io.write(Path(folder, "original.npz"), motion)
        return Path(folder, "original.npz").read_bytes()


@contextmanager
def _as_file(content: bytes, suffix: str) -> Iterator[Path]:
    """The bytes as a file, for readers that take one, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"original{suffix}")
        path.write_bytes(content)
        yield path
