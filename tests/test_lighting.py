"""The rule-based lighting designer: cues where the music has its bounds, looks by material, light that answers the dancer."""

from dataclasses import fields, replace

import numpy as np
import pytest

from choreia.motion.energy import joint_speed
from choreia.motion.skeleton import choreia24
from choreia.stage import cues, looks
from choreia.stage.palettes import palette
from choreia.stage.safety import make_stage_safe
from choreia.synth.lighting import Wish, design
from choreia.synth.lighting_dancer import hits
from choreia.types import ZONES, Features, Motion, Music, RhythmEvents, Section, Style

BEAT_S = 0.5


def song(bars=32, beat_s=BEAT_S, plan=(("verse", 0.3), ("chorus", 0.9), ("verse", 0.3), ("chorus", 0.9)), meter=4, tail_s=2.0):
    """Equal sections of (material, energy), beats from 0 on."""
    beats = np.arange(bars * meter) * beat_s
    duration = bars * meter * beat_s + tail_s
    each = bars * meter * beat_s / len(plan)
    bounds = [*(each * k for k in range(len(plan))), duration]
    labels = [label for label, _ in plan]
    sections = tuple(Section(bounds[k], bounds[k + 1], label, labels[: k + 1].count(label)) for k, label in enumerate(labels))
    times = np.arange(round(duration * 30)) / 30
    energy = np.array([plan[min(int(time / each), len(plan) - 1)][1] for time in times])
    none = np.zeros(0)
    return Music(
        duration, beats, beats[::meter], beats[:: 2 * meter], np.full(len(beats), 60 / beat_s), meter, sections,
        RhythmEvents(none, none, none), Features(energy[:, None].astype(np.float32), 30.0, ("energy",)),
    )  # fmt: skip


def plain(duration_s, energy=0.5):
    """Music without a beat and without sections."""
    none = np.zeros(0)
    values = np.full((max(1, round(duration_s * 30)), 1), energy, np.float32)
    return Music(duration_s, none, none, none, none, 4, (), RhythmEvents(none, none, none), Features(values, 30.0, ("energy",)))


def dance(stops_s, duration_s, x_m=0.0, speeds=None):
    """A body that glides to and fro at a steady speed and stops dead at each time, for a third of a second, then goes on."""
    skeleton, frames = choreia24(), round(duration_s * 30)
    speed = np.full(frames, 1.0)
    for number, stop in enumerate(stops_s):
        first = round(stop * 30)
        before = 1.0 if speeds is None else speeds[number]
        speed[max(0, first - 12) : first] = before
        speed[first : first + 10] = 0.0
    direction = np.where((np.arange(frames) // 45) % 2 == 0, 1, -1)
    root = np.zeros((frames, 3))
    root[:, 1], root[:, 0], root[:, 2] = 0.95, x_m, np.cumsum(speed * direction) / 30
    rotations = np.zeros((frames, len(skeleton.names), 4))
    rotations[..., 0] = 1
    return Motion(skeleton, root, rotations, 30.0)


def same(one, other):
    return all(np.array_equal(getattr(one, column.name), getattr(other, column.name)) for column in fields(Style))


def level(stage):
    return stage.track.light.sum(axis=1)


def test_the_seed_decides_and_nothing_else():
    one, again, other = design(song(), seed=3), design(song(), seed=3), design(song(), seed=4)
    assert same(one.track, again.track) and [cue.label for cue in one.cues] == [cue.label for cue in again.cues]
    assert not same(one.track, other.track)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_material_has_the_same_look_and_others_another(seed):
    stage = design(song(), seed=seed)
    looks_of = {}
    for start, look in zip(stage.starts_s, stage.looks, strict=True):
        looks_of.setdefault("verse" if int(start // 16) % 2 == 0 else "chorus", set()).add(look)
    assert len(looks_of["verse"]) == len(looks_of["chorus"]) == 1 and looks_of["verse"] != looks_of["chorus"]


def test_the_chorus_is_brighter_than_the_verse():
    """Seconds 18 to 31 against 2 to 15."""
    light = level(design(song(), seed=0))
    assert light[540:930].mean() > 1.3 * light[60:450].mean()


@pytest.mark.parametrize(("beat_s", "meter"), [(0.5, 4), (0.37, 4), (0.6131, 3), (1.1, 4), (0.28, 4)])
def test_slices_start_on_bars_and_cues_on_beats(beat_s, meter):
    music = song(beat_s=beat_s, meter=meter)
    stage = design(music, seed=1)
    assert np.abs(stage.starts_s[:, None] - music.downbeats_s).min(axis=1).max() < 1e-9
    grid = np.arange(len(music.beats_s) + 8) * beat_s
    assert max(np.abs(grid - cue.time_s).min() for cue in stage.cues) < 1e-6
    assert len(stage.track) == round(music.duration_s * 30) and len(stage.starts_s) >= 4


def test_colours_change_at_slices_alone():
    """With every cue's fade in the past, hue and contrast of the track are those of the slice."""
    stage = design(song(), seed=2)
    for number, start in enumerate(stage.starts_s):
        last = [*stage.starts_s[1:], song().duration_s][number]
        rows = stage.track.rows(slice(round(last * 30) - 3, round(last * 30) - 2))
        turn = rows.hue[0] - stage.slices.hue[number]
        assert abs(np.sin(turn / 2)) < 1e-3, start


def test_between_pulses_the_track_is_what_the_cues_do():
    """Without a beat and with steady energy nothing lives but the swing of the beams: levels are those of the cues."""
    music = plain(40.0)
    stage = design(music, seed=5)
    played = cues.to_track(stage.cues, music.duration_s)
    assert np.allclose(stage.track.light, played.light, atol=1e-6) and np.array_equal(stage.track.hue, played.hue)


def test_dark_at_the_start_and_at_the_end():
    for music in (song(), plain(20.0), song(tail_s=0.4), song(bars=4, plan=(("a", 0.8),))):
        stage = design(music, seed=0)
        assert not stage.track.light[0].any() and not stage.track.light[-1].any(), music.duration_s
        assert stage.cues[-1].is_blackout and stage.track.light[len(stage.track) // 2].any()


def test_a_strong_ending_has_a_button_on_the_last_beat():
    loud, soft = design(song(), seed=0), design(song(plan=(("a", 0.6), ("b", 0.05))), seed=0)
    assert [cue.time_s for cue in loud.cues if cue.label.startswith("BUTTON")] == [pytest.approx(63.5)]
    assert not any(cue.label.startswith("BUTTON") for cue in soft.cues)


def test_a_wished_look_and_palette_are_used_throughout():
    wish = Wish(looks.look("gobo_forest"), palette("#ff0000,#0000ff"))
    stage = design(song(), seed=0, wish=wish)
    red, blue = wish.palette.hues
    assert set(stage.looks) == {"gobo_forest"}
    assert set(np.round(stage.slices.hue, 4)) <= set(np.round(np.float32([red, blue]), 4))


def test_a_stop_between_beats_is_answered():
    """Stops at 10.25 s and 12.75 s, a quarter of a second off every beat: the light jumps there with the dance and not without."""
    music = song(plan=(("a", 0.5),), bars=16)
    stops = [10.25, 12.75]
    with_dance, without = design(music, dance(stops, 32.0), seed=1), design(music, seed=1)
    for stop in stops:
        frame = round(stop * 30)
        jump = np.diff(level(with_dance))[frame - 2 : frame + 2].max()
        assert jump > 0.2 and np.diff(level(without))[frame - 2 : frame + 2].max() < 0.05


def test_another_dance_has_its_accents_elsewhere():
    music = song(plan=(("a", 0.5),), bars=16)
    one = design(music, dance([9.25, 11.75, 14.25], 32.0), seed=1)
    other = design(music, dance([10.25, 12.75, 15.25], 32.0), seed=1)
    for stage, stops, foreign in ((one, [9.25, 11.75], [10.25, 12.75]), (other, [10.25, 12.75], [9.25, 11.75])):
        rise = np.diff(level(stage))
        at = [rise[round(stop * 30) - 2 : round(stop * 30) + 2].max() for stop in stops]
        off = [rise[round(stop * 30) - 2 : round(stop * 30) + 2].max() for stop in foreign]
        assert min(at) > max(off) + 0.1


def test_the_size_of_a_stop_decides_the_size_of_the_light():
    """A curve that falls from 1 to 0 in two frames, and one from 0.4: the hits are 2.5 to 1."""
    speed = np.full(300, 0.0)
    for start, height in ((60, 1.0), (120, 1.0), (180, 0.4), (240, 1.0)):
        speed[start - 20 : start] = height * np.linspace(0, 1, 20)
    times, sizes = hits(speed, 30.0)
    assert times == pytest.approx(np.array([60, 120, 180, 240]) / 30, abs=0.05)
    assert sizes[2] / sizes[0] == pytest.approx(0.4, abs=0.02)
    assert not len(hits(np.zeros(300), 30.0)[0]) and not len(hits(np.ones(3), 30.0)[0])


def test_side_light_is_where_the_dancer_is():
    music = song(plan=(("a", 0.5),), bars=8)
    left, right = ZONES.index("side_left"), ZONES.index("side_right")
    there, mirrored = (design(music, dance([], 16.0, x_m=side), seed=0).track.light[200:400].mean(axis=0) for side in (3.0, -3.0))
    assert there[left] > there[right] + 0.1 and mirrored[right] > mirrored[left] + 0.1


def test_stillness_narrows_the_light():
    """A body that stands for the second half: the light there is well below that of the first half, the spot is up."""
    music = song(plan=(("a", 0.5),), bars=16)
    moves = dance([], 32.0)
    root = moves.root.copy()
    root[480:] = root[480]
    stage = design(music, replace(moves, root=root), seed=0, wish=Wish(look=looks.look("warm_wash")))
    first, second = stage.track.light[240:420].mean(axis=0), stage.track.light[600:900].mean(axis=0)
    assert second.sum() < 0.8 * first.sum() and second[ZONES.index("spot")] > first[ZONES.index("spot")]


def test_the_costume_stays_on():
    costume = design(song(), dance([3.0, 9.0], 60.0), seed=0).track.costume
    assert (costume == costume[0]).all()


@pytest.mark.parametrize("beat_s", [0.5, 0.35, 0.25])
def test_hardly_anything_is_unsafe(beat_s):
    """Beats at 120, 171 and 240 a minute with a dancer: no flash to smooth; at most the first and the last frames need light."""
    music = song(beat_s=beat_s)
    moves = dance(np.arange(2.1, music.duration_s - 3, 1.7), music.duration_s)
    for seed in range(2):
        stage = design(music, moves, seed=seed)
        _, changed = make_stage_safe(stage, joint_speed(moves).max(axis=1)[: len(stage.track)])
        assert all(one.what.startswith("side light") for one in changed) and len(changed) <= 3


@pytest.mark.parametrize("duration_s", [0.03, 1.0, 3.0, 600.0])
def test_any_length_without_beat_or_sections(duration_s):
    stage = design(plain(duration_s), seed=0)
    assert len(stage.track) == max(1, round(duration_s * 30)) and len(stage.starts_s) == 1 and len(stage.cues) >= 1


def test_silence_and_a_dance_shorter_or_longer_than_the_music():
    assert design(plain(5.0, energy=0.0), seed=0).track.light.max() > 0
    for seconds in (0.1, 3.0, 90.0):
        stage = design(song(bars=8), dance([1.0], seconds), seed=0)
        assert len(stage.track) == round(song(bars=8).duration_s * 30)


def test_sections_off_the_bar_go_to_it_and_doubles_vanish():
    """A bound 0.1 s late goes to the bar, one in mid-bar stays, two on one bar leave one slice."""
    music = song(bars=12, plan=(("a", 0.5),))
    bounds = (("a", 0.0, 8.1), ("b", 8.1, 8.2), ("c", 8.2, 15.2), ("d", 15.2, music.duration_s))
    given = replace(music, sections=tuple(Section(start, end, label) for label, start, end in bounds))
    assert {0.0, 8.0, 15.2} <= set(np.round(design(given, seed=0).starts_s, 6)) and 8.2 not in design(given, seed=0).starts_s


def test_a_strobe_keeps_under_two_a_second_and_comes_once():
    """A climax at 170 beats a minute."""
    stage = design(song(beat_s=60 / 170, plan=(("verse", 0.2), ("chorus", 1.0))), seed=0)
    rates = [cue.strobe_hz for cue in stage.cues if cue.strobe_hz]
    assert rates == [pytest.approx(170 / 60 / 2)]
    assert stage.track.strobe_hz.max() <= 2


@pytest.mark.parametrize("left_s", [0.02, 0.045, 0.08, 0.3])
def test_a_last_section_of_hardly_a_frame(left_s):
    """Its start lies after the last frame, or just before it: it is dropped, or has a slice."""
    music = plain(5.0 + 0.4 / 30)
    bound = music.duration_s - left_s
    given = replace(music, sections=(Section(0.0, bound, "a"), Section(bound, music.duration_s, "b")))
    assert len(design(given, dance([1.0], 5.0), seed=0).starts_s) == (2 if left_s > 2 / 30 else 1)
