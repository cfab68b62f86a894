"""`export-model`: a trained model as a file for other programs."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from xortune.cli.chosen_trial import add_trial, say_which
from xortune.cli.files import loaded
from xortune.cli.options import add_function, add_results, add_study, flag
from xortune.cli.screen import Screen
from xortune.paths import DEFAULT_RESULTS
from xortune.prints import hidden_prints


def add(commands: Any) -> None:
    parser = commands.add_parser("export-model", help="write a trained model for other programs")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument(
        "file", metavar="FILE", help="where to: a name that ends in .safetensors, .pt or .onnx"
    )
    add_trial(parser)
    add_function(parser)
    flag(
        parser,
        "--force",
        text="overwrite the file if it exists; take a module whose text has changed",
    )
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    named = {key: getattr(arguments, key) for key in ("problem", "include", "force")}
    with hidden_prints(shown=True):  # On standard error, as all that is not asked for.
        study.export(arguments.file, arguments.trial, **named)
    say_which(study, arguments, screen, "the model")
