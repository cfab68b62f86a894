"""`dashboard`: serves studies in optuna-dashboard, live."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xortune.cli.options import add_results, add_served
from xortune.cli.screen import Screen
from xortune.errors import UsageError
from xortune.paths import DEFAULT_RESULTS, StudyPaths, find_study, studies_in


def add(commands: Any) -> None:
    parser = commands.add_parser("dashboard", help="watch searches in optuna-dashboard")
    parser.set_defaults(run=run)
    add_served(parser, "the dashboard", 8080)
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    """Serves until a signal; raises UsageError if there is nothing to serve, or nowhere."""
    find = _finder(arguments.study, arguments.results)
    from xortune.dashboard.server import serving

    with serving(find, screen.say, arguments.host, arguments.port) as server:
        screen.out.write(f"{server.url}\n")
        screen.out.flush()
        screen.say("the dashboard only reads; Ctrl-C ends it")
        server.serve_forever()


def _finder(study: str | None, results: Path) -> Callable[[], Sequence[StudyPaths]]:
    """What finds the studies at every look: one, or all in the results folder."""
    if study is not None:
        paths = find_study(study, results)
        return lambda: [paths]
    if not results.is_dir():
        raise UsageError(
            f"--results {results}: there is no such folder. Name the folder that holds studies."
        )
    return lambda: studies_in(results)
