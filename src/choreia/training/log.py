"""One JSON line a report in a file, one short line on stderr."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


class Log:
    """Averages the losses between reports."""

    def __init__(self, path: Path | None, every: int) -> None:
        self.path, self.every = path, every
        self.sums: dict[str, float] = {}
        self.count, self.since = 0, time.monotonic()

    def add(self, phase: str, step: int, steps: int, losses: dict[str, float], lr: float) -> None:
        """Take in one step; report when `every` steps are full or the phase ends."""
        self.count += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if (step + 1) % self.every == 0 or step + 1 == steps:
            self._report(phase, step + 1, steps, lr)

    def _report(self, phase: str, step: int, steps: int, lr: float) -> None:
        means = {name: value / self.count for name, value in self.sums.items()}
        seconds = (time.monotonic() - self.since) / self.count
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps({"phase": phase, "step": step, "lr": lr, "s_per_step": seconds, **means}) + "\n")
        words = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
        print(f"{phase} {step}/{steps}  {words}  {seconds:.2f} s/step", file=sys.stderr, flush=True)
        self.sums, self.count, self.since = {}, 0, time.monotonic()
