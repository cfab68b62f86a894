"""Specs beside XOR's, with what it lacks: fixed ones for the tests of tables and runs."""

from __future__ import annotations

from collections.abc import Iterable

from xortune.spec import Goal, Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Outcome, Trial, Value
from xortune.trial_table import TrialTable

# Maximises; booleans, numbers and mixed choices; parameters that may not apply.
FOREST = ProblemSpec(
    problem="forest",
    parameters=(
        Parameter("depth", "int", 4, low=1, high=2**62),
        Parameter("momentum", "float", 0.9, low=0.0, high=1.0),
        Parameter("bootstrap", "choice", True, choices=(True, False)),
        Parameter("width", "choice", 16, choices=(8, 16, 32)),
        Parameter("shrink", "choice", 1, choices=(1, 0.5)),
        Parameter("features", "choice", "all", choices=("all", "sqrt", 0.5)),
    ),
    metrics=(Metric("log_loss", "loss"), Metric("f1", "share"), Metric("nodes")),
    loss="log_loss",
    objectives=(Objective("f1", "maximize"), Objective("nodes")),
    curve=(Series("validation", "loss/validation"),),
    cost="depth",
    solved=Goal("nodes", 10.0),
    compared="bootstrap",
)
# Nothing that a spec may leave out.
PLAIN = ProblemSpec(
    problem="plain",
    parameters=(Parameter("x", "float", 0.5, low=-1.0, high=1.0),),
    metrics=(Metric("y", "loss"), Metric("z", "loss")),
    loss="z",
    objectives=(Objective("z"),),
)
# More parameters than a line holds.
WIDE = ProblemSpec(
    problem="wide",
    parameters=tuple(Parameter(f"parameter_{n:02}", "float", 0.5) for n in range(12)),
    metrics=(Metric("loss", "loss"), Metric("recall", "share"), Metric("precision", "share")),
    loss="loss",
    objectives=(Objective("loss"),),
)

Row = tuple[tuple[Value | None, ...], tuple[float, ...] | None]


def make_table_of(spec: ProblemSpec, rows: Iterable[Row]) -> TrialTable:
    """A table of trials by number: the parameters of each, and its metrics or None if it failed."""
    table = TrialTable(spec)
    for number, (params, scores) in enumerate(rows):
        table.add(Trial(number, 0, spec.params(params)))
        complete = scores is not None
        table.finish(
            number,
            Outcome("COMPLETE", spec.scores(scores)) if complete else Outcome("FAIL", error="e"),
        )
    return table
