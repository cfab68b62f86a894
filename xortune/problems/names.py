"""Names that users give to parameters and metrics, and what a metric's name promises."""

from __future__ import annotations

import re

from xortune.spec import ADDED, STUDY_COLUMNS, Direction

DIRECTIONS: dict[str, Direction] = {"": "minimize", "min": "minimize", "max": "maximize"}
# Metrics of which, by their names, more is better.
_RISING = re.compile(
    r"(?:.*[_/])?(?:accuracy|acc|auc|r2|f1|precision|recall|score|reward)", re.IGNORECASE
)
# Columns of tables and curves, which a parameter or a metric would hide.
RESERVED_PARAMETERS = frozenset((*STUDY_COLUMNS, *ADDED, "epoch"))


def is_name(text: object) -> bool:
    """Whether a text can be a name in a spec: words, with a slash between groups."""
    return isinstance(text, str) and all(part.isidentifier() for part in text.split("/"))


def is_rising(name: str) -> bool:
    """Whether a metric's name promises that more of it is better, as `val_accuracy` does."""
    return _RISING.fullmatch(name) is not None


def is_aim(text: object) -> bool:
    """Whether a text is the name of a metric, alone or followed by `:max` or `:min`."""
    name, colon, direction = text.partition(":") if isinstance(text, str) else ("",) * 3
    return is_name(name) and direction in DIRECTIONS and bool(colon) is bool(direction)


def reserved_at_fault(argument: str, name: str, reserved: frozenset[str]) -> list[str]:
    """The fault of a metric's name that xortune uses; empty if it is free."""
    if name not in reserved:
        return []
    return [f"{argument}: {name!r} is a name that xortune uses; give the metric another one."]
