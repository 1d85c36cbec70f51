"""Which joint of a foreign figure is which of ours: by name, and by the shape of the tree when names say nothing.

Names are cut into a side and a bare word (`mixamorig:LeftUpLeg`, `CC_Base_L_Thigh`, `lfemur`, `thigh.L` are all *left* + a word for the
upper leg) and looked up in `_WORDS`, whose order settles what a word means when a figure uses two of them: "shoulder" is the upper arm
unless something better is, "foot" is the ankle unless there is an ankle. Checked on CMU (ASF, cgspeed and 131 BVH), DAZ, CC_Base,
Mixamo, Rokoko, Motorica, the UE mannequin, VRM, Blender rigs and the Unitree G1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from choreia.errors import ChoreiaError
from choreia.types import Skeleton

# our joint: words for it, best first; a joint of the figure is given away once, in this order
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hip", ("hiproll", "upleg", "upperleg", "thigh", "femur", "hip")),
    ("knee", ("knee", "lowleg", "lowerleg", "shin", "calf", "tibia", "leg")),
    ("ankle", ("anklepitch", "ankle", "foot", "feet")),
    ("foot", ("toebase", "ball", "toe", "toes", "foot", "toeend", "toebaseend", "footend", "ankleend", "shinend")),
    ("shoulder", ("shoulderroll", "upperarm", "uparm", "shldr", "humerus", "arm", "shoulder")),
    ("collar", ("collar", "clavicle", "clav", "shoulder")),
    ("elbow", ("elbow", "forearm", "lowerarm", "lowarm", "radius")),
    ("wrist", ("fingerbase", "wristpitch", "wrist", "hand", "forearmend", "elbowend")),
    ("hand", ("handmiddle", "inhandmiddle", "mid", "middle", "middleproximal", "fingers", "handindex", "hand", "handend", "wristend")),
)
_HEAD = ("head", "skull", "face")
_TURNS = {"ankle": ("ankleroll",), "wrist": ("wristyaw",)}  # robots: the joint after which a hand or a foot has its final orientation
_PREFIX = re.compile(r"^(mixamorig\d*|cc_base_|rl_|valvebiped\.|bip\d*|j_bip_(?:c_)?|j_|def[-_]|org[-_]|b_)[_ ]?", re.IGNORECASE)
_SIDES = {"left": "left", "right": "right", "l": "left", "r": "right"}


@dataclass(frozen=True)
class JointMap:
    """Where a figure has our joints.

    place: our joint name to the figure's joint that stands there. turn: our joint name to the figure's joint that carries its orientation.
    spine: the figure's joints above the pelvis up to the chest (the last carries both arms). neck: those between chest and head.
    above_pelvis: those that the pelvis hangs on.
    """

    place: dict[str, int]
    turn: dict[str, int]
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    above_pelvis: tuple[int, ...]


def match(skeleton: Skeleton) -> JointMap:
    """Find our joints in a figure, by names and otherwise by topology; ChoreiaError when it has not two legs and two arms."""
    place = _by_name(skeleton)
    needed = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "shoulder", "elbow")]
    if any(name not in place for name in needed):
        place = _by_topology(skeleton)
    missing = [name for name in needed if name not in place]
    if missing:
        raise ChoreiaError(
            f"the figure has no {missing[0].replace('_', ' ')} that could be recognised among its {len(skeleton.names)} joints; "
            "rename its joints as in Mixamo (LeftUpLeg, LeftLeg, LeftFoot, LeftArm, ...) and try again"
        )
    return _complete(skeleton, place)


def side_and_word(name: str) -> tuple[str, str]:
    """Cut a joint's name into "left", "right" or "" and its bare lower-case word without prefixes, digits and joint/link endings."""
    bare = _PREFIX.sub("", re.split(r"[:|]", name)[-1].removesuffix("_joint").removesuffix("_link"))
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", bare)]
    side = next((_SIDES[part] for part in parts if part in _SIDES), "")
    word = "".join(part for part in parts if part not in _SIDES)
    if not side and word[:1] in ("l", "r") and word[1:].removesuffix("end") in _ACCLAIM:
        return _SIDES[word[0]], word[1:]
    return side, word


_ACCLAIM = ("femur", "tibia", "foot", "toes", "clavicle", "humerus", "radius", "wrist", "hand", "fingers", "thumb", "hipjoint")


def _by_name(skeleton: Skeleton) -> dict[str, int]:
    keys = [side_and_word(name) for name in skeleton.names]
    place: dict[str, int] = {}
    taken: set[int] = set()
    for side in ("left", "right"):
        here = {word: j for j, (at, word) in reversed(list(enumerate(keys))) if at == side}
        if "wrist" in here and "hand" in here and "fingers" in here:  # CMU: "wrist" is the far half of the forearm
            place |= {f"{side}_wrist": here["hand"], f"{side}_hand": here["fingers"]}
            taken |= {here["hand"], here["fingers"], here["wrist"]}
        for joint, words in _WORDS:
            found = next((here[word] for word in words if word in here and here[word] not in taken), None)
            if found is not None and f"{side}_{joint}" not in place:
                place[f"{side}_{joint}"] = found
                taken.add(found)
        for joint, words in _TURNS.items():
            place |= {f"{side}_{joint}_turn": here[word] for word in words if word in here}
    heads = {word: j for j, (side, word) in reversed(list(enumerate(keys))) if not side}
    head = next((heads[word] for word in _HEAD if word in heads), None)
    return place | ({"head": head} if head is not None else {})


def _complete(skeleton: Skeleton, place: dict[str, int]) -> JointMap:
    """Add trunk, neck and head, and say which joint carries which orientation."""
    parents = skeleton.parents
    pelvis = _common(parents, place["left_hip"], place["right_hip"])
    chest = _common(parents, place["left_shoulder"], place["right_shoulder"])
    spine = _between(parents, chest, _common(parents, pelvis, chest))
    head = place.get("head")
    if head is not None and chest not in _ancestors(parents, head):
        head = None
    neck = _between(parents, parents[head], chest) if head is not None else ()
    stands = {name: joint for name, joint in place.items() if not name.endswith("_turn") and name != "head"}
    turn = dict(stands)
    for side in ("left", "right"):
        turn[f"{side}_hip"] = parents[place[f"{side}_knee"]]
        turn[f"{side}_shoulder"] = parents[place[f"{side}_elbow"]]
        for joint in ("ankle", "wrist"):
            if f"{side}_{joint}_turn" in place:
                turn[f"{side}_{joint}"] = place[f"{side}_{joint}_turn"]
    trunk = {"pelvis": pelvis, "spine3": chest} | ({"head": head} if head is not None else {})
    return JointMap(stands | trunk, turn | trunk, spine, neck, tuple(_ancestors(parents, pelvis)))


def _by_topology(skeleton: Skeleton) -> dict[str, int]:
    """Two legs below the pelvis and two arms below the chest, told by the rest pose: the lowest and the outermost pair of long chains."""
    places = rest_positions(skeleton)
    chains = [_chain(skeleton, leaf) for leaf in _leaves(skeleton)]
    pairs = [(a, b) for a in chains for b in chains if _mirrored(skeleton, a, b)]
    if not pairs:
        return {}
    height = [places[a[-1]][1] + places[b[-1]][1] for a, b in pairs]
    legs = pairs[int(np.argmin(height))]
    rest = [pair for pair in pairs if not set(pair[0]) & (set(legs[0]) | set(legs[1]))]
    if not rest:
        return {}
    arms = max(rest, key=lambda pair: (len(pair[0]), np.linalg.norm(places[pair[0][-1]] - places[pair[1][-1]])))
    found: dict[str, int] = {}
    for side, leg, arm in (("left", legs[0], arms[0]), ("right", legs[1], arms[1])):
        found |= _name_limb(places, leg, [f"{side}_{j}" for j in ("hip", "knee", "ankle", "foot")])
        found |= _name_limb(places, arm, [f"{side}_{j}" for j in ("shoulder", "elbow", "wrist", "hand")])
        if found[f"{side}_shoulder"] != arm[0]:
            found[f"{side}_collar"] = arm[arm.index(found[f"{side}_shoulder"]) - 1]
    chest = _common(skeleton.parents, arms[0][0], arms[1][0])
    tops = [leaf for leaf in _leaves(skeleton) if chest in _ancestors(skeleton.parents, leaf) and leaf not in (*arms[0], *arms[1])]
    return found | ({"head": max(tops, key=lambda leaf: places[leaf][1])} if tops else {})


def rest_positions(skeleton: Skeleton) -> np.ndarray:
    """Positions (J, 3) of all joints when nothing is turned and the root is at its offset."""
    places = np.array(skeleton.offsets, dtype=float)
    for j, parent in enumerate(skeleton.parents):
        if parent >= 0:
            places[j] += places[parent]
    return places


def _leaves(skeleton: Skeleton) -> list[int]:
    return [j for j in range(len(skeleton.names)) if j not in skeleton.parents]


def _chain(skeleton: Skeleton, leaf: int) -> tuple[int, ...]:
    """The joints that only serve `leaf`: down from the last fork of the trunk (the first fork with a subtree that mirrors this one)."""
    path = (*reversed(_ancestors(skeleton.parents, leaf)), leaf)
    forks = [k for k, j in enumerate(path[:-1]) if skeleton.parents.count(j) >= 3 or (k == 0 and skeleton.parents.count(j) > 1)]
    start = next((k for k in reversed(forks) if len(path) - k - 1 >= 3), 0)
    return path[start + 1 :]


def _mirrored(skeleton: Skeleton, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two chains are as long as each other, hang on one joint and stand left (a, +X) and right of the midline."""
    if len(a) < 3 or len(a) != len(b) or a[0] == b[0] or skeleton.parents[a[0]] != skeleton.parents[b[0]]:
        return False
    lengths = [np.linalg.norm(skeleton.offsets[list(chain)][1:], axis=1) for chain in (a, b)]
    places = rest_positions(skeleton)
    return bool(np.allclose(lengths[0], lengths[1], rtol=0.1) and places[a[-1]][0] > places[b[-1]][0])


def _name_limb(places: np.ndarray, chain: tuple[int, ...], names: list[str]) -> dict[str, int]:
    """Of a chain, the ends of its two longest neighbouring bones are its upper, middle and end joint; the next is the toe or the hand."""
    lengths = np.linalg.norm(np.diff(places[list(chain)], axis=0), axis=1)
    start = int(np.argmax(np.minimum(lengths[:-1], lengths[1:])))
    return dict(zip(names, chain[start : start + len(names)], strict=False))


def _ancestors(parents: tuple[int, ...], joint: int) -> list[int]:
    """Parent, grandparent and so on up to the root."""
    line: list[int] = []
    while parents[joint] >= 0:
        joint = parents[joint]
        line.append(joint)
    return line


def _common(parents: tuple[int, ...], a: int, b: int) -> int:
    """Nearest joint that both a and b hang on (or are)."""
    above = [a, *_ancestors(parents, a)]
    return next(j for j in [b, *_ancestors(parents, b)] if j in above)


def _between(parents: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    """Joints on the way from `high` (left out) down to `low` (kept), from the top of the tree down."""
    line = [low, *_ancestors(parents, low)]
    return tuple(reversed(line[: line.index(high)]))
