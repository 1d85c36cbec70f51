"""Quantisers and the hierarchical tokenizer: distances by brute force, round trips, locality in time."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from choreia.models.dancemeld.codec import decoder_halo_tokens, halo_tokens, in_pieces, join, split
from choreia.models.dancemeld.config import SMALL, TINY, variant
from choreia.models.dancemeld.tokenizer import build_tokenizer
from choreia.tokenizers.quantize import Codebook, ResidualQuantizer


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestCodebook:
    def test_nearest_is_nearest(self):
        book, x = Codebook(20, 5), noise(100, 5)
        by_hand = [min(range(20), key=lambda k: float((row - book.vectors[k]).square().sum())) for row in x]
        assert book.nearest(x).tolist() == by_hand

    def test_learns_the_centres_of_clusters(self):
        centres = noise(8, 4, seed=1) * 5
        book = Codebook(8, 4)
        data = centres.repeat(50, 1) + 0.05 * noise(400, 4, seed=2)
        book.fit(data, torch.Generator().manual_seed(0))
        for step in range(300):
            torch.manual_seed(step)
            book.learn(data, book.nearest(data))
        assert torch.cdist(centres, book.vectors).min(dim=1).values.max() < 0.2

    def test_dead_codes_come_back(self):
        book = Codebook(4, 2)
        book.vectors[3] = book.sums[3] = 1000.0
        data = noise(64, 2)
        for step in range(200):
            torch.manual_seed(step)
            book.learn(data, book.nearest(data))
        assert len(book.nearest(data).unique()) == 4


class TestResidual:
    def quantizer(self, levels=4):
        quantizer = ResidualQuantizer(6, (32,) * levels)
        quantizer.fit(noise(2000, 6), torch.Generator().manual_seed(0))
        return quantizer.eval()

    def test_each_level_lessens_the_error(self):
        quantizer, x = self.quantizer(), noise(50, 8, 6, seed=3)
        errors = [(quantizer(x, torch.full((50,), k)).values - x).square().mean().item() for k in range(1, 5)]
        assert all(b < 0.9 * a for a, b in pairwise(errors))

    def test_codes_tell_the_values(self):
        quantizer, x = self.quantizer(), noise(2, 8, 6, seed=3)
        made = quantizer(x)
        assert torch.allclose(quantizer.lookup(made.codes), made.values, atol=1e-5)

    def test_gradient_passes_straight_through(self):
        x = noise(2, 8, 6).requires_grad_()
        self.quantizer()(x).values.sum().backward()
        assert torch.allclose(x.grad, torch.ones_like(x))

    def test_commitment_pulls_towards_the_code(self):
        x = noise(1, 1, 6).requires_grad_()
        made = self.quantizer()(x)
        made.commit.backward()
        assert torch.allclose(x.grad, 2 * (x - made.values).detach() / 6, atol=1e-6)

    def test_frozen_in_evaluation(self):
        quantizer = self.quantizer()
        before = quantizer.books[0].vectors.clone()
        quantizer(noise(4, 8, 6))
        assert torch.equal(quantizer.books[0].vectors, before)


def tokenizer(config, seed=0):
    torch.manual_seed(seed)
    made = build_tokenizer(config)
    for parameter in made.parameters():
        if parameter.abs().max() == 0 and parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.05)
    return made.eval()


@pytest.mark.parametrize("name", ["tiny", "single_vqvae"])
@pytest.mark.parametrize("frames", [8, 24, 128])
def test_any_multiple_of_eight(name, frames):
    made = tokenizer(variant(name).tokenizer)(noise(2, frames, 152))
    assert made.values.shape == (2, frames, 152)
    assert made.bottom.codes.shape[1] == frames // 4
    assert made.top.codes.shape[1] == frames // 8


@torch.no_grad()
def test_latents_and_codes_decode_to_the_reconstruction():
    model, x = tokenizer(TINY.tokenizer), noise(1, 64, 152)
    whole, latents = model(x).values, model.latents(x)
    assert torch.allclose(model.decode_latents(latents), whole, atol=1e-5)
    assert torch.allclose(model.decode_codes(*model.codes(latents)), whole, atol=1e-5)


@pytest.mark.parametrize("config", [TINY.tokenizer, SMALL.tokenizer], ids=["tiny", "small"])
@torch.no_grad()
def test_pieces_are_the_whole(config):
    model, x = tokenizer(config), noise(1400 * 4, 152)
    rows = join(model.latents(x[None]))[0]
    pieces = in_pieces(lambda v: join(model.latents(v[None]))[0], x, halo_tokens(config), shrink=4)
    close = (rows - pieces).abs().amax(-1)
    assert (close < 1e-3).float().mean() > 0.995  # a tie between two top codes may fall either way
    whole = model.decode_latents(split(rows[None], config.bottom_width))[0]
    parts = in_pieces(lambda h: model.decode_latents(split(h[None], config.bottom_width))[0], rows, decoder_halo_tokens(config), grow=4)
    assert torch.allclose(whole, parts, atol=1e-3)


@torch.no_grad()
def test_halo_is_wide_enough():
    """A change of one frame is not seen further away than the halo, in either direction."""
    config = SMALL.tokenizer
    model, x = tokenizer(config), noise(1, 800, 152)
    model.quantize_top.forward = lambda h, keep=None: type("Plain", (), {"values": h})()
    changed = x.clone()
    changed[:, 400] += 1
    seen = (join(model.latents(x)) != join(model.latents(changed)))[0].any(-1).nonzero().flatten().numpy()
    assert np.abs(seen - 100).max() <= halo_tokens(config)
    assert len(seen) > 4


@pytest.mark.parametrize("config", [TINY.tokenizer, SMALL.tokenizer], ids=["tiny", "small"])
@pytest.mark.parametrize("token", [100, 101])
@torch.no_grad()
def test_halo_of_the_decoder_is_what_it_sees(config, token):
    """A change of one token reaches frames as far away as the halo, less one pair, and none further."""
    model, rows = tokenizer(config), noise(1, 200, config.latent_width)
    changed = rows.clone()
    changed[:, token] += 1
    before, after = (split(each, config.bottom_width) for each in (rows, changed))
    seen = (model.decode(before.bottom, before.top) != model.decode(after.bottom, after.top))[0].any(-1).nonzero().flatten().numpy()
    first, last = token - seen.min() / 4, (seen.max() + 1) / 4 - token
    assert max(first, last) <= decoder_halo_tokens(config)
    assert max(first, last) >= decoder_halo_tokens(config) - 4


def test_top_pairs_are_joined_and_split():
    rows = join(type("L", (), {"bottom": noise(1, 6, 3), "top": noise(1, 3, 2, seed=1)})())
    assert torch.equal(rows[:, 0, 3:], rows[:, 1, 3:])
    assert torch.equal(split(rows, 3).top, noise(1, 3, 2, seed=1))


def test_paper_size():
    """54 M parameters (section 4), within a tenth."""
    count = sum(p.numel() for p in build_tokenizer(variant("paper").tokenizer).parameters())
    assert count == pytest.approx(54e6, rel=0.1)
