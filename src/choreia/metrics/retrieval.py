"""Do motions find their texts? R-precision, matching distance, diversity and multimodality of embeddings in one space.

The published protocol ranks 32 motions for each text in random batches. The number is meaningless without the 32 (among all
motions of a test set it is far lower), and a second take of the same caption counts as a mistake. The corrected version takes the
expectation over all batches at once, so it needs no seed and no whole number of batches, draws wrong candidates from other captions only,
and shares ties fairly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import hypergeom

from choreia.errors import ChoreiaError
from choreia.metrics import frechet
from choreia.metrics.base import About, RetrievalMetric, validate_sets

BATCH = 32
"""Candidates of a query in the HumanML3D protocol, the right one among them."""
REPLICATIONS = 20
DIVERSITY_PAIRS = 300
MULTIMODALITY_PAIRS = 10


@dataclass(frozen=True)
class Retrieval:
    """Corrected retrieval of `n` pairs among `batch` candidates: shares found at rank 1, 2 and 3, and the share that chance finds at each;
    `distance` matched over mismatched distance, 1 at chance."""

    n: int
    batch: int
    top1: float
    top2: float
    top3: float
    distance: float
    chance: tuple[float, float, float]


def validate_pairs(motions: np.ndarray, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of motions and texts, both (N, d) float64, N ≥ 2; ChoreiaError when they are not pairs."""
    first, second = validate_sets(motions, texts)
    if len(first) != len(second):
        raise ChoreiaError(f"{len(first)} motions and {len(second)} texts are not pairs: give row i of both for pair i")
    return first, second


def distances(texts: np.ndarray, motions: np.ndarray) -> np.ndarray:
    """Euclidean distance of every text (rows) to every motion (columns)."""
    squared = (texts**2).sum(1)[:, None] + (motions**2).sum(1)[None] - 2 * texts @ motions.T
    return np.sqrt(np.maximum(squared, 0))


# ----------------------------------------------------------------------------------------------------------- as published


def r_precision(motions: np.ndarray, texts: np.ndarray, top: int = 1, replications: int = REPLICATIONS, seed: int = 0) -> float:
    """R-precision of HumanML3D: share of texts whose own motion is among the `top` nearest of a batch of 32; chance is top / 32.

    Pairs are shuffled and cut into batches of 32, the rest dropped, `replications` times. As MotionGPT's `mGPT/metrics/t2m.py` (read),
    with ties broken by place. NaN below 32 pairs, where the published code stops.
    Fooled by duplicates (another take of the same caption is a miss) and by smaller batches; a generator trained against the same
    evaluator scores above real motion.
    """
    first, second = validate_pairs(motions, texts)
    rng = np.random.default_rng(seed)
    hits = [hit for _ in range(replications) for order in _batches(len(first), rng) for hit in _hits(first[order], second[order], top)]
    return float(np.mean(hits)) if hits else float("nan")


def _batches(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A random order of n items in whole batches of 32."""
    order = rng.permutation(n)
    return [order[at : at + BATCH] for at in range(0, n - BATCH + 1, BATCH)]


def _hits(motions: np.ndarray, texts: np.ndarray, top: int) -> np.ndarray:
    nearest = np.argsort(distances(texts, motions), axis=1, kind="stable")[:, :top]
    return (nearest == np.arange(len(texts))[:, None]).any(axis=1)


def mm_distance(motions: np.ndarray, texts: np.ndarray) -> float:
    """MM-Dist of HumanML3D: mean Euclidean distance between a motion and its own text, in units of the embedding; lower is better.

    As MotionGPT's `mGPT/metrics/t2m.py`, over all pairs instead of whole batches. Fooled by shrinking: embeddings half as long score half.
    """
    first, second = validate_pairs(motions, texts)
    return float(np.linalg.norm(first - second, axis=1).mean())


def diversity(motions: np.ndarray, pairs: int = DIVERSITY_PAIRS, seed: int = 0) -> float:
    """Diversity of HumanML3D: mean distance between `pairs` random motions and as many others; the nearer to real motion's the better.

    Both sides are drawn without repetition and independently, so that a motion may meet itself, as in MotionGPT's
    `calculate_diversity_np` (read). NaN for `pairs` motions or fewer, where the published code stops. Fooled by noise, which is diverse.
    """
    points = np.asarray(motions, np.float64)
    if len(points) <= pairs:
        return float("nan")
    rng = np.random.default_rng(seed)
    first, second = (rng.choice(len(points), pairs, replace=False) for _ in range(2))
    return float(np.linalg.norm(points[first] - points[second], axis=1).mean())


def multimodality(samples: np.ndarray, pairs: int = MULTIMODALITY_PAIRS, seed: int = 0) -> float:
    """MModality of HumanML3D: embeddings (texts, samples, d) of several motions of each text, mean distance between two of one text.

    `pairs` samples against as many others, the same places for every text, as in MotionGPT's `calculate_multimodality_np` (read); NaN for
    `pairs` samples or fewer. Fooled by motions that ignore the text: they vary most.
    """
    points = np.asarray(samples, np.float64)
    if points.ndim != 3:
        raise ChoreiaError(f"multimodality needs embeddings (texts, samples, d), not {points.shape}")
    if points.shape[1] <= pairs:
        return float("nan")
    rng = np.random.default_rng(seed)
    first, second = (rng.choice(points.shape[1], pairs, replace=False) for _ in range(2))
    return float(np.linalg.norm(points[:, first] - points[:, second], axis=2).mean())


def multimodality_of_pairs(motions: np.ndarray, texts: np.ndarray) -> float:
    """`multimodality` of the texts that have more than 10 motions, as many of each as the least of them has; NaN where no text has.

    The protocol makes 30 motions for each of 100 texts; here equal text embeddings are one text.
    """
    groups = [group for group in _by_text(*validate_pairs(motions, texts)) if len(group) > MULTIMODALITY_PAIRS]
    least = min(map(len, groups), default=0)
    return multimodality(np.stack([group[:least] for group in groups])) if groups else float("nan")


def _by_text(motions: np.ndarray, texts: np.ndarray) -> list[np.ndarray]:
    """Motions (k, d) of each text."""
    names = _numbered(texts)
    return [motions[names == name] for name in range(names.max() + 1)]


def _numbered(texts: np.ndarray) -> np.ndarray:
    """A number (N,) for each different text embedding."""
    return np.unique(np.round(texts, 9), axis=0, return_inverse=True)[1].ravel()


# -------------------------------------------------------------------------------------------------------------- corrected


def r_precision_distinct(motions: np.ndarray, texts: np.ndarray, top: int = 1, batch: int | None = BATCH,
                         captions: Sequence[str] | None = None) -> float:  # fmt: skip
    """Expected share of texts whose own motion is among the `top` nearest of itself and `batch` − 1 motions of other captions.

    `captions` say which pairs are the same; without them, equal text embeddings do. `batch` None ranks among all motions of other
    captions. Fewer than `batch` candidates: all there are. Ties share their places. Always finite; chance is `chance_level`.
    """
    first, second = validate_pairs(motions, texts)
    gap = distances(second, first)
    other = ~same_caption(second, captions)
    own = np.diagonal(gap)[:, None]
    tied = np.abs(gap - own) <= 1e-9 * (1 + own)
    nearer = (other & (gap < own) & ~tied).sum(1)
    counts = zip(nearer, (other & tied).sum(1), other.sum(1), strict=True)
    return float(np.mean([_found(int(n), int(t), int(m), _drawn(int(m), batch), top) for n, t, m in counts]))


def _drawn(others: int, batch: int | None) -> int:
    return others if batch is None else min(batch - 1, others)


def _found(nearer: int, tied: int, others: int, drawn: int, top: int) -> float:
    """Chance that fewer than `top` of the `drawn` out of `others` candidates come before the right one, over all places among ties."""
    before = nearer + np.arange(tied + 1)
    return float(hypergeom.cdf(top - 1, others, before, drawn).mean())


def same_caption(texts: np.ndarray, captions: Sequence[str] | None = None) -> np.ndarray:
    """Which pairs of items say the same, (N, N) bool; ChoreiaError when all do, for then there is nothing to choose from."""
    if captions is not None and len(captions) != len(texts):
        raise ChoreiaError(f"{len(captions)} captions for {len(texts)} texts: give one each")
    keys = np.asarray(captions) if captions is not None else _numbered(texts)
    same = keys[:, None] == keys[None]
    if same.all():
        raise ChoreiaError("every item has the same caption: retrieval needs two or more")
    return same


def chance_level(texts: np.ndarray, top: int = 1, batch: int | None = BATCH, captions: Sequence[str] | None = None) -> float:
    """What `r_precision_distinct` gives on average to embeddings that know nothing: top / batch, more where candidates are short."""
    others = (~same_caption(np.asarray(texts, np.float64), captions)).sum(1)
    return float(np.mean([min(1.0, top / (1 + _drawn(int(m), batch))) for m in others]))


def relative_distance(motions: np.ndarray, texts: np.ndarray, captions: Sequence[str] | None = None) -> float:
    """Mean distance of a motion to its own text over that to texts of other captions: 1 at chance, lower is better, whatever the scale."""
    first, second = validate_pairs(motions, texts)
    gap = distances(second, first)
    other = ~same_caption(second, captions)
    return float(np.diagonal(gap).mean() / max(gap[other].mean(), 1e-12))


def diversity_within_texts(motions: np.ndarray, texts: np.ndarray) -> float:
    """Mean distance between motions of one text over that between motions of different texts: 1 for motions that ignore the text, 0 for
    one motion a text; real motion's own is the aim. All pairs of both kinds count; ChoreiaError when there is no pair of either."""
    first, second = validate_pairs(motions, texts)
    gap, same = distances(first, first), same_caption(second)
    within = same & ~np.eye(len(first), dtype=bool)
    if not within.any():
        raise ChoreiaError("no text has two motions: diversity within a text needs some that do")
    return float(gap[within].mean() / max(gap[~same].mean(), 1e-12))


def retrieve(motions: np.ndarray, texts: np.ndarray, captions: Sequence[str] | None = None, batch: int = BATCH) -> Retrieval:
    """All corrected numbers of a set of pairs, beside chance."""
    top1, top2, top3 = (r_precision_distinct(motions, texts, k, batch, captions) for k in (1, 2, 3))
    chance = tuple(chance_level(texts, k, batch, captions) for k in (1, 2, 3))
    return Retrieval(len(texts), batch, top1, top2, top3, relative_distance(motions, texts, captions), chance)  # type: ignore[arg-type]


def _diversity_of_pairs(motions: np.ndarray, texts: np.ndarray) -> float:
    """`diversity` of the motions."""
    return diversity(validate_pairs(motions, texts)[0])


def _all_pairs_diversity(motions: np.ndarray, texts: np.ndarray) -> float:
    """Mean distance over all pairs of motions."""
    return frechet.diversity(validate_pairs(motions, texts)[0])


_SOURCE = "HumanML3D (Guo et al. 2022) as in MotionGPT mGPT/metrics/t2m.py"
_ABOVE_REAL = "a generator trained with the evaluator's own encoder: it beats real motion"


def _top(k: int) -> tuple[RetrievalMetric, ...]:
    """The entries for one rank: published, corrected, and among all motions."""
    chance = f"0 to 1, chance {k}/{BATCH}"
    published = About(f"R-precision top {k}", "humanml3d", "higher", "1", chance, f"{_SOURCE}, batch {BATCH}, {REPLICATIONS} shuffles",
                      "a smaller batch; captions that occur twice count as misses")  # fmt: skip
    distinct = About(f"R@{k} of {BATCH} distinct", "corrected", "higher", "1", chance,
                     f"expectation over batches of {BATCH} with other captions only", _ABOVE_REAL)  # fmt: skip
    whole = About(f"R@{k} full set", "corrected", "higher", "1", "0 to 1, chance falls with the set",
                  "rank among all motions of other captions", "a smaller test set: name its size")  # fmt: skip
    return (
        RetrievalMetric(published, partial(r_precision, top=k)),
        RetrievalMetric(distinct, partial(r_precision_distinct, top=k)),
        RetrievalMetric(whole, partial(r_precision_distinct, top=k, batch=None)),
    )


METRICS: tuple[RetrievalMetric, ...] = (
    *(entry for k in (1, 2, 3) for entry in _top(k)),
    RetrievalMetric(About("MM-Dist", "humanml3d", "lower", "embedding", "0 and up", _SOURCE, "embeddings of half the length"), mm_distance),
    RetrievalMetric(
        About("Diversity", "humanml3d", "reference", "embedding", "0 and up", f"{_SOURCE}, 300 pairs", "noise, which is diverse"),
        _diversity_of_pairs,
    ),
    RetrievalMetric(
        About(
            "MModality", "humanml3d", "reference", "embedding", "0 and up", f"{_SOURCE}, 10 pairs a text", "motions that ignore the text"
        ),
        multimodality_of_pairs,
    ),
    RetrievalMetric(
        About("relative MM-Dist", "corrected", "lower", "1", "0 and up, chance 1", "matched over mismatched distance", _ABOVE_REAL),
        relative_distance,
    ),
    RetrievalMetric(
        About(
            "Diversity of all pairs", "corrected", "reference", "embedding", "0 and up", "mean over all pairs", "noise, which is diverse"
        ),
        _all_pairs_diversity,
    ),
    RetrievalMetric(
        About(
            "MModality over diversity",
            "corrected",
            "reference",
            "1",
            "0 and up, 1 where texts are ignored",
            "distance within over distance between texts",
            "noise added to every motion",
        ),
        diversity_within_texts,
    ),
)
