"""Whether modalities agree in a shared space: coherence of music, motion and picture, and consistency of style.

The musical-theatre paper defines both in words alone ("tri-modal latent space cosine correlation", "style vector cosine similarity")
and has no code; the formulas of the dialect "theatre" are our reading. A plain cosine is won by embeddings that all point one way,
whatever they embed: so each has companions in which a constant scores 0.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics.base import About, LatentMetric, Metric, measurable

MODALITIES = ("music", "motion", "visual")
STYLE = ("style", "target")
STYLES = (*STYLE, "styles")

_NOTHING = 1e-12  # share of a latent's energy under which what is left of it is rounding
_SHIFTS = 100

Latents = dict[str, np.ndarray]


def cmc(latents: Latents) -> float:
    """CMC: cosine of two modalities' latents at the same time, mean over time and over the three pairs; in [-1, 1], higher is better.

    Latents "music", "motion", "visual" (T, d) or (d,). NaN when a latent is zero. Collapsed embeddings, one vector whatever is
    embedded, score 1.
    """
    tracks = _tracks(latents, MODALITIES)
    return float(np.mean([_cosine(a, b).mean() for a, b in combinations(tracks, 2)]))


def centred_cmc(latents: Latents) -> float:
    """CMC of what varies: every modality less its mean over time, the cosine of the whole tracks, mean over the pairs; in [-1, 1].

    A modality that never varies agrees with none: its pairs are 0. Needs one latent width and time: (T, d).
    """
    tracks = [_centred(track) for track in _tracks(latents, MODALITIES)]
    return float(np.mean([_flat_cosine(a, b) for a, b in combinations(tracks, 2)]))


def cka(latents: Latents) -> float:
    """Linear centred kernel alignment of the modalities over time, mean over the pairs: about 0 when unrelated, 1 when one is a rotated
    and scaled copy of the other, whatever their axes.

    The inner products of each modality's frames are compared with the unbiased estimator of HSIC (Song et al. 2012), because the
    plain one tends to 1 for few frames of wide latents. 0 under four frames and for a modality that never varies.
    """
    tracks = [_centred(track) for track in _tracks(latents, MODALITIES, same_width=False)]
    return float(np.mean([_debiased_cka(a, b) for a, b in combinations(tracks, 2)]))


def cmc_over_shifts(latents: Latents) -> float:
    """How much `centred_cmc` exceeds its mean when music and picture slide against the motion: 0 when the agreement is not one of time."""
    return centred_cmc(latents) - float(np.mean(shifted(latents, centred_cmc)))


def shifted(latents: Latents, score: Callable[[Latents], float], draws: int = _SHIFTS, seed: int = 0) -> np.ndarray:
    """Null values (draws,) of a score of tracks: every modality but the motion is slid in time, circularly, by its own random shift.

    A track shorter than two frames cannot slide: its null is the score itself.
    """
    rng = np.random.default_rng(seed)
    return np.array([score({name: _slid(name, np.asarray(track), rng) for name, track in latents.items()}) for _ in range(draws)])


def sci(latents: Latents) -> float:
    """SCI: cosine of the style embedding and the target style, mean over time; in [-1, 1], higher is better.

    Latents "style" (T, d) or (d,), "target" the same or one vector for all of it. NaN when one is zero. Collapsed embeddings score 1
    for every style.
    """
    (style,), (target,) = (_tracks(latents, (name,)) for name in STYLE)
    if style.shape[1] != target.shape[1] or len(target) not in (1, len(style)):
        raise ChoreiaError(f"the target style must be one vector, or as the style is, {style.shape}, not {target.shape}")
    return float(_cosine(style, np.broadcast_to(target, style.shape)).mean())


def centred_sci(latents: Latents) -> float:
    """SCI less what all styles share: cosine of style and target after the mean of "styles" (K, d), one row a style, is taken from both.

    0 when nothing is left of either.
    """
    style, target, styles = _mean_styles(latents)
    centre = styles.mean(axis=0)
    return _flat_cosine(_without(style, centre), _without(target, centre))


def style_margin(latents: Latents) -> float:
    """Cosine with the target style less that with the nearest other of "styles" (K, d): above 0 when a nearest-style judge would guess
    the target, 0 for collapsed embeddings; in [-2, 2]."""
    style, target, styles = _mean_styles(latents)
    others = styles[np.abs(styles - target).max(axis=1) > _NOTHING]
    nearest = max((_flat_cosine(style, other) for other in others), default=_flat_cosine(style, target))
    return _flat_cosine(style, target) - nearest


def _tracks(latents: Latents, names: tuple[str, ...], same_width: bool = True) -> list[np.ndarray]:
    """Latents as float64 (T, d) of one length; ChoreiaError when one is missing, not finite, or of another shape."""
    missing = [name for name in names if name not in latents]
    if missing:
        raise ChoreiaError(f"no {missing[0]!r} latents: give {', '.join(names)}")
    tracks = [np.atleast_2d(np.asarray(latents[name], np.float64)) for name in names]
    sizes = {track.shape if same_width else track.shape[:1] for track in tracks}
    if len(sizes) > 1 or any(track.ndim != 2 or not track.size for track in tracks):
        shapes = ", ".join(f"{name} {track.shape}" for name, track in zip(names, tracks, strict=True))
        raise ChoreiaError(f"latents must be (T, d) of one shape, not {shapes}")
    for name, track in zip(names, tracks, strict=True):
        if not measurable(track):
            raise ChoreiaError(f"{name} latents are not all finite, or far too large: look for empty or broken items")
    return tracks


def _mean_styles(latents: Latents) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Style and target (d,), means over time, and all styles (K, d)."""
    (style,), (target,), (styles,) = (_tracks(latents, (name,)) for name in STYLES)
    if not style.shape[1] == target.shape[1] == styles.shape[1]:
        raise ChoreiaError(f"style, target and styles must share one width, not {style.shape[1]}, {target.shape[1]} and {styles.shape[1]}")
    return style.mean(axis=0), target.mean(axis=0), styles


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of the rows of two (T, d) tracks, (T,); NaN where a row is zero."""
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), size, out=np.full(len(a), np.nan), where=size > 0)


def _flat_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two arrays as one vector each; 0 when one is zero."""
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float((a * b).sum() / size) if size > 0 else 0.0


def _centred(track: np.ndarray) -> np.ndarray:
    return _without(track, track.mean(axis=0))


def _without(track: np.ndarray, part: np.ndarray) -> np.ndarray:
    """A track less a part of it; exactly zero where only rounding would be left."""
    rest = track - part
    return rest if np.sum(rest**2) > _NOTHING * np.sum(track**2) else np.zeros_like(rest)


def _debiased_cka(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 4:
        return 0.0
    gram_a, gram_b = a @ a.T, b @ b.T
    size = _hsic(gram_a, gram_a) * _hsic(gram_b, gram_b)
    return float(_hsic(gram_a, gram_b) / np.sqrt(size)) if size > 0 else 0.0


def _hsic(gram_a: np.ndarray, gram_b: np.ndarray) -> float:
    """Unbiased HSIC of two Gram matrices (T, T), but for the factor that cancels in the ratio: Song et al., JMLR 13 (2012), equation 5."""
    count = len(gram_a)
    first, second = gram_a - np.diag(np.diag(gram_a)), gram_b - np.diag(np.diag(gram_b))
    sums = first.sum() * second.sum() / ((count - 1) * (count - 2))
    return float(np.sum(first * second) + sums - 2 / (count - 2) * first.sum(axis=0) @ second.sum(axis=0))


def _slid(name: str, track: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if name == "motion" or track.ndim < 2 or len(track) < 2:
        return track
    return np.roll(track, int(rng.integers(1, len(track))), axis=0)


_WORDS = "our reading of the musical-theatre paper, table 1, which has no code; named theatre-1"

METRICS: tuple[Metric, ...] = (
    LatentMetric(About("CMC", "theatre", "higher", "1", "[-1, 1]", _WORDS, "collapsed embeddings score 1"), cmc, MODALITIES),
    LatentMetric(About("SCI", "theatre", "higher", "1", "[-1, 1]", _WORDS, "collapsed embeddings score 1 for every style"), sci, STYLE),
    LatentMetric(
        About("CMC centred", "corrected", "higher", "1", "[-1, 1]", "CMC less each mean over time", "latents that share only a slow trend"),
        centred_cmc,
        MODALITIES,
    ),
    LatentMetric(
        About(
            "CKA",
            "corrected",
            "higher",
            "1",
            "[-1, 1]",
            "Kornblith et al. 2019 with the HSIC of Song et al. 2012",
            "latents that share only a slow trend",
        ),
        cka,
        MODALITIES,
    ),
    LatentMetric(
        About(
            "CMC over shifts",
            "corrected",
            "higher",
            "1",
            "[-2, 2]",
            "CMC centred less its mean under time shifts",
            "encoders that leak the clock",
        ),
        cmc_over_shifts,
        MODALITIES,
    ),
    LatentMetric(
        About(
            "SCI centred", "corrected", "higher", "1", "[-1, 1]", "SCI less the mean of all styles", "two styles alone are always opposite"
        ),
        centred_sci,
        STYLES,
    ),
    LatentMetric(
        About(
            "style margin",
            "corrected",
            "higher",
            "1",
            "[-2, 2]",
            "target less nearest other style",
            "an encoder trained on the generator's output",
        ),
        style_margin,
        STYLES,
    ),
)
