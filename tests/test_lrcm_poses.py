"""LRCM in pose space: rows there and back, batches, three stages to weights, any length danced, each segment with the tail of the last."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from choreia.cli import app
from choreia.data.shards import mirrored, read_samples
from choreia.data.synthetic import synthesize
from choreia.diffusion.samplers import ddpm
from choreia.errors import ChoreiaError
from choreia.models.base import Weights
from choreia.models.lrcm import recipe
from choreia.models.lrcm.condition import given, segment
from choreia.models.lrcm.config import PAPER, POSE_TINY, Odds, worded
from choreia.models.lrcm.denoiser import bound
from choreia.models.lrcm.model import Generator, open_weights
from choreia.models.lrcm.objective import Objective
from choreia.models.lrcm.poses import MUSIC_NAMES, Poses, music_rows
from choreia.models.lrcm.predictions import schedule_of
from choreia.models.lrcm.segments import Draw
from choreia.models.lrcm.words import Scaled, ways
from choreia.motion.representation import Expmap61
from choreia.music.features import DANCE_NAMES
from choreia.pipelines.train import CLIP_VARIABLE, words_at_hand
from choreia.text.encode import Embedding
from choreia.training.loop import Settings
from choreia.types import Move, Script

POPPING = Script("popping", (Move(1.0, 3.0, "arm wave"),))


def letters(texts):
    """How often each letter occurs, and a one, so that no text is nothing."""
    return [[1.0] + [text.count(letter) for letter in "aeioustnrlmc "] for text in texts]


WORDS = Embedding("letters", 14, letters)


def song(frames, seed=0):
    return np.random.default_rng(seed).random((frames, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("prepared")
    synthesize(made / "synthetic", 2, seed=9, workers=1)
    return made


@pytest.fixture(scope="module")
def material(folder):
    return recipe.read_poses(folder, POSE_TINY)


@pytest.fixture(scope="module")
def draw(material):
    return Draw(material[0], Scaled(WORDS), worded(POSE_TINY, 14), seed=3)


@pytest.fixture(scope="module")
def trained(folder):
    return recipe.train_lrcm(folder, folder / "run", "pose_tiny", Settings(folder / "run"), WORDS, steps=6)


@pytest.fixture(scope="module")
def generator(trained):
    return open_weights(trained, WORDS)


class TestPoses:
    def test_takes_come_back_from_rows(self, folder, material):
        """Standardised by the set itself (mean 0, deviation 1 where a column moves), and back to the take's own numbers."""
        takes, poses = material
        sample = read_samples(folder / "synthetic", "train")[0]
        values = Expmap61.encode(sample.motion)
        assert np.allclose(Expmap61.encode(poses.motion(poses.rows(values), 30.0)), values, atol=1e-5)
        rows = np.concatenate([take.rows for take in takes])
        assert np.allclose(rows.mean(0), 0, atol=1e-3)
        assert np.all(np.isclose(rows.std(0), 1, atol=1e-3) | (poses.std.numpy() == np.float32(0.03)))

    def test_a_column_that_is_still_stays_small(self):
        values = np.zeros((4, 61), np.float32)
        values[:, 0], values[:, 1] = [1, 2, 3, 4], [0, 1e-6, 0, 1e-6]
        poses = Poses.of([values[:2], values[2:]])
        assert poses.mean[0] == 2.5 and np.abs(poses.rows(values)[:, 1:]).max() < 1e-3
        assert (poses.low[0], poses.high[0]) == pytest.approx((-1.5 / np.sqrt(5 / 3), 1.5 / np.sqrt(5 / 3)))

    def test_clean_rows_stay_within_what_was_seen(self, material):
        _, poses = material
        wild = poses.bounded(lambda x, t, condition: 1e9 * x)(torch.randn(1, 50, 61), torch.ones(1), torch.zeros(1))
        assert (wild >= poses.low).all() and (wild <= poses.high).all()

    def test_music_is_three_of_the_dance_features(self):
        features = np.tile(np.arange(24, dtype=np.float32), (5, 1))
        assert music_rows(features)[3].tolist() == [DANCE_NAMES.index(name) for name in MUSIC_NAMES] == [15, 11, 6]


class TestDraw:
    def test_a_batch_is_a_function_of_seed_stage_and_step(self, draw, material):
        stage = draw.config.stages[-1]
        first, again, later = draw(stage, 5), Draw(material[0], Scaled(WORDS), draw.config, 3)(stage, 5), draw(stage, 6)
        other = replace(draw, seed=4)(stage, 5)
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["x"], later["x"]) and not torch.equal(first["x"], other["x"])

    def test_memory_is_what_was_danced_just_before(self, draw):
        batch, tail = draw(draw.config.stages[-1], 0), draw.config.tail
        assert batch["has_memory"].any()
        for x, memory, there in zip(batch["x"], batch["memory"], batch["has_memory"], strict=True):
            sides = [take.rows for take in draw.takes]
            found = [rows[k - tail : k] for rows in sides for k in range(len(rows)) if np.array_equal(rows[k], x[0])]
            assert any(np.array_equal(before, memory) for before in found) if there else not memory.any()

    def test_times_are_steps_of_the_schedule(self, draw):
        t = draw(draw.config.stages[0], 1)["t"].double() * 200
        assert torch.allclose(t, t.round(), atol=1e-4) and t.min() >= 1 and t.max() <= 200

    def test_words_and_music_of_a_frame_are_its_own(self, draw, folder):
        """A take from its start against the sample itself: music columns, the move's vector in one of the ways it may be said."""
        sample = mirrored(read_samples(folder / "synthetic", "train")[0])
        part = draw._part(draw.takes[1], 0, np.random.default_rng(0))
        assert np.array_equal(part["music"], sample.music[0].dance[: draw.config.window, [15, 11, 6]])
        for k, there in enumerate(part["has_moves"]):
            said = [text for start_s, end_s, text in sample.labels.moves if start_s <= (k + 0.5) / 30 < end_s]
            assert bool(said) == bool(there)
            if said:
                assert any(np.allclose(part["moves"][k], Scaled(WORDS).encode([way])[0]) for way in ways(said[-1]))

    def test_takes_shorter_than_a_segment_are_left_out(self, draw, folder):
        longest = max(len(take.rows) for take in draw.takes)
        takes, poses = recipe.read_poses(folder, replace(POSE_TINY, window=longest))
        rows = np.concatenate([take.rows for take in takes])
        assert {len(take.rows) for take in takes} == {longest} and np.allclose(rows.max(0), poses.high, atol=1e-5)
        endless = replace(draw.config, window=900_000)
        for refused in (lambda: replace(draw, config=endless), lambda: recipe.read_poses(folder, endless)):
            with pytest.raises(ChoreiaError, match="no take to train on is 30000"):
                refused()

    def test_a_take_comes_with_each_song_or_in_silence(self, folder, draw):
        labels, rows = read_samples(folder / "synthetic", "train")[0].labels, np.ones((40, 61), np.float32)
        moves, songs = (np.full(40, -1), np.zeros((40, 0), np.float32)), [np.full((40, 3), value, np.float32) for value in (1, 2)]
        twice = recipe.danced(labels, rows, songs, moves, ways)
        alone = recipe.danced(replace(labels, kind="real", dance=True), rows, [], moves, ways)
        assert [take.music[0, 0] for take in twice] == [1, 2] and [take.weight for take in twice] == [recipe.WEIGHTS["synthetic"] / 2] * 2
        assert [take.weight for take in alone] == [recipe.WEIGHTS["real dance"]]
        batch = Draw(alone, draw.words, draw.config, 0)(draw.config.stages[0], 0)
        assert not batch["has_music"].any() and not batch["music"].any() and not batch["has_moves"].any()

    def test_ways_and_sizes(self):
        assert ways("arm wave: a wave") == ("arm wave: a wave", "arm wave", "a wave") and ways("sway") == ("sway",)
        assert np.square(Scaled(WORDS).encode(["sway", "arm wave"])).mean(1) == pytest.approx([1, 1], rel=1e-5)


class TestTraining:
    def test_a_step_lowers_the_loss_of_its_batch(self, draw):
        torch.manual_seed(0)
        objective = Objective(replace(draw.config, odds=Odds(noise=0, everything=0, words=0, music=0, moves=0)))
        batch = draw(draw.config.stages[0], 0)
        optimiser = torch.optim.Adam(objective.parameters(), lr=1e-3)
        before = objective(batch)["loss"]
        before.backward()
        optimiser.step()
        assert objective(batch)["loss"] < before

    def test_stages_have_folders_and_the_weights_say_what_they_are(self, trained, generator):
        assert all((trained.parent / stage).is_dir() for stage in ("global", "local", "memory"))
        assert generator.config == worded(POSE_TINY, 14)

    def test_clip_makes_the_paper_s_own_size(self):
        assert worded(PAPER, 512) == PAPER


class TestDance:
    @pytest.mark.parametrize("frames", [1, 36, 100])
    def test_as_long_as_the_song(self, generator, material, frames):
        motion = generator.dance(song(frames), POPPING)
        assert len(motion) == frames and motion.fps == 30 and np.isfinite(motion.rotations).all()
        low, high = (material[1].mean + material[1].std * side for side in (material[1].low, material[1].high))
        assert low[57] - 1e-3 <= motion.root[:, 1].min() and motion.root[:, 1].max() <= high[57] + 1e-3

    def test_same_seed_same_bytes(self, generator):
        one, again, other = (generator.dance(song(60), POPPING, seed=seed) for seed in (1, 1, 2))
        assert np.array_equal(one.rotations, again.rotations) and np.array_equal(one.root, again.root)
        assert not np.allclose(one.root, other.root, atol=1e-3)

    def test_a_longer_song_begins_the_same(self, generator):
        short, long = (np.concatenate(list(generator.segments(generator.wish(song(90)[:n], POPPING)))) for n in (72, 90))
        assert np.array_equal(short, long[:72])

    def test_each_segment_is_given_the_tail_of_the_one_before(self, generator, monkeypatch):
        """A recorder in place of the network: what it is given, against what was danced."""
        heard = []

        def recorder(network, config, wish, gamma, delta):
            heard.append(wish)
            return bound(network, config, wish, gamma, delta)

        monkeypatch.setattr("choreia.models.lrcm.model.bound", recorder)
        parts = list(generator.segments(generator.wish(song(100), POPPING)))
        assert [len(part) for part in parts] == [36, 36, 28]
        assert heard[0].memory is None and heard[0].has_memory.sum() == 0
        for one, before in zip(heard[1:], parts, strict=False):
            assert np.array_equal(one.memory[0], before[-6:]) and one.has_memory.sum() == 1
        music = np.concatenate([one.music[0] for one in heard])
        assert np.array_equal(music[:100], music_rows(song(100))) and np.array_equal(music[100:], np.repeat(music[99:100], 8, axis=0))

    def test_another_past_is_another_dance(self, trained):
        """The memory module starts as nothing; with weights that are not, the next segment follows from the memory."""
        generator = open_weights(trained, WORDS)
        for module in generator._denoiser.memories:
            torch.nn.init.normal_(module.share.weight, std=0.3, generator=torch.Generator().manual_seed(0))
        whole = generator.wish(song(72), POPPING)
        first, second = torch.randn(2, 1, 6, 61, generator=torch.Generator().manual_seed(1))
        make = lambda memory: generator._segment(  # noqa: E731
            segment(whole, 36, 36, memory), torch.Generator().manual_seed(5), generator.config.diffusion
        )
        with torch.inference_mode():
            assert (make(first) - make(second)).abs().max() > 1e-3 and torch.equal(make(first), make(first.clone()))

    def test_deaf_guidance_hears_neither_music_nor_words_and_progress_is_told(self, generator):
        deaf, told = replace(generator.config.diffusion, gamma=0.0, delta=0.0), []
        ours = generator.dance(song(40), POPPING, sampling=deaf, progress=lambda what, share: told.append((what, share)))
        theirs = generator.dance(song(40, seed=9), Script("salsa"), sampling=deaf)
        assert np.allclose(ours.root, theirs.root, atol=1e-5) and told == [("dancing", 0.9), ("dancing", 1.0)]

    def test_ancestral_sampling_by_the_posterior_of_ddpm(self):
        """Of standard normal rows the best guess of the noise is sigma x. Then all steps are linear, and the deviation of what 200 of them
        make of noise follows from the means and variances of Ho et al. 2020, Eq. 7, in double precision."""
        schedule, rows = schedule_of(PAPER.diffusion), torch.randn(2, 500, 61, generator=torch.Generator().manual_seed(0))
        wish = given(torch.zeros(2, 500, 3), torch.zeros(2, 14), torch.zeros(2, 500, 14), torch.zeros(2, 500))
        denoise = bound(lambda x, t, condition: schedule.sigma(t)[:, None, None] * x, PAPER, wish, 1.0, 1.0)
        made = ddpm(denoise, rows, rows, schedule, PAPER.diffusion.sample_steps, torch.Generator().manual_seed(1))
        betas = np.linspace(0.01, 0.7, 200)
        signal, variance = np.cumprod(1 - betas), 1.0
        for beta, now, then in zip(betas[:0:-1], signal[:0:-1], signal[-2::-1], strict=True):
            kept = np.sqrt(then * now) * beta / (1 - now) + np.sqrt(1 - beta) * (1 - then) / (1 - now)
            variance = kept**2 * variance + beta * (1 - then) / (1 - now)
        assert made.std().item() == pytest.approx(np.sqrt(signal[0] * variance), rel=0.02) and made.mean().abs() < 0.02

    def test_moves_are_heard_when_they_are_asked(self, generator):
        wish = generator.wish(song(120), POPPING)
        assert torch.nonzero(wish.has_moves[0]).flatten().tolist() == list(range(30, 90))
        assert np.allclose(wish.moves[0, 60], Scaled(WORDS).encode(["arm wave"])[0]) and wish.has_style.sum() == 1
        assert generator.wish(song(5), Script("")).has_style.sum() == 0


class TestRefused:
    def test_features_of_another_shape(self, generator):
        for odd in (song(10)[:, :3], song(0), song(10)[0]):
            with pytest.raises(ChoreiaError, match="music features have shape"):
                generator.dance(odd, POPPING)

    def test_weights_of_other_words_or_another_version(self, trained, generator):
        with pytest.raises(ChoreiaError, match="trained with the words of letters, here are numbers"):
            open_weights(trained, replace(WORDS, name="numbers"))
        with pytest.raises(ChoreiaError, match=r"do not fit the model .denoiser."):
            Generator(Weights({}, {"config": generator.config.to_json(), "words": "letters"}, "0" * 64), WORDS)

    def test_no_data_and_variants_that_are_not_of_pose_space(self, tmp_path):
        train = lambda name: recipe.train_lrcm(tmp_path, tmp_path, name, Settings(tmp_path), WORDS)  # noqa: E731
        with pytest.raises(ChoreiaError, match="holds neither real/ nor synthetic/"):
            train("pose_tiny")
        with pytest.raises(ChoreiaError, match="unknown lrcm variant 'huge'"):
            train("huge")
        with pytest.raises(ChoreiaError, match="'small' is not of pose space: choose one of paper, pose_small, pose_tiny"):
            train("small")

    def test_words_at_hand_are_our_own_unless_clip_s_folder_is_named(self, tmp_path, monkeypatch):
        monkeypatch.delenv(CLIP_VARIABLE, raising=False)
        own = words_at_hand()
        assert own.dim == 256 and own.name.startswith("textmotion ") and own.encode(["arm wave"]).shape == (1, 256)
        monkeypatch.setenv(CLIP_VARIABLE, str(tmp_path))
        with pytest.raises(ChoreiaError, match="holds no CLIP model"):
            words_at_hand()


def test_the_command_trains(folder, tmp_path):
    args = ["train", "lrcm", "--data", str(folder), "-o", str(tmp_path), "--variant", "pose_tiny", "--steps", "3"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0 and (tmp_path / "pose_tiny" / "weights.safetensors").is_file()
    motion = open_weights(tmp_path / "pose_tiny" / "weights.safetensors", words_at_hand()).dance(song(40), POPPING)
    assert len(motion) == 40
