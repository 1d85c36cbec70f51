"""Whether a body could take these poses: joint limits, limbs that pass through one another, and the floor.

Everything is read from positions. Turns of a bone about its own axis are therefore not seen, nor a hyperextended elbow (its hinge has
no sign without them). Ranges are normal ranges of motion after the American Academy of Orthopaedic Surgeons, "Joint motion: method of
measuring and recording" (1965), each widened by the slack in brackets, for dancers and for the rest pose of other skeletons:

    knee flexion 135 (+25), hyperextension 10 (+15); elbow flexion 150 (+10); ankle dorsiflexion 20 (+35: with the body's weight on it)
    hip flexion 120, extension 30, adduction 30 (+20 each); shoulder extension 60, elevation 180 (+20 each)
    back flexion 80 (+20), extension 30 (+45), to the side 35 (+25), rotation 45 (+25); neck 45 every way (+20)

A ball joint may point anywhere but into a cone around a direction out of reach: backward, up and inward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from choreia.metrics.base import JOINTS, Metric, validate_joints
from choreia.metrics.dancer import RATE_HZ, at_rate, body_size, corrected
from choreia.motion.contacts import REST_HEIGHTS_M, floor_of
from choreia.motion.skeleton import FEET

LIMITS_DEG: dict[str, tuple[float, float]] = {
    "knee": (-25, 160),
    "elbow": (0, 160),
    "ankle": (0, 121),
    "hip": (86, 180),
    "shoulder": (45, 180),
    "back forward": (-75, 100),
    "back sideways": (-60, 60),
    "back rotation": (-70, 70),
    "neck": (0, 65),
}
"""Least and greatest angle in degrees of what `angles` measures."""

_HIP_OUT_OF_REACH = (-1.0, 1.0, 1.0)  # forward, up, inward, in the pelvis: 86 degrees off at flexion 140, extension 50, adduction 50
_SHOULDER_OUT_OF_REACH = (-0.8, 0.4, 0.45)  # in the chest: 45 degrees off at extension 80, 50 at 20 beyond straight up
_HEAD_LEAN_DEG = 22  # of neck to head at rest, forward of the chest


@dataclass(frozen=True)
class _Capsule:
    """A limb: the way from joint `a` to joint `b`, of which the part from `start` to `end` counts, with a radius in metres at 1.72 m."""

    a: str
    b: str
    radius_m: float
    start: float = 0.0
    end: float = 1.0


_CORE = {
    "head": _Capsule("neck", "head", 0.085, 1.0, 1.8),
    "trunk": _Capsule("pelvis", "spine3", 0.09),
    "chest": _Capsule("left_collar", "right_collar", 0.06, -0.2, 1.2),
}
_ARM = {
    "upper arm": _Capsule("shoulder", "elbow", 0.035, start=0.5),
    "forearm": _Capsule("elbow", "wrist", 0.032),
    "hand": _Capsule("wrist", "hand", 0.02),
}
_LEG = {
    "thigh": _Capsule("hip", "knee", 0.055, start=0.4),
    "shank": _Capsule("knee", "ankle", 0.042),
    "foot": _Capsule("ankle", "foot", 0.03),
}
_DEEP_M = 0.02  # flesh gives way this far
_SUNK_M = 0.01
_JUMP_S = 0.8  # longest flight of a jump, 0.78 m high
_OFF_FLOOR_M = 0.05


def joint_limit_share(joints: np.ndarray, fps: float) -> float:
    """Share of frames in which any joint is beyond `LIMITS_DEG`."""
    return float((excess(joints, fps) > 0).any(axis=1).mean())


def joint_limit_excess(joints: np.ndarray, fps: float) -> float:
    """Degrees beyond `LIMITS_DEG`, summed over joints, mean over frames."""
    return float(excess(joints, fps).sum(axis=1).mean())


def excess(joints: np.ndarray, fps: float) -> np.ndarray:
    """Degrees beyond `LIMITS_DEG` of every angle of `angles`, (T, 14), 0 within."""
    measured = angles(joints, fps)
    names = [name.removeprefix("left ").removeprefix("right ") for name in measured]
    low, high = np.array([LIMITS_DEG[name] for name in names]).T
    values = np.stack(list(measured.values()), axis=1)
    return np.maximum(0, np.maximum(low - values, values - high))


def angles(joints: np.ndarray, fps: float) -> dict[str, np.ndarray]:
    """Joint angles in degrees, (T,) each, by the names of `LIMITS_DEG`, those of limbs with their side."""
    places = validate_joints(joints, fps)
    of = {name: places[:, k] for k, name in enumerate(JOINTS)}
    pelvis = _frame(of["left_hip"] - of["right_hip"], of["spine1"] - (of["left_hip"] + of["right_hip"]) / 2)
    chest = _frame(of["left_collar"] - of["right_collar"], of["neck"] - of["spine3"])
    found = _spine(of, pelvis, chest)
    for side, outward in (("left", 1), ("right", -1)):
        found |= {f"{side} {name}": angle for name, angle in _limbs(of, side, outward, pelvis, chest).items()}
    return found


def collision_share(joints: np.ndarray, fps: float) -> float:
    """Share of frames in which two limbs, or a limb and the trunk or head, pass over 2 cm into one another."""
    return float((collision_depth(joints, fps) > _DEEP_M).mean())


def mean_collision(joints: np.ndarray, fps: float) -> float:
    """Depth in metres of the deepest collision of each frame, 0 without one, mean over frames."""
    return float(np.maximum(collision_depth(joints, fps), 0).mean())


def collision_depth(joints: np.ndarray, fps: float) -> np.ndarray:
    """Depth (T,) m of the deepest overlap of capsules that are no neighbours; negative: the gap.

    Capsules grow with the body (`body_size`). The trunk's is its core, so that an arm along the flank touches nothing.
    """
    places = validate_joints(joints, fps)
    capsules, pairs = _capsules()
    names = list(capsules)
    a, b = (places[:, [JOINTS.index(name) for name in ends]] for ends in zip(*((c.a, c.b) for c in capsules.values()), strict=True))
    start, end = (np.array([getattr(c, which) for c in capsules.values()])[:, None] for which in ("start", "end"))
    heads, tails = a + start * (b - a), a + end * (b - a)
    radius = np.array([c.radius_m for c in capsules.values()]) * body_size(places)
    first, second = np.array([(names.index(x), names.index(y)) for x, y in pairs]).T
    gap = _segment_distance(heads[:, first], tails[:, first], heads[:, second], tails[:, second])
    return (radius[first] + radius[second] - gap).max(axis=1)


def sunk_depth(joints: np.ndarray, fps: float, floor_m: float | None = None) -> float:
    """Mean over frames of how far the deepest joint is under the floor, metres; `floor_m` None takes the floor from the take."""
    return float(np.maximum(-_clearance(joints, fps, floor_m), 0).mean())


def sunk_share(joints: np.ndarray, fps: float, floor_m: float | None = None) -> float:
    """Share of frames in which a joint is over 1 cm under the floor."""
    return float((_clearance(joints, fps, floor_m) < -_SUNK_M).mean())


def floating_share(joints: np.ndarray, fps: float, floor_m: float | None = None) -> float:
    """Share of the time spent over 5 cm off the floor in flights longer than 0.8 s: nobody jumps that long."""
    flights, count = ndimage.label(_clearance(at_rate(validate_joints(joints, fps), fps), RATE_HZ, floor_m) > _OFF_FLOOR_M)
    lengths = np.bincount(flights, minlength=count + 1)[1:]
    return float(lengths[lengths > _JUMP_S * RATE_HZ].sum() / len(flights))


def sunk_depth_at_zero(joints: np.ndarray, fps: float) -> float:
    """`sunk_depth` under y = 0."""
    return sunk_depth(joints, fps, 0.0)


def floating_share_at_zero(joints: np.ndarray, fps: float) -> float:
    """`floating_share` above y = 0."""
    return floating_share(joints, fps, 0.0)


def _clearance(joints: np.ndarray, fps: float, floor_m: float | None) -> np.ndarray:
    """Height (T,) m of the lowest joint above the floor, the joints of the feet less what they measure on a flat foot."""
    places = validate_joints(joints, fps)
    feet = [JOINTS.index(name) for name in FEET]
    height = places[..., 1].copy()
    height[:, feet] -= REST_HEIGHTS_M
    return height.min(axis=1) - (floor_of(places[:, feet]) if floor_m is None else floor_m)


def _spine(of: dict[str, np.ndarray], pelvis: np.ndarray, chest: np.ndarray) -> dict[str, np.ndarray]:
    up, left = _in(pelvis, chest[:, 1]), _in(pelvis, chest[:, 2])
    lean = np.radians(_HEAD_LEAN_DEG)
    return {
        "back forward": np.degrees(np.arctan2(up[:, 0], up[:, 1])),
        "back sideways": np.degrees(np.arcsin(np.clip(up[:, 2], -1, 1))),
        "back rotation": np.degrees(np.arctan2(left[:, 0], left[:, 2])),
        "neck": _angle(of["head"] - of["neck"], chest[:, 0] * np.sin(lean) + chest[:, 1] * np.cos(lean)),
    }


def _limbs(of: dict[str, np.ndarray], side: str, outward: int, pelvis: np.ndarray, chest: np.ndarray) -> dict[str, np.ndarray]:
    bone = {
        name: of[f"{side}_{b}"] - of[f"{side}_{a}"]
        for name, a, b in (("thigh", "hip", "knee"), ("shank", "knee", "ankle"), ("foot", "ankle", "foot"),
                           ("upper", "shoulder", "elbow"), ("fore", "elbow", "wrist"))
    }  # fmt: skip
    mirror = np.array([1, 1, -outward])
    return {
        "knee": _knee(bone["thigh"], bone["shank"], bone["foot"]),
        "elbow": _angle(bone["upper"], bone["fore"]),
        "ankle": _angle(bone["shank"], bone["foot"]),
        "hip": _angle(_in(pelvis, bone["thigh"]), mirror * _HIP_OUT_OF_REACH),
        "shoulder": _angle(_in(chest, bone["upper"]), mirror * _SHOULDER_OUT_OF_REACH),
    }


def _knee(thigh: np.ndarray, shank: np.ndarray, foot: np.ndarray) -> np.ndarray:
    """Flexion (T,) degrees, negative when the shank bends towards the toes."""
    toes = foot - (foot * _unit(shank)).sum(axis=-1, keepdims=True) * _unit(shank)
    flexion = _angle(thigh, shank)
    return np.where(((thigh * toes).sum(axis=-1) < 0) & (flexion < 90), -flexion, flexion)


def _frame(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Axes forward, up, left of a body part as rows, (T, 3, 3); left is kept, up is made square to it."""
    forward = _unit(np.cross(left, up))
    return np.stack([forward, _unit(np.cross(forward, left)), _unit(left)], axis=1)


def _in(axes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """World vectors (T, 3) as components along a frame's axes."""
    return np.einsum("tij,tj->ti", axes, vectors)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle in degrees between vectors (..., 3)."""
    return np.degrees(np.arccos(np.clip((_unit(a) * _unit(b)).sum(axis=-1), -1, 1)))


def _capsules() -> tuple[dict[str, _Capsule], list[tuple[str, str]]]:
    """All capsules by name, and the pairs that may meet: arms with everything but their own arm, legs with one another."""
    capsules = dict(_CORE)
    for side in ("left", "right"):
        for name, c in (_ARM | _LEG).items():
            capsules[f"{side} {name}"] = _Capsule(f"{side}_{c.a}", f"{side}_{c.b}", c.radius_m, c.start, c.end)
    legs = [f"{side} {part}" for side in ("left", "right") for part in ("thigh", "shank")]
    pairs = [(f"{side} {arm}", other) for side in ("left", "right") for arm in _ARM for other in (*_CORE, *legs)]
    pairs += [(f"left {a}", f"right {b}") for limb in (_ARM, _LEG) for a in limb for b in limb]
    return capsules, pairs


def _segment_distance(p: np.ndarray, p_end: np.ndarray, q: np.ndarray, q_end: np.ndarray) -> np.ndarray:
    """Least distance of straight segments p to p_end and q to q_end (..., 3): Ericson, "Real-time collision detection", 5.1.9."""
    along_p, along_q, between = p_end - p, q_end - q, p - q
    pp, qq, pq = (np.einsum("...i,...i->...", x, y) for x, y in ((along_p, along_p), (along_q, along_q), (along_p, along_q)))
    pb, qb = np.einsum("...i,...i->...", along_p, between), np.einsum("...i,...i->...", along_q, between)
    crossing = np.maximum(pp * qq - pq**2, 1e-12)
    s = np.clip((pq * qb - pb * qq) / crossing, 0, 1)
    t = np.clip((pq * s + qb) / np.maximum(qq, 1e-12), 0, 1)
    s = np.clip((pq * t - pb) / np.maximum(pp, 1e-12), 0, 1)
    return np.linalg.norm(between + along_p * s[..., None] - along_q * t[..., None], axis=-1)


_RANGES = "AAOS ranges with slack, see choreia.metrics.body"

METRICS: tuple[Metric, ...] = (
    corrected(joint_limit_share, "joint limits", "lower", "1", "[0, 1]", "bones turned about their own axis are not seen", _RANGES),
    corrected(
        joint_limit_excess, "joint limit excess", "lower", "degrees", "[0, inf)", "bones turned about their own axis are not seen", _RANGES
    ),
    corrected(collision_share, "self-collision", "lower", "1", "[0, 1]", "arms kept far from the body", "choreia, capsules"),
    corrected(mean_collision, "self-collision depth", "lower", "m", "[0, inf)", "arms kept far from the body", "choreia, capsules"),
    corrected(sunk_depth, "floor depth", "lower", "m", "[0, inf)", "hovering: read floating beside it", "choreia, floor of the take"),
    corrected(sunk_share, "floor share", "lower", "1", "[0, 1]", "hovering: read floating beside it", "choreia, floor of the take"),
    corrected(sunk_depth_at_zero, "floor depth at y=0", "lower", "m", "[0, inf)", "a take lifted as a whole", "choreia, floor y = 0"),
    corrected(floating_share, "floating", "lower", "1", "[0, 1]", "a take lifted as a whole", "choreia, floor of the take"),
    corrected(floating_share_at_zero, "floating at y=0", "lower", "1", "[0, 1]", "a take sunk as a whole", "choreia, floor y = 0"),
)
