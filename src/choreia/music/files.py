"""Sound files in and out.

libsndfile decodes wav, flac, ogg, opus and aiff; ffmpeg (through PyAV) mp3 and whatever else, such as m4a and the sound tracks of mp4,
mov and webm. The content decides, not the suffix. Every fault of a file becomes one line; damage inside is skipped with a warning.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.types import Audio

BLOCK_S = 10.0
SNDFILE_MARKS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"caff")


def read(path: str | Path, start_s: float = 0.0, seconds: float | None = None) -> Audio:
    """All channels of a file at its own rate, from `start_s`, at most `seconds` long.

    Raises:
        ChoreiaError: the file is missing, empty, not sound, damaged from its start, holds NaN, or ends before `start_s`; or
            memory is too small for it.
    """
    blocks: list[tuple[np.ndarray, int]] = []
    for piece in _blocks(Path(path), start_s, seconds, BLOCK_S):
        blocks.append(piece)
        _require_memory(path, sum(block.nbytes for block, _ in blocks))
    return Audio(np.concatenate([block for block, _ in blocks], axis=1), blocks[0][1])


def stream(
    path: str | Path, rate: int, block_s: float = BLOCK_S, start_s: float = 0.0, seconds: float | None = None
) -> Iterator[np.ndarray]:
    """Mono blocks, (n,) float32, of about `block_s` seconds, resampled to `rate` Hz; memory stays bounded. Errors as in `read`."""
    mono: Iterator[tuple[np.ndarray, int]] = ((_mono(block), source) for block, source in _blocks(Path(path), start_s, seconds, block_s))
    return _resample(mono, rate)


def stream_channels(path: str | Path, start_s: float = 0.0, seconds: float | None = None) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of all channels, (channels, n) float32, each with the file's own rate; memory stays bounded. Errors as in `read`."""
    return _blocks(Path(path), start_s, seconds, BLOCK_S)


def stream_audio(audio: Audio, rate: int, block_s: float = BLOCK_S) -> Iterator[np.ndarray]:
    """What `stream` yields, for sound that is in memory."""
    _require_sound(audio.samples, audio.rate, 0.0, "this audio")
    if audio.samples.shape[1] == 0:
        raise ChoreiaError("this audio holds no sound (0 samples)")
    step = max(1, round(block_s * audio.rate))
    blocks = (audio.samples[:, at : at + step] for at in range(0, audio.samples.shape[1], step))
    return _resample(((_mono(block), audio.rate) for block in blocks), rate)


def write(path: str | Path, audio: Audio) -> None:
    """Write .wav (16-bit PCM) or .flac; the file appears under its name only when it is whole.

    Raises:
        ChoreiaError: another suffix, or a place that cannot be written to.
    """
    path = Path(path)
    formats = {".wav": "WAV", ".flac": "FLAC"}
    if path.suffix.lower() not in formats:
        raise ChoreiaError(f"cannot write {path}: use a name that ends in .wav or .flac")
    with atomic_path(path) as part:
        soundfile.write(part, np.clip(audio.samples.T, -1, 1), audio.rate, format=formats[path.suffix.lower()], subtype="PCM_16")


def _mono(block: np.ndarray) -> np.ndarray:
    """Mean over channels of (channels, n) samples; channel by channel, as a mean along the short axis is eight times slower."""
    return sum(block[1:], block[0]) * np.float32(1 / len(block))


def _resample(blocks: Iterator[tuple[np.ndarray, int]], rate: int) -> Iterator[np.ndarray]:
    """Resample consecutive mono blocks as one signal."""
    resampler = None
    for block, source in blocks:
        if resampler is None:
            resampler = soxr.ResampleStream(source, rate, 1, dtype="float32", quality="MQ")
        yield resampler.resample_chunk(block)
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _blocks(path: Path, start_s: float, seconds: float | None, block_s: float) -> Iterator[tuple[np.ndarray, int]]:
    """Checked (channels, n) blocks with their rate, of the asked stretch; at least one block, or ChoreiaError."""
    _require_file(path)
    if not start_s >= 0:
        raise ChoreiaError(f"the start must be 0 s or later, not {start_s:g} s")
    if seconds is not None and not seconds > 0:
        raise ChoreiaError(f"the length must be more than 0 s, not {seconds:g} s")
    heard, at_s = 0, 0.0
    for block, rate in _decode(path, block_s):
        first = max(0, round(start_s * rate) - heard)
        stop = block.shape[1] if seconds is None else min(block.shape[1], round((start_s + seconds) * rate) - heard)
        heard += block.shape[1]
        at_s = heard / rate
        if first < stop:
            _require_sound(block[:, first:stop], rate, start_s, str(path))
            yield block[:, first:stop], rate
        if stop < block.shape[1]:
            return
    if heard == 0:
        raise ChoreiaError(f"{path} holds no sound (0 samples)")
    if round(start_s * rate) >= heard:
        raise ChoreiaError(f"the start, {start_s:g} s, lies beyond the end of {path} ({at_s:.1f} s)")


def _require_file(path: Path) -> None:
    """Refuse what is not a readable, filled file."""
    if path.is_dir():
        raise ChoreiaError(f"{path} is a directory: give a sound file")
    if not path.exists():
        raise ChoreiaError(f"there is no file {path}")
    if not os.access(path, os.R_OK):
        raise ChoreiaError(f"{path} cannot be read: no permission")
    if path.stat().st_size == 0:
        raise ChoreiaError(f"{path} is empty (0 bytes)")


def _require_sound(samples: np.ndarray, rate: int, start_s: float, name: str) -> None:
    """Refuse NaN and infinite samples."""
    good = np.isfinite(samples).all(axis=0)
    if not good.all():
        at_s = start_s + int(np.argmin(good)) / rate
        raise ChoreiaError(f"{name} has samples that are not numbers (near {at_s:.2f} s): export it again")


def _require_memory(path: str | Path, held_bytes: int) -> None:
    """Refuse to fill the machine: a copy of what is held must still fit when the blocks are joined."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return
    free_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if held_bytes * 1.2 > free_bytes:
        raise ChoreiaError(f"{path} does not fit in memory: take a part of it with a start and a length")


def _decode(path: Path, block_s: float) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of a whole file by the decoder that knows it by its first bytes, or by ffmpeg."""
    with path.open("rb") as file:
        known = file.read(4) in SNDFILE_MARKS
    try:
        return _decode_sndfile(soundfile.SoundFile(path), path, block_s) if known else _decode_ffmpeg(path, block_s)
    except soundfile.LibsndfileError:
        return _decode_ffmpeg(path, block_s)


def _decode_sndfile(sound: soundfile.SoundFile, path: Path, block_s: float) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks by libsndfile; a file that breaks off is read as far as it is whole, with a warning."""
    heard = 0
    with sound:
        size = max(1, round(block_s * sound.samplerate))
        while len(block := _next_block(sound, size)):
            heard += len(block)
            yield block.T, sound.samplerate
        _report_missing(path, heard / sound.samplerate, sound.frames / sound.samplerate)


def _next_block(sound: soundfile.SoundFile, size: int) -> np.ndarray:
    """The next (n, channels) samples; none after the end or at the first damaged place."""
    try:
        return sound.read(size, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError):
        return np.zeros((0, sound.channels), np.float32)


def _report_missing(path: Path, heard_s: float, promised_s: float) -> None:
    """Warn of a file that ends, or breaks, before the length it declares."""
    if 0 < heard_s < promised_s - 0.2:
        warnings.warn(f"{path} is cut short: {heard_s:.1f} s of {promised_s:.1f} s can be read", stacklevel=2)


def _decode_ffmpeg(path: Path, block_s: float) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks by ffmpeg. A track that begins after its picture is preceded by silence, so that times match the picture."""
    import av

    av.logging.set_level(None)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise ChoreiaError(f"{path} has no sound track")
            yield from _gather(_pieces(container, path), container.streams.audio[0].rate, block_s)
    except (av.FFmpegError, ValueError, IndexError) as fault:
        raise ChoreiaError(f"{path} is not a sound file that can be read ({_reason(fault)})") from None


def _pieces(container: Any, path: Path) -> Iterator[np.ndarray]:
    """(channels, n) float32 pieces of the first sound track."""
    import av

    track = container.streams.audio[0]
    rate, channels = track.rate, track.channels
    resampler = av.AudioResampler(format="fltp", layout=track.layout, rate=rate)
    heard, began_s = 0, (container.start_time or 0) / av.time_base
    for frame in _frames(container, track, path):
        late_s = 0.0 if heard or frame.time is None else frame.time - began_s
        if late_s > 0.001:
            yield np.zeros((channels, round(late_s * rate)), np.float32)
        heard += frame.samples
        yield from (piece.to_ndarray() for piece in resampler.resample(frame))
    if heard:
        yield from (piece.to_ndarray() for piece in resampler.resample(None))
    if _declares_length(path):
        _report_missing(path, heard / rate, float(track.duration * track.time_base) if track.duration else 0.0)


def _frames(container: Any, track: Any, path: Path) -> Iterator[Any]:
    """Decoded frames; damaged packets are left out, with one warning, unless nothing is whole."""
    import av

    heard, damaged = 0, 0
    for packet in container.demux(track):
        try:
            decoded = packet.decode()
        except av.InvalidDataError:
            damaged += 1
            continue
        heard += len(decoded)
        yield from decoded
    if damaged and not heard:
        raise ChoreiaError(f"{path} is not a sound file that can be read (nothing in it is whole)")
    if damaged > 2:
        warnings.warn(f"{path} is damaged: {damaged} pieces of it were left out", stacklevel=2)


def _declares_length(path: Path) -> bool:
    """Whether a file says how long it is: an mp3 does only in a Xing or Info header, without which its length is a guess from its size."""
    with path.open("rb") as file:
        head = file.read(10)
        tagged = head[:3] == b"ID3"
        if tagged:
            file.seek(10 + sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10])))
        frame = file.read(2048) if tagged else head + file.read(2048)
    return frame[:1] != b"\xff" or b"Xing" in frame or b"Info" in frame


def _gather(pieces: Iterator[np.ndarray], rate: int, block_s: float) -> Iterator[tuple[np.ndarray, int]]:
    """Join small pieces into blocks of about `block_s` seconds."""
    held: list[np.ndarray] = []
    for piece in pieces:
        held.append(piece)
        if sum(p.shape[1] for p in held) >= block_s * rate:
            yield np.concatenate(held, axis=1), rate
            held = []
    if held:
        yield np.concatenate(held, axis=1), rate


def _reason(fault: BaseException) -> str:
    """The last, telling part of a library's message."""
    return str(getattr(fault, "strerror", None) or fault).splitlines()[0].split(": ")[-1].strip(". '\"")
