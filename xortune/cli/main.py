"""Runs a command, and turns errors into messages and exit codes."""

from __future__ import annotations

from argparse import Namespace

from xortune.cli.arguments import parse
from xortune.cli.commands.search import SEARCHING, how_to_resume
from xortune.cli.screen import Screen
from xortune.cli.signals import end_at_once, interruptible
from xortune.errors import Interrupted, UsageError, XortuneError
from xortune.wording import for_the_shell


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 for a failure while running, 2 for bad input, 128 and the
        signal's number for an interruption.
    """
    screen = Screen()
    try:
        with (
            for_the_shell(),
            interruptible(
                lambda signum: end_at_once(
                    screen, "stopped at once; what was finished is kept", signum
                )
            ),
        ):
            return _answer(parse(argv), screen)
    except Interrupted as interruption:
        # It came while _answer was printing its last words, or returning.
        return 128 + interruption.signum


def _answer(arguments: Namespace, screen: Screen) -> int:
    command = arguments.command
    quiet = getattr(arguments, "quiet", False)
    try:
        with screen.with_warnings(quiet):
            code = arguments.run(arguments, screen) or 0
    except UsageError as error:
        return _fail(screen, str(error), 2)
    except Interrupted as interruption:
        folder, is_search = interruption.folder, command in SEARCHING
        words = how_to_resume(folder, arguments) if is_search else "stopped"
        return _fail(screen, words, 128 + interruption.signum)
    except KeyboardInterrupt:
        return _fail(screen, "stopped", 130)
    except (XortuneError, OSError) as error:
        folder = getattr(error, "folder", None)
        how = "" if folder is None else f"\n{how_to_resume(folder, arguments)}"
        words = f"{error}{how}"
        return _fail(screen, words, 1)
    screen.out.flush()
    if screen.out.fault is not None:
        return _fail(screen, f"standard output cannot be written: {screen.out.fault}.", 1)
    # A search leaves its results on disk; of any other command the output was everything. The
    # reader of a pipe, such as `head`, leaves when it has enough.
    return 1 if screen.out.gone and command not in SEARCHING else code


def _fail(screen: Screen, message: str, code: int) -> int:
    screen.say(message)
    return code
