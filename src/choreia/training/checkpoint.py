"""A training state in one safetensors file: model, optimiser and average as tensors, the rest as JSON in the header."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from choreia.errors import ChoreiaError


@dataclass(frozen=True)
class Place:
    """How far a run has come: `step` steps of phase number `phase` are done, in `seconds` of work."""

    phase: int
    step: int
    seconds: float


def save(folder: Path, place: Place, model: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor], keep: int = 2) -> Path:
    """Write `checkpoint-PHASE-STEP.safetensors`, whole or not at all, and delete all but the newest `keep`."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    state = optimiser.state_dict()["state"]
    tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(v) for index, entry in state.items() for name, v in entry.items()}
    path = folder / f"checkpoint-{place.phase:02d}-{place.step:08d}.safetensors"
    temporary = path.with_suffix(f".partial{os.getpid()}")
    header = {"place": json.dumps(vars(place)), "format": "choreia-checkpoint-1"}
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, temporary, header)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    for old in sorted(folder.glob("checkpoint-*.safetensors"))[:-keep]:
        old.unlink()
    return path


def newest(folder: Path) -> Path | None:
    """The checkpoint that is furthest on, None when there is none."""
    return max(folder.glob("checkpoint-*.safetensors"), default=None)


def place_of(path: Path) -> Place:
    """How far the run of a checkpoint had come."""
    return Place(**json.loads(_header(path)["place"]))


def restore(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer | None) -> dict[str, Tensor]:
    """Load model and optimiser in place; returns the average. An optimiser of None (a new phase) is left alone."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iteration over the file itself)
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "optimiser": {}}
    for name, value in tensors.items():
        part, rest = name.split(".", 1)
        parts[part][rest] = value
    try:
        model.load_state_dict(parts["model"])
    except RuntimeError as error:
        raise ChoreiaError(f"{path} is a checkpoint of another model: train in an empty folder, or with its own recipe") from error
    if optimiser is not None:
        _restore_optimiser(optimiser, parts["optimiser"])
    return parts["average"]


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, rest = name.split(".", 1)
        state.setdefault(int(index), {})[rest] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _header(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except Exception as error:
        raise ChoreiaError(f"{path} is not a readable checkpoint: delete it to go on from the one before") from error
