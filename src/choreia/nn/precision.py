"""Matrix products in bfloat16 where the processor has them: about half the time, the same result on the same machine."""

from __future__ import annotations

import torch


def quick() -> torch.autocast:
    """Context in which networks compute in bfloat16 if this CPU can do so natively, and as they are if not."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    native = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=native)
