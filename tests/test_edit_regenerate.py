"""Laws of dancing anew, on a small model that was never trained: what is kept, what is seen, what is heard."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from choreia.diffusion.constraints import corrected, varied
from choreia.diffusion.samplers import ddim
from choreia.diffusion.schedule import cosine
from choreia.edit import filling
from choreia.edit.history import spliced
from choreia.edit.regenerate import complement, extend, lock, regenerate, variation
from choreia.edit.region import Region
from choreia.errors import ChoreiaError
from choreia.models.base import Weights
from choreia.models.choreia.config import variant
from choreia.models.choreia.model import MODEL, Generator
from choreia.models.choreia.words import DIM
from choreia.models.dancemeld.config import TINY
from choreia.models.dancemeld.tokenizer import build_tokenizer
from choreia.models.lrcm.denoiser import build_denoiser
from choreia.motion.representation import Heading152
from choreia.motion.skeleton import choreia24
from choreia.synth.choreographer import choreograph
from choreia.types import Features, Motion, Move, Music, RhythmEvents, Script, Section

FPS = 30.0
SECONDS = 16.0
SALSA = Script("salsa", (Move(0.0, 4.0, "verse 1"), Move(6.0, 8.0, "turn")))


class Letters:
    """Words without a trained encoder: numbers drawn by a text's letters."""

    name, dim = "letters", DIM

    def encode(self, texts):
        drawn = [np.random.default_rng(list(text.encode())).normal(size=DIM) for text in texts]
        return np.array(drawn, np.float32).reshape(-1, DIM)


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    config = variant("tiny", TINY.tokenizer)
    tokenizer, denoiser = build_tokenizer(config.tokenizer), build_denoiser(config.lrcm)
    torch.nn.init.normal_(denoiser.leave.weight, std=0.3)
    tensors = {f"tokenizer.{name}": value for name, value in tokenizer.state_dict().items()}
    tensors |= {f"denoiser.{name}": value for name, value in denoiser.state_dict().items()}
    tensors |= {"mean": torch.zeros(152), "std": torch.ones(152)}
    tensors |= {name: torch.full((config.tokenizer.latent_width,), value) for name, value in (("latent_mean", 0.1), ("latent_std", 2.0))}
    return Generator(Weights(tensors, {"config": config.to_json(), "words": "letters", "model": MODEL}, "f" * 64), Letters())


@pytest.fixture(scope="module")
def music():
    return song(SECONDS)


def song(seconds, beat_s=0.5, first_s=0.25):
    """Column 0 is the number of the frame."""
    beats = np.arange(first_s, seconds, beat_s)
    features = np.random.default_rng(0).normal(size=(round(seconds * FPS), 24)).astype(np.float32)
    features[:, 0] = np.arange(len(features))
    level = Features(np.full((1, 1), 0.5, np.float32), 1.0, ("level",))
    sections, events = (Section(0.0, seconds, "verse"),), RhythmEvents(beats, beats[:0], beats[:0])
    sounds = {"dance": Features(features, FPS, tuple(map(str, range(24))))}
    return Music(seconds, beats, beats[::4], beats[::8], np.full(len(beats), 120.0), 4, sections, events, level, sounds)


@pytest.fixture(scope="module")
def dance():
    beats = np.arange(0.25, SECONDS, 0.5)
    return choreograph(beats, beats[::4], (), "salsa", seed=3, duration_s=SECONDS).motion


def region(start_s, end_s, *parts):
    return Region(((start_s, end_s),), parts or ("body", "root"))


def same(one, other):
    return one.root.tobytes() == other.root.tobytes() and one.rotations.tobytes() == other.rotations.tobytes()


@pytest.mark.parametrize(("start_s", "end_s"), [(4.3, 9.1), (0.0, 2.5), (12.2, 16.0), (0.0, 16.0), (0.1, 1.5)])
def test_frames_outside_stay_to_the_bit_and_those_inside_are_new(generator, music, dance, start_s, end_s):
    start, stop = round(start_s * FPS), round(end_s * FPS)
    edited = spliced(dance, regenerate(dance, music, SALSA, region(start_s, end_s), seed=1, generator=generator))
    assert len(edited) == len(dance)
    assert same(edited.slice(0, start), dance.slice(0, start)) and same(edited.slice(stop, 480), dance.slice(stop, 480))
    assert np.abs(edited.rotations[start:stop] - dance.rotations[start:stop]).max() > 0.1


def test_the_same_seed_gives_the_same_bytes_and_other_seeds_and_words_another_dance(generator, music, dance):
    def edited(seed, asked=None):
        return spliced(dance, regenerate(dance, music, SALSA, region(4.0, 5.6), seed=seed, asked=asked, generator=generator))

    first = edited(1)
    assert same(first, edited(1)) and not same(first, edited(2))
    assert not same(first, edited(1, Script("", (Move(4.0, 5.6, "jump"),)))) and same(first, edited(1, SALSA))


@pytest.mark.parametrize("parts", [("arms",), ("legs", "root"), ("upper",), ("root",)])
def test_joints_outside_stay_to_the_bit(generator, music, dance, parts):
    asked = region(4.3, 8.1, *parts)
    edited = spliced(dance, regenerate(dance, music, SALSA, asked, seed=1, generator=generator))
    changes = asked.joints(dance.skeleton)
    assert edited.rotations[:, ~changes].tobytes() == dance.rotations[:, ~changes].tobytes()
    assert np.abs(edited.rotations - dance.rotations)[129:243, changes].max() > 0.01
    assert (edited.root.tobytes() == dance.root.tobytes()) == (not changes[0])


def test_the_sampler_sees_what_is_kept_on_both_sides_at_every_step(generator, music, dance, monkeypatch):
    """Segments of 16 rows, of 64 frames: the first 2 rows lie before the region, the last ones after it."""
    segments, inner = [], Generator._segment

    def spy(self, wish, known, mask, *more):
        rows = inner(self, wish, known, mask, *more)
        segments.append((known, mask, rows, wish.memory))
        return rows

    monkeypatch.setattr(Generator, "_segment", spy)
    regenerate(dance, music, SALSA, region(4.0, 5.6), seed=1, generator=generator)
    (known, mask, rows, memory) = segments[0]
    before = (torch.from_numpy(generator.codec.encode(dance.slice(120 - 64, 120))) - 0.1) / 2
    after = (torch.from_numpy(generator.codec.encode(dance.slice(168, 168 + 64))) - 0.1) / 2
    assert len(segments) == 1 and mask.tolist() == [1.0] * 2 + [0.0] * 12 + [1.0] * 2
    assert torch.allclose(known[:2], before[-2:]) and torch.allclose(known[14:], after[:2]) and torch.allclose(memory[0], before[-6:-2])
    assert torch.equal(rows[mask == 1], known[mask == 1])


def test_long_regions_go_segment_after_segment_and_arrive(generator, music, dance, monkeypatch):
    masks, inner = [], Generator._segment
    monkeypatch.setattr(Generator, "_segment", lambda self, wish, known, mask, *a: masks.append(mask) or inner(self, wish, known, mask, *a))
    regenerate(dance, music, SALSA, region(4.0, 8.8), seed=1, generator=generator)
    assert [int((mask < 1).sum()) for mask in masks] == [14, 14, 12]
    assert [mask[:2].tolist() for mask in masks] == [[1, 1]] * 3 and masks[2][-2:].tolist() == [1, 1]


def test_kept_joints_are_in_what_the_sampler_predicts(generator, music, dance, monkeypatch):
    seen, inner = [], generator.codec.tokenizer.latents
    monkeypatch.setattr(generator.codec.tokenizer, "latents", lambda x: seen.append(x[0].numpy()) or inner(x))
    regenerate(dance, music, SALSA, region(4.0, 5.6, "arms"), seed=1, generator=generator)
    values, predicted = Heading152.encode(dance), [x for x in seen if len(x) == 64 and not np.allclose(x, Heading152.encode(dance)[56:120])]
    steps = generator.config.sampling.steps
    columns = Heading152.slices["joint_rotations"].start + np.arange(6 * 8)
    assert all(np.allclose(x[8:56, columns], values[120:168, columns], atol=1e-5) for x in predicted[-steps:])
    assert np.abs(predicted[-1][8:56] - values[120:168]).max() > 0.1


def test_kept_columns_are_those_of_kept_joints(dance):
    arms = region(0, 1, "arms").joints(dance.skeleton)
    free = np.setdiff1d(np.arange(152), filling.kept_columns(arms, dance))
    first, changed = Heading152.encode(dance.slice(0, 1)), np.array(dance.rotations[:1])
    changed[:, arms] = [0.5, 0.5, 0.5, 0.5]
    other = Heading152.encode(replace(dance.slice(0, 1), rotations=changed))
    assert set(np.flatnonzero((first != other)[0])) <= set(free) and len(free) == 6 * arms.sum()
    assert len(filling.kept_columns(region(0, 1, "root").joints(dance.skeleton), dance)) == 152 - 4 - 4 - 6


def test_several_stretches_are_one_edit(generator, music, dance):
    splices = regenerate(dance, music, SALSA, Region(((2.0, 3.0), (9.0, 10.0))), seed=1, generator=generator)
    assert [(splice.start, splice.stop, len(splice)) for splice in splices] == [(60, 90, 30), (270, 300, 30)]


def test_what_is_not_locked_is_danced_anew(generator, music, dance):
    splices = lock(dance, music, SALSA, region(4.0, 6.0, "legs"), within=region(3.0, 7.0), seed=1, generator=generator)
    edited, legs = spliced(dance, splices), region(0, 1, "legs", "root").joints(dance.skeleton)
    assert edited.rotations[120:180, legs].tobytes() == dance.rotations[120:180, legs].tobytes()
    assert edited.root[120:180].tobytes() == dance.root[120:180].tobytes()
    assert same(edited.slice(0, 90), dance.slice(0, 90)) and same(edited.slice(210, 480), dance.slice(210, 480))
    moved = np.abs(edited.rotations - dance.rotations).max(axis=-1)
    assert moved[120:180, ~legs].max() > 0.05 and moved[90:120].max() > 0.05 and moved[180:210].max() > 0.05


def test_the_complement_of_a_part_for_some_time():
    during, elsewhere = complement(region(2.0, 6.0, "left arm"), 10.0)
    assert during.stretches == ((2.0, 6.0),) and elsewhere.stretches == ((0.0, 2.0), (6.0, 10.0)) and elsewhere.parts == ("body", "root")
    held = during.joints(choreia24()) | region(0, 1, "left arm").joints(choreia24())
    assert held.all() and not (during.joints(choreia24()) & region(0, 1, "left arm").joints(choreia24())).any()


def test_the_complement_of_the_whole_body_is_the_other_times():
    assert complement(region(2.0, 6.0), 10.0) == (Region(((0.0, 2.0), (6.0, 10.0))),)
    assert complement(region(2.0, 6.0), 10.0, within=region(4.0, 7.0, "arms")) == (region(6.0, 7.0, "arms"),)
    with pytest.raises(ChoreiaError, match="everything is locked"):
        complement(region(0.0, 10.0), 10.0)
    with pytest.raises(ChoreiaError, match="everything is locked"):
        complement(region(1.0, 10.0, "arms"), 10.0, within=region(2.0, 3.0, "left arm"))


@pytest.mark.parametrize(("before_s", "after_s"), [(0.0, 2.5), (3.1, 0.0), (1.0, 0.7)])
def test_a_dance_is_extended_by_exactly_what_is_asked(generator, music, dance, before_s, after_s):
    splices = extend(dance, music, SALSA, before_s=before_s, after_s=after_s, seed=1, generator=generator)
    edited, early = spliced(dance, splices), round(before_s * FPS)
    assert len(edited) == 480 + early + round(after_s * FPS)
    assert same(edited.slice(early, early + 480), dance)
    steps = np.linalg.norm(np.diff(edited.root, axis=0), axis=1)
    assert steps[[early - 1, early + 479] if before_s and after_s else [early - 1 if early else 479]].max() < 0.1


def test_past_the_song_its_8_counts_go_round_on_the_beat(music):
    """8-counts of 120 frames begin at 7.5 frames, the first whole one with frame 8, the last with frame 248 or so."""
    inside, beats_s = filling.heard(music, 100, 60)
    assert inside[:, 0].tolist() == list(range(100, 160)) and np.allclose(100 / FPS + beats_s, [3.75, 4.25, 4.75, 5.25], atol=1e-9)
    after, beats_s = filling.heard(music, 470, 300)
    assert after[:10, 0].tolist() == list(range(470, 480)) and set(np.diff(beats_s).round(2)) <= {0.47, 0.5, 0.53}
    whole = after[10:, 0]
    assert (whole[120:] == whole[:170]).all() and len(set(whole)) == 120 and ((whole - np.arange(480, 770)) % 120 == 0).all()
    before, _ = filling.heard(music, -200, 200)
    assert ((before[:, 0] - np.arange(-200, 0)) % 120 == 0).all() and before[:, 0].max() < 8 + 120


def test_music_without_beats_goes_round_by_four_seconds(music):
    none = np.zeros(0)
    calm = replace(music, beats_s=none, downbeats_s=none, eights_s=none)
    after, beats_s = filling.heard(calm, 480, 240)
    assert after[:, 0].tolist() == 2 * list(range(360, 480)) and not len(beats_s)


def test_a_variation_of_nothing_repeats_on_the_beat(music, dance):
    """Frames 60 to 180 again over frames 240 to 360, both 8 beats: in the middle of the new rows they are the same poses."""
    (splice,) = variation(dance, music, SALSA, region(8.0, 12.0), region(2.0, 6.0), amount=0.0, seed=1)
    alike = np.abs((splice.rotations[40:80, 1:] * dance.rotations[100:140, 1:]).sum(-1))
    assert len(splice) == 120 and np.quantile(alike, 0.9) > 0.9999


def test_a_variation_goes_further_the_more_is_asked(generator, music, dance, monkeypatch):
    begun, inner = [], Generator._segment

    def spy(self, wish, known, mask, *more):
        rows = inner(self, wish, known, mask, *more)
        begun.append(float((rows - known)[mask == 0].abs().mean()))
        return rows

    monkeypatch.setattr(Generator, "_segment", spy)
    for amount in (0.2, 0.6, 1.0):
        variation(dance, music, SALSA, region(8.0, 9.6), region(2.0, 3.6), amount=amount, seed=1, generator=generator)
    assert begun[0] < begun[1] < begun[2]


def test_sampling_from_a_draft_begins_with_the_draft_and_its_noise():
    """What the denoiser first sees at t <= 0.5 is alpha(0.5) draft + sigma(0.5) noise, as SDEdit has it."""
    seen, draft = [], torch.full((1, 3, 2), 4.0)
    noise = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0))
    ddim(varied(lambda x, t, c: seen.append(x) or x, draft, 0.5), noise, noise, cosine(), 10)
    half = torch.tensor(0.5)
    assert len(seen) == 5 and torch.allclose(seen[0], cosine().alpha(half) * draft + cosine().sigma(half) * noise, atol=1e-4)
    assert torch.equal(ddim(varied(lambda x, t, c: x, draft, 0.0), noise, noise, cosine(), 10), draft)


def test_predictions_are_put_right_at_every_step():
    seen = []
    noise = torch.ones(1, 3, 2)
    made = ddim(corrected(lambda x, t, c: x + 1, lambda x: seen.append(x) or 0 * x + 7), noise, noise, cosine(), 4)
    assert len(seen) == 4 and (made == 7).all()


def test_moves_that_name_sections_are_not_said(generator, music, dance, monkeypatch):
    said, inner = [], Generator.wish
    monkeypatch.setattr(Generator, "wish", lambda self, features, script: said.append(script) or inner(self, features, script))
    regenerate(dance, music, SALSA, region(4.0, 5.6), seed=1, generator=generator)
    first_s = (120 - 64) / FPS
    assert said[0].style == "salsa" and [move.text for move in said[0].moves] == ["turn"]
    assert said[0].moves[0].start_s == pytest.approx(6.0 - first_s) and said[0].moves[0].end_s == pytest.approx(8.0 - first_s)


def test_what_the_model_cannot_do_is_said_in_a_line(generator, music, dance):
    fast = Motion(dance.skeleton, dance.root, dance.rotations, 60.0)
    asked, more = region(4.0, 5.0), {"seed": 1, "generator": generator}
    for motion, sound, part, message in [
        (dance, replace(music, features={}), asked, "analyse its song"),
        (dance, None, asked, "analyse its song"),
        (fast, music, asked, "retarget"),
        (dance, music, region(15.0, 17.0), "past the end"),
    ]:
        with pytest.raises(ChoreiaError, match=message):
            regenerate(motion, sound, SALSA, part, **more)
    with pytest.raises(ChoreiaError, match="would not be extended"):
        extend(dance, music, SALSA, **more)
    with pytest.raises(ChoreiaError, match="cannot extend a dance by -1 s"):
        extend(dance, music, SALSA, before_s=-1.0, **more)
    with pytest.raises(ChoreiaError, match="cannot vary by 2"):
        variation(dance, music, SALSA, asked, region(2.0, 3.0), amount=2.0, **more)
    with pytest.raises(ChoreiaError, match="half to twice as long"):
        variation(dance, music, SALSA, asked, region(5.0, 8.0), amount=0.5, **more)
