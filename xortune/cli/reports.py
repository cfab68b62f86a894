"""The command `report`: a study's table, or one trial's trainings, or its luck on fresh seeds."""

from __future__ import annotations

import io
import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.screen import Screen, console_on
from xortune.errors import UsageError
from xortune.escaping import visible

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

    from xortune.studies.study import Study

SHOWN = 10  # trials of a table


def show_table(console: Console, study: Study, top: int) -> DataFrame:
    """Prints a study's summary and best trials; returns all of its trials."""
    from xortune.cli.recommendation import use_lines
    from xortune.cli.tables import summary_lines, trials_table

    trials, spec = study.trials, study.settings.spec
    summary = study.summary_of(trials)
    for line in summary_lines(study.name, summary, study.settings.trials):
        console.print(visible(line), soft_wrap=True)
    table = trials_table(trials.head(top), spec)
    console.print(table)
    lines = use_lines(summary, spec)
    if lines and table.caption:
        console.print()
    for line in (*lines, "") if lines else ():
        console.print(visible(line), soft_wrap=True)
    return trials


def loaded(arguments: Namespace) -> Study:
    """The study that a command names."""
    from xortune.studies.study import load

    return load(arguments.study, arguments.results)


def report(arguments: Namespace, screen: Screen) -> None:
    """Prints or writes the report; raises UsageError if its options do not fit together."""
    for name in ("seeds", "data", "problem", "include"):
        if arguments.luck is None and (value := getattr(arguments, name)) is not None:
            raise UsageError(f"--{name} {value}: is for --luck. Leave it out.")
    study = loaded(arguments)
    if arguments.output is None:
        _print_report(study, arguments, screen.out)
        return
    text = io.StringIO()
    _print_report(study, arguments, text)
    write(arguments.output, text.getvalue(), study)


def write(output: Path, text: str, study: Study) -> None:
    """Writes a command's output to a file, but never over a study's own."""
    try:
        folder = os.path.realpath(study.paths.folder)
        if Path(os.path.realpath(output)).is_relative_to(folder):
            raise UsageError(
                f"--output {output}: the study keeps its own files there. Choose another folder."
            )
        output.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: no file can have this name.
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"--output {output}: cannot be written: {reason}. Choose another file."
        ) from None


def _print_report(study: Study, arguments: Namespace, file: Any) -> None:
    if arguments.luck is not None:
        _print_luck(study, arguments, file)
    elif arguments.replicates_of is not None:
        _print_replicates(study, arguments, file)
    elif arguments.format == "table":
        show_table(console_on(file), study, arguments.top or SHOWN)
    else:
        trials = study.trials
        shown = trials.head(arguments.top or len(trials))
        if arguments.format == "json":
            from xortune.report import as_json

            file.write(as_json(study.described(), study.summary_of(trials), shown))
        else:
            file.write(_text_of(shown, arguments.format))


def _print_luck(study: Study, arguments: Namespace, file: Any) -> None:
    """Trains a trial on fresh seeds, and prints what it comes to."""
    named = {key: getattr(arguments, key) for key in ("data", "problem", "include")}
    found = study.luck(arguments.luck, arguments.seeds, **named)
    if arguments.format != "table":
        file.write(_text_of(found.to_frame().T, arguments.format))
        return
    from xortune.cli.recommendation import trial_lines

    spec, numbers = study.settings.spec, {str(key): value for key, value in found.items()}
    params = {name: numbers.pop(name) for name in spec.names if name in numbers}
    head = f"trial {numbers['number']}"
    for line in trial_lines(head, params, numbers, spec, study.settings.aggregate):
        console_on(file).print(visible(line), soft_wrap=True)


def _print_replicates(study: Study, arguments: Namespace, file: Any) -> None:
    """Prints the trainings of a trial."""
    trainings = study.replicates(arguments.replicates_of)
    shown = trainings.head(arguments.top or len(trainings))
    if arguments.format != "table":
        file.write(_text_of(shown, arguments.format))
        return
    from xortune.cli.tables import replicates_table

    console = console_on(file)
    parts = trainings["part"].value_counts(sort=False)
    counts = ", ".join(f"{count} of the {part}" for part, count in parts.items())
    console.print(f"trial {arguments.replicates_of}: trained {counts}", soft_wrap=True)
    console.print(replicates_table(shown, study.settings.spec))


def _text_of(frame: DataFrame, form: str) -> str:
    """A frame as CSV, Markdown or JSON, a list of its rows."""
    from xortune.report import as_csv, as_markdown, rows_as_json

    forms = {"csv": as_csv, "markdown": as_markdown, "json": rows_as_json}
    return forms[form](frame)
