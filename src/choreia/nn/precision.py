"""Matrix products in bfloat16 where the processor has them: about half the time, the same result on the same machine."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def quick() -> torch.autocast:
    """Context in which networks compute in bfloat16 if this CPU can do so natively, and as they are if not."""
    return torch.autocast("cpu", torch.bfloat16, enabled=_native())


def ready(module: Module) -> Module:
    """`module`, which from now on computes in `quick` alone: its matrices are converted once instead of at every call."""
    for part in module.modules() if _native() else ():
        if isinstance(part, nn.Linear | nn.Conv1d):
            part.bfloat16()
    return module


def _native() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
