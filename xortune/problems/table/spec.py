"""A table as plain data: the parameters of its model and training, and its metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xortune.spec import Metric, Objective, Parameter, ProblemSpec, Series

if TYPE_CHECKING:
    from xortune.problems.table.rows import Task

ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "sigmoid")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "step")
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

_LARGEST = 3.4e38  # of float32, in which it is trained
_MOST = 2**31 - 1
# Other names of the parameters and their choices.
_ALIASES = {
    "hidden": "width", "hidden_size": "width", "hidden_units": "width", "units": "width",
    "neurons": "width", "hidden_dim": "width", "layers": "depth", "num_layers": "depth",
    "n_layers": "depth", "hidden_layers": "depth", "act": "activation", "act_fn": "activation",
    "nonlinearity": "activation", "dropout_rate": "dropout", "drop_rate": "dropout",
    "learning_rate": "lr", "learningrate": "lr", "learning_rate_init": "lr",
    "batch": "batch_size", "batchsize": "batch_size", "minibatch_size": "batch_size",
    "epoch": "epochs", "num_epochs": "epochs", "n_epochs": "epochs", "max_epochs": "epochs",
    "max_iter": "epochs", "random_state": "seed", "random_seed": "seed", "manual_seed": "seed",
    "opt": "optimizer", "optimiser": "optimizer", "solver": "optimizer", "wd": "weight_decay",
    "l2": "weight_decay", "decay": "weight_decay", "scheduler": "schedule",
    "lr_schedule": "schedule", "lr_scheduler": "schedule", "criterion": "loss_fn",
    "loss": "loss_fn", "loss_function": "loss_fn", "patience": "early_stopping",
    "n_iter_no_change": "early_stopping", "swish": "silu", "logistic": "sigmoid",
    "mse_loss": "mse", "mseloss": "mse", "mean_squared_error": "mse", "squared_error": "mse",
    "l1": "mae", "l1_loss": "mae", "l1loss": "mae", "mean_absolute_error": "mae",
    "huber_loss": "huber", "huberloss": "huber", "smooth_l1": "huber", "bce": "bce_with_logits",
    "bceloss": "bce_with_logits", "bcewithlogitsloss": "bce_with_logits",
    "crossentropyloss": "cross_entropy", "ce": "cross_entropy", "cosine_annealing": "cosine",
    # Similar to names of ours, with another meaning: never suggested.
    "steps": "", "iterations": "", "sgdw": "", "nadam": "", "radam": "", "adamax": "",
    "adagrad": "", "softmax": "", "softplus": "", "rmse": "", "step_size": "",
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
        metrics=(Metric("train_loss"), *metrics, Metric("best_epoch", "count")),
        loss=loss,
        objectives=(Objective(loss),),
        curve=(Series("training", "loss/training"), Series("validation", "loss/validation")),
        cost="epochs",
        compared="optimizer",
        log_every=None,
        aliases=_known(parameters),
    )


def _parameters(loss_fns: tuple[str, ...]) -> tuple[Parameter, ...]:
    return (
        Parameter("width", "int", 32, low=1, high=4096),  # units of each hidden layer
        Parameter("depth", "int", 2, low=0, high=16),  # hidden layers
        Parameter("activation", "choice", "relu", choices=ACTIVATIONS, ordered=False),
        Parameter("dropout", "float", 0.0, low=0.0, high=0.95),
        Parameter("lr", "float", 1e-3, low=0.0, high=_LARGEST, above_low=True),
        Parameter("batch_size", "int", 32, low=1, high=_MOST),
        Parameter("epochs", "int", 100, low=1, high=_MOST),
        # PyTorch's CPU generator uses the low 32 bits of a seed.
        Parameter("seed", "int", 0, low=0, high=2**32 - 1, ordered=False),
        Parameter("optimizer", "choice", "adam", choices=OPTIMIZERS, ordered=False),
        Parameter("weight_decay", "float", 0.0, low=0.0, high=_LARGEST),
        Parameter("schedule", "choice", "constant", choices=SCHEDULES, ordered=False),
        Parameter("loss_fn", "choice", loss_fns[0], choices=loss_fns, ordered=False),
        # Epochs without a better one after which a trial ends; 0 for never.
        Parameter("early_stopping", "int", 0, low=0, high=_MOST),
    )


def _problem(name: str) -> str:
    """The name of the data as a name for the problem: letters, digits and underscores."""
    stem = re.sub(r"\.\w+$", "", name)
    word = re.sub(r"\W", "_", stem, flags=re.ASCII).strip("_")
    if not word:
        return "table"
    return word if word.isidentifier() else f"table_{word}"


def _known(parameters: tuple[Parameter, ...]) -> Mapping[str, str]:
    """The aliases of what this table has."""
    names = {""} | {p.name for p in parameters}
    names |= {str(choice) for p in parameters for choice in p.choices}
    return {alias: name for alias, name in _ALIASES.items() if name in names}
