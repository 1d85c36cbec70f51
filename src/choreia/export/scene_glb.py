"""Lamps in glTF: KHR_lights_punctual, their intensity and colour through KHR_animation_pointer (Khronos, glTF 2.0 extensions)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pygltflib

from choreia import clock
from choreia.export.scene import SceneLamp
from choreia.motion.io import glb
from choreia.types import Motion

LIGHTS, POINTER = "KHR_lights_punctual", "KHR_animation_pointer"
_SOFT = 0.7  # inner cone over outer


def write(path: str | os.PathLike[str], motion: Motion, lamps: Sequence[SceneLamp], fps: float) -> None:
    """A scene of the dancer and its lamps, whose rows are `fps` Hz; raises as `glb.write`."""
    blob = glb.animated(motion)
    document = blob.document
    times = blob.add(clock.frame_times(len(lamps[0].level), fps).astype(np.float32), pygltflib.SCALAR, bounds=True)
    lights = []
    for number, lamp in enumerate(lamps):
        node = pygltflib.Node(name=lamp.name, translation=lamp.place.tolist(), rotation=glb.to_xyzw(lamp.turn[0]).tolist())
        node.extensions = {LIGHTS: {"light": number}}
        document.nodes.append(node)
        document.scenes[0].nodes.append(len(document.nodes) - 1)
        lights.append(_light(lamp))
        _animate(blob, times, lamp, number)
    document.extensions = {LIGHTS: {"lights": lights}}
    document.extensionsUsed = [LIGHTS, POINTER]
    glb.save(path, blob)


def _light(lamp: SceneLamp) -> dict[str, object]:
    """The lamp at rest: its mean light."""
    weight = lamp.level + 1e-6
    mean = (lamp.colour * weight[:, None]).sum(axis=0) / weight.sum()
    cone = {"innerConeAngle": _SOFT * lamp.half_rad, "outerConeAngle": lamp.half_rad}
    intensity = lamp.candela * float(lamp.level.mean())
    return {"name": lamp.name, "type": "spot", "color": [min(float(part), 1.0) for part in mean], "intensity": intensity, "spot": cone}


def _animate(blob: glb.Blob, times: int, lamp: SceneLamp, number: int) -> None:
    """Channels for what changes of a lamp, the node last in the document."""
    node, pointer = len(blob.document.nodes) - 1, f"/extensions/{LIGHTS}/lights/{number}"
    intensity = (lamp.candela * lamp.level).astype(np.float32)
    if np.ptp(intensity) > 0:
        _channel(blob, times, blob.add(intensity, pygltflib.SCALAR), _pointed(f"{pointer}/intensity"))
    if np.ptp(lamp.colour, axis=0).any():
        colour = np.clip(lamp.colour, 0, 1).astype(np.float32)
        _channel(blob, times, blob.add(colour, pygltflib.VEC3), _pointed(f"{pointer}/color"))
    if np.ptp(lamp.turn, axis=0).any():
        turn = glb.to_xyzw(lamp.turn).astype(np.float32)
        _channel(blob, times, blob.add(turn, pygltflib.VEC4), pygltflib.AnimationChannelTarget(node=node, path="rotation"))


def _pointed(pointer: str) -> pygltflib.AnimationChannelTarget:
    return pygltflib.AnimationChannelTarget(path="pointer", extensions={POINTER: {"pointer": pointer}})


def _channel(blob: glb.Blob, times: int, values: int, target: pygltflib.AnimationChannelTarget) -> None:
    animation = blob.document.animations[0]
    animation.samplers.append(pygltflib.AnimationSampler(input=times, output=values, interpolation="LINEAR"))
    animation.channels.append(pygltflib.AnimationChannel(sampler=len(animation.samplers) - 1, target=target))
