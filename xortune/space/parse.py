"""Parses the `parameters` block of a W&B sweep file into a SearchSpace, naming every fault.

Keys and defaults are W&B's (https://docs.wandb.ai/guides/sweeps/sweep-config-keys): `value`,
`values`, or `min` and `max` with a `distribution`; integer bounds mean integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xortune.errors import SpaceError
from xortune.space.domains import Choice, Domain, Range, SearchSpace
from xortune.space.entries import read_entry, written_entry
from xortune.space.values import Fault
from xortune.space.vocabulary import (
    RANGES,
    SWEEP_KEYS,
    TEMPLATES,
    in_place_of,
    likely,
    shown,
    spelled,
)
from xortune.space.yaml_text import Text
from xortune.spec import ProblemSpec

# A `min` above 0 and up to this is rarely the logarithm of a bound: 0.001 would be that of 1.001.
_LIKE_A_BOUND = 1


def parse_space(spec: ProblemSpec, name: str, source: str, text: Text) -> SearchSpace:
    """The search space of a sweep file, or a SpaceError that names all faults.

    `source` is the origin of the text, for messages.
    """
    found = list(text.faults)

    def fault(place: str, what: str) -> None:
        if any(_meet(place, other) for other in text.unread):
            return
        line = text.lines.get(place)
        found.append(f"{place}{f' (line {line})' if line else ''}: {what}")

    parameters, notes = _parameters(spec, text.content, fault)
    domains: dict[str, Domain] = {}
    for parameter in spec.parameters:
        key = parameter.name
        given = key in parameters
        read = read_entry(spec, parameter, parameters[key], fault) if given else None
        domains[key] = read or Choice((parameter.default,))
    if found:
        raise SpaceError(source, found)
    notes += _on_defaults(spec, source, parameters)
    recorded = dict(parameters)
    for key, domain in domains.items():
        if _is_in_logarithms(parameters.get(key, {})):
            # Another machine's exponential function may round differently.
            recorded[key] = written_entry(domain)
            notes.append(_in_logarithms(source, key, parameters[key], domain))
    return SearchSpace(spec, name, domains, recorded, tuple(notes), source)


def restricted(space: SearchSpace, spec: ProblemSpec) -> SearchSpace:
    """A search space without the parameters that a spec lacks, and without notes on them."""
    before = _on_defaults(space.spec, space.source, space.parameters)
    others = [note for note in space.notes if note not in before]
    parameters = {key: entry for key, entry in space.parameters.items() if key in spec.names}
    return replace(
        space,
        spec=spec,
        domains={name: space.domains[name] for name in spec.names},
        parameters=parameters,
        notes=(*_on_defaults(spec, space.source, parameters), *others),
    )


def _on_defaults(spec: ProblemSpec, source: str, parameters: Mapping[str, Any]) -> list[str]:
    """A note on the parameters that a space leaves out."""
    missing = [p for p in spec.parameters if p.name not in parameters]
    if not missing:
        return []
    taken = ", ".join(f"{p.name} {spelled(p.default)}" for p in missing)
    return [f"search space {source} omits some parameters; the default is used for {taken}."]


def _meet(place: str, other: str) -> bool:
    """Whether one of two places is, or contains, the other."""
    shorter, longer = sorted((place, other), key=len)
    return longer.startswith(shorter) and longer[len(shorter) :][:1] in ("", ".", "[")


def _is_in_logarithms(entry: Mapping[str, Any]) -> bool:
    shape = RANGES.get(entry.get("distribution") or "")
    return shape is not None and shape.exponents


def _in_logarithms(source: str, key: str, entry: Mapping[str, Any], domain: Domain) -> str:
    low, high = (domain.low, domain.high) if isinstance(domain, Range) else (domain.values[0],) * 2
    distribution, first, last = entry["distribution"], entry["min"], entry["max"]
    note = (
        f"search space {source}: {distribution} takes natural logarithms, so {key} lies between "
        f"{low:.6g} and {high:.6g}."
    )
    if not 0 < first <= _LIKE_A_BOUND:
        return note
    return (
        f"{note} If {key} is meant to lie between {first} and {last}, write "
        f"distribution: {distribution}_values."
    )


def _parameters(spec: ProblemSpec, content: Any, fault: Fault) -> tuple[dict[str, Any], list[str]]:
    """The `parameters` block and notes."""
    there_are = ", ".join(spec.names)
    if content is None or content == {}:
        fault("parameters", f"the file is empty; give at least one of {there_are}")
        return {}, []
    if not isinstance(content, Mapping):
        fault("parameters", f"expected a mapping with the key parameters, found {shown(content)}")
        return {}, []
    notes = _other_keys(spec, content, fault)
    parameters = content.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        fault("parameters", f"expected a mapping of {there_are}, found {shown(parameters)}")
        return {}, notes
    for key in parameters:
        if key not in spec.names:
            hint = likely(str(key), spec.names, spec.aliases)
            text = f"unknown parameter {key!r}{hint}; there are {there_are}"
            fault(f"parameters.{key}", text)
    return dict(parameters), notes


def _other_keys(spec: ProblemSpec, content: Mapping[Any, Any], fault: Fault) -> list[str]:
    """A note on W&B's keys beside `parameters`; other keys are faults."""
    ignored = []
    for key in (str(key) for key in content if key != "parameters"):
        if key.startswith(TEMPLATES):
            continue
        if key in SWEEP_KEYS:
            ignored.append(key)
            continue
        hint = likely(key, ("parameters", *SWEEP_KEYS))
        remedy = hint or "; drop it, or begin it with x- if it holds a template"
        if key in spec.names:
            remedy = "; put it under 'parameters:'"
        fault(key, f"unknown key {key!r}{remedy}")
    if not ignored:
        return []
    note = f"keys of the sweep file that xortune ignores: {', '.join(ignored)}."
    return [f"{note}{in_place_of(ignored)}"]
