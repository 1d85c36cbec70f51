"""`choreia evaluate` on folders: outcomes on known good and bad dances, clear words on bad folders, tables, the leaderboard's parts."""

import json
from dataclasses import replace

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.metrics import evaluate as judging
from choreia.metrics import null, takes
from choreia.metrics.base import Clip, Song
from choreia.metrics.evaluate import Evidence, results
from choreia.metrics.registry import dialects, key, metrics
from choreia.motion import io
from choreia.motion.kinematics import positions
from choreia.music import files
from choreia.pipelines.bench import EdgeSizeDenoiser, edge_size_s
from choreia.pipelines.evaluate import LISTED, evaluate
from choreia.pipelines.leaderboard import leaderboard, put, table
from choreia.pipelines.measuring import Options
from choreia.synth.choreographer import choreograph
from choreia.synth.composer import compose
from choreia.types import Audio

STYLES = ("hip-hop", "krump", "jazz", "tap")
SONGS = 6
ONE = Options(workers=1)


@pytest.fixture(scope="module")
def songs():
    return [compose(seed, 10.0) for seed in range(SONGS)]


@pytest.fixture(scope="module")
def motions(songs):
    """Two dances to each song."""
    return [
        choreograph(song.beats_s, song.downbeats_s, (), STYLES[k % 4], 10 * k + n, duration_s=10).motion
        for k, song in enumerate(songs)
        for n in range(2)
    ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory, songs, motions):
    """Folders of dances (half of each format), and of their songs with exact beats beside them."""
    root = tmp_path_factory.mktemp("folders")
    for name in ("made", "real", "songs"):
        (root / name).mkdir()
    for k, song in enumerate(songs):
        files.write(root / "songs" / f"s{k}.wav", song.audio)
        (root / "songs" / f"s{k}.json").write_text(json.dumps({"beats_s": song.beats_s.tolist(), "downbeats_s": song.downbeats_s.tolist()}))
    for i, motion in enumerate(motions):
        io.write(root / "made" / f"s{i // 2}_{i % 2}.{'bvh' if i % 2 else 'npz'}", motion)
        io.write(root / "real" / f"r{i}.npz", motions[-1 - i].slice(15, 285))
    return root


@pytest.fixture(scope="module")
def few(tmp_path_factory, songs, motions):
    """Four dances of 7 s to two songs, and as many real ones."""
    root = tmp_path_factory.mktemp("few")
    for name in ("made", "real", "songs"):
        (root / name).mkdir()
    for k, song in enumerate(songs[:2]):
        files.write(root / "songs" / f"s{k}.wav", replace(song.audio, samples=song.audio.samples[:, : 7 * song.audio.rate]))
    for i, motion in enumerate(motions[:4]):
        io.write(root / "made" / f"s{i // 2}_{i % 2}.npz", motion.slice(0, 210))
        io.write(root / "real" / f"r{i}.npz", motions[-1 - i].slice(0, 210))
    return root


@pytest.fixture
def quick(monkeypatch):
    """The fewest draws for intervals and null models."""
    monkeypatch.setattr(null, "_EVALUATIONS", 0)
    monkeypatch.setattr(judging, "_ROWS_DRAWN", 0)


def found(report, name, dialect="corrected"):
    return next(result for result in report["results"] if (result["name"], result["dialect"]) == (name, dialect))


def test_a_folder_becomes_a_report(folders, tmp_path):
    report = evaluate(folders / "made", reference=folders / "real", music=folders / "songs", options=ONE, out=tmp_path / "out")
    assert report["takes"] == 12
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"evaluation.json", "evaluation.md", "evaluation.html"}
    beat_f = found(report, "beat F 100 ms")
    assert beat_f["low"] < beat_f["value"] < beat_f["high"]
    assert next(null["z"] for null in beat_f["nulls"] if null["null"] == "other songs") > 2
    assert found(report, "coverage")["value"] > 0.5 and found(report, "foot slide share")["value"] < 0.1
    json.dumps(report, allow_nan=False)
    with pytest.raises(ChoreiaError, match="--force"):
        evaluate(folders / "made", options=ONE, out=tmp_path / "out")


def test_every_dialect_runs_and_is_deterministic(few, quick):
    options = replace(ONE, dialect="all")
    first, second = (evaluate(few / "made", reference=few / "real", music=few / "songs", options=options) for _ in range(2))
    assert first == second
    assert {"mint", "bailando", "edge", "lodge", "lrcm", "popdg", "corrected"} <= {result["dialect"] for result in first["results"]}
    assert all(result["value"] is not None or result["words"] for result in first["results"])


def test_two_processes_say_what_one_says(few):
    one, two = (evaluate(few / "made", options=Options(workers=n)) for n in (1, 2))
    assert one == two


def test_a_broken_file_is_reported_and_the_rest_scored(folders, tmp_path, motions):
    io.write(tmp_path / "good.npz", motions[0])
    (tmp_path / "bad.bvh").write_text("HIERARCHY nonsense")
    report = evaluate(tmp_path, options=ONE)
    assert report["takes"] == 1 and any("bad" in note and "could not be measured" in note for note in report["notes"])
    assert found(report, "jerk")["value"] > 0
    assert any("Div_k" in skipped["metric"] for skipped in report["skipped"])


def test_no_readable_take_stops(tmp_path):
    (tmp_path / "bad.bvh").write_text("HIERARCHY nonsense")
    with pytest.raises(ChoreiaError, match="no take of"):
        evaluate(tmp_path, options=ONE)


def test_mixed_frame_rates_are_said(tmp_path, motions):
    from choreia.motion.cleanup import resample

    io.write(tmp_path / "a.npz", motions[0])
    io.write(tmp_path / "b.npz", resample(motions[1], 60))
    report = evaluate(tmp_path, options=ONE)
    assert any("30 and 60 frames a second" in note for note in report["notes"])
    report = evaluate(tmp_path, reference=tmp_path, options=replace(ONE, dialect="mint"))
    assert any("the reference at 30 and 60 frames" in note for note in report["notes"])


def test_takes_without_their_song_are_said(folders, tmp_path, motions):
    for name in ("s0", "unheard"):
        io.write(tmp_path / f"{name}.npz", motions[0])
    report = evaluate(tmp_path, music=folders / "songs", options=ONE)
    assert any("for 1 of 2 takes, which score no" in note for note in report["notes"]) and found(report, "beat F 50 ms")["items"] == 1


def test_still_dances_score_without_nan(tmp_path, motions, few, quick):
    for k in range(4):
        still = replace(motions[k], root=motions[k].root[[0] * 300], rotations=motions[k].rotations[[0] * 300])
        io.write(tmp_path / f"s{k // 2}_{k % 2}.npz", still)
    report = evaluate(tmp_path, reference=few / "real", music=few / "songs", options=replace(ONE, dialect="all"))
    assert "4 of 4 takes: no joint moves" in report["notes"]
    assert found(report, "beat F 100 ms")["value"] == 0 and found(report, "PFC", "edge")["value"] is None
    assert found(report, "PFC", "edge")["words"]
    assert all(result["value"] is not None for result in report["results"] if result["dialect"] == "corrected")


def test_damage_beside_the_takes_is_a_note(tmp_path, motions):
    io.write(tmp_path / "a.npz", motions[0])
    io.write(tmp_path / "short.npz", motions[1].slice(0, 3))
    np.savez(tmp_path / "a.latents.npz", music=np.array(["x"]), motion=np.zeros((3, 2)), visual=np.zeros((3, 2)))
    (tmp_path / "captions.json").write_text("[1]")
    for k in range(LISTED + 2):
        (tmp_path / f"z{k}.bvh").write_text("HIERARCHY nonsense")
    report = evaluate(tmp_path, music=_silence(tmp_path / "songs"), options=ONE)
    said = "\n".join(report["notes"])
    assert "4 files more could not be measured" in said and "1 of 2 takes: shorter than 1 s" in said
    assert "no beat heard in 1 of 1 songs" in said and "no music found in" in said
    (tmp_path / "captions.json").rename(tmp_path / "songs" / "captions.json")
    with pytest.raises(ChoreiaError, match=r"captions\.json: give"):
        evaluate(tmp_path / "songs", options=replace(ONE, dialect="nlg"))


def _silence(folder):
    """A folder with a song, "a", of zeros."""
    folder.mkdir()
    files.write(folder / "a.wav", Audio(np.zeros((1, 44100 * 4), np.float32), 44100))
    return folder


def test_a_folder_in_which_nothing_can_be_scored_says_what_is_missing(tmp_path):
    with pytest.raises(ChoreiaError, match="give their folder with --reference"):
        evaluate(_silence(tmp_path / "songs"), options=ONE)


def test_worst_takes_are_worse_than_the_reference_and_named_once(folders):
    report = evaluate(folders / "made", reference=folders / "real", options=ONE)
    real = {result["name"]: result["reference"] for result in report["results"]}
    names = [one["name"] for one in report["worst"]]
    assert names and len(set(names)) == len(names) and all(one["number"] > real[one["metric"]] for one in report["worst"])


def test_the_page_draws_features_and_null_models_of_corrected_scores(few, tmp_path, quick):
    evaluate(few / "made", reference=few / "real", music=few / "songs", options=ONE, out=tmp_path / "out")
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert page.count('class="made-dot"') == 4 == page.count('class="reference-dot"')
    assert 'class="null-ring"' in page and "Harmonic mean of precision and recall" in page


def test_generated_music_is_held_against_the_true(tmp_path, songs):
    for side in ("made", "true"):
        (tmp_path / side).mkdir()
    for k, song in enumerate(songs):
        files.write(tmp_path / "true" / f"{k}.wav", song.audio)
        files.write(tmp_path / "made" / f"{k}.wav", songs[(k + (k % 2)) % SONGS].audio)
    report = evaluate(tmp_path / "made", reference=tmp_path / "true", options=replace(ONE, dialect="d2mgan,corrected"))
    assert found(report, "BHS", "d2mgan")["value"] is not None and found(report, "FAD")["value"] is not None


def test_latents_and_captions_have_their_scores(tmp_path):
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(40, 8))
    np.savez(tmp_path / "a.latents.npz", music=shared, motion=shared, visual=shared, style=shared[0], target=shared[0])
    (tmp_path / "captions.json").write_text(json.dumps({"a": {"caption": "a b c d e", "references": ["a b c d e"]}}))
    report = evaluate(tmp_path, options=replace(ONE, dialect="theatre,nlg"))
    assert [found(report, name, "theatre")["value"] for name in ("CMC", "SCI")] == pytest.approx([1, 1])
    assert found(report, "BLEU-4", "nlg")["value"] == pytest.approx(1)


def test_texts_beside_takes_are_retrieved(tmp_path, motions):
    for k, motion in enumerate(motions[:4]):
        io.write(tmp_path / f"{k}.npz", motion)
        (tmp_path / f"{k}.txt").write_text(f"a person dances {STYLES[k]}")
    report = evaluate(tmp_path, options=replace(ONE, dialect="humanml3d,corrected"))
    assert 0 <= found(report, "R@1 full set")["value"] <= 100


def test_swapped_songs_do_not_stand_out(motions, songs):
    wanted = tuple(metric for metric in metrics() if key(metric) == "corrected/beat F 100 ms")
    known = {str(k): Song(str(k), 10.0, {"beats": song.beats_s}) for k, song in enumerate(songs)}
    made = [takes.measure(Clip(f"{i}", positions(m), m.fps, str(i // 2)), wanted) for i, m in enumerate(motions)]
    swapped = [replace(take, song=str((int(str(take.song)) + 1) % SONGS)) for take in made]
    own, other = (results(wanted, Evidence(takes=tuple(t), songs=known))[0][0] for t in (made, swapped))
    z_own, z_other = (next(null.z for null in r.nulls if null.null == "other songs") for r in (own, other))
    assert z_own > 2 and z_other < 2 and not any("reached by other songs" in word for word in own.words)
    assert any("reached" in word for word in other.words)


def test_unknown_dialect_names_the_known_ones(tmp_path, motions):
    io.write(tmp_path / "a.npz", motions[0])
    with pytest.raises(ChoreiaError, match="bailando"):
        evaluate(tmp_path, options=replace(ONE, dialect="klingon"))


def test_every_metric_says_how_to_read_it():
    for metric in metrics():
        about = metric.about
        assert all((about.name, about.unit, about.range, about.source, about.fooled_by))
        assert about.better in ("higher", "lower", "reference")
    assert len({key(metric) for metric in metrics()}) == len(metrics()) and dialects()[0] == "corrected"


def test_the_edge_size_reference_has_the_published_size():
    layers = EdgeSizeDenoiser().layers.layers
    assert len(layers) == 8 and layers[0].linear1.in_features == 512 and layers[0].self_attn.num_heads == 8
    assert edge_size_s(5.0, steps=2, timed_steps=1) > 0


def test_leaderboard_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(ChoreiaError, match="dance, tokenizer, beats, words"):
        leaderboard(None, only=("everything",))
    with pytest.raises(ChoreiaError, match="--data"):
        leaderboard(None, only=("dance",))
    for runs in (None, tmp_path):
        with pytest.raises(ChoreiaError, match="nothing to compare: give --runs"):
            leaderboard(tmp_path, only=("ablations",), runs=runs)


def test_tables_show_what_was_not_measured_as_a_dash():
    score = {"value": 0.5, "low": 0.4, "high": 0.6, "z": 3.2, "reached": ["noise"]}
    rows = [{"a": 1.23456, "b": float("nan"), "c": "x", "d": None, "e": score}]
    assert table(rows).splitlines()[-1] == "| 1.23 | – | x | – | 0.5 ± 0.1 (z 3; reached by noise) |"


def test_tables_go_between_their_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n")
    put({"x": "new"}, page)
    assert page.read_text() == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"
    with pytest.raises(ChoreiaError, match="no place"):
        put({"y": "new"}, page)
