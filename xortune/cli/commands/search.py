"""`search` and `resume`: train trials, and show the best."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import Any, NoReturn

from xortune.cli.options import add_function, add_results, add_study, flag, option
from xortune.cli.results import show_result
from xortune.cli.screen import Screen
from xortune.cli.search_options import (
    add_confirmation,
    add_mixed,
    add_run_options,
    add_stops,
    add_study_settings,
)
from xortune.cli.signals import end_at_once
from xortune.errors import XortuneError
from xortune.escaping import shell_word
from xortune.interrupt import StopSignal
from xortune.studies.problems import DATA_NAMES

SEARCHING = ("search", "resume")


def add(commands: Any) -> None:
    _add_search(commands)
    _add_resume(commands)


def _add_search(commands: Any) -> None:
    parser = commands.add_parser(
        "search", help="search a space, and rank the trials", argument_default=argparse.SUPPRESS
    )
    parser.set_defaults(run=run)
    target = add_study_settings(parser)
    flag(target, "--exist-ok", text="resume a study of that name with these settings")
    add_results(target)
    add_run_options(parser)


def _add_resume(commands: Any) -> None:
    parser = commands.add_parser(
        "resume", help="resume after a crash or an interruption, or to a larger total",
        argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    parser.set_defaults(run=run)
    add_study(parser)
    option(parser, "--trials", "TOTAL", "the study's new total of trials", int, "as recorded")
    flag(parser, "--force", text="resume with other software or other code than recorded")
    parser.add_argument("--data", metavar="FILE", help="the table that the study began with")
    add_function(parser)
    add_results(parser)
    changes = parser.add_argument_group("settings that a resume may change")
    add_confirmation(changes, "as recorded")
    add_stops(changes, "as recorded")
    add_mixed(changes)
    add_run_options(parser)


def run(arguments: Namespace, screen: Screen) -> None:
    """The commands `search` and `resume`: calls the function of that name."""
    settings = vars(arguments)
    command = settings.pop("command")
    del settings["run"]
    subject = settings.pop("space" if command == "search" else "study")
    quiet = settings.pop("quiet", False)

    def say_so(signum: int) -> None:
        if not quiet and screen.err.isatty():
            screen.urgent("xortune: stopping; Ctrl-C once more stops at once")

    def end(signum: int) -> NoReturn:
        end_at_once(screen, how_to_resume(None, arguments), signum)

    with StopSignal(say_so, end) as stop:
        from xortune.cli.progress import ProgressView

        with ProgressView(screen, quiet) as view:
            from xortune.studies import searches

            function = getattr(searches, command)
            study = function(subject, on_progress=view, stop=stop, **settings)
    if not quiet:
        show_result(study, screen, named_again(arguments))
    if not study.has_complete_trial:
        raise XortuneError(f"no trial of study {study.name} is complete.")


def how_to_resume(folder: Path | None, arguments: Namespace) -> str:
    """The last words of an interrupted search in a folder; None if it has none yet."""
    if folder is None:
        return "stopped before anything was started"
    command = f"python -m xortune resume {shell_word(str(folder))}{named_again(arguments)}"
    return f"stopped; what was finished is kept. Resume with: {command}"


def named_again(arguments: Namespace) -> str:
    """The options that a resume needs again, with a space before each.

    They name a search's data or function, and the trials with TensorBoard runs.
    """
    given = vars(arguments)
    words = [
        (key, given[key])
        for key in ("data", "problem", "tensorboard")
        if given.get(key) is not None
    ]
    words += [("include", folder) for folder in given.get("include") or ()]
    return "".join(f" --{key} {shell_word(text)}" for key, text in words if text not in DATA_NAMES)
