"""Laws of the caption and retrieval metrics: numbers worked by hand, other people's implementations, and the traps."""

import math
import pickle

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics import captions, retrieval, words
from choreia.metrics.base import About, RetrievalMetric
from choreia.metrics.captions import (
    METRICS,
    OverConstant,
    against_shuffled,
    best_constant,
    bleu,
    cider_d,
    meteor,
    rouge_l,
    token_similarity,
)
from choreia.metrics.evaluate import Evidence, results

THE = "the the the the the the the"
CAT, MAT = "the cat is on the mat", "there is a cat on the mat"
TAKES = ["a person walks in a circle", "a dancer spins on one foot", "someone jumps over a box", "two arms wave above the head"]
REFERENCES = [[text] for text in TAKES]


def test_words_are_cut_as_stated():
    assert words.tokens("Step-touch, it's 90° LEFT; pas de bourrée.") == ["step", "touch", "it's", "90", "left", "pas", "de", "bourrée"]
    assert words.tokens("...") == []
    assert len({words.stem(w) for w in ("dance", "dances", "danced", "dancing", "dancer")}) == 1
    assert len({words.stem(w) for w in ("step", "steps", "stepped", "stepping")}) == 1
    assert words.stem("kick") != words.stem("pick") and words.stem("sing") == "sing"


def test_bleu_of_papineni_by_hand():
    assert bleu([THE], [[CAT, MAT]], 1) == pytest.approx(2 / 7)
    assert bleu([THE], [[CAT, MAT]], 2) == 0
    # 5 of 6 words, 3 of 5 pairs, length equal: no penalty
    assert bleu(["the cat sat on the mat"], [[CAT]], 2) == pytest.approx(math.sqrt(5 / 6 * 3 / 5))
    assert bleu(["the cat"], [[CAT]], 1) == pytest.approx(math.exp(1 - 6 / 2))


def test_bleu_sums_over_the_corpus_before_dividing():
    made, true = ["a b", "c d e f g h"], [["a b"], ["x x x x x x"]]
    assert bleu(made, true, 1) == pytest.approx(2 / 8)


def test_bleu_and_meteor_agree_with_other_implementations_where_installed():
    made = ["a person walks forward and turns left", "someone waves both arms above the head", "the dancer jumps twice"]
    true = [["a person walks ahead and turns left", "a man walks forward"], ["a figure waves both arms"], ["the dancer jumps up twice"]]
    sacrebleu = pytest.importorskip("sacrebleu")
    columns = [[own[k] if k < len(own) else None for own in true] for k in range(2)]
    theirs = sacrebleu.corpus_bleu(made, columns, smooth_method="none", tokenize="none", lowercase=True)
    assert 100 * bleu(made, true) == pytest.approx(theirs.score)


def test_bleu_agrees_with_nltk_where_installed():
    translate = pytest.importorskip("nltk.translate.bleu_score")
    made, true = (
        ["a person walks forward and turns left", "the dancer jumps twice"],
        [["a person walks and turns left"], ["a dancer jumps twice"]],
    )
    cut = [[words.tokens(text) for text in own] for own in true]
    for n in (1, 2, 3):
        theirs = translate.corpus_bleu(cut, [words.tokens(text) for text in made], weights=(1 / n,) * n)
        assert bleu(made, true, n) == pytest.approx(theirs)


def test_rouge_l_by_hand():
    # "police the gunman" is the longest common subsequence "police … gunman" of Lin's example: 3 of 4 words either way
    assert rouge_l(["police kill the gunman"], [["police killed the gunman"]]) == pytest.approx(3 / 4)
    precision, recall = 2 / 3, 2 / 4
    expected = 2.44 * precision * recall / (recall + 1.44 * precision)
    assert rouge_l(["a x b"], [["a b c d"]]) == pytest.approx(expected)
    assert rouge_l(["a"], [["b"]]) == 0
    assert captions.common_subsequence(list("abcbdab"), list("bdcaba")) == 4


def test_cider_d_by_hand():
    # two items, no word shared: every n-gram has idf log 2; a perfect caption has cosine 1 for n = 1 and 2 and none for 3 and 4
    assert cider_d(["walk left", "jump high"], [["walk left"], ["jump high"]]) == pytest.approx(10 * 2 / 4)
    # half of the unigrams, none of the pairs: cosine 1/2 for n = 1 alone
    assert cider_d(["walk right", "jump high"], [["walk left"], ["jump high"]]) == pytest.approx(10 * (0.5 / 4 + 2 / 4) / 2)
    # said twice: two words too many; clipped, each unigram counts once against (2, 2), each pair once against (2, 1)
    twice = 10 * math.exp(-4 / 72) * ((2 / math.sqrt(8 * 2)) + (1 / math.sqrt((4 + 1) * 1))) / 4
    assert cider_d(["walk left walk left", "x"], [["walk left"], ["jump high"]]) == pytest.approx(twice / 2)


def test_cider_d_depends_on_the_corpus():
    assert cider_d(["walk left"], [["walk left"]]) == 0


def test_meteor_by_hand():
    assert meteor([CAT], [[CAT]]) == pytest.approx(1 - 0.5 / 6**3)
    # "walk" and "walks" share a stem; one chunk of 2: F = 10·1·(2/3) / (2/3 + 9)
    f = 10 * (2 / 3) / (2 / 3 + 9)
    assert meteor(["walk left"], [["walks left slowly"]]) == pytest.approx(f * (1 - 0.5 / 8))
    assert meteor(["b a"], [["a b"]]) == pytest.approx(0.5)
    assert meteor(["up"], [["down"]]) == 0
    assert meteor(["up", "down"], [["x", "up"], ["x"]]) == pytest.approx((1 - 0.5) / 2)


def test_token_similarity_is_one_on_equals_and_knows_spelling_only():
    same = token_similarity(["he dances"], [["he dances"]])
    near, far = token_similarity(["he dances"], [["he danced"]]), token_similarity(["he dances"], [["he twirls"]])
    assert same == pytest.approx(1) and same > near > far + 0.1
    axes = captions.Embedding("axes", lambda text: np.eye(3)[[("abc").index(word) for word in text]])
    assert token_similarity(["a b"], [["a c"]], axes) == pytest.approx(0.5)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.about.name)
def test_every_entry_is_finite_sendable_and_the_same_in_any_order(metric):
    assert np.isfinite(metric.score(["", ""], [["a"], ["b"]]))
    made = [*TAKES[:2], "a box", "a head"]
    value = metric.score(made, REFERENCES)
    assert value == pytest.approx(metric.score(made[::-1], REFERENCES[::-1]))
    assert pickle.loads(pickle.dumps(metric)).score(made, REFERENCES) == value
    assert metric.score(TAKES, REFERENCES) > metric.score([TAKES[i] for i in (1, 2, 3, 0)], REFERENCES)


def test_one_constant_caption_fools_the_published_and_not_the_corrected():
    takes = [f"a person walks {way} and then stops" for way in ("forward", "backward", "left", "right", "slowly", "quickly")]
    references, constant = [[text] for text in takes], ["a person walks and then stops"] * 6
    for metric in (meteor, rouge_l):
        assert metric(constant, references) > 0.8
        assert OverConstant(metric)(constant, references) < 0.05
        assert OverConstant(metric)([takes[0]] * 6, references) <= 1e-12
    assert best_constant(meteor, references)[0] in takes


def test_copies_of_other_captions_are_no_better_than_shuffled_ones():
    right = against_shuffled(rouge_l, TAKES, REFERENCES, draws=40, seed=1)
    copied = against_shuffled(rouge_l, [TAKES[0]] * 4, REFERENCES, draws=40, seed=1)
    assert right.z > 1.5 and right.p <= 0.2 and not right.reached
    assert copied.z is None and copied.reached and copied.p == 1


def test_bad_captions_are_answered_in_words():
    for made, true in ((["a"], []), ([], []), (["a"], [[]]), (["a"], ["not a list"])):
        with pytest.raises(ChoreiaError, match="caption"):
            bleu(made, true)


# --------------------------------------------------------------------------------------------------------------- retrieval


def pairs(n: int, noise: float, d: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(n, d))
    return texts + noise * rng.normal(size=(n, d)), texts


def test_perfect_and_blind_embeddings():
    motions, texts = pairs(128, 0.0)
    blind = np.random.default_rng(9).normal(size=texts.shape)
    for k in (1, 2, 3):
        assert retrieval.r_precision(motions, texts, k) == retrieval.r_precision_distinct(motions, texts, k) == 1
        assert retrieval.r_precision(blind, texts, k) == pytest.approx(k / 32, abs=0.035)
        assert retrieval.chance_level(texts, k) == pytest.approx(k / 32)
    assert retrieval.mm_distance(motions, texts) == 0
    assert retrieval.relative_distance(blind, texts) == pytest.approx(1, abs=0.05)


def test_the_corrected_number_is_the_published_one_over_very_many_batches():
    motions, texts = pairs(80, 1.3)
    for k in (1, 3):
        many = retrieval.r_precision(motions, texts, k, replications=600, seed=3)
        assert retrieval.r_precision_distinct(motions, texts, k) == pytest.approx(many, abs=0.01)


def test_rank_in_a_batch_by_hand():
    # four texts on a line; motion 0 lies nearer to texts 1 than its own: text 0 finds it second of four
    texts, motions = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[-1.5], [0.9], [2.1], [3.1]])
    assert retrieval.r_precision_distinct(motions, texts, 1, batch=None) == pytest.approx(3 / 4)
    assert retrieval.r_precision_distinct(motions, texts, 2, batch=None) == 1
    # with one of three wrong motions drawn, text 0 loses a third of the time
    assert retrieval.r_precision_distinct(motions, texts, 1, batch=2) == pytest.approx((2 / 3 + 3) / 4)


def test_trap_the_batch_changes_the_number():
    motions, texts = pairs(400, 1.6)
    small, usual, whole = (retrieval.r_precision_distinct(motions, texts, 1, batch) for batch in (8, 32, None))
    assert small > usual + 0.1 > whole + 0.2


def test_trap_duplicate_captions_count_as_misses_only_as_published():
    motions, texts = pairs(16, 0.0)
    motions, texts = np.repeat(motions, 4, axis=0), np.repeat(texts, 4, axis=0)
    assert retrieval.r_precision(motions, texts) < 0.6
    assert retrieval.r_precision_distinct(motions, texts) == 1
    assert retrieval.r_precision_distinct(motions, texts, captions=[f"caption {i // 4}" for i in range(64)]) == 1


def test_collapsed_embeddings_score_as_chance():
    motions = np.zeros((64, 4))
    texts = pairs(64, 0.0, 4)[1]
    assert retrieval.r_precision_distinct(motions, texts) == pytest.approx(1 / 32)
    assert retrieval.r_precision_distinct(motions, texts, 3) == pytest.approx(3 / 32)


def test_retrieval_does_not_depend_on_order_rotation_or_scale():
    motions, texts = pairs(50, 1.0)
    order = np.random.default_rng(1).permutation(50)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(16, 16)))[0]
    before = retrieval.retrieve(motions, texts)
    for m, t in ((motions[order], texts[order]), (motions @ turn, texts @ turn), (3 * motions, 3 * texts)):
        after = retrieval.retrieve(m, t)
        assert (after.top1, after.top3, after.distance) == pytest.approx((before.top1, before.top3, before.distance))
    assert retrieval.mm_distance(motions / 2, texts / 2) == pytest.approx(retrieval.mm_distance(motions, texts) / 2)


def test_mm_distance_and_diversities_by_hand():
    assert retrieval.mm_distance(np.array([[3.0, 4.0], [0.0, 0.0]]), np.zeros((2, 2))) == 2.5
    ends = np.repeat([[0.0], [1.0]], 2000, axis=0)
    assert retrieval.diversity(ends) == pytest.approx(0.5, abs=0.1)
    assert retrieval.multimodality(np.tile(np.arange(12.0)[None, :, None], (5, 1, 1)) * 0 + 1) == 0
    spread = np.tile(np.repeat([0.0, 1.0], 40)[None, :, None], (3, 1, 1))
    assert retrieval.multimodality(spread, pairs=60) == pytest.approx(0.5, abs=0.15)


def test_multimodality_of_pairs_groups_motions_by_their_text():
    texts = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], [40, 44, 3], axis=0)
    ends = np.zeros((87, 2))
    ends[1::2] = 6.0
    groups = np.stack([ends[:40], ends[40:80]])
    assert retrieval.multimodality_of_pairs(ends, texts) == retrieval.multimodality(groups) > 0
    assert retrieval.multimodality_of_pairs(texts, texts) == 0


def test_motions_that_ignore_the_text_win_multimodality_and_are_found_out():
    texts = np.repeat(np.eye(8), 12, axis=0)
    loose = np.random.default_rng(3).normal(size=(96, 8))
    faithful = 3 * texts + 0.1 * loose
    assert retrieval.multimodality_of_pairs(loose, texts) > 5 * retrieval.multimodality_of_pairs(faithful, texts)
    assert retrieval.diversity_within_texts(loose, texts) == pytest.approx(1, abs=0.05)
    assert retrieval.diversity_within_texts(faithful, texts) < 0.2
    assert retrieval.diversity_within_texts(np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [0.0], [1.0]])) == pytest.approx(1 / 4.5)
    with pytest.raises(ChoreiaError, match="two motions"):
        retrieval.diversity_within_texts(np.eye(3), np.eye(3))


def test_published_scores_are_undefined_where_their_code_stops():
    motions, texts = pairs(31, 0.1)
    assert math.isnan(retrieval.r_precision(motions, texts)) and math.isnan(retrieval.diversity(motions))
    assert math.isnan(retrieval.multimodality(np.zeros((3, 10, 4))))
    assert math.isnan(retrieval.multimodality_of_pairs(motions, texts))
    twice = np.repeat(texts, 2, axis=0)
    assert all(np.isfinite(m.score(np.repeat(motions, 2, axis=0), twice)) for m in retrieval.METRICS if m.about.dialect == "corrected")


def test_bad_embeddings_are_answered_in_words():
    with pytest.raises(ChoreiaError, match="not pairs"):
        retrieval.r_precision(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ChoreiaError, match="same caption"):
        retrieval.r_precision_distinct(np.zeros((3, 2)), np.zeros((3, 2)))
    with pytest.raises(ChoreiaError, match="one each"):
        retrieval.retrieve(*pairs(4, 0.1), captions=["a"])
    with pytest.raises(ChoreiaError, match="finite"):
        retrieval.mm_distance(np.full((2, 2), np.nan), np.zeros((2, 2)))


def test_names_are_unique_within_a_dialect_and_every_entry_says_how_it_is_fooled():
    entries = [metric.about for metric in (*METRICS, *retrieval.METRICS)]
    assert len({(about.dialect, about.name) for about in entries}) == len(entries)
    assert all(about.fooled_by and about.source and about.range for about in entries)


def test_one_score_of_two_dialects_is_judged_once_and_named_twice():
    asked = []

    def score(motions, texts):
        asked.append(1)
        return 0.5

    abouts = [About("X", dialect, "higher", "1", "0 to 1", f"{dialect}'s paper", "nothing") for dialect in ("edge", "mint")]
    found, _ = results(tuple(RetrievalMetric(about, score) for about in abouts), Evidence(embeddings=pairs(4, 0.1)))
    assert len(asked) == 1 and [result.about for result in found] == abouts and {result.value for result in found} == {0.5}
