"""Scores of a set of dances beside real ones: FID, KID, diversity, precision and recall, as published and corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from choreia import clock
from choreia.metrics import fairmotion, features, manifold
from choreia.metrics.base import JOINTS, About, Better, SetMetric, validate_joints, validate_sets
from choreia.metrics.frechet import (
    Normalizer,
    diversity,
    frechet_extrapolated,
    frechet_published,
    gaussian_frechet,
    kernel_distance,
    undefined,
)
from choreia.motion.skeleton import choreia24

Features = Callable[[np.ndarray, float], np.ndarray]
Compare = Callable[[np.ndarray, np.ndarray], float]

CLIP_S = 5.0


# -------------------------------------------------------------------------------------------------------------- features


@dataclass(frozen=True)
class Prepared:
    """One row a take: `measure` of the joints as `prepare` leaves them. Counts in frames, so the take must be at the source's rate."""

    measure: Callable[[np.ndarray], np.ndarray]
    prepare: Callable[[np.ndarray], np.ndarray]

    def __call__(self, joints: np.ndarray, fps: float) -> np.ndarray:
        """Features (D,) of joints (T, 24, 3)."""
        return self.measure(self.prepare(validate_joints(joints, fps)))


@dataclass(frozen=True)
class Sliced:
    """A row for each slice of `length_s` seconds, begun every `stride_s`; a shorter take is one slice."""

    features: Features
    length_s: float = CLIP_S
    stride_s: float = CLIP_S

    def __call__(self, joints: np.ndarray, fps: float) -> np.ndarray:
        """Features (k, D) of joints (T, 24, 3)."""
        places, length = validate_joints(joints, fps), clock.frames_in(self.length_s, fps)
        starts = range(0, max(len(places) - length, 0) + 1, clock.frames_in(self.stride_s, fps))
        return np.stack([self.features(places[start : start + length], fps) for start in starts])


def as_they_are(joints: np.ndarray) -> np.ndarray:
    """mint's preparation: none, so that where on the stage a take stands is part of its features."""
    return joints


def kinetic_and_geometric(joints: np.ndarray, fps: float) -> np.ndarray:
    """Corrected kinetic (72) and geometric (32) features, (104,)."""
    return np.concatenate([features.kinetic(joints, fps), features.geometric(joints, fps)])


def lrcm_kinematic(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean speed (m/s) and mean norm of acceleration (m/s²) of each joint, (48,): our reading of LRCM, appendix C.1.

    The paper says "velocity, acceleration derived from joint positions" and no more. Under three frames: NaN.
    """
    places = validate_joints(joints, fps)
    if len(places) < 3:
        return np.full(2 * len(JOINTS), np.nan)
    orders = [np.diff(places, n=order, axis=0) * fps**order for order in (1, 2)]
    return np.concatenate([np.linalg.norm(values, axis=-1).mean(axis=0) for values in orders])


def lrcm_geometric(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean and deviation over time of the bend at each of 20 joints, degrees, (40,): as near to LRCM, C.1, as positions allow.

    The paper takes mean and deviation of joint rotations. Of a rotation, positions show the angle between a bone and the one before it,
    not the twist about the bone.
    """
    places, parents = validate_joints(joints, fps), choreia24().parents
    ends = [joint for joint, parent in enumerate(parents) if parent > 0]
    middles = [parents[joint] for joint in ends]
    starts = [parents[joint] for joint in middles]
    upper, lower = places[:, middles] - places[:, starts], places[:, ends] - places[:, middles]
    lengths = np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1)
    cosine = np.sum(upper * lower, axis=-1) / np.maximum(lengths, 1e-12)
    bend = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return np.concatenate([bend.mean(axis=0), bend.std(axis=0)])


# -------------------------------------------------------------------------------------------------------------- scores


def diversity_published(made: np.ndarray, reference: np.ndarray) -> float:
    """Mean distance over all pairs of made items, in the reference's deviations (+1e-10), as mint and Bailando have it."""
    if undefined(made, reference, fewest=1):
        return float("nan")
    a, b = validate_sets(made, reference, fewest=1)
    return diversity(Normalizer.published(b)(a))


def frechet_raw(made: np.ndarray, reference: np.ndarray) -> float:
    """LRCM (25): Fréchet distance of features as they come, units mixed; the covariances are those of np.cov."""
    if undefined(made, reference):
        return float("nan")
    a, b = validate_sets(made, reference)
    return gaussian_frechet(a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False))


def diversity_raw(made: np.ndarray, reference: np.ndarray) -> float:
    """LRCM (27): mean distance between made items, features as they come; over all pairs, where the paper draws some at random."""
    if undefined(made, made):
        return float("nan")
    return diversity(np.asarray(made, np.float64))


@dataclass(frozen=True)
class Normalized:
    """A corrected score of both sets in the reference's deviations; `fewest` items of each."""

    score: Compare
    fewest: int = 2

    def __call__(self, made: np.ndarray, reference: np.ndarray) -> float:
        """Score of made (N, D) and reference (M, D)."""
        a, b = validate_sets(made, reference, self.fewest)
        scale = Normalizer.fit(b)
        return self.score(scale(a), scale(b))


def diversity_of_made(made: np.ndarray, reference: np.ndarray) -> float:
    """Diversity of the first of two sets."""
    return diversity(made)


# -------------------------------------------------------------------------------------------------------------- entries

FAIRMOTION_KINETIC = "fairmotion-kinetic (parenthesis bug)"
FAIRMOTION_REPAIRED = "fairmotion-kinetic (repaired)"
FAIRMOTION_GEOMETRIC = "fairmotion-geometric (SMPL lengths)"
SQUARED, DEVIATIONS = "squared reference deviations", "reference deviations"

Words = dict[str, str]

_FOOLED_FID: Words = {
    "k": "dancing elsewhere or higher up: its acceleration is 3600 x the distance from the origin; another frame rate reads as another "
    "dance; it falls as clips are added, to 29 +- 30 between 40 real takes and 156, and under 73 the covariance is singular",
    "g": "one relation that never holds in the reference and once in the made set is divided by 1e-10; velocities assume 120 Hz and one "
    "SMPL body; it falls as clips are added",
}
_FOOLED_DIV: Words = {
    "k": "movement 1.5 times as large, jitter, or takes strewn over the stage raise it: higher is not better than real",
    "g": "random poses raise it: higher is not better than real; a relation that never holds in the reference is divided by 1e-10",
}
_FOOLED_REPAIRED: Words = {"k": "another frame rate reads as another dance; it falls as clips are added, singular under 73"}
_FOOLED_LODGE: Words = {
    "k": "travel: only the root keeps it; a limb's acceleration is 3600 x its distance from the root; 30 Hz is scored as 60 Hz",
    "g": "travel: the root stays in the world while all other joints are relative to it, so relations that name it measure the stage",
}
_FOOLED_POPDG: Words = {
    "k": "bouncing, which counts as travel, and travel to the back, which counts as bouncing: Z is up where the formula has Y",
    "g": "any leaning: heights are measured along the floor, as Z is up where the formula has Y",
}
_FOOLED_LRCM: Words = {
    letter: "units are mixed and not scaled, so the widest feature decides; larger movement raises DIV, more clips lower FID"
    for letter in "kg"
}


@dataclass(frozen=True)
class _Family:
    """What the FID and diversity entries of one dialect share: extractors by letter (with their names), score functions, direction."""

    dialect: str
    extractors: dict[str, tuple[Features, str]]
    source: str
    fps: float
    fid: Compare
    div: Compare = diversity_published
    div_name: str = "Div"
    towards: Better = "higher"
    fooled: tuple[Words, Words] = (_FOOLED_FID, _FOOLED_DIV)
    units: tuple[str, str] = (SQUARED, DEVIATIONS)
    suffix: str = ""
    reference: bool = True

    def entries(self) -> tuple[SetMetric, ...]:
        """FID and diversity for each extractor."""
        return tuple(entry for letter in self.extractors for entry in (self._fid(letter), self._div(letter)))

    def _fid(self, letter: str) -> SetMetric:
        name = f"FID_{letter}{self.suffix}"
        about = About(name, self.dialect, "lower", self.units[0], "[0, inf)", self.source, self.fooled[0][letter], self.fps)
        return SetMetric(about, self.extractors[letter][0], self.fid, self.extractors[letter][1])

    def _div(self, letter: str) -> SetMetric:
        name = f"{self.div_name}_{letter}{self.suffix}"
        about = About(name, self.dialect, self.towards, self.units[1], "[0, inf)", self.source, self.fooled[1][letter], self.fps)
        return SetMetric(about, self.extractors[letter][0], self.div, self.extractors[letter][1], reference=self.reference)


def _fairmotion(prepare: Callable[[np.ndarray], np.ndarray], note: str) -> dict[str, tuple[Features, str]]:
    return {
        "k": (Prepared(fairmotion.Kinetic(), prepare), f"{FAIRMOTION_KINETIC}, {note}"),
        "g": (Prepared(fairmotion.geometric, prepare), f"{FAIRMOTION_GEOMETRIC}, {note}"),
    }


def _slices(extractors: dict[str, tuple[Features, str]]) -> dict[str, tuple[Features, str]]:
    return {letter: (Sliced(row, stride_s=0.5), f"{name}, 5 s slices") for letter, (row, name) in extractors.items()}


_BAILANDO_FID = partial(frechet_published, epsilon=1e-5, strict=False)
_MINT = _fairmotion(as_they_are, "as placed")
_BAILANDO = _fairmotion(fairmotion.from_first_root, "less the first root")
_LODGE = _fairmotion(fairmotion.from_every_root, "22 joints less every root")
_DANCEBA = _fairmotion(fairmotion.from_first_root_of_22, "22 joints less the first root")
_POPDG = _fairmotion(fairmotion.standing_along_z, "Z up, as placed")
_REPAIRED = Prepared(fairmotion.Kinetic(parenthesis_bug=False), fairmotion.from_first_root)

_FAMILIES = (
    _Family("mint", _MINT, "google-research/mint tools/calculate_fid_scores.py; FACT's printed FID_g used an older, faulty extractor", 60,
            frechet_published, div_name="Dist"),
    _Family("bailando", _BAILANDO, "lisiyao21/Bailando utils/metrics_new.py before its issue #46", 60, _BAILANDO_FID),
    _Family("bailando", {"k": (_REPAIRED, f"{FAIRMOTION_REPAIRED}, less the first root")},
            "lisiyao21/Bailando utils/metrics_new.py, utils/features/utils.py after its issue #46", 60, _BAILANDO_FID,
            fooled=(_FOOLED_REPAIRED, _FOOLED_DIV), suffix=" (repaired)"),
    _Family("edge", _slices(_BAILANDO), "not released: Bailando's script on the 5 s slices of Stanford-TML/EDGE data/slice.py; whether "
            "with the acceleration that its author repaired (fairmotion #87) is not known", 60, _BAILANDO_FID, div_name="Dist",
            towards="reference"),
    _Family("lodge", _LODGE, "li-ronghui/LODGE metric/metrics_finedance.py; features taken to be Bailando's",
            30, _BAILANDO_FID, fooled=(_FOOLED_LODGE, _FOOLED_DIV)),
    _Family("danceba", _DANCEBA, "vtan05/Danceba_fork utils/metrics_new.py; features taken to be Bailando's before its issue #46", 30,
            _BAILANDO_FID),
    _Family("popdg", _POPDG, "Luke-Luo1/POPDG eval/calculate_scores.py, eval/extract_features.py; features taken to be aistplusplus_api's",
            30, frechet_published, div_name="Dist", fooled=(_FOOLED_POPDG, _FOOLED_DIV)),
    _Family("dancemeld", _MINT, "paper, section 4: as FACT", 60, frechet_published, towards="reference"),
    _Family("lrcm", {"k": (lrcm_kinematic, "lrcm-kinematic-1 (our reading)"), "g": (lrcm_geometric, "lrcm-bend-1 (positions only)")},
            "paper, appendix C.1 and C.3; no evaluator is released", 30, frechet_raw, diversity_raw, "DIV",
            fooled=(_FOOLED_LRCM, _FOOLED_LRCM), units=("mixed, squared", "mixed"), reference=False),
    _Family("bailando", _BAILANDO, "nobody's: Bailando's features without its scaling, for tables that do not say", 60, frechet_raw,
            diversity_raw, fooled=(_FOOLED_LRCM, _FOOLED_LRCM), units=("mixed, squared", "mixed"), suffix=" (not scaled)", reference=False),
)  # fmt: skip

_UNIMUMO = tuple(
    entry
    for entry in _Family("unimumo", _slices(_BAILANDO), "paper, appendix: Bailando's script on 5 s slices", 60, _BAILANDO_FID,
                         div_name="Dist", towards="reference").entries()
    if entry.about.name.startswith("Dist")
)  # fmt: skip

KINETIC: tuple[Features, str] = (Sliced(features.kinetic), "choreia-kinetic-1")
GEOMETRIC: tuple[Features, str] = (Sliced(features.geometric), "choreia-geometric-1")
BOTH: tuple[Features, str] = (Sliced(kinetic_and_geometric), "choreia-kinetic-1 + choreia-geometric-1")
"""Corrected features with their versioned names: one row for every whole 5 s of a take, as clips that do not overlap share least."""

_FRECHET = "Heusel et al. 2017, extrapolated to endless clips after Chong and Forsyth 2020"
_KERNEL = "Bińkowski et al. 2018, unbiased"
_PAIRS = "choreia, mean over all pairs"
_MANIFOLD = "Kynkäänniemi et al. 2019"
_BALLS = "Naeem et al. 2020"

_REFERENCE_BOUND = "a reference set of other styles or of few dancers: all it knows of real dance is that set"
_FEW_TAKES = "many clips of few takes: clips of one take are alike, which reads as distance"


def _corrected(name: str, extractor: tuple[Features, str], score: Compare, about: tuple[Better, str, str], source: str, fooled_by: str,
               fewest: int = 2) -> SetMetric:  # fmt: skip
    """One of our own scores; `about`: direction, unit and range."""
    compare = Normalized(score, fewest)
    return SetMetric(About(name, "corrected", *about, source, fooled_by), extractor[0], compare, extractor[1], fewest=fewest)


def _of(letter: str, extractor: tuple[Features, str]) -> tuple[SetMetric, ...]:
    """FID, KID and diversity over one extractor."""
    distance: tuple[Better, str, str] = ("lower", SQUARED, "about 0 and up")
    return (
        _corrected(f"FID_{letter}", extractor, frechet_extrapolated, distance, _FRECHET, _REFERENCE_BOUND, fewest=4),
        _corrected(f"KID_{letter}", extractor, kernel_distance, ("lower", "kernel", "about 0 and up"), _KERNEL, _FEW_TAKES),
        _corrected(f"Div_{letter}", extractor, diversity_of_made, ("reference", DEVIATIONS, "[0, inf)"), _PAIRS,
                   f"takes that differ by fault: read it with FID_{letter}"),
    )  # fmt: skip


_SHARE: tuple[Better, str, str] = ("higher", "share", "[0, 1]")

METRICS: tuple[SetMetric, ...] = (
    *(entry for family in _FAMILIES for entry in family.entries()),
    *_UNIMUMO,
    *_of("k", KINETIC),
    *_of("g", GEOMETRIC),
    _corrected("precision", BOTH, manifold.precision, _SHARE, _MANIFOLD, "copies of one real take score 1"),
    _corrected("recall", BOTH, manifold.recall, _SHARE, _MANIFOLD, "a few wild takes far from all others raise it"),
    _corrected("density", BOTH, manifold.density, ("reference", "balls / k", "[0, inf)"), _BALLS, "copies of one crowded real take"),
    _corrected("coverage", BOTH, manifold.coverage, _SHARE, _BALLS, "more clips: 0.16 of 10 real takes, 0.72 of 80"),
)
