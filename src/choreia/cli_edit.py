"""`choreia edit`: a command for each operation, made of its signature in `pipelines.edit_operations`, and those for history and files."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from choreia.pipelines.edit_operations import OPERATIONS

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Out = Annotated[Path | None, typer.Option("-o", "--out", help="write the edited take here; default: in its own place")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Bars = Annotated[str, typer.Option(help="--at in bars, the last one included: 1:8")]
Eights = Annotated[str, typer.Option(help="--at in 8-counts, each by itself: 3,4")]
Seconds = Annotated[str, typer.Option(help="--at in seconds: 10:14.5")]
Force = Annotated[bool, typer.Option("--force", help="overwrite existing files")]

Regenerate = Annotated[bool, typer.Option("--regenerate", help="dance anew what is named behind it: bars 1:16; nothing: all else")]
Anew = Annotated[list[str] | None, typer.Argument(help="behind --regenerate: when", metavar="[WHEN]")]
KEYWORD = inspect.Parameter.KEYWORD_ONLY


@app.callback()
def edit(context: typer.Context, take: Annotated[Path, typer.Argument(help="the project file, .take")]) -> None:
    """Edit a dance like a score; what an edit does not name stays to the bit.

    \b
    Examples:
      choreia dance song.mp3 -o out                  writes out/dance.take among others
      choreia edit walk.take new walk.bvh            makes a take of your own dance
      choreia edit dance.take mirror --bars 9:12
      choreia edit dance.take undo
      choreia edit dance.take export -o out2 --formats bvh,mp4
      choreia edit dance.take lock --help            explains one operation, with examples
    """
    context.obj = take


# ------------------------------------------------------------------------------------------------------------- operations


def _add(name: str, operation: Callable[..., object]) -> None:
    """A command of an operation's signature and words."""

    def command(context: typer.Context, out: Path | None, as_json: bool, **given: Any) -> None:
        from choreia.pipelines import edit as pipeline

        _print(pipeline.edit(context.obj, name, _parameters(given), out=out), as_json)

    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    own = [option for parameter in list(inspect.signature(operation).parameters.values())[1:] for option in _options(parameter)]
    last = [inspect.Parameter("out", KEYWORD, default=None, annotation=Out), _flag("as_json", Json)]
    command.__signature__ = inspect.Signature([first, *own, *last])  # type: ignore[attr-defined]
    command.__doc__ = inspect.cleandoc(operation.__doc__ or "").replace("\nExample", "\n\b\nExample")
    app.command(name)(command)


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """What the command line takes for a parameter of an operation: a time is also said in bars, 8-counts or seconds."""
    if parameter.name == "regenerate":
        return [_flag("regenerate", Regenerate), inspect.Parameter("anew", KEYWORD, default=None, annotation=Anew)]
    kind, words = get_args(parameter.annotation)
    option = typer.Option(f"--{_NAMES.get(parameter.name, parameter.name)}", help=words)
    given = option if parameter.kind is KEYWORD else typer.Argument(help=words)
    found = [parameter.replace(annotation=Annotated[kind, given], kind=KEYWORD)]
    if parameter.name == "at":
        found += [inspect.Parameter(name, KEYWORD, default="", annotation=short) for name, short in _SHORT.items()]
    return found


_NAMES = {"source": "from"}
_SHORT = {"bars": Bars, "eights": Eights, "seconds": Seconds}


def _flag(name: str, annotation: object) -> inspect.Parameter:
    return inspect.Parameter(name, KEYWORD, default=False, annotation=annotation)


def _parameters(given: dict[str, Any]) -> dict[str, object]:
    """An operation's parameters as they were meant on the command line."""
    from choreia.errors import ChoreiaError

    if "regenerate" in given:
        words = given.pop("anew") or []
        if not given["regenerate"]:
            raise ChoreiaError("lock keeps, and dances the rest anew: say so with --regenerate, and when behind it if not everywhere")
        given["regenerate"] = " ".join(words)
    if "at" in given:
        seconds = given.pop("seconds").replace(":", " s - ")
        short = {"bars": given.pop("bars"), "eights": given.pop("eights"), "": f"{seconds} s" if seconds else ""}
        times = [given["at"], *(f"{unit} {time}".strip() for unit, time in short.items() if time)]
        if len(said := [time for time in times if time]) > 1:
            raise ChoreiaError(f"{said[0]!r} and {said[1]!r} both say when: give one of --at, --bars, --eights, --seconds")
        given["at"] = "".join(said)
    return given


for _name, _operation in OPERATIONS.items():
    _add(_name, _operation)


@app.command()
def partner(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="mirrored, beside or canon")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the second dancer: .take .bvh .glb .npz .pkl")],
    gap: Annotated[float, typer.Option(help="mirrored: how near they come, metres")] = 1.5,
    beats: Annotated[float, typer.Option(help="canon: how many beats later")] = 4.0,
    x: Annotated[float, typer.Option(help="beside, canon: so far to the dancer's left, metres")] = 1.5,
    z: Annotated[float, typer.Option(help="beside, canon: so far in front, metres")] = 0.0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a second dancer beside this one; the take stays as it is.

    \b
    Examples:
      choreia edit dance.take partner mirrored --gap 1.2 -o partner.take
      choreia edit dance.take partner canon --beats 8 --x -1.5 -o partner.bvh
    """
    from choreia.pipelines import edit as pipeline

    _print(pipeline.save_partner(context.obj, out, kind, force=force, gap_m=gap, beats=beats, x_m=x, z_m=z), as_json)


# ---------------------------------------------------------------------------------------------------------------- history


@app.command()
def undo(context: typer.Context, out: Out = None, as_json: Json = False) -> None:
    """Go back to before the last edit.

    \b
    Example:
      choreia edit dance.take undo
    """
    _step(context, lambda take: take.undo(), out, as_json)


@app.command()
def redo(context: typer.Context, out: Out = None, as_json: Json = False) -> None:
    """Go forward again, to where the take last was.

    \b
    Example:
      choreia edit dance.take redo
    """
    _step(context, lambda take: take.redo(), out, as_json)


@app.command()
def go(
    context: typer.Context,
    where: Annotated[str, typer.Argument(help="a variant's name, or an edit's number in the log")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Go to a variant or to an edit; edits made from there are another branch.

    \b
    Example:
      choreia edit dance.take go calm
    """
    _step(context, lambda take: take.go(where), out, as_json)


@app.command()
def name(
    context: typer.Context,
    variant: Annotated[str, typer.Argument(help="any words but a number")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Keep the dance as it is now under a name, beside others.

    \b
    Example:
      choreia edit dance.take name calm
    """
    _step(context, lambda take: take.name(variant), out, as_json)


@app.command()
def again(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="the edit's number in the log")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Do an edit once more, on the dance as it is now.

    \b
    Example:
      choreia edit dance.take again 2
    """
    from choreia.pipelines import edit as pipeline

    _step(context, lambda take: pipeline.again(take, number), out, as_json)


@app.command()
def log(context: typer.Context, as_json: Json = False) -> None:
    """What was done, a line an edit; ">" marks where the take stands.

    \b
    Example:
      choreia edit dance.take log
    """
    from choreia.pipelines import edit as pipeline

    _print(pipeline.log(context.obj), as_json)


# ---------------------------------------------------------------------------------------------------------- in and out


@app.command()
def new(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="your dance: .bvh .glb .npz .pkl .amc .csv (G1)")],
    song: Annotated[Path | None, typer.Option(help="what it is danced to")] = None,
    start: Annotated[float, typer.Option(help="the dance begins at this second of the song")] = 0.0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a take of your own dance; it is exported on its own skeleton again.

    \b
    Example:
      choreia edit walk.take new walk.bvh --song song.mp3
    """
    from choreia.pipelines import edit as pipeline

    _print(pipeline.new(context.obj, source, song=song, start_s=start, force=force), as_json)


@app.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for the results")] = Path("out"),
    formats: Annotated[str, typer.Option(help="comma-separated: bvh, glb, npz, pkl, usda, mp4, png, take, json")] = "bvh,glb,npz,mp4,json",
    stem: Annotated[str, typer.Option(help="the files' name without suffix")] = "dance",
    ours: Annotated[bool, typer.Option("--ours", help="of your own dance: on choreia-24 at 30 fps, not on its own skeleton")] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write the dance as it is now; your own on its own skeleton, where frames that no edit touched are your file's.

    \b
    Example:
      choreia edit dance.take export -o out --formats bvh,mp4
    """
    from choreia.console import Progress
    from choreia.pipelines import edit as pipeline

    named = tuple(part.strip().lower() for part in formats.split(",") if part.strip())
    with Progress(as_json) as progress:
        report = pipeline.export(context.obj, out, formats=named, stem=stem, ours=ours, force=force, progress=progress)
    _print(report, as_json)


def _step(context: typer.Context, move: Callable[[Any], Any], out: Path | None, as_json: bool) -> None:
    from choreia.pipelines import edit as pipeline

    _print(pipeline.step(context.obj, move, out=out), as_json)


def _print(report: dict[str, object], as_json: bool) -> None:
    from choreia.cli import _report

    _report(report, as_json)
