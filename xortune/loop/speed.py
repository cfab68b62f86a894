"""The measured speed of a search whose engine cannot tell it in advance.

It decides how many trials a pack has, and where they are trained; never a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xortune.engines.engine import Pace

# A pack is to take about this many seconds, and has at most this many times the trials of the
# largest before it: the first trials may be short ones.
_PACK_S = 1.0
_GROWTH = 4


class Speed:
    """The speed of the trials that have come back in this run.

    The first trial also measures imports, so it counts only as long as it is the only one.
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._trials = 0
        self._cost = 0.0
        self._seconds = 0.0
        self._largest = 0

    def note(self, costs: Sequence[float], seconds: Sequence[float]) -> None:
        """Notes a pack that came back: the cost of its trials, and the seconds that each took."""
        pairs = list(zip(costs, seconds))
        self._largest = max(self._largest, len(pairs))
        if self._first is None and pairs:
            self._first = pairs.pop(0)
        for cost, trained in pairs:
            self._trials += 1
            self._cost += cost
            self._seconds += trained

    @property
    def trials(self) -> int:
        """The trials that were measured."""
        return self._trials + (self._first is not None)

    @property
    def trial_s(self) -> float | None:
        """The mean seconds of a trial; None before the first."""
        if self._trials:
            return self._seconds / self._trials
        return None if self._first is None else self._first[1]

    def pace(self, pace: Pace, pack_size: int | None) -> Pace:
        """The engine's pace as measured, with packs of about a second.

        Args:
            pace: the engine's own, returned as it is unless the speed is to be measured.
            pack_size: the most trials of a pack; None chooses.
        """
        if not pace.measured:
            return pace
        trial_s = self.trial_s
        if trial_s is None:
            return replace(pace, largest=pack_size or 1)
        wanted = int(min(_PACK_S / max(trial_s, 1e-9), _GROWTH * self._largest, pace.largest))
        cost, seconds = self._cost, self._seconds
        if not self._trials and self._first is not None:
            cost, seconds = self._first
        return replace(
            pace,
            cost_per_s=max(cost, 1e-9) / max(seconds, 1e-9),
            largest=pack_size or max(wanted, 1),
        )
