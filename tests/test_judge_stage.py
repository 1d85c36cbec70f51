"""Tables of the stage: what is measured of performances that are known by hand, and the pictures of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from choreia.data.shards import Labels, MusicTrack, Sample
from choreia.errors import ChoreiaError
from choreia.metrics.lighting import OnBounds, Shared
from choreia.music.features import DANCE_NAMES
from choreia.pipelines import judge_stage, judge_stage_light, stage_figures
from choreia.pipelines.judge_stage import COLUMNS, DENSITIES, EVERYTHING, VARIANTS, Entrant
from choreia.pipelines.judge_stage_light import Lit, beside, share
from choreia.pipelines.leaderboard import TABLES, table
from choreia.pipelines.measuring import Workers
from choreia.stage import cues, looks
from choreia.synth.choreographer import choreograph
from choreia.synth.lighting import Wish
from choreia.types import Cue, Stage

SECONDS = 10.0


def sample(k: int) -> Sample:
    beats_s = np.arange(0, 16.0, 0.45 + 0.05 * k)
    motion = choreograph(beats_s, beats_s[::4], (), "hip-hop", k, duration_s=16.0).motion
    dance = np.zeros((480, len(DANCE_NAMES)), np.float32)
    dance[:, DANCE_NAMES.index("energy")] = 0.5
    onsets = np.sort(np.random.default_rng(k).uniform(0, 16, 10 * (k + 1)))
    track = MusicTrack(
        dance, beats_s, beats_s[::4], np.zeros((480, 64), np.float16), onsets, np.zeros(0), np.array([0.0, 8.0]), np.arange(2)
    )
    labels = Labels(f"song {k}", "val", "hip-hop", True, "", "", "", "", "synthetic", 16.0, ("pop",))
    return Sample(labels, motion, np.zeros((480, 4)), None, (track,))


@pytest.fixture(scope="module")
def samples():
    return [sample(k) for k in range(3)]


@pytest.fixture
def items(samples, monkeypatch, tmp_path):
    monkeypatch.setattr(judge_stage, "read_samples", lambda folder, split: samples)
    return judge_stage.held_out(tmp_path, 3, SECONDS)


@pytest.fixture
def blind(monkeypatch):
    """No networks: pictures are one grey a frame, and every modality is the music's clock."""
    clock = np.stack([np.sin(np.arange(90) / 9), np.cos(np.arange(90) / 9)], axis=1)
    monkeypatch.setattr(judge_stage, "coherence", lambda *given: dict.fromkeys(("music", "motion", "visual"), clock))
    monkeypatch.setattr(judge_stage, "likeness", lambda *given: {"style": np.eye(3)[:1], "target": np.eye(3)[:1], "styles": np.eye(3)})
    monkeypatch.setattr(judge_stage, "film", _grey)


def _grey(motion, shown):
    level = np.linspace(40, 200, 96) + float(shown.track.light.mean())
    return np.broadcast_to(level[:, None, None, None], (96, 64, 64, 3)).astype(np.uint8), np.arange(96) / 15


# ------------------------------------------------------------------------------------------------------------------ items


def test_items_are_the_beginning_of_held_out_songs_with_looks_in_turn(items):
    assert [item.name for item in items] == ["song 0", "song 1", "song 2"]
    assert [item.wish.look.name for item in items] == list(looks.LOOKS[:3])
    for item in items:
        assert item.music.duration_s == SECONDS and item.dance.duration_s == SECONDS
        assert item.music.beats_s.max() < SECONDS and item.music.sections[-1].end_s == SECONDS


def test_no_held_out_dance_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(judge_stage, "read_samples", lambda folder, split: [])
    with pytest.raises(ChoreiaError, match="choreia prepare"):
        judge_stage.held_out(tmp_path)


def test_variants_are_found_where_training_leaves_them(tmp_path):
    for name in ("no_style", "odd", "small"):
        (tmp_path / "theatre" / name).mkdir(parents=True)
        (tmp_path / "theatre" / name / "weights.safetensors").touch()
    (tmp_path / "theatre" / "unfinished").mkdir()
    assert list(judge_stage.trained(tmp_path)) == ["small", "no_style", "odd"]
    assert judge_stage.trained(None) == {}
    names = [entrant.name for entrant in judge_stage.entrants(tmp_path)]
    assert names == ["held-out dance, designed stage", "rules", "theatre", "theatre, no style", "odd", "theatre, as shipped"]
    assert [entrant.name for entrant in judge_stage.entrants(None)][2:] == ["theatre, as shipped"]


def test_a_designed_stage_keeps_the_dance_and_needs_one(items):
    item = items[0]
    motion, shown = judge_stage.designed(item.music, item.dance, item.wish, 0)
    assert motion is item.dance and shown.duration_s == SECONDS
    with pytest.raises(ChoreiaError, match="needs a dance"):
        judge_stage.designed(item.music, None, item.wish, 0)


# ------------------------------------------------------------------------------------------------------------ performances


def test_rows_hold_all_songs_and_each_density(samples, monkeypatch, tmp_path, blind):
    monkeypatch.setattr(judge_stage, "read_samples", lambda folder, split: samples)
    monkeypatch.setattr(judge_stage, "LONGEST_S", SECONDS)
    monkeypatch.setattr(judge_stage, "entrants", lambda runs: [Entrant("same", judge_stage.designed, given=True)])
    rows = judge_stage.stage(tmp_path, None, 1, count=3)
    assert [(row[""], row["tempo"], row["items"]) for row in rows] == [
        ("same", EVERYTHING, 3), *(("same", density, 1) for density in DENSITIES)
    ]  # fmt: skip
    first = rows[0]
    assert set(COLUMNS) <= set(first)
    assert first["CMC"]["value"] == pytest.approx(1) and first["CMC centred"]["value"] == pytest.approx(1)
    assert first["SCI"]["value"] == pytest.approx(1) and first["style margin"]["value"] == pytest.approx(1)
    assert first["MS bounded"]["value"] == pytest.approx(0.5)  # the same dances on both sides
    assert first["BAS"]["z"] is not None and rows[1]["BAS"]["z"] is None  # a third has no null models
    assert "| same | low | 1 |" in table(rows)


def test_the_same_films_have_no_distance_and_brighter_ones_do(items, monkeypatch, blind):
    same = Entrant("same", judge_stage.designed, given=True)
    with Workers(1, None) as pool:
        one = judge_stage.judged(same, items, pool, None)
        monkeypatch.setattr(judge_stage, "film", lambda *given: (255 - _grey(*given)[0] // 4, _grey(*given)[1]))
        other = judge_stage.judged(same, items, pool, None)
    assert judge_stage.row("", EVERYTHING, one, one, items)["FID"]["value"] == pytest.approx(0, abs=1e-6)
    found = judge_stage.row("", EVERYTHING, other, one, items)
    assert found["FID"]["value"] > 1 and found["FVD"]["value"] > 1


def test_what_is_aimed_at_is_the_wished_look(items):
    item = replace(items[0], wish=Wish(looks.look("gala_finale")))
    assert looks.nearest(item.planned(np.array([1.0, 2.0]))) == ("gala_finale", "gala_finale")


def test_the_middle_is_filmed(items, monkeypatch):
    monkeypatch.setattr(judge_stage, "WATCHED_S", 0.2)
    item = items[0]
    pictures, times_s = judge_stage.film(*judge_stage.designed(item.music, item.dance, item.wish, 0))
    assert pictures.shape == (3, 54, 96, 3) and pictures.dtype == np.uint8
    assert times_s == pytest.approx([4.9, 4.9 + 1 / 15, 4.9 + 2 / 15])


# ------------------------------------------------------------------------------------------------------------------ light


def lit(changes: int, on: float, own: float, others: list[float]) -> Lit:
    bounds = OnBounds(on, 0.1, (on - 0.1) / 0.9, 0.5)
    frames = np.array([0.0, 2.0])
    return Lit(30.0, changes, bounds, bounds, frames, -frames, frames, Shared(own, np.array(others), np.zeros(2)))


def test_shares_are_over_changes_and_songs_without_any_do_not_count():
    found = [lit(8, 1.0, 0.3, [0.0]), lit(2, 0.5, 0.1, [0.0]), lit(0, float("nan"), 0.2, [0.0])]
    assert share(found, lambda one: one.on_frame.share)["value"] == pytest.approx(0.9)
    assert share(found[2:], lambda one: one.on_frame.share)["value"] is None
    row = judge_stage_light.row("x", "held out", found)
    assert row["songs"] == "3 held out" and row["changes a minute"] == pytest.approx(10 / 1.5)
    assert row["cues within a frame of a beat"] == pytest.approx(0.5) and row["track late, frames"] == 1.0


def test_accents_stand_beside_those_of_other_dances():
    near, far = beside([0.3, 0.5], [np.array([0.0, 0.1])] * 2), beside([0.05, 0.04], [np.array([0.0, 0.1])] * 2)
    assert near["value"] == pytest.approx(0.4) and near["z"] == pytest.approx(0.35 / (0.05 / np.sqrt(2)), rel=0.1)
    assert near["reached"] == [] and far["reached"] == ["another dance"]


def test_a_lighter_sees_the_dancer_or_not(items, monkeypatch):
    monkeypatch.setattr(judge_stage_light, "OTHERS", 2)
    seen = []

    class Eye:
        def light(self, music, dance, *, seed, wish, progress):
            seen.append(dance)
            return judge_stage.design(music, dance, seed=seed, wish=wish)

    monkeypatch.setattr(judge_stage_light, "_lighter", lambda name: Eye())
    found = [judge_stage_light._lit("anyone", sees, (0, items[0])) for sees in (True, False)]
    assert seen == [items[0].dance, None]
    assert found[0].shared.own != found[1].shared.own and found[0].shared.others.shape == (2,)


def test_lamps_of_the_default_rig_obey_at_the_next_frame(items):
    """Two states by turns on beats: changes, cues, track and DMX are all in time."""
    item = items[0]
    states = [looks.rest(looks.look(name), np.array([energy])) for name, energy in (("solo_spot", 0.2), ("gala_finale", 1.0))]
    told = tuple(Cue(float(time_s), 0.0, 0.0, states[k % 2]) for k, time_s in enumerate([0.0, *item.music.downbeats_s[1:4]]))
    shown = Stage(cues.to_track(told, SECONDS), np.zeros(1), ("solo_spot",), states[0], told)
    found = judge_stage_light.measured(shown, item, [item.dance])
    assert found.changes == 3 and found.on_frame.share == 1 and found.near.share == 1
    assert found.cue_frames.max() < 1e-6 and len(found.dmx_frames) >= 3
    assert np.abs(found.dmx_frames).max() <= 0.5 + 1e-6 and np.abs(found.track_frames).max() <= 0.5 + 1e-6


def test_cost_is_over_the_length_of_the_song(items, monkeypatch):
    monkeypatch.setattr(judge_stage_light, "compose", lambda *a, **k: type("Song", (), {"audio": None}))
    monkeypatch.setattr(judge_stage_light, "analyze", lambda audio: items[0].music)
    asked = []
    entrants = [Entrant("given", judge_stage.designed, given=True), Entrant("free", lambda *given: asked.append(given[3]))]
    monkeypatch.setattr(judge_stage, "entrants", lambda runs: entrants)
    (row,) = judge_stage_light.cost(None, 10.0)
    assert row[""] == "free" and asked == [0, 1] and row["song, s"] == 10.0
    assert row["both / song"] == pytest.approx(row["hearing / song"] + row["performing / song"])


def test_the_tables_are_made_when_none_is_named():
    assert {"stage", "lighting", "perform"} <= set(TABLES) and "lights" not in TABLES


# ---------------------------------------------------------------------------------------------------------------- figures


def rows() -> list[dict]:
    score = {"value": 0.5, "low": 0.4, "high": 0.7, "z": None, "reached": []}
    names = ["held-out dance, designed stage", "rules", *VARIANTS.values()]
    return [{"": name, "tempo": density, **dict.fromkeys(COLUMNS, score)} for name in names for density in (EVERYTHING, *DENSITIES)]


def test_figures_are_drawn_from_the_table_and_never_over_older_ones(items, samples, monkeypatch, tmp_path, blind):
    monkeypatch.setattr(judge_stage, "read_samples", lambda folder, split: samples)
    monkeypatch.setattr(judge_stage, "entrants", lambda runs: [Entrant(name, judge_stage.designed, given=True) for name in ("a", "b")])
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"tables": {"stage": rows()}}))
    stage_figures.stage_figures(tmp_path / "out", tmp_path, scores=scores)
    assert all((tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG") for name in stage_figures.NAMES)
    with pytest.raises(ChoreiaError, match=r"energy_and_beats\.png exists"):
        stage_figures.stage_figures(tmp_path / "out", tmp_path, scores=scores)
    scores.write_text("{}")
    with pytest.raises(ChoreiaError, match="no table of the stage"):
        stage_figures.stage_figures(tmp_path / "new", tmp_path, scores=scores)
    assert not (tmp_path / "new").exists()


def test_a_score_without_an_interval_has_no_whiskers():
    assert stage_figures._numbers({"value": 0.5, "low": 0.25, "high": 1.0}) == (0.5, (0.25, 0.5))
    assert stage_figures._numbers({"value": 0.5, "low": None, "high": None}) == (0.5, (0.0, 0.0))
    assert np.isnan(stage_figures._numbers(None)[0])
