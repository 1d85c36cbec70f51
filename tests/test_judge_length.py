"""Laws of the judge of long dances and of what they cost: drift is told from chance, a broken join is found, arithmetic by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from choreia.errors import ChoreiaError
from choreia.motion import rotations as rot
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.pipelines import bench, judge_length
from choreia.pipelines.choreograph import choreograph_song
from choreia.pipelines.dancers import dancer
from choreia.pipelines.judge_length import CLIPS, MARGIN_S, Course, Entrant
from choreia.types import Features, Motion, Music, RhythmEvents, Section

MINUTES = 6
FRAMES = 30 * int(60 * MINUTES + 2 * MARGIN_S)
LABELS = ["verse"] * CLIPS * MINUTES


def noise(seed: int, size: np.ndarray | float = 0.3) -> Motion:
    """Every joint turns by smooth noise of one kind from beginning to end, `size` rad (T,) or one number."""
    drawn = gaussian_filter1d(np.random.default_rng(seed).standard_normal((FRAMES, 24, 3)), 6, axis=0, mode="wrap")
    turns = drawn / drawn.std() * np.reshape(size, (-1, 1, 1))
    root = np.tile([0.0, STANDING_HEIGHT_M, 0.0], (FRAMES, 1)).astype(np.float32)
    return Motion(choreia24(), root, rot.expmap_to_quaternion(torch.from_numpy(np.float32(turns))).numpy(), 30.0)


def rows(motions: list[Motion]) -> dict[str, dict]:
    return {row["measure"]: row for row in judge_length.judged("x", [judge_length.courses(motion, LABELS) for motion in motions])}


@pytest.fixture(scope="module")
def steady():
    return [noise(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def measured(steady):
    """Rows of them."""
    return rows(steady)


# ------------------------------------------------------------------------------------------------------------------- drift


def test_movement_of_one_kind_does_not_drift(measured):
    for measure, row in measured.items():
        assert row["last / first"]["value"] == pytest.approx(1, abs=0.15), measure
        assert row["trend"]["low"] < 1 < row["trend"]["high"] and row["like sections"]["low"] < 1 < row["like sections"]["high"]
        assert row["kept"] != "no" and 1 < row["chance"] < 1.25
    assert measured["joint speed"]["kept"] == "yes"


def test_a_dance_that_fades_to_stillness_drifts():
    """Halved every minute: a thirty-second of the movement is left after five, and none of that is chance."""
    fading = 0.3 * 0.5 ** (np.arange(FRAMES) / 1800)
    found = rows([noise(seed, fading) for seed in range(2)])
    speed = found["joint speed"]
    assert speed["last / first"]["value"] == pytest.approx(1 / 32, rel=0.2) and speed["trend"]["value"] == pytest.approx(1 / 32, rel=0.2)
    assert speed["like sections"]["value"] == pytest.approx(1 / 16, rel=0.2)
    assert speed["kept"] == found["diversity"]["kept"] == "no" and speed["chance"] < 1.3


def test_a_last_minute_of_stillness_is_drift_that_the_minutes_before_do_not_explain(steady):
    still = replace(steady[0], rotations=steady[0].rotations.copy())
    still.rotations[-30 * int(60 + MARGIN_S) :] = still.rotations[0]
    row = rows([still])["joint speed"]
    assert row["last / first"]["value"] < 0.01 and row["chance"] < 1.3
    assert row["kept"] is None  # one dance decides nothing


def test_always_the_same_movement_has_no_diversity():
    """The last two minutes dance one clip of five seconds again and again: as lively, but one thing."""
    once = noise(0)
    start, clip = 30 * int(MARGIN_S + 240), 150
    once.rotations[start:] = np.tile(once.rotations[start : start + clip], (len(once) // clip, 1, 1))[: FRAMES - start]
    found = rows([once])
    assert found["diversity"]["last / first"]["value"] < 0.1
    assert found["joint speed"]["last / first"]["value"] == pytest.approx(1, abs=0.15)


def test_feet_that_begin_to_slide_are_seen(steady):
    """A statue stands for five minutes and glides at 0.6 m/s through the last."""
    statue = replace(steady[0], root=steady[0].root.copy(), rotations=np.tile(np.float32([1, 0, 0, 0]), (FRAMES, 24, 1)))
    statue.root[:, 0] += 0.6 * np.maximum(np.arange(FRAMES) / 30 - MARGIN_S - 300, 0)
    row = rows([statue])["foot slide share"]
    assert row["minute 1"] == pytest.approx(0.001) and row["last minute"] == pytest.approx(1, abs=0.01)
    assert row["last / first"]["value"] == pytest.approx(1000, rel=0.01)


# ------------------------------------------------------------------------------------------------------------------- joins


JOINS_S = 4.0 * np.arange(1, 90)


def kinked(motion: Motion, times_s: np.ndarray) -> Motion:
    """The whole body leaps 5 cm in one frame, there and back."""
    root = motion.root.copy()
    root[np.round(np.atleast_1d(times_s) * 30).astype(int), 0] += 0.05
    return replace(motion, root=root)


def test_joins_that_cannot_be_found_are_as_smooth_as_elsewhere(steady):
    found = judge_length.joins(steady[0], steady[1], JOINS_S, MINUTES)
    assert all(found[name].whole == pytest.approx(1, abs=0.1) for name in ("jerk at joins", "jerk at joins, raw"))
    assert found["worst join, raw"].whole == pytest.approx(1, abs=0.4)


def test_kinks_at_joins_are_caught_in_their_minute(steady):
    late = JOINS_S[JOINS_S > MARGIN_S + 300]
    found = judge_length.at_joins(kinked(steady[0], late), JOINS_S, MINUTES)
    assert found.minutes[:5] == pytest.approx(np.ones(5), abs=0.3) and found.minutes[5] > 3
    whole = [judge_length.at_joins(kinked(motion, JOINS_S), JOINS_S, MINUTES) for motion in steady]
    assert judge_length.row("x", "jerk at joins", whole)["kept"] == "no"
    assert judge_length.row("x", "jerk at joins", [judge_length.at_joins(m, JOINS_S, MINUTES) for m in steady])["kept"] == "yes"


def test_one_broken_join_of_many_is_caught_where_the_mean_hides_it(steady):
    broken = kinked(steady[0], JOINS_S[40])
    assert judge_length.at_joins(broken, JOINS_S, MINUTES).whole < 1.2
    assert judge_length.worst_join(broken, JOINS_S) > 2
    assert judge_length.worst_join(kinked(steady[0], JOINS_S[40] + 2), JOINS_S) < 0.5


def test_without_joins_there_is_nothing_to_say(steady):
    assert math.isnan(judge_length.worst_join(steady[0], np.zeros(0)))
    assert math.isnan(judge_length.worst_join(steady[0], np.array([5.0])))


# -------------------------------------------------------------------------------------------------------------- arithmetic


def test_numbers_by_minute_and_in_like_sections_by_hand():
    """The number of a clip is its index: minutes of 12 have means 5.5, 17.5, … Verses are the first six clips of every minute."""
    labels = (["verse"] * 6 + ["chorus"] * 6) * 4
    course = judge_length.course(lambda at: float(at.mean()), labels)
    assert course.minutes.tolist() == [5.5, 17.5, 29.5, 41.5] and course.whole == 23.5
    # verses: clips 0–5 and 12–17 have mean 8.5, 24–29 and 36–41 have 32.5; choruses 14.5 and 38.5
    assert course.like == pytest.approx(math.sqrt(32.5 / 8.5 * 38.5 / 14.5))
    assert math.isnan(judge_length.course(lambda at: 1.0, ["a"] * 24 + ["b"] * 24).like)
    assert judge_length.course(lambda at: 0.0, labels).minutes.tolist() == [0.001] * 4


def test_ratios_and_their_intervals_by_hand():
    """Twice and half: 1 in the middle, and with one degree of freedom Student's t is 12.706 of ln 2."""
    found = judge_length.ratio(np.log([2.0, 0.5]))
    assert found["value"] == pytest.approx(1) and found["high"] == pytest.approx(2**12.7062, rel=1e-4)
    assert found["low"] == pytest.approx(1 / found["high"])
    one = judge_length.ratio([math.log(3), math.nan])
    assert one["value"] == pytest.approx(3) and one["low"] is one["high"] is None
    assert judge_length.ratio([math.nan]) is None


def test_chance_by_hand():
    """Minutes a, −a, −a, a off their line: pairs differ by nothing or 2 a; a straight line has no chance in it, whatever its ends."""
    a = 0.05
    assert judge_length.chance(np.array([9, a, -a, -a, a, -9])) == pytest.approx(math.exp(2 * a))
    assert judge_length.chance(np.array([9, a + 1, -a + 2, -a + 3, a + 4, -9])) == pytest.approx(math.exp(2 * a))
    assert judge_length.chance(0.3 * np.arange(10)) == pytest.approx(1)
    assert judge_length.chance(np.zeros(5)) is None


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.9, 1.1, "yes"), (0.5, 0.8, "no"), (1.2, 3, "no"), (0.8, 1.0, "open"), (0.5, 2, "open")]
)
def test_only_a_whole_interval_decides(low, high, said):
    assert judge_length.kept({"low": low, "high": high}, 0.85, 1.15) == said


def test_a_trend_over_all_minutes_by_hand():
    """1.1 times as much every minute is 1.1⁵ from the first of six to the last."""
    rising = Course(1.0, 1.1 ** np.arange(6.0), 1.1**4)
    row = judge_length.row("x", "joint speed", [rising, rising])
    assert [row[name]["value"] for name in ("trend", "last / first", "like sections")] == pytest.approx([1.1**5, 1.1**5, 1.1**4])
    assert row["kept"] == "no" and row["minute 1"] == 1 and row["last minute"] == pytest.approx(1.1**5)


# ------------------------------------------------------------------------------------------------------- songs and dancers


@pytest.fixture(scope="module")
def heard():
    return judge_length.song(0, minutes=2)


def test_songs_ask_for_the_same_in_every_minute(heard):
    assert heard.music.duration_s == pytest.approx(140, abs=0.05) and len(heard.labels) == 24
    energy = judge_length.energy(heard)
    assert energy.minutes == pytest.approx(np.full(2, energy.whole), rel=0.05) and energy.whole > 0.5
    assert {"verse", "chorus"} <= set(heard.labels)


def test_the_dance_that_is_judged_is_the_one_a_user_gets(heard):
    judged = judge_length._danced(Entrant("choreographer"), (3, heard))
    motion, _ = choreograph_song(dancer("choreographer"), heard.music, seed=3)
    own = judge_length.courses(motion, heard.labels)
    assert judged.keys() == own.keys()
    assert all(np.array_equal(judged[name].minutes, own[name].minutes) for name in own)


def test_who_cannot_be_loaded_is_left_out(monkeypatch, tmp_path):
    def missing():
        raise ChoreiaError("no weights")

    monkeypatch.setitem(judge_length.DANCERS, "nobody", missing)
    (tmp_path / "a run").mkdir()
    (tmp_path / "a run" / "weights.safetensors").touch()
    found = judge_length.entrants(tmp_path)
    assert found[0] == Entrant("choreographer") and found[-1] == Entrant("trained here: a run", tmp_path / "a run" / "weights.safetensors")
    assert "dancemeld" in {who.name for who in found} and "nobody" not in {who.name for who in found}


# -------------------------------------------------------------------------------------------------------------------- cost


def little_song() -> Music:
    beats = np.array([0.5, 1.0, 1.5])
    track = Features(np.arange(60, dtype=np.float32)[:, None], 30.0, ("x",))
    events = RhythmEvents(beats, beats[:1], np.zeros(0))
    parts = (Section(0, 1, "a"), Section(1, 2, "b"))
    return Music(2.0, beats, beats[:1], beats[:1], np.full(3, 120.0), 4, parts, events, track, {"dance": track})


def test_a_song_three_times_over_by_hand():
    again = bench.repeated(little_song(), 3)
    assert again.duration_s == 6 and again.beats_s.tolist() == [0.5, 1, 1.5, 2.5, 3, 3.5, 4.5, 5, 5.5] and len(again.tempo_bpm) == 9
    assert again.downbeats_s.tolist() == again.events.offbeat_s.tolist() == [0.5, 2.5, 4.5] and not len(again.events.subdivision_s)
    assert [(part.start_s, part.end_s, part.label, part.occurrence) for part in again.sections[2:4]] == [(2, 3, "a", 2), (3, 4, "b", 2)]
    assert again.features["dance"].values.shape == again.energy.values.shape == (180, 1) and again.energy.values[61, 0] == 1


def test_costs_by_hand():
    """3 s and 2 s a minute are a line; memory is what each step adds to the one before."""
    rows = bench.cost_rows("x", (1, 3, 10), [bench.Cost(0.5, 0.5 + 0.01 * n, 0.6 + 0.01 * n, 2.0 * n + 1, 1.0 * n) for n in (1, 3, 10)])
    assert [row["off the line"] for row in rows] == pytest.approx([0, 0, 0], abs=1e-9)
    assert rows[2]["movement adds, GB"] == pytest.approx(0.1) and rows[2]["last mile adds, GB"] == pytest.approx(0.1)
    assert rows[2]["s a minute"] == pytest.approx(3.1)
    square = bench.cost_rows("x", (1, 3, 10, 30), [bench.Cost(0.5, 0.5, 0.5, float(n * n), 0.0) for n in (1, 3, 10, 30)])
    assert max(row["off the line"] for row in square) > 0.3


def test_a_fresh_process_does_not_begin_with_its_parents_peak():
    before = bench.peak_memory_gb()
    held = np.ones(50_000_000)
    assert bench.peak_memory_gb() > max(before, held.nbytes / 1e9)
    assert bench._fresh(bench.peak_memory_gb) < bench.peak_memory_gb() - 0.1


def test_bench_names_a_model_that_there_is_not():
    with pytest.raises(ChoreiaError, match="choose one of dancemeld"):
        bench.bench(seconds=2.0, model="nobody")
