"""The devices that this process can train on. PyTorch, slow to import, is asked last."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from xortune.errors import UsageError
from xortune.wording import option


def usable_device(wanted: str) -> str:
    """The device to use, `cpu`, `cuda` or `both`, for one of these or `auto`.

    Raises:
        UsageError: CUDA is wanted, and PyTorch finds no GPU.
    """
    if wanted == "auto":
        return "cuda" if sees_gpu() and has_gpu() else "cpu"
    if wanted != "cpu" and not has_gpu():
        raise UsageError(
            f"{option('device')} {wanted}: PyTorch finds no GPU here. "
            f"Use {option('device', 'cpu')}."
        )
    return wanted


def has_gpu() -> bool:
    """Whether PyTorch finds a GPU for this process."""
    import torch

    return torch.cuda.is_available()


def sees_gpu() -> bool:
    """Whether a driver finds a GPU for this process, usable by PyTorch or not.

    `CUDA_VISIBLE_DEVICES` counts, as it does for the driver.
    """
    return _cuda_devices() > 0 or Path("/dev/kfd").exists()


def _cuda_devices() -> int:
    """The GPUs that the CUDA driver counts; 0 without a driver."""
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


def require_cpu(device: str, what: str) -> None:
    """Raises UsageError for another device, on which such things are not trained."""
    if device != "cpu":
        raise UsageError(
            f"{option('device')} {device}: {what} are trained on CPUs. "
            f"Use {option('device', 'cpu')}."
        )
