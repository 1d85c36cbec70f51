"""Whole performances, dance and stage, by the measures of the musical-theatre paper and corrected ones; a table of the leaderboard.

Every system is asked to perform the same held-out songs in a look that is wished for, item k in look k. SCI holds rendered pictures against
what is planned for that moment: the looks and colours that the designer lays out for the song alone, which are what the model aims at.
CMC is what the encoders of one model, the same for all rows, find in common. The reference of FID and FVD is the designer's stage over
held-out choreography, with other seeds than the row of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from choreia import clock
from choreia.data.scores import music_of
from choreia.data.shards import MusicTrack, read_samples
from choreia.errors import ChoreiaError
from choreia.metrics import takes
from choreia.metrics.base import Clip, Metric, Song
from choreia.metrics.evaluate import Evidence, results
from choreia.metrics.lighting import DENSITIES, tempo_density, thirds
from choreia.metrics.registry import key, metrics
from choreia.metrics.takes import Take
from choreia.motion.kinematics import positions
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dancers import dancer
from choreia.pipelines.judge_dance import SYNC, _score
from choreia.pipelines.measuring import Progress, Workers
from choreia.stage import looks
from choreia.synth.lighting import Wish, design
from choreia.types import Motion, Music, Stage, Style

if TYPE_CHECKING:
    from choreia.models.theatre.model import Generator

Value = TypeVar("Value")
System = Callable[[Music, Motion | None, Wish, int], tuple[Motion, Stage]]
"""From music, a dance that is held or None, a wish and a seed to a performance."""

ITEMS, LONGEST_S = 24, 20.0
PICTURES_FPS, WATCHED_S = 15.0, 6.5
"""Of a performance this much of its middle is looked at: six clips of 16 pictures."""
DEFAULT_DANCER = "dancemeld"
REFERENCE_SEED = 1000
EVERYTHING = "all"

VARIANTS = {
    "small": "theatre", "no_attention": "theatre, no attention", "no_beat_loss": "theatre, no beat loss", "no_style": "theatre, no style",
    "no_music": "baseline, no music", "music2dance": "baseline, like Music2Dance",
    "shipped": "theatre, as shipped",
}  # fmt: skip
"""Rows by the folder that a variant was trained into, in their order."""

COLUMNS = {
    "BAS": "theatre/BAS", SYNC: f"corrected/{SYNC}", "MS": "theatre/MS", "MS bounded": "theatre/MS bounded", "VoA": "theatre/VoA",
    "CMC": "theatre/CMC", "CMC centred": "corrected/CMC centred", "FID": "corrected/FID", "FVD": "corrected/FVD", "SCI": "theatre/SCI",
    "SCI centred": "corrected/SCI centred", "style margin": "corrected/style margin",
}  # fmt: skip
"""Columns by the metric behind each."""


@dataclass(frozen=True)
class Item:
    """A held-out song, the dance that goes with it, and the look that is wished for; `seed` is that of its performances."""

    name: str
    music: Music
    dance: Motion
    wish: Wish
    seed: int = 0

    def planned(self, times_s: np.ndarray) -> Style:
        """The style to aim at, a row for each of `times_s` (n,): what rules plan for the song, whoever dances."""
        plan = design(self.music, seed=self.seed, wish=self.wish)
        return plan.slices.rows(plan.slice_at(times_s))


@dataclass(frozen=True)
class Entrant:
    """Who performs; `given`: to the item's own dance."""

    name: str
    perform: System
    given: bool = False


@dataclass(frozen=True)
class Judged:
    """A measured performance: the dance, the film, and latents by name."""

    take: Take
    film: Take
    latents: dict[str, np.ndarray]


def stage(data: Path, runs: Path | None, workers: int = 2, progress: Progress | None = None, count: int = ITEMS) -> list[dict]:
    """Four rows a system: all items, and those of low, medium and high tempo density.

    Args:
        data: what `choreia prepare` wrote; its synthetic dances of split "val" are the items.
        runs: folder in which variants were trained as `theatre/<variant>/weights.safetensors`; None: the model that comes with the package.
        workers: processes.
        progress: called with a stage and a share done.
        count: items.
    """
    items, encoders = held_out(data, count), trained(runs).get("small")
    dense = thirds([tempo_density(item.music) for item in items])
    rows = []
    with Workers(workers, progress) as pool:
        reference = judged(Entrant("reference", designed, given=True), items, pool, encoders, REFERENCE_SEED)
        for entrant in entrants(runs):
            made = judged(entrant, items, pool, encoders)
            for density in (EVERYTHING, *DENSITIES):
                chosen = [k for k in range(len(items)) if density in (EVERYTHING, dense[k])]
                rows.append(row(entrant.name, density, _some(made, chosen), _some(reference, chosen), _some(items, chosen)))
    return rows


def _some(values: Sequence[Value], chosen: Sequence[int]) -> list[Value]:
    return [values[k] for k in chosen]


# ------------------------------------------------------------------------------------------------------------------ items


def held_out(data: Path, count: int = ITEMS, longest_s: float = LONGEST_S) -> list[Item]:
    """`count` synthetic dances of split "val", evenly from all, each with `longest_s` of its first song and a look in turn."""
    samples = [sample for sample in read_samples(data / "synthetic", "val") if sample.labels.dance and sample.music]
    if not samples:
        raise ChoreiaError(f"{data}: no held-out synthetic dance with music; make it with `choreia prepare`")
    chosen = [samples[k] for k in np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int))]
    found = []
    for k, sample in enumerate(chosen):
        seconds = min(longest_s, sample.motion.duration_s)
        wish = Wish(looks.look(looks.LOOKS[k % len(looks.LOOKS)]))
        dance = sample.motion.slice(0, clock.frames_in(seconds, sample.motion.fps))
        found.append(Item(sample.labels.key, music_of(_first(sample.music[0], seconds), seconds), dance, wish, k))
    return found


def _first(track: MusicTrack, seconds: float) -> MusicTrack:
    """The first `seconds` of a song."""
    frames = clock.frames_in(seconds, 30.0)
    times = {name: getattr(track, name) for name in ("beats_s", "downbeats_s", "offbeats_s", "subdivisions_s")}
    early = {name: values[values < seconds] for name, values in times.items()}
    return replace(track, dance=track.dance[:frames], logmel=track.logmel[:frames], **early)


# ---------------------------------------------------------------------------------------------------------------- systems


def entrants(runs: Path | None) -> list[Entrant]:
    """The held-out dance in a designed stage, the designer on the default dancer, the model's variants, and the weights of the package."""
    variants: dict[str, Path | None] = {**trained(runs), "shipped": None}
    return [
        Entrant("held-out dance, designed stage", designed, given=True),
        Entrant("rules", by_rule),
        *(Entrant(VARIANTS.get(name, name), partial(by_theatre, weights)) for name, weights in variants.items()),
    ]


def trained(runs: Path | None) -> dict[str, Path]:
    """Weights of the theatre's variants below `runs`, those of `VARIANTS` first."""
    found = {path.parent.name: path for path in sorted((runs / "theatre").glob("*/weights.safetensors"))} if runs else {}
    order = list(VARIANTS)
    return dict(sorted(found.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order)))


def designed(music: Music, dance: Motion | None, wish: Wish, seed: int) -> tuple[Motion, Stage]:
    """A given dance in the light of the rule-based designer; ChoreiaError without a dance."""
    if dance is None:
        raise ChoreiaError("a designed stage needs a dance: give one")
    return dance, design(music, dance, seed=seed, wish=wish)


def by_rule(music: Music, dance: Motion | None, wish: Wish, seed: int) -> tuple[Motion, Stage]:
    """The default dancer, or the given dance, in the light of the rule-based designer."""
    moved = dance or choreograph_song(_dancer(DEFAULT_DANCER), music, seed=seed)[0]
    return moved, design(music, moved, seed=seed, wish=wish)


def by_theatre(weights: Path | None, music: Music, dance: Motion | None, wish: Wish, seed: int) -> tuple[Motion, Stage]:
    """The trained model; None: that which comes with the package."""
    return theatre(weights).perform(music, dance=dance, wish=wish, seed=seed)


_dancer = cache(dancer)


@cache
def theatre(weights: Path | None) -> Generator:
    """The model with these weights, or with those of the package."""
    from choreia.models.choreia.stage import load, open_weights

    return load() if weights is None else open_weights(weights)


# -------------------------------------------------------------------------------------------------------------- measuring


@cache
def judges() -> tuple[Metric, ...]:
    """What every performance is measured by."""
    wanted = set(COLUMNS.values())
    return tuple(metric for metric in metrics("theatre,corrected") if key(metric) in wanted)


def judged(entrant: Entrant, items: Sequence[Item], pool: Workers, encoders: Path | None, seed: int = 0) -> list[Judged]:
    """A performance of every item, measured, with its own seed plus `seed`."""
    return list(pool.map(entrant.name, partial(_judge, entrant, encoders), [(item, seed + item.seed) for item in items]))


def _judge(entrant: Entrant, encoders: Path | None, job: tuple[Item, int]) -> Judged:
    item, seed = job
    motion, shown = entrant.perform(item.music, item.dance if entrant.given else None, item.wish, seed)
    pictures, times_s = film(motion, shown)
    take = takes.measure(Clip(item.name, positions(motion), motion.fps, item.name), judges())
    latents = coherence(encoders, item.music, motion, shown) | likeness(pictures, times_s, item)
    return Judged(take, takes.measure_film(item.name, pictures, PICTURES_FPS, judges()), latents)


def film(motion: Motion, shown: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Small pictures (n, H, W, 3) uint8 of the middle of a performance, and their times (n,) in seconds."""
    from choreia.render.stage_thumbs import stage_thumbnails

    seconds = min(WATCHED_S, motion.duration_s)
    times_s = (motion.duration_s - seconds) / 2 + clock.frame_times(clock.frames_in(seconds, PICTURES_FPS), PICTURES_FPS)
    return stage_thumbnails(shown, motion, times_s), times_s


def coherence(encoders: Path | None, music: Music, motion: Motion, shown: Stage) -> dict[str, np.ndarray]:
    """Latents "music", "motion" and "visual" (n, d) of a performance."""
    return theatre(encoders).latents(music, motion, shown.track)


def likeness(pictures: np.ndarray, times_s: np.ndarray, item: Item) -> dict[str, np.ndarray]:
    """Embeddings: "style" (n, d) of pictures, "target" (n, d) of what is planned at their times, "styles" (looks, d), the mean target and
    the means of the other looks in colours of their own."""
    from choreia.models.theatre.visual import load

    seer = load()
    wished = item.wish.look.name if item.wish.look else looks.LOOKS[0]
    energy = clock.resample(item.music.energy.values[:, 0], item.music.energy.fps, times_s)
    asked = {name: looks.rest(looks.look(name), energy) for name in looks.LOOKS} | {wished: item.planned(times_s)}
    said = {name: seer.embed_style(style).astype(np.float64) for name, style in asked.items()}
    return {"style": seer.embed(pictures), "target": said[wished], "styles": np.stack([rows.mean(axis=0) for rows in said.values()])}


# ------------------------------------------------------------------------------------------------------------------- rows


def row(name: str, density: str, made: Sequence[Judged], reference: Sequence[Judged], items: Sequence[Item]) -> dict:
    """One line of the table; scores that do not apply are None. Null models are told of all items only: a third is too few for them."""
    songs = {item.name: Song(item.name, item.music.duration_s, _grids(item.music)) for item in items}
    evidence = Evidence(
        takes=tuple(one.take for one in made), true_takes=tuple(one.take for one in reference), songs=songs,
        films=tuple(one.film for one in made), true_films=tuple(one.film for one in reference),
        latents={one.take.name: one.latents for one in made},
    )  # fmt: skip
    found = {f"{result.about.dialect}/{result.about.name}": result for result in results(judges(), evidence)[0]}
    scores = {column: _score(found.get(metric)) for column, metric in COLUMNS.items()}
    if density != EVERYTHING:
        scores = {column: score and {**score, "z": None, "reached": []} for column, score in scores.items()}
    return {"": name, "tempo": density, "items": len(made), **scores}


def _grids(music: Music) -> dict[str, np.ndarray]:
    """Beats, and the strong ones: downbeats, or the beats where no bar is known."""
    return {"beats": music.beats_s, "strong": music.downbeats_s if len(music.downbeats_s) else music.beats_s}
