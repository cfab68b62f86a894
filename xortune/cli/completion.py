"""Scripts that complete the command line in a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh")

_FILES, _FOLDERS = ("space", "output"), ("study", "studies", "results")


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and exits."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        sys.stdout.write(f"{completion(parser, str(values))}\n")
        parser.exit()


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes a parser's listed commands, their options, and file names."""
    import shtab

    for action in _actions(parser):
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell=shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of every command, without a folder on the cluster."""
    for group in parser._actions:
        if isinstance(group, argparse._SubParsersAction):
            for name, command in group.choices.items():
                for action in command._actions:
                    if (name, action.dest) != ("submit", "results"):
                        yield action
