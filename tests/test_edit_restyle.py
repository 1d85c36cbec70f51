"""Laws of restyling, on a small tokenizer that was never trained: which codes are kept, what is aimed at, what stays to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.edit import exchange
from choreia.edit import restyle as restyling
from choreia.edit.exchange import PLAIN, WAYS, Way, adapted, exchanged, mixed
from choreia.edit.history import spliced
from choreia.edit.parts import joints_of
from choreia.edit.region import Region
from choreia.edit.restyle import filled, in_style, restyle
from choreia.errors import ChoreiaError
from choreia.models.dancemeld.codec import Codec, Codes
from choreia.models.dancemeld.config import TINY
from choreia.models.dancemeld.tokenizer import build_tokenizer
from choreia.motion.beats import kinetic_beats
from choreia.motion.skeleton import choreia24
from choreia.synth.choreographer import choreograph
from choreia.types import Features, Motion, Music, RhythmEvents, Skeleton

SECONDS, REGION = 8.0, Region(((2.0, 6.0),))
START, STOP = 60, 180


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    config = replace(TINY.tokenizer, width=24, fine_width=16)
    tensors = {f"tokenizer.{name}": value for name, value in build_tokenizer(config).state_dict().items()}
    return Codec(config, tensors | {"mean": torch.zeros(152), "std": torch.ones(152)})


def dance(style, seed=1, seconds=SECONDS):
    beats = np.arange(0.0, seconds, 0.5)
    return choreograph(beats, beats[::4], (), style, seed=seed, duration_s=seconds).motion


@pytest.fixture(scope="module")
def krump():
    return dance("krump")


@pytest.fixture(scope="module")
def waltz():
    return dance("waltz", seed=2)


def song(beat_s=0.5, seconds=SECONDS):
    beats, none = np.arange(0.0, seconds, beat_s), np.zeros(0)
    level = Features(np.ones((2, 1), np.float32), 2 / seconds, ("level",))
    return Music(seconds, beats, beats[::4], beats[::8], np.full(len(beats), 60 / beat_s), 4, (), RhythmEvents(none, none, none), level)


def codes(seed, levels=(4, 1), tokens=6):
    rng = np.random.default_rng(seed)
    return Codes(rng.integers(64, size=(tokens, levels[0])), rng.integers(32, size=(tokens // 2, levels[1])))


def of(codec, motion):
    return codec.codes(codec.encode(motion))


# ------------------------------------------------------------------------------------------------------------------- codes


def test_of_each_dance_the_codes_that_are_asked_for():
    one, other = codes(1), codes(2)
    movement = mixed(one, other, "top")
    assert movement.top.tolist() == one.top.tolist() and movement.bottom.tolist() == other.bottom.tolist()
    poses = mixed(one, other, "bottom")
    assert poses.top.tolist() == other.top.tolist() and poses.bottom.tolist() == one.bottom.tolist()
    coarse = mixed(one, other, "bottom", levels=1)
    assert coarse.bottom[:, 0].tolist() == one.bottom[:, 0].tolist() and coarse.bottom[:, 1:].tolist() == other.bottom[:, 1:].tolist()


@pytest.mark.parametrize("keep", WAYS)
def test_a_dance_exchanged_with_itself_is_the_dance_rebuilt(codec, krump, keep):
    made = exchanged(codec, krump, krump, keep, PLAIN)
    values = codec.decode(codec.encode(krump))
    rebuilt = exchange.Heading152.decode(values[: len(krump)], 30.0)
    assert len(made) == len(krump) and np.abs(made.rotations - rebuilt.rotations).max() < 1e-5
    assert np.abs(made.root - rebuilt.root).max() < 1e-4


@pytest.mark.parametrize("keep", WAYS)
def test_adapting_leaves_what_is_kept_and_all_top_codes(codec, krump, waltz, keep):
    kept, given = of(codec, krump), of(codec, waltz)
    start = mixed(kept, given, keep, WAYS[keep].levels)
    found = adapted(codec, start, kept, given, keep, replace(WAYS[keep], steps=1))
    assert found.top.tolist() == (kept if keep == "top" else given).top.tolist()
    held = WAYS[keep].levels if keep == "bottom" else 0
    assert found.bottom[:, :held].tolist() == kept.bottom[:, :held].tolist()
    assert found.bottom.shape == kept.bottom.shape and (found.bottom != start.bottom).any()


def test_adapting_brings_the_kept_codes_back(codec, krump, waltz):
    """Encoded again, the movement is more often the one that was kept than when codes are only exchanged."""
    kept, given = of(codec, krump), of(codec, waltz)

    def agreement(way):
        start = mixed(kept, given, "top")
        found = adapted(codec, start, kept, given, "top", way) if way.steps else start
        values = torch.from_numpy(exchange.decoded(codec, found))[None]
        with torch.inference_mode():
            rows = codec.tokenizer.latents(values).top[0]
            odds = -(rows[:, None] - codec.tokenizer.quantize_top.codebooks[0].vectors).square().sum(-1)
            return float(odds.log_softmax(1).gather(1, torch.from_numpy(kept.top[:, :1])).mean())

    assert agreement(Way(0, steps=25, size=0.3)) > agreement(PLAIN) + 1e-3


def test_statistics_know_place_and_size_but_not_order():
    track = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (90, 5)))

    def cost(other):
        return float(exchange.unlike([exchange.statistics(other)], [exchange.statistics(track)]))

    assert cost(track) == 0 == pytest.approx(cost(track.flip(0)), abs=1e-12)
    variance, apart = float(track.var(0, correction=0).sum()), torch.full((5,), 0.5)
    assert cost(track + apart) == pytest.approx(5 * 0.25 / variance)  # the mean alone moves
    mean = track.mean(0)
    assert cost(mean + 2 * (track - mean)) == pytest.approx(9)  # (4 C - C)^2 is 9 C^2


def test_what_is_held_is_taken_out_before_the_rest_is_quantised(codec):
    quantizer = codec.tokenizer.quantize_bottom
    books = [book.vectors for book in quantizer.codebooks]
    held = np.array([[3], [7]])
    rows = books[0][[3, 7]] + books[1][[5, 1]]
    found = exchange._quantised(quantizer, rows, held)
    assert found[:, :2].tolist() == [[3, 5], [7, 1]]


# ------------------------------------------------------------------------------------------------------------------ dances


@pytest.mark.parametrize("keep", WAYS)
def test_nothing_outside_changes_and_the_length_stays(codec, krump, waltz, keep):
    splices = restyle(krump, song(), REGION, waltz, keep=keep, codec=codec, way=PLAIN)
    made = spliced(krump, splices)
    outside = np.r_[0:START, STOP : len(krump)]
    assert [(one.start, one.stop, len(one)) for one in splices] == [(START, STOP, STOP - START)]
    assert len(made) == len(krump) and made.root.dtype == krump.root.dtype and made.rotations.dtype == krump.rotations.dtype
    assert made.root[outside].tobytes() == krump.root[outside].tobytes()
    assert made.rotations[outside].tobytes() == krump.rotations[outside].tobytes()
    assert np.abs(made.rotations[START:STOP] - krump.rotations[START:STOP]).max() > 1e-3


def test_parts_leave_the_rest_of_the_body(codec, krump, waltz):
    arms = joints_of(("arms",), krump.skeleton)
    (splice,) = restyle(krump, None, replace(REGION, parts=("arms",)), waltz, codec=codec, way=PLAIN)
    assert splice.root.tobytes() == krump.root[START:STOP].tobytes()
    assert splice.rotations[:, ~arms].tobytes() == krump.rotations[START:STOP][:, ~arms].tobytes()
    assert np.abs(splice.rotations[:, arms] - krump.rotations[START:STOP][:, arms]).max() > 1e-3


def test_the_same_bytes_again_and_another_dance_for_another_seed(codec, krump):
    way = replace(WAYS["top"], steps=1)
    made = [restyle(krump, song(), REGION, "waltz", keep="top", seed=seed, codec=codec, way=way)[0] for seed in (3, 3, 4)]
    assert made[0].root.tobytes() == made[1].root.tobytes() and made[0].rotations.tobytes() == made[1].rotations.tobytes()
    assert made[0].rotations.tobytes() != made[2].rotations.tobytes()


def test_the_source_decides_the_codes_that_are_not_kept(codec, krump, waltz, monkeypatch):
    seen = []
    monkeypatch.setattr(restyling, "exchanged", lambda codec, kept, given, keep, way: seen.append((kept, given)) or given)
    restyle(krump, None, REGION, waltz, codec=codec)
    ((kept, given),) = seen
    assert kept.rotations.tobytes() == krump.rotations[START:STOP].tobytes()
    assert given.rotations.tobytes() == waltz.rotations[: STOP - START].tobytes()


def test_a_style_is_danced_to_the_beats_of_the_region():
    made = in_style("krump", song(), 75, 150, seed=5)
    beats = np.arange(0.0, 5.0, 0.5)  # frame 75 is the sixth beat, and the second after a downbeat at 2 s is at 4 s
    expected = choreograph([*beats.tolist(), 5.0], [1.5, 3.5], (), "krump", 5, duration_s=5.0).motion
    assert len(made) == 150 and made.rotations.tobytes() == expected.rotations.tobytes()


def test_a_style_that_only_the_model_knows_is_danced_by_it(monkeypatch, krump):
    calls = []

    class Model:
        styles = ("party",)

        def dance(self, features, style, seed):
            calls.append((features[:, 0].tolist(), style, seed))
            return krump

    monkeypatch.setattr(restyling, "load", Model)
    heard = replace(song(), features={"dance": Features(np.arange(100, dtype=np.float32)[:, None], 30.0, ("count",))})
    assert len(in_style("party", heard, 70, 60, seed=2)) == 60
    assert calls == [([*range(70, 100), *[99.0] * 30], "party", 2)]
    with pytest.raises(ChoreiaError, match="analyse the song"):
        in_style("party", song(), 70, 60, seed=2)


def test_a_short_source_goes_round_and_a_source_is_put_on_the_beat(waltz):
    short = waltz.slice(0, 50)
    made = filled(short, 120, np.zeros(0))
    assert len(made) == 120 and np.isfinite(made.root).all()
    assert filled(waltz, 90, np.zeros(0)).rotations.tobytes() == waltz.rotations[:90].tobytes()
    own = kinetic_beats(waltz)
    beats = np.arange(0.1, 8.0, float(np.median(np.diff(own))))

    def away(motion):
        return np.abs(kinetic_beats(motion)[:, None] - beats).min(axis=1).mean()

    assert away(filled(waltz, len(waltz), beats)) < away(waltz)


def test_what_cannot_be_restyled_is_said_in_one_line(codec, krump, waltz):
    other = Motion(Skeleton(("hip",), (-1,), np.zeros((1, 3), np.float32)), waltz.root, waltz.rotations[:, :1], 30.0)
    cases = {
        "keep bottom": (krump, REGION, waltz, "middle"),
        "unknown style 'minuet'": (krump, REGION, "minuet", "top"),
        "another skeleton": (krump, REGION, other, "top"),
        "too short to take a style from": (krump, REGION, waltz.slice(0, 20), "top"),
        "too short for a style": (krump, Region(((2.0, 2.5),)), waltz, "top"),
        "choreia-24 at 30": (Motion(choreia24(), krump.root, krump.rotations, 60.0), REGION, waltz, "top"),
        "past the end": (krump, Region(((2.0, 60.0),)), waltz, "top"),
    }
    for words, (motion, region, source, keep) in cases.items():
        with pytest.raises(ChoreiaError, match=words) as raised:
            restyle(motion, song(), region, source, keep=keep, codec=codec)
        assert "\n" not in str(raised.value)
    with pytest.raises(ChoreiaError, match="as many of both"):
        exchanged(codec, krump, waltz.slice(0, 30), "top")
