"""`check`: tries a module as a search would, and trains nothing."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import Any

from xortune.cli.options import flag
from xortune.cli.screen import Screen
from xortune.escaping import visible


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "check", help="try a module before a search", argument_default=argparse.SUPPRESS
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "problem", metavar="FILE.py[:NAME]", help="a file with an xortune.Problem that has a model"
    )
    parser.add_argument(
        "--space", metavar="SPACE", help="a search-space file (default: the problem's own)"
    )
    parser.add_argument(
        "--include", action="append", metavar="FOLDER",
        help="a folder of modules that the file imports; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FILE", help="the table from which a module learns that brings no data"
    )
    parser.add_argument("--target", metavar="COLUMN", help="the table's column to learn")
    flag(parser, "-v", "--verbose", text="show what the problem's code prints")


def run(arguments: Namespace, screen: Screen) -> None:
    from xortune.studies.checking import check

    given = vars(arguments)
    names = ("problem", "space", "include", "data", "target", "verbose")
    found = check(**{name: given[name] for name in names if name in given})
    for line in found.lines:
        screen.out.write(f"{visible(line)}\n")
