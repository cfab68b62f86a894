"""Rungs: the epochs at which the trials of a generation are compared, and the worse pruned.

The comparison is that of successive halving (Jamieson and Talwalkar 2016), over whole generations,
and Hyperband's (Li et al. 2017) brackets of it, some of which begin at a later rung.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from xortune.ledger import Ledger
from xortune.loop.lanes import Plan, pruned_scores, value_of
from xortune.settings import PrunerName, StudySettings
from xortune.spec import PRUNED_EPOCH
from xortune.trial import Curve, FinishedTrial, Outcome, value_at
from xortune.trial_table import TrialTable

# Of so many trials one passes a rung.
_FACTORS: dict[PrunerName, int] = {"halving": 3, "hyperband": 3, "median": 2}


class Rungs:
    """The rungs of one generation after the other.

    Which trials pass a rung depends on the generation's objectives there, and on nothing else:
    not on the order in which they came, and not on what was recorded before a kill.
    """

    def __init__(self, settings: StudySettings, table: TrialTable, ledger: Ledger, plan: Plan):
        self._epochs = settings.rungs
        self._pruner = settings.pruner
        self._table = table
        self._ledger = ledger
        self._plan = plan
        self._numbers = range(0)
        # Of trials that wait at a rung: its place, and the objective there, smaller being better.
        self._reached: dict[int, tuple[int, float]] = {}

    def begin(self, numbers: range) -> None:
        """Begins a generation, some of whose trials may wait at a rung since an earlier run."""
        self._numbers = numbers
        self._reached = {}
        waiting = [n for n in numbers if n < len(self._table) and not self._table.is_finished(n)]
        for number, lanes in self._ledger.paused(waiting).items():
            self.pause(number, self._plan.joined(lanes))

    def pause(self, number: int, outcome: Outcome) -> None:
        """Notes that a trial waits at a rung."""
        epoch = max(lane.paused.epoch for lane in outcome.lanes if lane.paused is not None)
        value = value_of(self._plan.spec, outcome.scores)
        self._reached[number] = (self._epochs.index(epoch), value)

    def unbegun(self, numbers: Iterable[int]) -> list[int]:
        """Those of the trials that have to be trained from the start."""
        return [n for n in numbers if not self._table.is_finished(n) and n not in self._reached]

    @property
    def first(self) -> int | None:
        """The epoch of the first rung; None without rungs."""
        return self._epochs[0] if self._epochs else None

    def decided(self) -> list[FinishedTrial]:
        """The trials that are pruned now, once all of the generation wait or have ended."""
        waiting = self._waiting()
        if not waiting:
            return []
        rung = min(self._reached[n][0] for n in waiting)
        if self._is_decided(rung, waiting):
            return []
        passing = self._passing(rung)
        return [self._pruned(n) for n in waiting if n not in passing]

    def onward(self) -> tuple[list[int], int | None]:
        """The trials that go on from the lowest rung, and the epoch of the next; None is the end.

        No trials if the generation is finished.
        """
        waiting = self._waiting()
        if not waiting:
            return [], None
        rung = min(self._reached[n][0] for n in waiting)
        until = self._epochs[rung + 1] if rung + 1 < len(self._epochs) else None
        return [n for n in waiting if self._reached[n][0] == rung], until

    def _waiting(self) -> list[int]:
        return [n for n in self._numbers if n in self._reached and not self._table.is_finished(n)]

    def _is_decided(self, rung: int, waiting: Sequence[int]) -> bool:
        """Whether a kill came after the decision, which is recorded as a whole."""
        if any(self._reached[n][0] > rung for n in waiting):
            return True
        outcomes = map(self._table.outcome, self._numbers)
        pruned = (o.scores for o in outcomes if o is not None and o.state == "PRUNED")
        return any(s is not None and s[PRUNED_EPOCH] == self._epochs[rung] for s in pruned)

    def _passing(self, rung: int) -> set[int]:
        """The trials that pass a rung: in each bracket the best, a fixed part of all of it.

        One that ended before competes with its last objective.
        """
        passing: set[int] = set()
        for bracket, numbers in self._brackets().items():
            if rung < bracket:
                passing.update(numbers)
                continue
            part = _FACTORS[self._pruner] ** (rung - bracket + 1)
            room = max(1, math.ceil(len(numbers) / part))
            there = sorted((value, n) for n in numbers if (value := self._value(n)) is not None)
            passing.update(n for _, n in there[:room])
        return passing

    def _value(self, number: int) -> float | None:
        """The objective with which a trial competes; None if it was pruned."""
        outcome = self._table.outcome(number)
        if outcome is None:
            return self._reached[number][1]
        if outcome.state == "PRUNED":
            return None
        return value_of(self._plan.spec, outcome.scores)

    def _brackets(self) -> dict[int, list[int]]:
        """The generation's trials by the place of the first rung at which they are compared."""
        shares = bracket_shares(len(self._epochs)) if self._pruner == "hyperband" else [1.0]
        brackets: dict[int, list[int]] = {place: [] for place in range(len(shares))}
        for count, number in enumerate(self._numbers, start=1):
            # The bracket that lacks most of its share.
            lacks = {b: shares[b] * count - len(numbers) for b, numbers in brackets.items()}
            brackets[max(lacks, key=lambda b: (lacks[b], -b))].append(number)
        return brackets

    def _pruned(self, number: int) -> FinishedTrial:
        rung, value = self._reached[number]
        epoch = self._epochs[rung]
        spec, trial = self._plan.spec, self._table.trial(number)
        lanes = self._ledger.paused([number])[number]
        took = math.fsum(lane.duration_s or 0 for lane in lanes)
        kept = min(range(len(lanes)), key=lambda i: (value_of(spec, lanes[i].scores), i))
        curve, worker = lanes[kept].curve, lanes[0].worker
        if not math.isfinite(value):
            error = f"the objective is not finite at epoch {epoch}"
            return FinishedTrial(trial, Outcome("FAIL", None, curve, None, took, worker, error))
        own = -value if spec.objectives[0].direction == "maximize" else value
        scores = pruned_scores(spec, epoch, own)
        return FinishedTrial(trial, Outcome("PRUNED", scores, curve, None, took, worker))


def bracket_shares(rungs: int) -> list[float]:
    """The share of the trials in each of Hyperband's brackets, by the place of its first rung.

    A bracket that is compared at `s` rungs has `(rungs + 1) / (s + 1) * 3^s` trials: each bracket
    trains about as many epochs as any other.
    """
    counts = [(rungs + 1) / (s + 1) * 3.0**s for s in range(rungs, -1, -1)]
    return [count / sum(counts) for count in counts]


class Limits:
    """The rungs of an engine that cannot pause: fixed before a generation begins.

    A trial goes on only if its objective is among the best of all earlier generations' there.

    Attributes:
        current: the limits of the generation, as for `Lane`.
    """

    def __init__(self, settings: StudySettings, table: TrialTable, ledger: Ledger):
        self.current: tuple[tuple[int, float], ...] = ()
        self._epochs = settings.rungs
        self._factor = _FACTORS.get(settings.pruner, 1)
        self._table = table
        self._ledger = ledger
        self._objective, direction = settings.spec.objectives[0]
        self._sign = -1.0 if direction == "maximize" else 1.0
        # The objectives of finished trials at the rungs, smaller being better.
        self._seen: dict[int, tuple[float | None, ...]] = {}

    def note(self, finished: FinishedTrial) -> None:
        """Remembers a trial's objectives at the rungs."""
        self._seen[finished.trial.number] = self._values(finished.outcome.curve)

    @property
    def unreached(self) -> bool:
        """Whether there are trials, and none has an objective at any rung."""
        return bool(self._seen) and all(set(values) == {None} for values in self._seen.values())

    def begin(self, first: int) -> None:
        """Fixes the limits of the generation whose first trial has this number."""
        earlier = [n for n in range(first) if n not in self._table.outdated]
        for number in earlier:
            if number not in self._seen:
                self._seen[number] = self._values(self._ledger.curve(number))
        limits = []
        for place, epoch in enumerate(self._epochs):
            room = max(1, math.ceil(len(earlier) / self._factor ** (place + 1)))
            there = sorted(v for n in earlier if (v := self._seen[n][place]) is not None)
            worst = there[room - 1] if len(there) >= room else math.inf
            limits.append((epoch, self._sign * worst))
        self.current = tuple(limits)

    def _values(self, curve: Curve) -> tuple[float | None, ...]:
        found = (value_at(curve, self._objective, epoch) for epoch in self._epochs)
        return tuple(None if v is None or math.isnan(v) else self._sign * v for v in found)
