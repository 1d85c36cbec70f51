"""Real takes to training shards: read, repaired, on choreia-24, paired with composed music, split, hashed and reported.

The work is cut into shards of fixed content. A shard appears under its name only when it is whole, with a small JSON record beside it, so
an interrupted run continues where it stopped and ends with the bytes of an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from choreia.data.clean import FPS, CleanTake, Refusal, clean
from choreia.data.pairing import pair
from choreia.data.shards import MANIFEST, Labels, Sample, sha256, write_json, write_shard
from choreia.data.splits import SPLITS
from choreia.data.takes import Take, read_index
from choreia.errors import ChoreiaError
from choreia.files import atomic_path

VERSION = 1
"""Raised when the content of shards changes, so that old ones are made anew."""

TAKES_IN_SHARD = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """What became of one take: kept (seconds, frames dropped at the start, spikes repaired, songs composed) or refused with a reason."""

    key: str
    split: str
    style: str
    dance: bool
    seconds: float = 0.0
    dropped_frames: int = 0
    spikes: int = 0
    songs: int = 0
    refused: str = ""


@dataclass(frozen=True)
class Report:
    """What a run of `prepare` did: one row a take in key order, and the shards that hold them."""

    rows: tuple[Row, ...]
    shards: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> tuple[Row, ...]:
        """Takes that were left out."""
        return tuple(row for row in self.rows if row.refused)

    def seconds(self, split: str, dance: bool) -> float:
        """Length of the kept takes of a split, dance or not."""
        return sum(row.seconds for row in self.rows if row.split == split and row.dance == dance)


def prepare(
    source_dir: str | Path, out_dir: str | Path, workers: int = 2, seed: int = 0, progress: Progress | None = None, songs: int = 3
) -> Report:
    """Make shards of all takes of a folder.

    Args:
        source_dir: folder with INDEX.csv (or motion/INDEX.csv) and the takes it names.
        out_dir: gets <split>-<number>.tar shards, manifest.json, report.json and report.md; made when missing.
        workers: processes; 1 works in this one.
        seed: of the composed music.
        progress: called with (shards done, shards in all).
        songs: composed to every dance; other takes get one.
    Raises:
        ChoreiaError: no index, or no take could be used.
    """
    out = Path(out_dir)
    jobs = _jobs(read_index(Path(source_dir)), out, seed, songs)
    _clear(out, jobs)
    records = _run(jobs, workers, progress)
    report = Report(
        tuple(sorted((Row(**row) for record in records for row in record["rows"]), key=lambda row: row.key)),
        tuple(record["file"] for record in records if record["sha256"]),
    )
    if not report.shards:
        first = report.rows[0]
        raise ChoreiaError(f"{source_dir}: none of its {len(report.rows)} takes could be used; {first.key}: {first.refused}")
    _write_reports(out, records, report, seed)
    return report


def motions(source_dir: str | Path) -> Iterator[CleanTake | Refusal]:
    """The takes of a folder, cleaned one by one, without music."""
    return (clean(take) for take in read_index(Path(source_dir)))


# ---------------------------------------------------------------------------------------------------------------- shards


@dataclass(frozen=True)
class _Job:
    """One shard: where it goes, what goes in."""

    path: Path
    split: str
    takes: tuple[Take, ...]
    seed: int
    songs: int

    @property
    def record(self) -> Path:
        """The JSON file that says the shard is whole."""
        return self.path.with_suffix(".json")

    @property
    def fingerprint(self) -> str:
        """Changes when the shard's content would."""
        sizes = [take.path.stat().st_size if take.path.is_file() else -1 for take in self.takes]
        takes = [{**asdict(take), "path": take.path.name, "skeleton": ""} for take in self.takes]
        return hashlib.sha256(json.dumps([VERSION, self.seed, self.songs, takes, sizes]).encode()).hexdigest()


def _jobs(takes: Sequence[Take], out: Path, seed: int, songs: int) -> list[_Job]:
    jobs = []
    for split in SPLITS:
        chosen = [take for take in takes if take.split == split]
        for k in range(0, len(chosen), TAKES_IN_SHARD):
            path = out / f"{split}-{k // TAKES_IN_SHARD:05d}.tar"
            jobs.append(_Job(path, split, tuple(chosen[k : k + TAKES_IN_SHARD]), seed, songs))
    return jobs


def _clear(out: Path, jobs: Sequence[_Job]) -> None:
    """Make the folder and take away what earlier runs left that does not belong to this one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ChoreiaError(f"cannot write {out}: {error.strerror or error}; choose another folder") from None
    wanted = {path for job in jobs for path in (job.path, job.record)}
    stale = [path for split in SPLITS for path in out.glob(f"{split}-[0-9]*") if path not in wanted]
    for path in [*stale, *out.glob(".*.partial*"), out / MANIFEST]:
        path.unlink(missing_ok=True)


def _run(jobs: Sequence[_Job], workers: int, progress: Progress | None) -> list[dict]:
    """Records of all jobs in order."""
    done: dict[Path, dict] = {}
    for record, path in _results(jobs, workers):
        done[path] = record
        if progress:
            progress(len(done), len(jobs))
    return [done[job.path] for job in jobs]


def _results(jobs: Sequence[_Job], workers: int) -> Iterable[tuple[dict, Path]]:
    if workers <= 1:
        for job in jobs:
            yield _make(job), job.path
        return
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)
    try:
        waiting = {pool.submit(_make, job): job.path for job in jobs}
        for future in as_completed(waiting):
            yield future.result(), waiting[future]
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _make(job: _Job) -> dict:
    """Make a shard unless it is there already; its record."""
    fingerprint = job.fingerprint
    if job.record.is_file():
        record = json.loads(job.record.read_text(encoding="utf-8"))
        whole = not record["sha256"] or (job.path.is_file() and sha256(job.path) == record["sha256"])
        if record["fingerprint"] == fingerprint and whole:
            return record
    results = [(clean(take), take) for take in job.takes]
    samples = [_sample(result, job) for result, _ in results if isinstance(result, CleanTake)]
    songs = {sample.labels.key: len(sample.music) for sample in samples}
    digest = write_shard(job.path, samples) if samples else ""
    record = {
        "file": job.path.name,
        "split": job.split,
        "fingerprint": fingerprint,
        "sha256": digest,
        "samples": len(samples),
        "rows": [asdict(_row(result, take, songs.get(take.key, 0))) for result, take in results],
    }
    write_json(job.record, record)
    return record


def _sample(result: CleanTake, job: _Job) -> Sample:
    take = result.take
    genres, music = pair(result.motion, take.style, job.songs if take.dance else min(job.songs, 1), job.seed, take.key)
    labels = Labels(
        take.key,
        take.split,
        take.style,
        take.dance,
        take.text,
        take.source,
        take.licence,
        take.phrase,
        seconds=len(result.motion) / FPS,
        music=genres,
    )
    return Sample(labels, result.motion, result.contacts, result.fine, music)


def _row(result: CleanTake | Refusal, take: Take, songs: int) -> Row:
    row = Row(take.key, take.split, take.style, take.dance)
    if isinstance(result, Refusal):
        return replace(row, refused=result.reason)
    seconds = len(result.motion) / FPS
    return replace(row, seconds=seconds, dropped_frames=result.dropped_frames, spikes=result.spikes, songs=songs)


# --------------------------------------------------------------------------------------------------------------- reports


def _write_reports(out: Path, records: Sequence[dict], report: Report, seed: int) -> None:
    """report.md and report.json, and last of all the manifest: it stands for a finished run."""
    write_json(out / "report.json", [asdict(row) for row in report.rows])
    with atomic_path(out / "report.md") as partial:
        partial.write_text(markdown(report), encoding="utf-8")
    shards = [{name: record[name] for name in ("file", "split", "sha256", "samples")} for record in records if record["sha256"]]
    write_json(out / MANIFEST, {"version": VERSION, "seed": seed, "shards": shards})


def markdown(report: Report) -> str:
    """The report for people."""
    kept = [row for row in report.rows if not row.refused]
    minutes, songs = sum(row.seconds for row in kept) / 60, sum(row.songs for row in kept)
    spikes, dropped = sum(row.spikes for row in kept), sum(row.dropped_frames for row in kept)
    lines = [
        "# What was prepared",
        "",
        f"{len(kept)} of {len(report.rows)} takes; {minutes:.1f} min; {songs} songs composed.",
        "There is no recorded music: every song is composed on the take's own visual beats.",
        "",
        "| split | dance, min | other, min |",
        "|---|---|---|",
        *(f"| {split} | {report.seconds(split, True) / 60:.1f} | {report.seconds(split, False) / 60:.1f} |" for split in SPLITS),
        "",
        f"## Repaired: {spikes} spikes, {dropped} frames of calibration poses dropped",
        "",
        "| take | spikes | dropped frames |",
        "|---|---|---|",
        *(f"| {row.key} | {row.spikes} | {row.dropped_frames} |" for row in kept if row.spikes or row.dropped_frames),
        "",
        f"## Refused: {len(report.refused)}",
        "",
        "| take | why |",
        "|---|---|",
        *(f"| {row.key} | {row.refused} |" for row in report.refused),
    ]
    return "\n".join(lines) + "\n"
