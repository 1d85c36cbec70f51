"""The training loop, in the open. A model's forward takes a batch and returns named losses, of which "loss" is minimised.

Exact resumption: a batch is a function of its step and carries its own noise, drop-out is seeded by the step, and a checkpoint holds
everything else. Several processes (torchrun, gloo or NCCL) share each batch and average gradients.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from choreia.errors import ChoreiaError
from choreia.training import checkpoint
from choreia.training.checkpoint import Place
from choreia.training.log import Log
from choreia.training.optim import OPTIMISERS, warm_cosine
from choreia.training.phase import Batch, Phase

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True)
class Settings:
    """Where and how a run goes. `max_seconds` of work end it in time: the learning rate falls with the further of steps and time."""

    out: Path
    seed: int = 0
    save_every_s: float = 120.0
    save_every: int | None = None
    log_every: int = 50
    bf16: bool = True
    max_seconds: float | None = None


def train(model: nn.Module, phases: list[Phase], settings: Settings) -> dict[str, Tensor]:
    """Run the phases in order, going on from the newest checkpoint in `settings.out`; returns the averaged state of the model.

    ChoreiaError where the extra `train` is not installed.
    """
    accelerator = _accelerator()
    settings.out.mkdir(parents=True, exist_ok=True)
    found = checkpoint.newest(settings.out)
    start = checkpoint.place_of(found) if found else Place(0, 0, 0.0)
    average: dict[str, Tensor] = {}
    for number, phase in enumerate(phases):
        if number >= start.phase:
            resume = found if number == start.phase else None
            average = _run_phase(accelerator, model, number, phase, settings, resume, start if resume else Place(number, 0, 0.0))
    accelerator.wait_for_everyone()
    return average


def _accelerator() -> Accelerator:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ChoreiaError("training needs accelerate, which is not installed: pip install 'choreia[train]'") from error
    return Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no")


def _run_phase(accelerator: Accelerator, model: nn.Module, number: int, phase: Phase, settings: Settings, resume: Path | None,
               start: Place) -> dict[str, Tensor]:  # fmt: skip
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = OPTIMISERS[phase.optimiser](trained, lr=phase.lr, weight_decay=phase.weight_decay)
    average = checkpoint.restore(resume, model, optimiser) if resume else {}
    average = average or {name: value.detach().clone() for name, value in model.state_dict().items()}
    wrapped, optimiser = accelerator.prepare(model, optimiser)
    log = Log(settings.out / "log.jsonl" if accelerator.is_main_process else None, settings.log_every)
    began, saved = time.monotonic() - start.seconds, time.monotonic()
    step, place = start.step, start
    model.train()
    while step < phase.steps and (spent := _time_spent(accelerator, began, settings)) < 1:
        lr = phase.lr * warm_cosine(max(step / phase.steps, spent), step, phase.warmup)
        losses = _step(accelerator, wrapped, optimiser, phase, step, lr, settings)
        _follow(average, model, min(phase.ema, (1 + step) / (10 + step)) if phase.ema else 0.0)
        step += 1
        log.add(phase.name, step - 1, phase.steps, losses, lr)
        place = Place(number, step, time.monotonic() - began)
        if _due(step, saved, settings):
            _save(accelerator, settings.out, place, model, optimiser, average)
            saved = time.monotonic()
    _save(accelerator, settings.out, place, model, optimiser, average)
    return average


def _step(accelerator: Accelerator, model: nn.Module, optimiser: torch.optim.Optimizer, phase: Phase, step: int, lr: float,
          settings: Settings) -> dict[str, float]:  # fmt: skip
    batch = _share(phase.batches(step), accelerator)
    torch.manual_seed(settings.seed * 1_000_003 + step)
    for group in optimiser.param_groups:
        group["lr"] = lr
    with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=settings.bf16):
        losses = model(batch)
    if not torch.isfinite(losses["loss"]):
        _stop_on_nan(batch, losses, phase, step, settings)
    optimiser.zero_grad(set_to_none=True)
    accelerator.backward(losses["loss"])
    accelerator.clip_grad_norm_(model.parameters(), phase.clip)
    optimiser.step()
    return {name: float(value.detach()) for name, value in losses.items()}


def _share(batch: Batch, accelerator: Accelerator) -> Batch:
    """This process's samples of the global batch."""
    return {name: v[accelerator.process_index :: accelerator.num_processes].to(accelerator.device) for name, v in batch.items()}


@torch.no_grad()
def _follow(average: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


def _due(step: int, saved: float, settings: Settings) -> bool:
    if settings.save_every is not None:
        return step % settings.save_every == 0
    return time.monotonic() - saved > settings.save_every_s


def _time_spent(accelerator: Accelerator, began: float, settings: Settings) -> float:
    """Share of the time there is, by the first process's clock, so that all stop at the same step; 0 when there is no limit."""
    if settings.max_seconds is None:
        return 0.0
    from accelerate.utils import broadcast

    share = torch.tensor((time.monotonic() - began) / settings.max_seconds, device=accelerator.device)
    return float(broadcast(share))


def _save(accelerator: Accelerator, out: Path, place: Place, model: nn.Module, optimiser: torch.optim.Optimizer,
          average: dict[str, Tensor]) -> None:  # fmt: skip
    """Write a checkpoint from one process; the others do not wait, since each may find by its own clock that one is due."""
    if accelerator.is_main_process:
        checkpoint.save(out, place, model, optimiser, average)


def _stop_on_nan(batch: Batch, losses: dict[str, Tensor], phase: Phase, step: int, settings: Settings) -> None:
    path = settings.out / f"bad-batch-{phase.name}-{step}.safetensors"
    save_file({name: value.contiguous() for name, value in batch.items()}, path)
    names = ", ".join(name for name, value in losses.items() if not torch.isfinite(value))
    raise ChoreiaError(f"{phase.name} step {step}: {names} not finite; the batch is in {path}: look at it, or lower the learning rate")
