"""Makes and resumes studies: `xortune.search` and `xortune.resume`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.errors import Interrupted, NoEngineError, StudyExistsError, UsageError, XortuneError
from xortune.interrupt import StopSignal
from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.paths import (
    DEFAULT_RESULTS,
    StudyPaths,
    as_path,
    check_writable,
    find_study,
    is_study,
    new_study,
    numbered,
)
from xortune.settings import (
    DeviceName,
    Provenance,
    RunOptions,
    StudySettings,
    default_generation,
    differences,
    truth,
)
from xortune.space import Narrowing, load_space
from xortune.studies.compatibility import check_versions, versions
from xortune.studies.options import (
    RUN_KEYWORDS,
    SEARCH_KEYWORDS,
    RunKeywords,
    SearchKeywords,
    shown_with,
)
from xortune.studies.problems import engine_choice, family, problem_of
from xortune.studies.progress import watched
from xortune.studies.request import Request, checked_request, default_name, each_point_once, known
from xortune.studies.study import Study
from xortune.wording import option

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from xortune.engines.engine import Engine
    from xortune.loop.runner import Runner
    from xortune.loop.search import Progress
    from xortune.studies.problems import EngineChoice

_log = logging.getLogger("xortune")


@dataclass(frozen=True)
class _Watch:
    """The companions of a run: its clock, its observer, and its signals."""

    clock: Clock
    observer: Callable[[Progress], None]
    stop: StopSignal


@dataclass(frozen=True)
class _Rest:
    """A study to resume: its settings, the number of trials left to train, and by force or not."""

    settings: StudySettings
    left: int
    force: bool


@shown_with(SEARCH_KEYWORDS)
def search(
    space: str | Path | Mapping[str, Any] = "default",
    *,
    narrow: Narrowing | None = None,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    engine: str = "auto",
    exist_ok: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **settings: Unpack[SearchKeywords],
) -> Study:
    """Searches, and returns the study.

    Args:
        space: a shipped name, the path of a search-space file, or its content.
        narrow: the part of the space to search, by parameter: a value, a tuple of the lowest
            and the highest, or a list of choices.
        name: the study's name; by default the problem's name, the date and the time.
        results: the folder of the study's own folder.
        engine: `auto` takes the fastest available; the choice is recorded.
        exist_ok: a study of that name with the same settings is returned if it is finished,
            and resumed if not.
        on_progress: called after every pack. By default a notebook shows a line of progress.
        stop: an entered `StopSignal`; by default a new one.
        **settings: the fields of `StudySettings` and `RunOptions`; `metric` is the final loss.

    Raises:
        UsageError: bad input, or a study of that name (with `exist_ok`, one with other
            settings); nothing is written.
        Interrupted: Ctrl-C, SIGTERM, SIGHUP; finished trials are kept, tables are written.
        XortuneError: the search failed; likewise.

    Example:
        study = xortune.search("default", trials=100, sampler="random")
        study.trials.head()
    """
    clock = Clock()
    request = checked_request(space, narrow, engine, settings)
    folder = as_path("results", results)
    if faults := truth("exist_ok", exist_ok):
        raise UsageError(faults[0])
    if exist_ok and name is None:
        raise UsageError(f"{option('exist_ok')}: say which study, with {option('name')}.")
    if exist_ok and name is not None and is_study(folder, name):
        return _existing(StudyPaths(folder / name), request, on_progress, stop)
    names = numbered(default_name()) if name is None else iter([new_study(folder, name).name])
    check_writable(folder)
    with watched(on_progress) as observer, nullcontext(stop) if stop else StopSignal() as stop:
        return _new_study(request, folder, names, _Watch(clock, observer, stop))


@shown_with(RUN_KEYWORDS)
def resume(
    study: str | Path,
    *,
    trials: int | None = None,
    force: bool = False,
    results: str | Path = DEFAULT_RESULTS,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **options: Unpack[RunKeywords],
) -> Study:
    """Resumes a study after a crash or an interruption, or extends it to a larger total.

    Args:
        study: as for `load`.
        trials: the study's new total; by default as recorded.
        force: resume even if the engine or a library has another version than recorded.
        results: the results folder.
        on_progress: as for `search`.
        stop: as for `search`.
        **options: the fields of `RunOptions`. The device is the recorded one unless given.

    Raises:
        As `search`.

    Example:
        xortune.resume("results/first", trials=200)
    """
    clock = Clock()
    if faults := truth("force", force):
        raise UsageError(faults[0])
    run_options = RunOptions(**known(options, RUN_KEYWORDS))
    paths = find_study(as_path("study", study), as_path("results", results))
    with (
        watched(on_progress) as observer,
        nullcontext(stop) if stop else StopSignal() as stop,
        Ledger.open(paths, partial(stop.check, paths.folder)) as ledger,
    ):
        rest = _resumable(ledger, paths.name, trials, bool(force))
        watch = _Watch(clock, observer, stop)
        if rest.left > 0:
            _resume(ledger, paths, rest, run_options, watch)
        else:
            _finish(ledger, paths, None, None, watch)
        stop.check(paths.folder)
    if rest.left <= 0:
        _log_done(paths)
    return Study(paths)


def _new_study(request: Request, folder: Path, names: Iterator[str], watch: _Watch) -> Study:
    settings, stop = request.settings, watch.stop
    choice = engine_choice(request.engine, settings.data)
    if settings.generation is None:
        size = default_generation(settings.sampler, settings.trials, choice.generation)
        settings = replace(settings, generation=size)
    with _runner(request.options, settings, settings.trials, choice, stop) as runner:
        try:
            engine = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(
                f"{option('engine')} {request.engine}: {error}. Use {option('engine', 'auto')}."
            ) from None
        _check_machines(runner, engine, stop)
        settings = replace(settings, device=runner.device)
        provenance = Provenance(engine.name, versions(engine, runner.device))
        stop.check()
        paths, created = _created(folder, names, settings, provenance, stop)
        with created as ledger:
            _finish(ledger, paths, runner, engine, watch)
        stop.check(paths.folder)
    return Study(paths)


def _resume(
    ledger: Ledger,
    paths: StudyPaths,
    rest: _Rest,
    options: RunOptions,
    watch: _Watch,
) -> None:
    """Trains the rest of a study."""
    settings, stop, provenance = rest.settings, watch.stop, ledger.provenance()
    if options.device == "auto":
        options = replace(options, device=settings.device)  # type: ignore[arg-type]
    choice = engine_choice(family(provenance.engine), settings.data)
    with _runner(options, settings, rest.left, choice, stop) as runner:
        stop.check(paths.folder)
        try:
            engine = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(
                f"study {paths.name} began with the engine {provenance.engine}: {error}. Resume it "
                f"where there is a C compiler (gcc or clang), with {option('device', 'cpu')}."
            ) from None
        if runner.device != settings.device:
            _log.warning(
                f"study {paths.name} began on {settings.device} and is resumed on "
                f"{runner.device}: the trials from here on may differ in their last digits."
            )
        _check_machines(runner, engine, stop)
        same = engine.name == provenance.engine
        provenance = replace(
            provenance,
            engine=engine.name,
            reference=provenance.reference if same else {},
            versions={**provenance.versions, **versions(engine, runner.device)},
            forced=provenance.forced or rest.force,
        )
        ledger.record(replace(settings, device=runner.device), provenance)
        _finish(ledger, paths, runner, engine, watch)


def _runner(
    options: RunOptions, settings: StudySettings, left: int, choice: EngineChoice, stop: StopSignal
) -> AbstractContextManager[Runner]:
    # Imported once the search is watched: Optuna may warn.
    from xortune.studies.runner_choice import chosen_runner

    space = load_space(settings.space, settings.spec)
    return chosen_runner(options, space, settings, left, choice, stop)


def _log_done(paths: StudyPaths) -> None:
    _log.warning(f"study {paths.name} is finished already: there was nothing to do.")


def _created(
    folder: Path,
    names: Iterator[str],
    settings: StudySettings,
    provenance: Provenance,
    stop: StopSignal,
) -> tuple[StudyPaths, Ledger]:
    """A new study of the first name that is free; making its folder claims it."""
    for name in names:
        paths = StudyPaths(folder / name)
        check = partial(stop.check, paths.folder)
        try:
            return paths, Ledger.create(paths, settings, provenance, check)
        except StudyExistsError as error:
            taken = error
    raise taken


def _existing(
    paths: StudyPaths,
    request: Request,
    on_progress: Callable[[Progress], None] | None,
    stop: StopSignal | None,
) -> Study:
    """The study of that name, resumed unless it is finished.

    Raises:
        UsageError: it has other settings than the request.
    """
    with Ledger.read(paths) as ledger:
        found, engine = ledger.settings(), family(ledger.provenance().engine)
        done = ledger.trials().finished >= found.trials
    device: DeviceName = request.options.device
    different = differences(found, replace(request.settings, device=device))
    if request.engine not in ("auto", engine):
        different.append(f"{option('engine')} is {engine!r} there and {request.engine!r} here")
    if different:
        raise UsageError(
            f"{option('name')} {paths.name!r}: {paths.folder} exists already, with other settings: "
            f"{'; '.join(different)}. Choose another {option('name')}, or the same settings."
        )
    if done and paths.trials_csv.exists() and paths.trials_parquet.exists():
        _log_done(paths)
        return Study(paths)
    options: Any = {name: getattr(request.options, name) for name in RUN_KEYWORDS}
    return resume(paths.folder, on_progress=on_progress, stop=stop, **options)


def _finish(
    ledger: Ledger, paths: StudyPaths, runner: Runner | None, engine: Engine | None, watch: _Watch
) -> None:
    """Trains the rest, if there is a runner, and writes runs, tables and times."""
    from xortune.loop.run_queue import RunQueue
    from xortune.loop.search import Search
    from xortune.tensorboard.runs import RunWriter

    clock, stop, settings = watch.clock, watch.stop, ledger.settings()
    space = load_space(settings.space, settings.spec)
    runs = RunQueue(RunWriter(paths, space, problem_of(settings).graph), clock)

    def train() -> None:
        if runner is None or engine is None:
            runs.add_missing(ledger, ledger.trials())
            return
        try:
            with stop.errors_as_interrupts():
                runner.run(Search(ledger, engine, runs, clock, watch.observer, stop.check))
        except XortuneError as error:
            error.folder = paths.folder
            raise

    def write_tables() -> None:
        from xortune.report import tabulate

        with clock.writing():
            tabulate(ledger, paths)

    def record_times() -> None:
        if runner is not None:
            ledger.add_run(clock.total(runner.workers))
        elif os.path.lexists(paths.journal):
            # A kill left it before anything was in it: any transaction removes it.
            ledger.record(ledger.settings(), ledger.provenance())

    _try_all((train, runs.write_all, write_tables, record_times), paths.folder)


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


def _resumable(ledger: Ledger, name: str, trials: int | None, force: bool) -> _Rest:
    """The rest of a study, whose new total is `trials` unless None."""
    settings, provenance, table = ledger.settings(), ledger.provenance(), ledger.trials()
    if not force:
        check_versions(settings, provenance, name)
    if trials is not None:
        settings = _extended(settings, provenance, name, trials, len(table))
    return _Rest(settings, settings.trials - table.finished, force)


def _extended(
    settings: StudySettings, provenance: Provenance, name: str, trials: int, asked: int
) -> StudySettings:
    """The settings with another total; `asked` trials exist already."""
    extended = replace(settings, trials=trials)
    if extended.trials < asked:
        raise UsageError(
            f"{option('trials')} {trials}: study {name} has {asked} trials already, and the "
            "number is the study's total. Give a larger one, or leave it out."
        )
    if extended.trials < settings.trials:
        _log.warning(
            f"study {name}: its total falls from {settings.trials} to {extended.trials} trials."
        )
    space = load_space(settings.space, settings.spec)
    return each_point_once(extended, space, provenance.sampler_version, asked)


def _check_machines(runner: Runner, engine: Engine, stop: StopSignal) -> None:
    # Nothing has been written, so a signal may interrupt at once.
    with stop.errors_as_interrupts(), stop.raising():
        runner.check(engine)
    stop.check()
