"""`predict`: what a trained model answers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.cli.chosen_trial import add_trial, say_which
from xortune.cli.files import loaded, write
from xortune.cli.options import add_function, add_results, add_study, finite, flag
from xortune.cli.screen import Screen
from xortune.errors import UsageError
from xortune.paths import DEFAULT_RESULTS
from xortune.prints import hidden_prints
from xortune.studies.problems import kind_of

if TYPE_CHECKING:
    from xortune.studies.study import Study


def add(commands: Any) -> None:
    parser = commands.add_parser("predict", help="ask a trained model")
    parser.set_defaults(run=run)
    add_study(parser)
    add_trial(parser)
    parser.add_argument(
        "inputs", nargs="*", type=finite, metavar="X",
        help="of the lab's problem, a row of inputs, such as 0 1",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FILE",
        help="of a table or a module, rows like those that it was trained on",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the predictions for a file here, as CSV"
    )
    add_function(parser)
    flag(parser, "--force", text="ask a module whose text has changed, with a warning")
    flag(parser, "--explain", text="work the answer out step by step; of a table, its first row")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    number = study.best_number if arguments.trial is None else arguments.trial
    if (arguments.data is None) != bool(arguments.inputs):
        raise UsageError(
            "predict: give a row of inputs, such as 0 1, or for a table or a module --data FILE."
        )
    wanted = _wanted_file(study)
    if bool(wanted) != (arguments.data is not None):
        wanted = wanted or "no table: give a row, such as 0 1"
        raise UsageError(f"predict: study {study.name} searches {wanted}.")
    inputs = arguments.inputs if arguments.data is None else Path(arguments.data)
    if arguments.explain:
        text = study.explain(inputs, number)
    else:
        code = {key: getattr(arguments, key) for key in ("problem", "include", "force")}
        with hidden_prints(shown=True):  # On standard error, since predictions go to the other.
            answer = study.predict(number, inputs, **code)
        text = f"{answer:.6g}\n" if isinstance(answer, float) else answer.to_csv(index=False)
    say_which(study, arguments, screen, "the answer")
    if arguments.output is None:
        screen.out.write(text)
    else:
        write(arguments.output, text, study)


def _wanted_file(study: Study) -> str:
    """What a study searches whose models are asked by a file; empty where a row asks them."""
    kind = kind_of(study.settings.problem)
    if kind.named_by == "problem" and not kind.is_function:
        return "a module: give --data FILE, and --problem FILE.py"
    return "a table: give --data FILE" if kind.named_by == "data" else ""
