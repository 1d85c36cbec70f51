"""Jazz and Charleston: turned-out travelling steps with long arms; kicks, twists and swinging arms of the 1920s."""

from __future__ import annotations

from choreia.synth.moves.notation import beats, body, figure, hands, home, kick, pivot, step, touch

JAZZ = (
    figure(
        "jazz square", 4, "cross over, back, side and front",
        step("R", 1, 0.10, 0.24, yaw=0.1), step("L", 2, 0.16, -0.12), step("R", 3, -0.24, -0.06), home("L", 4, weight=0.6),
        hands(1, left="second", right="first"), hands(2, left="side_low", right="second"), hands(3, left="first", right="second"), hands(4, both="low"),
        beats((1, 2, 3, 4), twist=(0.25, -0.15, -0.2, 0.1), side=(0.1, 0.0, -0.12, 0.0), hip_yaw=(0.2, -0.1, -0.1, 0.0), look=(0.3, 0.0, -0.2, 0.0)), home("R", 4.4, takes=0.4),
    ),
    figure(
        "kick-ball-change", 2, "a low kick, the ball of the foot behind, change",
        kick("R", 1, -0.12, 0.46, 0.22), touch("R", 1.6, -0.15, -0.14, pitch=0.5, weight=0.7, takes=0.5), home("L", 2, weight=0.75, takes=0.35, arc=0.04), home("R", 2.4, takes=0.35),
        hands(1, left="front_low", right="second"), hands(2, both="side_bent"),
        body(1, bend=-0.08, twist=0.2), body(2, bend=0.1, twist=0.0, dip=0.04),
    ),
    figure(
        "grapevine", 4, "side, behind, side and touch",
        step("L", 1, 0.40), step("R", 2, 0.28, -0.20, yaw=0.25), step("L", 3, 0.76), touch("R", 4, 0.52, 0.02, pitch=0.4),
        hands(1, both="second"), hands(2, both="cross_low"), hands(3, both="second"), hands(4, left="fifth", right="hip"),
        beats((1, 2, 3, 4), twist=(-0.15, 0.25, -0.1, 0.1), side=(0.1, -0.05, 0.12, -0.12), hip_yaw=(0.0, 0.25, 0.0, 0.0), look=(0.3, 0.3, 0.3, 0.0)), home("L", 4.45, x=0.63, takes=0.35, arc=0.03),
        travel=(0.63, 0.0),
    ),
    figure(
        "pas de bourrée", 4, "behind, side, front on the balls of the feet",
        step("R", 1, 0.10, -0.20, pitch=0.35), step("L", 2, 0.34, -0.04, pitch=0.35), step("R", 3, 0.02, 0.14, weight=0.7), home("L", 4, weight=0.5),
        hands(1, both="second"), hands(2, both="first"), hands(3, left="second", right="fifth"), hands(4, both="second"),
        beats((1, 2, 3, 4), twist=(-0.2, 0.0, 0.25, 0.0), dip=(0.0, -0.02, 0.06, 0.0), side=(-0.08, 0.05, 0.08, 0.0), chest=(0.08, 0.08, 0.12, 0.08)), home("R", 4.4, takes=0.4),
    ),
    figure(
        "chassé", 4, "step together step to the side with open arms",
        step("L", 1, 0.42), home("R", 1.5, x=0.27, takes=0.45, arc=0.04), step("L", 2, 0.72, takes=0.45), step("R", 3, 0.50, 0.16, yaw=0.2), home("L", 4, x=0.6),
        hands(1, both="second"), hands(2, left="side_high", right="second"), hands(3, left="first", right="fifth"), hands(4, both="second"),
        beats((1, 2, 3, 4), side=(0.15, 0.18, -0.15, 0.0), twist=(0.15, 0.1, 0.3, 0.0), dip=(0.05, 0.0, 0.07, 0.0), look=(0.4, 0.4, 0.0, 0.0)), home("R", 4.4, x=0.6, takes=0.4),
        travel=(0.60, 0.0),
    ),
    figure(
        "pivot turn", 4, "step across and turn on both feet, twice round the half",
        step("R", 1, -0.06, 0.26), pivot("R", 2, 3.14, pitch=0.2, takes=0.9), pivot("L", 2, 3.14, pitch=0.2, takes=0.9, weight=0.7), step("R", 3, -0.02, -0.26, yaw=3.14),
        pivot("R", 4, 6.2832, pitch=0.2, takes=0.9), pivot("L", 4, 6.2832, pitch=0.2, takes=0.9, weight=0.5),
        hands(1, both="second"), hands(2, both="first"), hands(3, both="second"), hands(4, both="first"),
        body(1, turn=0.0, dip=0.04), body(2, turn=3.1416, dip=0.0), body(3, turn=3.1416, dip=0.04), body(4, turn=6.2832, dip=0.0),
        home("R", 4.4, yaw=6.2832, takes=0.35), turn=6.2832,
    ),
    figure(
        "layout and reach", 4, "lunge to the side, the arms open and gather",
        step("L", 1, 0.46, yaw=0.3), home("L", 3, takes=0.8), touch("R", 4, -0.13, 0.05, pitch=0.5),
        hands(1, left="point_up", right="side_low"), hands(2, left="side_high", right="side_low"), hands(3, both="chest"), hands(4, both="first"),
        beats((1, 2, 3, 4), side=(0.25, 0.32, 0.0, -0.05), bend=(-0.1, -0.14, 0.2, 0.0), look=(0.4, 0.4, 0.0, 0.0), dip=(0.08, 0.10, 0.02, 0.0), twist=(0.15, 0.15, -0.1, 0.0)),
    ),
)  # fmt: skip

CHARLESTON = (
    figure(
        "charleston basic", 8, "step, kick ahead, step back, touch behind, the arms swing across",
        step("L", 1, 0.10, 0.20), kick("R", 3, -0.10, 0.55, 0.24, takes=1.4), home("R", 5, takes=1.0, weight=0.8), touch("L", 7, 0.10, -0.34, pitch=0.7, takes=1.2), home("L", 8, weight=0.5),
        hands(1, left="swing_back", right="swing_front"), hands(3, left="front_low", right="back"), hands(5, left="swing_back", right="swing_front"), hands(7, left="swing_front", right="swing_back"),
        beats((1, 3, 5, 7), bend=(0.1, -0.1, 0.1, 0.3), twist=(0.2, -0.3, 0.2, -0.2)), beats(range(1, 9), dip=(0.03, 0.0)),
    ),
    figure(
        "kick step", 4, "low kicks ahead from a bouncing knee, the arms swing against the legs",
        kick("L", 1, 0.12, 0.48, 0.22), home("L", 2, weight=0.8), kick("R", 3, -0.12, 0.48, 0.22), home("R", 4, weight=0.6),
        hands(1, left="swing_back", right="front_low"), hands(2, left="swing_front", right="swing_back"), hands(3, left="front_low", right="swing_back"), hands(4, left="swing_back", right="swing_front"),
        beats((1, 2, 3, 4), bend=(-0.06, 0.18, -0.06, 0.18), twist=(0.25, -0.15, -0.25, 0.15), dip=(0.02, 0.05, 0.02, 0.05)),
    ),
    figure(
        "suzy q", 4, "heel and toe twist sideways, feet crossing, hands clasped to the side",
        step("R", 1, 0.16, 0.16, yaw=0.5), step("L", 2, 0.42, 0.0, yaw=-0.4), step("R", 3, 0.40, 0.16, yaw=0.5), home("L", 4, x=0.5, weight=0.5),
        hands(1, left="suzy_right", right="suzy_left"), hands(2, left="suzy_left", right="suzy_right"), hands(3, left="suzy_right", right="suzy_left"), hands(4, left="suzy_left", right="suzy_right"),
        beats((1, 2, 3, 4), hip_yaw=(0.4, -0.35, 0.4, 0.0), twist=(-0.5, 0.45, -0.5, 0.0), dip=(0.07, 0.03, 0.07, 0.03), bend=(0.15, 0.1, 0.15, 0.1)), home("R", 4.4, x=0.5, takes=0.4),
        travel=(0.5, 0.0),
    ),
    figure(
        "around the world", 8, "a foot sweeps out, back and round while the arms wheel",
        touch("L", 1, 0.16, 0.30, pitch=0.5), touch("L", 2, 0.44, 0.04, pitch=0.5), touch("L", 3, 0.12, -0.30, pitch=0.7), home("L", 4, weight=0.75),
        touch("R", 5, -0.16, 0.30, pitch=0.5), touch("R", 6, -0.44, 0.04, pitch=0.5), touch("R", 7, -0.12, -0.30, pitch=0.7), home("R", 8, weight=0.5),
        hands(1, both="front_low"), hands(2, left="side", right="second"), hands(3, left="back", right="swing_front"), hands(4, both="flap_in"),
        hands(5, both="front_low"), hands(6, left="second", right="side"), hands(7, left="swing_front", right="back"), hands(8, both="flap_in"),
        beats(range(1, 9), bend=(0.0, 0.05, 0.2, 0.05), twist=(-0.15, 0.2, 0.1, 0.0, 0.15, -0.2, -0.1, 0.0), side=(0.0, 0.15, 0.0, 0.0, 0.0, -0.15, 0.0, 0.0), dip=(0.05, 0.03)),
    ),
    figure(
        "bee's knees", 4, "knees fan apart and together, hands cross over them",
        pivot("L", 1, 0.5, pitch=0.2, weight=0.5, takes=0.8), pivot("R", 1.05, -0.5, pitch=0.2, weight=0.5, takes=0.8), pivot("L", 2, -0.1, weight=0.5, takes=0.8), pivot("R", 2.05, 0.1, weight=0.5, takes=0.8),
        pivot("L", 3, 0.5, pitch=0.2, weight=0.5, takes=0.8), pivot("R", 3.05, -0.5, pitch=0.2, weight=0.5, takes=0.8), pivot("L", 4, 0.0, weight=0.5, takes=0.8), pivot("R", 4.05, 0.0, weight=0.5, takes=0.8),
        hands(1, both="point_down"), hands(2, both="cross_low"), hands(3, both="point_down"), hands(4, both="cross_low"),
        beats((1, 2, 3, 4), knees=(0.45, -0.05, 0.45, -0.05), dip=(0.16, 0.10, 0.16, 0.10), bend=(0.45, 0.4, 0.45, 0.4), nod=(-0.2,)),
    ),
    figure(
        "side kick", 4, "kick out to the side, cross and kick the other way",
        kick("L", 1, 0.52, 0.06, 0.22), step("L", 2, -0.02, 0.12, takes=0.7), kick("R", 3, -0.54, 0.06, 0.22), home("R", 4, takes=0.7, weight=0.7),
        hands(1, left="flap_out", right="side_high"), hands(2, both="flap_in"), hands(3, left="side_high", right="flap_out"), hands(4, both="flap_in"),
        beats((1, 2, 3, 4), side=(-0.15, 0.05, 0.15, -0.05), bend=(0.05, 0.15, 0.05, 0.15), dip=(0.02, 0.06, 0.02, 0.06)), home("L", 4.45, takes=0.4),
    ),
)  # fmt: skip
