"""Sound files: what is written is read, and every fault is one line."""

import warnings

import av
import numpy as np
import pytest
import soundfile

from choreia.errors import ChoreiaError
from choreia.music import files
from choreia.types import Audio

RATE = 22050


def tone(seconds=3.0, channels=2, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return Audio(np.stack([0.5 * np.sin(2 * np.pi * 220 * (c + 1) * t) for c in range(channels)]).astype(np.float32), rate)


def encode(path, audio, codec, picture=False):
    """Write a sound track with ffmpeg, behind a small picture when asked."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25) if picture else None
        track = container.add_stream(codec, rate=audio.rate, layout="stereo")
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            for _ in range(10):
                container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
            container.mux(video.encode())
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples), format="fltp", layout="stereo")
        frame.rate = audio.rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (piece := fifo.read(1024, partial=True)) is not None:
            container.mux(track.encode(piece))
        container.mux(track.encode())


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_what_is_written_is_read(tmp_path, suffix):
    files.write(tmp_path / f"a.{suffix}", tone())
    back = files.read(tmp_path / f"a.{suffix}")
    assert back.rate == RATE
    assert np.abs(back.samples - tone().samples).max() < 1 / 32000
    assert [p.name for p in tmp_path.iterdir()] == [f"a.{suffix}"]


COMPRESSED = [("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS"), ("mp3", "MP3", "MPEG_LAYER_III")]
TRACKS = [("m4a", "aac", False), ("mp4", "aac", True), ("mov", "aac", True), ("webm", "libopus", False)]


@pytest.mark.parametrize(("suffix", "kind", "subtype"), COMPRESSED)
def test_reads_compressed_sound(tmp_path, suffix, kind, subtype):
    song = tone(rate=48000)
    soundfile.write(tmp_path / f"a.{suffix}", song.samples.T, song.rate, format=kind, subtype=subtype)
    assert_sounds_like(files.read(tmp_path / f"a.{suffix}"), song)


@pytest.mark.parametrize(("suffix", "codec", "picture"), TRACKS)
def test_reads_sound_tracks(tmp_path, suffix, codec, picture):
    song = tone(rate=48000)
    encode(tmp_path / f"a.{suffix}", song, codec, picture)
    assert_sounds_like(files.read(tmp_path / f"a.{suffix}"), song)


def assert_sounds_like(back, song):
    assert back.samples.shape[0] == 2
    assert abs(back.duration_s - song.duration_s) < 0.06
    middle = slice(back.rate, 2 * back.rate)
    for channel in range(2):
        peak = np.abs(np.fft.rfft(back.samples[channel, middle])).argmax()
        assert abs(peak - 220 * (channel + 1)) <= 1


@pytest.mark.parametrize("channels", range(1, 9))
def test_any_number_of_channels(tmp_path, channels):
    files.write(tmp_path / "a.wav", tone(0.5, channels))
    assert files.read(tmp_path / "a.wav").samples.shape == (channels, RATE // 2)


@pytest.mark.parametrize("rate", [1, 8000, 11025, 44100, 96000, 192000])
def test_any_rate_streams_at_the_asked_rate(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", np.zeros((max(4, rate // 2), 1)), rate)
    n = sum(len(block) for block in files.stream(tmp_path / "a.wav", 16000))
    assert abs(n / 16000 - max(4, rate // 2) / rate) < 0.01 * max(4, rate // 2) / rate + 0.001


def test_a_stretch_is_that_stretch(tmp_path):
    files.write(tmp_path / "a.wav", tone(25.0))
    whole, part = files.read(tmp_path / "a.wav"), files.read(tmp_path / "a.wav", 9.5, 3.0)
    assert np.array_equal(part.samples, whole.samples[:, round(9.5 * RATE) : round(12.5 * RATE)])


def test_blocks_do_not_change_the_stream(tmp_path):
    files.write(tmp_path / "a.wav", tone(5.0))
    long, short = (np.concatenate(list(files.stream(tmp_path / "a.wav", 16000, block_s))) for block_s in (10.0, 0.1))
    assert np.abs(long - short).max() < 1e-5
    memory = np.concatenate(list(files.stream_audio(files.read(tmp_path / "a.wav"), 16000)))
    assert np.array_equal(memory, long)


def spoil(folder, name):
    """Make the bad input called `name`; returns its path."""
    path = folder / name
    sound = tone(10.0, rate=44100).samples.T.copy()
    if name == "text.mp3":
        path.write_text("this is a text\n" * 300)
    elif name == "junk.mp3":
        path.write_bytes(np.random.default_rng(0).bytes(50_000))
    elif name == "none.wav":
        soundfile.write(path, np.zeros((0, 2)), 44100)
    elif name == "nan.wav":
        sound[22050] = np.nan
        soundfile.write(path, sound, 44100, subtype="FLOAT")
    elif name == "stub.mp3":
        soundfile.write(path, sound, 44100)
        path.write_bytes(path.read_bytes()[:200])
    elif name == "silent.mp4":
        encode_picture(path)
    elif name == "folder.wav":
        path.mkdir()
    elif name == "empty.wav":
        path.touch()
    return path


def encode_picture(path):
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(video.encode())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.wav", "no file"),
        ("folder.wav", "directory"),
        ("empty.wav", "empty"),
        ("text.mp3", "not a sound file"),
        ("junk.mp3", "not a sound file"),
        ("stub.mp3", "not a sound file"),
        ("none.wav", "no sound"),
        ("nan.wav", "near 0.50 s"),
        ("silent.mp4", "no sound track"),
    ],
)
def test_a_fault_is_one_line_that_names_the_file(tmp_path, name, says, capfd):
    path = spoil(tmp_path, name)
    with pytest.raises(ChoreiaError) as fault:
        files.read(path)
    assert says in str(fault.value)
    assert name in str(fault.value)
    assert "\n" not in str(fault.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("start_s", "seconds", "says"),
    [(-1, None, "0 s or later"), (float("nan"), None, "0 s or later"), (99, None, "beyond the end"), (0, 0, "more than 0")],
)
def test_a_stretch_that_is_not_there(tmp_path, start_s, seconds, says):
    files.write(tmp_path / "a.wav", tone())
    with pytest.raises(ChoreiaError, match=says):
        files.read(tmp_path / "a.wav", start_s, seconds)


def test_a_cut_mp3_is_read_as_far_as_it_goes(tmp_path):
    song = tone(10.0, rate=44100)
    soundfile.write(tmp_path / "a.mp3", song.samples.T, song.rate)
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"cut short: [45]\.\d s of 10\.\d s"):
        assert 4 < files.read(tmp_path / "a.mp3").duration_s < 6


def test_a_whole_mp3_brings_no_warning(tmp_path):
    soundfile.write(tmp_path / "a.mp3", tone(5.0, rate=44100).samples.T, 44100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files.read(tmp_path / "a.mp3")


@pytest.mark.parametrize("name", ["a.mp3", "missing/a.wav"])
def test_what_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(ChoreiaError, match="cannot write"):
        files.write(tmp_path / name, tone(0.1))
    assert list(tmp_path.iterdir()) == []
