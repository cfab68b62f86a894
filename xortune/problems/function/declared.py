"""A training function of the user's own, declared: the public `xortune.Problem`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.function.mentioned import mentioned_metrics
from xortune.spec import ADDED, STUDY_COLUMNS, Direction

_DIRECTIONS: dict[str, Direction] = {"": "minimize", "min": "minimize", "max": "maximize"}
# Metrics of which, by their names, more is better.
_RISING = re.compile(
    r"(?:.*[_/])?(?:accuracy|acc|auc|r2|f1|precision|recall|score|reward)", re.IGNORECASE
)
FOLD, FOLDS = "fold", "folds"  # what a configuration has beside the parameters, with folds
# Columns of tables and curves, which a parameter or a metric would hide.
RESERVED_PARAMETERS = frozenset((*STUDY_COLUMNS, *ADDED, "epoch"))
RESERVED = RESERVED_PARAMETERS | {FOLD, FOLDS}  # likewise, for metrics


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


@dataclass(frozen=True)
class Problem:
    """A training function to search over.

    The function is called with the parameters of a trial, as a dictionary, and with a function
    to report metrics after an epoch. It returns a mapping of metrics, or the objective as a
    number, or nothing: then the reports of the last epoch count. What it returns takes precedence
    over what it reports. Before each call `random`, NumPy and PyTorch are seeded from the study's
    seed and the trial's number, or by a replicate's seed, so a function that draws from them alone
    is repeatable. With folds the dictionary has `fold`, from 0, and `folds`, how many there are.

    It is called in a process of its own, which is used again for other trials. Numerical libraries
    have one thread there, because another number may give other bits, and what it prints is shown
    with `verbose` only.

    Args:
        train: the function, called with `(config, report)`.
        space: the `parameters` of a search space; None if the search names one.
        objective: the metric that decides the rank, minimised: `"loss"`; or maximised:
            `"accuracy:max"`. A name such as `accuracy` has to say which.
        metrics: the names of further metrics. None finds them in the text of `train`, without
            running it: the keywords of calls of its second parameter, and the keys of
            dictionaries that stand in its `return` statements. Functions that it calls are not
            looked into.
        name: the problem's name; None takes the file's.
        cost: the parameter that training time is proportional to, such as `"epochs"`.

    Raises:
        UsageError: lists all faults.

    Example:
        def train(config, report):
            for epoch in range(config["epochs"]):
                report(epoch, loss=(1 - config["rate"]) ** epoch)

        problem = xortune.Problem(train, {"rate": {"min": 0.0, "max": 1.0}, "epochs": {"value": 9}})
    """

    train: Callable[[dict[str, Any], Report], Any]
    space: Mapping[str, Any] | None = None
    _: KW_ONLY
    objective: str = "loss"
    metrics: Sequence[str] | None = None
    name: str | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        faults = [
            *_train_faults(self.train),
            *([] if _is_space(self.space) else [_space_fault(self.space)]),
            *_objective_faults(self.objective),
            *_metrics_faults(self.metrics),
            *_name_faults(self.name, self.cost),
        ]
        if faults:
            raise UsageError("\n".join(f"Problem: {fault}" for fault in faults))

    @property
    def objective_name(self) -> str:
        return self.objective.partition(":")[0]

    @property
    def direction(self) -> Direction:
        return _DIRECTIONS[self.objective.partition(":")[2]]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The objective, then the other metrics, declared or found in the function's text."""
        further = mentioned_metrics(self.train) if self.metrics is None else self.metrics
        usable = (name for name in further if name not in RESERVED and is_name(name))
        return tuple(dict.fromkeys((self.objective_name, *usable)))


def is_name(text: object) -> bool:
    """Whether a text can be a name in a spec: words, with a slash between groups."""
    return isinstance(text, str) and all(part.isidentifier() for part in text.split("/"))


def is_rising(name: str) -> bool:
    """Whether a metric's name promises that more of it is better, as `val_accuracy` does."""
    return _RISING.fullmatch(name) is not None


def _train_faults(train: object) -> list[str]:
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


def _is_space(space: object) -> bool:
    return space is None or (isinstance(space, Mapping) and len(space) > 0)


def _space_fault(space: object) -> str:
    return (
        f"space {brief(space)}: must be a mapping of at least one parameter, such as "
        '{"rate": {"min": 0.001, "max": 0.1}}.'
    )


def _objective_faults(objective: object) -> list[str]:
    name, colon, direction = objective.partition(":") if isinstance(objective, str) else ("",) * 3
    if not is_name(name) or direction not in _DIRECTIONS or bool(colon) is not bool(direction):
        text = "must be the name of a metric, or NAME:max or NAME:min, such as 'accuracy:max'"
        return [f"objective {brief(objective)}: {text}."]
    if not direction and is_rising(name):
        return [
            f"objective {name!r}: say which way is better: objective='{name}:max' or '{name}:min'."
        ]
    return _reserved("objective", name)


def _metrics_faults(metrics: object) -> list[str]:
    if metrics is None:
        return []
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        return [f"metrics {brief(metrics)}: must be a list of names, such as ['loss', 'accuracy']."]
    faults: list[str] = []
    for name in metrics:
        if is_name(name):
            faults += _reserved("metrics", name)
        else:
            faults.append(
                f"metrics: {brief(name)} is not a name: letters, digits and underscores, with a "
                "slash between groups."
            )
    return faults


def _reserved(argument: str, name: str) -> list[str]:
    if name not in RESERVED:
        return []
    return [f"{argument}: {name!r} is a name that xortune uses; give the metric another one."]


def _name_faults(name: object, cost: object) -> list[str]:
    faults = []
    if name is not None and not is_name(name):
        faults.append(f"name {brief(name)}: must consist of letters, digits and underscores.")
    if cost is not None and not isinstance(cost, str):
        faults.append(f"cost {brief(cost)}: must be the name of a parameter, such as 'epochs'.")
    return faults
