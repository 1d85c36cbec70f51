"""Movement that goes to and fro within a window of counts: steps to the side and back, hips, twists, bounces, the basic step of salsa.

Swings are counted between turning points, in metres and radians, in the frame of the dancer's mean heading in the window.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from choreia.data.observe import SIDES, Body


class Window:
    """Frames [start, stop) of a body in the frame of its mean heading there: places are left, up and ahead in metres."""

    def __init__(self, body: Body, start: int, stop: int) -> None:
        self.body, self.frames = body, slice(start, stop)
        self.heading = body.heading[start:stop]

    def at(self, joint: str) -> np.ndarray:
        """Places of a joint, (n, 3) m."""
        sine, cosine = np.sin(self.heading.mean()), np.cos(self.heading.mean())
        x, y, z = self.body.at(joint)[self.frames].T
        return np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=1)

    @cached_property
    def footfalls(self) -> int:
        """How often a foot comes to stand."""
        return int((np.diff(self.body.planted[self.frames].astype(int), axis=0) > 0).sum())

    @cached_property
    def on_the_spot(self) -> bool:
        """Whether neither ankle strays as much as 0.15 m."""
        return all(np.ptp(self.at(f"{side}_ankle")[:, k]) < 0.15 for side in SIDES for k in (0, 2))

    @cached_property
    def turned_rad(self) -> float:
        """How far the heading ranges."""
        return float(np.ptp(self.heading))


def swings(values: np.ndarray, least: float) -> int:
    """How often (n,) values go up or down by `least` or more between turning points that are as far apart."""
    count, way, low, high = 0, 0, values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
        if way >= 0 and high - value >= least:
            count, way, low, high = count + 1, -1, value, value
        elif way <= 0 and value - low >= least:
            count, way, low, high = count + 1, 1, value, value
    return count


def steps_touch(window: Window) -> bool:
    """The pelvis goes 0.25 m to the side and back, the feet with it, hardly ahead, facing one way."""
    pelvis = window.at("pelvis")
    feet = min(np.ptp(window.at(f"{side}_ankle")[:, 0]) for side in SIDES)
    to_and_fro = swings(pelvis[:, 0], 0.25) >= 2 and abs(pelvis[-1, 0] - pelvis[0, 0]) < 0.5 * np.ptp(pelvis[:, 0])
    facing = window.turned_rad < 0.7 and np.ptp(pelvis[:, 2]) < 0.5 * np.ptp(pelvis[:, 0])
    return bool(to_and_fro and facing and feet > 0.25 and window.footfalls >= 2)


def rocks(window: Window) -> bool:
    """The pelvis goes 0.15 m ahead and back over two steps or more, less to the side, facing one way."""
    pelvis = window.at("pelvis")
    ahead, aside = np.ptp(pelvis[:, 2]), np.ptp(pelvis[:, 0])
    back = abs(pelvis[-1, 2] - pelvis[0, 2]) < 0.6 * ahead
    return bool(swings(pelvis[:, 2], 0.15) >= 2 and aside < ahead and back and window.footfalls >= 2 and window.turned_rad < 1)


def sways_hips(window: Window) -> bool:
    """The pelvis goes 0.07 m one way and the other, three times or more, under a chest that moves less, over feet that stay."""
    pelvis, chest = window.at("pelvis")[:, 0], window.at("spine3")[:, 0]
    under = np.ptp(chest) < np.ptp(pelvis) and swings(pelvis - chest, 0.07) >= 3
    return bool(under and window.on_the_spot and window.turned_rad < 0.9)


def twists(window: Window) -> bool:
    """The hips turn 0.4 rad one way and the other, three times or more, over feet that stay."""
    return window.on_the_spot and swings(window.heading, 0.4) >= 3


def bounces(window: Window) -> bool:
    """The pelvis goes down and up by 0.03 m three times or more over feet that stay."""
    return window.on_the_spot and window.turned_rad < 0.7 and swings(window.at("pelvis")[:, 1], 0.03) >= 6


def rhythm(window: Window, style: str | None) -> str:
    """What goes to and fro in the window, in plain words; "" when nothing does. `style`, the lexicon's, allows the salsa basic."""
    if style == "salsa" and rocks(window):
        return "salsa basic"
    seen = ((twists, "twist"), (steps_touch, "step touch"), (sways_hips, "hip sways"), (bounces, "body bounce"))
    return next((name for holds, name in seen if holds(window)), "")
