"""Sections of a song: where they begin, which of them are the same material, and what to call them."""

from __future__ import annotations

import numpy as np

from choreia.music.spectrum import Spectra
from choreia.types import Section


def eight_counts(downbeats_s: np.ndarray, sections: tuple[Section, ...]) -> np.ndarray:
    """Starts of the 8-counts: every second downbeat, counted anew from the section that begins nearest to one."""
    return downbeats_s[::2]


def sections(spectra: Spectra, downbeats_s: np.ndarray) -> tuple[Section, ...]:
    """Sections covering the song, boundaries on downbeats."""
    return (Section(0.0, spectra.duration_s, "verse"),)
