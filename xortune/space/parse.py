"""From the `parameters` block of a W&B sweep file to a SearchSpace, naming every fault.

The keys and their defaults are those of W&B's sweep configuration
(https://docs.wandb.ai/guides/sweeps/sweep-config-keys): `value`, `values`, or `min` and `max`
with a `distribution`; integer bounds mean integers. Unlike there, both bounds are included
on a grid too.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

from xortune.errors import SpaceError
from xortune.space.domains import (
    LAB_VALUES,
    PARAMETERS,
    Choice,
    Domain,
    Range,
    SearchSpace,
    Value,
    multiples,
)
from xortune.trial import LOSS_FNS

# Largest float32: the engine trains in float32.
_MAX_LR = 3.4e38
# PyTorch's CPU generator uses the low 32 bits of a seed.
_MAX_SEED = 2**32 - 1
_MAX_EPOCHS = 2**31 - 1

_RANGES = {
    "uniform": (False, False),
    "log_uniform_values": (True, False),
    "int_uniform": (False, False),
    "q_uniform": (False, True),
    "q_log_uniform_values": (True, True),
}
_DISTRIBUTIONS = ("constant", "categorical", *_RANGES)
_KEYS = ("value", "values", "min", "max", "q", "distribution")
_OFTEN_CALLED = {"learning_rate": "lr", "criterion": "loss_fn", "random_state": "seed"}
_SWEEP_KEYS = (
    "program", "method", "metric", "name", "description", "project", "entity", "command",
    "early_terminate", "run_cap", "controller", "program_args",
)  # fmt: skip

Fault = Callable[[str, str], None]


def parse_space(name: str, source: str, content: Any, lines: Mapping[str, int]) -> SearchSpace:
    """Reads a sweep file's content.

    Args:
        name: the space's name.
        source: where the content comes from, for messages.
        content: the file as plain values.
        lines: the line, from 1, of each place such as `parameters.lr.min`; may be empty.

    Raises:
        SpaceError: names all faults.
    """
    faults: list[str] = []

    def fault(place: str, text: str) -> None:
        line = lines.get(place)
        faults.append(f"{place}{f' (line {line})' if line else ''}: {text}")

    parameters, notes = _parameters(content, fault)
    domains = {key: _domain(key, parameters[key], fault) for key in PARAMETERS if key in parameters}
    if faults:
        raise SpaceError(source, faults)
    missing = [key for key in PARAMETERS if key not in parameters]
    if missing:
        taken = ", ".join(f"{key} {LAB_VALUES[key]}" for key in missing)
        notes.append(f"search space {source} leaves out: the lab's value is taken for {taken}.")
    complete = {key: domains.get(key) or Choice((LAB_VALUES[key],)) for key in PARAMETERS}
    return SearchSpace(name, complete, parameters, tuple(notes))


def _parameters(content: Any, fault: Fault) -> tuple[dict[str, Any], list[str]]:
    if content is None or content == {}:
        fault("parameters", "the file is empty; give at least one of " + ", ".join(PARAMETERS))
        return {}, []
    if not isinstance(content, Mapping):
        fault("parameters", f"expected a mapping with the key parameters, found {_show(content)}")
        return {}, []
    others = [str(key) for key in content if key != "parameters"]
    notes = []
    for key in others:
        if key not in _SWEEP_KEYS:
            fault(key, f"unknown key {key!r}{_likely(key, ('parameters', *_SWEEP_KEYS))}")
    ignored = [key for key in others if key in _SWEEP_KEYS]
    if ignored:
        notes.append(f"keys of the sweep file that mean nothing here: {', '.join(ignored)}.")
    parameters = content.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        fault(
            "parameters",
            f"expected a mapping of {', '.join(PARAMETERS)}, found {_show(parameters)}",
        )
        return {}, notes
    for key in parameters:
        if key not in PARAMETERS:
            fault(
                f"parameters.{key}",
                f"unknown parameter {key!r}{_likely(str(key), PARAMETERS)}; "
                f"there are {', '.join(PARAMETERS)}",
            )
    return dict(parameters), notes


def _domain(parameter: str, entry: Any, fault: Fault) -> Domain | None:
    place = f"parameters.{parameter}"
    if not isinstance(entry, Mapping):
        fault(place, f"expected a mapping, found {_show(entry)}; for a constant write 'value: ...'")
        return None
    unknown = [key for key in entry if key not in _KEYS]
    for key in unknown:
        fault(
            f"{place}.{key}",
            f"unknown key {key!r}{_likely(str(key), _KEYS)}; there are {_list(_KEYS)}",
        )
    distribution = entry.get("distribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        fault(
            f"{place}.distribution",
            f"unknown distribution {_show(distribution)}"
            f"{_likely(str(distribution), _DISTRIBUTIONS)}; there are {_list(_DISTRIBUTIONS)}",
        )
        return None
    forms = [key for key in ("value", "values", "min", "max") if key in entry]
    if not forms:
        if not unknown:
            fault(place, "give value, values, or min and max")
        return None
    if len(forms) > 1 and forms != ["min", "max"]:
        fault(place, f"give value, values, or min and max; found {_list(forms)} together")
        return None
    if forms == ["value"]:
        return _choice(parameter, [entry["value"]], f"{place}.value", "constant", entry, fault)
    if forms == ["values"]:
        return _choices(parameter, entry, place, fault)
    return _range(parameter, entry, place, fault)


def _choices(parameter: str, entry: Mapping[str, Any], place: str, fault: Fault) -> Domain | None:
    values = entry["values"]
    if not isinstance(values, (list, tuple)) or not values:
        fault(f"{place}.values", f"expected a list of at least one value, found {_show(values)}")
        return None
    return _choice(parameter, list(values), f"{place}.values", "categorical", entry, fault)


def _choice(
    parameter: str,
    values: list[Any],
    place: str,
    form: str,
    entry: Mapping[str, Any],
    fault: Fault,
) -> Domain | None:
    if entry.get("distribution", form) != form:
        fault(place, f"does not go with the distribution {entry['distribution']}; drop one of them")
    if "q" in entry:
        fault(place, "q goes with min and max only; drop it")
    checked = [_checked(parameter, value, place, fault) for value in values]
    if any(value is None for value in checked):
        return None
    distinct = tuple(dict.fromkeys(value for value in checked if value is not None))
    if len(distinct) < len(values):
        fault(place, f"a value stands twice in {_show(values)}; drop the repetition")
        return None
    return Choice(distinct)


def _range(parameter: str, entry: Mapping[str, Any], place: str, fault: Fault) -> Domain | None:
    if parameter == "loss_fn":
        fault(place, f"has no order, so no min and max; write values: [{', '.join(LOSS_FNS)}]")
        return None
    missing = [key for key in ("min", "max") if key not in entry]
    if missing:
        fault(place, f"{missing[0]} is missing; give min and max")
        return None
    low, high = (_bound(parameter, entry[key], f"{place}.{key}", fault) for key in ("min", "max"))
    if low is None or high is None:
        return None
    both_whole = isinstance(low, int) and isinstance(high, int)
    distribution = entry.get("distribution") or ("int_uniform" if both_whole else "uniform")
    if distribution not in _RANGES:
        fault(f"{place}.distribution", f"{distribution} goes with value or values, not min and max")
        return None
    log, grid = _RANGES[distribution]
    if low > high:
        fault(place, f"min {low} is above max {high}; swap them")
        return None
    if log and low <= 0:
        fault(f"{place}.min", f"a logarithm starts above 0, found {low}; raise min")
        return None
    for key, bound in (("min", low), ("max", high)):
        if _checked(parameter, bound, f"{place}.{key}", fault) is None:
            return None
    if not grid and "q" in entry:
        fault(
            f"{place}.q", f"does not go with {distribution}; use q_uniform or q_log_uniform_values"
        )
        return None
    step = _step(entry.get("q", 1), f"{place}.q", fault) if grid else None
    if grid and step is None:
        return None
    whole = both_whole and (distribution == "int_uniform" or isinstance(step, int))
    if parameter != "lr" and not whole:
        fault(
            f"{place}.distribution",
            f"{distribution} gives fractions, and {parameter} takes whole numbers; use "
            "int_uniform, or q_log_uniform_values with q: 1, and whole bounds",
        )
        return None
    return _made_range(low, high, log, step, whole, place, fault)


def _made_range(
    low: float | int,
    high: float | int,
    log: bool,
    step: float | int | None,
    whole: bool,
    place: str,
    fault: Fault,
) -> Domain | None:
    if step is not None:
        if not math.isfinite(high / step):
            fault(f"{place}.q", f"q {step} is far below max {high}; raise it")
            return None
        first, last = multiples(low, high, step)
        if last < first:
            fault(place, f"no multiple of q {step} lies between min {low} and max {high}")
            return None
        if whole and step == 1:
            step = None
    if not whole:
        low, high = float(low), float(high)
    return Choice((low,)) if low == high else Range(low, high, log, step)


def _bound(parameter: str, value: Any, place: str, fault: Fault) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        fault(place, f"expected a number, found {_show(value)}")
        return None
    if not _finite(value):
        fault(place, f"expected a finite number, found {_show(value)}")
        return None
    if parameter != "lr" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _finite(value: float | int) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _step(value: Any, place: str, fault: Fault) -> float | int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not _finite(value) or value <= 0:
        fault(place, f"expected a number above 0, found {_show(value)}")
        return None
    step: float | int = value
    return step


def _checked(parameter: str, value: Any, place: str, fault: Fault) -> Value | None:
    """The value as the parameter takes it, or None after a fault."""
    if parameter == "loss_fn":
        if value in LOSS_FNS and isinstance(value, str):
            return value
        likely = _likely(str(value), LOSS_FNS)
        fault(place, f"unknown loss function {_show(value)}{likely}; there are {_list(LOSS_FNS)}")
        return None
    number = _bound(parameter, value, place, fault)
    if number is None:
        return None
    if parameter == "lr":
        if 0 < number <= _MAX_LR:
            return float(number)
        fault(place, f"a learning rate lies above 0 and below {_MAX_LR:g}, found {number}")
        return None
    low, high = (1, _MAX_EPOCHS) if parameter == "epochs" else (0, _MAX_SEED)
    if isinstance(number, int) and low <= number <= high:
        return number
    fault(place, f"{parameter} takes whole numbers from {low} to {high}, found {number}")
    return None


def _likely(word: str, known: tuple[str, ...]) -> str:
    meant = _OFTEN_CALLED.get(word.lower(), word.lower())
    close = difflib.get_close_matches(meant, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _list(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(words)


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
