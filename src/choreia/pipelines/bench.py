"""`choreia bench`: the cost of a whole dance on this machine, as ratios to the song and to an EDGE-size denoiser timed beside it.

`growth` says how that cost grows with the length of the song: a table of the leaderboard.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from choreia import clock
from choreia.music import files
from choreia.music.analyze import analyze, analyze_file
from choreia.pipelines.choreograph import ANYTHING, choreograph_song, finish
from choreia.pipelines.dancers import dancer
from choreia.pipelines.judge_length import Entrant, entrants
from choreia.render.stage_show import render_stage
from choreia.render.video import render
from choreia.stage import looks
from choreia.synth.composer import compose
from choreia.types import Features, Motion, Music, RhythmEvents, Section, Stage

Progress = Callable[[str, float], None]
Made = TypeVar("Made")

MINUTES = (1, 3, 10, 30)
"""Lengths of the dances of `growth`."""

_FIRST_S = 10.0


def bench(*, seconds: float = 180.0, model: str = "dancemeld", progress: Progress | None = None) -> dict[str, object]:
    """Time composing, analysis, the dance, ten seconds of film of dancer and stage, and the EDGE recipe; analysis and dance run apart."""
    report = progress or (lambda stage, share: None)
    dancer(model)
    report("bench", 0.0)
    started = time.perf_counter()
    song = compose(1, seconds, genre="pop")
    times = {"compose": time.perf_counter() - started}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        files.write(path, song.audio)
        del song
        times["dance"], times["analyze"], peak_gb, motion = _fresh(_dance, path, model)
        clip = motion.slice(0, min(len(motion), 300))
        started = time.perf_counter()
        render(clip, files.read(path, 0, clip.duration_s), Path(folder) / "dance.mp4")
        times["render"] = (time.perf_counter() - started) / clip.duration_s * seconds
        started = time.perf_counter()
        render_stage(clip, _lit(clip), files.read(path, 0, clip.duration_s), Path(folder) / "stage.mp4")
        times["render_stage"] = (time.perf_counter() - started) / clip.duration_s * seconds
    times["edge_size"] = edge_size_s(seconds)
    report("bench", 1.0)
    result = {"model": model, "song_s": seconds, **{f"{k}_over_song": v / seconds for k, v in times.items()}, "peak_gb_of_dance": peak_gb,
              "edge_size_over_dance": times["edge_size"] / times["dance"], "threads": torch.get_num_threads()}  # fmt: skip
    return {**result, "text": "\n".join(f"{key:24} {value if key == 'model' else f'{value:.4g}'}" for key, value in result.items())}


def _lit(motion: Motion) -> Stage:
    """A stage with everything on: beams, gobos, colours and the spot."""
    rows = clock.frames_in(motion.duration_s, 30.0)
    track = looks.rest(looks.look("gala_finale"), np.linspace(0, 1, rows))
    return Stage(track, np.zeros(1), ("gala_finale",), track.rows(slice(0, 1)))


def _dance(path: Path, model: str) -> tuple[float, float, float, Motion]:
    """Seconds for the whole job (model loading included), seconds of it in the analysis, this process's peak in GB, and the take."""
    started = time.perf_counter()
    music = analyze_file(path)
    analysed = time.perf_counter()
    motion, _ = choreograph_song(dancer(model), music, seed=0)
    return time.perf_counter() - started, analysed - started, peak_memory_gb(), motion


def _fresh(run: Callable[..., Made], *arguments: object) -> Made:
    """What `run` returns, called in a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(run, *arguments).result()


def peak_memory_gb() -> float:
    """Largest resident size of this process so far, GB (10⁹ bytes).

    Linux keeps `ru_maxrss` when a process starts another program, so that a child would begin with its parent's; its own is `VmHWM`.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


# ------------------------------------------------------------------------------------------------------------------ growth


@dataclass(frozen=True)
class Cost:
    """Of a dance: peak GB of a process that holds model and music, has moved, and has finished; CPU seconds of the latter two."""

    held_gb: float
    moved_gb: float
    finished_gb: float
    move_s: float
    finish_s: float


def growth(runs: Path | None = None, progress: Progress | None = None, minutes: Sequence[int] = MINUTES) -> list[dict]:
    """Rows of what dances of several lengths cost, a fresh process each: an analysed minute is repeated, so analysis costs nothing here."""
    one = minute()
    return [row for who in entrants(runs) for row in cost_rows(who.name, minutes, list(_costs(who, one, minutes, progress)))]


def minute() -> Music:
    """A composed minute, analysed."""
    heard = analyze(compose(1, 60.0, genre="pop").audio)
    return replace(heard, features={"dance": heard.features["dance"]})


def _costs(who: Entrant, music: Music, minutes: Sequence[int], progress: Progress | None) -> Iterator[Cost]:
    for done, times in enumerate(minutes, start=1):
        yield _fresh(cost, who, music, times)
        if progress:
            progress(f"{who.name}, {times} min", done / len(minutes))


def cost(who: Entrant, music: Music, times: int) -> Cost:
    """Dance to `music` played `times` times over, on one thread, after a first dance that loads what is loaded late."""
    torch.set_num_threads(1)
    long = repeated(music, times)
    who.opened().move(replace(music, duration_s=_FIRST_S), ANYTHING, 0, None)
    held_gb, started_s = peak_memory_gb(), time.process_time()
    motion, _ = who.opened().move(long, ANYTHING, 0, None)
    moved_gb, moved_s = peak_memory_gb(), time.process_time()
    finish(motion, long)
    return Cost(held_gb, moved_gb, peak_memory_gb(), moved_s - started_s, time.process_time() - moved_s)


def cost_rows(name: str, minutes: Sequence[int], costs: Sequence[Cost]) -> list[dict]:
    """A row for every length. `off the line`: how much longer than on the straight line that fits all lengths best, a share."""
    times_s = np.array([one.move_s + one.finish_s for one in costs])
    line_s = np.polyval(np.polyfit(minutes, times_s, 1, w=1 / times_s), minutes)
    return [
        {
            "": name,
            "minutes": length,
            "model and music, GB": one.held_gb,
            "movement adds, GB": one.moved_gb - one.held_gb,
            "last mile adds, GB": one.finished_gb - one.moved_gb,
            "movement, s": one.move_s,
            "last mile, s": one.finish_s,
            "s a minute": float(total_s / length),
            "off the line": float(total_s / on_line_s - 1),
        }
        for length, one, total_s, on_line_s in zip(minutes, costs, times_s, line_s, strict=True)
    ]


def repeated(music: Music, times: int) -> Music:
    """A song `times` times over: beats, sections, events and features, one playing after the other."""
    starts_s = music.duration_s * np.arange(times)
    again = {name: _after(getattr(music, name), starts_s) for name in ("beats_s", "downbeats_s", "eights_s")}
    events = RhythmEvents(*(_after(getattr(music.events, name), starts_s) for name in ("strong_s", "offbeat_s", "subdivision_s")))
    features = {name: _over(track, music.duration_s, times) for name, track in music.features.items()}
    return Music(
        duration_s=music.duration_s * times, tempo_bpm=np.tile(music.tempo_bpm, times), meter=music.meter, events=events,
        sections=_sections(music.sections, starts_s), energy=_over(music.energy, music.duration_s, times), features=features, **again,
    )  # fmt: skip


def _after(times_s: np.ndarray, starts_s: np.ndarray) -> np.ndarray:
    return (starts_s[:, None] + times_s).ravel()


def _over(track: Features, duration_s: float, times: int) -> Features:
    return replace(track, values=np.tile(clock.first_rows(track.values, clock.frames_in(duration_s, track.fps)), (times, 1)))


def _sections(sections: Sequence[Section], starts_s: np.ndarray) -> tuple[Section, ...]:
    count: Counter[str] = Counter()
    found = []
    for start_s in starts_s:
        for part in sections:
            count[part.label] += 1
            found.append(Section(start_s + part.start_s, start_s + part.end_s, part.label, count[part.label]))
    return tuple(found)


# -------------------------------------------------------------------------------------------------------------- EDGE's size


class EdgeSizeDenoiser(nn.Module):
    """The arithmetic of EDGE's denoiser (Tseng et al. 2023): 8 decoder layers of width 512, 8 heads, 1024 hidden, over 150 frames."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerDecoderLayer(512, 8, 1024, batch_first=True, activation="gelu")
        self.layers = nn.TransformerDecoder(layer, 8)
        self.enter, self.leave = nn.Linear(151, 512), nn.Linear(512, 151)

    def forward(self, x: Tensor, music: Tensor) -> Tensor:
        """(B, 150, 151) noised motion under (B, 150, 512) music."""
        return self.leave(self.layers(self.enter(x), music))


def edge_size_s(seconds: float, steps: int = 50, guidance: int = 2, timed_steps: int = 3) -> float:
    """Seconds that the EDGE recipe takes for `seconds` of dance: half-overlapping 5 s windows in one batch, every step alike.

    A few steps over at most 11 windows (30 s of dance) are timed after a warm-up and scaled to all.
    """
    windows = max(1, round(seconds / 2.5) - 1)
    batch = min(windows, 11)
    model = EdgeSizeDenoiser().eval()
    x, music = torch.randn(batch * guidance, 150, 151), torch.randn(batch * guidance, 150, 512)
    with torch.inference_mode():
        model(x, music)
        started = time.perf_counter()
        for _ in range(timed_steps):
            model(x, music)
    return (time.perf_counter() - started) / timed_steps * steps * windows / batch
