"""A comparison of studies, printed in 80 columns, or as many as a narrower terminal has."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.table import Table

from xortune.cli.columns import print_table, width_on
from xortune.cli.screen import Screen, console_on
from xortune.escaping import visible
from xortune.report.course import PARTS
from xortune.report.numerals import percent
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from rich.console import Console

    from xortune.studies.study import Study

_LONGEST_LABEL = 20
_SIDE_BY_SIDE = 3  # studies of one table at most
_COLUMN = 19  # characters of a study in a table, with the space that follows: `0.0123 (no. 4567)`
_MISSING = "-"


class Compared(NamedTuple):
    """What is known of several studies, in their order."""

    names: Sequence[str]
    incomparable: Sequence[str]  # as `xortune.studies.comparison` has it
    settings: Mapping[str, Sequence[str]]  # that differ
    facts: Sequence[Mapping[str, Any]]  # as `xortune.report.course`, and `recommended`


def print_comparison(found: Compared, studies: Sequence[Study], screen: Screen) -> None:
    """Prints whether they are comparable, what differs in their settings, and their rankings."""
    console, specs = console_on(screen.out), [study.settings.spec for study in studies]
    _print_words(console, _verdict(found, specs[0]))
    for note in _notes(found, studies):
        _print_words(console, note)
    if not found.settings:
        _print_words(console, "no setting differs")
    width = width_on(console)
    beside = max(1, min(_SIDE_BY_SIDE, (width - 1 - _LONGEST_LABEL) // _COLUMN))
    for first in range(0, len(studies), beside):
        part = slice(first, first + beside)
        names = found.names[part]
        if found.settings:
            rows = [(name, *texts[part]) for name, texts in found.settings.items()]
            there = [row for row in rows if {*row[1:]} != {_MISSING}]
            print_table(console, _table("setting", names, there or rows, width))
        rankings = _ranking(found.facts[part], specs[part])
        print_table(console, _table("ranking", names, rankings, width))


def _verdict(found: Compared, spec: ProblemSpec) -> str:
    if found.incomparable:
        return (
            f"not comparable: the studies differ in {_listed(found.incomparable)}, so their "
            "objectives do not measure the same"
        )
    metric, direction = spec.objectives[0]
    better = "higher" if direction == "maximize" else "lower"
    return f"comparable: all have the objective {metric} of the same problem; {better} is better"


def _notes(found: Compared, studies: Sequence[Study]) -> list[str]:
    """What makes a comparison unfair even where the objectives are the same."""
    replicates = [study.settings.replicates for study in studies]
    if len({*replicates}) == 1:
        return []
    counts = ", ".join(f"{name} {count}" for name, count in zip(found.names, replicates))
    return [
        f"trainings per trial differ ({counts}): the fewer there are, the more the best ones owe "
        "to luck. Compare the trials to use, which are judged on fresh seeds"
    ]


def _ranking(
    facts: Sequence[Mapping[str, Any]], specs: Sequence[ProblemSpec]
) -> list[tuple[str, ...]]:
    """The rows of the rankings: a label, and a text for each study."""
    rows = [("trials finished", *(f"{one['finished']} of {one['trials']}" for one in facts))]
    rows.append(("objective", *(spec.objectives[0].metric for spec in specs)))
    for place in range(max(len(one["best"]) for one in facts)):
        rows.append((f"rank {place + 1}", *(_best(one["best"], place) for one in facts)))
    rows.append(("median", *(_number(one["median"]) for one in facts)))
    if any("solved_share" in one for one in facts):
        rows.append(("solved", *map(_solved, facts)))
    for place, part in enumerate(PARTS):
        cells = (_so_far(one["best_so_far"][place]) for one in facts)
        rows.append((f"best after {part:.0%}", *cells))
    used = [one["recommended"] for one in facts]
    if any(used):
        rows.append(("trial to use", *(_MISSING if u is None else str(u["number"]) for u in used)))
        rows.append(("  mean on seeds", *(_mean(u, spec) for u, spec in zip(used, specs))))
        if any(u is not None and "solved_share" in u for u in used):
            rows.append(("  solves", *(_solved(u or {}) for u in used)))
    return rows


def _best(best: Sequence[Mapping[str, Any]], place: int) -> str:
    if place >= len(best):
        return _MISSING
    return f"{_number(best[place]['value'])} (no. {best[place]['number']})"


def _so_far(found: Mapping[str, Any]) -> str:
    return f"{_number(found['value'])} (of {found['trials']})"


def _solved(facts: Mapping[str, Any]) -> str:
    if facts.get("solved_share") is None:
        return _MISSING
    share, low, high = (percent(facts[f"solved_{end}"]) for end in ("share", "low", "high"))
    return f"{share} ({low} to {high})"


def _mean(used: Mapping[str, Any] | None, spec: ProblemSpec) -> str:
    if used is None:
        return _MISSING
    return f"{_number(used[spec.objectives[0].metric])} (of {used['seeds']})"


def _number(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.3g}"


def _table(
    heading: str, names: Sequence[str], rows: Sequence[tuple[str, ...]], width: int
) -> Table:
    """A table of at most a width; long texts continue in further lines."""
    label = min(_LONGEST_LABEL, max(len(row[0]) for row in rows))
    # Two characters stand between columns, and one before the first.
    most = max((width - 1 - label) // len(names), _COLUMN) - 2
    least = 1 + label + _COLUMN  # Below it numbers would continue in further lines too.
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
        width=least if width < least else None,
    )  # fmt: skip
    table.add_column(heading, overflow="fold", max_width=label)
    for name in names:
        table.add_column(visible(name), overflow="fold", max_width=most)
    for row in rows:
        table.add_row(*map(visible, row))
    return table


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _print_words(console: Console, text: str) -> None:
    for line in textwrap.wrap(visible(text), width_on(console), subsequent_indent="  "):
        console.print(line, soft_wrap=True)
