"""What a page says of a study's failures, times, settings and software, as rows of texts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xortune.errors import without_values
from xortune.escaping import visible
from xortune.report.numerals import duration, percent, value_text
from xortune.report.results import Results
from xortune.space import Choice, Domain, SearchSpace, grid_bounds
from xortune.trial import STATES

_MEANINGS = {
    "COMPLETE": "trained to the end, and ranked",
    "PRUNED": "stopped at a rung, where others were better",
    "FAIL": "did not give a number; unranked",
    "RUNNING": "in training when the page was written",
    "WAITING": "not begun when the page was written",
}
_REASONS = 20
_NUMBERS = 8
_TIMES = {
    "start_up": "start", "sampler": "ask", "training": "train", "queue": "queue",
    "writing": "write", "idle": "idle",
}  # fmt: skip
# Settings that a page has elsewhere.
_ELSEWHERE = (
    "name", "folder", "metric", "space", "spec", "problem", "engine", "versions", "reference",
    "forced", "outdated", "xortune", "sampler_version", "starts", "mixed", "training", "padding",
    "other_references", "weakened",
)  # fmt: skip
_CHOICES = 12


class Reason(NamedTuple):
    """Why trials failed: errors that differ in their values alone are one reason."""

    text: str
    trials: int  # how many
    numbers: str  # those of the first ones


def states(results: Results) -> list[tuple[str, str, str, str]]:
    """For each state its name, how many trials are in it, their share, and what it means."""
    counts, total = results.summary["states"], len(results.trials)
    return [
        (state, f"{counts[state]:,}", percent(counts[state] / total), _MEANINGS[state])
        for state in STATES
        if state in counts
    ]


def reasons(results: Results) -> list[Reason]:
    """The most frequent errors of failed trials, the most frequent first."""
    failed = results.trials[results.trials["state"] == "FAIL"].sort_values("number")
    texts: dict[str, str] = {}
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, error in zip(failed["number"].tolist(), failed["error"].fillna("").tolist()):
        kind = without_values(error)
        texts.setdefault(kind, error)
        numbers[kind].append(number)
    counted = Counter({kind: len(found) for kind, found in numbers.items()})
    return [
        Reason(visible(texts[kind]) or "no reason was recorded", count, _some(numbers[kind]))
        for kind, count in counted.most_common(_REASONS)
    ]


def time_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """The headings and rows of the table of runs: a row for each search and resume."""
    head = ["run", "from start to end", *_TIMES.values(), "workers"]
    rows = [
        [
            "search" if place == 0 else f"resume {place}" if place > 1 else "resume",
            duration(run.wall),
            *(duration(getattr(run, name)) for name in _TIMES),
            f"{run.workers:,}",
        ]
        for place, run in enumerate(results.runs)
    ]
    return head, rows


def space_rows(space: SearchSpace) -> list[tuple[str, str, str]]:
    """For each parameter its name, its values, and how they are drawn."""
    return [(visible(name), *_domain(domain)) for name, domain in space.domains.items()]


def setting_rows(results: Results) -> list[tuple[str, str]]:
    """The recorded settings that decide the result, but for the space."""
    spec = results.spec
    objectives = ", ".join(f"{o.metric} ({o.direction})" for o in spec.objectives)
    rows = [("problem", spec.problem), ("objective", objectives), ("final loss", spec.loss or "-")]
    rows += [
        (name.replace("_", " "), _setting(name, value))
        for name, value in results.described.items()
        if name not in _ELSEWHERE and value not in (None, "", (), [])
    ]
    return [(visible(name), visible(value)) for name, value in rows]


def version_rows(results: Results) -> list[tuple[str, str]]:
    """The software behind the numbers, and the one that wrote the page."""
    described = results.described
    rows = [("engine", described["engine"])]
    if training := described.get("training"):
        rows.append(("trained", training))
    if padding := described.get("padding"):
        rows.append(("lanes of a stack", f"a multiple of {padding[0]}, at least {padding[1]}"))
    if weakened := described.get("weakened"):
        rows.append(("bits", weakened))
    rows += sorted(described["versions"].items())
    rows.append(("xortune (this page)", described["xortune"]))
    return [(visible(name), visible(str(value))) for name, value in rows]


def recorded_text(results: Results) -> str:
    """Everything that a study records of itself, as JSON."""
    text = json.dumps(_plain(results.described), indent=1, ensure_ascii=False)
    return "\n".join(map(visible, text.split("\n")))


def _domain(domain: Domain) -> tuple[str, str]:
    if isinstance(domain, Choice):
        values = [visible(value_text(value)) for value in domain.values[:_CHOICES]]
        more = len(domain.values) - len(values)
        shown = ", ".join(values) + (f" and {more:,} more" if more else "")
        return shown, "always the same" if len(domain.values) == 1 else "one of these"
    low, high = (value_text(value) for value in grid_bounds(domain))
    how = "evenly over the logarithm" if domain.log else "evenly"
    step = "" if domain.step is None or domain.step == 1 else f", multiples of {domain.step:g}"
    return f"{low} to {high}", f"{how}{', whole numbers' if domain.whole else ''}{step}"


def _setting(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return (":" if name == "confirm" else ", ").join(map(str, value))
    return value_text(value)


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NUMBERS]))
    return shown if len(numbers) <= _NUMBERS else f"{shown}, ..."


def _plain(value: Any) -> Any:
    """A value as JSON takes it: numbers that are not finite become texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
