"""Open Fixture Library JSON (open-fixture-library.org, MIT) to a `Profile`: one mode of a fixture as what its channels can do.

The files come from anywhere: sizes, counts, ranges and numbers are checked, and a file that breaks the format is one clear line.
Format: the library's docs/fixture-format.md. Read: intensity, colours, shutter and strobe, pan, tilt, zoom, colour and gobo wheels, colour
presets, fine channels, switching channels (as their default has them), pixel matrices (all pixels alike). The rest keeps its default.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from choreia import files
from choreia.errors import ChoreiaError
from choreia.stage.palettes import hex_rgb
from choreia.stage.rig import UNIVERSE, Channel, Profile, Range, plain

LARGEST = 4 << 20
"""Bytes of the largest definition that is read."""
MOST = 512
"""Most channels of a mode, pixels of a matrix, ranges of a channel."""
WORDS = {
    "off": 0, "stop": 0, "closed": 0, "dark": 1, "slow": 1, "narrow": 1, "low": 1, "small": 1, "weak": 1, "short": 1, "near": 1,
    "bright": 100, "fast": 100, "wide": 100, "high": 100, "big": 100, "strong": 100, "long": 100, "far": 100, "open": 100,
}  # fmt: skip
"""The format's words for percentages."""
FASTEST_HZ = 20.0
"""Rate of a strobe whose file says only "fast"; slower ones in proportion."""
WHOLE_RAD = {"Pan": math.radians(540), "Tilt": math.radians(270), "Zoom": math.radians(50)}
"""Range of a head whose file gives only percentages."""
COLOURS = {
    "Red": "red", "Green": "green", "Blue": "blue", "White": "white", "Warm White": "warm_white", "Cold White": "cold_white",
    "Amber": "amber", "Lime": "lime", "Cyan": "cyan", "Magenta": "magenta", "Yellow": "yellow", "Indigo": "indigo", "UV": "uv",
}  # fmt: skip
SHUTTER = {"Open": "open", "Closed": "closed", "Strobe": "strobe"}


def read(path: str | Path, mode: str | None = None) -> Profile:
    """A mode (its name or short name; the first when None) of the fixture in an OFL file.

    Raises:
        ChoreiaError: no such file or mode, or not a fixture of the library.
    """
    content = files.read_bytes(path)
    if len(content) > LARGEST:
        raise ChoreiaError(f"{path}: {len(content) >> 20} MiB is no fixture definition; give an Open Fixture Library JSON file")
    source = Path(path)
    return parse(content.decode("utf-8", errors="replace"), mode, source.parent.name, source.name)


def parse(text: str, mode: str | None = None, manufacturer: str = "", where: str = "fixture") -> Profile:
    """A mode of an OFL definition given as text; `where` names it in errors."""
    try:
        fixture = json.loads(text)
        if "redirectTo" in fixture:
            raise ChoreiaError(f"{where}: it only points to {plain(fixture['redirectTo'])}; import that fixture")
        return _profile(fixture, _mode(fixture, mode, where), manufacturer, where)
    except (ValueError, RecursionError) as error:
        raise ChoreiaError(f"{where}: no fixture definition ({plain(error)}); give an OFL JSON file") from error
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        found = plain(f"{type(error).__name__} {error}")
        raise ChoreiaError(f"{where}: breaks the Open Fixture Library format ({found}); check the file at its site") from error


def _mode(fixture: dict[str, Any], mode: str | None, where: str) -> dict[str, Any]:
    """The mode asked for."""
    modes = fixture["modes"]
    for one in modes:
        if mode is None or mode in (one["name"], one.get("shortName")):
            return one
    raise ChoreiaError(f"{where}: no mode {mode!r}; choose one of {plain(', '.join(str(one['name']) for one in modes), 200)}")


def _profile(fixture: dict[str, Any], mode: dict[str, Any], manufacturer: str, where: str) -> Profile:
    known = {**fixture.get("availableChannels", {}), **_pixel_channels(fixture)}
    names = [name for entry in mode["channels"] for name in _entry_names(entry, fixture)]
    if not 0 < len(names) <= MOST:
        raise ChoreiaError(f"{where}: mode {plain(mode['name'])} has {len(names)} channels; a universe holds {UNIVERSE}")
    place = {name: offset for offset, name in reversed(list(enumerate(names))) if name is not None}
    for alias, name in _switched(known).items():
        if alias in place:
            place.setdefault(name, place[alias])
    channels = tuple(
        _channel(name, channel, place, fixture.get("wheels", {})) for name, channel in known.items() if name in place
    )  # fmt: skip
    return Profile(plain(manufacturer), plain(fixture["name"]), plain(mode["name"]), len(names), channels)


def _keys(fixture: dict[str, Any]) -> list[str]:
    """Pixel keys of a matrix, in its order."""
    matrix = fixture.get("matrix", {})
    if "pixelKeys" in matrix:
        return [str(key) for plane in matrix["pixelKeys"] for row in plane for key in row if key is not None][:MOST]
    counts = [int(count) for count in matrix.get("pixelCount", [0, 0, 0])]
    total = math.prod(counts)
    if not 0 <= total <= MOST:
        raise ValueError(f"a matrix of {total} pixels")
    if sum(count > 1 for count in counts) <= 1:
        return [str(number + 1) for number in range(total)]
    x, y, z = counts
    return [f"({i + 1}, {j + 1}, {k + 1})" if z > 1 else f"({i + 1}, {j + 1})" for k in range(z) for j in range(y) for i in range(x)]


def _pixel_channels(fixture: dict[str, Any]) -> dict[str, Any]:
    """The template channels of a matrix spelt out for every pixel and pixel group."""
    templates = fixture.get("templateChannels", {})
    keys = [*_keys(fixture), *fixture.get("matrix", {}).get("pixelGroups", {})]
    if len(templates) * len(keys) > MOST * 16:
        raise ValueError(f"{len(templates)} template channels for {len(keys)} pixels")
    return {_spelt(name, key): _spelt_aliases(channel, key) for name, channel in templates.items() for key in keys}


def _spelt(name: str, key: str) -> str:
    return name.replace("$pixelKey", str(key))


def _spelt_aliases(channel: dict[str, Any], key: str) -> dict[str, Any]:
    """A template channel with its fine channels named for a pixel."""
    return {**channel, "fineChannelAliases": [_spelt(alias, key) for alias in channel.get("fineChannelAliases", [])]}


def _entry_names(entry: Any, fixture: dict[str, Any]) -> Iterator[str | None]:
    """Channel names of one entry of a mode: a name, nothing, or the channels of a matrix in their order."""
    if not isinstance(entry, dict):
        yield entry
        return
    repeat = entry["repeatFor"]
    groups = fixture["matrix"].get("pixelGroups", {})
    keys = repeat if isinstance(repeat, list) else list(groups) if repeat == "eachPixelGroup" else _keys(fixture)
    templates = entry["templateChannels"]
    if len(keys) * len(templates) > MOST:
        raise ValueError(f"a matrix of {len(keys) * len(templates)} channels")
    order = [(key, name) for key in keys for name in templates]
    if entry.get("channelOrder") == "perChannel":
        order = [(key, name) for name in templates for key in keys]
    for key, name in order:
        yield None if name is None else _spelt(name, key)


def _switched(known: dict[str, Any]) -> dict[str, str]:
    """Which channel every switching alias stands for while its trigger keeps its default."""
    found: dict[str, str] = {}
    for channel in known.values():
        abilities = [one for one in _abilities(channel) if "switchChannels" in one]
        default = _default(channel) * _full(channel)
        chosen = [one for one in abilities if one.get("dmxRange", [0, 0])[0] <= default + 0.5 <= one.get("dmxRange", [0, 0])[1] + 1]
        for one in [*abilities[::-1], *chosen[:1]]:
            found.update(one["switchChannels"])
    return found


def _abilities(channel: dict[str, Any]) -> list[dict[str, Any]]:
    """The capabilities of a channel, one or many."""
    many = channel["capabilities"] if "capabilities" in channel else [channel["capability"]]
    if len(many) > MOST:
        raise ValueError(f"a channel of {len(many)} ranges")
    return many


def _full(channel: dict[str, Any]) -> int:
    """Largest DMX value of the resolution that the channel's ranges are written in."""
    coarse_and_fine = 1 + len(channel.get("fineChannelAliases", []))
    width = {"8bit": 1, "16bit": 2, "24bit": 3}.get(channel.get("dmxValueResolution", ""), coarse_and_fine)
    if not 1 <= width <= 4:
        raise ValueError(f"a channel of {width} bytes")
    return 256**width - 1


def _default(channel: dict[str, Any]) -> float:
    """Where the channel rests, in [0, 1]."""
    value = channel.get("constant", channel.get("defaultValue", 0))
    part = float(value[:-1]) / 100 if isinstance(value, str) else value / _full(channel)
    if not 0 <= part <= 1:
        raise ValueError(f"default value {value} is out of range")
    return part


def _channel(name: str, channel: dict[str, Any], place: dict[str, int], wheels: dict[str, Any]) -> Channel:
    offsets = [place[name]]
    for alias in channel.get("fineChannelAliases", []):
        if alias not in place:
            break
        offsets.append(place[alias])
    full, ranges = _full(channel), []
    for ability in _abilities(channel):
        low, high = ability.get("dmxRange", [0, full])
        if not 0 <= low <= high <= full:
            raise ValueError(f"DMX range {low} to {high} of channel {name[:40]}")
        ranges += [Range(low / full, high / full, *found) for found in _does(name, ability, wheels)]
    return Channel(plain(name), tuple(offsets), _default(channel), tuple(ranges))


def _number(value: Any) -> tuple[float, str]:
    """A quantity of the format and its unit: "540deg" is 540, deg; its words are percentages; "fast CW" is fast."""
    word = str(value).split()[0] if str(value).split() else ""
    if word in WORDS:
        return float(WORDS[word]), "%"
    found = re.fullmatch(r"(-?\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z%]*)", str(value))
    if not found:
        raise ValueError(f"{str(value)[:40]!r} is no quantity")
    return float(found[1]), found[2]


def _ends(ability: dict[str, Any], name: str, default: tuple[Any, Any]) -> tuple[tuple[float, str], tuple[float, str]]:
    """Quantity `name` at the low and the high end of a range, the same when it stands still."""
    start = ability.get(f"{name}Start", ability.get(name, default[0]))
    return _number(start), _number(ability.get(f"{name}End", ability.get(name, default[1])))


def _does(channel: str, ability: dict[str, Any], wheels: dict[str, Any]) -> Iterator[tuple[str, float, float, tuple[float, ...]]]:
    """What a range does: (what, its value at the low end, at the high end, colour)."""
    kind = ability["type"]
    if kind == "Intensity" or (kind == "ColorIntensity" and ability["color"] in COLOURS):
        (start, _), (end, _) = _ends(ability, "brightness", ("0%", "100%"))
        yield "intensity" if kind == "Intensity" else COLOURS[ability["color"]], start / 100, end / 100, ()
    elif kind == "ShutterStrobe" and ability["shutterEffect"] in SHUTTER:
        start, end = (_hertz(one) for one in _ends(ability, "speed", ("slow", "fast")))
        yield SHUTTER[ability["shutterEffect"]], start, end, ()
    elif kind in WHOLE_RAD:
        start, end = (_radians(one, kind) for one in _ends(ability, "angle", ("0%", "100%")))
        middle = 0.0 if kind == "Zoom" else (start + end) / 2
        yield kind.lower(), start - middle, end - middle, ()
    elif kind == "WheelSlot" and "slotNumber" in ability:
        yield from _slot(wheels.get(ability.get("wheel", channel), {}), ability["slotNumber"])
    elif kind == "ColorPreset" and len(ability.get("colors", [])) == 1:
        yield "colour", 0.0, 0.0, tuple(hex_rgb(ability["colors"][0]).tolist())


def _hertz(quantity: tuple[float, str]) -> float:
    value, unit = quantity
    return {"Hz": value, "bpm": value / 60, "rpm": value / 60}.get(unit, abs(value) / 100 * FASTEST_HZ)


def _radians(quantity: tuple[float, str], kind: str) -> float:
    value, unit = quantity
    radians = math.radians(value) if unit == "deg" else value / 100 * WHOLE_RAD[kind]
    if abs(radians) > 20 * math.pi:
        raise ValueError(f"an angle of {value:g} {unit}")
    return radians


def _slot(wheel: dict[str, Any], number: float) -> Iterator[tuple[str, float, float, tuple[float, ...]]]:
    """What a whole slot of a wheel (from 1) puts into the beam; between two slots nothing that can be used."""
    slots = wheel.get("slots", [])
    if number != int(number) or not 1 <= number <= len(slots):
        return
    slot = slots[int(number) - 1]
    has_gobos = any(one["type"] == "Gobo" for one in slots)
    if slot["type"] == "Open":
        yield ("gobo_open", 0.0, 0.0, ()) if has_gobos else ("colour", 0.0, 0.0, (1.0, 1.0, 1.0))
    elif slot["type"] == "Color" and len(slot.get("colors", [])) == 1:
        yield "colour", 0.0, 0.0, tuple(hex_rgb(slot["colors"][0]).tolist())
    elif slot["type"] == "Gobo":
        yield "gobo", 0.0, 0.0, ()
