"""`report --html`: a study as one HTML file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from xortune.cli.files import loaded
from xortune.cli.options import flag
from xortune.cli.screen import Screen
from xortune.errors import UsageError
from xortune.escaping import visible

# Options of `report` that are for its other forms.
_OTHERS = ("top", "output", "where", "sort", "columns", "by", "seeds", "problem", "include")
_OWN = ""  # stands for the study's own page


def add_page(parser: Any, one: Any) -> None:
    """Adds the options of a page; `one` is the group of forms of which one is chosen."""
    one.add_argument(
        "--html", nargs="?", const=_OWN, metavar="FILE",
        help="instead, write one HTML file with everything (default: report.html in the study)",
    )  # fmt: skip
    flag(parser, "--force", text="with --html, replace a file that is not a report")


def write_page(arguments: Namespace, screen: Screen) -> None:
    """Writes a page, and prints its path; raises UsageError if the options do not fit together."""
    faults = [
        f"--{name} {value}: is not for --html. Leave it out."
        for name in _OTHERS
        if (value := getattr(arguments, name)) is not None
    ]
    if arguments.format != "table":
        faults.append(f"--format {arguments.format}: is not for --html. Leave it out.")
    if faults:
        raise UsageError("\n".join(faults))
    study = loaded(arguments)
    file = None if arguments.html == _OWN else Path(arguments.html)
    written = study.html(file, data=arguments.data, force=arguments.force)
    screen.out.write(f"{visible(str(written))}\n")
