"""From figures placed on counts to the channels of the body: one engine for every style.

The keys of the whole dance are laid end to end and run through together, so the way from one figure into the next is a movement too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from choreia.synth.moves import Style
from choreia.synth.moves.body import Channels, ball_of
from choreia.synth.moves.footwork import Footfall, foot_tracks, support_track
from choreia.synth.moves.notation import BODY, HOME_M, Body, Figure, Foot, Hand
from choreia.synth.moves.poses import HANDS, REST
from choreia.synth.moves.tracks import Dynamics, expand, sample, wander

_SIDES = {"L": "left", "R": "right"}
_TURNING = Dynamics(attack=1.1, drift=0.0, overshoot=0.0, stop=0.0)
_WANDER = {
    "bend": 0.020,
    "side": 0.018,
    "twist": 0.030,
    "nod": 0.035,
    "look": 0.05,
    "tilt": 0.03,
    "sway": 0.005,
    "surge": 0.005,
    "hip_yaw": 0.015,
}
_CROSSED_M = {"L": np.array([0.0, 0.03, 0.09]), "R": np.array([0.0, -0.03, 0.01])}  # crossing hands pass: the left over and ahead
_HANGING = (*REST, 0.0)
_HAND_WANDER_M = 0.012
_SHORTEST_STEP_S = 0.26
_WEIGHT_LAG_S, _BODY_LAG_S, _HAND_LAG_S, _HEAD_LAG_S = -0.05, -0.02, -0.012, 0.005  # the weight leads, hands and head follow
_SMOOTH_S, _WEIGHT_SMOOTH_S = 0.022, 0.09  # how quickly limbs, and the weight of the body, can follow their keys


@dataclass(frozen=True)
class Placed:
    """A figure on the floor: first count `start`, place (x, z) and heading of the dancer then, size of movement, reach of the arms.

    `idle` chooses where the style's idle arms begin; `left_first` is False when the figure is danced on the other side than written;
    `syncopated` hands are half a count early on even counts.
    """

    figure: Figure
    start: float
    x: float
    z: float
    heading: float
    size: float
    reach: float
    idle: int
    left_first: bool
    syncopated: bool = False

    @property
    def stride(self) -> float:
        """Scale of steps and travel."""
        return float(np.clip(0.3 + 0.7 * self.size, 0.7, 1.12))

    def floor(self, x: float, z: float) -> tuple[float, float]:
        """World place of a point of the figure's own floor."""
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        return self.x + x * cos + z * sin, self.z + z * cos - x * sin


@dataclass(frozen=True)
class Grid:
    """Frames on the counts of the music: `counts` (T,), `times_s` (T,), typical length of a count."""

    counts: np.ndarray
    times_s: np.ndarray
    count_s: float

    def smooth(self, track: np.ndarray, sigma_s: float) -> np.ndarray:
        """A track (T, ...) with its corners rounded over `sigma_s` seconds."""
        frames_a_second = (len(self.times_s) - 1) / max(self.times_s[-1] - self.times_s[0], 1e-9)
        return gaussian_filter1d(track, sigma_s * frames_a_second, axis=0, mode="nearest")

    def late(self, seconds: float) -> np.ndarray:
        """Counts seen by a part that follows `seconds` behind."""
        return self.counts - seconds / self.count_s


def channels(placed: list[Placed], style: Style, grid: Grid, rng: np.random.Generator) -> Channels:
    """Channels of the whole dance at the frames of `grid`."""
    body = _body(placed, style, grid, rng)
    start = {side: _planted(placed[0], side) for side in _SIDES}
    falls = _footfalls(placed, start, _SHORTEST_STEP_S / grid.count_s)
    feet = {name: foot_tracks([start[side], *(f for f in falls if f.side == side)], grid.counts) for side, name in _SIDES.items()}
    support, share = (grid.smooth(track, _WEIGHT_SMOOTH_S) for track in support_track(falls, start, grid.late(_WEIGHT_LAG_S)))
    body["hip_roll"] += style.hip_rad * share
    body["side"] -= 0.25 * style.hip_rad * share
    heading = body.pop("turn")
    return Channels(body, _hands(placed, style, grid, rng), feet, support, heading, _crouch(placed, style, grid))


def _body(placed: list[Placed], style: Style, grid: Grid, rng: np.random.Generator) -> dict[str, np.ndarray]:
    noise = wander(grid.times_s, len(_WANDER), rng) * style.wander
    tracks = {}
    for name in BODY[:-1]:
        lag = _HEAD_LAG_S if name in ("nod", "look", "tilt") else _BODY_LAG_S
        tracks[name] = _run([_channel(p, name) for p in placed], placed, style.dynamics, grid, 0.0, lag)
    for k, (name, size) in enumerate(_WANDER.items()):
        tracks[name] += size * noise[:, k]
    turns = [(c, v + p.heading) for p in placed for c, v in [_channel(p, "turn", scaled=False)]]
    tracks["turn"] = _run(turns, placed, _TURNING, grid, placed[0].heading, rest_after=False)
    return tracks


def _hands(placed: list[Placed], style: Style, grid: Grid, rng: np.random.Generator) -> dict[str, np.ndarray]:
    tracks = {}
    for side, name in _SIDES.items():
        keys = [_hand_keys(p, side, style) for p in placed]
        columns = [_run([(c, v[:, k]) for c, v in keys], placed, style.dynamics, grid, _HANGING[k], _HAND_LAG_S) for k in range(6)]
        tracks[name] = np.stack(columns, axis=-1)
        tracks[name][:, :3] += _HAND_WANDER_M * style.wander * wander(grid.times_s, 3, rng)
    return tracks


def _run(
    keys: list[tuple[np.ndarray, np.ndarray]],
    placed: list[Placed],
    how: Dynamics,
    grid: Grid,
    rest: float,
    lag_s: float = 0.0,
    rest_after: bool = True,
) -> np.ndarray:
    """One channel at every frame: keys of all figures in turn, `rest` before the first and after the last."""
    attack = np.concatenate([np.full(len(c), p.figure.attack or how.attack) for p, (c, _) in zip(placed, keys, strict=True)])
    counts = np.concatenate([c for c, _ in keys])
    values = np.concatenate([v for _, v in keys])
    apart = np.concatenate([[True], np.diff(counts) > 0.1])
    counts, values, attack = counts[apart], values[apart], attack[apart]
    end = placed[-1].start + placed[-1].figure.counts + 0.5
    after = [end] if rest_after and end > counts[-1] else []
    counts = np.concatenate([[counts[0] - 2], counts, after])
    values = np.concatenate([[rest], values, [rest] * len(after)])
    attack = np.concatenate([[1.0], attack, [1.2] * len(after)])
    return grid.smooth(sample(*expand(counts, values, attack, how), grid.late(lag_s)), _SMOOTH_S)


def _channel(place: Placed, name: str, scaled: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Counts and values of a body channel in a placed figure; it begins at ease when the figure says nothing of its first count."""
    counts, values = _compiled(place.figure, place.left_first)[name]
    return place.start + counts, values * place.size if scaled else values


def _hand_keys(place: Placed, side: str, style: Style) -> tuple[np.ndarray, np.ndarray]:
    counts, values = _compiled(place.figure, place.left_first)[side]
    if not len(counts):
        counts = np.arange(place.figure.counts, dtype=float)
        names = [style.arms[(int(c) + place.idle) % len(style.arms)] for c in counts]
        values = np.array([(*HANDS[pair[side == "R"]], 0.0) for pair in names])
    if place.syncopated and np.all(counts % 1 == 0):
        counts = counts - 0.5 * (counts % 2 == 1)
    reach = np.array(REST[:3]) + place.reach * (values[:, :3] - REST[:3])
    reach += np.clip(-reach[:, :1] / 0.12, 0, 1) * _CROSSED_M[side]
    return place.start + counts, np.concatenate([reach, values[:, 3:]], axis=1)


@lru_cache(maxsize=512)
def _compiled(figure: Figure, left_first: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Keys of a figure by channel: counts from 0 and values, rising. Body channels always have a key at the first count."""
    keys = (figure if left_first else figure.mirrored()).keys
    table: dict[str, list[tuple[float, object]]] = {name: [] for name in (*BODY, "L", "R")}
    for key in keys:
        if isinstance(key, Body):
            table[key.channel].append((key.count - 1, key.value))
        elif isinstance(key, Hand):
            table[key.side].append((key.count - 1, (*key.place, key.roll)))
    for name in BODY:
        if not any(count <= 0 for count, _ in table[name]):
            table[name].append((0.0, 0.0))
    return {name: _columns(sorted(found, key=lambda k: k[0]), 6 if name in _SIDES else 0) for name, found in table.items()}


def _columns(found: list[tuple[float, object]], width: int) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([value for _, value in found], dtype=float)
    return np.array([count for count, _ in found]), values.reshape(-1, width) if width else values


def _footfalls(placed: list[Placed], start: dict[str, Footfall], least: float) -> list[Footfall]:
    """All footfalls in time order, in the world; no step takes under `least` counts:

    a foot that has to be elsewhere at once goes there directly.
    """
    falls: list[Footfall] = []
    now = dict(start)
    for place in placed:
        figure = place.figure if place.left_first else place.figure.mirrored()
        for foot in sorted((key for key in figure.keys if isinstance(key, Foot)), key=lambda key: key.count):
            fall = _fall(place, foot, now[foot.side], max(foot.takes, least))
            if fall.count - now[foot.side].count < 0.75 * least and now[foot.side] in falls[-4:]:
                falls.remove(now[foot.side])
                fall = replace(fall, arc=max(fall.arc, now[foot.side].arc)) if foot.pivot else fall
            now[foot.side] = fall
            falls.append(fall)
    return falls


def _fall(place: Placed, foot: Foot, before: Footfall, takes: float) -> Footfall:
    count, yaw = place.start + foot.count - 1, place.heading + foot.yaw
    if foot.pivot:
        return Footfall(count, foot.side, before.x, before.z, 0.0, yaw, foot.pitch, foot.weight, 0.0, takes)
    rest = HOME_M if foot.side == "L" else -HOME_M
    x, z = place.floor(rest + place.stride * (foot.x - rest), place.stride * foot.z)
    x, z = ball_of(x, z, yaw, _SIDES[foot.side])
    return Footfall(count, foot.side, x, z, foot.height * place.size, yaw, foot.pitch, foot.weight, foot.arc, takes)


def _planted(first: Placed, side: str) -> Footfall:
    """The foot at home before the dance begins."""
    x, z = first.floor(HOME_M if side == "L" else -HOME_M, 0.0)
    x, z = ball_of(x, z, first.heading, _SIDES[side])
    return Footfall(first.start - 4, side, x, z, 0.0, first.heading, 0.0, 0.5, 0.0, 0.5)


def _crouch(placed: list[Placed], style: Style, grid: Grid) -> np.ndarray:
    """How much lower than upright, m: the stance of the style, and its bounce, down on the beat."""
    starts = np.array([placed[0].start - 1.5, *(p.start for p in placed), placed[-1].start + placed[-1].figure.counts + 0.5])
    sizes = np.array([0.0, *(p.size * p.figure.bounce for p in placed), 0.0])
    depth = style.bounce_m * np.interp(grid.counts, starts, sizes)
    pulse = (0.5 + 0.5 * np.cos(2 * np.pi * grid.counts)) ** 1.2
    return style.crouch_m + depth * (pulse - 0.3)
