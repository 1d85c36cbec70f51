"""Light by itself: changes of style on bounds, cues on beats, accents shared with the dancer, and what a performance costs; two tables.

Songs are held-out synthetic ones with the dance that goes with them, and recordings with the default dancer. A lighter that may not see the
dancer stands beside each: what it shares with a dancer, it shares by the music. The null of that is other dances to the same song.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from choreia.metrics import lighting
from choreia.metrics.lighting import OnBounds, Shared
from choreia.metrics.null import interval
from choreia.music.analyze import analyze, analyze_file
from choreia.pipelines import judge_stage
from choreia.pipelines.choreograph import ANYTHING, choreograph_song
from choreia.pipelines.dancers import dancer
from choreia.pipelines.judge_dance import LONGEST_RECORDINGS, RECORDINGS
from choreia.pipelines.judge_stage import Entrant, Item
from choreia.pipelines.lighters import LIGHTERS, lighter
from choreia.pipelines.measuring import Progress, Workers
from choreia.stage import rig, rig_dmx, style
from choreia.synth.composer import compose
from choreia.synth.lighting import Wish
from choreia.types import Motion, Music, Stage

SONGS = 12
WHOLE_S = 600.0
OTHERS = 6
"""Other dances to each song."""
FRAME_S, NEAR_S = 1 / 30, 0.1
DRAWS = 500
PERFORMED_S = 180.0


@dataclass(frozen=True)
class Lit:
    """A song in its light: how many changes of style, how they fall on bounds within a frame and within 0.1 s; frames between cues and
    beats; frames by which track and DMX are late to their cues; accents shared with the dancer."""

    seconds: float
    changes: int
    on_frame: OnBounds
    near: OnBounds
    cue_frames: np.ndarray
    track_frames: np.ndarray
    dmx_frames: np.ndarray
    shared: Shared


def light(data: Path, songs_dir: Path | None, workers: int = 2, progress: Progress | None = None) -> list[dict]:
    """Rows of every lighter, both with and without sight of the dancer.

    Args:
        data: what `choreia prepare` wrote; its synthetic dances of split "val" are lit.
        songs_dir: recordings to light besides; None: none.
        workers: processes.
        progress: called with a stage and a share done.
    """
    sets = {"held out": judge_stage.held_out(data, SONGS, WHOLE_S), "recordings": recorded(songs_dir)}
    rows = []
    with Workers(workers, progress) as pool:
        for name in LIGHTERS:
            for sees, note in ((True, ""), (False, ", not seeing the dancer")):
                for songs, items in sets.items():
                    found = list(pool.map(name + note, partial(_lit, name, sees), list(enumerate(items))))
                    rows += [row(name + note, songs, found)] if found else []
    return rows


def recorded(songs_dir: Path | None) -> list[Item]:
    """The longest recordings of a folder, danced to by the default dancer."""
    found = sorted(path for path in songs_dir.rglob("*") if path.suffix.lower() in RECORDINGS) if songs_dir else []
    heard = sorted(((analyze_file(path), path.name) for path in found), key=lambda pair: -pair[0].duration_s)
    who = dancer(judge_stage.DEFAULT_DANCER) if heard else None
    return [Item(name, music, choreograph_song(who, music, seed=0)[0], Wish()) for music, name in heard[:LONGEST_RECORDINGS] if who]


# -------------------------------------------------------------------------------------------------------------- measuring


def _lit(name: str, sees: bool, job: tuple[int, Item]) -> Lit:
    seed, item = job
    shown = _lighter(name).light(item.music, item.dance if sees else None, seed=seed, wish=Wish(), progress=None)
    return measured(shown, item, list(other_dances(item.music)))


_lighter = cache(lighter)


def measured(shown: Stage, item: Item, others: Sequence[Motion]) -> Lit:
    """A stage held against its song, its dancer, and other dancers to the song."""
    music, track, fps = item.music, shown.track, shown.fps
    changes_s, bounds_s = lighting.style_changes(track, fps), lighting.bounds_of(music)
    on_frame, near = (lighting.on_bounds(changes_s, bounds_s, music.duration_s, within_s) for within_s in (FRAME_S, NEAR_S))
    return Lit(
        music.duration_s, len(changes_s), on_frame, near, lighting.cue_errors(shown.cues, music.beats_s, fps),
        lighting.reactions(shown.cues, style.zone_light(track).reshape(len(track), -1), fps),
        lighting.reactions(shown.cues, levels(shown), fps), lighting.shared_accents(track, item.dance, music, others, fps),
    )  # fmt: skip


def levels(shown: Stage) -> np.ndarray:
    """DMX levels (T, n) in [0, 1] of the dimmers of the default rig."""
    lamps = rig.load()
    dmx = rig_dmx.render(lamps, shown.track, fps=shown.fps)
    dimmers = [
        (dmx.universes.index(lamp.universe), lamp.address - 1 + channel.offsets[0])
        for lamp in lamps.fixtures for channel, _ in lamp.profile.find("intensity")
    ]  # fmt: skip
    return np.stack([dmx.values[:, universe, channel] for universe, channel in sorted(set(dimmers))], axis=1) / 255


def other_dances(music: Music) -> Iterator[Motion]:
    """`OTHERS` dances to the same song, by rule, each of another style and seed."""
    who = dancer("choreographer")
    for seed in range(OTHERS):
        yield who.move(music, ANYTHING, 1000 + seed, None)[0]


# ------------------------------------------------------------------------------------------------------------------- rows


def row(name: str, songs: str, found: Sequence[Lit]) -> dict:
    """One line of the table: shares over all changes of all songs, intervals over songs."""
    minutes = sum(one.seconds for one in found) / 60
    cue_frames, track_frames, dmx_frames = (
        np.abs(np.concatenate([getattr(one, field) for one in found])) for field in ("cue_frames", "track_frames", "dmx_frames")
    )
    return {
        "": name,
        "songs": f"{len(found)} {songs}",
        "changes a minute": sum(one.changes for one in found) / minutes,
        "on a bound within a frame": share(found, lambda one: one.on_frame.share),
        "by chance": share(found, lambda one: one.on_frame.chance)["value"],
        "within 0.1 s": share(found, lambda one: one.near.share),
        "0.1 s by chance": share(found, lambda one: one.near.chance)["value"],
        "bounds with a change": float(np.nanmean([one.near.covered for one in found])),
        "cues": len(cue_frames),
        "cues within a frame of a beat": float((cue_frames < 1).mean()) if len(cue_frames) else None,
        "track late, frames": _middle(track_frames),
        "DMX late, frames": _middle(dmx_frames),
        "accents shared": beside([one.shared.own for one in found], [one.shared.others for one in found]),
        "with another dance": float(np.mean([one.shared.others.mean() for one in found])),
        "accents, slid": float(np.mean([one.shared.slid.mean() for one in found])),
    }


def share(found: Sequence[Lit], of: Callable[[Lit], float]) -> dict[str, object]:
    """A share of the changes of all songs with its interval over songs; None where nothing changes."""
    pairs = np.array([[of(one) * one.changes, one.changes] for one in found if one.changes]).reshape(-1, 2)
    if not len(pairs):
        return {"value": None, "low": None, "high": None, "z": None, "reached": []}
    low, high = interval(pairs, _ratio)
    return {"value": _ratio(pairs), "low": low, "high": high, "z": None, "reached": []}


def _ratio(pairs: np.ndarray) -> float:
    return float(pairs[:, 0].sum() / pairs[:, 1].sum())


def _middle(frames: np.ndarray) -> float | None:
    """The median of absolute errors, None of none."""
    return float(np.median(frames)) if len(frames) else None


def beside(own: Sequence[float], others: Sequence[np.ndarray], seed: int = 0) -> dict[str, object]:
    """The mean of N scores with its interval over items and z over a null: means with one of its others (k,) in place of each score."""
    values, rng = np.array(own, float), np.random.default_rng(seed)
    low, high = interval(values, lambda items: float(items.mean()))
    drawn = np.mean([rng.choice(other, DRAWS) for other in others], axis=0)
    spread = float(drawn.std())
    reached = ["another dance"] if np.percentile(drawn, 95) >= values.mean() else []
    z = (float(values.mean()) - float(drawn.mean())) / spread if spread else None
    return {"value": float(values.mean()), "low": low, "high": high, "z": z, "reached": reached}


# ------------------------------------------------------------------------------------------------------------------- cost


def cost(runs: Path | None, seconds: float = PERFORMED_S) -> list[dict]:
    """What it takes to hear a composed song of `seconds` and to perform it, over its length; what is loaded on the way is counted apart."""
    song = compose(1, seconds, genre="pop")
    begun_s = time.perf_counter()
    music = analyze(song.audio)
    heard_s = time.perf_counter() - begun_s
    systems = [entrant for entrant in judge_stage.entrants(runs) if not entrant.given]
    return [_cost(entrant, music, heard_s, seconds) for entrant in systems]


def _cost(entrant: Entrant, music: Music, heard_s: float, seconds: float) -> dict:
    took_s = []
    for seed in range(2):
        begun_s = time.perf_counter()
        entrant.perform(music, None, Wish(), seed)
        took_s.append(time.perf_counter() - begun_s)
    return {
        "": entrant.name,
        "song, s": seconds,
        "hearing / song": heard_s / seconds,
        "performing / song": took_s[1] / seconds,
        "both / song": (heard_s + took_s[1]) / seconds,
        "loading, s": max(0.0, took_s[0] - took_s[1]),
    }
