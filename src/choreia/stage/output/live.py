"""What live outputs share: a clock that says where the song is when asked, frames in its time, and an orderly end."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

Clock = Callable[[], float]
"""Position in seconds. It may stand still, jump and go back, as a person's playback does."""


def stopwatch(start_s: float = 0.0) -> Clock:
    """A clock that runs from `start_s` from now on."""
    began = time.monotonic() - start_s
    return lambda: time.monotonic() - began


def ticks(position_s: Clock, duration_s: float, rate_hz: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[float]:
    """Positions in seconds, one a frame at `rate_hz` while the clock runs, as many a second while it stands; ends at `duration_s`."""
    while (now := position_s()) < duration_s:
        yield now
        # A hair past the next frame, so that a rounded sleep does not wake on the same one.
        ahead = (math.floor(now * rate_hz + 1e-6) + 1) / rate_hz - position_s()
        sleep(min(max(ahead + 1e-4, 0.0), 1 / rate_hz))


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within it, a request to terminate ends the block as an exit does. Signals belong to the main thread: elsewhere it does nothing."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    asked = [one for one in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, one)]
    if threading.current_thread() is not threading.main_thread():
        asked = []
    before = {one: signal.signal(getattr(signal, one), leave) for one in asked}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(getattr(signal, one), handler)
