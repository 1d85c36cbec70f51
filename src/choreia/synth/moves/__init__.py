"""The vocabulary of the choreographer: eight styles, the named figures of each, and how each style moves."""

from __future__ import annotations

from dataclasses import dataclass

from choreia.synth.moves.funk import LOCKING, POPPING
from choreia.synth.moves.notation import Figure
from choreia.synth.moves.salsa import SALSA
from choreia.synth.moves.street import HIP_HOP, KRUMP
from choreia.synth.moves.tap import TAP
from choreia.synth.moves.theatre import CHARLESTON, JAZZ
from choreia.synth.moves.tracks import Dynamics


@dataclass(frozen=True)
class Style:
    """A dance style.

    crouch_m: how much lower than upright it stands. bounce_m: how deep the body sinks on a beat; bounces: sinks per count.
    hip_rad: roll of the pelvis over the standing leg. tempo: comfortable counts a minute, low and high. arms: poses that idle
    hands run through. wander: size of unwilled movement. text: the style in words.
    """

    name: str
    text: str
    figures: tuple[Figure, ...]
    dynamics: Dynamics
    crouch_m: float
    bounce_m: float
    bounces: int
    hip_rad: float
    tempo: tuple[float, float]
    arms: tuple[tuple[str, str], ...]
    wander: float = 1.0


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "hip-hop",
            "hip-hop: relaxed and heavy, a deep bounce down on every beat, loose shoulders, party steps",
            HIP_HOP,
            Dynamics(0.85, 0.1, 0.05, 0.7),
            0.060,
            0.055,
            1,
            0.05,
            (76, 132),
            (("pump", "swing_back"), ("swing_back", "pump"), ("low", "fist_chest"), ("fist_chest", "low")),
        ),
        Style(
            "krump",
            "krump: explosive and raw, low stance, stomps, jabs, arm swings and chest pops",
            KRUMP,
            Dynamics(0.6, -0.06, 0.08, 0.9),
            0.085,
            0.045,
            1,
            0.03,
            (70, 128),
            (("guard", "fist_chest"), ("fist_chest", "guard")),
        ),
        Style(
            "popping",
            "popping: hits and freezes, isolations of chest, neck and arms, waves, robotic precision",
            POPPING,
            Dynamics(0.45, 0.05, 0.07, 1.0),
            0.050,
            0.016,
            1,
            0.02,
            (76, 124),
            (("robot", "low"), ("low", "robot"), ("scarecrow", "robot")),
            0.6,
        ),
        Style(
            "locking",
            "locking: playful and sharp, points and wrist twirls that drop into a lock, kicks and claps",
            LOCKING,
            Dynamics(0.6, 0.06, 0.07, 0.9),
            0.055,
            0.035,
            1,
            0.04,
            (84, 134),
            (("lock_front", "low"), ("clap", "clap"), ("low", "lock_front")),
        ),
        Style(
            "jazz",
            "jazz: long lines, turned-out steps that travel, kicks, turns and open arms",
            JAZZ,
            Dynamics(0.95, 0.05, 0.03, 0.45),
            0.035,
            0.022,
            1,
            0.06,
            (84, 148),
            (("second", "first"), ("first", "second"), ("second", "second")),
        ),
        Style(
            "charleston",
            "charleston: bouncing knees, kicks and twists with swinging arms of the 1920s",
            CHARLESTON,
            Dynamics(0.9, 0.06, 0.04, 0.6),
            0.055,
            0.036,
            1,
            0.04,
            (110, 230),
            (("swing_front", "swing_back"), ("swing_back", "swing_front")),
        ),
        Style(
            "tap",
            "tap: quick light feet under a quiet upright body, shuffles, flaps and time steps",
            TAP,
            Dynamics(0.85, 0.06, 0.03, 0.6),
            0.040,
            0.024,
            1,
            0.04,
            (84, 160),
            (("flap_out", "flap_in"), ("flap_in", "flap_out")),
        ),
        Style(
            "salsa",
            "salsa: quick quick slow steps on one, hips in a figure of eight, compact arms and turns",
            SALSA,
            Dynamics(0.9, 0.08, 0.03, 0.45),
            0.035,
            0.014,
            1,
            0.26,
            (130, 230),
            (("salsa_in", "salsa_out"), ("salsa_out", "salsa_in")),
        ),
    )
}
"""Styles by name."""
