"""`choreia dance`: a song in, a whole dance out. This page is the table of contents of that job."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from choreia import __version__
from choreia.errors import ChoreiaError
from choreia.export.bundle import DEFAULT_FORMATS, check_outputs, write_bundle
from choreia.files import atomic_path
from choreia.music import files
from choreia.music.analyze import analyze_file
from choreia.pipelines.analyze import summary
from choreia.pipelines.asking import NOTHING, Words, wish_for
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dancers import USUAL, Dancer, Guidance, dancer
from choreia.synth.composer import compose
from choreia.types import Music, Performance

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Request:
    """What to dance to: `seconds` of the file `song` from `start_s` on."""

    song: Path
    start_s: float = 0.0
    seconds: float | None = None


def dance(song: Path | None, out: Path, *, seed: int = 0, start_s: float = 0.0, seconds: float | None = None,
          style: str | None = None, words: Words = NOTHING, guidance: Guidance = USUAL, takes: int = 1,
          formats: tuple[str, ...] = DEFAULT_FORMATS, model: str | None = None,
          genre: str | None = None, force: bool = False, progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Dance `song` (or one composed in `genre`) `takes` times into the folder `out`; take k has seed `seed + k`.

    What to dance is said by `words` and a `style`; what was not understood is in "warnings". Without a `model`, choreia dances to words
    and dancemeld to a song alone.
    """
    if takes < 1:
        raise ChoreiaError(f"--takes {takes}: give 1 or more")
    stems = ["dance" if k == 0 else f"dance_{k + 1}" for k in range(takes)]
    check_outputs(out, formats, stems, force)
    who = dancer(model or ("dancemeld" if words == NOTHING else "choreia"), style, guidance)
    request = _composed(genre, out, seed, seconds, force) if genre else _recorded(song, start_s, seconds)
    music = analyze_file(request.song, request.start_s, request.seconds)
    wish = wish_for(words, music, style, seed, progress)
    said = {"prompt": words.prompt, "read_by": wish.read_by, "guidance": asdict(guidance)}
    written: list[Path] = []
    for k, stem in enumerate(stems):
        motion, danced = choreograph_song(who, music, asked=wish.script, seed=seed + k, progress=progress)
        performance = Performance(None, music, motion, danced, dance_facts(request, music, who, seed + k, style) | said)
        written += write_bundle(performance, out, formats, stem=stem, force=force, progress=progress,
                                sound=request.song, sound_start_s=request.start_s)  # fmt: skip
    paths = list(map(str, written))
    return {"files": paths, "warnings": list(wish.warnings), "notes": list(wish.notes), "text": "\n".join(paths)}


def _recorded(song: Path | None, start_s: float, seconds: float | None) -> Request:
    if song is None:
        raise ChoreiaError("no song: name a sound file, or let one be composed with --compose GENRE")
    return Request(song, start_s, seconds)


def _composed(genre: str, out: Path, seed: int, seconds: float | None, force: bool) -> Request:
    path = out / "song.wav"
    if path.exists() and not force:
        raise ChoreiaError(f"{path} exists: choose another folder or pass --force")
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        files.write(temporary, compose(seed, seconds or 60.0, genre=genre).audio)
    return Request(path)


def dance_facts(request: Request, music: Music, who: Dancer, seed: int, style: str | None) -> dict[str, object]:
    """Everything needed to make the take again."""
    with request.song.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "choreia": __version__,
        "song": {"file": request.song.name, "sha256": digest, "start_s": request.start_s, "seconds": music.duration_s},
        "model": who.name,
        "weights_sha256": who.weights_sha256,
        "seed": seed,
        "style": style,
        "licence": "The dance is yours. The weights: see NOTICE for the data they were trained on.",
        "music": summary(music),
    }
