"""What a problem declares of its model: read, and its faults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from xortune.problems.names import (
    DIRECTIONS,
    RESERVED_PARAMETERS,
    is_name,
    is_rising,
)
from xortune.problems.sources import called_name
from xortune.problems.trainer_parameters import BEST_EPOCH, TRAIN_LOSS, trainer_parameters
from xortune.spec import Direction, Metric, Objective

LOSS_NAMES = ("mse", "mae", "huber", "bce_with_logits", "cross_entropy")
OF_THE_DATA = ("inputs", "outputs")  # keywords of a model that are no parameters
TRAINER_NAMES = tuple(p.name for p in trainer_parameters(("any",)))
_LOSS = "loss"  # as an objective: the final loss, whatever its name
_UNNAMED = "loss_function"  # of a lambda
RESERVED = RESERVED_PARAMETERS | {TRAIN_LOSS.name, BEST_EPOCH.name}

Measure = Callable[[Any, Any], Any]  # of output and target


class Given(NamedTuple):
    """The arguments of `xortune.Problem` that describe a model."""

    model: Any
    data: Any
    loss: Any
    metrics: Any
    objective: Any
    defaults: Any


@dataclass(frozen=True)
class DeclaredModule:
    """What is declared of a model.

    Attributes:
        model: makes a module.
        data: makes a `Split`; None where the search names a table.
        losses: by the choices of `loss_fn`, the final one first; the name of a loss of ours, or
            a function.
        metrics: the functions by name.
        directions: of the metrics, and of the final loss.
        objective: the metric that decides the rank.
        defaults: of parameters.
    """

    model: Callable[..., Any]
    data: Callable[[], Any] | None
    losses: Mapping[str, str | Measure]
    metrics: Mapping[str, Measure]
    directions: Mapping[str, Direction]
    objective: Objective
    defaults: Mapping[str, Any]

    @property
    def loss(self) -> str:
        """The name of the final loss."""
        return next(iter(self.losses))

    @property
    def loss_fns(self) -> tuple[str, ...]:
        """The choices of the parameter `loss_fn`; empty where there is nothing to choose."""
        return tuple(self.losses) if len(self.losses) > 1 else ()

    @property
    def spec_metrics(self) -> tuple[Metric, ...]:
        """As a spec has them."""

        def metric(name: str) -> Metric:
            higher = "higher" if self.directions[name] == "maximize" else None
            return Metric(name, "number", higher)  # type: ignore[arg-type]

        return (TRAIN_LOSS, Metric(self.loss, "loss"), *map(metric, self.metrics), BEST_EPOCH)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """All that is the user's code."""
        data = () if self.data is None else (self.data,)
        own = (loss for loss in self.losses.values() if not isinstance(loss, str))
        return (self.model, *data, *own, *self.metrics.values())


def declared_module(given: Given) -> DeclaredModule:
    """What is declared, of arguments without a fault."""
    losses = {loss_name(loss): loss for loss in listed_losses(given.loss)}
    aims = {key.partition(":")[0]: key.partition(":")[2] for key in given.metrics or {}}
    final = next(iter(losses))
    directions: dict[str, Direction] = {final: "minimize"}
    for name, way in aims.items():
        directions[name] = DIRECTIONS[way or ("max" if is_rising(name) else "min")]
    name, _, way = given.objective.partition(":")
    name = final if name == _LOSS and name not in aims else name
    usual: Direction = directions.get(name, "minimize")
    return DeclaredModule(
        model=given.model,
        data=given.data,
        losses=losses,
        metrics=dict(zip(aims, (given.metrics or {}).values())),
        directions=directions,
        objective=Objective(name, DIRECTIONS[way] if way else usual),
        defaults=dict(given.defaults or {}),
    )


def keywords_of(model: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The keywords of a model by name, without those of the data.

    That of `**keywords`, which takes any name, is among them.
    """
    parameters = inspect.signature(model).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return {p.name: p for p in parameters if p.kind not in kinds and p.name not in OF_THE_DATA}


def keyword_values(
    keywords: Mapping[str, inspect.Parameter], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of a trial's parameters that are keywords of its model."""
    takes_any = takes_any_keyword(keywords)
    return {
        name: value
        for name, value in params.items()
        if name not in TRAINER_NAMES and (takes_any or name in keywords)
    }


def takes_any_keyword(keywords: Mapping[str, inspect.Parameter]) -> bool:
    """Whether a model has `**keywords`."""
    return any(keyword.kind is keyword.VAR_KEYWORD for keyword in keywords.values())


def listed_losses(loss: Any) -> Sequence[Any]:
    """The losses of a problem: one, or a list of them."""
    return [*loss] if isinstance(loss, (list, tuple)) else [loss]


def loss_name(loss: Any) -> str:
    """The name of a loss as a choice, and as a column."""
    if isinstance(loss, str):
        return loss
    name = called_name(loss)
    return name if is_name(name) else _UNNAMED
