"""The named feature sets of a song, all at 30 frames a second, frame i at i / 30 s.

- `lrcm3`: chroma 0 (C), spectral flux, beat activation (LRCM, section 4.1; the columns of its Motorica recipe).
- `edge35`: the baseline features of EDGE (Tseng et al. 2023, `data/audio_extraction/baseline_features.py`): onset envelope, 20 MFCC,
  12 chroma, onset one-hot, beat one-hot. Departures: chroma comes from the Fourier transform and not from a constant-Q one (with the
  CENS quantisation and smoothing), and the beats are our own.
- `logmel`: 64 mel bands, natural logarithm.
- `dance`: the 24 columns that the default model listens to.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dct
from scipy.ndimage import convolve1d, gaussian_filter1d, maximum_filter1d, uniform_filter1d

from choreia import clock
from choreia.music.spectrum import FPS, Spectra
from choreia.types import Features

DANCE_NAMES = (
    *("beat_sin", "beat_cos", "bar_sin", "bar_cos", "eight_sin", "eight_cos", "beat_pulse", "downbeat_pulse", "has_beat", "log_tempo"),
    *("energy", "onset", "low_flux", "mid_flux", "high_flux", "centroid", *(f"timbre{i}" for i in range(8))),
)
CHROMA_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PULSE_SIGMA_S = 0.04
SILENCE_POWER = 1e-8
TIMBRE_MEAN = np.array([-43.5, 17.3, 1.8, 5.7, 0.0, 3.6, -1.2, 1.7])
TIMBRE_STD = np.array([16.5, 7.6, 5.9, 4.2, 3.3, 3.1, 2.7, 2.4])


def lrcm3(spectra: Spectra, activation: np.ndarray) -> Features:
    """Chroma 0, spectral flux and beat activation, each in [0, 1]; `activation` (2T,) at 60 fps."""
    chroma = spectra.chroma / np.maximum(spectra.chroma.max(axis=1, keepdims=True), 1e-6)
    flux = _unit_peak(_flux(spectra.mel).mean(axis=1))
    beat = maximum_filter1d(activation, 2)[::2][: len(flux)]
    return Features(_columns(chroma[:, 0], flux, beat), FPS, ("chroma0", "spectral_flux", "beat_activation"))


def edge35(spectra: Spectra, beats_s: np.ndarray) -> Features:
    """The 35 baseline columns of EDGE."""
    decibel = _decibel(spectra.edge_mel)
    envelope = onset_envelope(decibel)
    mfcc = dct(decibel, type=2, axis=1, norm="ortho")[:, :20]
    onsets = _one_hot(peaks(envelope / max(float(envelope.max()), 1e-9), delta=0.07), len(envelope))
    beats = _one_hot(np.round(beats_s * FPS).astype(int), len(envelope))
    names = ("onset_envelope", *(f"mfcc{i}" for i in range(20)), *(f"chroma_{c}" for c in CHROMA_NAMES), "onset", "beat")
    return Features(_columns(envelope, mfcc, _cens(spectra.chroma), onsets, beats), FPS, names)


def logmel(spectra: Spectra) -> Features:
    """64 mel bands, natural logarithm of power + 1e-8."""
    return Features(np.log(spectra.mel + 1e-8).astype(np.float32), FPS, tuple(f"mel{i}" for i in range(spectra.mel.shape[1])))


def dance_features(spectra: Spectra, beats_s: np.ndarray, downbeats_s: np.ndarray, eights_s: np.ndarray) -> Features:
    """The 24 columns `DANCE_NAMES` for beats, downbeats and 8-count starts in seconds (any may be empty: its columns are then 0)."""
    times_s = clock.frame_times(len(spectra.power), FPS)
    flux = _flux(spectra.mel)
    pulses = [pulse(times_s, at_s) for at_s in (beats_s, downbeats_s)]
    phases = [_phase(times_s, grid_s) for grid_s in (beats_s, downbeats_s, eights_s)]
    bands = [_unit_peak(part.mean(axis=1)) for part in (flux, flux[:, :12], flux[:, 12:36], flux[:, 36:])]
    centroid = np.clip(np.log2(np.maximum(spectra.centroid_hz, 1) / 100) / 6, 0, 1)
    columns = (*phases, *pulses, *_tempo_columns(times_s, beats_s), energy_curve(spectra), *bands, centroid, _timbre(spectra))
    return Features(_columns(*columns), FPS, DANCE_NAMES)


def energy_curve(spectra: Spectra) -> np.ndarray:
    """How much the music drives, (T,) in [0, 1]: loudness and onset strength over about a second, against the song's own loud parts."""
    loud = uniform_filter1d(spectra.power, 31, mode="nearest")
    level = 10 * np.log10(np.maximum(loud, SILENCE_POWER))
    busy = uniform_filter1d(_flux(spectra.mel).mean(axis=1), 61, mode="nearest")
    top, most = np.percentile(level, 95), max(float(np.percentile(busy, 95)), 1e-6)
    loudness = np.clip((level - top + 30) / 33, 0, 1) * (loud > SILENCE_POWER)
    return gaussian_filter1d(loudness * (0.6 + 0.4 * np.clip(busy / most, 0, 1)), 8, mode="nearest").astype(np.float32)


def onset_envelope(decibel: np.ndarray) -> np.ndarray:
    """Mean rise over bands from frame to frame, (T, bands) dB -> (T,) dB: librosa.onset.onset_strength without its delay of 2 frames."""
    rise = np.maximum(0, np.diff(decibel, axis=0, prepend=decibel[:1]))
    return rise.mean(axis=1)


def peaks(envelope: np.ndarray, delta: float, reach: int = 2) -> np.ndarray:
    """Frames that are the highest within `reach` frames and stand `delta` above the mean of the half second around them."""
    highest = (envelope == maximum_filter1d(envelope, 2 * reach + 1)) & (envelope > uniform_filter1d(envelope, 15) + delta)
    found = np.flatnonzero(highest)
    return found[np.diff(found, prepend=-reach - 1) > 1]


def _phase(times_s: np.ndarray, grid_s: np.ndarray) -> np.ndarray:
    """Sine and cosine of the phase in a grid, (T, 2); zeros without one."""
    if len(grid_s) < 2:
        return np.zeros((len(times_s), 2))
    angle = 2 * np.pi * clock.beat_position(times_s, grid_s)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)


def pulse(times_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """A bump of height 1 and sigma 40 ms at each time, (T,)."""
    if len(at_s) == 0:
        return np.zeros(len(times_s))
    right = np.clip(np.searchsorted(at_s, times_s), 1, max(1, len(at_s) - 1))
    gap = np.minimum(np.abs(times_s - at_s[right - 1]), np.abs(times_s - at_s[np.minimum(right, len(at_s) - 1)]))
    return np.exp(-0.5 * (gap / PULSE_SIGMA_S) ** 2)


def _tempo_columns(times_s: np.ndarray, beats_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether there is a beat, and log2 of the local tempo over 120 BPM, (T,) each."""
    if len(beats_s) < 2:
        return np.zeros(len(times_s)), np.zeros(len(times_s))
    tempo = np.interp(times_s, (beats_s[1:] + beats_s[:-1]) / 2, 60 / np.diff(beats_s))
    return np.ones(len(times_s)), np.log2(tempo / 120)


def _timbre(spectra: Spectra) -> np.ndarray:
    """First 8 cosine coefficients of the log-mel spectrum at the song's own level, standardised by fixed constants, (T, 8)."""
    reference = max(float(np.percentile(spectra.mel.mean(axis=1), 95)), SILENCE_POWER)
    shape = dct(np.log(spectra.mel / reference + 1e-5), type=2, axis=1, norm="ortho")[:, :8]
    return np.clip((shape - TIMBRE_MEAN) / TIMBRE_STD, -5, 5)


def _flux(mel: np.ndarray) -> np.ndarray:
    """Rise of compressed band power from frame to frame, (T, bands), never negative."""
    compressed = np.log1p(1e4 * mel)
    return np.maximum(0, np.diff(compressed, axis=0, prepend=compressed[:1]))


def _unit_peak(curve: np.ndarray) -> np.ndarray:
    """Scaled so that its 99th percentile is 1, cut at 1.5; a flat silent curve stays 0."""
    top = float(np.percentile(curve, 99))
    return np.clip(curve / max(top, 0.02), 0, 1.5)


def _decibel(power: np.ndarray) -> np.ndarray:
    """10 log10, not more than 80 dB below the highest value (librosa.power_to_db)."""
    level = 10 * np.log10(np.maximum(power, 1e-10))
    return np.maximum(level, level.max() - 80)


def _cens(chroma: np.ndarray) -> np.ndarray:
    """Chroma energy normalised statistics (Müller & Ewert 2011): L1 norm, quantised, smoothed over 41 frames, L2 norm."""
    share = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), 1e-9)
    steps = sum((share > step).astype(float) for step in (0.05, 0.1, 0.2, 0.4)) / 4
    window = np.hanning(43)[1:-1]
    smooth = convolve1d(steps, window / window.sum(), axis=0, mode="constant")
    return smooth / np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)


def _one_hot(frames: np.ndarray, n: int) -> np.ndarray:
    """(n,) with 1 at the given frames."""
    track = np.zeros(n)
    track[frames[(frames >= 0) & (frames < n)]] = 1
    return track


def _columns(*parts: np.ndarray) -> np.ndarray:
    """(T,) and (T, k) parts beside one another, float32."""
    return np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1).astype(np.float32)
