"""Columns of printed tables, and tables that fit 80 characters, or a narrower terminal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.cells import cell_len
from rich.table import Table

from xortune.escaping import visible
from xortune.report.numerals import metric_format, parameter_format
from xortune.spec import Metric, Parameter
from xortune.trial import Value

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
MISSING = "-"
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a printed table: its name, and the text of every row."""

    name: str
    cells: Sequence[str]
    justify: Literal["left", "right"] = "right"

    @cached_property
    def width(self) -> int:
        """Its width in characters, with the space that follows it."""
        lines = (line for cell in self.cells for line in cell.split("\n"))
        return 1 + max(map(cell_len, (self.name, *lines)))


def width_of(columns: Iterable[Column]) -> int:
    """The width of columns side by side."""
    return sum(column.width for column in columns)


def width_on(console: Console) -> int:
    """The characters of a line: 80, or as many as the terminal has."""
    return min(WIDTH, console.width)


def print_table(console: Console, table: Table) -> None:
    """Prints a table as wide as it is: a terminal that is too narrow wraps it, and cuts nothing."""
    console.print(table, crop=False)


def table_of(columns: Sequence[Column], hidden: Sequence[str] = (), width: int = WIDTH) -> Table:
    """The table of these columns; a line below it names those that are left out to fit a width."""
    caption = f"left out to fit {width} characters: {', '.join(hidden)}" if hidden else None
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=0, caption=caption, caption_justify="left",
        width=1 + width_of(columns),
    )  # fmt: skip
    for column in columns:
        table.add_column(column.name, justify=column.justify, no_wrap=True)
    for cells in zip(*(column.cells for column in columns)):
        table.add_row(*cells)
    return table


def fitting_table(
    columns: Sequence[Column], width: int = WIDTH, first: Sequence[str] = ()
) -> Table:
    """The table of as many columns as fit a width, and at least one.

    Args:
        columns: the columns, in their order.
        width: in characters.
        first: the names of those that are shown before others, from the most important on; by
            default they are shown from the left on.
    """
    shown = fitting(columns, width - 1, lambda c: first.index(c.name) if c.name in first else 99)
    hidden = [column.name for column in columns if column not in shown]
    return table_of(shown, hidden, width)


def fitting(columns: Sequence[Column], room: int, rank: Callable[[Column], int]) -> list[Column]:
    """The columns that fit in so many characters, in their order: at least that of lowest rank."""
    preferred = sorted(columns, key=rank)
    count = bisect_right([*accumulate(column.width for column in preferred)], room)
    return [column for column in columns if column in preferred[: max(count, 1)]]


def metric_column(metric: Metric, rows: Sequence[Row]) -> Column:
    """The values of a metric."""
    return Column(metric.name, [metric_text(metric, row[metric.name]) for row in rows])


def metric_text(metric: Metric, value: float | None) -> str:
    """A value of a metric: a share as a percentage."""
    return text_of(value, metric_format(metric))


def parameter_column(parameter: Parameter, rows: Sequence[Row]) -> Column:
    """The values of a parameter."""
    values = [row[parameter.name] for row in rows]
    digits = parameter_format(parameter)
    if not digits:
        return Column(parameter.name, [visible(text_of(value, "")) for value in values], "left")
    return Column(parameter.name, [text_of(value, digits) for value in values])


def text_of(value: Value | None, form: str) -> str:
    """A value in a format of Python's; a dash for none."""
    return MISSING if value is None else format(value, form)
