"""`export`: a study in the format of another tool."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from xortune.cli.options import add_results, add_study, flag
from xortune.cli.screen import Screen
from xortune.escaping import shell_word
from xortune.paths import DEFAULT_RESULTS, find_study

_FORMATS = ("optuna",)


def add(commands: Any) -> None:
    parser = commands.add_parser("export", help="write a study for another tool")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument(
        "--to", choices=_FORMATS, required=True, help="the tool that the file is for"
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE",
        help="FILE.log for Optuna's JournalStorage, FILE.db for its RDBStorage",
    )  # fmt: skip
    flag(parser, "--force", text="replace a file that exists")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    paths = find_study(arguments.study, arguments.results)
    from xortune.dashboard.files import export_to_optuna

    written = export_to_optuna(paths, arguments.file, force=arguments.force)
    screen.say(
        f"{written.trials} trials written. Browse them with: "
        f"optuna-dashboard {shell_word(written.address)}"
    )
