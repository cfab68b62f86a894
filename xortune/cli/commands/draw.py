"""`draw`: a trained network, and what it answers, as a picture."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from xortune.cli.chosen_trial import add_trial, say_which
from xortune.cli.files import loaded
from xortune.cli.options import add_results, add_study, flag
from xortune.cli.screen import Screen
from xortune.paths import DEFAULT_RESULTS


def add(commands: Any) -> None:
    parser = commands.add_parser("draw", help="draw a trained network")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument("file", metavar="FILE", help="where to: a name that ends in .svg or .png")
    add_trial(parser)
    parser.add_argument(
        "--theme", choices=("light", "dark", "auto"),
        help="(default: light for .png; auto for .svg, which follows its reader)",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FILE", help="the table of the study, to have its rows in the picture"
    )
    flag(parser, "--force", text="overwrite the file if it exists")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    named = {key: getattr(arguments, key) for key in ("theme", "data", "force")}
    study.draw(arguments.file, arguments.trial, **named)
    say_which(study, arguments, screen, "the drawing")
