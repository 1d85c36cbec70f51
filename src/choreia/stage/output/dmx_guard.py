"""A process of its own that sends darkness when the sender is gone without having dismissed it. It imports nothing but sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence

DISMISSED = "dismissed"


def start(python: str, interface: str, packets: Sequence[tuple[str, int, bytes]]) -> subprocess.Popen[bytes]:
    """Starts a guard that would send `packets` (host, port, bytes) from `interface`; it outlives Ctrl-C and the caller."""
    guard = subprocess.Popen([python, "-I", "-S", __file__, interface], stdin=subprocess.PIPE, start_new_session=True)
    assert guard.stdin is not None
    guard.stdin.write("".join(f"{host} {port} {packet.hex()}\n" for host, port, packet in packets).encode())
    guard.stdin.flush()
    return guard


def dismiss(guard: subprocess.Popen[bytes]) -> None:
    """Ends a guard that is not needed any more; one that has died is no trouble."""
    try:
        guard.communicate(f"{DISMISSED}\n".encode(), timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        guard.kill()
        guard.wait()


def stand(interface: str) -> None:
    """Reads packets line by line until the sender hangs up, and sends them unless dismissed."""
    lines = sys.stdin.read().splitlines()
    if DISMISSED in lines[-1:]:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        found.bind((interface, 0))
        for line in lines:
            host, port, packet = line.split()
            found.sendto(bytes.fromhex(packet), (host, int(port)))


if __name__ == "__main__":
    stand(sys.argv[1])
