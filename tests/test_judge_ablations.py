"""The table of what each part of the model is good for: a row for every folder, each measured alike."""

from shutil import copyfile

import numpy as np
import pytest

from choreia.data.synthetic import synthesize
from choreia.models.choreia import recipe
from choreia.models.dancemeld import recipe as dancemeld
from choreia.models.dancemeld.config import variant
from choreia.models.moves.recipe import kept_judge
from choreia.pipelines import judge_ablations
from choreia.pipelines.judge_ablations import SCORES, ablations
from choreia.pipelines.judge_dance import Heard, _song
from choreia.pipelines.prompts import PROMPTS
from choreia.synth.choreographer import choreograph
from choreia.training.loop import Settings


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two variants, one of them also under a third name."""
    folder = tmp_path_factory.mktemp("runs")
    synthesize(folder / "synthetic", 2, seed=9, workers=1)
    config = variant("tiny")
    tracks = dancemeld.read_corpus(folder, config, dancemeld.TOKENIZER_MIX)
    tokenizer = dancemeld.train_tokenizer(tracks, folder / "tokenizer", config, Settings(folder / "tokenizer"), 3)
    for name, seed in (("one", 0), ("two", 1)):
        recipe.train_choreia(folder, tokenizer, folder / "runs" / name, "tiny", Settings(folder, seed=seed), steps=6)
    (folder / "runs" / "same").mkdir()
    copyfile(folder / "runs" / "one" / "weights.safetensors", folder / "runs" / "same" / "weights.safetensors")
    return folder / "runs"


@pytest.fixture
def little(monkeypatch, tmp_path):
    """One prompt, one song, and choreographed dances for the truth."""
    beats_s = 0.5 * np.arange(25)
    truth = [choreograph(beats_s, beats_s[::4], (), "waltz", seed, duration_s=12.0).motion for seed in range(3)]
    judge = kept_judge(tmp_path, "tiny")
    music = judge_ablations.ask(PROMPTS, 0, 1).music
    monkeypatch.setattr(judge_ablations, "PROMPTS", PROMPTS[:1])
    monkeypatch.setattr(judge_ablations, "kept_judge", lambda folder: judge)
    monkeypatch.setattr(judge_ablations, "real_dance", lambda data, split: truth)
    monkeypatch.setattr(judge_ablations, "composed", lambda: [Heard(music, _song("composed", music.duration_s, music.beats_s))])


def test_every_folder_is_a_row_and_the_same_weights_score_the_same(runs, little, tmp_path):
    rows = {row[""]: row for row in ablations(tmp_path, runs, seeds=2, workers=2, progress=None)}
    assert list(rows) == ["one", "same", "two"]
    one, same, two = ({name: value for name, value in row.items() if name} for row in rows.values())
    assert set(one) == {"dances", "move in its window", "style", *SCORES}
    assert one["dances"] == 3  # one as asked, two free
    assert repr(one) == repr(same) and repr(one) != repr(two)
