"""Distances between sets: oracles and closed forms, the traps that published scores fall into, and that ours do not."""

from functools import cache

import numpy as np
import pytest
from scipy.linalg import sqrtm

from choreia.errors import ChoreiaError
from choreia.metrics import frechet, manifold, sets
from choreia.metrics.sets import METRICS
from test_metrics_features import dancer

ENTRY = {(metric.about.dialect, metric.about.name): metric for metric in METRICS}


@cache
def takes(first: int, count: int, fps: float = 60, loud: float = 1.0) -> list[np.ndarray]:
    return [dancer(seed, fps, loud=loud) for seed in range(first, first + count)]


def rows(features, joints: list[np.ndarray], fps: float = 60) -> np.ndarray:
    return np.concatenate([np.atleast_2d(features(take, fps)) for take in joints])


def score(dialect: str, name: str, made: list[np.ndarray], reference: list[np.ndarray], fps: float = 60) -> float:
    metric = ENTRY[dialect, name]
    return metric.compare(rows(metric.features, made, fps), rows(metric.features, reference))


# ------------------------------------------------------------------------------------------------------ Fréchet


def test_frechet_distance_of_known_gaussians():
    spread_a, spread_b, shift = np.array([1.0, 2.0, 0.0]), np.array([3.0, 2.0, 0.5]), np.array([1.0, 0.0, -2.0])
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    cov_a, cov_b = (turn @ np.diag(s**2) @ turn.T for s in (spread_a, spread_b))
    expected = 5 + np.sum((spread_a - spread_b) ** 2)
    assert frechet.gaussian_frechet(turn @ shift, cov_a, np.zeros(3), cov_b) == pytest.approx(expected)


def test_frechet_agrees_with_scipy_and_vanishes_on_equals():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5)), rng.normal(1.0, 2.0, size=(300, 5))
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet.frechet(a, b, shrinkage=0) == pytest.approx(expected, rel=1e-6)
    assert frechet.frechet(a, a) == pytest.approx(0, abs=1e-8)


def test_published_frechet_normalises_by_the_reference_and_computes_on_singular_covariances():
    rng = np.random.default_rng(1)
    made, real = rng.normal(1, 2, (10, 30)) * np.arange(1, 31), rng.normal(size=(200, 30)) * np.arange(1, 31)
    a, b = ((x - real.mean(0)) / real.std(0) for x in (made, real))
    product = np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).astype(complex)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * np.sqrt(product).sum().real
    assert frechet.frechet_published(made, real) == pytest.approx(expected, rel=1e-6)


def test_a_relation_that_the_reference_never_shows_wrecks_the_published_distance_only():
    rng = np.random.default_rng(2)
    made, real = rng.uniform(0, 1, (60, 8)), rng.uniform(0, 1, (60, 8))
    made[:, 0] = real[:, 0] = 0
    made[0, 0] = 0.01
    assert frechet.frechet_published(made, real) > 1e10
    assert sets.Normalized(frechet.frechet_extrapolated)(made, real) < 1


def test_few_clips_read_as_distance_in_the_published_score_and_hardly_in_the_extrapolated_one():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(20, 20)) * np.linspace(1, 0.1, 20)
    draws = [(rng.normal(size=(40, 20)) @ root, rng.normal(size=(300, 20)) @ root) for _ in range(20)]
    published = np.mean([frechet.frechet_published(a, b) for a, b in draws])
    corrected = np.mean([sets.Normalized(frechet.frechet_extrapolated)(a, b) for a, b in draws])
    assert published > 2 and abs(corrected) < 0.25 * published


def test_extrapolated_distance_finds_the_true_distance():
    rng = np.random.default_rng(4)
    draws = [(rng.normal(0.5, 1.3, (50, 6)), rng.normal(size=(150, 6))) for _ in range(40)]
    found = [frechet.frechet_extrapolated(a, b) for a, b in draws]
    assert np.mean(found) == pytest.approx(6 * 0.25 + 6 * 0.09, abs=4 * np.std(found) / np.sqrt(40))


def test_alike_clips_of_one_take_are_not_taken_for_distance():
    rng = np.random.default_rng(14)

    def clips(takes):
        return np.repeat(rng.normal(size=(takes, 6)), 5, axis=0) + rng.normal(0, 0.2, (takes * 5, 6))

    draws = [(clips(30), clips(60)) for _ in range(20)]
    plain, found = (
        np.mean([score(*draw) for draw in draws]) for score in (lambda a, b: frechet.frechet(a, b, 0), frechet.frechet_extrapolated)
    )
    assert plain > 0.4 and abs(found) < 0.3 * plain


# ------------------------------------------------------------------------------------------------------ kernel, diversity


def test_kernel_distance_is_the_unbiased_estimate():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(7, 3)), rng.normal(1, 1, size=(5, 3))

    def k(x, y):
        return (np.dot(x, y) / 3 + 1) ** 3

    within = [np.mean([k(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (a, b)]
    assert frechet.kernel_distance(a, b) == pytest.approx(sum(within) - 2 * np.mean([k(x, y) for x in a for y in b]))


def test_kernel_distance_has_no_bias_at_any_size_and_sees_shift_and_spread():
    rng = np.random.default_rng(6)
    for size in (6, 40):
        same = [frechet.kernel_distance(rng.normal(size=(size, 4)), rng.normal(size=(30, 4))) for _ in range(150)]
        assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(150) and min(same) < 0
    real = rng.normal(size=(200, 4))
    same = frechet.kernel_distance(rng.normal(size=(200, 4)), real)
    assert frechet.kernel_distance(rng.normal(1, 1, (200, 4)), real) > same + 1
    assert frechet.kernel_distance(rng.normal(0, 2, (200, 4)), real) > same + 1


def test_diversity_is_the_mean_pairwise_distance():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert frechet.diversity(points) == pytest.approx(10 / 3)
    assert sets.diversity_raw(points, points) == pytest.approx(10 / 3)
    doubled = np.array([[0.0, 0.0], [2.0, 2.0]])
    assert sets.diversity_published(points, doubled) == pytest.approx(10 / 3)


def test_a_normaliser_does_not_blow_up_what_hardly_varies():
    reference = np.random.default_rng(7).normal(size=(50, 5)) * [1, 1, 1, 1e-4, 0]
    scale = frechet.Normalizer.fit(reference)
    assert scale.std == pytest.approx([*reference.std(0)[:3], 0.1 * np.median(reference.std(0)), 0.1 * np.median(reference.std(0))])
    assert frechet.Normalizer.fit(np.ones((4, 3))).std == pytest.approx([1, 1, 1])


# ------------------------------------------------------------------------------------------------------ manifold


def test_manifold_scores_agree_with_loops():
    rng = np.random.default_rng(8)
    made, real = rng.normal(0.7, 0.8, (30, 3)), rng.normal(size=(40, 3))

    def reach(items):
        return [np.sort([np.linalg.norm(x - y) for y in items])[5] for x in items]

    inside = np.array([[np.linalg.norm(m - r) <= d for r, d in zip(real, reach(real), strict=True)] for m in made])
    back = np.array([[np.linalg.norm(r - m) <= d for m, d in zip(made, reach(made), strict=True)] for r in real])
    assert manifold.precision(made, real) == pytest.approx(inside.any(axis=1).mean())
    assert manifold.recall(made, real) == pytest.approx(back.any(axis=1).mean())
    assert manifold.density(made, real) == pytest.approx(inside.sum(axis=1).mean() / 5)
    assert manifold.coverage(made, real) == pytest.approx(inside.any(axis=0).mean())


def test_manifold_scores_tell_copies_from_variety():
    rng = np.random.default_rng(9)
    real = rng.normal(size=(1500, 4))
    copies = np.repeat(real[:1], 30, axis=0)
    assert manifold.precision(copies, real) == 1 and manifold.recall(copies, real) < 0.01 and manifold.coverage(copies, real) < 0.02
    assert [f(real, real) for f in (manifold.precision, manifold.recall, manifold.coverage)] == [1, 1, 1]
    assert manifold.density(rng.normal(size=(1500, 4)), real) == pytest.approx(1, abs=0.1)
    assert [f(real + 50, real) for f in (manifold.precision, manifold.recall, manifold.density, manifold.coverage)] == [0, 0, 0, 0]
    assert [manifold.neighbours(n) for n in (2, 3, 19, 20, 500)] == [1, 2, 3, 5, 5]


# ------------------------------------------------------------------------------------------------------ intervals


def test_intervals_hold_the_true_distance():
    rng, hits, naive = np.random.default_rng(10), 0, 0
    for trial in range(30):
        made, real = rng.normal(0.5, 1, (60, 4)), rng.normal(size=(60, 4))
        low, high = frechet.bootstrap(frechet.frechet_extrapolated, made, real, draws=40, seed=trial)
        hits += low <= 1.0 <= high
        redrawn = [frechet.frechet(made[rng.integers(60, size=60)], real[rng.integers(60, size=60)], 0) for _ in range(40)]
        naive += np.quantile(redrawn, 0.025) <= 1.0 <= np.quantile(redrawn, 0.975)
    assert hits >= 27 and naive < hits


def test_halves_of_one_set_are_apart_by_nothing_and_another_dance_is_not():
    metric = ENTRY["corrected", "FID_k"]
    first, second, loud = (rows(metric.features, takes(k, 40, loud=g)) for k, g in ((0, 1), (40, 1), (40, 2)))
    low, high = frechet.bootstrap(metric.compare, first, second, draws=40)
    assert low < 0 < high
    assert frechet.bootstrap(metric.compare, first, loud, draws=40)[0] > high
    assert frechet.bootstrap(metric.compare, first, second, draws=40) == (low, high)


def test_intervals_draw_items_not_their_rows():
    rng = np.random.default_rng(11)
    items = [rng.normal(size=4) + rng.normal(0, 0.01, (10, 4)) for _ in range(24)]
    alone = np.concatenate(items)
    real = rng.normal(size=(200, 4))
    width = [np.ptp(frechet.bootstrap(frechet.kernel_distance, made, real, draws=60)) for made in (items, alone)]
    assert width[0] > 1.5 * width[1]


# ------------------------------------------------------------------------------------------------------ traps


def test_another_frame_rate_is_another_dance_to_the_published_score_only():
    real, slow = takes(0, 40), takes(40, 40, 30)
    assert score("bailando", "FID_k", slow, real, 30) > 5 * score("bailando", "FID_k", takes(40, 40), real) > 0
    assert score("bailando", "FID_k (repaired)", slow, real, 30) > 50
    assert score("corrected", "FID_k", slow, real, 30) == pytest.approx(score("corrected", "FID_k", takes(40, 40), real), abs=1.0)


def test_dancing_one_metre_to_the_side_is_far_from_real_to_mint_only():
    real, aside = takes(0, 40), [take + np.array([1.0, 0, 0]) for take in takes(40, 40)]
    assert score("mint", "FID_k", aside, real) > 10 * score("mint", "FID_k", takes(40, 40), real)
    assert score("bailando", "FID_k", aside, real) == pytest.approx(score("bailando", "FID_k", takes(40, 40), real), rel=1e-3)
    assert score("corrected", "FID_k", aside, real) == pytest.approx(score("corrected", "FID_k", takes(40, 40), real), rel=1e-6)


@pytest.mark.parametrize("name", ["FID_k", "FID_g", "KID_k", "KID_g", "Div_k", "Div_g", "precision", "recall", "density", "coverage"])
def test_corrected_scores_do_not_depend_on_place_heading_or_size(name):
    made, real = takes(40, 24), takes(0, 24)
    moved = [0.8 * take[..., [2, 1, 0]] * [1, 1, -1] + [2.0, 0, 1] for take in made]
    assert score("corrected", name, moved, real) == pytest.approx(score("corrected", name, made, real), rel=1e-6, abs=1e-9)


def test_the_order_of_takes_hardly_matters():
    made, real = takes(40, 40), takes(0, 40)
    for name in ("KID_g", "Div_k", "precision", "recall", "density", "coverage"):
        assert score("corrected", name, made[::-1], real) == pytest.approx(score("corrected", name, made, real))
    metric, rng = ENTRY["corrected", "FID_k"], np.random.default_rng(15)
    first, second = rows(metric.features, made), rows(metric.features, real)
    low, high = frechet.bootstrap(metric.compare, first, second, draws=40)
    assert all(low < metric.compare(rng.permutation(first), second) < high for _ in range(20))


def test_larger_movement_wins_at_published_diversity_and_is_exposed_by_the_reference():
    real, made, loud = takes(0, 40), takes(40, 40), takes(40, 40, loud=1.5)
    plain, larger = (score("bailando", "Div_k (repaired)", dances, real) for dances in (made, loud))
    assert larger > 1.7 * plain and ENTRY["bailando", "Div_k (repaired)"].about.better == "higher"
    own, close, far = (score("corrected", "Div_k", dances, real) for dances in (real, made, loud))
    assert abs(far - own) > 3 * abs(close - own) and ENTRY["corrected", "Div_k"].about.better == "reference"
    assert score("corrected", "FID_k", loud, real) > score("corrected", "FID_k", made, real) + 5


def test_jitter_raises_published_diversity_and_every_corrected_distance():
    rng = np.random.default_rng(12)
    real, made = takes(0, 40), takes(40, 40)
    shaken = [take + rng.uniform(0, 0.02) * rng.normal(size=take.shape) for take in made]
    assert score("bailando", "Div_k (repaired)", shaken, real) > 1.2 * score("bailando", "Div_k (repaired)", made, real)
    for name in ("FID_k", "KID_k"):
        assert score("corrected", name, shaken, real) > score("corrected", name, made, real) + 1
    assert score("corrected", "precision", shaken, real) < score("corrected", "precision", made, real)


# ------------------------------------------------------------------------------------------------------ entries


def test_every_entry_scores_two_sets_at_the_rate_of_its_source():
    for (dialect, name), metric in ENTRY.items():
        fps = metric.about.fps or 60
        both = [rows(metric.features, takes(first, 8, fps), fps) for first in (0, 8)]
        assert np.isfinite(metric.compare(*both)), (dialect, name)
    assert len(ENTRY) == len(METRICS)


def test_distances_of_features_as_they_come_have_their_units():
    for letter in "kg":
        first, second = (rows(ENTRY["bailando", f"FID_{letter}"].features, takes(seed, 8, 60), 60) for seed in (0, 8))
        for name, power in ((f"FID_{letter} (not scaled)", 2), (f"Div_{letter} (not scaled)", 1)):
            score = ENTRY["bailando", name].compare
            assert score(3 * first, 3 * second) == pytest.approx(3**power * score(first, second), rel=1e-6)


def test_entries_share_their_extractors():
    for dialect, letters in (("mint", 2), ("bailando", 3), ("lodge", 2), ("edge", 2), ("corrected", 3)):
        assert len({metric.features for metric in METRICS if metric.about.dialect == dialect}) == letters
    assert ENTRY["edge", "Dist_k"].features == ENTRY["unimumo", "Dist_k"].features
    assert all((m.features == n.features) == (m.extractor == n.extractor) for m in METRICS for n in METRICS)


def test_published_rows_are_one_a_file_and_others_one_for_each_clip():
    long = dancer(0, 60, seconds=13)
    shapes = {dialect: np.shape(ENTRY[dialect, "FID_k"].features(long, 60)) for dialect in ("mint", "bailando", "lodge", "lrcm")}
    assert shapes == {"mint": (72,), "bailando": (72,), "lodge": (66,), "lrcm": (48,)}
    assert ENTRY["edge", "Dist_k"].features(long, 60).shape == (17, 72)
    assert ENTRY["corrected", "FID_g"].features(long, 60).shape == (2, 32)
    assert ENTRY["corrected", "FID_g"].features(long[:90], 60).shape == (1, 32)


def test_published_rows_read_the_first_frames_only():
    for dialect, frames in (("bailando", 1200), ("lodge", 1024)):
        features, long = ENTRY[dialect, "FID_k"].features, dancer(0, 60, seconds=22)
        assert np.array_equal(features(long, 60), features(long[:frames], 60))
        assert not np.array_equal(features(long, 60), features(long[: frames - 1], 60))


def test_too_few_clips_are_told_in_words_or_undefined_as_in_the_source():
    one, some = np.zeros((1, 72)), np.random.default_rng(13).normal(size=(20, 72))
    assert np.isnan(ENTRY["mint", "FID_k"].compare(one, some)) and np.isnan(ENTRY["mint", "Dist_k"].compare(one, some))
    assert np.isnan(ENTRY["bailando", "FID_k"].compare(np.full((5, 72), np.nan), some))
    for name in ("FID_k", "KID_k", "Div_k", "precision"):
        with pytest.raises(ChoreiaError, match="too few"):
            ENTRY["corrected", name].compare(one, some)
    with pytest.raises(ChoreiaError, match="too few for an interval"):
        frechet.bootstrap(frechet.kernel_distance, some, np.repeat(some, 2, axis=0))
    with pytest.raises(ChoreiaError, match="N, D"):
        ENTRY["corrected", "FID_k"].compare(some[:, :5], some)


@pytest.mark.parametrize("metric", [m for m in METRICS if m.about.dialect == "corrected"], ids=lambda m: m.about.name)
def test_corrected_scores_of_frozen_figures_are_finite(metric):
    still = [take[[0] * 60] for take in takes(0, 6)]
    frozen, alive = rows(metric.features, still), rows(metric.features, takes(6, 6))
    assert all(np.isfinite(metric.compare(a, b)) for a, b in ((frozen, alive), (alive, frozen), (frozen, frozen)))
