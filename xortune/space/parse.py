"""From the `parameters` block of a W&B sweep file to a SearchSpace, naming every fault.

The keys and their defaults are those of W&B's sweep configuration
(https://docs.wandb.ai/guides/sweeps/sweep-config-keys): `value`, `values`, or `min` and `max`
with a `distribution`; integer bounds mean integers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xortune.errors import SpaceError
from xortune.space.domains import LAB_VALUES, PARAMETERS, Choice, Domain, Range, SearchSpace
from xortune.space.entries import Fault, read_entry, written_entry
from xortune.space.vocabulary import RANGES, SWEEP_KEYS, TEMPLATES, likely, shown


def parse_space(
    name: str,
    source: str,
    content: Any,
    lines: Mapping[str, int],
    faults: Sequence[str] = (),
    unread: Collection[str] = (),
) -> SearchSpace:
    """Reads a sweep file's content.

    Args:
        name: the space's name.
        source: where the content comes from, for messages.
        content: the file as plain values.
        lines: the line, from 1, of each place such as `parameters.lr.min`; may be empty.
        faults: those found before.
        unread: the places of which they took the value.

    Raises:
        SpaceError: names all faults.
    """
    found = list(faults)

    def fault(place: str, text: str) -> None:
        if any(_meet(place, other) for other in unread):
            return
        line = lines.get(place)
        found.append(f"{place}{f' (line {line})' if line else ''}: {text}")

    parameters, notes = _parameters(content, fault)
    domains: dict[str, Domain] = {}
    for key in PARAMETERS:
        domain = read_entry(key, parameters[key], fault) if key in parameters else None
        if domain is not None:
            domains[key] = domain
    if found:
        raise SpaceError(source, found)
    missing = [key for key in PARAMETERS if key not in parameters]
    if missing:
        taken = ", ".join(f"{key} {LAB_VALUES[key]}" for key in missing)
        notes.append(f"search space {source} leaves out: the lab's value is taken for {taken}.")
    recorded = dict(parameters)
    for key, domain in domains.items():
        if _is_in_logarithms(parameters[key]):
            # Another machine's exponential function may round otherwise.
            recorded[key] = written_entry(domain)
            notes.append(_in_logarithms(source, key, parameters[key]["distribution"], domain))
    complete = {key: domains.get(key) or Choice((LAB_VALUES[key],)) for key in PARAMETERS}
    return SearchSpace(name, complete, recorded, tuple(notes))


def _meet(place: str, other: str) -> bool:
    """Whether one of two places is, or lies in, the other."""
    shorter, longer = sorted((place, other), key=len)
    return longer.startswith(shorter) and longer[len(shorter) :][:1] in ("", ".", "[")


def _is_in_logarithms(entry: Mapping[str, Any]) -> bool:
    shape = RANGES.get(entry.get("distribution") or "")
    return shape is not None and shape.exponents


def _in_logarithms(source: str, key: str, distribution: str, domain: Domain) -> str:
    low, high = (domain.low, domain.high) if isinstance(domain, Range) else (domain.values[0],) * 2
    return (
        f"search space {source}: {distribution} takes natural logarithms, so {key} lies between "
        f"{low:.6g} and {high:.6g}."
    )


def _parameters(content: Any, fault: Fault) -> tuple[dict[str, Any], list[str]]:
    if content is None or content == {}:
        fault("parameters", "the file is empty; give at least one of " + ", ".join(PARAMETERS))
        return {}, []
    if not isinstance(content, Mapping):
        fault("parameters", f"expected a mapping with the key parameters, found {shown(content)}")
        return {}, []
    ignored = []
    for key in (str(key) for key in content if key != "parameters"):
        if key in SWEEP_KEYS or key.startswith(TEMPLATES):
            ignored.append(key)
            continue
        hint = likely(key, ("parameters", *SWEEP_KEYS))
        remedy = hint or "; drop it, or begin it with x- if it holds a template"
        if key in PARAMETERS:
            remedy = "; put it under 'parameters:'"
        fault(key, f"unknown key {key!r}{remedy}")
    notes = []
    if ignored:
        notes.append(f"keys of the sweep file that mean nothing here: {', '.join(ignored)}.")
    parameters = content.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        fault(
            "parameters",
            f"expected a mapping of {', '.join(PARAMETERS)}, found {shown(parameters)}",
        )
        return {}, notes
    for key in parameters:
        if key not in PARAMETERS:
            fault(
                f"parameters.{key}",
                f"unknown parameter {key!r}{likely(str(key), PARAMETERS)}; "
                f"there are {', '.join(PARAMETERS)}",
            )
    return dict(parameters), notes
