"""Selective state spaces and Conformers: the chunked scan is the recurrence, gradients too; causality; attention against another."""

import math
import sys
from types import ModuleType

import pytest
import torch

from choreia.nn import mamba
from choreia.nn.attention import SelfAttention
from choreia.nn.conformer import Conformer, ConvolutionPair, CrossAttention, CrossConformer, gated
from choreia.nn.mamba import BidirectionalMamba, Mamba, chunked_scan, kernel_scan


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def parts(batch=2, length=17, channels=3, states=4):
    """Inputs of a scan in float64: x, delta >= 0, A < 0, B, C."""
    x, b, c = noise(batch, length, channels), noise(batch, length, states, seed=1), noise(batch, length, states, seed=2)
    delta, a = noise(batch, length, channels, seed=3).exp(), -noise(channels, states, seed=4).exp()
    return [value.requires_grad_() for value in (x, delta, a, b, c)]


def recurrence(x, delta, a, b, c):
    """Eq. 9 and 10 one number at a time, with B discretised as delta B."""
    rows = []
    for k in range(len(x)):
        h, made = torch.zeros_like(a), []
        for t in range(x.shape[1]):
            h = torch.stack([torch.exp(delta[k, t, d] * a[d]) * h[d] + delta[k, t, d] * b[k, t] * x[k, t, d] for d in range(len(a))])
            made.append(h @ c[k, t])
        rows.append(torch.stack(made))
    return torch.stack(rows)


class TestScan:
    @pytest.mark.parametrize("chunk", [1, 4, 7, 16, 17, 128])
    def test_equals_the_recurrence_whatever_the_chunks_and_so_do_gradients(self, chunk):
        given = parts()
        made, true = chunked_scan(*given, chunk=chunk), recurrence(*given)
        assert torch.allclose(made, true, rtol=1e-12, atol=1e-12)
        weight = noise(*made.shape, seed=5)
        ours, theirs = (torch.autograd.grad((y * weight).sum(), given) for y in (made, true))
        for mine, its in zip(ours, theirs, strict=True):
            assert torch.allclose(mine, its, rtol=1e-10, atol=1e-10)

    def test_an_impulse_decays_by_hand(self):
        """A = −1, delta = ln 2: the state halves at each step; delta B x = ln 2 comes in first."""
        x, one, half = torch.tensor([[[1.0], [0.0], [0.0]]]), torch.ones(1, 3, 1), torch.full((1, 3, 1), math.log(2))
        y = chunked_scan(x, half, torch.tensor([[-1.0]]), one, one, chunk=2)
        assert y.flatten().tolist() == pytest.approx([math.log(2), math.log(2) / 2, math.log(2) / 4])

    def test_long_and_steep_sequences_stay_finite(self):
        """Where the state is forgotten at once, y = delta (C · B) x; nothing overflows on the way."""
        x, b, c = (noise(1, 600, width, seed=width, dtype=torch.float32) for width in (2, 3, 3))
        delta, a = torch.full((1, 600, 2), 50.0), torch.full((2, 3), -1e4)
        y = chunked_scan(x, delta, a, b, c, chunk=32)
        assert torch.allclose(y, 50 * x * (b * c).sum(-1, keepdim=True), rtol=1e-4, atol=1e-3)

    def test_the_kernel_is_given_time_last(self, monkeypatch):
        """A stand-in for `mamba_ssm` that computes on its documented layout (B, D, L)."""
        seen = []

        def selective_scan_fn(u, delta, A, B, C):
            seen.append([tuple(value.shape) for value in (u, delta, A, B, C)])
            return recurrence(u.mT, delta.mT, A, B.mT, C.mT).mT

        interface = ModuleType("mamba_ssm.ops.selective_scan_interface")
        interface.selective_scan_fn = selective_scan_fn
        for module in (ModuleType("mamba_ssm"), ModuleType("mamba_ssm.ops"), interface):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        given = parts()
        assert torch.allclose(kernel_scan(*given), chunked_scan(*given))
        assert seen == [[(2, 3, 17), (2, 3, 17), (3, 4), (2, 4, 17), (2, 4, 17)]]

    def test_without_a_gpu_the_scan_is_torch(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert mamba.best_scan() is chunked_scan


class TestMamba:
    def test_sees_the_past_alone(self):
        layer, x = Mamba(16, states=4, scan=chunked_scan), noise(2, 12, 16, dtype=torch.float32)
        later = x.clone()
        later[:, 7:] = 9.0
        a, b = layer(x), layer(later)
        assert torch.allclose(a[:, :7], b[:, :7], atol=1e-6) and not torch.allclose(a[:, 7:], b[:, 7:], atol=1e-3)

    def test_steps_start_between_a_thousandth_and_a_tenth(self):
        start = torch.nn.functional.softplus(Mamba(64, scan=chunked_scan).pace.bias)
        assert start.min() > 0.9e-3 and start.max() < 0.101 and start.median() < 0.03

    def test_both_ways_is_the_same_seen_backwards(self):
        layer, x = BidirectionalMamba(16, states=4, scan=chunked_scan), noise(2, 9, 16, dtype=torch.float32)
        forward = layer(x)
        layer.ahead, layer.back = layer.back, layer.ahead
        assert torch.allclose(layer(x.flip(1)).flip(1), forward, atol=1e-6)

    def test_half_precision_around_the_scan_changes_little(self):
        layer, x = Mamba(32, scan=chunked_scan), noise(2, 40, 32, dtype=torch.float32)
        with torch.autocast("cpu", torch.bfloat16):
            rough = layer(x)
        exact = layer(x)
        assert (rough - exact).norm() < 0.03 * exact.norm()


class TestConformer:
    def test_attention_across_to_itself_is_self_attention(self):
        own, across, x = SelfAttention(16, 4), CrossAttention(16, 16, 4), noise(2, 7, 16, dtype=torch.float32)
        across.ask.weight.data, across.ask.bias.data = own.qkv.weight[:16].data, own.qkv.bias[:16].data
        across.tell.weight.data, across.tell.bias.data = own.qkv.weight[16:].data, own.qkv.bias[16:].data
        across.out = own.out
        assert torch.allclose(across(x, x), own(x), atol=1e-6)

    def test_attention_to_one_row_is_that_row(self):
        across, x, given = CrossAttention(8, 6, 2), noise(1, 5, 8, dtype=torch.float32), noise(1, 1, 6, dtype=torch.float32)
        value = across.out(across.tell(given)[..., 8:])
        assert torch.allclose(across(x, given), value.expand(1, 5, 8), atol=1e-6)

    @pytest.mark.parametrize("dilation", [1, 2])
    def test_two_convolutions_see_as_far_as_they_say(self, dilation):
        pair, x = ConvolutionPair(4, 6, dilation), noise(1, 21, 4, dtype=torch.float32)
        touched = x.clone()
        touched[:, 10] += 1
        changed = (pair(touched) - pair(x)).abs().amax(-1)[0] > 1e-6
        assert changed.nonzero().flatten().tolist() == list(range(10 - 2 * dilation, 11 + 2 * dilation, dilation))

    def test_outputs_are_normed_sums(self):
        """With a silent attention only LN(x) is left: the music enters through the convolution, not beside it."""
        own, across = Conformer(8, 2, 8), CrossConformer(8, 4, 2, 8)
        x, given = noise(2, 5, 8, dtype=torch.float32), noise(2, 5, 8, seed=1, dtype=torch.float32)
        for block, other in ((own, given), (across, given[..., :4])):
            torch.nn.init.zeros_(block.attend.out.weight)
            torch.nn.init.zeros_(block.attend.out.bias)
            assert torch.allclose(block(x, other), torch.nn.functional.layer_norm(x, (8,)), atol=1e-5)

    def test_gate_by_hand(self):
        made = gated(torch.tensor([0.0, 100.0, 1.0, 0.5]))
        assert made.tolist() == pytest.approx([math.tanh(1) / 2, math.tanh(0.5)])
