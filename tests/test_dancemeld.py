"""DanceMeld: losses against sums by hand, every variant steps, tiny trains, sampling keeps what it is told to keep, files are checked."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia import losses, models
from choreia.errors import ChoreiaError
from choreia.models import base
from choreia.models.base import read_weights, write_weights
from choreia.models.dancemeld import recipe
from choreia.models.dancemeld.body import FORMS, SEGMENT_FRAMES, level_joints
from choreia.models.dancemeld.condition import MUSIC_WIDTH, condition, fold_music, one_hot_style
from choreia.models.dancemeld.config import PAPER, TINY, VARIANTS, Config, variant
from choreia.models.dancemeld.model import MODEL, Generator
from choreia.models.dancemeld.objective import PriorObjective, TokenizerObjective
from choreia.motion import rotations
from choreia.motion.kinematics import positions
from choreia.motion.representation import Heading152, Smpl6d147
from choreia.motion.skeleton import choreia24
from choreia.training.loop import Settings
from choreia.training.tracks import Track
from choreia.types import Motion


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def swing(seed, frames=400, bpm=120.0):
    """A body that sways to a beat: sines at multiples of the beat, different for every seed."""
    rng, t = np.random.default_rng(seed), np.arange(frames) / 30
    phase = 2 * np.pi * t * bpm / 60
    pattern = np.random.default_rng(0).normal(0, 0.3, (2, 24, 3))
    turns = sum(rng.uniform(0.5, 1.5) * pattern[k] * np.sin(phase / (2 * k + 2) + rng.uniform(0, 6))[:, None, None] for k in range(2))
    root = np.stack([0.3 * np.sin(t), 0.93 + 0.02 * np.sin(phase), 0.2 * np.cos(t)], axis=1)
    wxyz = rotations.expmap_to_quaternion(torch.from_numpy(turns)).numpy()
    return Motion(choreia24(), root.astype(np.float32), wxyz.astype(np.float32), 30.0), phase


def track(seed):
    motion, phase = swing(seed)
    music = np.zeros((len(motion), 24), np.float32)
    music[:, 0], music[:, 1] = np.sin(phase), np.cos(phase)
    return Track(f"swing{seed}", Heading152.encode(motion, np.ones((len(motion), 4))), music, seed % 2)


@pytest.fixture(scope="module")
def corpus():
    return recipe.Corpus(tuple(track(k) for k in range(6)), ("sway", "swing"))


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A tiny model, both stages trained for a moment."""
    out = tmp_path_factory.mktemp("run")
    tokenizer = recipe.train_tokenizer(corpus, out / "1", TINY, Settings(out / "1", log_every=10), steps=60)
    weights = recipe.train_prior(corpus, tokenizer, out / "2", TINY, Settings(out / "2", log_every=10), steps=60)
    return out, tokenizer, weights


@pytest.fixture(scope="module")
def generator(trained):
    return Generator(read_weights(trained[2], MODEL))


class TestLosses:
    def test_position_and_contact_by_hand(self):
        a, b = torch.zeros(1, 3, 1, 3), torch.zeros(1, 3, 1, 3)
        a[0, 1, 0] = torch.tensor([0.3, 0.0, 0.4])
        assert losses.position(a, b).item() == pytest.approx(0.25 / 3)
        assert losses.velocity(a, b, fps=10.0).item() == pytest.approx((25 + 25) / 2)
        assert losses.acceleration(a, b, fps=10.0).item() == pytest.approx(100.0**2)
        stands = torch.tensor([[[1.0], [0.0], [0.0]]])
        assert losses.contact(a, stands, fps=10.0).item() == pytest.approx(25 / 2)

    def test_motion_in_seconds_not_frames(self):
        """The same movement costs the same at 30 and at 60 fps."""
        fine = torch.linspace(0, 1, 121)[None, :, None, None] * torch.ones(3)
        coarse, still = fine[:, ::2], torch.zeros(1)
        assert losses.velocity(fine, still.expand_as(fine), 60.0).item() == pytest.approx(
            losses.velocity(coarse, still.expand_as(coarse), 30.0).item(), rel=1e-3)  # fmt: skip

    def test_alignment_ignores_samples_without_music(self):
        top, music = noise(2, 4, 3), noise(2, 4, 3, seed=1)
        has = torch.tensor([1.0, 0.0])
        assert losses.alignment(top, music, has).item() == pytest.approx((top[0] - music[0]).square().mean().item() / 2, rel=1e-5)

    def test_standing_feet(self):
        feet = torch.zeros(1, 4, 4, 3)
        feet[0, 2:, 1, 0] = 0.1
        assert losses.standing(feet, 30.0)[0, :, 1].tolist() == [1, 0, 1, 1]
        assert losses.standing(feet, 30.0)[0, :, 0].tolist() == [1, 1, 1, 1]


class TestBody:
    def test_joints_are_those_of_the_motion(self):
        motion, _ = swing(3, frames=SEGMENT_FRAMES)
        true = positions(motion)
        smpl = FORMS["smpl6d147"].body(torch.from_numpy(Smpl6d147.encode(motion))[None], 30.0)
        assert np.abs(smpl.joints[0].numpy() - true).max() < 1e-3
        own = FORMS["heading152"].body(torch.from_numpy(Heading152.encode(motion))[None], 30.0)
        distance = np.linalg.norm(own.joints[0, :, 0].numpy() - own.joints[0, :, 20].numpy(), axis=-1)
        assert np.abs(distance - np.linalg.norm(true[:, 0] - true[:, 20], axis=-1)).max() < 1e-3
        speed = np.diff(own.feet[0].numpy(), axis=0)
        assert np.abs(np.linalg.norm(speed, axis=-1) - np.linalg.norm(np.diff(true[:, [7, 10, 8, 11]], axis=0), axis=-1)).max() < 1e-3

    def test_level_joints_do_not_see_the_heading(self):
        motion, _ = swing(3, frames=40)
        turn = rotations.yaw(torch.full((40,), 1.2)).double()
        turned = motion.rotations.copy()
        turned[:, 0] = rotations.multiply(turn, torch.from_numpy(turned[:, 0]).double()).float().numpy()
        a, b = (level_joints(torch.from_numpy(Heading152.encode(m)))
                for m in (motion, Motion(motion.skeleton, motion.root, turned, 30.0)))  # fmt: skip
        assert torch.allclose(a, b, atol=1e-4)


def tokenizer_batch(config, count=2, frames=64):
    return {
        "values": 0.1 * noise(count, frames, config.tokenizer.dim), "keep": torch.full((count,), len(config.tokenizer.bottom_sizes)),
        "music": noise(count, frames, 24), "has_music": torch.ones(count),
    }  # fmt: skip


def prior_batch(config, styles=3, count=2, tokens=16):
    sizes = torch.tensor(config.tokenizer.bottom_sizes + config.tokenizer.top_sizes)
    width = config.tokenizer.latent_width
    return {
        "h": noise(count, tokens, width), "noise": noise(count, tokens, width, seed=1), "t": torch.linspace(0.1, 1, count),
        "music": noise(count, tokens, 96), "style": torch.tensor([0, styles - 1]), "hear": torch.ones(count), "know": torch.ones(count),
        "codes": (torch.rand(count, tokens, len(sizes), generator=torch.Generator().manual_seed(2)) * sizes).long(),
    }  # fmt: skip


def step(objective, batch, lr=1e-3):
    optimiser = torch.optim.Adam(objective.parameters(), lr)
    before = objective(batch)["loss"]
    before.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in objective.parameters())
    optimiser.step()
    return before.item()


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ("paper", "small")])
def test_every_ablation_steps(name):
    config = variant(name)
    small = replace(config.tokenizer, width=32, fine_width=32, bottom_sizes=(32,) * 2, top_sizes=config.tokenizer.top_sizes[:1])
    config = replace(config, tokenizer=small, prior=replace(config.prior, width=32, layers=1, heads=2))
    objective = TokenizerObjective(config, torch.zeros(152), torch.ones(152))
    batch = tokenizer_batch(config)
    losses_before = [step(objective, batch) for _ in range(4)]
    assert losses_before[-1] < losses_before[0]
    assert step(PriorObjective(config, 3), prior_batch(config)) > 0


def test_paper_steps_and_has_its_sizes():
    objective = TokenizerObjective(PAPER, torch.zeros(147), torch.ones(147))
    assert sum(p.numel() for p in objective.tokenizer.parameters()) == pytest.approx(54e6, rel=0.1)
    assert (PAPER.tokenizer.bottom_sizes, PAPER.tokenizer.top_sizes, PAPER.tokenizer.fps) == ((512,), (128,), 60.0)
    assert step(objective, tokenizer_batch(PAPER, count=1, frames=16), lr=1e-4) > 0
    prior = PriorObjective(PAPER, 3)
    blocks = prior.prior.denoise.blocks
    assert (len(blocks), blocks[0].attention.heads, prior.prior.denoise.width) == (8, 8, 512)
    assert step(prior, prior_batch(PAPER, tokens=8), lr=1e-4) > 0


def test_configuration_survives_json():
    assert all(Config.from_json(config.to_json()) == config for config in VARIANTS.values())
    with pytest.raises(ChoreiaError, match="unknown dancemeld variant 'huge'"):
        variant("huge")


def test_condition_is_zero_for_nothing():
    music = fold_music(noise(1, 16, 24))
    assert music.shape == (1, 4, 96)
    assert torch.equal(fold_music(torch.arange(8.0)[:, None].expand(8, 24))[1, ::24], torch.tensor([4.0, 5, 6, 7]))
    given = condition(music, one_hot_style(torch.tensor([-1]), 5))
    assert given.shape == (1, 4, MUSIC_WIDTH + 5)
    assert (given[..., MUSIC_WIDTH - 1] == 1).all() and (given[..., MUSIC_WIDTH:] == 0).all()


class TestTraining:
    def test_both_stages_learn(self, trained):
        for stage, least in (("1", 0.75), ("2", 0.9)):
            lines = [json.loads(line)["loss"] for line in (trained[0] / stage / "log.jsonl").read_text().splitlines()]
            assert lines[-1] < least * lines[0]

    def test_weights_are_half_and_say_what_they_are(self, trained, corpus):
        weights = read_weights(trained[2], MODEL)
        assert json.loads(weights.header["styles"]) == list(corpus.styles)
        assert Config.from_json(weights.header["config"]).name == "tiny"
        assert trained[2].stat().st_size < 2.2 * sum(t.numel() for t in weights.tensors.values()) + 20_000


class TestGenerator:
    def features(self, frames=230):
        return np.random.default_rng(0).standard_normal((frames, 24), np.float32)

    def test_same_seed_same_bytes_other_seed_other_dance(self, generator):
        one, two, other = (generator.sample(self.features(), "sway", seed) for seed in (1, 1, 2))
        assert one.tobytes() == two.tobytes()
        assert np.abs(one - other).max() > 0.01
        assert one.shape == (58, 24)

    def test_dance_covers_the_music(self, generator):
        motion = generator.dance(self.features(), seed=3)
        assert 230 <= len(motion) < 238 and motion.fps == 30
        assert np.isfinite(motion.root).all() and np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1, atol=1e-4)

    def test_kept_tokens_are_bit_identical(self, generator):
        known = generator.sample(self.features(), seed=1)
        mask = np.zeros(len(known), np.float32)
        mask[:20] = mask[40:] = 1
        mask[20:22] = 0.5
        made = generator.sample(self.features(), seed=2, known=known, mask=mask)
        assert made[:20].tobytes() == known[:20].tobytes() and made[40:].tobytes() == known[40:].tobytes()
        assert np.abs(made[22:40] - known[22:40]).max() > 0.01

    def test_echo_returns_to_earlier_material(self, generator):
        echo = type("Echo", (), {"source": np.arange(58.0), "weight": np.zeros(58)})()
        echo.source[40:], echo.weight[40:] = np.arange(10.0, 28.0), 1.0
        made = generator.sample(self.features(), seed=1, echo=echo)
        assert np.allclose(made[40:], made[10:28], atol=1e-5)

    def test_style_and_music_are_heard(self, generator):
        plain = generator.sample(self.features(), seed=1)
        assert np.abs(plain - generator.sample(self.features(), "swing", seed=1)).max() > 1e-4
        assert np.abs(plain - generator.sample(-self.features(), seed=1)).max() > 1e-4

    def test_takes_go_through_latents_and_codes(self, generator):
        motion, _ = swing(5, frames=100)
        latents = generator.encode(motion)
        codes = generator.codes(latents)
        assert latents.shape == (26, 24) and codes.bottom.shape == (26, 4) and codes.top.shape == (13, 1)
        assert generator.decode(latents).shape == (104, 152)

    def test_progress_ends_at_one(self, generator):
        heard = []
        generator.sample(self.features(64), seed=1, progress=lambda what, share: heard.append(share))
        assert heard[-1] == 1.0 and heard == sorted(heard)

    def test_bad_input_is_one_line(self, generator):
        with pytest.raises(ChoreiaError, match="unknown style 'polka': choose one of sway, swing"):
            generator.sample(self.features(), "polka")
        with pytest.raises(ChoreiaError, match=r"shape \(10, 3\)"):
            generator.sample(np.zeros((10, 3), np.float32))


class TestWeights:
    def test_wrong_hash_truncation_and_other_models_are_refused(self, trained, tmp_path):
        good = trained[2]
        with pytest.raises(ChoreiaError, match="expected 0000"):
            read_weights(good, MODEL, "0" * 64)
        with pytest.raises(ChoreiaError, match="expected other"):
            read_weights(good, "other")
        cut = tmp_path / "cut.safetensors"
        cut.write_bytes(good.read_bytes()[:-100])
        with pytest.raises(ChoreiaError, match="not a whole safetensors file"):
            read_weights(cut, MODEL)
        with pytest.raises(ChoreiaError, match="no weights at"):
            read_weights(tmp_path / "none.safetensors", MODEL)

    def test_tensors_of_another_version_are_refused(self, trained, tmp_path):
        weights = read_weights(trained[2], MODEL)
        fewer = {name: value for name, value in weights.tensors.items() if not name.endswith("join.weight")}
        write_weights(tmp_path / "w.safetensors", fewer, {k: v for k, v in weights.header.items() if k != "format"})
        with pytest.raises(ChoreiaError, match="another version"):
            Generator(read_weights(tmp_path / "w.safetensors", MODEL))

    def test_published_weights_are_found_by_name(self, trained, tmp_path, monkeypatch):
        monkeypatch.setattr(base, "WEIGHTS", tmp_path)
        monkeypatch.setattr(base, "HASHES", tmp_path / "weights.json")
        with pytest.raises(ChoreiaError, match="no weights called"):
            models.load("small")
        path = base.publish(trained[2], "dancemeld-small")
        assert models.load("small").weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(ChoreiaError, match="changed or damaged"):
            models.load("small")

    def test_unknown_model(self):
        with pytest.raises(ChoreiaError, match="unknown model 'nobody'"):
            models.load("nobody")
