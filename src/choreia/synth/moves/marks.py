"""How each style keeps time when a figure of another style leaves the feet and the body free: a bar of small weight changes."""

from __future__ import annotations

from choreia.synth.moves.notation import Figure, beats, body, figure, heel, home, pivot, step, touch

_TEXT = "keeps time"

MARKS: dict[str, Figure] = {
    "hip-hop": figure(
        "two step mark", 4, _TEXT, step("L", 1, 0.26), touch("R", 2, 0.02), home("R", 3, weight=0.75), home("L", 4, pitch=0.3, weight=0.3)
    ),
    "krump": figure(
        "stomp mark",
        4,
        _TEXT,
        step("L", 1, 0.26, 0.04, yaw=0.25, arc=0.16),
        home("L", 2),
        step("R", 3, -0.26, 0.04, yaw=-0.25, arc=0.16),
        home("R", 4),
        beats((1, 2, 3, 4), bend=(0.26, 0.14)),
    ),
    "popping": figure(
        "hit mark",
        4,
        _TEXT,
        *(
            pivot(side, count, 0.0, pitch=pitch, weight=0.5, takes=0.4)
            for side, count, pitch in (("L", 1, 0.3), ("L", 2, 0.0), ("R", 3, 0.3), ("R", 4, 0.0))
        ),
        beats((1, 2, 3, 4), chest=(0.2, -0.05)),
    ),
    "locking": figure(
        "heel mark",
        4,
        _TEXT,
        heel("L", 1, 0.17, 0.2),
        home("L", 2),
        heel("R", 3, -0.17, 0.2),
        home("R", 4),
        beats((1, 2, 3, 4), dip=(0.03, 0.06)),
    ),
    "jazz": figure(
        "tendu mark", 4, _TEXT, touch("L", 1, 0.16, 0.3), home("L", 2, weight=0.8), touch("R", 3, -0.16, 0.3), home("R", 4, weight=0.6)
    ),
    "charleston": figure(
        "swivel mark",
        4,
        _TEXT,
        *(
            pivot(side, count + late, sign * yaw, pitch=0.2, weight=0.5, takes=0.7)
            for side, sign, late in (("L", 1, 0.0), ("R", -1, 0.05))
            for count, yaw in ((1, 0.45), (2, -0.1), (3, 0.45), (4, 0.0))
        ),
    ),
    "tap": figure(
        "paddle mark",
        4,
        _TEXT,
        heel("L", 1, 0.14, 0.1),
        home("L", 1.6, takes=0.4, weight=0.7, arc=0.03),
        touch("R", 2, -0.14, -0.04, takes=0.5, arc=0.04),
        heel("R", 3, -0.14, 0.1),
        home("R", 3.6, takes=0.4, weight=0.7, arc=0.03),
        touch("L", 4, 0.14, -0.04, takes=0.5, arc=0.04),
        home("L", 4.5, takes=0.4, arc=0.03),
    ),
    "salsa": figure(
        "basic mark",
        4,
        _TEXT,
        home("L", 1, z=0.1, weight=0.85, arc=0.045),
        home("R", 2, weight=0.85, arc=0.045),
        home("L", 3, weight=0.85, arc=0.045),
        beats((1, 2, 3), hip_yaw=(0.2, -0.2, 0.12)),
    ),
    "disco": figure(
        "side touch mark",
        4,
        _TEXT,
        step("L", 1, 0.26),
        touch("R", 2, 0.0),
        home("R", 3, weight=0.8),
        home("L", 4, pitch=0.4, weight=0.25),
        beats((1, 2, 3, 4), sway=(0.05, 0.05, -0.05, -0.05)),
    ),
    "bollywood": figure(
        "heel bounce mark",
        4,
        _TEXT,
        touch("L", 1, 0.22, 0.14, pitch=0.4),
        home("L", 2, weight=0.75),
        touch("R", 3, -0.22, 0.14, pitch=0.4),
        home("R", 4, weight=0.6),
        beats((1, 2, 3, 4), hip_yaw=(0.16, 0.0, -0.16, 0.0)),
    ),
    "waltz": figure(
        "waltz mark",
        4,
        _TEXT,
        step("L", 1, 0.24, takes=0.8),
        touch("R", 2, 0.0, 0.0, pitch=0.45, weight=0.45),
        home("L", 3, weight=0.8, pitch=0.3),
        pivot("L", 4.6, 0.0, weight=0.8),
        home("R", 4.7, takes=0.6, arc=0.03),
        body(1, dip=0.05),
        body(2, dip=-0.015),
        body(3, dip=-0.03),
        body(4.6, dip=0.02),
    ),
    "contemporary": figure(
        "weight mark",
        4,
        _TEXT,
        step("L", 1, 0.36, yaw=0.2, weight=0.85, takes=0.9),
        pivot("R", 2.6, 0.0, pitch=0.4, weight=0.1),
        home("R", 3, x=0.0, weight=0.6, takes=0.3),
        home("L", 4, weight=0.5, takes=0.9),
        body(1, dip=0.09),
        body(2, dip=0.05),
        body(3, dip=-0.01),
    ),
}
"""Marks by style; every bar begins on the other foot than the one before."""
