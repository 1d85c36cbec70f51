"""The vocabulary of the choreographer: its styles, the named figures of each, and how each style moves."""

from __future__ import annotations

from dataclasses import dataclass

from choreia.synth.moves.ballroom import WALTZ
from choreia.synth.moves.bollywood import BOLLYWOOD
from choreia.synth.moves.contemporary import CONTEMPORARY
from choreia.synth.moves.disco import DISCO
from choreia.synth.moves.funk import POPPING
from choreia.synth.moves.locking import LOCKING
from choreia.synth.moves.marks import MARKS
from choreia.synth.moves.notation import Figure
from choreia.synth.moves.salsa import SALSA
from choreia.synth.moves.street import HIP_HOP, KRUMP
from choreia.synth.moves.tap import TAP
from choreia.synth.moves.theatre import CHARLESTON, JAZZ
from choreia.synth.moves.tracks import Dynamics


@dataclass(frozen=True)
class Style:
    """A dance style.

    crouch_m: how much lower than upright it stands. bounce_m: how deep the body sinks on a beat.
    hip_rad: roll of the pelvis over the standing leg. tempo: comfortable counts a minute, low and high. arms: poses that idle
    hands run through. wander: size of unwilled movement. metre: counts in a bar, 4 or 3. text: the style in words.
    """

    name: str
    text: str
    figures: tuple[Figure, ...]
    dynamics: Dynamics
    crouch_m: float
    bounce_m: float
    hip_rad: float
    tempo: tuple[float, float]
    arms: tuple[tuple[str, str], ...]
    wander: float = 1.0
    metre: int = 4

    @property
    def marks(self) -> Figure:
        """How free feet keep time under a figure of another style."""
        return MARKS[self.name]


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "hip-hop",
            "hip-hop: relaxed and heavy, a deep bounce down on every beat, loose shoulders, party steps",
            HIP_HOP,
            Dynamics(attack=0.85, drift=0.1, overshoot=0.05, stop=0.7),
            crouch_m=0.060,
            bounce_m=0.055,
            hip_rad=0.05,
            tempo=(76, 132),
            arms=(("pump", "swing_back"), ("swing_back", "pump"), ("low", "fist_chest"), ("fist_chest", "low")),
        ),
        Style(
            "krump",
            "krump: explosive and raw, low stance, stomps, jabs, arm swings and chest pops",
            KRUMP,
            Dynamics(attack=0.6, drift=-0.06, overshoot=0.08, stop=0.9),
            crouch_m=0.085,
            bounce_m=0.045,
            hip_rad=0.03,
            tempo=(70, 128),
            arms=(("guard", "fist_chest"), ("fist_chest", "guard")),
        ),
        Style(
            "popping",
            "popping: hits and freezes, isolations of chest, neck and arms, waves, robotic precision",
            POPPING,
            Dynamics(attack=0.45, drift=0.05, overshoot=0.07, stop=1.0),
            crouch_m=0.050,
            bounce_m=0.016,
            hip_rad=0.02,
            tempo=(76, 124),
            arms=(("robot", "low"), ("low", "robot"), ("scarecrow", "robot")),
            wander=0.6,
        ),
        Style(
            "locking",
            "locking: playful and sharp, points and wrist twirls that drop into a lock, kicks and claps",
            LOCKING,
            Dynamics(attack=0.6, drift=0.06, overshoot=0.07, stop=0.9),
            crouch_m=0.055,
            bounce_m=0.035,
            hip_rad=0.04,
            tempo=(84, 134),
            arms=(("lock_front", "low"), ("clap", "clap"), ("low", "lock_front")),
        ),
        Style(
            "jazz",
            "jazz: long lines, turned-out steps that travel, kicks, turns and open arms",
            JAZZ,
            Dynamics(attack=0.95, drift=0.05, overshoot=0.03, stop=0.45),
            crouch_m=0.035,
            bounce_m=0.022,
            hip_rad=0.06,
            tempo=(84, 148),
            arms=(("second", "first"), ("first", "second"), ("second", "second")),
        ),
        Style(
            "charleston",
            "charleston: bouncing knees, kicks and twists with swinging arms of the 1920s",
            CHARLESTON,
            Dynamics(attack=0.9, drift=0.06, overshoot=0.04, stop=0.6),
            crouch_m=0.055,
            bounce_m=0.036,
            hip_rad=0.04,
            tempo=(110, 230),
            arms=(("swing_front", "swing_back"), ("swing_back", "swing_front")),
        ),
        Style(
            "tap",
            "tap: quick light feet under a quiet upright body, shuffles, flaps and time steps",
            TAP,
            Dynamics(attack=0.85, drift=0.06, overshoot=0.03, stop=0.6),
            crouch_m=0.040,
            bounce_m=0.024,
            hip_rad=0.04,
            tempo=(84, 160),
            arms=(("flap_out", "flap_in"), ("flap_in", "flap_out")),
        ),
        Style(
            "salsa",
            "salsa: quick quick slow steps on one, hips in a figure of eight, compact arms and turns",
            SALSA,
            Dynamics(attack=0.9, drift=0.08, overshoot=0.03, stop=0.45),
            crouch_m=0.035,
            bounce_m=0.014,
            hip_rad=0.26,
            tempo=(130, 230),
            arms=(("salsa_in", "salsa_out"), ("salsa_out", "salsa_in")),
        ),
        Style(
            "disco",
            "disco: points to the sky and across, bumping hips, rolling arms and line-dance walks of the 1970s",
            DISCO,
            Dynamics(attack=0.8, drift=0.06, overshoot=0.05, stop=0.65),
            crouch_m=0.040,
            bounce_m=0.034,
            hip_rad=0.14,
            tempo=(96, 144),
            arms=(("pump", "side_low"), ("side_low", "pump")),
        ),
        Style(
            "bollywood",
            "bollywood: hits of the hip, turning wrists, bouncing bhangra shoulders and hops over bent knees",
            BOLLYWOOD,
            Dynamics(attack=0.8, drift=0.06, overshoot=0.05, stop=0.65),
            crouch_m=0.050,
            bounce_m=0.030,
            hip_rad=0.10,
            tempo=(84, 150),
            arms=(("lotus_open", "chest"), ("chest", "lotus_open")),
        ),
        Style(
            "waltz",
            "waltz: bars of three that sink on one and rise through two and three, long gliding steps, sway and turns in hold",
            WALTZ,
            Dynamics(attack=0.95, drift=0.05, overshoot=0.0, stop=0.7),
            crouch_m=0.030,
            bounce_m=0.010,
            hip_rad=0.03,
            tempo=(78, 190),
            arms=(("second", "first"), ("first", "second"), ("second", "second")),
            wander=0.7,
            metre=3,
        ),
        Style(
            "contemporary",
            "contemporary: falling and catching the weight, a curving and spiralling spine, low and high levels, suspended breath",
            CONTEMPORARY,
            Dynamics(attack=1.1, drift=0.12, overshoot=0.03, stop=0.4),
            crouch_m=0.030,
            bounce_m=0.010,
            hip_rad=0.05,
            tempo=(60, 132),
            arms=(("second", "low"), ("first", "side_low"), ("side_low", "first"), ("low", "second")),
        ),
    )
}
"""Styles by name."""
