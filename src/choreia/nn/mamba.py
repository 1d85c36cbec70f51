"""Selective state spaces (Gu and Dao 2023, Mamba): h_t = exp(Δ_t A) h_(t−1) + Δ_t B_t x_t, y_t = C_t h_t; A is diagonal, x sets the rest.

B is discretised as Δ B, as in Mamba's own code; the exact (ΔA)⁻¹ (exp(ΔA) − I) ΔB agrees with it to first order. States are kept as
(batch, states, channels), channels last: on a CPU that is three times as fast as the other way about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
"""(x (B, N, D), Δ (B, N, D) >= 0, A (D, S) < 0, B (B, N, S), C (B, N, S)) to y (B, N, D)."""

CHUNK = 128
"""Steps of the recurrence that are done one after the other; chunks of a longer sequence are done side by side."""


def chunked_scan(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, chunk: int = CHUNK) -> Tensor:
    """The recurrence over a sequence (see `Scan`) in chunks of at most `chunk` steps; what a chunk ends with starts the next.

    Every exponent is a sum of Δ A and so never positive: nothing overflows, whatever the length.
    """
    batch, length, _ = x.shape
    chunks = -(-length // chunk)
    push, pace, write, read = (_fold(value, chunks) for value in (delta * x, delta, b, c))
    rates, state = a.t().contiguous(), x.new_zeros(batch * chunks, a.shape[1], a.shape[0])
    rows = (push[:, :, None], pace[:, :, None], write[..., None], read[..., None])
    if chunks > 1:
        _, ends = _recur(*rows, rates, state)
        decays = torch.exp(pace.sum(0)[:, None] * rates)
        state = _carry(ends.unflatten(0, (batch, chunks)), decays.unflatten(0, (batch, chunks))).flatten(0, 1)
    y, _ = _recur(*rows, rates, state)
    return y[:, :, 0].transpose(0, 1).reshape(batch, -1, y.shape[-1])[:, :length]


def _fold(value: Tensor, chunks: int) -> Tensor:
    """(B, N, W) to (steps, B chunks, W). The padding has Δ = 0: it changes no state."""
    steps = -(-value.shape[1] // chunks)
    padded = F.pad(value, (0, 0, 0, steps * chunks - value.shape[1]))
    return padded.reshape(-1, steps, value.shape[-1]).transpose(0, 1).contiguous()


def _carry(ends: Tensor, decays: Tensor) -> Tensor:
    """States that chunks start with, from what each ends with when it starts at zero and its whole decay; all (B, chunks, S, D)."""
    state, starts = torch.zeros_like(ends[:, 0]), []
    for end, decay in zip(ends.unbind(1), decays.unbind(1), strict=True):
        starts.append(state)
        state = torch.addcmul(end, decay, state)
    return torch.stack(starts, dim=1)


class Recurrence(torch.autograd.Function):
    """Step after step, all sequences side by side, with its gradient by the same recurrence backwards: half the time of autograd's.

    push = Δ x and delta (T, M, 1, D), write = B and read = C (T, M, S, 1), rates = A (S, D), state (M, S, D); to y (T, M, 1, D) and the
    last state.
    """

    @staticmethod
    def forward(ctx: Any, push: Tensor, delta: Tensor, write: Tensor, read: Tensor, rates: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """h_t = exp(Δ_t A) h_(t−1) + B_t Δ_t x_t and y_t = C_t h_t."""
        decays, inputs, states = torch.exp(delta * rates), push * write, push.new_empty(len(push) + 1, *state.shape)
        states[0] = state
        for here, decay, before, after in zip(inputs, decays, states[:-1], states[1:], strict=True):
            torch.addcmul(here, decay, before, out=after)
        y = read.mT @ states[1:]
        ctx.save_for_backward(push, delta, write, read, rates, decays, states)
        return y, states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_y: Tensor, of_last: Tensor) -> tuple[Tensor, ...]:
        """`of_state` is the gradient of h_t, from the future and from y_t."""
        push, delta, write, read, rates, decays, states = ctx.saved_tensors
        of_push, of_delta, of_write, of_read = (torch.empty_like(value) for value in (push, delta, write, read))
        of_state, of_rates = of_last.clone(), torch.zeros_like(of_last)
        for t in reversed(range(len(push))):
            torch.bmm(states[t + 1], of_y[t].mT, out=of_read[t])
            of_state.addcmul_(read[t], of_y[t])
            torch.bmm(of_state, push[t].mT, out=of_write[t])
            torch.bmm(write[t].mT, of_state, out=of_push[t])
            of_state.mul_(decays[t])
            of_exponent = of_state * states[t]
            of_rates.addcmul_(of_exponent, delta[t])
            torch.sum(of_exponent.mul_(rates), 1, keepdim=True, out=of_delta[t])
        return of_push, of_delta, of_write, of_read, of_rates.sum(0), of_state


def _recur(*parts: Tensor) -> tuple[Tensor, Tensor]:
    return Recurrence.apply(*parts)


def kernel_scan(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The same by the CUDA kernel of the package `mamba_ssm`, which lays time out last."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    x, delta, b, c = (value.transpose(1, 2).contiguous() for value in (x, delta, b, c))
    return selective_scan_fn(x, delta, a, b, c).transpose(1, 2)


def best_scan() -> Scan:
    """The kernel where there is a GPU and `mamba_ssm` is installed, torch alone otherwise."""
    return kernel_scan if torch.cuda.is_available() and find_spec("mamba_ssm") else chunked_scan


class Mamba(nn.Module):
    """One causal selective state space layer, (B, N, width) to the same shape.

    Args:
        width: columns of a token.
        states: S, numbers that each channel remembers.
        expand: channels inside, as a multiple of `width`.
        taps: tokens that the depthwise convolution sees, the present one included.
        scan: instead of `best_scan()`; a layer with the kernel runs on the GPU alone.
    """

    def __init__(self, width: int, states: int = 16, expand: int = 2, taps: int = 4, scan: Scan | None = None) -> None:
        super().__init__()
        inner, rank = expand * width, math.ceil(width / 16)
        self.sizes = [rank, states, states]
        self.scan = scan or best_scan()
        self.enter = nn.Linear(width, 2 * inner, bias=False)
        self.look_back = nn.Conv1d(inner, inner, taps, groups=inner, padding=taps - 1)
        self.select = nn.Linear(inner, sum(self.sizes), bias=False)
        self.pace = nn.Linear(rank, inner)
        self.log_a = nn.Parameter(torch.log(torch.arange(1.0, states + 1)).repeat(inner, 1))
        self.direct = nn.Parameter(torch.ones(inner))
        self.leave = nn.Linear(inner, width, bias=False)
        _start_pace(self.pace)

    def forward(self, x: Tensor) -> Tensor:
        """The scan itself is never in half precision: its state is a long sum."""
        signal, gate = self.enter(x).chunk(2, dim=-1)
        signal = F.silu(self.look_back(signal.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2).contiguous()
        pace, b, c = self.select(signal).split(self.sizes, dim=-1)
        delta = F.softplus(self.pace(pace))
        with torch.autocast(x.device.type, enabled=False):
            exact = [value.to(self.log_a.dtype) for value in (signal, delta, b, c)]
            made = self.scan(exact[0], exact[1], -torch.exp(self.log_a), exact[2], exact[3])
        return self.leave((made + self.direct * signal) * F.silu(gate))


def _start_pace(pace: nn.Linear, slowest: float = 1e-3, fastest: float = 0.1) -> None:
    """Δ starts spread evenly, in logarithm, between `slowest` and `fastest` (Mamba's initialisation)."""
    spread = pace.in_features**-0.5
    nn.init.uniform_(pace.weight, -spread, spread)
    with torch.no_grad():
        delta = torch.exp(torch.empty_like(pace.bias).uniform_(math.log(slowest), math.log(fastest)))
        pace.bias.copy_(delta + torch.log(-torch.expm1(-delta)))


class BidirectionalMamba(nn.Module):
    """A forward layer plus a backward one of its own: F(x) + Reverse[G(Reverse(x))]."""

    def __init__(self, width: int, states: int = 16, expand: int = 2, taps: int = 4, scan: Scan | None = None) -> None:
        super().__init__()
        self.ahead = Mamba(width, states, expand, taps, scan)
        self.back = Mamba(width, states, expand, taps, scan)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to the same shape; every token sees all others."""
        return self.ahead(x) + self.back(x.flip(1)).flip(1)
