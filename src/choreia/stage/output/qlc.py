"""A QLC+ workspace (.qxw) of a show: fixtures, a scene for every state, a chaser of all cues, the heads, and a Show that plays them.

Checked against QLC+ 4.12.6 as Debian ships it. The Show has up to three tracks: the song; "Cues", a chaser whose steps fade from scene to
scene; "Heads", a sequence that carries pan and tilt of moving heads at `HEADS_HZ`. A scene holds everything but pan and tilt. A head
whose beam would cross the audience while a cue stands is dark in that cue. A strobe is left to lamps that have one.

A scene has one fade time, a cue has two: a cue becomes a straight fade up to the end of its shorter fade and another up to the end of its
longer one, which is what levels do in `choreia.stage.cues`; colours go straight where hues would go round. A cue cut short fades as far
as it would have come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.stage import cues, rig_dmx
from choreia.stage.output import qlc_fixture
from choreia.stage.output.show import Show, label
from choreia.stage.rig import Fixture, Rig
from choreia.types import Cue, Style

TICK_S = 0.02
"""QLC+ works in ticks of this length."""
HEADS_HZ = 25.0
"""How often heads get a new pose: every second tick."""
DARK_NAME = "Dark"
COLOURS = {"Song": "#608053", "Cues": "#556b80", "Heads": "#80555f"}


@dataclass(frozen=True)
class Step:
    """A step of the chaser: from `start_ms` for `fade_ms` to the levels of `scene`, a row a fixture; `note` is what the operator reads."""

    start_ms: int
    fade_ms: int
    scene: tuple[bytes, ...]
    note: str


def write(path: str | Path, show: Show) -> list[Path]:
    """Writes the workspace and, beside it, the fixture definitions that it needs; returns their paths, the workspace first.

    Raises:
        ChoreiaError: the show has no cue, the song is no file name that XML can hold, or the folder cannot be written.
    """
    path = Path(path)
    root = workspace(show)
    models = qlc_fixture.models(show.rig)
    beside = {path.with_name(qlc_fixture.file_name(model)): qlc_fixture.definition(one, model) for one, model in models.items()}
    for target, definition in beside.items():
        _save(target, definition, "FixtureDefinition")
    _save(path, root, "Workspace")
    return [path, *beside]


def _save(path: Path, root: ElementTree.Element, kind: str) -> None:
    ElementTree.indent(root, " ")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {kind}>\n{ElementTree.tostring(root, encoding="unicode")}\n'
    with atomic_path(path) as partial:
        partial.write_bytes(text.encode("utf-8"))


def workspace(show: Show) -> ElementTree.Element:
    """The workspace as an XML tree."""
    if not show.stage.cues:
        raise ChoreiaError(f"show {show.name}: it has no cue; make cues from its track first")
    root = ElementTree.Element("Workspace", xmlns="http://www.qlcplus.org/Workspace", CurrentWindow="ShowManager")
    creator = ElementTree.SubElement(root, "Creator")
    for tag, text in (("Name", "Q Light Controller Plus"), ("Version", "4.12.6"), ("Author", qlc_fixture.MAKER)):
        ElementTree.SubElement(creator, tag).text = text
    engine = ElementTree.SubElement(root, "Engine")
    patch = ElementTree.SubElement(engine, "InputOutputMap")
    for universe in range(max(show.rig.universes)):
        ElementTree.SubElement(patch, "Universe", Name=f"Universe {universe + 1}", ID=str(universe))
    _fixtures(engine, show)
    _functions(engine, show)
    return root


def _fixtures(engine: ElementTree.Element, show: Show) -> None:
    """The patch: QLC+ counts universes and addresses from 0."""
    models = qlc_fixture.models(show.rig)
    for number, lamp in enumerate(show.rig.fixtures):
        node = ElementTree.SubElement(engine, "Fixture")
        texts = {
            "Manufacturer": qlc_fixture.MAKER, "Model": models[lamp.profile], "Mode": qlc_fixture.mode_name(lamp.profile), "ID": number,
            "Name": lamp.name, "Universe": lamp.universe - 1, "Address": lamp.address - 1, "Channels": lamp.profile.width,
        }  # fmt: skip
        slots = enumerate(qlc_fixture.slots(lamp.profile))
        jumping = [offset for offset, (channel, _) in slots if channel and not qlc_fixture.fades(channel)]
        if jumping:
            texts["ExcludeFade"] = ",".join(map(str, jumping))
        for tag, text in texts.items():
            ElementTree.SubElement(node, tag).text = str(text)


def _functions(engine: ElementTree.Element, show: Show) -> None:
    """Scenes, the chaser, the heads, the song and the Show, in the order of their numbers."""
    end_ms = _ms(show.stage.duration_s)
    steps = chaser_steps(show)
    number = {scene: index for index, scene in enumerate(dict.fromkeys(step.scene for step in steps))}
    for scene, index in number.items():
        note = next(step.note for step in steps if step.scene == scene)
        _scene(engine, show, index, f"{index + 1} {note}", scene)
    first = len(number)
    tracks = {"Cues": _chaser(engine, show, steps, number)}
    if any(lamp.profile.moves for lamp in show.rig.fixtures):
        tracks["Heads"] = _heads(engine, show, first + 1)
    if show.song is not None:
        tracks = {"Song": _song(engine, show, first + 3), **tracks}
    node = _function(engine, first + 4, "Show", show.name)
    ElementTree.SubElement(node, "TimeDivision", Type="Time", BPM=str(_tempo(show)))
    for place, (name, function) in enumerate(tracks.items()):
        # The track of a sequence is that of its scene, whose number comes before its own.
        bound = {"SceneID": str(function - 1)} if name == "Heads" else {}
        track = ElementTree.SubElement(node, "Track", {"ID": str(place), "Name": name, **bound, "isMute": "0"})
        ElementTree.SubElement(track, "ShowFunction", ID=str(function), StartTime="0", Duration=str(end_ms), Color=COLOURS[name])


def _ms(time_s: float) -> int:
    return round(1000 * time_s)


def _tempo(show: Show) -> int:
    has_beat = show.music is not None and len(show.music.tempo_bpm) > 0
    return round(float(np.median(show.music.tempo_bpm))) if has_beat and show.music else 120


def _function(engine: ElementTree.Element, number: int, kind: str, name: str, **more: str) -> ElementTree.Element:
    node = ElementTree.SubElement(engine, "Function", {"ID": str(number), "Type": kind, "Name": name, **more})
    if kind != "Show":
        ElementTree.SubElement(node, "Speed", FadeIn="0", FadeOut="0", Duration="0")
    return node


def chaser_steps(show: Show) -> list[Step]:
    """The cues as straight fades, sorted; the first at 0, dark until the first cue."""
    steps = [Step(0, 0, tuple(bytes(lamp.profile.width) for lamp in show.rig.fixtures), DARK_NAME)]
    before = cues.dark(show.stage.cues[0].state)
    for number, (cue, until_s) in enumerate(show.until_s()):
        darkened = _darkened(show, cue.time_s, until_s)
        for start_s, end_s in _pieces(cue, until_s):
            row = _at(before, cue, end_s)
            fade_ms = _ms(end_s) - _ms(start_s)
            steps.append(Step(_ms(start_s), fade_ms, _levels(show, row, end_s, darkened), f"{number + 1} {label(cue)}"))
        before = _at(before, cue, until_s)
    lasting = [one for one, after in pairwise(steps) if after.start_ms > one.start_ms]
    return _held([*lasting, steps[-1]], show.rig)


def _held(steps: list[Step], rig: Rig) -> list[Step]:
    """The steps with lamps that go dark in the colours they had, and lamps that stay dark in the colours they will have.

    In QLC+ all channels fade, so that a red lamp would go dark through the white that a dark lamp has no reason not to be set to.
    """
    columns = []
    for lamp, column in zip(rig.fixtures, zip(*(step.scene for step in steps), strict=True), strict=True):
        dimmers = {offset for channel, _ in lamp.profile.find("intensity") for offset in channel.offsets}
        lit = [not dimmers or any(level[offset] for offset in dimmers) for level in column]
        columns.append([_coloured(column, lit, dimmers, place) for place in range(len(column))])
    return [replace(step, scene=scene) for step, scene in zip(steps, zip(*columns, strict=True), strict=True)]


def _coloured(column: tuple[bytes, ...], lit: list[bool], dimmers: set[int], place: int) -> bytes:
    """One lamp's levels at one step, in the dark with the rest of its channels as `_held` has them."""
    if lit[place]:
        return column[place]
    coming = next((later for later in range(place, len(lit)) if lit[later]), place)
    source = column[place - 1 if place and lit[place - 1] else coming]
    return bytes(column[place][offset] if offset in dimmers else source[offset] for offset in range(len(source)))


def _pieces(cue: Cue, until_s: float) -> list[tuple[float, float]]:
    """Start and end of the straight fades of a cue that has until `until_s`: levels that snap do so first, in a tick of QLC+."""
    ends = sorted({min(cue.time_s + fade, until_s) for fade in (cue.fade_in_s, cue.fade_out_s) if fade > 0})
    if cue.fade_in_s and cue.fade_out_s:
        return list(pairwise([cue.time_s, *ends]))
    return [(cue.time_s, cue.time_s), *((cue.time_s + TICK_S, end) for end in ends if end > cue.time_s + TICK_S)]


def _at(before: Style, cue: Cue, time_s: float) -> Style:
    """The stage at `time_s`, one row, that stood at `before` when the cue came."""
    if time_s >= cue.time_s + max(cue.fade_in_s, cue.fade_out_s) - 1e-9:
        return cue.state
    after_s = 1.0 + time_s - cue.time_s
    return cues.to_track((Cue(0.0, 0.0, 0.0, before), replace(cue, time_s=1.0)), 2 * after_s, 1 / after_s).rows(slice(1, 2))


def _darkened(show: Show, start_s: float, end_s: float) -> set[str]:
    """Lamps whose beam would cross the audience between two times."""
    found = {one.what for one in show.dmx.interventions if one.start_s < end_s and one.end_s > start_s}
    return {lamp.name for lamp in show.rig.fixtures if f"{lamp.name} darkened" in found}


def _levels(show: Show, row: Style, time_s: float, darkened: set[str]) -> tuple[bytes, ...]:
    """What every lamp hears at one row of Style, all its channels."""
    # One frame at a rate so high that a strobe begins with its bright half, also on lamps that have no strobe of their own.
    frame = rig_dmx.render(show.rig, row, show.dancer_at(time_s), fps=1000.0).values[0]
    return tuple(bytes(lamp.profile.width) if lamp.name in darkened else _heard(show, frame, lamp).tobytes() for lamp in show.rig.fixtures)


def _heard(show: Show, frame: np.ndarray, lamp: Fixture) -> np.ndarray:
    """The channels of one lamp in a frame (universes, 512)."""
    return frame[show.rig.universes.index(lamp.universe), lamp.address - 1 : lamp.last_address]


def _aimed(lamp: Fixture) -> list[int]:
    """Offsets of pan and tilt."""
    return sorted(offset for channel, _ in lamp.profile.axes for offset in channel.offsets)


def _scene(engine: ElementTree.Element, show: Show, number: int, name: str, levels: tuple[bytes, ...]) -> None:
    """A scene: every channel but pan and tilt."""
    node = _function(engine, number, "Scene", name)
    for index, (lamp, level) in enumerate(zip(show.rig.fixtures, levels, strict=True)):
        aimed = _aimed(lamp)
        pairs = [f"{offset},{value}" for offset, value in enumerate(level) if offset not in aimed]
        ElementTree.SubElement(node, "FixtureVal", ID=str(index)).text = ",".join(pairs)


def _chaser(engine: ElementTree.Element, show: Show, steps: list[Step], scenes: dict[tuple[bytes, ...], int]) -> int:
    """The chaser of all cues, numbered after the `scenes` that have numbers; returns its number."""
    number = len(scenes)
    node = _run(_function(engine, number, "Chaser", f"{show.name} cues"))
    ends_ms = [*(one.start_ms for one in steps[1:]), max(_ms(show.stage.duration_s), steps[-1].start_ms)]
    for place, (step, end) in enumerate(zip(steps, ends_ms, strict=True)):
        hold = max(0, end - step.start_ms - step.fade_ms)
        times = {"FadeIn": str(step.fade_ms), "Hold": str(hold), "FadeOut": "0"}
        ElementTree.SubElement(node, "Step", {"Number": str(place), **times, "Note": step.note}).text = str(scenes[step.scene])
    return number


def _run(node: ElementTree.Element) -> ElementTree.Element:
    """Once from start to end, every step with times of its own."""
    ElementTree.SubElement(node, "Direction").text = "Forward"
    ElementTree.SubElement(node, "RunOrder").text = "SingleShot"
    ElementTree.SubElement(node, "SpeedModes", FadeIn="PerStep", FadeOut="PerStep", Duration="PerStep")
    return node


def _heads(engine: ElementTree.Element, show: Show, number: int) -> int:
    """The scene of pan and tilt under `number` and the sequence bound to it under the next; returns the latter."""
    heads = [(index, lamp) for index, lamp in enumerate(show.rig.fixtures) if lamp.profile.moves]
    scene = _function(engine, number, "Scene", "Heads")
    for index, lamp in heads:
        ElementTree.SubElement(scene, "FixtureVal", ID=str(index)).text = ",".join(f"{offset},0" for offset in _aimed(lamp))
    node = _run(_function(engine, number + 1, "Sequence", "Heads move", BoundScene=str(number)))
    count = sum(len(_aimed(lamp)) for _, lamp in heads)
    starts_ms, poses = _poses(show, heads)
    ends_ms = [*starts_ms[1:], max(_ms(show.stage.duration_s), starts_ms[-1] + 1)]
    for place, (start, end, pose) in enumerate(zip(starts_ms, ends_ms, poses, strict=True)):
        times = {"FadeIn": "0", "Hold": str(end - start), "FadeOut": "0"}
        ElementTree.SubElement(node, "Step", {"Number": str(place), **times, "Values": str(count)}).text = pose
    return number + 1


def _poses(show: Show, heads: list[tuple[int, Fixture]]) -> tuple[list[int], list[str]]:
    """When heads get a new pose, in ms from 0, and the pose as QLC+ writes it; a pose that stays is one step."""
    starts: list[int] = []
    found: list[str] = []
    for tick in range(clock.frames_in(show.stage.duration_s, HEADS_HZ)):
        row = min(clock.to_frame(tick / HEADS_HZ, show.stage.fps), len(show.dmx.values) - 1)
        parts = []
        for index, lamp in heads:
            values = _heard(show, show.dmx.values[row], lamp)
            parts.append(f"{index}:" + ",".join(f"{offset},{values[offset]}" for offset in _aimed(lamp)))
        pose = ":".join(parts)
        if not found or pose != found[-1]:
            starts.append(_ms(tick / HEADS_HZ))
            found.append(pose)
    return starts, found


def _song(engine: ElementTree.Element, show: Show, number: int) -> int:
    """The song, by its path; returns its number."""
    path = str(show.song)
    if not path.isprintable() or path.encode("utf-8", errors="replace").decode() != path:
        raise ChoreiaError(f"song {path!r}: its name has characters that a show file cannot hold; rename it")
    ElementTree.SubElement(_function(engine, number, "Audio", Path(path).stem), "Source").text = path
    return number
