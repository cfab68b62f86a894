"""Python's garbage collection, which is of no use while a pack trains."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection.

    None of the thousands of new objects is garbage, but they make Python scan the objects of
    all libraries, which takes as long as the training.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
