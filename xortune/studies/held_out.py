"""Measures the best trial of a table on the test rows, which no search has seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xortune.ledger import Ledger
from xortune.ranking import NO_STANDING, standing
from xortune.trial_table import TrialTable

if TYPE_CHECKING:
    from xortune.studies.problems.subject import Subject


def record_test(ledger: Ledger, subject: Subject) -> None:
    """Records the best trial's metrics on the test rows of a finished study.

    They are the finding `test`: the number of the trial, and its metrics by name, there and on
    the validation rows; None where one has no value, as `auc` in rows of one class.
    """
    table, found = ledger.trials(), ledger.findings()
    if table.finished < ledger.settings().trials:
        return
    number = best_number(table)
    if number is None or found.get("test", {}).get("number") == number:
        return
    weights = ledger.weights(number)
    if weights is None:
        return
    scores = subject.tested(table.params(number), weights)
    if scores is not None:
        measured: Mapping[str, float] = table.scores(number) or {}
        validation = {name: measured[name] for name in scores}
        test = {"number": number, "validation": _finite(validation), "scores": _finite(scores)}
        findings = {**found, "test": test}
        ledger.record(ledger.settings(), ledger.provenance(), findings)


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
