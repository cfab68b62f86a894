"""`best`: one trial, and what it has learned."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from xortune.cli.files import loaded
from xortune.cli.options import add_results, add_study
from xortune.cli.screen import Screen, console_on
from xortune.escaping import json_text, shell_word, visible
from xortune.paths import DEFAULT_RESULTS

if TYPE_CHECKING:
    from xortune.cli.best_trial import Found
    from xortune.studies.study import Study

_FORMATS = ("table", "json")


def add(commands: Any) -> None:
    parser = commands.add_parser("best", help="show the best trial, its weights and answers")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument("--trial", type=int, metavar="N", help="its number (default: the best)")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="(default: table)")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    from xortune.cli.best_trial import lines_of_trial

    study = loaded(arguments)
    found = _found(study, arguments.trial)
    if arguments.format == "json":
        screen.out.write(_json(study, found))
        return
    console = console_on(screen.out)
    plain = console.options.ascii_only
    for line in (*lines_of_trial(found, plain=plain), *_predict_lines(study, found)):
        console.print(visible(line), soft_wrap=True)


def _found(study: Study, number: int | None) -> Found:
    """What is known of a trial; raises UsageError if it does not exist."""
    from xortune.cli.best_trial import Found
    from xortune.report import facts, plain_rows
    from xortune.studies.curves import curves_of
    from xortune.studies.trained import Trained, trained_of

    number = study.best_number if number is None else number
    trials, spec = study.trials, study.settings.spec
    chosen = trials[trials["number"] == number]
    if chosen.empty:
        study.curves(number)  # It raises the error that names the trials.
    (row,) = plain_rows(chosen)
    summary = study.summary_of(trials)
    confirmed = summary.get("confirmation", {}).get("trials", ())
    entry = next((one for one in confirmed if one["number"] == number), None)
    tests = (summary.get("test"), summary.get("test_of_recommended"))
    return Found(
        study.name,
        study.settings,
        row,
        summary,
        curves_of(study, [number])[number],
        trained_of(study, number) if row["state"] == "COMPLETE" else Trained(),
        None if entry is None else facts(spec, entry),
        next((test for test in tests if test and test["number"] == number), None),
    )


def _predict_lines(study: Study, found: Found) -> list[str]:
    words = _predict_command(study, found)
    return [] if words is None else ["", f"predict: {words}"]


def _predict_command(study: Study, found: Found) -> str | None:
    """The command that asks this model; None without a model."""
    from xortune.studies.trained import predicting

    given, number = predicting(study, found.row["number"], found.trained), found.row["number"]
    if not given:
        return None
    inputs = "".join(f" {value:g}" for value in given.get("inputs", ()))
    data = f" --data {given['data']}" if "data" in given else ""
    code = f" --problem {shell_word(given['problem'])}" if "problem" in given else ""
    trial = "" if found.row["rank"] == 1 else f" --trial {number}"
    folder = shell_word(str(study.paths.folder))
    return f"python -m xortune predict {folder}{inputs}{data}{code}{trial}"


def _json(study: Study, found: Found) -> str:
    import json

    from xortune.studies.trained import nested

    trained = found.trained
    examples = () if trained.examples is None else trained.examples.rows
    content = {
        "study": {"name": study.name, "folder": str(study.paths.folder)},
        "trial": found.row,
        "confirmation": found.confirmed,
        "recommended": found.summary.get("recommended"),
        "test": found.test,
        "curve": {"epoch": found.curve.epochs, **found.finite_curve},
        "weights": {array.name: nested(array) for array in trained.arrays},
        "examples": [example._asdict() for example in examples],
        "predict": _predict_command(study, found),
    }
    return json_text(json.dumps(content, indent=2, allow_nan=False)) + "\n"
