"""A table as plain data: the parameters of its model and training, and its metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xortune.problems.trainer_parameters import (
    BEST_EPOCH,
    COMPARED,
    COST,
    CURVE,
    TRAIN_LOSS,
    known_aliases,
    trainer_parameters,
)
from xortune.problems.trainer_parameters import OPTIMIZERS as OPTIMIZERS
from xortune.problems.trainer_parameters import SCHEDULES as SCHEDULES
from xortune.spec import Metric, Objective, Parameter, ProblemSpec

if TYPE_CHECKING:
    from xortune.problems.table.rows import Task

ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "sigmoid")
# The loss functions to train with; the first is the default.
LOSS_FNS: Mapping[Task, tuple[str, ...]] = {
    "regression": ("mse", "mae", "huber"),
    "binary": ("bce_with_logits",),
    "classes": ("cross_entropy",),
}
# What is measured on the validation rows. The first is the final loss unless the user says
# otherwise; losses are those of the standardised target, rmse is in the target's own units.
METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "regression": (
        Metric("mse", "loss"),
        Metric("mae", "loss"),
        Metric("rmse", "number", "lower"),
        Metric("r2", "number", "higher"),
    ),
    "binary": (Metric("log_loss", "loss"), Metric("accuracy", "share"), Metric("auc", "share")),
    "classes": (
        Metric("log_loss", "loss"),
        Metric("accuracy", "share"),
        Metric("balanced_accuracy", "share"),
    ),
}

# Other names of the model's parameters and their choices.
_ALIASES = {
    "hidden": "width", "hidden_size": "width", "hidden_units": "width", "units": "width",
    "neurons": "width", "hidden_dim": "width", "layers": "depth", "num_layers": "depth",
    "n_layers": "depth", "hidden_layers": "depth", "act": "activation", "act_fn": "activation",
    "nonlinearity": "activation", "dropout_rate": "dropout", "drop_rate": "dropout",
    "swish": "silu", "logistic": "sigmoid",
    # Similar to names of ours, with another meaning: never suggested.
    "softmax": "", "softplus": "",
}  # fmt: skip


def table_spec(task: Task, name: str = "table") -> ProblemSpec:
    """The spec of a table.

    Args:
        task: what is learnt.
        name: of the data, such as `wine.csv`; the problem is then called `wine`.
    """
    parameters = _parameters(LOSS_FNS[task])
    metrics = METRICS[task]
    loss = metrics[0].name
    return ProblemSpec(
        problem=_problem(name),
        parameters=parameters,
        metrics=(TRAIN_LOSS, *metrics, BEST_EPOCH),
        loss=loss,
        objectives=(Objective(loss),),
        curve=CURVE,
        cost=COST,
        compared=COMPARED,
        log_every=None,
        aliases=known_aliases(parameters, _ALIASES),
    )


def _parameters(loss_fns: tuple[str, ...]) -> tuple[Parameter, ...]:
    return (
        Parameter("width", "int", 32, low=1, high=4096),  # units of each hidden layer
        Parameter("depth", "int", 2, low=0, high=16),  # hidden layers
        Parameter("activation", "choice", "relu", choices=ACTIVATIONS, ordered=False),
        Parameter("dropout", "float", 0.0, low=0.0, high=0.95),
        *trainer_parameters(loss_fns),
    )


def _problem(name: str) -> str:
    """The name of the data as a name for the problem: letters, digits and underscores."""
    stem = re.sub(r"\.\w+$", "", name)
    word = re.sub(r"\W", "_", stem, flags=re.ASCII).strip("_")
    if not word:
        return "table"
    return word if word.isidentifier() else f"table_{word}"
