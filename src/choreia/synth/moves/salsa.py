"""Salsa on one: quick, quick, slow under a figure-of-eight of the hips; counts 4 and 8 pause."""

from __future__ import annotations

from choreia.synth.moves.notation import beats, body, figure, hands, home, pivot, step, touch

_HIPS = beats((1, 2, 3, 5, 6, 7), hip_yaw=(0.22, -0.22, 0.12, -0.22, 0.22, -0.12), twist=(-0.3, 0.3, -0.15, 0.3, -0.3, 0.15))
_HOLD = (*hands(1, left="salsa_in", right="salsa_out"), *hands(2, left="salsa_out", right="salsa_in"), *hands(3, both="salsa"),
         *hands(5, left="salsa_out", right="salsa_in"), *hands(6, left="salsa_in", right="salsa_out"), *hands(7, both="salsa"))  # fmt: skip

SALSA = (
    figure(
        "salsa basic", 8, "break ahead, replace, close; break back, replace, close",
        step("L", 1, 0.12, 0.24), home("R", 2, weight=0.8, arc=0.035), home("L", 3, weight=0.75), step("R", 5, -0.12, -0.24, pitch=0.2), home("L", 6, weight=0.8, arc=0.035), home("R", 7, weight=0.6),
        _HIPS, _HOLD, beats((1, 3, 5, 7), surge=(0.03, 0.0, -0.03, 0.0)),
    ),
    figure(
        "side basic", 8, "break to the side and close, each way",
        step("L", 1, 0.40), home("R", 2, weight=0.8, arc=0.03), home("L", 3, weight=0.75), step("R", 5, -0.40), home("L", 6, weight=0.8, arc=0.03), home("R", 7, weight=0.6),
        beats((1, 2, 3, 5, 6, 7), side=(-0.10, 0.05, 0.0, 0.10, -0.05, 0.0), hip_yaw=(0.15, -0.12, 0.0, -0.15, 0.12, 0.0)),
        hands(1, left="side_low", right="salsa_in"), hands(3, both="salsa"), hands(5, left="salsa_in", right="side_low"), hands(7, both="salsa"),
    ),
    figure(
        "cross body lead", 8, "break ahead, open to the side and lead across",
        step("L", 1, 0.12, 0.22), step("R", 2, -0.13, 0.02, yaw=0.5), step("L", 3, 0.10, -0.20, yaw=1.2), step("R", 5, -0.05, -0.28, yaw=1.2, weight=0.75), step("L", 6, 0.13, -0.05, yaw=0.5), home("R", 7, weight=0.6),
        home("L", 8, takes=0.5),
        hands(1, both="salsa"), hands(3, left="side_low", right="front_low"), hands(5, left="side_bent", right="cross_low"), hands(6, left="front_low", right="salsa"), hands(7, both="salsa"),
        body(1, turn=0.0), body(3, turn=0.9), body(5, turn=0.9), body(7, turn=0.0), beats((1, 2, 3, 5, 6, 7), hip_yaw=(0.15, -0.15, 0.1, -0.15, 0.15, 0.0)), body(5, look=-0.5), body(7, look=0.0),
    ),
    figure(
        "right turn", 8, "break back, then a whole turn to the right over three steps",
        step("L", 1, 0.12, 0.20), home("R", 2, weight=0.8, arc=0.035), home("L", 3, weight=0.75),
        step("R", 5, -0.20, 0.02, yaw=-2.1), step("L", 6, -0.16, -0.08, yaw=-4.2), home("R", 7, yaw=-6.2832, weight=0.7), home("L", 8, yaw=-6.2832, takes=0.6),
        hands(1, left="salsa_in", right="salsa_out"), hands(3, both="salsa"), hands(5, left="lasso_in", right="chest"), hands(6, left="lasso_in", right="chest"), hands(7, left="side_bent", right="salsa"),
        body(3, turn=0.0), body(5, turn=-1.9), body(6, turn=-4.0), body(7, turn=-6.2832), beats((1, 2, 3), hip_yaw=(0.15, -0.15, 0.0)), beats((5, 7), side=(0.05, 0.0)), turn=-6.2832,
    ),
    figure(
        "suzy q", 8, "cross in front and twist, travelling sideways and back",
        step("L", 1, -0.16, 0.18, yaw=-0.45), step("R", 2, -0.42, 0.0, yaw=0.35), step("L", 3, -0.24, 0.16, yaw=-0.45), step("R", 5, 0.02, 0.18, yaw=0.45), step("L", 6, 0.28, 0.0, yaw=-0.35), home("R", 7, weight=0.6),
        home("L", 8, takes=0.6),
        hands(1, left="salsa_in", right="side_low"), hands(2, both="salsa"), hands(3, left="salsa_in", right="side_low"), hands(5, left="side_low", right="salsa_in"), hands(6, both="salsa"), hands(7, left="side_low", right="salsa_in"),
        beats((1, 2, 3, 5, 6, 7), hip_yaw=(-0.4, 0.3, -0.4, 0.4, -0.3, 0.1), twist=(0.45, -0.35, 0.45, -0.45, 0.35, -0.1)),
    ),
    figure(
        "cumbia back step", 8, "open behind on each side, the free arm sweeps",
        step("L", 1, 0.02, -0.24, yaw=0.5, pitch=0.25), home("R", 2, weight=0.8, arc=0.035), home("L", 3, weight=0.75), step("R", 5, -0.02, -0.24, yaw=-0.5, pitch=0.25), home("L", 6, weight=0.8, arc=0.035), home("R", 7, weight=0.6),
        hands(1, left="side", right="salsa"), hands(2, left="salsa", right="salsa_in"), hands(3, both="salsa"), hands(5, left="salsa", right="side"), hands(6, left="salsa_in", right="salsa"), hands(7, both="salsa"),
        beats((1, 2, 3, 5, 6, 7), hip_yaw=(0.45, 0.0, 0.0, -0.45, 0.0, 0.0), twist=(0.15, -0.1, 0.0, -0.15, 0.1, 0.0), look=(0.3, 0.0, 0.0, -0.3, 0.0, 0.0)),
    ),
    figure(
        "shimmy and tap", 4, "tap out and in, the shoulders shimmy",
        touch("L", 1, 0.30, 0.04, pitch=0.5), home("L", 2, weight=0.75), touch("R", 3, -0.30, 0.04, pitch=0.5), home("R", 4, weight=0.5), hands(1, both="salsa_out"), hands(3, both="salsa_in"),
        beats((1, 1.5, 2, 2.5, 3, 3.5, 4), twist=(0.14, -0.14), shrug_left=(0.12, 0.0), shrug_right=(0.0, 0.12)), pivot("R", 1, -0.15), pivot("L", 3, 0.15),
    ),
)  # fmt: skip
