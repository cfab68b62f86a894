"""A study on standard output: its summary, its best trials, and the commands that may follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xortune.cli.screen import Screen, console_on
from xortune.escaping import shell_word, visible
from xortune.studies.problems import kind_of

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

    from xortune.studies.study import Study

SHOWN = 10  # trials of a table


def show_result(study: Study, screen: Screen, named: str = "") -> None:
    """Prints a study; `named` is as `named_again` gives it, by default as the study knows it."""
    console = console_on(screen.out)
    show_table(console, study, SHOWN)
    folder = shell_word(str(study.paths.folder))
    has_runs = study.paths.tensorboard.is_dir()
    for label, text in (
        ("ledger", f"{study.paths.ledger}"),
        ("tables", f"{study.paths.trials_csv}, {study.paths.trials_parquet.name}"),
        *([("runs", f"{study.paths.tensorboard}")] if has_runs else []),
        ("report", f"python -m xortune report {folder}"),
        ("html", f"python -m xortune report {folder} --html"),
        *([("browse", f"python -m xortune tensorboard {folder}")] if has_runs else []),
        *_predict_command(study, folder),
        *_resume_command(study, named),
    ):
        console.print(f"{label:7} {visible(text)}", soft_wrap=True)


def show_table(console: Console, study: Study, top: int) -> DataFrame:
    """Prints a study's summary and best trials; returns all of its trials."""
    from xortune.cli.columns import print_table, width_on
    from xortune.cli.recommendation import use_lines
    from xortune.cli.tables import searched_parameters, summary_lines, trials_table

    trials, spec = study.trials, study.settings.spec
    summary = study.summary_of(trials)
    for line in summary_lines(study.name, summary, study.settings.trials):
        console.print(visible(line), soft_wrap=True)
    searched = searched_parameters(trials, spec)
    table = trials_table(trials.head(top), spec, width_on(console), searched)
    print_table(console, table)
    lines = use_lines(summary, spec)
    if lines and table.caption:
        console.print()
    for line in (*lines, "") if lines else ():
        console.print(visible(line), soft_wrap=True)
    return trials


def _predict_command(study: Study, folder: str) -> list[tuple[str, str]]:
    """The command that asks a table's model: the recommended one, if that is not rank 1."""
    if kind_of(study.settings.problem).named_by != "data":
        return []
    number = study.recommended_number
    which = "" if number is None or number == study.best_number else f" --trial {number}"
    return [("predict", f"python -m xortune predict {folder} --data NEW.csv{which}")]


def _resume_command(study: Study, named: str) -> list[tuple[str, str]]:
    """The command that finishes a study, or extends it where the space has more points."""
    from xortune.studies.reproduction import resume_command

    found = resume_command(study, named)
    return [] if found is None else [("resume", found[1])]
