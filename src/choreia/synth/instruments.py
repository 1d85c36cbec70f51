"""Pitched voices: four small synthesis engines, each a frozen recipe with one method, `tone`.

`Subtractive` plays band-limited wavetables whose brightness follows an envelope (a filter sweep without a filter).
`Modal` sums decaying partials: pianos, mallets, bells, drum heads. `Fm` is two operators (Chowning 1973).
`Plucked` is Karplus-Strong (1983) in closed form: the n-th period is the first one filtered n times.
A tone is rendered once per pitch and cut to every note's length by the mixer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

TABLE = 2048


class Voice(Protocol):
    """What the mixer needs of an instrument: sounds of a given pitch, and how long they ring after the key is let go."""

    @property
    def release_s(self) -> float:
        """Seconds from key up to silence."""
        ...

    def tone(self, hz: float, n: int, rate: int) -> np.ndarray:
        """A held note of fundamental `hz`: (n,) float32 at `rate` Hz, loudest near 1."""
        ...


def midi_to_hz(pitch: float) -> float:
    """Frequency of a MIDI pitch, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def decaying_sines(hz: np.ndarray, amplitude: np.ndarray, decay_s: np.ndarray, n: int, rate: int) -> np.ndarray:
    """Sum of sines `amplitude` sin(2 pi `hz` t) exp(-t / `decay_s`), all (P,), as (n,) float32.

    A damped sine is a geometric sequence, so a block of them is a matrix product: (blocks, P) @ (P, block).
    """
    audible = hz < 0.45 * rate
    step = -1.0 / (decay_s[audible] * rate) + 2j * np.pi * hz[audible] / rate
    block = 256
    starts = np.arange(0, n, block)
    coarse = np.exp(starts[:, None] * step[None]) * amplitude[audible]
    fine = np.exp(step[:, None] * np.arange(block)[None])
    wave = coarse.astype(np.complex64) @ fine.astype(np.complex64)
    return wave.imag.reshape(-1)[:n].astype(np.float32)


def attack_decay(n: int, rate: int, attack_s: float, decay_s: float, sustain: float) -> np.ndarray:
    """Envelope (n,) float32: a raised-cosine rise, then an exponential fall from 1 towards `sustain`."""
    rise = max(1, min(n, round(attack_s * rate)))
    envelope = np.empty(n, np.float32)
    envelope[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, rise + 1) / rise)
    envelope[rise:] = sustain + (1 - sustain) * np.exp(np.arange(n - rise) / (-decay_s * rate))
    return envelope


def lookup(tables: np.ndarray, row: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Read wavetables (R, TABLE) at `phase` (n,) in cycles, cross-fading between rows at the fractional `row` (n,)."""
    index = (phase * TABLE).astype(np.int64) & (TABLE - 1)
    low = np.minimum(row.astype(np.int64), len(tables) - 2)
    flat = tables.reshape(-1)
    here = low * TABLE + index
    bottom = flat[here]
    return bottom + (flat[here + TABLE] - bottom) * (row - low).astype(np.float32)


@dataclass(frozen=True)
class Subtractive:
    """Oscillators through a low-pass whose cut-off falls from `cutoff` to `floor` (both in octaves above the fundamental).

    `slope` is the spectrum's fall per harmonic number (1 saw, 2 triangle-like); `odd` in [0, 1] removes even harmonics
    (1 = square). `unison` oscillators are spread over `detune` semitones. `breath` adds noise, `vibrato` is in semitones.
    `harmonics` instead gives the partials' amplitudes outright: an additive voice, drawbars.
    """

    slope: float = 1.0
    odd: float = 0.0
    cutoff: float = 4.0
    floor: float = 2.0
    sweep_s: float = 0.3
    attack_s: float = 0.005
    decay_s: float = 0.5
    sustain: float = 0.7
    release_s: float = 0.08
    unison: int = 1
    detune: float = 0.12
    vibrato: float = 0.0
    breath: float = 0.0
    resonance: float = 0.0
    harmonics: tuple[float, ...] = ()

    def _tables(self, hz: float, rate: int) -> np.ndarray:
        number = np.arange(1, max(2, min(TABLE // 4, int(0.45 * rate / hz)) + 1))
        weight = number**-self.slope * np.where(number % 2 == 0, 1 - self.odd, 1)
        if self.harmonics:
            weight = np.zeros(len(number))
            weight[: len(self.harmonics)] = self.harmonics[: len(number)]
        cuts = np.linspace(self.floor, max(self.cutoff, self.floor), 5)[:, None]
        octave = np.log2(number)[None] - cuts
        lowpass = 1 / np.sqrt(1 + 16.0**octave) + self.resonance * np.exp(-((octave / 0.25) ** 2))
        spectrum = np.zeros((5, TABLE // 2 + 1), complex)
        spectrum[:, 1 : len(number) + 1] = weight * lowpass * np.exp(0.35j * number - 0.5j * np.pi)
        tables = np.fft.irfft(spectrum, axis=1)
        return (tables / np.abs(tables).max()).astype(np.float32)

    def tone(self, hz: float, n: int, rate: int) -> np.ndarray:
        """A held note, see `Voice.tone`."""
        tables = self._tables(hz, rate)
        time_s = np.arange(n) / rate
        row = 4 * np.exp(-time_s / self.sweep_s)
        bend = self.vibrato * np.minimum(1, time_s / 0.4) * np.sin(2 * np.pi * 5.3 * time_s)
        cycles = np.cumsum(2.0 ** (bend / 12)) * hz / rate if self.vibrato else time_s * hz
        spread = np.linspace(-1, 1, self.unison) if self.unison > 1 else np.zeros(1)
        wave = np.zeros(n, np.float32)
        for voice, offset in enumerate(spread):
            wave += lookup(tables, row, cycles * 2 ** (offset * self.detune / 12) + 0.618 * voice)
        wave /= np.sqrt(self.unison)
        if self.breath:
            wave += self.breath * np.random.default_rng(7).standard_normal(n).astype(np.float32)
        return wave * attack_decay(n, rate, self.attack_s, self.decay_s, self.sustain)


@dataclass(frozen=True)
class Modal:
    """Struck things: partial k at `ratios[k]` times the pitch, `amplitudes[k]`, dying `damping` times faster per octave.

    `decay_s` is the fundamental's time constant at middle C; `stretch` is string inharmonicity B in f_k = k f sqrt(1 + B k^2);
    `knock` adds a short noise of the hammer.
    """

    ratios: tuple[float, ...]
    amplitudes: tuple[float, ...]
    decay_s: float = 1.2
    damping: float = 0.7
    stretch: float = 0.0
    knock: float = 0.05
    release_s: float = 0.15

    def tone(self, hz: float, n: int, rate: int) -> np.ndarray:
        """A struck note, see `Voice.tone`."""
        ratio = np.array(self.ratios)
        partial = hz * ratio * np.sqrt(1 + self.stretch * ratio**2)
        amplitude = np.array(self.amplitudes) * np.exp(-partial / 9000)
        decay = self.decay_s * (262 / hz) ** 0.5 * ratio**-self.damping
        wave = decaying_sines(partial, amplitude / np.abs(amplitude).sum() * 2, decay, n, rate)
        hit = min(n, rate // 50)
        noise = np.random.default_rng(11).standard_normal(hit) * np.exp(-np.arange(hit) / (0.003 * rate))
        wave[:hit] += self.knock * np.convolve(noise, np.ones(4) / 4, "same").astype(np.float32)
        ramp = min(n, max(2, rate // 1500))
        wave[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
        return wave


@dataclass(frozen=True)
class Fm:
    """Two operators: a modulator at `ratio` times the pitch bends the carrier by `index`, falling to `index_end` in `index_s`."""

    ratio: float = 1.0
    index: float = 2.0
    index_end: float = 0.3
    index_s: float = 0.3
    attack_s: float = 0.002
    decay_s: float = 0.9
    sustain: float = 0.0
    release_s: float = 0.12
    sub: float = 0.0

    def tone(self, hz: float, n: int, rate: int) -> np.ndarray:
        """A note, see `Voice.tone`. The index shrinks where side bands would pass the Nyquist frequency."""
        time_s = np.arange(n) / rate
        limit = max(0.0, 0.4 * rate / (hz * max(self.ratio, 1.0)) - 1)
        fall = self.index_end + (self.index - self.index_end) * np.exp(-time_s / self.index_s)
        phase = 2 * np.pi * hz * time_s
        wave = np.sin(phase + np.minimum(fall, limit) * np.sin(phase * self.ratio)) + self.sub * np.sin(phase / 2)
        return wave.astype(np.float32) / (1 + self.sub) * attack_decay(n, rate, self.attack_s, self.decay_s, self.sustain)


@dataclass(frozen=True)
class Plucked:
    """A string: a burst of noise circulates in a delay line of one period, losing treble each time round.

    `brightness` in [0, 1] of the pluck; `decay_s` of the fundamental at middle C; `drive` is soft clipping.
    """

    brightness: float = 0.6
    decay_s: float = 1.0
    drive: float = 0.0
    release_s: float = 0.06
    seed: int = 3

    def tone(self, hz: float, n: int, rate: int) -> np.ndarray:
        """A plucked note, see `Voice.tone`. Harmonics decay as Karplus and Strong's averaging filter makes them."""
        number = np.arange(1, max(2, min(80, int(0.42 * rate / hz)) + 1))
        rng = np.random.default_rng(self.seed)
        comb = np.abs(np.sin(np.pi * number * 0.23)) + 0.05
        amplitude = comb * number ** (-1.6 + self.brightness) * rng.uniform(0.7, 1.0, len(number))
        loss = -np.log(np.maximum(np.cos(np.pi * number / (len(number) * 2.4)), 1e-3)) * hz * 0.4
        decay = 1 / (1 / (self.decay_s * (262 / hz) ** 0.6) + loss)
        wave = decaying_sines(hz * number.astype(float), amplitude / amplitude.max(), decay, n, rate)
        wave /= np.abs(wave).max() + 1e-9
        if self.drive:
            wave = np.tanh(wave * (1 + 6 * self.drive)) / np.tanh(1 + 6 * self.drive)
        ramp = min(n, max(2, rate // 2000))
        wave[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
        return wave.astype(np.float32)
