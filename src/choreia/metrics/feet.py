"""Whether the feet carry the body: contact scores as published, and sliding of standing feet in m/s.

The published scores grow with the square of the movement's amplitude, with the frame time, or hang on one frame; the corrected ones
are taken at 30 Hz, in SI units, and beside a ratio that neither amplitude nor length of the clip moves. Their floor is the take's own
(`motion.contacts.floor_of`).
"""

from __future__ import annotations

import numpy as np

from choreia.metrics.base import JOINTS, About, Metric, MotionMetric, validate_joints
from choreia.metrics.dancer import RATE_HZ, at_rate, corrected
from choreia.metrics.smoothness import acceleration
from choreia.motion.contacts import contacts_of, speed
from choreia.motion.skeleton import FEET

SLIDE_M_S = 0.3
"""A standing foot that moves faster slides: 1 cm in 1/30 s."""

_G_M_S2 = 9.81
_NOTHING = 1e-9  # m/s^2 (m/s)^2: what rounding makes of a still or unpushed body
_FEET = [JOINTS.index(name) for name in FEET]
_UPPER = [JOINTS.index(name) for name in ("left_wrist", "left_hand", "right_wrist", "right_hand", "head")]
_CARRIERS = [JOINTS.index(name) for name in ("left_collar", "right_collar", "neck")]
_FLAT = [0, 2]  # x and z
_ANKLE_M, _TOE_M = 0.08, 0.05  # Lodge's contact heights
_STEP_M = 0.01  # Lodge's slide in one frame


def edge_pfc(joints: np.ndarray, fps: float) -> float:
    """PFC as EDGE and POPDG count it, x 10000: mean over time of (left foot) * (right foot) * (root acceleration); lower is better.

    Root acceleration: frame differences at 1/30 s, the upward part clamped to >= 0, its norm divided by the clip's largest. Foot: the
    lesser of the horizontal steps, metres *a frame*, of ankle and toe. Source: Stanford-TML/EDGE eval/eval_pfc.py and its copy in
    Luke-Luo1/POPDG, z up there. Range [0, inf). A timid dance wins, by the square of its amplitude; a higher frame rate wins by its
    square; one large acceleration in the clip scales all others down. A frozen root is 0 / 0: NaN, as under three frames.
    """
    places = validate_joints(joints, fps)
    if len(places) < 3:
        return float("nan")
    return float(10000 * (_foot_steps(places) * _share_of_largest(_clamped_root(places))).mean())


def popdg_pbc(joints: np.ndarray, fps: float) -> float:
    """PBC of POPDG, x 10000: an upper-body analogue of the foot product, less that product; the nearer to real dance, the better.

    Mean over time of 0.01 * left hand * left collar + 0.01 * right hand * right collar + 0.1 * head * neck - `edge_pfc`'s product,
    where a hand is the lesser of the wrist's and the hand's step in metres a frame, and a collar or neck its acceleration over the
    clip's largest. Source: Luke-Luo1/POPDG eval/eval_pbc.py, 30 fps, which prints the label "PFC". Linear in amplitude where the foot
    product is quadratic, so any amplitude reaches the wanted number. NaN for a frozen root, as there, and under three frames.
    """
    places = validate_joints(joints, fps)
    if len(places) < 3:
        return float("nan")
    steps = np.linalg.norm(np.diff(places[1:, _UPPER], axis=0), axis=-1)
    moved = np.stack([steps[:, :2].min(axis=1), steps[:, 2:4].min(axis=1), steps[:, 4]], axis=1)
    carried = np.stack([_carrier_share(places[:, joint]) for joint in _CARRIERS], axis=1)
    feet = _foot_steps(places) * _share_of_largest(_clamped_root(places))
    return float(10000 * ((moved * carried) @ np.array([0.01, 0.01, 0.1]) - feet).mean())


def lodge_fsr(joints: np.ndarray, fps: float) -> float:
    """Foot skating ratio of Lodge: share of contact frames in which the foot slides, mean of left and right; lower is better.

    The take is lowered by the toe height of its first frame (the mean of both, or the lower when they differ by 2 cm). A foot is in
    contact when its ankle is at most 8 cm and its toe at most 5 cm high, and slides when |(dx + dz) / 2| of either is over 1 cm a
    frame. Source: li-ronghui/LODGE metric/foot_skating.py, 30 fps, y up. The sum of components cancels: a slide towards +x -z of any
    speed scores 0, and one along an axis counts half. Hangs on the pose of frame 0. NaN when a foot never touches the floor.
    """
    places = validate_joints(joints, fps)
    toes = places[0, [_FEET[1], _FEET[3]], 1]
    return _skating(places, toes.mean() if abs(toes[0] - toes[1]) < 0.02 else toes.min())


def danceba_fsr(joints: np.ndarray, fps: float) -> float:
    """Danceba's copy of `lodge_fsr` (vtan05/Danceba_fork utils/foot_skating.py, 30 fps): the floor is y = 0, the shift is commented out."""
    return _skating(validate_joints(joints, fps), 0.0)


def pfc_ratio(joints: np.ndarray, fps: float) -> float:
    """PFC without units: how much the feet move, as a share of how much the body moves, while the root is pushed; lower is better.

    sum_t a (left foot) (right foot) / sum_t a (mean over joints of squared speed), with a the norm of the root's acceleration, its
    downward part left out (falling needs no foot), and a foot the lesser horizontal speed of ankle and toe. 0 for a planted foot, 1 for
    a figure that glides whole. Unchanged by amplitude, whatever the clip's length; 0 for a take that is frozen or never pushed.
    """
    push, feet, body = _push(joints, fps)
    carried = (push * body).sum()
    return float((push * feet).sum() / carried) if carried > _NOTHING * len(push) else 0.0


def pfc_si(joints: np.ndarray, fps: float) -> float:
    """PFC in (m/s)^2: mean over time of (left foot) (right foot) (root acceleration / g), as in `pfc_ratio`; 0 for a frozen take."""
    push, feet, _ = _push(joints, fps)
    return float((push * feet).mean() / _G_M_S2) if len(push) else 0.0


def slide_speed(joints: np.ndarray, fps: float) -> float:
    """Mean horizontal speed in m/s of the feet while they stand (`standing`), as a vector norm; 0 when none ever stands."""
    slides = standing(joints, fps)
    return float(slides[np.isfinite(slides)].mean()) if np.isfinite(slides).any() else 0.0


def slide_share(joints: np.ndarray, fps: float) -> float:
    """Share of the time that feet stand in which they slide over 0.3 m/s; 0 when none ever stands."""
    slides = standing(joints, fps)
    return float((slides[np.isfinite(slides)] > SLIDE_M_S).mean()) if np.isfinite(slides).any() else 0.0


def support_slide(joints: np.ndarray, fps: float) -> float:
    """Mean horizontal speed in m/s of the slower standing foot: what carries the body should rest, while the other foot may brush the
    floor. 0 when no foot ever stands."""
    slides = np.nan_to_num(standing(joints, fps), nan=np.inf).min(axis=1)
    return float(slides[np.isfinite(slides)].mean()) if np.isfinite(slides).any() else 0.0


def contact_share(joints: np.ndarray, fps: float) -> float:
    """Share of the time in which a foot stands."""
    return float(np.isfinite(standing(joints, fps)).any(axis=1).mean())


def standing(joints: np.ndarray, fps: float) -> np.ndarray:
    """Horizontal speed in m/s of both feet at 30 Hz, (n, 2), NaN while a foot is in the air.

    A foot stands when its ankle or its toe is low, however fast (`contacts_of` without its pace), and moves as its slower low joint
    does: turning on the ball is no slide.
    """
    feet = at_rate(validate_joints(joints, fps), fps)[:, _FEET]
    low = contacts_of(feet, RATE_HZ, pace_m_s=np.inf)
    pace = np.where(low, speed(feet[..., _FLAT], RATE_HZ), np.inf).reshape(-1, 2, 2).min(axis=2)
    return np.where(np.isfinite(pace), pace, np.nan)


def _clamped_root(places: np.ndarray) -> np.ndarray:
    """Norm (T - 2,) of the root's second difference, m a frame^2, its upward part at least 0."""
    change = np.diff(places[:, 0], n=2, axis=0)
    change[:, 1] = np.maximum(change[:, 1], 0)
    return np.linalg.norm(change, axis=-1)


def _share_of_largest(sizes: np.ndarray) -> np.ndarray:
    """Sizes over their largest; NaN where that is zero."""
    return sizes / sizes.max() if sizes.max() > 0 else np.full(len(sizes), np.nan)


def _carrier_share(track: np.ndarray) -> np.ndarray:
    """Acceleration of a joint (T, 3) over its largest, (T - 2,); zeros when it never accelerates."""
    return np.nan_to_num(_share_of_largest(np.linalg.norm(np.diff(track, n=2, axis=0), axis=-1)))


def _foot_steps(places: np.ndarray) -> np.ndarray:
    """Product over both feet of the lesser horizontal step of ankle and toe, (T - 2,) m^2 a frame^2, from the second frame on."""
    steps = np.linalg.norm(np.diff(places[1:, _FEET][..., _FLAT], axis=0), axis=-1)
    return steps[:, :2].min(axis=1) * steps[:, 2:].min(axis=1)


def _skating(places: np.ndarray, floor_m: float) -> float:
    """Mean over the feet of slide frames over contact frames, NaN when one has no contact; the last frame never slides."""
    feet = places[:, _FEET]
    height = feet[..., 1].reshape(-1, 2, 2) - floor_m
    contact = (height <= np.array([_ANKLE_M, _TOE_M])).all(axis=2)
    step = np.abs(np.diff(feet[..., _FLAT], axis=0, append=feet[-1:, :, _FLAT]).mean(axis=-1))
    slides = contact & (step.reshape(-1, 2, 2) > _STEP_M).any(axis=2)
    counts = contact.sum(axis=0)
    return float((slides.sum(axis=0) / counts).mean()) if counts.all() else float("nan")


def _push(joints: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At 30 Hz, each (n,): upward-clamped root acceleration m/s^2, product of foot speeds and mean squared joint speed (m/s)^2."""
    root = acceleration(joints, fps)[:, 0].copy()
    root[:, 1] = np.maximum(root[:, 1], 0)
    places = at_rate(validate_joints(joints, fps), fps)
    velocity = (places[2:] - places[:-2]) * RATE_HZ / 2
    feet = np.linalg.norm(velocity[:, _FEET][..., _FLAT], axis=-1).reshape(-1, 2, 2).min(axis=2).prod(axis=1)
    return np.linalg.norm(root, axis=-1), feet, (velocity**2).sum(axis=-1).mean(axis=1)


_PFC_SOURCES = {
    "edge": "Stanford-TML/EDGE eval/eval_pfc.py",
    "popdg": "Luke-Luo1/POPDG eval/eval_pfc.py",
    "dancemeld": "paper, section 4: as EDGE; no code",
}

METRICS: tuple[Metric, ...] = (
    *(
        MotionMetric(About("PFC", dialect, "lower", "1e-4 m^2/frame^2", "[0, inf)", source, "half the amplitude: a quarter", 30), edge_pfc)
        for dialect, source in _PFC_SOURCES.items()
    ),
    MotionMetric(
        About("PBC", "popdg", "reference", "1e-4", "(-inf, inf)", "Luke-Luo1/POPDG eval/eval_pbc.py", "amplitude set to match", 30),
        popdg_pbc,
    ),
    MotionMetric(
        About("FSR", "lodge", "lower", "1", "[0, 1]", "li-ronghui/LODGE metric/foot_skating.py", "sliding towards +x -z scores 0", 30),
        lodge_fsr,
    ),
    MotionMetric(
        About("FSR", "danceba", "lower", "1", "[0, 1]", "vtan05/Danceba_fork utils/foot_skating.py", "sliding towards +x -z scores 0", 30),
        danceba_fsr,
    ),
    corrected(pfc_ratio, "PFC", "lower", "1", "[0, inf)", "waving arms enlarge the divisor", "PFC over the body's squared speed"),
    corrected(pfc_si, "PFC SI", "lower", "(m/s)^2", "[0, inf)", "a timid dance: read PFC beside it", "PFC in m/s and g at 30 Hz"),
    corrected(slide_speed, "foot slide", "lower", "m/s", "[0, inf)", "hovering: read foot contact beside it", "choreia, after Lodge's FSR"),
    corrected(
        slide_share, "foot slide share", "lower", "1", "[0, 1]", "hovering: read foot contact beside it", "choreia, after Lodge's FSR"
    ),
    corrected(support_slide, "support slide", "lower", "m/s", "[0, inf)", "hovering: read foot contact beside it"),
    corrected(contact_share, "foot contact", "reference", "1", "[0, 1]", "a figure that never lifts a foot scores 1"),
)
