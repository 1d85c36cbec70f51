"""Style and dancer to what lamps hear: bytes of every channel, frame by frame.

A lamp takes level and colour of its zone. Spots follow the dancer, beams take the directions of the style; a head whose beam crosses the
audience goes dark for as long. What a rig cannot do is said by `choreia.stage.rig.shortcomings`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choreia.stage import rig_aim, rig_colour, style
from choreia.stage.rig import UNIVERSE, Channel, Fixture, Range, Rig, shortcomings, stand_in
from choreia.stage.safety import EYES_M, Intervention
from choreia.types import TEXTURE, ZONES, Style

CHEST_M = 1.2
"""Height that a spot aims at above the floor when only the dancer's place on the floor is known."""
EYES_TOP_M = 3.0
"""Height of the tallest of the audience's eyes; the house is this high and `HOUSE_M` deep."""
HOUSE_M = 25.0
FLOOR_M = 0.1
"""A beam as low as this at the edge of the stage ends on the floor."""
TEXTURED = 0.3
"""Depth of texture from which gobos come in."""
FAR_M = 20.0


@dataclass(frozen=True)
class Dmx:
    """values (T, len(universes), 512) uint8 at `fps`: channel c of universe universes[u] is [:, u, c - 1].

    interventions: where heads were darkened. notes: what the rig cannot do. poses: pan and tilt (T, 2) rad of every moving head by name.
    """

    values: np.ndarray
    universes: tuple[int, ...]
    fps: float
    interventions: tuple[Intervention, ...]
    notes: tuple[str, ...]
    poses: dict[str, np.ndarray]


def render(rig: Rig, track: Style, dancer_m: np.ndarray | None = None, fps: float = 30.0) -> Dmx:
    """DMX of a track on a rig. dancer_m (T, 3): where spots aim, chest or root of the dancer; the middle of the stage when None."""
    values = np.zeros((len(track), len(rig.universes), UNIVERSE), np.uint8)
    target = np.array([0.0, CHEST_M, 0.0]) if dancer_m is None else np.asarray(dancer_m, float)
    target = np.broadcast_to(target, (len(track), 3))
    light = lamp_light(rig, track)
    found: list[Intervention] = []
    poses: dict[str, np.ndarray] = {}
    for lamp, rgb in zip(rig.fixtures, light, strict=True):
        if lamp.profile.moves:
            poses[lamp.name] = rig_aim.aim(lamp, _targets(rig, lamp, track, target), fps)
            blinding = _blinds(lamp, poses[lamp.name]) & (rgb.max(axis=1) > 0)
            rgb = np.where(blinding[:, None], 0, rgb)
            found += _report(lamp, blinding, fps)
        _write(values[:, rig.universes.index(lamp.universe)], lamp, rgb, track, poses.get(lamp.name), fps)
    return Dmx(values, rig.universes, fps, tuple(found), shortcomings(rig), poses)


def lamp_light(rig: Rig, track: Style) -> np.ndarray:
    """Linear RGB of every lamp, (fixtures, T, 3): its zone's, or that of a zone it stands in for where that is brighter."""
    zones = style.zone_light(track)
    lamps = np.zeros((len(rig.fixtures), len(track), 3))
    for column, zone in enumerate(ZONES):
        taker = stand_in(rig, zone)
        for number, lamp in enumerate(rig.fixtures):
            if lamp.zone == taker:
                brighter = zones[:, column].max(axis=1) > lamps[number].max(axis=1)
                lamps[number] = np.where(brighter[:, None], zones[:, column], lamps[number])
    return lamps


def _targets(rig: Rig, lamp: Fixture, track: Style, dancer_m: np.ndarray) -> np.ndarray:
    """What a moving head looks at, (T, 3) m."""
    if lamp.zone == "spot":
        return dancer_m
    if lamp.zone != "beams":
        return np.broadcast_to(np.array(lamp.focus_m), dancer_m.shape)
    heads = sorted((one for one in rig.of_zone("beams") if one.profile.moves), key=lambda one: one.position_m[0])
    spread = np.linspace(-1, 1, len(heads))[heads.index(lamp)] if len(heads) > 1 else 0.0
    return np.array(lamp.position_m) + FAR_M * style.beam_directions(track, np.array([spread]))[:, 0]


def _blinds(lamp: Fixture, poses: np.ndarray) -> np.ndarray:
    """Whether the beam, (T,), meets the audience from the edge of the stage on, before it meets the floor."""
    _, y, z = lamp.position_m
    forward = rig_aim.looks_along(lamp, poses)
    ahead = forward[:, 2] > 1e-6
    slope = forward[:, 1] / np.where(ahead, forward[:, 2], 1)
    near, far = y + slope * (max(EYES_M[0], z) - z), y + slope * (EYES_M[0] + HOUSE_M - z)
    return ahead & (near > FLOOR_M) & (np.minimum(near, far) < EYES_TOP_M)


def _report(lamp: Fixture, blinding: np.ndarray, fps: float) -> list[Intervention]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], blinding.astype(int), [0]])))
    why = "its beam crosses the audience"
    return [Intervention(start / fps, stop / fps, f"{lamp.name} darkened", why) for start, stop in edges.reshape(-1, 2)]


def _write(values: np.ndarray, lamp: Fixture, rgb: np.ndarray, track: Style, pose: np.ndarray | None, fps: float) -> None:
    """Sets the channels of one lamp in its universe's `values` (T, 512): defaults first, then what each means, levels last."""
    parts = {channel: np.full(len(rgb), channel.default) for channel in lamp.profile.channels}
    level = rgb.max(axis=1)
    colour = held_colour(rgb, level)
    _set_optics(parts, lamp, track)
    _set_wheel(parts, lamp, colour)
    _set_shutter(parts, lamp, level, track.strobe_hz)
    _set_levels(parts, lamp, colour, _flashed(lamp, level, track.strobe_hz, fps))
    for (channel, one), angle in zip(lamp.profile.axes, [] if pose is None else pose.T, strict=True):
        parts[channel] = one.at(angle)
    for channel, part in parts.items():
        _put(values, lamp.address - 1, channel, part)


def held_colour(rgb: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Colour of a lamp at full level, (T, 3): in the dark the one it had, before its first light the one it will have; white if never lit.

    Lamps lag behind their levels: one that turned white as it went dark would be seen to.
    """
    lit = np.flatnonzero(level > 0)
    if not len(lit):
        return np.ones_like(rgb)
    source = lit[np.maximum(np.searchsorted(lit, np.arange(len(level)), side="right") - 1, 0)]
    return rgb[source] / level[source, None]


def _put(values: np.ndarray, base: int, channel: Channel, part: np.ndarray) -> None:
    """Writes parts of full scale (T,) as the channel's bytes, coarse first."""
    count = len(channel.offsets)
    whole = np.round(np.clip(part, 0, 1) * (256**count - 1)).astype(np.int64)
    for place, offset in enumerate(channel.offsets):
        values[:, base + offset] = whole >> 8 * (count - 1 - place) & 255


def _set_optics(parts: dict[Channel, np.ndarray], lamp: Fixture, track: Style) -> None:
    """Zoom: narrow in the air, middle on the dancer, wide elsewhere. Gobos where the style is textured: stripes first, woven ones later."""
    zoom = lamp.profile.best("zoom")
    if zoom:
        low, high = sorted((zoom[1].start, zoom[1].end))
        parts[zoom[0]] = zoom[1].at(np.full(len(track), {"beams": low, "spot": (low + high) / 2}.get(lamp.zone, high)))
    gobos = lamp.profile.find("gobo")
    clear = lamp.profile.find("gobo_open")
    if gobos and clear and lamp.zone != "spot":
        depth, weave = track.texture[:, TEXTURE.index("depth")], track.texture[:, TEXTURE.index("weave")]
        slots = [one.at(0.0) for _, one in gobos]
        chosen = np.minimum((weave * len(slots)).astype(int), len(slots) - 1)
        parts[gobos[0][0]] = np.where(depth > TEXTURED, np.array(slots)[chosen], clear[0][1].at(0.0))


def _set_wheel(parts: dict[Channel, np.ndarray], lamp: Fixture, colour: np.ndarray) -> None:
    """The nearest colour of a wheel or of presets, for lamps that cannot mix."""
    slots = lamp.profile.find("colour")
    if lamp.profile.mixes or not slots:
        return
    slots = [pair for pair in slots if pair[0] is slots[0][0]]
    parts[slots[0][0]] = np.array([one.at(0.0) for _, one in slots])[rig_colour.nearest_slot(colour, slots)]


def _set_shutter(parts: dict[Channel, np.ndarray], lamp: Fixture, level: np.ndarray, strobe_hz: np.ndarray) -> None:
    """Open, or the strobe at its rate; a lamp that cannot be dimmed closes its shutter below half."""
    for channel, one in lamp.profile.find("open"):
        parts[channel] = np.full(len(level), one.at(0.0) if one.start == one.end else (one.low + one.high) / 2)
    strobe = lamp.profile.best("strobe")
    if strobe:
        parts[strobe[0]] = np.where(strobe_hz > 0, strobe[1].at(strobe_hz), parts[strobe[0]])
    closed = lamp.profile.best("closed")
    if closed and not lamp.profile.dims:
        parts[closed[0]] = np.where(level < 0.5, (closed[1].low + closed[1].high) / 2, parts[closed[0]])


def _flashed(lamp: Fixture, level: np.ndarray, strobe_hz: np.ndarray, fps: float) -> np.ndarray:
    """The level with the strobe's dark halves, for a lamp that has no strobe of its own."""
    if lamp.profile.can("strobe"):
        return level
    phase = np.cumsum(strobe_hz.astype(float)) / fps
    return np.where((strobe_hz > 0) & (phase % 1 >= 0.5), 0, level)


def _set_levels(parts: dict[Channel, np.ndarray], lamp: Fixture, colour: np.ndarray, level: np.ndarray) -> None:
    """Dimmer and emitters; emitters carry the level where there is no dimmer."""
    dimmers = _each_widest(lamp, "intensity")
    for channel, one in dimmers:
        parts[channel] = one.at(level)
    for name, amount in rig_colour.mix(lamp.profile, colour).items():
        for channel, one in _each_widest(lamp, name):
            parts[channel] = one.at(amount if dimmers else amount * level)


def _each_widest(lamp: Fixture, does: str) -> list[tuple[Channel, Range]]:
    """The widest range that does this on every channel that has one: each pixel of a bar has its own."""
    widest: dict[str, tuple[Channel, Range]] = {}
    for channel, one in sorted(lamp.profile.find(does), key=lambda pair: pair[1].high - pair[1].low):
        widest[channel.name] = (channel, one)
    return list(widest.values())
