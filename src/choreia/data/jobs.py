"""Shards made by many processes, resumably: a job is one shard of fixed content with a JSON record beside it.

A shard stands under its name only when it is whole. A run makes what is missing, damaged or of other content, takes away what does not
belong, and writes the manifest last, so a folder with a manifest is a finished one and its bytes do not depend on interruptions.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from choreia.data.shards import MANIFEST, Sample, sha256, write_json, write_shard
from choreia.errors import ChoreiaError

VERSION = 3
"""Raised when the content of shards changes, so that old ones are made anew."""

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, in [0, 1]."""


@dataclass(frozen=True)
class Row:
    """What became of one item: kept (seconds, frames dropped at the start, spikes repaired, songs composed) or refused with a reason."""

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
class Job:
    """One shard: where it goes, what goes in, and the function that makes samples and rows of it. `identity` changes with the content."""

    path: Path
    split: str
    items: tuple
    seed: int
    songs: int
    make: Callable[[Job], tuple[list[Sample], list[Row]]]
    identity: str

    @property
    def record(self) -> Path:
        """The JSON file that says the shard is whole."""
        return self.path.with_suffix(".json")

    @property
    def fingerprint(self) -> str:
        """Changes when the shard's content would."""
        return hashlib.sha256(json.dumps([VERSION, self.seed, self.songs, self.identity]).encode()).hexdigest()


@dataclass(frozen=True)
class Report:
    """What a run did: one row an item in key order, and the shards that hold them."""

    rows: tuple[Row, ...]
    shards: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> tuple[Row, ...]:
        """Items that were left out."""
        return tuple(row for row in self.rows if row.refused)

    def seconds(self, split: str, dance: bool) -> float:
        """Length of the kept items of a split, dance or not."""
        return sum(row.seconds for row in self.rows if row.split == split and row.dance == dance)


def run(jobs: Sequence[Job], out: Path, workers: int, progress: Progress | None) -> Report:
    """Make all shards of a folder; everything but the manifest (`finish`)."""
    _clear(out, jobs)
    done: dict[Path, dict] = {}
    for path, record in _records(jobs, workers):
        done[path] = record
        if progress:
            progress("shards", len(done) / len(jobs))
    rows = sorted((Row(**row) for record in done.values() for row in record["rows"]), key=lambda row: row.key)
    return Report(tuple(rows), tuple(job.path.name for job in jobs if done[job.path]["sha256"]))


def finish(jobs: Sequence[Job], out: Path) -> None:
    """Write the manifest: names, splits, hashes and sizes of the shards."""
    records = [json.loads(job.record.read_text(encoding="utf-8")) for job in jobs]
    shards = [{name: record[name] for name in ("file", "split", "sha256", "samples")} for record in records if record["sha256"]]
    write_json(out / MANIFEST, {"version": VERSION, "seed": jobs[0].seed, "shards": shards})


def _clear(out: Path, jobs: Sequence[Job]) -> None:
    """Make the folder and take away what earlier runs left that does not belong to this one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ChoreiaError(f"cannot write {out}: {error.strerror or error}; choose another folder") from None
    wanted = {path for job in jobs for path in (job.path, job.record)}
    stale = [path for path in out.glob("*-[0-9][0-9][0-9][0-9][0-9].*") if path not in wanted]
    for path in [*stale, *out.glob(".*.partial*"), out / MANIFEST]:
        path.unlink(missing_ok=True)


def _records(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Path, dict]]:
    """Paths and records of the jobs as they are done."""
    if workers <= 1:
        yield from ((job.path, _make(job)) for job in jobs)
        return
    pool = single_threaded(workers)
    try:
        waiting = {pool.submit(_make, job): job.path for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def single_threaded(processes: int) -> ProcessPoolExecutor:
    """A pool of processes whose torch and BLAS keep to one thread each; threads that wait for one another are slower than one."""
    for library in ("OMP", "OPENBLAS", "MKL"):  # read by the children when they first import numpy and torch
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _make(job: Job) -> dict:
    """Make a shard unless it is there already; its record."""
    fingerprint = job.fingerprint
    if job.record.is_file():
        record = json.loads(job.record.read_text(encoding="utf-8"))
        whole = not record["sha256"] or (job.path.is_file() and sha256(job.path) == record["sha256"])
        if record["fingerprint"] == fingerprint and whole:
            return record
    samples, rows = job.make(job)
    record = {
        "file": job.path.name,
        "split": job.split,
        "fingerprint": fingerprint,
        "sha256": write_shard(job.path, samples) if samples else "",
        "samples": len(samples),
        "rows": [asdict(row) for row in rows],
    }
    write_json(job.record, record)
    return record
