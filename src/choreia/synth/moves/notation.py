"""How a figure of a dance is written down: what feet, hands and body do on which count.

Counts are a dancer's: 1 is the first beat, 1.5 its "and". A key says where a part *arrives* on its count; it sets out before.
Space is the dancer's own at the start of the figure: x to the left, z ahead, metres; yaw turns left; angles in radians.
The score names left and right as written; `mirrored` gives the other side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

from choreia.synth.moves.poses import HANDS

HOME_M = 0.13
"""Half the distance between the ankles in the neutral stance."""

BODY = (
    "sway",
    "surge",
    "dip",
    "hip_yaw",
    "hip_roll",
    "hip_pitch",
    "bend",
    "side",
    "twist",
    "chest",
    "ribs",
    "nod",
    "look",
    "tilt",
    "shrug_left",
    "shrug_right",
    "knees",
    "turn",
)
"""Body channels, zero at ease. sway, surge: pelvis off its support to the left, ahead; dip: down (m). hip_*: pelvis (roll: left hip up).
bend, side, twist: spine ahead, to the left, turned left; chest: popped out; ribs: chest slid to the left over still hips.
nod, look, tilt: head down, to the left, leaning left. shrug_*: shoulders up. knees: turned out. turn: heading since the start."""

_FLIPPED = {"sway", "hip_yaw", "hip_roll", "side", "twist", "ribs", "look", "tilt", "turn"}
_OTHER = {"L": "R", "R": "L", "shrug_left": "shrug_right", "shrug_right": "shrug_left"}


@dataclass(frozen=True)
class Foot:
    """A foot arrives: ankle at (x, z), sole turned by `yaw`, `height` above the floor, `pitch` heel up (negative: toes up).

    `weight` is the share of the body that it carries on arrival; the way takes the last `takes` counts and rises by `arc` metres.
    A `pivot` stays on the ball of the foot where it is and only turns and pitches.
    """

    count: float
    side: str
    x: float
    z: float
    yaw: float = 0.0
    height: float = 0.0
    pitch: float = 0.0
    weight: float = 0.75
    arc: float = 0.07
    takes: float = 0.6
    pivot: bool = False


@dataclass(frozen=True)
class Hand:
    """A hand arrives at `place`: wrist from its shoulder (out, up, ahead) m, elbow lowered (rad), wrist flexed (rad).

    `roll` turns forearm and hand about the forearm (rad): 0 flexes the wrist ahead, a quarter turn upwards, its negative downwards.
    """

    count: float
    side: str
    place: tuple[float, float, float, float, float]
    roll: float = 0.0


@dataclass(frozen=True)
class Body:
    """One body channel arrives at a value."""

    count: float
    channel: str
    value: float


Key = Foot | Hand | Body


@dataclass(frozen=True)
class Figure:
    """A named move of `counts` counts. Feet end at home, moved by `travel` (x, z) m and turned by `turn` rad.

    `attack` is how many counts before its key a part sets out; None leaves it to the style. Hands without keys are the style's.
    """

    name: str
    counts: int
    text: str
    keys: tuple[Key, ...]
    travel: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    attack: float | None = None
    bounce: float = 1.0

    def mirrored(self) -> Figure:
        """The same on the other side."""
        return replace(self, keys=tuple(map(_mirror, self.keys)), travel=(-self.travel[0], self.travel[1]), turn=-self.turn)


def figure(
    name: str,
    counts: int,
    text: str,
    *parts: Iterable[Key] | Key,
    travel: tuple[float, float] = (0.0, 0.0),
    turn: float = 0.0,
    attack: float | None = None,
    bounce: float = 1.0,
) -> Figure:
    """Write a figure from keys and groups of keys."""
    keys = tuple(chain.from_iterable((part,) if isinstance(part, Key) else part for part in parts))
    return Figure(name, counts, text, keys, travel, turn, attack, bounce)


def step(side: str, count: float, x: float, z: float = 0.0, yaw: float = 0.0, **how: float) -> Foot:
    """A step that takes the weight."""
    return Foot(count, side, x, z, yaw, **how)  # type: ignore[arg-type]


def home(side: str, count: float, x: float = 0.0, z: float = 0.0, yaw: float = 0.0, weight: float = 0.5, **how: float) -> Foot:
    """Back into the stance, whose middle lies at (x, z)."""
    return Foot(count, side, x + (HOME_M if side == "L" else -HOME_M), z, yaw, weight=weight, **how)  # type: ignore[arg-type]


def touch(side: str, count: float, x: float, z: float = 0.0, yaw: float = 0.0, pitch: float = 0.55, **how: float) -> Foot:
    """The ball of the foot touches; the weight stays on the other."""
    return Foot(count, side, x, z, yaw, pitch=pitch, **({"weight": 0.15} | how))  # type: ignore[arg-type]


def heel(side: str, count: float, x: float, z: float = 0.2, yaw: float = 0.0, pitch: float = -0.45) -> Foot:
    """The heel digs in, toes up; the weight stays on the other."""
    return Foot(count, side, x, z, yaw, pitch=pitch, weight=0.1)


def kick(side: str, count: float, x: float, z: float, height: float, pitch: float = 0.3, takes: float = 0.6, yaw: float = 0.0) -> Foot:
    """The foot is in the air on the count."""
    return Foot(count, side, x, z, yaw, height=height, pitch=pitch, weight=0.0, arc=0.0, takes=takes)


def pivot(side: str, count: float, yaw: float, pitch: float = 0.0, weight: float = 0.7, takes: float = 0.7) -> Foot:
    """Turn on the ball of the foot where it stands."""
    return Foot(count, side, 0.0, 0.0, yaw, pitch=pitch, weight=weight, arc=0.0, takes=takes, pivot=True)


def hands(count: float, left: str | None = None, right: str | None = None, both: str | None = None, roll: float = 0.0) -> tuple[Hand, ...]:
    """Hands arrive at poses named in `poses.HANDS`, forearms rolled by `roll`."""
    named = (("L", both or left), ("R", both or right))
    return tuple(Hand(count, side, HANDS[name], roll) for side, name in named if name is not None)


def body(count: float, **values: float) -> tuple[Body, ...]:
    """Body channels arrive at values."""
    return tuple(Body(count, channel, value) for channel, value in values.items())


def beats(counts: Iterable[float], **cycle: tuple[float, ...]) -> tuple[Body, ...]:
    """Body channels that run through a cycle of values, one a count."""
    return tuple(Body(c, channel, values[i % len(values)]) for channel, values in cycle.items() for i, c in enumerate(counts))


def _mirror(key: Key) -> Key:
    if isinstance(key, Foot):
        return replace(key, side=_OTHER[key.side], x=-key.x, yaw=-key.yaw)
    if isinstance(key, Hand):
        return replace(key, side=_OTHER[key.side])
    sign = -1.0 if key.channel in _FLIPPED else 1.0
    return replace(key, channel=_OTHER.get(key.channel, key.channel), value=sign * key.value)
