"""What a person meets at the command line: one clear line and exit code 2 for bad input, nothing left behind."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from choreia import cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; returns (exit code, stdout, stderr)."""

    def call(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["choreia", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def click_track(tmp_path_factory) -> Path:
    """Eight seconds of a 120 BPM click."""
    from choreia.music import files
    from choreia.types import Audio

    rate = 22050
    samples = np.zeros(8 * rate, np.float32)
    burst = np.random.default_rng(0).normal(size=800).astype(np.float32) * np.exp(-np.arange(800) / 150).astype(np.float32)
    for beat in range(16):
        samples[beat * rate // 2 : beat * rate // 2 + 800] += 0.3 * burst
    path = tmp_path_factory.mktemp("song") / "click.wav"
    files.write(path, Audio(samples[None], rate))
    return path


def refused(result: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, one line on stderr that holds every word, no traceback."""
    code, _, err = result
    assert code == 2
    assert len(err.strip().splitlines()) == 1 and err.startswith("choreia: ")
    for word in words:
        assert word in err


def test_help_lists_every_command(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in ("dance", "analyze", "convert", "render", "prepare", "corpus", "train", "evaluate", "bench"):
        assert command in out


def test_no_arguments_print_help(run):
    assert "Commands" in run()[1]


@pytest.mark.parametrize("arguments", [("nonsense",), ("dance", "--seed", "x"), ("analyze",), ("dance", "--bogus")])
def test_wrong_usage_is_one_line(run, arguments):
    refused(run(*arguments), "--help")


def test_missing_song(run, tmp_path):
    refused(run("dance", tmp_path / "no.mp3", "-o", tmp_path / "out"), "no.mp3")
    assert not (tmp_path / "out").exists()


def test_directory_as_song(run, tmp_path):
    refused(run("dance", tmp_path, "-o", tmp_path / "out"), str(tmp_path))


def test_no_song_at_all(run, tmp_path):
    refused(run("dance", "-o", tmp_path / "out"), "--compose")


@pytest.mark.parametrize("content", [b"", b"this is not music at all\n" * 50])
def test_file_that_is_not_sound(run, tmp_path, content):
    song = tmp_path / "song.mp3"
    song.write_bytes(content)
    refused(run("dance", song, "-o", tmp_path / "out"), "song.mp3")
    refused(run("analyze", song), "song.mp3")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--style", "moonwalk"), "salsa"),
        (("--formats", "bvh,docx"), "docx"),
        (("--start", "-1"), "start"),
        (("--start", "99"), "start"),
        (("--seconds", "-5"), "length"),
        (("--model", "gpt"), "dancemeld"),
        (("--takes", "0"), "takes"),
    ],
)
def test_bad_options(run, tmp_path, click_track, options, word):
    refused(run("dance", click_track, "-o", tmp_path / "out", *options), word)
    assert not list(tmp_path.rglob("dance*"))


def test_existing_output_asks_for_force(run, tmp_path, click_track):
    (tmp_path / "dance.bvh").write_text("mine")
    refused(run("dance", click_track, "-o", tmp_path, "--formats", "bvh"), "--force")
    assert (tmp_path / "dance.bvh").read_text() == "mine"


def test_unwritable_output(run, tmp_path, click_track):
    (tmp_path / "file").write_text("")
    refused(run("dance", click_track, "-o", tmp_path / "file" / "out", "--formats", "bvh"), "file")


def test_analyze_prints_one_json_object(run, click_track):
    code, out, _ = run("analyze", click_track, "--json")
    report = json.loads(out)
    assert code == 0 and report["tempo_bpm"] == pytest.approx(120, abs=2)
    assert report["duration_s"] == pytest.approx(8, abs=0.01)


def test_moves_lists_what_prompts_understand(run):
    code, out, _ = run("moves", "waltz")
    assert code == 0 and "box step" in out and "arm wave" not in out
    code, out, _ = run("moves", "--json")
    assert code == 0 and len(json.loads(out)["moves"]) >= 150
    code, _, err = run("moves", "tango")
    assert code == 2 and "unknown style 'tango'" in err and err.count("\n") == 1


def test_a_prompt_is_danced_and_what_it_did_not_know_is_said(run, tmp_path, click_track):
    code, _, err = run("dance", click_track, "--model", "choreographer", "--formats", "json", "-o", tmp_path / "out",
                       "--prompt", "popping; 0:01 to 0:03: arm wave, then juggle")  # fmt: skip
    assert code == 0 and "juggle" in err
    script = json.loads((tmp_path / "out" / "dance.json").read_text())["script"]
    assert script["style"].startswith("popping") and any(move["text"].startswith("arm wave") for move in script["moves"])


def test_unknown_moves_are_told_with_the_nearest(run, tmp_path, click_track):
    code, out, _ = run("dance", click_track, "--model", "choreographer", "--formats", "json", "-o", tmp_path / "out", "--json",
                       "--prompt", "popping; 0:01 to 0:03: moonwolf, xyzzy")  # fmt: skip
    said = [line for line in json.loads(out)["warnings"] if "xyzzy" in line]
    assert code == 0 and len(said) == 1 and "nearest by spelling" in said[0]


def test_a_language_model_that_is_not_there_is_one_warning(run, tmp_path, click_track, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "hidden-key")
    code, out, err = run("dance", click_track, "--model", "choreographer", "--formats", "json", "-o", tmp_path / "out",
                         "--prompt", "popping; 0:01 to 0:03: arm wave", "--llm", "tiny", "--llm-url", "http://127.0.0.1:9/v1")  # fmt: skip
    warnings = [line for line in err.splitlines() if line.startswith("warning")]
    assert code == 0 and len(warnings) == 1 and "cannot be reached" in warnings[0] and "by rule" in warnings[0]
    provenance = (tmp_path / "out" / "dance.json").read_text()
    assert json.loads(provenance)["read_by"] == "rules" and "hidden-key" not in provenance + out + err


def test_a_corpus_is_written_once(run, tmp_path):
    path = tmp_path / "corpus.jsonl"
    code, out, _ = run("corpus", "-o", path, "--made", "3", "--phrasings", "2", "--seed", "5")
    assert code == 0 and str(path) in out
    first = path.read_text(encoding="utf-8")
    assert [len(json.loads(line)["messages"]) for line in first.splitlines()] == [3] * 6
    refused(run("corpus", "-o", path), "--force")
    assert run("corpus", "-o", path, "--made", "3", "--phrasings", "2", "--seed", "5", "--force")[0] == 0
    assert path.read_text(encoding="utf-8") == first


@pytest.mark.parametrize(
    ("options", "word"),
    [(("--made", "0"), "prepared"), (("--made", "-1"), "--made"), (("--phrasings", "0"), "phrasings"), (("nowhere",), "choreia prepare")],
)
def test_a_corpus_of_nothing_is_one_line(run, tmp_path, options, word):
    refused(run("corpus", *options, "-o", tmp_path / "c.jsonl"), word)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--prompt", " "), "empty"),
        (("--prompt", "popping " * 10_000), "10000 words"),
        (("--prompt", "popping; bars 900-901: arm wave"), "bar"),
        (("--prompt", "0:01-0:03: arm wave; 0:01-0:03: stomp"), "arm wave"),
        (("--prompt", "popping", "--script", "x.json"), "give one"),
        (("--script", "nowhere.json"), "nowhere.json"),
        (("--prompt", "popping", "--style", "salsa"), "leave one"),
        (("--prompt", "popping", "--guidance-text", "2"), "choreia model"),
        (("--prompt", ""), "empty"),
        (("--prompt", "\t\n"), "empty"),
        (("--prompt", "?!"), "empty"),
        (("--prompt", "a" * 20_000), "12000 letters"),
        (("--prompt", "popping; 9:00: arm wave"), "past the end"),
        (("--prompt", "popping; 0:01-0:03: arm wave; 0:02-0:04: stomp"), "arm wave"),
        (("--prompt", "popping; 0:03-0:01: arm wave"), "0:03-0:01"),
        (("--prompt", "popping; bridge 7: arm wave"), "bridge"),
        (("--llm", "tiny"), "--prompt"),
        (("--prompt", "popping", "--llm-url", "http://here/v1"), "--llm"),
    ],
)
def test_bad_words_are_one_line(run, tmp_path, click_track, options, word):
    code, out, err = run("dance", click_track, "--model", "choreographer", "-o", tmp_path / "out", *options)
    assert (code, out) == (2, "") and word in err and err.count("\n") == 1
    assert not (tmp_path / "out" / "dance.bvh").exists()
