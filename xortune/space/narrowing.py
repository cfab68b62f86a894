"""Narrowing a search space: a value, a range or some choices for single parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xortune.errors import UsageError
from xortune.space.domains import PARAMETERS, Choice, Domain, Range, SearchSpace, Value, multiples
from xortune.space.entries import Fault, read_value, written_entry
from xortune.space.plain import plain
from xortune.space.vocabulary import likely, shown
from xortune.space.yaml_text import plain_number
from xortune.trial import LOSS_FNS

# Parameters with a value, a tuple of two bounds, or a list; or texts such as `lr=0.1..1`.
Narrowing = Mapping[str, Any] | Sequence[str]
_FORMS = "NAME=VALUE, NAME=LOWEST..HIGHEST or NAME=VALUE,VALUE"


def narrowed(space: SearchSpace, narrowing: Narrowing) -> SearchSpace:
    """The part of a search space in which some parameters have fewer values.

    A range keeps its parameter's scale and step; of a parameter with choices it keeps those
    that lie in it. What is asked for has to lie in the space.

        narrowed(space, {"lr": 0.1, "epochs": (500, 2000), "loss_fn": ["mse", "bce"]})
        narrowed(space, ["lr=0.1", "epochs=500..2000", "loss_fn=mse,bce"])

    Args:
        space: the search space.
        narrowing: by parameter, a value, a tuple of two bounds, or a list of choices; or the
            texts of `--set`.

    Raises:
        UsageError: names all faults.
    """
    faults: list[str] = []
    domains: dict[str, Domain] = {}
    for name, label, wanted in _wanted(narrowing, faults):
        if name in domains:
            faults.append(f"{label}: {name} is set twice; drop one, or list the values.")
            continue

        def fault(_: str, text: str, label: str = label) -> None:
            faults.append(f"{label}: {text}.")

        domain = _part(name, space.domains[name], wanted, fault)
        domains[name] = domain or space.domains[name]
    if faults:
        raise UsageError("\n".join(faults))
    entries = {name: written_entry(domain) for name, domain in domains.items()}
    parameters = {**space.parameters, **entries}
    return replace(space, domains={**space.domains, **domains}, parameters=parameters)


def _wanted(narrowing: Narrowing, faults: list[str]) -> list[tuple[str, str, Any]]:
    """Name, what to call it in a message, and what is wanted, for known parameters."""
    given = []
    if isinstance(narrowing, Mapping):
        given = [(str(key), f"narrow {key}={shown(v)}", v) for key, v in narrowing.items()]
    elif isinstance(narrowing, str):
        return _wanted([narrowing], faults)
    else:
        for text in map(str, narrowing):
            name, equals, value = text.partition("=")
            if equals:
                given.append((name.strip(), f"--set {_short(text)}", _read(value)))
            else:
                faults.append(f"--set {_short(text)}: expected {_FORMS}.")
    for name, label, _ in given:
        if name not in PARAMETERS:
            hint = likely(name, PARAMETERS)
            faults.append(f"{label}: no parameter {_short(name)!r}{hint}; {_there_are()}.")
    return [part for part in given if part[0] in PARAMETERS]


def _there_are() -> str:
    return f"there are {', '.join(PARAMETERS)}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _read(text: str) -> Any:
    """What a text of `--set` stands for: a value, a tuple of two bounds, or a list."""
    if ".." in text:
        low, _, high = text.partition("..")
        if not low.endswith(".") and not high.startswith("."):
            return (_read_value(low), _read_value(high))
    if "," in text:
        return [_read_value(part) for part in text.split(",")]
    return _read_value(text)


def _read_value(text: str) -> Any:
    number = plain_number(text.strip())
    return text.strip() if number is None else number


def _part(name: str, domain: Domain, wanted: Any, fault: Fault) -> Domain | None:
    """The part of a domain that is wanted; None after a fault."""
    if isinstance(wanted, tuple):
        return _within_bounds(name, domain, tuple(map(plain, wanted)), fault)
    wanted = plain(wanted)
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        fault(name, "expected at least one value")
        return None
    found = [_value(name, domain, value, fault) for value in values]
    chosen = [value for value in found if value is not None]
    if len(chosen) < len(found):
        return None
    if len(set(chosen)) < len(chosen):
        fault(name, "a value is given twice; remove one")
        return None
    return Choice(tuple(chosen))


def _value(name: str, domain: Domain, value: Any, fault: Fault) -> Value | None:
    read = read_value(name, value, name, fault)
    if read is None:
        return None
    if not _holds(domain, read):
        fault(name, f"{shown(read)} is outside the space, where {_described(name, domain)}")
        return None
    return read


def _holds(domain: Domain, value: Value) -> bool:
    if isinstance(domain, Choice):
        return value in domain.values
    if isinstance(value, str) or not domain.low <= value <= domain.high:
        return False
    step = domain.step or (1 if domain.whole else None)
    if step is None:
        return True
    first, last = multiples(value, value, step)
    return first <= last


def _described(name: str, domain: Domain) -> str:
    """The bounds of a domain, and what to do about them."""
    remedy = "choose one of these, or another space"
    if isinstance(domain, Choice):
        values = ", ".join(map(str, domain.values))
        form = "is" if len(domain.values) == 1 else "is one of"
        return f"{name} {form} {_short(values)}; {remedy}"
    step = f" in steps of {domain.step}" if domain.step else ""
    return f"{name} goes from {domain.low} to {domain.high}{step}; {remedy}"


def _within_bounds(
    name: str, domain: Domain, bounds: tuple[Any, ...], fault: Fault
) -> Domain | None:
    if name == "loss_fn":
        fault(name, f"has no order, so no range; list some of {', '.join(LOSS_FNS)}")
        return None
    if len(bounds) != 2:
        fault(name, "expected a tuple of the lowest and the highest value; for choices a list")
        return None
    if "" in bounds:
        fault(name, "a bound is missing; give both, such as 500..2000")
        return None
    low, high = (read_value(name, bound, name, fault) for bound in bounds)
    if low is None or high is None or isinstance(low, str) or isinstance(high, str):
        return None
    if low > high:
        fault(name, f"{low} is above {high}; swap them")
        return None
    if isinstance(domain, Choice):
        return _choices_between(name, domain, low, high, fault)
    if low < domain.low or high > domain.high:
        fault(name, f"reaches beyond the space, in which {_described(name, domain)}")
        return None
    return _shorter(name, domain, low, high, fault)


def _choices_between(
    name: str, domain: Choice, low: float, high: float, fault: Fault
) -> Domain | None:
    kept = tuple(v for v in domain.values if not isinstance(v, str) and low <= v <= high)
    if not kept:
        fault(name, f"holds none of the space's values, in which {_described(name, domain)}")
        return None
    return Choice(kept)


def _shorter(name: str, domain: Range, low: float, high: float, fault: Fault) -> Domain | None:
    if domain.step is not None:
        first, last = multiples(low, high, domain.step)
        if last < first:
            fault(name, f"no multiple of {domain.step} lies in it; widen it")
            return None
    if low == high:
        return Choice((low,))
    if domain.whole:
        low, high = int(low), int(high)
    return replace(domain, low=low, high=high)
