"""Loading a compiled library that is held as bytes."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path


def loaded(library: bytes, name: str) -> ctypes.CDLL:
    """Loads from a file that no other process can write, and that does not remain.

    Raises:
        OSError: this machine cannot load it.
    """
    if sys.platform == "linux":
        # Left open: a second library of the same name would be taken for the first.
        handle = os.memfd_create(name)
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(library)
        return ctypes.CDLL(f"/proc/self/fd/{handle}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, f"{name}.so")
        path.write_bytes(library)
        return ctypes.CDLL(str(path))
