"""Drum and percussion sounds, synthesised from decaying modes, pitch sweeps and shaped noise, and kits of them.

`Kit.sound(name, rate)` renders a one-shot; a kit differs from the next by its size, tuning, damping and hardness,
so that seeds differ in timbre. Every sound starts at sample 0 with its attack: onsets are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import signal

from choreia.synth.instruments import decaying_sines


@dataclass(frozen=True)
class Kit:
    """A drum kit. `tune` multiplies pitches, `damp` divides ring times, `hard` in [0, 1] adds attack, `electric` picks machine drums."""

    tune: float = 1.0
    damp: float = 1.0
    hard: float = 0.5
    electric: float = 0.0
    seed: int = 0

    def sound(self, name: str, rate: int) -> np.ndarray:
        """One-shot called `name` (a key of `SOUNDS`): (n,) float32, peak 1. KeyError for an unknown name."""
        order = sorted(SOUNDS).index(name)
        wave = SOUNDS[name](self, rate, np.random.default_rng((self.seed, order))).astype(np.float32)
        fade = min(len(wave), rate // 100)
        wave[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        return wave / np.abs(wave).max()


def _fall(n: int, rate: int, decay_s: float) -> np.ndarray:
    return np.exp(np.arange(n) / (-decay_s * rate))


def _noise(rng: np.random.Generator, n: int, rate: int, low_hz: float, high_hz: float, decay_s: float) -> np.ndarray:
    """Band-passed noise with an exponential fall."""
    top = min(high_hz, 0.47 * rate)
    sos = signal.butter(2, [min(low_hz, 0.8 * top), top], "bandpass", fs=rate, output="sos")
    wave = signal.sosfilt(sos, rng.standard_normal(n + rate // 50))[rate // 50 :] * _fall(n, rate, decay_s)
    return wave / (np.abs(wave[: max(8, rate // 20)]).max() + 1e-9)


def _sweep(n: int, rate: int, top_hz: float, end_hz: float, sweep_s: float, decay_s: float) -> np.ndarray:
    """A sine that falls from `top_hz` to `end_hz`: the head of a struck drum."""
    hz = end_hz + (top_hz - end_hz) * _fall(n, rate, sweep_s)
    return np.sin(2 * np.pi * np.cumsum(hz) / rate) * _fall(n, rate, decay_s)


def _kick(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    long = 0.12 + 0.16 * kit.electric
    n = round((0.35 + 0.3 * kit.electric) * rate)
    body = _sweep(n, rate, 230 * kit.tune, 48 * kit.tune, 0.022, long / kit.damp)
    click = _noise(rng, n, rate, 1500, 7000, 0.004) * (0.15 + 0.35 * kit.hard)
    return np.tanh(1.6 * (body + click))


def _snare(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    n = round(0.32 * rate)
    head = _sweep(n, rate, 290 * kit.tune, 185 * kit.tune, 0.01, 0.07 / kit.damp)
    wires = _noise(rng, n, rate, 900 + 900 * kit.hard, 9500, (0.075 + 0.04 * kit.electric) / kit.damp)
    return 0.75 * head + 0.8 * wires


def _clap(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    n = round(0.3 * rate)
    wave = _noise(rng, n, rate, 900 * kit.tune, 3800, 0.085)
    for burst_s in (0.009, 0.019):
        start = round(burst_s * rate)
        wave[start:] += _noise(rng, n - start, rate, 900 * kit.tune, 4200, 0.006)
    return wave


def _rim(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    n = round(0.1 * rate)
    modes = np.array([430.0, 1020, 1710]) * kit.tune
    return decaying_sines(modes, np.array([0.5, 1.0, 0.8]), np.array([0.02, 0.014, 0.01]), n, rate) + 0.3 * _noise(
        rng, n, rate, 2000, 8000, 0.004
    )


def _metal(kit: Kit, rate: int, rng: np.random.Generator, length_s: float, decay_s: float, low_hz: float, tone: float) -> np.ndarray:
    """Hats and cymbals: bright noise over a cloud of inharmonic modes."""
    n = round(length_s * rate)
    count = 36
    hz = low_hz * kit.tune * 2 ** rng.uniform(-0.4, 1.6, count)
    modes = decaying_sines(hz, rng.uniform(-1, 1, count), decay_s * rng.uniform(0.5, 1.4, count), n, rate)
    hiss = _noise(rng, n, rate, low_hz, 16000, decay_s) + 0.5 * _noise(rng, n, rate, low_hz * 1.3, 16000, 0.012)
    return tone * modes / np.abs(modes).max() + (1 - 0.5 * tone) * hiss


def _hat(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    return _metal(kit, rate, rng, 0.12, 0.028 / kit.damp, 6200, 0.3)


def _open_hat(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    return _metal(kit, rate, rng, 0.5, 0.17 / kit.damp, 5800, 0.35)


def _pedal(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    return _metal(kit, rate, rng, 0.08, 0.018, 4800, 0.3)


def _ride(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    n = round(0.9 * rate)
    hz = np.array([2310.0, 2970, 3450, 4130, 4790, 5320, 6240]) * kit.tune * rng.uniform(0.97, 1.03, 7)
    ping = decaying_sines(hz, rng.uniform(0.05, 0.12, 7), rng.uniform(0.05, 0.16, 7), n, rate)
    return 0.8 * _metal(kit, rate, rng, 0.9, 0.2, 4200, 0.35) + ping


def _bell(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    n = round(0.9 * rate)
    ping = decaying_sines(
        np.array([1210.0, 2330, 3870, 5230]) * kit.tune, np.array([0.6, 0.6, 0.4, 0.3]), np.array([0.35, 0.3, 0.2, 0.2]), n, rate
    )
    return ping + 0.2 * _metal(kit, rate, rng, 0.9, 0.2, 4500, 0.4)


def _crash(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
    return _metal(kit, rate, rng, 1.8, 0.55 / kit.damp, 3300, 0.4)


def _tom(base_hz: float) -> Callable[[Kit, int, np.random.Generator], np.ndarray]:
    def sound(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
        n = round(0.45 * rate)
        head = _sweep(n, rate, 1.7 * base_hz * kit.tune, base_hz * kit.tune, 0.035, 0.16 / kit.damp)
        return head + 0.12 * _noise(rng, n, rate, 800, 6000, 0.015)

    return sound


def _hand(base_hz: float, slap: float, decay_s: float) -> Callable[[Kit, int, np.random.Generator], np.ndarray]:
    """Congas and bongos: a short head with a little skin noise."""

    def sound(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
        n = round(0.3 * rate)
        modes = base_hz * kit.tune * np.array([1.0, 1.59, 2.14, 2.65])
        head = decaying_sines(modes, np.array([1.0, 0.4, 0.25, 0.2]), decay_s * np.array([1.0, 0.6, 0.5, 0.4]), n, rate)
        return head + slap * _noise(rng, n, rate, 1200, 7000, 0.012)

    return sound


def _wood(hz: tuple[float, ...], decay_s: float) -> Callable[[Kit, int, np.random.Generator], np.ndarray]:
    """Claves, blocks, cowbell, agogo, triangle: a few bare modes."""

    def sound(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
        modes = np.array(hz) * kit.tune
        n = round(min(1.0, 6 * decay_s) * rate)
        return decaying_sines(modes, np.linspace(1, 0.6, len(modes)), decay_s * np.linspace(1, 0.6, len(modes)), n, rate)

    return sound


def _shake(low_hz: float, attack_s: float, decay_s: float) -> Callable[[Kit, int, np.random.Generator], np.ndarray]:
    """Shaker, tambourine, guiro: noise with a short rise."""

    def sound(kit: Kit, rate: int, rng: np.random.Generator) -> np.ndarray:
        n = round((attack_s + 6 * decay_s) * rate)
        rise = np.minimum(1, np.arange(n) / (attack_s * rate))
        return _noise(rng, n, rate, low_hz * kit.tune, 14000, decay_s) * rise

    return sound


SOUNDS: dict[str, Callable[[Kit, int, np.random.Generator], np.ndarray]] = {
    "kick": _kick,
    "snare": _snare,
    "clap": _clap,
    "rim": _rim,
    "hat": _hat,
    "open_hat": _open_hat,
    "pedal": _pedal,
    "ride": _ride,
    "bell": _bell,
    "crash": _crash,
    "low_tom": _tom(82),
    "mid_tom": _tom(118),
    "high_tom": _tom(160),
    "low_conga": _hand(185, 0.15, 0.11),
    "high_conga": _hand(255, 0.25, 0.09),
    "slap_conga": _hand(290, 0.7, 0.03),
    "low_bongo": _hand(330, 0.3, 0.06),
    "high_bongo": _hand(440, 0.35, 0.05),
    "clave": _wood((2480.0, 3720.0), 0.022),
    "block": _wood((880.0, 1420.0, 2210.0), 0.03),
    "cowbell": _wood((587.0, 845.0, 1480.0, 2110.0), 0.075),
    "agogo": _wood((910.0, 1860.0, 2740.0), 0.12),
    "triangle": _wood((4630.0, 6370.0, 8110.0), 0.28),
    "shaker": _shake(5200, 0.012, 0.022),
    "tambourine": _shake(6800, 0.002, 0.05),
    "guiro": _shake(2600, 0.03, 0.04),
}
DRUM_LEVELS = {
    "kick": 0.95, "snare": 0.72, "clap": 0.62, "rim": 0.5, "hat": 0.32, "open_hat": 0.3, "pedal": 0.32, "ride": 0.27, "bell": 0.25,
    "crash": 0.4, "shaker": 0.25, "tambourine": 0.26, "cowbell": 0.24, "clave": 0.34, "guiro": 0.22, "triangle": 0.15, "agogo": 0.22,
    "block": 0.3,
}  # fmt: skip
KITS: dict[str, Kit] = {
    "acoustic": Kit(),
    "tight": Kit(tune=1.06, damp=1.3, hard=0.7),
    "big": Kit(tune=0.92, damp=0.75, hard=0.4),
    "machine": Kit(tune=1.0, damp=1.0, hard=0.8, electric=1.0),
    "deep": Kit(tune=0.9, damp=0.7, hard=0.35, electric=1.0),
    "soft": Kit(tune=1.02, damp=1.15, hard=0.1),
}


def vary(kit: Kit, rng: np.random.Generator) -> Kit:
    """A kit near the given one: other heads, other cymbals."""
    return Kit(
        kit.tune * float(rng.uniform(0.9, 1.12)),
        kit.damp * float(rng.uniform(0.8, 1.25)),
        float(np.clip(kit.hard + rng.uniform(-0.2, 0.2), 0, 1)),
        kit.electric,
        int(rng.integers(1 << 30)),
    )
