"""`report`: a study's table or page, one trial's trainings, or its luck on fresh seeds."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.files import loaded, write
from xortune.cli.html_page import add_page, write_page
from xortune.cli.options import FORMATS, add_function, add_results, add_study, positive
from xortune.cli.results import SHOWN, show_table
from xortune.cli.screen import Screen, console_on
from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.paths import DEFAULT_RESULTS

if TYPE_CHECKING:
    from pandas import DataFrame

    from xortune.studies.study import Study

# The options that choose among trials and columns.
_SELECTING = ("where", "sort", "columns", "by")


def add(commands: Any) -> None:
    parser = commands.add_parser("report", help="rank the trials of a study")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument(
        "--top", type=positive, metavar="N", help="best trials only (default: 10 in a table)"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="(default: table)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write here, not to standard output"
    )
    _add_selection(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--replicates-of", type=int, metavar="N", help="instead, the trainings of one trial"
    )
    one.add_argument(
        "--luck", type=int, metavar="N", help="instead, train one trial on fresh seeds"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="S",
        help="how many, with --luck (default: those of the confirmation, and at least 8)",
    )
    add_page(parser, one)
    parser.add_argument(
        "--data", metavar="FILE",
        help="with --luck, the table of the study; with --html, to show its test rows",
    )  # fmt: skip
    parser.set_defaults(problem=None, include=None)
    add_function(parser)
    add_results(parser, default=DEFAULT_RESULTS)


def _add_selection(parser: Any) -> None:
    """Adds what chooses among the trials and columns."""
    parser.add_argument(
        "--where", metavar="CONDITION",
        help="only trials that match, such as \"state == 'FAIL' or final_loss > 0.1\"",
    )  # fmt: skip
    parser.add_argument(
        "--sort", metavar="COLUMN[:desc]", help="another order, by one or more columns: a:desc,b"
    )
    parser.add_argument(
        "--columns", metavar="A,B,...",
        help="these columns; `curve` is the curve as a line of characters",
    )  # fmt: skip
    parser.add_argument(
        "--by", metavar="A,B,...", help="groups of trials that are alike in these columns"
    )


def run(arguments: Namespace, screen: Screen) -> None:
    """Prints or writes the report; raises UsageError if its options do not fit together."""
    if arguments.html is not None:
        write_page(arguments, screen)
        return
    other = "luck" if arguments.luck is not None else "replicates_of"
    if getattr(arguments, other) is not None:
        for name in _SELECTING:
            if (value := getattr(arguments, name)) is not None:
                raise UsageError(
                    f"--{name} {value}: is for the ranking, and not for "
                    f"--{other.replace('_', '-')}. Leave one of them out."
                )
    for name in ("seeds", "data", "problem", "include"):
        if arguments.luck is None and (value := getattr(arguments, name)) is not None:
            purpose = "--luck and --html" if name == "data" else "--luck"
            raise UsageError(f"--{name} {value}: is for {purpose}. Leave it out.")
    if arguments.force:
        raise UsageError("--force: is for --html. Leave it out.")
    study = loaded(arguments)
    if arguments.output is None:
        _print_report(study, arguments, screen.out)
        return
    text = io.StringIO()
    _print_report(study, arguments, text)
    write(arguments.output, text.getvalue(), study)


def _print_report(study: Study, arguments: Namespace, file: Any) -> None:
    if arguments.luck is not None:
        _print_luck(study, arguments, file)
    elif arguments.replicates_of is not None:
        _print_replicates(study, arguments, file)
    elif any(getattr(arguments, name) is not None for name in _SELECTING):
        _print_selection(study, arguments, file)
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


def _print_selection(study: Study, arguments: Namespace, file: Any) -> None:
    """Prints what the options choose, as a table or for machines."""
    from xortune.cli.selection import print_selection, selection

    found = selection(study, arguments, plain=console_on(file).options.ascii_only)
    if arguments.format == "table":
        print_selection(study, found, arguments, file)
    elif arguments.format == "json" and not found.by:
        from xortune.report import as_json

        file.write(as_json(study.described(), study.summary_of(found.trials), found.shown))
    else:
        file.write(_text_of(found.shown, arguments.format))


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
    from xortune.cli.columns import print_table, width_on
    from xortune.cli.tables import replicates_table

    console = console_on(file)
    parts = trainings["part"].value_counts(sort=False)
    counts = ", ".join(f"{count} of the {part}" for part, count in parts.items())
    console.print(f"trial {arguments.replicates_of}: trained {counts}", soft_wrap=True)
    table = replicates_table(shown, study.settings.spec, width_on(console))
    print_table(console, table)


def _text_of(frame: DataFrame, form: str) -> str:
    """A frame as CSV, Markdown or JSON, a list of its rows."""
    from xortune.report import as_csv, as_markdown, rows_as_json

    forms = {"csv": as_csv, "markdown": as_markdown, "json": rows_as_json}
    return forms[form](frame)
