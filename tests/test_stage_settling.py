"""A network's track made playable: what stood still stands still again, scenes change where they did, accents stay where they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choreia.stage import looks, style
from choreia.stage.settling import bounds, drawn, settled, staged
from choreia.stage.style import from_vector, to_vector
from choreia.types import Features, Music, RhythmEvents, Section, Style


def song(bars: int = 16, sections: tuple[float, ...] = (0.0, 16.0)) -> Music:
    """Bars of 2 s at 120 BPM."""
    beats = np.arange(4 * bars) / 2.0
    ends = (*sections[1:], 2.0 * bars)
    parts = tuple(Section(start, end, f"{k}") for k, (start, end) in enumerate(zip(sections, ends, strict=True)))
    energy = Features(np.full((60 * bars, 1), 0.5, np.float32), 30.0, ("energy",))
    return Music(
        2.0 * bars, beats, beats[::4], beats[::8], np.full(len(beats), 120.0), 4, parts, RhythmEvents(beats, beats[:0], beats[:0]), energy
    )


def shown(*names: str, bars: int) -> Style:
    """Looks at rest, each for `bars` bars of 2 s."""
    return style.join([style.repeat(looks.rest(looks.look(name), np.array([0.5])), 60 * bars) for name in names])


def trembling(track: Style, size: float, seed: int = 0) -> Style:
    vector = to_vector(track)
    return from_vector(vector + np.random.default_rng(seed).normal(0, size, vector.shape).astype(np.float32))


def test_scenes_are_found_where_looks_change_and_named_by_them():
    stage = staged(shown("warm_wash", "neon_pulse", bars=8), song())
    assert stage.looks == ("warm_wash", "neon_pulse")
    assert stage.starts_s.tolist() == [0.0, 16.0]
    assert [cue.time_s for cue in stage.cues] == [0.0, 16.0]


def test_trembling_is_no_change():
    still = shown("side_dance", "gala_finale", bars=8)
    stage = staged(trembling(still, 0.01), song())
    assert stage.starts_s.tolist() == [0.0, 16.0] and stage.looks == ("side_dance", "gala_finale")
    for field in ("hue", "texture", "costume"):
        value = getattr(stage.track, field)
        assert np.ptp(value[:480], axis=0).max() == 0 and np.ptp(value[480:], axis=0).max() == 0
    inside = np.abs(np.diff(stage.track.light[60:420], axis=0)).max()
    assert inside < 0.01 < np.abs(np.diff(trembling(still, 0.01).light[60:420], axis=0)).max()


def test_an_accent_stays_on_its_beat():
    rest = shown("side_dance", bars=8)
    light = rest.light.copy()
    light[300:312, 10] += np.linspace(0.5, 0, 12)  # 10 s, a beat
    line = drawn(replace(rest, light=light), song(8, (0.0,)))
    assert np.argmax(line.light[:, 10]) == pytest.approx(300, abs=1)
    assert line.light[300, 10] - rest.light[300, 10] == pytest.approx(0.5, abs=0.05)
    assert np.abs(line.light[320:470] - rest.light[320:470]).max() < 1e-6


def test_a_hue_is_averaged_on_its_circle():
    track = shown("warm_wash", bars=2)
    around = replace(track, hue=np.where(np.arange(120) % 2, np.pi - 0.1, -np.pi + 0.1).astype(np.float32))
    calm, _ = settled(around, np.array([0.0]))
    assert np.abs(np.abs(calm.hue) - np.pi).max() < 0.01


def test_bounds_are_bars_and_sections_or_every_two_seconds():
    assert bounds(song(4, (0.0, 3.0))).tolist() == [0.0, 2.0, 3.0, 4.0, 6.0]
    free = replace(song(4, (0.0,)), beats_s=np.zeros(0), downbeats_s=np.zeros(0))
    assert bounds(free).tolist() == [0.0, 2.0, 4.0, 6.0]


def test_one_frame_is_a_stage():
    stage = staged(shown("solo_spot", bars=1).rows(slice(0, 1)), song(1, (0.0,)))
    assert len(stage.track) == 1 and stage.looks == ("solo_spot",)


@pytest.mark.parametrize("name", looks.LOOKS)
def test_every_look_is_nearest_to_itself_in_any_colours(name):
    rest = looks.rest(looks.look(name), np.linspace(0, 1, 7))
    assert looks.nearest(replace(rest, hue=rest.hue + 2, contrast=rest.contrast - 1)) == (name,) * 7
