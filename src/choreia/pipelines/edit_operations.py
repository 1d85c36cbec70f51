"""What can be done to a dance: one function an operation, called alike on the command line, in Python and in the history of a take.

Every function takes a performance and plain values, and returns what changes; `OPERATIONS` is the table of them. The command line is made
of their signatures: a parameter before the star is an argument there, one behind it an option, and its words are the help.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Annotated

from choreia.errors import ChoreiaError

if TYPE_CHECKING:
    import numpy as np

    from choreia.edit.history import Song, Splice
    from choreia.edit.region import Region
    from choreia.types import Motion, Music, Performance, Script

At = Annotated[str, 'when: "bars 9-12", "chorus 2", "0:30-0:42", "eights 3,4"; default: the whole dance']
Parts = Annotated[str, 'of the body: "legs", "left arm, head", upper, lower, root (travel), …; default: everything']
By = Annotated[str, "another dance: .take .bvh .glb .npz .pkl .amc; default: this one"]
From = Annotated[str, "when in that dance, as --at; default: all of it"]
Seed = Annotated[int, "same seed, same bytes"]
HASHED = 16  # digits of a file's SHA-256 that a history holds


@dataclass(frozen=True)
class Change:
    """What an operation makes of a performance: splices of its motion, other music with its song, other words.

    put_off_s: how much later the song begins, `music` being the old one put off. files: path to hash. warnings: what was not understood.
    """

    splices: "tuple[Splice, ...]"
    music: "Music | None" = None
    song: "Song | None" = None
    script: "Script | None" = None
    put_off_s: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------------------- phrases


def replace(now: "Performance", *, at: At = "", parts: Parts = "", by: By = "", source: From = "") -> Change:
    """Dance a stretch as another phrase, evenly retimed to fill it.

    Examples:
      choreia edit dance.take replace --bars 9:12 --from "bars 1-4"
      choreia edit dance.take replace --at "chorus 2" --parts arms --by other.bvh --from 0:10-0:14
    """
    from choreia.edit import phrases

    phrase, files = _material(now, by, source)
    return Change(phrases.replace(_motion(now), _region(now, at, parts), phrase), files=files)


def insert(now: "Performance", *, at: At = "", by: By = "", source: From = "") -> Change:
    """Put a phrase in where a time begins; what was there comes after it.

    Example:
      choreia edit dance.take insert --at "bar 9" --from "bars 1-4"
    """
    from choreia.edit import phrases

    phrase, files = _material(now, by, source)
    return Change(phrases.insert(_motion(now), _region(now, at).stretches[0][0], phrase), files=files)


def delete(now: "Performance", *, at: At = "") -> Change:
    """Take a stretch out; what follows goes on from there.

    Example:
      choreia edit dance.take delete --eights 3
    """
    from choreia.edit import phrases

    return Change(phrases.delete(_motion(now), _region(now, at)))


def repeat(now: "Performance", *, at: At = "", times: Annotated[int, "how many times more"] = 1) -> Change:
    """Dance a stretch again behind itself.

    Example:
      choreia edit dance.take repeat --bars 5:8 --times 2
    """
    from choreia.edit import phrases

    return Change(phrases.repeat(_motion(now), _region(now, at), times))


def reorder(now: "Performance", order: Annotated[str, "which comes first, second, …, from 1: 2,1,3"], *, at: At = "") -> Change:
    """Dance several stretches, of equal length or not, in another order.

    Example:
      choreia edit dance.take reorder 2,3,1 --eights 1,2,3
    """
    from choreia.edit import phrases

    return Change(phrases.reorder(_motion(now), _region(now, at), _numbers(order)))


def join(now: "Performance", by: By, *, source: From = "") -> Change:
    """Let another dance follow this one.

    Example:
      choreia edit dance.take join second.take --from "bars 1-8"
    """
    from choreia.edit import phrases

    phrase, files = _material(now, by, source)
    return Change(phrases.join(_motion(now), phrase), files=files)


# ------------------------------------------------------------------------------------------------------- body, floor, time


def mirror(now: "Performance", *, at: At = "", parts: Parts = "") -> Change:
    """Dance to the other side.

    Example:
      choreia edit dance.take mirror --bars 9:12
    """
    from choreia.edit import bodily

    return Change(bodily.mirror(_motion(now), _region(now, at, parts)))


def energy(now: "Performance", factor: Annotated[float, "0 to 2; under 1 softer"], *, at: At = "", parts: Parts = "") -> Change:
    """Make accents larger or smaller.

    Example:
      choreia edit dance.take energy 1.4 --at "chorus" --parts upper
    """
    from choreia.edit import bodily

    return Change(bodily.energy(_motion(now), _region(now, at, parts), factor))


def reach(now: "Performance", factor: Annotated[float, "0 to 2; under 1 smaller"], *, at: At = "", parts: Parts = "") -> Change:
    """Make gestures wider or narrower.

    Example:
      choreia edit dance.take range 0.7 --at "verse 1"
    """
    from choreia.edit import bodily

    return Change(bodily.movement_range(_motion(now), _region(now, at, parts), factor))


def follow(now: "Performance", *, path: Annotated[str, 'points "x,z x,z …" on the floor in metres'], at: At = "", parts: Parts = "",
           along: Annotated[bool, "face the way that is gone"] = False) -> Change:  # fmt: skip
    """Dance along a path on the floor.

    Example:
      choreia edit dance.take follow --path "1,0 1,1 0,1" --bars 5:8 --along
    """
    from choreia.edit import bodily

    return Change(bodily.follow(_motion(now), _region(now, at, parts), _points(path), along))


def tempo(now: "Performance", bpm: Annotated[float, "beats a minute of the new tempo"], *, at: At = "") -> Change:
    """Dance at another tempo; the length changes with it.

    Example:
      choreia edit dance.take tempo 128 --bars 1:8
    """
    import numpy as np

    from choreia.edit import timing

    if not _music(now).has_beat:
        raise ChoreiaError("no beat was found in the song, so it has no tempo to change")
    return Change(timing.to_tempo(_motion(now), _region(now, at), bpm / float(np.median(_music(now).tempo_bpm))))


def song(now: "Performance", file: Annotated[str, "the new song, a sound file"], *,
         start: Annotated[float, "begin at this second"] = 0.0) -> Change:  # fmt: skip
    """Dance to the beats of another song, to its end or as far as the dance goes.

    Example:
      choreia edit dance.take song other.mp3 --start 12.5
    """
    from pathlib import Path

    from choreia.edit import timing
    from choreia.export.bundle import song_in
    from choreia.music.analyze import analyze_file

    heard, found = analyze_file(file, start), song_in(Path(file), start)
    return Change(timing.to_song(_motion(now), _music(now), heard), heard, found, files={file: found.sha256[:HASHED]})


# -------------------------------------------------------------------------------------------------------------- made anew


def regenerate(now: "Performance", *, at: At = "", parts: Parts = "", seed: Seed = 0,
               prompt: Annotated[str, 'what to dance there: "arm wave, then a turn"'] = "") -> Change:  # fmt: skip
    """Dance a stretch, or parts of the body in it, anew.

    Example:
      choreia edit dance.take regenerate --bars 9:12 --seed 3 --prompt "arm wave"
    """
    from choreia.edit import regenerate as anew

    motion, music, region = _motion(now), _music(now), _region(now, at, parts)
    asked, warnings = _asked(prompt, region, music)
    return Change(anew.regenerate(motion, music, _script(now), region, seed=seed, asked=asked), warnings=warnings)


def lock(now: "Performance", *, at: At = "", parts: Parts = "", regenerate: Annotated[str, "when to dance anew"] = "",
         seed: Seed = 0) -> Change:  # fmt: skip
    """Keep a stretch, or parts of the body in it, and dance anew what --regenerate names, or without a name all else.

    Examples:
      choreia edit dance.take lock --bars 1:8 --parts legs --regenerate bars 1:16
      choreia edit dance.take lock --at "chorus 1" --regenerate --seed 5
    """
    from choreia.edit import regenerate as anew

    return Change(anew.lock(_motion(now), _music(now), _script(now), _region(now, at, parts), seed=seed, within=_region(now, regenerate)))


def extend(now: "Performance", *, before: Annotated[float, "seconds to add in front"] = 0.0,
           after: Annotated[float, "seconds to add behind"] = 0.0, seed: Seed = 0) -> Change:  # fmt: skip
    """Dance on before the beginning or behind the end; the song, and its counts, then begin that much later.

    Example:
      choreia edit dance.take extend --after 8 --seed 2
    """
    from choreia.edit import regenerate as anew

    motion, music, script = _motion(now), _music(now), _script(now)
    splices = anew.extend(motion, music, script, before_s=before, after_s=after, seed=seed)
    by_s = sum(len(splice) for splice in splices if splice.stop == 0) / motion.fps
    return Change(splices, _later(music, by_s), script=_said_later(script, by_s), put_off_s=by_s) if by_s else Change(splices)


def vary(now: "Performance", *, at: At = "", like: Annotated[str, "when, what is danced again"] = "",
         amount: Annotated[float, "0 the same, 1 something else"] = 0.3, seed: Seed = 0) -> Change:  # fmt: skip
    """Make a stretch repeat an earlier one, with variation.

    Example:
      choreia edit dance.take vary --at "chorus 2" --like "chorus 1" --amount 0.3
    """
    from choreia.edit import regenerate as anew

    region, model = _region(now, at), _region(now, _named(like, "--like"))
    return Change(anew.variation(_motion(now), _music(now), _script(now), region, model, amount=amount, seed=seed))


def restyle(now: "Performance", source: Annotated[str, "a style such as salsa, or a dance: .take .bvh .glb .npz …"], *, at: At = "",
            parts: Parts = "", keep: Annotated[str, "bottom, the poses, or top, the movement"] = "bottom",
            seed: Seed = 0) -> Change:  # fmt: skip
    """Keep the poses and move as in a style or another dance; --keep top does the reverse.

    Example:
      choreia edit dance.take restyle salsa --at "verse 2"
    """
    from choreia.edit.restyle import restyle as restyled
    from choreia.pipelines.edit_original import is_dance

    manner, files = _material(now, source, "") if is_dance(source) else (source, {})
    region = _region(now, at, parts)
    return Change(restyled(_motion(now), _music(now), region, manner, keep=keep, seed=seed), files=files)


def between(now: "Performance", *, at: At = "", parts: Parts = "") -> Change:
    """Find a way from the pose before a stretch to the pose behind it.

    Example:
      choreia edit dance.take between --seconds 10:11.5
    """
    from choreia.edit import between as gap

    return Change(gap.between(_motion(now), _region(now, at, parts)), warnings=gap.plain(_motion(now)))


OPERATIONS: dict[str, Callable[..., Change]] = {
    "lock": lock, "regenerate": regenerate, "between": between, "extend": extend, "vary": vary, "restyle": restyle,
    "replace": replace, "insert": insert, "delete": delete, "repeat": repeat, "reorder": reorder, "join": join,
    "mirror": mirror, "energy": energy, "range": reach, "follow": follow, "tempo": tempo, "song": song,
}  # fmt: skip
"""Every operation by the name that the command line and the history of a take give it."""


# ------------------------------------------------------------------------------------------------------ reading parameters


def _motion(now: "Performance") -> "Motion":
    if now.motion is None:
        raise ChoreiaError("this take has no motion: there is nothing to edit")
    return now.motion


def _music(now: "Performance") -> "Music":
    if now.music is None:
        raise ChoreiaError("this take has no song: make it with one, choreia edit NEW.take new DANCE --song SONG")
    return now.music


def _script(now: "Performance") -> "Script":
    from choreia.types import Script

    return now.script or Script("")


def _later(music: "Music", by_s: float) -> "Music":
    """Music that begins so much later; before it there are no beats, and its first section and features are held."""
    import numpy as np

    from choreia.types import Features, RhythmEvents

    def put_off(track: Features) -> Features:
        return changed(track, values=np.concatenate([np.repeat(track.values[:1], round(by_s * track.fps), axis=0), track.values]))

    sections = [changed(each, start_s=each.start_s + by_s if k else 0.0, end_s=each.end_s + by_s) for k, each in enumerate(music.sections)]
    times = {name: getattr(music, name) + by_s for name in ("beats_s", "downbeats_s", "eights_s")}
    events = RhythmEvents(*(times_s + by_s for times_s in (music.events.strong_s, music.events.offbeat_s, music.events.subdivision_s)))
    return changed(music, duration_s=music.duration_s + by_s, sections=tuple(sections), events=events, energy=put_off(music.energy),
                   features={name: put_off(track) for name, track in music.features.items()}, **times)  # fmt: skip


def _said_later(script: "Script", by_s: float) -> "Script":
    return changed(script, moves=tuple(changed(move, start_s=move.start_s + by_s, end_s=move.end_s + by_s) for move in script.moves))


def _region(now: "Performance", at: str, parts: str = "") -> "Region":
    """The region of words; no time is the whole dance, "eights 3,4" are stretches of their own."""
    from choreia.edit.parts import read_parts
    from choreia.edit.region import Region

    duration_s = _motion(now).duration_s
    if not at.strip():
        return Region(((0.0, duration_s),), read_parts(parts))
    eights = re.fullmatch(r"\s*eights?\s+(\d+(?:\s*,\s*\d+)*)\s*", at, re.I)
    if eights:
        return Region.of_eights(_numbers(eights[1]), _music(now), duration_s, parts)
    return Region.read(at, now.music, duration_s, parts)


def _material(now: "Performance", by: str, source: str) -> "tuple[Motion, dict[str, str]]":
    """A phrase of this dance or of the dance in the file `by`, and the hash of that file."""
    from choreia.pipelines.edit_original import performance_of, sha256_of

    if not by:
        return _cut(now, _named(source, "--from")), {}
    other = performance_of(by)
    return (_cut(other, source) if source else _motion(other)), {by: sha256_of(by)[:HASHED]}


def _cut(dance: "Performance", at: str) -> "Motion":
    motion = _motion(dance)
    return motion.slice(*_region(dance, at).one(motion))


def _named(time: str, option: str) -> str:
    if not time.strip():
        raise ChoreiaError(f"which phrase? say when it is danced with {option}, as in {option} \"bars 1-4\"")
    return time


def _asked(prompt: str, region: "Region", music: "Music") -> "tuple[Script | None, tuple[str, ...]]":
    """A prompt as a script whose moves share each stretch of a region evenly, None without words; and what was not understood."""
    from choreia.pipelines.asking import Words, wish_for
    from choreia.types import Move, Script

    if not prompt.strip():
        return None, ()
    wish = wish_for(Words(prompt), music)
    texts = list(dict.fromkeys(move.text for move in wish.script.moves))
    moves = []
    for start_s, end_s in region.stretches:
        step_s = (end_s - start_s) / max(len(texts), 1)
        moves += [Move(start_s + k * step_s, start_s + (k + 1) * step_s, text) for k, text in enumerate(texts)]
    return Script(wish.script.style, tuple(moves)), wish.warnings


def _numbers(text: str) -> list[int]:
    words = re.split(r"[\s,]+", text.strip(" ,"))
    if not all(word.isdecimal() and len(word) < 10 for word in words):
        raise ChoreiaError(f"{text[:60]!r} is not a list of numbers: write them as in 2,1,3")
    return [int(word) for word in words]


def _points(text: str) -> "np.ndarray":
    import numpy as np

    try:
        points = [[float(number) for number in point.split(",")] for point in re.split(r"[\s;]+", text.strip(" ;"))]
    except ValueError:
        points = []
    if not points or any(len(point) != 2 for point in points):
        raise ChoreiaError(f"{text[:60]!r} is not a path: write points x,z in metres with spaces between, as in \"1,0 1,1 0,1\"")
    return np.array(points)
