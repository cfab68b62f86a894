"""The faults of what a problem declares of its model, all at once."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from xortune.plain_numbers import brief
from xortune.problems.module.declared import (
    LOSS_NAMES,
    RESERVED,
    TRAINER_NAMES,
    Given,
    declared_module,
    keywords_of,
    listed_losses,
    loss_name,
)
from xortune.problems.module.split import Split
from xortune.problems.names import is_aim, reserved_at_fault
from xortune.problems.sources import called_name
from xortune.wording import did_you_mean

_TWO = "a function of output and target"
_PLAIN = "must be a plain function, neither async nor a generator"


def module_at_fault(given: Given) -> list[str]:
    """The faults of what is declared; see `xortune.Problem`."""
    faults = [
        *_model_faults(given.model),
        *_data_faults(given.data),
        *_loss_faults(given.loss),
        *_metrics_faults(given.metrics),
        *_defaults_faults(given.defaults),
    ]
    if faults:
        return [*faults, *([] if is_aim(given.objective) else [_no_aim(given.objective)])]
    return _objective_faults(given)


def _model_faults(model: Any) -> list[str]:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        return [
            f"model {type(model).__name__}: is a module, and each trial needs one of its own. "
            f"Give its class, or a function that makes it: def model(): return "
            f"{type(model).__name__}(...)."
        ]
    if not callable(model):
        return [f"model {brief(model)}: must be a class or a function that makes a module."]
    called = called_name(model)
    if _is_odd(model):
        return [f"model {called}: {_PLAIN}."]
    try:
        parameters = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):
        return [f"model {called}: does not tell its keywords. Wrap it in a function of your own."]
    faults = [
        f"model {called}: {p.name} cannot be given by name, as parameters are. Drop the slash."
        for p in parameters
        if p.kind is p.POSITIONAL_ONLY
    ]
    for name in keywords_of(model):
        if name in TRAINER_NAMES:
            faults.append(
                f"model {called}: {name} is a parameter of the training, and a model cannot have "
                "a keyword of that name. Rename it."
            )
        elif name in RESERVED:
            faults.append(
                f"model {called}: xortune's tables have a column {name}; rename the keyword."
            )
    return faults


def _data_faults(data: Any) -> list[str]:
    if data is None:
        return []
    if isinstance(data, Split):
        return ["data: must be a function that returns the Split, not the Split itself."]
    if not callable(data):
        return [f"data {brief(data)}: must be a function that returns an xortune.Split."]
    if _is_odd(data):
        return [f"data {called_name(data)}: {_PLAIN}."]
    return _signature_faults(f"data {called_name(data)}", data, (), "no arguments")


def _loss_faults(loss: Any) -> list[str]:
    if loss is None:
        return [f"loss: missing. Give one of {', '.join(LOSS_NAMES)}, or {_TWO}."]
    losses = listed_losses(loss)
    faults = []
    for one in losses:
        if isinstance(one, str) and one not in LOSS_NAMES:
            hint = did_you_mean(one, LOSS_NAMES)
            listed = ", ".join(LOSS_NAMES)
            faults.append(f"loss {brief(one)}: must be one of {listed}, or {_TWO}.{hint}")
        elif not isinstance(one, str) and not callable(one):
            faults.append(f"loss {brief(one)}: must be a name, or {_TWO}.")
        elif not isinstance(one, str):
            faults += _measure_faults(f"loss {called_name(one)}", one)
            faults += reserved_at_fault(f"loss {called_name(one)}", loss_name(one), RESERVED)
    if not losses:
        faults.append(f"loss {brief(loss)}: is empty; name at least one.")
    names = [loss_name(one) for one in losses if isinstance(one, str) or callable(one)]
    faults += [
        f"loss: {name} is there twice. Give each function a name of its own."
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return faults


def _metrics_faults(metrics: Any) -> list[str]:
    if metrics is None:
        return []
    if not isinstance(metrics, Mapping):
        return [
            f"metrics {brief(metrics)}: of a model, must be functions of output and target by "
            'name, such as {"accuracy": accuracy}.'
        ]
    faults = []
    for key, function in metrics.items():
        if not is_aim(key):
            faults.append(
                f"metrics: {brief(key)} is not a name, or NAME:max or NAME:min, of letters, digits "
                "and underscores."
            )
            continue
        name = key.partition(":")[0]
        faults += reserved_at_fault("metrics", name, RESERVED)
        if callable(function):
            faults += _measure_faults(f"metrics {name}", function)
        else:
            faults.append(f"metrics {name}: {brief(function)} must be {_TWO}.")
    names = [key.partition(":")[0] for key in metrics if isinstance(key, str)]
    faults += [
        f"metrics: {name} is there twice."
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return faults


def _defaults_faults(defaults: Any) -> list[str]:
    if defaults is None:
        return []
    if isinstance(defaults, Mapping) and all(isinstance(name, str) for name in defaults):
        return []
    return [
        f"defaults {brief(defaults)}: must be values of parameters by name, such as "
        '{"epochs": 50}.'
    ]


def _objective_faults(given: Given) -> list[str]:
    """The faults of the objective, and of metrics called like losses; the rest is right."""
    if not is_aim(given.objective):
        return [_no_aim(given.objective)]
    declared = declared_module(given)
    faults = [
        f"metrics: {name} is the name of a loss, too; rename one."
        for name in declared.metrics
        if name in declared.losses
    ]
    names = tuple(metric.name for metric in declared.spec_metrics)
    name = declared.objective.metric
    if name not in names:
        hint = did_you_mean(name, names) or f' To add it: metrics={{"{name}": ...}}, {_TWO}.'
        faults.append(f"objective {name!r}: is no metric; there are {', '.join(names)}.{hint}")
    return faults


def _no_aim(objective: Any) -> str:
    text = "must be the name of a metric, or NAME:max or NAME:min, such as 'accuracy:max'"
    return f"objective {brief(objective)}: {text}."


def _measure_faults(place: str, function: Any) -> list[str]:
    if _is_odd(function):
        return [f"{place}: {_PLAIN}."]
    if inspect.isclass(function):
        return [f"{place}: is a class; make an object of it: {called_name(function)}()."]
    return _signature_faults(place, function, (None, None), "two arguments, output and target")


def _is_odd(function: Any) -> bool:
    """Whether a call would only return something that could be asked for a result."""
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(function) for is_kind in kinds)


def _signature_faults(
    place: str, function: Any, arguments: tuple[None, ...], words: str
) -> list[str]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return []  # Some functions written in C do not tell.
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return [f"{place}: must take {words}, and takes {signature}: {error}."]
    return []
