"""A study in a few numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from xortune.errors import without_values
from xortune.report.confirmed import assignment, edges, facts
from xortune.report.formats import plain_rows
from xortune.run_time import RunTime
from xortune.space import SearchSpace
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import STATES, Params

_TIMES = ("wall", "start_up", "sampler", "training", "queue", "writing", "idle")
_ERRORS_SHOWN = 3
_FINDINGS = ("test", "test_of_recommended", "confirmation", "stopped")
_BEST = ("number", "rank", "final_loss")


def summarise(frame: pd.DataFrame, spec: ProblemSpec) -> dict[str, Any]:
    """The summary above the table, as plain values for JSON.

    Returns:
        `trials`: their number; `states`: the number in each state; `solved`, where the spec has
        a goal: the number of complete trials that reach it; `best`, where it compares a
        parameter: for each choice, the best trial's number, rank, final loss, and last the
        objective if that is another metric; `failures`, where trials failed: the most frequent
        errors with their counts, where errors that differ in their values alone count as one.
    """
    complete = frame[frame["state"] == "COMPLETE"]
    counts = frame["state"].value_counts()
    summary: dict[str, Any] = {
        "trials": len(frame),
        "states": {state: int(counts[state]) for state in STATES if state in counts},
    }
    if spec.solved is not None:
        summary["solved"] = int(complete["solved"].sum())
    if errors := frame.loc[frame["state"] == "FAIL", "error"].dropna().tolist():
        summary["failures"] = _most_frequent(errors)
    if spec.compared is not None:
        summary["best"] = _best(complete, spec, spec.parameter(spec.compared))
    return summary


def summarise_findings(
    findings: Mapping[str, Any], frame: pd.DataFrame, space: SearchSpace
) -> dict[str, Any]:
    """What a study has found out beside its trials, as plain values for JSON.

    Args:
        findings: as they are recorded.
        frame: the study's trials, ranked.
        space: the search space.

    Returns:
        The findings; `recommended`, where the best trials were confirmed: the trial's number,
        rank, parameters, and numbers as `facts` has them; None if no trial passed. `edges`, unless
        empty, of that trial, or else of the best one. `first`, the number of the best one; if it
        is another, `edges_of_first` likewise.
    """
    spec, found = space.spec, {key: findings[key] for key in _FINDINGS if key in findings}
    confirmation = findings.get("confirmation")
    best = int(frame["number"].iloc[0]) if len(frame) and pd.notna(frame["rank"].iloc[0]) else None
    number = best if confirmation is None else confirmation["recommended"]

    def looked_up(trial: int | None) -> tuple[dict[str, Any] | None, Params | None]:
        if trial is None:
            return None, None
        row = plain_rows(frame[frame["number"] == trial])[0]
        return row, spec.params(row[name] for name in spec.names)

    row, params = looked_up(number)
    if confirmation is not None:
        found["recommended"] = None
        if row is not None and params is not None:
            entry = next(e for e in confirmation["trials"] if e["number"] == number)
            used = {"params": assignment(spec, params), **facts(spec, entry)}
            found["recommended"] = {"number": number, "rank": row["rank"], **used}
    if best is not None:
        found["first"] = best
    _, others = looked_up(None if best == number else best)
    for key, at in (("edges", params), ("edges_of_first", others)):
        if at is not None and (ends := edges(space, at)):
            found[key] = ends
    return found


def summarise_time(runs: Sequence[RunTime]) -> dict[str, float]:
    """The seconds of all runs of a study, added up by the fields of `RunTime`.

    A killed run has left no times.
    """
    records = [asdict(run) for run in runs]
    return {name: sum(r[name] for r in records) for name in _TIMES if records}


def _most_frequent(errors: Sequence[str]) -> dict[str, int]:
    """Counts of errors, the most frequent first; each by its first one in the table."""
    kinds = [*map(without_values, errors)]
    firsts = dict(zip(reversed(kinds), reversed(errors)))
    return {firsts[kind]: count for kind, count in Counter(kinds).most_common(_ERRORS_SHOWN)}


def _best(
    ranked: pd.DataFrame, spec: ProblemSpec, compared: Parameter
) -> dict[str, dict[str, Any]]:
    """The first row of each choice, keyed by the choice as text, in the order of the choices."""
    objective = spec.objectives[0].metric
    names = [*_BEST, *([objective] if objective != spec.loss else [])]
    firsts = ranked.drop_duplicates(compared.name)[[compared.name, *names]]
    found = {row.pop(compared.name): row for row in plain_rows(firsts)}
    as_held = {str(choice): compared.value_type(choice) for choice in compared.choices}
    return {text: found[held] for text, held in as_held.items() if held in found}
