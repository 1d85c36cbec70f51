"""From an analysed song, and a dance to it, to a safe stage: what was asked, who lights, what safety changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.export import take as take_file
from choreia.motion import io, staging
from choreia.motion.energy import joint_speed
from choreia.motion.kinematics import positions
from choreia.motion.retarget import to_choreia24
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.motion.timing import warp
from choreia.pipelines.dancers import FPS
from choreia.pipelines.lighters import Lighter, Progress, lighter
from choreia.stage import looks, rig, safety
from choreia.stage.palettes import palette
from choreia.stage.rig import Rig
from choreia.stage.safety import Intervention, Limits
from choreia.synth.lighting import Wish
from choreia.types import Motion, Music, Stage

LENGTH_SLACK_S = 0.5
"""A dance that is longer or shorter than its song by no more than this goes without a note."""
NAMED_TIMES = 6
"""How many times an intervention is told with its times."""


@dataclass(frozen=True)
class Asked:
    """How to light, as a person says it: a look by its name or as a TOML file, a palette, a picture to light like, a rig, a designer."""

    look: str | None = None
    palette: str | None = None
    like: Path | None = None
    rig: str = rig.DEFAULT
    library: Path | None = None
    designer: str = "rules"
    allow_flash: bool = False


@dataclass(frozen=True)
class Plan:
    """The same, understood: every name is known, every file was read."""

    asked: Asked
    rig: Rig
    lighter: Lighter
    wish: Wish

    @property
    def limits(self) -> Limits:
        """What safety asks for."""
        return Limits(flash_allowed=self.asked.allow_flash)


def understand(asked: Asked) -> Plan:
    """Look everything up. ChoreiaError: an unknown look, palette, rig or designer, or a file that is not what it should be."""
    house, who = rig.load(asked.rig, asked.library), lighter(asked.designer)
    wish = _like(asked.like) if asked.like else Wish()
    if asked.look:
        own = asked.look.endswith(".toml")
        wish = replace(wish, look=looks.read(asked.look) if own else looks.look(asked.look))
    if asked.palette:
        wish = replace(wish, palette=palette(asked.palette))
    return Plan(asked, house, who, wish)


def _like(path: Path) -> Wish:
    """Loaded only when asked for: it brings a network that sees."""
    from choreia.pipelines.like import like

    return like(path)


# -------------------------------------------------------------------------------------------------------------- the dancer


def read_dance(path: Path) -> Motion:
    """The dance of a project file or of any motion file, on choreia-24."""
    motion = dance_in(path) if path.suffix.lower() == take_file.SUFFIX else _ours(io.read(path))
    if motion is None:
        raise ChoreiaError(f"{path} holds no dance: give another file, or light the song alone")
    return motion


def dance_in(take: Path) -> Motion | None:
    """The dance of a project file on choreia-24, None where it holds none."""
    motion = take_file.load(take).performance.motion
    return None if motion is None else _ours(motion)


def _ours(motion: Motion) -> Motion:
    return motion if motion.skeleton.names == choreia24().names else to_choreia24(motion)


def fitted(motion: Motion, duration_s: float) -> tuple[Motion, tuple[str, ...]]:
    """The dance at 30 fps for just the length of the song, and a note where it is much longer or shorter."""
    read = replace(warp(motion, clock.frame_times(clock.frames_in(duration_s, FPS), FPS)), fps=FPS)
    apart_s = motion.duration_s - duration_s
    what = "the rest of the dance is left out" if apart_s > 0 else "then the dancer stands in the last pose"
    note = f"the dance lasts {motion.duration_s:.1f} s, the song {duration_s:.1f} s: light follows the song, {what}"
    return read, (note,) if abs(apart_s) > LENGTH_SLACK_S else ()


def standing(duration_s: float) -> Motion:
    """Somebody who stands in the middle and looks at the audience, for films of a light without a dance."""
    body, frames = choreia24(), clock.frames_in(duration_s, FPS)
    root = np.tile(np.array([0, STANDING_HEIGHT_M, 0], np.float32), (frames, 1))
    return Motion(body, root, np.tile(staging.stance(body), (frames, 1, 1)), FPS)


def chest(motion: Motion) -> np.ndarray:
    """Where spots aim at every frame, (T, 3) m."""
    return positions(motion)[:, motion.skeleton.index("spine3")]


# --------------------------------------------------------------------------------------------------------------- the light


def light_song(plan: Plan, music: Music, dance: Motion | None, *, seed: int = 0,
               progress: Progress | None = None) -> tuple[Stage, tuple[Intervention, ...]]:  # fmt: skip
    """A safe stage for a song, and for a dance of the song's length at 30 fps; with what safety changed."""
    stage = plan.lighter.light(music, dance, seed=seed, wish=plan.wish, progress=progress)
    return _safe(punctual(stage), plan, dance)


def saved_light(take: Path, plan: Plan, music: Music, dance: Motion | None) -> tuple[Stage, tuple[Intervention, ...]]:
    """The stage of a project file, made safe once more; ChoreiaError when it holds none, or one for another song."""
    stage = take_file.load(take).performance.stage
    if stage is None:
        raise ChoreiaError(f"{take} holds no light: make one with choreia light SONG --formats take")
    if len(stage.track) != clock.frames_in(music.duration_s, stage.fps):
        lengths = f"{stage.duration_s:.1f} s of light, the song lasts {music.duration_s:.1f} s"
        raise ChoreiaError(f"{take} holds {lengths}: give the song, --start and --seconds that it was made for")
    return _safe(stage, plan, dance)


def _safe(stage: Stage, plan: Plan, dance: Motion | None) -> tuple[Stage, tuple[Intervention, ...]]:
    return safety.make_stage_safe(stage, None if dance is None else joint_speed(dance).max(axis=1), plan.limits)


def punctual(stage: Stage) -> Stage:
    """The stage with every cue on the row nearest to it: a track shows a cue on the first row after it, up to a frame late."""
    times = np.array([cue.time_s for cue in stage.cues]) * stage.fps
    near, rows = np.round(times).astype(int), np.arange(len(stage.track))
    early = near[(near < times - 1e-6) & (near < len(rows) - 1)]
    if not len(early):
        return stage
    rows[early] = early + 1
    return replace(stage, track=stage.track.rows(rows))


def told(interventions: Sequence[Intervention]) -> tuple[str, ...]:
    """Interventions in few lines: one for each kind, with its first times."""
    kinds: dict[str, list[str]] = {}
    for one in interventions:
        kinds.setdefault(f"{one.what} ({one.why})", []).append(f"{one.start_s:.2f}-{one.end_s:.2f}")
    return tuple(f"safety: {kind} at {_some(times)} s" for kind, times in kinds.items())


def _some(times: list[str]) -> str:
    more = len(times) - NAMED_TIMES
    return ", ".join(times[:NAMED_TIMES]) + (f" and {more} more times" if more > 0 else "")
