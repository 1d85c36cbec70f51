"""From notes to a record: parts rendered from cached tones, panned, ducked, sent to room and echo, levelled and limited.

Loudness is ITU-R BS.1770-4 (K-weighting, gated 400 ms blocks); the limiter looks ahead so that no sample passes the ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage, signal

from choreia.synth.drums import Kit
from choreia.synth.instruments import Voice, midi_to_hz

TARGET_LUFS = -14.0
CEILING = 0.89
AIR = np.float32(0.35)
LONGEST_NOTE_S = 12.0


@dataclass(frozen=True)
class Event:
    """One note: `key` is a MIDI pitch or a drum name; start and length in seconds; `velocity` in [0, 1]."""

    start_s: float
    length_s: float
    key: float | str
    velocity: float


@dataclass(frozen=True)
class Part:
    """One player: an instrument, its notes and its place on the desk.

    `gain` is the level of a full drum hit, or the loudness (RMS while it plays) of a pitched part; `pan` in [-1, 1];
    `width_s` delays one side a little for breadth; `room` and `echo` are send levels; `duck` in [0, 1] is how far the kick
    pushes it down; `levels` are gains of single drums (0.5 where there is none).
    """

    name: str
    source: Voice | Kit
    events: tuple[Event, ...]
    gain: float = 0.5
    pan: float = 0.0
    width_s: float = 0.0
    room: float = 0.1
    echo: float = 0.0
    duck: float = 0.0
    levels: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """What the whole mix shares: size of the room, echo time, and where the kicks are that duck the others."""

    room_s: float = 0.9
    echo_s: float = 0.375
    kicks_s: tuple[float, ...] = ()
    seed: int = 0


def _drums(part: Part, kit: Kit, n: int, rate: int) -> np.ndarray:
    bus = np.zeros(n, np.float32)
    sounds = {name: kit.sound(name, rate) for name in sorted({str(e.key) for e in part.events})}
    for event in part.events:
        start = round(event.start_s * rate)
        wave = sounds[str(event.key)][max(0, -start) : max(0, n - start)]
        bus[max(0, start) : max(0, start) + len(wave)] += wave * np.float32(event.velocity**1.6 * part.levels.get(str(event.key), 0.5))
    return bus


def _longest(events: Sequence[Event]) -> dict[float, float]:
    """Seconds of the longest note of every pitch."""
    longest: dict[float, float] = {}
    for event in events:
        pitch = float(event.key)
        longest[pitch] = min(LONGEST_NOTE_S, max(longest.get(pitch, 0.0), event.length_s))
    return longest


def _pitched(part: Part, voice: Voice, n: int, rate: int) -> np.ndarray:
    """Every pitch is rendered once at its longest; notes are cut from it and released."""
    bus = np.zeros(n, np.float32)
    release = max(8, round(min(voice.release_s, 1.0) * rate))
    fade = (0.5 + 0.5 * np.cos(np.pi * np.arange(release) / release)).astype(np.float32)
    tones = {
        pitch: voice.tone(midi_to_hz(pitch), round(seconds * rate) + release, rate) for pitch, seconds in _longest(part.events).items()
    }
    for event in part.events:
        start = round(event.start_s * rate)
        held = round(min(event.length_s, LONGEST_NOTE_S) * rate)
        wave = tones[float(event.key)][: held + release] * np.float32(event.velocity**1.4)
        wave[held:] *= fade[: len(wave) - held]
        wave = wave[max(0, -start) : max(0, n - start)]
        bus[max(0, start) : max(0, start) + len(wave)] += wave
    return bus


def _active_rms(wave: np.ndarray, rate: int) -> float:
    """RMS over the tenths of a second in which the part is within 30 dB of its loudest."""
    power = np.pad(wave, (0, -len(wave) % (rate // 10))).reshape(-1, rate // 10)
    power = np.einsum("ij,ij->i", power, power) / power.shape[1]
    return float(np.sqrt(power[power >= 1e-3 * power.max()].mean()) + 1e-9)


def _play(part: Part, n: int, rate: int) -> np.ndarray:
    """The part alone at its level, mono (n,)."""
    if isinstance(part.source, Kit):
        return _drums(part, part.source, n, rate) * np.float32(part.gain)
    wave = _pitched(part, part.source, n, rate)
    return wave * np.float32(part.gain / _active_rms(wave, rate))


def _duck_curve(kicks_s: tuple[float, ...], n: int, rate: int) -> np.ndarray:
    """How hard the kick pushes, (n,): 1 on each kick, gone after about a quarter of a second."""
    control_hz = 500
    times = np.arange(n * control_hz // rate + 2) / control_hz
    kicks = np.concatenate(([-10.0], np.sort(kicks_s)))
    since = times + 0.004 - kicks[np.searchsorted(kicks, times + 0.004, side="right") - 1]
    curve = np.exp(-((since / 0.13) ** 2))
    return np.interp(np.arange(n) * (control_hz / rate), np.arange(len(times)), curve).astype(np.float32)


def _room_response(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A diffuse room, (2, n): noise that starts after 12 ms, dies away and darkens; the two sides are independent."""
    n = round(seconds * rate)
    noise = rng.standard_normal((2, n)) * np.exp(np.arange(n) * (-6.0 / n))
    noise[:, : rate // 80] = 0
    dark = signal.sosfilt(signal.butter(1, [180, 4200], "bandpass", fs=rate, output="sos"), noise, axis=1)
    return (dark / np.sqrt((dark**2).sum(axis=1, keepdims=True))).astype(np.float32)


def _echo(send: np.ndarray, delay_s: float, rate: int) -> np.ndarray:
    """Ping-pong echo of a mono send, (2, n): four repeats, left and right in turn."""
    out = np.zeros((2, len(send)), np.float32)
    for repeat in range(4):
        shift = round((repeat + 1) * delay_s * rate)
        if shift < len(send):
            out[repeat % 2, shift:] += send[:-shift] * np.float32(0.55**repeat)
    return out


def mix(parts: Sequence[Part], desk: Desk, n: int, rate: int) -> np.ndarray:
    """All parts on one stereo bus, (2, n) float32, before mastering."""
    out = np.zeros((2, n), np.float32)
    room = np.zeros((2, n), np.float32)
    echo = np.zeros(n, np.float32)
    duck = _duck_curve(desk.kicks_s, n, rate) if any(part.duck for part in parts) else np.zeros(0, np.float32)
    for part in parts:
        if not part.events:
            continue
        wave = _play(part, n, rate)
        if part.duck:
            wave *= 1 - np.float32(part.duck) * duck
        sides = np.cos(np.pi / 4 * (1 + part.pan)), np.sin(np.pi / 4 * (1 + part.pan))
        late = min(n, round(part.width_s * rate))
        out[0] += wave * np.float32(sides[0])
        out[1, late:] += wave[: n - late] * np.float32(sides[1])
        room += wave * (np.float32(part.room) * np.array(sides, np.float32))[:, None]
        if part.echo:
            echo += wave * np.float32(part.echo)
    if echo.any():
        out += _echo(echo, desk.echo_s, rate)
    response = _room_response(desk.room_s, rate, np.random.default_rng(desk.seed))
    return out + signal.oaconvolve(room, response, axes=1)[:, :n]


def _weighting(rate: int) -> np.ndarray:
    """BS.1770 K-weighting as second-order sections at any rate: a shelf of +4 dB above 1.7 kHz and a high-pass at 38 Hz."""
    k, q, gain = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [(gain + band * k / q + k * k) / a0, 2 * (k * k - gain) / a0, (gain - band * k / q + k * k) / a0,
             1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]  # fmt: skip
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1, -2, 1, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def loudness_lufs(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness of (channels, n) in LUFS, gated at -70 absolute and -10 relative; -inf for silence."""
    weighted = signal.sosfilt(_weighting(rate), samples, axis=1)
    hop = rate // 10
    pad = max(0, 4 * hop - weighted.shape[1])
    power = np.pad(weighted, ((0, 0), (0, pad))) ** 2
    steps = power[:, : power.shape[1] // hop * hop].reshape(len(power), -1, hop).mean(axis=2).sum(axis=0)
    blocks = np.convolve(steps, np.ones(4) / 4, "valid")
    loud = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not len(loud):
        return -np.inf
    loud = loud[loud > 0.1 * loud.mean()]
    return float(-0.691 + 10 * np.log10(loud.mean()))


def limit(samples: np.ndarray, ceiling: float, rate: int) -> np.ndarray:
    """Look-ahead limiter on (channels, n): gain falls 4 ms before a peak and recovers over 20 ms; no sample exceeds `ceiling`.

    The gain is found per block of 32 samples, held longer than it is smoothed, and interpolated between blocks.
    """
    n, block = samples.shape[1], 32
    peak = np.abs(samples).max(axis=0)
    need = np.minimum(1, ceiling / np.maximum(np.pad(peak, (0, -n % block)).reshape(-1, block).max(axis=1), 1e-9))
    smooth = max(3, rate // 250 // block) | 1
    hold = ndimage.minimum_filter1d(need, 2 * smooth + 3 + rate // 50 // block)
    gain = ndimage.uniform_filter1d(hold, smooth)
    return samples * np.interp(np.arange(n), np.arange(len(gain)) * block + block / 2, gain).astype(np.float32)


def master(samples: np.ndarray, rate: int, fade_s: float = 0.02) -> np.ndarray:
    """High-pass, a little air, level to -14 LUFS, soft saturation, limit, and fade the last `fade_s` seconds. Silence stays silent."""
    out = signal.sosfilt(signal.butter(2, 28, "highpass", fs=rate, output="sos"), samples, axis=1).astype(np.float32)
    out += AIR * signal.sosfilt(signal.butter(1, 2200, "highpass", fs=rate, output="sos"), out, axis=1).astype(np.float32)
    if not out.any():
        return out
    out *= np.float32(10 ** ((TARGET_LUFS + 1 - max(loudness_lufs(out, rate), -60)) / 20))
    for _ in range(2):
        loud = limit(np.tanh(out), CEILING, rate)
        out *= np.float32(10 ** ((TARGET_LUFS - max(loudness_lufs(loud, rate), -60)) / 20))
    out = limit(np.tanh(out), CEILING, rate)
    tail = min(out.shape[1], max(1, round(fade_s * rate)))
    out[:, -tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
    return out.astype(np.float32)
