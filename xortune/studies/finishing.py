"""The rest of a search once everything is chosen: training, runs, test rows, tables and times."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xortune.errors import HopelessError, Interrupted, XortuneError
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.paths import StudyPaths
from xortune.space import load_space
from xortune.studies.held_out import record_test
from xortune.studies.problems import has_test_rows, kind_of, problem_of
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import Engine
    from xortune.loop.runner import Runner
    from xortune.loop.search import Progress
    from xortune.studies.problems.subject import Subject

_log = logging.getLogger("xortune")
_MANY_RUNS = 20_000


@dataclass(frozen=True)
class Watch:
    """The companions of a run: its clock, its observer, and its signals."""

    clock: Clock
    observer: Callable[[Progress], None]
    stop: StopSignal


@dataclass(frozen=True)
class Training:
    """What trains the rest of a study."""

    runner: Runner
    engine: Engine
    timeout: float | None  # seconds of the run after which no pack is begun


def finish(
    ledger: Ledger,
    paths: StudyPaths,
    training: Training | None,
    subject: Subject | None,
    watch: Watch,
    best_with_runs: int | None,
) -> None:
    """Trains the rest, if anything is to be trained, and writes runs, tables and times.

    `best_with_runs` is as in `RunOptions`.
    """
    from xortune.loop.run_queue import RunQueue
    from xortune.loop.search import Search
    from xortune.tensorboard.runs import RunWriter

    clock, stop, settings = watch.clock, watch.stop, ledger.settings()
    space = load_space(settings.space, settings.spec)
    # Of a module only its code, which the study does not keep, has a graph.
    problem = problem_of(settings) if subject is None else subject.problem
    runs = RunQueue(RunWriter(paths, space, problem.graph), clock, best_with_runs)

    if training is not None and best_with_runs is None and settings.trials > _MANY_RUNS:
        _log.warning(
            f"study {paths.name}: {settings.trials} trials write as many TensorBoard runs, about "
            "8 KB each, and TensorBoard keeps all of their files open. "
            f"{option('tensorboard', 'top:1000')} writes those of the best trials alone."
        )

    def train() -> None:
        if training is None:
            runs.add_missing(ledger, ledger.trials())
            return
        timeout = math.inf if training.timeout is None else training.timeout
        search = Search(
            ledger,
            training.engine,
            runs,
            clock,
            watch.observer,
            stop.check,
            lambda: clock.elapsed() >= timeout,
        )
        try:
            with stop.errors_as_interrupts():
                training.runner.run(search)
            search.conclude()
        except XortuneError as error:
            if not isinstance(error, HopelessError):
                error.folder = paths.folder
            raise

    def write_runs() -> None:
        runs.write_all()
        runs.write_best(ledger)

    def write_tables() -> None:
        from xortune.report import tabulate

        with clock.writing():
            tabulate(ledger, paths)

    def test() -> None:
        # Of a search that was stopped nobody is to choose by the test rows.
        if not has_test_rows(settings):
            return
        if subject is not None:
            record_test(ledger, subject)
        elif "test" not in ledger.findings():
            _log.warning(
                f"study {paths.name}: its test rows were not measured. Resume it once more, with "
                f"{option(kind_of(settings.problem).named_by or 'data')}."
            )

    def record_times() -> None:
        if training is not None:
            ledger.add_run(clock.total(training.runner.workers))
        elif os.path.lexists(paths.journal):
            # A kill left it before anything was in it: any transaction removes it.
            ledger.record(ledger.settings(), ledger.provenance())

    _try_all((train, write_runs, test, write_tables, record_times), paths.folder)


def _try_all(parts: Iterable[Callable[[], None]], folder: Path) -> None:
    """Calls all parts, and then raises the first error."""
    failures: list[BaseException] = []
    for part in parts:
        try:
            part()
        except Interrupted as interruption:
            failures.append(Interrupted(interruption.signum, folder))
        except BaseException as error:
            failures.append(error)
    if failures:
        raise failures[0]
