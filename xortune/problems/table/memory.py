"""The memory that is available, and the refusal of a table that needs more."""

from __future__ import annotations

import re
from pathlib import Path

from xortune.errors import UsageError

# A number takes 8 bytes in the frame; reading and preparing it take about as much twice more.
BYTES_PER_CELL = 24
# Of a control group, version 2 and version 1: its limit, and what it uses.
_LIMITS = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_memory(root: Path = Path("/")) -> int | None:
    """The bytes that this process can still use; None if the system does not say.

    Args:
        root: the folder with `proc` and `sys`.
    """
    found = []
    try:
        line = re.search(r"^MemAvailable: +(\d+) kB$", (root / "proc/meminfo").read_text(), re.M)
        found += [int(line[1]) * 1024] if line else []
    except OSError:
        pass  # Only Linux has it.
    for limit, used in _LIMITS:
        try:
            found.append(int((root / limit).read_text()) - int((root / used).read_text()))
        except (OSError, ValueError):
            continue  # There is no such group, or its limit is `max`.
    return max(0, min(found)) if found else None


def refuse_too_large(
    name: str, rows: int, columns: int, bytes_per_cell: int = BYTES_PER_CELL, folds: int = 1
) -> None:
    """Raises UsageError if a table of numbers does not fit into memory.

    Args:
        name: of the table.
        rows, columns: its size, which may be an estimate.
        bytes_per_cell: what a cell takes.
        folds: how often it is there.
    """
    available = available_memory()
    needed = rows * columns * bytes_per_cell * folds
    if available is None or needed <= available:
        return
    size, fewer = f"{rows:,} rows of {columns:,} columns", "rows or columns"
    if folds > 1:
        size, fewer = f"{size} in {folds:,} folds", "rows, columns or folds"
    raise UsageError(
        f"{name} is too large for memory: about {size} need {_size(needed)}, and "
        f"{_size(available)} are available. Search over fewer {fewer}, or on a machine with more "
        "memory."
    )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"
