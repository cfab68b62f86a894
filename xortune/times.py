"""Where the time of a run goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class RunTime:
    """One search or resume, in seconds.

    Attributes:
        wall: from its beginning to its end.
        start_up: of these, until the first worker began to train; without the sampler's.
        sampler: the driver's, asking for trials.
        writing: the driver's, for the ledger, the TensorBoard runs and the tables.
        workers: how many packs could be trained at once.
        training: the workers', all added up, as are the next two.
        queue: packs on their way: they wait for a worker, travel, or wait for the driver.
        idle: workers without a pack, after the start-up.
    """

    wall: float
    start_up: float
    sampler: float
    writing: float
    workers: int
    training: float
    queue: float
    idle: float


class Clock:
    """Measures one run as its driver sees it; no part of it reaches a result.

    Args:
        now: gives seconds that never go back.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._begun = now()
        self._trained_from: float | None = None
        self._sampler = self._sampler_before = self._writing = 0.0
        self._training = self._packs = 0.0
        self._out: dict[int, float] = {}

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """While trials are asked for."""
        started = self._now()
        yield
        self._sampler += self._now() - started

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While something is made durable."""
        started = self._now()
        yield
        self._writing += self._now() - started

    def pack_out(self, pack: int) -> None:
        """A pack is given to a runner."""
        self._out[pack] = self._now()

    def pack_back(self, pack: int, trained: float) -> None:
        """A pack has come back, after so many seconds of training; 0 if it was lost."""
        now, out = self._now(), self._out.pop(pack)
        if self._trained_from is None:
            self._trained_from = max(now - trained, out)
            self._sampler_before = self._sampler
        self._training += trained
        self._packs += max(now - max(out, self._trained_from), trained)

    def total(self, workers: int) -> RunTime:
        """The run until now."""
        now = self._now()
        trained_from = now if self._trained_from is None else self._trained_from
        sampler_before = self._sampler if self._trained_from is None else self._sampler_before
        return RunTime(
            wall=now - self._begun,
            start_up=max(trained_from - self._begun - sampler_before, 0.0),
            sampler=self._sampler,
            writing=self._writing,
            workers=workers,
            training=self._training,
            queue=max(self._packs - self._training, 0.0),
            idle=max(workers * (now - trained_from) - self._packs, 0.0),
        )
