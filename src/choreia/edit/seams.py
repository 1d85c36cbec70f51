"""Seams: new material between kept frames, which stay as they are to the bit.

The material is placed to go on from the last kept frame and bent to arrive where the dance goes on (`floor`). What its pose and pace still
differ by at either end dies out within the new rows (`fades`), as slowly as it takes for the seam to be no rougher than what is around
it; feet get there by steps (`steps`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from choreia.edit.fades import places_over, takeover, turns_over
from choreia.edit.floor import backwards, bent_to, check_reach, going_on, leading_to, look
from choreia.edit.history import Splice
from choreia.edit.steps import planted, stepped
from choreia.errors import ChoreiaError
from choreia.motion.contacts import foot_contacts
from choreia.motion.energy import jerk
from choreia.types import Motion

FADES_S = (0.2, 0.3, 0.45, 0.7, 1.0)
"""Lengths of a fade, of which the first is taken whose seam is smooth."""

NEAR_S = 0.2
"""A seam is looked at so far to either side, as `metrics.physics.seam_jerk_ratio` does."""

ROUGHEST = 1.0
"""Mean jerk near a seam over the mean around it that counts as smooth."""


def put_in(motion: Motion, start: int, stop: int, new: Motion, joints: np.ndarray | None = None) -> Splice:
    """New rows in the place of frames [start, stop); all other frames stay, and stay where they are on the floor.

    Args:
        motion: the dance.
        start, stop: frames that give way.
        new: any number of frames, one or more. Where it stands is of no account unless it takes the whole dance's place.
        joints: (J,) bool, those that the new rows may change, the root joint standing for `Motion.root` too; None is all. With joints
            that are kept, as many rows as give way; their local rotations, or the root, stay bit for bit.
    Raises:
        ChoreiaError: nothing to put in, a part of the body in another number of frames, or the dance goes on too far away.
    """
    if not len(new):
        raise ChoreiaError("nothing to put in: give one frame or more")
    before = motion.slice(0, start) if start else None
    after = motion.slice(stop, len(motion)) if stop < len(motion) else None
    if joints is None or joints.all():
        rows = blend_in(new, before, after)
    else:
        rows = blend_part(motion.slice(start, stop), new, before, after, joints)
    return Splice(start, stop, rows.root.astype(motion.root.dtype), rows.rotations.astype(motion.rotations.dtype))


def blend_in(new: Motion, before: Motion | None, after: Motion | None) -> Motion:
    """Material of the same skeleton and rate, placed, bent and faded so that it goes on from `before` and leads to `after`.

    With one of the two it is only placed; with neither it is left as it is.

    Raises:
        ChoreiaError: a dancer cannot get from `before` to `after`, or to where the material goes, in the time.
    """
    if before is not None and after is not None:
        check_reach(before, after, len(new))
        new = bent_to(going_on(new, before).move(new), after)
    elif before is not None:
        new = going_on(new, before).move(new)
    elif after is not None:
        new = leading_to(new, after).move(new)
    limit = len(new) // 2 if before is not None and after is not None else len(new)
    if before is not None:
        new = lead_in(new, before, limit)
    return lead_out(new, after, limit) if after is not None else new


def blend_part(kept: Motion, new: Motion, before: Motion | None, after: Motion | None, joints: np.ndarray) -> Motion:
    """`kept` with some joints (J,) bool from `new`, as many frames, faded at both ends; with the root among them also placed and bent."""
    if len(new) != len(kept):
        raise ChoreiaError(f"{len(new)} new frames do not fit {len(kept)}: only the whole body may change its length")
    if joints[0] and before is not None:
        new = going_on(new, before).move(new)
    if joints[0] and after is not None:
        new = bent_to(new, after) if before is not None else leading_to(new, after).move(new)
    mixed = replace(kept, root=new.root if joints[0] else kept.root, rotations=np.where(joints[:, None], new.rotations, kept.rotations))
    if not joints[0]:
        mixed = planted(mixed, foot_contacts(new), joints)
    limit = len(new) // 2 if before is not None and after is not None else len(new)
    if before is not None:
        mixed = lead_in(mixed, before, limit, joints)
    return lead_out(mixed, after, limit, joints) if after is not None else mixed


def lead_in(new: Motion, before: Motion, limit: int, joints: np.ndarray | None = None) -> Motion:
    """`new` with its first rows, `limit` at most, changed so that it goes on smoothly where `before` ends; it is already placed."""
    moved = np.ones(len(new.skeleton.names), bool) if joints is None else joints
    usual = _roughness(new, before, new)[1]
    fades = sorted({max(1, min(limit, round(fade_s * new.fps))) for fade_s in FADES_S})
    best, least = new, np.inf
    for fade in fades:
        tried = _faded(new, before, fade, moved)
        rough = _roughness(tried, before, new)[0]
        if rough < least:
            best, least = tried, rough
        if rough <= ROUGHEST * usual:
            break
    return best


def lead_out(new: Motion, after: Motion, limit: int, joints: np.ndarray | None = None) -> Motion:
    """`lead_in` at the other end: the last rows lead to the beginning of `after`."""
    return backwards(lead_in(backwards(new), backwards(look(after, end=False)), limit, joints))


def _faded(new: Motion, before: Motion, fade: int, joints: np.ndarray) -> Motion:
    weight, last = takeover(fade), before.slice(max(len(before) - 2, 0), len(before))
    root, rotations = np.array(new.root), np.array(new.rotations)
    if joints[0]:
        root[:fade] = places_over(last.root, new.root[:fade], weight, new.fps)
    rotations[:fade, joints] = turns_over(last.rotations[:, joints], new.rotations[:fade, joints], weight, new.fps)
    return stepped(replace(new, root=root, rotations=rotations), new, before, fade, joints)


def _roughness(new: Motion, before: Motion, untouched: Motion) -> tuple[float, float]:
    """Mean jerk within `NEAR_S` of the seam, and of either side by itself, in m/s^3."""
    near = round(NEAR_S * new.fps)
    last, first = look(before, end=True), look(new, end=False)
    joined = replace(new, root=np.concatenate([last.root, first.root]), rotations=np.concatenate([last.rotations, first.rotations]))
    around = slice(max(len(last) - near, 0), len(last) + near)
    sides = [jerk(side).mean(axis=1) for side in (last, look(untouched, end=False))]
    return float(jerk(joined).mean(axis=1)[around].mean()), float(np.concatenate(sides).mean())
