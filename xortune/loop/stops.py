"""Stops: limits at which a search ends before it has trained all of its trials.

They are looked at between two generations, in the order of trials, so that nothing but the
recorded settings decides; only a time limit, which is looked at between packs, is another matter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from xortune.ranking import objective
from xortune.settings import StudySettings
from xortune.spec import PRUNED_EPOCH
from xortune.trial_table import TrialTable


class Stop(NamedTuple):
    """Why a search ended early: the setting's name, the number of trials until then, and words."""

    by: str
    after: int
    reason: str

    def finding(self) -> dict[str, Any]:
        """As it is recorded."""
        return self._asdict()


def stop_before(settings: StudySettings, table: TrialTable, first: int) -> Stop | None:
    """The stop that ends a search before the trial `first`; None if none does.

    Args:
        settings: the study's.
        table: its trials, of which all before `first` are finished.
        first: the first trial of a generation.
    """
    if settings.stop_at is None and settings.plateau is None and settings.epoch_budget is None:
        return None
    best, since = _best(table, first)
    spec = table.spec
    name, direction = spec.objectives[0]
    if settings.stop_at is not None and best is not None:
        sign = -1 if direction == "maximize" else 1
        if best <= sign * settings.stop_at:
            reached = f"{name} {sign * best:.3g} is as good as {settings.stop_at:g}"
            return Stop("stop_at", first, reached)
    if settings.plateau is not None and since >= settings.plateau:
        return Stop("plateau", first, f"{since} trials without a better one")
    if settings.epoch_budget is not None:
        spent = epochs_spent(settings, table, first)
        if spent >= settings.epoch_budget:
            return Stop("epoch_budget", first, f"{spent:,} epochs are trained")
    return None


def epochs_spent(settings: StudySettings, table: TrialTable, until: int) -> int:
    """The epochs of the trials before a number: a pruned one's to its rung, others' as asked."""
    total = 0.0
    for number in range(until):
        outcome = table.outcome(number)
        if outcome is not None and outcome.state == "PRUNED" and outcome.scores is not None:
            total += outcome.scores[PRUNED_EPOCH]
        else:
            total += table.spec.cost_of(table.params(number))
    return round(total) * settings.replicates


def timed_out(done: int) -> Stop:
    """The stop of a run whose time is over."""
    return Stop("timeout", done, "the time was over")


def _best(table: TrialTable, until: int) -> tuple[float | None, int]:
    """The best objective, smaller being better, and how many trials came after it."""
    best, at = None, -1
    for number in range(until):
        scores = table.scores(number)
        if scores is not None:
            value = objective(table.spec, scores)
            if best is None or value < best:
                best, at = value, number
    return best, until - 1 - at
