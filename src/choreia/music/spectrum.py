"""One pass over the sound: two short-time Fourier transforms in torch, reduced at once to the few bands that the rest needs.

At 30720 Hz a hop of 512 samples is 60 frames a second, for beats; a hop of 1024 is 30, for features. Frame i is centred on
its time, i / fps seconds; sound before the start and after the end is silence. Blocks come in any size and are regrouped, so the
result does not depend on them, and memory does not grow with the song but for the bands themselves (1.2 kB a frame).

Mel scale and filters: M. Slaney, Auditory Toolbox (1998), as in librosa.filters.mel. Chroma: D. Ellis, "Chroma feature analysis" (2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from choreia import clock

RATE = 30720
FAST_FPS = 60.0
FPS = 30.0
FAST_HOP, FAST_SIZE = 512, 2048
HOP, SIZE = 1024, 4096
CHUNK = 600

BEAT_BANDS = 80
LOGMEL_BANDS = 64
EDGE_BANDS = 128
EDGE_TOP_HZ = 7680.0


@dataclass(frozen=True)
class Spectra:
    """What one pass keeps of a song of `duration_s` seconds; powers of a sine of amplitude 1 are about 1 before band weights.

    beats (2T, 80): log10 mel bands at 60 fps. mel (T, 64), edge_mel (T, 128), chroma (T, 12): powers at 30 fps.
    power (T,): mean square of the 133 ms around each frame. centroid_hz (T,): mean frequency.
    """

    duration_s: float
    beats: np.ndarray
    mel: np.ndarray
    edge_mel: np.ndarray
    chroma: np.ndarray
    power: np.ndarray
    centroid_hz: np.ndarray


def measure(blocks: Iterable[np.ndarray]) -> Spectra:
    """Spectra of a song given as consecutive mono blocks (n,) float32 at `RATE` Hz."""
    total = _Counter()
    columns: list[_Rows] = []
    for chunk in _chunks(total.count(blocks)):
        parts = _reduce(chunk)
        columns = columns or [_Rows(part) for part in parts]
        for column, part in zip(columns, parts, strict=True):
            column.add(part)
    n = clock.frames_in(total.samples / RATE, FPS)
    beats, *bands = (column.values() for column in columns)
    return Spectra(total.samples / RATE, beats[: 2 * n], *(band[:n] for band in bands))


class _Rows:
    """Rows gathered in one array that doubles when full: small pieces kept between large temporary ones would tatter the heap."""

    def __init__(self, like: torch.Tensor) -> None:
        self._array, self._filled = np.empty((4096, *like.shape[1:]), np.float32), 0

    def add(self, rows: torch.Tensor) -> None:
        """Append (n, ...)."""
        while self._filled + len(rows) > len(self._array):
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._filled : self._filled + len(rows)] = rows.numpy()
        self._filled += len(rows)

    def values(self) -> np.ndarray:
        """All rows so far."""
        return self._array[: self._filled]


class _Counter:
    """Counts the samples that pass through."""

    def __init__(self) -> None:
        self.samples = 0

    def count(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            self.samples += len(block)
            yield block


def _chunks(blocks: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
    """Regroup into overlapping stretches, each enough for CHUNK frames; silence around the whole."""
    step, overlap = CHUNK * HOP, SIZE - HOP
    held = np.zeros(SIZE // 2, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= step + overlap:
            yield torch.from_numpy(held[: step + overlap])
            held = held[step:]
    frames = max(1, -(-(len(held) - SIZE // 2) // HOP) + 1)
    yield torch.from_numpy(np.pad(held, (0, SIZE))[: frames * HOP + overlap])


def _reduce(chunk: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Bands of one stretch: 60 fps beat bands, then the 30 fps columns of `Spectra` in its order."""
    margin = (SIZE - FAST_SIZE) // 2
    fast = _power(chunk[margin : len(chunk) - margin + FAST_HOP], FAST_SIZE, FAST_HOP)
    slow = _power(chunk, SIZE, HOP)
    mel, edge_mel, chroma = (slow @ _slow_bank()).split([LOGMEL_BANDS, EDGE_BANDS, 12], dim=1)
    hz = torch.arange(slow.shape[1]) * (RATE / SIZE)
    total = slow.sum(dim=1)
    centroid_hz = (slow @ hz) / total.clamp_min(1e-9)
    return torch.log10(fast @ _fast_bank() + 1e-7), mel, edge_mel, chroma, total / 3, centroid_hz


def _power(signal: torch.Tensor, size: int, hop: int) -> torch.Tensor:
    """(frames, size // 2 + 1) power spectrum under a Hann window, a sine of amplitude 1 at about 1."""
    window = torch.hann_window(size)
    spectrum = torch.fft.rfft(signal.unfold(0, size, hop) * (window * (2 / window.sum())))
    return torch.view_as_real(spectrum).square().sum(dim=-1)


@cache
def _fast_bank() -> torch.Tensor:
    return torch.from_numpy(mel_bank(FAST_SIZE, BEAT_BANDS, 30.0, 15000.0))


@cache
def _slow_bank() -> torch.Tensor:
    banks = mel_bank(SIZE, LOGMEL_BANDS, 30.0, 15000.0), mel_bank(SIZE, EDGE_BANDS, 0.0, EDGE_TOP_HZ), chroma_bank(SIZE)
    return torch.from_numpy(np.concatenate(banks, axis=1))


def mel_bank(size: int, bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """(size // 2 + 1, bands) float32 triangles, evenly spaced in mel, each of peak 1 (or one bin, where bins are coarser)."""
    bins_hz = np.arange(size // 2 + 1) * (RATE / size)
    edges_hz = _mel_to_hz(np.linspace(_hz_to_mel(low_hz), _hz_to_mel(high_hz), bands + 2))
    rise = (bins_hz[:, None] - edges_hz[None, :-2]) / np.diff(edges_hz)[None, :-1]
    fall = (edges_hz[None, 2:] - bins_hz[:, None]) / np.diff(edges_hz)[None, 1:]
    bank = np.maximum(0, np.minimum(rise, fall))
    nearest = np.abs(bins_hz[:, None] - edges_hz[None, 1:-1]).argmin(axis=0)
    thin = bank.sum(axis=0) < 0.5
    bank[nearest[thin], np.flatnonzero(thin)] = 1.0
    return bank.astype(np.float32)


def chroma_bank(size: int) -> np.ndarray:
    """(size // 2 + 1, 12) float32: each bin given to the pitch classes near it (C first), around the octaves where harmony lies."""
    hz = np.arange(size // 2 + 1) * (RATE / size)
    hz[0] = 1.0
    pitch = 12 * np.log2(hz / 440.0) + 69
    distance = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    width = np.maximum(0.5, 12 * np.log2(1 + RATE / size / hz) / 2)[:, None]
    octaves = np.exp(-0.5 * ((pitch - 64) / 14) ** 2) * (hz > 55) * (hz < 5000)
    return (np.exp(-0.5 * (distance / width) ** 2) * octaves[:, None]).astype(np.float32)


def _hz_to_mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
