"""Clocks that follow others: a time that is told now and then, by OSC messages or by MIDI time code, as a position to ask for.

    /choreia/time   seconds (int, float or double), at any rate: a player, a desk or a script says where the song is

A clock runs on between two tellings, and stands when none comes for `GRACE_S` or when the time told stays the same.
"""

from __future__ import annotations

import math
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import mido

from choreia.errors import ChoreiaError
from choreia.stage.output.live import Clock

ADDRESS = b"/choreia/time"
PORT = 7701
"""Where `/choreia/time` is listened for."""
GRACE_S = 0.25
JITTER_S = 0.05
"""A time told that is so little behind is a late packet, not a jump back."""
UNHEARD_S = -1.0
"""Position before the first telling: before the song, dark."""
RATES_HZ = (24.0, 25.0, 30000 / 1001, 30.0)
"""Frames a second by the two rate bits of MIDI time code; the third drops frame numbers."""
MOST_PACKETS = 256
"""Packets taken at one asking, so that a flood cannot hold up the show."""


@dataclass
class Follower:
    """A position that is told from outside. `now`: a clock of the machine."""

    now: Clock = time.monotonic
    _told_s: float | None = field(default=None, init=False)
    _at: float = field(default=0.0, init=False)
    _runs: bool = field(default=False, init=False)
    _last_s: float = field(default=UNHEARD_S, init=False)

    def tell(self, time_s: float) -> None:
        """The song is at `time_s` now; times that are not finite are no times."""
        if math.isfinite(time_s):
            self._runs = self._told_s is not None and time_s != self._told_s
            self._told_s, self._at = time_s, self.now()

    def __call__(self) -> float:
        """Where the song is, in seconds; `UNHEARD_S` before the first telling."""
        if self._told_s is None:
            return UNHEARD_S
        found = self._told_s + (min(self.now() - self._at, GRACE_S) if self._runs else 0.0)
        if not 0 < self._last_s - found < JITTER_S:
            self._last_s = found
        return self._last_s


def times_in(packet: bytes, depth: int = 4) -> Iterator[float]:
    """The times that an OSC packet tells, one of a bundle or a message; what is malformed or means something else tells none."""
    if packet.startswith(b"#bundle\0") and depth:
        start = 16
        while start + 4 <= len(packet):
            (size,) = struct.unpack_from(">i", packet, start)
            if size <= 0:
                return
            yield from times_in(packet[start + 4 : start + 4 + size], depth - 1)
            start += 4 + size
        return
    kinds = {b",f\0\0": ">f", b",d\0\0": ">d", b",i\0\0": ">i"}
    head = ADDRESS + bytes(4 - len(ADDRESS) % 4)
    kind = kinds.get(packet[len(head) : len(head) + 4])
    if packet.startswith(head) and kind and len(packet) == len(head) + 4 + struct.calcsize(kind):
        yield float(struct.unpack_from(kind, packet, len(head) + 4)[0])


@contextmanager
def osc_clock(host: str = "127.0.0.1", port: int = PORT) -> Iterator[Clock]:
    """A clock told by `/choreia/time` messages that come to a UDP port. ChoreiaError: the address is not of this machine, or is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        try:
            found.bind((host, port))
        except OSError as error:
            raise ChoreiaError(f"cannot listen at {host}:{port}: {error.strerror or error}; give --clock osc:PORT that is free") from error
        found.setblocking(False)
        follower = Follower()

        def position() -> float:
            for packet in _waiting(found):
                for time_s in times_in(packet):
                    follower.tell(time_s)
            return follower()

        yield position


def _waiting(found: socket.socket) -> Iterator[bytes]:
    """The packets that have come."""
    for _ in range(MOST_PACKETS):
        try:
            yield found.recv(65535)
        except BlockingIOError:
            return
        except OSError:  # a refusal that an earlier packet met: not ours to mind
            continue


@dataclass
class Mtc:
    """Reads MIDI time code: full frames at once, running code after its eight quarter frames, which then is two frames old."""

    _pieces: list[int] = field(default_factory=list, init=False)

    def read(self, message: mido.Message) -> float | None:
        """The time in seconds that is known by this message, None when it tells none yet."""
        if message.type == "sysex" and len(message.data) == 8 and message.data[0] == 0x7F and tuple(message.data[2:4]) == (1, 1):
            self._pieces.clear()
            return code_s(*message.data[4:8])
        if message.type != "quarter_frame":
            return None
        if message.frame_type != len(self._pieces):
            self._pieces.clear()
        if message.frame_type == len(self._pieces):
            self._pieces.append(message.frame_value)
        if len(self._pieces) < 8:
            return None
        frame, second, minute, hour = (low | high << 4 for low, high in zip(self._pieces[::2], self._pieces[1::2], strict=True))
        self._pieces.clear()
        return code_s(hour, minute, second, frame) + 2 / RATES_HZ[hour >> 5 & 3]


def code_s(rate_and_hour: int, minutes: int, seconds: int, frame: int) -> float:
    """Seconds of a time code whose first byte has the rate in bits 5 and 6; of 29.97 drop frame two numbers a minute are left out but
    in every tenth."""
    rate = RATES_HZ[rate_and_hour >> 5 & 3]
    all_minutes = 60 * (rate_and_hour & 31) + minutes
    dropped = 2 * (all_minutes - all_minutes // 10) if rate == RATES_HZ[2] else 0
    return ((60 * all_minutes + seconds) * round(rate) + frame - dropped) / rate


@contextmanager
def mtc_clock(name: str = "") -> Iterator[Clock]:
    """A clock told by the MIDI time code of a port: the one called `name`, or the first. ChoreiaError: no such port, or no way to MIDI."""
    with _midi_port(name) as messages:
        follower, code = Follower(), Mtc()

        def position() -> float:
            for message in messages():
                if (time_s := code.read(message)) is not None:
                    follower.tell(time_s)
            return follower()

        yield position


@contextmanager
def _midi_port(name: str) -> Iterator[Callable[[], Iterable[mido.Message]]]:
    """What asks an open MIDI input for the messages that have come."""
    try:
        names = mido.get_input_names()
    except Exception as error:
        raise ChoreiaError("--clock mtc needs a MIDI driver: pip install python-rtmidi, or use --clock osc") from error
    if not names or (name and name not in names):
        raise ChoreiaError(f"no MIDI input {name!r}: there {'are ' + ', '.join(names) if names else 'is none'}; or use --clock osc")
    with mido.open_input(name or names[0]) as port:
        yield port.iter_pending
