"""`choreia evaluate DIR`: any folder of takes and music, by every metric that applies, as a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from choreia.data import peers
from choreia.data.peers import Folder
from choreia.errors import ChoreiaError
from choreia.export.report import Report, Worst, check_report, to_json, to_text, write_report
from choreia.metrics.base import Metric, Result, SetMetric, SyncMetric, mean
from choreia.metrics.beats import phase_histogram
from choreia.metrics.evaluate import Evidence, results
from choreia.metrics.registry import event_sources, key, metrics
from choreia.metrics.sets import BOTH
from choreia.metrics.takes import Take
from choreia.pipelines.measuring import DEFAULT, Failure, Options, Progress, Workers, dances, embeddings, others, read, songs

SHOWN = 4
"""Takes whose speed is plotted, and at most as many worst ones."""

LISTED = 8
"""Files named among those that could not be measured."""

DERANGEMENTS = {2: 1, 3: 2, 4: 9}
"""In how many ways so few songs can all change places."""

_ALIKE = 1e-6  # deviation between takes, in the unit of a score, that is rounding


def evaluate(
    folder: Path,
    *,
    reference: Path | None = None,
    music: Path | None = None,
    options: Options = DEFAULT,
    out: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Measure a folder and write evaluation.json, .md and .html into `out` (nowhere when None); the report as JSON with its "text".

    Args:
        folder: takes (and music, films, latents, captions) as any peer leaves them.
        reference: real takes (music, films) that the folder's are held against.
        music: the songs that were danced to; None takes those in `folder`.
        options: dialect, frame rate of files that do not say theirs, processes, seed.
        out: folder of the report.
        force: overwrite an older report.
        progress: called with a stage and a share done.
    Raises:
        ChoreiaError: nothing to measure, no readable take, unknown dialect, or a report that exists already.
    """
    options = replace(options, dialect=",".join(name.strip().lower() for name in options.dialect.split(",")))
    chosen = metrics(options.dialect)
    if out is not None:
        check_report(out, force)
    here, there = peers.look_into(folder), peers.look_into(reference) if reference else None
    sounds = (peers.look_into(music) if music else here).sounds
    with Workers(options.workers, progress) as workers:
        heard, deaf = songs([*here.motions, *(there.motions if there else ())], sounds, chosen, workers)
        made, bad, notes = dances(here, heard, options, workers)
        real, worse, more = dances(there, heard, options, workers) if there else ([], [], ())
        evidence, unread = others(here, there, options, workers)
    if here.motions and not made:
        raise ChoreiaError(f"no take of {folder} can be read; the first: {bad[0].why}")
    evidence = replace(evidence, takes=tuple(made), true_takes=tuple(real), songs=heard)
    evidence = replace(evidence, embeddings=embeddings(here, chosen, options))
    found, skipped = results(chosen, evidence, options.seed)
    failures = _failures((*deaf, *bad, *worse, *unread))
    if not found:
        reasons = "; ".join(failures or _reasons(here, there, skipped))
        raise ChoreiaError(f"nothing of {folder} can be scored ({options.dialect}): {reasons}")
    remarks = (*failures, *here.notes, *notes, *_rates(made, real), *_music(evidence, music), *(f"reference: {note}" for note in more))
    report = _report(folder, here, found, skipped, remarks, evidence, options)
    if out is not None:
        write_report(report, out, force)
    return {**to_json(report), "text": to_text(report)}


def _failures(failures: tuple[Failure, ...]) -> tuple[str, ...]:
    """A line for each of the first files that could not be measured, and one for the rest."""
    lines = [f"could not be measured: {failure.why}" for failure in failures[:LISTED]]
    rest = len(failures) - len(lines)
    return (*lines, f"and {rest} files more could not be measured") if rest else tuple(lines)


def _reasons(here: Folder, there: Folder | None, skipped: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Why nothing was scored."""
    if there is None and not here.motions and (here.sounds or here.videos):
        return ("music and films are held against the true ones of the same names: give their folder with --reference",)
    return tuple(dict.fromkeys(why for _, why in skipped))


def _rates(made: list[Take], real: list[Take]) -> tuple[str, ...]:
    """Words on frame rates, when there is more than one."""
    ours, theirs = ({round(take.fps, 3) for take in takes} for takes in (made, real))
    if len(ours | theirs) < 2:
        return ()
    said = f"takes run at {_listed(ours)}" + (f", the reference at {_listed(theirs)}" if real else "")
    return (f"{said} frames a second: resampled to the source's rate for published scores; corrected ones count in seconds",)


def _listed(rates: set[float]) -> str:
    *most, last = (f"{rate:g}" for rate in sorted(rates))
    return f"{', '.join(most)} and {last}" if most else last


def _music(evidence: Evidence, folder: Path | None) -> tuple[str, ...]:
    """Words on takes whose song was not found, on songs without beats, and on songs too few to change places much."""
    made, heard = evidence.takes, evidence.songs
    alone = [take.name for take in made if take.song is None]
    dull = [name for name, song in heard.items() if len(song.grids["beats"]) < 2]
    words = []
    if alone and (folder or len(alone) < len(made)):
        where = f" in {folder}" if folder else ""
        words.append(f"no music found{where} for {len(alone)} of {len(made)} takes, which score no synchrony (the first: {alone[0]})")
    if dull:
        words.append(f"no beat heard in {len(dull)} of {len(heard)} songs (the first: {dull[0]}): no dance can be in time with them")
    danced = len({take.song for take in made if take.song in heard})
    if danced in DERANGEMENTS:
        ways = DERANGEMENTS[danced]
        words.append(f"{danced} songs have {ways} orders where none keeps its place: p beside other songs is at least {1 / (1 + ways):.2g}")
    return tuple(words)


def _report(folder: Path, here: Folder, found: tuple[Result, ...], skipped: tuple, notes: tuple[str, ...], evidence: Evidence,
            options: Options) -> Report:  # fmt: skip
    """Results with what their plots need."""
    danced = [take for take in evidence.takes if take.song in evidence.songs]
    worst = _worst(found)
    names = list(dict.fromkeys([take.name for take in danced[:SHOWN]] + [one.name for one in worst]))
    shown = [clip for name in names if name in here.motions and (clip := read(name, here, options))]
    beats = {take.name: evidence.songs[str(take.song)].grids["beats"] for take in danced}
    own = {take.name: take.events[_own_beats(options.dialect)] for take in danced}
    phases = np.mean([phase_histogram(own[name], beats[name]) for name in own], axis=0) if own else np.zeros(0)
    return Report(
        title=f"Evaluation of {folder.resolve().name}", folder=str(folder), results=found, notes=notes, skipped=skipped,
        clips=tuple(shown), beats={name: beats[name] for name in names if name in beats},
        motion_beats={name: own[name] for name in names if name in own}, phases=phases, features=_features(evidence), worst=worst,
        takes=len(evidence.takes), meanings={key(metric): _meaning(metric) for metric in metrics(options.dialect)},
    )  # fmt: skip


def _features(evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    """Corrected features of made and real takes, rows (N, 104) and (M, 104); None where no corrected score asked for them."""
    sides = [[take.rows[BOTH[1]] for take in takes if BOTH[1] in take.rows] for takes in (evidence.takes, evidence.true_takes)]
    return (np.concatenate(sides[0]), np.concatenate(sides[1])) if all(sides) else None


def _meaning(metric: Metric) -> str:
    """What a metric counts, in the first words of its function, and of how items become the score of a set where that is no mean."""
    score = metric.compare if isinstance(metric, SetMetric) else metric.score
    parts = [score] if getattr(metric, "reduce", mean) is mean else [score, getattr(metric, "reduce", None)]
    first = ((_innermost(part).__doc__ or "").strip().partition("\n\n")[0] for part in parts)
    return " ".join(" ".join(first).replace("`", "").split())


def _innermost(score: object) -> object:
    """The function inside partial applications and wrappers that hold it as `func` or `score`."""
    inner = getattr(score, "func", None) or (None if hasattr(score, "__name__") else getattr(score, "score", None))
    return _innermost(inner) if inner else score


def _own_beats(dialect: str) -> int:
    """Which of the event sources finds motion beats our way; the first where there is no corrected one."""
    chosen = metrics(dialect)
    ours = [m for m in chosen if isinstance(m, SyncMetric) and m.about.dialect == "corrected" and m.grid == "beats"]
    return event_sources(chosen).index((ours[0].events, ours[0].about.fps)) if ours else 0


def _worst(found: tuple[Result, ...]) -> tuple[Worst, ...]:
    """The clip farthest to the bad side, in deviations of its set, of those corrected scores in which one clip stands out most; each clip
    once, and none that is better than the reference."""
    ranked = []
    for result in found:
        about, values = result.about, np.array(list(result.scores.values()))
        if about.dialect != "corrected" or about.better == "reference" or len(values) < 3 or not values.std() > _ALIKE:
            continue
        sign = 1 if about.better == "lower" else -1
        k = int((sign * values).argmax())
        if result.reference is None or sign * (values[k] - result.reference) > 0:
            standing_out = sign * (values[k] - values.mean()) / values.std()
            ranked.append((standing_out, Worst(list(result.scores)[k], about.name, float(values[k]), about.unit, float(values.mean()))))
    clips: dict[str, Worst] = {}
    for _, one in sorted(ranked, key=lambda pair: -pair[0]):
        clips.setdefault(one.name, one)
    return tuple(clips.values())[:SHOWN]
