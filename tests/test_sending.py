"""Live sending: clocks that follow others, a song that is heard, and darkness whatever ends the show. Packets by hand throughout."""

import itertools
import os
import signal
import socket
import struct
import subprocess
import sys
import types
from contextlib import contextmanager
from pathlib import Path

import mido
import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.music import files
from choreia.pipelines import sending
from choreia.pipelines.sending import Sending, send
from choreia.stage.output import dmx, follow, midi, osc
from choreia.types import Audio
from test_stage_output_files import show
from test_stage_output_live import attentive, frame_clock, read_bundle, read_message, read_sacn, received


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(20)
        yield found


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Four seconds of a tone."""
    path = tmp_path_factory.mktemp("song") / "tone.wav"
    files.write(path, Audio(0.1 * np.sin(np.arange(4 * 8000) / 3, dtype=np.float32)[None], 8000))
    return path


# -------------------------------------------------------------------------------------------------------------- told clocks


def follower(*events):
    """Positions of a follower at machine times: a pair (machine time, told) tells, a number asks."""
    now, found = [0.0], []
    clock = follow.Follower(lambda: now[0])
    for event in events:
        now[0], told = event if isinstance(event, tuple) else (event, None)
        if told is None:
            found.append(clock())
        else:
            clock.tell(told)
    return found


def test_a_follower_by_hand():
    assert follower(5.0) == [-1.0]
    assert follower((0, 10.0), 0.1) == [10.0]  # one time alone may be a song that stands
    assert follower((0, 10.0), (0.1, 10.1), 0.15, 0.2) == pytest.approx([10.15, 10.2])
    assert follower((0, 10.0), (0.1, 10.1), 9.0, 99.0) == pytest.approx([10.1 + follow.GRACE_S] * 2)  # nobody tells any more: it stands
    assert follower((0, 10.0), (0.1, 10.1), (0.2, 10.1), 0.25) == pytest.approx([10.1])  # paused
    assert follower((0, 10.0), (0.1, 10.1), 0.14, (0.15, 10.12), 0.15) == pytest.approx([10.14, 10.14])  # a late packet
    assert follower((0, 10.0), (0.1, 10.1), 0.14, (0.15, 3.0), 0.15) == pytest.approx([10.14, 3.0])  # a jump back
    assert follower((0, 10.0), (0.1, float("nan")), (0.1, float("inf")), 0.1) == [10.0]


TOLD = b"/choreia/time\0\0\0"


@pytest.mark.parametrize(
    ("packet", "times"),
    [
        (TOLD + b",f\0\0" + struct.pack(">f", 2.5), [2.5]),
        (TOLD + b",d\0\0" + struct.pack(">d", 61.04), [61.04]),
        (TOLD + b",i\0\0" + struct.pack(">i", 3), [3.0]),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", 24) + TOLD + b",f\0\0" + struct.pack(">f", 1.5), [1.5]),
        (TOLD + b",s\0\0" + b"one\0", []),
        (TOLD + b",f\0\0", []),
        (b"/choreia/timer\0\0,f\0\0" + bytes(4), []),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", -4), []),
        (b"#bundle\0" * 400, []),
        (b"", []),
    ],
)
def test_times_in_packets_by_the_osc_specification(packet, times):
    assert list(follow.times_in(packet)) == times


def test_random_packets_tell_nothing_and_break_nothing():
    rng = np.random.default_rng(0)
    for head in (b"", TOLD, b"#bundle\0"):
        for _ in range(300):
            assert all(isinstance(one, float) for one in follow.times_in(head + rng.bytes(int(rng.integers(60)))))


def test_time_code_by_hand():
    """01:02:03:04 at 25 is 3723.16 s; one hour of drop frame is 107892 frames of 1001 / 30000 s."""
    reader = follow.Mtc()
    full = mido.Message("sysex", data=(0x7F, 0x7F, 1, 1, 1 << 5 | 1, 2, 3, 4))
    assert reader.read(full) == pytest.approx(3723.16)
    assert follow.code_s(2 << 5 | 1, 0, 0, 0) == pytest.approx(107892 * 1001 / 30000)
    assert follow.code_s(2 << 5, 1, 0, 2) == pytest.approx(1800 * 1001 / 30000)  # 00:01:00;02 comes after 00:00:59;29
    pieces = [4, 0, 3, 0, 2, 0, 1, 2]  # the same time in nibbles, low first; rate 25 is 01 in bits 5 and 6
    messages = [mido.Message("quarter_frame", frame_type=number, frame_value=value) for number, value in enumerate(pieces)]
    assert [reader.read(one) for one in messages] == [None] * 7 + [pytest.approx(3723.16 + 2 / 25)]
    assert [reader.read(one) for one in messages[3:] + messages] == [None] * 12 + [pytest.approx(3723.24)]  # begun half-way
    assert [reader.read(one) for one in messages[:3] + messages[4:]] == [None] * 7  # one lost
    assert reader.read(mido.Message("note_on")) is None and reader.read(mido.Message("sysex", data=(1, 2, 3))) is None


def test_a_reader_hears_what_our_sender_says():
    """Running code read two frames late or less, by a clock that ticks a millisecond at a time."""
    now, reader, apart = [0.0], follow.Mtc(), []

    class Port:
        def send(self, message):
            if (time_s := reader.read(message)) is not None:
                apart.append(time_s - now[0])

    def clock():
        now[0] += 0.001
        return now[0]

    midi.play(Port(), 2.0, clock, 30, sleep=lambda _: None)
    assert len(apart) > 20 and np.abs(apart).max() <= 1 / 30


def test_midi_ports_that_are_not_there(monkeypatch):
    def none():
        raise ImportError("No module named 'rtmidi'")

    monkeypatch.setattr(mido, "get_input_names", none)
    with pytest.raises(ChoreiaError, match="pip install python-rtmidi"):
        sending.check(Sending("sacn", clock="mtc"))
    monkeypatch.setattr(mido, "get_input_names", lambda: ["Desk"])
    with pytest.raises(ChoreiaError, match="no MIDI input 'Other': there are Desk"):
        sending.check(Sending("sacn", clock="mtc:Other"))


def test_a_midi_clock_moves_the_show(monkeypatch, receiver, song):
    """A port whose messages put the song at 1 s, then at its end; the code begins at an hour, as on most desks."""
    codes = iter([[], [(1, 0, 1, 0)], [(1, 0, 1, 0)], [(1, 0, 9, 0)]])

    class Port:
        def iter_pending(self):
            return [mido.Message("sysex", data=(0x7F, 0x7F, 1, 1, 3 << 5 | code[0], *code[1:])) for code in next(codes, [(1, 0, 9, 0)])]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(mido, "get_input_names", lambda: ["Desk"])
    monkeypatch.setattr(mido, "open_input", lambda name: Port())
    played = show()
    send(played, Sending("sacn", f"127.0.0.1:{receiver.getsockname()[1]}", clock="mtc:Desk", offset_s=3600), song, tell=lambda _: None)
    first, *packets = (read_sacn(packet)[3] for packet in received(receiver, 3))
    assert not any(first) and not any(packets[0]) and packets[1] == played.dmx.values[30, 0].tobytes()


# ---------------------------------------------------------------------------------------------------------------- the song


class Card:
    """A sound card with a clock of its own, which stands in for sounddevice."""

    time = 100.0

    def __init__(self, rate, channels, dtype, callback):
        self.rate, self.channels, self.callback, self.heard = rate, channels, callback, []

    def play(self, frames, dac_s):
        block = np.full((frames, self.channels), 9, np.float32)
        self.callback(block, frames, types.SimpleNamespace(outputBufferDacTime=dac_s), None)
        self.heard.append(block)

    def __enter__(self):
        self.play(400, 100.5)
        return self

    def __exit__(self, *_):
        pass


def test_the_show_is_where_the_song_is_heard(monkeypatch):
    """Samples 0 to 399 sound from 100.5 s of the card on, the next from 100.6: half a second of latency is no error."""
    cards = []

    def opened(*given, **named):
        cards.append(Card(*given, **named))
        return cards[0]

    monkeypatch.setitem(sys.modules, "sounddevice", types.SimpleNamespace(OutputStream=opened))
    audio = Audio(np.arange(1000, dtype=np.float32)[None] / 1000, 4000)
    with sending._song(audio, print) as clock:
        (card,) = cards
        assert clock() == pytest.approx(-0.5)
        card.time = 100.55
        assert clock() == pytest.approx(0.05)
        card.play(800, 100.6)
        card.time = 100.65
        assert clock() == pytest.approx(0.15)
    heard = np.concatenate(card.heard)[:, 0]
    assert (heard[:1000] == audio.samples[0]).all() and not heard[1000:].any()


@pytest.mark.parametrize("fault", [ImportError("No module named 'sounddevice'"), RuntimeError("Error querying device -1")])
def test_a_show_without_a_sound_card_says_so_and_goes_on(monkeypatch, fault):
    def broken(*_, **__):
        raise fault

    monkeypatch.setitem(sys.modules, "sounddevice", None if isinstance(fault, ImportError) else types.SimpleNamespace(OutputStream=broken))
    said = []
    with sending._song(Audio(np.zeros((1, 100), np.float32), 100), said.append) as clock:
        assert 0 <= clock() <= clock()
    (line,) = said
    assert "clock of this machine" in line and ("pip install sounddevice" in line or "device -1" in line)


# ---------------------------------------------------------------------------------------------------------------- the end


@contextmanager
def failing(error, after):
    """A clock that fails at its nth asking, having stood at 1 s."""
    count = itertools.count()

    def clock():
        if next(count) >= after:
            raise error
        return 1.0

    yield clock


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError(), ChoreiaError("x")])
def test_dark_after_a_crash_of_the_clock(monkeypatch, receiver, song, error):
    monkeypatch.setattr(sending, "_outside", lambda _: failing(error, 4))
    with pytest.raises(type(error)):
        send(show(), Sending("sacn", f"127.0.0.1:{receiver.getsockname()[1]}", clock="wall"), song, tell=lambda _: None)
    packets = [read_sacn(packet) for packet in received(receiver, 3 + 6)]
    assert any(packets[1][3]) and not any(any(packet[3]) for packet in packets[-6:]) and packets[-1][2]
    assert [packet[1] for packet in packets] == list(range(9))


def light_process(song, *arguments):
    command = [sys.executable, "-m", "choreia", "light", str(song), "--formats", "none", *arguments]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=Path(__file__).parent, preexec_fn=attentive
    )


@pytest.mark.skipif(os.name != "posix", reason="signals of other systems differ")
def test_ctrl_c_at_the_command_line_leaves_the_lamps_dark(receiver, song):
    """The light of the real command, on a clock that is told one place and then stands for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    player = light_process(song, "--send", "sacn", "--to", f"127.0.0.1:{receiver.getsockname()[1]}", "--clock", f"osc:{port}")
    receiver.settimeout(200)
    levels = b""
    while not any(levels):
        levels = read_sacn(receiver.recv(2048))[3]
        receiver.sendto(TOLD + b",f\0\0" + struct.pack(">f", 2.0), ("127.0.0.1", port))
    player.send_signal(signal.SIGINT)
    _, said = player.communicate(timeout=60)
    assert player.returncode == 130 and "Traceback" not in said
    receiver.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            _, _, ended, levels = read_sacn(receiver.recv(2048))
    assert ended and not any(levels)


OSC_PLAYER = """
import sys
from choreia.stage.output import osc
from test_stage_output_files import show
osc.play(show(), "127.0.0.1", int(sys.argv[1]), lambda: 1.0)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of other systems differ")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL"])
def test_osc_ends_dark_when_its_process_does(receiver, number):
    player = subprocess.Popen([sys.executable, "-c", OSC_PLAYER, str(receiver.getsockname()[1])], cwd=Path(__file__).parent)
    receiver.settimeout(200)
    while "/choreia/cue" not in read_bundle(receiver.recv(4096)):
        pass
    player.send_signal(getattr(signal, number))
    player.wait(30)
    dark, end = received(receiver, 2)
    assert all(levels == [0, 0, 0, 0] for address, levels in read_bundle(dark).items() if "/zone/" in address)
    assert read_message(end) == ("/choreia/end", [])


def test_osc_over_the_same_road(receiver, song):
    """Three cues of the show by a clock that runs through it."""
    clock, sleep = frame_clock(osc.RATE_HZ)
    assert osc.play(show(), "127.0.0.1", receiver.getsockname()[1], clock, sleep) == 3
    target = Sending("osc", f"127.0.0.1:{receiver.getsockname()[1]}")
    assert target.target is None and target.address == ("127.0.0.1", receiver.getsockname()[1])


def test_addresses_as_people_write_them():
    assert Sending("artnet", "10.0.0.7").target == dmx.Target("artnet", "10.0.0.7")
    assert Sending("sacn", "10.0.0.7:99", "10.0.0.1").target == dmx.Target("sacn", "10.0.0.7", 99, "10.0.0.1")
    assert Sending("sacn", clock="osc").osc_address == ("127.0.0.1", 7701)
    assert Sending("sacn", clock="osc:88").osc_address == ("127.0.0.1", 88)
    assert Sending("sacn", clock="osc:0.0.0.0:88").osc_address == ("0.0.0.0", 88)
    for wrong in ("", "a:b:c", "host:99999", "-x y"):
        with pytest.raises(ChoreiaError, match="is no address"):
            Sending("sacn", wrong)
