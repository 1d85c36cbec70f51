"""The cues as Open Sound Control 1.0: one bundle a cue, sent when the clock comes to it.

    /choreia/cue                number (int), time, fade in, fade out (s, float), look, label (string)
    /choreia/zone/<zone>        level, red, green, blue (float in [0, 1], linear light), for every zone
    /choreia/strobe             flashes a second (float)
    /choreia/end                at the end of the show, after all zones at level 0

`write` puts the same bundles into a file as SuperCollider reads scores: each behind its size, its time tag the seconds from the start.
Format: opensoundcontrol.org, "The Open Sound Control 1.0 Specification".
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.stage import style
from choreia.stage.output import dmx_guard, live
from choreia.stage.output.show import Show, label
from choreia.types import ZONES, Cue

RATE_HZ = 100.0
"""How often the clock is asked."""
PORT = 7700
"""Where QLC+ listens for its first universe; other programs have ports of their own."""
NOW = 1
"""The time tag of a bundle that is to be done at once."""


def _text(text: str) -> bytes:
    """A string with one zero byte or more at its end, as many as make whole groups of four."""
    plain = text.encode("utf-8")
    return plain + bytes(4 - len(plain) % 4)


def message(address: str, *values: int | float | str) -> bytes:
    """A message: integers and floats of 32 bits, strings."""
    tags, content = ",", b""
    for value in values:
        tags += "s" if isinstance(value, str) else "i" if isinstance(value, int) else "f"
        content += _text(value) if isinstance(value, str) else struct.pack(">i" if isinstance(value, int) else ">f", value)
    return _text(address) + _text(tags) + content


END = message("/choreia/end")


def bundle(messages: list[bytes], tag: int = NOW) -> bytes:
    """Messages that are to be done together, at once or at a time `tag` in units of 2^-32 s."""
    return _text("#bundle") + struct.pack(">Q", tag) + b"".join(struct.pack(">i", len(one)) + one for one in messages)


def cue_bundle(number: int, cue: Cue, tag: int = NOW) -> bytes:
    """All that a cue says; `number` counts from 1."""
    colours = style.zone_colours(cue.state)[0]
    zones = [
        message(f"/choreia/zone/{zone}", float(level), *(float(part) for part in colour))
        for zone, level, colour in zip(ZONES, cue.state.light[0], colours, strict=True)
    ]
    head = message("/choreia/cue", number, float(cue.time_s), float(cue.fade_in_s), float(cue.fade_out_s), cue.look, label(cue))
    return bundle([head, *zones, message("/choreia/strobe", cue.strobe_hz)], tag)


def dark_bundle(tag: int = NOW) -> bytes:
    """Every zone and the strobe off."""
    zones = [message(f"/choreia/zone/{zone}", 0.0, 0.0, 0.0, 0.0) for zone in ZONES]
    return bundle([*zones, message("/choreia/strobe", 0.0)], tag)


def write(path: str | Path, show: Show) -> None:
    """Writes the cues and the end as a score; the same show gives the same bytes."""
    bundles = [cue_bundle(number + 1, cue, round(cue.time_s * 2**32)) for number, cue in enumerate(show.stage.cues)]
    end = round(show.stage.duration_s * 2**32)
    with atomic_path(path) as partial:
        partial.write_bytes(b"".join(struct.pack(">i", len(one)) + one for one in [*bundles, dark_bundle(end), bundle([END], end)]))


def check(host: str) -> None:
    """ChoreiaError when there is no such host."""
    try:
        socket.getaddrinfo(host, None, socket.AF_INET)
    except OSError as error:
        raise ChoreiaError(f"no host {host}: give the IPv4 address of what listens to OSC") from error


def play(
    show: Show,
    host: str = "127.0.0.1",
    port: int = PORT,
    position_s: live.Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Sends every cue when the clock (a stopwatch from now when None) comes to it, then darkness and the end, whatever ends it.

    Returns how many cues were sent.

    A clock that jumps ahead sends only the last of the cues it jumped over; one that goes back sends the cue that holds there.
    ChoreiaError when the host is unknown or the network takes no packet.
    """
    bundles = [cue_bundle(number + 1, cue) for number, cue in enumerate(show.stage.cues)]
    sent, last = 0, -1
    with live.stoppable(), _ending(host, port) as send:
        for now in live.ticks(position_s or live.stopwatch(), show.stage.duration_s, RATE_HZ, sleep):
            holds = sum(cue.time_s <= now for cue in show.stage.cues) - 1
            if holds not in (last, -1):
                send(bundles[holds])
                sent += 1
            last = holds
    return sent


@contextmanager
def _ending(host: str, port: int) -> Iterator[Callable[[bytes], None]]:
    """What sends packets; afterwards it is dark and the end is said, by a guard should this process be gone without a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:

        def send(packet: bytes) -> None:
            try:
                found.sendto(packet, (host, port))
            except OSError as error:
                raise ChoreiaError(f"cannot send OSC to {host}:{port}: {error.strerror or error}; check the address") from error

        send(dark_bundle())
        guard = dmx_guard.start(sys.executable, "", [(host, port, dark_bundle()), (host, port, END)])
        try:
            yield send
        finally:
            with suppress(ChoreiaError):
                send(dark_bundle())
                send(END)
            dmx_guard.dismiss(guard)
