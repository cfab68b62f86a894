"""Which device this process can train on."""

from __future__ import annotations

from xortune.devices import sees_gpu
from xortune.errors import UsageError
from xortune.wording import option


def usable_device(wanted: str) -> str:
    """`cpu`, `cuda` or `both` for one of these or `auto`, as this process can have it.

    PyTorch, which takes a second to import, is asked only where a driver finds a GPU.

    Raises:
        UsageError: CUDA is wanted, and there is none.
    """
    if wanted == "cpu" or (wanted == "auto" and not sees_gpu()):
        return "cpu"
    from xortune.engine.eager import has_gpu

    available = has_gpu()
    if wanted == "auto":
        return "cuda" if available else "cpu"
    if not available:
        raise UsageError(
            f"{option('device')} {wanted}: PyTorch finds no GPU here. "
            f"Use {option('device', 'cpu')}."
        )
    return wanted
