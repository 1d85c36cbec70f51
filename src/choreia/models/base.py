"""What every model's weights and generators share: one safetensors file with its configuration in the header, checked on reading."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from choreia.errors import ChoreiaError
from choreia.files import atomic_path
from choreia.types import Motion

Progress = Callable[[str, float], None]
"""Told what is being done and how far it has come, 0 to 1."""

FORMAT = "choreia-weights-1"
WEIGHTS = Path(__file__).parent.parent / "assets" / "weights"
"""Where the weights that come with the package lie, beside `weights.json`, their table of SHA-256 sums."""
HASHES = WEIGHTS / "weights.json"


class Echo(Protocol):
    """Material that returns: token i is drawn towards token `source[i]` (fractional) with `weight[i]` in [0, 1]; both (N,)."""

    @property
    def source(self) -> np.ndarray:
        """Where each token's material comes from."""

    @property
    def weight(self) -> np.ndarray:
        """How strongly it is drawn there."""


class Generator(Protocol):
    """A trained model that dances."""

    weights_sha256: str | None
    styles: tuple[str, ...]
    tokens_per_s: float

    def tokens_for(self, frames: int) -> int:
        """Tokens that cover `frames` frames at 30 fps."""

    def seams_s(self, frames: int) -> np.ndarray:
        """Where the windows of a dance of `frames` frames begin and end, seconds."""

    def dance(self, features: np.ndarray, *, style: str | None = None, seed: int = 0, echo: Echo | None = None,
              progress: Progress | None = None) -> Motion:  # fmt: skip
        """Movement at 30 fps for "dance" features (T, 24), at least T frames."""


@dataclass(frozen=True)
class Weights:
    """Tensors by name, the header's words, and the SHA-256 of the file."""

    tensors: dict[str, Tensor]
    header: dict[str, str]
    sha256: str


def write_weights(path: Path, tensors: dict[str, Tensor], header: dict[str, str], half: bool = False) -> None:
    """Write tensors with a header, whole or not at all, the same bytes for the same content; `half` stores floating-point ones in fp16."""
    kept = {n: (v.half() if half and v.is_floating_point() else v).contiguous().clone() for n, v in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as partial:
        partial.write_bytes(_ordered(save(kept, {"format": FORMAT, **header})))


def _ordered(content: bytes) -> bytes:
    """A safetensors file with the fields of its header in order, which safetensors itself leaves to chance."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode().ljust(end - 8)
    return content[:8] + header + content[end:]


def read_weights(path: Path, model: str, sha256: str | None = None) -> Weights:
    """Read weights of `model` in fp32; ChoreiaError when missing, broken, of another model, or with another hash than `sha256`."""
    if not path.is_file():
        raise ChoreiaError(f"no weights at {path}: reinstall choreia, or train them with `choreia train`")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 is not None and digest != sha256:
        raise ChoreiaError(f"{path} has SHA-256 {digest[:12]}…, expected {sha256[:12]}…: the file was changed or damaged, get it again")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file itself does not iterate)
    except (SafetensorError, OSError) as error:
        raise ChoreiaError(f"{path} is not a whole safetensors file: get it again") from error
    if header.get("format") != FORMAT or header.get("model") != model:
        raise ChoreiaError(f"{path} holds {header.get('model', 'something else')} ({header.get('format', 'no format')}), expected {model}")
    return Weights({n: v.float() if v.is_floating_point() else v for n, v in tensors.items()}, header, digest)


def load_part(module: nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    """Give a module the tensors whose names begin with `prefix`, and freeze it; ChoreiaError when they do not fit."""
    own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise ChoreiaError(f"the weights do not fit the model ({prefix[:-1]}): they are of another version, get them again") from error
    module.eval().requires_grad_(False)


def shipped(name: str, model: str) -> Weights:
    """The weights called `name` that come with the package, checked against the table of hashes."""
    table = json.loads(HASHES.read_text()) if HASHES.is_file() else {}
    if name not in table:
        raise ChoreiaError(f"no weights called {name!r}: choose one of {', '.join(sorted(table)) or 'none, this copy has no weights'}")
    return read_weights(WEIGHTS / f"{name}.safetensors", model, table[name])


def publish(weights: Path, name: str) -> Path:
    """Put trained weights among those that come with the package and note their hash in `weights.json`."""
    path = WEIGHTS / f"{name}.safetensors"
    shutil.copyfile(weights, path)
    table = json.loads(HASHES.read_text()) if HASHES.is_file() else {}
    table[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    HASHES.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")
    return path
