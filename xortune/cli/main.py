"""Calls the library, prints, and turns errors into exit codes: nobody else does."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.arguments import parse
from xortune.errors import Interrupted, UsageError, XortuneError

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

    from xortune.study import Study

_SHOWN = 10


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 for a failure while running, 2 for bad input, 128 and the
        signal's number for an interruption.
    """
    arguments = parse(argv)
    try:
        _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except UsageError as error:
        return _fail(str(error), 2)
    except Interrupted as interruption:
        return _fail(_how_to_go_on(interruption.folder), 128 + interruption.signum)
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except BrokenPipeError:
        # The reader has seen enough; keep Python from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (XortuneError, OSError) as error:
        return _fail(str(error), 1)
    return 0


def _search(arguments: Namespace) -> None:
    from xortune.study import search

    settings = vars(arguments)
    space = settings.pop("space")
    _run(settings, lambda **rest: search(space, **rest))


def _resume(arguments: Namespace) -> None:
    from xortune.study import resume

    settings = vars(arguments)
    study = settings.pop("study")
    _run(settings, lambda **rest: resume(study, **rest))


def _run(settings: dict[str, Any], command: Callable[..., Study]) -> None:
    from xortune.cli.progress import ProgressView

    settings.pop("command")
    quiet = settings.pop("quiet", False)
    if quiet:
        logging.getLogger("xortune").setLevel(logging.ERROR)
    with ProgressView(_console(stderr=True), quiet) as view:
        study = command(on_progress=view, **settings)
    if not quiet:
        _show_result(study)


def _show_result(study: Study) -> None:
    console = _console()
    _show_table(console, study, _SHOWN)
    folder = shlex.quote(str(study.paths.folder))
    for label, text in (
        ("ledger", f"{study.paths.ledger}"),
        ("tables", f"{study.paths.trials_csv}, {study.paths.trials_parquet.name}"),
        ("runs", f"{study.paths.tensorboard}"),
        ("report", f"python -m xortune report {folder}"),
        ("browse", f"python -m xortune tensorboard {folder}"),
        ("go on", f"python -m xortune resume {folder} --trials {2 * study.settings.trials}"),
    ):
        console.print(f"{label:7} {text}", highlight=False, soft_wrap=True)


def _show_table(console: Console, study: Study, top: int) -> None:
    from xortune.cli.tables import summary_lines, trials_table

    trials = study.trials
    for line in summary_lines(study.name, _summary(study, trials)):
        console.print(line, highlight=False, soft_wrap=True)
    console.print(trials_table(trials.head(top)))


def _summary(study: Study, trials: DataFrame) -> dict[str, Any]:
    """As `Study.summary`, of trials that were read already."""
    from xortune.report import summarise, summarise_time

    return {**summarise(trials), "time": summarise_time(study.runs())}


def _report(arguments: Namespace) -> None:
    from xortune.study import load

    study = load(arguments.study, arguments.results)
    if arguments.output is None:
        _print_report(study, arguments, sys.stdout)
        return
    try:
        with arguments.output.open("w", encoding="utf-8") as file:
            _print_report(study, arguments, file)
    except OSError as error:
        raise UsageError(
            f"--output {arguments.output}: cannot be written: {error.strerror}. "
            "Choose another file."
        ) from None


def _print_report(study: Study, arguments: Namespace, file: Any) -> None:
    from xortune.report import as_csv, as_json, as_markdown

    if arguments.format == "table":
        _show_table(_console(file=file), study, arguments.top or _SHOWN)
        return
    trials = study.trials
    shown = trials.head(arguments.top or len(trials))
    if arguments.format == "csv":
        file.write(as_csv(shown))
    elif arguments.format == "json":
        file.write(as_json(study.described(), _summary(study, trials), shown))
    else:
        file.write(as_markdown(shown))


def _predict(arguments: Namespace) -> None:
    from xortune.study import load

    study = load(arguments.study, arguments.results)
    number = int(study.best["number"]) if arguments.trial is None else arguments.trial
    model = study.model(number)
    from xortune.lab import predict

    print(f"{predict(model, arguments.inputs):.6g}")


def _tensorboard(arguments: Namespace) -> None:
    from xortune.study import load

    study = load(arguments.study, arguments.results)
    command = [sys.executable, "-m", "tensorboard.main"]
    command += ["--logdir", str(study.paths.tensorboard), "--host", "127.0.0.1"]
    command += ["--port", str(arguments.port)]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _job_command(arguments: Namespace) -> None:
    from xortune.cli.jobs import COMMANDS

    study = COMMANDS[arguments.command](arguments)
    if study is not None:
        _show_result(study)


def _how_to_go_on(folder: Path | None) -> str:
    if folder is None:
        return "stopped before anything was begun"
    command = f"python -m xortune resume {shlex.quote(str(folder))}"
    return f"stopped; what was finished is kept. Go on with: {command}"


def _fail(message: str, code: int) -> int:
    print(f"xortune: {message}", file=sys.stderr)
    return code


def _console(stderr: bool = False, file: Any = None) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, file=file, highlight=False)


_COMMANDS: dict[str, Callable[[Namespace], None]] = {
    "search": _search,
    "resume": _resume,
    "report": _report,
    "predict": _predict,
    "tensorboard": _tensorboard,
    **dict.fromkeys(("submit", "status", "logs", "stop", "fetch", "snapshot"), _job_command),
}
