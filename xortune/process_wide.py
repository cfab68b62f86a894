"""Settings of the whole process, changed by several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


class Counted:
    """A context that the first of several threads enters, and the last leaves.

    For settings that belong to the process: if each thread saved and restored them by itself, the
    last one could restore a value that another had set.

    Args:
        make: makes the context, with the arguments of the first.
    """

    def __init__(self, make: Callable[..., AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._inside = 0
        self._stack = ExitStack()

    @contextmanager
    def __call__(self, *arguments: Any) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._stack.enter_context(self._make(*arguments))
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._stack.close()
