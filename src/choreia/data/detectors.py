"""Moves that can be seen for sure in 24 joints, each by a few physical thresholds: metres, radians, seconds.

A detector takes a `Body` and yields what it saw and when. It names a move as a person would; the lexicon makes a term of the name.
docs/decoupling.md says how far each can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from choreia.data.observe import RATE_HZ, SIDES, Body, runs, sliding
from choreia.motion.skeleton import ANKLE_HEIGHT_M, STANDING_HEIGHT_M

LEG_M = 0.82
"""Hip to ankle with a straight knee."""


@dataclass(frozen=True)
class Sighting:
    """A move from `start_s` to `end_s`: its `name` in plain words and the way it goes ("to the left"), empty where it has none."""

    start_s: float
    end_s: float
    name: str
    way: str = ""


def _seen(start: int, stop: int, name: str, way: str = "") -> Sighting:
    return Sighting(max(start, 0) / RATE_HZ, stop / RATE_HZ, name, way)


def turns(body: Body) -> Iterator[Sighting]:
    """Turns at 1.5 rad/s and more about a point within 0.4 m: 270 degrees and more are a spin, 135 a half turn.

    A spin with one foot lifted 0.15 m for a third of the time, the other never off the floor, is a pirouette.
    """
    rate = gradient(body.heading)
    for way, sign in (("to the left", 1), ("to the right", -1)):
        for start, stop in runs((sign * rate > 1.5) & (body.upright > 0.6), gap_s=0.2):
            angle = abs(body.heading[stop - 1] - body.heading[start])
            path = np.linalg.norm(np.diff(body.at("pelvis")[start:stop, [0, 2]], axis=0), axis=1).sum()
            if angle > 0.75 * np.pi and path / angle < 0.4:
                lower, upper = np.sort(body.clearance[start:stop], axis=1).T
                whole = "pirouette" if (upper > 0.15).mean() > 0.33 and lower.max() < 0.06 else "spin"
                yield _seen(start, stop, whole if angle > 1.5 * np.pi else "half turn", way)


def gradient(values: np.ndarray) -> np.ndarray:
    """Rate of change of (T,) values, a second."""
    return np.gradient(values) * RATE_HZ if len(values) > 1 else np.zeros(len(values))


def jumps(body: Body) -> Iterator[Sighting]:
    """Both feet 4 cm off the floor for 0.17 s while the body falls freely: a jump; from and to one foot a hop, legs 0.8 m apart a leap.

    The body falls freely when the waist's median acceleration is below -5 m/s^2. Who moves on at 1.8 m/s is running.
    """
    fall = gradient(gradient(body.at("spine1")[:, 1]))
    pace = np.linalg.norm(body.travel, axis=1)
    for start, stop in runs(body.clearance.min(axis=1) > 0.04, shortest_s=0.17):
        inside = body.upright[start:stop].min() > 0.5 and start > 3 and stop < len(body) - 3
        if inside and np.median(fall[start:stop]) < -5:
            spread = np.linalg.norm(body.at("left_ankle") - body.at("right_ankle"), axis=1)[start:stop].max()
            both = _from_both(body, start, stop)
            if spread > 0.8 and not both:
                yield _seen(start - 4, stop + 4, "leap")
            elif pace[start:stop].mean() < 1.8:
                yield _seen(start - 4, stop + 4, "jump" if both else "hop")


def _from_both(body: Body, start: int, stop: int) -> bool:
    """Whether both feet leave the floor, or come back to it, within a tenth of a second."""
    before, after = body.clearance[max(0, start - 3)], body.clearance[min(len(body) - 1, stop + 2)]
    return bool(before.max() < 0.05 and after.max() < 0.05)


def runs_along(body: Body) -> Iterator[Sighting]:
    """Running: ahead at 2 m/s or more for 0.6 s."""
    return (_seen(start, stop, "run") for start, stop in runs(body.travel[:, 1] > 2.0, 0.6, 0.2))


def kicks(body: Body) -> Iterator[Sighting]:
    """A leg thrown ahead at 2 m/s, up for less than a second, 32 degrees or more from the vertical; 65 degrees: a high kick."""
    for side in SIDES:
        leg, length, angle = leg_of(body, side)
        ahead = (leg[:, 2] > np.abs(leg[:, 0])) & (body.upright > 0.7) & (body.travel[:, 1] < 1.8)
        up = (body.at(f"{side}_ankle")[:, 1] - ANKLE_HEIGHT_M > 0.25) & (angle > np.radians(32)) & (length > 0.8 * LEG_M)
        thrown = sliding(body.speed_about(f"{side}_ankle"), 0.5, 100) > 2.0
        for start, stop in runs(up & ahead, gap_s=0.1):
            if stop - start < RATE_HZ and thrown[start:stop].all():
                yield _seen(start - 4, stop + 4, "high kick" if angle[start:stop].max() > np.radians(65) else "kick")


def leg_of(body: Body, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hip to ankle in the dancer's frame (T, 3) m, its length (T,) m and its angle from hanging down (T,) rad."""
    leg = body.own(f"{side}_ankle") - body.own(f"{side}_hip")
    length = np.maximum(np.linalg.norm(leg, axis=1), 1e-6)
    return leg, length, np.arccos(np.clip(-leg[:, 1] / length, -1, 1))


def balances(body: Body) -> Iterator[Sighting]:
    """One foot on the floor, the other 0.25 m up: on a long leg behind or aside for 0.5 s an arabesque, at the knee for 1 s a passé."""
    for k, side in enumerate(SIDES):
        leg, length, angle = leg_of(body, side)
        up = (body.clearance[:, k] > 0.25) & (body.clearance[:, 1 - k] < 0.05) & (body.speed("pelvis") < 0.6)
        long = (length > 0.85 * LEG_M) & (angle > np.radians(45)) & (leg[:, 2] < np.abs(leg[:, 0]))
        yield from (_seen(start, stop, "arabesque") for start, stop in runs(up & long, 0.5, 0.1))
        held = up & ~long & (body.speed(f"{side}_ankle") < 0.6) & (body.at("pelvis")[:, 1] > 0.8 * STANDING_HEIGHT_M)
        yield from (_seen(start, stop, "passé") for start, stop in runs(held, 1.0, 0.1))


def lunges(body: Body) -> Iterator[Sighting]:
    """Feet 0.8 m apart, the pelvis under 0.78 of its standing height, one knee bent under 115 degrees, the other over 140, for 0.3 s."""
    left, right = (knee_angle(body, side) for side in SIDES)
    apart = np.linalg.norm((body.at("left_ankle") - body.at("right_ankle"))[:, [0, 2]], axis=1) > 0.8
    bent = (np.minimum(left, right) < np.radians(115)) & (np.maximum(left, right) > np.radians(140))
    down = (body.at("pelvis")[:, 1] < 0.78 * STANDING_HEIGHT_M) & (body.clearance.max(axis=1) < 0.1) & (body.upright > 0.5)
    return (_seen(start, stop, "lunge") for start, stop in runs(apart & bent & down, 0.3, 0.1))


def knee_angle(body: Body, side: str) -> np.ndarray:
    """Inner angle of a knee, (T,) rad: pi when straight."""
    thigh, shin = (body.at(f"{side}_{joint}") - body.at(f"{side}_knee") for joint in ("hip", "ankle"))
    cosine = (thigh * shin).sum(axis=1) / np.maximum(np.linalg.norm(thigh, axis=1) * np.linalg.norm(shin, axis=1), 1e-9)
    return np.arccos(np.clip(cosine, -1, 1))


def crouches(body: Body) -> Iterator[Sighting]:
    """The pelvis under 0.6 of its standing height over two knees bent under 110 degrees, for 0.6 s; a hand at the floor: floor work.

    Whoever sits has the trunk behind the feet; a crouch has it within 0.25 m of the place between them.
    """
    hand = np.minimum(body.at("left_hand")[:, 1], body.at("right_hand")[:, 1])
    knees = np.maximum(*(knee_angle(body, side) for side in SIDES)) < np.radians(110)
    lean = (body.at("pelvis") + body.at("neck") - body.at("left_foot") - body.at("right_foot")) / 2
    over = np.linalg.norm(lean[:, [0, 2]], axis=1) < 0.25
    for start, stop in runs((body.at("pelvis")[:, 1] < 0.6 * STANDING_HEIGHT_M) & (body.upright > -0.2) & knees & over, 0.6, 0.2):
        yield _seen(start, stop, "floorwork" if hand[start:stop].min() < 0.12 else "crouch")


def arms_up(body: Body) -> Iterator[Sighting]:
    """Both wrists above the head for 0.5 s."""
    wrist = np.minimum(body.at("left_wrist")[:, 1], body.at("right_wrist")[:, 1])
    return (_seen(start, stop, "arms up") for start, stop in runs((wrist > body.at("head")[:, 1] + 0.05) & (body.upright > 0.7), 0.5, 0.15))


def arms_wide(body: Body) -> Iterator[Sighting]:
    """Both wrists 0.5 m to the side of the neck and within 0.3 m of the shoulders' height, for 0.7 s."""
    sides = [np.abs((body.own(f"{side}_wrist") - body.own("neck"))[:, 0]) for side in SIDES]
    heights = [np.abs((body.at(f"{side}_wrist") - body.at(f"{side}_shoulder"))[:, 1]) for side in SIDES]
    wide = (np.minimum(*sides) > 0.5) & (np.maximum(*heights) < 0.3) & (body.upright > 0.7)
    return (_seen(start, stop, "arms wide") for start, stop in runs(wide, 0.7, 0.1))


def freezes(body: Body) -> Iterator[Sighting]:
    """No joint above 0.25 m/s, and a mean under 0.1 m/s, for 0.5 s, after and before movement of 0.5 m/s."""
    quick = np.stack([body.speed(f"{side}_{joint}") for side in SIDES for joint in ("wrist", "ankle")]).max(axis=0)
    moving = sliding(body.mean_speed, 1.5, 90) > 0.5
    for start, stop in runs((quick < 0.25) & (body.mean_speed < 0.1), 0.5, 0.1):
        if start > 0 and stop < len(body) and moving[start] and moving[stop - 1] and stop - start < 4 * RATE_HZ:
            yield _seen(start, stop, "freeze")


def walks(body: Body) -> Iterator[Sighting]:
    """Steps that cover ground one way in the dancer's frame at 0.45 to 1.9 m/s for 1.2 s, a foot always on the floor."""
    smooth = np.stack([sliding(body.travel[:, k], 0.6, 50) for k in (0, 1)], axis=1)
    grounded = sliding(body.clearance.min(axis=1), 0.5, 90) < 0.06
    pace = np.linalg.norm(smooth, axis=1)
    ways = (("forward", smooth[:, 1]), ("backward", -smooth[:, 1]), ("to the left", smooth[:, 0]), ("to the right", -smooth[:, 0]))
    for way, along in ways:
        for start, stop in runs((along > 0.45) & (pace < 1.9) & (along > 0.85 * pace) & grounded, 1.0, 0.1):
            if footfalls(body, start, stop) >= 2:
                yield _seen(start, stop, "walk", way)


def footfalls(body: Body, start: int, stop: int) -> int:
    """How often a foot comes to stand between two frames."""
    return int((np.diff(body.planted[start:stop].astype(int), axis=0) > 0).sum())


DETECTORS: tuple[Callable[[Body], Iterator[Sighting]], ...] = (
    *(crouches, turns, jumps, kicks, lunges, balances, freezes),
    *(arms_up, walks, runs_along, arms_wide),
)
"""All detectors; of two that fire in one window the earlier is believed."""

HELD = frozenset(("crouch", "floorwork", "arms up", "walk", "run", "arms wide"))
"""What has to fill much of a window to name it; all else has to happen in it."""


def sightings(body: Body) -> list[Sighting]:
    """What all detectors see, in their order."""
    return [sighting for detect in DETECTORS for sighting in detect(body)]
