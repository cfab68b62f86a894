"""What distinguishes studies: their settings, and whether their objectives mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xortune.ledger.rows import digest
from xortune.settings import StudySettings
from xortune.space import Choice, Domain, SearchSpace
from xortune.studies.study import Study

# Of a table, what decides which rows validate, and what is predicted.
_MEASURED = ("target_name", "split", "split_seed", "rows", "folds")
# Shown in words of their own, or not settings.
_APART = ("spec", "space", "problem", "data", "confirm", "rungs", "starts")
_MISSING = "-"


def incomparable(studies: Sequence[StudySettings]) -> list[str]:
    """In what the objectives of studies differ, so that their values cannot be compared.

    Returns:
        Some of `problem`, `data`, `rows`, `function` and `objective`; none if they are comparable.
    """
    measures = [*map(_measure, studies)]
    return [name for name in measures[0] if any(m[name] != measures[0][name] for m in measures)]


def differing(studies: Sequence[Study]) -> dict[str, list[str]]:
    """The settings that differ, by name, each with its text for every study.

    Of studies of several problems only settings that all of them have.
    """
    tables = [dict(_described(study)) for study in studies]
    names = dict.fromkeys(name for table in tables for name in table)
    if len({table["problem"] for table in tables}) > 1:
        names = {name: None for name in names if all(name in table for table in tables)}
    found = {name: [table.get(name, _MISSING) for table in tables] for name in names}
    return {name: texts for name, texts in found.items() if len({*texts}) > 1}


def _measure(settings: StudySettings) -> dict[str, Any]:
    """What the objective's value depends on beside the trial."""
    kind, recorded = settings.problem.get("kind"), settings.problem
    recipe = recorded.get("recipe", {})
    is_table = kind == "table"
    # A name says nothing where a digest does: a file may be renamed.
    name = settings.spec.problem if recorded.get("digest") is None else None
    return {
        "problem": (kind, name),
        "data": recorded.get("digest") if is_table else recorded.get("data_digest", settings.data),
        "rows": [recipe.get(name) for name in _MEASURED],
        "code": recorded.get("digest") if kind in ("function", "module") else None,
        "objective": settings.spec.objectives[0],
    }


def _described(study: Study) -> Iterator[tuple[str, str]]:
    """All settings of a study as names and texts."""
    settings = study.settings
    metric, direction = settings.spec.objectives[0]
    yield "problem", settings.problem.get("kind") or settings.spec.problem
    yield "data", settings.data or _MISSING
    yield "objective", f"{metric}, {'highest' if direction == 'maximize' else 'lowest'}"
    yield from _of_the_space(study.space)
    for name, value in settings.to_dict().items():
        if name not in _APART:
            yield name, _text(value)
    yield "confirm", ":".join(map(str, settings.confirm or ())) or "none"
    yield "rung_epochs", ",".join(map(str, settings.rungs)) or "none"
    yield from _of_the_problem(settings.problem)
    yield "engine", study.provenance.engine
    yield "training", study.provenance.training or _MISSING
    yield "padding", _text(study.provenance.padding)
    yield from study.provenance.versions.items()


def _of_the_space(space: SearchSpace) -> Iterator[tuple[str, str]]:
    for name, domain in space.domains.items():
        yield f"space {name}", _domain(domain)


def _domain(domain: Domain) -> str:
    if isinstance(domain, Choice):
        return ", ".join(map(_text, domain.values))
    step = "" if domain.step is None else f", step {_text(domain.step)}"
    return f"{_text(domain.low)} to {_text(domain.high)}{', log' if domain.log else ''}{step}"


def _of_the_problem(recorded: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a problem is made of; of what is long a digest."""
    for name, value in recorded.items():
        if name == "recipe" and isinstance(value, dict):
            yield from ((part, _text(entry)) for part, entry in value.items())
        elif name not in ("kind", "text"):
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple) and not any(isinstance(v, list | dict) for v in value):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, list | tuple | dict):
        text = json.dumps(value, sort_keys=True)
        return f"{len(value)} entries, digest {digest(text.encode()) & 0xFFFFFF:06x}"
    return str(value)
