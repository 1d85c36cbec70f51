"""A rig: lamps in place, each with a profile (what its channels can do) and an address. `assets/rigs/house16.toml` is the default.

A patch is TOML or JSON: `name`, and a `[[fixture]]` for every lamp with name, profile, mode, universe and address (from 1), position_m,
zone of `ZONES`, and where it matters rotation_deg, focus_m, pan_deg_s, tilt_deg_s. A profile is "choreia/<name>" for those that ship,
"<manufacturer>/<fixture>" in a folder of the Open Fixture Library, or a JSON file beside the patch.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from choreia import files
from choreia.errors import ChoreiaError
from choreia.stage.style import TARGETS_M
from choreia.types import ZONES

UNIVERSE = 512
"""Channels of a DMX universe."""
LAST_UNIVERSE = 63999
"""Highest universe number of sACN."""
PRIMARIES = ("red", "green", "blue")
FILTERS = ("cyan", "magenta", "yellow")
WHITES = ("white", "warm_white", "cold_white")
EMITTERS = (*PRIMARIES, *WHITES, *FILTERS, "amber", "lime", "indigo", "uv")
DEFAULT = "house16"
REQUIRED = {"name", "profile", "universe", "address", "position_m", "zone"}
OPTIONAL = {"mode", "rotation_deg", "focus_m", "pan_deg_s", "tilt_deg_s"}


def plain(text: object, longest: int = 120) -> str:
    """A name or message out of a file as one printable line."""
    return " ".join("".join(one if one.isprintable() else " " for one in str(text)).split())[:longest]


@dataclass(frozen=True)
class Range:
    """A stretch of a channel: from `low` to `high`, parts of its full scale in [0, 1], it `does` something.

    start, end: the value at both ends. intensity, an emitter of `EMITTERS`: brightness in [0, 1]; pan, tilt: rad from the middle;
    zoom: rad of beam angle; strobe: Hz; open, closed, colour (`rgb` linear), gobo, gobo_open: nothing.
    """

    low: float
    high: float
    does: str
    start: float = 0.0
    end: float = 0.0
    rgb: tuple[float, ...] = ()

    def at(self, value: np.ndarray | float) -> np.ndarray:
        """Where on the channel's scale a value stands, in [0, 1], clipped to this range; its middle where the range has one value."""
        if self.end == self.start:
            return np.full_like(np.asarray(value, float), (self.low + self.high) / 2)
        part = (np.asarray(value, float) - self.start) / (self.end - self.start)
        return self.low + (self.high - self.low) * np.clip(part, 0, 1)


@dataclass(frozen=True)
class Channel:
    """A channel: `offsets` from the fixture's address, coarse byte first, `default` in [0, 1], and its ranges."""

    name: str
    offsets: tuple[int, ...]
    default: float
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Profile:
    """A fixture in one of its modes: `width` channels, those named that do something known."""

    manufacturer: str
    name: str
    mode: str
    width: int
    channels: tuple[Channel, ...]

    def find(self, *does: str) -> list[tuple[Channel, Range]]:
        """Every range that does one of these, with its channel."""
        return [(channel, one) for channel in self.channels for one in channel.ranges if one.does in does]

    def best(self, does: str) -> tuple[Channel, Range] | None:
        """The widest range that does this, None when there is none."""
        return max(self.find(does), key=lambda pair: pair[1].high - pair[1].low, default=None)

    def can(self, *does: str) -> bool:
        """Whether it does all of these."""
        return all(self.find(one) for one in does)

    @property
    def mixes(self) -> bool:
        """Whether red, green and blue emitters or three filters mix any colour."""
        return self.can(*PRIMARIES) or self.can(*FILTERS)

    @property
    def makes_colour(self) -> bool:
        """Whether it mixes, or has a wheel or presets with three colours or more."""
        return self.mixes or len({one.rgb for _, one in self.find("colour")}) >= 3

    @property
    def dims(self) -> bool:
        """Whether its light can be set between dark and full."""
        return self.can("intensity") or bool(self._dimmable())

    def _dimmable(self) -> list[tuple[Channel, Range]]:
        """Emitters that glow by themselves: without red, cyan, magenta and yellow are filters."""
        filters = () if self.can("red") else FILTERS
        return [pair for pair in self.find(*EMITTERS) if pair[1].does not in filters]

    @property
    def moves(self) -> bool:
        """Whether it is a moving head."""
        return self.can("pan", "tilt")

    @property
    def axes(self) -> list[tuple[Channel, Range]]:
        """Pan and tilt of a moving head, nothing for others."""
        return [pair for pair in (self.best("pan"), self.best("tilt")) if pair] if self.moves else []


@dataclass(frozen=True)
class Fixture:
    """A lamp in place: `address` from 1 in `universe` from 1, position (x, y, z) m, the zone it lights.

    rotation_deg: about x, y and z, applied z first; all 0 hangs from a pipe, its pan axis vertical and the front of its base towards +Z;
    180 about z stands it on the floor. focus_m: what a lamp that cannot move is pointed at. pan and tilt speeds in deg/s.
    """

    name: str
    profile: Profile
    universe: int
    address: int
    position_m: tuple[float, ...]
    zone: str
    rotation_deg: tuple[float, ...] = (0.0, 0.0, 0.0)
    focus_m: tuple[float, ...] = (0.0, 0.0, 0.0)
    pan_deg_s: float = 200.0
    tilt_deg_s: float = 160.0

    @property
    def last_address(self) -> int:
        """Its last channel."""
        return self.address + self.profile.width - 1

    def __post_init__(self) -> None:
        if not 1 <= self.universe <= LAST_UNIVERSE:
            raise ChoreiaError(f"fixture {self.name}: universe {self.universe} is not in 1 to {LAST_UNIVERSE}; change it in the rig")
        if self.address < 1 or self.last_address > UNIVERSE:
            channels = f"channels {self.address} to {self.last_address} leave 1 to {UNIVERSE}"
            raise ChoreiaError(f"fixture {self.name}: {channels}; move it or use another universe")
        if self.zone not in ZONES:
            raise ChoreiaError(f"fixture {self.name}: no zone {self.zone!r}; choose one of {', '.join(ZONES)}")
        triples = (self.position_m, self.rotation_deg, self.focus_m)
        if any(len(one) != 3 or not np.isfinite(one).all() or np.abs(one).max() > 1000 for one in triples):
            raise ChoreiaError(f"fixture {self.name}: position, rotation and focus take three finite numbers each, none over 1000")
        if not (0 < self.pan_deg_s < 1e5 and 0 < self.tilt_deg_s < 1e5):
            raise ChoreiaError(f"fixture {self.name}: pan and tilt speeds must be positive degrees per second")
        if not self.profile.dims and not self.profile.can("open", "closed"):
            mode = f"{self.profile.name} in mode {self.profile.mode}"
            raise ChoreiaError(f"fixture {self.name}: {mode} has no intensity; choose another mode")


@dataclass(frozen=True)
class Rig:
    """The lamps of a house, no two on the same channel."""

    name: str
    fixtures: tuple[Fixture, ...]

    def __post_init__(self) -> None:
        if not self.fixtures:
            raise ChoreiaError(f"rig {self.name}: it has no fixture; add a [[fixture]]")
        taken: dict[tuple[int, int], str] = {}
        names: set[str] = set()
        for lamp in self.fixtures:
            if lamp.name in names:
                raise ChoreiaError(f"rig {self.name}: two fixtures are called {lamp.name}; rename one")
            names.add(lamp.name)
            for channel in range(lamp.address, lamp.last_address + 1):
                other = taken.setdefault((lamp.universe, channel), lamp.name)
                if other != lamp.name:
                    place = f"channel {channel} of universe {lamp.universe}"
                    raise ChoreiaError(f"rig {self.name}: {other} and {lamp.name} overlap on {place}; readdress one")

    @property
    def universes(self) -> tuple[int, ...]:
        """Universe numbers in use, rising."""
        return tuple(sorted({lamp.universe for lamp in self.fixtures}))

    def of_zone(self, zone: str) -> tuple[Fixture, ...]:
        """The lamps of a zone."""
        return tuple(lamp for lamp in self.fixtures if lamp.zone == zone)


INSTEAD = {
    "front_left": ("front_centre", "top"), "front_centre": ("front_left", "front_right", "top"), "front_right": ("front_centre", "top"),
    "side_left": ("front_left", "front_centre"), "side_right": ("front_right", "front_centre"), "back_left": ("back_centre", "top"),
    "back_centre": ("back_left", "back_right", "top"), "back_right": ("back_centre", "top"), "top": ("back_centre", "front_centre"),
    "backdrop": (), "beams": (), "spot": ("front_centre", "top"),
}  # fmt: skip
"""Which zones' lamps take the light of a zone that has none, the first that has lamps."""


def stand_in(rig: Rig, zone: str) -> str | None:
    """The zone whose lamps light `zone`: itself, else one of `INSTEAD`; None when nothing can."""
    return next((one for one in (zone, *INSTEAD[zone]) if rig.of_zone(one)), None)


def shortcomings(rig: Rig) -> tuple[str, ...]:
    """What the rig cannot do and what happens in its place, one line each."""
    found = []
    if not any(lamp.profile.makes_colour for lamp in rig.fixtures):
        found.append("no fixture makes a colour: the show plays in white levels only")
    for zone in ZONES:
        other = stand_in(rig, zone)
        if other != zone:
            found.append(f"no fixture lights {zone}: " + (f"{other} takes its light" if other else "its light is left out"))
    if not any(lamp.profile.moves for lamp in rig.of_zone("spot")):
        found.append("no moving head is a spot: nothing follows the dancer")
    if not any(lamp.profile.can("gobo") for lamp in rig.fixtures):
        found.append("no fixture has gobos: the texture is left out")
    if not any(lamp.profile.can("strobe") for lamp in rig.fixtures):
        found.append("no fixture has a strobe: levels flash in its place")
    plain = [lamp.name for lamp in rig.fixtures if not lamp.profile.dims]
    if plain:
        found.append(f"{', '.join(plain)}: only on and off, by the shutter")
    return tuple(found)


def load(rig: str | Path = DEFAULT, library: str | Path | None = None) -> Rig:
    """A rig by the name of one that ships, or from a TOML or JSON patch; `library`: a folder of Open Fixture Library fixtures.

    Raises:
        ChoreiaError: an unreadable patch, unknown fixture, mode or zone, overlapping addresses, a lamp without intensity.
    """
    shipped = resources.files("choreia").joinpath("assets/rigs")
    if re.fullmatch(r"[a-z0-9_]+", str(rig)) and shipped.joinpath(f"{rig}.toml").is_file():
        return parse(tomllib.loads(shipped.joinpath(f"{rig}.toml").read_text(encoding="utf-8")), str(rig), Path(), library)
    path = Path(rig)
    if path.suffix not in (".toml", ".json"):
        raise ChoreiaError(f"no rig {rig}: give the name of one that ships ({DEFAULT}) or a .toml or .json patch")
    try:
        text = files.read_bytes(path).decode("utf-8")
        patch = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ChoreiaError(f"rig {path}: {plain(error)}; mend the file") from error
    return parse(patch, path.name, path.parent, library)


def parse(patch: Any, where: str, folder: Path, library: str | Path | None = None) -> Rig:
    """A rig of a patch as read; `where` names it in errors, profiles that are files are looked for in `folder`."""
    entries = patch.get("fixture") if isinstance(patch, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ChoreiaError(f"rig {where}: it has no [[fixture]]; see the default rig")
    return Rig(plain(patch.get("name", where)), tuple(_fixture(entry, where, folder, library) for entry in entries))


def _fixture(entry: dict[str, Any], where: str, folder: Path, library: str | Path | None) -> Fixture:
    name = plain(entry.get("name", "without a name"))
    wrong = (REQUIRED - set(entry)) | (set(entry) - REQUIRED - OPTIONAL)
    if wrong:
        raise ChoreiaError(f"rig {where}: fixture {name}: {plain(', '.join(sorted(wrong)))} is missing or unknown; see the default rig")
    profile = _profile(plain(entry["profile"]), entry.get("mode"), folder, library)
    zone = plain(entry["zone"])
    focus = entry.get("focus_m", TARGETS_M[ZONES.index(zone)] if zone in ZONES else (0, 0, 0))
    extra = {key: float(entry[key]) for key in ("pan_deg_s", "tilt_deg_s") if key in entry}
    try:
        place, turn, aim = (_numbers(one) for one in (entry["position_m"], entry.get("rotation_deg", (0, 0, 0)), focus))
        return Fixture(name, profile, int(entry["universe"]), int(entry["address"]), place, zone, turn, aim, **extra)
    except (TypeError, ValueError) as error:
        raise ChoreiaError(f"rig {where}: fixture {name}: {plain(error)}; write numbers") from error


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _profile(name: str, mode: str | None, folder: Path, library: str | Path | None) -> Profile:
    """The profile that a patch names."""
    from choreia.stage import rig_ofl

    pair = re.fullmatch(r"([a-z0-9-]+)/([a-z0-9-]+)", name)
    shipped = resources.files("choreia").joinpath(f"assets/rigs/fixtures/{pair[2]}.json") if pair and pair[1] == "choreia" else None
    if shipped is not None and shipped.is_file():
        return rig_ofl.parse(shipped.read_text(encoding="utf-8"), mode, "choreia", name)
    path = folder / name if name.endswith(".json") else Path(library) / f"{name}.json" if pair and library else None
    if path is None or not path.is_file():
        hint = "name one that ships, a JSON file beside the rig, or give a folder of the Open Fixture Library"
        raise ChoreiaError(f"unknown fixture {name}: {hint}")
    return rig_ofl.read(path, mode)
