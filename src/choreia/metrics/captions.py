"""Scores of captions against references: BLEU, ROUGE-L, CIDEr-D, METEOR and a BERTScore, each a function of a whole corpus.

All cut texts into words with `words.tokens` (coco-caption runs the Java PTB tokenizer and drops punctuation, which comes to nearly the
same; published motion captions are cut by spaCy first, so the last digit of a published number is not to be compared).

Every one of them pays for sounding like the corpus. Take captions seldom differ much, so one caption said of every take scores high:
the corrected entries subtract what the best constant caption gets, and `against_shuffled` says what captions of other takes get.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from choreia.errors import ChoreiaError
from choreia.metrics.base import About, CaptionMetric, NullScore
from choreia.metrics.words import gram_vectors, stem, tokens
from choreia.text.encode import minilm_model

Words = list[str]
Score = Callable[[list[str], list[list[str]]], float]
"""From one candidate and its references an item to the score of the corpus."""

_BETA = 1.2  # of ROUGE-L: how much more recall counts
_SIGMA = 6.0  # of CIDEr-D: its tolerance for length, in bigrams
_LONGEST = 4  # n-grams of BLEU and CIDEr
CONSTANTS_TRIED = 32
"""How many of the commonest reference captions are tried as the constant caption."""


def validate_captions(candidates: list[str], references: list[list[str]]) -> tuple[list[Words], list[list[Words]]]:
    """Words of candidates and references; ChoreiaError when there are none, the counts differ, or an item has no reference."""
    if len(candidates) != len(references) or not candidates:
        raise ChoreiaError(f"{len(candidates)} captions for {len(references)} lists of references: give one caption for each list")
    for number, own in enumerate(references):
        if isinstance(own, str) or not own:
            raise ChoreiaError(f"item {number} has no list of references: give one or more captions in a list")
    return [tokens(text) for text in candidates], [[tokens(text) for text in own] for own in references]


def ngrams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    """How often each n-gram occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


# ------------------------------------------------------------------------------------------------------------------- BLEU


def bleu(candidates: list[str], references: list[list[str]], order: int = 4) -> float:
    """Corpus BLEU (Papineni et al. 2002) without smoothing, in [0, 1], higher is better.

    min(1, e^(1 − r/c)) · (Π_{n ≤ order} p_n)^(1/order): p_n are clipped n-gram counts summed over the corpus, c the words of all
    candidates, r those of the references nearest in length (the shorter of two). As coco-caption's `bleu_scorer.py`, option "closest"
    (from memory), which nlg-eval reports; it adds 1e-15 where this gives 0. MotionGPT's `mGPT/metrics/m2t.py` (read) calls nlgmetricverse.
    Fooled by one constant caption: unigrams of a narrow corpus nearly always match.
    """
    made, true = validate_captions(candidates, references)
    length = sum(map(len, made))
    nearest = sum(min((abs(len(r) - len(c)), len(r)) for r in own)[1] for c, own in zip(made, true, strict=True))
    shares = [_clipped_share(made, true, n) for n in range(1, order + 1)]
    if min(shares) == 0:
        return 0.0
    return math.exp(min(0.0, 1 - nearest / length) + sum(map(math.log, shares)) / order)


def _clipped_share(made: list[Words], true: list[list[Words]], n: int) -> float:
    """p_n: share of the candidates' n-grams found in a reference, none counted more often than there."""
    matched = total = 0
    for candidate, own in zip(made, true, strict=True):
        counts = ngrams(candidate, n)
        ceiling: Counter[tuple[str, ...]] = Counter()
        for reference in own:
            ceiling |= ngrams(reference, n)
        matched += (counts & ceiling).total()
        total += counts.total()
    return matched / total if total else 0.0


# ---------------------------------------------------------------------------------------------------------------- ROUGE-L


def rouge_l(candidates: list[str], references: list[list[str]]) -> float:
    """ROUGE-L (Lin 2004), mean over items of (1 + β²) P R / (R + β² P), β = 1.2, in [0, 1], higher is better.

    P and R are the longest common subsequence over the words of candidate and reference, each the best over the references, as in
    coco-caption's `rouge.py` (read in copies): with several references P and R may come from different ones.
    Fooled by function words in the usual order; MotionGPT reports the rouge_score package's ROUGE-L, β = 1 with its own words.
    """
    made, true = validate_captions(candidates, references)
    return float(np.mean([_rouge_item(candidate, own) for candidate, own in zip(made, true, strict=True)]))


def _rouge_item(candidate: Words, own: list[Words]) -> float:
    common = [common_subsequence(candidate, reference) for reference in own]
    precision = max(common) / max(1, len(candidate))
    recall = max(n / max(1, len(reference)) for n, reference in zip(common, own, strict=True))
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision) if precision and recall else 0.0


def common_subsequence(a: Words, b: Words) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        before = row
        row = [0]
        for j, other in enumerate(b):
            row.append(before[j] + 1 if word == other else max(before[j + 1], row[j]))
    return row[-1]


# ---------------------------------------------------------------------------------------------------------------- CIDEr-D


def cider_d(candidates: list[str], references: list[list[str]]) -> float:
    """CIDEr-D (Vedantam et al. 2015): mean over items of 10 × a clipped tf-idf cosine over 1- to 4-grams; 0 to 10, higher is better.

    A count weighs log(items) − log(items whose references hold the n-gram); each cosine is multiplied by exp(−Δ² / 2·6²), Δ the difference
    in length. As coco-caption's `cider_scorer.py` (read in copies), where Δ is counted in bigrams and the idf is the references' own.
    Its idf makes the number depend on the corpus: a corpus of one item, or of equal references, gives 0 even for a perfect caption.
    Fooled by copying a rare reference phrase.
    """
    made, true = validate_captions(candidates, references)
    seen: Counter[tuple[str, ...]] = Counter(gram for own in true for gram in {g for reference in own for g in _all_grams(reference)})
    weigh = partial(_tfidf, seen=seen, items=len(true))
    scores = []
    for candidate, own in zip(made, true, strict=True):
        vector = weigh(candidate)
        scores.append(np.mean([_cider_pair(vector, weigh(reference), len(candidate) - len(reference)) for reference in own]))
    return 10 * float(np.mean(scores))


def _all_grams(words: Words) -> Iterator[tuple[str, ...]]:
    return (gram for n in range(1, _LONGEST + 1) for gram in ngrams(words, n))


def _tfidf(words: Words, seen: Counter[tuple[str, ...]], items: int) -> list[dict[tuple[str, ...], float]]:
    """Weights of the n-grams of a text, one table for each n."""
    return [{g: k * math.log(items / max(1, seen[g])) for g, k in ngrams(words, n).items()} for n in range(1, _LONGEST + 1)]


def _cider_pair(made: list[dict[tuple[str, ...], float]], true: list[dict[tuple[str, ...], float]], longer: int) -> float:
    """Mean over n of the clipped cosine; `longer` words more than the reference are as many bigrams more."""
    similar = []
    for ours, theirs in zip(made, true, strict=True):
        norm = math.sqrt(sum(w * w for w in ours.values()) * sum(w * w for w in theirs.values()))
        product = sum(min(w, theirs[g]) * theirs[g] for g, w in ours.items() if g in theirs)
        similar.append(product / norm if norm else 0.0)
    return float(np.mean(similar)) * math.exp(-(longer**2) / (2 * _SIGMA**2))


# ----------------------------------------------------------------------------------------------------------------- METEOR


def meteor(candidates: list[str], references: list[list[str]]) -> float:
    """METEOR (exact+stem): mean over items of the best F · (1 − 0.5 (chunks / matches)³) of a reference, F = 10 P R / (R + 9 P); in [0, 1].

    Banerjee and Lavie's formula of 2005 with two of its matchers: equal words first, then equal stems (`words.stem`). METEOR 1.5, the jar
    behind published numbers, also matches WordNet synonyms and paraphrases, gives function words less weight and has fitted parameters, so
    its numbers are higher; compare only numbers made here. Words are matched from left to right, each to the place after the
    last match if it can be, which is not always the alignment of fewest chunks.
    Fooled by long captions: recall weighs nine times as much as precision.
    """
    made, true = validate_captions(candidates, references)
    return float(np.mean([max(_meteor_pair(c, reference) for reference in own) for c, own in zip(made, true, strict=True)]))


def _meteor_pair(candidate: Words, reference: Words) -> float:
    matched = align(candidate, reference)
    if not matched:
        return 0.0
    precision, recall = len(matched) / len(candidate), len(matched) / len(reference)
    places = sorted(matched.items())
    joined = sum(b == (a[0] + 1, a[1] + 1) for a, b in pairwise(places))
    chunks = len(matched) - joined
    return 10 * precision * recall / (recall + 9 * precision) * (1 - 0.5 * (chunks / len(matched)) ** 3)


def align(candidate: Words, reference: Words) -> dict[int, int]:
    """Places of the reference by places of the candidate: equal words, then equal stems, each place once."""
    matched: dict[int, int] = {}
    for form in (str, stem):
        ours, theirs = [form(word) for word in candidate], [form(word) for word in reference]
        for i, word in enumerate(ours):
            free = [j for j, other in enumerate(theirs) if other == word and j not in matched.values()]
            if i not in matched and free:
                follows = matched.get(i - 1, -1) + 1
                matched[i] = follows if follows in free else free[0]
    return matched


# -------------------------------------------------------------------------------------------------------------- BERTScore


@dataclass(frozen=True)
class Embedding:
    """Vectors (n, D) of the n words of a text, and the name under which a score is reported; contextual ones may look at all words."""

    name: str
    vectors: Callable[[Words], np.ndarray]


SPELLING = Embedding("character n-grams", gram_vectors)
"""Words are near when they are spelt alike. Needs nothing, knows nothing of meaning."""


def minilm() -> Embedding:
    """Contextual vectors of all-MiniLM-L6-v2's word pieces; ChoreiaError as of `text.encode.minilm_model`."""
    encode = partial(minilm_model().encode, output_value="token_embeddings", show_progress_bar=False)
    return Embedding("all-MiniLM-L6-v2", lambda words: encode(" ".join(words)).cpu().numpy()[1:-1])


def token_similarity(candidates: list[str], references: list[list[str]], embedding: Embedding = SPELLING) -> float:
    """BERTScore's F1 (Zhang et al. 2020) over a named embedding instead of RoBERTa: mean over items of the best reference, at most 1.

    Every word is matched to the nearest of the other side by cosine; P, R are means over words. No idf weights, and not rescaled by a
    baseline (MotionGPT does both), so numbers of real sentences crowd near the top. Fooled by any fluent caption of the domain.
    """
    made, true = validate_captions(candidates, references)
    vectors = [_unit(embedding.vectors(words)) for words in made]
    scores = [max(_greedy_f1(v, _unit(embedding.vectors(r))) for r in own) for v, own in zip(vectors, true, strict=True)]
    return float(np.mean(scores))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _greedy_f1(made: np.ndarray, true: np.ndarray) -> float:
    if not (len(made) and len(true)):
        return 0.0
    cosine = made @ true.T
    precision, recall = cosine.max(axis=1).mean(), cosine.max(axis=0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


# -------------------------------------------------------------------------------------------------- constants and shuffles


@dataclass(frozen=True)
class OverConstant:
    """A score minus what the best constant caption gets on the same references: at most 0 for captions that ignore the take."""

    score: Score

    def __call__(self, candidates: list[str], references: list[list[str]]) -> float:
        """Difference in the units of the score; finite, 0 is no better than saying one thing of everything."""
        return self.score(candidates, references) - best_constant(self.score, references)[1]


def best_constant(score: Score, references: list[list[str]]) -> tuple[str, float]:
    """The one caption that scores best when said of every item, among the commonest references, and its score."""
    common = Counter(caption for own in references for caption in own).most_common(CONSTANTS_TRIED)
    scored = [(score([caption] * len(references), references), caption) for caption, _ in common]
    value, caption = max(scored, default=(0.0, ""))
    return caption, value


def against_shuffled(score: Score, candidates: list[str], references: list[list[str]], draws: int = 100, seed: int = 0) -> NullScore:
    """The score beside the same captions dealt out to other items at random: what fluency alone is worth."""
    value, rng = score(candidates, references), np.random.default_rng(seed)
    null = np.array([score([candidates[i] for i in rng.permutation(len(candidates))], references) for _ in range(draws)])
    mean, std = float(null.mean()), float(null.std())
    as_good = float(np.mean(null >= value - 1e-12))
    varied = std > 1e-9
    z = (value - mean) / std if varied else None
    return NullScore("captions shuffled", mean, std, z, (1 + as_good * draws) / (1 + draws), mean >= value - 1e-12)


_CONSTANT = "one constant caption: the commonest words of a narrow corpus match almost everywhere"
_COPYING = "copying a reference of another take: fluent, wrong, and full of matching n-grams"


def _about(name: str, source: str, fooled_by: str, top: str = "1") -> About:
    return About(name, "nlg", "higher", "1", f"0 to {top}", source, fooled_by)


def _over_constant(metric: CaptionMetric) -> CaptionMetric:
    source = f"{metric.about.source}; minus the score of the best constant caption"
    fooled_by = "guessing the class alone: two or three stock captions already beat one"
    about = About(
        f"{metric.about.name} over constant", "corrected", "higher", metric.about.unit, "0 is a constant caption", source, fooled_by
    )
    return CaptionMetric(about, OverConstant(metric.score))


PUBLISHED: tuple[CaptionMetric, ...] = (
    *(
        CaptionMetric(_about(f"BLEU-{n}", "Papineni et al. 2002, coco-caption bleu_scorer.py (closest)", _CONSTANT), partial(bleu, order=n))
        for n in (1, 2, 3, 4)
    ),
    CaptionMetric(_about("ROUGE-L", "Lin 2004, coco-caption rouge.py", "the usual function words in the usual order"), rouge_l),
    CaptionMetric(_about("CIDEr-D", "Vedantam et al. 2015, coco-caption cider_scorer.py", _COPYING, "10"), cider_d),
    CaptionMetric(_about("METEOR (exact+stem)", "Banerjee and Lavie 2005, without WordNet", "long captions: recall weighs 9 to 1"), meteor),
    CaptionMetric(_about(f"BERTScore ({SPELLING.name})", "Zhang et al. 2020, words embedded by spelling", _CONSTANT), token_similarity),
)
"""Scores as the field reports them."""

METRICS: tuple[CaptionMetric, ...] = (*PUBLISHED, *(_over_constant(metric) for metric in PUBLISHED[3:]))
