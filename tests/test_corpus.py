"""Conversations for tuning: the words of prepared dances as they were labelled, and scripts of the lexicon that keep to its words."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from choreia.data.shards import MANIFEST, Labels, Sample, write_json, write_shard
from choreia.errors import ChoreiaError
from choreia.motion.skeleton import choreia24
from choreia.pipelines.corpus import corpus, scripts
from choreia.text.corpus import made_up, phrasing
from choreia.text.lexicon import find, lexicon, style_named
from choreia.text.script import from_text
from choreia.types import Motion, Move, Script

STILL = Motion(choreia24(), np.tile([0, 0.95, 0], (90, 1)), np.tile([1.0, 0, 0, 0], (90, 24, 1)), 30.0)
WALTZ = Labels(
    "a", "train", "waltz", True, "", "", "", "", words="waltz, calm", moves=((2.0, 3.0, "twinkle"), (0.0, 1.5, "box step: in three"))
)


def prepared(folder, *labels: Labels):
    """A folder of shards as `prepare` writes them, one shard a split."""
    folder.mkdir(parents=True)
    shards = []
    for split in dict.fromkeys(label.split for label in labels):
        samples = [Sample(label, STILL, np.ones((90, 4), np.float32)) for label in labels if label.split == split]
        digest = write_shard(folder / f"{split}.tar", samples)
        shards.append({"file": f"{split}.tar", "split": split, "sha256": digest})
    write_json(folder / MANIFEST, {"shards": shards})
    return folder


def answers(path) -> list[Script]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [from_text(row["messages"][2]["content"]) for row in rows]


def test_dances_answer_with_their_labels_in_order_of_time(tmp_path):
    prepared(tmp_path / "data" / "synthetic", WALTZ, replace(WALTZ, key="b", dance=False), replace(WALTZ, key="c", split="test"))
    report = corpus(tmp_path / "data", tmp_path / "c.jsonl", made=0, phrasings=3)
    expected = Script("waltz, calm", (Move(0.0, 1.5, "box step: in three"), Move(2.0, 3.0, "twinkle")))
    assert answers(tmp_path / "c.jsonl") == [expected] * 3
    assert (report["conversations"], report["dances"], report["made"]) == (3, 1, 0)


def test_takes_from_before_the_words_get_them(tmp_path):
    prepared(tmp_path / "real", replace(WALTZ, words="", moves=()))
    (script,) = scripts(tmp_path)
    assert style_named(script.style) == "waltz" and "small moving range" in script.style
    assert [script] == list(scripts(tmp_path / "real"))


def test_takes_and_the_lexicon_stand_in_one_file(tmp_path):
    prepared(tmp_path / "real", WALTZ)
    report = corpus(tmp_path, tmp_path / "c.jsonl", made=5, phrasings=1, seed=3)
    assert report["conversations"] == 6 and len(answers(tmp_path / "c.jsonl")) == 6


def test_nothing_is_left_of_a_corpus_that_cannot_be_written(tmp_path):
    (tmp_path / "c.jsonl").write_text("mine")
    for options, word in (
        ({}, "--force"),
        ({"force": True, "phrasings": 0}, "phrasings"),
        ({"force": True, "data": tmp_path}, "no prepared"),
    ):
        with pytest.raises(ChoreiaError, match=word):
            corpus(**{"data": None, "out": tmp_path / "c.jsonl", "made": 2} | options)
    assert [path.name for path in tmp_path.iterdir()] == ["c.jsonl"] and (tmp_path / "c.jsonl").read_text() == "mine"


def test_made_up_scripts_keep_to_the_lexicon_and_to_a_style():
    made, styles = list(made_up(60, seed=1)), [style.name for style in lexicon().styles]
    assert [style_named(script.style) for script in made] == [styles[k % len(styles)] for k in range(60)]
    terms = [[find(move.text.partition(":")[0]) for move in script.moves] for script in made]
    assert all(terms) and all(term for script in terms for term in script)
    own = [style_named(script.style) in term.styles for script, row in zip(made, terms, strict=True) for term in row]
    assert 0.7 < np.mean(own) < 1


def test_made_up_moves_follow_one_another_in_whole_8_counts():
    for script in made_up(60, seed=1):
        assert all(first.end_s <= second.start_s + 1e-9 for first, second in pairwise(script.moves))
        spans_s = np.array([move.end_s - move.start_s for move in script.moves])
        eights = [spans_s * bpm / 480 for bpm in range(80, 141)]
        assert any(np.allclose(n, np.round(n)) and round(n.min()) >= 1 and round(n.max()) <= 4 for n in eights)


def test_made_up_scripts_follow_their_seed():
    assert list(made_up(7, 2)) == list(made_up(20, 2))[:7] != list(made_up(7, 3))
    assert len({script.style for script in made_up(60, 2)}) > 40 and list(made_up(0)) == []


def test_a_prompt_may_say_the_manner_and_never_one_that_is_not_there():
    script = Script("popping, small moving range, calm, hits and freezes", ())
    prompts = [phrasing(script, np.random.default_rng(seed)) for seed in range(40)]
    names = {word.name: {word.name, *word.synonyms} for word in lexicon().manners}
    said = {name: sum(any(f", {own}" in prompt for own in owns) for prompt in prompts) for name, owns in names.items()}
    assert {name for name, times in said.items() if times} >= {"calm"} and 8 < said["calm"] < 32
