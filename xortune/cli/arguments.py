"""The command line's parser: every command adds its own arguments."""

from __future__ import annotations

import argparse
import sys

from xortune.cli.commands import COMMANDS
from xortune.cli.completion import SHELLS, PrintCompletion
from xortune.cli.parser import Parser
from xortune.version import __version__


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The parsed command line; exits with code 2 if it is invalid."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(2)
    return parser.parse_all(words)


def _parser() -> Parser:
    parser = Parser(
        prog="xortune",
        description="Hyperparameter search for small PyTorch models, thousands at a time.",
        epilog="Start with: xortune search --trials 50. Each command has --help.",
    )
    parser.add_argument("--version", action="version", version=f"xortune {__version__}")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, default=argparse.SUPPRESS,
        help="print a script that completes commands and options in that shell",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
