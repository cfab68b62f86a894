"""`list`: the studies of a results folder."""

from __future__ import annotations

import textwrap
from argparse import Namespace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from xortune.cli.options import FORMATS, add_results
from xortune.cli.screen import Screen, console_on
from xortune.escaping import visible
from xortune.paths import DEFAULT_RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from xortune.studies.listing import Listed, Listing

_LONGEST = 34  # characters of a name in one line
# The columns that a narrow terminal shows before others.
_FIRST = ("study", "best", "trials", "state")
_SHOWN = 10  # folders that hold no study
_UNITS = ((60, "s"), (60, "min"), (24, "h"), (365, "d"))


def add(commands: Any) -> None:
    parser = commands.add_parser("list", help="list the studies of a results folder")
    parser.set_defaults(run=run)
    parser.add_argument("--format", choices=FORMATS, default="table", help="(default: table)")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    from xortune.studies.listing import studies_in

    found = studies_in(arguments.results)
    if arguments.format == "table":
        _print(found, arguments, screen)
    else:
        screen.out.write(_text(found.studies, arguments.format))


def _print(found: Listing, arguments: Namespace, screen: Screen) -> None:
    """Prints the studies that can be read, and below them all else that lies there."""
    from xortune.cli.columns import print_table, width_on

    console = console_on(screen.out)
    sound = [one for one in found.studies if one.state != "damaged"]
    if sound:
        print_table(console, _table(sound, width_on(console)))
    else:
        _print_words(console, f"there are no studies in {arguments.results} yet")
    for one in found.studies:
        if one.state == "damaged":
            _print_words(console, f"damaged: {one.name}: {one.error}")
    if found.others:
        more = ", ..." if len(found.others) > _SHOWN else ""
        _print_words(console, f"not studies: {', '.join(found.others[:_SHOWN])}{more}")


def _print_words(console: Console, text: str) -> None:
    from xortune.cli.columns import width_on

    for line in textwrap.wrap(
        visible(text), width_on(console), subsequent_indent="  ", break_long_words=False
    ):
        console.print(line, soft_wrap=True)


def _table(studies: Sequence[Listed], width: int) -> Table:
    from xortune.cli.columns import Column, fitting_table

    now = datetime.now(timezone.utc)
    texts = [
        ("study", [_folded(one.name) for one in studies], "left"),
        ("problem", [_short(one.problem or "-") for one in studies], "left"),
        ("state", [one.state for one in studies], "left"),
        ("trials", [f"{one.finished}/{one.trials}" for one in studies], "right"),
        ("best", [_best(one) for one in studies], "left"),
        ("changed", [_age(now, one.changed) for one in studies], "right"),
    ]
    return fitting_table([Column(*text) for text in texts], width, _FIRST)  # type: ignore[arg-type]


def _best(one: Listed) -> str:
    return "-" if one.best is None else f"{one.objective} {one.best:.3g}"


def _age(now: datetime, then: datetime) -> str:
    """How long ago, in the largest unit that has passed."""
    count = max((now - then).total_seconds(), 0.0)
    for size, unit in _UNITS:
        if count < size:
            return f"{int(count)} {unit} ago"
        count /= size
    return f"{int(count)} y ago"


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _folded(name: str) -> str:
    """A name in full, in as many lines as it needs."""
    return "\n".join(textwrap.wrap(visible(name), _LONGEST, break_on_hyphens=False)) or name


def _text(studies: Sequence[Listed], form: str) -> str:
    from xortune.report import as_csv, as_markdown, listing_frame, rows_as_json

    frame = listing_frame(studies)
    return {"csv": as_csv, "markdown": as_markdown, "json": rows_as_json}[form](frame)
