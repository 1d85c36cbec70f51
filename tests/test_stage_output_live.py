"""Live outputs: packets read byte by byte as the standards have them, on sockets of this machine."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.stage.output import dmx, live, osc
from choreia.stage.rig_dmx import Dmx
from choreia.types import ZONES
from test_stage_output_files import show


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(10)
        yield found


def received(found, count):
    return [found.recv(2048) for _ in range(count)]


def ramp(frames=5, universes=(1, 3)):
    """Channel 1 of universe u holds 10 u + frame, channel 512 holds 200."""
    values = np.zeros((frames, len(universes), 512), np.uint8)
    for place, universe in enumerate(universes):
        values[:, place, 0] = 10 * universe + np.arange(frames)
    values[:, :, 511] = 200
    return Dmx(values, universes, 30.0, (), (), {})


def frame_clock(rate_hz, first_s=0.0):
    """A clock that stands in the middle of frame after frame whenever one has slept."""
    now = [first_s + 0.5 / rate_hz]

    def sleep(_):
        now[0] += 1 / rate_hz

    return lambda: now[0], sleep


def read_sacn(packet):
    """(universe, sequence, ended, levels) of an E1.31 data packet, at the offsets of table 4-1 of the standard."""
    assert len(packet) == 638
    assert packet[0:16] == b"\x00\x10\x00\x00ASC-E1.17\x00\x00\x00"
    assert packet[16:18] == struct.pack(">H", 0x7000 + 622) and packet[18:22] == b"\x00\x00\x00\x04"
    assert packet[38:40] == struct.pack(">H", 0x7000 + 600) and packet[40:44] == b"\x00\x00\x00\x02"
    assert packet[44:108] == b"Choreia".ljust(64, b"\x00") and packet[108] == 100 and packet[109:111] == b"\x00\x00"
    assert packet[115:117] == struct.pack(">H", 0x7000 + 523)
    assert packet[117:126] == b"\x02\xa1\x00\x00\x00\x01\x02\x01\x00"
    return packet[113] << 8 | packet[114], packet[111], packet[112] == 0x40, packet[126:]


def read_artnet(packet):
    """(port address, sequence, levels) of an ArtDmx packet, by the field table of Art-Net 4."""
    assert len(packet) == 530 and packet[0:8] == b"Art-Net\x00"
    assert packet[8:10] == b"\x00\x50" and packet[10:12] == b"\x00\x0e" and packet[13] == 0 and packet[16:18] == b"\x02\x00"
    return packet[15] << 8 | packet[14], packet[12], packet[18:]


def test_sacn_sends_every_frame_then_darkness_and_the_end(receiver):
    clock, sleep = frame_clock(30)
    sent = dmx.play(ramp(), dmx.Target("sacn", port=receiver.getsockname()[1]), clock, sleep)
    assert sent == 5
    packets = [read_sacn(packet) for packet in received(receiver, 2 * (1 + 5 + 6))]
    assert [packet[0] for packet in packets] == [1, 3] * 12
    assert [packet[1] for packet in packets[::2]] == list(range(12))
    assert [packet[3][0] for packet in packets[::2]] == [0, 10, 11, 12, 13, 14, 0, 0, 0, 0, 0, 0]
    assert [packet[3][0] for packet in packets[1::2]] == [0, 30, 31, 32, 33, 34, 0, 0, 0, 0, 0, 0]
    assert all(packet[3][511] == 200 for packet in packets[2:12]) and not any(any(packet[3]) for packet in packets[12:])
    assert [packet[2] for packet in packets[::2]] == [False] * 9 + [True] * 3


def test_artnet_counts_universes_from_0_and_sequences_from_1(receiver):
    clock, sleep = frame_clock(30)
    dmx.play(ramp(universes=(1, 300)), dmx.Target("artnet", port=receiver.getsockname()[1]), clock, sleep)
    packets = [read_artnet(packet) for packet in received(receiver, 2 * (1 + 5 + 6))]
    assert [packet[0] for packet in packets] == [0, 299] * 12
    assert [packet[1] for packet in packets[::2]] == list(range(1, 13))
    assert [packet[2][0] for packet in packets[2:12:2]] == [10, 11, 12, 13, 14] and not any(packets[-1][2])
    assert [read_artnet(dmx.artnet_packet(1, bytes(512), number))[1] for number in (0, 254, 255)] == [1, 255, 1]


def test_a_clock_of_ones_own(receiver):
    """Before the start it is dark, a clock that stands repeats its frame, one that jumps is followed."""
    places = iter([-0.2, 0.05, 0.05, 0.15, 0.02, 9.0])
    now = [next(places)]

    def sleep(_):
        now[0] = next(places)

    dmx.play(ramp(universes=(1,)), dmx.Target(port=receiver.getsockname()[1]), lambda: now[0], sleep)
    packets = [read_sacn(packet) for packet in received(receiver, 1 + 5 + 6)]
    assert [packet[3][0] for packet in packets[:6]] == [0, 0, 11, 11, 14, 10]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_dark_after_ctrl_c_and_after_an_error(receiver, error):
    def sleep(_):
        raise error

    with pytest.raises(error):
        dmx.play(ramp(universes=(1,)), dmx.Target(port=receiver.getsockname()[1]), lambda: 0.0, sleep)
    packets = [read_sacn(packet) for packet in received(receiver, 8)]
    assert [packet[3][0] for packet in packets] == [0, 10] + [0] * 6 and packets[-1][2]


PLAYER = """
import sys, numpy as np
from choreia.stage.output import dmx
from choreia.stage.rig_dmx import Dmx
values = np.full((9000, 1, 512), 99, np.uint8)
dmx.play(Dmx(values, (1,), 30.0, (), (), {}), dmx.Target(port=int(sys.argv[1])))
"""


def attentive():
    """To be called in a new process: those that a shell starts in the background ignore Ctrl-C, and their children with them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="signals of other systems differ")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_process_that_is_ended_leaves_the_lamps_dark(receiver, number):
    """Also when it is killed: a receiver that drops packets out of sequence, as E1.31 has it, ends in darkness."""
    command = [sys.executable, "-c", PLAYER, str(receiver.getsockname()[1])]
    player = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=attentive)
    receiver.settimeout(60)
    while not (seen := read_sacn(receiver.recv(2048)))[3][0]:
        pass
    time.sleep(0.3)
    player.send_signal(getattr(signal, number))
    player.wait(30)
    last, taken = seen[1], []
    receiver.settimeout(2)
    with pytest.raises(TimeoutError):
        while True:
            _, sequence, ended, levels = read_sacn(receiver.recv(2048))
            if not -20 < (sequence - last + 128) % 256 - 128 <= 0:
                last = sequence
                taken.append((levels[0], ended))
    assert taken[0] == (99, False) and taken[-1] == (0, True) and (0, False) in taken


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (("sacn", "127.0.0.1", None, "192.0.2.77"), "no network interface has the address 192.0.2.77"),
        (("artnet", "no.such.host.invalid"), "no host no.such.host.invalid"),
        (("dmx512",), "no protocol 'dmx512'"),
        (("artnet", "multicast"), "Art-Net has no multicast"),
    ],
)
def test_one_clear_line_for_a_target_that_is_none(target, words):
    with pytest.raises(ChoreiaError, match=words) as caught:
        dmx.play(ramp(), dmx.Target(*target))
    assert "\n" not in str(caught.value)


def test_artnet_ends_before_sacn_does():
    with pytest.raises(ChoreiaError, match="Art-Net ends at 32768"):
        dmx.play(ramp(universes=(40000,)), dmx.Target("artnet"))


def test_multicast_has_an_address_a_universe():
    """E1.31, table 9-10: 239.255 and the two bytes of the universe."""
    assert dmx.Target(host="multicast").address(0x1234) == ("239.255.18.52", 5568)
    assert dmx.Target("artnet").address(7) == ("127.0.0.1", 6454)


def test_a_stopwatch_starts_where_it_is_told():
    first = live.stopwatch(5.0)
    assert 5.0 <= first() <= first() < 6.0


def test_osc_messages_of_the_specification():
    """The two examples of the OSC 1.0 specification, byte by byte."""
    frequency = osc.message("/oscillator/4/frequency", 440.0)
    assert frequency == bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000")
    foo = osc.message("/foo", 1000, -1, "hello", 1.234, 5.678)
    assert foo == bytes.fromhex("2f666f6f00000000 2c69697366660000 000003e8 ffffffff 68656c6c6f000000 3f9df3b6 40b5b22d".replace(" ", ""))


def read_string(data, start):
    end = data.index(b"\0", start)
    return data[start:end].decode(), (end // 4 + 1) * 4


def read_message(data):
    address, start = read_string(data, 0)
    tags, start = read_string(data, start)
    values = []
    for tag in tags[1:]:
        if tag == "s":
            value, start = read_string(data, start)
        else:
            (value,), start = struct.unpack_from(">" + tag, data, start), start + 4
        values.append(value)
    assert start == len(data)
    return address, values


def read_bundle(data):
    assert data[:16] == b"#bundle\0" + bytes(7) + b"\x01"
    found, start = {}, 16
    while start < len(data):
        (size,) = struct.unpack_from(">i", data, start)
        address, values = read_message(data[start + 4 : start + 4 + size])
        found[address], start = values, start + 4 + size
    return found


def test_cues_come_as_bundles_when_the_clock_reaches_them(receiver):
    clock, sleep = frame_clock(osc.RATE_HZ)
    assert osc.play(show(), "127.0.0.1", receiver.getsockname()[1], clock, sleep) == 3
    start, first, second, third, dark, end = received(receiver, 6)
    assert start == dark and all(read_bundle(dark)[f"/choreia/zone/{zone}"] == [0, 0, 0, 0] for zone in ZONES)
    assert read_bundle(first)["/choreia/cue"] == pytest.approx([1, 0.5, 1.0, 1.0, "warm_wash", "warm wash"])
    assert read_bundle(second)["/choreia/zone/spot"] == pytest.approx([0.8, 1, 1, 1], abs=1e-4)
    assert read_bundle(second)["/choreia/strobe"] == [2.5] and len(read_bundle(third)) == 1 + 12 + 1
    assert read_message(end) == ("/choreia/end", [])


def test_osc_follows_a_jump_and_says_the_end_after_an_error(receiver):
    now, places = [0.0], [3.5, 0.6]

    def sleep(_):
        now[0] = places.pop(0)

    with pytest.raises(IndexError):
        osc.play(show(), "127.0.0.1", receiver.getsockname()[1], lambda: now[0], sleep)
    packets = received(receiver, 5)
    assert [read_bundle(packet).get("/choreia/cue", [0])[0] for packet in packets[:4]] == [0, 3, 1, 0]
    assert read_message(packets[4])[0] == "/choreia/end"
