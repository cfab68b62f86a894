"""How numbers are written for people: the same on a terminal and in a page."""

from __future__ import annotations

from typing import Any

from xortune.spec import SOLVED_SHARE, STD, Metric, Parameter, ProblemSpec

FINAL_LOSS = ".3e"
_METRICS = {"share": ".0%", "count": ".0f"}


def parameter_format(parameter: Parameter) -> str:
    """The format specification of a parameter's values; empty for texts and booleans."""
    if parameter.value_type in (bool, str):
        return ""
    return ".4g" if parameter.value_type is float else "d"


def metric_format(metric: Metric) -> str:
    """The format specification of a metric's values."""
    return ".3e" if metric.name == STD else _METRICS.get(metric.kind, ".5g")


def shown_metrics(spec: ProblemSpec, shares: int | None = None) -> list[Metric]:
    """The objective, unless it is the final loss, and the first shares, or other numbers.

    Of replicated trials also their spread, and first the share of them that is solved.
    """
    objective = spec.metric(spec.objectives[0].metric)
    first = [objective] if objective.name != spec.loss else []
    first += [metric for metric in spec.metrics if metric.name == STD]
    others = [metric for metric in spec.measured if metric.kind == "share"]
    if not others:
        others = [metric for metric in spec.measured if metric.kind == "number"]
    others = [*(metric for metric in spec.metrics if metric.name == SOLVED_SHARE), *others]
    return list(dict.fromkeys([*first, *others[:shares]]))


def duration(seconds: float) -> str:
    """Seconds in four characters, up to 41 days."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 999.5:
        return f"{seconds:.0f}s"
    minutes = seconds / 60
    return f"{minutes:.0f}m" if minutes < 999.5 else f"{minutes / 60:.0f}h"


def percent(share: float) -> str:
    """A share in percent; 0 and 100 only where it is exactly that."""
    text = f"{share:.0%}"
    if (text, share) in (("0%", 0), ("100%", 1)) or text not in ("0%", "100%"):
        return text
    finer = f"{share:.1%}"
    return {"0.0%": "below 0.1%", "100.0%": "above 99.9%"}.get(finer, finer)


def value_text(value: Any) -> str:
    """A parameter's value within a sentence."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
