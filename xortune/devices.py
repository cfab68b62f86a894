"""Whether this machine has a GPU, without PyTorch, which takes a second to import."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path


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
