"""The command line's arguments. Those left out keep the library's own defaults."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xortune.cli.completion import SHELLS, PrintCompletion
from xortune.cli.parser import Parser
from xortune.paths import DEFAULT_RESULTS, shipped_spaces
from xortune.settings import (
    AGGREGATES,
    DEVICES,
    PRUNERS,
    RUNGS,
    RUNNERS,
    SAMPLERS,
    RunOptions,
    StudySettings,
)
from xortune.spec import Parameter
from xortune.studies.notations import NONE, is_none
from xortune.studies.problems import DATA_NAMES, DEFAULT_DATA, ENGINES, SPEC, TASKS
from xortune.version import __version__

_STUDY, _RUN = StudySettings, RunOptions
FORMATS = ("table", "csv", "json", "markdown")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The parsed command line; exits with code 2 if it is invalid."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(2)
    return parser.parse_all(words)


def _parser() -> Parser:
    parser = Parser(
        prog="xortune",
        description="Hyperparameter search for small PyTorch models, thousands at a time.",
        epilog="Start with: xortune search --trials 50. Each command has --help.",
    )
    parser.add_argument("--version", action="version", version=f"xortune {__version__}")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, default=argparse.SUPPRESS,
        help="print a script that completes commands and options in that shell",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_search, _add_resume, _add_report, _add_predict, _add_tensorboard, _add_jobs):
        add(commands)
    return parser


def _add_search(commands: Any) -> None:
    parser = commands.add_parser(
        "search", help="search a space, and rank the trials", argument_default=argparse.SUPPRESS
    )
    target = _add_study_settings(parser)
    _flag(target, "--exist-ok", text="resume a study of that name with these settings")
    _add_results(target)
    _add_run_options(parser)


def _add_study_settings(parser: argparse.ArgumentParser) -> Any:
    """Adds the space and the recorded settings; returns the group for the study's location."""
    parser.add_argument(
        "space", nargs="?", default=None, metavar="SPACE",
        help=f"a search-space file, or a shipped one: {', '.join(shipped_spaces())} "
        "(default: the problem's own)",
    )  # fmt: skip
    subject = parser.add_argument_group("what is searched, by default the lab's problem")
    _add_subject(subject)
    answer = parser.add_argument_group("settings that decide the result, recorded in the study")
    examples = ", ".join(_narrowing(p) for p in SPEC.parameters if p.modelled)
    answer.add_argument(
        "--set", dest="narrow", action="append", metavar="NAME=VALUE",
        help=f"narrow the space: {examples}; once per parameter",
    )  # fmt: skip
    _option(answer, "--trials", "N", "trials of the study", int, _STUDY.trials)
    _option(answer, "--sampler", SAMPLERS, "the sampler of trials", default=_STUDY.sampler)
    _option(answer, "--study-seed", "N", "seeds the sampler", int, _STUDY.study_seed)
    _option(
        answer, "--objective", "NAME[:WAY]", "the metric that ranks the trials; WAY is max or min",
        default="the final loss",
    )  # fmt: skip
    answer.add_argument("--metric", metavar="NAME", help="another name of --objective")
    _option(
        answer, "--generation", "N", "trials proposed together", int,
        "for tpe a sixteenth, at least 10, or 27 with a pruner; for random all",
    )  # fmt: skip
    _option(
        answer, "--log-every", "N", "epochs between points of a curve", int,
        f"{SPEC.log_every} for the lab's problem, else a fiftieth of a trial's",
    )  # fmt: skip
    _option(
        answer, "--engine", ENGINES, "the engine that trains", default="auto, the fastest available"
    )
    _option(
        answer,
        "--cuda-share",
        "SHARE",
        "share of trials on cuda, with --device both",
        float,
        _STUDY.cuda_share,
    )
    _add_replicates(parser.add_argument_group("replicates and confirmation, recorded"))
    _add_pruning(parser.add_argument_group("pruning, recorded"))
    _add_stops(parser.add_argument_group("stops, recorded except --timeout"))
    target = parser.add_argument_group("location of the study")
    _option(target, "--name", "NAME", "the study's name", default="the problem, date and time")
    return target


def _add_replicates(group: Any) -> None:
    _option(
        group, "--replicates", "R", "trainings of each trial, with different seeds", int,
        f"{_STUDY.replicates}, or one per fold",
    )  # fmt: skip
    _option(
        group, "--folds", "K", "cross-validation: K parts of the rows, each validates in turn", int,
        "none",
    )  # fmt: skip
    _option(
        group, "--aggregate", AGGREGATES, "the replicates' objectives as one number",
        default=_STUDY.aggregate,
    )  # fmt: skip
    _add_confirmation(group, "from the work")


def _add_confirmation(group: Any, default: str) -> None:
    _option(
        group, "--confirm", "K:S", "train the best K trials on S further seeds, or none",
        default=default,
    )  # fmt: skip


def _add_pruning(group: Any) -> None:
    _option(
        group, "--pruner", PRUNERS, "ends poor trials of a generation early",
        default=_STUDY.pruner,
    )  # fmt: skip
    _option(
        group, "--rungs", "N", "how often it compares trials, at a third of the epochs, a ninth, "
        "and so on", int, RUNGS,
    )  # fmt: skip
    _option(
        group, "--rung-epochs", "E,E,...", "the epochs at which it compares trials",
        default="from --rungs",
    )  # fmt: skip


def _add_stops(group: Any, default: str = "none") -> None:
    """Adds the limits that end a search, or the new ones of a resume."""
    more = "" if default == "none" else ", or none"
    _option(
        group, "--stop-at", "VALUE", f"stop once the objective is this good{more}", _real_or_none,
        default,
    )  # fmt: skip
    _option(
        group, "--plateau", "N", f"stop after this many trials without a better one{more}",
        _whole_or_none, default,
    )  # fmt: skip
    _option(
        group, "--epoch-budget", "N", f"stop once the trials have trained this many epochs{more}",
        _whole_or_none, default,
    )  # fmt: skip
    _option(
        group, "--timeout", "TIME", "stop after this time, such as 90s, 10m or 1h30m",
        default="none",
    )  # fmt: skip


def _add_subject(group: Any) -> None:
    """Adds the options that say what is searched: data, or a function."""
    _option(
        group, "--data", "DATA", f"{' or '.join(DATA_NAMES)}, the lab's, or a table: a file that "
        "ends in .csv, .tsv, .parquet, .npz, .pt or the like", default=DEFAULT_DATA,
    )  # fmt: skip
    group.add_argument("--target", metavar="COLUMN", help="the table's column to learn")
    _option(group, "--task", TASKS, "how it is learnt", default="from its values")
    _option(
        group, "--split", "A/B/C", "percent of a table's rows for training, validation and test",
        default="60/20/20",
    )  # fmt: skip
    _option(group, "--split-seed", "N", "seeds the split", int, 0)
    group.add_argument(
        "--drop", action="append", metavar="COLUMN",
        help="leave a column of the table out; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--text", action="append", metavar="COLUMN",
        help="a column whose values are categories though they look like numbers; may be repeated",
    )  # fmt: skip
    _add_function(group)


def _add_function(group: Any) -> None:
    group.add_argument(
        "--problem", metavar="FILE.py[:NAME]", help="a file with an xortune.Problem: a function"
    )
    group.add_argument(
        "--include", action="append", metavar="FOLDER",
        help="a folder of modules that the file imports; may be repeated",
    )  # fmt: skip


def _narrowing(parameter: Parameter) -> str:
    """An example of `--set`."""
    if parameter.kind == "choice":
        return f"{parameter.name}={','.join(map(str, parameter.choices[:2]))}"
    if parameter.kind == "float":
        return f"{parameter.name}={parameter.default}"
    assert isinstance(parameter.default, int)
    return f"{parameter.name}={parameter.default // 20}..{parameter.default // 5}"


def _add_resume(commands: Any) -> None:
    parser = commands.add_parser(
        "resume", help="resume after a crash or an interruption, or to a larger total",
        argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    _add_study(parser)
    _option(parser, "--trials", "TOTAL", "the study's new total of trials", int, "as recorded")
    _flag(parser, "--force", text="resume with other software or another function than recorded")
    parser.add_argument("--data", metavar="FILE", help="the table that the study began with")
    _add_function(parser)
    _add_results(parser)
    changes = parser.add_argument_group("settings that a resume may change")
    _add_confirmation(changes, "as recorded")
    _add_stops(changes, "as recorded")
    _add_run_options(parser)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options of a run; may differ at every resume")
    _option(
        group, "--runner", RUNNERS, "Ray, this process (inline), or the faster one",
        default=_RUN.runner,
    )  # fmt: skip
    _option(
        group, "--address", "ADDRESS", "host:port of a Ray cluster, or auto", default="a local Ray"
    )
    _add_worker_options(group)
    output = parser.add_mutually_exclusive_group()
    _flag(output, "-q", "--quiet", text="print nothing but errors")
    _flag(output, "-v", "--verbose", text="show the log of Ray, and what functions print")


def _add_worker_options(group: Any) -> None:
    _option(group, "--workers", "N", "workers at once", int, "the cluster's CPUs")
    _option(group, "--pack-size", "N", "the most trials in a pack", int, "from the work in them")
    _option(group, "--device", DEVICES, "where packs are trained", default=_RUN.device)
    share = f"{_RUN.gpus_per_worker:g}"
    _option(group, "--gpus-per-worker", "SHARE", "share of a GPU per worker, on cuda", float, share)
    _option(group, "--retries", "N", "retries of a trial lost alone in its pack", int, _RUN.retries)
    _option(
        group, "--pack-timeout", "S", "the most seconds for a pack", float, "ten times its work"
    )
    _option(
        group, "--trial-timeout", "S", "the most seconds for a trial of a function", float, "none"
    )


def _add_report(commands: Any) -> None:
    parser = commands.add_parser("report", help="rank the trials of a study")
    _add_study(parser)
    parser.add_argument(
        "--top", type=_positive, metavar="N", help="best trials only (default: 10 in a table)"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="(default: table)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write here, not to standard output"
    )
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
    parser.add_argument("--data", metavar="FILE", help="with --luck, the table of the study")
    parser.set_defaults(problem=None, include=None)
    _add_function(parser)
    _add_results(parser, default=DEFAULT_RESULTS)


def _add_predict(commands: Any) -> None:
    parser = commands.add_parser("predict", help="ask a trained model")
    _add_study(parser)
    parser.add_argument("--trial", type=int, metavar="N", help="its number (default: the best)")
    parser.add_argument(
        "inputs", nargs="*", type=_finite, metavar="X",
        help="of the lab's problem, a row of inputs, such as 0 1",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FILE", help="of a table, rows like those that it was trained on"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the predictions of a table here, as CSV"
    )
    _add_results(parser, default=DEFAULT_RESULTS)


def _add_tensorboard(commands: Any) -> None:
    parser = commands.add_parser("tensorboard", help="browse a study's trials in TensorBoard")
    _add_study(parser)
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="the address to listen on (default: 127.0.0.1, so this machine only; TensorBoard "
        "asks for no password)",
    )  # fmt: skip
    parser.add_argument("--port", type=_port, default=6006, help="0 for a free one (default: 6006)")
    _add_results(parser, default=DEFAULT_RESULTS)


def _add_jobs(commands: Any) -> None:
    """The commands for searches that run as jobs of a cluster."""
    submit = commands.add_parser(
        "submit", help="search on a cluster, as a Ray job", argument_default=argparse.SUPPRESS
    )
    target = _add_study_settings(submit)
    submit.set_defaults(space=None)
    _flag(submit, "--resume", text="SPACE is the name of a study there: resume it")
    _flag(submit, "--force", text="resume it with other software or another function")
    target.add_argument(
        "--results", metavar="DIR", default="~/xortune-results",
        help="the folder of studies on the cluster's head (default: ~/xortune-results there)",
    )  # fmt: skip
    _add_worker_options(submit.add_argument_group("options of the run"))
    _add_job_server(submit)
    status = _add_job(commands, "status", "a job's status; all searches without JOB", nargs="?")
    formats = ("table", "json")
    status.add_argument("--format", choices=formats, default="table", help="(default: table)")
    logs = _add_job(commands, "logs", "the output of a job")
    _flag(logs, "-f", "--follow", text="until the job has ended")
    _add_job(commands, "wait", "wait for a job, and exit with its search's exit code")
    _add_job(commands, "stop", "stop a job; finished trials are kept")
    fetch = _add_job(commands, "fetch", "copy a job's study here, or update the copy")
    fetch.add_argument("--name", help="the study's name here (default: as there)")
    _add_results(fetch, default=DEFAULT_RESULTS)
    # `fetch` runs it on the cluster. Without help it is not listed.
    _add_study(commands.add_parser("snapshot"))


def _add_job(commands: Any, name: str, text: str, **nargs: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.add_argument("job", metavar="JOB", help="the id that submit printed", **nargs)
    _add_job_server(parser)
    return parser


def _add_job_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address", metavar="URL", default=None,
        help="of the cluster's job server "
        "(default: $RAY_API_SERVER_ADDRESS, or http://127.0.0.1:8265)",
    )  # fmt: skip
    parser.add_argument(
        "--proxy", metavar="URL", default=None,
        help="a proxy to it; it sees the token of an http address "
        "(default: $XORTUNE_PROXY, or none; http_proxy is not used)",
    )  # fmt: skip


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study", metavar="STUDY", help="its name in the results folder, or its folder's path"
    )


def _add_results(parser: Any, **default: Any) -> None:
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="the folder of studies (default: results)",
        **default,
    )  # fmt: skip


def _flag(parser: Any, *names: str, text: str) -> None:
    parser.add_argument(*names, action="store_true", help=text)


def _option(
    parser: Any,
    name: str,
    values: str | tuple[str, ...],
    text: str,
    kind: Callable[[str], object] = str,
    default: object = None,
) -> None:
    """Adds an option whose help names the default."""
    shape: dict[str, Any] = {"metavar": values} if isinstance(values, str) else {"choices": values}
    parser.add_argument(name, type=kind, help=f"{text} (default: {default})", **shape)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be a whole number of at least 1")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{value} must be a whole number from 0 to 65535")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} must be a finite number")
    return value


def _whole_or_none(text: str) -> int | str:
    return NONE if is_none(text) else int(text)


def _real_or_none(text: str) -> float | str:
    return NONE if is_none(text) else float(text)


_whole_or_none.__name__ = "whole number"
_real_or_none.__name__ = "number"
_positive.__name__ = _port.__name__ = "whole number"
_finite.__name__ = "number"
