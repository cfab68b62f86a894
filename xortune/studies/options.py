"""The keywords of `search` and `resume`, for type checkers, editors and `help()`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from xortune.settings import (
    Aggregate,
    DeviceName,
    PrunerName,
    RunnerName,
    RunOptions,
    SamplerName,
    StudySettings,
)
from xortune.studies.problems import DEFAULT_DATA

if TYPE_CHECKING:
    from xortune.problems.table.tasks import Task

_F = TypeVar("_F", bound=Callable[..., Any])


class RunKeywords(TypedDict, total=False):
    """Keywords that may differ at every resume, as in `RunOptions`; None stands for the default.

    `timeout` is in seconds, or a text such as `"10m"` or `"1h30m"`; `"none"` is no limit.
    `tensorboard` is `"all"`, `"none"`, or a text such as `"top:100"`.
    """

    runner: RunnerName | None
    workers: int | None
    pack_size: int | None
    address: str | None
    device: DeviceName | None
    gpus_per_worker: float | None
    retries: int | None
    pack_timeout: float | None
    trial_timeout: float | None
    timeout: float | str | None
    tensorboard: str | None
    verbose: bool | None


class ResumeKeywords(RunKeywords, total=False):
    """Those of a run, and settings that a resume may change; None stands for the recorded one.

    `confirm` is a pair of numbers, how many trials and how many seeds, or a text such as
    `"32:256"`; `"none"` leaves it out, as False does, and lifts a limit. `mixed` lets workers
    train whose processor rounds differently from the first one's.
    """

    confirm: tuple[int, int] | str | Literal[False] | None
    stop_at: float | Literal["none"] | None
    plateau: int | Literal["none"] | None
    epoch_budget: int | Literal["none"] | None
    mixed: bool | None


class SearchKeywords(ResumeKeywords, total=False):
    """Keywords that decide the result.

    `data` is a shipped name, a table's file, a DataFrame, or arrays `(X, y)`; `target`, `task`,
    `split`, `split_seed`, `drop` and `text` are for tables. `problem` is an `xortune.Problem` or
    its file, with `include` for folders of modules that it imports. `objective` is a metric, such
    as `"accuracy:max"`; `metric` is its older name. `rungs` says how many rungs a pruner has, and
    `rung_epochs` where they are. The others are as in `StudySettings`.
    """

    trials: int | None
    sampler: SamplerName | None
    study_seed: int | None
    data: Any
    target: str | None
    task: Task | None
    split: str | Sequence[float] | None
    split_seed: int | None
    drop: Sequence[str] | None
    text: Sequence[str] | None
    problem: Any
    include: Sequence[str | Path] | None
    objective: str | None
    metric: str | None
    generation: int | None
    log_every: int | None
    cuda_share: float | None
    replicates: int | None
    folds: int | None
    aggregate: Aggregate | None
    pruner: PrunerName | None
    rungs: int | None
    rung_epochs: Sequence[int] | str | None


RUN_KEYWORDS = tuple(RunKeywords.__annotations__)
RESUME_KEYWORDS = (
    *(name for name in ResumeKeywords.__annotations__ if name not in RUN_KEYWORDS),
    *RUN_KEYWORDS,
)
SEARCH_KEYWORDS = (
    *(name for name in SearchKeywords.__annotations__ if name not in RUN_KEYWORDS),
    *RUN_KEYWORDS,
)


def shown_with(keywords: tuple[str, ...]) -> Callable[[_F], _F]:
    """Makes `help()` and notebooks show a function's keywords one by one, with defaults."""
    known = {f.name: f.default for kind in (StudySettings, RunOptions) for f in fields(kind)}
    known |= {"data": DEFAULT_DATA, "problem": None, "confirm": None, "rungs": None}

    def decorate(function: _F) -> _F:
        signature = inspect.signature(function)
        given = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        further = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=known.get(name))
            for name in keywords
            if name not in signature.parameters
        ]
        function.__signature__ = signature.replace(parameters=[*given, *further])  # type: ignore[attr-defined]
        return function

    return decorate
