"""`tensorboard`: serves a study's runs."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any

from xortune.cli.files import loaded
from xortune.cli.options import add_results, add_study, port
from xortune.cli.screen import Screen
from xortune.paths import DEFAULT_RESULTS


def add(commands: Any) -> None:
    parser = commands.add_parser("tensorboard", help="browse a study's trials in TensorBoard")
    parser.set_defaults(run=run)
    add_study(parser)
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="the address to listen on (default: 127.0.0.1, so this machine only; TensorBoard "
        "asks for no password)",
    )  # fmt: skip
    parser.add_argument("--port", type=port, default=6006, help="0 for a free one (default: 6006)")
    add_results(parser, default=DEFAULT_RESULTS)


def run(arguments: Namespace, screen: Screen) -> None:
    study = loaded(arguments)
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={study.paths.tensorboard}"]
    command += [f"--host={arguments.host}", f"--port={arguments.port}"]
    screen.out.flush()
    os.execv(sys.executable, command)
