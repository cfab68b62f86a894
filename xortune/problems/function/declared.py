"""What a training function is given, and the faults of a problem that is declared by one."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Protocol

from xortune.plain_numbers import brief
from xortune.problems.names import (
    RESERVED_PARAMETERS,
    is_aim,
    is_name,
    is_rising,
    reserved_at_fault,
)

FOLD, FOLDS = "fold", "folds"  # what a configuration has beside the parameters, with folds
RESERVED = RESERVED_PARAMETERS | {FOLD, FOLDS}  # names that a metric cannot have


class Pruned(BaseException):
    """Raised by `report` where a trial ends early, because others were better at that epoch.

    It is not an `Exception`, so an `except Exception` around an epoch does not stop it; `finally`
    and `with` clean up as usual. A function that catches it should raise it again: the trial has
    ended, every further report raises it, and what the function returns is ignored.

    Example:
        try:
            report(epoch, loss=loss)
        except xortune.Pruned:
            close_files()
            raise
    """


class Report(Protocol):
    """The second argument of a training function."""

    def __call__(self, epoch: int, **metrics: float) -> None:
        """Reports metrics after an epoch, for the trial's curve.

        Args:
            epoch: a whole number, never lower than the last; a second report of the same epoch
                adds to the first.
            **metrics: numbers, NumPy's and PyTorch's without dimensions included.

        Raises:
            Pruned: the search has a pruner, and the trial is not among the best at this epoch.
        """


def function_at_fault(train: object, objective: object, metrics: object, cost: object) -> list[str]:
    """The faults of a problem's train, objective, metrics and cost; see `xortune.Problem`."""
    return [
        *_train_faults(train),
        *_objective_faults(objective),
        *_metrics_faults(metrics),
        *_cost_faults(cost),
    ]


def _train_faults(train: object) -> list[str]:
    if train is None:
        return [
            "train is missing: a function of two arguments, (config, report). Or give model, a "
            "class or a function that makes a torch.nn.Module."
        ]
    if not callable(train):
        return [f"train {brief(train)}: must be a function of two arguments, (config, report)."]
    called = getattr(train, "__qualname__", None) or brief(train)
    if inspect.iscoroutinefunction(train) or inspect.isgeneratorfunction(train):
        return [f"train {called}: must be a plain function, neither async nor a generator."]
    try:
        signature = inspect.signature(train)
    except (TypeError, ValueError):
        return []  # Some functions written in C do not tell.
    try:
        signature.bind({}, None)
    except TypeError as error:
        return [
            f"train {called}: must take two arguments, (config, report), and takes {signature}: "
            f"{error}."
        ]
    return []


def _objective_faults(objective: object) -> list[str]:
    if not isinstance(objective, str) or not is_aim(objective):
        text = "must be the name of a metric, or NAME:max or NAME:min, such as 'accuracy:max'"
        return [f"objective {brief(objective)}: {text}."]
    name, _, direction = objective.partition(":")
    if not direction and is_rising(name):
        return [
            f"objective {name!r}: say which way is better: objective='{name}:max' or '{name}:min'."
        ]
    return reserved_at_fault("objective", name, RESERVED)


def _metrics_faults(metrics: object) -> list[str]:
    if metrics is None:
        return []
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        return [f"metrics {brief(metrics)}: must be a list of names, such as ['loss', 'accuracy']."]
    faults: list[str] = []
    for name in metrics:
        if is_name(name):
            faults += reserved_at_fault("metrics", name, RESERVED)
        else:
            faults.append(
                f"metrics: {brief(name)} is not a name: letters, digits and underscores, with a "
                "slash between groups."
            )
    return faults


def _cost_faults(cost: object) -> list[str]:
    if cost is None or isinstance(cost, str):
        return []
    return [f"cost {brief(cost)}: must be the name of a parameter, such as 'epochs'."]
