"""What a study holds for plots and pages, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xortune.ledger import Ledger
from xortune.report.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from xortune.studies.study import Study

_BEST = 8  # trials whose trainings are shown one by one
_MOST_CURVES = 20_000  # A curve takes a few kilobytes; of more trials some are enough.


def results_of(study: Study | Any) -> Results:
    """All that a report shows of a study.

    Raises:
        UsageError: its ledger is damaged.
    """
    trials = study.trials
    summary = study.summary_of(trials)
    with Ledger.read(study._own) as ledger:
        curves = ledger.curves(_with_curves(trials))
        runs = ledger.runs()
    shown = _shown(trials, summary.get("confirmation"), study.settings.replicates)
    return Results(
        name=study.name,
        space=study.space,
        trials=trials,
        summary=summary,
        described=study.described(),
        curves=curves,
        runs=runs,
        replicates={number: study.replicates(number) for number in shown},
    )


def _with_curves(trials: pd.DataFrame) -> frozenset[int] | None:
    """The numbers of the trials whose curves are read: the best, and the others evenly.

    None for all of them.
    """
    if len(trials) <= _MOST_CURVES:
        return None
    numbers = trials["number"].tolist()
    half, step = _MOST_CURVES // 2, len(numbers) // (_MOST_CURVES // 2)
    return frozenset(numbers[:half]) | frozenset(numbers[half::step])


def _shown(trials: pd.DataFrame, confirmation: object, replicates: int) -> list[int]:
    """The numbers of the trials whose trainings are shown: confirmed ones, and the best."""
    entries = confirmation["trials"] if isinstance(confirmation, dict) else []
    confirmed = [entry["number"] for entry in entries]
    best = trials.loc[trials["rank"].notna(), "number"].tolist()[:_BEST] if replicates > 1 else []
    return [*dict.fromkeys([*confirmed, *best])]
