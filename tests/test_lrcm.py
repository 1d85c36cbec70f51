"""LRCM: sizes, what is hidden is not read, memory that starts as nothing, guidance, losses by hand, stages that freeze, tiny overfits."""

import math
from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from choreia import losses
from choreia.diffusion.guidance import guided_apart
from choreia.diffusion.samplers import ddim
from choreia.errors import ChoreiaError
from choreia.models.lrcm.condition import Given, branches, given, hidden, move_rows, stack
from choreia.models.lrcm.config import (
    MODALITIES,
    PAPER,
    SMALL,
    TINY,
    VARIANTS,
    Config,
    LossWeights,
    Odds,
    Stage,
    shortened,
    variant,
    without,
)
from choreia.models.lrcm.denoiser import bound, build_denoiser
from choreia.models.lrcm.objective import Objective, disturbed
from choreia.models.lrcm.predictions import PREDICTIONS, schedule_of
from choreia.types import Move

QUIET = replace(TINY, odds=Odds(noise=0, everything=0, words=0, music=0, moves=0), diffusion=replace(TINY.diffusion, predicts="x0"))
NARROW = replace(QUIET, denoiser=replace(TINY.denoiser, dim=6, music=4, style=5, moves=5), losses=LossWeights(0, 0, 0))


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch(count=3, seed=0, config=TINY):
    """Random rows and conditions by name, everything there."""
    sizes, length = config.denoiser, config.window
    return {
        "x": noise(count, length, sizes.dim, seed=seed), "noise": noise(count, length, sizes.dim, seed=seed + 1),
        "t": torch.linspace(0.1, 0.9, count), "music": noise(count, length, sizes.music, seed=seed + 2), "has_music": torch.ones(count),
        "style": noise(count, sizes.style, seed=seed + 3), "has_style": torch.ones(count),
        "moves": noise(count, length, sizes.moves, seed=seed + 4), "has_moves": torch.ones(count, length),
        "memory": noise(count, config.tail, sizes.dim, seed=seed + 5), "has_memory": torch.ones(count),
    }  # fmt: skip


def conditions(rows):
    return Given(**{name: rows[name] for name in Given.__dataclass_fields__ if name in rows})


def lively(config=TINY, seed=0):
    """A network none of whose weights are zero, so that nothing is silent by its start."""
    torch.manual_seed(seed)
    network = build_denoiser(config).eval()
    for module in (network, *network.memories):
        for part in (getattr(module, "leave", None), getattr(module, "share", None)):
            if part is not None:
                torch.nn.init.normal_(part.weight, std=0.1)
    return network


class TestConfig:
    def test_the_paper_s_size(self):
        with torch.device("meta"):
            count = sum(p.numel() for p in build_denoiser(PAPER).parameters())
        assert count == pytest.approx(316e6, rel=0.02)

    def test_small_is_small(self):
        with torch.device("meta"):
            assert sum(p.numel() for p in build_denoiser(SMALL).parameters()) <= 12e6

    @pytest.mark.parametrize("name", VARIANTS)
    def test_comes_back_from_json(self, name):
        assert Config.from_json(VARIANTS[name].to_json()) == VARIANTS[name]

    def test_ablations_are_the_base_that_never_hears_something(self):
        heard = {name: tuple(stage.hears for stage in variant(name).stages) for name in ("no_text", "no_local_text", "no_mtmm")}
        assert heard["no_text"] == (("music",), ("music", "memory"))
        assert heard["no_local_text"] == (("music", "style"), ("music", "style", "memory"))
        assert heard["no_mtmm"] == (("music", "style"), ("music", "style", "moves"))
        assert len(build_denoiser(variant("no_mtmm")).memories) == 0

    @pytest.mark.parametrize("name", ["no_text", "no_local_text", "no_mtmm"])
    def test_ablations_train_as_long_as_the_base(self, name):
        assert sum(stage.steps for stage in variant(name).stages) == sum(stage.steps for stage in SMALL.stages)

    def test_a_shorter_training_keeps_the_shares_of_its_stages(self):
        assert [(stage.steps, stage.warmup) for stage in shortened(SMALL.stages, 1200)] == [(600, 30), (300, 20), (300, 20)]
        assert shortened(SMALL.stages, None) == SMALL.stages

    def test_unknown_variant(self):
        with pytest.raises(ChoreiaError, match="unknown lrcm variant 'huge': choose one of small"):
            variant("huge")

    def test_noise_of_the_paper(self):
        """β from 0.01 to 0.7 over 200 steps: after one step alpha² = 0.99, after two 0.99 (1 − β₂)."""
        schedule = schedule_of(PAPER.diffusion)
        second = 0.01 + 0.69 / 199
        assert schedule.alpha(torch.tensor(1 / 200)).item() ** 2 == pytest.approx(0.99, rel=1e-5)
        assert schedule.alpha(torch.tensor(2 / 200)).item() ** 2 == pytest.approx(0.99 * (1 - second), rel=1e-5)


class TestGiven:
    def test_moves_by_hand(self):
        """Tokens of half a second; the wave begins while the step is still on and ends first."""
        moves = [Move(0.5, 3.0, "step"), Move(1.0, 2.0, "wave")]
        number, progress = move_rows(moves, 7, 2.0)
        assert number.tolist() == [-1, 0, 1, 1, 0, 0, -1]
        assert progress[1].tolist() == pytest.approx([0.25 / 2.5, 2.25 / 4])
        assert progress[3].tolist() == pytest.approx([0.75, 0.25 / 4])
        assert progress[[0, 6]].tolist() == [[0, 0], [0, 0]]

    @pytest.mark.parametrize("modality", MODALITIES)
    def test_what_is_hidden_is_not_read(self, modality):
        network, rows = lively(), batch()
        other = dict(rows, **{modality: rows[modality] * 3 + 1})
        a, b = (network(rows["x"], rows["t"], hidden(conditions(kind), [modality])) for kind in (rows, other))
        shown, changed = (network(rows["x"], rows["t"], conditions(kind)) for kind in (rows, other))
        assert torch.equal(a, b) and not torch.allclose(shown, changed, atol=1e-4)

    def test_text_of_tokens_without_a_move_is_not_read(self):
        network, rows = lively(), batch()
        rows["has_moves"][:, 5:] = 0
        other = dict(rows, moves=rows["moves"].clone())
        other["moves"][:, 5:] = torch.nan
        a, b = (network(rows["x"], rows["t"], conditions(kind)) for kind in (rows, other))
        assert torch.equal(a, b)

    def test_all_heard_but_what_is_missing(self):
        rows = batch()
        made = given(rows["music"], rows["style"], rows["moves"], rows["has_moves"])
        assert made.memory is None and made.has_memory.sum() == 0 and made.has_music.sum() == made.has_style.sum() == 3
        assert len(stack([made, made]).music) == 6 and stack([made, made]).memory is None


class TestDenoiser:
    def test_a_row_does_not_see_the_others(self):
        network, rows = lively(), batch(4)
        whole = network(rows["x"], rows["t"], conditions(rows))
        alone = network(rows["x"][2:3], rows["t"][2:3], conditions({name: value[2:3] for name, value in rows.items()}))
        assert torch.allclose(whole[2:3], alone, atol=1e-5)

    def test_other_sizes_and_lengths(self):
        sizes = replace(TINY.denoiser, dim=61, music=3, style=20, moves=20)
        config = replace(TINY, denoiser=sizes, window=45, tail=7)
        rows = batch(config=config)
        assert lively(config)(rows["x"], rows["t"], conditions(rows)).shape == (3, 45, 61)

    def test_no_memory_is_the_path_without_memory_modules(self):
        network, rows = lively(), batch()
        none = network(rows["x"], rows["t"], replace(conditions(rows), memory=None))
        absent = network(rows["x"], rows["t"], hidden(conditions(rows), ["memory"]))
        plain = lively(variant("tiny"))
        plain.memories = torch.nn.ModuleList()
        assert torch.equal(absent, none) and torch.equal(none, plain(rows["x"], rows["t"], conditions(rows)))

    def test_memory_starts_as_nothing_and_can_learn(self):
        torch.manual_seed(0)
        network, rows = build_denoiser(TINY).eval(), batch()
        torch.nn.init.normal_(network.leave.weight)
        made = network(rows["x"], rows["t"], conditions(rows))
        assert torch.equal(made, network(rows["x"], rows["t"], replace(conditions(rows), memory=None)))
        made.square().sum().backward()
        assert all(module.share.weight.grad.abs().sum() > 0 for module in network.memories)

    def test_memory_only_of_the_samples_that_have_one(self):
        network, rows = lively(), batch()
        rows["has_memory"] = torch.tensor([1.0, 0.0, 1.0])
        made, without = (network(rows["x"], rows["t"], kind) for kind in (conditions(rows), replace(conditions(rows), memory=None)))
        assert torch.allclose(made[1], without[1], atol=1e-6) and not torch.allclose(made[0], without[0], atol=1e-4)

    def test_the_order_of_the_memory_matters(self):
        network, rows = lively(), batch()
        turned = dict(rows, memory=rows["memory"].flip(1))
        a, b = (network(rows["x"], rows["t"], conditions(kind)) for kind in (rows, turned))
        assert not torch.allclose(a, b, atol=1e-4)


class TestGuidance:
    def test_strengths(self):
        network, rows = lively(), batch()
        x, t, known = rows["x"], rows["t"], conditions(rows)
        free, deaf_to_words, both = (network(x, t, branch) for branch in branches(known))
        for gamma, delta in ((1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (2.5, 2.5), (1.5, 3.0)):
            made = bound(network, QUIET, known, gamma, delta)(x, t, x)
            assert torch.allclose(made, free + gamma * (deaf_to_words - free) + delta * (both - deaf_to_words), atol=1e-4)

    @pytest.mark.parametrize(("strengths", "size"), [((1, 1), 2), ((0, 0), 2), ((1, 2), 4), ((2, 2), 4), ((2, 3), 6)])
    def test_one_forward_of_the_branches_that_count(self, strengths, size):
        calls = []

        def denoise(x, t, condition):
            calls.append(len(x))
            return x + condition

        levels = tuple(torch.full((2, 1, 1), level) for level in (0.0, 1.0, 5.0))
        made = guided_apart(denoise, levels, torch.cat, *strengths)(torch.zeros(2, 3, 1), torch.ones(2), torch.zeros(1))
        assert calls == [size] and torch.allclose(made, torch.full((2, 3, 1), float(strengths[0] + 4 * strengths[1])))

    def test_what_a_variant_never_heard_is_hidden(self):
        config = replace(TINY, stages=TINY.stages[:1])
        network, rows = lively(), batch()
        other = dict(rows, moves=rows["moves"] + 1, memory=rows["memory"] + 1)
        a, b = (bound(network, config, conditions(kind), 1.0, 2.0)(rows["x"], rows["t"], rows["x"]) for kind in (rows, other))
        assert torch.equal(a, b)

    @pytest.mark.parametrize("name", PREDICTIONS)
    def test_a_perfect_network_is_the_clean_rows_whatever_it_predicts(self, name):
        schedule, t, x0, eps = schedule_of(SMALL.diffusion), torch.tensor([0.1, 0.8]), noise(2, 5, 3), noise(2, 5, 3, seed=1)
        x = schedule.add_noise(x0, eps, t)
        clean = PREDICTIONS[name].clean(x, PREDICTIONS[name].target(x0, eps, t, schedule), t, schedule)
        assert torch.allclose(clean, x0, atol=1e-4)


class TestPattern:
    def test_directions_count_and_sizes_do_not(self):
        """One frame step at right angles to the other: squared distance 2; opposite: 4; twice as fast: 0."""
        path = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
        assert losses.pattern(2 * path, path, 1).item() == 0
        assert losses.pattern(-path, path, 1).item() == pytest.approx(4)
        assert losses.pattern(path.flip(-1), path, 1).item() == pytest.approx(2)

    def test_orders_are_derivatives(self):
        t = torch.arange(6.0)[None, :, None]
        for order, power in ((1, 1), (2, 2), (3, 3)):
            assert losses.pattern(-(t**power), t**power, order).item() == pytest.approx(4)
            assert losses.pattern(-(t ** (power - 1)), t ** (power - 1), order).item() == 0

    def test_stillness_has_a_gradient_that_is_finite(self):
        still = torch.zeros(1, 5, 3, requires_grad=True)
        losses.pattern(still, noise(1, 5, 3), 3).backward()
        assert torch.isfinite(still.grad).all()


class TestDisturbed:
    def test_nothing_at_no_odds(self):
        known = conditions(batch())
        made = disturbed(known, QUIET.odds)
        assert all(torch.equal(getattr(made, name), getattr(known, name)) for name in Given.__dataclass_fields__ if name != "strengths")

    def test_shares_of_what_is_hidden(self):
        torch.manual_seed(0)
        one = batch(1, config=replace(TINY, window=2, tail=1))
        rows = {name: value.expand(20_000, *value.shape[1:]) for name, value in one.items()}
        made = disturbed(conditions(rows), Odds(noise=0, everything=0.1, words=0.2, music=0.05, moves=0.3, memory=0.4))
        music, style, moves, memory = made.has_music > 0, made.has_style > 0, made.has_moves[:, 0] > 0, made.has_memory > 0
        shares = [(~music & ~style), (music & ~style), (~music & style), (style & ~moves), (~style & moves), ~memory]
        assert [share.float().mean().item() for share in shares] == pytest.approx([0.1, 0.2, 0.05, 0.7 * 0.3, 0, 0.4], abs=0.01)

    def test_noise_is_as_large_as_what_it_replaces(self):
        torch.manual_seed(0)
        known = conditions(batch(64))
        made = disturbed(replace(known, style=known.style / 10), replace(QUIET.odds, noise=1.0))
        assert made.style.std().item() == pytest.approx(0.1, rel=0.1) and made.music.std().item() == pytest.approx(1, rel=0.1)
        assert abs(torch.corrcoef(torch.stack([made.music.flatten(), known.music.flatten()]))[0, 1]) < 0.05

    def test_evaluation_is_undisturbed(self):
        objective, rows = Objective(TINY).eval(), batch()
        assert objective(rows)["loss"].item() == objective(rows)["loss"].item()


class TestStages:
    def test_losses_by_hand(self):
        """The network starts silent (bias 0 means x0 = 0): "diff" is the mean square of x0, and each pattern compares with stillness: 1."""
        objective, rows = Objective(replace(QUIET, losses=LossWeights(0.5, 0.25, 0.125))), batch()
        torch.nn.init.zeros_(objective.denoiser.leave.bias)
        made = objective(rows)
        assert made["diff"].item() == pytest.approx(rows["x"].square().mean().item(), rel=1e-5)
        assert [made[name].item() for name in ("vel", "acc", "jerk")] == pytest.approx([1, 1, 1], rel=1e-5)
        assert made["loss"].item() == pytest.approx(made["diff"].item() + 0.875, rel=1e-5)

    def test_a_stage_hears_what_it_names(self):
        objective, rows = Objective(QUIET), batch()
        torch.nn.init.normal_(objective.denoiser.leave.weight)
        for stage in QUIET.stages:
            objective.begin(stage)
            for name in MODALITIES[1:3]:
                changed = objective(dict(rows, **{name: rows[name] + 1}))["loss"] != objective(rows)["loss"]
                assert changed == (name in stage.hears)

    def test_the_first_stages_need_no_memory(self):
        rows = {name: value for name, value in batch().items() if "memory" not in name}
        assert math.isfinite(Objective(TINY)(rows)["loss"].item())

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_only_what_a_stage_trains_moves(self, number):
        torch.manual_seed(0)
        objective, stage = Objective(TINY), TINY.stages[number]
        objective.begin(stage)
        before = {name: value.clone() for name, value in objective.denoiser.state_dict().items()}
        optimiser = torch.optim.AdamW([p for p in objective.parameters() if p.requires_grad], lr=0.01, weight_decay=0.1)
        for step in range(3):
            optimiser.zero_grad()
            objective(batch(seed=step))["loss"].backward()
            optimiser.step()
        moved = {name for name, value in objective.denoiser.state_dict().items() if not torch.equal(value, before[name])}
        assert moved and all(name.startswith(stage.trains) for name in moved)
        assert {name.split(".")[0] for name in moved} == set(stage.trains)

    def test_the_last_stage_learns_to_go_on_from_memory(self):
        """x is the memory's last row held: only the memory tells it."""
        torch.manual_seed(0)
        objective, losses_seen = Objective(NARROW), []
        torch.nn.init.normal_(objective.denoiser.leave.weight, std=0.3)
        objective.begin(NARROW.stages[2])
        optimiser = torch.optim.Adam([p for p in objective.parameters() if p.requires_grad], lr=1e-2)
        rows = batch(8, config=NARROW)
        rows["x"], rows["t"] = rows["memory"][:, -1:].expand_as(rows["x"]).contiguous(), torch.full((8,), 0.99)
        for _ in range(60):
            optimiser.zero_grad()
            made = objective(rows)["diff"]
            made.backward()
            optimiser.step()
            losses_seen.append(made.item())
        assert losses_seen[-1] < 0.3 * losses_seen[0]


def test_tiny_overfits_two_clips_and_the_text_tells_them_apart():
    """Same music, two global texts, two ways to dance to it: after a moment of training each text samples its own clip."""
    torch.manual_seed(0)
    objective, pair = Objective(NARROW), batch(2, config=NARROW)
    phase = torch.arange(NARROW.window) * math.pi / 4
    pair["music"] = torch.stack([phase.sin(), phase.cos(), (phase / 2).sin(), (phase / 2).cos()], dim=-1).repeat(2, 1, 1)
    pair["x"] = pair["music"] @ noise(2, 4, 6, seed=9)
    rows = {name: value.repeat(4, *[1] * (value.dim() - 1)) for name, value in pair.items()}
    optimiser = torch.optim.Adam(objective.parameters(), lr=3e-3)
    for step in range(130):
        rows["noise"], rows["t"] = noise(*rows["x"].shape, seed=100 + step), (torch.arange(8) + 1) / 8
        optimiser.zero_grad()
        objective(rows)["loss"].backward()
        optimiser.step()
    objective.eval()
    known = hidden(conditions(pair), ["moves", "memory"])
    start = noise(1, *pair["x"].shape[1:], seed=7).repeat(2, 1, 1)
    with torch.no_grad():
        made = ddim(bound(objective.denoiser, NARROW, known, 1.0, 1.0), start, start, schedule_of(NARROW.diffusion), 8)
    error = (made[:, None] - pair["x"][None]).square().mean((2, 3))
    assert error[0, 0] < 0.2 * error[0, 1] and error[1, 1] < 0.2 * error[1, 0]


GUIDED = Stage("guided", MODALITIES, ("",), lr=3e-3, batch=3, steps=1, distils=True)
SELF_GUIDED = replace(NARROW, stages=(*NARROW.stages, GUIDED))


class TestDistillation:
    def objective(self):
        torch.manual_seed(0)
        objective = Objective(SELF_GUIDED).eval()
        for layer in (objective.denoiser.leave, *(module.share for module in objective.denoiser.memories)):
            torch.nn.init.normal_(layer.weight, std=0.3)
        for layer in (objective.denoiser.words.join, *(block.music for block in objective.denoiser.blocks)):
            torch.nn.init.normal_(layer.weight, std=2.0)
        objective.begin(GUIDED)
        return objective

    def test_as_conditioned_there_is_nothing_to_learn(self, monkeypatch):
        objective, given = self.objective(), batch(config=NARROW)
        monkeypatch.setattr("choreia.models.lrcm.objective.STRONGEST", (1.0, 1.0))
        monkeypatch.setattr(torch, "rand", torch.ones)
        assert objective(given)["loss"] < 1e-10

    def test_stronger_than_conditioned_there_is(self, monkeypatch):
        objective, given = self.objective(), batch(config=NARROW)
        monkeypatch.setattr(torch, "rand", torch.ones)
        assert objective(given)["loss"] > 1e-4

    def test_learns_in_one_forward_what_guidance_says_in_three(self):
        objective, given = self.objective(), batch(config=NARROW)
        teacher = deepcopy(objective.denoiser)
        optimiser = torch.optim.Adam(objective.parameters(), 1e-3)
        for step in range(250):
            torch.manual_seed(step)
            optimiser.zero_grad()
            objective(given)["loss"].backward()
            optimiser.step()
        t = given["t"]
        x = objective.schedule.add_noise(given["x"], given["noise"], t)
        known = Given(**{name: given[name] for name in Given.__dataclass_fields__ if name in given})
        for gamma, delta in ((3.0, 1.0), (1.0, 5.0)):
            guided = bound(teacher, NARROW, known, gamma, delta)(x, t, known)
            plain = bound(teacher, NARROW, known, 1.0, 1.0)(x, t, known)
            learnt = bound(objective.denoiser, SELF_GUIDED, known, gamma, delta)(x, t, known)
            assert (learnt - guided).square().mean() < 0.3 * (plain - guided).square().mean()

    def test_it_visits_what_its_sampling_comes_through(self):
        objective, pair = self.objective(), batch(config=NARROW)
        known = replace(conditions(pair), strengths=torch.full((len(pair["x"]), 2), 2.0))
        came_through, denoise = [], bound(objective.denoiser, SELF_GUIDED, known, 2.0, 2.0)
        ddim(lambda x, t, c: came_through.append(x) or denoise(x, t, c), pair["noise"], known, schedule_of(NARROW.diffusion), 3)
        third = torch.full_like(pair["t"], 1 / 3)
        assert torch.allclose(objective.visited(pair["noise"], third, known), came_through[2], atol=1e-4)

    def test_its_teacher_is_no_part_of_the_weights(self):
        assert self.objective().state_dict().keys() == Objective(SELF_GUIDED).state_dict().keys()

    def test_ablations_are_distilled_too(self):
        stages = without(SELF_GUIDED, ("memory",), "no_mtmm").stages
        assert [stage.name for stage in stages] == ["global", "local", "guided"] and stages[-1].distils
