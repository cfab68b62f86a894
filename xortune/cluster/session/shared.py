"""A context that several threads use at once: entered for the first, left with the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
_MOMENT_S = 0.01
_SIGNAL_S = 0.25


class InUseError(Exception):
    """Something with another key is in use.

    Args:
        key: the key of what is in use.
    """

    def __init__(self, key: object) -> None:
        self.key = key
        super().__init__(key)


class Use(Generic[T]):
    """One user's hold on the shared value.

    Attributes:
        value: the shared value.
    """

    value: T

    def __init__(self) -> None:
        self._kept: _Kept[T] | None = None
        self._news: SimpleQueue[BaseException | None] = SimpleQueue()

    def _wait(self) -> BaseException | None:
        """Waits until the value is there, or has failed.

        Not on a condition or an event, which an exception from a signal may break; and not for
        ever, because a signal that comes just before the wait does not interrupt it.
        """
        while True:
            with suppress(Empty):
                return self._news.get(timeout=_SIGNAL_S)

    def is_last(self) -> bool:
        """Whether the value ends with this use; if so, it takes no further user."""
        return self._kept is not None and self._kept.close_for(self)


class Shared(Generic[T]):
    """A context that a dedicated thread enters for the first user, and leaves with the last.

    A user who is interrupted meanwhile leaves at once, and the thread finishes what it has
    started: no import is cut in two. Also, Linux ends Ray's processes with the thread that
    started them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: _Kept[T] | None = None

    @property
    def in_use(self) -> bool:
        return self._kept is not None

    @contextmanager
    def using(self, key: object, make: Callable[[], AbstractContextManager[T]]) -> Iterator[Use[T]]:
        """Uses the value of the same key, or has it made.

        Args:
            key: tells one value from another.
            make: makes the context, if this is the first user.

        Yields:
            The `Use`.

        Raises:
            InUseError: something is in use under another key.
            BaseException: whatever entering the context raises, and for the last user, leaving it.
        """
        use: Use[T] = Use()
        try:
            self._join(key, make, use)
            failure = use._wait()
            if failure is not None:
                raise failure
            yield use
        finally:
            if use._kept is not None:
                use._kept.dismiss(use)

    def settle(self, seconds: float) -> None:
        """Waits for the end of a value without users."""
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
    """A shared value, and the thread that keeps it.

    Attributes:
        users: the uses that last; guarded by the lock, like the rest.
        closing: whether it takes no further users.
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
        """Adds a user. The caller holds the lock."""
        use._kept = self
        self.users.add(use)
        if self._ready:
            self._tell(use, None)

    def dismiss(self, use: Use[T]) -> None:
        """Removes a user. If it is the last, waits until the context has been left."""
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
        use._news.put(failure)
