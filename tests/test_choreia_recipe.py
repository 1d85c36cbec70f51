"""The default model's training: batches are functions of seed and step, words and memory belong to their segment, stages run to weights."""

import numpy as np
import pytest
import torch

from choreia.data.synthetic import synthesize
from choreia.models.choreia import recipe
from choreia.models.choreia.model import open_weights
from choreia.models.choreia.words import Words
from choreia.models.dancemeld import recipe as dancemeld
from choreia.models.dancemeld.config import variant
from choreia.training.loop import Settings
from choreia.types import Move, Script


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    synthesize(folder / "synthetic", 2, seed=9, workers=1)
    config = variant("tiny")
    tracks = dancemeld.read_corpus(folder, config, dancemeld.TOKENIZER_MIX)
    return folder, dancemeld.train_tokenizer(tracks, folder / "tokenizer", config, Settings(folder / "tokenizer"), 3)


@pytest.fixture(scope="module")
def draw(corpus):
    folder, tokenizer = corpus
    stage1 = dancemeld.load_tokenizer(tokenizer)
    takes, _, _ = recipe.read_danced(folder, stage1)
    return recipe.Draw(takes, Words(), recipe.variant("tiny", stage1.config).lrcm, seed=3, grid=2)


def test_a_batch_is_a_function_of_seed_stage_and_step(draw):
    stage = draw.config.stages[-1]
    first, again, other = draw(stage, 5), draw(stage, 5), draw(stage, 6)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["x"], other["x"])


def test_memory_is_what_was_danced_just_before(draw):
    batch = draw(draw.config.stages[-1], 0)
    whole = {take.rows.tobytes(): take.rows for take in draw.takes}
    for x, memory, there in zip(batch["x"], batch["memory"], batch["has_memory"], strict=True):
        if there:
            joined = torch.cat([memory, x]).numpy()
            spans = (rows[k : k + len(joined)] for rows in whole.values() for k in range(0, len(rows) - len(joined) + 1, 2))
            assert any(np.array_equal(span, joined) for span in spans)
        else:
            assert not memory.any()


def test_tokens_hear_the_move_that_is_danced_then(draw):
    take = max(draw.takes, key=lambda take: len(take.rows))
    assert (take.number >= 0).mean() > 0.9
    rng = np.random.default_rng(0)
    part = draw._part(take, 0, rng)
    number = take.number[: draw.config.window]
    for a in range(len(number)):
        for b in range(a):
            same = np.array_equal(part["moves"][a, : draw.words.dim], part["moves"][b, : draw.words.dim])
            assert same or number[a] != number[b]
    assert np.array_equal(part["has_moves"] > 0, number >= 0)


def test_three_stages_end_in_weights_that_dance(corpus):
    folder, tokenizer = corpus
    path = recipe.train_choreia(folder, tokenizer, folder / "run", "tiny", Settings(folder / "run"), steps=6)
    assert all((folder / "run" / stage).is_dir() for stage in ("global", "local", "memory"))
    motion = open_weights(path).dance(np.zeros((120, 24), np.float32), Script("popping", (Move(1.0, 3.0, "arm wave"),)))
    assert len(motion) == 120 and np.isfinite(motion.root).all()
