"""The rig as a My Virtual Rig scene (.mvr, DIN SPEC 15801): where every lamp hangs, how it is turned and addressed, for visualisers.

MVR has millimetres, Z up and the audience at -Y: ours (x, y, z) m is (x, -z, y). A lamp that hangs shines along its own -Z; one that
cannot move is turned to its focus. Lamps name a GDTF type, "<manufacturer>@<fixture>.gdtf", which the reader has in its own library: the
archive has none.
"""

from __future__ import annotations

import re
import uuid
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from choreia.files import atomic_path
from choreia.stage import rig_aim
from choreia.stage.rig import UNIVERSE, Fixture, Rig

SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "mvr.choreia")
TO_MVR = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Our axes to those of MVR."""


def write(path: str | Path, rig: Rig) -> None:
    """Writes the scene; the same rig gives the same bytes."""
    root = scene(rig)
    ElementTree.indent(root, " ")
    text = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
    with atomic_path(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("GeneralSceneDescription.xml", (1980, 1, 1, 0, 0, 0)), text.encode("utf-8"))


def scene(rig: Rig) -> ElementTree.Element:
    """The scene description as an XML tree: one layer with all lamps."""
    root = ElementTree.Element("GeneralSceneDescription", verMajor="1", verMinor="5", provider="Choreia", providerVersion="1")
    layers = ElementTree.SubElement(ElementTree.SubElement(root, "Scene"), "Layers")
    layer = ElementTree.SubElement(layers, "Layer", name=rig.name, uuid=_identity(rig, "layer"))
    children = ElementTree.SubElement(layer, "ChildList")
    for number, lamp in enumerate(rig.fixtures):
        _fixture(children, rig, number + 1, lamp)
    return root


def _identity(rig: Rig, name: str) -> str:
    return str(uuid.uuid5(SPACE, f"{rig.name}\n{name}")).upper()


def _fixture(parent: ElementTree.Element, rig: Rig, number: int, lamp: Fixture) -> None:
    node = ElementTree.SubElement(parent, "Fixture", name=lamp.name, uuid=_identity(rig, f"fixture {lamp.name}"))
    kind = "@".join(re.sub(r"[^A-Za-z0-9 _-]+", " ", part).strip() or "Generic" for part in (lamp.profile.manufacturer, lamp.profile.name))
    texts = {"Matrix": matrix_text(lamp), "GDTFSpec": f"{kind}.gdtf", "GDTFMode": lamp.profile.mode}
    for tag, text in {**texts, "FixtureID": str(number), "UnitNumber": str(number)}.items():
        ElementTree.SubElement(node, tag).text = text
    address = ElementTree.SubElement(ElementTree.SubElement(node, "Addresses"), "Address")
    address.set("break", "0")
    address.text = str((lamp.universe - 1) * UNIVERSE + lamp.address)


def matrix_text(lamp: Fixture) -> str:
    """Images of a lamp's own axes and its place in mm, as MVR writes them: {u}{v}{w}{o}."""
    axes = TO_MVR @ rig_aim.base_rotation(lamp.rotation_deg) @ TO_MVR.T if lamp.profile.moves else _turned_to_focus(lamp)
    rows = [*axes.T, 1000 * (TO_MVR @ np.array(lamp.position_m))]
    return "".join("{" + ",".join(f"{round(float(part), 6) + 0.0:.6f}" for part in row) + "}" for row in rows)


def _turned_to_focus(lamp: Fixture) -> np.ndarray:
    """Axes (3, 3), in columns, of a lamp whose -Z looks at its focus and whose X is level; straight down where both are one point."""
    forward = TO_MVR @ (np.array(lamp.focus_m) - np.array(lamp.position_m))
    up = -forward / np.linalg.norm(forward) if np.linalg.norm(forward) > 1e-6 else np.array([0.0, 0.0, 1.0])
    # Level and square to the beam; any level direction where the beam is plumb.
    across = np.cross([0.0, 0.0, 1.0], up)
    across = -across / np.linalg.norm(across) if np.linalg.norm(across) > 1e-6 else np.array([1.0, 0.0, 0.0])
    return np.stack([across, np.cross(up, across), up], axis=1)
