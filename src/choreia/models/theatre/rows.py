"""Music and stage as rows of tokens, each `fold` frames: what the networks read and write."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from choreia import clock
from choreia.models.theatre.config import MEL, RHYTHM
from choreia.music.features import DANCE_NAMES, pulse
from choreia.stage.style import VECTOR, from_vector, to_vector
from choreia.types import Music, Style

HEARD = DANCE_NAMES[: DANCE_NAMES.index("centroid")]
RHYTHM_NAMES = (*HEARD, "offbeat", "subdivision", "section")
"""Columns of rhythm: phases, pulses, tempo, energy and onsets of the "dance" features, then pulses of the events and of sections."""

MUSIC = MEL + RHYTHM + 1
"""Columns of music a frame: log-mel, rhythm, the number of the beat."""

LOUDEST = 95.0
"""Percentile of a song's loudness to which its spectrogram is levelled, so that recordings at any volume look alike."""

LIT = slice(VECTOR.index("light.front_left"), VECTOR.index("light.spot") + 1)
"""Columns of a style vector that follow every frame, the levels of the zones; the others are one value a token."""



def music_rows(music: Music, frames: int, fps: float) -> np.ndarray:
    """Music at `fps`, (frames, MUSIC) float32; what lies beyond its end is held."""
    times = clock.frame_times(frames, fps)
    heard = _at(music.features["dance"].values[:, : len(HEARD)], times)
    mel = _at(_levelled(music.features["logmel"].values), times)
    marks = (music.events.offbeat_s, music.events.subdivision_s, np.array([section.start_s for section in music.sections]))
    number = np.floor(clock.beat_position(times, music.beats_s) + 1e-6) if music.has_beat else np.floor(times * 2)
    return np.concatenate([mel, heard, np.stack([pulse(times, at) for at in marks], 1), number[:, None]], axis=1).astype(np.float32)


def _at(values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Rows of a track at 30 fps nearest to times."""
    return values[np.minimum(np.round(times_s * 30).astype(int), len(values) - 1)]


def _levelled(logmel: np.ndarray) -> np.ndarray:
    """A log-mel spectrogram against its own loud frames, in about [-2, 1]."""
    loud = np.percentile(logmel.max(axis=1), LOUDEST)
    return np.maximum(logmel - loud, -12.0) / 6 + 1


def nearest_rows(track: Style, fps: float, times_s: np.ndarray) -> np.ndarray:
    """Indices of the rows of a track at `fps` that hold at times (n,); its last row holds on."""
    return np.minimum((np.asarray(times_s) * fps + 1e-6).astype(int), len(track) - 1)


def fold(rows: Tensor, frames: int) -> Tensor:
    """(..., N · frames, C) to (..., N, frames · C)."""
    return rows.unflatten(-2, (-1, frames)).flatten(-2)


def unfold(rows: Tensor, frames: int) -> Tensor:
    """Inverse of `fold`."""
    return rows.unflatten(-1, (frames, -1)).flatten(-3, -2)


def style_width(frames: int) -> int:
    """Columns of a token of style."""
    return len(VECTOR) + (frames - 1) * (LIT.stop - LIT.start)


def style_rows(style: Style, frames: int) -> np.ndarray:
    """A style of N · frames rows as tokens (N, style_width(frames)): levels of every frame, then the rest, its mean over the token."""
    vector = torch.from_numpy(to_vector(style))
    lit, rest = vector[:, LIT], torch.cat([vector[:, : LIT.start], vector[:, LIT.stop :]], dim=1)
    return torch.cat([fold(lit, frames), rest.unflatten(0, (-1, frames)).mean(1)], dim=1).numpy()


def style_of(rows: np.ndarray, frames: int) -> Style:
    """Inverse of `style_rows`, N · frames rows: what a token holds once is held through it."""
    levels = frames * (LIT.stop - LIT.start)
    lit = unfold(torch.from_numpy(np.asarray(rows[:, :levels], np.float32)), frames).numpy()
    rest = np.repeat(rows[:, levels:], frames, axis=0)
    return from_vector(np.concatenate([rest[:, : LIT.start], lit, rest[:, LIT.start :]], axis=1))
