"""Popping and locking: hits that freeze, waves that travel; points, wrist twirls and locks."""

from __future__ import annotations

from choreia.synth.moves.notation import beats, body, figure, hands, heel, home, kick, pivot, step, touch

POPPING = (
    figure(
        "arm wave", 4, "a wave runs from the left hand through the chest to the right",
        hands(1, left="wave_out", right="side_low"), hands(1.5, left="wave_lift"), hands(2, left="wave_drop", right="wave_drop"), hands(2.5, left="wave_out", right="wave_lift"),
        hands(3, left="side_low", right="wave_out"), hands(3.5, right="wave_lift"), hands(4, left="low", right="wave_drop"),
        body(1, tilt=0.1, side=0.12, look=0.4), body(1.5, shrug_left=0.25), body(2, shrug_left=0.0, chest=0.22, look=0.0), body(2.5, shrug_right=0.25, chest=0.0),
        body(3, shrug_right=0.0, side=-0.12, look=-0.4), body(4, side=0.0, look=0.0),
        attack=0.8, bounce=0.3,
    ),
    figure(
        "fresno", 4, "hit to one side with arm and leg, then to the other",
        step("L", 1, 0.30, yaw=0.3), home("R", 2, x=0.05, weight=0.4, pitch=0.25), step("R", 3, -0.30, yaw=-0.3), home("L", 4, weight=0.4),
        hands(1, left="front_low", right="robot"), hands(2, both="robot"), hands(3, left="robot", right="front_low"), hands(4, both="robot"),
        beats((1, 2, 3, 4), twist=(0.35, 0.05, -0.35, -0.05), side=(0.12, 0.0, -0.12, 0.0), look=(0.3, 0.0, -0.3, 0.0), chest=(0.15, -0.05, 0.15, -0.05)),
        home("R", 4.4, takes=0.35),
    ),
    figure(
        "dime stop", 4, "glide the arms out and stop dead on every beat",
        hands(1, left="point_side", right="robot"), hands(2, left="front", right="point_side"), hands(3, left="robot", right="front"), hands(4, both="goal_post"),
        beats((1, 2, 3, 4), twist=(0.4, -0.4, 0.25, 0.0), look=(0.5, -0.5, 0.0, 0.0), chest=(0.12, 0.12, 0.12, 0.2), dip=(0.02, 0.04, 0.02, 0.0)),
    ),
    figure(
        "hit", 2, "chest and arms contract on the beat and let go",
        hands(1, both="scarecrow"), hands(2, both="robot"),
        body(1, chest=0.30, nod=-0.1, shrug_left=0.12, shrug_right=0.12, dip=0.02), body(2, chest=-0.12, nod=0.1, dip=0.04, shrug_left=0, shrug_right=0),
    ),
    figure(
        "walk-out", 4, "toe and heel twist outward, step by step",
        step("L", 1, 0.26, 0.10, yaw=0.5), pivot("L", 2, 0.0), step("R", 3, -0.26, 0.10, yaw=-0.5), home("L", 4, weight=0.6),
        hands(1, left="side_low", right="front_low"), hands(2, both="robot"), hands(3, left="front_low", right="side_low"), hands(4, both="low"),
        beats((1, 2, 3, 4), hip_yaw=(0.25, 0.0, -0.25, 0.0), twist=(-0.3, 0.1, 0.3, 0.0), dip=(0.06, 0.02, 0.06, 0.02)), home("R", 4.4, takes=0.4),
    ),
    figure(
        "robot turn", 4, "head, then chest, then hips turn in separate clicks",
        hands(1, left="robot", right="scarecrow"), hands(2, left="goal_post", right="scarecrow"), hands(3, left="goal_post", right="robot"), hands(4, both="robot"),
        body(1, look=0.8), body(2, look=0.5, twist=0.5), body(3, look=0.0, twist=0.4, hip_yaw=0.25, dip=0.04), body(4, twist=0.0, hip_yaw=0.0),
    ),
    figure(
        "neck-o-flex", 2, "the head freezes while the body turns under it",
        hands(1, both="side_low"), hands(2, both="robot"),
        body(1, twist=0.35, look=-0.1, hip_yaw=0.15, chest=0.1), body(2, twist=-0.35, look=0.1, hip_yaw=-0.15, chest=0.2),
    ),
)  # fmt: skip

LOCKING = (
    figure(
        "lock", 2, "drop into the lock with rounded arms",
        hands(1, both="lock_front"), hands(2, both="low"), body(0.5, dip=-0.01, bend=-0.05), body(1, bend=0.42, dip=0.14, nod=-0.25, knees=0.2), body(2, bend=0.05, dip=0.02),
        attack=0.45,
    ),
    figure(
        "point", 4, "point up to the left, then down to the right",
        step("L", 1, 0.28, yaw=0.3), home("L", 2), step("R", 3, -0.28, yaw=-0.3), home("R", 4),
        hands(1, left="point_up", right="hip"), hands(2, left="fist_chest", right="low"), hands(3, left="hip", right="point_down"), hands(4, left="low", right="fist_chest"),
        beats((1, 2, 3, 4), twist=(0.35, -0.1, -0.4, 0.1), side=(0.12, 0.0, -0.1, 0.0), look=(0.4, 0.0, -0.4, 0.0), nod=(-0.2, 0.0, 0.2, 0.0), bend=(-0.05, 0.1, 0.25, 0.1), dip=(0.0, 0.05, 0.08, 0.03)),
        attack=0.5,
    ),
    figure(
        "wrist twirl", 4, "wrists circle up beside the head, each in turn",
        step("L", 1, 0.24), touch("R", 2, -0.02, 0.0), home("R", 3, weight=0.75), home("L", 4, pitch=0.35, weight=0.3),
        hands(0.5, both="low"), hands(1, left="wrist_up", right="low"), hands(1.5, left="up_bent"), hands(2, left="low", right="wrist_up"), hands(2.5, right="up_bent"),
        hands(3, left="wrist_up", right="low"), hands(3.5, left="up_bent"), hands(4, left="low", right="lock_front"),
        beats((1, 2, 3, 4), side=(0.15, -0.1, -0.15, 0.1), twist=(0.2, -0.2, 0.2, 0.0), bend=(0.0, 0.05, 0.0, 0.15)),
    ),
    figure(
        "scooby doo", 4, "kick across, step out and lock wide",
        kick("L", 1, -0.05, 0.35, 0.28), step("L", 2, 0.30, yaw=0.3), kick("R", 3, 0.05, 0.35, 0.28), home("R", 4, weight=0.6),
        hands(1, left="low", right="front_low"), hands(2, both="lock_front"), hands(3, left="front_low", right="low"), hands(4, both="lock_front"),
        beats((1, 2, 3, 4), bend=(-0.05, 0.35, -0.05, 0.35), dip=(0.0, 0.10, 0.0, 0.12), twist=(-0.25, 0.0, 0.25, 0.0)), home("L", 4.45, takes=0.4),
    ),
    figure(
        "skeeter rabbit", 4, "kick, hop back and kick again over a bent knee",
        kick("L", 1, 0.14, 0.45, 0.30), home("L", 1.6, takes=0.45, weight=0.75), kick("R", 2, -0.16, -0.22, 0.22, pitch=0.9), home("R", 3, takes=0.5), kick("L", 3.5, 0.15, 0.30, 0.25, takes=0.4),
        home("L", 4, takes=0.45),
        hands(1, left="swing_back", right="front"), hands(2, left="front_low", right="back"), hands(3, both="lock_front"), hands(4, both="clap"),
        beats((1, 2, 3, 4), bend=(-0.1, 0.35, 0.30, 0.05), dip=(0.0, 0.06, 0.10, 0.02), twist=(-0.2, 0.2, 0.0, 0.0)),
    ),
    figure(
        "up lock", 2, "arms shoot up, elbows lock down",
        hands(1, both="goal_post"), hands(2, both="lock_front"),
        body(1, dip=-0.02, chest=0.2, nod=-0.15, shrug_left=0.15, shrug_right=0.15), body(2, bend=0.3, dip=0.12, shrug_left=0, shrug_right=0, nod=0.0),
        attack=0.4,
    ),
    figure(
        "stop and go", 4, "rock over a heel dig, throw the hands away and clap",
        heel("L", 1, 0.18, 0.28), home("L", 2), heel("R", 3, -0.18, 0.28), home("R", 4),
        hands(1, left="point_front", right="hip"), hands(2, both="clap"), hands(3, left="hip", right="point_front"), hands(4, both="clap"),
        beats((1, 2, 3, 4), bend=(-0.12, 0.15, -0.12, 0.15), twist=(-0.2, 0.0, 0.2, 0.0), dip=(0.05, 0.02, 0.05, 0.02)),
    ),
)  # fmt: skip
