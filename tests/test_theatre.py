"""The musical-theatre model: its equations by hand, what is held, what a variant never hears, a run from shards to a show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.data import synthetic
from choreia.data.scores import music_of
from choreia.data.shards import MusicTrack, write_json, write_shard
from choreia.errors import ChoreiaError
from choreia.models.base import read_weights, write_weights
from choreia.models.choreia.latents import default_latents
from choreia.models.choreia.stage import space_of
from choreia.models.theatre import recipe
from choreia.models.theatre.config import PAPER, SMALL, TINY, VARIANTS, Config, Sizes, ablations, variant
from choreia.models.theatre.dancer import JOINTS, PARENTS, adjacency, amplitude, readouts
from choreia.models.theatre.denoiser import Denoiser, Scheduling
from choreia.models.theatre.given import Given, columns, pack, unpack
from choreia.models.theatre.joints import JointSpace
from choreia.models.theatre.latent import MODALITIES, SharedSpace, coherence, correlation
from choreia.models.theatre.model import MODEL, Generator
from choreia.models.theatre.music import EVENTS, beat_pulse, event_class, per_beat
from choreia.models.theatre.objective import EVERY, Encoders, Objective
from choreia.models.theatre.performances import Performed, Song, read, write
from choreia.models.theatre.rows import LIT, MUSIC, RHYTHM_NAMES, fold, music_rows, style_of, style_rows, unfold
from choreia.motion.kinematics import positions
from choreia.stage.style import VECTOR, from_vector, to_vector
from choreia.training.loop import Settings
from choreia.types import Features, Music, RhythmEvents, Section


@pytest.fixture(scope="module")
def sample():
    return synthetic.make_sample(3, 11, "train")


@pytest.fixture(scope="module")
def music(sample):
    return music_of(sample.music[0], sample.labels.seconds)


@pytest.fixture(scope="module")
def space():
    return default_latents()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, sample):
    """Tiny weights after a few steps of every stage on one song, by the recipe's own functions."""
    folder = tmp_path_factory.mktemp("theatre")
    shard = folder / "data" / "synthetic" / "train-00000.tar"
    shard.parent.mkdir(parents=True)
    digest = write_shard(shard, [sample])
    write_json(shard.parent / "manifest.json", {"shards": [{"file": shard.name, "split": "train", "sha256": digest}]})
    settings = Settings(folder / "encoders", bf16=False)
    encoders = recipe.train_encoders(folder / "data", folder / "encoders", TINY, default_latents(), settings, steps=3)
    return recipe.train_theatre(encoders, folder / "tiny", "tiny", default_latents(), replace(settings, out=folder / "tiny"), steps=3)


@pytest.fixture(scope="module")
def generator(trained, space):
    return Generator(read_weights(trained, MODEL), space)


def untrained(config: Config, space, path, seed=0) -> Generator:
    """A generator of a variant with random weights, also where training begins with zeros."""
    torch.manual_seed(seed)
    encoders = Encoders(config.sizes)
    objective = Objective(config, encoders, space.joints)
    for parameter in objective.denoiser.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    tensors = {k: v for k, v in objective.state_dict().items() if k.startswith(("listener.", "denoiser."))}
    tensors |= {f"encoders.{k}": v for k, v in encoders.state_dict().items()}
    tensors |= {"encoders.style_mean": torch.zeros(config.sizes.style), "encoders.style_std": torch.ones(config.sizes.style)}
    write_weights(path, tensors, {"model": MODEL, "config": config.to_json(), "space": space.name})
    return Generator(read_weights(path, MODEL), space)


# ----------------------------------------------------------------------------------------------------------------- rows


def test_rows_of_a_style_that_rests_through_a_token_come_back():
    rng = np.random.default_rng(0)
    rest = rng.uniform(0.1, 0.9, (6, len(VECTOR)))
    track = np.repeat(rest, 4, axis=0)
    track[:, LIT] = rng.uniform(0, 1, (24, LIT.stop - LIT.start))
    back = to_vector(style_of(style_rows(from_vector(track), 4), 4))
    assert np.abs(back - to_vector(from_vector(track))).max() < 1e-6


def test_folding_puts_frames_of_a_token_side_by_side():
    rows = torch.arange(24.0).view(1, 12, 2)
    assert fold(rows, 4)[0, 1].tolist() == list(range(8, 16))
    assert torch.equal(unfold(fold(rows, 4), 4), rows)


def test_music_has_pulses_where_events_are_and_does_not_hear_volume(music):
    rows = music_rows(music, 300, 30.0)
    assert rows.shape == (300, MUSIC)
    section = rows[:, 64 + RHYTHM_NAMES.index("section")]
    for part in music.sections:
        if part.start_s < 9.9:
            assert section[round(part.start_s * 30)] > 0.9
    offbeat = rows[:, 64 + RHYTHM_NAMES.index("offbeat")]
    far = np.abs(np.arange(300)[:, None] / 30 - music.events.offbeat_s[None]).min(axis=1) > 0.15
    assert offbeat[far].max() < 1e-2
    louder = replace(music, features=music.features | {"logmel": Features(music.features["logmel"].values + 3, 30.0, ())})
    assert np.abs(music_rows(louder, 300, 30.0) - rows).max() < 1e-5


def test_the_number_of_the_beat_goes_up_on_every_beat(music):
    number = music_rows(music, 300, 30.0)[:, -1]
    steps = (np.flatnonzero(np.diff(number)) + 1) / 30
    beats = music.beats_s[music.beats_s < 9.9]
    assert np.abs(steps[: len(beats)] - beats).max() < 1 / 30 + 1e-6


# ------------------------------------------------------------------------------------------------------------- encoders


def test_a_beat_has_the_mean_of_its_tokens():
    h = torch.tensor([[[1.0], [3.0], [10.0], [20.0], [30.0]]])
    number = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]])
    assert per_beat(h, number)[0, :, 0].tolist() == [2.0, 2.0, 20.0, 20.0, 20.0]


def test_events_are_named_strong_before_offbeat_before_subdivision():
    frames = torch.zeros(1, 16, MUSIC)
    at = {name: 64 + RHYTHM_NAMES.index(name) for name in ("beat_pulse", "offbeat", "subdivision")}
    frames[0, 5, at["beat_pulse"]] = 1.0
    frames[0, 6, at["subdivision"]] = 1.0
    frames[0, 9, at["offbeat"]] = 1.0
    frames[0, 13, at["subdivision"]] = 1.0
    music = fold(frames, 4)
    assert [EVENTS[k] for k in event_class(music, 4)[0]] == ["none", "strong", "offbeat", "subdivision"]
    assert beat_pulse(music, 4)[0].argmax() == 5


def test_the_graph_is_normalised_as_equation_2_says():
    joined = adjacency()
    pelvis, hip, knee = 0, 1, 4
    assert PARENTS[hip] == pelvis and PARENTS[knee] == hip
    # The pelvis joins three bones and itself, a hip two and itself.
    assert joined[pelvis, hip] == pytest.approx(1 / np.sqrt(4 * 3))
    assert joined[pelvis, pelvis] == pytest.approx(1 / 4) and joined[pelvis, knee] == 0
    assert torch.equal(joined, joined.T) and torch.linalg.eigvalsh(joined)[-1] == pytest.approx(1.0, abs=1e-5)


def test_readouts_of_a_body_that_moves_as_one():
    joints = torch.randn(1, 1, JOINTS, 3).repeat(1, 16, 1, 1) + torch.arange(16.0).view(1, 16, 1, 1) * torch.tensor([0.1, 0.0, 0.0])
    beat = torch.zeros(1, 16)
    beat[0, 6] = 1
    speed, turning, momentum, kinetic, response = readouts(joints, beat, 30.0, 4)[0].T
    assert torch.allclose(amplitude(joints, 30.0), torch.full((1, 16), 3.0), atol=1e-3)
    assert torch.allclose(speed, torch.full((4,), 3.0), atol=1e-3) and turning.abs().max() < 1e-3
    assert torch.allclose(kinetic, momentum * 3.0 / 2, rtol=1e-3)  # every segment at 3 m/s: p = 3 m, E = 9 m / 2
    assert response[1] == pytest.approx(3.0, abs=1e-3) and response[[0, 2, 3]].abs().max() == 0


# --------------------------------------------------------------------------------------------------------- shared space


def test_orthogonality_is_zero_for_axes_and_one_for_the_same_direction():
    space = SharedSpace(replace(TINY.sizes, width=20, latent=2))
    with torch.no_grad():
        for k, name in enumerate(MODALITIES):
            space.project[name].weight.copy_(torch.eye(20)[[0, k + 1]])
    assert space.orthogonality().item() == 0
    with torch.no_grad():
        for name in MODALITIES:
            space.project[name].weight.copy_(torch.eye(20)[[0, 0]])
    assert space.orthogonality().item() == pytest.approx(1.0)


def test_surprise_is_what_torch_says_of_these_gaussians():
    torch.manual_seed(0)
    space = SharedSpace(TINY.sizes)
    z = {name: torch.nn.functional.normalize(torch.randn(2, 5, space.shared), dim=-1) for name in MODALITIES}
    total = torch.zeros(())
    for name, given, layer in (
        ("motion", z["music"], space.motion_of),
        ("visual", torch.cat([z["music"], z["motion"]], -1), space.visual_of),
    ):
        mean, spread = layer(given).chunk(2, -1)
        total = total - torch.distributions.Normal(mean, spread.exp()).log_prob(z[name]).mean() - 0.5 * np.log(2 * np.pi)
    assert space.surprise(z).item() == pytest.approx(total.item(), abs=1e-5)


def test_coherence_of_the_same_is_one_and_of_what_never_varies_nothing():
    torch.manual_seed(0)
    one = torch.randn(3, 8, 4)
    assert coherence(dict.fromkeys(MODALITIES, one)) == pytest.approx(1.0)
    assert abs(coherence({"music": one, "motion": torch.ones_like(one), "visual": torch.ones_like(one)})) < 1e-6
    right = correlation(dict.fromkeys(MODALITIES, one), torch.ones(3, 8))
    wrong = correlation({"music": one, "motion": one.flip(1), "visual": one.roll(2, 1)}, torch.ones(3, 8))
    assert right < wrong


# ------------------------------------------------------------------------------------------------------------- denoiser


def test_scheduling_is_equation_7():
    torch.manual_seed(0)
    attend = Scheduling(4, 1)
    music, motion, style = (torch.randn(1, 1, 4) for _ in range(3))
    (k_a, v_a), (k_v, v_v) = (tell(x).chunk(2, -1) for tell, x in zip(attend.tell, (motion, style), strict=True))
    # One token: rotary positions turn question and answer alike, so they do not count.
    scores = torch.stack([(attend.ask(music) * k).sum() for k in (k_a, k_v)]) / 4**0.5
    weights = torch.softmax(scores, 0)
    assert torch.allclose(attend(music, motion, style), attend.join(weights[0] * v_a + weights[1] * v_v), atol=1e-6)


def test_what_is_not_there_is_zero_and_what_is_there_comes_back():
    torch.manual_seed(0)
    sizes = TINY.sizes
    fields = {name: torch.randn(2, 3, width) for name, width in columns(sizes).items()}
    fields |= {name: torch.ones(2, 3, 1) for name in fields if name.startswith("has_")}
    given = Given(**fields)
    assert all(torch.equal(getattr(unpack(pack(given), sizes), name), value) for name, value in fields.items())
    deaf = replace(given, has_music=torch.zeros(2, 3, 1), has_target=torch.zeros(2, 3, 1))
    back = unpack(pack(deaf), sizes)
    assert not back.music.any() and not back.beat.any() and not back.target.any() and torch.equal(back.motion, given.motion)


def test_the_paper_s_network_takes_its_numbers():
    assert (PAPER.train_times, PAPER.sizes.fps, PAPER.sizes.motion, PAPER.sizes.heads, PAPER.sizes.timbre) == (1000, 120.0, 66, 8, 128)
    assert {(stage.batch, stage.lr, stage.weight_decay) for stage in PAPER.stages} == {(32, 1e-4, 1e-5)}
    sizes = replace(PAPER.sizes, width=64, coarse=1, refine=1)
    network = Denoiser(replace(PAPER, sizes=sizes))
    coarse, clean = network(torch.randn(1, 6, 66 + 35), torch.rand(1), torch.zeros(1, 6, sum(columns(sizes).values())))
    assert coarse.shape == (1, 6, 66) and clean.shape == (1, 6, 101)


def test_a_config_survives_json():
    assert all(Config.from_json(one.to_json()) == one for one in (SMALL, TINY, PAPER, *ablations(SMALL).values()))
    with pytest.raises(ChoreiaError, match="no_attention"):
        variant("huge")


# -------------------------------------------------------------------------------------------------------------- training


def batch_of(config: Config, count=2) -> dict[str, torch.Tensor]:
    sizes, n = config.sizes, config.window
    torch.manual_seed(0)
    drawn = {"music": torch.rand(count, n, sizes.fold * MUSIC), "joints": torch.randn(count, n * sizes.fold, JOINTS, 3)}
    drawn |= {"motion": torch.randn(count, n, sizes.motion), "style": torch.randn(count, n, sizes.style)}
    drawn |= {"target": torch.randn(count, n, 35), "noise": torch.randn(count, n, sizes.motion + sizes.style), "t": torch.rand(count)}
    return drawn | {f"has_{name}": torch.zeros(count) for name in ("music", "motion", "style", "target")}


def plain_joints(rows):
    return rows[..., : 4 * 3].unflatten(-1, (4, 1, 3)).flatten(1, 2).expand(-1, -1, JOINTS, 3)


def test_what_is_held_is_not_learnt():
    config = replace(TINY, losses=replace(TINY.losses, beat=0.0, cmc=0.0, smooth=0.0))
    objective = Objective(config, Encoders(config.sizes), plain_joints)
    held = batch_of(config) | {"has_motion": torch.ones(2)}
    losses = objective(held)
    assert losses["motion"] == 0 and losses["coarse"] == 0 and losses["style"] > 0
    both = objective(held | {"has_style": torch.ones(2)})
    assert both["loss"].item() == pytest.approx(0.0, abs=1e-9)


def test_the_beat_loss_is_zero_for_a_body_that_moves_as_expected_and_grows_with_the_square():
    config = TINY
    objective = Objective(config, Encoders(config.sizes), plain_joints).eval()
    batch = batch_of(config) | {"has_motion": torch.ones(2)}
    with torch.no_grad():
        expected = objective.encoders.music.expected(objective.encoders.music(batch["music"]))
    place = torch.cumsum(expected / config.sizes.fps, dim=1)

    def moving(scale):
        x = torch.zeros(2, place.shape[1], JOINTS, 3)
        x[..., 0] = scale * place[..., None]
        return lambda rows: x

    found = []
    for scale in (1.0, 2.0, 3.0):
        objective._joints = moving(scale)
        found.append(objective._bodies(batch, torch.cat([batch["motion"], batch["style"]], -1), torch.ones(2))["beat"].item())
    # The first frame has no step of its own: it takes the second's, a small error of expectation.
    assert found[0] < 0.02 * found[1] and found[2] / found[1] == pytest.approx(4.0, rel=0.1)


def test_lambda_of_the_beats_halves_when_beats_come_twice_as_dense():
    objective = Objective(TINY, Encoders(TINY.sizes), plain_joints).train()

    def density(hz):
        beat = torch.zeros(1, 300)
        beat[0, 5 :: round(30 / hz)] = 1.0
        for _ in range(EVERY):
            found = float(objective._lambda_beat(beat))
        return found

    assert density(2.0) == pytest.approx(TINY.losses.beat, rel=0.05)
    assert density(4.0) / density(2.0) == pytest.approx(0.5, rel=0.1)


def test_material_survives_the_disk(tmp_path):
    rng = np.random.default_rng(0)
    song = Song(rng.random((4, 8)), (rng.random((4, 3)), rng.random((4, 3))), (rng.random((4, 2)), rng.random((4, 2))))
    kept = [Performed(rng.random((4, 5)), rng.random((16, 22, 3)), (song,) * (1 + k), 0.5 * k) for k in range(12)]
    write(tmp_path / "material.safetensors", kept)
    back = read(tmp_path / "material.safetensors")
    assert [one.weight for one in back] == [one.weight for one in kept] and [len(one.songs) for one in back] == [1 + k for k in range(12)]
    assert np.array_equal(back[11].motion, kept[11].motion) and np.array_equal(back[3].songs[2].styles[1], song.styles[1])


def test_other_sizes_need_other_encoders(trained):
    with pytest.raises(ChoreiaError, match="another size"):
        recipe.train_theatre(trained.parent.parent / "encoders" / "encoders.safetensors", trained.parent, "small", default_latents(),
                             Settings(trained.parent))  # fmt: skip


def test_old_shards_are_told_to_be_prepared_again(sample):
    old = sample.music[0]
    with pytest.raises(ChoreiaError, match="prepare"):
        music_of(MusicTrack(old.dance, old.beats_s, old.downbeats_s), 10.0)


# ------------------------------------------------------------------------------------------------------------ generating


def test_a_performance_lasts_as_long_as_the_song_and_is_the_same_again(generator, music):
    first, again, other = (generator.perform(music, seed=seed) for seed in (1, 1, 2))
    frames = round(music.duration_s * 30)
    assert len(first[0]) == len(first[1].track) == frames
    assert first[0].rotations.tobytes() == again[0].rotations.tobytes()
    assert first[1].track.light.tobytes() == again[1].track.light.tobytes()
    assert other[0].rotations.tobytes() != first[0].rotations.tobytes()
    assert [cue.time_s for cue in first[1].cues] == sorted(cue.time_s for cue in first[1].cues)


def test_a_dance_that_is_held_stays_to_the_bit_and_counts(generator, music, sample):
    motion, _ = generator.perform(music, dance=sample.motion, seed=1)
    assert np.array_equal(motion.rotations, sample.motion.rotations[: len(motion)]) and np.array_equal(
        motion.root, sample.motion.root[: len(motion)]
    )
    still = replace(
        sample.motion, root=0 * sample.motion.root, rotations=np.repeat(sample.motion.rotations[:1], len(sample.motion), axis=0)
    )
    targets = np.zeros((generator.frames(music), 35), np.float32)
    tracks = [generator.show(music, targets=targets, dance=dance, seed=1).track for dance in (sample.motion, still)]
    assert np.abs(tracks[0].light - tracks[1].light).max() > 1e-6


def test_a_stage_that_is_held_stays_and_the_dance_is_made(generator, music):
    free = generator.show(music, seed=3)
    held = generator.show(music, held=free.track, seed=4)
    assert held.track is free.track and not np.array_equal(held.motion.rotations, free.motion.rotations)


def test_a_short_dance_stands_at_its_last_pose(generator, music, sample):
    motion, _ = generator.perform(music, dance=sample.motion.slice(0, 50), seed=1)
    assert np.array_equal(motion.rotations[60], sample.motion.rotations[49]) and np.array_equal(motion.root[-1], sample.motion.root[49])


@pytest.mark.parametrize(
    ("name", "blind"), [("no_style", "targets"), ("no_music", "music"), ("music2dance", "targets"), ("no_attention", "")]
)
def test_ablations_do_not_know_what_they_never_had(name, blind, space, music, tmp_path):
    generator = untrained(ablations(TINY)[name], space, tmp_path / "w.safetensors")
    frames = generator.frames(music)
    rng = np.random.default_rng(0)
    targets = [rng.random((frames, 35)).astype(np.float32) for _ in range(2)]
    other = replace(
        music, features={key: Features(rng.random(f.values.shape).astype(np.float32), f.fps, f.names) for key, f in music.features.items()}
    )
    plain, aimed, heard = (
        generator.show(song, targets=t, seed=0).track.light for song, t in ((music, targets[0]), (music, targets[1]), (other, targets[0]))
    )
    assert (plain.tobytes() == aimed.tobytes()) == (blind == "targets")
    assert (plain.tobytes() == heard.tobytes()) == (blind == "music")


def test_latents_of_a_performance_are_one_a_token(generator, music, sample):
    motion, stage = generator.perform(music, dance=sample.motion)
    z = generator.latents(music, motion, stage.track)
    count = generator.frames(music) // 4
    assert {name: track.shape for name, track in z.items()} == {name: (count, TINY.sizes.latent // 2) for name in MODALITIES}


def test_silence_without_a_beat_is_lit(generator):
    frames = 150
    features = {
        "dance": Features(np.zeros((frames, 24), np.float32), 30.0, ()),
        "logmel": Features(np.full((frames, 64), -18.4, np.float32), 30.0, ()),
    }
    nothing = np.zeros(0)
    silent = Music(5.0, nothing, nothing, nothing, nothing, 4, (Section(0.0, 5.0, "A"),), RhythmEvents(nothing, nothing, nothing),
                   Features(np.zeros((frames, 1), np.float32), 30.0, ("energy",)), features)  # fmt: skip
    motion, stage = generator.perform(silent)
    assert len(motion) == len(stage.track) == frames


def test_every_variant_moves_where_its_sizes_say():
    for name in VARIANTS:
        sizes = variant(name).sizes
        space = space_of(sizes)
        assert (space.width, space.fold, space.fps) == (sizes.motion, sizes.fold, sizes.fps), name


def test_weights_of_another_space_are_refused(trained):
    with pytest.raises(ChoreiaError, match="joints22"):
        Generator(read_weights(trained, MODEL), JointSpace())


def test_joints_in_the_world_come_back(sample):
    space = JointSpace()
    take = sample.motion.slice(0, 20)
    rows = space.encode(take)
    assert rows.shape == (20, 66)
    assert np.abs(positions(space.decode(rows))[:, :22] - positions(take)[:, :22]).max() < 1e-3
    assert np.abs(space.joints(torch.from_numpy(rows)[None])[0].numpy() - space.seen(take)).max() < 1e-5


def test_the_paper_s_space_trains(tmp_path, sample):
    """Rows at 120 fps, noise in 1000 steps: the paper's form with a small network."""
    sizes: Sizes = replace(
        PAPER.sizes, width=16, heads=2, coarse=1, refine=1, listening=1, watching=1, channels=1, joints=2, timbre=4, latent=4
    )
    config = replace(PAPER, sizes=sizes, window=24)
    performed = recipe._performed(replace(sample, motion=sample.motion.slice(0, 60)), config, JointSpace(), 0)
    assert performed.motion.shape == (240, 66) and performed.songs[0].music.shape == (240, MUSIC)
    draw = recipe.Draw([performed], config, 0)
    objective = Objective(config, Encoders(sizes), JointSpace().joints)
    batch = draw(2, 0)
    assert torch.equal((batch["t"] * 1000).round(), batch["t"] * 1000)
    objective(batch)["loss"].backward()
    assert objective.denoiser.leave.weight.grad.abs().sum() > 0
