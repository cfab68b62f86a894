"""Chooses the runner of a search: this process, or workers on Ray."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from xortune.engines.devices import usable_device
from xortune.engines.engine import Pace
from xortune.errors import XortuneError
from xortune.interrupt import StopSignal
from xortune.loop.packing import work_s
from xortune.loop.runner import InlineRunner, Runner
from xortune.loop.search import Search
from xortune.settings import RunOptions, StudySettings
from xortune.space import Choice, Domain, SearchSpace
from xortune.trial import Pack
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.engines.engine import EngineChoice

_log = logging.getLogger("xortune")

# A local Ray needs five to seven seconds until its first worker trains.
_RAY_START_S = 6.0


@contextmanager
def chosen_runner(
    options: RunOptions,
    space: SearchSpace,
    settings: StudySettings,
    trials: int,
    choice: EngineChoice,
    stop: StopSignal,
) -> Iterator[Runner]:
    """The runner of a search, while entered.

    `auto` is this process where the trials that are left take less time here than Ray takes to
    start, by the engine's pace. Where that has to be measured, a search begins here.

    Raises:
        UsageError: there is no such Ray, or it lacks something that the options ask for.
        XortuneError: Ray did not start.
        Interrupted: a signal came.
    """
    alone = options.runner == "auto" and not needs_ray(options)
    if alone:
        # It may wait for a compiler. Nothing has been written, so raising at once is safe.
        with stop.raising():
            alone = _sooner_here(space, settings, trials, choice)
    if alone:
        _import_report_meanwhile()
        here = replace(options, device="cpu")
        yield InlineFirstRunner(here, lambda: _ray(here, stop))
    elif options.runner == "inline":
        _import_report_meanwhile()
        yield InlineRunner(options, usable_device(options.device))
    else:
        with _ray(options, stop) as ray:
            yield ray


class InlineFirstRunner(InlineRunner):
    """Trains in this process; a search that takes longer than estimated moves to Ray.

    It moves between two packs, once this process has trained for as long as Ray takes to start
    and workers would gain more than that. Both are estimates: no clock decides, but where the
    engine cannot tell.
    """

    def __init__(
        self, options: RunOptions, on_ray: Callable[[], AbstractContextManager[Runner]]
    ) -> None:
        super().__init__(options, options.device)
        self._on_ray = on_ray
        self._trained = 0
        self._trained_s = 0.0

    def run(self, search: Search) -> None:
        super().run(search)
        if search.finished:
            return
        _log.info(f"{_reason(search)}: it moves to Ray.")
        with ExitStack() as stack:
            runner: Runner = InlineRunner(self._options, self.device)
            try:
                runner = stack.enter_context(self._on_ray())
            except XortuneError as error:
                _log.warning(f"the search stays in this process: {error}")
            self.workers = runner.workers
            runner.run(search)

    def outgrown(self, search: Search, pack: Pack) -> bool:
        if search.engine.pace(pack.device).measured:
            return _worth_ray(search)
        cost = sum(search.cost(trial.params) for trial in pack.trials) / len(pack.trials)
        self._trained += len(pack.trials)
        lanes = len(pack.trials) * len(pack.replicates)
        self._trained_s += work_s(lanes, cost, search.engine.pace(pack.device))
        progress = search.progress()
        left_s = (progress.total - progress.done) * self._trained_s / self._trained
        return self._trained_s > _RAY_START_S and left_s > _longest_here_s()


def _worth_ray(search: Search) -> bool:
    """Whether the trials that are left take so long that Ray's start is worth it."""
    trial_s, progress = search.speed.trial_s, search.progress()
    if trial_s is None or (search.speed.trials < 2 and trial_s < _RAY_START_S):
        return False  # The first trial may have been importing.
    return (progress.total - progress.done) * trial_s > _longest_here_s()


def _longest_here_s() -> float:
    """The seconds of training up to which one process is done sooner than workers on all CPUs."""
    return _RAY_START_S / (1 - 1 / cpus) if (cpus := _cpus()) > 1 else math.inf


def _cpus() -> int:
    if (os.cpu_count() or 1) == 1:
        return 1
    from xortune.cluster.control_groups import usable_cpus

    return usable_cpus()


def _reason(search: Search) -> str:
    if not search.engine.pace(search.devices[0]).measured:
        return "the search takes longer than estimated"
    progress = search.progress()
    return (
        f"a trial takes about {search.speed.trial_s:.2g} s, and {progress.total - progress.done:,} "
        "are left, so the search takes longer than Ray takes to start"
    )


def training_s(space: SearchSpace, settings: StudySettings, trials: int, pace: Pace) -> float:
    """The estimated seconds for one core to train this many trials of mean cost."""
    size = max(min(settings.generation or settings.trials, trials), 1)
    generations = math.ceil(trials / size)
    cost = 1.0 if space.spec.cost is None else mean(space.domains[space.spec.cost])
    return generations * work_s(size * settings.replicates, cost, pace)


def mean(domain: Domain) -> float:
    """The mean of a domain of numbers, drawn at random."""
    if isinstance(domain, Choice):
        return math.fsum(map(float, domain.values)) / len(domain.values)
    low, high = float(domain.low), float(domain.high)
    if domain.log and low < high:
        # Of a log-uniform distribution: (b - a) / ln(b / a).
        return (high - low) / math.log(high / low)
    return (low + high) / 2


def needs_ray(options: RunOptions) -> bool:
    """Whether the options ask for something that only Ray has: workers, a cluster, a GPU."""
    return (
        options.workers is not None
        or options.address is not None
        or options.device in ("cuda", "both")
        or options.gpus_per_worker != RunOptions.gpus_per_worker
    )


def _sooner_here(
    space: SearchSpace, settings: StudySettings, trials: int, choice: EngineChoice
) -> bool:
    """Whether this process is done sooner than workers that have to start; logs it."""
    if choice.fastest.measured:
        stay, ray = option("runner", "inline"), option("runner", "ray")
        _log.info(
            "the search begins in this process. If the first trials take long, it moves to Ray. "
            f"To stay here: {stay}. To begin on Ray: {ray}."
        )
        return True
    seconds, longest_s = training_s(space, settings, trials, choice.fastest), _longest_here_s()
    if seconds <= longest_s:
        # Only here is it worth waiting for an engine that may still be compiling.
        seconds = training_s(space, settings, trials, choice.expected("cpu").pace("cpu"))
    here = seconds <= longest_s
    work = (
        f"about {seconds:,.{1 if seconds < 10 else 0}f} s" if seconds >= 0.1 else "less than 0.1 s"
    )
    if here:
        others = f"{option('runner', 'ray')}, {option('workers')} or {option('address')}"
        where = f"so they run in this process. To use Ray: {others}"
    else:
        where = f"so they run on Ray. To stay in this process: {option('runner', 'inline')}"
    count = f"{trials:,} trials need"
    if trials == 1:
        count, where = "1 trial needs", where.replace("they run", "it runs", 1)
    if trials:  # Otherwise only a confirmation is left.
        _log.info(f"{count} {work} of training, {where}.")
    return here


@contextmanager
def _ray(options: RunOptions, stop: StopSignal) -> Iterator[Runner]:
    from xortune.cluster import ray_runner

    with ExitStack() as stack:
        # Nothing has been written, so raising at once is safe; and a Ray that got the same
        # signal may never answer.
        with stop.errors_as_interrupts(), stop.raising():
            runner = stack.enter_context(ray_runner(options, _import_report))
        stop.check()
        yield runner


def _import_report_meanwhile() -> None:
    threading.Thread(target=_import_report, daemon=True).start()


def _import_report() -> None:
    """Takes half a second, beside other work; the report is needed last."""
    import xortune.report  # noqa: F401
