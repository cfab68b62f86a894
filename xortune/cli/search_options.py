"""The options of a search, which `search`, `resume` and `submit` share."""

from __future__ import annotations

import argparse
from typing import Any

from xortune.cli.options import add_function, flag, option, real_or_none, whole_or_none
from xortune.paths import shipped_spaces
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
from xortune.studies.problems import DATA_NAMES, DEFAULT_DATA, ENGINES, SPEC, TASKS

_STUDY, _RUN = StudySettings, RunOptions


def add_study_settings(parser: argparse.ArgumentParser) -> Any:
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
    option(answer, "--trials", "N", "trials of the study", int, _STUDY.trials)
    option(answer, "--sampler", SAMPLERS, "the sampler of trials", default=_STUDY.sampler)
    option(answer, "--study-seed", "N", "seeds the sampler", int, _STUDY.study_seed)
    option(
        answer, "--objective", "NAME[:WAY]", "the metric that ranks the trials; WAY is max or min",
        default="the final loss",
    )  # fmt: skip
    answer.add_argument("--metric", metavar="NAME", help="another name of --objective")
    option(
        answer, "--generation", "N", "trials proposed together", int,
        "for tpe a sixteenth, at least 10 (5 in C, and in stacks a quarter, up to 64), or 27 with "
        "a pruner; for random all",
    )  # fmt: skip
    option(
        answer, "--log-every", "N", "epochs between points of a curve", int,
        f"{SPEC.log_every} for the lab's problem, else a fiftieth of a trial's",
    )  # fmt: skip
    answer.add_argument(
        "--engine", choices=ENGINES, metavar="ENGINE",
        help=f"the engine that trains: {', '.join(ENGINES[1:])} (default: auto, the fastest "
        "available)",
    )  # fmt: skip
    option(
        answer,
        "--cuda-share",
        "SHARE",
        "share of trials on cuda, with --device both",
        float,
        _STUDY.cuda_share,
    )
    add_mixed(answer)
    _add_replicates(parser.add_argument_group("replicates and confirmation, recorded"))
    _add_pruning(parser.add_argument_group("pruning, recorded"))
    add_stops(parser.add_argument_group("stops, recorded except --timeout"))
    target = parser.add_argument_group("location of the study")
    option(target, "--name", "NAME", "the study's name", default="the problem, date and time")
    return target


def _add_subject(group: Any) -> None:
    """Adds the options that say what is searched: data, or a function."""
    option(
        group, "--data", "DATA", f"{' or '.join(DATA_NAMES)}, the lab's, or a table: a file that "
        "ends in .csv, .tsv, .parquet, .npz, .pt or the like", default=DEFAULT_DATA,
    )  # fmt: skip
    group.add_argument("--target", metavar="COLUMN", help="the table's column to learn")
    option(group, "--task", TASKS, "how it is learnt", default="from its values")
    option(
        group, "--split", "A/B/C", "percent of a table's rows for training, validation and test",
        default="60/20/20",
    )  # fmt: skip
    option(group, "--split-seed", "N", "seeds the split", int, 0)
    group.add_argument(
        "--drop", action="append", metavar="COLUMN",
        help="leave a column of the table out; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--text", action="append", metavar="COLUMN",
        help="a column whose values are categories though they look like numbers; may be repeated",
    )  # fmt: skip
    add_function(group)


def _narrowing(parameter: Parameter) -> str:
    """An example of `--set`."""
    if parameter.kind == "choice":
        return f"{parameter.name}={','.join(map(str, parameter.choices[:2]))}"
    if parameter.kind == "float":
        return f"{parameter.name}={parameter.default}"
    assert isinstance(parameter.default, int)
    return f"{parameter.name}={parameter.default // 20}..{parameter.default // 5}"


def _add_replicates(group: Any) -> None:
    option(
        group, "--replicates", "R", "trainings of each trial, with different seeds", int,
        f"{_STUDY.replicates}, or one per fold",
    )  # fmt: skip
    option(
        group, "--folds", "K", "cross-validation: K parts of the rows, each validates in turn", int,
        "none",
    )  # fmt: skip
    option(
        group, "--aggregate", AGGREGATES, "the replicates' objectives as one number",
        default=_STUDY.aggregate,
    )  # fmt: skip
    add_confirmation(group, "from the work")


def add_confirmation(group: Any, default: str) -> None:
    """Adds the seeds on which the best trials are trained again."""
    option(
        group, "--confirm", "K:S", "train the best K trials on S further seeds, or none",
        default=default,
    )  # fmt: skip


def _add_pruning(group: Any) -> None:
    option(
        group, "--pruner", PRUNERS, "ends poor trials of a generation early",
        default=_STUDY.pruner,
    )  # fmt: skip
    option(
        group, "--rungs", "N", "how often it compares trials, at a third of the epochs, a ninth, "
        "and so on", int, RUNGS,
    )  # fmt: skip
    option(
        group, "--rung-epochs", "E,E,...", "the epochs at which it compares trials",
        default="from --rungs",
    )  # fmt: skip


def add_mixed(group: Any) -> None:
    """Adds what lets kinds of processor differ."""
    flag(group, "--mixed", text="accept processors that round differently from the first one")


def add_stops(group: Any, default: str = "none") -> None:
    """Adds the limits that end a search, or the new ones of a resume."""
    more = "" if default == "none" else ", or none"
    option(
        group, "--stop-at", "VALUE", f"stop once the objective is this good{more}", real_or_none,
        default,
    )  # fmt: skip
    option(
        group, "--plateau", "N", f"stop after this many trials without a better one{more}",
        whole_or_none, default,
    )  # fmt: skip
    option(
        group, "--epoch-budget", "N", f"stop once the trials have trained this many epochs{more}",
        whole_or_none, default,
    )  # fmt: skip
    option(
        group, "--timeout", "TIME", "stop after this time, such as 90s, 10m or 1h30m",
        default="none",
    )  # fmt: skip


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Adds what may differ at every resume."""
    group = parser.add_argument_group("options of a run; may differ at every resume")
    option(
        group, "--runner", RUNNERS, "Ray, this process (inline), or the faster one",
        default=_RUN.runner,
    )  # fmt: skip
    option(
        group, "--address", "ADDRESS", "host:port of a Ray cluster, or auto", default="a local Ray"
    )
    add_worker_options(group)
    output = parser.add_mutually_exclusive_group()
    flag(output, "-q", "--quiet", text="print nothing but errors")
    flag(output, "-v", "--verbose", text="show the log of Ray, and what the problem's code prints")


def add_worker_options(group: Any) -> None:
    """Adds what a run's workers are."""
    option(group, "--workers", "N", "workers at once", int, "the cluster's CPUs")
    option(group, "--pack-size", "N", "the most trials in a pack", int, "from the work in them")
    option(group, "--device", DEVICES, "where packs are trained", default=_RUN.device)
    share = f"{_RUN.gpus_per_worker:g}"
    option(group, "--gpus-per-worker", "SHARE", "share of a GPU per worker, on cuda", float, share)
    option(group, "--retries", "N", "retries of a trial lost alone in its pack", int, _RUN.retries)
    option(group, "--pack-timeout", "S", "the most seconds for a pack", float, "ten times its work")
    option(
        group, "--trial-timeout", "S", "the most seconds for a trial of a function", float, "none"
    )
    option(
        group, "--tensorboard", "RUNS", "the trials with a TensorBoard run: all, top:K for the K "
        "best at the end, or none", default=_RUN.tensorboard,
    )  # fmt: skip
