"""`choreia corpus`: the words of prepared takes, and scripts made up of the lexicon, to conversations that tune a language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from choreia.data.decouple import relabelled
from choreia.data.shards import MANIFEST, Labels, read_samples
from choreia.errors import ChoreiaError
from choreia.text.corpus import made_up, write_corpus
from choreia.types import Move, Script

Progress = Callable[[str, float], None]


def corpus(data: Path | None, out: Path, *, made: int = 240, phrasings: int = 4, seed: int = 0, force: bool = False,
           progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Write `phrasings` conversations a script, as JSONL, into the file `out`.

    Args:
        data: what `choreia prepare` wrote, or one of its parts: the dances of its training split; None for scripts of the lexicon alone.
        made: how many scripts to make up of the lexicon's moves.
    Raises:
        ChoreiaError: nothing to write, no prepared takes in `data`, or `out` exists and `force` is not set.
    """
    if made < 0 or (data is None and made == 0):
        raise ChoreiaError(f"--made {made}: give 1 or more, or a folder of prepared takes")
    if out.exists() and not force:
        raise ChoreiaError(f"{out} exists: choose another name or pass --force")
    taken = [] if data is None else list(scripts(data, progress))
    lines = write_corpus(out, [*taken, *made_up(made, seed)], phrasings, seed)
    text = f"{out}: {lines} conversations from {len(taken)} dances and {made} scripts of the lexicon"
    return {"file": str(out), "conversations": lines, "dances": len(taken), "made": made, "text": text}


def scripts(data: Path, progress: Progress | None = None) -> Iterator[Script]:
    """The words of every dance that may be trained on, in the order of the shards."""
    samples = [sample for part in _parts(data) for sample in read_samples(part, "train") if sample.labels.dance]
    for done, sample in enumerate(samples, 1):
        yield script_of((sample if sample.labels.words else relabelled(sample)).labels)
        if progress:
            progress("words", done / len(samples))


def script_of(labels: Labels) -> Script:
    """A take's words on two levels, moves in order of time."""
    return Script(labels.words, tuple(Move(*move) for move in sorted(labels.moves)))


def _parts(data: Path) -> list[Path]:
    """Folders of shards: `data` itself, or those in it."""
    parts = [part for part in (data, data / "real", data / "synthetic") if (part / MANIFEST).is_file()]
    if not parts:
        raise ChoreiaError(f"{data}: no prepared takes here; write some with `choreia prepare`, or leave the folder out")
    return parts
