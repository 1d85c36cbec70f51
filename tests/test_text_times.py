"""Times as dancers say them, found in a song of two-second bars whose every bar, beat and 8-count can be worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.text.places import clock_text, resolve
from choreia.text.times import parse
from choreia.types import Features, Music, RhythmEvents, Section

EMPTY = np.zeros(0)
FORM = (("intro", 8), ("verse", 16), ("chorus", 16), ("verse", 8), ("chorus", 16), ("bridge", 8), ("chorus", 8))


def song(bpm: float = 120.0, meter: int = 4, beat: bool = True, form=FORM) -> Music:
    """80 s: at 120 BPM in four, bar n begins at 2 (n - 1) s and 8-count n at 4 (n - 1) s."""
    at, seen, sections = 0.0, dict[str, int](), []
    for label, seconds in form:
        seen[label] = seen.get(label, 0) + 1
        sections.append(Section(at, at + seconds, label, seen[label]))
        at += seconds
    beats = np.arange(0, at, 60 / bpm) if beat else EMPTY
    energy = Features(np.full((int(at * 30), 1), 0.5, np.float32), 30, ("energy",))
    events = RhythmEvents(EMPTY, EMPTY, EMPTY)
    return Music(at, beats, beats[::meter], beats[:: 2 * meter], np.full(len(beats), bpm), meter, tuple(sections), events, energy)


def places(text: str, music: Music | None = None) -> list[tuple[float, float]]:
    return [(round(a, 6), round(b, 6)) for a, b in resolve(parse(text), music or song()).stretches]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.5 s", (12.5, 16.5)),
        ("0:30", (30, 34)),
        ("1:02.5", (62.5, 66.5)),
        ("second 12", (12, 16)),
        ("1 min 5 s", (65, 69)),
        ("0:30-0:45", (30, 45)),
        ("between 0:10 and 0:20", (10, 20)),
        ("10-20s", (10, 20)),
        ("from 12 to 20 seconds", (12, 20)),
        ("0:30 for 8 counts", (30, 34)),
        ("at 0:30 for two 8-counts", (30, 38)),
        ("bar 9 for 3 bars", (16, 22)),
        ("after 30 seconds", (30, 34)),
        ("beat 5", (2, 2.5)),
        ("beats 1..8", (0, 4)),
        ("bars 9–12", (16, 24)),
        ("Bars 9-12", (16, 24)),
        ("bars 9 — 12", (16, 24)),
        ("from bar 9 to 12", (16, 24)),
        ("bar nine to bar twelve", (16, 24)),
        ("measures 9 through 12", (16, 24)),
        ("the third bar", (4, 6)),
        ("eight 3", (8, 12)),
        ("8-count 3-4", (8, 16)),
        ("the last 8-count", (76, 80)),
        ("counts 5-8 of eight 3", (10, 12)),
        ("eight 3, counts 5-8", (10, 12)),
        ("counts 9-16", (4, 8)),
        ("chorus 2", (48, 64)),
        ("the last chorus", (72, 80)),
        ("second verse", (40, 48)),
        ("section 2", (8, 24)),
        ("bars 1-2 of the bridge", (64, 68)),
        ("second half of chorus 1", (32, 40)),
        ("last 8 bars", (64, 80)),
        ("first 16 counts", (0, 8)),
        ("last 10 seconds", (70, 80)),
        ("from bar 37", (72, 80)),
        ("until bar 3", (0, 4)),
        ("after the second verse", (48, 52)),
        ("before the bridge", (60, 64)),
        ("start", (0, 4)),
        ("end", (76, 80)),
        ("middle", (38, 42)),
        ("whole song", (0, 80)),
        ("from the start to bar 8", (0, 16)),
        ("bar 33 to the end", (64, 80)),
    ],
)
def test_a_time_lies_where_counting_by_hand_puts_it(text, expected):
    assert places(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chorus", [(24, 40), (48, 64), (72, 80)]),
        ("every chorus", [(24, 40), (48, 64), (72, 80)]),
        ("chorus 1 and 3", [(24, 40), (72, 80)]),
        ("choruses 1-2", [(24, 40), (48, 64)]),
        ("every other chorus", [(24, 40), (72, 80)]),
        ("bars 1-4 and 9", [(0, 8), (16, 18)]),
        ("every 20th bar", [(38, 40), (78, 80)]),
    ],
)
def test_a_time_that_names_several_places_has_them_all(text, expected):
    assert places(text) == expected


def test_the_last_bar_belongs_to_a_range_in_a_waltz_too():
    waltz = song(bpm=180, meter=3)
    assert places("bars 2-3", waltz) == [(1, 3)]
    assert places("eight 2", waltz) == [(2, 4)]


def test_a_range_is_the_union_of_its_bars():
    for first, last in ((1, 1), (3, 7), (39, 40)):
        bars = [places(f"bar {n}")[0] for n in range(first, last + 1)]
        assert places(f"bars {first}-{last}") == [(bars[0][0], bars[-1][1])]
        assert all(a[1] == b[0] for a, b in pairwise(bars))


def test_other_names_of_sections_are_read_sensibly_and_said_so():
    for word, label in (("drop", "chorus"), ("refrain", "chorus"), ("solo", "bridge"), ("pre-chorus", "bridge")):
        place = resolve(parse(f"the {word}"), song())
        assert list(place.stretches) == [(s.start_s, s.end_s) for s in song().sections if s.label == label]
        assert f"read as {label}" in place.notes[0]
    assert places("outro") == [(72, 80)]
    assert "outro, read as chorus" in resolve(parse("outro"), song()).notes[0]


def test_a_song_in_which_nothing_returns_has_its_loudest_part_for_chorus():
    music = song(form=(("verse", 8), ("part C", 8), ("bridge", 8)))
    music.energy.values[:] = np.repeat([0.2, 0.9, 0.4], 240)[:, None]
    assert places("chorus", music) == [(8, 16)]
    assert places("part C", music) == [(8, 16)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bar 41", "the song has 40 bars"),
        ("bars 9-90", "bar 90 is past the end"),
        ("1:30", "past the end"),
        ("1:19 for 8 bars", "past the end"),
        ("bars 12-9", "swap"),
        ("0:30-0:30", "swap"),
        ("bar 0", "count from 1"),
        ("bar 2.5", "whole number"),
        ("chorus 4", "this song has 3 of chorus"),
        ("breakdown of verse 1", "it has intro, verse (2 times), chorus (3 times), bridge"),
        ("part x", "it has intro, verse (2 times), chorus (3 times), bridge"),
        ("for 8 counts", "how long, not when"),
        ("counts 7-12 of eight 2", "that part has 8 counts"),
    ],
)
def test_a_time_that_the_song_does_not_have_is_one_line(text, words):
    with pytest.raises(ChoreiaError) as caught:
        resolve(parse(text), song())
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "soon", "bar", "nine", "arm wave", "bars 9-12: stomp", "2024-01-01"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ChoreiaError, match="is not a time"):
        parse(text)


def test_music_without_a_beat_has_seconds_and_sections_but_no_bars():
    still = song(beat=False)
    assert places("0:30-0:45", still) == [(30, 45)]
    assert places("chorus 2", still) == [(48, 64)]
    assert places("0:30", still) == [(30, 34)]
    for text in ("bars 9-12", "eight 3", "beats 1-8", "0:30 for 8 counts"):
        with pytest.raises(ChoreiaError, match="no beat was found"):
            resolve(parse(text), still)


def test_bars_follow_a_tempo_that_changes():
    beats = np.concatenate([np.arange(0, 16, 0.5), np.arange(16, 40, 0.75)])
    steady = song(form=(("verse", 40),))
    music = Music(40.0, beats, beats[::4], beats[::8], np.ones(len(beats)), 4, steady.sections, steady.events, steady.energy)
    assert places("bars 9-10", music) == [(16, 22)]


def test_clock_text():
    assert [clock_text(t) for t in (0, 9.96, 61.25, 3599.99)] == ["0:00.0", "0:10.0", "1:01.2", "60:00.0"]
