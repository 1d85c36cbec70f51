"""Hip-hop and krump: party steps over a deep bounce; stomps, jabs, arm swings and chest pops."""

from __future__ import annotations

from choreia.synth.moves.notation import beats, body, figure, hands, heel, home, kick, pivot, step, touch

HIP_HOP = (
    figure(
        "two step", 4, "step to the side and touch, and back",
        step("L", 1, 0.44), touch("R", 2, 0.18), home("R", 3, weight=0.75), home("L", 4, pitch=0.5, weight=0.2),
        body(1, side=0.12, twist=0.15), body(2, side=-0.05, twist=-0.2), body(3, side=-0.12, twist=-0.15), body(4, side=0.05, twist=0.2),
    ),
    figure(
        "running man", 4, "knees up and slide back on the spot",
        kick("R", 0.5, -0.12, 0.12, 0.30), step("R", 1, -0.11, 0.16, takes=0.4), step("L", 1, 0.11, -0.22, arc=0.035, pitch=0.35, takes=0.45),
        kick("L", 1.5, 0.12, 0.10, 0.30, takes=0.45), step("L", 2, 0.11, 0.16, takes=0.4), step("R", 2, -0.11, -0.22, arc=0.035, pitch=0.35, takes=0.45),
        kick("R", 2.5, -0.12, 0.10, 0.30, takes=0.45), step("R", 3, -0.11, 0.16, takes=0.4), step("L", 3, 0.11, -0.22, arc=0.035, pitch=0.35, takes=0.45),
        kick("L", 3.5, 0.12, 0.10, 0.30, takes=0.45), home("L", 4, takes=0.4), home("R", 4, arc=0.035, takes=0.45),
        hands(1, left="pump", right="swing_back"), hands(2, left="swing_back", right="pump"),
        hands(3, left="pump", right="swing_back"), hands(4, both="guard"),
        beats((1, 2, 3, 4), bend=(0.22, 0.22, 0.22, 0.12), twist=(-0.15, 0.15, -0.15, 0.0)), beats((1.5, 2.5, 3.5), dip=(-0.02,)), beats((1, 2, 3, 4), dip=(0.03,)),
    ),
    figure(
        "bart simpson", 4, "lean and twist on heel and toe to the side, one arm reaching across",
        step("L", 1, 0.30, 0.05, yaw=0.45), touch("R", 1.5, -0.24, 0.0, yaw=-0.2, pitch=0.4), home("R", 2, weight=0.75), home("L", 2.6, pitch=0.4, weight=0.3),
        step("R", 3, -0.30, 0.05, yaw=-0.45), touch("L", 3.5, 0.24, 0.0, yaw=0.2, pitch=0.4), home("L", 4, weight=0.6),
        hands(1, left="side_low", right="cross_low"), hands(2, both="low"), hands(3, left="cross_low", right="side_low"), hands(4, both="low"),
        beats((1, 2, 3, 4), side=(0.2, 0.0, -0.2, 0.0), twist=(0.35, 0.0, -0.35, 0.0), dip=(0.05, 0.0, 0.05, 0.0), look=(0.2, 0.0, -0.2, 0.0)),
    ),
    figure(
        "cabbage patch", 4, "both fists draw a level circle while the hips roll the other way",
        hands(1, both="front_low"), hands(1.5, left="swing_front", right="cross_low"), hands(2, left="cross_low", right="pump"),
        hands(2.5, both="fist_chest"), hands(3, both="front_low"), hands(3.5, left="cross_low", right="swing_front"), hands(4, left="pump", right="cross_low"),
        step("L", 1, 0.24), step("R", 3, -0.24), home("L", 4, weight=0.5, takes=0.7),
        home("R", 4.4, weight=0.5, takes=0.7),
        beats((1, 2, 3, 4), sway=(0.04, 0.03, -0.04, -0.03), surge=(-0.04, 0.0, -0.04, 0.0), dip=(0.03, 0.05, 0.03, 0.05),
              twist=(0.2, -0.25, -0.2, 0.25), bend=(0.15, 0.05, 0.15, 0.05)),
    ),
    figure(
        "smurf", 4, "rock and kick low to each side",
        step("L", 1, 0.20), kick("R", 2, -0.42, 0.10, 0.12), step("R", 3, -0.20), kick("L", 4, 0.42, 0.10, 0.12), home("L", 4.4, takes=0.35, arc=0.02),
        home("R", 4.9, takes=0.45),
        hands(1, both="guard"), hands(2, left="swing_front", right="side_low"), hands(3, both="guard"), hands(4, left="side_low", right="swing_front"),
        beats((1, 2, 3, 4), side=(0.05, 0.18, -0.05, -0.18), dip=(0.04, 0.0, 0.04, 0.0), bend=(0.15, 0.05, 0.15, 0.05)),
    ),
    figure(
        "steve martin", 4, "toe to heel, knee to knee, hands on the hips",
        touch("L", 1, 0.24, 0.08, yaw=-0.5), heel("L", 2, 0.28, 0.14, yaw=0.4), home("L", 3, weight=0.75), touch("R", 4, -0.13, 0.0, pitch=0.4),
        hands(1, left="side_bent", right="hip"), hands(2, left="side_low", right="hip"), hands(3, both="chest"), hands(4, both="low"),
        beats((1, 2, 3, 4), twist=(-0.2, 0.25, 0.0, 0.1), dip=(0.05, 0.03, 0.06, 0.03), side=(-0.1, 0.12, 0.0, 0.0)),
    ),
    figure(
        "bounce and rock", 2, "rock forward and back over planted feet",
        hands(1, both="pump"), hands(2, both="low"),
        beats((1, 2), bend=(0.25, -0.02), dip=(0.08, 0.03), chest=(-0.1, 0.12), nod=(0.2, -0.05), surge=(0.02, -0.02)),
    ),
)  # fmt: skip

KRUMP = (
    figure(
        "stomp", 2, "a knee comes up and the foot stomps with the whole weight",
        kick("L", 0.5, 0.18, 0.18, 0.36, takes=0.45), step("L", 1, 0.28, 0.14, yaw=0.25, takes=0.42), home("L", 2, takes=0.6),
        hands(0.5, both="up_bent"), hands(1, both="smash_down"), hands(2, both="guard"),
        body(0.5, bend=-0.12), body(1, bend=0.38, dip=0.10, nod=0.1), body(2, bend=0.12, dip=0.03),
    ),
    figure(
        "chest pop", 2, "the chest bursts out and sinks back",
        hands(1, both="scarecrow"), hands(2, both="fist_chest"),
        body(0.5, chest=-0.22, bend=0.12), body(1, chest=0.38, bend=-0.10, nod=-0.2, shrug_left=0.1, shrug_right=0.1), body(2, chest=-0.15, bend=0.25, dip=0.05, nod=0.2),
        attack=0.45,
    ),
    figure(
        "arm swing", 4, "long arm swings across the body, thrown from the shoulder",
        step("L", 1, 0.34, yaw=0.3), step("R", 3, -0.34, yaw=-0.3), home("L", 4, weight=0.5), home("R", 4.4, takes=0.5),
        hands(1, left="point_up", right="cross_low"), hands(2, left="cross_low", right="guard"), hands(3, left="cross_low", right="point_up"), hands(4, left="guard", right="cross_low"),
        beats((1, 2, 3, 4), twist=(0.4, -0.35, -0.4, 0.35), bend=(-0.05, 0.35, -0.05, 0.35), dip=(0.03, 0.10, 0.03, 0.10), side=(0.15, -0.1, -0.15, 0.1)),
    ),
    figure(
        "jab", 2, "a short punch ahead, the other fist guards",
        step("L", 1, 0.17, 0.20, takes=0.5), home("L", 2, takes=0.6),
        hands(0.5, left="cock", right="guard"), hands(1, left="jab", right="guard"), hands(2, both="guard"),
        body(0.5, twist=0.3), body(1, twist=-0.4, bend=0.2, dip=0.05, chest=0.1), body(2, twist=0.0, bend=0.1),
        attack=0.5,
    ),
    figure(
        "groove and shake", 4, "sink into a wide stance and shake the shoulders",
        step("L", 1, 0.30, yaw=0.3), step("R", 2, -0.30, yaw=-0.3, weight=0.5), home("L", 4, weight=0.6), home("R", 4.4, takes=0.5),
        hands(1, both="low"), hands(2, both="scarecrow"), hands(3, both="cross_low"), hands(4, both="pump"),
        beats((1, 2, 3, 4), dip=(0.06, 0.14, 0.12, 0.04), bend=(0.2, 0.3, 0.15, 0.2)),
        beats((1, 1.5, 2, 2.5, 3, 3.5, 4), shrug_left=(0.25, 0.0), shrug_right=(0.0, 0.25), twist=(0.12, -0.12)),
    ),
    figure(
        "smash", 4, "both fists gather overhead and smash down",
        step("R", 1, -0.28, yaw=-0.2), kick("L", 2, 0.2, 0.22, 0.34), step("L", 3, 0.28, 0.12, yaw=0.2, takes=0.5), home("L", 4), home("R", 4.4, takes=0.4),
        hands(1, both="cock"), hands(2, both="smash_up"), hands(3, both="smash_down"), hands(4, both="guard"),
        beats((1, 2, 3, 4), bend=(0.1, -0.2, 0.48, 0.15), dip=(0.04, -0.01, 0.13, 0.04), chest=(0.0, 0.2, -0.15, 0.0)),
    ),
    figure(
        "buck hop", 4, "two low hops with the fists working",
        kick("L", 1, 0.2, 0.1, 0.22), home("L", 2, takes=0.5), kick("R", 3, -0.2, 0.1, 0.22), home("R", 4, takes=0.5),
        hands(1, left="up_bent", right="smash_down"), hands(2, left="smash_down", right="guard"), hands(3, left="smash_down", right="up_bent"), hands(4, left="guard", right="smash_down"),
        beats((1, 2, 3, 4), twist=(0.25, -0.1, -0.25, 0.1), bend=(0.1, 0.3, 0.1, 0.3), dip=(0.0, 0.08, 0.0, 0.08)), pivot("R", 1, -0.2), pivot("L", 3, 0.2),
    ),
)  # fmt: skip
