"""`choreia bench`: the cost of a whole dance on this machine, as ratios to the song and to an EDGE-size denoiser timed beside it."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from choreia.music import files
from choreia.music.analyze import analyze_file
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dancers import dancer
from choreia.render.video import render
from choreia.synth.composer import compose
from choreia.types import Motion

Progress = Callable[[str, float], None]


def bench(*, seconds: float = 180.0, progress: Progress | None = None) -> dict[str, object]:
    """Time composing, analysis, the dance, ten seconds of video, and the EDGE recipe; analysis and dance run in a fresh process."""
    report = progress or (lambda stage, share: None)
    report("bench", 0.0)
    started = time.perf_counter()
    song = compose(1, seconds, genre="pop")
    times = {"compose": time.perf_counter() - started}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        files.write(path, song.audio)
        del song
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
            times["dance"], times["analyze"], peak_gb, motion = fresh.submit(_dance, path).result()
        clip = motion.slice(0, min(len(motion), 300))
        started = time.perf_counter()
        render(clip, files.read(path, 0, clip.duration_s), Path(folder) / "dance.mp4")
        times["render"] = (time.perf_counter() - started) / clip.duration_s * seconds
    times["edge_size"] = edge_size_s(seconds)
    report("bench", 1.0)
    result = {"song_s": seconds, **{f"{k}_over_song": v / seconds for k, v in times.items()}, "peak_gb_of_dance": peak_gb,
              "edge_size_over_dance": times["edge_size"] / times["dance"], "threads": torch.get_num_threads()}  # fmt: skip
    return {**result, "text": "\n".join(f"{key:24} {value:.4g}" for key, value in result.items())}


def _dance(path: Path) -> tuple[float, float, float, Motion]:
    """Seconds for the whole job (model loading included), seconds of it in the analysis, this process's peak in GB, and the take."""
    started = time.perf_counter()
    music = analyze_file(path)
    analysed = time.perf_counter()
    motion, _ = choreograph_song(dancer("dancemeld"), music, seed=0)
    return time.perf_counter() - started, analysed - started, peak_memory_gb(), motion


def peak_memory_gb() -> float:
    """Largest resident size of this process so far, GB (10⁹ bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


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
