"""Laws of the default model on untrained weights: any length, sameness, words where they are asked, nothing from the future."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.models.base import Weights
from choreia.models.choreia import words
from choreia.models.choreia.config import VARIANTS, Config, variant
from choreia.models.choreia.model import MODEL, Generator, Kept
from choreia.models.choreia.words import DIM, Words
from choreia.models.dancemeld.config import TINY
from choreia.models.dancemeld.tokenizer import build_tokenizer
from choreia.models.lrcm.condition import segment
from choreia.models.lrcm.denoiser import build_denoiser
from choreia.pipelines.plan import Echo
from choreia.types import Move, Script

POPPING = Script("popping", (Move(5.0, 7.0, "arm wave"),))


@pytest.fixture(scope="module")
def wordy():
    return Words()


@pytest.fixture(scope="module")
def generator(wordy):
    torch.manual_seed(0)
    config = variant("tiny", TINY.tokenizer)
    tokenizer, denoiser = build_tokenizer(config.tokenizer), build_denoiser(config.lrcm)
    torch.nn.init.normal_(denoiser.leave.weight, std=0.3)
    for module in denoiser.memories:
        torch.nn.init.normal_(module.share.weight, std=0.3)
    tensors = {f"tokenizer.{name}": value for name, value in tokenizer.state_dict().items()}
    tensors |= {f"denoiser.{name}": value for name, value in denoiser.state_dict().items()}
    tensors |= {"mean": torch.zeros(152), "std": torch.ones(152)}
    tensors |= {name: torch.full((config.tokenizer.latent_width,), value) for name, value in (("latent_mean", 0.1), ("latent_std", 2.0))}
    return Generator(Weights(tensors, {"config": config.to_json(), "words": wordy.name, "model": MODEL}, "f" * 64), wordy)


def song(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(round(30 * seconds), 24)).astype(np.float32)


def latents(generator, features, script=POPPING, seed=1, **more):
    return np.concatenate(list(generator.segments(generator.wish(features, script), seed, **more)))


@pytest.mark.parametrize("name", VARIANTS)
def test_configurations_round_trip(name):
    config = variant(name, TINY.tokenizer)
    assert Config.from_json(config.to_json()) == config
    with pytest.raises(ChoreiaError, match="unknown choreia variant"):
        variant("huge", TINY.tokenizer)


@pytest.mark.parametrize("frames", [1, 8, 63, 64, 65, 400])
def test_a_dance_covers_any_length(generator, frames):
    motion = generator.dance(song(20)[:frames], POPPING)
    assert frames <= len(motion) < frames + 8 and motion.fps == 30
    assert np.isfinite(motion.root).all() and np.isfinite(motion.rotations).all()


def test_the_same_seed_gives_the_same_bytes_and_another_another_dance(generator):
    first, again, other = (latents(generator, song(12), seed=seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() and np.abs(first - other).max() > 0.1


def test_what_is_danced_does_not_wait_for_the_rest_of_the_song(generator):
    long, half = song(24), song(24)[: 12 * 30]
    ours, theirs = latents(generator, long), latents(generator, half)
    seam = round(generator.seams_s(len(half))[-1] * generator.tokens_per_s)
    assert np.array_equal(ours[:seam], theirs[:seam])


def test_a_stream_is_the_dance_piece_by_piece(generator):
    whole = generator.dance(song(60), POPPING, seed=4)
    pieces = list(generator.stream(song(60), POPPING, seed=4))
    assert len(pieces) > 5 and sum(map(len, pieces)) == len(whole)
    assert np.allclose(np.concatenate([piece.root for piece in pieces]), whole.root, atol=1e-3)
    turned = np.abs((np.concatenate([piece.rotations for piece in pieces]) * whole.rotations).sum(-1))
    assert turned.min() > 1 - 1e-5


def test_words_change_the_dance_from_their_segment_on_and_nothing_before(generator):
    plain, asked = (latents(generator, song(16), script) for script in (Script("popping"), POPPING))
    changed = np.flatnonzero(np.abs(plain - asked).max(axis=1) > 0)
    asked_from = int(POPPING.moves[0].start_s * generator.tokens_per_s)
    seams = np.concatenate([[0], generator.seams_s(480) * generator.tokens_per_s])
    segment = int(seams[seams <= asked_from].max())
    assert len(changed) and segment <= changed[0] <= asked_from + generator.config.lrcm.window


def test_a_segment_hears_its_memory(generator):
    wish = generator.wish(song(8), POPPING)
    memories = torch.randn(2, 1, 4, TINY.tokenizer.latent_width, generator=torch.Generator().manual_seed(0))

    def make(memory: torch.Tensor) -> torch.Tensor:
        return generator._segment(segment(wish, 0, 16, memory), torch.zeros(16, 24), torch.zeros(16), generator.config.sampling, 3)

    with torch.inference_mode():
        assert (make(memories[0]) - make(memories[1])).abs().max() > 1e-3


def test_the_memory_is_what_was_danced_before_the_overlap(generator, monkeypatch):
    given, rows = [], iter(torch.arange(3 * 16.0).view(3, 16, 1).expand(3, 16, 24))
    monkeypatch.setattr(generator, "_segment", lambda wish, *more: given.append(wish.memory) or next(rows))
    list(generator.segments(generator.wish(song(4.2), POPPING), 0, sampling=replace(generator.config.sampling, overlap=4, soft=0)))
    assert given[0] is None
    assert given[1][0, :, 0].tolist() == [8, 9, 10, 11]
    assert given[2][0, :, 0].tolist() == [24, 25, 26, 27]


def test_a_full_echo_repeats_what_was_danced(generator):
    count = generator.tokens_for(20 * 30)
    source, weight = np.arange(count, dtype=float), np.zeros(count)
    source[100:120], weight[100:120] = np.arange(10, 30), 1.0
    rows = latents(generator, song(20), echo=Echo(source, weight))
    assert np.allclose(rows[100:120], rows[10:30], atol=1e-4)


def test_the_end_of_a_segment_is_a_draft_for_the_next(generator, monkeypatch):
    given, rows = [], iter(torch.arange(3 * 16.0).view(3, 16, 1).expand(3, 16, 24).clone())

    def segment(wish, known, mask, *more):
        given.append((known[:, 0].tolist(), mask.tolist()))
        return next(rows)

    monkeypatch.setattr(generator, "_segment", segment)
    sampling = replace(generator.config.sampling, overlap=4, soft=3)
    made = np.concatenate(list(generator.segments(generator.wish(song(4.2), POPPING), 0, sampling=sampling)))[:, 0]
    assert ((made - 0.1) / 2).tolist() == pytest.approx([*range(13), *range(20, 29), *range(36, 46)])
    assert given[0] == ([0] * 16, [0] * 16)
    assert given[1] == ([9, 10, 11, 12, 13, 14, 15, *[0] * 9], [1, 1, 1, 1, 0.75, 0.5, 0.25, *[0] * 9])


def test_kept_rows_come_back_and_only_the_others_are_danced(generator, monkeypatch):
    count = generator.tokens_for(10 * 30)
    rows = np.random.default_rng(0).normal(size=(count, TINY.tokenizer.latent_width)).astype(np.float32)
    free = np.isin(np.arange(count), [*range(10, 34), *range(60, 64)])
    made = latents(generator, song(10), kept=Kept(rows, 1.0 - free))
    assert np.allclose(made[~free], rows[~free], atol=1e-5) and (np.abs(made - rows)[free].max(axis=1) > 0.01).all()
    monkeypatch.setattr(generator, "_segment", None)
    assert np.allclose(latents(generator, song(10), kept=Kept(rows, np.ones(count))), rows, atol=1e-5)


def test_without_overlap_the_segments_are_whole_windows(generator):
    sampling = replace(generator.config.sampling, overlap=0, soft=0)
    lengths = [len(rows) for rows in generator.segments(generator.wish(song(8), POPPING), 0, sampling=sampling)]
    assert lengths == [16, 16, 16, 12]


def test_guidance_of_nothing_hears_neither_music_nor_words(generator):
    deaf = replace(generator.config.sampling, gamma=0.0, delta=0.0)
    ours = latents(generator, song(6), POPPING, sampling=deaf)
    theirs = latents(generator, song(6, seed=9), Script("salsa"), sampling=deaf)
    assert np.allclose(ours, theirs, atol=1e-5)


def test_words_are_told_apart_and_equal_texts_are_equal(wordy):
    vectors = wordy.encode(["arm wave", "body wave", "arm wave"])
    assert vectors.shape == (3, DIM) and np.array_equal(vectors[0], vectors[2])
    assert np.linalg.norm(vectors[0] - vectors[1]) > 0.3 * np.linalg.norm(vectors[0])
    assert np.square(vectors).mean() == pytest.approx(1.0, rel=0.01)
    assert wordy.encode([]).shape == (0, DIM)


def test_moves_are_captioned_as_they_were_trained():
    assert words.caption("arm wave", "popping").startswith("arm wave: ")
    assert words.caption("arm wave, to the left", "popping").endswith(", to the left")
    assert words.caption("juggle three swords", "popping") == "juggle three swords"
    assert words.caption("arm wave: as written", None) == "arm wave: as written"
    assert {"arm wave", "arm wave: a wave"} <= set(words.phrasings("arm wave: a wave")) and words.phrasings("sway") == ("sway",)


def test_weights_of_other_words_and_odd_music_are_refused(generator, wordy):
    header = {"config": generator.config.to_json(), "words": "another encoder", "model": MODEL}
    with pytest.raises(ChoreiaError, match="another encoder"):
        Generator(Weights({}, header, "0" * 64), wordy)
    with pytest.raises(ChoreiaError, match="music features have shape"):
        generator.dance(np.zeros((10, 3), np.float32), POPPING)
