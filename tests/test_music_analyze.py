"""Laws of the analysis: grids that are known, silence, streams, features and sections against their definitions."""

from itertools import pairwise

import numpy as np
import pytest

from choreia import clock
from choreia.errors import ChoreiaError
from choreia.music import beats, features, files, spectrum, structure
from choreia.music.analyze import analyze, analyze_file
from choreia.types import Audio, Section

RATE = 22050


def drums(beats_s, duration_s, rate=RATE):
    """Kick and snare in turn on the beats, a hat on every half beat."""
    t = np.arange(round(0.12 * rate)) / rate
    noise = np.random.default_rng(0).normal(size=len(t))
    kick = np.sin(2 * np.pi * (60 * t + 2 * (1 - np.exp(-t * 40)))) * np.exp(-t * 25)
    snare = (0.5 * noise + 0.5 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 35)
    hat = 0.25 * np.diff(noise, prepend=0) * np.exp(-t * 90)
    halves_s = np.sort(np.concatenate([beats_s, beats_s[:-1] + np.diff(beats_s) / 2]))
    sound = np.zeros(round(duration_s * rate) + len(t))
    for times_s, hit in ((beats_s[::2], kick), (beats_s[1::2], snare), (halves_s, hat)):
        for at in np.round(times_s * rate).astype(int):
            sound[at : at + len(t)] += hit
    return Audio((0.4 * sound[: round(duration_s * rate)]).astype(np.float32)[None], rate)


def f_measure(true_s, found_s, window_s=0.07):
    """F by matching each true time to the nearest found one (times lie further apart than the window)."""
    if not len(found_s):
        return 0.0
    hits = (np.abs(np.asarray(true_s)[:, None] - found_s[None]).min(axis=1) <= window_s).sum()
    return 2 * hits / (len(true_s) + len(found_s))


@pytest.mark.parametrize("bpm", [76, 84, 100, 120, 128, 145])
def test_a_drum_beat_is_found_at_its_tempo(bpm):
    true_s = np.arange(0.25, 20, 60 / bpm)
    music = analyze(drums(true_s, 20.0))
    assert f_measure(true_s, music.beats_s) > 0.95
    assert abs(np.median(music.tempo_bpm) / bpm - 1) < 0.02


@pytest.mark.parametrize(("first", "second"), [(92, 124), (130, 100)])
def test_a_tempo_change_is_followed(first, second):
    true_s = np.concatenate([np.arange(0.2, 16, 60 / first), np.arange(16.2, 32, 60 / second)])
    music = analyze(drums(true_s, 33.0))
    assert f_measure(true_s, music.beats_s) > 0.9
    assert abs(np.median(music.tempo_bpm[music.beats_s < 14]) - first) < 3
    assert abs(np.median(music.tempo_bpm[music.beats_s > 19]) - second) < 4


def silence(n, rng):
    return np.zeros(n)


def hiss(n, rng):
    return 0.1 * rng.normal(size=n)


def faint_hiss(n, rng):
    return 1e-4 * rng.normal(size=n)


def rumble(n, rng):
    noise = np.cumsum(rng.normal(size=n))
    return 0.3 * (noise - noise.mean()) / np.abs(noise).max()


def drone(n, rng):
    t = np.arange(n) / RATE
    return sum(0.1 * np.sin(2 * np.pi * hz * t + hz) for hz in (110, 164.8, 220, 277.2))


@pytest.mark.parametrize("sound", [silence, hiss, faint_hiss, rumble, drone])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_has_no_beat_gets_none(sound, seed):
    music = analyze(Audio(sound(20 * RATE, np.random.default_rng(seed)).astype(np.float32)[None], RATE))
    assert not music.has_beat
    assert len(music.beats_s) == len(music.downbeats_s) == len(music.eights_s) == len(music.tempo_bpm) == 0
    dance = music.features["dance"].values
    assert np.all(dance[:, :10] == 0)
    assert np.isfinite(dance).all()


def test_known_beats_pass_through():
    beats_s = np.array([0.31, 0.8, 1.33, 1.9, 2.4, 2.95, 3.5, 4.0, 4.5])
    music = analyze(drums(beats_s, 5.0), beats_s, beats_s[::3])
    assert np.array_equal(music.beats_s, beats_s)
    assert np.array_equal(music.downbeats_s, beats_s[::3])
    assert music.meter == 3
    assert np.array_equal(music.eights_s, beats_s[::6])
    free = analyze(drums(beats_s, 5.0), beats_s)
    assert np.array_equal(free.beats_s, beats_s)
    assert set(free.downbeats_s) <= set(beats_s)


@pytest.fixture(scope="module")
def groove():
    """Eight bars at 115 BPM."""
    beats_s = np.arange(0.1, 17, 60 / 115)
    return analyze(drums(beats_s, 17.0), beats_s, beats_s[::4])


def test_dance_columns_follow_their_definitions(groove):
    track = groove.features["dance"]
    assert track.names == features.DANCE_NAMES and len(track.names) == 24
    assert track.values.shape == (510, 24) and track.values.dtype == np.float32
    column = dict(zip(track.names, track.values.T, strict=True))
    times_s = np.arange(510) / 30
    phase = 2 * np.pi * (times_s - 0.1) * 115 / 60
    assert np.allclose(column["beat_sin"], np.sin(phase), atol=1e-3)
    assert np.allclose(column["bar_cos"], np.cos(phase / 4), atol=1e-3)
    assert np.allclose(column["eight_cos"], np.cos(phase / 8), atol=1e-3)
    assert np.allclose(column["log_tempo"], np.log2(115 / 120), atol=1e-3)
    gap = np.abs(times_s[:, None] - groove.beats_s[None]).min(axis=1)
    assert np.allclose(column["beat_pulse"], np.exp(-(gap**2) / (2 * 0.04**2)), atol=1e-3)
    assert np.all(column["has_beat"] == 1)
    assert column["energy"].min() >= 0 and column["energy"].max() <= 1
    assert column["onset"].min() >= 0 and column["onset"].max() <= 1.5


def test_feature_sets_have_their_shapes(groove):
    shapes = {name: track.values.shape for name, track in groove.features.items()}
    assert shapes == {"lrcm3": (510, 3), "edge35": (510, 35), "logmel": (510, 64), "dance": (510, 24)}
    assert all(len(track.names) == track.values.shape[1] and track.fps == 30 for track in groove.features.values())
    assert np.array_equal(np.flatnonzero(groove.features["edge35"].values[:, -1]), np.round(groove.beats_s * 30).astype(int))


def test_edge35_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    rng = np.random.default_rng(0)
    t = np.arange(6 * 30720) / 30720
    chords = sum(np.sin(2 * np.pi * hz * (1 + (t > 3) * 0.5) * t) for hz in (220.0, 277.2, 329.6, 1760.0))
    sound = (0.1 * chords * (1 + np.sin(2 * np.pi * 2 * t)) + 0.01 * rng.normal(size=len(t))).astype(np.float32)
    ours = analyze(Audio(sound[None], 30720)).features["edge35"].values
    theirs = librosa.feature.mfcc(y=librosa.resample(sound, orig_sr=30720, target_sr=15360), sr=15360, hop_length=512, n_mfcc=20).T
    n = min(len(ours), len(theirs)) - 4
    for i in range(1, 14):
        assert np.corrcoef(ours[4:n, 1 + i], theirs[4:n, i])[0, 1] > 0.9


def test_mel_filters_are_slaneys_but_for_their_norm():
    librosa = pytest.importorskip("librosa")
    theirs = librosa.filters.mel(sr=30720, n_fft=4096, n_mels=64, fmin=30, fmax=15000, norm=None).T
    ours = spectrum.mel_bank(4096, 64, 30.0, 15000.0)
    wide = theirs.sum(axis=0) >= 0.5
    assert np.allclose(ours[:, wide], theirs[:, wide], atol=1e-3)


def test_a_sine_lies_where_it_should():
    t = np.arange(3 * 30720) / 30720
    spectra = spectrum.measure([np.sin(2 * np.pi * 440 * t).astype(np.float32)])
    middle = slice(20, 70)
    assert np.allclose(spectra.power[middle], 0.5, rtol=0.01)
    assert np.allclose(spectra.centroid_hz[middle], 440, atol=4)
    assert np.all(spectra.chroma[middle].argmax(axis=1) == 9)


def test_frames_stand_at_their_times():
    sound = np.zeros(2 * 30720, np.float32)
    sound[round(1.0 * 30720)] = 1.0
    spectra = spectrum.measure([sound])
    assert spectra.power.argmax() == 30
    assert spectra.beats.sum(axis=1).argmax() == 60


@pytest.mark.parametrize("n", [1, 100, 4096, 30720, 1024 * 600, 1024 * 600 + 1, 1024 * 1200 - 1])
def test_every_length_has_its_frames_and_blocks_do_not_matter(n):
    sound = np.random.default_rng(n).normal(size=n).astype(np.float32)
    whole = spectrum.measure([sound])
    parts = spectrum.measure(np.array_split(sound, 7) if n > 7 else [sound])
    assert len(whole.power) == clock.frames_in(n / 30720, 30) and len(whole.beats) == 2 * len(whole.power)
    assert all(np.array_equal(getattr(whole, name), getattr(parts, name)) for name in ("beats", "mel", "chroma", "power"))


@pytest.mark.parametrize("n", [1, 700, 22050])
def test_very_short_sound_is_analysed(n):
    music = analyze(Audio(np.full((2, n), 0.1, np.float32), RATE))
    assert not music.has_beat
    assert music.sections[0].start_s == 0 and music.sections[-1].end_s == music.duration_s


def test_a_file_and_its_sound_in_memory_agree_and_twice_is_the_same(tmp_path):
    song = drums(np.arange(0, 24, 0.5), 24.0)
    files.write(tmp_path / "song.wav", song)
    held = analyze(files.read(tmp_path / "song.wav"))
    streamed, again = analyze_file(tmp_path / "song.wav"), analyze_file(tmp_path / "song.wav")
    for other in (streamed, again):
        assert np.array_equal(held.beats_s, other.beats_s)
        assert held.sections == other.sections
        assert all(np.array_equal(held.features[k].values, other.features[k].values) for k in held.features)


def test_bad_samples_are_refused():
    with pytest.raises(ChoreiaError, match="0 samples"):
        analyze(Audio(np.zeros((1, 0), np.float32), RATE))
    with pytest.raises(ChoreiaError, match="not numbers"):
        analyze(Audio(np.full((1, RATE), np.nan, np.float32), RATE))


def pad_song(form, bar_s=2.0):
    """A chord loop a letter, eight bars each, B louder; with its downbeats."""
    t = np.arange(round(8 * bar_s * RATE)) / RATE
    roots = {"A": (220, 246.9, 196, 174.6), "B": (293.7, 233.1, 349.2, 261.6), "C": (207.7, 311.1, 277.2, 185)}
    parts = []
    for letter in form:
        hz = np.repeat(np.array(roots[letter] * 2), round(bar_s * RATE))
        phase = np.cumsum(2 * np.pi * hz / RATE)
        parts.append((0.2 + 0.3 * (letter == "B")) * sum(np.sin(k * phase) / k for k in (1, 1.5, 2, 3))[: len(t)])
    sound = np.concatenate(parts)
    return Audio((0.4 * sound).astype(np.float32)[None], RATE), np.arange(0, len(sound) / RATE, bar_s)


def test_sections_and_their_repeats_are_found():
    audio, downbeats_s = pad_song("ABABCB")
    beats_s = np.arange(0, audio.duration_s, 0.5)
    found = analyze(audio, beats_s, downbeats_s).sections
    assert np.allclose([s.start_s for s in found], np.arange(6) * 16.0)
    assert [s.label for s in found] == ["verse", "chorus", "verse", "chorus", "bridge", "chorus"]
    assert [s.occurrence for s in found] == [1, 1, 2, 2, 1, 3]


def test_sections_cover_the_song_and_begin_on_downbeats():
    audio, downbeats_s = pad_song("ABA")
    found = structure.sections(spectrum.measure(files.stream_audio(audio, spectrum.RATE)), downbeats_s)
    assert found[0].start_s == 0 and found[-1].end_s == pytest.approx(audio.duration_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(found))
    assert all(s.start_s in downbeats_s for s in found)


def test_eight_counts_begin_again_with_a_section():
    downbeats_s = np.arange(0, 20, 2.0)
    whole = (Section(0, 10, "verse"), Section(10, 20, "chorus"))
    assert np.array_equal(structure.eight_counts(downbeats_s, whole), [0, 4, 8, 10, 14, 18])
    assert len(structure.eight_counts(np.zeros(0), whole)) == 0


def test_bars_follow_a_clear_downbeat():
    likeness = np.zeros((1200, 2))
    likeness[::30] = 0.9
    for meter in (3, 4, 5, 7):
        likeness[:, 1] = 0.0
        likeness[60 :: 30 * meter, 1] = 0.9
        grid = beats.track(likeness)
        assert grid.meter == meter
        assert np.allclose(grid.downbeats_s, np.arange(60, 1200, 30 * meter) / 60, atol=1e-6)


def test_local_tempo_is_the_tempo():
    assert np.allclose(beats.local_tempo(np.arange(10) * 0.4), 150)
    assert len(beats.local_tempo(np.zeros(0))) == 0
