"""The sound track of a film: any audio, cut or padded to the film's length, encoded to AAC in step with the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from choreia.music import files
from choreia.types import Audio

_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_BIT_RATE = 192_000

Blocks = Iterator[tuple[np.ndarray, int]]
"""Consecutive (channels, n) float32 samples and their rate."""


def blocks_of(audio: Audio | Path, start_s: float, duration_s: float) -> Blocks:
    """`duration_s` of sound from `start_s` on: from memory, or block by block from a file."""
    if isinstance(audio, Path):
        return files.stream_channels(audio, start_s, duration_s)
    begin = round(start_s * audio.rate)
    return iter([(audio.samples[:, begin : begin + round(duration_s * audio.rate)], audio.rate)])


class SoundTrack:
    """An AAC stream of an open PyAV container `film`, fed from `blocks`; its first sample plays at 0 s, its last at `duration_s`."""

    def __init__(self, film: Any, blocks: Blocks, duration_s: float) -> None:
        first, rate = next(blocks)
        self._film, self._rate, self._channels = film, _aac_rate(rate), min(len(first), 2)
        self._source = _prepared(chain([(first, rate)], blocks), self._rate, self._channels)
        self._held = np.zeros((self._channels, 0), np.float32)
        self._done, self._total = 0, round(duration_s * self._rate)
        self._layout = "stereo" if self._channels == 2 else "mono"
        self._stream = film.add_stream("aac", rate=self._rate, layout=self._layout)
        self._stream.bit_rate = _BIT_RATE

    def write_until(self, time_s: float) -> None:
        """Encode everything before `time_s`."""
        import av

        stop = min(round(time_s * self._rate), self._total)
        if stop <= self._done:
            return
        block = av.AudioFrame.from_ndarray(self._take(stop - self._done), format="fltp", layout=self._layout)
        block.sample_rate, block.pts, block.time_base = self._rate, self._done, Fraction(1, self._rate)
        self._film.mux(self._stream.encode(block))
        self._done = stop

    def close(self) -> None:
        """Encode what is left."""
        self.write_until(self._total / self._rate)
        self._film.mux(self._stream.encode(None))

    def _take(self, count: int) -> np.ndarray:
        """The next `count` samples, silence after the end."""
        while self._held.shape[1] < count:
            more = next(self._source, None)
            if more is None:
                more = np.zeros((self._channels, count), np.float32)
            self._held = np.concatenate([self._held, more], axis=1)
        taken, self._held = self._held[:, :count], self._held[:, count:]
        return np.ascontiguousarray(taken)


def _aac_rate(rate: int) -> int:
    """The rate itself where AAC has it, else the next one above."""
    return next((known for known in _RATES if known >= rate), _RATES[-1])


def _prepared(blocks: Blocks, rate: int, channels: int) -> Iterator[np.ndarray]:
    """Blocks (channels, n) at `rate`, in [-1, 1]; more than two channels are folded onto left and right alternately."""
    resampler: soxr.ResampleStream | None = None
    for samples, source_rate in blocks:
        folded = np.stack([samples[k::channels].mean(axis=0) for k in range(channels)])
        if source_rate != rate:
            resampler = resampler or soxr.ResampleStream(source_rate, rate, channels, dtype="float32")
            folded = resampler.resample_chunk(np.ascontiguousarray(folded.T, np.float32)).reshape(-1, channels).T
        yield np.clip(folded, -1, 1).astype(np.float32)
    if resampler is not None:
        tail = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
        yield np.clip(tail.reshape(-1, channels).T, -1, 1)
