"""The commands: they call the library, print, and turn errors into exit codes."""

from __future__ import annotations

import math
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from xortune.cli.arguments import parse
from xortune.cli.reports import SHOWN, loaded, report, show_table, write
from xortune.cli.screen import Screen, console_on
from xortune.cli.signals import interruptible, kill_descendants
from xortune.errors import Interrupted, UsageError, XortuneError
from xortune.escaping import shell_word, visible
from xortune.interrupt import StopSignal
from xortune.studies.problems import DATA_NAMES, kind_of
from xortune.wording import for_the_shell

if TYPE_CHECKING:
    from pandas import DataFrame

    from xortune.studies.study import Study

_SEARCHING = ("search", "resume")


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
                lambda signum: _end(screen, "stopped at once; what was finished is kept", signum)
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
            code = _COMMANDS[command](arguments, screen) or 0
    except UsageError as error:
        return _fail(screen, str(error), 2)
    except Interrupted as interruption:
        folder, is_search = interruption.folder, command in _SEARCHING
        words = _how_to_resume(folder, arguments) if is_search else "stopped"
        return _fail(screen, words, 128 + interruption.signum)
    except KeyboardInterrupt:
        return _fail(screen, "stopped", 130)
    except (XortuneError, OSError) as error:
        folder = getattr(error, "folder", None)
        how = "" if folder is None else f"\n{_how_to_resume(folder, arguments)}"
        words = f"{error}{how}"
        return _fail(screen, words, 1)
    screen.out.flush()
    if screen.out.fault is not None:
        return _fail(screen, f"standard output cannot be written: {screen.out.fault}.", 1)
    # A search leaves its results on disk. Of any other command the output was everything.
    return 1 if screen.out.unread and command not in _SEARCHING else code


def _end(screen: Screen, words: str, signum: int) -> NoReturn:
    """Ends this process at once, as if killed. Studies survive that."""
    kill_descendants()
    screen.urgent(f"xortune: {words}")
    os._exit(128 + signum)


def _run(arguments: Namespace, screen: Screen) -> None:
    """The commands `search` and `resume`: calls the function of that name."""
    settings = vars(arguments)
    command = settings.pop("command")
    subject = settings.pop("space" if command == "search" else "study")
    quiet = settings.pop("quiet", False)

    def say_so(signum: int) -> None:
        if not quiet and screen.err.isatty():
            screen.urgent("xortune: stopping; Ctrl-C once more stops at once")

    def end(signum: int) -> NoReturn:
        _end(screen, _how_to_resume(None, arguments), signum)

    with StopSignal(say_so, end) as stop:
        from xortune.cli.progress import ProgressView

        with ProgressView(screen, quiet) as view:
            from xortune.studies import searches

            function = getattr(searches, command)
            study = function(subject, on_progress=view, stop=stop, **settings)
    if not quiet:
        _show_result(study, screen, _named_again(arguments))
    if not study.has_complete_trial:
        raise XortuneError(f"no trial of study {study.name} is complete.")


def _show_result(study: Study, screen: Screen, named: str = "") -> None:
    """Prints a study; `named` is as `_named_again` gives it, by default as the study knows it."""
    console = console_on(screen.out)
    trials = show_table(console, study, SHOWN)
    folder = shell_word(str(study.paths.folder))
    for label, text in (
        ("ledger", f"{study.paths.ledger}"),
        ("tables", f"{study.paths.trials_csv}, {study.paths.trials_parquet.name}"),
        ("runs", f"{study.paths.tensorboard}"),
        ("report", f"python -m xortune report {folder}"),
        ("browse", f"python -m xortune tensorboard {folder}"),
        *_predict_command(study, folder),
        *_next_command(study, trials, folder, named or _subject(study)),
    ):
        console.print(f"{label:7} {visible(text)}", soft_wrap=True)


def _predict_command(study: Study, folder: str) -> list[tuple[str, str]]:
    """The command that asks a table's best model."""
    if kind_of(study.settings.problem).named_by != "data":
        return []
    return [("predict", f"python -m xortune predict {folder} --data NEW.csv")]


def _next_command(
    study: Study, trials: DataFrame, folder: str, named: str
) -> list[tuple[str, str]]:
    """The command that finishes a study, or extends it where the space has more points."""
    total, most = study.settings.trials, study.most_trials
    if trials["state"].isin(["RUNNING", "WAITING"]).any() or len(trials) < total:
        return [("resume", f"python -m xortune resume {folder}{named}{_without_its_limit(study)}")]
    if most is not None and total >= most:
        return []
    larger = min(2 * total, most or math.inf)
    return [("resume", f"python -m xortune resume {folder}{named} --trials {larger}")]


def _without_its_limit(study: Study) -> str:
    """The option that lifts the limit which ended a search, with a space before it."""
    by = study.stopped_by
    return "" if by is None or by == "timeout" else f" --{by.replace('_', '-')} none"


def _named_again(arguments: Namespace) -> str:
    """The options that name a search's data or function again, with a space before each."""
    given = vars(arguments)
    words = [(key, given[key]) for key in ("data", "problem") if given.get(key) is not None]
    words += [("include", folder) for folder in given.get("include") or ()]
    return "".join(f" --{key} {shell_word(text)}" for key, text in words if text not in DATA_NAMES)


def _subject(study: Study) -> str:
    """Likewise, with the names that the study knows, which have no folders."""
    settings = study.settings
    if file := settings.problem.get("file"):
        return f" --problem {shell_word(str(file))}"
    return f" --data {shell_word(settings.data)}" if settings.problem and settings.data else ""


def _predict(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    number = study.best_number if arguments.trial is None else arguments.trial
    if (arguments.data is None) != bool(arguments.inputs):
        raise UsageError("predict: give a row of inputs, such as 0 1, or for a table --data FILE.")
    is_table = kind_of(study.settings.problem).named_by == "data"
    if is_table != (arguments.data is not None):
        wanted = "a table: give --data FILE" if is_table else "no table: give a row, such as 0 1"
        raise UsageError(f"predict: study {study.name} searches {wanted}.")
    inputs = arguments.inputs if arguments.data is None else Path(arguments.data)
    answer = study.predict(number, inputs)
    if arguments.trial is None and (other := study.recommended_number) not in (None, number):
        screen.say(
            f"the answer is that of rank 1, trial {number}; the trial to use is {other}, with "
            f"--trial {other}."
        )
    text = f"{answer:.6g}\n" if isinstance(answer, float) else answer.to_csv(index=False)
    if arguments.output is None:
        screen.out.write(text)
    else:
        write(arguments.output, text, study)


def _tensorboard(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={study.paths.tensorboard}"]
    command += [f"--host={arguments.host}", f"--port={arguments.port}"]
    screen.out.flush()
    os.execv(sys.executable, command)


def _job_command(arguments: Namespace, screen: Screen) -> int | None:
    from xortune.cli.jobs import COMMANDS

    found = COMMANDS[arguments.command](arguments, screen)
    if found is None or isinstance(found, int):
        return found
    _show_result(found, screen)
    return 0


def _how_to_resume(folder: Path | None, arguments: Namespace) -> str:
    if folder is None:
        return "stopped before anything was started"
    command = f"python -m xortune resume {shell_word(str(folder))}{_named_again(arguments)}"
    return f"stopped; what was finished is kept. Resume with: {command}"


def _fail(screen: Screen, message: str, code: int) -> int:
    screen.say(message)
    return code


_COMMANDS: dict[str, Callable[[Namespace, Screen], int | None]] = {
    "search": _run,
    "resume": _run,
    "report": report,
    "predict": _predict,
    "tensorboard": _tensorboard,
    **dict.fromkeys(
        ("submit", "status", "logs", "wait", "stop", "fetch", "snapshot"), _job_command
    ),
}
