"""Diffusion: laws of schedules and predictions, samplers against a Gaussian solved by hand, constraints that hold."""

import math
from itertools import pairwise

import pytest
import torch

from choreia.diffusion import constraints, prediction
from choreia.diffusion.guidance import guided
from choreia.diffusion.samplers import ddim, ddpm
from choreia.diffusion.schedule import cosine, linear, sampling_times


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("schedule", [cosine(), linear()], ids=["cosine", "linear"])
class TestSchedule:
    def test_keeps_variance_and_falls(self, schedule):
        t = torch.linspace(0, 1, 101)
        alpha, sigma = schedule.alpha(t), schedule.sigma(t)
        assert torch.allclose(alpha.square() + sigma.square(), torch.ones(101), atol=1e-5)
        assert (alpha.diff() < 0).all() and alpha[0] == 1 and alpha[-1] < 0.01

    def test_predictions_are_inverses(self, schedule):
        x0, eps, t = noise(4, 3, 2), noise(4, 3, 2, seed=1), torch.tensor([0.1, 0.4, 0.7, 0.9])
        x = schedule.add_noise(x0, eps, t)
        assert torch.allclose(prediction.x0_to_eps(x, x0, t, schedule), eps, atol=1e-4)
        assert torch.allclose(prediction.eps_to_x0(x, eps, t, schedule), x0, atol=1e-3)
        v = prediction.x0_eps_to_v(x0, eps, t, schedule)
        assert torch.allclose(prediction.v_to_x0(x, v, t, schedule), x0, atol=1e-5)


def test_linear_schedule_is_the_product_of_the_paper():
    """Eq. 12 applied k times: alpha² is the product of 1 − beta."""
    beta = [1e-4 + (0.02 - 1e-4) * i / 999 for i in range(1000)]
    expected = math.prod(1 - b for b in beta[:250])
    assert linear().alpha(torch.tensor(0.25)).item() ** 2 == pytest.approx(expected, rel=1e-4)


def gaussian_denoiser(mean, std, schedule):
    """E[x0 | x_t] when x0 is N(mean, std²): the posterior mean of a Gaussian, by hand."""

    def denoise(x, t, condition):
        alpha, sigma = schedule.alpha(t)[:, None, None], schedule.sigma(t)[:, None, None]
        gain = alpha * std**2 / (alpha**2 * std**2 + sigma**2)
        return mean + gain * (x - alpha * mean)

    return denoise


@pytest.mark.parametrize("steps", [12, 50])
def test_ddim_of_a_gaussian_keeps_its_spread_in_few_steps(steps):
    schedule, mean, std = cosine(), 2.0, 0.5
    made = ddim(gaussian_denoiser(mean, std, schedule), noise(1, 4000, 1), torch.zeros(1, 4000, 1), schedule, steps)
    assert made.mean().item() == pytest.approx(mean, abs=0.05)
    assert made.std().item() == pytest.approx(std, rel=0.15)


def test_ddpm_of_a_gaussian():
    schedule = cosine()
    denoise, generator = gaussian_denoiser(-1.0, 0.7, schedule), torch.Generator().manual_seed(3)
    made = ddpm(denoise, noise(1, 4000, 1), torch.zeros(1, 4000, 1), schedule, 100, generator)
    assert made.mean().item() == pytest.approx(-1.0, abs=0.06)
    assert made.std().item() == pytest.approx(0.7, rel=0.1)


def test_sampling_times_cover_noise_to_clean():
    times = sampling_times(8)
    assert times[0] == 1 and times[-1] == 0 and len(times) == 9


def test_guidance_extrapolates_in_one_forward():
    calls = []

    def denoise(x, t, condition):
        calls.append(len(x))
        return x + condition

    x, condition = noise(2, 3, 1), torch.ones(2, 3, 1)
    assert torch.allclose(guided(denoise, 2.5)(x, torch.ones(2), condition), x + 2.5, atol=1e-6)
    assert calls == [4]
    assert guided(denoise, 1.0) is denoise


SIZES = [(16, 16, 8), (10, 16, 8), (18, 16, 8), (200, 64, 24), (1350, 64, 24), (66, 64, 24)]


@pytest.mark.parametrize(("length", "window", "overlap"), SIZES)
def test_windows_cover_everything(length, window, overlap):
    starts = constraints.window_starts(length, window, overlap).tolist()
    assert starts[0] == 0 and starts[-1] + min(window, length) == length
    assert all(s % 2 == 0 for s in starts)
    assert all(b - a <= window - overlap + 2 for a, b in pairwise(starts))


class TestLong:
    def test_a_pointwise_denoiser_is_unchanged(self):
        x, condition = noise(1, 200, 3), noise(1, 200, 2, seed=1)

        def pointwise(x, t, c):
            return 2 * x + c[..., :1]

        long = constraints.long_denoise(pointwise, 32, 12, batch=3)
        assert torch.allclose(long(x, torch.ones(1), condition), pointwise(x, torch.ones(1), condition), atol=1e-5)

    def test_windows_that_disagree_are_joined_without_a_step(self):
        def each_its_own(x, t, c):
            return torch.arange(len(x), dtype=x.dtype)[:, None, None].expand_as(x)

        made = constraints.long_denoise(each_its_own, 32, 12)(torch.zeros(1, 112, 1), torch.ones(1), torch.zeros(1, 112, 1))
        assert made.diff(dim=1).abs().max() < 0.3

    def test_short_sequences_are_one_window(self):
        long = constraints.long_denoise(lambda x, t, c: x + 1, 32, 12)
        assert torch.allclose(long(torch.zeros(1, 10, 1), torch.ones(1), torch.zeros(1, 10, 1)), torch.ones(1, 10, 1))


def test_inpainting_keeps_bits_and_leaves_the_rest_free():
    schedule, known = cosine(), noise(1, 40, 2, seed=5)
    mask = torch.zeros(1, 40, 1)
    mask[:, :10], mask[:, 10:14] = 1.0, 0.5
    free = gaussian_denoiser(3.0, 0.1, schedule)
    made = ddim(constraints.inpaint(free, known, mask), noise(1, 40, 2), torch.zeros(1, 40, 1), schedule, 10)
    assert torch.equal(made[:, :10], known[:, :10])
    assert (made[:, 14:] - 3).abs().max() < 1
    assert (made[:, 10:14] - (known[:, 10:14] + 3) / 2).abs().max() < 0.5


def test_echo_returns_to_its_source():
    source, weight = torch.arange(60.0), torch.zeros(60)
    source[40:], weight[40:] = torch.arange(10.0, 30.0), 1.0
    schedule = cosine()
    denoise = constraints.echo(gaussian_denoiser(0.0, 1.0, schedule), source, weight)
    made = ddim(denoise, noise(1, 60, 3), torch.zeros(1, 60, 1), schedule, 12)
    assert torch.allclose(made[:, 40:], made[:, 10:30], atol=1e-6)
    assert not torch.allclose(made[:, 30:40], made[:, :10], atol=0.1)
