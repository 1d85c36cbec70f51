"""Laws of the choreographer: exact, repeatable, on the beat, on its feet, on the stage, in human reach, true to its words."""

import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.motion.kinematics import positions
from choreia.synth.choreographer import choreograph
from choreia.synth.moves import STYLES
from choreia.synth.moves.notation import BODY, HOME_M, Body, Foot, Hand
from choreia.synth.moves.tracks import sample
from choreia.types import Features, Section

TEMPO = {"hip-hop": 96, "krump": 88, "popping": 100, "locking": 108, "jazz": 120, "charleston": 196, "tap": 120, "salsa": 180}
TEMPO |= {"disco": 118, "bollywood": 112, "waltz": 96, "contemporary": 88}
FIGURES = [(style, figure) for style in STYLES.values() for figure in style.figures]
SECTIONS = tuple(
    Section(16 * k * 0.5, 16 * (k + 1) * 0.5, label, n)
    for k, (label, n) in enumerate([("verse", 1), ("chorus", 1), ("verse", 2), ("chorus", 2)])
)


def song(bpm: float, seconds: float, first_s: float = 0.3, sway: float = 0.0) -> np.ndarray:
    """Beats whose interval swings by `sway` over half a minute."""
    beats = [first_s]
    while beats[-1] < seconds:
        beats.append(beats[-1] + 60 / bpm * (1 + sway * np.sin(beats[-1] / 5)))
    return np.array(beats[:-1])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def dances():
    """One minute of every style in bars of its own metre, with its beats."""
    found = {}
    for style in STYLES:
        beats = song(TEMPO[style], 60, sway=0.06)
        found[style] = (choreograph(beats, beats[:: STYLES[style].metre], (), style, seed=5, duration_s=60), beats)
    return found


@pytest.fixture(params=list(STYLES))
def danced(request, dances):
    return dances[request.param]


def speed(motion) -> np.ndarray:
    return np.linalg.norm(np.diff(positions(motion).astype(float), axis=0), axis=-1) * motion.fps


def stops_s(motion) -> np.ndarray:
    """Local minima of the mean joint speed after a 33 ms Gaussian, seconds."""
    curve = speed(motion).mean(axis=1)
    kernel = np.exp(-0.5 * (np.arange(-4, 5) / (0.033 * motion.fps)) ** 2)
    curve = np.convolve(curve, kernel / kernel.sum(), "same")
    inner = np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] <= curve[2:])) + 1
    return (inner + 0.5) / motion.fps


def test_vocabulary_is_wide():
    assert len(STYLES) == 12 and len(FIGURES) >= 80
    for style in STYLES.values():
        assert len({figure.name for figure in style.figures}) == len(style.figures) >= 4


@pytest.mark.parametrize("figure", [f for _, f in FIGURES], ids=[f"{s.name}/{f.name}" for s, f in FIGURES])
def test_figure_is_well_formed(figure):
    assert figure.mirrored().mirrored() == figure
    assert all(key.channel in BODY for key in figure.keys if isinstance(key, Body))
    assert all(0.4 < key.count < figure.counts + 1 for key in figure.keys)
    assert all(np.linalg.norm(key.place[:3]) < 0.56 for key in figure.keys if isinstance(key, Hand))
    for side, sign in (("L", 1), ("R", -1)):
        falls = sorted((key for key in figure.keys if isinstance(key, Foot) and key.side == side), key=lambda key: key.count)
        assert all(b.count - a.count > 0.25 for a, b in pairwise(falls)), "a foot arrives twice at once"
        steps = [key for key in falls if not key.pivot]
        end = (steps[-1].x, steps[-1].z) if steps else (sign * HOME_M, 0.0)
        assert np.allclose(end, (sign * HOME_M + figure.travel[0], figure.travel[1]), atol=0.1), "the feet do not end at home"
        assert abs((falls[-1].yaw if falls else 0.0) - figure.turn) < 0.2, "the feet do not end with the turn"
        assert not steps or steps[-1].height == 0


@pytest.mark.parametrize("style", list(STYLES))
def test_every_figure_is_danced(style):
    beats = song(TEMPO[style], 240)
    dance = choreograph(beats, beats[::4], (), style, seed=0)
    assert {move.text.split(":")[0].removesuffix(" (other side)") for move in dance.script.moves} == {f.name for f in STYLES[style].figures}


def test_same_seed_same_bytes_and_other_seed_other_dance():
    beats = song(110, 24)
    first, again, other = (choreograph(beats, beats[::4], (), "jazz", seed).motion for seed in (1, 1, 2))
    assert first.root.tobytes() == again.root.tobytes() and first.rotations.tobytes() == again.rotations.tobytes()
    assert np.abs(positions(first) - positions(other)).mean() > 0.05


@pytest.mark.parametrize("fps", [24, 30, 60])
@pytest.mark.parametrize("seconds", [1.0, 7.77, 20.0])
def test_length_is_exact(fps, seconds):
    beats = song(100, 20)
    assert len(choreograph(beats, beats[::4], (), "tap", 0, fps=fps, duration_s=seconds).motion) == round(seconds * fps)


def test_everything_is_finite_and_unit(danced):
    motion = danced[0].motion
    assert np.isfinite(motion.root).all() and np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1, atol=1e-5)


def test_feet_do_not_slide(danced):
    """Where an ankle or ball is within 3 cm of its standing height and does not rise or fall, it moves under 1 cm a frame (99 %)."""
    motion = danced[0].motion
    place = positions(motion).astype(float)
    moved = []
    for name, standing in (("left_ankle", 0.075), ("right_ankle", 0.075), ("left_foot", 0.02), ("right_foot", 0.02)):
        track = place[:, motion.skeleton.index(name)]
        step = np.diff(track, axis=0)
        down = (track[1:, 1] < standing + 0.03) & (np.abs(step[:, 1]) < 0.005)
        assert track[:, 1].min() > standing - 0.025, "a foot goes through the floor"
        moved.append(np.linalg.norm(step[down][:, [0, 2]], axis=-1))
    assert np.percentile(np.concatenate(moved), 99) < 0.01


def test_some_foot_carries_the_body(danced):
    """The pelvis stays within half a step of the feet, and one foot is nearly always on the floor."""
    motion = danced[0].motion
    place = positions(motion).astype(float)
    feet = place[:, [motion.skeleton.index("left_foot"), motion.skeleton.index("right_foot")]]
    assert (feet[..., 1].min(axis=1) < 0.06).mean() > 0.97
    away = np.linalg.norm(place[:, None, 0, [0, 2]] - feet[..., [0, 2]], axis=-1).min(axis=1)
    assert np.percentile(away, 99) < 0.40


def test_accents_fall_on_beats(danced):
    """A stop within 40 ms (and half a frame) of most beats, far more than under the same beats moved by a random time."""
    dance, beats = danced
    stops = stops_s(dance.motion)
    beats = beats[8:-4]

    def met(times: np.ndarray) -> float:
        return float((np.abs(times[:, None] - stops).min(axis=1) < 0.040 + 0.5 / dance.motion.fps).mean())

    rng = np.random.default_rng(0)
    null = [met((beats - beats[0] + rng.uniform(0, 60)) % (beats[-1] - beats[0]) + beats[0]) for _ in range(200)]
    assert met(beats) > 0.6
    assert met(beats) > np.mean(null) + 2 * np.std(null)
    assert met(beats) > np.max([met(beats + np.diff(beats).mean() * share) for share in (0.3, 0.7)])


def test_phrases_begin_on_every_second_bar(danced):
    dance, beats = danced
    starts = np.array([move.start_s for move in dance.script.moves])
    two_bars = 6 if dance.script.style.startswith("waltz") else 8
    per_phrase = [np.abs(starts - first).min() for first in beats[:-two_bars:two_bars]]
    assert np.max(per_phrase) < 1e-6
    assert np.max([np.abs(beats - start).min() for start in starts]) < 1e-6


def test_chorus_returns():
    beats = 0.5 * np.arange(65)
    dance = choreograph(beats, beats[::4], SECTIONS, "hip-hop", seed=3)

    def words(section):
        return [m.text for m in dance.script.moves if section.start_s <= m.start_s < section.end_s]

    verse, chorus, verse2, chorus2 = map(words, SECTIONS)
    assert chorus == chorus2 and verse == verse2 and chorus != verse
    local = dance.motion.rotations[:, 1:]
    one, two, none = (local[round(s.start_s * 30) + 15 : round(s.end_s * 30) - 15] for s in (SECTIONS[1], SECTIONS[3], SECTIONS[2]))
    assert np.abs(one - two).mean() < 0.5 * np.abs(one - none).mean()


def test_words_cover_the_dance_in_order(danced):
    dance, beats = danced
    moves = dance.script.moves
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(moves))
    assert moves[0].start_s == pytest.approx(beats[0]) and moves[-1].end_s <= 60 + 1e-9
    assert sum(m.end_s - m.start_s for m in moves) > 0.9 * (beats[-1] - beats[0])
    assert dance.script.style.split(":")[0] in STYLES


@pytest.mark.parametrize("style", list(STYLES))
def test_stays_on_the_stage(style):
    beats = song(TEMPO[style], 180)
    motion = choreograph(beats, beats[::4], (), style, seed=11).motion
    assert np.abs(positions(motion)[..., [0, 2]]).max() < 2.5 + 0.4
    assert np.abs(motion.root[:, [0, 2]]).max() < 2.5


def test_limbs_bend_as_people_do(danced):
    motion = danced[0].motion
    place = positions(motion).astype(float)
    at = {name: place[:, i] for i, name in enumerate(motion.skeleton.names)}

    def bend(a, b, c):
        u, v = at[b] - at[a], at[c] - at[b]
        return np.degrees(np.arccos(np.clip((u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1), -1, 1)))

    for side in ("left", "right"):
        knee = bend(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        elbow = bend(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        assert knee.min() > 2 and knee.max() < 150 and elbow.max() < 155
        middle = (at[f"{side}_hip"] + at[f"{side}_ankle"]) / 2
        ahead = at[f"{side}_foot"] - at[f"{side}_ankle"]
        forward = ((at[f"{side}_knee"] - middle)[:, [0, 2]] * ahead[:, [0, 2]]).sum(-1)
        assert (forward > 0).mean() > 0.99, "a knee bends backwards"
    assert (at["head"][:, 1] - at["pelvis"][:, 1]).min() > 0.3
    assert at["pelvis"][:, 1].min() > 0.55


def test_hands_stay_out_of_the_body(danced):
    """Wrists keep 9 cm from the line of the spine and from the head."""
    motion = danced[0].motion
    place = positions(motion).astype(float)
    index = motion.skeleton.index
    line = np.stack([place[:, index(name)] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")], axis=1)
    dense = np.concatenate([line[:, :-1] * (1 - u) + line[:, 1:] * u for u in (0.0, 0.33, 0.67)], axis=1)
    for wrist in ("left_wrist", "right_wrist"):
        near = np.linalg.norm(dense - place[:, index(wrist)][:, None], axis=-1).min(axis=1)
        assert np.percentile(near, 1) > 0.09


def test_moves_like_a_person(danced):
    """Mean joint speed of real dance (0.3 to 1.2 m/s), no joint faster than a thrown fist, never frozen for a second."""
    motion = danced[0].motion
    joints = speed(motion)
    assert 0.3 < joints.mean() < 1.2
    assert joints.max() < 9.5
    assert np.convolve(joints.mean(axis=1), np.ones(30) / 30, "valid").min() > 0.05


def test_energy_scales_the_movement():
    beats = song(110, 30)
    quiet, loud = (
        choreograph(beats, beats[::4], (), "locking", 4, energy=Features(np.full((900, 1), level, np.float32), 30, ("energy",)))
        for level in (0.0, 1.0)
    )
    assert speed(loud.motion).mean() > 1.2 * speed(quiet.motion).mean()


@pytest.mark.parametrize("meter", [3, 5, 7])
@pytest.mark.parametrize("bpm", [62, 175])
def test_odd_metres_and_extreme_tempi(meter, bpm):
    beats = song(bpm, 30)
    dance = choreograph(beats, beats[::meter], (), "jazz", seed=1)
    starts = np.array([m.start_s for m in dance.script.moves])
    assert np.abs(starts[:, None] - beats[:: 2 * meter][:2]).min(axis=0).max() < 1e-6 or bpm == 175
    assert speed(dance.motion).max() < 12


def test_music_without_beats_is_danced_slowly():
    dance = choreograph(np.empty(0), np.empty(0), (), "hip-hop", 0, duration_s=10)
    assert len(dance.motion) == 300 and speed(dance.motion).mean() > 0.15


def test_a_pick_up_and_sections_off_the_beat_are_taken():
    beats = song(120, 40, first_s=2.0)
    sections = (Section(0, 11.9, "a"), Section(11.9, 40, "b"))
    dance = choreograph(beats, beats[3::4], sections, "salsa", 0, duration_s=41)
    assert dance.script.moves[0].start_s == pytest.approx(beats[3])
    assert any(m.start_s == pytest.approx(beats[19]) for m in dance.script.moves)


def test_bad_requests_are_refused_in_one_line():
    beats = song(120, 10)
    for call in (
        lambda: choreograph(beats, beats[::4], (), "polka", 0),
        lambda: choreograph(beats, beats[::4], (), "tap", 0, duration_s=0),
        lambda: choreograph(np.empty(0), np.empty(0), (), "tap", 0),
    ):
        with pytest.raises(ChoreiaError) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.8])
def test_a_dance_too_short_for_a_step_still_stands(seconds):
    for style in STYLES:
        motion = choreograph(np.array([0.0]), np.array([0.0]), (), style, 0, duration_s=seconds).motion
        assert len(motion) >= 1 and np.all(np.isfinite(motion.root)) and np.all(np.isfinite(motion.rotations))


def test_a_hundred_times_real_time():
    """Of one core's time, so that a busy machine does not count."""
    beats = song(120, 180)
    began = time.process_time()
    motion = choreograph(beats, beats[::4], (), "hip-hop", 0).motion
    assert motion.duration_s / (time.process_time() - began) > 100


def test_curve_meets_its_keys_and_keeps_between_them():
    rng = np.random.default_rng(0)
    counts, values = np.cumsum(rng.uniform(0.2, 1, 30)), rng.normal(size=30)
    assert np.allclose(sample(counts, values, np.zeros(30), counts), values)
    at = np.linspace(counts[0] - 1, counts[-1] + 1, 4000)
    k = np.clip(np.searchsorted(counts, at) - 1, 0, 28)
    low, high = np.minimum(values[k], values[k + 1]), np.maximum(values[k], values[k + 1])
    curve = sample(counts, values, rng.uniform(0, 1, 30), at)
    assert np.all(curve >= low - 1e-9) and np.all(curve <= high + 1e-9)
