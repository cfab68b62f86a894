"""The scripts by which a shell completes the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh")

_FILES, _FOLDERS = ("space", "output"), ("study", "results")
# Of the cluster's machine.
_ELSEWHERE = ("submit",)


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
    """The script that completes a parser's commands and options, and the names of files.

    Args:
        parser: of all commands; those without help are not offered.
        shell: one of `SHELLS`.
    """
    import shtab

    for action in _actions(parser):
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell=shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What every command takes of this machine."""
    for group in parser._actions:
        if isinstance(group, argparse._SubParsersAction):
            for name, command in group.choices.items():
                for action in command._actions:
                    if not (name in _ELSEWHERE and action.dest == "results"):
                        yield action
