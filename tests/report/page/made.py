"""Results of made-up studies, for pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xortune.report import summarise, summarise_findings, trials_frame
from xortune.report.results import Results
from xortune.run_time import RunTime
from xortune.space import load_space
from xortune.spec import Metric, Objective, Parameter, ProblemSpec
from xortune.trial import Outcome, Trial
from xortune.trial_table import TrialTable

RUN = RunTime(
    wall=3.0, start_up=0.5, sampler=0.1, writing=0.2, workers=1, training=2.0, queue=0.1, idle=0.1
)
DESCRIBED = {
    "name": "made", "folder": "results/made", "engine": "made-1", "versions": {"optuna": "5.0.0"},
    "xortune": "0.1.0", "replicates": 1, "trials": 3, "confirm": (),
}  # fmt: skip


def make_spec(choices: Iterable[str] = ("a", "b")) -> ProblemSpec:
    """A parameter of each kind, and an objective that is to rise."""
    choices = tuple(choices)
    return ProblemSpec(
        problem="made",
        parameters=(
            Parameter("rate", "float", 0.1, low=0.0, high=10.0),
            Parameter("word", "choice", choices[0], choices=choices),
            Parameter("seed", "int", 0, low=0, high=2**62, ordered=False),
        ),
        metrics=(Metric("gap", "loss"), Metric("height", "number", "higher")),
        loss="gap",
        objectives=(Objective("height", "maximize"),),
    )


def make_results(
    spec: ProblemSpec,
    outcomes: Iterable[tuple[tuple[Any, ...], Outcome | None]],
    *,
    findings: Mapping[str, Any] | None = None,
    **more: Any,
) -> Results:
    """The results of trials by number: the parameters of each, and its outcome."""
    table = TrialTable(spec)
    for number, (params, outcome) in enumerate(outcomes):
        table.add(Trial(number, 0, spec.params(params)))
        if outcome is not None:
            table.finish(number, outcome)
    frame = trials_frame(table)
    space = load_space({parameter.name: _domain(parameter) for parameter in spec.parameters}, spec)
    found = summarise_findings(findings or {}, frame, space)
    summary = {**summarise(frame, spec), **found, "time": {"wall": 3.0}}
    return Results(
        **{
            "name": "made", "space": space, "trials": frame, "summary": summary,
            "described": DESCRIBED, "curves": {}, "runs": [RUN], **more,
        }
    )  # fmt: skip


def _domain(parameter: Parameter) -> dict[str, Any]:
    """All values of a parameter, but for a low end that is itself excluded."""
    if parameter.kind == "choice":
        return {"values": [*parameter.choices]}
    return {"min": 1e-3 if parameter.above_low else parameter.low, "max": parameter.high}


def complete(spec: ProblemSpec, *scores: float, **more: Any) -> Outcome:
    return Outcome("COMPLETE", spec.scores(scores), duration_s=0.25, **more)


def failed(error: str, worker: str = "here:1") -> Outcome:
    return Outcome("FAIL", error=error, worker=worker)
