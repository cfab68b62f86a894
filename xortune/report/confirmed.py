"""What a confirmation says: the trial to use, how good it is, and where its range ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xortune.report.wilson import wilson_interval
from xortune.space import Range, SearchSpace, grid_bounds
from xortune.spec import ProblemSpec
from xortune.trial import Params


def facts(spec: ProblemSpec, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a confirmed trial.

    Args:
        spec: the study's.
        entry: as the finding `confirmation` has it for each trial.

    Returns:
        The objective, aggregated, under its own name; `std` of the trainings; `seeds`, how many
        there were, and `failed`, how many of them diverged; where the problem has a goal also
        `solved_share` with the ends of its interval, `solved_low` and `solved_high`.
    """
    seeds, hits = entry["seeds"], entry["solved"]
    values = {
        spec.objectives[0].metric: entry["value"],
        "std": entry["std"],
        "seeds": seeds,
        "failed": entry["failed"],
    }
    if hits is None:
        return values
    low, high = wilson_interval(hits, seeds)
    return {**values, "solved_share": hits / seeds, "solved_low": low, "solved_high": high}


def assignment(spec: ProblemSpec, params: Params) -> dict[str, Any]:
    """The parameters that a trial stands for: without its seed, which further trainings vary."""
    return {name: value for name, value in params.items() if name != spec.seed}


def edges(space: SearchSpace, params: Params) -> list[dict[str, Any]]:
    """The parameters that lie at an end of their range, which could be wider.

    Returns:
        For each its name as `parameter`, its `value`, and the `end`, `lower` or `upper`.
    """
    found = []
    for parameter in space.spec.parameters:
        domain, value = space.domains[parameter.name], params[parameter.name]
        if not isinstance(domain, Range) or not parameter.ordered:
            continue
        low, high = grid_bounds(domain)
        least, most = parameter.low, parameter.high
        if low == high or isinstance(value, str) or value is None:
            continue
        # What is counted, or measured, from 0 on would hardly make sense below.
        if value == low and low != 0 and (least is None or least < low):
            found.append({"parameter": parameter.name, "value": value, "end": "lower"})
        elif value == high and (most is None or high < most):
            found.append({"parameter": parameter.name, "value": value, "end": "upper"})
    return found
