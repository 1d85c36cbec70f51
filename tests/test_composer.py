"""The composer: beats where it says, sections that return, levels, metres, grids from outside."""

import itertools
import time
from functools import cache

import numpy as np
import pyloudnorm
import pytest
from scipy import signal

from choreia.errors import ChoreiaError
from choreia.synth import composer, form, harmony, melody, mix, patterns, presets, tempo
from choreia.synth.composer import compose
from choreia.synth.genres import GENRES
from choreia.synth.instruments import midi_to_hz

RATE = 22050
PERCUSSIVE = [g for g in GENRES if g not in ("ballad", "swing")]


@cache
def song(genre: str, seconds: float = 60.0, meter: int = 4) -> composer.Song:
    return compose(4, seconds, genre, meter=meter)


def onset_strength(audio) -> tuple[np.ndarray, np.ndarray]:
    """Rise of log magnitude summed over frequency in 6 ms frames every millisecond: times (n,), strength (n,)."""
    hop = RATE // 1000
    _, times, spectrum = signal.stft(audio.mono(), RATE, nperseg=6 * hop, noverlap=5 * hop, boundary=None)
    level = np.log1p(200 * np.abs(spectrum))
    rise = np.maximum(level[:, 6:] - level[:, :-6], 0).sum(axis=0)
    return (times[6:] + times[:-6]) / 2, rise


def beat_errors(made: composer.Song, beats_s: np.ndarray) -> np.ndarray:
    """Distance from each beat to the strongest onset within 60 ms, for beats that have a clear one."""
    times, strength = onset_strength(made.audio)
    errors = []
    for beat in beats_s:
        near = np.flatnonzero(np.abs(times - beat) < 0.06)
        if len(near) and strength[near].max() > 3 * np.median(strength):
            errors.append(times[near[strength[near].argmax()]] - beat)
    return np.array(errors)


@pytest.mark.parametrize("genre", PERCUSSIVE)
def test_onsets_of_the_sound_lie_on_the_beats(genre):
    made = song(genre)
    errors = beat_errors(made, made.beats_s)
    assert len(errors) > 0.5 * len(made.beats_s)
    assert np.mean(np.abs(errors) < 0.010) > 0.85
    assert abs(np.median(errors)) < 0.004


@pytest.mark.parametrize("genre", sorted(GENRES))
def test_levels(genre):
    made = song(genre)
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(made.audio.samples.T.astype(float))
    assert -16 < loudness < -12
    assert np.abs(made.audio.samples).max() < 1.0
    assert abs(made.audio.samples.mean()) < 1e-3
    assert made.audio.samples.shape == (2, 60 * RATE)
    assert np.isfinite(made.audio.samples).all()


def test_loudness_agrees_with_pyloudnorm():
    noise = np.random.default_rng(0).standard_normal((2, 5 * RATE)) * np.linspace(0.01, 0.2, 5 * RATE)
    assert mix.loudness_lufs(noise, RATE) == pytest.approx(pyloudnorm.Meter(RATE).integrated_loudness(noise.T), abs=0.1)


def test_the_limiter_never_lets_a_sample_pass():
    noise = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    noise[0, 7000] = 30
    assert np.abs(mix.limit(noise, 0.8, RATE)).max() <= 0.8 + 1e-6


def beat_chroma(made: composer.Song, section) -> np.ndarray:
    """(beats, 12) folded spectrum between 130 and 1400 Hz, one row a beat of the section."""
    beats = made.beats_s[(made.beats_s >= section.start_s - 0.01) & (made.beats_s < section.end_s - 0.01)]
    wave, rows = made.audio.mono(), []
    for start, stop in itertools.pairwise(beats):
        piece = wave[round(start * RATE) : round(stop * RATE)]
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 16384)) ** 2
        hz = np.fft.rfftfreq(16384, 1 / RATE)
        use = (hz > 130) & (hz < 1400)
        row = np.bincount(np.round(12 * np.log2(hz[use] / 440)).astype(int) % 12, power[use], 12)
        rows.append(row / (np.linalg.norm(row) + 1e-12))
    return np.array(rows)


@pytest.mark.parametrize("genre", ["pop", "rnb", "latin"])
def test_the_chorus_returns_and_the_verse_is_other_music(genre):
    made = song(genre, 120.0)
    chorus = [s for s in made.sections if s.label == "chorus"]
    verse = next(s for s in made.sections if s.label == "verse")
    assert len(chorus) >= 2
    one, two, other = (beat_chroma(made, s) for s in (chorus[0], chorus[1], verse))
    n = min(len(one), len(two), len(other))
    same = (one[:n] * two[:n]).sum(axis=1).mean()
    assert same > 0.95
    assert same > (one[:n] * other[:n]).sum(axis=1).mean() + 0.1


def test_sections_tile_the_song_and_begin_on_downbeats():
    made = song("pop", 120.0)
    edges = [s.start_s for s in made.sections] + [made.sections[-1].end_s]
    assert edges[0] == 0 and edges[-1] == 120.0
    assert all(a.end_s == b.start_s for a, b in zip(made.sections[:-1], made.sections[1:], strict=True))
    for edge in edges[1:-1]:
        assert np.abs(made.downbeats_s - edge).min() < 1e-9
    assert [s.label for s in made.sections].count("chorus") == max(s.occurrence for s in made.sections if s.label == "chorus")


@pytest.mark.parametrize("bars", [1, 2, 5, 8, 13, 31, 32, 47, 64, 77, 120, 400])
def test_forms_fill_the_bars(bars):
    spans = form.plan(bars)
    assert [s.first for s in spans] == list(np.cumsum([0, *(s.bars for s in spans)])[:-1])
    assert spans[-1].first + spans[-1].bars == bars
    assert len({s.bars for s in spans[1:-1] if s.label == "chorus"}) <= 1


def test_same_seed_same_bytes_other_seed_other_song():
    one, two, other = compose(7, 20.0), compose(7, 20.0), compose(8, 20.0)
    assert one.audio.samples.tobytes() == two.audio.samples.tobytes()
    assert np.array_equal(one.beats_s, two.beats_s)
    assert (one.genre, one.bpm) != (other.genre, other.bpm)


def test_seeds_differ_in_tempo_and_timbre():
    songs = [compose(seed, 20.0, "pop") for seed in range(6)]
    assert len({round(s.bpm) for s in songs}) >= 4
    bands = []
    for made in songs:
        _, power = signal.welch(made.audio.mono(), RATE, nperseg=2048)
        bands.append([10 * np.log10(part.sum()) for part in np.array_split(power[:256], 16)])
    distance = [np.abs(np.subtract(a, b)).mean() for i, a in enumerate(bands) for b in bands[:i]]
    assert min(distance) > 1.0


@pytest.mark.parametrize("meter", [3, 5, 6, 7])
def test_odd_metres(meter):
    made = song("funk", 40.0, meter)
    assert np.array_equal(made.downbeats_s, made.beats_s[::meter])
    assert np.mean(np.abs(beat_errors(made, made.beats_s)) < 0.010) > 0.85


def test_bpm_is_kept_exactly():
    for bpm in (60, 97.3, 180):
        made = compose(1, 20.0, "pop", bpm=bpm)
        assert np.allclose(np.diff(made.beats_s), 60 / bpm, atol=1e-4)


def test_tempo_curves_and_rubato():
    faster = compose(1, 40.0, "edm", tempo_curve=[(0, 80), (40, 160)])
    local = 60 / np.diff(faster.beats_s)
    assert np.allclose(local, 80 + 2 * (faster.beats_s[:-1] + faster.beats_s[1:]) / 2, rtol=0.01)
    assert np.mean(np.abs(beat_errors(faster, faster.beats_s)) < 0.010) > 0.9
    stepped = compose(1, 20.0, "edm", tempo_curve=lambda t: 90.0 if t < 10 else 140.0)
    assert np.diff(stepped.beats_s)[0] == pytest.approx(60 / 90, abs=1e-3)
    assert np.diff(stepped.beats_s)[-1] == pytest.approx(60 / 140, abs=1e-3)
    free = compose(1, 30.0, "ballad", rubato=1.0)
    assert 0.03 < np.std(np.log(np.diff(free.beats_s))) < 0.3


def uneven_beats() -> np.ndarray:
    return 0.53 + np.cumsum(np.random.default_rng(5).uniform(0.3, 0.9, 40))


def test_composing_to_uneven_beats():
    beats = uneven_beats()
    made = compose(2, beats[-1] + 1.0, "edm", beats_s=beats)
    assert np.isin(beats, made.beats_s).all()
    errors = beat_errors(made, beats)
    assert len(errors) > 0.7 * len(beats)
    assert np.mean(np.abs(errors) < 0.010) > 0.9


def test_accents_choose_the_downbeat_and_are_heard():
    beats = 0.4 + 0.5 * np.arange(60)
    accents = np.where(np.arange(60) % 4 == 2, 1.0, 0.2)
    made = compose(2, 31.0, "pop", beats_s=beats, accents=accents)
    assert np.isin(beats[2::4], made.downbeats_s).all()
    power = made.audio.mono() ** 2
    loud = np.array([power[round(b * RATE) : round(b * RATE) + 3000].mean() for b in beats])
    assert loud[accents > 0.5].mean() > 1.5 * loud[accents < 0.5].mean()


def test_energy_shapes_loudness():
    curve = np.concatenate([np.full(50, 0.1), np.full(50, 1.0)])
    made = compose(3, 40.0, "pop", beats_s=0.2 + 0.5 * np.arange(79), energy=curve)
    power = made.audio.mono() ** 2
    assert power[24 * RATE : 36 * RATE].mean() > 2 * power[4 * RATE : 16 * RATE].mean()
    assert made.energy.values[60, 0] < 0.3 < 0.8 < made.energy.values[-60, 0]


def test_energy_label_follows_the_sound():
    made = song("pop", 120.0)
    power = np.sqrt((made.audio.mono()[: 119 * RATE] ** 2).reshape(119, -1).mean(axis=1))
    label = made.energy.values[: 119 * 30, 0].reshape(119, -1).mean(axis=1)
    assert np.corrcoef(power, label)[0, 1] > 0.6


def test_rhythm_events_are_sorted_and_lie_where_they_should():
    made = song("funk")
    for times in (made.events.strong_s, made.events.offbeat_s, made.events.subdivision_s):
        assert np.all(np.diff(times) > 0)
    assert np.abs(made.events.strong_s[:, None] - made.beats_s[None]).min(axis=1).max() < 0.02
    assert len(made.events.offbeat_s) and len(made.events.subdivision_s)


def test_swing_moves_the_middle_of_the_beat_but_not_the_beat():
    assert patterns.swung(1.0, 0.66, 0.5) == 1.0
    assert patterns.swung(1.5, 0.66, 0.5) == pytest.approx(1.66)
    straight, swung = (patterns.steps("x.x.x.x.x.x.x.x.", 4, s) for s in (0.5, 0.6))
    assert [s.beat for s in straight] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert [s.beat for s in swung][::2] == [0, 1, 2, 3]


def test_patterns_hold_with_dashes():
    (first, second) = patterns.steps("R---..5-........", 4)
    assert (first.beat, first.length, second.beat, second.length) == (0, 1.0, 1.5, 0.5)


def test_voices_are_in_tune():
    for name, voice in presets.VOICES.items():
        for pitch in (45, 69):
            wave = voice.tone(midi_to_hz(pitch), RATE, RATE)
            power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
            hz = midi_to_hz(pitch)
            comb = sum(power[max(0, int(k * hz * r) - 6) : int(k * hz * r) + 8].sum() for k in range(1, 7) for r in (1, 0.5))
            assert comb > 0.1 * power.sum(), name
            assert np.isfinite(wave).all() and 0.1 < np.abs(wave).max() < 4, name


def movement(stacks) -> float:
    """Mean semitones a voice moves from chord to chord."""
    return float(np.mean([np.abs(np.subtract(a, b)).mean() for a, b in itertools.pairwise(stacks)]))


def test_voice_leading_moves_less_than_root_position():
    key = harmony.Key(0, "major")
    chords = [harmony.Chord(d) for d in (0, 5, 3, 4, 0, 4, 5, 3)]
    led = harmony.voicings(key, chords)
    root = [tuple(key.pitch(d) for d in c.degrees()) for c in chords]
    assert movement(led) < 0.6 * movement(root)
    for chord, stack in zip(chords, led, strict=True):
        assert {p % 12 for p in stack} == {key.pitch(d) % 12 for d in chord.degrees()}


def test_melodies_sit_on_chord_tones_on_the_beat():
    chords = [harmony.Chord(d) for d in (0, 5, 3, 4)]
    for seed in range(5):
        for chord, bar in zip(chords, melody.phrase(chords, 4, 0.6, 7, np.random.default_rng(seed)), strict=True):
            assert all(n.degree % 7 in {d % 7 for d in chord.degrees()} for n in bar if n.beat % 1 == 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"genre": "polka"},
        {"bpm": 5},
        {"meter": 0},
        {"duration_s": -1},
        {"duration_s": float("nan")},
        {"rubato": 3},
        {"beats_s": [1.0]},
        {"beats_s": [2.0, 1.0]},
        {"beats_s": [0.0, 99.0]},
        {"beats_s": [1.0, 2.0], "accents": [1.0]},
        {"tempo_curve": []},
        {"tempo_curve": [(0, 1)]},
    ],
)
def test_bad_requests_are_refused(wrong):
    with pytest.raises(ChoreiaError):
        compose(**({"seed": 0, "duration_s": 10.0} | wrong))


def test_short_and_dense_requests_still_make_music():
    for seconds in (1.0, 2.5, 6.0):
        assert np.abs(compose(1, seconds, "edm").audio.samples).max() > 0.1
    assert len(tempo.given(np.arange(0.5, 3, 0.1), 4.0)[0]) > 25
    compose(1, 4.0, "swing", beats_s=np.arange(0.5, 3, 0.11))


def test_fast_enough():
    compose(1, 5.0, "pop")
    start = time.process_time()
    compose(2, 120.0, "pop")
    assert 120.0 / (time.process_time() - start) > 25
