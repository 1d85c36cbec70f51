"""Ten look categories of light and costume. Each is a design in `assets/looks/<name>.toml`: levels at no and at full energy, texture,
beams, costume, what bars and beats add, what a new section turns. The palette is free: a look names those that suit it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from choreia import clock, files
from choreia.errors import ChoreiaError
from choreia.stage.palettes import Palette, palette
from choreia.stage.style import VECTOR, to_vector
from choreia.types import BEAM, COSTUME, TEXTURE, ZONES, Style

LOOKS = (
    "warm_wash", "cold_back", "side_dance", "colour_contrast", "silhouette", "solo_spot", "aerial_beams", "gobo_forest", "neon_pulse",
    "gala_finale",
)  # fmt: skip
"""The look categories, in the order of a model's classes."""

TABLES = {"light", "texture", "costume", "beam", "accent", "section"}
PLAIN = {"title", "intent", "palettes", "saturation", "fade_in_s", "fade_out_s"}
EXTRA_BEAM = {"swing_deg", "swing_bars"}


@dataclass(frozen=True)
class Look:
    """A design. `quiet` and `full`: one row of Style each, at energy 0 and 1, with hues of the first of `palettes`.

    accent (len(ZONES),): level that a downbeat adds at once and loses in `accent_s`; other beats add `beat_share` of it; with `alternate`,
    left and right zones take turns. A section that returns turns the palette by `palette_step` colours. Beams swing by `swing_rad`
    to each side in `swing_bars` bars. fade_in_s, fade_out_s: how long a cue takes to this look.
    """

    name: str
    title: str
    intent: str
    palettes: tuple[str, ...]
    quiet: Style
    full: Style
    fade_in_s: float
    fade_out_s: float
    accent: np.ndarray
    accent_s: float
    beat_share: float
    alternate: bool
    palette_step: int
    swing_rad: float
    swing_bars: float


def _ends(table: dict[str, Any], names: tuple[str, ...]) -> np.ndarray:
    """Named columns at energy 0 and 1, (2, len(names)); `x_deg` in the file gives `x_rad`, one number holds at both ends, none is 0."""
    ends = np.zeros((2, len(names)))
    for column, name in enumerate(names):
        degrees = name.replace("_rad", "_deg")
        ends[:, column] = np.deg2rad(table[degrees]) if degrees != name and degrees in table else table.get(name, 0.0)
    return ends


def _unknown(design: dict[str, Any]) -> set[str]:
    """Keys of a design that mean nothing: a misspelt zone must not stay dark in silence."""
    known = {
        "light": set(ZONES),
        "texture": {name.replace("_rad", "_deg") for name in TEXTURE},
        "costume": {name.replace("_rad", "_deg") for name in COSTUME},
        "beam": {name.replace("_rad", "_deg") for name in BEAM} | EXTRA_BEAM,
        "accent": {"zones", "decay_s", "beat", "alternate"},
        "section": {"palette_step"},
    }
    inside = {key for table in TABLES for key in set(design.get(table, {})) - known[table]}
    return inside | (set(design) - TABLES - PLAIN) | (set(design["accent"]["zones"]) - set(ZONES))


def parse(name: str, text: str) -> Look:
    """The look of a TOML design; ChoreiaError names what is missing, unknown or out of range."""
    try:
        design = tomllib.loads(text)
        unknown = _unknown(design)
        if unknown:
            raise ChoreiaError(f"look {name}: unknown {', '.join(sorted(unknown))}; compare with the designs in assets/looks")
        return _look(name, design)
    except KeyError as error:
        raise ChoreiaError(f"look {name}: {error.args[0]} is missing; compare with the designs in assets/looks") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ChoreiaError(f"look {name}: {' '.join(str(error).split())}; compare with the designs in assets/looks") from error


def _look(name: str, design: dict[str, Any]) -> Look:
    colours = palette(design["palettes"][0])
    light, texture = _ends(design["light"], ZONES), _ends(design["texture"], TEXTURE)
    costume, beam = _ends(design["costume"], COSTUME), _ends(design["beam"], BEAM)
    saturation = np.broadcast_to(np.asarray(design["saturation"], float), 2)

    def row(end: int) -> Style:
        one = slice(end, end + 1)
        hue, contrast = np.array([colours.hues[0]]), np.array([colours.contrast])
        return Style(hue, saturation[one], contrast, light[one], texture[one], costume[one], beam[one], np.zeros(1))

    accent = design["accent"]
    return Look(
        name, str(design["title"]), str(design["intent"]), tuple(design["palettes"]), row(0), row(1),
        float(design["fade_in_s"]), float(design["fade_out_s"]),
        np.array([accent["zones"].get(zone, 0.0) for zone in ZONES], float), float(accent["decay_s"]), float(accent["beat"]),
        bool(accent.get("alternate", False)), int(design["section"]["palette_step"]),
        float(np.deg2rad(design["beam"].get("swing_deg", 0.0))), float(design["beam"].get("swing_bars", 4)),
    )  # fmt: skip


@cache
def look(name: str) -> Look:
    """A look by its name of `LOOKS`; ChoreiaError when there is none."""
    if name not in LOOKS:
        raise ChoreiaError(f"no look {name!r}: choose one of {', '.join(LOOKS)}")
    return parse(name, resources.files("choreia").joinpath(f"assets/looks/{name}.toml").read_text(encoding="utf-8"))


def read(path: str | Path) -> Look:
    """A person's own design from a TOML file, named after the file."""
    return parse(Path(path).stem, files.read_bytes(path).decode("utf-8", errors="replace"))


def rest(design: Look, energy: np.ndarray, colours: Palette | None = None, occurrence: int = 1) -> Style:
    """The look without beats at `energy` (T,) in [0, 1], in `colours` or its own palette, the `occurrence`-th time it comes (from 1)."""
    energy = np.clip(np.asarray(energy, float), 0, 1)
    turned = (colours or palette(design.palettes[0])).turned(design.palette_step * (occurrence - 1))

    def between(name: str) -> np.ndarray:
        low, high = getattr(design.quiet, name)[0], getattr(design.full, name)[0]
        return low + (high - low) * (energy[:, None] if low.ndim else energy)

    count = len(energy)
    # A palette of near whites keeps the look pale; one as vivid as the look's own leaves the design as it is.
    paleness = min(1.0, turned.saturations[0] / 0.5)
    return Style(
        np.full(count, turned.hues[0]), between("saturation") * paleness, np.full(count, turned.contrast), between("light"),
        between("texture"), between("costume"), between("beam"), np.zeros(count),
    )  # fmt: skip


def nearest(rows: Style) -> tuple[str, ...]:
    """The look category that each row is most like, whatever its hues: levels, texture, costume and beams, at the energy that fits best."""
    colour = np.array([name.split()[-1] in {"hue", "contrast"} for name in VECTOR])
    ends = np.linspace(0, 1, 5)
    known = np.stack([to_vector(rest(look(name), ends)) for name in LOOKS])
    far = ((to_vector(rows)[:, None, None] - known)[..., ~colour] ** 2).sum(-1).min(axis=2)
    return tuple(LOOKS[k] for k in far.argmin(axis=1))


def pulses(design: Look, times_s: np.ndarray, beats_s: np.ndarray, downbeats_s: np.ndarray) -> np.ndarray:
    """What beats add to the levels at `times_s` (T,), (T, len(ZONES)): up at once on the beat, down in a straight line in `accent_s`."""
    times = np.asarray(times_s, float)
    if not len(beats_s):
        return np.zeros((len(times), len(ZONES)))
    number = np.searchsorted(beats_s, times + 1e-6, side="right") - 1
    beat = np.asarray(beats_s)[np.maximum(number, 0)]
    strong = np.isin(np.asarray(beats_s), clock.nearest(np.asarray(beats_s), np.asarray(downbeats_s))) if len(downbeats_s) else False
    strength = np.where(strong, 1.0, np.broadcast_to(design.beat_share, len(beats_s)))[np.maximum(number, 0)]
    decay = np.clip(1 - (times - beat) / design.accent_s, 0, 1) * (number >= 0)
    return (strength * decay)[:, None] * design.accent * _turns(design, number)


def _turns(design: Look, number: np.ndarray) -> np.ndarray:
    """Which zones beat `number` (T,) lifts, (T, len(ZONES)): all, or left ones on even and right ones on odd beats."""
    if not design.alternate:
        return np.ones((len(number), len(ZONES)))
    side = np.array([1 if zone.endswith("_left") else -1 if zone.endswith("_right") else 0 for zone in ZONES])
    return np.where(number[:, None] % 2 == 0, side >= 0, side <= 0).astype(float)


def swing(design: Look, times_s: np.ndarray, downbeats_s: np.ndarray) -> np.ndarray:
    """Pan in rad that the swinging beams add, (T,): a sine over bars, 0 on the first downbeat; a bar lasts 2 s where there are none."""
    bars = clock.beat_position(times_s, downbeats_s) if len(downbeats_s) > 1 else np.asarray(times_s, float) / 2
    return design.swing_rad * np.sin(2 * np.pi * bars / design.swing_bars)


def animate(
    design: Look,
    times_s: np.ndarray,
    energy: np.ndarray,
    beats_s: np.ndarray,
    downbeats_s: np.ndarray,
    colours: Palette | None = None,
    occurrence: int = 1,
) -> Style:
    """The look as it lives with the music at `times_s` (T,): `rest` with `pulses` and `swing`; `energy` (T,) in [0, 1]."""
    still = rest(design, energy, colours, occurrence)
    light = np.clip(still.light + pulses(design, times_s, beats_s, downbeats_s), 0, 1)
    beam = still.beam.copy()
    beam[:, 0] += swing(design, times_s, downbeats_s)
    return Style(still.hue, still.saturation, still.contrast, light, still.texture, still.costume, beam, still.strobe_hz)
