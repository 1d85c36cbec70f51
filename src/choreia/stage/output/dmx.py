"""Live DMX over the network: sACN (ANSI E1.31-2018) and Art-Net 4, to this machine unless told otherwise.

Every frame of a `Dmx` goes out at its time on the clock. However it ends (the song is over, an error, Ctrl-C, a terminated process) the
lamps are sent dark and an sACN stream says that it ends; should the process be killed outright, a guard of its own (`dmx_guard`) sends
the same.
"""

from __future__ import annotations

import contextlib
import platform
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from choreia.errors import ChoreiaError
from choreia.stage.output import dmx_guard, live
from choreia.stage.rig import UNIVERSE
from choreia.stage.rig_dmx import Dmx

PORTS = {"sacn": 5568, "artnet": 6454}
SOURCE = "Choreia"
PRIORITY = 100
"""Default of sACN; a desk with more takes over."""
TERMINATED = 0x40
"""Option bit of sACN: this stream ends."""
ARTNET_UNIVERSES = 32768
TIMES_DARK = 3
"""How often darkness is sent: packets get lost, and E1.31 asks for three at the end of a stream."""


@dataclass(frozen=True)
class Target:
    """Where DMX goes: `protocol` "sacn" or "artnet", a host, or "multicast" (sACN only: every universe to its own address).

    port None: the protocol's own. interface: the address of the network interface to send from, "" for the system's choice.
    """

    protocol: str = "sacn"
    host: str = "127.0.0.1"
    port: int | None = None
    interface: str = ""

    def __post_init__(self) -> None:
        if self.protocol not in PORTS:
            raise ChoreiaError(f"no protocol {self.protocol!r}: choose one of {', '.join(PORTS)}")
        if self.host == "multicast" and self.protocol != "sacn":
            raise ChoreiaError("Art-Net has no multicast: give the address of a node or of a broadcast")

    def address(self, universe: int) -> tuple[str, int]:
        """Host and port that a universe goes to."""
        host = f"239.255.{universe >> 8}.{universe & 255}" if self.host == "multicast" else self.host
        return host, self.port or PORTS[self.protocol]

    def packet(self, universe: int, levels: bytes, sequence: int, ended: bool = False) -> bytes:
        """One universe as a packet; `ended` says that the stream ends, which Art-Net has no word for."""
        return sacn_packet(universe, levels, sequence, ended) if self.protocol == "sacn" else artnet_packet(universe, levels, sequence)


def sacn_packet(universe: int, levels: bytes, sequence: int, ended: bool = False, source: str = SOURCE) -> bytes:
    """A data packet of E1.31: root, framing and DMP layer, 638 bytes. universe from 1, levels 512 bytes, sequence mod 256."""
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{platform.node()}.{SOURCE}").bytes
    name = source.encode("utf-8")[:63].decode("utf-8", errors="ignore").encode("utf-8")
    dmp = struct.pack(">BBHHHB", 0x02, 0xA1, 0, 1, UNIVERSE + 1, 0) + levels
    framing = struct.pack(">I64sBHBBH", 0x02, name, PRIORITY, 0, sequence & 255, TERMINATED if ended else 0, universe) + _sized(dmp)
    root = struct.pack(">I16s", 0x04, identity) + _sized(framing)
    return struct.pack(">HH12s", 0x10, 0, b"ASC-E1.17") + _sized(root)


def _sized(layer: bytes) -> bytes:
    """A layer behind its flags and length, which counts these two bytes."""
    return struct.pack(">H", 0x7000 | len(layer) + 2) + layer


def artnet_packet(universe: int, levels: bytes, sequence: int) -> bytes:
    """An ArtDmx packet, 530 bytes. universe from 1 is Art-Net's port address universe - 1; its sequence runs from 1 to 255."""
    port_address = universe - 1
    head = struct.pack("<8sH", b"Art-Net", 0x5000) + struct.pack(">H", 14)
    return head + struct.pack(">BBBBH", sequence % 255 + 1, 0, port_address & 255, port_address >> 8, len(levels)) + levels


@dataclass
class Sender:
    """An open connection to a target; use it in a `with` block, which ends in darkness."""

    target: Target
    universes: tuple[int, ...]
    sequence: int = 0
    _socket: socket.socket = field(init=False)
    _guard: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Sender:
        if self.target.protocol == "artnet" and max(self.universes) > ARTNET_UNIVERSES:
            raise ChoreiaError(f"universe {max(self.universes)}: Art-Net ends at {ARTNET_UNIVERSES}; send sACN or renumber the rig")
        self._socket = _open(self.target)
        try:
            self.send(np.zeros((len(self.universes), UNIVERSE), np.uint8))
            self._guard = _start_guard(self.target, self.universes)
        except BaseException:
            self._socket.close()
            raise
        return self

    def send(self, frame: np.ndarray, ended: bool = False) -> None:
        """Sends a frame (universes, 512) uint8; ChoreiaError when the network does not take it."""
        for universe, levels in zip(self.universes, frame, strict=True):
            address = self.target.address(universe)
            try:
                self._socket.sendto(self.target.packet(universe, levels.tobytes(), self.sequence, ended), address)
            except OSError as error:
                raise ChoreiaError(f"cannot send to {address[0]}: {error.strerror or error}; check the address and the network") from error
        self.sequence += 1

    def __exit__(self, *_: object) -> None:
        dark = np.zeros((len(self.universes), UNIVERSE), np.uint8)
        with contextlib.suppress(ChoreiaError):
            for number in range(2 * TIMES_DARK):
                self.send(dark, ended=number >= TIMES_DARK)
            dmx_guard.dismiss(self._guard)
        self._socket.close()


def _open(target: Target) -> socket.socket:
    """A socket that sends from the interface asked for."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        found.bind((target.interface, 0))
        if target.host == "multicast" and target.interface:
            found.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(target.interface))
        if target.host != "multicast":
            socket.getaddrinfo(target.host, None, socket.AF_INET)
    except socket.gaierror as error:
        found.close()
        raise ChoreiaError(f"no host {target.interface or target.host}: give the IPv4 address of a node or interface") from error
    except OSError as error:
        found.close()
        raise ChoreiaError(f"no network interface has the address {target.interface}: give one of this machine's") from error
    return found


def _start_guard(target: Target, universes: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """A process that sends darkness should this one be gone without a word."""
    # A receiver drops a packet up to 20 numbers behind the last one it saw (E1.31, 6.7.2): in steps of 16, twice round, most are taken.
    packets = [
        (*target.address(universe), target.packet(universe, bytes(UNIVERSE), sequence, ended))
        for ended in (False, True) for sequence in range(0, 512, 16) for universe in universes
    ]  # fmt: skip
    return dmx_guard.start(sys.executable, target.interface, packets)


def check(target: Target) -> None:
    """ChoreiaError when there is no such interface or host."""
    _open(target).close()


def play(dmx: Dmx, target: Target, position_s: live.Clock | None = None, sleep: Callable[[float], None] = time.sleep) -> int:
    """Sends every frame when the clock (a stopwatch from now when None) comes to it, until the last; dark before 0 s.

    Returns how many were sent.

    Raises:
        ChoreiaError: no such interface or host, or the network takes no packet.
    """
    sent = 0
    dark = np.zeros_like(dmx.values[0])
    clock = position_s or live.stopwatch()
    with live.stoppable(), Sender(target, dmx.universes) as sender:
        for now in live.ticks(clock, len(dmx.values) / dmx.fps, dmx.fps, sleep):
            sender.send(dmx.values[int(now * dmx.fps + 1e-6)] if now >= 0 else dark)
            sent += 1
    return sent
