"""Networks in bfloat16."""

from copy import deepcopy

import torch
from torch import nn

from choreia.nn import precision


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.GELU(), nn.Conv1d(16, 4, 3, padding=1), nn.Linear(16, 3))


def test_a_network_made_ready_computes_the_same():
    plain, x = network().requires_grad_(False), torch.randn(2, 16, 8)
    with torch.inference_mode(), precision.quick():
        assert torch.equal(precision.ready(deepcopy(plain))(x), plain(x))


def test_only_matrices_are_converted_and_only_where_the_processor_can(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    kinds = [parameter.dtype for parameter in precision.ready(network()).parameters()]
    assert kinds == [torch.bfloat16] * 2 + [torch.float32] * 2 + [torch.bfloat16] * 4
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {}, raising=False)
    assert {parameter.dtype for parameter in precision.ready(network()).parameters()} == {torch.float32}
