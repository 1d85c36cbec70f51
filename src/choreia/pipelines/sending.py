"""`--send`: a show goes out live while the song plays, or on somebody else's clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from choreia.errors import ChoreiaError
from choreia.music import files
from choreia.stage.output import dmx, follow, live, osc
from choreia.stage.output.show import Show
from choreia.types import Audio

Tell = Callable[[str], None]

PROTOCOLS = (*dmx.PORTS, "osc")
CLOCKS = ("song", "wall", "osc", "mtc")


@dataclass(frozen=True)
class Sending:
    """Where a show goes and what it follows, as a person says it.

    protocol: of `PROTOCOLS`. to: HOST or HOST:PORT, or "multicast". interface: address of the network interface to send from.
    clock: "song", "wall", "osc", "osc:PORT", "osc:HOST:PORT", "mtc" or "mtc:NAME OF A MIDI INPUT". offset_s: what an external clock shows
    when the song begins.
    """

    protocol: str
    to: str = "127.0.0.1"
    interface: str = ""
    clock: str = "song"
    offset_s: float = 0.0

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ChoreiaError(f"--send {self.protocol}: choose one of {', '.join(PROTOCOLS)}")
        if self.clock.partition(":")[0] not in CLOCKS:
            raise ChoreiaError(f"--clock {self.clock}: choose one of {', '.join(CLOCKS)}; osc:7701 and mtc:NAME say where")
        _ = self.address, self.osc_address, self.target

    @property
    def address(self) -> tuple[str, int | None]:
        """Host and port to send to, None for the protocol's own."""
        return _address(self.to, "--to")

    @property
    def osc_address(self) -> tuple[str, int]:
        """Where an OSC clock listens."""
        kind, _, place = self.clock.partition(":")
        if kind != "osc" or not place:
            return "127.0.0.1", follow.PORT
        host, port = _address(place if ":" in place else f"127.0.0.1:{place}", "--clock osc")
        return host, port or follow.PORT

    @property
    def target(self) -> dmx.Target | None:
        """Where DMX goes, None for OSC."""
        return None if self.protocol == "osc" else dmx.Target(self.protocol, *self.address, self.interface)


def _address(text: str, option: str) -> tuple[str, int | None]:
    """HOST or HOST:PORT."""
    found = re.fullmatch(r"([A-Za-z0-9_.-]+)(?::(\d{1,5}))?", text)
    if not found or (found[2] and not 1 <= int(found[2]) <= 65535):
        raise ChoreiaError(f"{option} {text[:80]!r} is no address: give HOST or HOST:PORT, a port from 1 to 65535")
    return found[1], int(found[2]) if found[2] else None


def check(sending: Sending) -> None:
    """Refuse, before any work is done, a network interface or a host that does not exist, or a clock that cannot be heard."""
    if sending.target:
        dmx.check(sending.target)
    else:
        osc.check(sending.address[0])
    if sending.clock != "song":
        with _outside(sending):
            pass


def send(show: Show, sending: Sending, song: Path, start_s: float = 0.0, tell: Tell = print) -> int:
    """Play a show to its end and leave the lamps dark, whatever ends it. Returns how many frames, or cues of OSC, were sent.

    Raises:
        ChoreiaError: a network interface, host or MIDI input that does not exist, or a network that takes no packet.
    """
    host, port = sending.address
    with _clock(sending, show, song, start_s, tell) as clock:
        tell(f"sending {sending.protocol} to {host}, {show.stage.duration_s:.1f} s; Ctrl-C ends it in the dark")
        if sending.target:
            return dmx.play(show.dmx, sending.target, clock)
        return osc.play(show, host, port or osc.PORT, clock)


# --------------------------------------------------------------------------------------------------------------- the clocks


@contextmanager
def _clock(sending: Sending, show: Show, song: Path, start_s: float, tell: Tell) -> Iterator[live.Clock]:
    """Where the song is, in seconds."""
    if sending.clock == "song":
        _ = show.dmx  # made before the song begins
        with _song(files.read(song, start_s, show.stage.duration_s), tell) as clock:
            yield clock
        return
    with _outside(sending) as clock:
        if sending.clock != "wall":
            tell(f"waiting for the time: {_waited_for(sending)}")
        yield clock


@contextmanager
def _outside(sending: Sending) -> Iterator[live.Clock]:
    """The clock of the machine or an external one, from the song's beginning on."""
    kind, _, name = sending.clock.partition(":")
    if kind == "wall":
        yield live.stopwatch()
        return
    with follow.mtc_clock(name) if kind == "mtc" else follow.osc_clock(*sending.osc_address) as clock:
        yield lambda: clock() - sending.offset_s


def _waited_for(sending: Sending) -> str:
    host, port = sending.osc_address
    return "MIDI time code" if sending.clock.startswith("mtc") else f"/choreia/time SECONDS at {host}:{port}"


@contextmanager
def _song(audio: Audio, tell: Tell) -> Iterator[live.Clock]:
    """The song as it is heard; where nothing can be heard, the clock of the machine."""
    player = _Player(audio)
    stream = _sound_card(player, tell)
    if stream is None:
        yield live.stopwatch()
        return
    with stream:
        yield lambda: player.position_s(stream.time)


def _sound_card(player: _Player, tell: Tell) -> Any:
    """A stream of sounddevice that plays, None where there is none, which is told."""
    try:
        import sounddevice

        audio = player.audio
        return sounddevice.OutputStream(audio.rate, channels=len(audio.samples), dtype="float32", callback=player.fill)
    except Exception as error:  # PortAudio's error is no OSError, and its class is known only where it is installed
        tell(_silent(error))
        return None


def _silent(error: Exception) -> str:
    what = "needs pip install sounddevice" if isinstance(error, ImportError) else " ".join(str(error).split())[:120]
    return f"the song is not heard ({what}): the show runs on the clock of this machine"


@dataclass
class _Player:
    """Hands a song to a sound card block by block and knows which sample is heard when."""

    audio: Audio
    _next: int = field(default=0, init=False)
    _heard: tuple[int, float] | None = field(default=None, init=False)

    def fill(self, block: Any, frames: int, times: Any, _: object) -> None:
        """The next `frames` samples into `block` (frames, channels), silence after the end; `times` says when they will be heard."""
        part = self.audio.samples[:, self._next : self._next + frames].T
        block[: len(part)] = part
        block[len(part) :] = 0
        self._heard = (self._next, times.outputBufferDacTime)
        self._next += frames

    def position_s(self, now_s: float) -> float:
        """Where the song is at a time of the sound card's clock; before the first block, before the song."""
        if self._heard is None:
            return follow.UNHEARD_S
        sample, heard_s = self._heard
        return sample / self.audio.rate + now_s - heard_s
