"""Figures made to fit: bars of three or of four, fewer counts, another style's way of standing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import pi

from choreia.synth.moves.notation import HOME_M, Body, Figure, Foot, Key, home, pivot

_CLOSING = 0.45  # counts after its last count by which a figure that is cut has closed its feet
_AT_HOME_M, _AT_HOME_RAD = 0.02, 0.05


@lru_cache(maxsize=512)
def in_metre(figure: Figure, metre: int) -> Figure:
    """The figure for bars of `metre` (3 or 4) counts.

    Four counts become three by dancing 3 and 4 as "3 and"; three become four by staying on 3. Two counts in a bar of three hold the third.
    What turns is squeezed evenly.
    """
    if metre == 3 and figure.counts == 2:
        return replace(figure, counts=3)
    if metre == 3 and figure.counts % 4 == 0:
        return _retimed(figure, 4, 3)
    if metre == 4 and figure.counts % 3 == 0:
        return _retimed(figure, 3, 4)
    return figure


def _retimed(figure: Figure, written: int, wanted: int) -> Figure:
    """Bars of `written` counts as bars of `wanted`: what follows the third count is squeezed or stretched."""

    def moved(count: float) -> float:
        if figure.turn:
            return 1 + (count - 1) * wanted / written
        bar, place = divmod(count - 1, written)
        return 1 + bar * wanted + (place if place <= 2 else 2 + (place - 2) * (wanted - 2) / (written - 2))

    def key(old: Key) -> Key:
        count = moved(old.count)
        return replace(old, count=count, takes=count - moved(old.count - old.takes)) if isinstance(old, Foot) else replace(old, count=count)

    return replace(figure, counts=figure.counts // written * wanted, keys=tuple(map(key, figure.keys)))


@lru_cache(maxsize=512)
def cut(figure: Figure, counts: int) -> Figure:
    """The first `counts` counts of a figure, brought to a clean end.

    The foot that bears the weight stays, the other closes to it by the "and" of the last count; a turn is finished to the nearest front,
    which takes that last count. A leg that would still be in the air is not raised.
    """
    if counts >= figure.counts:
        return figure
    kept = _until(figure, counts + 0.2)
    turned = _turned(kept)
    if turned % (2 * pi):
        kept = _until(figure, counts - 0.8)
        turned = 2 * pi * round(_turned(kept) / (2 * pi))
        kept += (Body(counts, "turn", turned),)
    kept = tuple(key for key in kept if not (isinstance(key, Foot) and key.height and key.count >= _standing(kept, key.side).count))
    closing, travel = _closing(kept, counts, turned)
    return replace(figure, counts=counts, keys=kept + closing, travel=travel, turn=turned)


def _until(figure: Figure, count: float) -> tuple[Key, ...]:
    return tuple(key for key in figure.keys if key.count < count)


def _turned(keys: tuple[Key, ...]) -> float:
    """Heading after the last of `keys`."""
    turns = [key for key in keys if isinstance(key, Body) and key.channel == "turn"]
    return max(turns, key=lambda key: key.count).value if turns else 0.0


def _closing(keys: tuple[Key, ...], counts: int, turned: float) -> tuple[tuple[Key, ...], tuple[float, float]]:
    """Keys that bring both feet home, and where that home lies: under the foot that bears the weight."""
    now = {side: _standing(keys, side) for side in "LR"}
    bears = max(now.values(), key=lambda foot: (foot.height == 0, foot.weight))
    x, z = bears.x - (HOME_M if bears.side == "L" else -HOME_M), bears.z
    found: list[Key] = []
    for side, foot in now.items():
        near = abs(foot.x - x - (HOME_M if side == "L" else -HOME_M)) + abs(foot.z - z) < _AT_HOME_M and foot.height == 0
        if not near:
            found.append(home(side, counts + _CLOSING, x=x, z=z, yaw=turned, takes=0.5))
        elif abs(foot.yaw - turned) + abs(foot.pitch) > _AT_HOME_RAD:
            found.append(pivot(side, counts + _CLOSING, turned, weight=0.5, takes=0.5))
    return tuple(found), (x, z)


def _standing(keys: tuple[Key, ...], side: str) -> Foot:
    """A foot after the last of `keys`, at its place: a pivot has the place of the step before it."""
    falls = sorted((key for key in keys if isinstance(key, Foot) and key.side == side), key=lambda key: key.count)
    steps = [fall for fall in falls if not fall.pivot] or [home(side, 0.0)]
    last = falls[-1] if falls else steps[-1]
    return replace(last, x=steps[-1].x, z=steps[-1].z) if last.pivot else last


@lru_cache(maxsize=512)
def on_the_spot(figure: Figure) -> Figure:
    """A travelling figure that gets nowhere: its way is taken off its steps, evenly up to each foot's last."""
    steps = [key for key in figure.keys if isinstance(key, Foot) and not key.pivot]
    last = {side: max([key.count for key in steps if key.side == side], default=1.0) for side in "LR"}

    def key(old: Key) -> Key:
        if not isinstance(old, Foot) or old.pivot:
            return old
        share = (old.count - 0.5) / (last[old.side] - 0.5) if last[old.side] > 0.5 else 1.0
        return replace(old, x=old.x - share * figure.travel[0], z=old.z - share * figure.travel[1])

    return replace(figure, keys=tuple(map(key, figure.keys)), travel=(0.0, 0.0))


@lru_cache(maxsize=512)
def in_manner(figure: Figure, marks: Figure) -> Figure:
    """A figure of another style as a style that keeps time with `marks` dances it.

    Its own attack and bounce give way to the style's; feet that it leaves free, and parts of the body that it says nothing of, mark time.
    """
    plain = replace(figure, attack=None, bounce=1.0)
    said = {_part(key) for key in figure.keys}
    time: list[Key] = []
    for bar, start in enumerate(range(0, figure.counts, marks.counts)):
        part = cut(marks, figure.counts - start)
        time += [replace(key, count=key.count + start) for key in (part.mirrored() if bar % 2 else part).keys]
    return replace(plain, keys=figure.keys + tuple(key for key in time if _part(key) not in said))


def _part(key: Key) -> str:
    """What a key moves: "feet", "L" or "R" hand, or a body channel."""
    return "feet" if isinstance(key, Foot) else key.channel if isinstance(key, Body) else key.side
