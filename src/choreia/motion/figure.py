"""The dancer one sees: a clothed human mesh for `choreia-24`, sculpted here from our own proportions and skinned to the skeleton.

Every garment is a closed surface (`motion.sculpt`) around the T-pose; the cuffs and hems overlap, so colours meet in crisp
lines. Skin weights depend only on where a vertex is: each joint takes a smooth share of what its parent holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from choreia.motion import sculpt
from choreia.motion.sculpt import Shape
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.types import Skeleton


@dataclass(frozen=True)
class Material:
    """A surface: linear RGB in [0, 1] and how strongly it glints, 0 (matte) to 1."""

    name: str
    colour: tuple[float, float, float]
    gloss: float


MATERIALS = (
    Material("skin", (0.58, 0.33, 0.22), 0.25),
    Material("top", (0.60, 0.055, 0.05), 0.08),
    Material("trousers", (0.085, 0.11, 0.17), 0.08),
    Material("shoes", (0.62, 0.62, 0.60), 0.30),
    Material("soles", (0.80, 0.78, 0.72), 0.10),
    Material("hair", (0.030, 0.018, 0.012), 0.50),
    Material("eyes", (0.012, 0.010, 0.010), 0.60),
)
"""What `Mesh.material` indexes."""


@dataclass(frozen=True)
class Mesh:
    """A skinned surface in the rest pose, whose root joint stands at `root` (3,) m.

    vertices (V, 3) m and unit normals (V, 3); faces (F, 3) counter-clockwise from outside; joints (V, 4) uint8 and
    weights (V, 4) float32 that sum to 1, strongest first; material (V,) uint8 into `MATERIALS` (all corners of a face share it);
    openness (V,) float32 in [0, 1]: how much of its surroundings a vertex sees, low in folds and under hems.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    material: np.ndarray
    openness: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class _Part:
    """One closed surface: material, shape, box, grid spacing; `paired` ones are given for the left and mirrored.

    Faces deeper than `hidden_m` under other parts are left out; `joint` carries the whole part, where one does.
    """

    material: str
    shape: Shape
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    cell: float
    paired: bool = False
    joint: str | None = None
    hidden_m: float = 0.004


@dataclass(frozen=True)
class _Piece:
    """A meshed surface of a part: vertices and normals (N, 3), faces (M, 3)."""

    part: _Part
    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray


@cache
def dancer() -> Mesh:
    """The figure for `choreia-24`: about 7,000 vertices, the same in every process."""
    pieces = [_without_hidden(piece) for part in _parts() for piece in _pieces(part)]
    starts = np.cumsum([0] + [len(piece.vertices) for piece in pieces[:-1]])
    vertices = np.concatenate([piece.vertices for piece in pieces])
    normals = np.concatenate([piece.normals for piece in pieces])
    joints, weights = _strongest(np.concatenate([_part_weights(piece.part, piece.vertices) for piece in pieces]))
    names = [material.name for material in MATERIALS]
    return Mesh(
        vertices=vertices.astype(np.float32),
        normals=normals.astype(np.float32),
        faces=np.concatenate([piece.faces + start for piece, start in zip(pieces, starts, strict=True)]).astype(np.int32),
        joints=joints,
        weights=weights,
        material=np.concatenate([np.full(len(piece.vertices), names.index(piece.part.material), np.uint8) for piece in pieces]),
        openness=_openness(vertices, normals),
        root=np.array([0, STANDING_HEIGHT_M, 0], np.float32),
    )


def _pieces(part: _Part) -> list[_Piece]:
    """The meshes of a part: one, or a left one and its mirror image."""
    vertices, normals, faces = sculpt.mesh(part.shape, part.low, part.high, part.cell)
    if not part.paired:
        return [_Piece(part, vertices, normals, faces)]
    mirror = np.array([-1, 1, 1])
    return [_Piece(part, vertices, normals, faces), _Piece(part, vertices * mirror, normals * mirror, faces[:, ::-1])]


def _without_hidden(piece: _Piece) -> _Piece:
    """A piece less the faces that lie wholly under another part, which no pose brings out."""
    others = [_whole(part) for part in _parts() if part is not piece.part]
    hidden = np.min([shape(piece.vertices) for shape in others], axis=0) < -piece.part.hidden_m
    faces = piece.faces[~hidden[piece.faces].all(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    return _Piece(piece.part, piece.vertices[used], piece.normals[used], faces.reshape(-1, 3))


def _whole(part: _Part) -> Shape:
    return sculpt.both_sides(part.shape) if part.paired else part.shape


def _openness(vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """How far above the whole figure the points above each vertex are, against how far they would be in the open, (V,)."""
    openness = np.ones(len(vertices))
    for height, least in ((0.02, 0.6), (0.05, 0.5), (0.10, 0.5)):
        above = vertices + height * normals
        nearest = np.min([_whole(part)(above) for part in _parts()], axis=0)
        openness *= least + (1 - least) * np.clip(nearest / height, 0, 1)
    return openness.astype(np.float32)


@cache
def _parts() -> tuple[_Part, ...]:
    return (
        _Part("top", _top(), (-0.37, 0.90, -0.17), (0.37, 1.51, 0.17), 0.026),
        _Part("trousers", _trousers(), (-0.24, 0.04, -0.19), (0.24, 1.10, 0.17), 0.027),
        _Part("skin", _head(), (-0.11, 1.36, -0.13), (0.11, 1.75, 0.15), 0.0145, hidden_m=0.03),
        _Part("skin", _arm(), (0.22, 1.32, -0.07), (0.92, 1.45, 0.11), 0.0155, paired=True),
        _Part("shoes", _shoe(), (0.02, -0.01, -0.12), (0.20, 0.16, 0.23), 0.019, paired=True),
        _Part("soles", _sole(), (0.02, -0.02, -0.12), (0.20, 0.05, 0.24), 0.020, paired=True),
        _Part("hair", _hair(), (-0.12, 1.48, -0.19), (0.12, 1.77, 0.13), 0.018, joint="head"),
        _Part("eyes", _eye(), (0.01, 1.59, 0.06), (0.05, 1.63, 0.10), 0.006, paired=True, joint="head"),
    )


def _top() -> Shape:
    """A fitted T-shirt: trunk (rows up the body: y, x, z, half-width, half-depth), shoulders and short sleeves."""
    trunk = sculpt.loft(
        1,
        [
            (0.940, 0, -0.009, 0.181, 0.128),
            (1.00, 0, -0.006, 0.164, 0.116),
            (1.08, 0, 0.000, 0.144, 0.103),
            (1.17, 0, 0.003, 0.144, 0.102),
            (1.27, 0, 0.006, 0.163, 0.116),
            (1.34, 0, 0.000, 0.158, 0.110),
            (1.40, 0, -0.010, 0.112, 0.080),
            (1.445, 0, -0.014, 0.066, 0.062),
            (1.475, 0, -0.012, 0.058, 0.058),
        ],
        power=2.3,
        rounding=0.015,
    )
    sleeve = sculpt.loft(
        0,
        [
            (0.05, 1.385, -0.014, 0.050, 0.065),
            (0.12, 1.378, -0.014, 0.062, 0.072),
            (0.19, 1.383, -0.012, 0.064, 0.066),
            (0.26, 1.387, -0.010, 0.058, 0.060),
            (0.34, 1.388, -0.010, 0.056, 0.058),
        ],
        rounding=0.012,
    )
    return sculpt.blend([trunk, sculpt.both_sides(sleeve)], 0.05)


def _trousers() -> Shape:
    """Loose joggers: hips and two legs down to the cuffs."""
    hips = sculpt.loft(
        1,
        [(0.84, 0, -0.012, 0.150, 0.100), (0.90, 0, -0.012, 0.170, 0.114), (0.96, 0, -0.008, 0.158, 0.106), (1.03, 0, 0, 0.130, 0.090)],
        power=2.3,
        rounding=0.03,
    )
    leg = sculpt.loft(
        1,
        [
            (0.092, 0.092, -0.014, 0.046, 0.052),
            (0.115, 0.092, -0.014, 0.052, 0.060),
            (0.20, 0.092, -0.020, 0.054, 0.062),
            (0.32, 0.093, -0.022, 0.061, 0.071),
            (0.40, 0.093, -0.013, 0.062, 0.071),
            (0.48, 0.093, 0.000, 0.064, 0.069),
            (0.60, 0.092, 0.003, 0.074, 0.081),
            (0.72, 0.090, 0.000, 0.083, 0.093),
            (0.84, 0.086, -0.006, 0.086, 0.103),
            (0.92, 0.080, -0.008, 0.080, 0.100),
        ],
        power=2.1,
        rounding=0.012,
    )
    seat = sculpt.ellipsoid((0.075, 0.895, -0.052), (0.080, 0.085, 0.080))
    return sculpt.blend([hips, sculpt.both_sides(sculpt.blend([leg, seat], 0.04))], 0.03)


def _head() -> Shape:
    """Skull, face, nose, lips, ears and neck."""
    skull = sculpt.ellipsoid((0, 1.632, 0.000), (0.076, 0.088, 0.094))
    face = sculpt.ellipsoid((0, 1.577, 0.028), (0.062, 0.084, 0.066))
    chin = sculpt.ellipsoid((0, 1.512, 0.064), (0.028, 0.022, 0.024))
    neck = sculpt.loft(1, [(1.38, 0, -0.020, 0.056, 0.054), (1.47, 0, -0.018, 0.051, 0.051), (1.57, 0, -0.006, 0.050, 0.054)])
    nose = sculpt.capsule((0, 1.608, 0.088), (0, 1.576, 0.100), 0.007, 0.011)
    ear = sculpt.ellipsoid((0.077, 1.602, -0.004), (0.011, 0.030, 0.018))
    lips = sculpt.ellipsoid((0, 1.543, 0.084), (0.020, 0.009, 0.010))
    body = sculpt.blend([skull, face, chin, neck], 0.03)
    return sculpt.blend([body, nose, lips, sculpt.both_sides(ear)], 0.014)


def _hair() -> Shape:
    """Short hair with a knot at the back, cut off where the face begins."""
    cap = sculpt.ellipsoid((0, 1.640, -0.010), (0.088, 0.094, 0.103))
    nape = sculpt.ellipsoid((0, 1.580, -0.050), (0.066, 0.060, 0.058))
    whole = sculpt.blend([cap, nape], 0.04)
    framed = sculpt.cut(whole, (0, 1.668, 0.078), (0, -0.62, 0.78), 0.03)
    knot = sculpt.ellipsoid((0, 1.690, -0.118), (0.042, 0.040, 0.036))
    return sculpt.blend([framed, knot], 0.015)


def _eye() -> Shape:
    return sculpt.ellipsoid((0.030, 1.610, 0.083), (0.0115, 0.0065, 0.012))


def _arm() -> Shape:
    """Bare arm from inside the sleeve to the finger tips, palm down, thumb forward."""
    limb = sculpt.loft(
        0,
        [
            (0.25, 1.387, -0.010, 0.046, 0.048),
            (0.34, 1.389, -0.010, 0.044, 0.046),
            (0.42, 1.390, -0.010, 0.038, 0.039),
            (0.455, 1.390, -0.012, 0.036, 0.038),
            (0.52, 1.389, -0.009, 0.036, 0.041),
            (0.60, 1.389, -0.009, 0.030, 0.035),
            (0.68, 1.390, -0.010, 0.022, 0.028),
            (0.71, 1.390, -0.010, 0.020, 0.028),
            (0.745, 1.389, -0.009, 0.018, 0.036),
            (0.79, 1.387, -0.008, 0.016, 0.042),
            (0.84, 1.381, -0.008, 0.0135, 0.038),
            (0.885, 1.372, -0.008, 0.0105, 0.028),
        ],
        power=2.2,
        rounding=0.012,
    )
    thumb = sculpt.capsule((0.735, 1.384, 0.016), (0.800, 1.368, 0.055), 0.015, 0.0105)
    return sculpt.blend([limb, thumb], 0.012)


def _shoe() -> Shape:
    """A trainer: foot (rows from heel to toe: z, x, y, half-width, half-height) and collar, flat below."""
    foot = sculpt.loft(
        2,
        [
            (-0.082, 0.090, 0.045, 0.022, 0.036),
            (-0.060, 0.091, 0.046, 0.035, 0.044),
            (-0.010, 0.094, 0.048, 0.039, 0.049),
            (0.050, 0.101, 0.040, 0.043, 0.046),
            (0.100, 0.109, 0.030, 0.048, 0.036),
            (0.150, 0.114, 0.025, 0.045, 0.028),
            (0.185, 0.115, 0.022, 0.034, 0.021),
            (0.200, 0.115, 0.020, 0.022, 0.014),
        ],
        power=2.3,
        rounding=0.012,
    )
    collar = sculpt.loft(1, [(0.03, 0.092, -0.020, 0.037, 0.050), (0.118, 0.092, -0.016, 0.040, 0.046)], rounding=0.012)
    return sculpt.cut(sculpt.blend([foot, collar], 0.03), (0, 0.010, 0), (0, -1, 0), 0.008)


def _sole() -> Shape:
    """The slab under the shoe, a finger wider than it."""
    slab = sculpt.loft(
        2,
        [
            (-0.090, 0.090, 0.0, 0.022, 0.10),
            (-0.070, 0.091, 0.0, 0.036, 0.10),
            (0.000, 0.095, 0.0, 0.041, 0.10),
            (0.100, 0.109, 0.0, 0.052, 0.10),
            (0.160, 0.114, 0.0, 0.048, 0.10),
            (0.195, 0.115, 0.0, 0.034, 0.10),
            (0.209, 0.115, 0.0, 0.020, 0.10),
        ],
        power=2.2,
        rounding=0.008,
    )
    return sculpt.cut(sculpt.cut(slab, (0, 0.024, 0), (0, 1, 0), 0.006), (0, 0.0, 0), (0, -1, 0), 0.006)


def _part_weights(part: _Part, points: np.ndarray) -> np.ndarray:
    """(N, 24) skin weights of a part's vertices."""
    if part.joint is None:
        return skin_weights(points)
    rigid = np.zeros((len(points), len(choreia24().names)))
    rigid[:, choreia24().index(part.joint)] = 1
    return rigid


def skin_weights(points: np.ndarray) -> np.ndarray:
    """How much each joint carries points (N, 3) of the T-pose (feet on y = 0), (N, 24), rows sum to 1.

    Walking down the skeleton, every joint takes its gate's share of its parent's weight: the gates open over a few
    centimetres around the joint, so elbows, knees, hips and shoulders bend smoothly.
    """
    skeleton = choreia24()
    weights = np.zeros((len(points), len(skeleton.names)))
    weights[:, 0] = 1
    for parent, held in enumerate(weights.T):
        children = [j for j, above in enumerate(skeleton.parents) if above == parent]
        gates = [_gate(skeleton.names[j], points) for j in children]
        total = sum(gates, np.zeros(len(points)))
        share = held / np.maximum(total, 1)
        for j, gate in zip(children, gates, strict=True):
            weights[:, j] = share * gate
        held *= 1 - np.minimum(total, 1)
    return weights


def _gate(name: str, points: np.ndarray) -> np.ndarray:
    """The share in [0, 1] of its parent's weight that a joint takes at points (N, 3)."""
    side, _, bone = name.partition("_")
    sign = {"left": 1.0, "right": -1.0}.get(side)
    x, y, z = points[:, 0] * (sign or 1.0), points[:, 1], points[:, 2]
    if sign is None:
        return {
            "spine1": lambda: _ramp(y, 0.97, 1.12),
            "spine2": lambda: _ramp(y, 1.10, 1.24),
            "spine3": lambda: _ramp(y, 1.19, 1.32),
            "neck": lambda: _ramp(y, 1.42, 1.49) * (1 - _ramp(np.abs(x), 0.06, 0.12)),
            "head": lambda: _ramp(y + 0.7 * z, 1.515, 1.555),
        }[name]()
    return {
        "hip": lambda: _ramp(0.88 + 0.35 * (x - 0.09) - y, -0.08, 0.09) * _ramp(x, -0.022, 0.026),
        "knee": lambda: _ramp(-y, -0.55, -0.41),
        "ankle": lambda: _ramp(-y, -0.14, -0.09),
        "foot": lambda: _ramp(z, 0.085, 0.135),
        "collar": lambda: _ramp(x, 0.03, 0.15) * _ramp(y, 1.22, 1.36),
        "shoulder": lambda: _ramp(x, 0.115, 0.245),
        "elbow": lambda: _ramp(x, 0.395, 0.505),
        "wrist": lambda: _ramp(x, 0.675, 0.735),
        "hand": lambda: _ramp(x, 0.765, 0.815),
    }[bone]()


def _ramp(value: np.ndarray, start: float, stop: float) -> np.ndarray:
    """0 before start, 1 after stop, a smooth step between."""
    t = np.clip((value - start) / (stop - start), 0, 1)
    return t * t * (3 - 2 * t)


def _strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four strongest joints (N, 4) uint8 of dense weights and their shares (N, 4) float32, summing to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    share = np.take_along_axis(weights, order, axis=1)
    share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.where(share > 0, order, 0).astype(np.uint8), share


def rest_positions(skeleton: Skeleton, root: np.ndarray) -> np.ndarray:
    """Joint positions (J, 3) m, float32, of a skeleton without any rotation whose root joint stands at `root` (3,)."""
    place = np.zeros((len(skeleton.names), 3), np.float32)
    for j, parent in enumerate(skeleton.parents):
        place[j] = root if parent < 0 else place[parent] + skeleton.offsets[j]
    return place
