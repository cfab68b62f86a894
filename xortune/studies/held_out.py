"""Measures the best trial of a table on the test rows, which no search has seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.ledger import Ledger
from xortune.ranking import NO_STANDING, standing
from xortune.trial_table import TrialTable

if TYPE_CHECKING:
    from xortune.studies.problems.subject import Subject


def record_test(ledger: Ledger, subject: Subject) -> None:
    """Records the metrics of the best trial on the test rows of a finished study.

    They are the finding `test`: the number of the trial, and its metrics by name, there and on
    the validation rows; None where one has no value, as `auc` in rows of one class. The finding
    `test_of_recommended` has those of the recommended trial, if that is another.
    """
    table, found = ledger.trials(), ledger.findings()
    if not is_over(ledger, table):
        return
    best, recommended = best_number(table), found.get("confirmation", {}).get("recommended")
    wanted = {"test": best, "test_of_recommended": None if recommended == best else recommended}
    after = dict(found)
    for key, number in wanted.items():
        if number is None:
            after.pop(key, None)
        elif found.get(key, {}).get("number") != number:
            measured = _measured(ledger, table, subject, number)
            after |= {} if measured is None else {key: measured}
    if after != found:
        ledger.record(ledger.settings(), ledger.provenance(), after)


def is_over(ledger: Ledger, table: TrialTable) -> bool:
    """Whether a search has ended as its settings say: not by a time limit, or a kill."""
    stopped = ledger.findings().get("stopped", {}).get("by", "timeout") != "timeout"
    return stopped or table.finished >= ledger.settings().trials


def _measured(
    ledger: Ledger, table: TrialTable, subject: Subject, number: int
) -> dict[str, Any] | None:
    """A trial's metrics on validation and test rows; None where there are none."""
    weights = ledger.weights(number)
    scores = None if weights is None else subject.tested(table.params(number), weights)
    if scores is None:
        return None
    there: Mapping[str, float] = table.scores(number) or {}
    validation = {name: there[name] for name in scores}
    return {"number": number, "validation": _finite(validation), "scores": _finite(scores)}


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    """The scores as JSON takes them: None for one that is not a finite number."""
    return {name: score if math.isfinite(score) else None for name, score in scores.items()}


def best_number(table: TrialTable) -> int | None:
    """The number of the best trial; None if no trial ranks."""
    scored = ((number, table.scores(number)) for number in range(len(table)))
    standings = (
        standing(table.spec, table.trial(number), scores) for number, scores in scored if scores
    )
    best = min(standings, default=NO_STANDING)
    return None if best[0] else best[-1]
