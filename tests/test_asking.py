"""What to dance, from a prompt or a file, by whom it was read, and what becomes of a move that has no known name."""

import json
import sys

import pytest

from choreia.errors import ChoreiaError
from choreia.pipelines.asking import MOST_NAMED, NOTHING, Wish, Words, named, wish_for
from choreia.text.meaning import PACKAGE, Meaning, meaning
from choreia.types import Move, Script
from test_text_llm import RIGHT, chat, serve  # noqa: F401
from test_text_times import song

WORKING = """
class Model:
    def encode(self, texts, **_):
        import numpy as np
        vectors = np.zeros((len(texts), 384))
        vectors[:, 1] = 1
        vectors[["sprinkler" in text or "quux" in text for text in texts]] = np.eye(384)[0]
        return vectors

def load_model(device):
    print("loaded")
    return Model()
"""
BROKEN = "def load_model(device):\n    raise RuntimeError('half of it is missing\\nand more')\n"
WITHOUT = "import a_package_that_nobody_has\n"


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """No package of the extra's name, whatever is installed, until a source for one is given."""
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    monkeypatch.setattr("choreia.text.meaning.find_spec", lambda name: None)

    def install(source: str) -> None:
        (tmp_path / f"{PACKAGE}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr("choreia.text.meaning.find_spec", lambda name: name == PACKAGE)

    yield install
    sys.modules.pop(PACKAGE, None)


def moves(wish) -> list[tuple[float, float, str]]:
    return [(m.start_s, m.end_s, m.text) for m in wish.script.moves]


# ------------------------------------------------------------------------------------------------------------- by meaning


def test_words_without_a_known_name_are_read_by_meaning_where_the_extra_is(package):
    package(WORKING)
    wish = wish_for(Words("bars 1-2: quux"), song())
    assert moves(wish) == [(0, 4, "sprinkler")] and wish.read_by == "rules and MiniLM" and wish.warnings == ()
    assert any("'quux' read as 'sprinkler' by meaning" in note for note in wish.notes)


def test_minilm_is_loaded_once_and_only_for_words_that_are_not_known(package, capsys):
    package(WORKING)
    wish = wish_for(Words("popping, small range; bars 1-2: arm wave; chorus: runing man"), song())
    assert wish.read_by == "rules" and "loaded" not in capsys.readouterr().out
    wish_for(Words("bars 1-2: quux; bars 3-4: quux; bars 5-6: quux and grault"), song())
    assert capsys.readouterr().out.count("loaded") == 1


@pytest.mark.parametrize(("source", "why"), [(BROKEN, "RuntimeError half of it is missing"), (WITHOUT, "not installed")])
def test_a_broken_install_is_one_warning_and_the_words_are_read_by_spelling(package, source, why):
    without = wish_for(Words("bars 1-2: quux; bars 3-4: grault"), song())
    package(source)
    wish = wish_for(Words("bars 1-2: quux; bars 3-4: grault"), song())
    about = [line for line in wish.warnings if "MiniLM" in line]
    assert len(about) == 1 and why in about[0] and "\n" not in about[0]
    assert (wish.script, wish.read_by) == (without.script, "rules")


def test_without_the_extra_nothing_is_asked_by_meaning():
    assert meaning() is None and wish_for(Words("bars 1-2: quux"), song()).read_by == "rules"


def test_a_failure_is_not_tried_again(package, monkeypatch):
    package(BROKEN)
    sense = Meaning()
    assert sense.match("quux") is None and sense.failure
    monkeypatch.setattr(Meaning, "_matcher", property(lambda self: pytest.fail("tried again")))
    assert sense.match("quux") is None


# ------------------------------------------------------------------------------------------------------ by a language model


def test_provenance_names_the_model_that_wrote(serve, monkeypatch):  # noqa: F811
    server, model = serve(chat(RIGHT))
    monkeypatch.setenv("OPENAI_API_KEY", "hidden")
    wish = wish_for(Words("waves", llm="tiny", llm_url=model.url), song())
    assert moves(wish) == [(0, 8, "arm wave"), (48, 64, "glide")] and wish.read_by == f"tiny at {model.url}"
    assert server.headers[0]["Authorization"] == "Bearer hidden" and "hidden" not in repr(wish)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9/v1", "localhost", "http://me:hidden@127.0.0.1/v1"])
def test_without_a_model_the_prompt_is_read_by_rule_with_one_warning(url, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    wish = wish_for(Words("bars 1-4: arm wave", llm="tiny", llm_url=url), song())
    assert moves(wish) == [(0, 8, "arm wave")] and wish.read_by == "rules"
    assert len(wish.warnings) == 1 and wish.warnings[0].endswith("by rule instead") and "hidden" not in wish.warnings[0]


def test_moves_of_a_model_get_known_names(serve):  # noqa: F811
    rows = [{"from": "bar 1", "to": "bar 2", "text": "Slow arm wave"}, {"from": "bar 3", "to": "bar 4", "text": "xyzzy plugh"}]
    wish = wish_for(Words("x", llm="tiny", llm_url=serve(chat(json.dumps({"style": "popping", "moves": rows})))[1].url), song())
    assert moves(wish) == [(0, 4, "arm wave, Slow arm wave"), (4, 8, "xyzzy plugh")]
    assert any("xyzzy plugh" in line and "nearest by spelling" in line for line in wish.warnings)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"llm": "tiny"}, "--prompt"),
        ({"llm": "tiny", "script": "s.json"}, "--prompt"),
        ({"prompt": "x", "llm_url": "http://a/v1"}, "--llm"),
    ],
)
def test_a_language_model_needs_a_prompt_and_a_name(said, word):
    with pytest.raises(ChoreiaError, match=word):
        Words(**said)


# ------------------------------------------------------------------------------------------------------------- from a file


def written(path, *rows: tuple[float, float, str]) -> Words:
    path.write_text(json.dumps({"style": "popping", "moves": [dict(zip(("start_s", "end_s", "text"), row, strict=True)) for row in rows]}))
    return Words(script=path)


def test_a_file_is_cut_at_the_end_of_the_song_and_says_so(tmp_path):
    wish = wish_for(written(tmp_path / "s.json", (0, 4, "arm wave"), (76, 90, "glide")), song())
    assert moves(wish) == [(0, 4, "arm wave"), (76, 80, "glide")] and wish.read_by == "script file"
    assert [note for note in wish.notes if "cut" in note] == ["'glide' is cut at the end of the song, 80.0 s"]
    with pytest.raises(ChoreiaError, match=r"s\.json: 'hit' begins at 80\.0 s, past the end of the song at 80\.0 s"):
        wish_for(written(tmp_path / "s.json", (80, 84, "hit")), song())


def test_a_dance_to_the_other_side_is_found_again(tmp_path):
    wish = wish_for(written(tmp_path / "s.json", (0, 4, "arm wave (other side): a wave")), song())
    assert moves(wish) == [(0, 4, "arm wave, arm wave (other side): a wave")]


def test_known_names_stay_as_they_are():
    known = Wish(Script("popping", (Move(0, 1, "Arm Wave, slow: as water"), Move(1, 2, "glide"))))
    assert named(known) == known and wish_for(NOTHING, song()) == Wish(Script(""))


def test_many_unknown_names_are_counted_and_long_ones_cut():
    words = ["zork", "zork", *("xyzzy" * n for n in range(2, 10))]
    wish = Wish(Script("popping", tuple(Move(k, k + 1, f"{word} plugh") for k, word in enumerate(words))))
    found = named(wish)
    assert found.script == wish.script and len(found.warnings) == MOST_NAMED + 1 and found.warnings[-1].startswith("4 more")
    assert len(named(Wish(Script("", (Move(0, 1, "x" * 5000),)))).warnings[0]) < 300


def test_the_style_of_the_option_goes_before_words_that_name_none():
    assert wish_for(Words("calm"), song(), "waltz").script.style.startswith("waltz, ")
    assert wish_for(Words("waltz, calm"), song(), "waltz").script.style.count("waltz") == 1
    with pytest.raises(ChoreiaError, match="leave one"):
        wish_for(Words("popping"), song(), "waltz")


def test_a_note_is_said_once():
    notes = wish_for(Words("bars 1-2: mooonwalk; bars 3-4: mooonwalk"), song()).notes
    assert len(notes) == len(set(notes)) and any("mooonwalk" in note for note in notes)
