"""Small pictures of shows, quickly, for a network that learns to see: what a film shows, each pixel the mean of its pixels there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.render import stage_figure
from choreia.render.stage_house import COARSE, seat
from choreia.render.stage_light import Show, show_of
from choreia.render.stage_show import layers, shrunk
from choreia.render.take import canonical, moves_of
from choreia.types import Motion, Stage, Style


def stage_thumbnails(
    stage: Stage | Style, motion: Motion | None = None, times_s: np.ndarray | None = None, width: int = 96, height: int = 54
) -> np.ndarray:
    """Pictures of a dancer in the light of a stage, without the texture and grain of a film.

    Args:
        stage: a Stage, seen at `times_s`; or a Style, whose row i is picture i, its strobe open.
        motion: any humanoid, in the pose that it has at `times_s`; None for somebody who stands in the middle.
        times_s: (n,) seconds in any order; before the start the first and after the end the last row stays. By default 1/30 s apart, or a
            Stage's own rows.
        width, height: pixels, at least 16.
    Returns:
        (n, height, width, 3) uint8 display RGB.
    Raises:
        ChoreiaError: a motion or a stage without rows, no times, not one time for each row of a Style, a size that is too small.
    """
    if min(width, height) < 16:
        raise ChoreiaError(f"cannot draw a stage of {width}x{height} pixels: give at least 16x16")
    lights = stage if isinstance(stage, Stage) else _unrelated(stage)
    own_s = clock.frame_times(len(lights.track), lights.fps)
    moments = own_s if times_s is None else np.asarray(times_s, float)
    if not len(moments) or (isinstance(stage, Style) and len(moments) != len(stage)):
        raise ChoreiaError(f"{len(moments)} times: give at least one, and one for each row of a Style")
    joints, moves = moves_of(_standing() if motion is None else canonical(motion))
    poses = moves[np.clip(np.round(moments * (1 if motion is None else motion.fps)).astype(int), 0, len(moves) - 1)]
    camera = seat(joints, (COARSE * width, COARSE * height))
    show = show_of(poses, lights, moments if isinstance(stage, Stage) else own_s, camera, stage_figure.rough())
    return np.stack([_thumbnail(show, i) for i in range(len(show))])


def _unrelated(rows: Style) -> Stage:
    """A stage whose rows follow one another at 30 Hz, none of them in the dark of a strobe."""
    steady = replace(rows, strobe_hz=np.zeros(len(rows)))
    return Stage(steady, np.zeros(1), ("",), steady.rows(np.zeros(min(1, len(rows)), int)))


def _standing() -> Motion:
    """One frame of somebody who stands upright with lowered arms."""
    skeleton = choreia24()
    turns = np.zeros((1, len(skeleton.names), 4), np.float32)
    turns[..., 0] = 1
    for side, way in (("left", -1), ("right", 1)):
        turns[0, skeleton.index(f"{side}_shoulder")] = [np.cos(0.6), 0, 0, way * np.sin(0.6)]
    return Motion(skeleton, np.array([[0, STANDING_HEIGHT_M, 0]], np.float32), turns, 1.0)


def _thumbnail(show: Show, i: int) -> np.ndarray:
    """Picture i, (h, w, 3) uint8, of the size of the maps."""
    shown, body = layers(show, i, sharp=False)
    if body is not None:
        box = body.box
        part = shown[box.top // COARSE : box.bottom // COARSE, box.left // COARSE : box.right // COARSE]
        part *= 1 - shrunk(body.cover)
        part += shrunk(body.shown)
    return np.clip(shown * np.float32(255) + np.float32(0.4), 0, 255).astype(np.uint8)
