"""Tap: light feet under a quiet body; shuffles, flaps, time steps and paddle turns."""

from __future__ import annotations

from choreia.synth.moves.notation import beats, body, figure, hands, heel, home, kick, pivot, step, touch

TAP = (
    figure(
        "shuffle ball change", 2, "brush out and in, then ball and change",
        kick("R", 1, -0.15, 0.24, 0.07, pitch=0.25, takes=0.4), touch("R", 1.5, -0.14, -0.12, weight=0.7, pitch=0.4, takes=0.42, arc=0.03), home("L", 2, weight=0.75, takes=0.35, arc=0.045), home("R", 2.4, takes=0.35, arc=0.03),
        hands(1, left="flap_in", right="flap_out"), hands(2, left="flap_out", right="flap_in"),
        body(1, twist=0.15, side=0.05), body(2, twist=-0.1, side=-0.03, bend=0.08),
    ),
    figure(
        "time step", 4, "stomp, hop, shuffle and step, the phrase that keeps the time",
        kick("R", 0.5, -0.14, 0.08, 0.14, takes=0.4), step("R", 1, -0.16, 0.12, takes=0.42), kick("R", 2, -0.15, 0.28, 0.10, takes=0.6), home("R", 2.5, takes=0.4, weight=0.75, arc=0.03),
        kick("L", 3, 0.15, 0.26, 0.08, takes=0.4), touch("L", 3.5, 0.14, -0.10, pitch=0.35, weight=0.6, takes=0.42, arc=0.03), home("L", 4, takes=0.42, weight=0.6, arc=0.04),
        hands(1, both="second"), hands(2, left="flap_in", right="second"), hands(3, left="second", right="flap_in"), hands(4, both="flap_out"),
        beats((1, 2, 3, 4), bend=(0.12, 0.0, 0.1, 0.05), twist=(0.15, -0.15, 0.15, 0.0), dip=(0.05, 0.0, 0.03, 0.02)),
    ),
    figure(
        "flap", 2, "brush forward and step, one after the other, walking",
        step("L", 1, 0.12, 0.16, takes=0.5, arc=0.04), home("R", 2, z=0.2, takes=0.5, arc=0.04), home("L", 2.4, z=0.2, takes=0.35, arc=0.03),
        hands(1, left="walk_back", right="swing_front"), hands(2, left="swing_front", right="walk_back"),
        body(1, twist=0.15, bend=0.08), body(2, twist=-0.15, bend=0.05), travel=(0.0, 0.2),
    ),
    figure(
        "paddle turn", 8, "paddle round on one foot in quarter turns",
        *(pivot("L", 2 * k, 1.5708 * k, weight=0.8, takes=0.8) for k in (1, 2, 3, 4)),
        touch("R", 1, -0.24, 0.10, yaw=0.0, pitch=0.35, weight=0.35), touch("R", 3, 0.25, 0.40, yaw=1.5708, pitch=0.35, weight=0.35), touch("R", 5, 0.54, 0.04, yaw=3.1416, pitch=0.35, weight=0.35),
        touch("R", 7, 0.14, -0.34, yaw=4.7124, pitch=0.35, weight=0.35), home("R", 8.4, yaw=6.2832, takes=0.7),
        hands(1, both="second"), hands(4, left="second", right="first"), hands(7, both="second"), hands(8, both="flap_out"),
        beats((1, 2, 3, 4, 5, 6, 7, 8), turn=(0.0, 1.5708, 1.5708, 3.1416, 3.1416, 4.7124, 4.7124, 6.2832), dip=(0.03, 0.0), side=(-0.08, 0.0)), turn=6.2832,
    ),
    figure(
        "cramp roll", 4, "toe, toe, heel, heel in a quick roll, twice",
        step("L", 1, 0.14, 0.02, pitch=0.4, takes=0.45, arc=0.05), step("R", 1.5, -0.14, 0.02, pitch=0.4, takes=0.42, arc=0.05, weight=0.5), pivot("L", 2, 0.0, weight=0.5, takes=0.4), pivot("R", 2.3, 0.0, weight=0.5, takes=0.4),
        step("R", 3, -0.14, 0.02, pitch=0.4, takes=0.45, arc=0.05), step("L", 3.5, 0.14, 0.02, pitch=0.4, takes=0.42, arc=0.05, weight=0.5), home("R", 4, weight=0.5, takes=0.35, arc=0.02), home("L", 4.4, takes=0.35, arc=0.02),
        hands(1, both="flap_out"), hands(2, both="flap_in"), hands(3, both="flap_out"), hands(4, both="second"),
        beats((1, 2, 3, 4), bend=(0.12, 0.04, 0.12, 0.04), twist=(0.1, 0.0, -0.1, 0.0)),
    ),
    figure(
        "maxie ford", 4, "step, shuffle, leap and toe behind",
        step("L", 1, 0.28), kick("R", 1.5, -0.08, 0.26, 0.08, takes=0.4), step("R", 2, 0.02, 0.0, takes=0.42), touch("L", 3, -0.06, -0.26, pitch=0.75, takes=0.7), home("L", 4, weight=0.75),
        hands(1, left="second", right="first"), hands(2, left="side_high", right="second"), hands(3, left="first", right="side"), hands(4, both="low"),
        beats((1, 2, 3, 4), side=(0.12, -0.08, -0.15, 0.0), bend=(0.0, 0.05, 0.2, 0.0), twist=(0.2, -0.1, -0.25, 0.0)), home("R", 4.4, takes=0.4),
    ),
    figure(
        "heel drop", 4, "dig a heel, drop the toe, each side",
        heel("L", 1, 0.17, 0.22), home("L", 2), heel("R", 3, -0.17, 0.22), home("R", 4),
        hands(1, left="front_low", right="back"), hands(2, both="flap_in"), hands(3, left="back", right="front_low"), hands(4, both="flap_in"),
        beats((1, 2, 3, 4), twist=(-0.2, 0.0, 0.2, 0.0), bend=(-0.05, 0.1, -0.05, 0.1), side=(-0.06, 0.0, 0.06, 0.0)),
    ),
)  # fmt: skip
