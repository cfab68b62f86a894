"""How PyTorch computes for tables: alike, whatever the rest of the process has set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xortune.process_wide import Counted

_SUBNORMAL = 1e-39  # too small for float32, except with fewer digits


@contextmanager
def undisturbed() -> Iterator[None]:
    """One thread, gradients and float32; restores what the caller had.

    Kernels this small are slower with more threads, which may also add in another order.
    """
    with (
        _one_thread(),
        _subnormals(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
    ):
        yield


@Counted
@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _subnormals() -> Iterator[None]:
    """Numbers below 1.2e-38 are kept, even if another library has this thread flush them to 0."""
    flushed = not float(torch.tensor(_SUBNORMAL, dtype=torch.float32, device="cpu") * 1.0)
    if flushed:
        torch.set_flush_denormal(False)
    try:
        yield
    finally:
        if flushed:
            torch.set_flush_denormal(True)
