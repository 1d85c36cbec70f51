"""Fixture definitions of QLC+ (.qxf) from our profiles: a definition holds one profile, in one mode.

Format: the definitions that come with QLC+ 4.12 (`fixtures/*/*.qxf`) and its documentation of channel presets. QLC+ looks for what it
does not know as "<manufacturer>-<model>.qxf", blanks written as "-", in the folder of the workspace; all of ours have the manufacturer
`MAKER`, so that none is taken for a definition that QLC+ knows by the same name but other channels.
"""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from choreia.stage.rig import Channel, Profile, Range, Rig

MAKER = "Choreia"
PRESETS = {
    "intensity": "IntensityDimmer", "red": "IntensityRed", "green": "IntensityGreen", "blue": "IntensityBlue", "cyan": "IntensityCyan",
    "magenta": "IntensityMagenta", "yellow": "IntensityYellow", "amber": "IntensityAmber", "white": "IntensityWhite",
    "warm_white": "IntensityWhite", "cold_white": "IntensityWhite", "lime": "IntensityLime", "indigo": "IntensityIndigo",
    "uv": "IntensityUV", "pan": "PositionPan", "tilt": "PositionTilt", "zoom": "BeamZoomSmallBig",
}  # fmt: skip
"""QLC+'s name for a channel that does one thing over its whole scale."""
GROUPS = {
    "pan": "Pan", "tilt": "Tilt", "zoom": "Beam", "strobe": "Shutter", "open": "Shutter", "closed": "Shutter", "colour": "Colour",
    "gobo": "Gobo", "gobo_open": "Gobo",
}  # fmt: skip
"""QLC+'s group of a channel that does several things; light where nothing else is known."""
CAPABILITIES = {"open": "ShutterOpen", "closed": "ShutterClose", "strobe": "StrobeSlowToFast", "colour": "ColorMacro"}
FADING = {*PRESETS}
"""What moves in a fade; shutters, wheels and gobos jump."""


def models(rig: Rig) -> dict[Profile, str]:
    """The model name of every profile of a rig, no two the same: letters, digits and blanks only, as it becomes a file name."""
    found: dict[Profile, str] = {}
    for profile in dict.fromkeys(lamp.profile for lamp in rig.fixtures):
        named = re.sub(r"[^A-Za-z0-9]+", " ", f"{profile.manufacturer} {profile.name} {profile.mode}").strip()[:60].strip() or "Fixture"
        taken = {name.lower() for name in found.values()}
        other = next(name for name in (named, *(f"{named} {number}" for number in range(2, 999))) if name.lower() not in taken)
        found[profile] = other
    return found


def file_name(model: str) -> str:
    """The name under which QLC+ looks for a definition."""
    return f"{MAKER}-{model}.qxf".replace(" ", "-")


def slots(profile: Profile) -> list[tuple[Channel | None, int]]:
    """Which channel, and which of its bytes, stands at every offset of a fixture; None where nothing is known."""
    found: list[tuple[Channel | None, int]] = [(None, 0)] * profile.width
    for channel in profile.channels:
        for place, offset in enumerate(channel.offsets):
            found[offset] = (channel, place)
    return found


def fades(channel: Channel) -> bool:
    """Whether all that a channel does is gradual."""
    return all(one.does in FADING for one in channel.ranges)


def definition(profile: Profile, model: str) -> ElementTree.Element:
    """The definition of one profile under a model name."""
    root = ElementTree.Element("FixtureDefinition", xmlns="http://www.qlcplus.org/FixtureDefinition")
    creator = ElementTree.SubElement(root, "Creator")
    for tag, text in (("Name", "Q Light Controller Plus"), ("Version", "4.12.6"), ("Author", MAKER)):
        ElementTree.SubElement(creator, tag).text = text
    kind = "Moving Head" if profile.moves else "Color Changer" if profile.makes_colour else "Dimmer"
    for tag, text in (("Manufacturer", MAKER), ("Model", model), ("Type", kind)):
        ElementTree.SubElement(root, tag).text = text
    names = [_channel(root, number, channel, place) for number, (channel, place) in enumerate(slots(profile))]
    mode = ElementTree.SubElement(root, "Mode", Name=mode_name(profile))
    for number, name in enumerate(names):
        ElementTree.SubElement(mode, "Channel", Number=str(number)).text = name
    _physical(root, profile)
    return root


def mode_name(profile: Profile) -> str:
    """The one mode of a definition."""
    return f"{profile.width} Channel"


def _channel(root: ElementTree.Element, number: int, channel: Channel | None, place: int) -> str:
    """Adds the channel at an offset and returns its name, which begins with its number as names may not repeat."""
    if channel is None or place > 1:
        return _named(root, f"{number + 1} unused", "Nothing", 0, ())
    name = f"{number + 1} {channel.name}{' fine' if place else ''}"
    whole = len(channel.ranges) == 1 and channel.ranges[0].low <= 0 and channel.ranges[0].high >= 1
    preset = PRESETS.get(channel.ranges[0].does) if whole else None
    if preset:
        preset = preset.replace("ZoomSmallBig", "Zoom") if place else preset
        ElementTree.SubElement(root, "Channel", Name=name, Preset=preset + ("Fine" if place else ""))
        return name
    group = GROUPS.get(channel.ranges[0].does, "Intensity") if channel.ranges else "Nothing"
    return _named(root, name, group, place, channel.ranges)


def _named(root: ElementTree.Element, name: str, group: str, place: int, ranges: tuple[Range, ...]) -> str:
    """Adds a channel with a group and capabilities."""
    node = ElementTree.SubElement(root, "Channel", Name=name)
    ElementTree.SubElement(node, "Group", Byte=str(place)).text = group
    free = 0
    for one in sorted(ranges, key=lambda one: one.low) if not place else ():
        low, high = max(free, math.ceil(one.low * 255 - 1e-6)), min(255, math.floor(one.high * 255 + 1e-6))
        if low <= high:
            _capability(node, one, low, high)
            free = high + 1
    if not len(node.findall("Capability")):
        ElementTree.SubElement(node, "Capability", Min="0", Max="255").text = name
    return name


def _capability(node: ElementTree.Element, one: Range, low: int, high: int) -> None:
    found = ElementTree.SubElement(node, "Capability", Min=str(low), Max=str(high))
    if one.does in CAPABILITIES:
        found.set("Preset", CAPABILITIES[one.does])
    if one.does == "colour":
        found.set("Res1", "#" + "".join(f"{round(255 * min(max(part, 0), 1) ** (1 / 2.2)):02x}" for part in one.rgb))
    found.text = one.does.replace("_", " ")


def _physical(root: ElementTree.Element, profile: Profile) -> None:
    """Angles of pan, tilt and beam; the rest is not known."""
    reach = {one.does: math.degrees(abs(one.end - one.start)) for _, one in profile.axes}
    zoom = profile.best("zoom")
    beam = sorted(math.degrees(angle) for angle in (zoom[1].start, zoom[1].end)) if zoom else [0.0, 0.0]
    node = ElementTree.SubElement(root, "Physical")
    ElementTree.SubElement(node, "Bulb", Type="LED", Lumens="0", ColourTemperature="0")
    ElementTree.SubElement(node, "Dimensions", Weight="0", Width="300", Height="300", Depth="300")
    ElementTree.SubElement(node, "Lens", Name="Other", DegreesMin=f"{beam[0]:.0f}", DegreesMax=f"{beam[1]:.0f}")
    pan, tilt = (f"{reach.get(axis, 0):.0f}" for axis in ("pan", "tilt"))
    ElementTree.SubElement(node, "Focus", Type="Head" if profile.moves else "Fixed", PanMax=pan, TiltMax=tilt)
    ElementTree.SubElement(node, "Technical", PowerConsumption="0", DmxConnector="3-pin")
