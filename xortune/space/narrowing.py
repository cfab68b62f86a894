"""Narrows a search space: a value, a range or some choices for single parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xortune.errors import UsageError
from xortune.space.domains import Choice, Domain, Range, SearchSpace, multiples
from xortune.space.entries import written_entry
from xortune.space.values import Fault, has_order, plain, read_number, read_value
from xortune.space.vocabulary import likely, listed, shown, spelled
from xortune.space.yaml_text import plain_number
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import Value

# A value, a tuple of two bounds, or a list by parameter; or texts such as `width=8..32`.
Narrowing = Mapping[str, Any] | Sequence[str]
# Two numbers with a dash between them, as in 0.001-0.01.
_DASH = re.compile(r"(\d[\d.]*(?:[eE][-+]?\d+)?)\s*[-–]\s*(\d[\d.]*(?:[eE][-+]?\d+)?)")  # noqa: RUF001
_FORMS = "NAME=VALUE, NAME=LOWEST..HIGHEST or NAME=VALUE,VALUE"


def narrowed(space: SearchSpace, narrowing: Narrowing) -> SearchSpace:
    """The part of a search space in which some parameters have fewer values.

    A range keeps the parameter's scale and step, or its choices within the range. It has to lie
    in the space.

        narrowed(space, {"rate": 0.1, "width": (8, 32), "activation": ["relu", "tanh"]})
        narrowed(space, ["rate=0.1", "width=8..32", "activation=relu,tanh", "bias=true"])

    Args:
        space: the search space.
        narrowing: a value, a tuple of two bounds or a list of choices by parameter; or texts of
            `--set`.

    Raises:
        UsageError: names all faults.
    """
    faults: list[str] = []
    domains: dict[str, Domain] = {}
    for name, label, wanted in _wanted(space.spec, narrowing, faults):
        if name in domains:
            faults.append(f"{label}: {name} is set twice; drop one, or list the values.")
            continue

        def fault(_: str, text: str, label: str = label) -> None:
            faults.append(f"{label}: {text}.")

        part = _Part(space.spec, space.spec.parameter(name), space.domains[name], fault)
        domains[name] = part.of(wanted) or space.domains[name]
    if faults:
        raise UsageError("\n".join(faults))
    entries = {name: written_entry(domain) for name, domain in domains.items()}
    parameters = {**space.parameters, **entries}
    return replace(space, domains={**space.domains, **domains}, parameters=parameters)


def _wanted(
    spec: ProblemSpec, narrowing: Narrowing, faults: list[str]
) -> list[tuple[str, str, Any]]:
    """The name, label for messages, and wanted values of each known parameter."""
    given: list[tuple[str, str, Any]] = []
    if isinstance(narrowing, Mapping):
        given = [(str(key), f"narrow {key}={shown(v)}", v) for key, v in narrowing.items()]
    else:
        for text in [narrowing] if isinstance(narrowing, str) else map(str, narrowing):
            name, equals, value = (part.strip() for part in text.partition("="))
            if not equals:
                hint = f" Write {name}=VALUE, without a space." if name in spec.names else ""
                faults.append(f"--set {_short(text)}: expected {_FORMS}.{hint}")
                continue
            dash = _DASH.fullmatch(value)
            if dash and name in spec.names and spec.parameter(name).kind != "choice":
                low, high = dash.groups()
                faults.append(f"--set {_short(text)}: for a range write {name}={low}..{high}.")
                continue
            wanted = _read(spec.parameter(name), value) if name in spec.names else None
            given.append((name, f"--set {_short(text)}", wanted))
    for name, label, _ in given:
        if name not in spec.names:
            hint = f"{likely(name, spec.names, spec.aliases)}; there are {', '.join(spec.names)}"
            faults.append(f"{label}: no parameter {_short(name)!r}{hint}.")
    return [part for part in given if part[0] in spec.names]


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _read(parameter: Parameter, text: str) -> Any:
    """The value, the tuple of two bounds or the list that a text of `--set` means."""
    if text in parameter.choices:
        return text
    if ".." in text:
        low, _, high = text.partition("..")
        if not low.endswith(".") and not high.startswith("."):
            return (_read_value(parameter, low), _read_value(parameter, high))
    if "," in text:
        return [_read_value(parameter, part) for part in text.split(",")]
    return _read_value(parameter, text)


def _read_value(parameter: Parameter, text: str) -> Value:
    """The choice or else the number that a text spells, or else the text itself."""
    text = text.strip()
    number = plain_number(text)
    for choice in parameter.choices:
        if spelled(choice) == (text.lower() if isinstance(choice, bool) else text):
            return choice
    return text if number is None else number


@dataclass(frozen=True)
class _Part:
    """The wanted part of one parameter's domain; methods return None after a fault."""

    spec: ProblemSpec
    parameter: Parameter
    domain: Domain
    fault: Fault

    def of(self, wanted: Any) -> Domain | None:
        if isinstance(wanted, tuple):
            return self._between(tuple(map(plain, wanted)))
        wanted = plain(wanted)
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values:
            self._fault("expected at least one value")
            return None
        found = [self._value(value) for value in values]
        chosen = [value for value in found if value is not None]
        if len(chosen) < len(found):
            return None
        if len(set(chosen)) < len(chosen):
            self._fault("a value is given twice; remove one")
            return None
        return Choice(tuple(chosen))

    def _fault(self, text: str) -> None:
        self.fault(self.parameter.name, text)

    def _value(self, value: Any) -> Value | None:
        read = read_value(self.spec, self.parameter, value, self.parameter.name, self.fault)
        if read is None:
            return None
        if not _holds(self.domain, read):
            self._fault(f"{spelled(read)} is outside the space, where {self._described()}")
            return None
        return read

    def _described(self) -> str:
        """The values of the domain, and a remedy."""
        domain, name = self.domain, self.parameter.name
        remedy = "choose one of these, or another space"
        if isinstance(domain, Choice):
            form = "is one of"
            if len(domain.values) == 1:
                form, remedy = "is", "a space of your own may have others"
            return f"{name} {form} {_short(listed(domain.values))}; {remedy}"
        step = f" in steps of {spelled(domain.step)}" if domain.step else ""
        low, high = spelled(domain.low), spelled(domain.high)
        return f"{name} goes from {low} to {high}{step}; {remedy}"

    def _between(self, bounds: tuple[Any, ...]) -> Domain | None:
        if not has_order(self.parameter):
            listing = f"list some of {listed(self.parameter.choices)}"
            self._fault(f"{self.parameter.name} has no order, so no range; {listing}")
            return None
        if len(bounds) != 2:
            self._fault("expected a tuple of the lowest and the highest value; for choices a list")
            return None
        if "" in bounds:
            self._fault("a bound is missing; give both, such as 500..2000")
            return None
        low, high = map(self._bound, bounds)
        if low is None or high is None:
            return None
        if low > high:
            self._fault(f"{spelled(low)} is above {spelled(high)}; swap them")
            return None
        if isinstance(self.domain, Choice):
            return self._choices_between(self.domain.values, low, high)
        if low < self.domain.low or high > self.domain.high:
            self._fault(f"reaches beyond the space, in which {self._described()}")
            return None
        return self._shorter(self.domain, low, high)

    def _bound(self, bound: Any) -> float | int | None:
        name = self.parameter.name
        if self.parameter.kind == "choice":
            return read_number(self.parameter, bound, name, self.fault)
        value = read_value(self.spec, self.parameter, bound, name, self.fault)
        return None if isinstance(value, str) else value

    def _choices_between(self, values: tuple[Value, ...], low: float, high: float) -> Domain | None:
        kept = tuple(v for v in values if not isinstance(v, str) and low <= v <= high)
        if not kept:
            self._fault(f"holds none of the space's values, in which {self._described()}")
            return None
        return Choice(kept)

    def _shorter(self, domain: Range, low: float, high: float) -> Domain | None:
        if domain.step is not None:
            first, last = multiples(low, high, domain.step)
            if last < first:
                self._fault(f"no multiple of {domain.step} lies in it; widen it")
                return None
        if low == high:
            return Choice((low,))
        if domain.whole:
            low, high = int(low), int(high)
        return replace(domain, low=low, high=high)


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
