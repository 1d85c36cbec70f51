"""`choreia prepare` and `choreia train`: takes and songs to shards, shards to weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from choreia.data.prepare import prepare as prepare_real
from choreia.data.synthetic import synthesize
from choreia.errors import ChoreiaError
from choreia.models.beats import corpus as beat_corpus
from choreia.models.beats import recipe as beats
from choreia.models.choreia import recipe as choreia
from choreia.models.choreia.stage import space_of
from choreia.models.dancemeld import recipe as dancemeld
from choreia.models.dancemeld.config import variant as dancemeld_variant
from choreia.models.inbetween import recipe as inbetween
from choreia.models.inbetween.config import variant as inbetween_variant
from choreia.models.lrcm import recipe as lrcm
from choreia.models.textmotion import recipe as textmotion
from choreia.models.textmotion.config import variant as textmotion_variant
from choreia.models.textmotion.model import load as load_textmotion
from choreia.models.theatre import recipe as theatre
from choreia.models.theatre import visual_recipe as theatre_visual
from choreia.models.theatre.config import variant as theatre_variant
from choreia.models.theatre.visual import Config as VisualConfig
from choreia.pipelines.stage_pictures import make_pictures
from choreia.text.encode import Embedding, Encoder, clip_encoder
from choreia.training.loop import Settings

Progress = Callable[[str, float], None]

CLIP_VARIABLE = "CHOREIA_CLIP"
"""Names the folder with CLIP ViT-B/32 as `transformers` saves it (`text.encode.clip_encoder`)."""


def prepare(source: Path | None, out: Path, *, songs: int = 56, workers: int = 2, seed: int = 0,
            progress: Progress | None = None) -> dict[str, object]:  # fmt: skip
    """Real takes of `source` into `out`/real, and `songs` composed and choreographed songs into `out`/synthetic."""
    lines = []
    if source is not None:
        report = prepare_real(source, out / "real", workers=workers, seed=seed, progress=progress)
        lines.append(f"{out / 'real'}: {len(report.rows) - len(report.refused)} takes, {len(report.refused)} refused (see report.md)")
    if songs:
        made = synthesize(out / "synthetic", songs, seed=seed, workers=workers, progress=progress)
        lines.append(f"{out / 'synthetic'}: {len(made.rows)} songs danced")
    return {"text": "\n".join(lines)}


def train(recipe: str, data: Path, out: Path, *, variant: str = "small", steps: int | None = None, seed: int = 0,
          max_minutes: float | None = None) -> dict[str, object]:  # fmt: skip
    """Run one recipe on what `prepare` wrote (beats: on unpacked MIDI); going on where an earlier run in `out` stopped."""
    recipes: dict[str, Callable[[], Path]] = {
        "dancemeld-tokenizer": lambda: _tokenizer(data, out, variant, _settings(out / "tokenizer", seed, max_minutes), steps),
        "dancemeld-prior": lambda: _prior(data, out, variant, _settings(out / "prior", seed, max_minutes), steps),
        "choreia": lambda: _choreia(data, out, variant, _settings(out / variant, seed, max_minutes), steps),
        "lrcm": lambda: lrcm.train_lrcm(data, out / variant, variant, _settings(out / variant, seed, max_minutes), words_at_hand(), steps),
        "textmotion": lambda: _textmotion(data, out, variant, _settings(out / "textmotion", seed, max_minutes), steps),
        "inbetween": lambda: _inbetween(data, out, variant, _settings(out / "inbetween", seed, max_minutes), steps),
        "theatre-encoders": lambda: _theatre_encoders(data, out, variant, _settings(out / "encoders", seed, max_minutes), steps),
        "theatre-visual": lambda: _theatre_visual(data, _settings(out / "visual", seed, max_minutes), steps),
        "theatre": lambda: _theatre(out, variant, _settings(out / variant, seed, max_minutes), steps),
        "beats": lambda: _beats(data, out, seed),
    }
    if recipe not in recipes:
        raise ChoreiaError(f"unknown recipe {recipe!r}: choose one of {', '.join(recipes)}")
    return {"text": str(recipes[recipe]())}


def words_at_hand() -> Encoder:
    """What LRCM in pose space reads words with: CLIP where the environment variable CHOREIA_CLIP names its folder, else our own encoder."""
    folder = os.environ.get(CLIP_VARIABLE)
    if folder:
        return clip_encoder(folder)
    own = load_textmotion()
    return Embedding(f"{own.name} {own.sha256[:12]}", own.config.dim, own.embed_texts)


def _settings(out: Path, seed: int, max_minutes: float | None) -> Settings:
    return Settings(out, seed, max_seconds=max_minutes * 60 if max_minutes else None)


def _tokenizer(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    config = dancemeld_variant(variant)
    return dancemeld.train_tokenizer(dancemeld.read_corpus(data, config, dancemeld.TOKENIZER_MIX), settings.out, config, settings, steps)


def _choreia(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    return choreia.train_choreia(data, _stage1(out), settings.out, variant, settings, steps)


def _prior(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    config = dancemeld_variant(variant)
    corpus = dancemeld.read_corpus(data, config, dancemeld.PRIOR_MIX)
    return dancemeld.train_prior(corpus, _stage1(out), settings.out, config, settings, steps)


def _stage1(out: Path) -> Path:
    stage1 = out / "tokenizer" / "tokenizer.safetensors"
    if not stage1.is_file():
        raise ChoreiaError(f"no {stage1}: run `choreia train dancemeld-tokenizer` with the same --out first")
    return stage1


def _textmotion(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    config, fit = textmotion_variant(variant)
    return textmotion.train_textmotion(data, out, config, fit, settings, steps)


def _inbetween(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    config, fit = inbetween_variant(variant)
    return inbetween.train_inbetween(data, settings.out, config, fit, settings, steps)


def _theatre_encoders(data: Path, out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    config = theatre_variant(variant)
    return theatre.train_encoders(data, settings.out, config, space_of(config.sizes), settings, steps)


def _theatre_visual(data: Path, settings: Settings, steps: int | None) -> Path:
    pictures = theatre_visual.Pictures.read(make_pictures(data, settings.out / "pictures", seed=settings.seed))
    return theatre_visual.train_visual(pictures, settings.out, VisualConfig(), theatre_visual.Fit(), settings, steps)


def _theatre(out: Path, variant: str, settings: Settings, steps: int | None) -> Path:
    encoders = out / "encoders" / "encoders.safetensors"
    if not encoders.is_file():
        raise ChoreiaError(f"no {encoders}: run `choreia train theatre-encoders` with the same --out first")
    return theatre.train_theatre(encoders, settings.out, variant, space_of(theatre_variant(variant).sizes), settings, steps)


def _beats(data: Path, out: Path, seed: int) -> Path:
    weights = out / "beats.safetensors"
    if not (out / "songs").is_dir():
        beat_corpus.build(data, out / "songs", composed_songs=200, beatless=60)
    beats.train(beat_corpus.load(out / "songs"), weights, beats.Recipe(seed=seed))
    return weights
