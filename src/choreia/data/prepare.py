"""Real takes to training shards: read, repaired, on choreia-24, paired with composed music, split, hashed and reported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from choreia.data import jobs
from choreia.data.clean import FPS, CleanTake, Refusal, clean
from choreia.data.decouple import relabelled
from choreia.data.jobs import Job, Progress, Report, Row
from choreia.data.pairing import pair
from choreia.data.shards import Labels, Sample, write_json
from choreia.data.splits import SPLITS
from choreia.data.takes import Take, read_index
from choreia.errors import ChoreiaError
from choreia.files import atomic_path

TAKES_IN_SHARD = 16


def prepare(
    source_dir: str | Path, out_dir: str | Path, workers: int = 2, seed: int = 0, progress: Progress | None = None, songs: int = 3
) -> Report:
    """Make shards of all takes of a folder.

    Args:
        source_dir: folder with INDEX.csv (or motion/INDEX.csv) and the takes it names.
        out_dir: gets <split>-<number>.tar shards, manifest.json, report.json and report.md; made when missing.
        workers: processes; 1 works in this one.
        seed: of the composed music.
        progress: called with "shards" and the share that is done.
        songs: composed to every dance; other takes get one.
    Raises:
        ChoreiaError: no index, or no take could be used.
    """
    out = Path(out_dir)
    planned = _jobs(read_index(Path(source_dir)), out, seed, songs)
    report = jobs.run(planned, out, workers, progress)
    if not report.shards:
        first = report.rows[0]
        raise ChoreiaError(f"{source_dir}: none of its {len(report.rows)} takes could be used; {first.key}: {first.refused}")
    write_json(out / "report.json", [asdict(row) for row in report.rows])
    with atomic_path(out / "report.md") as partial:
        partial.write_text(markdown(report), encoding="utf-8")
    jobs.finish(planned, out)
    return report


def motions(source_dir: str | Path) -> Iterator[CleanTake | Refusal]:
    """The takes of a folder, cleaned one by one, without music."""
    return (clean(take) for take in read_index(Path(source_dir)))


def _jobs(takes: Sequence[Take], out: Path, seed: int, songs: int) -> list[Job]:
    planned = []
    for split in SPLITS:
        chosen = [take for take in takes if take.split == split]
        for k in range(0, len(chosen), TAKES_IN_SHARD):
            path = out / f"{split}-{k // TAKES_IN_SHARD:05d}.tar"
            items = tuple(chosen[k : k + TAKES_IN_SHARD])
            planned.append(Job(path, split, items, seed, songs, _make, _identity(items)))
    return planned


def _identity(takes: Sequence[Take]) -> str:
    """What is to be made of which files."""
    sizes = [take.path.stat().st_size if take.path.is_file() else -1 for take in takes]
    fields = [{**asdict(take), "path": take.path.name, "skeleton": ""} for take in takes]
    return json.dumps([fields, sizes])


def _make(job: Job) -> tuple[list[Sample], list[Row]]:
    results = [(clean(take), take) for take in job.items]
    samples = [_sample(result, job) for result, _ in results if isinstance(result, CleanTake)]
    songs = {sample.labels.key: len(sample.music) for sample in samples}
    return samples, [_row(result, take, songs.get(take.key, 0)) for result, take in results]


def _sample(result: CleanTake, job: Job) -> Sample:
    take = result.take
    genres, music = pair(result.motion, take.style, job.songs if take.dance else min(job.songs, 1), job.seed, take.key)
    labels = Labels(
        key=take.key,
        split=take.split,
        style=take.style,
        dance=take.dance,
        text=take.text,
        source=take.source,
        licence=take.licence,
        phrase=take.phrase,
        seconds=len(result.motion) / FPS,
        music=genres,
    )
    return relabelled(Sample(labels, result.motion, result.contacts, result.fine, music))


def _row(result: CleanTake | Refusal, take: Take, songs: int) -> Row:
    if isinstance(result, Refusal):
        return Row(take.key, take.split, take.style, take.dance, refused=result.reason)
    seconds = len(result.motion) / FPS
    return Row(take.key, take.split, take.style, take.dance, seconds, result.dropped_frames, result.spikes, songs)


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
