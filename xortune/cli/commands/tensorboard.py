"""`tensorboard`: serves the runs of a study, or of all studies."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from xortune.cli.options import add_results, add_served, positive
from xortune.cli.screen import Screen
from xortune.paths import DEFAULT_RESULTS


def add(commands: Any) -> None:
    parser = commands.add_parser("tensorboard", help="browse trials in TensorBoard")
    parser.set_defaults(run=run)
    add_served(parser, "TensorBoard", 6006)
    parser.add_argument(
        "--top", type=positive, metavar="N",
        help="the best trials of the study only (default: all; TensorBoard draws 500 unasked)",
    )  # fmt: skip
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    from xortune.studies.boards import served
    from xortune.tensorboard.serving import serve

    with served(arguments.study, arguments.results, arguments.top) as board:
        for note in board.notes:
            screen.say(note)

        def say_where(address: str) -> None:
            screen.err.write(f"{board.title} at {address}{board.address}\nCtrl-C ends it.\n")
            screen.err.flush()

        serve(board.folder, arguments.host, arguments.port, say_where)
