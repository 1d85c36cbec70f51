"""MIDI rendering against mido's own clock, pretty_midi's beats, and junk."""

import io
import os
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from choreia.errors import ChoreiaError
from choreia.synth import midi

RATE = 22050
DATA = os.environ.get("CHOREIA_DATA", "")
TEMPI = ((0, 600_000), (960, 400_000), (1920 + 240, 750_000))


def midi_bytes(signatures=((0, 4, 4),), tempi=TEMPI, notes=16, spacing=240, channel=9, key=36, ticks=480) -> bytes:
    """A one-track file: a note every `spacing` ticks under changing tempi and signatures."""
    events = [(t, 0, mido.MetaMessage("set_tempo", tempo=us)) for t, us in tempi]
    events += [(t, 0, mido.MetaMessage("time_signature", numerator=n, denominator=d)) for t, n, d in signatures]
    for k in range(notes):
        events.append((k * spacing, 2, mido.Message("note_on", channel=channel, note=key, velocity=100)))
        events.append((k * spacing + spacing // 2, 1, mido.Message("note_off", channel=channel, note=key)))
    track, last = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - last))
        last = tick
    file = mido.MidiFile(ticks_per_beat=ticks)
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def onsets_by_mido(data: bytes) -> np.ndarray:
    """Note-on times by mido's playback iterator, an independent tempo clock."""
    now, times = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(data)):
        now += message.time
        if message.type == "note_on" and message.velocity:
            times.append(now)
    return np.array(times)


def test_sound_starts_where_mido_plays_through_tempo_changes():
    data = midi_bytes(spacing=480, notes=10)
    audio = midi.render(data).audio
    power = audio.mono() ** 2
    for time_s in onsets_by_mido(data):
        at = round(time_s * RATE)
        before, after = power[max(0, at - 60) : at].sum(), power[at : at + 60].sum()
        assert after > 20 * before


@pytest.mark.parametrize("signatures", [((0, 4, 4),), ((0, 3, 4), (1440, 4, 4)), ((0, 6, 8),), ((0, 5, 4),), ((0, 7, 8), (1680, 2, 4))])
def test_beats_agree_with_pretty_midi(signatures):
    data = midi_bytes(signatures, notes=20)
    ours = midi.render(data, seconds=20.0)
    oracle = pretty_midi.PrettyMIDI(io.BytesIO(data))
    beats, downbeats = oracle.get_beats(), oracle.get_downbeats()
    assert np.allclose(ours.beats_s[: len(beats)], beats, atol=1e-6)
    assert np.allclose(ours.downbeats_s[: len(downbeats)], downbeats, atol=1e-6)


def test_beats_by_hand():
    data = midi_bytes(tempi=((0, 500_000), (960, 1_000_000)), notes=4, spacing=480)
    assert np.allclose(midi.render(data).beats_s, [0, 0.5, 1.0, 2.0])


def test_a_window_shifts_sound_and_beats_together():
    data = midi_bytes(tempi=((0, 500_000),), notes=32, spacing=480)
    part = midi.render(data, seconds=4.0, start_s=3.25)
    assert part.audio.samples.shape == (2, 4 * RATE)
    assert np.allclose(part.beats_s, 0.25 + 0.5 * np.arange(8))
    assert np.allclose(part.downbeats_s, [0.75, 2.75])


def test_a_pitched_note_has_its_pitch():
    data = midi_bytes(tempi=((0, 500_000),), notes=1, spacing=3840, channel=0, key=69)
    wave = midi.render(data, seconds=1.5).audio.mono()
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 8 * len(wave)))
    peak_hz = np.fft.rfftfreq(8 * len(wave), 1 / RATE)[spectrum.argmax()]
    ratio = peak_hz / 440
    assert abs(12 * np.log2(ratio / round(max(1, ratio)))) < 0.15


def test_levels_and_determinism_and_variety():
    data = midi_bytes()
    one, same, other = midi.render(data, seed=1), midi.render(data, seed=1), midi.render(data, seed=2)
    assert np.array_equal(one.audio.samples, same.audio.samples)
    assert not np.array_equal(one.audio.samples, other.audio.samples)
    assert 0.3 < np.abs(one.audio.samples).max() < 1.0
    assert one.audio.samples.dtype == np.float32


def test_every_program_and_drum_key_sounds():
    names = set(midi.PROGRAMS.values()) | {name for family in midi.FAMILIES.values() for name in family}
    assert names <= set(midi.presets.VOICES)
    assert set(midi.DRUM_KEYS.values()) <= set(midi.drums.SOUNDS)
    assert sorted(midi.FAMILIES) == list(range(16))


@pytest.mark.parametrize(
    "junk", [b"", b"MThd", b"not a midi file at all", b"\x00" * 400, b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x01\xe0MTrk\xff\xff\xff\xff"]
)
def test_junk_is_refused_in_one_line(junk):
    with pytest.raises(ChoreiaError) as error:
        midi.render(junk)
    assert "\n" not in str(error.value)


def test_missing_empty_silent_and_endless_files_are_refused(tmp_path):
    empty = tmp_path / "empty.mid"
    empty.write_bytes(b"")
    endless = midi_bytes(tempi=((0, 16_000_000),), notes=2, spacing=1_000_000)
    for source in (tmp_path / "none.mid", tmp_path, empty, midi_bytes(notes=0), endless):
        with pytest.raises(ChoreiaError):
            midi.render(source)
    assert midi.render(endless, seconds=1.0).audio.duration_s == 1.0


def test_damaged_files_render_or_are_refused_quickly():
    data, rng = bytearray(midi_bytes(channel=0)), np.random.default_rng(0)
    for _ in range(40):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            broken[at] = rng.integers(256)
        try:
            midi.render(bytes(broken), seconds=2.0)
        except ChoreiaError:
            continue


@pytest.mark.skipif(not DATA, reason="needs CHOREIA_DATA")
def test_a_groove_performance_keeps_its_click():
    path = next(Path(DATA).rglob("1_funk-groove1_138_beat_4-4.mid"))
    rendered = midi.render(path)
    assert np.allclose(np.diff(rendered.beats_s), 60 / 138, atol=1e-4)
