"""One thing that several threads use at once: made for the first, ended with the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
_MOMENT_S = 0.01


class InUseError(Exception):
    """Something else is in use.

    Args:
        key: its key.
    """

    def __init__(self, key: object) -> None:
        self.key = key
        super().__init__(key)


class Use(Generic[T]):
    """One user's hold on what is shared.

    Attributes:
        value: what is shared.
    """

    value: T

    def __init__(self) -> None:
        self._kept: _Kept[T] | None = None
        self._told: SimpleQueue[BaseException | None] = SimpleQueue()

    def is_last(self) -> bool:
        """Whether what is shared ends with this use; if so, it takes no further user."""
        return self._kept is not None and self._kept.close_for(self)


class Shared(Generic[T]):
    """A context that a thread of its own enters, and leaves with the last of its users.

    A user who is interrupted meanwhile leaves at once, and the thread finishes what it has
    begun: no import is cut in two. What the context starts may also depend on the thread that
    did it: Linux ends Ray's processes with theirs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: _Kept[T] | None = None

    @property
    def in_use(self) -> bool:
        return self._kept is not None

    @contextmanager
    def using(self, key: object, make: Callable[[], AbstractContextManager[T]]) -> Iterator[Use[T]]:
        """Uses what is there under the same key, or has it made.

        Args:
            key: tells one thing from another.
            make: makes the context, if this is the first user.

        Yields:
            The `Use`.

        Raises:
            InUseError: something is in use under another key.
            BaseException: what entering the context raised; and leaving it, for the last user.
        """
        use: Use[T] = Use()
        try:
            self._join(key, make, use)
            # Not a condition or an event, which an exception from a signal may break.
            failure = use._told.get()
            if failure is not None:
                raise failure
            yield use
        finally:
            if use._kept is not None:
                use._kept.dismiss(use)

    def settle(self, seconds: float) -> None:
        """Waits for the end of what has no user any more."""
        until = time.monotonic() + seconds
        while (kept := self._kept) is not None and not kept.users and time.monotonic() < until:
            time.sleep(_MOMENT_S)

    def _join(
        self, key: object, make: Callable[[], AbstractContextManager[T]], use: Use[T]
    ) -> None:
        while True:
            with self._lock:
                kept = self._kept
                if kept is None:
                    kept = self._kept = _Kept(self._lock, key, make, self._forget)
                    kept.take(use)
                    kept.thread.start()
                    return
                if not kept.closing:
                    if kept.key != key and kept.users:
                        raise InUseError(kept.key)
                    if kept.key == key:
                        kept.take(use)
                        return
            time.sleep(_MOMENT_S)

    def _forget(self) -> None:
        self._kept = None


class _Kept(Generic[T]):
    """What is shared, and the thread that keeps it.

    Attributes:
        users: the uses that last; under the lock, like the rest.
        closing: it takes no more.
    """

    def __init__(
        self,
        lock: threading.Lock,
        key: object,
        make: Callable[[], AbstractContextManager[T]],
        forget: Callable[[], None],
    ) -> None:
        self.key = key
        self.users: set[Use[T]] = set()
        self.closing = False
        self.thread = threading.Thread(target=self._keep, name="xortune-ray", daemon=True)
        self._lock = lock
        self._make = make
        self._forget = forget
        self._ready = False
        self._value: T | None = None
        self._failure: BaseException | None = None
        self._left: SimpleQueue[None] = SimpleQueue()

    def take(self, use: Use[T]) -> None:
        """Adds a user; the lock is held."""
        use._kept = self
        self.users.add(use)
        if self._ready:
            self._tell(use, None)

    def dismiss(self, use: Use[T]) -> None:
        """Takes a user out; returns when what ends with it has ended."""
        with self._lock:
            self.users.discard(use)
            ending = self._ready and not self.users
            self.closing = self.closing or ending
            self._left.put(None)
        if ending:
            while self.thread.is_alive():
                time.sleep(_MOMENT_S)
            if self._failure is not None:
                raise self._failure

    def close_for(self, use: Use[T]) -> bool:
        with self._lock:
            last = self.users == {use}
            self.closing = self.closing or last
            return last

    def _keep(self) -> None:
        try:
            with self._make() as value:
                self._wait_for_the_last(value)
        except BaseException as error:
            self._failure = error
        finally:
            with self._lock:
                self.closing = True
                self._forget()
                if not self._ready:
                    for use in self.users:
                        self._tell(use, self._failure)

    def _wait_for_the_last(self, value: T) -> None:
        with self._lock:
            self._value, self._ready = value, True
            for use in self.users:
                self._tell(use, None)
        while True:
            with self._lock:
                if not self.users:
                    self.closing = True
                    return
            self._left.get()

    def _tell(self, use: Use[T], failure: BaseException | None) -> None:
        if failure is None and self._value is not None:
            use.value = self._value
        use._told.put(failure)
