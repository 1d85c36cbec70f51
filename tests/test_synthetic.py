"""Laws of the synthetic corpus: exact moves in the shards, decks that favour no figure, other styles' figures mixed in."""

import json
import tarfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from choreia.data.pairing import GENRES
from choreia.data.shards import Labels, MusicTrack, Sample, mirrored, read_shard, write_shard
from choreia.data.synthetic import cards, make_sample
from choreia.motion.skeleton import choreia24
from choreia.synth.choreographer import plan
from choreia.synth.counting import count_out
from choreia.synth.genres import GENRES as MUSIC
from choreia.synth.moves import STYLES
from choreia.synth.repertoire import find, name_in
from choreia.types import Motion

MOVES = ((0.5, 2.5, "arm wave: a wave"), (2.5, 4.5, "arm wave (other side): a wave"))


def sample(**labels) -> Sample:
    still = Motion(choreia24(), np.zeros((30, 3), np.float32), np.tile(np.float32([1, 0, 0, 0]), (30, 24, 1)), 30.0)
    track = MusicTrack(np.zeros((30, 24), np.float32), np.arange(3.0), np.arange(1.0))
    known = Labels("a", "train", "popping", True, "words", "here", "ours", "p", "synthetic", 1.0, ("funk",))
    return Sample(replace(known, **labels), still, np.zeros((30, 4), np.float32), None, (track,))


def test_moves_survive_the_shard(tmp_path):
    write_shard(tmp_path / "a.tar", [sample(moves=MOVES)])
    (read,) = read_shard(tmp_path / "a.tar")
    assert read.labels == sample(moves=MOVES).labels


def test_shards_without_moves_still_read(tmp_path):
    write_shard(tmp_path / "a.tar", [sample()])
    with tarfile.open(tmp_path / "a.tar") as new, tarfile.open(tmp_path / "old.tar", "w") as old:
        for entry in new:
            content = new.extractfile(entry).read()
            if entry.name.endswith(".json"):
                fields = json.loads(content)
                del fields["moves"]
                content = json.dumps(fields).encode()
            path = tmp_path / "member"
            path.write_bytes(content)
            old.add(path, entry.name)
    (read,) = read_shard(tmp_path / "old.tar")
    assert read.labels.moves == ()


def test_the_mirror_image_dances_the_other_side():
    turned = mirrored(sample(moves=MOVES)).labels.moves
    assert [text for _, _, text in turned] == [MOVES[1][2], MOVES[0][2]]
    assert mirrored(mirrored(sample(moves=MOVES))).labels.moves == MOVES


def songs(seed: int, count: int):
    """Style and phrases of every song of a corpus, on an even grid at the middle tempo of the style's first genre."""
    for number in range(count):
        style = list(STYLES.values())[number % len(STYLES)]
        beats = np.arange(0.1, 38.5, 60 / np.mean(MUSIC[GENRES[style.name][0]].bpm))
        yield style, plan(count_out(beats, beats[:: style.metre], style), (), style, 40.0, None, cards(number, seed), number)


def test_decks_favour_no_figure():
    """Over five songs of every style, each figure is danced in its own style at least half as often as any other, and in others too."""
    own, foreign = Counter(), Counter()
    for style, phrases in songs(0, 5 * len(STYLES)):
        for phrase in phrases:
            for figure, _ in phrase.asked:
                (own if figure in style.figures else foreign)[figure] += 1
    for style in STYLES.values():
        times = [own[figure] for figure in style.figures]
        assert 2 * min(times) >= max(times), style.name
    assert len(foreign) > 0.9 * sum(len(style.figures) for style in STYLES.values())


def test_a_third_of_the_cards_is_from_other_styles():
    dealt = [figure not in style.figures for style, phrases in songs(1, 36) for phrase in phrases for figure, _ in phrase.asked]
    assert np.mean(dealt) == pytest.approx(1 / 3, abs=0.04)


def test_decks_depend_on_the_seed_alone():
    assert cards(7, 0) == cards(7, 0) != cards(7, 1)


def test_every_style_has_music():
    assert set(STYLES) <= set(GENRES) and all(set(genres) <= set(MUSIC) for genres in GENRES.values())


def test_a_waltz_is_made_in_three_and_says_what_it_dances():
    made = make_sample(list(STYLES).index("waltz"), 0, "train")
    track, moves = made.music[0], made.labels.moves
    assert made.labels.style == "waltz" and np.array_equal(track.downbeats_s, track.beats_s[::3])
    assert all(a < b <= made.labels.seconds + 1e-6 for a, b, _ in moves)
    assert all(find(text, "waltz")[0].name == name_in(text) for _, _, text in moves)
    covered = sum(b - a for a, b, _ in moves)
    assert covered > 0.9 * (track.beats_s[-1] - track.beats_s[0])
