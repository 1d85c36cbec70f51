"""A lit dance as a scene of other programs: the animated dancer and every lamp of the rig with its light through time.

A lamp stands where the rig has it. Moving heads turn as the rig's poses say, so a follow-spot looks at the dancer as fast as it can.
Level 1 gives `FOCUS_LUX` at a lamp's focus, which is what viewers with no exposure show well; a strobe's dark halves are dark.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch

from choreia.motion import rotations
from choreia.render import stage_air, stage_house
from choreia.render.stage_light import shutter_open
from choreia.stage import rig_aim, rig_dmx
from choreia.stage.output.show import Show
from choreia.stage.rig import Fixture
from choreia.stage.style import TARGETS_M
from choreia.types import ZONES, Motion

FOCUS_LUX = 2.0
_FLOOD_RAD = 0.7


@dataclass(frozen=True)
class SceneLamp:
    """A lamp through T rows: place (3,) m; turn (T or 1, 4) wxyz, which takes -Z, where lamps of glTF and USD shine, to where it looks.

    level (T,) in [0, 1]; colour (T, 3) linear RGB whose largest part is 1, kept in the dark; candela: luminous intensity of white at
    level 1; half_rad: half the angle of its cone.
    """

    name: str
    place: np.ndarray
    turn: np.ndarray
    level: np.ndarray
    colour: np.ndarray
    candela: float
    half_rad: float


def lamps_of(show: Show) -> tuple[SceneLamp, ...]:
    """The lamps of a show's rig, one row for each of its stage's track."""
    light = rig_dmx.lamp_light(show.rig, show.stage.track) * shutter_open(show.stage)[None, :, None]
    return tuple(_lamp(show, fixture, rgb) for fixture, rgb in zip(show.rig.fixtures, light, strict=True))


def _lamp(show: Show, fixture: Fixture, rgb: np.ndarray) -> SceneLamp:
    place, level = np.array(fixture.position_m), rgb.max(axis=1)
    poses = show.dmx.poses.get(fixture.name)
    if poses is None:
        turn = _between(np.array([[0.0, 0.0, -1.0]]), (np.array(fixture.focus_m) - place)[None])
    else:
        turn = head_turn(fixture, poses)
    reach_m = float(np.linalg.norm(TARGETS_M[ZONES.index(fixture.zone)] - place))
    return SceneLamp(fixture.name, place, turn, level, rig_dmx.held_colour(rgb, level), FOCUS_LUX * reach_m**2, _half_rad(fixture.zone))


def head_turn(fixture: Fixture, poses: np.ndarray) -> np.ndarray:
    """Rotations (T, 4) wxyz from -Z to where a moving head looks at pan and tilt `poses` (T, 2) rad, about the head's own axes."""
    base = rotations.matrix_to_quaternion(torch.from_numpy(rig_aim.base_rotation(fixture.rotation_deg)))
    pan, half = torch.from_numpy(np.asarray(poses[:, 0], float)), torch.from_numpy(-(np.pi / 2 + np.asarray(poses[:, 1], float)) / 2)
    none = torch.zeros_like(half)
    tilted = torch.stack([torch.cos(half), torch.sin(half), none, none], dim=1)
    return rotations.continuous(rotations.multiply(base[None], rotations.multiply(rotations.yaw(pan), tilted))).numpy()


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    unit = b / np.maximum(np.linalg.norm(b, axis=1, keepdims=True), 1e-9)
    return rotations.between(torch.from_numpy(a), torch.from_numpy(unit)).numpy()


def _half_rad(zone: str) -> float:
    """Half the angle of a lamp's cone, as the toolkit's own pictures have it."""
    moving = {"beams": stage_air.BEAM_HALF_RAD, "spot": stage_air.SPOT_HALF_RAD, "backdrop": _FLOOD_RAD}
    return moving[zone] if zone in moving else float(np.deg2rad(stage_house.HALF_DEG[zone.split("_")[0]]))


def write_stage_glb(path: str | os.PathLike[str], motion: Motion, show: Show) -> None:
    """The dancer and the lamps as glTF 2.0 binary: spot lights of KHR_lights_punctual.

    Heads turn by ordinary node animation, which every reader plays. Intensity and colour are animated through KHR_animation_pointer
    (read by Babylon.js, newer Blenders, and three.js with a plug-in). The extension is not required: readers without it skip those
    channels and see every lamp at its mean intensity and mean colour, which is the average look and never the dark.

    Raises:
        ChoreiaError: a motion without frames, or a place that cannot be written.
    """
    from choreia.export import scene_glb

    scene_glb.write(path, motion, lamps_of(show), show.stage.fps)


def write_stage_usd(path: str | os.PathLike[str], motion: Motion, show: Show) -> None:
    """The dancer (UsdSkel) and the lamps (UsdLux sphere lights with a shaping cone) as USD text, for a .usda or .usd file.

    Intensity and colour are time samples at the track's rate, turns are quaternions.

    Raises:
        ChoreiaError: a motion without frames, or a place that cannot be written.
    """
    from choreia.export import scene_usd

    scene_usd.write(path, motion, lamps_of(show), show.stage.fps)
