"""Which devices this process can train on; PyTorch, slow to import, is asked only if need be."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

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
    import torch

    available = torch.cuda.is_available()
    if wanted == "auto":
        return "cuda" if available else "cpu"
    if not available:
        raise UsageError(
            f"{option('device')} {wanted}: PyTorch finds no GPU here. "
            f"Use {option('device', 'cpu')}."
        )
    return wanted


def sees_gpu() -> bool:
    """Whether a driver finds a GPU for this process; whether PyTorch can use it is not asked.

    `CUDA_VISIBLE_DEVICES` is honoured, as the driver does.
    """
    return _cuda_devices() > 0 or Path("/dev/kfd").exists()


def _cuda_devices() -> int:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return 0  # The driver is not even loaded.
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value
