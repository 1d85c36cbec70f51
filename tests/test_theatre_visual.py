"""Laws of the visual encoder: colours worked by hand, what cannot be seen, what does not depend on company, and pictures it never saw."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.errors import ChoreiaError
from choreia.models.base import WEIGHTS, Weights, read_weights
from choreia.models.theatre import visual, visual_recipe
from choreia.models.theatre.visual_colour import BINS, COLUMNS, HEIGHT, ROWS, WIDTH, decompose, oklab
from choreia.models.theatre.visual_photo import _compressed, photographed
from choreia.models.theatre.visual_recipe import Pictures
from choreia.models.theatre.visual_target import clearness, columns, describe, style_of
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.pipelines import judge_visual, stage_pictures
from choreia.stage import looks, palettes, style
from choreia.training.loop import Settings
from choreia.types import STYLE_RANGES, ZONES, Motion

SMALL = visual.Config(channels=(8, 8, 8, 8), width=16)


def stand(frames):
    """Somebody in T-pose in the middle."""
    rotations = np.zeros((frames, 24, 4), np.float32)
    rotations[..., 0] = 1
    return Motion(choreia24(), np.tile(np.array([0, STANDING_HEIGHT_M, 0], np.float32), (frames, 1)), rotations, 30.0)


def styles(count=40, seed=0):
    return stage_pictures.random_styles(np.random.default_rng(seed), count)[0]


def plain(lab):
    """A picture (1, 3, HEIGHT, WIDTH) of one OKLab colour."""
    return torch.tensor(lab, dtype=torch.float32)[None, :, None, None].expand(1, 3, HEIGHT, WIDTH)


def noise(count=3, shape=(HEIGHT, WIDTH), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def seer():
    """An encoder that knows nothing."""
    torch.manual_seed(0)
    tensors = {f"network.{name}": value for name, value in visual.Network(SMALL).state_dict().items()}
    return visual.Seer(Weights(tensors, {"config": SMALL.to_json()}, "0" * 64))


@pytest.fixture(scope="module")
def pictures():
    return stage_pictures.draw([stand(5)], 40, seed=3)


# ------------------------------------------------------------------------------------------------------------------ colour


def test_colours_are_those_of_the_palettes():
    frames = noise()
    expected = palettes.oklab(palettes.srgb_to_linear(frames / 255))
    np.testing.assert_allclose(oklab(torch.from_numpy(frames)).permute(0, 2, 3, 1).numpy(), expected, atol=2e-4)


def test_a_plain_picture_has_its_colour_everywhere_and_its_chroma_in_two_bins():
    found = decompose(plain([0.5, 0.1 * np.cos(1.0), 0.1 * np.sin(1.0)]))[0].reshape(-1, ROWS, COLUMNS).numpy()
    np.testing.assert_allclose(found[:3, 0, 0], [0.5, 0.054030, 0.084147], atol=1e-5)
    np.testing.assert_allclose(found[3:6], 0, atol=1e-3)
    np.testing.assert_allclose(found[6], 0.5)
    histogram = found[7:, 1, 3] ** 2
    # 1 rad is 1.9099 bins of 30 degrees: 9 % in bin 1, 91 % in bin 2; chroma 0.1 at lightness 0.5 weighs 0.05.
    np.testing.assert_allclose(histogram[[1, 2]], [0.05 * 0.0901, 0.05 * 0.9099], atol=1e-5)
    assert np.delete(histogram, [1, 2]).max() < 1e-5


def test_turning_all_hues_by_a_bin_moves_the_histogram_by_one():
    lab = oklab(torch.from_numpy(noise(2)))
    light, a, b = lab.unbind(1)
    cosine, sine = np.cos(2 * np.pi / BINS), np.sin(2 * np.pi / BINS)
    turned = torch.stack([light, a * cosine - b * sine, a * sine + b * cosine], 1)
    before, after = (decompose(one).reshape(2, -1, ROWS, COLUMNS)[:, 7:] for one in (lab, turned))
    torch.testing.assert_close(after, before.roll(1, dims=1), atol=1e-4, rtol=0)


# ----------------------------------------------------------------------------------------------------------------- targets


def test_a_style_comes_back_from_its_columns_but_for_drift_and_strobe():
    true = styles()
    found = style_of(columns(true))
    for name, ranges in STYLE_RANGES.items():
        for column, (_, high) in enumerate(ranges):
            one, other = (getattr(each, name).reshape(len(true), -1)[:, column] for each in (found, true))
            if (name, column) == ("texture", 1):
                other = np.clip(other, 1 / 8, 8)
            turn = np.pi if name == "texture" else 2 * np.pi  # stripes look the same upside down
            away = np.sin((one - other) * np.pi / turn) if np.isinf(high) else one - other
            if (name, column) not in {("texture", 5), ("strobe_hz", 0)}:
                np.testing.assert_allclose(away, 0, atol=2e-4, err_msg=f"{name} {column}")
    assert not found.strobe_hz.any() and not found.texture[:, 5].any()


def test_anything_finite_gives_a_style():
    found = style_of(np.random.default_rng(0).normal(0, 100, (50, columns(styles(1)).shape[1])))
    assert len(found) == 50


def unseen(change):
    """Two styles of which the second differs by what `change` says of light and fields."""
    base = styles(1, seed=5)
    light = {zone: 0.7 for zone in ZONES} | change["light"]
    lit = replace(base, light=np.array([[light[zone] for zone in ZONES]]))
    return lit, replace(lit, **change["fields"])


DARK_BODY = {zone: 0.0 for zone in ZONES if zone not in {"backdrop", "beams"}}
INVISIBLE = {
    "costume in the dark": {"light": DARK_BODY, "fields": {"costume": np.array([[1.0, 0.9, 0.1, 0.2, 0.3, 0.4]])}},
    "where dark beams point": {"light": {"beams": 0.0}, "fields": {"beam": np.array([[0.4, 1.0, 0.3]])}},
    "an accent that no lamp shows": {
        "light": {zone: 0.0 for zone, accent in zip(ZONES, style.ACCENT, strict=True) if accent}, "fields": {"contrast": np.array([2.0])},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_cannot_be_seen_is_not_described(name):
    one, other = unseen(INVISIBLE[name])
    np.testing.assert_allclose(describe(one), describe(other), atol=1e-6)
    shown, changed = (replace(each, light=np.full((1, len(ZONES)), 0.7)) for each in (one, other))
    assert np.abs(describe(shown) - describe(changed)).max() > 0.05


def test_all_shows_in_full_coloured_light_on_stripes_and_nothing_but_levels_in_the_dark():
    row = replace(styles(1), saturation=np.ones(1), light=np.ones((1, len(ZONES))), costume=np.array([[0, 1, 1, 0, 0, 0]]),
                  texture=np.array([[1, 1, 0, 0, 0, 0]]))  # fmt: skip
    full = clearness(row)[0]
    np.testing.assert_allclose(full[full != full.min()], 1)
    dark = clearness(replace(row, light=np.zeros((1, len(ZONES)))))[0]
    assert dark.sum() == len(ZONES)


# -------------------------------------------------------------------------------------------------------------- photographs


def test_compression_rounds_cosine_coefficients():
    x = torch.from_numpy(noise(2)).permute(0, 3, 1, 2).float()
    quantum = torch.tensor([1e-3, 20.0]).reshape(2, 1, 1, 1)
    rough = _compressed(x, quantum)
    torch.testing.assert_close(rough[0], x[0], atol=0.02, rtol=0)
    # The transform keeps lengths, and rounding errs by a twelfth of the squared step on average.
    assert (rough[1] - x[1]).square().mean().sqrt() == pytest.approx(20 / np.sqrt(12), rel=0.1)


def test_photographs_are_seeded_each_with_its_own_faults_and_of_the_same_stage():
    frames = np.repeat(np.full((1, HEIGHT, WIDTH, 3), 128, np.uint8), 6, axis=0)
    one, again, other = (photographed(frames, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any() and len({picture.tobytes() for picture in one}) == 6
    assert 70 < one.mean() < 190


# ------------------------------------------------------------------------------------------------------------------ pictures


def test_pictures_are_seeded_and_show_their_style(pictures):
    again = stage_pictures.draw([stand(5)], 40, seed=3)
    np.testing.assert_array_equal(again.frames, pictures.frames)
    assert pictures.frames.shape == (40, HEIGHT, WIDTH, 3) and len(np.unique(pictures.looks)) > 4
    brightness = pictures.frames.mean(axis=(1, 2, 3))
    emitted = (style.zone_luminance(pictures.style) * np.array([zone not in {"beams", "spot"} for zone in ZONES])).sum(axis=1)
    assert np.corrcoef(np.argsort(np.argsort(brightness)), np.argsort(np.argsort(emitted)))[0, 1] > 0.7
    dark = stage_pictures.photographed(stand(1), replace(pictures.style.rows(slice(0, 1)), light=np.zeros((1, len(ZONES)))))
    assert not dark.any()


def test_pictures_come_back_from_disk_in_order(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(visual_recipe, "PART", 15)
    pictures.write(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    found = Pictures.read(tmp_path)
    for name, value in vars(pictures).items():
        np.testing.assert_array_equal(getattr(found, name), value)


def test_pictures_that_are_damaged_or_absent_are_refused(tmp_path, pictures):
    with pytest.raises(ChoreiaError, match="no pictures"):
        Pictures.read(tmp_path)
    (tmp_path / "pictures-00.safetensors").write_bytes(b"not at all")
    with pytest.raises(ChoreiaError, match="damaged"):
        Pictures.read(tmp_path)
    with pytest.raises(ChoreiaError, match="no takes"):
        stage_pictures.takes(tmp_path, ("train",))


# ------------------------------------------------------------------------------------------------------------------ training


def batches(pictures, **changes):
    row = pictures.style
    fit = visual_recipe.Fit(batch=8, faulty=0.5)
    return visual_recipe.Draw(pictures.frames, columns(row), clearness(row), describe(row), replace(fit, **changes), seed=2)


def test_every_picture_is_drawn_once_before_any_comes_again(pictures):
    draw = batches(pictures, faulty=0.0)
    drawn = torch.cat([draw(step)["frames"] for step in range(5)]).numpy()
    assert {one.tobytes() for one in drawn} == {one.tobytes() for one in pictures.frames}
    again, other = draw(3)["frames"], draw(8)["frames"]
    np.testing.assert_array_equal(again, drawn[24:32])
    assert (again != other).any()


def test_training_makes_a_file_that_sees_and_brings_pictures_and_styles_together(tmp_path, pictures):
    row = pictures.style
    fit = visual_recipe.Fit(steps=60, batch=20, faulty=0.0, lr=5e-3, warmup=5, ema=0.8)
    path = visual_recipe.train_visual(pictures, tmp_path, SMALL, fit, Settings(tmp_path / "run", bf16=False, log_every=1000))
    seer = visual.Seer(read_weights(path, visual.MODEL))
    closeness = seer.embed(pictures.frames) @ seer.embed_style(row).T
    assert np.mean(closeness.argmax(axis=1) == np.arange(40)) > 0.5
    assert np.abs(seer.see(pictures.frames).light - row.light).mean() < np.abs(row.light - row.light.mean(axis=0)).mean()


# ---------------------------------------------------------------------------------------------------------------------- seer


def test_an_embedding_is_a_unit_vector_that_does_not_depend_on_company(seer):
    frames = noise(5)
    together = seer.embed(frames)
    assert together.shape == (5, visual.DIM) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together[2:3], seer.embed(frames[2:3]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(seer.embed_style(styles()), axis=1), 1, atol=1e-5)
    assert len(seer.see(frames)) == 5


def test_a_larger_picture_is_seen_as_the_mean_of_its_blocks(seer):
    frames = noise(2)
    larger = frames.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_allclose(seer.embed(larger), seer.embed(frames), atol=1e-5)


@pytest.mark.parametrize("frames", [np.zeros((54, 96, 3), np.uint8), np.zeros((1, 54, 96, 3)), np.zeros((0, 54, 96, 3), np.uint8)])
def test_what_is_no_stack_of_pictures_is_refused(seer, frames):
    with pytest.raises(ChoreiaError, match="pictures must be"):
        seer.see(frames)


# -------------------------------------------------------------------------------------------------------------- with weights


def test_the_weights_are_small():
    network = visual.Network(visual.Config())
    assert sum(value.numel() for value in network.parameters()) <= 1.5e6
    assert (WEIGHTS / f"{visual.NAME}.safetensors").stat().st_size <= 6e6


def test_a_look_that_is_rendered_is_nearest_to_its_own_style():
    seer = visual.load()
    rows = style.join([looks.rest(looks.look(name), np.array([0.8])) for name in looks.LOOKS])
    frames = stage_pictures.photographed(stand(len(rows)), rows)
    closeness = seer.embed(frames) @ seer.embed_style(rows).T
    assert (closeness.argmax(axis=1) == np.arange(len(rows))).mean() >= 0.8
    assert np.diag(closeness).mean() > 0.8 > 0.4 > (closeness.sum() - np.trace(closeness)) / 90


@pytest.mark.parametrize("hue", [0.5, 1.6, 2.7, 3.8, 4.9, 6.0])
def test_hues_of_key_and_accent_and_a_dimmer_are_seen(hue):
    row = looks.rest(looks.look("colour_contrast"), np.array([1.0]))
    row = replace(row, hue=np.array([hue]), contrast=np.array([2.0]), saturation=np.array([0.9]))
    dim = replace(row, light=row.light * 0.4)
    found = visual.load().see(stage_pictures.photographed(stand(2), style.join([row, dim])))
    for seen, true in ((found.hue, hue), (found.hue + found.contrast, hue + 2)):
        away = np.abs((seen - true + np.pi) % (2 * np.pi) - np.pi)
        assert np.rad2deg(away).max() < 40
    assert found.light[1].sum() < 0.7 * found.light[0].sum()


def test_the_encoder_is_better_than_who_always_sees_the_mean(pictures):
    seer = visual.load()
    mean, *_ = judge_visual.plain_eyes(pictures).values()
    held_out = stage_pictures.draw([stand(5)], 40, seed=4)
    plain, found = (judge_visual.row("", "", held_out, *eye) for eye in (mean, (seer.see, mean[1], seer)))
    assert found.hue_deg < 0.6 * plain.hue_deg and found.level < 0.6 * plain.level and found.matched > found.mismatched + 0.4
