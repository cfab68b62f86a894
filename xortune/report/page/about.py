"""What a page says of a study beside its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Command(NamedTuple):
    """A command to paste into a shell, already quoted for it."""

    purpose: str  # what it does, as a sentence
    text: str


@dataclass(frozen=True)
class About:
    """The state of a study, the commands that concern it, and what a page lacks."""

    total: int | None = None  # the trials that the study is to have; None for those that it has
    is_running: bool = False  # whether a search is at work on it
    reproduce: Sequence[Command] = ()
    space_text: str = ""  # the search space as a file, for the commands that name `space.yaml`
    resume: Command | None = None
    confirm: Command | None = None  # where no trial was confirmed
    confirm_words: str = ""  # how to, where no numbers can be advised
    test_rows: str = ""  # why the page does not show the predictions of test rows
    add_test_rows: Command | None = None  # the command that adds them
