"""`choreia light` and `choreia perform`: what they share on the command line, and both commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from choreia.pipelines.lighting import Asked
    from choreia.pipelines.sending import Sending

Song = Annotated[Path, typer.Argument(help="wav, flac, ogg, mp3, m4a, opus, or the sound track of mp4, mov, webm")]
Out = Annotated[Path, typer.Option("-o", "--out", help="folder for the results")]
Seed = Annotated[int, typer.Option(help="same seed, same bytes", min=0, max=2**53)]
Start = Annotated[float, typer.Option(help="begin at this second of the song")]
Seconds = Annotated[float | None, typer.Option(help="use this many seconds; default: to the end")]
Look = Annotated[str | None, typer.Option(help="one look throughout: warm_wash, neon_pulse, …, or your own .toml; default: by section")]
Colours = Annotated[str | None, typer.Option(help='a name (candle, neon, …), "#ff8800,#0044ff" or a rule and a key, "triad:#ff8800"')]
Like = Annotated[Path | None, typer.Option(help="a picture or a video whose light is to be met")]
RigName = Annotated[str, typer.Option(help="house16, or your own patch: .toml or .json")]
Library = Annotated[Path | None, typer.Option(help="a folder of Open Fixture Library fixtures that the patch names")]
Designer = Annotated[str, typer.Option(help="who lights: rules, theatre")]
AllowFlash = Annotated[bool, typer.Option("--allow-flash", help="more than 3 flashes a second; warn your audience")]
Send = Annotated[str | None, typer.Option(help="play it live now: sacn, artnet or osc")]
To = Annotated[str, typer.Option(help="live: HOST or HOST:PORT, or multicast (sacn)")]
Interface = Annotated[str, typer.Option(help="live: IPv4 address of the network interface to send from")]
Clock = Annotated[str, typer.Option(help="live: song (played here), wall (in silence), osc[:[HOST:]PORT], mtc[:MIDI INPUT]")]
ClockStart = Annotated[float, typer.Option(help="live: what an external clock shows when the song begins, seconds")]
Force = Annotated[bool, typer.Option("--force", help="overwrite existing results")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
ShowFormats = Annotated[str, typer.Option(help="of qxw, csv, html, pdf, mid, osc, mvr, glb, usda, json, npz, take, mp4; or none")]
AllFormats = Annotated[str, typer.Option(help="bvh, glb, npz, pkl, usda, png, take, json; qxw, csv, html, pdf, mid, osc, mvr, mp4")]


def light(
    song: Song,
    out: Out = Path("out"),
    dance: Annotated[Path | None, typer.Option(help="who is lit: .bvh .npz .glb .pkl .take …; default: the song alone")] = None,
    stage: Annotated[Path | None, typer.Option(help="a .take whose light is played or written again, not designed anew")] = None,
    look: Look = None,
    palette: Colours = None,
    like: Like = None,
    rig: RigName = "house16",
    library: Library = None,
    designer: Designer = "rules",
    seed: Seed = 0,
    start: Start = 0.0,
    seconds: Seconds = None,
    allow_flash: AllowFlash = False,
    formats: ShowFormats = "qxw,csv,html,json,npz",
    send: Send = None,
    to: To = "127.0.0.1",
    interface: Interface = "",
    clock: Clock = "song",
    clock_start: ClockStart = 0.0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Light a song, and the dance to it: a QLC+ show, cue sheets, and sACN, Art-Net or OSC live.

    \b
    Examples:
      choreia light song.mp3 --dance out/dance.take --rig house.toml
      choreia light song.mp3 --look neon_pulse --palette "#ff1fd0,#12e5ff" --formats qxw,pdf,mp4
      choreia light song.mp3 --send sacn --to 10.0.0.7
    """
    from choreia.console import Progress
    from choreia.pipelines.light import light as run

    asked, sending = _asked(look, palette, like, rig, library, designer, allow_flash), _sending(send, to, interface, clock, clock_start)
    with Progress(as_json) as progress:
        report = run(song, out, dance=dance, stage=stage, asked=asked, seed=seed, start_s=start, seconds=seconds,
                     formats=_formats(formats), sending=sending, force=force, progress=progress, tell=_tell)  # fmt: skip
    _report(report, as_json)


def perform(
    song: Song,
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
    model: Annotated[str | None, typer.Option(help="who dances: dancemeld; choreia, usual with words; choreographer; theatre")] = None,
    look: Look = None,
    palette: Colours = None,
    like: Like = None,
    rig: RigName = "house16",
    library: Library = None,
    designer: Designer = "rules",
    allow_flash: AllowFlash = False,
    formats: AllFormats = "bvh,glb,npz,take,json,qxw,csv,html,mp4",
    send: Send = None,
    to: To = "127.0.0.1",
    interface: Interface = "",
    clock: Clock = "song",
    clock_start: ClockStart = 0.0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Dance a song and light the dance: the files of `dance` and of `light`, and a film of the lit stage.

    \b
    Examples:
      choreia perform song.mp3 --seed 3
      choreia perform song.mp3 --prompt "popping; chorus: running man" --look aerial_beams --rig house.toml
    """
    from choreia.console import Progress
    from choreia.pipelines.asking import Words
    from choreia.pipelines.dancers import Guidance
    from choreia.pipelines.perform import perform as run

    asked, sending = _asked(look, palette, like, rig, library, designer, allow_flash), _sending(send, to, interface, clock, clock_start)
    words, guidance = Words(prompt, script, llm, llm_url), Guidance(guidance_music, guidance_text)
    with Progress(as_json) as progress:
        report = run(song, out, seed=seed, start_s=start, seconds=seconds, style=style, words=words, guidance=guidance, model=model,
                     asked=asked, formats=_formats(formats), sending=sending, force=force, progress=progress, tell=_tell)  # fmt: skip
    _report(report, as_json)


def _asked(
    look: str | None, palette: str | None, like: Path | None, rig: str, library: Path | None, designer: str, allow_flash: bool
) -> Asked:
    from choreia.pipelines.lighting import Asked

    return Asked(look, palette, like, rig, library, designer, allow_flash)


def _sending(send: str | None, to: str, interface: str, clock: str, clock_start: float) -> Sending | None:
    from choreia.pipelines.sending import Sending

    return None if send is None else Sending(send, to, interface, clock, clock_start)


def _formats(text: str) -> tuple[str, ...]:
    from choreia.cli import _split

    return tuple(name for name in _split(text) if name != "none")


def _tell(line: str) -> None:
    print(f"note: {line}", file=sys.stderr, flush=True)


def _report(report: dict[str, object], as_json: bool) -> None:
    from choreia.cli import _report

    _report(report, as_json)
