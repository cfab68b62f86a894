"""The trial whose model a command takes."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from xortune.cli.screen import Screen

if TYPE_CHECKING:
    from xortune.studies.study import Study


def add_trial(parser: Any) -> None:
    """Adds the option for a trial's number."""
    parser.add_argument("--trial", type=int, metavar="N", help="its number (default: the best)")


def say_which(study: Study, arguments: Namespace, screen: Screen, what: str) -> None:
    """Says whose the result is where the best trial is not the one to use.

    Args:
        study: the study.
        arguments: with `trial`, None for the best one.
        screen: for the note.
        what: the result, such as `the answer`.
    """
    if arguments.trial is None:
        number, other = study.best_number, study.recommended_number
        if other not in (None, number):
            screen.say(
                f"{what} is that of rank 1, trial {number}; the trial to use is {other}, with "
                f"--trial {other}."
            )
