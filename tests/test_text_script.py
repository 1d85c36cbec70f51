"""Scripts: both forms keep every millisecond and word, and a malformed file is named with its line."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreia.errors import ChoreiaError
from choreia.text import script as scripts
from choreia.text.corpus import conversations, write_corpus
from choreia.types import Move, Script
from test_text_times import song

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
PHRASE = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


@st.composite
def any_script(draw) -> Script:
    times = sorted(draw(st.sets(st.integers(0, 10**8), min_size=2, max_size=12)))
    moves = [Move(a / 1000, b / 1000, draw(PHRASE)) for a, b in pairwise(times)]
    return Script(draw(PHRASE), tuple(moves))


@settings(max_examples=30, deadline=None)
@given(any_script())
def test_both_forms_come_back_exact_to_the_millisecond(script):
    assert scripts.from_text(scripts.to_text(script)) == script
    assert scripts.from_json(json.loads(json.dumps(scripts.to_json(script)))) == script


def test_the_text_is_that_of_the_paper():
    script = Script("popping, extrovert", (Move(62.5, 3723.0625, "walk out, foot movement"),))
    lines = scripts.to_text(script).splitlines()
    assert lines[0] == "Dance style characteristics: popping, extrovert"
    assert lines[2] == "Dance movement sequence:"
    assert lines[4] == "- 00:01:02.500 - 01:02:03.062: walk out, foot movement"


def test_files_come_back_whatever_their_form(tmp_path):
    script = Script("waltz", (Move(0.25, 1.5, "box step: forward, side, close"), Move(1.5, 2.0, "spin")))
    for name in ("a.txt", "a.json"):
        scripts.write(tmp_path / name, script)
        assert scripts.read(tmp_path / name) == script


def test_json_times_may_be_of_any_unit():
    data = {
        "style": "s",
        "moves": [{"from": "bar 9", "to": "bar 12", "text": "a"}, {"at": "chorus", "text": "b"}, {"at": "0:01-0:02", "text": "c"}],
    }
    moves = scripts.from_json(data, song()).moves
    assert [(m.start_s, m.end_s, m.text) for m in moves] == [(16, 24, "a"), (24, 40, "b"), (48, 64, "b"), (72, 80, "b"), (1, 2, "c")]


def test_json_in_seconds_needs_no_song_and_bars_do():
    row = {"from": "0:30", "to": "0:45", "text": "a"}
    assert scripts.from_json({"style": "", "moves": [row]}).moves == (Move(30.0, 45.0, "a"),)
    with pytest.raises(ChoreiaError, match=r"move 1: .*needs a song"):
        scripts.from_json({"style": "", "moves": [{"at": "bar 3", "text": "a"}]})


GOOD = "Dance style characteristics: x\n\nDance movement sequence:\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", GOOD + "- 00:00:01.000 - 00:00:02.000: a\n- 0:5 - 7: b\n", "line 5: expected"),
        ("a.txt", GOOD + "- 00:00:02.000 - 00:00:01.000: a\n", "line 4: ends at 1 s"),
        ("a.txt", GOOD + "- 00:00:02.000 - 00:00:03.000:\n", "line 4: no words"),
        ("a.txt", "hello\n", "line 1: expected 'Dance style"),
        ("a.txt", "Dance style characteristics: x\n", "no line 'Dance movement sequence:'"),
        ("a.json", '{"style": "x",\n "moves": [}', "line 2: not JSON"),
        ("a.json", '{"style": "x", "moves": [\n{"at": "0:01-0:02", "text": "a"},\n{"text": "b"}]}', "move 2, line 3: give its time"),
        ("a.json", '{"style": "x", "moves": [\n{"at": "soon", "text": "a"}]}', "move 1, line 2: 'soon' is not a time"),
        ("a.json", '{"style": "x", "moves": [{"start_s": true, "end_s": 2, "text": "a"}]}', "numbers of seconds"),
        ("a.json", '{"style": "x", "moves": [{"start_s": 0, "end_s": NaN, "text": "a"}]}', "finite"),
        ("a.json", '{"style": "x", "mvoes": []}', "unknown key 'mvoes'"),
        ("a.json", '{"moves": []}', "expected"),
        ("a.json", '{"a":' * 5000, r"not JSON|nested"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(ChoreiaError, match=words) as caught:
        scripts.read(tmp_path / name, song())
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_large_and_binary_files_are_refused(tmp_path):
    (tmp_path / "large.txt").write_text("x" * (scripts.LARGEST + 1))
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x01")
    for name, words in (("large.txt", "1 MiB"), ("binary.txt", "UTF-8")):
        with pytest.raises(ChoreiaError, match=words):
            scripts.read(tmp_path / name)


def test_the_corpus_answers_every_prompt_with_its_script_and_follows_its_seed(tmp_path):
    moves = (Move(0.0, 4.0, "running man: knees up"), Move(4.0, 8.5, "arm wave"), Move(8.5, 12.0, "a thing of my own"))
    made = [Script("hip-hop: relaxed", moves), Script("waltz", ())]
    assert write_corpus(tmp_path / "c.jsonl", made, phrasings=3, seed=5) == 6
    rows = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [[m["role"] for m in row["messages"]] for row in rows] == [["system", "user", "assistant"]] * 6
    assert [scripts.from_text(row["messages"][2]["content"]) for row in rows] == [s for s in made for _ in range(3)]
    assert len({row["messages"][1]["content"] for row in rows[:3]}) > 1
    assert rows == list(conversations(made, 3, 5)) != list(conversations(made, 3, 6))
    with pytest.raises(ChoreiaError, match="1 or more"):
        next(conversations(made, 0))
