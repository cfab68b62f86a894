"""Making and resuming studies: the Python face."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xortune.engines.xor.choice import EngineChoice
from xortune.errors import (
    Interrupted,
    NoEngineError,
    StudyExistsError,
    UsageError,
    XortuneError,
)
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
    EngineName,
    RunOptions,
    StudySettings,
    default_generation,
    differences,
)
from xortune.space import Narrowing, SearchSpace, load_space
from xortune.studies.compatibility import check_versions, family, versions
from xortune.studies.progress import watched
from xortune.studies.request import RUN_OPTIONS, default_name, each_point_once, known, validated
from xortune.studies.study import Study
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.loop.search import Progress, Runner

_log = logging.getLogger("xortune")


def search(
    space: str | Path | Mapping[str, Any] = "default",
    *,
    narrow: Narrowing | None = None,
    name: str | None = None,
    results: str | Path = DEFAULT_RESULTS,
    engine: EngineName = "auto",
    exist_ok: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **settings: Any,
) -> Study:
    """Searches, and returns the study.

    Args:
        space: a shipped name, the path of a search-space file, or its content.
        narrow: for single parameters, the part of the space to search: a value, a tuple of the
            lowest and the highest, or a list of choices, such as
            `{"lr": 0.1, "epochs": (500, 2000), "loss_fn": ["mse", "bce"]}`.
        name: the study's name; by default `xor-`, the date and the time.
        results: the folder that the study's own folder goes into.
        exist_ok: a study of that name with the same settings is returned if it is finished,
            and resumed if not.
        engine: `auto` compiles the training step where it can; the choice is recorded.
        on_progress: called after every pack. By default a notebook shows a line of progress.
        stop: what signals do, entered already; by default a `StopSignal` of its own.
        **settings: the fields of `StudySettings` and `RunOptions`, such as `trials=50`,
            `sampler="random"` or `runner="inline"`.

    Raises:
        UsageError: bad input, or a study of that name, with `exist_ok` only if its settings
            differ; nothing is written.
        Interrupted: Ctrl-C, SIGTERM, SIGHUP; what was finished is kept, tables are written.
        XortuneError: the search failed; likewise.
    """
    clock = Clock()
    loaded, study_settings, options = validated(space, narrow, engine, settings)
    folder = as_path("results", results)
    if exist_ok and name is None:
        raise UsageError(f"{option('exist_ok')}: say which study, with {option('name')}.")
    if exist_ok and name is not None and is_study(folder, name):
        _check_same(StudyPaths(folder / name), study_settings, engine, options.device)
        return _existing(StudyPaths(folder / name), options, on_progress, stop)
    if study_settings.generation is None:
        default = default_generation(study_settings.sampler, study_settings.trials)
        study_settings = replace(study_settings, generation=default)
    names = numbered(default_name()) if name is None else iter([new_study(folder, name).name])
    check_writable(folder)
    choice = EngineChoice(engine)
    with (
        watched(on_progress) as observer,
        nullcontext(stop) if stop else StopSignal() as stop,
        _runner(options, loaded, study_settings, study_settings.trials, choice, stop) as runner,
    ):
        try:
            trained_by, library = choice.decide(runner.device)
        except NoEngineError as error:
            raise UsageError(
                f"{option('engine')} {engine}: {error}. Use {option('engine', 'eager')}."
            ) from None
        _check_places(runner, trained_by, stop)
        study_settings = replace(
            study_settings,
            device=runner.device,
            engine=trained_by,
            versions=versions(trained_by, runner.device),
        )
        stop.check()
        paths, created = _created(folder, names, study_settings, stop)
        with created as ledger:
            _run(ledger, paths, loaded, runner, library, clock, observer, stop)
        stop.check(paths.folder)
    return Study(paths)


def resume(
    study: str | Path,
    *,
    trials: int | None = None,
    force: bool = False,
    results: str | Path = DEFAULT_RESULTS,
    on_progress: Callable[[Progress], None] | None = None,
    stop: StopSignal | None = None,
    **options: Any,
) -> Study:
    """Goes on with a study after a crash, an interruption, or to a larger total.

    Args:
        study: as for `load`.
        trials: the study's new total; by default as recorded.
        force: go on though an engine or a library has another version than recorded.
        results: the results folder.
        on_progress: as for `search`.
        stop: as for `search`.
        **options: the fields of `RunOptions`. The device is the recorded one unless given.

    Raises:
        As `search`.
    """
    clock = Clock()
    run_options = RunOptions(**known(options, RUN_OPTIONS))
    paths = find_study(as_path("study", study), as_path("results", results))
    with (
        watched(on_progress) as observer,
        nullcontext(stop) if stop else StopSignal() as stop,
        Ledger.open(paths, partial(stop.check, paths.folder)) as ledger,
    ):
        settings = _resumable(ledger, paths.name, trials, force)
        if run_options.device == "auto":
            run_options = replace(run_options, device=settings.device)  # type: ignore[arg-type]
        choice = EngineChoice(family(settings.engine))
        space = load_space(settings.space)
        left = settings.trials - _finished(ledger)
        started = (
            _runner(run_options, space, settings, left, choice, stop) if left > 0 else nullcontext()
        )
        with started as runner:
            stop.check(paths.folder)
            library = None
            if runner is not None:
                engine, library = _recorded_engine(choice, runner, paths.name)
                _note_device(settings, runner, paths.name)
                _check_places(runner, engine, stop)
                used = {**settings.versions, **versions(engine, runner.device)}
                forced = settings.forced or bool(force)
                settings = replace(settings, device=runner.device, engine=engine)
                ledger.write_settings(replace(settings, versions=used, forced=forced))
            _run(ledger, paths, space, runner, library, clock, observer, stop)
        stop.check(paths.folder)
    if left <= 0:
        _log_done(paths)
    return Study(paths)


def _runner(*arguments: Any) -> AbstractContextManager[Runner]:
    """As `chosen_runner`, which is imported once the search is watched: Optuna may warn."""
    from xortune.studies.runner_choice import chosen_runner

    return chosen_runner(*arguments)


def _log_done(paths: StudyPaths) -> None:
    _log.warning(f"study {paths.name} is finished already: there was nothing to do.")


def _created(
    folder: Path, names: Iterator[str], settings: StudySettings, stop: StopSignal
) -> tuple[StudyPaths, Ledger]:
    """A new study of the first of these names that is free: whoever makes its folder has it."""
    for name in names:
        paths = StudyPaths(folder / name)
        try:
            return paths, Ledger.create(paths, settings, partial(stop.check, paths.folder))
        except StudyExistsError as error:
            taken = error
    raise taken


def _existing(
    paths: StudyPaths,
    options: RunOptions,
    on_progress: Callable[[Progress], None] | None,
    stop: StopSignal | None,
) -> Study:
    """The study as it is if it is finished; otherwise once it has been resumed."""
    with Ledger.read(paths) as ledger:
        done = _finished(ledger) >= ledger.settings().trials
    if done:
        _log_done(paths)
        return Study(paths)
    how = {name: getattr(options, name) for name in RUN_OPTIONS}
    return resume(paths.folder, on_progress=on_progress, stop=stop, **how)


def _check_same(
    paths: StudyPaths, wanted: StudySettings, engine: EngineName, device: DeviceName
) -> None:
    """Raises UsageError where a study has other settings than a search asks for."""
    with Ledger.read(paths) as ledger:
        found = ledger.settings()
    found = replace(found, engine=family(found.engine))
    different = differences(found, replace(wanted, engine=engine, device=device))
    if different:
        raise UsageError(
            f"{option('name')} {paths.name!r}: {paths.folder} exists already, with other settings: "
            f"{'; '.join(different)}. Choose another {option('name')}, or the same settings."
        )


def _run(
    ledger: Ledger,
    paths: StudyPaths,
    space: SearchSpace,
    runner: Runner | None,
    library: bytes | None,
    clock: Clock,
    on_progress: Callable[[Progress], None],
    stop: StopSignal,
) -> None:
    """Runs the search, which needs no runner when everything is done, and writes the tables.

    What fails first is raised, and does not keep the rest from being tried.
    """
    from xortune.loop.search import Search
    from xortune.tensorboard.runs import RunWriter

    settings = ledger.settings()
    runs = RunWriter(paths, space, settings.metric)
    search = Search(ledger, space, settings, runs, clock, on_progress, stop.check)

    def train() -> None:
        if runner is not None:
            try:
                with stop.errors_as_interrupts():
                    runner.run(search, library)
            except XortuneError as error:
                error.folder = paths.folder
                raise

    def write_tables() -> None:
        from xortune.report import tabulate

        with clock.writing():
            tabulate(ledger, paths)

    failures: list[BaseException] = []
    parts: tuple[Callable[[], object], ...] = (
        train,
        search.write_runs,
        write_tables,
        lambda: ledger.add_run(clock.total(runner.workers if runner else 0)),
    )
    for part in parts:
        try:
            part()
        except Interrupted as interruption:
            failures.append(Interrupted(interruption.signum, paths.folder))
        except BaseException as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _resumable(ledger: Ledger, name: str, trials: int | None, force: bool) -> StudySettings:
    """The settings to go on with; the total is a new one unless None."""
    settings = ledger.settings()
    if not force:
        check_versions(settings, name)
    if trials is None:
        return settings
    extended = replace(settings, trials=trials)
    asked = len(ledger.trials())
    if extended.trials < asked:
        raise UsageError(
            f"{option('trials')} {trials}: study {name} has {asked} trials already, and the "
            "number is the study's total. Give a larger one, or leave it out."
        )
    return each_point_once(extended, load_space(settings.space), asked)


def _finished(ledger: Ledger) -> int:
    """How many trials have an outcome."""
    return sum(row.outcome is not None for row in ledger.trials())


def _recorded_engine(choice: EngineChoice, runner: Runner, name: str) -> tuple[str, bytes | None]:
    """The engine that the study was begun with, and its library."""
    try:
        return choice.decide(runner.device)
    except NoEngineError as error:
        raise UsageError(
            f"study {name} was begun with the compiled engine: {error}. Resume it where there "
            f"is a C compiler (gcc or clang), with {option('device', 'cpu')}."
        ) from None


def _check_places(runner: Runner, engine: str, stop: StopSignal) -> None:
    """Before anything is written, which a signal may interrupt at once."""
    with stop.errors_as_interrupts(), stop.raising():
        runner.check(engine)
    stop.check()


def _note_device(settings: StudySettings, runner: Runner, name: str) -> None:
    if runner.device != settings.device:
        _log.warning(
            f"study {name} was begun on {settings.device} and is resumed on {runner.device}: "
            "the trials from here on may differ in their last digits."
        )
