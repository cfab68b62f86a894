"""A study in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from xortune.report.formats import plain_rows
from xortune.run_time import RunTime
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import STATES

_TIMES = ("wall", "start_up", "sampler", "training", "queue", "writing", "idle")
_BEST = ("number", "rank", "final_loss")


def summarise(frame: pd.DataFrame, spec: ProblemSpec) -> dict[str, Any]:
    """What stands above the table, as plain values that JSON can hold.

    Returns:
        `trials`: how many there are; `states`: how many of each state; `solved`, where the spec
        has a goal: how many of the complete ones are solved; `best`, where it compares a
        parameter: for each of its choices, the best trial's number, rank and final loss.
    """
    complete = frame[frame["state"] == "COMPLETE"]
    counts = frame["state"].value_counts()
    summary: dict[str, Any] = {
        "trials": len(frame),
        "states": {state: int(counts[state]) for state in STATES if state in counts},
    }
    if spec.solved is not None:
        summary["solved"] = int(complete["solved"].sum())
    if spec.compared is not None:
        summary["best"] = _best(complete, spec.parameter(spec.compared))
    return summary


def summarise_time(runs: Sequence[RunTime]) -> dict[str, float]:
    """The time of all runs of a study, added up by what it went to, in seconds.

    Named as in `RunTime`. A run that was killed has left no times.
    """
    records = [asdict(run) for run in runs]
    return {name: sum(r[name] for r in records) for name in _TIMES if records}


def _best(ranked: pd.DataFrame, compared: Parameter) -> dict[str, dict[str, Any]]:
    """The first row of each choice, by the choice as text, in the order of the choices."""
    firsts = ranked.drop_duplicates(compared.name)[[compared.name, *_BEST]]
    found = {row.pop(compared.name): row for row in plain_rows(firsts)}
    as_held = {str(choice): compared.value_type(choice) for choice in compared.choices}
    return {text: found[held] for text, held in as_held.items() if held in found}
