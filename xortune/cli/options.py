"""Arguments that several commands share. Those left out keep the library's own defaults."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xortune.studies.notations import NONE, is_none

FORMATS = ("table", "csv", "json", "markdown")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Adds the study that a command reads."""
    parser.add_argument(
        "study", metavar="STUDY", help="its name in the results folder, or its folder's path"
    )


def add_served(parser: Any, what: str, port_by_default: int) -> None:
    """Adds the study that a server shows, and where it listens; `what` asks for no password."""
    parser.add_argument(
        "study", metavar="STUDY", nargs="?",
        help="its name in the results folder, or its folder's path (default: all studies)",
    )  # fmt: skip
    parser.add_argument(
        "--host", default="127.0.0.1",
        help=f"the address to listen on (default: 127.0.0.1, so this machine only; {what} asks for "
        "no password)",
    )  # fmt: skip
    parser.add_argument(
        "--port",
        type=port,
        default=port_by_default,
        help=f"0 for a free one (default: {port_by_default})",
    )


def add_results(parser: Any, **default: Any) -> None:
    """Adds the folder of studies."""
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="the folder of studies (default: results)",
        **default,
    )  # fmt: skip


def add_function(group: Any) -> None:
    """Adds a problem of the user's own, and the Python modules that it imports."""
    group.add_argument(
        "--problem",
        metavar="FILE.py[:NAME]",
        help="a file with an xortune.Problem: a function, or a torch.nn.Module",
    )
    group.add_argument(
        "--include", action="append", metavar="FOLDER",
        help="a folder of modules that the file imports; may be repeated",
    )  # fmt: skip


def flag(parser: Any, *names: str, text: str) -> None:
    """Adds an option without a value."""
    parser.add_argument(*names, action="store_true", help=text)


def option(
    parser: Any,
    name: str,
    values: str | tuple[str, ...],
    text: str,
    kind: Callable[[str], object] = str,
    default: object = None,
) -> None:
    """Adds an option whose help names the default."""
    shape: dict[str, Any] = {"metavar": values} if isinstance(values, str) else {"choices": values}
    parser.add_argument(name, type=kind, help=f"{text} (default: {default})", **shape)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be a whole number of at least 1")
    return value


def port(text: str) -> int:
    """The number of a port, or 0."""
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{value} must be a whole number from 0 to 65535")
    return value


def finite(text: str) -> float:
    """A finite number."""
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} must be a finite number")
    return value


def whole_or_none(text: str) -> int | str:
    """A whole number, or the word `none`."""
    return NONE if is_none(text) else int(text)


def real_or_none(text: str) -> float | str:
    """A number, or the word `none`."""
    return NONE if is_none(text) else float(text)


whole_or_none.__name__ = "whole number"
real_or_none.__name__ = "number"
positive.__name__ = port.__name__ = "whole number"
finite.__name__ = "number"
