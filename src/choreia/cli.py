"""The command line: thin. Every command is a pipeline's signature; heavy imports wait until a command runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from choreia import cli_edit, cli_stage

if TYPE_CHECKING:
    from choreia.console import Progress

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(cli_edit.app, name="edit")

Song = Annotated[Path, typer.Argument(help="wav, flac, ogg, mp3, m4a, opus, or the sound track of mp4, mov, webm")]
Out = Annotated[Path, typer.Option("-o", "--out", help="folder for the results")]
Seed = Annotated[int, typer.Option(help="same seed, same bytes", min=0, max=2**53)]
Start = Annotated[float, typer.Option(help="begin at this second of the song")]
Seconds = Annotated[float | None, typer.Option(help="use this many seconds; default: to the end")]
Formats = Annotated[str, typer.Option(help="comma-separated: bvh, glb, npz, mp4, take, json, pkl, usda, png")]
Force = Annotated[bool, typer.Option("--force", help="overwrite existing results")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]


@app.command()
def dance(
    song: Annotated[Path | None, typer.Argument(help="the song; leave out with --compose")] = None,
    out: Out = Path("out"),
    seed: Seed = 0,
    start: Start = 0.0,
    seconds: Seconds = None,
    style: Annotated[str | None, typer.Option(help="hip-hop, salsa, ballet, …; default: drawn by the seed")] = None,
    prompt: Annotated[str | None, typer.Option(help='what to dance: "popping; bars 9-12: arm wave; chorus: running man"')] = None,
    script: Annotated[Path | None, typer.Option(help="the same as a file: two-level text or JSON")] = None,
    llm: Annotated[str | None, typer.Option(help="language model that reads the prompt; its key: OPENAI_API_KEY")] = None,
    llm_url: Annotated[str | None, typer.Option(help="where it answers, http://localhost:8080/v1; default: OPENAI_BASE_URL")] = None,
    guidance_music: Annotated[float | None, typer.Option(help="model choreia: how strongly music is followed, 0 to 10")] = None,
    guidance_text: Annotated[float | None, typer.Option(help="model choreia: how strongly words are followed, 0 to 10")] = None,
    takes: Annotated[int, typer.Option(help="how many different dances")] = 1,
    formats: Formats = "bvh,glb,npz,mp4,take,json",
    model: Annotated[str | None, typer.Option(help="dancemeld; choreia, usual with words or --stream; choreographer; theatre")] = None,
    compose: Annotated[str | None, typer.Option(help="compose a song: edm, rnb, hip-hop, pop, funk, swing, latin, ballad")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="write BVH to standard output, frame by frame as it is made; no files")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Turn a song into a whole dance: BVH, GLB, npz and a video with sound.

    \b
    Examples:
      choreia dance song.mp3 --seed 3 --takes 4
      choreia dance song.mp3 --prompt "popping, small range; bars 9-12: arm wave; chorus: running man"
      choreia dance song.mp3 --prompt salsa --stream > dance.bvh
    """
    from choreia.pipelines.asking import Words
    from choreia.pipelines.dancers import Guidance

    words, guidance = Words(prompt, script, llm, llm_url), Guidance(guidance_music, guidance_text)
    if stream:
        from choreia.pipelines.stream import stream as run_stream

        if compose or takes != 1:
            raise typer.BadParameter("--stream writes one dance to a song that exists: leave --compose and --takes out")
        _tell(run_stream(song, sys.stdout, seed=seed, start_s=start, seconds=seconds, style=style, words=words, guidance=guidance,
                         model=model))  # fmt: skip
        return
    from choreia.pipelines.dance import dance as run

    with _progress(as_json) as progress:
        report = run(song, out, seed=seed, start_s=start, seconds=seconds, style=style, words=words, guidance=guidance, takes=takes,
                     formats=_split(formats), model=model, genre=compose, force=force, progress=progress)  # fmt: skip
    _report(report, as_json)


app.command()(cli_stage.light)
app.command()(cli_stage.perform)


@app.command()
def analyze(song: Song, start: Start = 0.0, seconds: Seconds = None, as_json: AsJson = False) -> None:
    """Beats, downbeats, 8-counts, tempo, sections and energy of a song."""
    from choreia.pipelines.analyze import analyze as run

    _report(run(song, start_s=start, seconds=seconds), as_json)


@app.command()
def moves(
    style: Annotated[str | None, typer.Argument(help="hip-hop, waltz, …; default: all")] = None,
    as_json: AsJson = False,
) -> None:
    """The styles, moves and words of manner that --prompt understands, with their counts."""
    from choreia.pipelines.moves import moves as run

    _report(run(style), as_json)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help=".bvh .amc .csv (G1) .npz .pkl .glb")],
    target: Annotated[Path, typer.Argument(help=".bvh .npz .pkl .glb")],
    retarget: Annotated[bool, typer.Option(help="map any humanoid to the choreia-24 skeleton")] = False,
    fps: Annotated[float | None, typer.Option(help="resample to this frame rate")] = None,
    force: Force = False,
) -> None:
    """Turn a motion file into another format."""
    from choreia.pipelines.convert import convert as run

    _report(run(source, target, retarget=retarget, fps=fps, force=force), False)


@app.command()
def render(
    source: Annotated[Path, typer.Argument(help="a dance: .bvh .amc .csv (G1) .npz .pkl .glb")],
    out: Annotated[Path, typer.Option("-o", "--out", help=".mp4 film, .png contact sheet, .svg speed against beats")] = Path("dance.mp4"),
    song: Annotated[Path | None, typer.Option(help="sound track")] = None,
    force: Force = False,
) -> None:
    """Film a motion file, lay out a contact sheet, or plot its speed against the beats."""
    from choreia.pipelines.render import render as run

    with _progress(False) as progress:
        report = run(source, out, song=song, force=force, progress=progress)
    _report(report, False)


@app.command()
def prepare(
    source: Annotated[Path | None, typer.Argument(help="folder with motion/INDEX.csv and its takes; none: synthetic dances only")] = None,
    out: Out = Path("prepared"),
    songs: Annotated[int, typer.Option(help="synthetic songs to compose and choreograph")] = 56,
    workers: Annotated[int, typer.Option(help="processes")] = 2,
    seed: Seed = 0,
) -> None:
    """Repair real takes, pair them with music composed to their beats, and write training shards."""
    from choreia.pipelines.train import prepare as run

    with _progress(False) as progress:
        report = run(source, out, songs=songs, workers=workers, seed=seed, progress=progress)
    _report(report, False)


@app.command()
def corpus(
    data: Annotated[Path | None, typer.Argument(help="what `choreia prepare` wrote; none: scripts of the lexicon only")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="JSONL file, a conversation a line")] = Path("corpus.jsonl"),
    made: Annotated[int, typer.Option(help="scripts to make up of the lexicon's moves")] = 240,
    phrasings: Annotated[int, typer.Option(help="prompts for each script")] = 4,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Write prompts answered with scripts, to tune the language model of `dance --llm`."""
    from choreia.pipelines.corpus import corpus as run

    with _progress(False) as progress:
        report = run(data, out, made=made, phrasings=phrasings, seed=seed, force=force, progress=progress)
    _report(report, False)


@app.command()
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="dancemeld-tokenizer, dancemeld-prior, choreia, lrcm, inbetween, textmotion, "
            "theatre-encoders, theatre, theatre-visual, beats"
        ),
    ],
    data: Annotated[Path, typer.Option(help="what `choreia prepare` wrote")] = Path("prepared"),
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for checkpoints and logs")] = Path("runs"),
    variant: Annotated[str, typer.Option(help="paper, small or tiny, or an ablation's name; lrcm: paper, pose_small, pose_tiny")] = "small",
    steps: Annotated[int | None, typer.Option(help="optimiser steps altogether; default: the recipe's")] = None,
    minutes: Annotated[float | None, typer.Option(help="stop in good order after so many minutes")] = None,
    seed: Seed = 0,
) -> None:
    """Train a model; stop and start at will."""
    from choreia.pipelines.train import train as run

    _report(run(recipe, data, out, variant=variant, steps=steps, seed=seed, max_minutes=minutes), False)


@app.command()
def evaluate(
    folder: Annotated[Path | None, typer.Argument(help="takes, music or films as any generator leaves them")] = None,
    reference: Annotated[Path | None, typer.Option(help="folder of real ones to hold them against")] = None,
    music: Annotated[Path | None, typer.Option(help="folder of the songs that were danced to; default: those in FOLDER")] = None,
    dialect: Annotated[str, typer.Option(help="corrected, all, or of bailando, edge, lodge, lrcm, mint, d2mgan, loris, …")] = "corrected",
    fps: Annotated[float | None, typer.Option(help="frame rate of files that do not say theirs")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for evaluation.html, .md and .json")] = Path("evaluation"),
    leaderboard: Annotated[bool, typer.Option("--leaderboard", help="judge our models, ablations and baselines instead of FOLDER")] = False,
    sanity: Annotated[bool, typer.Option("--sanity", help="judge the scores themselves on real and degraded dance")] = False,
    data: Annotated[Path, typer.Option(help="leaderboard, sanity: what `choreia prepare` wrote")] = Path("prepared"),
    songs: Annotated[Path | None, typer.Option(help="leaderboard: recordings to dance to")] = None,
    midi: Annotated[Path | None, typer.Option(help="leaderboard: unpacked music whose beats are known")] = None,
    runs: Annotated[Path | None, typer.Option(help="leaderboard: trained variants, a folder each")] = None,
    shows: Annotated[Path | None, typer.Option(help="leaderboard: unpacked real light shows, for the table lights")] = None,
    only: Annotated[str, typer.Option(help="leaderboard: which tables, comma-separated; default: all but ablations and lights")] = "",
    seeds: Annotated[int, typer.Option(help="leaderboard: dances for each song")] = 5,
    results: Annotated[Path | None, typer.Option(help="leaderboard, sanity: Markdown file to put the tables into")] = None,
    workers: Annotated[int, typer.Option(help="processes")] = 2,
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Measure a folder of dances or music by published and corrected scores, with null models.

    \b
    Examples:
      choreia evaluate generated --reference real --music songs
      choreia evaluate generated --reference real --dialect bailando --fps 60
      choreia evaluate --leaderboard --data prepared --songs recordings --results docs/results.md
    """
    with _progress(as_json) as progress:
        if leaderboard:
            from choreia.pipelines.leaderboard import TABLES
            from choreia.pipelines.leaderboard import leaderboard as judge

            report = judge(data, only=_split(only) or TABLES, songs=songs, midi=midi, runs=runs, shows=shows, seeds=seeds,
                           workers=workers, results=results, progress=progress)  # fmt: skip
        elif sanity:
            from choreia.pipelines.sanity import sanity as check

            report = check(data, document=results, progress=progress)
        else:
            from choreia.pipelines.evaluate import Options
            from choreia.pipelines.evaluate import evaluate as run

            if folder is None:
                raise typer.BadParameter("give a folder of takes, or --leaderboard, or --sanity")
            options = Options(dialect, fps, workers, seed)
            report = run(folder, reference=reference, music=music, options=options, out=out, force=force, progress=progress)
    _report(report, as_json)


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="length of the song")] = 180.0,
    model: Annotated[str, typer.Option(help="who dances")] = "dancemeld",
    as_json: AsJson = False,
) -> None:
    """Time a whole dance, its parts, memory, and an EDGE-size denoiser beside it."""
    from choreia.pipelines.bench import bench as run

    with _progress(as_json) as progress:
        report = run(seconds=seconds, model=model, progress=progress)
    _report(report, as_json)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _progress(quiet: bool) -> Progress:
    from choreia.console import Progress

    return Progress(quiet)


def _report(report: dict[str, object], as_json: bool) -> None:
    """Print a pipeline's result: one JSON object, or its "text"; warnings and notes on stderr unless they are in the JSON."""
    text = report.pop("text", None)
    if not as_json:
        _tell(report)
    print(json.dumps(report) if as_json or text is None else text)


def _tell(report: dict[str, object]) -> None:
    """Warnings and notes, on stderr."""
    for kind in ("warnings", "notes"):
        for line in report.get(kind) or ():  # type: ignore[attr-defined]
            print(f"{kind[:-1]}: {line}", file=sys.stderr)


def main() -> None:
    """Entry point. Exit code 0 done, 2 bad input or usage with one line on stderr, 130 after Ctrl-C."""
    from choreia.errors import ChoreiaError

    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except (ChoreiaError, OSError) as error:
        _fail(str(error), 2)
    except typer.TyperException as error:
        _fail(f"{error.format_message()} (see choreia --help)", 2)
    except MemoryError:
        _fail("not enough memory: use --seconds to work on a part", 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("stopped; nothing was left half-written", 130)


def _fail(message: str, code: int) -> None:
    print(f"choreia: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
