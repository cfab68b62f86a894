"""Measures where the time of a run goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from xortune.run_time import RunTime


class Clock:
    """Measures one run of the driver by a monotonic clock, in seconds; never affects results."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._begun = now()
        self._sampling: list[tuple[float, float]] = []
        self._writing: list[tuple[float, float]] = []
        self._out: dict[int, float] = {}
        self._packs: list[tuple[float, float, float]] = []

    def elapsed(self) -> float:
        """The seconds since the run began."""
        return self._now() - self._begun

    def sampling(self) -> AbstractContextManager[None]:
        """Measures asking for trials."""
        return self._measuring(self._sampling)

    def writing(self) -> AbstractContextManager[None]:
        """Measures writing to disk."""
        return self._measuring(self._writing)

    def pack_out(self, pack: int) -> None:
        """Notes that a pack was given to a runner."""
        self._out[pack] = self._now()

    def pack_back(self, pack: int, trained: float) -> None:
        """Notes that a pack has come back, with its seconds of training; 0 if it was lost."""
        self._packs.append((self._out.pop(pack), self._now(), trained))

    def total(self, workers: int) -> RunTime:
        """The run until now."""
        now = self._now()
        trained_from = min((max(b - trained, out) for out, b, trained in self._packs), default=now)
        training = sum(trained for _, _, trained in self._packs)
        away = sum(max(b - max(out, trained_from), trained) for out, b, trained in self._packs)
        busy = [*self._sampling, *self._writing]
        start_up = trained_from - self._begun - _seconds(busy, until=trained_from)
        return RunTime(
            wall=now - self._begun,
            start_up=max(start_up, 0.0),
            sampler=_seconds(self._sampling),
            writing=_seconds(self._writing),
            workers=workers,
            training=training,
            queue=max(away - training, 0.0),
            idle=max(workers * (now - trained_from) - away, 0.0),
        )

    @contextmanager
    def _measuring(self, spans: list[tuple[float, float]]) -> Iterator[None]:
        started = self._now()
        yield
        spans.append((started, self._now()))


def _seconds(spans: list[tuple[float, float]], until: float = math.inf) -> float:
    """The total of some spans, up to a point in time."""
    return sum(max(min(end, until) - start, 0.0) for start, end in spans)
