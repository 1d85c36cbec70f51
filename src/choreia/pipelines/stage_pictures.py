"""Pictures of random stages with the styles that they show, to train and to judge the eye of `models.theatre.visual`.

Half are a look as it is lit somewhere in a song, a fifth something between two of these, the rest anything a rig could do; every field of
all is stirred. The dancer stands anywhere, in a pose of any take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from choreia.data.shards import read_samples
from choreia.errors import ChoreiaError
from choreia.models.theatre.visual_colour import HEIGHT, WIDTH
from choreia.models.theatre.visual_recipe import Pictures
from choreia.motion.skeleton import choreia24
from choreia.render import stage_show
from choreia.render.stage_light import set_up
from choreia.stage import looks, palettes, style
from choreia.stage.palettes import Palette
from choreia.types import STYLE_RANGES, ZONES, Motion, Stage, Style

Progress = Callable[[str, float], None]

COUNT, HELD_OUT = 14_000, 1_000

_BLOCK, _TAKES = 100, 10  # pictures that share a camera, and takes that they pose from
_FINER = 2  # how much larger pictures are drawn than they are kept
_FPS = 30.0
_DESIGNED, _BETWEEN = 0.5, 0.2
_STIR, _REDRESSED, _BEAT = 0.35, 0.25, 0.4
_HALF_STAGE_M = np.array([3.0, 0.0, 2.0])


def make_pictures(data: Path, out: Path, count: int = COUNT, seed: int = 0, progress: Progress | None = None) -> Path:
    """Draw `count` pictures of dancers of the training split into the folder `out`, unless they are there already; returns the folder.

    14,000 take about three minutes of one core and 220 MB. The same seed and takes give the same bytes.
    """
    if not Pictures.there(out):
        out.mkdir(parents=True, exist_ok=True)
        draw(takes(data, ("train",)), count, seed, progress).write(out)
    return out


def takes(data: Path, splits: Sequence[str]) -> list[Motion]:
    """Takes of what `choreia prepare` left in `data` (real/, synthetic/); ChoreiaError where there are none."""
    folders = [part for part in (data / "real", data / "synthetic") if part.is_dir()]
    found = [sample.motion for part in folders for split in splits for sample in read_samples(part, split)]
    if not found:
        raise ChoreiaError(f"{data}: no takes in real/ or synthetic/; make them with `choreia prepare`")
    return found


def draw(dances: Sequence[Motion], count: int, seed: int, progress: Progress | None = None) -> Pictures:
    """`count` pictures, `WIDTH` x `HEIGHT`; poses are those of `dances`, all on choreia-24."""
    blocks = []
    for start in range(0, count, _BLOCK):
        rng = np.random.default_rng((seed, start))
        size = min(_BLOCK, count - start)
        track, number = random_styles(rng, size)
        blocks.append(Pictures(photographed(_posing(dances, size, rng), track), style.to_vector(track), number))
        if progress is not None:
            progress("drawing stages", (start + size) / count)
    return Pictures.join(blocks)


def photographed(dancer: Motion, track: Style) -> np.ndarray:
    """Picture i shows frame i of a dance at 30 fps in row i of a track: (n, HEIGHT, WIDTH, 3) uint8."""
    still = replace(track, strobe_hz=np.zeros(len(track)))
    show = set_up(dancer, Stage(still, np.zeros(1), ("",), still.rows(slice(0, 1))), (_FINER * WIDTH, _FINER * HEIGHT), _FPS)
    return np.stack([_shrunk(stage_show.frame(show, i)) for i in range(len(show))])


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """Means of _FINER x _FINER pixels."""
    blocks = picture.reshape(HEIGHT, _FINER, WIDTH, _FINER, 3)
    return np.round(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)


def _posing(dances: Sequence[Motion], count: int, rng: np.random.Generator) -> Motion:
    """Single frames of a few takes, each moved to anywhere on the stage."""
    chosen = [dances[k] for k in rng.integers(len(dances), size=_TAKES)]
    picks = [(dance, int(rng.integers(len(dance)))) for dance in (chosen[k] for k in rng.integers(_TAKES, size=count))]
    root = np.stack([dance.root[i] for dance, i in picks]) * np.array([0, 1, 0]) + rng.uniform(-1, 1, (count, 3)) * _HALF_STAGE_M
    return Motion(choreia24(), root.astype(np.float32), np.stack([dance.rotations[i] for dance, i in picks]), _FPS)


# --------------------------------------------------------------------------------------------------------- what stages look like


def random_styles(rng: np.random.Generator, count: int) -> tuple[Style, np.ndarray]:
    """Styles, and the number in `looks.LOOKS` of each that is a look by design, -1 of the others (count,)."""
    rows, numbers = [], []
    for chance in rng.random(count):
        number = int(rng.integers(len(looks.LOOKS))) if chance < _DESIGNED else -1
        made = _designed(number, rng) if number >= 0 else _between(rng) if chance < _DESIGNED + _BETWEEN else _free(rng)
        rows.append(_stirred(made, rng.uniform(0, _STIR), rng))
        numbers.append(number)
    return style.join(rows), np.array(numbers)


def _designed(number: int, rng: np.random.Generator) -> Style:
    """A look at any energy, sometimes on a beat, in its own or other colours, its beams anywhere on their way."""
    design = looks.look(looks.LOOKS[number])
    row = looks.rest(design, rng.random(1), _palette(design, rng), int(rng.integers(1, 4)))
    beat = design.accent * rng.random() * (rng.random() < _BEAT)
    pan = row.beam + np.array([[design.swing_rad * rng.uniform(-1, 1), 0, 0]])
    return replace(row, light=np.clip(row.light + beat, 0, 1), beam=pan)


def _palette(design: looks.Look, rng: np.random.Generator) -> Palette:
    kind = rng.integers(3)
    if kind == 0:
        return palettes.palette(str(rng.choice(design.palettes)))
    if kind == 1:
        return palettes.palette(str(rng.choice(list(palettes.NAMED))))
    return palettes.harmony(str(rng.choice(list(palettes.HARMONIES))), rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1))


def _between(rng: np.random.Generator) -> Style:
    """On the way from one look to another."""
    one, other = (style.to_vector(_designed(int(rng.integers(len(looks.LOOKS))), rng)) for _ in range(2))
    return style.from_vector(one + rng.random() * (other - one))


def _free(rng: np.random.Generator) -> Style:
    """Some zones in two colours, any texture, costume and beams."""
    light = rng.uniform(0.05, 1, (1, len(ZONES))) * (rng.random((1, len(ZONES))) < rng.uniform(0.1, 0.7))
    depth = rng.random() * (rng.random() < 0.6)
    texture = np.array([[depth, rng.uniform(0.1, 2), rng.uniform(0, np.pi), rng.random(), rng.random(), 0]])
    beam = np.array([[rng.uniform(-1, 1), rng.uniform(0, 1.4), rng.uniform(0, 1.2)]])
    contrast = rng.uniform(-np.pi, np.pi, 1) * (rng.random() < 0.8)
    return Style(rng.uniform(0, 2 * np.pi, 1), rng.random(1) ** 0.7, contrast, light, texture, _dress(rng), beam, np.zeros(1))


def _dress(rng: np.random.Generator) -> np.ndarray:
    """Any costume, (1, len(COSTUME))."""
    return np.array([[rng.uniform(0, 2 * np.pi), rng.random(), rng.uniform(0.1, 1), *rng.random(3)]])


def _stirred(row: Style, size: float, rng: np.random.Generator) -> Style:
    """Every field of one row changed by about `size` of its range; the dancer sometimes in other clothes."""
    dressed = replace(row, costume=_dress(rng)) if rng.random() < _REDRESSED else row
    reach = {"texture": [0.4, 0.4, 0.6, 0.5, 0.5, 0.0], "beam": [0.6, 0.4, 0.4], "strobe_hz": [0.0]}
    made = {}
    for name, ranges in STYLE_RANGES.items():
        low, high = np.array(ranges).T
        steps = size * np.array(reach.get(name, [0.5] * len(ranges))) * rng.standard_normal((1, len(ranges)))
        value = getattr(dressed, name).reshape(1, -1)
        made[name] = np.clip(value * np.exp(steps) if name == "light" else value + steps, low, high).reshape(getattr(row, name).shape)
    return replace(row, **made)
