"""Named instruments for arrangers and for General MIDI, and a way to make neighbours of them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from choreia.synth.instruments import Fm, Modal, Plucked, Subtractive, Voice

_STRING = tuple(float(k) for k in range(1, 19))
_PIANO = tuple(k**-1.25 for k in range(1, 19))
VOICES: dict[str, Voice] = {
    "piano": Modal(_STRING, _PIANO, 1.5, 0.75, 4e-4, 0.05, 0.18),
    "bright_piano": Modal(_STRING, tuple(k**-0.95 for k in range(1, 19)), 1.2, 0.7, 5e-4, 0.08, 0.15),
    "electric_piano": Fm(1.0, 1.6, 0.25, 0.5, 0.002, 1.4, 0.0, 0.2),
    "tine_piano": Fm(14.0, 0.5, 0.0, 0.12, 0.002, 1.1, 0.0, 0.25),
    "marimba": Modal((1.0, 3.93, 9.2), (1.0, 0.35, 0.12), 0.28, 1.1, 0.0, 0.06, 0.2),
    "vibraphone": Modal((1.0, 4.0, 10.0), (1.0, 0.25, 0.06), 1.3, 0.9, 0.0, 0.03, 0.4),
    "bells": Modal((0.5, 1.0, 1.19, 1.5, 2.0, 2.74, 3.0), (0.4, 1.0, 0.5, 0.3, 0.4, 0.25, 0.2), 1.6, 0.6, 0.0, 0.02, 0.6),
    "organ": Subtractive(harmonics=(1.0, 0.8, 0.5, 0.4, 0.0, 0.25, 0.0, 0.3), cutoff=6, floor=6, sustain=1, release_s=0.05, vibrato=0.06),
    "church_organ": Subtractive(
        harmonics=(1, 0.7, 0.3, 0.6, 0.1, 0.2, 0.05, 0.4), cutoff=6, floor=6, attack_s=0.03, sustain=1, release_s=0.3
    ),
    "nylon_guitar": Plucked(0.25, 0.9, 0.0, 0.1),
    "steel_guitar": Plucked(0.65, 1.1, 0.0, 0.1, 5),
    "muted_guitar": Plucked(0.5, 0.12, 0.1, 0.04, 6),
    "clean_guitar": Plucked(0.55, 1.4, 0.1, 0.08, 8),
    "driven_guitar": Plucked(0.8, 2.6, 1.0, 0.08, 9),
    "harp": Plucked(0.3, 1.4, 0.0, 0.5, 10),
    "banjo": Plucked(0.9, 0.3, 0.0, 0.1, 12),
    "finger_bass": Plucked(0.1, 0.8, 0.25, 0.06, 14),
    "pick_bass": Plucked(0.55, 0.8, 0.25, 0.05, 15),
    "slap_bass": Plucked(0.95, 0.6, 0.4, 0.05, 16),
    "upright_bass": Plucked(0.05, 0.45, 0.15, 0.1, 17),
    "synth_bass": Subtractive(1.0, 0.0, 4.0, 1.2, 0.12, 0.003, 0.4, 0.7, 0.05, resonance=0.25),
    "square_bass": Subtractive(1.0, 0.9, 3.2, 1.4, 0.2, 0.003, 0.5, 0.75, 0.05),
    "sub_bass": Subtractive(2.2, 0.5, 2.0, 0.6, 0.15, 0.004, 0.9, 0.6, 0.07),
    "fm_bass": Fm(1.0, 2.6, 0.6, 0.12, 0.002, 0.8, 0.4, 0.05),
    "strings": Subtractive(1.15, 0.0, 3.6, 3.0, 0.6, 0.11, 1.0, 0.9, 0.3, 3, 0.14, 0.12),
    "solo_strings": Subtractive(1.1, 0.0, 3.8, 3.2, 0.4, 0.06, 1.0, 0.85, 0.15, 1, 0.0, 0.2),
    "choir": Subtractive(1.5, 0.1, 3.0, 2.6, 0.6, 0.12, 1.0, 0.9, 0.3, 3, 0.2, 0.15, 0.01),
    "brass": Subtractive(1.0, 0.0, 4.0, 2.6, 0.35, 0.03, 0.6, 0.8, 0.09, 2, 0.1, 0.06),
    "trumpet": Subtractive(0.9, 0.0, 3.8, 3.0, 0.3, 0.025, 0.6, 0.8, 0.08, 1, 0.0, 0.1),
    "saxophone": Subtractive(1.1, 0.35, 3.6, 2.8, 0.4, 0.03, 0.7, 0.8, 0.09, 1, 0.0, 0.16, 0.015),
    "clarinet": Subtractive(1.2, 0.9, 3.4, 3.0, 0.4, 0.03, 0.8, 0.85, 0.08, 1, 0.0, 0.06),
    "flute": Subtractive(2.6, 0.2, 3.0, 2.4, 0.3, 0.04, 0.8, 0.85, 0.1, 1, 0.0, 0.15, 0.02),
    "ocarina": Subtractive(3.2, 0.6, 2.6, 2.0, 0.3, 0.03, 0.8, 0.9, 0.1, 1, 0.0, 0.18, 0.01),
    "saw_lead": Subtractive(1.0, 0.0, 4.6, 3.2, 0.4, 0.006, 0.6, 0.75, 0.12, 3, 0.16, 0.1, resonance=0.15),
    "square_lead": Subtractive(1.0, 1.0, 4.2, 3.0, 0.4, 0.006, 0.6, 0.75, 0.1, 1, 0.0, 0.14),
    "soft_lead": Subtractive(1.7, 0.3, 3.2, 2.4, 0.4, 0.015, 0.8, 0.8, 0.12, 2, 0.1, 0.14),
    "warm_pad": Subtractive(1.3, 0.1, 3.0, 2.2, 0.9, 0.14, 1.5, 0.85, 0.4, 4, 0.2),
    "bright_pad": Subtractive(1.0, 0.0, 4.4, 3.0, 1.0, 0.08, 1.5, 0.8, 0.35, 4, 0.24),
    "super_saw": Subtractive(1.0, 0.0, 5.0, 3.6, 0.4, 0.004, 0.7, 0.75, 0.15, 5, 0.3),
    "pluck": Subtractive(1.0, 0.2, 4.8, 1.0, 0.09, 0.002, 0.22, 0.05, 0.12, 2, 0.14, resonance=0.2),
    "sitar": Plucked(1.0, 1.2, 0.3, 0.3, 21),
    "kalimba": Modal((1.0, 5.4, 8.9), (1.0, 0.2, 0.1), 0.5, 1.0, 0.0, 0.1, 0.3),
}
_FIXED = {"ratio", "ratios", "amplitudes", "harmonics", "unison", "seed", "sustain"}
V = TypeVar("V", Fm, Modal, Plucked, Subtractive)


def vary(voice: Voice, rng: np.random.Generator, amount: float = 0.25) -> Voice:
    """A neighbour of `voice`: every continuous setting multiplied by up to 1 +- `amount`."""
    assert isinstance(voice, Fm | Modal | Plucked | Subtractive)
    changes = {f.name: getattr(voice, f.name) * float(rng.uniform(1 - amount, 1 + amount)) for f in fields(voice) if f.name not in _FIXED}
    return replace(voice, **changes)
